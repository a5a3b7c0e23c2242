//! Peers attached to a graph: each is linked to a few random peers of a type.

use std::collections::BTreeSet;

use super::Graph;
use crate::peer::{PeerId, TypeIndex};
use crate::random::{Purpose, Stream};

/// Further peers of a graph, each linked to random peers that are there already: clients of a
/// network, say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// The type of the peers attached.
    pub peer_type: TypeIndex,
    /// How many are attached.
    pub count: u64,
    /// The type of the peers they are linked to.
    pub to: TypeIndex,
    /// To how many distinct ones each is linked.
    pub degree: u64,
}

/// The graph with what is attached to it, in order; `types` are the types of its peers, and grow
/// with it. New peers' ids follow the largest.
///
/// # Panics
/// When there are fewer peers to be linked to than an attachment says.
pub fn attach(
    graph: &Graph,
    types: &mut Vec<TypeIndex>,
    attachments: &[Attachment],
    seed: u64,
) -> Graph {
    let mut ids = graph.ids().to_vec();
    let mut links: Vec<(u32, u32)> = graph.iter_links().collect();
    for attachment in attachments {
        let hosts: Vec<u32> = (0..ids.len())
            .filter(|&place| types[place] == attachment.to)
            .map(|place| place as u32)
            .collect();
        for _ in 0..attachment.count {
            let id = ids.last().map_or(0, |last| last.0 + 1);
            let mut stream = Stream::new(seed, id, Purpose::Attach);
            let chosen = distinct(hosts.len() as u64, attachment.degree, &mut stream);
            let me = ids.len() as u32;
            links.extend(chosen.iter().map(|&place| (hosts[place as usize], me)));
            ids.push(PeerId(id));
            types.push(attachment.peer_type);
        }
    }
    Graph::build(ids, links.iter().copied()).0
}

/// `count` distinct numbers below `bound`, every set of them equally likely (Floyd's algorithm:
/// Bentley and Floyd 1987, "Programming pearls: a sample of brilliance").
fn distinct(bound: u64, count: u64, stream: &mut Stream) -> BTreeSet<u64> {
    assert!(count <= bound, "{count} distinct numbers below {bound}");
    let mut chosen = BTreeSet::new();
    for last in bound - count..bound {
        let number = stream.below(last + 1);
        if !chosen.insert(number) {
            chosen.insert(last);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: TypeIndex = TypeIndex(0);
    const CLIENT: TypeIndex = TypeIndex(1);

    #[test]
    fn each_is_linked_to_distinct_peers_of_the_type() {
        let ids: Vec<PeerId> = [3, 10, 20, 30].map(PeerId).to_vec();
        let (graph, _) = Graph::new(ids, &[(PeerId(3), PeerId(30))]);
        let mut types = vec![PEER, CLIENT, PEER, PEER];
        let more = |peer_type, count, to, degree| Attachment {
            peer_type,
            count,
            to,
            degree,
        };
        let attachments = [more(CLIENT, 5, PEER, 2), more(TypeIndex(2), 1, CLIENT, 6)];
        let grown = attach(&graph, &mut types, &attachments, 1);
        assert_eq!(grown.ids()[4..], [31, 32, 33, 34, 35, 36].map(PeerId));
        assert_eq!(
            types[4..],
            [CLIENT, CLIENT, CLIENT, CLIENT, CLIENT, TypeIndex(2)]
        );
        for client in 4..9 {
            let peers = &grown.neighbours(client)[..2];
            assert!(peers.iter().all(|&peer| types[peer as usize] == PEER));
        }
        // Clients attached before are as good as those of the graph.
        assert_eq!(grown.neighbours(9), [1, 4, 5, 6, 7, 8]);
        assert_eq!(grown.links(), 1 + 5 * 2 + 6);
        // Who is attached later changes nothing.
        let fewer = attach(&graph, &mut types[..4].to_vec(), &attachments[..1], 1);
        let clients = |graph: &Graph, peer| graph.neighbours(peer)[..2].to_vec();
        assert!((4..9).all(|peer| clients(&fewer, peer) == clients(&grown, peer)));
    }

    #[test]
    fn every_set_is_equally_likely() {
        let mut counts = std::collections::BTreeMap::new();
        let mut stream = Stream::global(1, Purpose::Sample);
        for _ in 0..10_000 {
            let set: Vec<u64> = distinct(5, 2, &mut stream).into_iter().collect();
            *counts.entry(set).or_insert(0_u32) += 1;
        }
        assert_eq!(counts.len(), 10);
        // Five standard deviations of a count are 150.
        assert!(
            counts.values().all(|count| count.abs_diff(1000) < 150),
            "{counts:?}"
        );
    }
}
