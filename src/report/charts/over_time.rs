//! Charts over simulated time: load, peers online, connections.

use super::load::{Cell, Group, Load};
use super::model::{Axis, Body, Chart, Series, Shape, View};
use super::past_run::PastRun;
use super::{About, chart, words};
use crate::units::{Dimension, Unit, show_bandwidth, show_count};

/// What can be shown of load.
#[derive(Clone, Copy)]
struct Measure {
    name: &'static str,
    label: &'static str,
    column: &'static str,
    dimension: Dimension,
    /// Of a cell that took so many seconds.
    of: fn(&Cell, f64) -> f64,
}

const MEASURES: [Measure; 6] = [
    Measure {
        name: "sent",
        label: "sent",
        column: "sent_bit_per_s",
        dimension: Dimension::Bandwidth,
        of: |cell, seconds| 8.0 * cell.bytes_out / seconds,
    },
    Measure {
        name: "received",
        label: "received",
        column: "received_bit_per_s",
        dimension: Dimension::Bandwidth,
        of: |cell, seconds| 8.0 * cell.bytes_in / seconds,
    },
    Measure {
        name: "messages sent",
        label: "messages sent a second",
        column: "messages_out_per_s",
        dimension: Dimension::Plain,
        of: |cell, seconds| cell.messages_out / seconds,
    },
    Measure {
        name: "messages received",
        label: "messages received a second",
        column: "messages_in_per_s",
        dimension: Dimension::Plain,
        of: |cell, seconds| cell.messages_in / seconds,
    },
    Measure {
        name: "wait at the uplink",
        label: "mean wait at the uplink",
        column: "uplink_wait_mean_ms",
        dimension: Dimension::Time,
        of: |cell, _| cell.uplink_wait / cell.messages_out.max(1.0),
    },
    Measure {
        name: "wait at the downlink",
        label: "mean wait at the downlink",
        column: "downlink_wait_mean_ms",
        dimension: Dimension::Time,
        of: |cell, _| cell.downlink_wait / cell.messages_in.max(1.0),
    },
];

