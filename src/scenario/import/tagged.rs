//! YAML with tags and aliases, as Python's PyYAML writes it, read as data: nothing it names is
//! ever looked up, let alone run.
//!
//! Aliases stay references, so that a small file cannot stand for a large tree.

use std::collections::BTreeMap;
use std::ops::Range;

use granit_parser::{Event, Options, Parser, ScalarStyle};

/// The largest file that is read, in bytes.
pub(super) const FILE_BYTES_MAX: usize = 64 << 20;
/// The most values and keys.
const NODES_MAX: usize = 4_000_000;
/// The deepest nesting.
const DEPTH_MAX: usize = 32;

/// A place in [`Document`].
pub(super) type Id = u32;

/// A value, its tag and where it stands.
pub(super) struct Node {
    /// Without the `!!` of YAML's own: `python/tuple`; empty if there is none.
    pub(super) tag: Box<str>,
    pub(super) value: Value,
    pub(super) span: Range<usize>,
}

pub(super) enum Value {
    Null,
    /// A number, a word, a text, and whether it stands in quotes.
    Scalar(Box<str>),
    List(Vec<Id>),
    Map(Vec<(Id, Id)>),
}

impl Node {
    /// What kind of value it is, for messages.
    pub(super) fn described(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Scalar(_) => "a single value",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}

/// What is wrong with a text, and where.
#[derive(Debug)]
pub(super) struct TaggedError {
    pub(super) message: String,
    pub(super) expected: &'static str,
    pub(super) span: Range<usize>,
}

/// A document; its values refer to each other by their places.
pub(super) struct Document {
    nodes: Vec<Node>,
    root: Id,
}

impl Document {
    pub(super) fn root(&self) -> Id {
        self.root
    }

    pub(super) fn node(&self, id: Id) -> &Node {
        &self.nodes[id as usize]
    }

    /// The text of a scalar.
    pub(super) fn text(&self, id: Id) -> Option<&str> {
        match &self.node(id).value {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The entries of a mapping.
    pub(super) fn map(&self, id: Id) -> Option<&[(Id, Id)]> {
        match &self.node(id).value {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The items of a list.
    pub(super) fn list(&self, id: Id) -> Option<&[Id]> {
        match &self.node(id).value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// The value of a mapping's key.
    pub(super) fn get(&self, id: Id, key: &str) -> Option<Id> {
        let entries = self.map(id)?;
        let entry = entries.iter().find(|&&(k, _)| self.text(k) == Some(key));
        entry.map(|&(_, value)| value)
    }
}

/// A list or a mapping that is not at its end yet.
struct Open {
    id: Id,
    items: Vec<Id>,
    is_map: bool,
}

/// Reads the first document of a text.
pub(super) fn parse(text: &str) -> Result<Document, TaggedError> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    options.block_nesting_limit = DEPTH_MAX;
    options.flow_nesting_limit = DEPTH_MAX;
    let mut nodes: Vec<Node> = Vec::new();
    let mut anchors: BTreeMap<usize, Id> = BTreeMap::new();
    let mut open: Vec<Open> = Vec::new();
    let mut root = None;
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| {
            let start = error.marker().byte_offset().unwrap_or(0).min(text.len());
            TaggedError {
                message: format!("this is not YAML: {}", error.info()),
                expected: "",
                span: start..start,
            }
        })?;
        let span = span.byte_range().unwrap_or(0..0);
        let tag: Box<str> = event.tag().map_or_else(Box::default, |tag| {
            let whole = format!("{}{}", tag.handle(), tag.suffix());
            whole.trim_start_matches("tag:yaml.org,2002:").into()
        });
        let anchor = event.anchor_id();
        let (value, opens) = match event {
            Event::Scalar(text, style, ..) => {
                let plain = style == ScalarStyle::Plain && tag.is_empty();
                let value = match &*text {
                    "" | "null" | "~" if plain => Value::Null,
                    text => Value::Scalar(text.into()),
                };
                (value, None)
            }
            Event::SequenceStart(..) => (Value::List(Vec::new()), Some(false)),
            Event::MappingStart(..) => (Value::Map(Vec::new()), Some(true)),
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(Open { id, items, is_map }) = open.pop() {
                    let node = &mut nodes[id as usize];
                    node.value = if is_map {
                        Value::Map(
                            items
                                .chunks_exact(2)
                                .map(|pair| (pair[0], pair[1]))
                                .collect(),
                        )
                    } else {
                        Value::List(items)
                    };
                }
                continue;
            }
            Event::Alias(anchor) => {
                // The parser refuses aliases of what has not been named before.
                if let (Some(&id), Some(parent)) = (anchors.get(&anchor), open.last_mut()) {
                    parent.items.push(id);
                }
                continue;
            }
            Event::DocumentEnd => break,
            _ => continue,
        };
        if nodes.len() >= NODES_MAX {
            return Err(TaggedError {
                message: format!("this YAML has more than {NODES_MAX} values"),
                expected: "a smaller experiment",
                span,
            });
        }
        let id = nodes.len() as Id;
        nodes.push(Node { tag, value, span });
        if let Some(anchor) = anchor {
            anchors.insert(anchor, id);
        }
        match open.last_mut() {
            Some(parent) => parent.items.push(id),
            None => root = root.or(Some(id)),
        }
        if let Some(is_map) = opens {
            open.push(Open {
                id,
                items: Vec::new(),
                is_map,
            });
        }
    }
    match root {
        Some(root) => Ok(Document { nodes, root }),
        None => Err(TaggedError {
            message: "this file is empty".into(),
            expected: "what p2psimpy's save_experiment writes",
            span: 0..0,
        }),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_aliases_are_data() {
        let text =
            "&g !!python/object/apply:os.system\n- &a {x: !!python/tuple [1, 2]}\n- *a\n- *g\n";
        let document = parse(text).unwrap();
        let root = document.node(document.root());
        assert_eq!(&*root.tag, "python/object/apply:os.system");
        let items = document.list(document.root()).unwrap();
        assert_eq!(items[0], items[1]);
        assert_eq!(items[2], document.root());
        let x = document.get(items[0], "x").unwrap();
        assert_eq!(&*document.node(x).tag, "python/tuple");
        assert_eq!(document.list(x).unwrap().len(), 2);
    }

    #[test]
    fn hostile_text_is_refused_or_stays_small() {
        let laughs =
            "a: &a [1, 1, 1, 1]\nb: &b [*a, *a, *a, *a]\nc: &c [*b, *b, *b, *b]\nd: [*c, *c]\n";
        assert!(parse(laughs).unwrap().nodes.len() < 20);
        for text in [
            "[".repeat(100_000),
            "{a: ".repeat(100_000),
            "- *nobody".into(),
            "a: [".into(),
            String::new(),
        ] {
            assert!(parse(&text).is_err());
        }
    }
}
