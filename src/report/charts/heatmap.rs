//! The heatmap of delays: messages by peers, several of each in a cell where there are many.

use super::model::Heatmap;
use super::words::{many_sizes, quantile};
use crate::report::graph::{Colour, Exported};

/// Cells either way.
const ROWS_MAX: usize = 100;
const COLUMNS_MAX: usize = 160;
/// Colours go from one of these quantiles of the cells to the other, unless the lower is so small
/// a part of the higher that they may as well begin at zero.
const SCALE_QUANTILES: (f64, f64) = (0.02, 0.98);
const SCALE_FROM_ZERO: f64 = 0.3;

/// No delay is shorter than this for a logarithm's sake.
const MS_MIN: f64 = 1e-3;

/// The peers of a heatmap in the order of its columns: by location where several share a cell,
/// since the mean over peers of all locations would be the same everywhere.
pub(super) struct Peers {
    /// Ascending ids, and the column order of each.
    ids: Vec<u64>,
    order: Vec<usize>,
    /// In the order of the columns.
    names: Vec<String>,
    by_location: bool,
}

impl Peers {
    /// All but bootstrap peers, which gossip leaves out.
    pub fn of(topology: &Exported) -> Self {
        let peers = topology.peers.iter();
        let peers: Vec<_> = peers.filter(|peer| peer.type_name != "bootstrap").collect();
        let (groups, group_of) = topology.groups(Colour::Location);
        let by_location = peers.len() > COLUMNS_MAX && groups.len() > 1;
        let group = |id: u64| {
            let place = topology.peers.binary_search_by_key(&id, |peer| peer.id);
            place.map_or(0, |place| group_of[place])
        };
        let mut columns: Vec<usize> = (0..peers.len()).collect();
        if by_location {
            columns.sort_by_key(|&place| group(peers[place].id));
        }
        let mut order = vec![0; peers.len()];
        for (column, &place) in columns.iter().enumerate() {
            order[place] = column;
        }
        let name = |&place: &usize| match by_location {
            true => format!("{}, {}", peers[place].location, peers[place].id),
            false => peers[place].id.to_string(),
        };
        Peers {
            ids: peers.iter().map(|peer| peer.id).collect(),
            names: columns.iter().map(name).collect(),
            order,
            by_location,
        }
    }

    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// The column order of a peer.
    pub fn column(&self, id: u64) -> Option<usize> {
        let place = self.ids.binary_search(&id).ok()?;
        Some(self.order[place])
    }
}

/// The cells while receipts are taken in.
pub(super) struct HeatCells {
    messages: usize,
    peers: usize,
    rows: usize,
    columns: usize,
    /// Row by row: the sum of delays in ms, and how many.
    sums: Vec<(f64, u64)>,
}

impl HeatCells {
    pub fn new(messages: usize, peers: usize) -> Self {
        let (rows, columns) = (messages.min(ROWS_MAX), peers.min(COLUMNS_MAX));
        HeatCells {
            messages,
            peers,
            rows,
            columns,
            sums: vec![(0.0, 0); rows * columns],
        }
    }

    /// A receipt: both are numbers from 0.
    pub fn add(&mut self, message: usize, peer: usize, delay_ms: f64) {
        let row = message * self.rows / self.messages;
        let column = peer * self.columns / self.peers;
        let (sum, count) = &mut self.sums[row * self.columns + column];
        *sum += delay_ms;
        *count += 1;
    }

