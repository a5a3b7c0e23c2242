//! Graphs of peers: the compact graph itself, generators under networkx's names, and files.

mod attach;
pub mod attributes;
pub mod files;
pub mod generators;
pub mod statistics;

pub use attach::{Attachment, attach};

use petgraph::unionfind::UnionFind;

use crate::peer::PeerId;

/// An undirected graph without self-loops or parallel links, stored once and compactly.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    ids: Vec<PeerId>,
    /// `starts[i]..starts[i + 1]` are the neighbours of peer `i` in `neighbours`.
    starts: Vec<u64>,
    /// Ascending within a peer.
    neighbours: Vec<u32>,
}

/// What was left out of a graph when it was built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Links of a peer to itself.
    pub self_loops: u64,
    /// Links that were there already.
    pub duplicates: u64,
}

impl Graph {
    /// The graph of the peers `ids` (any order, repetitions allowed) and the links between them.
    /// Peers are ordered by ascending id.
    ///
    /// # Panics
    /// When an end of a link is not in `ids`.
    pub fn new(mut ids: Vec<PeerId>, links: &[(PeerId, PeerId)]) -> (Self, Dropped) {
        ids.sort_unstable();
        ids.dedup();
        let place = |id: &PeerId| match ids.binary_search(id) {
            Ok(place) => place as u32,
            Err(_) => panic!("peer {id} of a link is not among the peers"),
        };
        let links: Vec<(u32, u32)> = links.iter().map(|(a, b)| (place(a), place(b))).collect();
        Self::build(ids, links.iter().copied())
    }

    /// The graph of the peers 0 to `peers` - 1 and the links between them.
    ///
    /// # Panics
    /// When an end of a link is not below `peers`.
    pub fn numbered(peers: u32, links: &[(u32, u32)]) -> (Self, Dropped) {
        Self::numbered_from(peers, links.iter().copied())
    }

    /// As [`Graph::numbered`], of links wherever they are; it goes through them twice.
    ///
    /// # Panics
    /// When an end of a link is not below `peers`.
    pub fn numbered_from(
        peers: u32,
        links: impl Iterator<Item = (u32, u32)> + Clone,
    ) -> (Self, Dropped) {
        Self::build((0..u64::from(peers)).map(PeerId).collect(), links)
    }

    /// Sorts links by counting: once to know how many each peer has, once to put them there.
    fn build(ids: Vec<PeerId>, links: impl Iterator<Item = (u32, u32)> + Clone) -> (Self, Dropped) {
        let mut dropped = Dropped::default();
        let mut starts = vec![0_u64; ids.len() + 1];
        for (a, b) in links.clone() {
            if a == b {
                dropped.self_loops += 1;
            } else {
                starts[a as usize + 1] += 1;
                starts[b as usize + 1] += 1;
            }
        }
        for place in 1..starts.len() {
            starts[place] += starts[place - 1];
        }
        let mut free = starts.clone();
        let mut neighbours = vec![0_u32; starts.last().map_or(0, |&end| end as usize)];
        for (a, b) in links.filter(|(a, b)| a != b) {
            for (from, to) in [(a, b), (b, a)] {
                neighbours[free[from as usize] as usize] = to;
                free[from as usize] += 1;
            }
        }
        // Sort each peer's, and close the gaps that repetitions leave.
        let mut end = 0;
        for peer in 0..ids.len() {
            let (from, to) = (starts[peer] as usize, starts[peer + 1] as usize);
            neighbours[from..to].sort_unstable();
            starts[peer] = end as u64;
            for place in from..to {
                let repeated = place > from && neighbours[place] == neighbours[place - 1];
                dropped.duplicates += u64::from(repeated);
                if !repeated {
                    neighbours[end] = neighbours[place];
                    end += 1;
                }
            }
        }
        if let Some(last) = starts.last_mut() {
            *last = end as u64;
        }
        neighbours.truncate(end);
        dropped.duplicates /= 2;
        let graph = Graph {
            ids,
            starts,
            neighbours,
        };
        (graph, dropped)
    }

    /// The peers' ids, ascending.
    pub fn ids(&self) -> &[PeerId] {
        &self.ids
    }

    /// How many peers there are.
    pub fn peers(&self) -> usize {
        self.ids.len()
    }

    /// How many links there are.
    pub fn links(&self) -> u64 {
        self.neighbours.len() as u64 / 2
    }

    /// The places of a peer's neighbours, ascending.
    pub fn neighbours(&self, peer: usize) -> &[u32] {
        &self.neighbours[self.starts[peer] as usize..self.starts[peer + 1] as usize]
    }

    /// Whether every peer can be reached from every other.
    pub fn is_connected(&self) -> bool {
        let mut parts = UnionFind::<u32>::new(self.peers());
        let joins = self.iter_links().filter(|&(a, b)| parts.union(a, b));
        joins.count() + 1 >= self.peers()
    }

    /// Every link once, as (lower place, higher place), ascending.
    pub fn iter_links(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        (0..self.peers()).flat_map(move |peer| {
            self.neighbours(peer)
                .iter()
                .filter(move |&&other| other as usize > peer)
                .map(move |&other| (peer as u32, other))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_without_loops_and_repetitions() {
        let ids = [7, 3, 5, 3].map(PeerId).to_vec();
        let links = [(7, 3), (3, 7), (5, 5), (3, 5), (7, 3)].map(|(a, b)| (PeerId(a), PeerId(b)));
        let (graph, dropped) = Graph::new(ids, &links);
        assert_eq!(graph.ids(), [3, 5, 7].map(PeerId));
        assert_eq!(graph.iter_links().collect::<Vec<_>>(), [(0, 1), (0, 2)]);
        assert_eq!((graph.peers(), graph.links()), (3, 2));
        assert_eq!(graph.neighbours(0), [1, 2]);
        assert_eq!(
            dropped,
            Dropped {
                self_loops: 1,
                duplicates: 2
            }
        );
    }

    #[test]
    fn peers_without_links_stay() {
        let (graph, dropped) = Graph::numbered(3, &[(2, 0)]);
        assert_eq!(graph.neighbours(1), [] as [u32; 0]);
        assert_eq!(graph.neighbours(2), [0]);
        assert_eq!(dropped, Dropped::default());
        assert_eq!(Graph::numbered(0, &[]).0.peers(), 0);
    }
}
