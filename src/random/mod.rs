//! Random streams: one generator for each (seed, peer, purpose), so that no draw depends on
//! what another peer does, nor on which thread runs it.

mod ziggurat;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};
use smallvec::SmallVec;

pub use ziggurat::{Ziggurat, standard_exponential, standard_normal};

/// What a stream's draws are for. The numbers are frozen: changing one changes results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Delays of the messages that a peer sends.
    Latency = 1,
    /// Where a peer is.
    Location = 2,
    /// A peer's upload bandwidth.
    Upload = 3,
    /// A peer's download bandwidth.
    Download = 4,
    /// When a peer joins.
    Join = 5,
    /// Which bootstrap peer a peer dials first.
    Bootstrap = 6,
    /// The generated graph (not a peer's).
    Graph = 7,
    /// Which peer is of which type (not a peer's).
    Types = 8,
    /// Draws shown by `p2psim sample`.
    Sample = 9,
    /// Which of a peer's messages the network loses.
    Loss = 20,
    /// Which of a peer's messages the network delivers twice, and what becomes of the copies.
    Duplication = 21,
    /// Which peers are on which side of a partition (not a peer's).
    Partition = 22,
    /// Whom a peer attached to a graph is linked to.
    Attach = 23,
    /// Where the peers of a drawing begin (not a peer's).
    Layout = 64,
    /// Draws of a peer's first service; its further services follow.
    Service = 256,
}

/// A reproducible stream of random draws.
///
/// The generator is Xoshiro256++, seeded through a frozen hash of (seed, peer, purpose).
///
/// ```
/// use p2psim::random::{Purpose, Stream};
/// let mut a = Stream::new(1, 7, Purpose::Latency);
/// let mut b = Stream::new(1, 7, Purpose::Latency);
/// assert_eq!(a.next_u64(), b.next_u64());
/// ```
#[derive(Clone, Debug)]
pub struct Stream(Xoshiro256PlusPlus);

impl Stream {
    /// The stream of a peer (by its id, so that it does not depend on who else takes part) for
    /// a purpose.
    pub fn new(seed: u64, peer: u64, purpose: Purpose) -> Self {
        Self::keyed(seed, peer, purpose as u64)
    }

    /// The stream of a peer's `slot`-th service.
    pub fn service(seed: u64, peer: u64, slot: usize) -> Self {
        Self::keyed(seed, peer, Purpose::Service as u64 + slot as u64)
    }

    /// A stream that belongs to the whole run.
    pub fn global(seed: u64, purpose: Purpose) -> Self {
        Self::keyed(seed, u64::MAX, purpose as u64)
    }

    fn keyed(seed: u64, peer: u64, purpose: u64) -> Self {
        let key = mix(mix(mix(seed) ^ peer) ^ purpose);
        Stream(Xoshiro256PlusPlus::seed_from_u64(key))
    }

    /// 64 uniform bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number in [0, 1), a multiple of 2^-53.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as i64 as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// A number in (0, 1): the middle of one of 2^53 equal cells of the unit interval.
    #[inline]
    pub fn open_unit(&mut self) -> f64 {
        ((self.next_u64() >> 12) as i64 as f64 + 0.5) * (1.0 / (1u64 << 52) as f64)
    }

    /// A whole number in `0..bound`, each equally likely (Lemire 2019, arXiv:1805.10941).
    /// `bound` must not be zero.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        debug_assert!(bound > 0, "there is no number below zero");
        let mut product = u128::from(self.next_u64()) * u128::from(bound);
        if (product as u64) < bound {
            let threshold = bound.wrapping_neg() % bound;
            while (product as u64) < threshold {
                product = u128::from(self.next_u64()) * u128::from(bound);
            }
        }
        (product >> 64) as u64
    }

    /// Puts `items` in random order (Fisher-Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        let all = items.len();
        self.choose_front(items, all);
    }

    /// Brings `count` random items, in random order, to the front of `items` and returns them;
    /// all of them if there are fewer.
    pub fn choose_front<'a, T>(&mut self, items: &'a mut [T], count: usize) -> &'a mut [T] {
        let count = count.min(items.len());
        for place in 0..count {
            let other = place + self.below((items.len() - place) as u64) as usize;
            items.swap(place, other);
        }
        &mut items[..count]
    }

    /// Where those of `all` items stand that [`Stream::choose_front`] would bring to the front, in
    /// that order. Of few it costs as much however many items there are.
    pub fn choose_places(&mut self, all: usize, count: usize) -> SmallVec<[usize; 8]> {
        let count = count.min(all);
        if count > 8 {
            let mut places: Vec<usize> = (0..all).collect();
            return SmallVec::from_slice(self.choose_front(&mut places, count));
        }
        // What stands where something else did, and is not at the front.
        let mut moved: SmallVec<[(usize, usize); 8]> = SmallVec::new();
        let at = |moved: &[(usize, usize)], place| {
            let latest = moved.iter().rev().find(|(to, _)| *to == place);
            latest.map_or(place, |&(_, item)| item)
        };
        (0..count)
            .map(|place| {
                let other = place + self.below((all - place) as u64) as usize;
                let chosen = at(&moved, other);
                moved.push((other, at(&moved, place)));
                chosen
            })
            .collect()
    }
}

