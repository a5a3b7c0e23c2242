//! The tables of a report: what was run, and the runs in figures beside one another.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};

use crate::report::charts::{PastRun, ms, per_cent};
use crate::report::measurements::show_signed;
use crate::units::{show_bytes, show_count, show_figure};

/// What was run.
pub(super) fn run_card(run: &PastRun) -> Value {
    let seconds = |pointer: &str| match run.figure(pointer) {
        Some(ms) => format!("{} s", show_figure(ms / 1000.0)),
        None => "unknown".to_owned(),
    };
    let mut facts = vec![
        ("scenario", run.word("/scenario").to_owned()),
        (
            "seed",
            match run.summary["seed"].as_u64() {
                Some(seed) => seed.to_string(),
                None => "unknown".to_owned(),
            },
        ),
        ("simulated", seconds("/reached_ms")),
        ("p2psim", run.word("/p2psim").to_owned()),
        ("digest", run.word("/digest").to_owned()),
        ("folder", run.folder.to_string_lossy().replace('\\', "/")),
    ];
    if let Some(types) = run
        .summary
        .pointer("/peers/by_type")
        .and_then(Value::as_object)
    {
        let count = |value: &Value| show_count(value.as_u64().unwrap_or_default());
        let counts = types
            .iter()
            .map(|(name, value)| format!("{name} {}", count(value)));
        let counts = counts.collect::<Vec<_>>().join(", ");
        let all = show_count(run.figure("/peers/total").unwrap_or_default() as u64);
        facts.insert(2, ("peers", format!("{all} ({counts})")));
    }
    json!({
        "label": run.label,
        "scenario": run.word("/scenario"),
        "facts": facts,
        "interrupted": run.interrupted().then(|| format!(
            "The run was interrupted at {} of {} of simulated time; everything here goes up to \
             then.",
            seconds("/reached_ms"),
            seconds("/horizon_ms")
        )),
        "yaml": run.scenario,
    })
}

/// A figure of each run.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    name: String,
    /// As people read it.
    shown: Vec<String>,
    /// Beside the first run: by how much it differs, and by how many per cent.
    differences: Vec<String>,
    values: Vec<Option<f64>>,
}

#[derive(Clone, Copy)]
enum Kind {
    Count,
    /// One that may be negative.
    Sum,
    Figure,
    Ms,
    Share,
    Bytes,
}

impl Kind {
    fn show(self, value: f64) -> String {
        match self {
            Kind::Count => show_count(value as u64),
            Kind::Sum => show_signed(value as i64),
            Kind::Figure => show_figure(value),
            Kind::Ms => ms(value),
            Kind::Share => per_cent(value),
            Kind::Bytes => show_bytes(value as u64),
        }
    }

    /// With its sign, and how much that is of `first`.
    fn show_difference(self, first: f64, value: f64) -> String {
        let difference = value - first;
        if difference == 0.0 {
            return "same".into();
        }
        let sign = if difference < 0.0 { '\u{2212}' } else { '+' };
        let size = difference.abs();
        let shown = match self {
            // Of shares the difference is in points.
            Kind::Share => format!("{} points", show_figure(round(100.0 * size))),
            Kind::Ms => format!("{} ms", show_figure(round(size))),
            Kind::Figure => show_figure(round(size)),
            kind => kind.show(size),
        };
        let relative = match self {
            Kind::Share => String::new(),
            _ if first == 0.0 => String::new(),
            _ => format!(
                " ({sign}{} %)",
                show_figure(round(100.0 * size / first.abs()))
            ),
        };
        format!("{sign}{shown}{relative}")
    }
}

