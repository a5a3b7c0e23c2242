//! `topology: {graph: path}`: what a graph file says, checked against the scenario that names it.

use std::collections::BTreeMap;

use super::compiler::Compiler;
use super::node::Scalar;
use super::peer_types::PlacedType;
use super::source::Place;
use super::topology::Ids;
use crate::distribution::Distribution;
use crate::expression::nearest;
use crate::network::LinkLatencies;
use crate::peer::{LocationIndex, TypeIndex};
use crate::simulation::{FileGraph, GraphSource};
use crate::topology::attributes::{Cell, Column, Value};
use crate::topology::files::{self, Limits};
use crate::units::Dimension;

/// The largest graph file, in bytes, as it lies on the disk.
const FILE_BYTES_MAX: usize = 16 << 30;
/// After this many bad values of an attribute the rest is not worth reading.
const ERRORS_MAX: usize = 5;

/// What a scenario has to say about a graph file.
pub(super) struct Surroundings<'a> {
    pub(super) types: &'a [PlacedType],
    pub(super) locations: &'a [String],
    /// Whether `topology.types` says who is of which type.
    pub(super) types_given: bool,
}

impl Compiler<'_> {
    /// Reads the graph file that `scalar` names.
    pub(super) fn graph_file(
        &mut self,
        scalar: &Scalar,
        place: Place,
        around: &Surroundings<'_>,
    ) -> Option<(GraphSource, Ids, Option<String>, Place)> {
        let limit = self.options.memory_limit_bytes;
        let limits = Limits {
            // Less than any network takes in the end.
            peers_max: limit / 200,
            links_max: limit / 20,
        };
        let (input, read) = self.read_input(scalar, place, FILE_BYTES_MAX, |name, bytes| {
            files::read(name, bytes, limits)
        })?;
        let read = match read {
            Ok(read) => read,
            Err(errors) => {
                for error in errors {
                    self.error(place, format!("{}, {error}", scalar.text), "a graph");
                }
                return None;
            }
        };
        for warning in &read.warnings {
            self.warning(place, format!("{}: {warning}", scalar.text), "");
        }
        let mut checked = Checked {
            compiler: self,
            shown: &scalar.text,
            place,
            fine: true,
        };
        let mut file = FileGraph::new(read.graph, read.attributes);
        let peers = file.graph.peers();
        let attributes = &file.attributes;
        if let Some(column) = attributes.of_peers("type") {
            if around.types_given {
                let message = format!(
                    "{}: the `type` of its peers is not used, since `types` is there",
                    scalar.text
                );
                checked.compiler.warning(place, message, "one of both");
            } else {
                file.types = checked.types(column, peers, around.types);
            }
        }
        // Without locations something else is wrong, which has been said.
        if let Some(column) = attributes
            .of_peers("location")
            .filter(|_| !around.locations.is_empty())
        {
            file.locations = checked.locations(column, peers, around.locations);
        }
        if let Some(column) = attributes.of_peers("bandwidth_ul") {
            file.bandwidth_ul = checked.bandwidths(column, peers);
        }
        if let Some(column) = attributes.of_peers("bandwidth_dl") {
            file.bandwidth_dl = checked.bandwidths(column, peers);
        }
        if let Some(column) = attributes.of_links("latency") {
            file.latencies = Some(checked.latencies(column, peers));
        }
        if !checked.fine {
            return None;
        }
        let ids = Ids::Listed(file.graph.ids().to_vec());
        Some((GraphSource::File(Box::new(file)), ids, Some(input), place))
    }
}

/// Checks values and says where they are wrong.
struct Checked<'a, 'b> {
    compiler: &'a mut Compiler<'b>,
    shown: &'a str,
    place: Place,
    fine: bool,
}

impl Checked<'_, '_> {
    /// What `check` makes of each value; what is wrong is said, of the first few.
    fn each<K: Copy, T>(
        &mut self,
        column: &Column<K>,
        mut check: impl FnMut(&Value) -> Result<T, (String, String)>,
        mut take: impl FnMut(K, T),
    ) {
        let mut wrong = Vec::new();
        let mut count = 0_usize;
        for Cell { at, line, value } in &column.cells {
            match check(value) {
                Ok(checked) => take(*at, checked),
                Err((message, expected)) => {
                    count += 1;
                    if wrong.len() < ERRORS_MAX {
                        wrong.push((*line, message, expected));
                    }
                }
            }
        }
        self.fine &= count == 0;
        wrong.sort();
        for (line, message, expected) in wrong {
            let message = format!("{}, line {line}: {message}", self.shown);
            self.compiler.error(self.place, message, expected);
        }
        if count > ERRORS_MAX {
            let more = count - ERRORS_MAX;
            let message = format!(
                "{}: {more} more values of `{}` are wrong",
                self.shown, column.name
            );
            self.compiler.error(self.place, message, "");
        }
    }

