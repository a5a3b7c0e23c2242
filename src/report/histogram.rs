//! What many draws say: their statistics, and a histogram of them as text.

use crate::units::{Unit, show_count};

/// Quantiles and bars come from at most this many draws (8 MB), so that memory is bounded.
pub const KEPT_MAX: usize = 1_000_000;
/// The share of draws at each end that the bars may leave out where tails reach far.
const TAIL_SHARE: f64 = 0.005;
/// The figures in the order in which people read them.
pub const FIGURES: [&str; 7] = ["mean", "sd", "min", "5 %", "50 %", "95 %", "max"];
/// From empty to full, in eighths of a line.
const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Statistics of draws, taken block by block. Draws that are infinite or no number are counted
/// and left out of everything else.
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    /// How many finite draws there were.
    pub count: u64,
    /// How many others.
    pub not_finite: u64,
    /// The mean of all.
    pub mean: f64,
    /// The smallest of all.
    pub min: f64,
    /// The largest of all.
    pub max: f64,
    /// The sum of squared distances from the mean.
    squares: f64,
    /// The first [`KEPT_MAX`], ascending once finished.
    kept: Vec<f64>,
}

impl Statistics {
    /// The statistics of these draws.
    pub fn of(draws: &[f64]) -> Self {
        let mut statistics = Statistics::default();
        statistics.add(draws);
        statistics.finish();
        statistics
    }

    /// Takes in more draws. Means and squares are merged block by block (Chan, Golub, LeVeque
    /// 1979), which neither cancels nor depends on how large the blocks before were.
    pub fn add(&mut self, draws: &[f64]) {
        let finite = || draws.iter().copied().filter(|draw| draw.is_finite());
        let count = finite().count();
        self.not_finite += (draws.len() - count) as u64;
        if count == 0 {
            return;
        }
        if self.count == 0 {
            (self.min, self.max) = (f64::INFINITY, f64::NEG_INFINITY);
        }
        self.min = finite().fold(self.min, f64::min);
        self.max = finite().fold(self.max, f64::max);
        let mean = finite().map(|draw| draw / count as f64).sum::<f64>();
        let squares = finite().map(|draw| (draw - mean).powi(2)).sum::<f64>();
        let share = count as f64 / (self.count + count as u64) as f64;
        let apart = mean - self.mean;
        self.squares += squares + apart * apart * share * self.count as f64;
        self.mean += apart * share;
        self.count += count as u64;
        if self.min == self.max {
            // What rounding makes of equal draws is no spread.
            (self.mean, self.squares) = (self.min, 0.0);
        }
        self.kept
            .extend(finite().take(KEPT_MAX - self.kept.len().min(KEPT_MAX)));
    }

    /// Makes quantiles and bars possible; to be called once, after the last draws.
    pub fn finish(&mut self) {
        self.kept.sort_unstable_by(f64::total_cmp);
    }

    /// The standard deviation of the draws (with n - 1); NaN for a single one.
    pub fn std_dev(&self) -> f64 {
        (self.squares / (self.count as f64 - 1.0)).sqrt()
    }

    /// The value below which the share `p` of the kept draws lies, between two of them
    /// linearly, as numpy has it; NaN without draws.
    pub fn quantile(&self, p: f64) -> f64 {
        let Some(last) = self.kept.len().checked_sub(1) else {
            return f64::NAN;
        };
        let at = p * last as f64;
        let (low, high) = (self.kept[at as usize], self.kept[at.ceil() as usize]);
        if low == high {
            return low;
        }
        let share = at.fract();
        low * (1.0 - share) + high * share
    }

    /// Shows a number of these statistics in `unit`, with as many decimals as the spread of the
    /// draws asks for.
    pub fn show(&self, value: f64, unit: Unit) -> String {
        let across = |p| self.quantile(1.0 - p) - self.quantile(p);
        // Of long tails the quartiles: what is usual decides.
        let spread = [4.0 * across(0.25), across(0.05), self.max - self.min]
            .into_iter()
            .filter(|&spread| spread > 0.0)
            .fold(f64::INFINITY, f64::min);
        show_number(value / unit.size, spread / unit.size)
    }

    /// What [`FIGURES`] names.
    pub fn figures(&self, unit: Unit) -> [String; 7] {
        [
            self.mean,
            self.std_dev(),
            self.min,
            self.quantile(0.05),
            self.quantile(0.5),
            self.quantile(0.95),
            self.max,
        ]
        .map(|value| self.show(value, unit))
    }

