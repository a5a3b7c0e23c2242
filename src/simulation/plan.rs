//! A plan: everything that determines a run, checked, without a trace of the file it came from.

use std::collections::BTreeMap;

use crate::distribution::{Choice, Distribution};
use crate::network::{LatencyTable, LinkLatencies, LinkMode};
use crate::peer::{LocationIndex, PeerId, TypeIndex};
use crate::record::LogOptions;
use crate::services::{Parameters, ServiceSpec};
use crate::time::Time;
use crate::topology::Graph;
use crate::topology::attributes::Attributes;
use crate::topology::generators::Generator;

/// Everything that determines a run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Fixes all draws.
    pub seed: u64,
    /// When the run ends; what is due at this time is no longer handled.
    pub horizon: Time,
    /// The names of the locations.
    pub locations: Vec<String>,
    /// The latency between them.
    pub latencies: LatencyTable,
    /// Whether uplinks queue.
    pub uplink: LinkMode,
    /// Whether downlinks queue.
    pub downlink: LinkMode,
    /// The peer types, in the scenario's order.
    pub types: Vec<PeerType>,
    /// Who takes part and how they are linked at first.
    pub population: Population,
    /// What is logged.
    pub logs: LogOptions,
    /// How often the topology is written during the run; a whole number of ms.
    pub snapshots: Option<Time>,
    /// Whether bootstrap peers' connections are part of the exported topology.
    pub export_bootstrap: bool,
}

impl Plan {
    /// The graph file that the network is read from, if it is.
    pub fn file_graph(&self) -> Option<&FileGraph> {
        match &self.population {
            Population::Graph {
                links: GraphSource::File(file),
                ..
            } => Some(file),
            _ => None,
        }
    }
}

/// A type of peers.
#[derive(Clone, Debug)]
pub struct PeerType {
    /// Its name.
    pub name: String,
    /// Where a peer of this type is (places in [`Plan::locations`]).
    pub location: Choice,
    /// Its upload bandwidth in bit/s.
    pub bandwidth_ul: Distribution,
    /// Its download bandwidth in bit/s.
    pub bandwidth_dl: Distribution,
    /// What runs on it, in the scenario's order.
    pub services: Vec<ServicePlan>,
}

/// A service with its parameters.
#[derive(Clone, Debug)]
pub struct ServicePlan {
    /// Which service.
    pub spec: ServiceSpec,
    /// A value for each of its parameters.
    pub parameters: Parameters,
}

/// Who takes part and how they are linked at first.
#[derive(Clone, Debug)]
pub enum Population {
    /// Peers and links are given.
    Graph {
        /// The links.
        links: GraphSource,
        /// Who is of which type.
        types: TypeAssignment,
    },
    /// Peers find each other through bootstrap peers.
    Emergent {
        /// How many peers of each type; ids count from 1 in this order.
        counts: Vec<(TypeIndex, u64)>,
        /// The type of the bootstrap peers.
        bootstrap_type: TypeIndex,
        /// How many bootstrap peers there are besides those in `counts`; their ids follow.
        bootstrap_extra: u64,
        /// When a peer joins, in ms; bootstrap peers are there from the start.
        join: Distribution,
    },
}

impl Population {
    /// How many peers there are, and how many links before the first event (on average, where
    /// chance decides). An emergent topology is counted with one link a peer, to its bootstrap
    /// peer.
    pub fn size(&self) -> (u64, f64) {
        match self {
            Population::Graph { links, .. } => match links {
                GraphSource::Generator(generator) => {
                    (generator.peers(), generator.expected_links())
                }
                GraphSource::Listed(graph) => (graph.peers() as u64, graph.links() as f64),
                GraphSource::File(file) => (file.graph.peers() as u64, file.graph.links() as f64),
            },
            Population::Emergent {
                counts,
                bootstrap_extra,
                ..
            } => {
                let peers = counts.iter().map(|&(_, count)| count).sum::<u64>() + bootstrap_extra;
                (peers, peers as f64)
            }
        }
    }
}

/// Where a graph comes from.
#[derive(Clone, Debug)]
pub enum GraphSource {
    /// A generator, under the run's seed.
    Generator(Generator),
    /// Links listed in the scenario.
    Listed(Graph),
    /// A graph file.
    File(Box<FileGraph>),
}

/// A graph file, checked against the scenario that names it.
#[derive(Clone, Debug, Default)]
pub struct FileGraph {
    /// Its peers and links.
    pub graph: Graph,
    /// Everything it says of them, for exports.
    pub attributes: Attributes,
    /// Of which type its peers are, in the order of ids, where it says so and nothing else does.
    pub types: Option<Vec<TypeIndex>>,
    /// Where its peers are, by their places in `graph`; empty if it says so of none.
    pub locations: Vec<Option<LocationIndex>>,
    /// Its peers' upload bandwidths in bit/s; empty if it says so of none.
    pub bandwidth_ul: Vec<Option<Distribution>>,
    /// Its peers' download bandwidths in bit/s; empty if it says so of none.
    pub bandwidth_dl: Vec<Option<Distribution>>,
    /// The latencies of links that have their own.
    pub latencies: Option<LinkLatencies>,
}

impl GraphSource {
    /// Of which type a graph file says that its peers are.
    pub fn file_types(&self) -> Option<&[TypeIndex]> {
        match self {
            GraphSource::File(file) => file.types.as_deref(),
            _ => None,
        }
    }
}

impl FileGraph {
    /// The graph and all that is said of it, without anything that a scenario would check.
    pub fn new(graph: Graph, attributes: Attributes) -> Self {
        FileGraph {
            graph,
            attributes,
            ..FileGraph::default()
        }
    }
}

/// Who is of which type.
#[derive(Clone, Debug)]
pub enum TypeAssignment {
    /// All of one type.
    One(TypeIndex),
    /// Shares of all peers (they add up to 1), rounded to whole peers, placed at random.
    Shares(Vec<(TypeIndex, f64)>),
    /// Counts (they add up to the number of peers), in ascending order of ids.
    Counts(Vec<(TypeIndex, u64)>),
    /// One by one.
    ById(BTreeMap<PeerId, TypeIndex>),
    /// As the graph's file says, in the order of ids.
    File(Vec<TypeIndex>),
}