    fn types(
        &mut self,
        column: &Column<u32>,
        peers: usize,
        types: &[PlacedType],
    ) -> Option<Vec<TypeIndex>> {
        let names: Vec<&str> = types.iter().map(|t| t.peer_type.name.as_str()).collect();
        let mut found = vec![None; peers];
        let known = |value: &Value| known("peer type", &names, value);
        self.each(column, known, |peer, place| {
            found[peer as usize] = Some(TypeIndex(place as u16));
        });
        if !self.fine {
            return None;
        }
        // Where there is one type nobody need name it.
        let only = (types.len() == 1).then_some(TypeIndex(0));
        let missing = found.iter().filter(|t| t.is_none()).count();
        if missing > 0 && only.is_none() {
            let message = format!("{}: {missing} peers have no `type`", self.shown);
            let expected = "a `type` for each peer, or `types` in the scenario";
            self.compiler.error(self.place, message, expected);
            self.fine = false;
        }
        found.into_iter().map(|t| t.or(only)).collect()
    }

    fn locations(
        &mut self,
        column: &Column<u32>,
        peers: usize,
        locations: &[String],
    ) -> Vec<Option<LocationIndex>> {
        let names: Vec<&str> = locations.iter().map(String::as_str).collect();
        let mut found = vec![None; peers];
        let known = |value: &Value| known("location", &names, value);
        self.each(column, known, |peer, place| {
            found[peer as usize] = Some(LocationIndex(place as u16));
        });
        found
    }

    fn bandwidths(&mut self, column: &Column<u32>, peers: usize) -> Vec<Option<Distribution>> {
        let mut found = vec![None; peers];
        let check = |value: &Value| {
            let law = law(value, Dimension::Bandwidth)?;
            if law.upper_bound() > 0.0 {
                return Ok(law);
            }
            let message = format!("a `{}` of {value} is never above 0", column.name);
            Err((message, "bit/s above 0, for example 50 Mbit".to_owned()))
        };
        self.each(column, check, |peer, law| found[peer as usize] = Some(law));
        found
    }

    fn latencies(&mut self, column: &Column<(u32, u32)>, peers: usize) -> LinkLatencies {
        // Each law once, however many links have it.
        let mut laws = Vec::new();
        let mut constants: BTreeMap<u64, u32> = BTreeMap::new();
        let mut others: BTreeMap<String, u32> = BTreeMap::new();
        let check = |value: &Value| {
            let next = laws.len() as u32;
            let known = match value {
                Value::Whole(ms) => Some((*ms as f64).to_bits()),
                Value::Real(ms) => Some(ms.to_bits()),
                _ => None,
            };
            if let Some(place) = match (known, value) {
                (Some(bits), _) => constants.get(&bits).copied(),
                (None, Value::Text(text)) => others.get(&**text).copied(),
                _ => None,
            } {
                return Ok(place);
            }
            let law = law(value, Dimension::Time)?;
            if law.as_constant().is_some_and(|ms| ms < 0.0) {
                let message = format!("a `latency` of {value} is negative");
                return Err((message, "milliseconds, 0 or above".to_owned()));
            }
            laws.push(law);
            match known {
                Some(bits) => constants.insert(bits, next),
                None => others.insert(value.to_string(), next),
            };
            Ok(next)
        };
        let mut links = Vec::with_capacity(column.cells.len());
        self.each(column, check, |link, place| links.push((link, place)));
        LinkLatencies::new(peers, laws, &links)
    }
}

/// The place of a name among the known ones.
fn known(what: &str, names: &[&str], value: &Value) -> Result<usize, (String, String)> {
    let text = value.to_string();
    names.iter().position(|name| **name == text).ok_or_else(|| {
        let expected = nearest(&text, names.iter().copied()).unwrap_or_else(|| {
            let listed = names
                .iter()
                .take(10)
                .copied()
                .collect::<Vec<_>>()
                .join(", ");
            format!("known {what}s: {listed}")
        });
        (format!("unknown {what} `{text}`"), expected)
    })
}

/// A number or an expression as a law.
fn law(value: &Value, dimension: Dimension) -> Result<Distribution, (String, String)> {
    match value {
        Value::Whole(number) => Ok(Distribution::constant(*number as f64)),
        Value::Real(number) => Ok(Distribution::constant(*number)),
        Value::Flag(flag) => {
            let expected = "a number, or a distribution like norm(12, 2)".to_owned();
            Err((format!("`{flag}` is no number"), expected))
        }
        Value::Text(text) => Distribution::parse(text, dimension).map_err(|errors| {
            let (message, expected) = match errors.into_iter().next() {
                Some(error) => (error.message, error.expected),
                None => ("not a distribution".into(), String::new()),
            };
            (format!("`{text}`: {message}"), expected)
        }),
    }
}