    /// What must be said about the figures: draws left out of them.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.not_finite > 0 {
            notes.push(format!(
                "{} of {} draws are infinite or no number and left out",
                show_count(self.not_finite),
                show_count(self.count + self.not_finite)
            ));
        }
        if self.count > self.kept.len() as u64 {
            notes.push(format!(
                "percentiles and bars are those of the first {} draws",
                show_count(self.kept.len() as u64)
            ));
        }
        notes
    }

    /// How many bars serve this many draws: the square root of their number, from 8 on.
    pub fn bars_wanted(&self) -> usize {
        ((self.kept.len() as f64).sqrt() as usize).max(8)
    }

    /// A panel of text, `width` columns wide: bars of at most `height` lines, the axis, the
    /// figures, and notes where there is something to say.
    pub fn panel(&self, unit: Unit, width: usize, height: usize) -> Vec<String> {
        let width = width.max(16);
        let mut lines = Vec::new();
        if self.count > 0 && self.min == self.max {
            let value = self.show(self.min, unit);
            lines.push(format!("always {value} {}", unit.name).trim_end().into());
        } else if self.count > 0 {
            let columns = width.div_ceil(self.bars_wanted());
            let bars = Bars::of(self, width / columns);
            lines.extend(bars.lines(width, height));
            let ends = [bars.low, bars.high].map(|end| self.show(end, unit));
            let right = format!("{} {}", ends[1], unit.name);
            let drawn = bars.width(width);
            let gap = drawn.saturating_sub(ends[0].chars().count()).max(1);
            lines.push("─".repeat(drawn));
            lines.push(format!("{}{:>gap$}", ends[0], right.trim_end()));
            let figures = FIGURES.iter().zip(self.figures(unit));
            let figures = figures.map(|(name, value)| format!("{name} {value}"));
            lines.extend(flow(figures, "   ", width));
            if let Some(note) = bars.note() {
                lines.extend(flow(note.split(' ').map(str::to_owned), " ", width));
            }
        }
        for note in self.notes() {
            lines.extend(flow(note.split(' ').map(str::to_owned), " ", width));
        }
        lines
    }
}

/// A panel of these draws, without a unit; see [`Statistics::panel`].
pub fn panel(draws: &[f64], width: usize, height: usize) -> Vec<String> {
    Statistics::of(draws).panel(Unit::PLAIN, width, height)
}

/// How many draws fall into each of several equal cells.
#[derive(Clone, Debug, PartialEq)]
pub struct Bars {
    /// Where the first cell begins.
    pub low: f64,
    /// Where the last one ends.
    pub high: f64,
    /// The draws in each.
    pub counts: Vec<u64>,
    /// The draws below the first.
    pub below: u64,
    /// The draws above the last.
    pub above: u64,
}

impl Bars {
    /// At most `cells` bars; exactly so many unless all draws are whole numbers, whose cells
    /// hold equally many of them. A tail that reaches far beyond the middle 99 % is left out.
    pub fn of(statistics: &Statistics, cells: usize) -> Self {
        let kept = &statistics.kept;
        let cells = cells.max(1);
        let (Some(&least), Some(&most)) = (kept.first(), kept.last()) else {
            return Bars {
                low: 0.0,
                high: 0.0,
                counts: vec![0; cells],
                below: 0,
                above: 0,
            };
        };
        let (from, to) = (
            statistics.quantile(TAIL_SHARE),
            statistics.quantile(1.0 - TAIL_SHARE),
        );
        let reach = (to - from) / 2.0;
        let tailed = from < to;
        let mut low = if tailed && least < from - reach {
            from
        } else {
            least
        };
        let mut high = if tailed && most > to + reach {
            to
        } else {
            most
        };
        let exact = (1_u64 << 53) as f64;
        let whole = kept.iter().all(|x| x.fract() == 0.0 && x.abs() < exact);
        let mut cells = cells;
        if whole {
            (low, high) = (low.round(), high.round());
            let step = ((high - low + 1.0) / cells as f64).ceil();
            cells = ((high - low + 1.0) / step).ceil() as usize;
            low -= 0.5;
            high = low + cells as f64 * step;
        }
        // Halves first: the range of draws near the largest numbers is larger than any number.
        let step = high / cells as f64 - low / cells as f64;
        let mut counts = vec![0; cells];
        let inside = kept.partition_point(|&x| x < low)..kept.partition_point(|&x| x <= high);
        for x in &kept[inside.clone()] {
            let cell = if step > 0.0 { (x - low) / step } else { 0.0 };
            counts[(cell as usize).min(cells - 1)] += 1;
        }
        Bars {
            low,
            high,
            counts,
            below: inside.start as u64,
            above: (kept.len() - inside.end) as u64,
        }
    }

