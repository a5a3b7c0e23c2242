//! A YAML document as a tree in which every key and value knows its place.
//!
//! Scalars keep the spelling of the file: whether `0x10`, `1e400` or `on` is acceptable is for
//! the key that it stands under to say, and not for YAML's rules of what looks like a number.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::{MessageFormatter, Spanned};

use super::diagnostics::Diagnostic;
use super::source::Place;

/// Most values in a document, so that the tree of the largest document stays below 200 MB.
const NODES_MAX: usize = 1_000_000;

/// Most values that aliases may add.
const REPLAYED_MAX: usize = 250_000;

/// Deepest nesting of lists and mappings. A scenario needs ten levels; the reader takes 40 KB of
/// stack for each in a debug build, and a thread may have no more than 1 MB.
const DEPTH_MAX: usize = 16;

/// A value and its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub kind: NodeKind,
    pub place: Place,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum NodeKind {
    Null,
    /// `true` or `false`, unquoted.
    Bool(bool),
    /// Anything else that is one piece; as spelt in the file, without quotes.
    Scalar(Box<str>),
    Seq(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key of a mapping and its place.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub text: Box<str>,
    pub place: Place,
}

impl Node {
    /// What to call the value in messages.
    pub fn described(&self) -> &'static str {
        match self.kind {
            NodeKind::Null => "nothing",
            NodeKind::Bool(_) => "a flag",
            NodeKind::Scalar(_) => "a text or number",
            NodeKind::Seq(_) => "a list",
            NodeKind::Map(_) => "a mapping",
        }
    }

    /// The text of a scalar.
    pub fn as_scalar(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Scalar(text) => Some(text),
            _ => None,
        }
    }
}

/// Reads the one document in `text`, which is source number `source` and begins there at byte
/// `offset`.
///
/// # Errors
/// What is no YAML, holds several documents, or exceeds the limits, with its place.
pub(super) fn parse(text: &str, source: u32, offset: usize) -> Result<Node, Diagnostic> {
    match serde_yaml::from_str_with_options::<Node>(text, options()) {
        Ok(mut node) => {
            let frame = Frame {
                text,
                source,
                offset: offset as u32,
            };
            frame.settle(&mut node);
            Ok(node)
        }
        Err(error) => Err(diagnose(&error, text, source, offset)),
    }
}

fn options() -> serde_yaml::Options {
    serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_events: 3 * NODES_MAX,
            max_nodes: NODES_MAX,
            max_depth: DEPTH_MAX,
            flow_nesting_limit: DEPTH_MAX + 1,
            max_aliases: 10_000,
            max_anchors: 10_000,
            max_recorded_anchor_events: REPLAYED_MAX,
        },
        alias_limits: serde_yaml::alias_limits! {
            max_total_replayed_events: REPLAYED_MAX,
        },
        // Duplicates are found here afterwards, all of them at once.
        duplicate_keys: serde_yaml::DuplicateKeyPolicy::PassThrough,
        non_finite_float_policy: serde_yaml::NonFiniteFloatPolicy::PassThrough,
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

fn diagnose(error: &serde_yaml::Error, text: &str, source: u32, offset: usize) -> Diagnostic {
    use serde_yaml::Error;
    use serde_yaml::budget::BudgetBreach;

    let at = error
        .location()
        .map_or(text.len()..text.len(), |location| span_of(&location, text));
    let place = Place {
        source,
        start: (offset + at.start) as u32,
        end: (offset + at.end) as u32,
    };
    let too_deep = format!("lists and mappings are nested more than {DEPTH_MAX} deep");
    let (message, label) = match error {
        Error::MultipleDocuments { .. } => (
            "there is more than one YAML document".to_owned(),
            "a scenario is one document; this begins the next",
        ),
        Error::Budget { breach, .. } => match breach {
            BudgetBreach::Depth { .. } => (too_deep, ""),
            BudgetBreach::Nodes { .. } | BudgetBreach::Events { .. } => (
                format!("there are more than {NODES_MAX} values"),
                "links and latencies can be in files of their own",
            ),
            BudgetBreach::AliasAnchorRatio { .. } | BudgetBreach::Aliases { .. } => {
                ("there are too many aliases".to_owned(), "")
            }
            _ => ("the document is too large".to_owned(), ""),
        },
        Error::AliasReplayLimitExceeded { .. } | Error::AliasExpansionLimitExceeded { .. } => (
            format!("aliases stand for more than {REPLAYED_MAX} values"),
            "",
        ),
        Error::AliasReplayStackDepthExceeded { .. } => {
            ("aliases are nested too deep".to_owned(), "")
        }
        Error::NullIntoString { .. } => ("a key is empty".to_owned(), ""),
        Error::RecursiveReferencesRequireWeakTypes { .. } => {
            ("an alias stands for itself".to_owned(), "")
        }
        other => {
            let message = serde_yaml::DefaultMessageFormatter.format_message(other);
            // The scanner has a limit of its own, without an error of its own.
            if message.contains("recursion limit") {
                return Diagnostic::error(Some(place), too_deep);
            }
            let message: String = message.chars().take(200).collect();
            let message = format!("this is no valid YAML: {message}");
            return Diagnostic::error(Some(place), message);
        }
    };
    Diagnostic::error(Some(place), message).label(label)
}

