//! What compiling a scenario has at hand: its texts, the problems found so far, the services that
//! can be named, and readers for single values that report what they cannot read.

use std::collections::HashSet;
use std::path::Path;

use super::diagnostics::{Diagnostic, Diagnostics};
use super::node::{Key, Node, NodeKind};
use super::source::{DATA_BYTES_MAX, Place, Sources, read_limited};
use super::words::{known, nearest_or_known, quoted};
use crate::expression::{self, ExpressionKind};
use crate::services::Registry;
use crate::time::Time;
use crate::units::Dimension;

/// A file that a scenario names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputFile {
    /// Its name in the folder `inputs/`.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// See the module.
pub(super) struct Context<'a> {
    pub sources: Sources,
    pub diagnostics: Diagnostics,
    pub registry: &'a Registry,
    /// What paths in the scenario are relative to.
    pub base: &'a Path,
    pub inputs: Vec<InputFile>,
}

impl Context<'_> {
    /// Reports a problem.
    pub fn add(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.add(diagnostic);
    }

    /// Reports an error at a place and what was expected there.
    pub fn error(&mut self, place: Place, message: impl Into<String>, label: impl Into<String>) {
        self.add(Diagnostic::error(Some(place), message).label(label));
    }

    /// Reports that a value is of the wrong kind.
    pub fn expected(&mut self, node: &Node, expected: &str) {
        let message = format!("expected {expected}, found {}", node.described());
        self.error(node.place, message, "");
    }

    /// The entries of a mapping whose keys are free to choose; a key's second use is reported
    /// and left out.
    pub fn entries<'n>(&mut self, node: &'n Node, expected: &str) -> Option<Vec<&'n (Key, Node)>> {
        let NodeKind::Map(entries) = &node.kind else {
            self.expected(node, expected);
            return None;
        };
        // Only asked, never listed: its order does not matter.
        let mut seen = HashSet::with_capacity(entries.len());
        let mut unique = Vec::with_capacity(entries.len());
        for entry in entries {
            if seen.insert(&*entry.0.text) {
                unique.push(entry);
            } else {
                let message = format!("duplicate key {}", quoted(&entry.0.text));
                self.error(entry.0.place, message, "it is given above already");
            }
        }
        Some(unique)
    }

    /// The values of a mapping whose keys are `names`, in their order; other keys are reported.
    pub fn fields<'n, const N: usize>(
        &mut self,
        node: &'n Node,
        expected: &str,
        names: [&str; N],
    ) -> Option<[Option<&'n Node>; N]> {
        let mut values = [None; N];
        for (key, value) in self.entries(node, expected)? {
            match names.iter().position(|name| *name == &*key.text) {
                Some(place) => values[place] = Some(value),
                None => {
                    let message = format!("unknown key {}", quoted(&key.text));
                    self.error(key.place, message, nearest_or_known(&key.text, "keys", names));
                }
            }
        }
        Some(values)
    }

    /// One of the words in `words`, as what stands beside it.
    pub fn word<T: Copy>(&mut self, node: &Node, what: &str, words: &[(&str, T)]) -> Option<T> {
        let names = || words.iter().map(|(name, _)| *name);
        let Some(text) = node.as_scalar() else {
            self.error(
                node.place,
                format!("expected {what}, found {}", node.described()),
                known("values", names()),
            );
            return None;
        };
        let found = words.iter().find(|(name, _)| *name == text);
        if found.is_none() {
            let message = format!("{} is not {what}", quoted(text));
            self.error(node.place, message, nearest_or_known(text, "values", names()));
        }
        found.map(|(_, value)| *value)
    }

    /// A whole number in a range.
    pub fn count(&mut self, node: &Node, min: u64, max: u64) -> Option<u64> {
        let Some(text) = node.as_scalar() else {
            self.expected(node, "a whole number");
            return None;
        };
        match whole_number(text) {
            Ok(value) if (min..=max).contains(&value) => Some(value),
            Ok(_) => {
                let message = format!("{} is out of range", quoted(text));
                self.error(node.place, message, range(min, max));
                None
            }
            Err(message) => {
                let label = range(min, max);
                self.error(node.place, message, label);
                None
            }
        }
    }

    /// A number with its unit, in the dimension's base unit.
    pub fn quantity(&mut self, node: &Node, dimension: Dimension) -> Option<f64> {
        let (expression, origin) = self.expression(node, dimension.described())?;
        if let ExpressionKind::Number { value, unit } = &expression.kind {
            let factor = match unit {
                None => 1.0,
                Some((unit, span)) => match dimension.factor(unit) {
                    Some(factor) => factor,
                    None => {
                        self.wrong_unit(origin.place(span.clone()), unit, dimension);
                        return None;
                    }
                },
            };
            let value = value * factor;
            if value.is_finite() {
                return Some(value);
            }
        }
        let message = format!("{} is not {}", self.shown(node), dimension.described());
        self.error(node.place, message, "");
        None
    }

    fn wrong_unit(&mut self, place: Place, unit: &str, dimension: Dimension) {
        let label = match dimension {
            Dimension::Plain => "no unit can stand here".to_owned(),
            _ => format!("{} is in {}", dimension.described(), dimension.unit_names()),
        };
        self.error(place, format!("wrong unit {}", quoted(unit)), label);
    }

    /// A time.
    pub fn duration(&mut self, node: &Node, min_ns: u64) -> Option<Time> {
        let ms = self.quantity(node, Dimension::Time)?;
        let Some(time) = Time::from_ms(ms) else {
            let (message, label) = if ms < 0.0 {
                ("a time cannot be negative".to_owned(), String::new())
            } else {
                let longest = Time::MAX.as_secs() / (24.0 * 3600.0);
                let label = format!("the clock ends after {longest:.0} days");
                ("this time is too long".to_owned(), label)
            };
            self.error(node.place, message, label);
            return None;
        };
        if time.as_ns() < min_ns {
            let message = format!("{} is too short", self.shown(node));
            let label = if min_ns == 1 {
                "must be longer than 0".to_owned()
            } else {
                format!("must be at least {} ms", Time::from_ns(min_ns))
            };
            self.error(node.place, message, label);
            return None;
        }
        Some(time)
    }

    /// `true` or `false`.
    pub fn flag(&mut self, node: &Node) -> Option<bool> {
        match node.kind {
            NodeKind::Bool(value) => Some(value),
            _ => {
                let message = format!("{} is not a flag", self.shown(node));
                self.error(node.place, message, "expected `true` or `false`");
                None
            }
        }
    }

    /// The items of a list.
    pub fn list<'n>(&mut self, node: &'n Node, expected: &str) -> Option<&'n [Node]> {
        match &node.kind {
            NodeKind::Seq(items) => Some(items),
            _ => {
                self.expected(node, expected);
                None
            }
        }
    }

    /// A value as messages show it.
    pub fn shown(&self, node: &Node) -> String {
        match &node.kind {
            NodeKind::Scalar(text) => quoted(text),
            NodeKind::Bool(value) => quoted(&value.to_string()),
            _ => node.described().to_owned(),
        }
    }

    /// Reads a file that the scenario names and keeps it among its inputs; returns its place
    /// there.
    pub fn read_input(&mut self, node: &Node, path: &str) -> Option<usize> {
        let full = self.base.join(path);
        let read = read_limited(&full, DATA_BYTES_MAX);
        let name = Path::new(path).file_name().and_then(|name| name.to_str());
        match (read, name) {
            (Ok(bytes), Some(name)) => {
                let name = self.unused_input_name(name);
                self.inputs.push(InputFile { name, bytes });
                Some(self.inputs.len() - 1)
            }
            (Err(why), _) => {
                let shown = quoted(path);
                self.add(
                    Diagnostic::error(Some(node.place), format!("cannot read {shown}"))
                        .label(why)
                        .help(format!("paths are relative to {}", quoted(&self.base_shown()))),
                );
                None
            }
            (Ok(_), None) => {
                self.error(node.place, format!("{} is no file", quoted(path)), "");
                None
            }
        }
    }

    fn base_shown(&self) -> String {
        match self.base.to_string_lossy() {
            shown if shown.is_empty() => ".".to_owned(),
            shown => shown.into_owned(),
        }
    }

    fn unused_input_name(&self, name: &str) -> String {
        let taken = |name: &str| self.inputs.iter().any(|input| input.name == name);
        let (stem, extension) = match name.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() => (stem, format!(".{extension}")),
            _ => (name, String::new()),
        };
        let mut unused = name.to_owned();
        let mut number = 2;
        while taken(&unused) {
            unused = format!("{stem}-{number}{extension}");
            number += 1;
        }
        unused
    }

    /// The expression that a value spells: see [`super::distributions`] for the mapping forms.
    pub fn expression(
        &mut self,
        node: &Node,
        expected: &str,
    ) -> Option<(expression::Expression, super::distributions::Origin)> {
        super::distributions::read(self, node, expected)
    }
}

/// A whole number as it may be written: digits, and nothing else.
pub(super) fn whole_number(text: &str) -> Result<u64, String> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("{} is not a whole number", quoted(text)));
    }
    text.parse()
        .map_err(|_| format!("{} is too large a number", quoted(text)))
}

fn range(min: u64, max: u64) -> String {
    match (min, max) {
        (min, u64::MAX) => format!("expected a whole number of at least {min}"),
        (min, max) => format!("expected a whole number from {min} to {max}"),
    }
}
