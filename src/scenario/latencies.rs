//! Locations and the latencies between them: in the scenario itself, or in a matrix beside it.

use std::collections::HashMap;

use super::context::Context;
use super::diagnostics::Diagnostic;
use super::distributions::{checked_name, law};
use super::matrix;
use super::node::{Node, NodeKind};
use super::source::Place;
use super::words::{nearest_or_known, quoted};
use crate::distribution::Distribution;
use crate::units::Dimension;

/// Most locations: a place in their list is a 16-bit number.
const LOCATIONS_MAX: usize = u16::MAX as usize;

/// One latency as the scenario gives it.
pub(super) struct Cell {
    pub from: usize,
    pub to: usize,
    pub law: Distribution,
    pub place: Place,
}

/// What a scenario says about locations and latencies.
pub(super) struct Latencies {
    pub locations: Vec<String>,
    /// Where each location is named first.
    pub places: Vec<Place>,
    pub cells: Vec<Cell>,
    /// The matrix they are from: its place among the inputs.
    pub input: Option<usize>,
}

/// The locations, with their places in the list.
#[derive(Default)]
pub(super) struct Names {
    pub names: Vec<String>,
    pub places: Vec<Place>,
    index: HashMap<String, usize>,
}

impl Names {
    pub fn find(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// The name's place, at the end if it is new.
    pub fn intern(&mut self, name: &str, place: Place) -> usize {
        if let Some(found) = self.find(name) {
            return found;
        }
        self.index.insert(name.to_owned(), self.names.len());
        self.names.push(name.to_owned());
        self.places.push(place);
        self.names.len() - 1
    }
}

/// Reads the keys `locations` and `latencies`.
pub(super) fn read(
    ctx: &mut Context,
    locations: Option<&Node>,
    latencies: Option<&Node>,
    root: Place,
) -> Option<Latencies> {
    let listed = match locations {
        Some(node) => Some(read_locations(ctx, node)?),
        None => None,
    };
    let Some(latencies) = latencies else {
        ctx.add(
            Diagnostic::error(Some(root), "missing key `latencies`")
                .help("for example `latencies: {LocA: {LocA: \"norm(2, 0.5)\"}}`"),
        );
        return None;
    };
    let read = match &latencies.kind {
        NodeKind::Map(_) => read_table(ctx, latencies, listed)?,
        NodeKind::Scalar(path) => matrix::read(ctx, latencies, path, listed)?,
        _ => {
            ctx.expected(latencies, "latencies by location, or the path of a matrix");
            return None;
        }
    };
    if read.locations.is_empty() {
        ctx.error(latencies.place, "there are no locations", "");
        return None;
    }
    if read.locations.len() > LOCATIONS_MAX {
        let message = format!("there are more than {LOCATIONS_MAX} locations");
        ctx.error(latencies.place, message, "");
        return None;
    }
    Some(read)
}

/// The names that `locations` lists, for the checks that go on when latencies are wrong.
pub(super) fn read_locations(ctx: &mut Context, node: &Node) -> Option<Names> {
    let mut names = Names::default();
    let mut fine = true;
    for item in ctx.list(node, "a list of locations")? {
        let Some(name) = item.as_scalar() else {
            ctx.expected(item, "the name of a location");
            fine = false;
            continue;
        };
        fine &= checked_name(ctx, name, item.place, "location");
        if names.find(name).is_some() {
            let message = format!("location {} is listed twice", quoted(name));
            ctx.error(item.place, message, "");
            fine = false;
        }
        names.intern(name, item.place);
    }
    fine.then_some(names)
}

fn read_table(ctx: &mut Context, node: &Node, listed: Option<Names>) -> Option<Latencies> {
    let complete = listed.is_some();
    let mut names = listed.unwrap_or_default();
    let mut cells = Vec::new();
    let mut fine = true;
    for (key, row) in ctx.entries(node, "latencies")? {
        let from = locate(ctx, &mut names, complete, &key.text, key.place);
        let Some(entries) = ctx.entries(row, "latencies by location") else {
            fine = false;
            continue;
        };
        for (key, value) in entries {
            let to = locate(ctx, &mut names, complete, &key.text, key.place);
            let found = law(ctx, value, Dimension::Time);
            match (from, to, found) {
                (Some(from), Some(to), Some(law)) => cells.push(Cell {
                    from,
                    to,
                    law,
                    place: value.place,
                }),
                _ => fine = false,
            }
        }
    }
    fine.then_some(Latencies {
        locations: names.names,
        places: names.places,
        cells,
        input: None,
    })
}

/// The place of a location in the list; where there is no list, naming it is enough.
fn locate(
    ctx: &mut Context,
    names: &mut Names,
    complete: bool,
    name: &str,
    place: Place,
) -> Option<usize> {
    if let Some(found) = names.find(name) {
        return Some(found);
    }
    if !complete {
        return checked_name(ctx, name, place, "location").then(|| names.intern(name, place));
    }
    ctx.error(
        place,
        format!("unknown location {}", quoted(name)),
        nearest_or_known(name, "locations", names.names.iter().map(String::as_str)),
    );
    None
}
