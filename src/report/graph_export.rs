//! Topologies for other programs: CSV for tables, DOT for graphviz.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::peer::Names;
use crate::simulation::{LinkOutcome, Setup};

/// The header of `topology.csv`.
const LINK_HEADER: [&str; 4] = ["source", "target", "bandwidth_bit_per_s", "since_ms"];

/// Writes connections as CSV: `source, target, bandwidth_bit_per_s, since_ms`.
pub(super) fn write_links<W: Write>(
    out: &mut csv::Writer<W>,
    names: &Names,
    links: impl Iterator<Item = LinkOutcome>,
) -> csv::Result<()> {
    out.write_record(LINK_HEADER)?;
    let mut since = Vec::new();
    for link in links {
        since.clear();
        link.since.write_ms(&mut since);
        out.serialize((
            names.id(link.source).0,
            names.id(link.target).0,
            link.bandwidth,
            String::from_utf8_lossy(&since),
        ))?;
    }
    Ok(())
}

/// A format of an exported topology.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GraphFormat {
    /// One link a row.
    #[default]
    Csv,
    /// Graphviz: `dot -Tsvg`.
    Dot,
}

/// A peer of an exported topology.
#[derive(Clone, Debug, Deserialize)]
pub struct ExportPeer {
    /// Its id.
    pub id: u64,
    /// Its type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Its location.
    pub location: String,
    /// Whether it is online.
    pub online: bool,
}

/// A link of an exported topology.
#[derive(Clone, Debug, Deserialize)]
pub struct ExportLink {
    /// The id of one end.
    pub source: u64,
    /// The id of the other.
    pub target: u64,
    /// The smaller of the source's upload and the target's download, in bit/s.
    #[serde(rename = "bandwidth_bit_per_s")]
    pub bandwidth: f64,
    /// Since when it is there, in ms.
    #[serde(rename = "since_ms")]
    pub since: String,
}

/// A topology to be exported.
#[derive(Clone, Debug)]
pub struct Exported {
    /// All peers, in ascending order of their ids.
    pub peers: Vec<ExportPeer>,
    /// All links.
    pub links: Vec<ExportLink>,
}

/// Why a run's topology could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A file of the folder cannot be read, or is not what a run writes.
    #[error(
        "cannot read {path}: {problem}\n  name a scenario file or the folder of a finished run"
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

impl Exported {
    /// The topology before the first event.
    pub fn initial(setup: &Setup, locations: &[String]) -> Self {
        let names = &setup.names;
        let peers = (0..names.len())
            .map(|place| ExportPeer {
                id: names.ids[place].0,
                type_name: names.type_names[names.types[place].as_usize()].clone(),
                location: locations[setup.locations[place].as_usize()].clone(),
                online: true,
            })
            .collect();
        let links = setup
            .links()
            .map(|(source, target)| ExportLink {
                source: names.id(source).0,
                target: names.id(target).0,
                bandwidth: setup.bandwidth_ul[source.as_usize()]
                    .min(setup.bandwidth_dl[target.as_usize()]),
                since: "0".into(),
            })
            .collect();
        Exported { peers, links }
    }

    /// The final topology of a run, from its folder. Peers are those of `peers.csv`; bootstrap
    /// peers only where a link of theirs was written.
    ///
    /// # Errors
    /// When `peers.csv` or `topology.csv` cannot be read or is damaged.
    pub fn read(folder: &Path) -> Result<Self, ExportError> {
        let mut exported = Exported {
            peers: read_csv(&folder.join("peers.csv"))?,
            links: read_csv(&folder.join("topology.csv"))?,
        };
        let linked: std::collections::BTreeSet<u64> = exported
            .links
            .iter()
            .flat_map(|link| [link.source, link.target])
            .collect();
        exported
            .peers
            .retain(|peer| peer.type_name != "bootstrap" || linked.contains(&peer.id));
        Ok(exported)
    }

    /// Writes the topology.
    ///
    /// # Errors
    /// When `out` refuses.
    pub fn write(&self, format: GraphFormat, out: &mut impl Write) -> io::Result<()> {
        match format {
            GraphFormat::Csv => self.write_csv(out),
            GraphFormat::Dot => self.write_dot(out),
        }
    }

    fn write_csv(&self, out: &mut impl Write) -> io::Result<()> {
        let mut out = csv::Writer::from_writer(out);
        let mut rows = || {
            out.write_record(LINK_HEADER)?;
            for link in &self.links {
                out.serialize((link.source, link.target, link.bandwidth, &link.since))?;
            }
            out.flush().map_err(csv::Error::from)
        };
        rows().map_err(into_io)
    }

    fn write_dot(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "graph topology {{")?;
        writeln!(out, "  layout=sfdp; overlap=prism; outputorder=edgesfirst;")?;
        writeln!(
            out,
            "  node [shape=ellipse, style=filled, fontname=\"Helvetica\"];"
        )?;
        let mut types: Vec<&str> = self.peers.iter().map(|p| p.type_name.as_str()).collect();
        types.sort_unstable();
        types.dedup();
        for peer in &self.peers {
            let place = types.binary_search(&peer.type_name.as_str()).unwrap_or(0);
            let colour = COLOURS[place % COLOURS.len()];
            let style = if peer.online { "filled" } else { "dashed" };
            writeln!(
                out,
                "  {} [label=\"{}\\n{}\\n{}\", type=\"{}\", location=\"{}\", online={}, \
                 style={style}, fillcolor=\"{colour}\"];",
                peer.id,
                peer.id,
                escape(&peer.type_name),
                escape(&peer.location),
                escape(&peer.type_name),
                escape(&peer.location),
                peer.online,
            )?;
        }
        for link in &self.links {
            writeln!(
                out,
                "  {} -- {} [bandwidth={}, since_ms={}];",
                link.source, link.target, link.bandwidth, link.since
            )?;
        }
        writeln!(out, "}}")
    }
}

/// Pale colours that print well under black text (ColorBrewer's Pastel1), one a type.
const COLOURS: [&str; 8] = [
    "#b3cde3", "#fbb4ae", "#ccebc5", "#decbe4", "#fed9a6", "#ffffcc", "#e5d8bd", "#fddaec",
];

/// Text between double quotes in DOT.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

pub(super) fn into_io(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

fn read_csv<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Vec<T>, ExportError> {
    let failed = |error: csv::Error| ExportError::Read {
        path: path.to_owned(),
        problem: error.to_string(),
    };
    let mut reader = csv::Reader::from_path(path).map_err(failed)?;
    reader
        .deserialize()
        .collect::<Result<_, _>>()
        .map_err(failed)
}
