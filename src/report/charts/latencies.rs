//! The chart of latencies: draws for each pair of locations against the law the scenario gives.

use super::model::{Axis, Body, Chart, Series, Shape, View};
use super::past_run::PastRun;
use super::words::{many, sentence};
use super::{About, chart};
use crate::distribution::Distribution;
use crate::report::histogram::Bars;
use crate::report::sample::{LatencyPair, latency_pairs};
use crate::units::show_figure;

/// So many draws of each pair.
const DRAWS: u64 = 2000;
const BARS: usize = 40;
/// Points of a law's curve for each bar.
const CURVE_PER_BAR: usize = 4;

/// A panel for each pair of locations; of several runs, those with the same laws share theirs.
pub(super) fn latency_chart(runs: &[PastRun]) -> Chart {
    let about = About {
        id: "latencies",
        title: "Latency by pair of locations",
        about: "Bars: 2,000 draws for each pair, made anew from the run's seed as \
                `p2psim sample` makes them, and raised to the least delay as those of messages \
                are. Line: what the configured law gives.",
        half: false,
    };
    let mut panels: Vec<View> = Vec::new();
    let mut shown: Vec<(String, String)> = Vec::new();
    let outline = chart(about, runs, |number, run| {
        let plan = run.plan.as_ref().ok_or(
            "The latencies are those of scenario.yaml in the run's folder, which this p2psim \
             cannot read: the version that wrote it can, and so can the program with the services \
             it names.",
        )?;
        let (pairs, left_out) = latency_pairs(plan);
        if pairs.is_empty() {
            return Err("The scenario gives no latency between locations.".into());
        }
        let mut means: Vec<f64> = Vec::new();
        for pair in &pairs {
            let law = pair.law.to_string();
            means.push(pair.law.mean());
            if shown.contains(&(pair.title.clone(), law.clone())) {
                continue;
            }
            panels.push(View {
                name: match number {
                    0 => pair.title.clone(),
                    _ => format!("{}: {}", run.label, pair.title),
                },
                note: law.clone(),
                ..panel(pair)
            });
            shown.push((pair.title.clone(), law));
        }
        let (least, most) = means
            .iter()
            .fold((f64::MAX, f64::MIN), |(least, most), &mean| {
                (least.min(mean), most.max(mean))
            });
        let mut summary = sentence(&format!(
            "{}; their means go from {} to {} ms",
            many(pairs.len() as u64, "pair"),
            show_figure(least),
            show_figure(most)
        ));
        let own = plan.file_graph().and_then(|file| file.latencies.as_ref());
        if let Some(own) = own.filter(|own| !own.is_empty()) {
            summary.push_str(&format!(
                " {} of the graph file have latencies of their own instead.",
                many(own.len() as u64, "link")
            ));
        }
        if left_out > 0 {
            summary.push_str(&format!(
                " {} more are left out; `p2psim sample` shows them.",
                many(left_out, "pair")
            ));
        }
        Ok((Vec::new(), summary))
    });
    outline.with_body(|| Body::Panels(panels))
}

fn panel(pair: &LatencyPair) -> View {
    let statistics = pair.statistics(DRAWS);
    let constant = statistics.min == statistics.max;
    let bars = match constant {
        true => Bars::lone(statistics.min, statistics.count),
        false => Bars::of(&statistics, BARS),
    };
    let cells = bars.counts.len();
    let width = (bars.high - bars.low) / cells as f64;
    let edge = |place: f64| bars.low + place * width;
    let share = |count: u64| 100.0 * count as f64 / statistics.count.max(1) as f64;
    let draws = Series {
        name: "draws".into(),
        shape: Shape::Cells,
        x: (0..=cells).map(|place| edge(place as f64)).collect(),
        y: bars.counts.iter().map(|&count| share(count)).collect(),
        ..Series::default()
    };
    let mut series = vec![draws];
    if !constant {
        series.push(curve(&pair.law, pair.floor_ms, &bars, width));
    }
    View {
        x: Axis::new(pair.measures, "ms", pair.column),
        y: Axis::new("draws", "%", "draws_percent"),
        series,
        ..View::default()
    }
}

/// The law's mass around each point, over the width of a bar, in per cent: how high bars around
/// there would be with draws without end.
fn curve(law: &Distribution, floor_ms: f64, bars: &Bars, width: f64) -> Series {
    let below = |x: f64| {
        if x <= floor_ms {
            0.0
        } else {
            law.mass_below(x)
        }
    };
    let points = bars.counts.len() * CURVE_PER_BAR;
    let (mut x, mut y) = (
        Vec::with_capacity(points + 1),
        Vec::with_capacity(points + 1),
    );
    for point in 0..=points {
        let at = bars.low + width * point as f64 / CURVE_PER_BAR as f64;
        x.push(at);
        y.push(100.0 * (below(at + width / 2.0) - below(at - width / 2.0)).max(0.0));
    }
    Series {
        name: "configured law".into(),
        shape: Shape::Line,
        colour: 1,
        x,
        y,
        ..Series::default()
    }
}
