//! Charts over simulated time: load, peers online, connections.

use std::collections::BTreeMap;

use super::model::{Axis, Body, Chart, Series, Shape, View};
use super::past_run::{PastRun, ReadError};
use super::table_file::TableFile;
use super::{About, chart, words};
use crate::report::rows::ColumnKind::{Integer, Real, Text};
use crate::units::{Dimension, Unit, show_bandwidth, show_count};

/// So many points of a line are enough to look at; intervals are merged until there are no more.
const POINTS_MAX: usize = 400;
/// More groups than this share a line.
const GROUPS_MAX: usize = 8;
/// Above this, times are in seconds.
const SECONDS_FROM_MS: f64 = 10_000.0;

/// What a group did in an interval.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    online: f64,
    connections: f64,
    messages_in: f64,
    messages_out: f64,
    bytes_in: f64,
    bytes_out: f64,
    /// Sums over messages.
    uplink_wait: f64,
    downlink_wait: f64,
}

impl Cell {
    /// Of another group in the same interval.
    fn beside(&mut self, other: &Cell) {
        self.online += other.online;
        self.connections += other.connections;
        self.then(&Cell {
            online: self.online,
            connections: self.connections,
            ..*other
        });
    }

    /// Of the same group in the next interval: what is counted at its end is as it is then.
    fn then(&mut self, next: &Cell) {
        self.online = next.online;
        self.connections = next.connections;
        self.messages_in += next.messages_in;
        self.messages_out += next.messages_out;
        self.bytes_in += next.bytes_in;
        self.bytes_out += next.bytes_out;
        self.uplink_wait += next.uplink_wait;
        self.downlink_wait += next.downlink_wait;
    }
}

/// A type and a location.
type Group = (String, String);

/// The load of a run over time.
pub(super) struct Load {
    /// When each interval begins, and the last one ends.
    edges_ms: Vec<f64>,
    /// By group, a cell an interval.
    groups: Vec<(Group, Vec<Cell>)>,
}

const COLUMNS: [(&str, crate::report::rows::ColumnKind); 11] = [
    ("start_ms", Real),
    ("type", Text),
    ("location", Text),
    ("online", Integer),
    ("connections", Integer),
    ("messages_in", Integer),
    ("messages_out", Integer),
    ("bytes_in", Integer),
    ("bytes_out", Integer),
    ("uplink_wait_mean_ms", Real),
    ("downlink_wait_mean_ms", Real),
];

impl Load {
    pub fn read(run: &PastRun) -> Result<Option<Self>, ReadError> {
        let Some(table) = TableFile::find(&run.folder, "load")? else {
            return Ok(None);
        };
        let mut edges_ms: Vec<f64> = Vec::new();
        let mut groups: BTreeMap<Group, Vec<Cell>> = BTreeMap::new();
        table.read(&COLUMNS, |block| {
            for row in 0..block.rows {
                let start = block.reals(0)[row];
                if edges_ms.last() != Some(&start) {
                    edges_ms.push(start);
                }
                let count = |column: usize| block.integers(column)[row] as f64;
                let (messages_in, messages_out) = (count(5), count(6));
                let cell = Cell {
                    online: count(3),
                    connections: count(4),
                    messages_in,
                    messages_out,
                    bytes_in: count(7),
                    bytes_out: count(8),
                    uplink_wait: messages_out * block.reals(9)[row],
                    downlink_wait: messages_in * block.reals(10)[row],
                };
                let group = (block.text(1, row).to_owned(), block.text(2, row).to_owned());
                let cells = groups.entry(group).or_default();
                cells.resize(edges_ms.len(), Cell::default());
                if let Some(last) = cells.last_mut() {
                    last.beside(&cell);
                }
            }
        })?;
        let Some(&last) = edges_ms.last() else {
            return Ok(None);
        };
        // An interrupted run may end within an interval.
        let interval = edges_ms.get(1).map(|second| second - edges_ms[0]);
        let reached = run.figure("/reached_ms").unwrap_or(last);
        let intervals = edges_ms.len();
        let end = interval.map_or(reached, |interval| reached.min(last + interval));
        edges_ms.push(if end > last {
            end
        } else {
            last + interval.unwrap_or(1.0)
        });
        let order =
            |name: &String, names: Vec<&String>| names.iter().position(|other| *other == name);
        let mut groups: Vec<(Group, Vec<Cell>)> = groups.into_iter().collect();
        for (_, cells) in &mut groups {
            cells.resize(intervals, Cell::default());
        }
        if let Some(plan) = &run.plan {
            groups.sort_by_key(|((kind, location), _)| {
                let types = plan.types.iter().map(|kind| &kind.name).collect();
                let locations = plan.locations.iter().collect();
                (order(kind, types), order(location, locations))
            });
        }
        let mut load = Load { edges_ms, groups };
        load.merge(intervals.div_ceil(POINTS_MAX));
        Ok(Some(load))
    }

