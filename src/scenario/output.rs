//! `output`: what a run writes.

use std::collections::BTreeSet;

use serde_json::json;

use super::compiler::Compiler;
use super::fields::{FLAGS, Fields};
use super::node::{Node, Value};
use super::schema::{self, KeySpec, Mapping};
use super::source::Place;
use super::topology::Topology;
use crate::expression::nearest;
use crate::peer::{PeerId, TypeIndex};
use crate::record::{
    DeliveryMode, LOAD_ROWS_MAX, LoadMode, LogLevel, LogOptions, LogSelection, MeasureOptions,
    TableFormat,
};
use crate::simulation::PeerType;
use crate::time::Time;
use crate::units::show_count;

/// The interval of load, unless the scenario says otherwise or the run is too long for it.
const INTERVAL: Time = Time::from_ns(1_000_000_000);
/// A default interval is lengthened until there are at most this many rows of load.
const DEFAULT_ROWS_MAX: u64 = 1_000_000;
const NS_PER_MS: u64 = 1_000_000;
/// Each is a file.
const SNAPSHOTS_MAX: u64 = 10_000;

/// The words for the logs of everyone, and of nobody.
const WHOSE_LOGS: [(&str, LogSelection); 2] =
    [("all", LogSelection::All), ("none", LogSelection::None)];
/// The word for no snapshots.
const NONE: &str = "none";

pub(super) const OUTPUT: Mapping = Mapping {
    what: "`output`",
    keys: &[
        KeySpec::new(
            "logs",
            |registry| {
                let names = schema::list_of(schema::name(registry));
                schema::any_of([schema::words(&WHOSE_LOGS), names])
            },
            "whose logs are kept: all, none, or a list of peer ids and types",
        )
        .or("all"),
        KeySpec::new(
            "level",
            |_| schema::words(&LogLevel::ALL.map(|level| (level.key(), ()))),
            "the least serious lines kept",
        )
        .or("info"),
        KeySpec::new(
            "bootstrap",
            schema::flag,
            "whether connections of bootstrap peers are part of topology.csv",
        )
        .or("false"),
        KeySpec::new(
            "deliveries",
            |_| schema::words(&DeliveryMode::ALL.map(|mode| (mode.key(), ()))),
            "of the spread of gossip, keep every first receipt, histograms of fixed size, or \
             nothing",
        )
        .or("full"),
        KeySpec::new(
            "load",
            |_| schema::words(&LoadMode::ALL.map(|mode| (mode.key(), ()))),
            "load over time by peer type and location, by peer, or not at all",
        )
        .or("groups"),
        KeySpec::new(
            "interval",
            schema::time_above_0,
            "how long an interval of load is; 1 s, or what keeps load.csv under a million rows, \
             unless given",
        ),
        KeySpec::new(
            "latencies",
            schema::flag,
            "whether the latencies of all messages are counted by pair of locations",
        )
        .or("false"),
        KeySpec::new(
            "format",
            |_| schema::words(&TableFormat::ALL.map(|format| (format.key(), ()))),
            "of the tables deliveries, coverage, load and latency_histogram",
        )
        .or("csv"),
        KeySpec::new(
            "snapshots",
            |registry| schema::any_of([schema::time_above_0(registry), json!({"const": NONE})]),
            "how often the topology is written during the run, in whole ms, or none",
        )
        .or(NONE),
    ],
};

/// What a run writes.
#[derive(Default)]
pub(super) struct Output {
    pub(super) logs: LogOptions,
    pub(super) snapshots: Option<(Time, Place)>,
    pub(super) bootstrap: bool,
    deliveries: DeliveryMode,
    load: LoadMode,
    interval: Option<(Time, Place)>,
    latencies: bool,
    format: TableFormat,
}

