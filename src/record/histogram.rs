//! A histogram of whole numbers in classes of constant relative width and fixed memory.

/// Classes within a factor of two: their relative width is at most 1 / 1024, about 0.1 %.
const BITS: u32 = 10;

/// Counts of whole numbers. Below 2048 every number is a class of its own; above, each power of
/// two is cut into 1024 classes of equal width (the log-linear layout of HdrHistogram). Whatever
/// is counted, it takes at most 440 KB.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
    sum: u128,
    max: u64,
}

/// The class of a value, where `1 << bits` of them are within a factor of two.
#[inline]
pub(super) const fn class(value: u64, bits: u32) -> usize {
    let shift = (u64::BITS - value.leading_zeros()).saturating_sub(bits + 1);
    ((shift as usize) << bits) + (value >> shift) as usize
}

/// The largest value of a class.
pub(super) const fn class_max(class: usize, bits: u32) -> u64 {
    let shift = (class >> bits).saturating_sub(1) as u32;
    let place = (class - ((shift as usize) << bits)) as u64;
    (place << shift) | ((1 << shift) - 1)
}

impl Histogram {
    /// Counts a value.
    #[inline]
    pub fn add(&mut self, value: u64) {
        let class = class(value, BITS);
        if class >= self.counts.len() {
            self.counts.resize(class + 1, 0);
        }
        self.counts[class] += 1;
        self.total += 1;
        self.sum += u128::from(value);
        self.max = self.max.max(value);
    }

    /// Counts all that another has counted, too.
    pub(super) fn absorb(&mut self, other: &Histogram) {
        if other.counts.len() > self.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.total += other.total;
        self.sum += other.sum;
        self.max = self.max.max(other.max);
    }

    /// How many values were counted.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The largest value, exactly; 0 if there is none.
    pub fn max(&self) -> u64 {
        self.max
    }

    /// The mean of all values, exactly but for rounding; 0 if there is none.
    pub fn mean(&self) -> f64 {
        self.sum as f64 / self.total.max(1) as f64
    }

    /// The `rank`-th value from below, counted from 1: never less than it, and at most 1 / 1024
    /// more; `None` if there are fewer.
    pub fn value_at(&self, rank: u64) -> Option<u64> {
        let mut sum = 0;
        let place = self.counts.iter().position(|count| {
            sum += count;
            sum >= rank
        })?;
        Some(class_max(place, BITS).min(self.max))
    }

    /// How many values are in the class of `value` or below.
    pub fn at_most(&self, value: u64) -> u64 {
        let end = (class(value, BITS) + 1).min(self.counts.len());
        self.counts[..end].iter().sum()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn class(value: u64) -> usize {
        super::class(value, BITS)
    }

    fn class_max(class: usize) -> u64 {
        super::class_max(class, BITS)
    }

    #[test]
    fn classes_follow_one_another_and_are_narrow() {
        let mut last = None;
        for power in 0..64 {
            for offset in [0_u64, 1, 2, 3, 1000, 4095] {
                let value = (1_u64 << power).saturating_add(offset);
                let highest = class_max(class(value));
                assert!(
                    highest >= value && highest - value <= value / 1024,
                    "{value}"
                );
                assert_eq!(class(highest), class(value));
                if highest < u64::MAX {
                    assert_eq!(class(highest + 1), class(value) + 1, "{value}");
                }
                last = last.max(Some(class(value)));
            }
        }
        assert_eq!(class_max(class(u64::MAX)), u64::MAX);
        assert!((class(u64::MAX) + 1) * 8 <= 440 << 10);
        assert!(last.unwrap() <= class(u64::MAX));
    }

    #[test]
    fn ranks_are_those_of_the_sorted_values() {
        let mut values: Vec<u64> = (0..5_000).map(|n: u64| n * n * 37 % 900_001).collect();
        let mut histogram = Histogram::default();
        for &value in &values {
            histogram.add(value);
        }
        values.sort_unstable();
        for rank in [1, 2, 2_500, 4_950, 5_000] {
            let (exact, found) = (values[rank as usize - 1], histogram.value_at(rank).unwrap());
            assert!(found >= exact && found - exact <= exact / 1024, "{rank}");
        }
        assert_eq!(histogram.value_at(5_000), values.last().copied());
        assert_eq!(histogram.value_at(5_001), None);
        assert_eq!(histogram.at_most(u64::MAX), 5_000);
        assert_eq!(
            histogram.at_most(0),
            values.iter().filter(|&&v| v == 0).count() as u64
        );
        let mean = values.iter().sum::<u64>() as f64 / 5_000.0;
        assert!((histogram.mean() - mean).abs() < 1e-9 * mean);
    }
}
