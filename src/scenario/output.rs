//! `output`: what a run writes.

use std::collections::BTreeSet;

use super::compiler::Compiler;
use super::fields::Fields;
use super::node::{Node, Value};
use super::source::Place;
use super::topology::Topology;
use crate::expression::nearest;
use crate::peer::{PeerId, TypeIndex};
use crate::record::{LogLevel, LogOptions, LogSelection};
use crate::time::Time;

const NS_PER_MS: u64 = 1_000_000;
/// Each is a file.
const SNAPSHOTS_MAX: u64 = 10_000;

/// What a run writes.
#[derive(Default)]
pub(super) struct Output {
    pub(super) logs: LogOptions,
    pub(super) snapshots: Option<(Time, Place)>,
    pub(super) bootstrap: bool,
}

impl Compiler<'_> {
    pub(super) fn output(
        &mut self,
        node: &Node,
        head: Place,
        topology: &Topology,
    ) -> Option<Output> {
        let mut fields = Fields::new(self, "`output`", node, head)?;
        let selection = match fields.get("logs") {
            Some(node) => self.log_selection(node, topology),
            None => Some(LogSelection::default()),
        };
        let level = match fields.get("level") {
            Some(node) => self.word(node, &LogLevel::ALL.map(|level| (level.key(), level))),
            None => Some(LogLevel::default()),
        };
        let bootstrap = match fields.get("bootstrap") {
            Some(node) => self.word(node, &[("true", true), ("false", false)]),
            None => Some(false),
        };
        let snapshots = match fields.get("snapshots") {
            Some(node) => self.snapshots(node)?,
            None => None,
        };
        fields.finish(self);
        Some(Output {
            logs: LogOptions {
                selection: selection?,
                level: level?,
            },
            snapshots,
            bootstrap: bootstrap?,
        })
    }

    /// A time, or `none`.
    fn snapshots(&mut self, node: &Node) -> Option<Option<(Time, Place)>> {
        if matches!(&node.value, Value::Scalar(scalar) if scalar.text == "none") {
            return Some(None);
        }
        let every = self.duration(node, Time::from_ns(NS_PER_MS))?;
        if every.as_ns() % NS_PER_MS != 0 {
            let message = format!("snapshots every {every} ms have no whole numbers of ms");
            self.error(node.place, message, "a whole number of ms");
            return None;
        }
        Some(Some((every, node.place)))
    }

    /// Whether a run to `horizon` has snapshots, and not too many.
    pub(super) fn check_snapshots(&mut self, every: Time, place: Place, horizon: Time) {
        let count = horizon.as_ns() / every.as_ns();
        if count == 0 {
            let message = "the run ends before its first snapshot";
            self.warning(place, message, format!("at most the horizon, {horizon} ms"));
        } else if count > SNAPSHOTS_MAX {
            let message = format!("there would be {count} snapshots");
            self.error(place, message, format!("at most {SNAPSHOTS_MAX}"));
        }
    }

    fn log_selection(&mut self, node: &Node, topology: &Topology) -> Option<LogSelection> {
        let items = match &node.value {
            Value::List(items) => items,
            _ => {
                let words = [("all", LogSelection::All), ("none", LogSelection::None)];
                let place = self.word(node, &[(words[0].0, 0), (words[1].0, 1)])?;
                return Some(words[place].1.clone());
            }
        };
        let mut ids = BTreeSet::new();
        let mut types = BTreeSet::new();
        let mut fine = true;
        for item in items {
            let Value::Scalar(scalar) = &item.value else {
                let message = format!("a log cannot be {}", item.described());
                self.error(item.place, message, "a peer's id, or a peer type");
                fine = false;
                continue;
            };
            let type_names = || topology.types.iter().map(|t| t.name.as_str());
            let id = scalar.text.parse().ok().map(PeerId);
            if let Some(place) = type_names().position(|name| name == scalar.text) {
                types.insert(TypeIndex(place as u16));
            } else if let Some(id) = id.filter(|&id| topology.ids.contains(id)) {
                ids.insert(id);
            } else {
                let message = format!("no peer and no peer type is called `{}`", scalar.text);
                let expected = nearest(&scalar.text, type_names())
                    .unwrap_or_else(|| "a peer's id, or a peer type".into());
                self.error(item.place, message, expected);
                fine = false;
            }
        }
        fine.then_some(LogSelection::Some { ids, types })
    }
}
