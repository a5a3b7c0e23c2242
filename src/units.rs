//! Units of quantities in scenario files, and how quantities are shown to people.

/// What a number in a scenario measures; decides which units may follow it and what a bare
/// number means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// A count, a shape, a probability: no unit.
    Plain,
    /// A time; a bare number is milliseconds.
    Time,
    /// A bandwidth; a bare number is bits per second.
    Bandwidth,
    /// A size; a bare number is bytes.
    Bytes,
}

impl Dimension {
    /// The units that may follow a number, with what one of them is in the base unit.
    pub const fn units(self) -> &'static [(&'static str, f64)] {
        match self {
            Dimension::Plain => &[],
            Dimension::Time => &[
                ("ns", 1e-6),
                ("us", 1e-3),
                ("ms", 1.0),
                ("s", 1e3),
                ("min", 60e3),
                ("h", 3600e3),
            ],
            Dimension::Bandwidth => &[
                ("bit", 1.0),
                ("kbit", 1e3),
                ("Mbit", 1e6),
                ("Gbit", 1e9),
                ("Kibit", 1024.0),
                ("Mibit", 1_048_576.0),
                ("Gibit", 1_073_741_824.0),
                ("bit/s", 1.0),
                ("kbit/s", 1e3),
                ("Mbit/s", 1e6),
                ("Gbit/s", 1e9),
                ("Kibit/s", 1024.0),
                ("Mibit/s", 1_048_576.0),
                ("Gibit/s", 1_073_741_824.0),
                ("B/s", 8.0),
                ("kB/s", 8e3),
                ("MB/s", 8e6),
                ("GB/s", 8e9),
                ("KiB/s", 8192.0),
                ("MiB/s", 8_388_608.0),
                ("GiB/s", 8_589_934_592.0),
            ],
            Dimension::Bytes => &[
                ("B", 1.0),
                ("kB", 1e3),
                ("MB", 1e6),
                ("GB", 1e9),
                ("KiB", 1024.0),
                ("MiB", 1_048_576.0),
                ("GiB", 1_073_741_824.0),
            ],
        }
    }

    /// What one `unit` is in the base unit, if it is a unit of this dimension.
    pub fn factor(self, unit: &str) -> Option<f64> {
        self.units()
            .iter()
            .find_map(|&(name, factor)| (name == unit).then_some(factor))
    }

    /// What a number of this dimension is called in messages: `a time`.
    pub const fn described(self) -> &'static str {
        match self {
            Dimension::Plain => "a plain number",
            Dimension::Time => "a time",
            Dimension::Bandwidth => "a bandwidth",
            Dimension::Bytes => "a size",
        }
    }

    /// The units as a list for messages.
    pub fn unit_names(self) -> String {
        let names: Vec<&str> = self.units().iter().map(|&(name, _)| name).collect();
        names.join(", ")
    }
}

/// A unit in which figures are shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    /// What stands after the numbers: `Mbit/s`; may be empty.
    pub name: &'static str,
    /// What one of it is in the base unit.
    pub size: f64,
}

impl Unit {
    /// Figures as they are.
    pub const PLAIN: Unit = Unit {
        name: "",
        size: 1.0,
    };
}

impl Dimension {
    /// The unit in which people read quantities of about `value`. Times stay in ms.
    pub fn unit_for(self, value: f64) -> Unit {
        let (step, names): (f64, &[&str]) = match self {
            Dimension::Plain => return Unit::PLAIN,
            Dimension::Time => (f64::INFINITY, &["ms"]),
            Dimension::Bandwidth => (1000.0, &BANDWIDTHS),
            Dimension::Bytes => (1024.0, &SIZES),
        };
        let (place, size) = step_up(value, step, names.len());
        Unit {
            name: names[place],
            size,
        }
    }
}

const BANDWIDTHS: [&str; 5] = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"];
const SIZES: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/// Which of `count` units, each `step` times the one before, `value` is shown in; and its size.
fn step_up(value: f64, step: f64, count: usize) -> (usize, f64) {
    let mut size = 1.0;
    let mut place = 0;
    while value.abs() / size >= step && place + 1 < count {
        size *= step;
        place += 1;
    }
    (place, size)
}

/// A bandwidth as people read it: `52.4 Mbit/s`.
pub fn show_bandwidth(bits_per_second: f64) -> String {
    scaled(bits_per_second, 1000.0, &BANDWIDTHS)
}

/// A size as people read it: `1.4 MiB`.
pub fn show_bytes(bytes: u64) -> String {
    scaled(bytes as f64, 1024.0, &SIZES)
}

/// A count as people read it: `1,234,567`.
pub fn show_count(count: u64) -> String {
    let digits = count.to_string();
    let mut shown = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// A rate as people read it: `2.31 M`.
pub fn show_rate(per_second: f64) -> String {
    scaled(per_second, 1000.0, &["", "k", "M", "G"])
        .trim_end()
        .to_owned()
}

/// A number as people read it, to four digits: `1.414`, `2.5e-7`; `none` where it is NaN.
pub fn show_figure(value: f64) -> String {
    const DIGITS: i32 = 4;
    if value.is_nan() {
        return "none".into();
    }
    if value == 0.0 || value.is_infinite() {
        return value
            .abs()
            .to_string()
            .replace("inf", if value < 0.0 { "-inf" } else { "inf" });
    }
    // Rounded first, so that 999.96 has the digits of 1000.
    let rounded = format!("{value:.*e}", DIGITS as usize - 1);
    let (mantissa, power) = rounded.split_once('e').unwrap_or((&rounded, "0"));
    let power: i32 = power.parse().unwrap_or(0);
    let trimmed = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if (-4..6).contains(&power) {
        let decimals = (DIGITS - 1 - power).max(0) as usize;
        trimmed(&format!("{value:.decimals$}"))
    } else {
        format!("{}e{power}", trimmed(mantissa))
    }
}

fn scaled(value: f64, step: f64, units: &[&str]) -> String {
    let (place, size) = step_up(value, step, units.len());
    let value = value / size;
    let decimals = match value.abs() {
        _ if place == 0 && value.fract() == 0.0 => 0,
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.decimals$} {}", units[place])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p2psimpys_megabit_is_a_mebibit() {
        assert_eq!(Dimension::Bandwidth.factor("Mibit"), Some(1024.0 * 1024.0));
        assert_eq!(
            Dimension::Bandwidth.factor("KiB/s"),
            Some(10.0 * 8192.0 / 10.0)
        );
        assert_eq!(Dimension::Time.factor("Mbit"), None);
    }

    #[test]
    fn shows_sensible_precision() {
        assert_eq!(show_bandwidth(52_428_800.0), "52.4 Mbit/s");
        assert_eq!(show_bytes(24), "24 B");
        assert_eq!(show_bytes(1_500_000), "1.43 MiB");
        assert_eq!(show_count(1_234_567), "1,234,567");
        assert_eq!(show_count(12), "12");
        assert_eq!(show_rate(2_310_000.0), "2.31 M");
        for (value, shown) in [
            (2.0_f64.sqrt(), "1.414"),
            (999.96, "1000"),
            (-0.0, "0"),
            (123_456.7, "123457"),
            (2.5e-7, "2.5e-7"),
            (-1e300, "-1e300"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "none"),
        ] {
            assert_eq!(show_figure(value), shown);
        }
    }
}
