//! What a graph file says of its peers and links besides who they are: named columns of values.

use std::fmt;
use std::sync::Arc;

/// A value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// True or false.
    Flag(bool),
    /// A whole number.
    Whole(i64),
    /// Any other number; finite.
    Real(f64),
    /// Text.
    Text(Arc<str>),
}

impl Value {
    /// What a text means where nothing says what it is: a number, `true` or `false`, or itself.
    pub fn guess(text: &str) -> Self {
        if let Some(number) = Self::number(text) {
            return number;
        }
        match text {
            "true" | "True" => Value::Flag(true),
            "false" | "False" => Value::Flag(false),
            _ => Value::Text(text.into()),
        }
    }

    /// The number that a text is, if it is one.
    pub fn number(text: &str) -> Option<Self> {
        // `inf` and `nan` are names here.
        if !text.ends_with(|c: char| c.is_ascii_digit() || c == '.') {
            return None;
        }
        if let Ok(whole) = text.parse() {
            return Some(Value::Whole(whole));
        }
        let real = text.parse().ok();
        real.filter(|real: &f64| real.is_finite()).map(Value::Real)
    }
}

/// As it is written in a file; text as it is.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Flag(flag) => flag.fmt(f),
            Value::Whole(number) => number.fmt(f),
            // `3.0` stays a real number, `1e300` short.
            Value::Real(number) => write!(f, "{number:?}"),
            Value::Text(text) => f.write_str(text),
        }
    }
}

/// A value, what it is about, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell<K> {
    /// Of which peer (its place in the graph) or link (its places, the lower first).
    pub at: K,
    /// The line of the file.
    pub line: u32,
    /// What is said.
    pub value: Value,
}

/// An attribute: its values, at most one for each peer or link.
#[derive(Clone, Debug, PartialEq)]
pub struct Column<K> {
    /// Its name.
    pub name: String,
    /// In ascending order of what they are about.
    pub cells: Vec<Cell<K>>,
}

impl<K: Ord> Column<K> {
    /// What is said of a peer or a link.
    pub fn get(&self, at: &K) -> Option<&Value> {
        let found = self.cells.binary_search_by(|cell| cell.at.cmp(at)).ok()?;
        Some(&self.cells[found].value)
    }

    /// Sorts what was said in the order of the file; what is said later of the same counts.
    pub(super) fn settle(&mut self) {
        self.cells.sort_by(|a, b| a.at.cmp(&b.at));
        // dedup keeps the first of a run: the last, once the cells are turned round.
        self.cells.reverse();
        self.cells.dedup_by(|a, b| a.at == b.at);
        self.cells.reverse();
    }
}

/// What a graph file says of its peers and links.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes {
    /// Of peers.
    pub peers: Vec<Column<u32>>,
    /// Of links.
    pub links: Vec<Column<(u32, u32)>>,
}

impl Attributes {
    /// An attribute of peers.
    pub fn of_peers(&self, name: &str) -> Option<&Column<u32>> {
        self.peers.iter().find(|column| column.name == name)
    }

    /// An attribute of links.
    pub fn of_links(&self, name: &str) -> Option<&Column<(u32, u32)>> {
        self.links.iter().find(|column| column.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_what_they_look_like() {
        for (text, value) in [
            ("3", Value::Whole(3)),
            ("-3", Value::Whole(-3)),
            ("3.0", Value::Real(3.0)),
            ("1e3", Value::Real(1000.0)),
            ("True", Value::Flag(true)),
            ("inf", Value::Text("inf".into())),
            ("3 ms", Value::Text("3 ms".into())),
            ("", Value::Text("".into())),
            ("1e999", Value::Text("1e999".into())),
        ] {
            assert_eq!(Value::guess(text), value);
        }
        assert_eq!(Value::Real(3.0).to_string(), "3.0");
    }

    #[test]
    fn what_is_said_later_counts() {
        let cell = |at, line, value| Cell {
            at,
            line,
            value: Value::Whole(value),
        };
        let mut column = Column {
            name: "x".into(),
            cells: vec![cell(2_u32, 1, 10), cell(1, 2, 20), cell(2, 3, 30)],
        };
        column.settle();
        assert_eq!(column.cells, [cell(1, 2, 20), cell(2, 3, 30)]);
        assert_eq!(column.get(&2), Some(&Value::Whole(30)));
        assert_eq!(column.get(&3), None);
    }
}
