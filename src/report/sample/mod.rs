//! Draws for `p2psim sample`: what can be drawn, and each law's draws from a stream of its own.

mod pairs;
mod people;
mod picture;
mod rows;
mod select;

use std::io;

pub(super) use pairs::{LatencyPair, latency_pairs};
pub(super) use people::side_by_side;
pub use people::{histogram, statistics};
pub use picture::{PictureFormat, picture};
pub use rows::{RowFormat, write_rows};
pub use select::{PathError, select};

use super::histogram::Statistics;
use crate::distribution::{Choice, Distribution};
use crate::network::{LatencyMeaning, LatencyTable};
use crate::peer::LocationIndex;
use crate::random::{Purpose, Stream, mix};
use crate::simulation::{PeerType, Plan, draw_bandwidth, latencies};
use crate::units::{Dimension, Unit};

/// How many draws are made at a time.
const BLOCK: usize = 4096;

/// What is drawn.
#[derive(Clone, Debug)]
pub enum Subject<'a> {
    /// One law.
    Law(Series),
    /// The latencies between locations.
    Latencies(Latencies<'a>),
    /// Peers of each type.
    Peers(Peers<'a>),
    /// Latencies and peers.
    Both(Latencies<'a>, Peers<'a>),
}

impl Subject<'_> {
    /// The law of an expression, in ms.
    pub fn expression(law: Distribution, seed: u64) -> Self {
        Subject::Law(Series {
            title: law.to_string(),
            column: "value".into(),
            measures: String::new(),
            dimension: Dimension::Time,
            seed,
            stream: Stream::global(seed, Purpose::Sample),
            bandwidth: None,
            law,
        })
    }

    /// The seed of all draws.
    pub fn seed(&self) -> u64 {
        match self {
            Subject::Law(series) => series.seed,
            Subject::Latencies(latencies) | Subject::Both(latencies, _) => latencies.plan.seed,
            Subject::Peers(peers) => peers.plan.seed,
        }
    }
}

/// The stream of what stands at `path` in the scenario: its draws depend on the seed and on the
/// path alone, not on what else there is.
fn stream(seed: u64, path: &str) -> Stream {
    let key = path.bytes().fold(0, |key, byte| mix(key ^ u64::from(byte)));
    Stream::new(seed, key, Purpose::Sample)
}

/// One law, what it is called, and where its draws come from.
#[derive(Clone, Debug)]
pub struct Series {
    /// As people call it: `LocA to LocB`.
    title: String,
    /// As a column of a table calls it, with its unit: `bandwidth_ul_bit_per_s`.
    column: String,
    /// What a draw is: `round trip`; empty for an expression, of which nobody knows.
    measures: String,
    dimension: Dimension,
    law: Distribution,
    seed: u64,
    stream: Stream,
    /// For a bandwidth, which is drawn until it is above zero: the peer type and the key.
    bandwidth: Option<(String, &'static str)>,
}

impl Series {
    /// Calls `with` with all draws, block by block, and the number (from 1 on) of the first in
    /// each.
    ///
    /// # Errors
    /// A bandwidth that is hardly ever positive, or what `with` says.
    fn draw(
        mut self,
        count: u64,
        mut with: impl FnMut(u64, &[f64]) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut block = vec![0.0; BLOCK.min(count as usize)];
        let mut done = 0;
        while done < count {
            let size = (count - done).min(BLOCK as u64) as usize;
            self.fill(&mut block[..size])?;
            with(done + 1, &block[..size])?;
            done += size as u64;
        }
        Ok(())
    }

    fn fill(&mut self, block: &mut [f64]) -> io::Result<()> {
        let Some((peer_type, key)) = &self.bandwidth else {
            for place in block {
                *place = self.law.sample(&mut self.stream);
            }
            return Ok(());
        };
        for place in block {
            *place = draw_bandwidth(&self.law, &mut self.stream).ok_or_else(|| {
                io::Error::other(format!(
                    "{key} of peer type `{peer_type}` drew no positive value in 100 tries; use a \
                     law with more of its mass above 0"
                ))
            })?;
        }
        Ok(())
    }

    fn first(mut self) -> io::Result<f64> {
        let mut block = [0.0];
        self.fill(&mut block)?;
        Ok(block[0])
    }

    fn statistics(self, count: u64) -> io::Result<Statistics> {
        let mut statistics = Statistics::default();
        self.draw(count, |_, block| {
            statistics.add(block);
            Ok(())
        })?;
        statistics.finish();
        Ok(statistics)
    }

    /// The unit in which people read these draws.
    fn unit(&self, statistics: &Statistics) -> Unit {
        self.dimension.unit_for(statistics.quantile(0.5))
    }

