//! Topologies for other programs and for people: exports, drawings, figures, snapshots.

mod drawing;
mod figures;
mod formats;
mod layout;
mod timeline;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::in_order::{in_order, pieces};
use super::rows::CsvRows;
use crate::peer::{PeerId, PeerIndex};
use crate::simulation::{FileGraph, Plan, Setup, Simulation};
use crate::topology::Graph;
use crate::topology::attributes::{Cell, Column};

pub use drawing::{Colour, Drawing};
pub use figures::{Effort, Figures};
pub use formats::GraphFormat;
pub use layout::Arrangement;
pub(super) use layout::places;
pub use timeline::Snapshots;

/// The header of `topology.csv`.
const LINK_HEADER: [&str; 4] = ["source", "target", "bandwidth_bit_per_s", "since_ms"];
/// So many peers' links are made into text at once: few enough that the text stays in the cache,
/// and goes where that of those before was.
const PEERS_AT_ONCE: u32 = 256;

/// Links by both ends.
pub(super) type Pairs = Vec<(PeerIndex, PeerIndex)>;

/// Writes connections as CSV, `source, target, bandwidth_bit_per_s, since_ms`, and hands out the
/// ends of all, in lists of moderate length: they fit in memory that the run has let go of. As many threads as the simulation has make the text.
pub(super) fn write_links(
    out: &mut impl Write,
    simulation: &Simulation,
    bootstrap: bool,
    mut see: impl FnMut(Pairs),
) -> io::Result<()> {
    writeln!(out, "{}", LINK_HEADER.join(","))?;
    let network = simulation.network();
    let names = simulation.names();
    let make = |peers| {
        let (mut rows, mut links) = (CsvRows::default(), Pairs::new());
        for link in network.clone().into_links(peers, bootstrap) {
            rows.integer(names.id(link.source).0);
            rows.integer(names.id(link.target).0);
            rows.bandwidth(link.bandwidth);
            rows.ms(link.since);
            rows.end();
            links.push((link.source, link.target));
        }
        (rows.0, links)
    };
    let pieces = pieces(names.len() as u32, PEERS_AT_ONCE);
    in_order(&pieces, simulation.threads(), make, |(rows, links)| {
        see(links);
        out.write_all(&rows)
    })
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
    /// Its upload bandwidth in bit/s.
    #[serde(rename = "bandwidth_ul_bit_per_s")]
    pub bandwidth_ul: f64,
    /// Its download bandwidth in bit/s.
    #[serde(rename = "bandwidth_dl_bit_per_s")]
    pub bandwidth_dl: f64,
    /// Whether it is online.
    pub online: bool,
}

/// A link of an exported topology.
#[derive(Clone, Debug, Deserialize)]
pub struct ExportLink {
    /// The id of one end.
    pub source: u64,
    /// The id of the other, which is larger.
    pub target: u64,
    /// The smaller of the source's upload and the target's download, in bit/s.
    #[serde(rename = "bandwidth_bit_per_s")]
    pub bandwidth: f64,
    /// Since when it is there, in ms.
    #[serde(rename = "since_ms")]
    pub since: String,
}

/// A topology to be exported.
#[derive(Clone, Debug, Default)]
pub struct Exported {
    /// All peers, in ascending order of their ids.
    pub peers: Vec<ExportPeer>,
    /// All links, in ascending order.
    pub links: Vec<ExportLink>,
    /// What a graph file said of its peers besides, by their places in `peers`.
    kept_of_peers: Vec<Column<u32>>,
    /// What it said of its links, by their places in `links`.
    kept_of_links: Vec<Column<u32>>,
    /// The names of the scenario's types and locations, in its order, where that is known.
    type_order: Vec<String>,
    location_order: Vec<String>,
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
                id: names.id(PeerIndex(place as u32)).0,
                type_name: names.type_names[names.types[place].as_usize()].clone(),
                location: locations[setup.locations[place].as_usize()].clone(),
                bandwidth_ul: setup.bandwidth_ul[place],
                bandwidth_dl: setup.bandwidth_dl[place],
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
                since: "0.0".into(),
            })
            .collect();
        Exported {
            peers,
            links,
            type_order: names.type_names.clone(),
            location_order: locations.to_vec(),
            ..Exported::default()
        }
    }

    /// Orders types and locations as the scenario of `plan` does, for drawings.
    pub fn order_as(&mut self, plan: &Plan) {
        self.type_order = plan.types.iter().map(|kind| kind.name.clone()).collect();
        self.location_order = plan.locations.clone();
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
            ..Exported::default()
        };
        let linked: std::collections::BTreeSet<u64> = exported
            .links
            .iter()
            .flat_map(|link| [link.source, link.target])
            .collect();
        exported
            .peers
            .retain(|peer| peer.type_name != "bootstrap" || linked.contains(&peer.id));
        let known = |id: u64| exported.peers.binary_search_by_key(&id, |peer| peer.id);
        if let Some(&unknown) = linked.iter().find(|&&id| known(id).is_err()) {
            return Err(ExportError::Read {
                path: folder.join("topology.csv"),
                problem: format!("it names peer {unknown}, which is not in peers.csv"),
            });
        }
        Ok(exported)
    }

    /// Adds what the graph file that the network came from says of its peers and links.
    pub fn keep(&mut self, file: &FileGraph) {
        let id = |place: u32| file.graph.ids()[place as usize].0;
        let peer = |place: u32| {
            let found = self.peers.binary_search_by_key(&id(place), |peer| peer.id);
            found.ok().map(|place| place as u32)
        };
        let link = |(a, b): (u32, u32)| {
            let ends = (id(a), id(b));
            let found = self
                .links
                .binary_search_by_key(&ends, |link| (link.source, link.target));
            found.ok().map(|place| place as u32)
        };
        let own = |name: &str, own: &[&str]| own.contains(&name);
        let peers = file.attributes.peers.iter();
        let of_peers = peers.filter(|column| !own(&column.name, &formats::OWN_OF_PEERS));
        let of_peers = of_peers.map(|column| rekeyed(column, peer)).collect();
        let links = file.attributes.links.iter();
        let of_links = links.filter(|column| !own(&column.name, &formats::OWN_OF_LINKS));
        let of_links = of_links.map(|column| rekeyed(column, link)).collect();
        (self.kept_of_peers, self.kept_of_links) = (of_peers, of_links);
    }

    /// Its peers and links alone.
    pub fn graph(&self) -> Graph {
        let ids = self.peers.iter().map(|peer| PeerId(peer.id)).collect();
        let links: Vec<(PeerId, PeerId)> = self
            .links
            .iter()
            .map(|link| (PeerId(link.source), PeerId(link.target)))
            .collect();
        Graph::new(ids, &links).0
    }
}

/// The column under other keys; what has none is left out.
fn rekeyed<K: Copy>(column: &Column<K>, key: impl Fn(K) -> Option<u32>) -> Column<u32> {
    let cells = column.cells.iter().filter_map(|cell| {
        Some(Cell {
            at: key(cell.at)?,
            line: cell.line,
            value: cell.value.clone(),
        })
    });
    Column {
        name: column.name.clone(),
        cells: cells.collect(),
    }
}

pub(super) fn into_io(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

pub(super) fn read_csv<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Vec<T>, ExportError> {
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
