//! Charts of gossip: coverage over age, delays, delays by message and peer, copies.

use std::collections::BTreeMap;

use super::heatmap::{HeatCells, Peers};
use super::model::{Axis, Body, Chart, Heatmap, Series, Shape, View};
use super::past_run::{PastRun, ReadError};
use super::table_file::TableFile;
use super::words::{self, ms, per_cent, quantile};
use super::{About, chart};
use crate::report::rows::ColumnKind::{Integer, Real, Text};

/// The band around the median has the messages between these quantiles.
const BAND: (f64, f64) = (0.1, 0.9);
/// So many points of a distribution function are enough to look at.
const POINTS: usize = 400;
/// Peers get more copies than bars are wide enough for.
const COPY_BARS_MAX: usize = 40;

/// How far messages had come as they aged.
pub(super) struct Coverage {
    /// The messages' names, in the order of their production.
    messages: Vec<String>,
    ages_ms: Vec<f64>,
    /// Of all messages together, at each age: peers reached, and the share of all peers.
    reached: Vec<f64>,
    share: Vec<f64>,
    /// Over messages: a low quantile, the median, a high quantile; empty if only all of them
    /// together are known.
    quantiles: Option<[Vec<f64>; 3]>,
}

impl Coverage {
    pub fn read(run: &PastRun) -> Result<Option<Self>, ReadError> {
        let Some(table) = TableFile::find(&run.folder, "coverage")? else {
            return Ok(None);
        };
        let columns = [
            ("message", Text),
            ("age_ms", Real),
            ("reached", Integer),
            ("share", Real),
        ];
        let mut coverage = Coverage {
            messages: Vec::new(),
            ages_ms: Vec::new(),
            reached: Vec::new(),
            share: Vec::new(),
            quantiles: None,
        };
        // By message; they may end before the last age.
        let mut shares: Vec<Vec<f32>> = Vec::new();
        table.read(&columns, |block| {
            for row in 0..block.rows {
                let message = block.text(0, row);
                let share = block.reals(3)[row];
                if message == "all" {
                    coverage.ages_ms.push(block.reals(1)[row]);
                    coverage.reached.push(block.integers(2)[row] as f64);
                    coverage.share.push(share);
                    continue;
                }
                if coverage.messages.last().is_none_or(|last| last != message) {
                    coverage.messages.push(message.to_owned());
                    shares.push(Vec::with_capacity(coverage.ages_ms.len()));
                }
                if let Some(shares) = shares.last_mut() {
                    shares.push(share as f32);
                }
            }
        })?;
        coverage.quantiles = (!shares.is_empty()).then(|| quantiles(&shares, &coverage.ages_ms));
        Ok((!coverage.ages_ms.is_empty()).then_some(coverage))
    }
}

/// A low quantile, the median and a high quantile over messages at each age. A message whose run
/// ended before then counts as it stood.
fn quantiles(shares: &[Vec<f32>], ages: &[f64]) -> [Vec<f64>; 3] {
    let mut quantiles: [Vec<f64>; 3] = Default::default();
    let mut at_age = Vec::with_capacity(shares.len());
    for age in 0..ages.len() {
        at_age.clear();
        let known = shares.iter();
        at_age.extend(known.filter_map(|of_message| {
            let share = of_message.get(age).or(of_message.last());
            share.map(|&share| f64::from(share))
        }));
        at_age.sort_unstable_by(f64::total_cmp);
        for (line, p) in quantiles.iter_mut().zip([BAND.0, 0.5, BAND.1]) {
            line.push(quantile(&at_age, p));
        }
    }
    quantiles
}

/// What first receipts say.
pub(super) struct Deliveries {
    /// Ascending.
    delays_ms: Vec<f64>,
    /// How many receipts had so many copies.
    copies: BTreeMap<u64, u64>,
    heatmap: Heatmap,
}