    /// `round trip in ms`.
    fn label(&self, unit: Unit) -> String {
        let parts = [self.measures.as_str(), unit.name];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(" in ")
    }
}

/// The latencies from some locations to some others.
#[derive(Clone, Debug)]
pub struct Latencies<'a> {
    plan: &'a Plan,
    /// What is given in one direction only serves both.
    table: LatencyTable,
    /// Places of locations.
    from: Vec<usize>,
    to: Vec<usize>,
}

impl<'a> Latencies<'a> {
    fn all(plan: &'a Plan) -> Self {
        let all: Vec<usize> = (0..plan.locations.len()).collect();
        Latencies {
            plan,
            table: latencies(plan),
            from: all.clone(),
            to: all,
        }
    }

    /// What a figure is, in words and as a column.
    fn meaning(&self) -> (&'static str, &'static str) {
        match self.table.meaning() {
            LatencyMeaning::RoundTrip => ("round trip", "round_trip_ms"),
            LatencyMeaning::OneWay => ("one-way delay", "one_way_ms"),
        }
    }

    /// From one location to another, if the scenario says something about them.
    fn series(&self, from: usize, to: usize) -> Option<Series> {
        let law = self
            .table
            .get(LocationIndex(from as u16), LocationIndex(to as u16))?;
        let (measures, column) = self.meaning();
        Some(Series {
            title: format!(
                "{} to {}",
                self.plan.locations[from], self.plan.locations[to]
            ),
            column: column.into(),
            measures: measures.into(),
            dimension: Dimension::Time,
            law: law.clone(),
            seed: self.plan.seed,
            stream: stream(self.plan.seed, &self.path(from, to)),
            bandwidth: None,
        })
    }

    fn path(&self, from: usize, to: usize) -> String {
        let locations = &self.plan.locations;
        format!("latencies.{}.{}", locations[from], locations[to])
    }

    /// All pairs that the scenario says something about, row by row.
    fn pairs(&self) -> impl Iterator<Item = (usize, usize, Series)> {
        self.from
            .iter()
            .flat_map(|&from| self.to.iter().map(move |&to| (from, to)))
            .filter_map(|(from, to)| Some((from, to, self.series(from, to)?)))
    }

    /// The same with no more than `max` locations either way, or with `max * max` from one.
    fn at_most(&self, max: usize) -> Self {
        let mut first = self.clone();
        if self.from.len() > 1 {
            first.from.truncate(max);
            first.to.truncate(max);
        } else {
            first.to.truncate(max * max);
        }
        first
    }
}

/// Peers of each type.
#[derive(Clone, Copy, Debug)]
pub struct Peers<'a> {
    plan: &'a Plan,
}

impl<'a> Peers<'a> {
    fn types(&self) -> impl Iterator<Item = TypeDraws<'a>> + use<'a> {
        let plan = self.plan;
        plan.types.iter().map(|peer_type| TypeDraws {
            plan,
            peer_type,
            location: (
                &peer_type.location,
                stream(
                    plan.seed,
                    &format!("peer_types.{}.location", peer_type.name),
                ),
            ),
            upload: bandwidth(plan, peer_type, true),
            download: bandwidth(plan, peer_type, false),
        })
    }
}

/// What is drawn for peers of one type.
struct TypeDraws<'a> {
    plan: &'a Plan,
    peer_type: &'a PeerType,
    location: (&'a Choice, Stream),
    upload: Series,
    download: Series,
}

impl<'a> TypeDraws<'a> {
    /// The place of the next peer's location.
    fn next_place(&mut self) -> usize {
        let (choice, stream) = &mut self.location;
        choice.sample(stream)
    }

    /// The next peer's location.
    fn next_location(&mut self) -> &'a str {
        let place = self.next_place();
        &self.plan.locations[place]
    }
}

fn bandwidth(plan: &Plan, peer_type: &PeerType, upload: bool) -> Series {
    let (key, measures, law) = if upload {
        ("bandwidth_ul", "upload", &peer_type.bandwidth_ul)
    } else {
        ("bandwidth_dl", "download", &peer_type.bandwidth_dl)
    };
    Series {
        title: format!("{} {measures}", peer_type.name),
        column: format!("{key}_bit_per_s"),
        measures: measures.into(),
        dimension: Dimension::Bandwidth,
        law: law.clone(),
        seed: plan.seed,
        stream: stream(plan.seed, &format!("peer_types.{}.{key}", peer_type.name)),
        bandwidth: Some((peer_type.name.clone(), key)),
    }
}
