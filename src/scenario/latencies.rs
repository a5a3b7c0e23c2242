//! `locations` and `latencies`: a mapping of laws, or a CSV matrix.

use super::compiler::Compiler;
use super::node::{Node, Scalar, Value};
use super::source::Place;
use crate::distribution::Distribution;
use crate::expression::nearest;
use crate::network::{LatencyMeaning, LatencyTable};
use crate::peer::LocationIndex;
use crate::simulation::PeerType;
use crate::time::Time;
use crate::units::Dimension;

/// The largest matrix file, in bytes.
const MATRIX_BYTES_MAX: usize = 64 << 20;
/// A location's place is 16 bits; a matrix of this many has 16 million cells.
const LOCATIONS_MAX: usize = 4096;
/// More missing pairs than this are counted, not listed.
const MISSING_SHOWN: usize = 5;
const NAME_CHARS_MAX: usize = 100;

/// What a scenario says about locations and latencies.
pub(super) struct Latencies {
    pub(super) locations: Vec<String>,
    pub(super) matrix: Matrix,
    /// The input file the matrix comes from.
    pub(super) file: Option<String>,
}

/// The laws as they are given, and where.
pub(super) struct Matrix {
    locations: usize,
    cells: Vec<Option<(Distribution, Place)>>,
    /// Where to point when a law is missing.
    place: Place,
}

impl Matrix {
    fn new(locations: usize, place: Place) -> Self {
        Matrix {
            locations,
            cells: vec![None; locations * locations],
            place,
        }
    }

    fn serves(&self, a: usize, b: usize) -> bool {
        self.cells[a * self.locations + b].is_some() || self.cells[b * self.locations + a].is_some()
    }

    pub(super) fn placed_laws(&self) -> Vec<(Distribution, Place)> {
        self.cells.iter().flatten().cloned().collect()
    }

    pub(super) fn table(&self, meaning: LatencyMeaning, delay_min: Time) -> LatencyTable {
        let mut table = LatencyTable::new(self.locations, meaning, delay_min);
        for (place, cell) in self.cells.iter().enumerate() {
            if let Some((law, _)) = cell {
                let (from, to) = (place / self.locations, place % self.locations);
                table.set(
                    LocationIndex(from as u16),
                    LocationIndex(to as u16),
                    law.clone(),
                );
            }
        }
        table
    }
}

