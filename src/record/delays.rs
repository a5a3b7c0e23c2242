//! One-way delays of messages by pair of locations, counted in classes of bounded memory.

use super::histogram::{class, class_max};
use crate::peer::LocationIndex;
use crate::time::Time;

/// Classes within a factor of two, as a power of two: a class is at most 0.4 % wide, or 3 % where
/// there are more pairs than [`FINE_PAIRS_MAX`].
const FINE_BITS: u32 = 8;
const COARSE_BITS: u32 = 5;
/// Up to so many pairs, 2 KB for each factor of two between the delays of one are little.
const FINE_PAIRS_MAX: usize = 4096;

/// Whose latency a message paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DelayLaw {
    /// That of the locations of its ends.
    Locations,
    /// That of the link it crossed.
    Link,
}

impl DelayLaw {
    /// Both.
    pub const ALL: [DelayLaw; 2] = [DelayLaw::Locations, DelayLaw::Link];

    /// As output files name it.
    pub const fn key(self) -> &'static str {
        match self {
            DelayLaw::Locations => "locations",
            DelayLaw::Link => "link",
        }
    }
}

/// The one-way delays of all messages from one location to another by one kind of law.
#[derive(Clone, Debug)]
pub struct PairDelays {
    /// From the class `first` on.
    counts: Vec<u64>,
    first: usize,
    bits: u32,
    /// Nanoseconds, as all below; whole, so that the sum does not depend on the order of its terms.
    sum: u128,
    min: u64,
    at_min: u64,
    max: u64,
}

impl PairDelays {
    fn new(bits: u32) -> Self {
        PairDelays {
            counts: Vec::new(),
            first: 0,
            bits,
            sum: 0,
            min: u64::MAX,
            at_min: 0,
            max: 0,
        }
    }

    #[inline]
    fn add(&mut self, ns: u64) {
        let class = class(ns, self.bits);
        // A class before the first wraps around.
        match self.counts.get_mut(class.wrapping_sub(self.first)) {
            Some(count) => *count += 1,
            None => {
                self.widen(class, class);
                self.counts[class - self.first] += 1;
            }
        }
        self.sum += u128::from(ns);
        if ns <= self.min {
            self.at_min = if ns == self.min { self.at_min + 1 } else { 1 };
            self.min = ns;
        }
        self.max = self.max.max(ns);
    }

    /// Makes room for the classes from `low` to `high`, by whole factors of two.
    #[cold]
    fn widen(&mut self, low: usize, high: usize) {
        let block = 1 << self.bits;
        let (mut first, mut end) = (low / block * block, (high / block + 1) * block);
        if !self.counts.is_empty() {
            first = first.min(self.first);
            end = end.max(self.first + self.counts.len());
            self.counts
                .splice(0..0, std::iter::repeat_n(0, self.first - first));
        }
        self.first = first;
        self.counts.resize(end - first, 0);
    }

    fn absorb(&mut self, other: &PairDelays) {
        if other.counts.is_empty() {
            return;
        }
        self.widen(other.first, other.first + other.counts.len() - 1);
        let counts = &mut self.counts[other.first - self.first..];
        for (count, more) in counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.sum += other.sum;
        self.max = self.max.max(other.max);
        if other.min <= self.min {
            let equal = if other.min == self.min {
                self.at_min
            } else {
                0
            };
            (self.min, self.at_min) = (other.min, other.at_min + equal);
        }
    }

    /// How many messages there were.
    pub fn messages(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The mean delay in ms, exact but for rounding; 0 without any message.
    pub fn mean_ms(&self) -> f64 {
        self.sum as f64 / self.messages().max(1) as f64 / 1e6
    }

    /// The least delay; none without any message.
    pub fn min(&self) -> Option<Time> {
        (self.max >= self.min).then(|| Time::from_ns(self.min))
    }

    /// The largest delay; 0 without any message.
    pub fn max(&self) -> Time {
        Time::from_ns(self.max)
    }

    /// How many messages paid `floor`, below which there is no delay.
    pub fn at_floor(&self, floor: Time) -> u64 {
        match self.min == floor.as_ns() {
            true => self.at_min,
            false => 0,
        }
    }

    /// The delay of the `rank`-th message by delay, counted from 1: never less than it, and at
    /// most a class more; 0 if there are fewer.
    pub fn delay_at(&self, rank: u64) -> Time {
        let mut sum = 0;
        let found = self.classes().find(|&(_, _, count)| {
            sum += count;
            sum >= rank
        });
        let delay = found.map_or(0, |(_, end, _)| (end.as_ns() - 1).min(self.max));
        Time::from_ns(delay)
    }

    /// The classes that are not empty, ascending: from where, up to where (exclusive), and how
    /// many messages.
    pub fn classes(&self) -> impl Iterator<Item = (Time, Time, u64)> + '_ {
        let counts = self.counts.iter().enumerate();
        counts
            .filter(|&(_, &count)| count > 0)
            .map(|(place, &count)| {
                let class = self.first + place;
                let end = class_max(class, self.bits).saturating_add(1);
                let start = match class {
                    0 => 0,
                    _ => class_max(class - 1, self.bits) + 1,
                };
                (Time::from_ns(start), Time::from_ns(end), count)
            })
    }
}

/// The one-way delays of all messages, by pair of locations, if they are kept.
#[derive(Clone, Debug, Default)]
pub struct Delays {
    locations: usize,
    /// By sender's and receiver's location; then the same of links with a law of their own.
    /// Empty where delays are not kept.
    pairs: Vec<PairDelays>,
}