/// The bytes of a location; the scanner of YAML gives no more than a line and a column.
fn span_of(location: &serde_yaml::Location, text: &str) -> Range<usize> {
    let span = location.span();
    if let (Some(start), Some(len)) = (span.byte_offset(), span.byte_len()) {
        let start = (start as usize).min(text.len());
        return start..(start + len as usize).min(text.len());
    }
    let line = (location.line() as usize).saturating_sub(1);
    let column = (location.column() as usize).saturating_sub(1);
    let line_start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let at = text[line_start..]
        .char_indices()
        .nth(column)
        .map_or(text.len(), |(at, _)| line_start + at);
    at..at
}

/// What a parsed tree is completed with: the reader knows neither which text it reads nor how a
/// number was spelt.
struct Frame<'a> {
    text: &'a str,
    source: u32,
    offset: u32,
}

impl Frame<'_> {
    /// Gives scalars their spelling, containers their end, and all their place in the source.
    fn settle(&self, node: &mut Node) {
        let raw = node.place;
        match &mut node.kind {
            NodeKind::Scalar(text) if text.is_empty() => {
                // Numbers come without a text; quoted empty texts are two quotes long.
                let spelt = self.text.get(raw.span()).unwrap_or_default();
                if !spelt.starts_with(['"', '\'', '|', '>']) {
                    *text = spelt.trim().into();
                }
            }
            NodeKind::Seq(items) => {
                for item in items.iter_mut() {
                    self.settle(item);
                    // Aliased values stand elsewhere.
                    node.place.end = node.place.end.max(item.place.end - self.offset);
                }
            }
            NodeKind::Map(entries) => {
                for (key, value) in entries.iter_mut() {
                    self.settle(value);
                    key.place = self.shifted(key.place);
                    // Merged values stand elsewhere.
                    if value.place.start > key.place.start {
                        node.place.end = node.place.end.max(value.place.end - self.offset);
                    }
                }
            }
            _ => {}
        }
        node.place.end = self.past_bracket(node.place);
        node.place = self.shifted(node.place);
    }

    /// The end of a container in brackets, with the closing one if it follows at once.
    fn past_bracket(&self, place: Place) -> u32 {
        let closing = match self.text.as_bytes().get(place.start as usize) {
            Some(b'[') => ']',
            Some(b'{') => '}',
            _ => return place.end,
        };
        let rest = self.text.get(place.end as usize..).unwrap_or_default();
        let blank = rest.len() - rest.trim_start().len();
        if rest[blank..].starts_with(closing) {
            place.end + blank as u32 + 1
        } else {
            place.end
        }
    }

    fn shifted(&self, place: Place) -> Place {
        let end = (self.text.len() as u32).min(place.end);
        Place {
            source: self.source,
            start: self.offset + place.start.min(end),
            end: self.offset + end,
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<NodeKind>::deserialize(deserializer)?;
        Ok(Node {
            place: raw_place(&spanned),
            kind: spanned.value,
        })
    }
}

fn raw_place<T>(spanned: &Spanned<T>) -> Place {
    let span = spanned.defined.span();
    let start = span.byte_offset().unwrap_or(0);
    let len = span.byte_len().unwrap_or(0);
    Place {
        source: 0,
        start: start as u32,
        end: (start + len) as u32,
    }
}

impl<'de> Deserialize<'de> for NodeKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

struct KindVisitor;

impl KindVisitor {
    /// The spelling is filled in by [`Frame::settle`].
    fn number<E>() -> Result<NodeKind, E> {
        Ok(NodeKind::Scalar("".into()))
    }
}

