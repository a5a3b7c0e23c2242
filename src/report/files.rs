//! The files of a run's folder besides its logs: final states, counts, and the large tables.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::panic::resume_unwind;
use std::path::Path;
use std::thread;

use super::folder::{FolderError, RunFolder};
use super::graph::{Pairs, write_links};
use super::in_order::pieces;
use super::rows::{CsvRows, write_table};
use super::summary::{RunName, final_figures, summary_json};
use super::{coverage, deliveries, latencies, load, measurements};
use crate::record::{ConnectionEvent, DropCause, LossCause, Spread, TableFormat};
use crate::simulation::{Ending, Outcome, Simulation};
use crate::time::Time;

/// Writes `peers.csv`, `topology.csv`, `messages.csv`, `connections.csv`, `summary.json`, and as
/// far as there is something in them `counts.csv` and in `format` the tables `load`,
/// `latency_histogram` (with `latencies.csv`), `deliveries`, `coverage` and `observations`.
/// How many connections there are.
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
) -> Result<u64, FolderError> {
    let path = folder.path();
    let mut links: Vec<Pairs> = Vec::new();
    write_file(path, "topology.csv", |out| {
        write_links(out, simulation, bootstrap, |pairs| links.push(pairs))
    })?;
    // The figures of the final network take as long as its peers take to be written.
    let network = simulation.network();
    let figures = || final_figures(&network, &links);
    let figures = thread::scope(|scope| {
        let peers = || write_file(path, "peers.csv", |out| write_peers(out, simulation));
        if simulation.threads() < 2 {
            return peers().map(|()| figures());
        }
        let figures = scope.spawn(figures);
        peers()?;
        Ok(figures.join().unwrap_or_else(|panic| resume_unwind(panic)))
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
    if simulation.delays().are_kept() {
        let columns = &latencies::HISTOGRAM_COLUMNS;
        write_table(path, "latency_histogram", format, columns, |table| {
            latencies::write_histogram(table, simulation)
        })?;
        let columns = &latencies::COLUMNS;
        write_table(path, "latencies", TableFormat::Csv, columns, |table| {
            latencies::write_latencies(table, simulation)
        })?;
    }
    let spread = simulation.deliveries().spread();
    if let Some(spread) = &spread {
        write_gossip(path, simulation, outcome, spread, format)?;
    }
    write_measurements(path, simulation, format)?;
    let text = summary_json(simulation, outcome, spread.as_ref(), name, &figures);
    folder.write("summary.json", text.as_bytes())?;
    Ok(figures.links())
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

fn write_file(
    folder: &Path,
    name: &str,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), FolderError> {
    let path = folder.join(name);
    File::create(&path)
        .and_then(|file| {
            let mut out = BufWriter::new(file);
            write(&mut out)?;
            out.flush()
        })
        .map_err(FolderError::io("write", &path))
}

fn write_csv(
    folder: &Path,
    name: &str,
    rows: impl FnOnce(&mut csv::Writer<&mut BufWriter<File>>) -> csv::Result<()>,
) -> Result<(), FolderError> {
    write_file(folder, name, |out| {
        let mut writer = csv::Writer::from_writer(out);
        rows(&mut writer).map_err(io::Error::other)?;
        writer.flush()
    })
}

const PEER_HEADER: &[u8] = b"id,type,location,bandwidth_ul_bit_per_s,bandwidth_dl_bit_per_s,\
    online,connections,messages_in,messages_out,bytes_in,bytes_out\n";
/// So many peers are made into text at once: few enough that the text stays in the cache, and goes
/// where that of those before was.
const PEERS_AT_ONCE: u32 = 256;

fn write_peers(out: &mut impl Write, simulation: &Simulation) -> io::Result<()> {
    out.write_all(PEER_HEADER)?;
    let (names, locations) = (simulation.names(), simulation.locations());
    for peers in pieces(names.len() as u32, PEERS_AT_ONCE) {
        let mut rows = CsvRows::default();
        let network = simulation.network();
        let world = network.world();
        for outcome in network.into_peers(peers) {
            let place = outcome.peer.as_usize();
            rows.integer(names.id(outcome.peer).0);
            rows.text(names.type_name(outcome.peer).as_bytes());
            rows.text(locations[world.locations[place].as_usize()].as_bytes());
            rows.bandwidth(world.bandwidth_ul[place]);
            rows.bandwidth(world.bandwidth_dl[place]);
            rows.flag(outcome.online);
            rows.integer(outcome.connections as u64);
            rows.integer(outcome.traffic.messages_in);
            rows.integer(outcome.traffic.messages_out);
            rows.integer(outcome.traffic.bytes_in);
            rows.integer(outcome.traffic.bytes_out);
            rows.end();
        }
        out.write_all(&rows.0)?;
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
