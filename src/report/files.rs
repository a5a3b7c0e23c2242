//! The files of a run's folder besides its logs: peers, connections, messages, summary.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use super::folder::{FolderError, RunFolder};
use super::graph::write_links;
use super::summary::{RunName, summary_json};
use crate::simulation::{Outcome, Simulation};

/// The files this writes.
pub const FILES: [&str; 4] = ["peers.csv", "topology.csv", "messages.csv", "summary.json"];

/// Writes `peers.csv`, `topology.csv`, `messages.csv` and `summary.json`.
///
/// # Errors
/// When the system refuses.
pub fn write_outputs(
    folder: &RunFolder,
    simulation: &Simulation,
    outcome: &Outcome,
    name: &RunName,
    bootstrap: bool,
) -> Result<(), FolderError> {
    let [peers, topology, messages, summary] = FILES;
    write_csv(folder.path(), peers, |out| write_peers(out, simulation))?;
    write_csv(folder.path(), topology, |out| {
        write_links(out, simulation.names(), simulation.links(bootstrap))
    })?;
    write_csv(folder.path(), messages, |out| write_messages(out, outcome))?;
    let text = summary_json(simulation, outcome, name, bootstrap);
    folder.write(summary, text.as_bytes())
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
    out.write_record([
        "type",
        "sent",
        "delivered",
        "dropped",
        "lost",
        "in_flight",
        "bytes_sent",
        "bytes_delivered",
    ])?;
    for message in &outcome.messages {
        let counts = &message.counts;
        out.serialize((
            &message.name,
            counts.sent,
            counts.delivered,
            counts.dropped(),
            counts.lost,
            message.in_flight,
            counts.bytes_sent,
            counts.bytes_delivered,
        ))?;
    }
    Ok(())
}
