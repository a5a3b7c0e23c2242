//! Latencies of single links, which a graph file gives in place of their locations' law.

use crate::distribution::Distribution;
use crate::peer::PeerIndex;

/// The laws of some links. They are found under the link's lower end, by its higher one.
#[derive(Clone, Debug, Default)]
pub struct LinkLatencies {
    laws: Vec<Distribution>,
    /// `starts[a]..starts[a + 1]` are the links of which `a` is the lower end.
    starts: Vec<u32>,
    /// The higher ends, ascending within a lower one.
    ends: Vec<u32>,
    /// Places in `laws`.
    of: Vec<u32>,
}

impl LinkLatencies {
    /// The laws of links between `peers` peers: of each its ends, the lower first, and the place of
    /// its law in `laws`; in ascending order, each link once.
    ///
    /// # Panics
    /// When a place is not below `peers`, or links are not in order.
    pub fn new(peers: usize, laws: Vec<Distribution>, links: &[((u32, u32), u32)]) -> Self {
        assert!(
            links.is_sorted_by(|a, b| a.0 < b.0),
            "links come in ascending order"
        );
        let mut starts = vec![0_u32; peers + 1];
        for &((lower, _), _) in links {
            starts[lower as usize + 1] += 1;
        }
        for place in 0..peers {
            starts[place + 1] += starts[place];
        }
        LinkLatencies {
            laws,
            starts,
            ends: links.iter().map(|&((_, higher), _)| higher).collect(),
            of: links.iter().map(|&(_, law)| law).collect(),
        }
    }

    /// The law of the link between two peers, in ms, in either direction.
    #[inline]
    pub fn get(&self, a: PeerIndex, b: PeerIndex) -> Option<&Distribution> {
        let (lower, higher) = (a.min(b), a.max(b));
        let from = self.starts[lower.as_usize()] as usize;
        let to = self.starts[lower.as_usize() + 1] as usize;
        let place = self.ends[from..to].binary_search(&higher.0).ok()?;
        Some(&self.laws[self.of[from + place] as usize])
    }

    /// All laws, each once.
    pub fn laws(&self) -> &[Distribution] {
        &self.laws
    }

    /// How many links have a law of their own.
    pub fn len(&self) -> usize {
        self.of.len()
    }

    /// Whether no link has.
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_from_both_ends() {
        let laws = [3.0, 5.0].map(Distribution::constant).to_vec();
        let links = [((0, 2), 1), ((1, 2), 0), ((1, 3), 1)];
        let table = LinkLatencies::new(4, laws, &links);
        let get = |a, b| table.get(PeerIndex(a), PeerIndex(b))?.as_constant();
        assert_eq!((get(0, 2), get(2, 0)), (Some(5.0), Some(5.0)));
        assert_eq!((get(2, 1), get(1, 3)), (Some(3.0), Some(5.0)));
        assert_eq!((get(0, 1), get(3, 2), get(3, 3)), (None, None, None));
        assert_eq!(table.len(), 3);
    }
}
