//! A YAML document as a tree in which every value and key knows its place: what the file says,
//! before anything is made of it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::{Spanned, budget::Budget};

use super::diagnostics::{Diagnostic, Severity};
use super::source::{Place, Sources};
use crate::units::show_count;

/// The largest scenario file, in bytes; larger networks are read from graph files.
pub(super) const FILE_BYTES_MAX: usize = 16 << 20;
/// The most values and keys a scenario can have.
const NODES_MAX: usize = 400_000;
/// The deepest nesting: a scenario needs ten levels. In a debug build the reader takes 40 KB of
/// stack for each, and some threads have no more than 1 MB.
const DEPTH_MAX: usize = 16;
/// The most values that aliases can stand for, all together.
const ALIASED_MAX: usize = 100_000;

/// A value and its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) place: Place,
}

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// Nothing, or `null`.
    Null,
    /// A number, a word, a text.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order of the file.
    Map(Vec<(Key, Node)>),
}

/// A number, a word or a text, as it is spelled.
#[derive(Clone, Debug)]
pub(super) struct Scalar {
    pub(super) text: String,
    /// Whether it stands in quotes, so that it is a text whatever it looks like.
    pub(super) quoted: bool,
    /// Where the text begins in its source, if it stands there letter by letter.
    pub(super) verbatim_at: Option<u32>,
}

/// A key of a mapping.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) text: String,
    pub(super) place: Place,
}

impl Node {
    /// What kind of value it is, for messages.
    pub(super) fn described(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Scalar(_) => "a single value",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    /// The value itself if it is a single one, else what kind it is; for messages.
    pub(super) fn shown(&self) -> String {
        match &self.value {
            Value::Scalar(scalar) if scalar.text.chars().nth(40).is_some() => {
                format!("`{}…`", scalar.text.chars().take(40).collect::<String>())
            }
            Value::Scalar(scalar) => format!("`{}`", scalar.text),
            _ => self.described().to_owned(),
        }
    }
}

/// Reads the one document of a source.
pub(super) fn parse(sources: &Sources, source: u16) -> Result<Node, Vec<Diagnostic>> {
    let text = &sources.get(source).text;
    let mut budget = Budget::default();
    budget.max_nodes = NODES_MAX;
    budget.max_events = 2 * NODES_MAX;
    budget.max_depth = DEPTH_MAX;
    budget.flow_nesting_limit = DEPTH_MAX;
    budget.max_recorded_anchor_events = ALIASED_MAX;
    let mut alias_limits = serde_yaml::options::AliasLimits::default();
    alias_limits.max_total_replayed_events = ALIASED_MAX;
    // A scenario may open with a page of comments.
    budget.max_buffered_comment_events = 100_000;
    let options = serde_yaml::options! {
        strict_booleans: true,
        with_snippet: false,
        budget: Some(budget),
        alias_limits: alias_limits,
        // Found while the tree is built, so that all are reported.
        duplicate_keys: serde_yaml::DuplicateKeyPolicy::PassThrough,
        // Judged with all other numbers.
        non_finite_float_policy: serde_yaml::NonFiniteFloatPolicy::PassThrough,
    };
    let raw: Spanned<Raw> = serde_yaml::from_str_with_options(text, options)
        .map_err(|error| vec![syntax_error(text, source, &error)])?;
    let mut builder = Builder {
        text,
        source,
        errors: Vec::new(),
    };
    let node = builder.node(raw);
    if builder.errors.is_empty() {
        Ok(node)
    } else {
        Err(builder.errors)
    }
}

fn syntax_error(text: &str, source: u16, error: &serde_yaml::Error) -> Diagnostic {
    let place = error.location().map(|location| {
        let span = location.span();
        let start = match span.byte_offset() {
            Some(offset) => offset as usize,
            None => offset_of(text, location.line(), location.column()),
        };
        let start = start.min(text.len());
        let length = span.byte_len().unwrap_or(1).max(1) as usize;
        Place::new(source, start..(start + length).min(text.len()))
    });
    let full = error.to_string();
    // The place is shown with the text; the library's own words for it end the message.
    let message = full
        .rsplit_once(" at line ")
        .map_or(full.as_str(), |(message, _)| message);
    let (message, expected) = explain(message);
    Diagnostic {
        severity: Severity::Error,
        message,
        expected: expected.to_owned(),
        place,
    }
}

/// The library's words for what is wrong in ours, where ours say more.
fn explain(message: &str) -> (String, &'static str) {
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if has(&["multiple YAML documents"]) {
        return (
            "a second YAML document begins here".into(),
            "a scenario is one document",
        );
    }
    if has(&["Depth", "recursion limit", "nesting"]) {
        let message = format!("this YAML is nested more than {DEPTH_MAX} levels deep");
        return (message, "fewer levels");
    }
    if has(&["Anchor", "alias", "Alias"]) {
        let most = show_count(ALIASED_MAX as u64);
        return (
            format!("aliases stand for more than {most} values"),
            "fewer aliases",
        );
    }
    if has(&["budget breached"]) {
        let most = show_count(NODES_MAX as u64);
        let message = format!("this YAML has more than {most} values, or too long ones");
        return (message, "a large network is better read from a graph file");
    }
    (format!("this is not YAML: {message}"), "")
}

/// The byte at a line and a column (both from 1).
fn offset_of(text: &str, line: u64, column: u64) -> usize {
    let start: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1) as usize)
        .map(str::len)
        .sum();
    let rest = &text[start..];
    start
        + rest
            .char_indices()
            .nth(column.saturating_sub(1) as usize)
            .map_or(rest.len(), |(at, _)| at)
}

