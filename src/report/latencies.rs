//! The tables `latencies` and `latency_histogram`: how long messages were on their way, by pair of
//! locations.

use std::io;

use super::rows::ColumnKind::{Integer, Real, Text};
use super::rows::{Column, RowWriter};
use crate::record::DelayLaw;
use crate::simulation::Simulation;
use crate::time::Time;

/// The columns of `latencies`.
pub(super) const COLUMNS: [Column; 11] = [
    ("from", Text),
    ("to", Text),
    ("law", Text),
    ("messages", Integer),
    ("at_floor", Integer),
    ("one_way_mean_ms", Real),
    ("one_way_min_ms", Real),
    ("one_way_p5_ms", Real),
    ("one_way_p50_ms", Real),
    ("one_way_p95_ms", Real),
    ("one_way_max_ms", Real),
];

/// The columns of `latency_histogram`.
pub(super) const HISTOGRAM_COLUMNS: [Column; 6] = [
    ("from", Text),
    ("to", Text),
    ("law", Text),
    ("one_way_from_ms", Real),
    ("one_way_to_ms", Real),
    ("messages", Integer),
];

/// Writes a row for each pair and law.
pub(super) fn write_latencies(table: &mut RowWriter, simulation: &Simulation) -> io::Result<()> {
    let floor = simulation.world().latencies.delay_min();
    for (from, to, law, delays) in simulation.delays().pairs() {
        pair(table, simulation, (from.as_usize(), to.as_usize()), law);
        let messages = delays.messages();
        table.integer(messages);
        table.integer(delays.at_floor(floor));
        table.real(delays.mean_ms());
        table.ms(delays.min().unwrap_or(Time::ZERO));
        for percent in [5, 50, 95] {
            let rank = (u128::from(messages) * percent).div_ceil(100) as u64;
            table.ms(delays.delay_at(rank.max(1)));
        }
        table.ms(delays.max());
        table.end()?;
    }
    Ok(())
}

/// Writes a row for each class that is not empty of each pair and law.
pub(super) fn write_histogram(table: &mut RowWriter, simulation: &Simulation) -> io::Result<()> {
    for (from, to, law, delays) in simulation.delays().pairs() {
        for (start, end, messages) in delays.classes() {
            pair(table, simulation, (from.as_usize(), to.as_usize()), law);
            table.ms(start);
            table.ms(end);
            table.integer(messages);
            table.end()?;
        }
    }
    Ok(())
}

fn pair(table: &mut RowWriter, simulation: &Simulation, ends: (usize, usize), law: DelayLaw) {
    let locations = simulation.locations();
    table.text(locations[ends.0].as_bytes());
    table.text(locations[ends.1].as_bytes());
    table.text(law.key().as_bytes());
}