impl Compiler<'_> {
    /// A list of names; silent where the same list has been complained of already.
    pub(super) fn locations(&mut self, node: &Node, complain: bool) -> Option<Vec<String>> {
        let Value::List(items) = &node.value else {
            if complain {
                let message = format!("`locations` is a list, not {}", node.described());
                self.error(node.place, message, "[LocA, LocB]");
            }
            return None;
        };
        let mut names: Vec<String> = Vec::with_capacity(items.len());
        for item in items {
            let problem = match &item.value {
                Value::Scalar(scalar) if names.contains(&scalar.text) => {
                    Some(format!("location `{}` is named twice", scalar.text))
                }
                Value::Scalar(scalar) => {
                    names.push(scalar.text.clone());
                    name_problem("location", &scalar.text)
                }
                _ => Some(format!("a location is a name, not {}", item.described())),
            };
            if let (Some(problem), true) = (problem, complain) {
                self.error(item.place, problem, "");
            }
        }
        if complain && (names.is_empty() || names.len() > LOCATIONS_MAX) {
            let message = format!("there are {} locations", names.len());
            self.error(node.place, message, format!("from 1 to {LOCATIONS_MAX}"));
            return None;
        }
        Some(names)
    }

    pub(super) fn latencies(&mut self, node: &Node, locations: Option<&Node>) -> Option<Latencies> {
        let names = match locations {
            Some(locations) => Some(self.locations(locations, true)?),
            None => None,
        };
        match &node.value {
            Value::Map(_) => self.latency_map(node, names),
            Value::Scalar(scalar) => self.latency_file(scalar, node.place, names),
            Value::Null | Value::List(_) => {
                let message = format!("`latencies` cannot be {}", node.described());
                let expected = "{LocA: {LocB: \"norm(12, 2)\"}}, or the path of a CSV matrix";
                self.error(node.place, message, expected);
                None
            }
        }
    }

    fn latency_map(&mut self, node: &Node, names: Option<Vec<String>>) -> Option<Latencies> {
        let Value::Map(rows) = &node.value else {
            return None;
        };
        let given = names.is_some();
        let mut locations = names.unwrap_or_default();
        if !given {
            let inner = rows.iter().flat_map(|(_, row)| match &row.value {
                Value::Map(cells) => &cells[..],
                _ => &[],
            });
            for (key, _) in rows.iter().chain(inner) {
                if !locations.contains(&key.text) {
                    if let Some(problem) = name_problem("location", &key.text) {
                        self.error(key.place, problem, "");
                    }
                    locations.push(key.text.clone());
                }
            }
            if locations.is_empty() || locations.len() > LOCATIONS_MAX {
                let message = format!("there are {} locations", locations.len());
                self.error(node.place, message, format!("from 1 to {LOCATIONS_MAX}"));
                return None;
            }
        }
        let mut matrix = Matrix::new(locations.len(), node.place);
        for (from, row) in rows {
            let from_place = self.known_location(&from.text, from.place, &locations);
            let Value::Map(cells) = &row.value else {
                let message = format!(
                    "the latencies of `{}` are a mapping, not {}",
                    from.text,
                    row.described()
                );
                self.error(row.place, message, "{LocB: \"norm(12, 2)\"}");
                continue;
            };
            for (to, cell) in cells {
                let to_place = self.known_location(&to.text, to.place, &locations);
                let law = self.law(cell, Dimension::Time);
                if let (Some(from), Some(to), Some(law)) = (from_place, to_place, law) {
                    matrix.cells[from * locations.len() + to] = Some((law, cell.place));
                }
            }
        }
        Some(Latencies {
            locations,
            matrix,
            file: None,
        })
    }

    fn known_location(&mut self, name: &str, place: Place, known: &[String]) -> Option<usize> {
        let found = known.iter().position(|location| location == name);
        if found.is_none() {
            let expected = nearest(name, known.iter().map(String::as_str))
                .unwrap_or_else(|| "one of `locations`".into());
            self.error(place, format!("unknown location `{name}`"), expected);
        }
        found
    }

    fn latency_file(
        &mut self,
        scalar: &Scalar,
        place: Place,
        names: Option<Vec<String>>,
    ) -> Option<Latencies> {
        let (bytes, file) = self.input(scalar, place, MATRIX_BYTES_MAX)?;
        let Ok(text) = String::from_utf8(bytes) else {
            let message = format!("{} is not UTF-8 text", scalar.text);
            self.error(place, message, "a CSV file");
            return None;
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned();
        let source = self.sources.add(scalar.text.clone(), text);
        let rows = self.csv_rows(source)?;
        let (header, rows) = rows.split_first()?;
        let columns: Vec<&str> = header.1.iter().skip(1).map(|name| name.trim()).collect();
        let row_names = || rows.iter().map(|(_, cells)| cells[0].trim());
        let locations: Vec<String> = match names {
            Some(names) => names,
            None => row_names().map(str::to_owned).collect(),
        };
        if locations.len() > LOCATIONS_MAX {
            let message = format!("the matrix has {} rows", locations.len());
            self.error(place, message, format!("at most {LOCATIONS_MAX} locations"));
            return None;
        }
        for location in &locations {
            if !row_names().any(|name| name == location) {
                let message = format!("{} has no row `{location}`", scalar.text);
                let near = nearest(location, row_names()).unwrap_or_default();
                self.error(place, message, near);
            }
            if let Some(problem) = name_problem("location", location) {
                self.error(place, problem, "");
            }
        }
        let place_of = |name: &str| locations.iter().position(|location| location == name);
        let mut matrix = Matrix::new(locations.len(), place);
        for (line, cells) in rows {
            let Some(from) = place_of(cells[0].trim()) else {
                continue;
            };
            for (column, cell) in columns.iter().zip(&cells[1..]) {
                let (Some(to), cell) = (place_of(column), cell.trim()) else {
                    continue;
                };
                if cell.is_empty() {
                    continue;
                }
                match cell.parse::<f64>() {
                    Ok(ms) if ms >= 0.0 && ms <= Time::MAX.as_ms() => {
                        let law = Distribution::constant(ms);
                        matrix.cells[from * locations.len() + to] = Some((law, place));
                    }
                    _ => {
                        let line = self.sources.line(source, *line);
                        let message = format!(
                            "`{cell}` between `{}` and `{column}` is no latency",
                            cells[0]
                        );
                        self.error(line, message, "milliseconds, 0 or above");
                    }
                }
            }
        }
        Some(Latencies {
            locations,
            matrix,
            file: Some(file),
        })
    }

    /// The rows of a CSV file with their line numbers; all have as many cells as the first.
    fn csv_rows(&mut self, source: u16) -> Option<Vec<(u64, Vec<String>)>> {
        let text = self.sources.get(source).text.clone();
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let mut rows: Vec<(u64, Vec<String>)> = Vec::new();
        let mut fine = true;
        for record in reader.records() {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    let line = error.position().map_or(1, csv::Position::line);
                    let place = self.sources.line(source, line);
                    self.error(place, format!("this is not CSV: {error}"), "");
                    return None;
                }
            };
            let line = record.position().map_or(1, csv::Position::line);
            let cells: Vec<String> = record.iter().map(str::to_owned).collect();
            let wanted = rows.first().map_or(cells.len(), |(_, first)| first.len());
            if cells.len() != wanted {
                let place = self.sources.line(source, line);
                let message = format!("this row has {} cells", cells.len());
                self.error(place, message, format!("{wanted}, as in the header"));
                fine = false;
            }
            if rows.len() > 1 && rows[1..].iter().any(|(_, row)| row[0] == cells[0]) {
                let place = self.sources.line(source, line);
                self.error(
                    place,
                    format!("row `{}` is there twice", cells[0]),
                    "one of them",
                );
                fine = false;
            }
            rows.push((line, cells));
        }
        if rows.len() < 2 {
            let place = self.sources.line(source, 1);
            let expected = "a header with the names of the columns, then a row a location";
            self.error(place, "this matrix is empty", expected);
            fine = false;
        }
        fine.then_some(rows)
    }

    /// Every two peers that there can be need a latency between their locations.
    pub(super) fn check_pairs(
        &mut self,
        matrix: &Matrix,
        locations: &[String],
        types: &[PeerType],
        counts: &[u64],
    ) {
        // How many peers could be at each location, one type's at most (0, 1, or more).
        let mut hosts: Vec<Vec<usize>> = vec![Vec::new(); locations.len()];
        for (index, peer_type) in types.iter().enumerate().filter(|&(i, _)| counts[i] > 0) {
            for location in peer_type.location.possible() {
                hosts[location].push(index);
            }
        }
        let together = |a: usize, b: usize| match (&hosts[a][..], &hosts[b][..]) {
            ([], _) | (_, []) => false,
            // One and the same peer cannot be at both ends.
            ([one], [other]) if one == other => counts[*one] > 1,
            _ => true,
        };
        let mut missing = Vec::new();
        for a in 0..locations.len() {
            for b in a..locations.len() {
                if together(a, b) && !matrix.serves(a, b) {
                    missing.push(format!("{}-{}", locations[a], locations[b]));
                }
            }
        }
        for (location, hosts) in locations.iter().zip(&hosts) {
            if hosts.is_empty()
                && matrix
                    .cells
                    .iter()
                    .flatten()
                    .any(|(_, p)| *p != matrix.place)
            {
                let message = format!("no peer can be at location `{location}`");
                self.warning(
                    matrix.place,
                    message,
                    "a peer type's `location` that names it",
                );
            }
        }
        if missing.is_empty() {
            return;
        }
        let more = missing.len().saturating_sub(MISSING_SHOWN);
        let mut listed = missing[..missing.len() - more].join(", ");
        if more > 0 {
            listed.push_str(&format!(" and {more} more"));
        }
        let message = format!("peers need latencies that are missing: {listed}");
        self.error(
            matrix.place,
            message,
            "a law for each pair, in one direction at least",
        );
    }
}

/// What is wrong with a name, if anything.
pub(super) fn name_problem(what: &str, name: &str) -> Option<String> {
    if name.is_empty() {
        Some(format!("the name of a {what} is empty"))
    } else if name.chars().count() > NAME_CHARS_MAX {
        Some(format!(
            "the name of this {what} has more than {NAME_CHARS_MAX} characters"
        ))
    } else if name.chars().any(char::is_control) || (name.contains('"') && name.contains('\'')) {
        Some(format!(
            "the name of this {what} has characters that no name can have"
        ))
    } else {
        None
    }
}