    /// Makes one interval of every `step`.
    fn merge(&mut self, step: usize) {
        if step <= 1 {
            return;
        }
        let end = self.edges_ms.pop();
        self.edges_ms = self
            .edges_ms
            .iter()
            .step_by(step)
            .copied()
            .chain(end)
            .collect();
        for (_, cells) in &mut self.groups {
            *cells = cells
                .chunks(step)
                .map(|part| {
                    let mut merged = Cell::default();
                    part.iter().for_each(|cell| merged.then(cell));
                    merged
                })
                .collect();
        }
    }

    /// The cells of all groups that `name` calls the same, in the order of the groups; the
    /// smallest together where there are too many.
    fn grouped(&self, name: impl Fn(&Group) -> String) -> Vec<(String, Vec<Cell>)> {
        let mut grouped: Vec<(String, Vec<Cell>)> = Vec::new();
        let add = |sum: &mut Vec<Cell>, cells: &[Cell]| {
            sum.iter_mut()
                .zip(cells)
                .for_each(|(sum, cell)| sum.beside(cell));
        };
        for (group, cells) in &self.groups {
            let name = name(group);
            match grouped.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sum)) => add(sum, cells),
                None => grouped.push((name, cells.clone())),
            }
        }
        if grouped.len() > GROUPS_MAX {
            let size = |cells: &[Cell]| cells.iter().map(|cell| cell.bytes_out).sum::<f64>();
            let mut sizes: Vec<f64> = grouped.iter().map(|(_, cells)| size(cells)).collect();
            sizes.sort_by(|a, b| b.total_cmp(a));
            let least = sizes[GROUPS_MAX - 2];
            let mut kept = Vec::new();
            let mut others: Vec<(String, Vec<Cell>)> = Vec::new();
            for (name, cells) in grouped {
                if size(&cells) >= least && kept.len() < GROUPS_MAX - 1 {
                    kept.push((name, cells));
                } else {
                    others.push((name, cells));
                }
            }
            let mut sum = vec![Cell::default(); self.edges_ms.len() - 1];
            others.iter().for_each(|(_, cells)| add(&mut sum, cells));
            kept.push((format!("{} others", others.len()), sum));
            grouped = kept;
        }
        grouped
    }

    fn seconds(&self, interval: usize) -> f64 {
        (self.edges_ms[interval + 1] - self.edges_ms[interval]) / 1000.0
    }
}

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
struct TimeScale {
    ms: f64,
    unit: &'static str,
}

impl TimeScale {
    fn of(loads: &[Option<Load>]) -> Self {
        let ends = loads
            .iter()
            .flatten()
            .filter_map(|load| load.edges_ms.last());
        match ends.fold(0.0, |last: f64, &end| last.max(end)) {
            end if end >= SECONDS_FROM_MS => TimeScale {
                ms: 1000.0,
                unit: "s",
            },
            _ => TimeScale {
                ms: 1.0,
                unit: "ms",
            },
        }
    }

    fn axis(self) -> Axis {
        Axis::new("simulated time", self.unit, format!("time_{}", self.unit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(intervals: usize, groups: usize) -> Load {
        let cell = |group: usize| Cell {
            online: 2.0,
            bytes_out: group as f64,
            ..Cell::default()
        };
        Load {
            edges_ms: (0..=intervals).map(|edge| edge as f64 * 1000.0).collect(),
            groups: (0..groups)
                .map(|group| {
                    let name = (format!("t{group}"), "A".to_owned());
                    (name, vec![cell(group); intervals])
                })
                .collect(),
        }
    }

    #[test]
    fn merged_intervals_add_up_and_end_as_the_last_one() {
        let mut load = load(10, 2);
        load.groups[1].1[9].online = 5.0;
        load.merge(4);
        assert_eq!(load.edges_ms, [0.0, 4000.0, 8000.0, 10_000.0]);
        let cells = &load.groups[1].1;
        assert_eq!(
            cells.iter().map(|cell| cell.bytes_out).collect::<Vec<_>>(),
            [4.0, 4.0, 2.0]
        );
        assert_eq!((cells[1].online, cells[2].online), (2.0, 5.0));
        assert_eq!(load.seconds(2), 2.0);
    }

    #[test]
    fn many_groups_share_a_line() {
        let load = load(3, 20);
        let grouped = load.grouped(GROUPINGS[0].1);
        assert_eq!(grouped.len(), GROUPS_MAX);
        assert_eq!(grouped[0].0, "t13, A");
        assert_eq!(grouped[GROUPS_MAX - 1].0, "13 others");
        let sum: f64 = grouped.iter().map(|(_, cells)| cells[0].bytes_out).sum();
        assert_eq!(sum, 190.0);
        assert_eq!(load.grouped(TOGETHER.1)[0].1[0].online, 40.0);
    }
}
