//! Simulated time: whole nanoseconds inside, milliseconds in files, flags and logs.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

const NS_PER_MS: u64 = 1_000_000;

/// A point in simulated time, or a span of it, in whole nanoseconds since the start of the run.
///
/// Shown in milliseconds, with as many decimals as it has and no more.
///
/// ```
/// use p2psim::time::Time;
/// assert_eq!(Time::from_ms(1000.25).unwrap().to_string(), "1000.25");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// The start of a run.
    pub const ZERO: Time = Time(0);

    /// The longest time a scenario may name: about 146 years. Twice it still fits the clock.
    pub const MAX: Time = Time(u64::MAX / 4);

    /// A time of whole nanoseconds.
    pub const fn from_ns(ns: u64) -> Self {
        Time(ns)
    }

    /// A time in milliseconds, rounded to the nearest nanosecond; `None` if it is negative, not
    /// a number, or beyond [`Time::MAX`].
    pub fn from_ms(ms: f64) -> Option<Self> {
        let ns = ms * NS_PER_MS as f64;
        (ns >= 0.0 && ns <= Time::MAX.0 as f64).then(|| Time(libm::round(ns) as u64))
    }

    /// Like [`Time::from_ms`], for draws: what is negative becomes zero, what is too large
    /// [`Time::MAX`].
    #[inline]
    pub fn from_ms_clamped(ms: f64) -> Self {
        Self::from_ms_at_least(ms, Time::ZERO)
    }

    /// As [`Time::from_ms_clamped`], but at least `least`, which must not be after
    /// [`Time::MAX`].
    #[inline]
    pub fn from_ms_at_least(ms: f64, least: Time) -> Self {
        // `as` saturates and maps NaN to zero; to a signed number it takes fewer steps.
        let ns = (ms * NS_PER_MS as f64 + 0.5) as i64;
        Time(ns.max(least.0 as i64).min(Time::MAX.0 as i64) as u64)
    }

    /// Whole nanoseconds.
    #[inline]
    pub const fn as_ns(self) -> u64 {
        self.0
    }

    /// Milliseconds, with the rounding of a floating-point number.
    pub fn as_ms(self) -> f64 {
        self.0 as f64 / NS_PER_MS as f64
    }

    /// Seconds, with the rounding of a floating-point number.
    pub fn as_secs(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The span from `earlier` to `self`, zero if `earlier` is later.
    #[inline]
    pub const fn since(self, earlier: Time) -> Time {
        Time(self.0.saturating_sub(earlier.0))
    }

    /// The least of 1, 2 and 5 times a power of ten nanoseconds that is not below: the length of
    /// a step as people like it. At most [`Time::MAX`].
    pub fn round_up_to_step(self) -> Time {
        let mut power = 1_u64;
        loop {
            for digit in [1, 2, 5] {
                let step = power.saturating_mul(digit);
                if step >= self.0 || step >= Time::MAX.0 {
                    return Time(step.min(Time::MAX.0));
                }
            }
            power = power.saturating_mul(10);
        }
    }

    /// Appends the time in milliseconds to `out`: the fast path of [`fmt::Display`].
    pub fn write_ms(self, out: &mut Vec<u8>) {
        let mut digits = itoa::Buffer::new();
        out.extend_from_slice(digits.format(self.0 / NS_PER_MS).as_bytes());
        let fraction = self.0 % NS_PER_MS;
        if fraction != 0 {
            // The leading 1 keeps the zeros in front of the fraction.
            let shown = digits.format(fraction + NS_PER_MS).trim_end_matches('0');
            out.push(b'.');
            out.extend_from_slice(&shown.as_bytes()[1..]);
        }
    }

    /// As [`Time::write_ms`], but always with a decimal: readers of tables then take a column of
    /// times for real numbers, whichever stand first.
    pub fn write_ms_real(self, out: &mut Vec<u8>) {
        let start = out.len();
        self.write_ms(out);
        if !out[start..].contains(&b'.') {
            out.extend_from_slice(b".0");
        }
    }
}

impl Add for Time {
    type Output = Time;
    #[inline]
    fn add(self, other: Time) -> Time {
        Time(self.0 + other.0)
    }
}

impl AddAssign for Time {
    #[inline]
    fn add_assign(&mut self, other: Time) {
        self.0 += other.0;
    }
}

impl Sub for Time {
    type Output = Time;
    #[inline]
    fn sub(self, other: Time) -> Time {
        Time(self.0 - other.0)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(24);
        self.write_ms(&mut text);
        f.pad(&String::from_utf8_lossy(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_milliseconds_without_superfluous_digits() {
        for (ns, text) in [
            (0, "0"),
            (1, "0.000001"),
            (1_000_000, "1"),
            (1_050_000, "1.05"),
            (12_345_678_901, "12345.678901"),
        ] {
            assert_eq!(Time::from_ns(ns).to_string(), text);
        }
    }

    #[test]
    fn steps_are_round() {
        for (ns, step) in [(0, 1), (1, 1), (3, 5), (20, 20), (21, 50), (51, 100)] {
            assert_eq!(Time::from_ns(ns).round_up_to_step(), Time::from_ns(step));
        }
        assert_eq!(Time::from_ns(u64::MAX).round_up_to_step(), Time::MAX);
    }

    #[test]
    fn refuses_what_is_no_time() {
        for ms in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(Time::from_ms(ms), None);
        }
        assert_eq!(Time::from_ms_clamped(-3.0), Time::ZERO);
        assert_eq!(Time::from_ms_clamped(1e300), Time::MAX);
    }
}
