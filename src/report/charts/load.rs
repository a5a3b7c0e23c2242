//! The load of a run over time, as its table tells it.

use std::collections::BTreeMap;

use super::past_run::{PastRun, ReadError};
use super::table_file::TableFile;
use crate::report::rows::ColumnKind::{Integer, Real, Text};

/// So many points of a line are enough to look at; intervals are merged until there are no more.
const POINTS_MAX: usize = 400;
/// More groups than this share a line.
const GROUPS_MAX: usize = 8;

/// What a group did in an interval.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cell {
    pub online: f64,
    pub connections: f64,
    pub messages_in: f64,
    pub messages_out: f64,
    pub bytes_in: f64,
    pub bytes_out: f64,
    /// Sums over messages, in ms.
    pub uplink_wait: f64,
    pub downlink_wait: f64,
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
pub(super) type Group = (String, String);

/// The load of a run over time.
pub(super) struct Load {
    /// When each interval begins, and the last one ends.
    pub edges_ms: Vec<f64>,
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
    pub fn grouped(&self, name: impl Fn(&Group) -> String) -> Vec<(String, Vec<Cell>)> {
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

    /// How long an interval is.
    pub fn seconds(&self, interval: usize) -> f64 {
        (self.edges_ms[interval + 1] - self.edges_ms[interval]) / 1000.0
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
        let grouped = load.grouped(|(kind, location)| format!("{kind}, {location}"));
        assert_eq!(grouped.len(), GROUPS_MAX);
        assert_eq!(grouped[0].0, "t13, A");
        assert_eq!(grouped[GROUPS_MAX - 1].0, "13 others");
        let sum: f64 = grouped.iter().map(|(_, cells)| cells[0].bytes_out).sum();
        assert_eq!(sum, 190.0);
        assert_eq!(load.grouped(|_| String::new())[0].1[0].online, 40.0);
    }
}
