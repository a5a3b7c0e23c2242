//! The chart of latencies: what messages paid, or new draws, for each pair of locations against the
//! law that the scenario gives.

use super::measured::{Latency, Measured};
use super::model::{Axis, Body, Chart, Series, Shape, View};
use super::past_run::{PastRun, ReadError};
use super::words::{many, sentence};
use super::{About, chart};
use crate::distribution::Distribution;
use crate::report::histogram::Bars;
use crate::report::sample::{LatencyPair, latency_pairs};
use crate::units::{show_count, show_figure};

/// So many draws of each pair where the run did not keep what its messages paid.
const DRAWS: u64 = 2000;
const BARS: usize = 40;
const BARS_MIN: usize = 8;
/// Points of a law's curve for each bar.
const CURVE_PER_BAR: usize = 4;

/// What is drawn in one panel.
struct Panel {
    title: String,
    note: String,
    /// None of links with laws of their own.
    pair: Option<LatencyPair>,
    measures: &'static str,
    column: &'static str,
    /// What messages paid, run by run: the run's number and name.
    measured: Vec<(usize, String, Latency)>,
}

/// A panel for each pair of locations; of several runs, those with the same laws share theirs.
pub(super) fn latency_chart(runs: &[PastRun]) -> Result<Chart, ReadError> {
    let mut measured: Vec<Option<Measured>> = Vec::new();
    for run in runs {
        measured.push(Measured::read(run)?);
    }
    let about = match (measured.iter().all(Option::is_some), runs.len()) {
        (true, 1) => {
            "Bars: what the run's messages paid. Line: what the configured law gives, as the share \
             of messages for each ms."
        }
        (true, _) => {
            "Bars and steps: what the messages of each run paid. Line: what the configured law \
             gives, as the share of messages for each ms."
        }
        _ => {
            "Bars: 2,000 draws for each pair, made anew from the run's seed as `p2psim sample` \
             makes them, and raised to the least delay as those of messages are; or what the \
             messages themselves paid, where a run kept it. Line: what the configured law gives."
        }
    };
    let about = About {
        id: "latencies",
        title: "Latency by pair of locations",
        about,
        half: false,
    };
    let mut panels: Vec<Panel> = Vec::new();
    let outline = chart(about, runs, |number, run| {
        let plan = run.plan.as_ref().ok_or(
            "The latencies are those of scenario.yaml in the run's folder, which this p2psim \
             cannot read: the version that wrote it can, and so can the program with the services \
             it names.",
        )?;
        let (pairs, left_out) = latency_pairs(plan);
        let kept = measured[number].as_ref();
        let Some(measures) = pairs.first().map(|pair| (pair.measures, pair.column)) else {
            return Err("The scenario gives no latency between locations.".into());
        };
        let title = |title: &str| match number {
            0 => title.to_owned(),
            _ => format!("{}: {title}", run.label),
        };
        let mut summary = summary(plan.latencies.delay_min().as_ms(), &pairs, kept);
        for pair in pairs {
            let paid = kept.and_then(|kept| kept.of(&pair));
            let paid = paid.map(|paid| (number, run.label.clone(), paid));
            let same = |panel: &&mut Panel| {
                let other = panel.pair.as_ref();
                other.is_some_and(|other| {
                    other.title == pair.title && other.law.to_string() == pair.law.to_string()
                })
            };
            match panels.iter_mut().find(same) {
                Some(panel) => panel.measured.extend(paid),
                None => panels.push(Panel {
                    title: title(&pair.title),
                    note: pair.law.to_string(),
                    measures: pair.measures,
                    column: pair.column,
                    pair: Some(pair),
                    measured: paid.into_iter().collect(),
                }),
            }
        }
        let own = plan.file_graph().and_then(|file| file.latencies.as_ref());
        if let Some(own) = own.filter(|own| !own.is_empty()) {
            let links = many(own.len() as u64, "link");
            summary.push_str(&format!(
                " {links} of the graph file have latencies of their own instead."
            ));
            if let Some(paid) = kept.and_then(Measured::on_links) {
                panels.push(Panel {
                    title: title("Links with latencies of their own"),
                    note: format!("{links}, each by its own law"),
                    measures: measures.0,
                    column: measures.1,
                    pair: None,
                    measured: vec![(number, run.label.clone(), paid.clone())],
                });
            }
        }
        if left_out > 0 {
            let more = match kept {
                Some(_) => "latencies.csv has them",
                None => "`p2psim sample` shows them",
            };
            let pairs = many(left_out, "pair");
            summary.push_str(&format!(" {pairs} more are left out; {more}."));
        }
        Ok((Vec::new(), summary))
    });
    let views = panels.iter().map(|panel| View {
        name: panel.title.clone(),
        note: panel.note.clone(),
        ..match &panel.pair {
            Some(pair) if panel.measured.is_empty() => drawn(pair),
            _ => paid(panel),
        }
    });
    Ok(outline.with_body(|| Body::Panels(views.collect())))
}