impl Delays {
    /// None yet, between so many locations; `links` says whether some have a law of their own.
    pub fn new(locations: usize, links: bool) -> Self {
        let laws = if links { 2 } else { 1 };
        let pairs = laws * locations * locations;
        let bits = match locations * locations <= FINE_PAIRS_MAX {
            true => FINE_BITS,
            false => COARSE_BITS,
        };
        Delays {
            locations,
            pairs: vec![PairDelays::new(bits); pairs],
        }
    }

    /// Whether delays are kept.
    #[inline]
    pub fn are_kept(&self) -> bool {
        !self.pairs.is_empty()
    }

    /// A message is delayed. Delays must be kept.
    #[inline]
    pub(crate) fn count(
        &mut self,
        (from, to): (LocationIndex, LocationIndex),
        law: DelayLaw,
        delay: Time,
    ) {
        let row = from.as_usize() + law as usize * self.locations;
        self.pairs[row * self.locations + to.as_usize()].add(delay.as_ns());
    }

    pub(super) fn absorb(&mut self, other: &Delays) {
        for (pair, more) in self.pairs.iter_mut().zip(&other.pairs) {
            pair.absorb(more);
        }
    }

    /// The delays of each pair between which there were messages, in order of law, sender's and
    /// receiver's location.
    pub fn pairs(
        &self,
    ) -> impl Iterator<Item = (LocationIndex, LocationIndex, DelayLaw, &PairDelays)> {
        let count = self.locations;
        let index = |place: usize| LocationIndex(place as u16);
        let pairs = self.pairs.iter().enumerate();
        pairs
            .filter(|(_, delays)| !delays.counts.is_empty())
            .map(move |(place, delays)| {
                let (row, to) = (place / count, place % count);
                let law = DelayLaw::ALL[row / count];
                (index(row % count), index(to), law, delays)
            })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const HERE: LocationIndex = LocationIndex(0);
    const THERE: LocationIndex = LocationIndex(1);

    #[test]
    fn figures_are_those_of_the_delays() {
        let mut delays = Delays::new(2, true);
        let mut values: Vec<u64> = (1..=1000_u64).map(|n| 5_000_000 + n * n * 7).collect();
        for &ns in &values {
            delays.count((HERE, THERE), DelayLaw::Locations, Time::from_ns(ns));
        }
        delays.count((THERE, THERE), DelayLaw::Link, Time::from_ns(9));
        let all: Vec<_> = delays.pairs().collect();
        assert_eq!(all.len(), 2);
        assert_eq!(
            (all[1].0, all[1].1, all[1].2),
            (THERE, THERE, DelayLaw::Link)
        );
        let pair = all[0].3;
        values.sort_unstable();
        let mean = values.iter().sum::<u64>() as f64 / 1000.0 / 1e6;
        assert!((pair.mean_ms() - mean).abs() < 1e-9);
        assert_eq!(pair.messages(), 1000);
        assert_eq!(pair.min(), Some(Time::from_ns(5_000_007)));
        assert_eq!(pair.max(), Time::from_ns(12_000_000));
        for rank in [1, 50, 500, 950, 1000] {
            let (exact, found) = (values[rank as usize - 1], pair.delay_at(rank).as_ns());
            assert!(found >= exact && found - exact <= exact / 256, "{rank}");
        }
        let mut last = Time::ZERO;
        for (start, end, count) in pair.classes() {
            assert!(start >= last && end > start);
            let within = |ns: &&u64| (start.as_ns()..end.as_ns()).contains(*ns);
            assert_eq!(count, values.iter().filter(within).count() as u64);
            last = end;
        }
    }

    #[test]
    fn parts_make_the_whole() {
        let delay = |n: u64| Time::from_ns(mixed(n) % 900_000 * (1 + n % 7) + 50_000);
        fn mixed(n: u64) -> u64 {
            crate::random::mix(n)
        }
        let mut whole = Delays::new(1, false);
        let mut parts = vec![Delays::new(1, false); 4];
        for n in 0..2000 {
            // One of the parts has nothing, some share the least.
            let delay = if n % 11 == 0 {
                Time::from_ns(50_000)
            } else {
                delay(n)
            };
            whole.count((HERE, HERE), DelayLaw::Locations, delay);
            parts[n as usize % 3].count((HERE, HERE), DelayLaw::Locations, delay);
        }
        let mut sum = Delays::new(1, false);
        for part in parts.iter().rev() {
            sum.absorb(part);
        }
        let (whole, sum) = (&whole.pairs[0], &sum.pairs[0]);
        assert!(whole.classes().eq(sum.classes()));
        assert_eq!(
            (whole.sum, whole.min, whole.max),
            (sum.sum, sum.min, sum.max)
        );
        let floor = Time::from_ns(50_000);
        assert_eq!(whole.at_floor(floor), 182);
        assert_eq!(sum.at_floor(floor), 182);
        assert_eq!(sum.at_floor(Time::from_ns(49_999)), 0);
    }

    #[test]
    fn nothing_is_kept_where_nothing_is_wanted() {
        assert!(!Delays::default().are_kept());
        assert_eq!(Delays::default().pairs().count(), 0);
        let empty = PairDelays::new(FINE_BITS);
        assert_eq!(
            (empty.min(), empty.max(), empty.mean_ms()),
            (None, Time::ZERO, 0.0)
        );
        let pairs_of = |locations| Delays::new(locations, false).pairs[0].bits;
        assert_eq!((pairs_of(64), pairs_of(65)), (FINE_BITS, COARSE_BITS));
    }
}