impl<'de> Visitor<'de> for KindVisitor {
    type Value = NodeKind;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<NodeKind, E> {
        Ok(NodeKind::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<NodeKind, E> {
        Ok(NodeKind::Bool(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<NodeKind, E> {
        Self::number()
    }

    fn visit_u64<E>(self, _: u64) -> Result<NodeKind, E> {
        Self::number()
    }

    fn visit_f64<E>(self, _: f64) -> Result<NodeKind, E> {
        Self::number()
    }

    fn visit_str<E>(self, value: &str) -> Result<NodeKind, E> {
        Ok(NodeKind::Scalar(value.into()))
    }

    fn visit_string<E>(self, value: String) -> Result<NodeKind, E> {
        Ok(NodeKind::Scalar(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<NodeKind, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        // Short lists are the many: `[1, 2]` would keep room for four.
        items.shrink_to_fit();
        Ok(NodeKind::Seq(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<NodeKind, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let key = Key {
                place: raw_place(&key),
                text: key.value.into(),
            };
            entries.push((key, map.next_value()?));
        }
        entries.shrink_to_fit();
        Ok(NodeKind::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn show(node: &Node, text: &str, out: &mut String) {
        let at = |place: Place| format!("<{}>", text.get(place.span()).unwrap());
        match &node.kind {
            NodeKind::Null => out.push_str("null"),
            NodeKind::Bool(value) => out.push_str(&value.to_string()),
            NodeKind::Scalar(scalar) => out.push_str(&format!("{scalar}")),
            NodeKind::Seq(items) => {
                out.push('[');
                for item in items {
                    show(item, text, out);
                    out.push(',');
                }
                out.push(']');
            }
            NodeKind::Map(entries) => {
                out.push('{');
                for (key, value) in entries {
                    out.push_str(&format!("{}{}:", key.text, at(key.place)));
                    show(value, text, out);
                    out.push(',');
                }
                out.push('}');
            }
        }
        out.push_str(&at(node.place));
    }

    fn shown(text: &str) -> String {
        let mut out = String::new();
        show(&parse(text, 0, 0).unwrap(), text, &mut out);
        out
    }

    #[test]
    fn values_keep_their_spelling_and_place() {
        for (text, expected) in [
            ("a: 0x10", "{a<a>:0x10<0x10>,}<a: 0x10>"),
            ("1e400", "1e400<1e400>"),
            ("007", "007<007>"),
            (".inf", ".inf<.inf>"),
            ("1_000", "1_000<1_000>"),
            ("on", "on<on>"),
            ("true", "true<true>"),
            (
                "99999999999999999999999",
                "99999999999999999999999<99999999999999999999999>",
            ),
            ("'a b'", "a b<'a b'>"),
            ("''", "<''>"),
            ("é: ü", "{é<é>:ü<ü>,}<é: ü>"),
            ("[-1, { 2: ~ } ]", "[-1<-1>,{2<2>:null<~>,}<{ 2: ~ }>,]<[-1, { 2: ~ } ]>"),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
    }

    #[test]
    fn aliased_values_stand_where_they_are_written() {
        assert_eq!(
            shown("a: &x 12\nb: *x"),
            "{a<a>:12<12>,b<b>:12<12>,}<a: &x 12>"
        );
        // Explicit keys first, then what is merged; a key of one's own wins.
        assert_eq!(
            shown("[&x {k: 1, l: 2}, {<<: *x, k: 3}]"),
            "[{k<k>:1<1>,l<l>:2<2>,}<{k: 1, l: 2}>,{k<k>:3<3>,l<l>:2<2>,}<{<<: *x, k: 3}>,]\
             <[&x {k: 1, l: 2}, {<<: *x, k: 3}]>"
        );
    }

    #[test]
    fn what_is_no_single_document_has_its_place() {
        for (text, message, start) in [
            ("a: [1, 2\nb: 3\n", "this is no valid YAML: illegal placement of ':' indicator", 10),
            ("a: 1\n---\nb: 2\n", "there is more than one YAML document", 9),
            ("é: *x", "this is no valid YAML: alias references unknown anchor", 4),
            ("a: &x [*x]", "an alias stands for itself", 7),
            ("a: !foo 3", "this is no valid YAML: unsupported tag `!foo`", 8),
            ("{~: 1}", "a key is empty", 1),
            ("{[1]: 1}", "this is no valid YAML: expected string scalar", 1),
        ] {
            let error = parse(text, 0, 0).unwrap_err();
            assert_eq!(error.message, message, "{text:?}");
            assert_eq!(error.place.unwrap().start, start, "{text:?}");
        }
    }

    #[test]
    fn nesting_is_bounded_in_every_style() {
        for open in ["[", "{a: ", "- "] {
            let error = parse(&open.repeat(100_000), 0, 0).unwrap_err();
            assert_eq!(
                error.message, "lists and mappings are nested more than 16 deep",
                "{open:?}"
            );
        }
    }
}