/// How the groups of a load are put together.
type Grouping = (&'static str, fn(&Group) -> String);

const GROUPINGS: [Grouping; 3] = [
    ("by type and location", |(kind, location)| {
        format!("{kind}, {location}")
    }),
    ("by type", |(kind, _)| kind.clone()),
    ("by location", |(_, location)| location.clone()),
];
const TOGETHER: Grouping = ("all peers", |_| "all peers".to_owned());

/// Load over time, by type and location.
pub(super) fn load_chart(runs: &[PastRun], loads: &[Option<Load>]) -> Chart {
    let about = About {
        id: "load",
        title: "Load over time",
        about: "What peers of each type at each location send and receive together, and how long \
                messages wait for a link that is busy.",
        half: false,
    };
    let scale = TimeScale::of(loads);
    let groupings = groupings(loads);
    let outline = chart(about, runs, |number, run| match &loads[number] {
        None => Err(run.why_no_load()),
        Some(load) => Ok((Vec::new(), load_words(load))),
    });
    outline.with_body(|| {
        let mut views = Vec::new();
        for measure in MEASURES {
            for &(grouping, name) in &groupings {
                let mut series = Vec::new();
                for (number, (run, load)) in runs.iter().zip(loads).enumerate() {
                    let Some(load) = load else { continue };
                    for (place, (group, cells)) in load.grouped(name).into_iter().enumerate() {
                        let values = cells.iter().enumerate();
                        let of = |(interval, cell)| (measure.of)(cell, load.seconds(interval));
                        let (name, colour, dash) = match (runs.len(), grouping) {
                            (1, _) => (group, place, place),
                            (_, "all peers") => (run.label.clone(), number, number),
                            _ => (format!("{}: {group}", run.label), number, place),
                        };
                        series.push(stepped(name, (colour, dash), load, scale, values.map(of)));
                    }
                }
                let most = series.iter().flat_map(|series| &series.y);
                let unit = measure
                    .dimension
                    .unit_for(most.fold(0.0, |a: f64, &b| a.max(b)));
                scale_down(&mut series, unit);
                views.push(View {
                    name: format!("{} {grouping}", measure.name),
                    x: scale.axis(),
                    y: Axis::new(measure.label, unit.name, column(measure, unit)),
                    series,
                    ..View::default()
                });
            }
        }
        Body::Views(views)
    })
}

/// `sent_bit_per_s` in kbit/s is `sent_kbit_per_s`.
fn column(measure: Measure, unit: Unit) -> String {
    let prefix = unit.name.strip_suffix("bit/s").unwrap_or_default();
    measure.column.replace("_bit_", &format!("_{prefix}bit_"))
}

fn scale_down(series: &mut [Series], unit: Unit) {
    for series in series {
        series.y.iter_mut().for_each(|y| *y /= unit.size);
    }
}

/// Those that tell groups apart; of several runs the sum of all peers first.
fn groupings(loads: &[Option<Load>]) -> Vec<Grouping> {
    let count = |name: fn(&Group) -> String| {
        let groups = loads.iter().flatten().map(|load| load.grouped(name).len());
        groups.max().unwrap_or(0)
    };
    let [both, by_type, by_location] = GROUPINGS;
    let (types, locations) = (count(by_type.1), count(by_location.1));
    let mut groupings = match (types > 1, locations > 1) {
        (true, true) => vec![both, by_type, by_location],
        (true, false) => vec![by_type],
        (false, true) => vec![by_location],
        (false, false) => vec![TOGETHER],
    };
    if loads.len() > 1 && groupings != [TOGETHER] {
        // With each run's groups a line, more would hide one another.
        groupings.retain(|(name, _)| *name != "by type and location");
        groupings.insert(0, TOGETHER);
    }
    groupings
}

fn load_words(load: &Load) -> String {
    let all = load.grouped(TOGETHER.1);
    let cells = all.first().map_or(&[][..], |(_, cells)| cells);
    let bytes: f64 = cells.iter().map(|cell| cell.bytes_out).sum();
    let (start, end) = (load.edges_ms[0], load.edges_ms[load.edges_ms.len() - 1]);
    let rate = |(interval, cell): (usize, &Cell)| 8.0 * cell.bytes_out / load.seconds(interval);
    let most = cells.iter().enumerate().map(rate).fold(0.0, f64::max);
    words::sentence(&format!(
        "all peers together send {} on average, {} in the busiest interval",
        show_bandwidth(8000.0 * bytes / (end - start)),
        show_bandwidth(most)
    ))
}

/// Peers online over time.
pub(super) fn online_chart(runs: &[PastRun], loads: &[Option<Load>]) -> Chart {
    let about = About {
        id: "online",
        title: "Peers online",
        about: "How many peers are online as each interval ends.",
        half: true,
    };
    counted(about, runs, loads, "peers online", "online", |cell| {
        cell.online
    })
}

/// Connections over time.
pub(super) fn connections_chart(runs: &[PastRun], loads: &[Option<Load>]) -> Chart {
    let about = About {
        id: "connections",
        title: "Connections",
        about: "How many connections there are as each interval ends; one that only one end holds \
                counts half.",
        half: true,
    };
    counted(about, runs, loads, "connections", "connections", |cell| {
        cell.connections / 2.0
    })
}

fn counted(
    about: About,
    runs: &[PastRun],
    loads: &[Option<Load>],
    label: &'static str,
    column: &'static str,
    of: impl Fn(&Cell) -> f64,
) -> Chart {
    let scale = TimeScale::of(loads);
    chart(about, runs, |number, run| {
        let Some(load) = &loads[number] else {
            return Err(run.why_no_load());
        };
        let all = load.grouped(TOGETHER.1);
        let counts: Vec<f64> = all.iter().flat_map(|(_, cells)| cells).map(&of).collect();
        let (least, most) = counts
            .iter()
            .fold((f64::MAX, 0.0_f64), |(least, most), &count| {
                (least.min(count), most.max(count))
            });
        let shown = |count: f64| show_count(count.round() as u64);
        let last = counts.last().copied().unwrap_or_default();
        let summary = words::sentence(&match least == most {
            true => format!("always {}", shown(last)),
            false => format!(
                "between {} and {}, {} at the end",
                shown(least),
                shown(most),
                shown(last)
            ),
        });
        let look = (number, number);
        let series = stepped(run.label.clone(), look, load, scale, counts.into_iter());
        Ok((vec![series], summary))
    })
    .with_views(|series| {
        vec![View {
            x: scale.axis(),
            y: Axis::new(label, "", column),
            series,
            ..View::default()
        }]
    })
}

/// A value an interval, with the last one again where it ends.
fn stepped(
    name: String,
    (colour, dash): (usize, usize),
    load: &Load,
    scale: TimeScale,
    values: impl Iterator<Item = f64>,
) -> Series {
    let mut y: Vec<f64> = values.collect();
    y.extend(y.last().copied());
    Series {
        name,
        shape: Shape::Step,
        colour,
        dash,
        x: load.edges_ms.iter().map(|edge| edge / scale.ms).collect(),
        y,
        ..Series::default()
    }
}

/// In which unit simulated time is shown.
#[derive(Clone, Copy)]
pub(super) struct TimeScale {
    pub ms: f64,
    pub unit: &'static str,
}

impl TimeScale {
    fn of(loads: &[Option<Load>]) -> Self {
        let ends = loads
            .iter()
            .flatten()
            .filter_map(|load| load.edges_ms.last());
        TimeScale::up_to(ends.fold(0.0, |last: f64, &end| last.max(end)))
    }

    pub fn up_to(end_ms: f64) -> Self {
        match end_ms {
            end if end >= words::SECONDS_FROM_MS => TimeScale {
                ms: 1000.0,
                unit: "s",
            },
            _ => TimeScale {
                ms: 1.0,
                unit: "ms",
            },
        }
    }

    pub fn axis(self) -> Axis {
        Axis::new("simulated time", self.unit, format!("time_{}", self.unit))
    }
}