/// How many pairs, what they give on average, and what messages paid.
fn summary(floor_ms: f64, pairs: &[LatencyPair], kept: Option<&Measured>) -> String {
    let means = || pairs.iter().map(|pair| pair.law.mean());
    let text = sentence(&format!(
        "{}; the means of their laws go from {} to {} ms",
        many(pairs.len() as u64, "pair"),
        show_figure(means().fold(f64::MAX, f64::min)),
        show_figure(means().fold(f64::MIN, f64::max))
    ));
    let Some(kept) = kept else {
        return format!(
            "{text} What messages paid was not recorded: `output: {{latencies: true}}` does."
        );
    };
    let (mut messages, mut at_floor, mut paid_ms, mut law_ms) = (0, 0, 0.0, 0.0);
    for pair in pairs {
        let Some(paid) = kept.of(pair) else { continue };
        messages += paid.messages;
        at_floor += paid.at_floor;
        paid_ms += paid.mean_ms() * paid.messages as f64;
        law_ms += pair.law.mean() * paid.messages as f64;
    }
    if messages == 0 {
        return format!("{text} No message was sent between them.");
    }
    let count = many(messages, "message");
    let mean = |sum: f64| show_figure(sum / messages as f64);
    let mut text = format!("{text} {count} paid {} ms on average", mean(paid_ms));
    if law_ms.is_finite() {
        text.push_str(&format!("; their laws give {} ms", mean(law_ms)));
    }
    text.push('.');
    if at_floor > 0 {
        text.push_str(&format!(
            " {} of them paid the least that a message can, {} ms one way.",
            show_count(at_floor),
            show_figure(floor_ms)
        ));
    }
    text
}

/// What messages paid, as shares for each ms, so that bars of unequal widths can be compared.
fn paid(panel: &Panel) -> View {
    let (low, high) = panel
        .measured
        .iter()
        .map(|(_, _, paid)| paid.range())
        .fold((f64::MAX, f64::MIN), |(low, high), range| {
            (low.min(range.0), high.max(range.1))
        });
    let x = Axis::new(panel.measures, "ms", panel.column);
    if low == high {
        let messages = panel
            .measured
            .iter()
            .map(|(_, _, paid)| paid.messages)
            .sum();
        return View {
            x,
            y: Axis::new("messages", "%", "messages_percent"),
            series: vec![cells("messages", &Bars::lone(low, messages), messages)],
            ..View::default()
        };
    }
    // As many as there are messages for: the square root of their number.
    let most = panel
        .measured
        .iter()
        .map(|(_, _, paid)| paid.messages)
        .max();
    let bars = ((most.unwrap_or(0) as f64).sqrt() as usize).clamp(BARS_MIN, BARS);
    let width = (high - low) / bars as f64;
    let mut series = Vec::new();
    for (place, (number, run, paid)) in panel.measured.iter().enumerate() {
        let (edges, mut heights) = paid.bars((low, high), width);
        let first = place == 0;
        if !first {
            heights.extend(heights.last().copied());
        }
        series.push(Series {
            name: match panel.measured.len() {
                1 => "messages".into(),
                _ => format!("{run}: messages"),
            },
            shape: if first { Shape::Cells } else { Shape::Step },
            // The second is that of laws.
            colour: if first { 0 } else { number + 1 },
            dash: if first { 0 } else { *number },
            x: edges,
            y: heights,
            ..Series::default()
        });
    }
    if let Some(pair) = &panel.pair {
        let points = BARS * CURVE_PER_BAR;
        series.push(curve(pair, (low, high), points, width, 1.0 / width));
    }
    View {
        x,
        y: Axis::new("messages", "% per ms", "messages_percent_per_ms"),
        series,
        ..View::default()
    }
}

/// New draws, in equal bars.
fn drawn(pair: &LatencyPair) -> View {
    let statistics = pair.statistics(DRAWS);
    let constant = statistics.min == statistics.max;
    let bars = match constant {
        true => Bars::lone(statistics.min, statistics.count),
        false => Bars::of(&statistics, BARS),
    };
    let mut series = vec![cells("draws", &bars, statistics.count)];
    if !constant {
        let width = (bars.high - bars.low) / bars.counts.len() as f64;
        let points = bars.counts.len() * CURVE_PER_BAR;
        series.push(curve(pair, (bars.low, bars.high), points, width, 1.0));
    }
    View {
        x: Axis::new(pair.measures, "ms", pair.column),
        y: Axis::new("draws", "%", "draws_percent"),
        series,
        ..View::default()
    }
}

/// Bars as their shares of `all`, in per cent.
fn cells(name: &str, bars: &Bars, all: u64) -> Series {
    let count = bars.counts.len();
    let width = (bars.high - bars.low) / count as f64;
    let share = |count: u64| 100.0 * count as f64 / all.max(1) as f64;
    Series {
        name: name.into(),
        shape: Shape::Cells,
        x: (0..=count)
            .map(|place| bars.low + place as f64 * width)
            .collect(),
        y: bars.counts.iter().map(|&count| share(count)).collect(),
        ..Series::default()
    }
}

/// The law's mass around each point, over the width of a bar, in per cent times `scale`: how high
/// bars around there would be with draws without end.
fn curve(
    pair: &LatencyPair,
    (low, high): (f64, f64),
    points: usize,
    width: f64,
    scale: f64,
) -> Series {
    let law: &Distribution = &pair.law;
    let below = |x: f64| match x <= pair.floor_ms {
        true => 0.0,
        false => law.mass_below(x),
    };
    let at = |point: usize| low + (high - low) * point as f64 / points as f64;
    let mass = |x: f64| (below(x + width / 2.0) - below(x - width / 2.0)).max(0.0);
    Series {
        name: "configured law".into(),
        shape: Shape::Line,
        colour: 1,
        x: (0..=points).map(at).collect(),
        y: (0..=points)
            .map(|point| 100.0 * scale * mass(at(point)))
            .collect(),
        ..Series::default()
    }
}