    pub fn finish(self, name: &str, messages: &[String], peers: &Peers) -> Heatmap {
        let rows = parts(self.messages, self.rows);
        let columns = parts(self.peers, self.columns);
        let delays_ms: Vec<Option<f64>> = self
            .sums
            .iter()
            .map(|&(sum, count)| (count > 0).then(|| sum / count as f64))
            .collect();
        let mut received = Vec::with_capacity(self.sums.len());
        for (row, of_row) in self.sums.chunks(self.columns.max(1)).enumerate() {
            for (column, &(_, count)) in of_row.iter().enumerate() {
                let pairs = rows[row].len() * columns[column].len();
                received.push((100 * count / pairs as u64).min(100) as u8);
            }
        }
        let mut known: Vec<f64> = delays_ms.iter().flatten().copied().collect();
        known.sort_unstable_by(f64::total_cmp);
        let low = quantile(&known, SCALE_QUANTILES.0);
        let high = quantile(&known, SCALE_QUANTILES.1);
        let log = many_sizes(quantile(&known, 0.5), high);
        let label = |first: String, last: String| match first == last {
            true => first,
            false => format!("{first} to {last}"),
        };
        Heatmap {
            name: name.to_owned(),
            rows: rows
                .iter()
                .map(|part| label(messages[part.start].clone(), messages[part.end - 1].clone()))
                .collect(),
            columns: columns
                .iter()
                .map(|part| {
                    label(
                        peers.names[part.start].clone(),
                        peers.names[part.end - 1].clone(),
                    )
                })
                .collect(),
            by_location: peers.by_location,
            log,
            // A logarithm has no zero to begin at.
            scale_low_ms: match low < SCALE_FROM_ZERO * high && !log {
                true => 0.0,
                false => low.max(MS_MIN),
            },
            scale_ms: high,
            delays_ms,
            received,
        }
    }
}

/// Which of `count` numbers fall into each of `parts` cells, as [`HeatCells::add`] has it.
fn parts(count: usize, parts: usize) -> Vec<std::ops::Range<usize>> {
    (0..parts)
        .map(|part| (part * count).div_ceil(parts)..((part + 1) * count).div_ceil(parts))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::graph::ExportPeer;

    fn peers(ids: std::ops::Range<u64>, locations: u64) -> Peers {
        let peer = |id| ExportPeer {
            id,
            type_name: "peer".into(),
            location: format!("L{}", id % locations),
            bandwidth_ul: 1.0,
            bandwidth_dl: 1.0,
            online: true,
        };
        let mut topology = Exported::default();
        topology.peers = ids.map(peer).collect();
        Peers::of(&topology)
    }

    #[test]
    fn cells_are_means_and_names_are_ranges() {
        let messages: Vec<String> = (0..250).map(|number| format!("m{number}")).collect();
        let peers = peers(10..310, 1);
        let mut cells = HeatCells::new(messages.len(), peers.len());
        for message in 0..messages.len() {
            for id in 12..310 {
                let column = peers.column(id).expect("a peer");
                cells.add(message, column, message as f64);
            }
        }
        let map = cells.finish("run", &messages, &peers);
        assert_eq!((map.rows.len(), map.columns.len()), (ROWS_MAX, COLUMNS_MAX));
        assert_eq!(map.delays_ms.len(), ROWS_MAX * COLUMNS_MAX);
        assert_eq!(map.rows[0], "m0 to m2");
        assert_eq!(map.rows[99], "m248 to m249");
        assert_eq!(map.columns[0], "10 to 11");
        assert_eq!((map.delays_ms[0], map.received[0]), (None, 0));
        assert_eq!((map.delays_ms[1], map.received[1]), (Some(1.0), 100));
        assert_eq!(map.delays_ms.last(), Some(&Some(248.5)));
        assert_eq!(map.scale_low_ms, 0.0);
    }

    #[test]
    fn many_peers_stand_by_location() {
        let peers = peers(0..400, 2);
        assert_eq!(peers.column(0), Some(0));
        assert_eq!(peers.column(398), Some(199));
        assert_eq!(peers.column(1), Some(200));
        let map = HeatCells::new(1, 400).finish("run", &["m".to_owned()], &peers);
        assert_eq!(map.columns[0], "L0, 0 to L0, 4");
    }

    #[test]
    fn few_have_a_cell_each() {
        let messages = ["a".to_owned(), "b".to_owned()];
        let few = peers(4..7, 2);
        let mut cells = HeatCells::new(2, few.len());
        cells.add(1, few.column(6).expect("a peer"), 5.0);
        let map = cells.finish("run", &messages, &few);
        assert_eq!(map.rows, messages);
        assert_eq!(map.columns, ["4", "5", "6"]);
        assert_eq!(map.delays_ms, [None, None, None, None, None, Some(5.0)]);
        let none = HeatCells::new(0, 0).finish("run", &[], &peers(0..0, 1));
        assert_eq!(none.delays_ms, []);
    }
}
