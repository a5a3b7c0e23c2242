//! The table `load`: what groups of peers, or peers, sent and received in each interval.

use std::io;

use super::rows::ColumnKind::{Integer, Real, Text};
use super::rows::{Column, RowWriter};
use crate::peer::PeerIndex;
use crate::record::{LoadGroups, LoadSeries};
use crate::simulation::Simulation;
use crate::time::Time;

/// The columns that both forms of the table end with.
const MEASURES: [Column; 10] = [
    ("online", Integer),
    ("connections", Integer),
    ("messages_in", Integer),
    ("messages_out", Integer),
    ("bytes_in", Integer),
    ("bytes_out", Integer),
    ("uplink_wait_mean_ms", Real),
    ("uplink_wait_max_ms", Real),
    ("downlink_wait_mean_ms", Real),
    ("downlink_wait_max_ms", Real),
];

/// The columns of a series.
pub(super) fn columns(series: &LoadSeries) -> Vec<Column> {
    let mut columns = match series.groups() {
        LoadGroups::Groups(_) => vec![
            ("start_ms", Real),
            ("type", Text),
            ("location", Text),
            ("peers", Integer),
        ],
        LoadGroups::Peers => vec![
            ("start_ms", Real),
            ("peer", Integer),
            ("type", Text),
            ("location", Text),
        ],
    };
    columns.extend(MEASURES);
    columns
}

/// Writes the rows of the intervals that begin before `end`.
pub(super) fn write_load(
    table: &mut RowWriter,
    simulation: &Simulation,
    series: &LoadSeries,
    end: Time,
) -> io::Result<()> {
    let names = simulation.names();
    let locations = simulation.locations();
    for row in series.rows(end) {
        table.ms(row.start);
        match series.groups() {
            LoadGroups::Groups(groups) => {
                let group = &groups[row.group];
                table.text(names.type_names[group.peer_type.as_usize()].as_bytes());
                table.text(locations[group.location.as_usize()].as_bytes());
                table.integer(group.peers.into());
            }
            LoadGroups::Peers => {
                let world = simulation.world();
                let place = world.locations[row.group].as_usize();
                table.integer(names.id(PeerIndex(row.group as u32)).0);
                table.text(names.type_names[names.types[row.group].as_usize()].as_bytes());
                table.text(locations[place].as_bytes());
            }
        }
        table.integer(row.online);
        table.integer(row.connections);
        table.integer(row.received.messages);
        table.integer(row.sent.messages);
        table.integer(row.received.bytes);
        table.integer(row.sent.bytes);
        for flow in [row.sent, row.received] {
            table.real(flow.wait_mean_ms);
            table.ms(flow.wait_max);
        }
        table.end()?;
    }
    Ok(())
}
