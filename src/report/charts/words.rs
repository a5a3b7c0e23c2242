//! Figures and sentences that charts share.

use std::collections::BTreeMap;

use super::past_run::PastRun;
use crate::report::summary::digits;
use crate::units::show_count;

/// From this on, times are in seconds.
pub(super) const SECONDS_FROM_MS: f64 = 10_000.0;
/// How many times the middle an axis may go on before it is logarithmic.
const CORNER: f64 = 20.0;

/// A time as people read it: `12.3 ms`, `39.6 s`.
pub(in crate::report) fn ms(value: f64) -> String {
    match value >= SECONDS_FROM_MS {
        true => format!("{} s", digits(value / 1000.0, 3)),
        false => format!("{} ms", digits(value, 3)),
    }
}

/// Whether values around `middle` would all stand in a corner of an axis that goes to `last`.
pub(super) fn many_sizes(middle: f64, last: f64) -> bool {
    middle > 0.0 && last > CORNER * middle
}

/// A share as people read it: `99.2 %`; never rounded up to all.
pub(in crate::report) fn per_cent(share: f64) -> String {
    let share = if share < 1.0 {
        share.min(0.9999)
    } else {
        share
    };
    format!("{} %", digits(100.0 * share, 4))
}

/// `1 peer`, `1,234 peers`.
pub(super) fn many(count: u64, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{} {what}s", show_count(count)),
    }
}

/// Text with a capital at its start and a full stop at its end.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        None => String::new(),
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
    }
}

/// What a series is called: with the run's name if there are several.
pub(super) fn named(runs: &[PastRun], run: &PastRun, what: &str) -> String {
    match runs.len() {
        1 => what.to_owned(),
        _ => format!("{}: {what}", run.label),
    }
}

/// The value below which the share `p` of ascending values lies, between two of them linearly;
/// 0 without any.
pub(super) fn quantile(sorted: &[f64], p: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return 0.0;
    };
    let at = p * last as f64;
    let (low, high) = (sorted[at as usize], sorted[at.ceil() as usize]);
    low + (high - low) * at.fract()
}

/// Equal bins of whole numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bins {
    first: u64,
    width: u64,
    count: u64,
}

impl Bins {
    /// At most `bins_max` bins for all of these counts by number.
    pub fn of<'a>(
        counts: impl Iterator<Item = &'a BTreeMap<u64, u64>> + Clone,
        bins_max: usize,
    ) -> Self {
        let numbers = || counts.clone().flat_map(BTreeMap::keys).copied();
        let (Some(first), Some(last)) = (numbers().min(), numbers().max()) else {
            return Bins {
                first: 0,
                width: 1,
                count: 0,
            };
        };
        let width = (last - first).saturating_add(1).div_ceil(bins_max as u64);
        // Wider ones begin at multiples of their width: 0-4, 5-9.
        let first = first / width * width;
        Bins {
            first,
            width,
            count: (last - first) / width + 1,
        }
    }

    /// `3`, or `10–14`.
    pub fn names(&self) -> Vec<String> {
        let name = |bin: u64| {
            let first = self.first + bin * self.width;
            match self.width {
                1 => first.to_string(),
                width => format!("{first}–{}", first.saturating_add(width - 1)),
            }
        };
        (0..self.count).map(name).collect()
    }

    /// How many are in each bin.
    pub fn counts(&self, counts: &BTreeMap<u64, u64>) -> Vec<f64> {
        let mut bins = vec![0.0; self.count as usize];
        for (number, &count) in counts {
            bins[((number - self.first) / self.width) as usize] += count as f64;
        }
        bins
    }

    /// Which share of all is in each bin, in per cent.
    pub fn shares(&self, counts: &BTreeMap<u64, u64>) -> Vec<f64> {
        let all: u64 = counts.values().sum();
        let bins = self.counts(counts).into_iter();
        bins.map(|count| 100.0 * count / (all as f64).max(1.0))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_equal_and_hold_all() {
        let few = BTreeMap::from([(3, 2), (5, 1)]);
        let bins = Bins::of([&few].into_iter(), 10);
        assert_eq!(bins.names(), ["3", "4", "5"]);
        assert_eq!(bins.counts(&few), [2.0, 0.0, 1.0]);
        let wide = BTreeMap::from([(3, 2), (47, 1)]);
        let bins = Bins::of([&wide].into_iter(), 10);
        assert_eq!(bins.names()[..2], ["0–4", "5–9"]);
        assert_eq!(bins.counts(&wide).iter().sum::<f64>(), 3.0);
        assert!((bins.shares(&wide)[0] - 200.0 / 3.0).abs() < 1e-9);
        assert!(Bins::of([].into_iter(), 10).names().is_empty());
    }

    #[test]
    fn words_are_those_of_people() {
        assert_eq!(ms(0.0123), "0.01 ms");
        assert_eq!(ms(39_646.0), "39.6 s");
        assert!(many_sizes(10.0, 1000.0) && !many_sizes(10.0, 100.0));
        assert!(!many_sizes(0.0, 1.0));
        assert_eq!(per_cent(0.99999), "99.99 %");
        assert_eq!(per_cent(1.0), "100 %");
        assert_eq!(many(1, "peer"), "1 peer");
        assert_eq!(many(1234, "peer"), "1,234 peers");
        assert_eq!(sentence("half of it"), "Half of it.");
        assert_eq!(quantile(&[1.0, 2.0], 0.5), 1.5);
    }
}
