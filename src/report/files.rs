//! The files of a run's folder besides its logs: final states, counts, and the large tables.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use super::folder::{FolderError, RunFolder};
use super::graph::write_links;
use super::rows::write_table;
use super::summary::{RunName, summary_json};
use super::{coverage, deliveries, load, measurements};
use crate::record::{ConnectionEvent, DropCause, LossCause, Spread, TableFormat};
use crate::simulation::{Ending, Outcome, Simulation};
use crate::time::Time;

/// Writes `peers.csv`, `topology.csv`, `messages.csv`, `connections.csv`, `summary.json`, and as
/// far as there is something in them `counts.csv` and in `format` the tables `load`, `deliveries`,
/// `coverage` and `observations`.
///
/// # Errors
/// When the system refuses.
pub fn write_outputs(
    folder: &RunFolder,
    simulation: &Simulation,
    outcome: &Outcome,
    name: &RunName,
    bootstrap: bool,
    format: TableFormat,
) -> Result<(), FolderError> {
    let path = folder.path();
    write_csv(path, "peers.csv", |out| write_peers(out, simulation))?;
    write_csv(path, "topology.csv", |out| {
        write_links(out, simulation.names(), simulation.links(bootstrap))
    })?;
    write_csv(path, "messages.csv", |out| write_messages(out, outcome))?;
    write_csv(path, "connections.csv", |out| {
        write_connections(out, simulation)
    })?;
    if let Some(series) = simulation.load().series() {
        write_table(path, "load", format, &load::columns(series), |table| {
            // What an interrupted run has done at the very time it had reached is in it.
            let moment = Time::from_ns(u64::from(outcome.ending != Ending::Horizon));
            load::write_load(table, simulation, series, outcome.reached + moment)
        })?;
    }
    let spread = simulation.deliveries().spread();
    if let Some(spread) = &spread {
        write_gossip(path, simulation, outcome, spread, format)?;
    }
    write_measurements(path, simulation, format)?;
    let text = summary_json(simulation, outcome, spread.as_ref(), name, bootstrap);
    folder.write("summary.json", text.as_bytes())
}

fn write_measurements(
    path: &Path,
    simulation: &Simulation,
    format: TableFormat,
) -> Result<(), FolderError> {
    let measured = simulation.measurements();
    if measured.counts().next().is_some() {
        write_csv(path, "counts.csv", |out| {
            measurements::write_counts(out, simulation)
        })?;
    }
    if !measured.observations().names().is_empty() {
        let columns = &measurements::COLUMNS;
        write_table(path, "observations", format, columns, |table| {
            measurements::write_observations(table, simulation)
        })?;
    }
    Ok(())
}

fn write_gossip(
    path: &Path,
    simulation: &Simulation,
    outcome: &Outcome,
    spread: &Spread,
    format: TableFormat,
) -> Result<(), FolderError> {
    let names = simulation.names();
    // Kept together: one by one they would say who has received what, but not who could have.
    let Some(presence) = simulation.load().presence() else {
        return write_table(path, "coverage", format, &coverage::COLUMNS, |table| {
            coverage::write_streamed(table, spread)
        });
    };
    let changes = presence.changes();
    let by_rumour = simulation.deliveries().by_rumour();
    write_table(path, "deliveries", format, &deliveries::COLUMNS, |table| {
        deliveries::write_deliveries(table, names, &by_rumour)
    })?;
    write_table(path, "coverage", format, &coverage::COLUMNS, |table| {
        coverage::write_coverage(
            table,
            names,
            simulation.deliveries().audience(),
            &by_rumour,
            &spread.delays,
            &changes,
            outcome.reached,
        )
    })
}

fn write_csv(
    folder: &Path,
    name: &str,
    rows: impl FnOnce(&mut csv::Writer<BufWriter<File>>) -> csv::Result<()>,
) -> Result<(), FolderError> {
    let path = folder.join(name);
    let file = File::create(&path).map_err(FolderError::io("write", &path))?;
    let mut writer = csv::Writer::from_writer(BufWriter::new(file));
    rows(&mut writer)
        .map_err(std::io::Error::other)
        .and_then(|()| {
            writer
                .into_inner()
                .map_err(|error| std::io::Error::other(error.to_string()))
        })
        .and_then(|mut file| file.flush())
        .map_err(FolderError::io("write", &path))
}

fn write_peers<W: Write>(out: &mut csv::Writer<W>, simulation: &Simulation) -> csv::Result<()> {
    out.write_record([
        "id",
        "type",
        "location",
        "bandwidth_ul_bit_per_s",
        "bandwidth_dl_bit_per_s",
        "online",
        "connections",
        "messages_in",
        "messages_out",
        "bytes_in",
        "bytes_out",
    ])?;
    let world = simulation.world();
    let names = simulation.names();
    for outcome in simulation.peers() {
        let place = outcome.peer.as_usize();
        out.serialize((
            names.id(outcome.peer).0,
            names.type_name(outcome.peer),
            &simulation.locations()[world.locations[place].as_usize()],
            world.bandwidth_ul[place],
            world.bandwidth_dl[place],
            outcome.online,
            outcome.connections,
            outcome.traffic.messages_in,
            outcome.traffic.messages_out,
            outcome.traffic.bytes_in,
            outcome.traffic.bytes_out,
        ))?;
    }
    Ok(())
}

fn write_messages<W: Write>(out: &mut csv::Writer<W>, outcome: &Outcome) -> csv::Result<()> {
    let dropped = DropCause::ALL.map(|cause| format!("dropped_{}", cause.key()));
    let lost = LossCause::ALL.map(|cause| format!("lost_{}", cause.key()));
    let header = ["type", "sent", "duplicated", "delivered", "dropped"]
        .into_iter()
        .chain(dropped.iter().map(String::as_str))
        .chain(["lost"])
        .chain(lost.iter().map(String::as_str))
        .chain([
            "in_flight",
            "bytes_sent",
            "bytes_duplicated",
            "bytes_delivered",
        ]);
    out.write_record(header)?;
    for message in &outcome.messages {
        let counts = &message.counts;
        out.serialize((
            &message.name,
            counts.sent,
            counts.duplicated,
            counts.delivered,
            counts.dropped(),
            counts.dropped_by_cause,
            counts.lost(),
            counts.lost_by_cause,
            message.in_flight,
            counts.bytes_sent,
            counts.bytes_duplicated,
            counts.bytes_delivered,
        ))?;
    }
    Ok(())
}

fn write_connections<W: Write>(
    out: &mut csv::Writer<W>,
    simulation: &Simulation,
) -> csv::Result<()> {
    out.write_record(["event", "count"])?;
    for event in ConnectionEvent::ALL {
        out.serialize((event.key(), simulation.connection_counts().of(event)))?;
    }
    Ok(())
}
