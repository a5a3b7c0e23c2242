//! Reading a mapping key by key, so that no key is silently ignored.

use std::cell::Cell;

use super::compiler::Compiler;
use super::node::{Key, Node, Value};
use super::schema::Mapping;
use super::source::Place;
use crate::expression::nearest;

/// The words for yes and no.
pub(super) const FLAGS: [(&str, bool); 2] = [("true", true), ("false", false)];

/// The entries of a mapping, and which of them have been asked for.
pub(super) struct Fields<'a> {
    /// What the mapping is, for messages: "a scenario".
    what: &'static str,
    /// What declares its keys, unless a service does.
    mapping: Option<&'static Mapping>,
    /// Where to point when something is missing.
    pub(super) place: Place,
    entries: &'a [(Key, Node)],
    asked: Vec<Cell<bool>>,
    known: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// The entries of `node`, which must be a mapping; `head` is its key's place.
    pub(super) fn new(
        compiler: &mut Compiler<'_>,
        mapping: &'static Mapping,
        node: &'a Node,
        head: Place,
    ) -> Option<Self> {
        let mut fields = Self::of_service(compiler, mapping.what, node, head)?;
        fields.mapping = Some(mapping);
        Some(fields)
    }

    /// As [`Fields::new`], for the parameters of a service.
    pub(super) fn of_service(
        compiler: &mut Compiler<'_>,
        what: &'static str,
        node: &'a Node,
        head: Place,
    ) -> Option<Self> {
        match &node.value {
            Value::Map(entries) => Some(Fields {
                what,
                mapping: None,
                place: head,
                entries,
                asked: entries.iter().map(|_| Cell::new(false)).collect(),
                known: Vec::new(),
            }),
            _ => {
                let message = format!("{what} is a mapping, not {}", node.described());
                compiler.error(node.place, message, "key: value");
                None
            }
        }
    }

    /// The value of a key that may be left out; a key without a value counts as left out.
    pub(super) fn get(&mut self, key: &'static str) -> Option<&'a Node> {
        self.entry(key).map(|(_, node)| node)
    }

    /// As [`Fields::get`], with the key.
    ///
    /// # Panics
    /// When the mapping declares no such key: a mistake in the parser.
    pub(super) fn entry(&mut self, key: &'static str) -> Option<(&'a Key, &'a Node)> {
        if let Some(mapping) = self.mapping {
            mapping.key(key);
        }
        self.known.push(key);
        let place = self
            .entries
            .iter()
            .position(|(known, _)| known.text == key)?;
        self.asked[place].set(true);
        let (key, node) = &self.entries[place];
        (!matches!(node.value, Value::Null)).then_some((key, node))
    }

    /// The value of a key that must be there.
    pub(super) fn require(
        &mut self,
        compiler: &mut Compiler<'_>,
        key: &'static str,
        example: &str,
    ) -> Option<&'a Node> {
        let found = self.get(key);
        if found.is_none() {
            let message = format!("{} needs `{key}`", self.what);
            compiler.error(self.place, message, format!("{key}: {example}"));
        }
        found
    }

    /// Complains of every key that nobody asked for.
    pub(super) fn finish(self, compiler: &mut Compiler<'_>) {
        for ((key, _), asked) in self.entries.iter().zip(&self.asked) {
            if !asked.get() {
                let expected = nearest(&key.text, self.known.iter().copied())
                    .unwrap_or_else(|| format!("known keys: {}", self.known.join(", ")));
                let message = format!("{} has no key `{}`", self.what, key.text);
                compiler.error(key.place, message, expected);
            }
        }
    }
}