impl Deliveries {
    /// `coverage` knows all messages, also those that nobody received.
    pub fn read(run: &PastRun, coverage: Option<&Coverage>) -> Result<Option<Self>, ReadError> {
        let Some(table) = TableFile::find(&run.folder, "deliveries")? else {
            return Ok(None);
        };
        let messages = coverage.map_or(&[][..], |coverage| &coverage.messages);
        let numbers: BTreeMap<&str, usize> = messages
            .iter()
            .enumerate()
            .map(|(number, name)| (name.as_str(), number))
            .collect();
        let peers = Peers::of(&run.topology);
        let mut cells = HeatCells::new(messages.len(), peers.len());
        let mut delays_ms = Vec::new();
        let mut copies: BTreeMap<u64, u64> = BTreeMap::new();
        let columns = [
            ("message", Text),
            ("peer", Integer),
            ("delay_ms", Real),
            ("copies", Integer),
        ];
        table.read(&columns, |block| {
            for row in 0..block.rows {
                let delay = block.reals(2)[row];
                delays_ms.push(delay);
                *copies.entry(block.integers(3)[row]).or_default() += 1;
                let message = numbers.get(block.text(0, row));
                let peer = peers.column(block.integers(1)[row]);
                if let (Some(&message), Some(peer)) = (message, peer) {
                    cells.add(message, peer, delay);
                }
            }
        })?;
        delays_ms.sort_unstable_by(f64::total_cmp);
        let heatmap = cells.finish(&run.label, messages, &peers);
        Ok((!delays_ms.is_empty()).then_some(Deliveries {
            delays_ms,
            copies,
            heatmap,
        }))
    }
}

/// Coverage over age: the median over messages and a band, and all messages together.
pub(super) fn coverage_chart(runs: &[PastRun], coverages: &[Option<Coverage>]) -> Chart {
    let about = About {
        id: "coverage",
        title: "Coverage over time",
        about: "The share of honest peers online that have a message, by the time since it was \
                produced: the median over messages, with a band from the 10 % to the 90 % of \
                messages around it.",
        half: false,
    };
    chart(about, runs, |number, run| {
        let Some(coverage) = &coverages[number] else {
            return Err(run.why_no_spread(false));
        };
        let per_cents = |shares: &[f64]| shares.iter().map(|share| 100.0 * share).collect();
        let line = |name: String, dash: usize, share: &[f64]| Series {
            name,
            colour: number,
            dash: number + dash,
            x: coverage.ages_ms.clone(),
            y: per_cents(share),
            ..Series::default()
        };
        let all = words::named(runs, run, "all messages together");
        let mut series = Vec::new();
        if let Some([low, median, high]) = &coverage.quantiles {
            let name = words::named(runs, run, "median message");
            series.push(Series {
                low: per_cents(low),
                high: per_cents(high),
                ..line(name, 0, median)
            });
            if runs.len() == 1 {
                series.push(Series {
                    colour: 1,
                    ..line(all, 1, &coverage.share)
                });
            }
        } else {
            series.push(line(all, 0, &coverage.share));
        }
        Ok((series, coverage_words(run)))
    })
    .with_views(|series| {
        vec![View {
            x: Axis {
                log: Some(tailed(&series)),
                ..Axis::new("time since production", "ms", "age_ms")
            },
            y: Axis {
                max: Some(100.0),
                ..Axis::new("peers reached", "%", "reached_percent")
            },
            series,
            ..View::default()
        }]
    })
}

fn coverage_words(run: &PastRun) -> String {
    let figure = |key: &str| run.figure(&format!("/coverage/{key}"));
    let mut said = Vec::new();
    let ages = [
        ("t50_ms", "half of the peers"),
        ("t90_ms", "90 %"),
        ("t99_ms", "99 %"),
    ];
    for (key, words) in ages {
        if let Some(age) = figure(key) {
            said.push(format!("{words} after {}", ms(age)));
        }
    }
    if let Some(mean) = figure("mean") {
        let messages = figure("messages").unwrap_or_default();
        let messages = words::many(messages as u64, "message");
        said.push(format!("{} of {messages} in the end", per_cent(mean)));
    }
    words::sentence(&said.join(", "))
}