/// The output function of SplitMix64 (Steele, Lea, Flood 2014) over the incremented state: a
/// bijection of 64 bits in which every input bit reaches every output bit.
#[inline]
pub fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl rand::rand_core::TryRng for Stream {
    type Error = std::convert::Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok((self.next_u64() >> 32) as u32)
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(self.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.0.try_fill_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_frozen() {
        let mut stream = Stream::new(1, 7, Purpose::Latency);
        let first: Vec<u64> = (0..3).map(|_| stream.next_u64()).collect();
        assert_eq!(first, GOLDEN_STREAM);
        let mut stream = Stream::service(1, 7, 0);
        assert_eq!([stream.below(100), stream.below(100)], GOLDEN_BELOW);
        assert_eq!(
            mix(0),
            0xe220_a839_7b1d_cdaf,
            "SplitMix64's first output for seed 0"
        );
    }

    const GOLDEN_STREAM: [u64; 3] = [
        8_238_391_531_097_585_360,
        2_385_105_459_543_050_168,
        14_004_890_687_853_633_597,
    ];
    const GOLDEN_BELOW: [u64; 2] = [75, 51];

    #[test]
    fn streams_differ_by_seed_peer_and_purpose() {
        let first = |seed, peer, purpose| Stream::new(seed, peer, purpose).next_u64();
        let mut seen = vec![
            first(1, 1, Purpose::Latency),
            first(2, 1, Purpose::Latency),
            first(1, 2, Purpose::Latency),
            first(1, 1, Purpose::Join),
            Stream::global(1, Purpose::Latency).next_u64(),
            Stream::service(1, 1, 0).next_u64(),
            Stream::service(1, 1, 1).next_u64(),
        ];
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 7);
    }

    #[test]
    fn numbers_below_a_bound_are_equally_likely() {
        let mut stream = Stream::global(1, Purpose::Sample);
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[stream.below(7) as usize] += 1;
        }
        // Six standard deviations of a count are about 560.
        assert!(
            counts.iter().all(|&count| count.abs_diff(10_000) < 560),
            "{counts:?}"
        );
        assert_eq!(stream.below(1), 0);
        for _ in 0..1000 {
            let u = stream.open_unit();
            assert!(u > 0.0 && u < 1.0 && stream.unit() < 1.0);
        }
    }

    #[test]
    fn places_are_those_of_what_comes_to_the_front() {
        for (all, count) in [(1, 1), (3, 2), (5, 5), (9, 12), (20, 8), (20, 9), (1000, 3)] {
            for seed in 0..50 {
                let [mut one, mut other] = [0; 2].map(|_| Stream::global(seed, Purpose::Sample));
                let mut items: Vec<usize> = (0..all).collect();
                let front = one.choose_front(&mut items, count).to_vec();
                assert_eq!(*other.choose_places(all, count), front);
                assert_eq!(one.below(1 << 40), other.below(1 << 40));
            }
        }
    }

    #[test]
    fn choosing_takes_each_item_once() {
        let mut stream = Stream::global(1, Purpose::Sample);
        let mut items: Vec<u32> = (0..10).collect();
        let mut chosen = stream.choose_front(&mut items, 4).to_vec();
        chosen.sort_unstable();
        chosen.dedup();
        assert_eq!(chosen.len(), 4);
        stream.shuffle(&mut items);
        items.sort_unstable();
        assert_eq!(items, (0..10).collect::<Vec<u32>>());
        assert_eq!(stream.choose_front(&mut [1, 2], 5).len(), 2);
    }
}
