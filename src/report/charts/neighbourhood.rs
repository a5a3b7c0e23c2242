//! A part of a topology that is too large to be drawn: the peers that are nearest to one of them.

use std::collections::BTreeSet;

use super::words::many;
use crate::random::{Purpose, Stream};
use crate::topology::Graph;
use crate::units::show_count;

/// So many peers and links can still be told apart.
const PEERS_MAX: usize = 2_000;
const LINKS_MAX: usize = 20_000;

/// Some peers of a topology and how they were chosen.
#[derive(Debug)]
pub(super) struct Neighbourhood {
    /// Their ids.
    pub peers: BTreeSet<u64>,
    /// How many connections each has in the whole topology, in ascending order of their ids.
    pub degrees: Vec<u32>,
    /// Around whom they are. Several where a part of the network ends before there are enough.
    centres: Vec<u64>,
    /// How far the farthest is from its centre, in hops.
    hops: u32,
    /// How large the whole is.
    all: (usize, usize),
}

impl Neighbourhood {
    /// Of the peers `ids` (ascending) with these links: those nearest to one with links that is
    /// drawn by `seed`, by hops, those found first where there are too many; until there are enough
    /// peers, or so many links between them that more would hide each other.
    pub fn of(ids: &[u64], links: &[(u64, u64)], seed: u64) -> Self {
        let place = |id: u64| ids.binary_search(&id).ok().map(|place| place as u32);
        let ends: Vec<(u32, u32)> = links
            .iter()
            .filter_map(|&(a, b)| place(a).zip(place(b)))
            .collect();
        let graph = Graph::numbered(ids.len() as u32, &ends).0;
        let linked: Vec<u32> = (0..ids.len() as u32)
            .filter(|&peer| !graph.neighbours(peer as usize).is_empty())
            .collect();
        let mut stream = Stream::global(seed, Purpose::Sample);
        let mut found = vec![false; ids.len()];
        let mut chosen: Vec<(u32, u32)> = Vec::new();
        let (mut centres, mut drawn_links, mut at) = (Vec::new(), 0, 0);
        // A part of the network may be small; there may be many of them, or nothing else.
        while chosen.len() < PEERS_MAX.min(linked.len()) && drawn_links < LINKS_MAX {
            if at == chosen.len() {
                let centre = linked[stream.below(linked.len() as u64) as usize];
                if found[centre as usize] {
                    continue;
                }
                found[centre as usize] = true;
                chosen.push((centre, 0));
                centres.push(ids[centre as usize]);
            }
            let (peer, hops) = chosen[at];
            at += 1;
            for &next in graph.neighbours(peer as usize) {
                if chosen.len() == PEERS_MAX || drawn_links >= LINKS_MAX {
                    break;
                }
                if !found[next as usize] {
                    found[next as usize] = true;
                    chosen.push((next, hops + 1));
                    let known = graph.neighbours(next as usize).iter();
                    drawn_links += known.filter(|&&other| found[other as usize]).count();
                }
            }
        }
        let hops = chosen.iter().map(|&(_, hops)| hops).max().unwrap_or(0);
        let mut places: Vec<u32> = chosen.iter().map(|&(peer, _)| peer).collect();
        places.sort_unstable();
        Neighbourhood {
            peers: places.iter().map(|&peer| ids[peer as usize]).collect(),
            degrees: places
                .iter()
                .map(|&peer| graph.neighbours(peer as usize).len() as u32)
                .collect(),
            centres,
            hops,
            all: (ids.len(), links.len()),
        }
    }

    /// What is drawn, and what is not, in sentences.
    pub fn note(&self, folder: &str) -> String {
        let around = match self.centres.as_slice() {
            [] => "a peer".to_owned(),
            [one] => format!("peer {one}"),
            [one, others @ ..] => {
                format!("peer {one} and {}", many(others.len() as u64, "other"))
            }
        };
        format!(
            "A part of the network: it has {} and {}, too many for a page. Drawn are the {} \
             nearest to {around} (chosen by the run's seed), up to {} away, and the connections \
             among them. `p2psim topology {folder} -o topology.svg` draws all.",
            many(self.all.0 as u64, "peer"),
            many(self.all.1 as u64, "connection"),
            show_count(self.peers.len() as u64),
            many(self.hops.into(), "hop"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_of_a_ring_follow_one_another() {
        let ids: Vec<u64> = (0..30_000).map(|peer| 2 * peer).collect();
        let links: Vec<(u64, u64)> = (0..30_000).map(|p| (2 * p, (2 * p + 2) % 60_000)).collect();
        let part = Neighbourhood::of(&ids, &links, 7);
        assert_eq!(part.peers.len(), PEERS_MAX);
        assert_eq!(part.hops, 1000);
        let inside = |&&(a, b): &&(u64, u64)| part.peers.contains(&a) && part.peers.contains(&b);
        assert_eq!(links.iter().filter(inside).count(), PEERS_MAX - 1);
        assert!(part.degrees.iter().all(|&degree| degree == 2));
        let again = Neighbourhood::of(&ids, &links, 7);
        assert_eq!(part.peers, again.peers);
        assert_ne!(part.peers, Neighbourhood::of(&ids, &links, 8).peers);
        let note = part.note("runs/ring");
        assert!(
            note.contains("30,000 peers and 30,000 connections"),
            "{note}"
        );
        assert!(
            note.contains("2,000 nearest to peer ") && note.contains("1,000 hops"),
            "{note}"
        );
    }

    #[test]
    fn dense_and_scattered_networks_are_cut_too() {
        // Everyone knows everyone: few peers have enough links.
        let ids: Vec<u64> = (0..600).collect();
        let all: Vec<(u64, u64)> = (0..600).flat_map(|a| (0..a).map(move |b| (b, a))).collect();
        let part = Neighbourhood::of(&ids, &all, 1);
        let count = part.peers.len();
        assert!(
            count * (count - 1) / 2 >= LINKS_MAX && count < 250,
            "{count}"
        );
        assert_eq!(part.hops, 1);
        // Pairs, and peers alone, which have no neighbourhood.
        let ids: Vec<u64> = (0..30_000).collect();
        let pairs: Vec<(u64, u64)> = (0..5_000).map(|p| (2 * p, 2 * p + 1)).collect();
        let part = Neighbourhood::of(&ids, &pairs, 1);
        assert_eq!((part.peers.len(), part.centres.len()), (2_000, 1_000));
        assert!(part.peers.iter().all(|&peer| peer < 10_000));
        let few = Neighbourhood::of(&ids, &pairs[..3], 1);
        assert_eq!(few.peers, (0..6).collect());
        assert!(Neighbourhood::of(&ids, &[], 1).peers.is_empty());
    }
}
