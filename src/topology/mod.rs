//! Graphs of peers: the compact graph itself, generators under networkx's names, and files.

pub mod generators;
pub mod links;

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
    /// The graph of the peers `ids` (any order, each once) and the links between them.
    /// Every end of a link must be in `ids`. Peers are ordered by ascending id.
    pub fn new(_ids: Vec<PeerId>, _links: &[(PeerId, PeerId)]) -> (Self, Dropped) {
        todo!("helper B")
    }

    /// The graph of the peers 0 to `peers` - 1 and the links between them.
    pub fn numbered(_peers: u32, _links: &[(u32, u32)]) -> (Self, Dropped) {
        todo!("helper B")
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