    /// A constant: a thin bar in the middle of a range around it.
    pub fn lone(value: f64, count: u64) -> Self {
        let half = if value == 0.0 {
            1.0
        } else {
            value.abs() / 10.0
        };
        let mut counts = vec![0; 31];
        counts[15] = count;
        Bars {
            low: value - half,
            high: value + half,
            counts,
            below: 0,
            above: 0,
        }
    }

    /// What lies outside, if anything does.
    pub fn note(&self) -> Option<String> {
        let outside = [(self.below, "below"), (self.above, "above")]
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, side)| format!("{} {side}", show_count(*count)))
            .collect::<Vec<_>>();
        (!outside.is_empty()).then(|| format!("beyond the bars: {}", outside.join(", ")))
    }

    /// How many of `width` columns the bars take.
    fn width(&self, width: usize) -> usize {
        (width / self.counts.len()).max(1) * self.counts.len()
    }

    /// The bars as lines of block characters, from the top down. What is not empty can be seen.
    fn lines(&self, width: usize, height: usize) -> Vec<String> {
        let most = self.counts.iter().copied().max().unwrap_or(0).max(1) as f64;
        let columns = (width / self.counts.len()).max(1);
        let eighths = (height * 8) as f64;
        let levels: Vec<usize> = self
            .counts
            .iter()
            .map(|&count| {
                let level = (count as f64 / most * eighths).round() as usize;
                level.max(usize::from(count > 0))
            })
            .collect();
        (0..height)
            .rev()
            .map(|line| {
                let blocks = levels
                    .iter()
                    .map(|level| BLOCKS[level.saturating_sub(line * 8).min(8)]);
                let text: String = blocks
                    .flat_map(|block| std::iter::repeat_n(block, columns))
                    .collect();
                text.trim_end().to_owned()
            })
            .collect()
    }
}

/// Lays out `items` in lines of at most `width` columns, none of them torn.
pub(super) fn flow(
    items: impl IntoIterator<Item = String>,
    gap: &str,
    width: usize,
) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for item in items {
        match lines.last_mut() {
            Some(line) if line.chars().count() + gap.len() + item.chars().count() <= width => {
                line.push_str(gap);
                line.push_str(&item);
            }
            _ => lines.push(item),
        }
    }
    lines
}