/// The distribution function of delays.
pub(super) fn delay_chart(
    runs: &[PastRun],
    coverages: &[Option<Coverage>],
    deliveries: &[Option<Deliveries>],
) -> Chart {
    let about = About {
        id: "delays",
        title: "Delivery delay",
        about: "The share of first receipts that took no longer than so long since the message \
                was produced (the cumulative distribution function).",
        half: false,
    };
    chart(about, runs, |number, run| {
        let (x, y) = match (&deliveries[number], &coverages[number]) {
            (Some(deliveries), _) => distribution(&deliveries.delays_ms),
            // Histograms know how many receipts there were by each age.
            (None, Some(coverage)) if coverage.quantiles.is_none() => {
                let all = coverage.reached.last().copied().unwrap_or_default();
                if all == 0.0 {
                    return Err("No peer received any message.".into());
                }
                let share = |reached: &f64| 100.0 * reached / all;
                (
                    coverage.ages_ms.clone(),
                    coverage.reached.iter().map(share).collect(),
                )
            }
            _ => return Err(run.why_no_spread(true)),
        };
        let at = |share: f64| {
            let place = y.partition_point(|&y: &f64| y < share);
            x[place.min(x.len() - 1)]
        };
        let summary = words::sentence(&format!(
            "half of the first receipts within {}, 95 % within {}, all within {}",
            ms(at(50.0)),
            ms(at(95.0)),
            ms(at(100.0))
        ));
        let series = Series {
            name: run.label.clone(),
            colour: number,
            dash: number,
            x,
            y,
            ..Series::default()
        };
        Ok((vec![series], summary))
    })
    .with_views(|series| {
        vec![View {
            x: Axis {
                log: Some(tailed(&series)),
                ..Axis::new("delay", "ms", "delay_ms")
            },
            y: Axis {
                max: Some(100.0),
                ..Axis::new("first receipts", "%", "receipts_percent")
            },
            series,
            ..View::default()
        }]
    })
}

/// Points of the distribution function of ascending values, in per cent: all of them, or so many
/// at equal distances, closer to one another in the upper tail.
pub(super) fn distribution(sorted: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let count = sorted.len();
    let mut places: Vec<usize> = match count {
        0..=POINTS => (0..count).collect(),
        _ => (0..POINTS)
            .map(|n| n * (count - 1) / (POINTS - 1))
            .collect(),
    };
    let mut tail = count / POINTS;
    while tail > 0 {
        tail /= 2;
        places.push(count - 1 - tail);
    }
    places.sort_unstable();
    places.dedup();
    let shares = places
        .iter()
        .map(|&n| 100.0 * (n + 1) as f64 / count as f64);
    let (mut x, mut y) = (vec![sorted[0]], vec![0.0]);
    x.extend(places.iter().map(|&n| sorted[n]));
    y.extend(shares);
    (x, y)
}

/// Whether half of what is reached is reached in the first corner of the axis.
pub(super) fn tailed(series: &[Series]) -> bool {
    let last = series.iter().filter_map(|series| series.x.last());
    let last = last.fold(0.0_f64, |last, &x| last.max(x));
    series.iter().any(|series| {
        let half = series.y.last().copied().unwrap_or_default() / 2.0;
        let place = series.y.iter().position(|&y| y >= half).unwrap_or(0);
        words::many_sizes(series.x[place], last)
    })
}

