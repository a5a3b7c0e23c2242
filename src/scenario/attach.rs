//! `topology.attach`: peers linked to random peers of a graph.

use super::compiler::Compiler;
use super::fields::Fields;
use super::node::{Node, Value};
use super::peer_types::PlacedType;
use super::schema::{self, KeySpec, Mapping};
use super::topology::Ids;
use crate::peer::PeerIndex;
use crate::topology::Attachment;

pub(super) const ATTACHED: Mapping = Mapping {
    what: "what is attached",
    keys: &[
        KeySpec::new("count", schema::some_peers, "how many peers are added").or("1"),
        KeySpec::new(
            "to",
            schema::name,
            "the type of the peers they are linked to",
        )
        .required(),
        KeySpec::new("degree", schema::some_peers, "to how many each is linked").required(),
    ],
};

impl Compiler<'_> {
    /// `{client: {count: 1, to: peer, degree: 5}}`, in the order of the file; `counts` and `ids`
    /// are those of the graph, and come to include what is attached.
    pub(super) fn attach(
        &mut self,
        node: &Node,
        types: &[PlacedType],
        counts: &mut [u64],
        ids: Ids,
    ) -> Option<(Vec<Attachment>, Ids)> {
        let Value::Map(entries) = &node.value else {
            let message = format!("`attach` is a mapping, not {}", node.described());
            let expected = "{client: {count: 1, to: peer, degree: 5}}";
            self.error(node.place, message, expected);
            return None;
        };
        let mut attachments = Vec::with_capacity(entries.len());
        let mut fine = true;
        for (key, node) in entries {
            let peer_type = self.type_index(&key.text, key.place, types);
            let Some(mut fields) = Fields::new(self, &ATTACHED, node, key.place) else {
                fine = false;
                continue;
            };
            let count = match fields.get("count") {
                Some(node) => self.whole(node, 1, PeerIndex::LIMIT),
                None => Some(1),
            };
            let to_node = fields.require(self, "to", "peer");
            let to = to_node.and_then(|node| match &node.value {
                Value::Scalar(scalar) => self.type_index(&scalar.text, node.place, types),
                _ => {
                    self.error(node.place, "a peer type is expected here", "");
                    None
                }
            });
            let degree_node = fields.require(self, "degree", "5");
            let degree = degree_node.and_then(|node| self.whole(node, 1, PeerIndex::LIMIT));
            fields.finish(self);
            let (Some(peer_type), Some(count), Some(to), Some(degree), Some(degree_node)) =
                (peer_type, count, to, degree, degree_node)
            else {
                fine = false;
                continue;
            };
            let there = counts[to.as_usize()];
            if there < degree {
                let name = &types[to.as_usize()].peer_type.name;
                let message = format!(
                    "`{}` needs {degree} peers of type `{name}`, and there are {there} before it",
                    key.text
                );
                self.error(
                    degree_node.place,
                    message,
                    "a smaller degree, or more peers",
                );
                fine = false;
            }
            counts[peer_type.as_usize()] += count;
            attachments.push(Attachment {
                peer_type,
                count,
                to,
                degree,
            });
        }
        let more: u64 = attachments.iter().map(|attachment| attachment.count).sum();
        if fine && more > 0 {
            let total = ids.count().saturating_add(more);
            if total > PeerIndex::LIMIT {
                let message = format!("{total} peers are too many");
                self.error(node.place, message, format!("at most {}", PeerIndex::LIMIT));
                return None;
            }
            let last = ids.last();
            if last.checked_add(more).is_none() {
                let message = format!("there are no {more} ids after {last}");
                self.error(node.place, message, "smaller ids in the graph");
                return None;
            }
            return Some((attachments, ids.followed_by(more)));
        }
        fine.then_some((attachments, ids))
    }
}
