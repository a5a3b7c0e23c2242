//! Charts of counts by cause: messages that did not arrive, what became of connections.

use serde_json::{Map, Value};

use super::model::{Axis, Body, Chart, Series, Shape, View};
use super::past_run::PastRun;
use super::{About, chart, words};
use crate::units::show_count;

/// Why a message did not arrive, as `summary.json` and as people call it.
const CAUSES: [(&str, &str, &str); 5] = [
    ("dropped_by_cause", "offline", "receiver offline"),
    ("dropped_by_cause", "not_connected", "no longer connected"),
    ("dropped_by_cause", "unhandled", "no service handles it"),
    ("lost_by_cause", "loss", "lost by chance"),
    ("lost_by_cause", "partition", "lost in a partition"),
];

fn object<'a>(value: &'a Value, pointer: &str) -> Option<&'a Map<String, Value>> {
    value.pointer(pointer)?.as_object()
}

fn of_cause(counts: &Value, (group, key, _): (&str, &str, &str)) -> f64 {
    counts[group][key].as_f64().unwrap_or_default()
}

/// Messages that did not arrive: by type and cause of one run, by cause of several.
pub(super) fn drops_chart(runs: &[PastRun]) -> Chart {
    let about = About {
        id: "drops",
        title: "Drops by cause",
        about: "Messages that were sent and that no service of the receiver took in, by cause.",
        half: true,
    };
    let outline = chart(about, runs, |_, run| {
        let total = run.summary.pointer("/messages/total");
        let total = total.ok_or("Not recorded: summary.json has no counts of messages.")?;
        let count: f64 = CAUSES.iter().map(|&cause| of_cause(total, cause)).sum();
        let sent = total["sent"].as_f64().unwrap_or_default();
        if count == 0.0 {
            return Err("Every message arrived or was still on its way at the end.".into());
        }
        Ok((
            Vec::new(),
            words::sentence(&format!(
                "{} of {} did not arrive, {}",
                show_count(count as u64),
                words::many(sent as u64, "message"),
                words::per_cent(count / sent.max(1.0))
            )),
        ))
    });
    outline.with_body(|| {
        let view = match runs {
            [run] => of_one(run),
            _ => of_several(runs),
        };
        Body::Views(vec![View {
            x: Axis::new(
                "",
                "",
                if runs.len() == 1 {
                    "message_type"
                } else {
                    "cause"
                },
            ),
            y: Axis::new("messages", "", "messages"),
            lying: true,
            ..view
        }])
    })
}

fn of_one(run: &PastRun) -> View {
    let mut types: Vec<(&String, &Value)> = object(&run.summary, "/messages/by_type")
        .into_iter()
        .flatten()
        .collect();
    let all = |counts: &Value| {
        CAUSES
            .iter()
            .map(|&cause| of_cause(counts, cause))
            .sum::<f64>()
    };
    types.retain(|(_, counts)| all(counts) > 0.0);
    let series = CAUSES.iter().enumerate().map(|(place, &cause)| Series {
        name: cause.2.to_owned(),
        shape: Shape::Bars,
        colour: place,
        y: types
            .iter()
            .map(|(_, counts)| of_cause(counts, cause))
            .collect(),
        ..Series::default()
    });
    View {
        categories: types.iter().map(|(name, _)| (*name).clone()).collect(),
        stacked: true,
        series: series
            .filter(|series| series.y.iter().any(|&y| y > 0.0))
            .collect(),
        ..View::default()
    }
}

fn of_several(runs: &[PastRun]) -> View {
    let count = |run: &PastRun, cause| {
        let total = run.summary.pointer("/messages/total");
        total.map_or(0.0, |total| of_cause(total, cause))
    };
    let mut causes = CAUSES.to_vec();
    causes.retain(|&cause| runs.iter().any(|run| count(run, cause) > 0.0));
    let series = runs.iter().enumerate().map(|(number, run)| Series {
        name: run.label.clone(),
        shape: Shape::Bars,
        colour: number,
        y: causes.iter().map(|&cause| count(run, cause)).collect(),
        ..Series::default()
    });
    View {
        categories: causes.iter().map(|cause| cause.2.to_owned()).collect(),
        series: series.collect(),
        ..View::default()
    }
}

/// What became of connections.
pub(super) fn events_chart(runs: &[PastRun]) -> Chart {
    let about = About {
        id: "events",
        title: "What became of connections",
        about: "How often each thing happened to an end of a connection.",
        half: true,
    };
    let mut keys: Vec<String> = Vec::new();
    for run in runs {
        for (key, count) in object(&run.summary, "/connections_by_cause")
            .into_iter()
            .flatten()
        {
            if count.as_f64() > Some(0.0) && !keys.contains(key) {
                keys.push(key.clone());
            }
        }
    }
    chart(about, runs, |number, run| {
        let counts = object(&run.summary, "/connections_by_cause");
        let counts = counts.ok_or("Not recorded: summary.json has no counts of connections.")?;
        let count = |key: &String| counts.get(key).and_then(Value::as_f64).unwrap_or_default();
        if keys.is_empty() {
            return Err("No peer dialled another.".into());
        }
        let most = keys.iter().map(|key| {
            let shown = show_count(count(key) as u64);
            format!("{} {shown}", key.replace('_', " "))
        });
        let summary = words::sentence(&most.collect::<Vec<_>>().join(", "));
        let series = Series {
            name: run.label.clone(),
            shape: Shape::Bars,
            colour: number,
            y: keys.iter().map(count).collect(),
            ..Series::default()
        };
        Ok((vec![series], summary))
    })
    .with_views(|series| {
        vec![View {
            x: Axis::new("", "", "event"),
            y: Axis::new("times", "", "count"),
            categories: keys.iter().map(|key| key.replace('_', " ")).collect(),
            lying: true,
            series,
            ..View::default()
        }]
    })
}
