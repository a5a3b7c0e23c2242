//! The chart of degrees: how many peers have how many connections.

use std::collections::BTreeMap;

use super::model::{Axis, Chart, Series, Shape, View};
use super::past_run::PastRun;
use super::words::{Bins, sentence};
use super::{About, chart};
use crate::report::graph::Exported;
use crate::units::show_count;

const BARS_MAX: usize = 40;

fn degrees(topology: &Exported) -> BTreeMap<u64, u64> {
    let graph = topology.graph();
    let mut degrees = BTreeMap::new();
    for peer in 0..graph.peers() {
        *degrees
            .entry(graph.neighbours(peer).len() as u64)
            .or_default() += 1;
    }
    degrees
}

/// Degrees at the end; of one run also at the start, where a graph was given.
pub(super) fn degree_chart(runs: &[PastRun]) -> Chart {
    let about = About {
        id: "degrees",
        title: "Connections per peer",
        about: "How many peers have how many connections (the degree distribution of the \
                topology).",
        half: true,
    };
    let last: Vec<BTreeMap<u64, u64>> = runs.iter().map(|run| degrees(&run.topology)).collect();
    let first = match runs {
        [run] => run.initial_topology().map(degrees),
        _ => None,
    };
    let first = first.filter(|first| *first != last[0]);
    let bins = Bins::of(last.iter().chain(&first), BARS_MAX);
    let one = runs.len() == 1;
    chart(about, runs, |number, run| {
        let counts = &last[number];
        let (Some((&least, _)), Some((&most, _))) =
            (counts.first_key_value(), counts.last_key_value())
        else {
            return Err("There are no peers but bootstrap peers.".into());
        };
        let peers: u64 = counts.values().sum();
        let ends: u64 = counts.iter().map(|(degree, count)| degree * count).sum();
        let summary = sentence(&format!(
            "at the end {:.2} on average, from {} to {}",
            ends as f64 / peers as f64,
            show_count(least),
            show_count(most)
        ));
        let bars = |name: String, colour: usize, counts: &BTreeMap<u64, u64>| Series {
            name,
            shape: Shape::Bars,
            colour,
            y: match one {
                true => bins.counts(counts),
                false => bins.shares(counts),
            },
            ..Series::default()
        };
        let name = match one {
            true => "at the end".to_owned(),
            false => run.label.clone(),
        };
        let mut series = vec![bars(name, number, counts)];
        if let Some(first) = &first {
            series.insert(0, bars("at the start".into(), 1, first));
        }
        Ok((series, summary))
    })
    .with_views(|series| {
        vec![View {
            x: Axis::new("connections", "", "connections"),
            y: match one {
                true => Axis::new("peers", "", "peers"),
                false => Axis::new("peers", "%", "peers_percent"),
            },
            categories: bins.names(),
            series,
            ..View::default()
        }]
    })
}