/// A number with decimals down to a hundredth of `spread`, and no more than seven digits.
fn show_number(value: f64, spread: f64) -> String {
    if value.is_nan() {
        return "-".into();
    }
    let size = value.abs();
    let tiny = size > 0.0 && size < 1e-4 && (spread.is_nan() || spread < 1e-4);
    if size >= 1e7 || tiny {
        return format!("{value:.3e}");
    }
    let wanted = match spread {
        spread if spread.is_finite() => 2.0 - spread.log10().floor(),
        // All the same: as it is written, without what changing its unit did to the last digits.
        _ => {
            let rounded: f64 = format!("{value:.14e}").parse().unwrap_or(value);
            return rounded.to_string();
        }
    };
    let whole_digits = size.max(1.0).log10().floor() + 1.0;
    let decimals = wanted.min(7.0 - whole_digits).max(0.0) as usize;
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(digits) if !digits.contains(|c: char| c.is_ascii_digit() && c != '0') => {
            digits.to_owned()
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_those_of_numpy() {
        let draws: Vec<f64> = (1..=10).map(f64::from).collect();
        let whole = Statistics::of(&draws);
        let mut parts = Statistics::default();
        for part in draws.chunks(3) {
            parts.add(part);
        }
        parts.finish();
        for statistics in [whole, parts] {
            assert_eq!((statistics.min, statistics.max), (1.0, 10.0));
            assert!((statistics.mean - 5.5).abs() < 1e-12);
            assert!((statistics.std_dev() - 3.027_650_354_097_491).abs() < 1e-12);
            assert!((statistics.quantile(0.05) - 1.45).abs() < 1e-12);
            assert!((statistics.quantile(0.5) - 5.5).abs() < 1e-12);
            assert!((statistics.quantile(0.95) - 9.55).abs() < 1e-12);
        }
    }

    #[test]
    fn equal_draws_have_no_spread() {
        let mut statistics = Statistics::default();
        statistics.add(&[52_428_800.1; 700]);
        statistics.add(&[52_428_800.1; 300]);
        statistics.finish();
        let unit = Unit {
            name: "Mbit/s",
            size: 1e6,
        };
        let value = "52.4288001";
        let expected = [value, "0", value, value, value, value, value];
        assert_eq!(statistics.figures(unit), expected);
        statistics.add(&[52_428_801.1]);
        assert!(statistics.std_dev() > 0.0);
    }

    #[test]
    fn no_draw_breaks_it() {
        for draws in [
            &[][..],
            &[f64::NAN],
            &[f64::INFINITY, f64::NEG_INFINITY],
            &[1.0],
            &[0.0, -0.0],
            &[f64::MAX, f64::MIN, 0.0],
            &[1e-300, 2e-300],
            &[1.0, 1.0 + f64::EPSILON],
        ] {
            for width in [0, 1, 30, 100] {
                for line in panel(draws, width, 4) {
                    assert!(line.chars().count() <= width.max(90), "{line}");
                }
            }
        }
        let mixed = Statistics::of(&[1.0, f64::NAN, 3.0, f64::INFINITY]);
        assert_eq!((mixed.count, mixed.not_finite, mixed.mean), (2, 2, 2.0));
        assert_eq!(
            mixed.notes(),
            ["2 of 4 draws are infinite or no number and left out"]
        );
    }

    #[test]
    fn memory_is_bounded() {
        let block = [1.0, 2.0];
        let mut statistics = Statistics::default();
        for _ in 0..KEPT_MAX {
            statistics.add(&block);
        }
        statistics.finish();
        assert_eq!(statistics.kept.len(), KEPT_MAX);
        assert_eq!(statistics.count, 2 * KEPT_MAX as u64);
        assert_eq!(
            statistics.notes(),
            ["percentiles and bars are those of the first 1,000,000 draws"]
        );
    }

    #[test]
    fn each_whole_number_has_its_bar() {
        let draws: Vec<f64> = (0..100).map(|n| f64::from(n % 5)).collect();
        let bars = Bars::of(&Statistics::of(&draws), 12);
        assert_eq!((bars.low, bars.high), (-0.5, 4.5));
        assert_eq!(bars.counts, [20; 5]);
        let bars = Bars::of(&Statistics::of(&draws), 3);
        assert_eq!(bars.counts, [40, 40, 20]);
    }

    #[test]
    fn far_tails_are_left_out_and_counted() {
        let mut draws: Vec<f64> = (0..1000).map(|n| f64::from(n) / 1000.0 + 0.0001).collect();
        draws.push(1e9);
        let bars = Bars::of(&Statistics::of(&draws), 10);
        assert!(bars.high < 1.0 && bars.low == 0.0001, "{bars:?}");
        assert_eq!(bars.below, 0);
        let inside: u64 = bars.counts.iter().sum();
        assert_eq!(inside + bars.above, 1001);
        assert_eq!(
            bars.note(),
            Some(format!("beyond the bars: {} above", bars.above))
        );
    }

    #[test]
    fn a_panel_reads_well() {
        let draws: Vec<f64> = (1..=4_u8)
            .flat_map(|n| std::iter::repeat_n(f64::from(n), n.into()))
            .collect();
        let unit = Unit {
            name: "ms",
            size: 1.0,
        };
        assert_eq!(
            Statistics::of(&draws).panel(unit, 32, 2),
            [
                "                ▄▄▄▄▄▄▄▄████████",
                "▄▄▄▄▄▄▄▄████████████████████████",
                "────────────────────────────────",
                "0.50                     4.50 ms",
                "mean 3.00   sd 1.05   min 1.00",
                "5 % 1.45   50 % 3.00   95 % 4.00",
                "max 4.00",
            ]
        );
    }

    #[test]
    fn numbers_have_the_decimals_that_the_spread_asks_for() {
        let shown = [
            (12.0345, 6.6, "12.03"),
            (156.00912, 0.3, "156.009"),
            (52.43, 34.0, "52.4"),
            (4321.5, 2000.0, "4322"),
            (-0.0001, 1.0, "0.00"),
            (123_456_789.0, 1.0, "1.235e8"),
            (0.000_012_3, 1e-6, "1.230e-5"),
            (12.5, f64::INFINITY, "12.5"),
            (f64::NAN, 1.0, "-"),
        ];
        for (value, spread, text) in shown {
            assert_eq!(show_number(value, spread), text);
        }
    }
}
