//! `locations` and `latencies`: a mapping of laws, or a CSV matrix.

use std::collections::BTreeSet;

use serde_json::json;

use super::compiler::Compiler;
use super::node::{Node, Scalar, Value};
use super::schema;
use super::source::Place;
use crate::distribution::Distribution;
use crate::expression::nearest;
use crate::network::{LatencyMeaning, LatencyTable};
use crate::peer::LocationIndex;
use crate::simulation::{GraphSource, PeerType, Population};
use crate::time::Time;
use crate::units::Dimension;

/// The largest matrix file, in bytes: enough for the cells of [`LOCATIONS_MAX`] locations.
const MATRIX_BYTES_MAX: usize = 16 << 20;
/// A matrix of this many has a million cells, and they take 150 MB while they are checked.
const LOCATIONS_MAX: usize = 1024;
/// After this many bad rows the rest of a matrix is not worth reading.
const BAD_ROWS_MAX: usize = 5;
/// More pairs or locations than this are counted, not listed.
const LISTED_MAX: usize = 5;
const NAME_CHARS_MAX: usize = 100;

pub(super) fn locations_schema() -> serde_json::Value {
    json!({
        "type": "array",
        "items": {"type": ["string", "number", "boolean"]},
        "minItems": 1,
        "maxItems": LOCATIONS_MAX,
        "uniqueItems": true,
    })
}

pub(super) fn latencies_schema() -> serde_json::Value {
    let mut table = schema::map_of(schema::map_of(schema::defined("law_of_times")));
    table["minProperties"] = json!(1);
    schema::any_of([table, json!({"type": "string"})])
}

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

/// A row of a CSV matrix and its line.
struct Row {
    cells: csv::StringRecord,
    place: Place,
}