/// To three digits: more of a difference are noise.
fn round(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

const ROWS: [(&str, &str, Kind); 32] = [
    ("peers", "/peers/total", Kind::Count),
    ("online at the end", "/peers/online", Kind::Count),
    ("connections at the end", "/connections", Kind::Count),
    (
        "connections per peer, mean",
        "/stats/degree/mean",
        Kind::Figure,
    ),
    (
        "connections per peer, most",
        "/stats/degree/max",
        Kind::Count,
    ),
    ("components", "/stats/components/count", Kind::Count),
    (
        "clustering, average",
        "/stats/clustering/average",
        Kind::Figure,
    ),
    (
        "path length, mean",
        "/stats/paths/mean_length",
        Kind::Figure,
    ),
    ("diameter", "/stats/paths/diameter", Kind::Count),
    ("messages produced", "/coverage/messages", Kind::Count),
    ("coverage", "/coverage/mean", Kind::Share),
    (
        "half of the peers reached after",
        "/coverage/t50_ms",
        Kind::Ms,
    ),
    ("90 % reached after", "/coverage/t90_ms", Kind::Ms),
    ("99 % reached after", "/coverage/t99_ms", Kind::Ms),
    ("all reached after", "/coverage/t100_ms", Kind::Ms),
    ("altered on first receipt", "/coverage/altered", Kind::Share),
    (
        "altered copies rejected",
        "/coverage/rejected_copies",
        Kind::Count,
    ),
    ("hops, mean", "/coverage/hops/mean", Kind::Figure),
    ("hops, most", "/coverage/hops/max", Kind::Count),
    ("copies per peer", "/coverage/copies_per_peer", Kind::Figure),
    (
        "bytes sent for each first receipt",
        "/coverage/bytes_per_delivered_message",
        Kind::Bytes,
    ),
    ("messages sent", "/messages/total/sent", Kind::Count),
    (
        "of these copies that the network made",
        "/messages/total/duplicated",
        Kind::Count,
    ),
    ("delivered", "/messages/total/delivered", Kind::Count),
    ("dropped", "/messages/total/dropped", Kind::Count),
    ("lost", "/messages/total/lost", Kind::Count),
    (
        "in flight at the end",
        "/messages/total/in_flight",
        Kind::Count,
    ),
    ("bytes sent", "/messages/total/bytes_sent", Kind::Bytes),
    (
        "wait at the uplink, mean",
        "/waits/uplink/mean_ms",
        Kind::Ms,
    ),
    (
        "wait at the uplink, longest",
        "/waits/uplink/max_ms",
        Kind::Ms,
    ),
    (
        "wait at the downlink, mean",
        "/waits/downlink/mean_ms",
        Kind::Ms,
    ),
    ("events", "/events", Kind::Count),
];

/// Where a summary has what services measure, and of how many names each it is shown.
const COUNTS: &str = "/measurements/counts";
const OBSERVATIONS: &str = "/measurements/observations";
const MEASURED_MAX: usize = 10;

/// What stands for a figure that a run does not have.
const NONE: &str = "\u{2013}";

/// The figures of the summaries that at least one run has.
pub(super) fn rows(runs: &[PastRun]) -> Vec<Row> {
    let row = |(name, pointer, kind): (String, String, Kind)| {
        let values: Vec<Option<f64>> = runs.iter().map(|run| run.figure(&pointer)).collect();
        if values.iter().all(Option::is_none) {
            return None;
        }
        let shown = values.iter().map(|value| match value {
            Some(value) => kind.show(*value),
            None => NONE.to_owned(),
        });
        let others = values.iter().skip(1);
        let differences = others.map(|value| match (values[0], value) {
            (Some(first), Some(value)) => kind.show_difference(first, *value),
            _ => NONE.to_owned(),
        });
        Some(Row {
            name,
            shown: shown.collect(),
            differences: differences.collect(),
            values,
        })
    };
    let fixed = ROWS
        .iter()
        .map(|&(name, pointer, kind)| (name.into(), pointer.into(), kind));
    fixed.chain(measured(runs)).filter_map(row).collect()
}

/// The figures of what services counted and observed: name, place, and kind.
fn measured(runs: &[PastRun]) -> Vec<(String, String, Kind)> {
    let names = |of: &str| -> BTreeSet<String> {
        let objects = runs
            .iter()
            .filter_map(|run| run.summary.pointer(of)?.as_object());
        let names = objects.flat_map(|object| object.keys().cloned());
        names
            .collect::<BTreeSet<_>>()
            .into_iter()
            .take(MEASURED_MAX)
            .collect()
    };
    let place = |of: &str, name: &str| {
        // As RFC 6901 has it.
        format!("{of}/{}", name.replace('~', "~0").replace('/', "~1"))
    };
    let mut rows = Vec::new();
    for name in names(COUNTS) {
        rows.push((format!("{name}, counted"), place(COUNTS, &name), Kind::Sum));
    }
    for name in names(OBSERVATIONS) {
        let of = place(OBSERVATIONS, &name);
        for (key, shown, kind) in [
            ("count", "observed", Kind::Count),
            ("mean", "mean", Kind::Figure),
            ("median", "median", Kind::Figure),
            ("p95", "95 % up to", Kind::Figure),
        ] {
            rows.push((format!("{name}, {shown}"), format!("{of}/{key}"), kind));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_have_signs_and_shares() {
        assert_eq!(Kind::Count.show_difference(1000.0, 1250.0), "+250 (+25 %)");
        assert_eq!(
            Kind::Ms.show_difference(10.0, 7.5),
            "\u{2212}2.5 ms (\u{2212}25 %)"
        );
        assert_eq!(Kind::Share.show_difference(0.9, 0.95), "+5 points");
        assert_eq!(Kind::Count.show_difference(0.0, 3.0), "+3");
        assert_eq!(Kind::Bytes.show_difference(5.0, 5.0), "same");
    }
}
