//! What several generators draw: trials with rare successes, distinct numbers, pairs of peers.

use super::spec::Links;
use crate::random::{Stream, Ziggurat, standard_exponential};

/// Independent trials that succeed with the same probability, by the number of failures before
/// each success (a geometric law; Batagelj, Brandes 2005).
pub(super) struct Trials {
    /// -ln(1 - p).
    rate: f64,
    tables: &'static Ziggurat,
}

impl Trials {
    pub(super) fn new(p: f64) -> Self {
        Trials {
            rate: -libm::log1p(-p),
            tables: Ziggurat::exponential(),
        }
    }

    /// How many trials fail before the next success; the largest number where none succeeds.
    #[inline]
    pub(super) fn failures(&self, stream: &mut Stream) -> u64 {
        if self.rate <= 0.0 {
            return u64::MAX;
        }
        (standard_exponential(self.tables, stream) / self.rate) as u64
    }

    /// Calls `found` with each of `count` trials that succeeds.
    pub(super) fn successes(
        &self,
        count: u64,
        stream: &mut Stream,
        mut found: impl FnMut(u64, &mut Stream),
    ) {
        let mut next = self.failures(stream);
        while next < count {
            found(next, stream);
            next = next.saturating_add(1).saturating_add(self.failures(stream));
        }
    }
}

pub(super) fn exponential(stream: &mut Stream) -> f64 {
    standard_exponential(Ziggurat::exponential(), stream)
}

/// Whether something of probability `p` happens.
#[inline]
pub(super) fn chance(p: f64, stream: &mut Stream) -> bool {
    stream.unit() < p
}

/// One of the items, each equally likely. There must be one.
#[inline]
pub(super) fn choose<T: Copy>(items: &[T], stream: &mut Stream) -> T {
    items[stream.below(items.len() as u64) as usize]
}

/// `count` different numbers below `bound`, ascending; every set of them is equally likely.
/// `count` must be at most `bound`.
pub(super) fn distinct(bound: u64, count: usize, stream: &mut Stream) -> Vec<u64> {
    debug_assert!(count as u64 <= bound, "not so many numbers");
    if count as u64 > bound / 2 {
        let absent = distinct(bound, (bound - count as u64) as usize, stream);
        let mut absent = absent.into_iter().peekable();
        return (0..bound)
            .filter(|number| absent.next_if_eq(number).is_none())
            .collect();
    }
    // As many draws as are missing never make too many.
    let mut numbers: Vec<u64> = Vec::with_capacity(count);
    while numbers.len() < count {
        numbers.extend((numbers.len()..count).map(|_| stream.below(bound)));
        numbers.sort_unstable();
        numbers.dedup();
    }
    numbers
}

/// The first `count` different peers drawn from `weighted`, in which each stands as often as its
/// weight, are put in `chosen`. So many different ones must be there.
#[inline]
pub(super) fn distinct_weighted(
    weighted: &[u32],
    count: usize,
    chosen: &mut Vec<u32>,
    stream: &mut Stream,
) {
    chosen.clear();
    while chosen.len() < count {
        let peer = choose(weighted, stream);
        if !chosen.contains(&peer) {
            chosen.push(peer);
        }
    }
}

/// Links all pairs among the peers from `first` to before `end`.
pub(super) fn link_all(links: &mut Links, first: u32, end: u32) {
    for a in first..end {
        links.extend((a + 1..end).map(|b| (a, b)));
    }
}

/// Neighbours as lists, for generators that ask for and move links.
#[derive(Clone, Default)]
pub(super) struct Adjacency {
    pub(super) of: Vec<Vec<u32>>,
    pub(super) links: usize,
}

impl Adjacency {
    pub(super) fn new(peers: usize) -> Self {
        Adjacency {
            of: vec![Vec::new(); peers],
            links: 0,
        }
    }

    pub(super) fn degree(&self, peer: u32) -> usize {
        self.of[peer as usize].len()
    }

    pub(super) fn linked(&self, a: u32, b: u32) -> bool {
        let (a_of, b_of) = (&self.of[a as usize], &self.of[b as usize]);
        if a_of.len() <= b_of.len() {
            a_of.contains(&b)
        } else {
            b_of.contains(&a)
        }
    }

    /// Links two peers that are not linked yet.
    pub(super) fn link(&mut self, a: u32, b: u32) {
        self.of[a as usize].push(b);
        self.of[b as usize].push(a);
        self.links += 1;
    }

    pub(super) fn unlink(&mut self, a: u32, b: u32) {
        self.of[a as usize].retain(|&other| other != b);
        self.of[b as usize].retain(|&other| other != a);
        self.links -= 1;
    }

    pub(super) fn into_links(self) -> Links {
        let mut links = Vec::with_capacity(self.links);
        for (peer, others) in self.of.iter().enumerate() {
            let peer = peer as u32;
            links.extend(
                others
                    .iter()
                    .filter(|&&other| other > peer)
                    .map(|&other| (peer, other)),
            );
        }
        links
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    #[test]
    fn distinct_numbers_are_distinct_and_in_range() {
        let mut stream = Stream::global(1, Purpose::Graph);
        for (bound, count) in [(1, 0), (1, 1), (10, 3), (10, 9), (10, 10), (1000, 500)] {
            let numbers = distinct(bound, count, &mut stream);
            assert_eq!(numbers.len(), count);
            assert!(numbers.is_sorted_by(|a, b| a < b) && numbers.iter().all(|&n| n < bound));
        }
    }

    #[test]
    fn trials_succeed_as_often_as_they_should() {
        let mut stream = Stream::global(1, Purpose::Graph);
        for p in [0.0, 1e-12, 0.001, 0.5, 0.99, 1.0] {
            let count = 1_000_000;
            let mut found = 0_u64;
            Trials::new(p).successes(count, &mut stream, |_, _| found += 1);
            let mean = count as f64 * p;
            let sd = (mean * (1.0 - p)).sqrt();
            assert!((found as f64 - mean).abs() <= 5.0 * sd, "{p}: {found}");
        }
    }
}