impl Row {
    /// Which location it is about.
    fn name(&self) -> &str {
        self.cells.get(0).unwrap_or_default().trim()
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
        if items.is_empty() || items.len() > LOCATIONS_MAX {
            if complain {
                let message = format!("there are {} locations", items.len());
                self.error(node.place, message, format!("from 1 to {LOCATIONS_MAX}"));
            }
            return None;
        }
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
                // One too many is enough to know that there are too many.
                if locations.len() > LOCATIONS_MAX {
                    break;
                }
                if !locations.contains(&key.text) {
                    if let Some(problem) = name_problem("location", &key.text) {
                        self.error(key.place, problem, "");
                    }
                    locations.push(key.text.clone());
                }
            }
            if locations.is_empty() || locations.len() > LOCATIONS_MAX {
                let message = match locations.len() {
                    0 => "there are no locations".to_owned(),
                    _ => format!("there are more than {LOCATIONS_MAX} locations"),
                };
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

    pub(super) fn known_location(
        &mut self,
        name: &str,
        place: Place,
        known: &[String],
    ) -> Option<usize> {
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
        let columns: Vec<&str> = header.cells.iter().skip(1).map(str::trim).collect();
        let row_names = || rows.iter().map(|row| row.name());
        let locations: Vec<String> = match names {
            Some(names) => names,
            None => {
                self.same_names(header, rows)?;
                row_names().map(str::to_owned).collect()
            }
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
        for row in rows {
            let Some(from) = place_of(row.name()) else {
                continue;
            };
            for (column, cell) in columns.iter().zip(row.cells.iter().skip(1)) {
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
                        let message = format!(
                            "`{cell}` between `{}` and `{column}` is no latency",
                            row.name()
                        );
                        self.error(row.place, message, "milliseconds, 0 or above");
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

    /// Complains of a row without its column and of a column without its row.
    fn same_names(&mut self, header: &Row, rows: &[Row]) -> Option<()> {
        let columns: BTreeSet<&str> = header.cells.iter().skip(1).map(str::trim).collect();
        let names: BTreeSet<&str> = rows.iter().map(Row::name).collect();
        let lonely_row = rows.iter().find(|row| !columns.contains(row.name()));
        // Columns without a name are what spreadsheets leave at the end.
        let lonely_column = columns
            .iter()
            .find(|name| !name.is_empty() && !names.contains(*name));
        let (place, message) = match (lonely_row, lonely_column) {
            (None, None) => return Some(()),
            (Some(row), _) => (row.place, format!("there is no column `{}`", row.name())),
            (_, Some(name)) => (header.place, format!("there is no row `{name}`")),
        };
        self.error(
            place,
            message,
            "a row and a column for each location, or `locations` to choose from them",
        );
        None
    }

    /// The rows of a CSV file; all have as many cells as the first.
    fn csv_rows(&mut self, source: u16) -> Option<Vec<Row>> {
        let text = self.sources.get(source).text.clone();
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let line_at = |start: usize| {
            let start = start.min(text.len());
            let skipped =
                text[start..].len() - text[start..].trim_start_matches(['\r', '\n']).len();
            let line = text[start + skipped..].lines().next().unwrap_or_default();
            Place::new(source, start + skipped..start + skipped + line.len())
        };
        let mut rows: Vec<Row> = Vec::new();
        let mut names = BTreeSet::new();
        let mut bad = 0;
        for record in reader.records() {
            let cells = match record {
                Ok(cells) => cells,
                Err(error) => {
                    let start = error.position().map_or(0, |at| at.byte() as usize);
                    self.error(line_at(start), format!("this is not CSV: {error}"), "");
                    return None;
                }
            };
            let start = cells.position().map_or(0, |at| at.byte() as usize);
            let row = Row {
                place: line_at(start),
                cells,
            };
            let wanted = rows
                .first()
                .map_or(row.cells.len(), |first| first.cells.len());
            if row.cells.len() != wanted {
                let message = format!("this row has {} cells", row.cells.len());
                self.error(row.place, message, format!("{wanted}, as in the header"));
                bad += 1;
            }
            if !rows.is_empty() && !names.insert(row.name().to_owned()) {
                let message = format!("row `{}` is there twice", row.name());
                self.error(row.place, message, "one of them");
                bad += 1;
            }
            if bad >= BAD_ROWS_MAX {
                return None;
            }
            rows.push(row);
        }
        if rows.len() < 2 {
            let expected = "a header with the names of the columns, then a row a location";
            self.error(line_at(0), "this matrix is empty", expected);
            return None;
        }
        let mut columns = BTreeSet::new();
        for name in rows[0].cells.iter().skip(1).map(str::trim) {
            if !name.is_empty() && !columns.insert(name) {
                let message = format!("column `{name}` is there twice");
                self.error(rows[0].place, message, "one of them");
                bad += 1;
            }
        }
        (bad == 0).then_some(rows)
    }

    /// Every two peers that there can be need a latency between their locations.
    pub(super) fn check_pairs(
        &mut self,
        matrix: &Matrix,
        locations: &[String],
        types: &[PeerType],
        counts: &[u64],
        population: &Population,
    ) {
        let (placed, free) = placed_by_file(population, locations.len());
        let mut counts = counts.to_vec();
        if !free {
            counts.fill(0);
        }
        // How many peers could be at each location, one type's at most (0, 1, or more).
        let mut hosts: Vec<Vec<usize>> = vec![Vec::new(); locations.len()];
        for (index, peer_type) in types.iter().enumerate().filter(|&(i, _)| counts[i] > 0) {
            for location in peer_type.location.possible() {
                hosts[location].push(index);
            }
        }
        // Those whom a graph file puts there count as one more type.
        for (location, &count) in placed.iter().enumerate().filter(|&(_, &count)| count > 0) {
            hosts[location].push(counts.len());
            counts.push(count);
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
        let named = matrix
            .cells
            .iter()
            .flatten()
            .any(|(_, p)| *p != matrix.place);
        let unused: Vec<String> = locations
            .iter()
            .zip(&hosts)
            .filter(|(_, hosts)| hosts.is_empty())
            .map(|(location, _)| format!("`{location}`"))
            .collect();
        if named && !unused.is_empty() {
            let message = format!("no peer can be at location {}", first_few(&unused));
            self.warning(
                matrix.place,
                message,
                "a peer type's `location` that names it",
            );
        }
        if missing.is_empty() {
            return;
        }
        let listed = first_few(&missing);
        let message = format!("peers need latencies that are missing: {listed}");
        self.error(
            matrix.place,
            message,
            "a law for each pair, in one direction at least",
        );
    }
}

/// How many peers a graph file puts at each location, and whether it leaves any to their types.
fn placed_by_file(population: &Population, locations: usize) -> (Vec<u64>, bool) {
    let mut placed = vec![0; locations];
    let given = match population {
        Population::Graph {
            links: GraphSource::File(file),
            ..
        } => &file.locations[..],
        _ => &[],
    };
    for location in given.iter().flatten() {
        placed[location.as_usize()] += 1;
    }
    let free = given.is_empty() || given.iter().any(Option::is_none);
    (placed, free)
}

/// A list, or its begin where it is long.
fn first_few(items: &[String]) -> String {
    let more = items.len().saturating_sub(LISTED_MAX);
    let mut listed = items[..items.len() - more].join(", ");
    if more > 0 {
        listed.push_str(&format!(" and {more} more"));
    }
    listed
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