/// Delays by message and peer.
pub(super) fn heatmap_chart(runs: &[PastRun], deliveries: &[Option<Deliveries>]) -> Chart {
    let about = About {
        id: "heatmap",
        title: "Delay by message and peer",
        about: "How long each peer waited for each message; where there are many, a cell is the \
                mean over several. Blank: the peer never received it, or produced it itself.",
        half: false,
    };
    let mut maps = Vec::new();
    let outline = chart(about, runs, |number, run| {
        let Some(deliveries) = &deliveries[number] else {
            return Err(run.why_no_spread(true));
        };
        let map = &deliveries.heatmap;
        let blank = map.delays_ms.iter().filter(|delay| delay.is_none()).count();
        let known = map.delays_ms.iter().flatten().copied();
        let (low, high) = known.fold((f64::MAX, 0.0_f64), |(low, high), delay| {
            (low.min(delay), high.max(delay))
        });
        let summary = words::sentence(&format!(
            "{} rows of messages by {} columns of peers; cells from {} to {}, {} blank",
            map.rows.len(),
            map.columns.len(),
            ms(low),
            ms(high),
            per_cent(blank as f64 / map.delays_ms.len().max(1) as f64)
        ));
        maps.push(map.clone());
        Ok((Vec::new(), summary))
    });
    outline.with_body(|| {
        // Of several runs, colours mean the same.
        let high = maps.iter().map(|map| map.scale_ms).fold(0.0, f64::max);
        let log = maps.iter().any(|map| map.log);
        let low = maps.iter().filter(|map| map.log == log);
        let low = low.map(|map| map.scale_low_ms);
        let low = low.fold(f64::INFINITY, f64::min);
        for map in &mut maps {
            (map.scale_low_ms, map.scale_ms, map.log) = (low, high, log);
        }
        Body::Heatmaps(maps)
    })
}

/// How many copies of a message a peer receives.
pub(super) fn copies_chart(runs: &[PastRun], deliveries: &[Option<Deliveries>]) -> Chart {
    let about = About {
        id: "copies",
        title: "Copies per peer",
        about: "How many copies of a message a peer that received it got in all, the first \
                included.",
        half: true,
    };
    let counted = deliveries
        .iter()
        .flatten()
        .map(|deliveries| &deliveries.copies);
    let bins = words::Bins::of(counted.clone(), COPY_BARS_MAX);
    chart(about, runs, |number, run| {
        let Some(deliveries) = &deliveries[number] else {
            return Err(run.why_no_spread(true));
        };
        let copies = &deliveries.copies;
        let receipts: u64 = copies.values().sum();
        let all: u64 = copies.iter().map(|(number, count)| number * count).sum();
        let most = copies.keys().next_back().copied().unwrap_or_default();
        let summary = words::sentence(&format!(
            "{:.2} copies on average, {most} at most",
            all as f64 / receipts as f64
        ));
        let series = Series {
            name: run.label.clone(),
            shape: Shape::Bars,
            colour: number,
            y: bins.shares(copies),
            ..Series::default()
        };
        Ok((vec![series], summary))
    })
    .with_views(|series| {
        vec![View {
            x: Axis::new("copies", "", "copies"),
            y: Axis::new("first receipts", "%", "receipts_percent"),
            categories: bins.names(),
            series,
            ..View::default()
        }]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_ended_early_counts_as_it_stood() {
        let shares = [vec![0.0, 0.5, 1.0], vec![0.0, 0.25], vec![0.0, 0.5, 0.5]];
        let [low, median, high] = quantiles(&shares, &[0.0, 1.0, 2.0]);
        assert_eq!(median, [0.0, 0.5, 0.5]);
        assert!(low[2] < 0.5 && high[2] > 0.5);
    }

    #[test]
    fn the_distribution_has_both_ends() {
        let sorted: Vec<f64> = (1..=10_000).map(f64::from).collect();
        let (x, y) = distribution(&sorted);
        assert_eq!((x[0], y[0]), (1.0, 0.0));
        assert_eq!((x.last(), y.last()), (Some(&10_000.0), Some(&100.0)));
        assert!(x.len() < 2 * POINTS);
        // Each point is exact: so many values are no larger.
        for (x, y) in x.iter().zip(&y).skip(1) {
            assert!((100.0 * x / 10_000.0 - y).abs() < 1e-9);
        }
        assert_eq!(distribution(&[7.0]), (vec![7.0, 7.0], vec![0.0, 100.0]));
    }
}