/// What the parser hands over; what a scalar looks like is taken from the text itself.
enum Raw {
    Null,
    Plain,
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<RawKey>, Spanned<Raw>)>),
}

struct RawKey(String);

impl<'de> Deserialize<'de> for RawKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(RawKey)
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

macro_rules! plain {
    ($($visit:ident: $kind:ty),*) => {
        $(fn $visit<E>(self, _: $kind) -> Result<Raw, E> {
            Ok(Raw::Plain)
        })*
    };
}

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    plain!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_i128: i128, visit_u128: u128, visit_f64: f64);

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Raw, E> {
        Ok(Raw::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = entries.next_key()? {
            map.push((key, entries.next_value()?));
        }
        Ok(Raw::Map(map))
    }
}

struct Builder<'a> {
    text: &'a str,
    source: u16,
    errors: Vec<Diagnostic>,
}

impl Builder<'_> {
    fn place<T>(&self, spanned: &Spanned<T>) -> Place {
        let span = spanned.defined.span();
        let start = (span.byte_offset().unwrap_or(0) as usize).min(self.text.len());
        let length = span.byte_len().unwrap_or(0) as usize;
        let end = start.saturating_add(length).min(self.text.len());
        Place::new(self.source, start..end)
    }

    fn node(&mut self, raw: Spanned<Raw>) -> Node {
        let place = self.place(&raw);
        let value = match raw.value {
            Raw::Null => Value::Null,
            Raw::Plain => Value::Scalar(self.plain(place)),
            Raw::Text(text) => Value::Scalar(self.scalar(text, place)),
            Raw::List(items) => {
                Value::List(items.into_iter().map(|item| self.node(item)).collect())
            }
            Raw::Map(entries) => self.map(entries),
        };
        Node { value, place }
    }

    fn plain(&self, place: Place) -> Scalar {
        Scalar {
            text: self.text.get(place.span()).unwrap_or_default().to_owned(),
            quoted: false,
            verbatim_at: Some(place.span().start as u32),
        }
    }

    fn scalar(&self, text: String, place: Place) -> Scalar {
        let written = self.text.get(place.span()).unwrap_or_default();
        let start = place.span().start as u32;
        if written == text {
            return Scalar {
                text,
                quoted: false,
                verbatim_at: Some(start),
            };
        }
        let inner = written.get(1..written.len().saturating_sub(1));
        Scalar {
            verbatim_at: (inner == Some(text.as_str())).then_some(start + 1),
            text,
            quoted: true,
        }
    }

    fn map(&mut self, raw: Vec<(Spanned<RawKey>, Spanned<Raw>)>) -> Value {
        let mut entries: Vec<(Key, Node)> = Vec::with_capacity(raw.len());
        let mut seen: std::collections::BTreeMap<String, Place> = std::collections::BTreeMap::new();
        for (key, value) in raw {
            let place = self.place(&key);
            let text = key.value.0;
            if let Some(first) = seen.insert(text.clone(), place) {
                let line = self.text[..first.span().start].matches('\n').count() + 1;
                self.errors.push(Diagnostic {
                    severity: Severity::Error,
                    message: format!("duplicate key `{text}`"),
                    expected: format!("it stands in line {line} already; keep one of them"),
                    place: Some(place),
                });
            }
            let value = self.node(value);
            entries.push((Key { text, place }, value));
        }
        Value::Map(entries)
    }
}
