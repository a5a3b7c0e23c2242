//! What p2psimpy's topology.yaml says: a networkx graph, or a dict of peers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::tagged::{Id, Value};
use super::{File, Import, SET};
use crate::scenario::resolved::text;
use crate::units::show_count;

/// More links than this are better kept in a graph file.
const LINKS_MAX: usize = 100_000;
/// The tag of a graph.
const GRAPH: &str = "python/object:networkx.classes.graph.Graph";

/// Peers, their types and their links.
pub(super) struct Peers {
    types: BTreeMap<u64, String>,
    /// Where each type is named first.
    named: BTreeMap<String, Id>,
    /// Each once, the smaller end first.
    links: BTreeSet<(u64, u64)>,
}

impl Import<'_> {
    pub(super) fn peers(&mut self, file: &File) -> Option<Peers> {
        let root = file.document.root();
        let tag = &*file.document.node(root).tag;
        let is_graph = tag == GRAPH;
        let mut peers = Peers {
            types: BTreeMap::new(),
            named: BTreeMap::new(),
            links: BTreeSet::new(),
        };
        let (nodes, adjacency) = if is_graph {
            let part = |names: [&str; 2]| names.iter().find_map(|n| file.document.get(root, n));
            // Without underscores before networkx 2.
            match (part(["_node", "node"]), part(["_adj", "adj"])) {
                (Some(nodes), Some(adjacency)) => (nodes, Some(adjacency)),
                _ => {
                    self.error(file, root, "this graph has no `_node` and `_adj`", "");
                    return None;
                }
            }
        } else if tag.starts_with("python/object") {
            let message = format!("this is no graph that p2psimpy simulates: !!{tag}");
            self.error(file, root, message, "an undirected networkx.Graph");
            return None;
        } else {
            (root, None)
        };
        for &(key, value) in self.entries(file, nodes, "the peers")? {
            let Some(id) = self.peer_id(file, key) else {
                continue;
            };
            let Some(named) = file.document.get(value, "type") else {
                self.error(file, value, format!("peer {id} has no type"), "type: peer");
                continue;
            };
            if let Some(name) = self.text(file, named, "a peer type") {
                peers.types.insert(id, name.to_owned());
                peers.named.entry(name.to_owned()).or_insert(named);
            }
            if let (false, Some(others)) = (is_graph, file.document.get(value, "neighbors")) {
                self.neighbours(file, id, others, &mut peers);
                self.few_links(file, others, &peers)?;
            }
        }
        if let Some(adjacency) = adjacency {
            for &(key, others) in self.entries(file, adjacency, "the links")? {
                if let Some(id) = self.peer_id(file, key) {
                    self.neighbours(file, id, others, &mut peers);
                    self.few_links(file, others, &peers)?;
                }
            }
        }
        let ends = peers.links.iter().flat_map(|&(a, b)| [a, b]);
        let stranger = ends.into_iter().find(|id| !peers.types.contains_key(id));
        if let Some(id) = stranger {
            self.error(file, root, format!("peer {id} has links, but no type"), "");
            return None;
        }
        Some(peers)
    }

    fn few_links(&mut self, file: &File, id: Id, peers: &Peers) -> Option<()> {
        if peers.links.len() <= LINKS_MAX {
            return Some(());
        }
        let message = format!("more than {} links", show_count(LINKS_MAX as u64));
        let cure = "networkx.write_graphml(graph, file), and `graph: FILE` in the scenario";
        self.error(file, id, message, cure);
        None
    }

    fn peer_id(&mut self, file: &File, id: Id) -> Option<u64> {
        let text = self.text(file, id, "a peer's id")?;
        let number = text.parse().ok();
        if number.is_none() {
            let message = format!("`{text}` is no peer's id");
            self.error(file, id, message, "a whole number from 0 on");
        }
        number
    }

    /// The other ends of a peer's links: the keys of a mapping, a set, or a list.
    fn neighbours(&mut self, file: &File, peer: u64, id: Id, peers: &mut Peers) -> Option<()> {
        if &*file.document.node(id).tag != SET {
            self.plain(file, id)?;
        }
        let others: Vec<Id> = match &file.document.node(id).value {
            Value::Null => Vec::new(),
            Value::List(items) => items.clone(),
            Value::Map(entries) => entries.iter().map(|&(other, _)| other).collect(),
            Value::Scalar(_) => {
                self.error(file, id, "neighbours are a list of ids", "[1, 2]");
                return None;
            }
        };
        self.look(file, id, others.len())?;
        for other in others {
            let other = self.peer_id(file, other)?;
            if other != peer {
                peers.links.insert((peer.min(other), peer.max(other)));
            }
        }
        Some(())
    }

    pub(super) fn topology(
        &mut self,
        file: &File,
        peers: &Peers,
        types: &[String],
        yaml: &mut String,
    ) -> Option<()> {
        let root = file.document.root();
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for name in peers.types.values() {
            *counts.entry(name).or_default() += 1;
        }
        for (name, &id) in &peers.named {
            if !types.contains(name) {
                let message = format!("services.yaml has no peer type `{name}`");
                self.error(file, id, message, format!("one of {}", types.join(", ")));
                return None;
            }
        }
        let _ = writeln!(yaml, "topology:");
        if peers.links.is_empty() {
            let shown = counts
                .iter()
                .map(|(name, n)| format!("{}: {n}", text(name)));
            let shown: Vec<String> = shown.collect();
            let _ = writeln!(yaml, "  emergent: {{{}}}", shown.join(", "));
            if counts.len() > 1 || !peers.types.keys().copied().eq(1..=peers.types.len() as u64) {
                self.notes.insert(
                    "Peers have other ids than in p2psimpy: from 1 on, type by type.".into(),
                );
            }
            return Some(());
        }
        let linked: BTreeSet<u64> = peers.links.iter().flat_map(|&(a, b)| [a, b]).collect();
        if let Some(lonely) = peers.types.keys().find(|id| !linked.contains(id)) {
            let message = format!("peer {lonely} has no link, where others have some");
            self.error(file, root, message, "links for all peers, or for none");
            return None;
        }
        let links = peers.links.iter().map(|(a, b)| format!("[{a}, {b}]"));
        let links: Vec<String> = links.collect();
        let _ = writeln!(yaml, "  edges:");
        for row in links.chunks(10) {
            let _ = writeln!(yaml, "    - {}", row.join("\n    - "));
        }
        let most = counts.iter().max_by_key(|&(_, count)| count)?.0;
        let _ = writeln!(yaml, "  types:");
        for (id, name) in peers.types.iter().filter(|(_, name)| name != most) {
            let _ = writeln!(yaml, "    {id}: {}", text(name));
        }
        let _ = writeln!(yaml, "    others: {}", text(most));
        Some(())
    }
}