impl Compiler<'_> {
    pub(super) fn output(
        &mut self,
        node: &Node,
        head: Place,
        topology: &Topology,
    ) -> Option<Output> {
        let mut fields = Fields::new(self, &OUTPUT, node, head)?;
        let selection = match fields.get("logs") {
            Some(node) => self.log_selection(node, topology),
            None => Some(LogSelection::default()),
        };
        let level = match fields.get("level") {
            Some(node) => self.word(node, &LogLevel::ALL.map(|level| (level.key(), level))),
            None => Some(LogLevel::default()),
        };
        let bootstrap = match fields.get("bootstrap") {
            Some(node) => self.word(node, &FLAGS),
            None => Some(false),
        };
        let deliveries = match fields.get("deliveries") {
            Some(node) => self.word(node, &DeliveryMode::ALL.map(|mode| (mode.key(), mode))),
            None => Some(DeliveryMode::default()),
        };
        let load = match fields.get("load") {
            Some(node) => self.word(node, &LoadMode::ALL.map(|mode| (mode.key(), mode))),
            None => Some(LoadMode::default()),
        };
        let interval = match fields.get("interval") {
            Some(node) => self
                .duration(node, Time::from_ns(1))
                .map(|interval| Some((interval, node.place))),
            None => Some(None),
        };
        let latencies = match fields.get("latencies") {
            Some(node) => self.word(node, &FLAGS),
            None => Some(false),
        };
        let format = match fields.get("format") {
            Some(node) => self.table_format(node),
            None => Some(TableFormat::default()),
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
            deliveries: deliveries?,
            load: load?,
            interval: interval?,
            latencies: latencies?,
            format: format?,
        })
    }

    fn table_format(&mut self, node: &Node) -> Option<TableFormat> {
        let format = self.word(node, &TableFormat::ALL.map(|format| (format.key(), format)))?;
        if format == TableFormat::Parquet && !cfg!(feature = "parquet") {
            let message = "this p2psim was built without Parquet";
            let cure = "csv, or build it with `cargo install --path . --features parquet`";
            self.error(node.place, message, cure);
            return None;
        }
        Some(format)
    }

    /// What is measured, with an interval of load under which its rows stay within bounds.
    pub(super) fn measures(
        &mut self,
        output: &Output,
        types: &[PeerType],
        counts: &[u64],
        horizon: Time,
    ) -> Option<MeasureOptions> {
        let groups: u64 = match output.load {
            LoadMode::None => 0,
            LoadMode::Peers => counts.iter().sum(),
            LoadMode::Groups => types
                .iter()
                .zip(counts)
                .map(|(peer_type, &count)| count.min(peer_type.location.possible().len() as u64))
                .sum(),
        };
        let rows = |interval: Time| {
            let intervals = horizon.as_ns().div_ceil(interval.as_ns());
            u128::from(intervals) * u128::from(groups)
        };
        let shortest = |rows_max: u64| {
            let intervals = (rows_max / groups.max(1)).max(1);
            Time::from_ns(horizon.as_ns().div_ceil(intervals)).round_up_to_step()
        };
        let interval = match output.interval {
            None => INTERVAL.max(shortest(DEFAULT_ROWS_MAX)),
            Some((interval, _)) if rows(interval) <= u128::from(LOAD_ROWS_MAX) => interval,
            Some((interval, place)) => {
                let message = format!(
                    "{} intervals of {interval} ms for {} {} are more than the {} rows that load.csv may have",
                    show_count(horizon.as_ns().div_ceil(interval.as_ns())),
                    show_count(groups),
                    if output.load == LoadMode::Peers {
                        "peers"
                    } else {
                        "groups of peers"
                    },
                    show_count(LOAD_ROWS_MAX),
                );
                let cure = format!(
                    "an interval of {} ms or more, or `load: none`",
                    shortest(LOAD_ROWS_MAX)
                );
                self.error(place, message, cure);
                return None;
            }
        };
        if output.interval.is_none() && rows(interval) > u128::from(LOAD_ROWS_MAX) {
            // More peers than rows: no interval is long enough.
            let message = format!(
                "a row for each of {} peers is more than the {} that load.csv may have",
                show_count(groups),
                show_count(LOAD_ROWS_MAX)
            );
            self.error(None, message, "output: {load: groups}");
            return None;
        }
        Some(MeasureOptions {
            deliveries: output.deliveries,
            load: output.load,
            interval,
            latencies: output.latencies,
            format: output.format,
        })
    }

    /// A time, or `none`.
    fn snapshots(&mut self, node: &Node) -> Option<Option<(Time, Place)>> {
        if matches!(&node.value, Value::Scalar(scalar) if scalar.text == NONE) {
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
                let [all, none] = WHOSE_LOGS;
                let keeps = self.word(node, &[(all.0, true), (none.0, false)])?;
                return Some(if keeps { all.1 } else { none.1 });
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
