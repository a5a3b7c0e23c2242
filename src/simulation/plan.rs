//! A plan: everything that determines a run, checked, without a trace of the file it came from.

use std::collections::BTreeMap;

use super::conditions::ConditionsPlan;
use crate::distribution::{Choice, Distribution};
use crate::network::{LatencyTable, LinkLatencies, LinkMode};
use crate::peer::{LocationIndex, PeerId, TypeIndex};
use crate::record::{LogOptions, MeasureOptions};
use crate::services::{
    ParameterKind, ParameterValue, Parameters, Production, Registry, ServiceSpec,
};
use crate::time::Time;
use crate::topology::attributes::Attributes;
use crate::topology::generators::Generator;
use crate::topology::{Attachment, Graph};
use crate::units::Dimension;

/// Everything that determines a run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it is called: as the scenario says, or as its file is named.
    pub name: String,
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
    /// What happens to messages on their way.
    pub conditions: ConditionsPlan,
    /// The peer types, in the scenario's order.
    pub types: Vec<PeerType>,
    /// Who takes part and how they are linked at first.
    pub population: Population,
    /// What is logged.
    pub logs: LogOptions,
    /// What is measured, and how it is written.
    pub measures: MeasureOptions,
    /// How often the topology is written during the run; a whole number of ms.
    pub snapshots: Option<Time>,
    /// Whether bootstrap peers' connections are part of the exported topology.
    pub export_bootstrap: bool,
}

/// A law of a plan: where it stands, as `p2psim sample --what` names it.
#[derive(Clone, Debug)]
pub struct NamedLaw {
    /// `latencies.LocA.LocB`, `peer_types.basic.bandwidth_ul`.
    pub path: String,
    /// What its numbers measure.
    pub dimension: Dimension,
    /// The law.
    pub law: Distribution,
}

impl Plan {
    /// All laws as they are given, row by row of the latencies first.
    pub fn laws(&self) -> Vec<NamedLaw> {
        let mut laws = Vec::new();
        let mut add = |path, dimension, law: &Distribution| {
            let law = law.clone();
            laws.push(NamedLaw {
                path,
                dimension,
                law,
            });
        };
        for (from, from_name) in self.locations.iter().enumerate() {
            for (to, to_name) in self.locations.iter().enumerate() {
                let pair = (LocationIndex(from as u16), LocationIndex(to as u16));
                if let Some(law) = self.latencies.get(pair.0, pair.1) {
                    let path = format!("latencies.{from_name}.{to_name}");
                    add(path, Dimension::Time, law);
                }
            }
        }
        for peer_type in &self.types {
            let path = |key: &str| format!("peer_types.{}.{key}", peer_type.name);
            let bandwidths = [
                ("bandwidth_ul", &peer_type.bandwidth_ul),
                ("bandwidth_dl", &peer_type.bandwidth_dl),
            ];
            for (key, law) in bandwidths {
                add(path(key), Dimension::Bandwidth, law);
            }
            for service in &peer_type.services {
                for (name, value) in service.parameters.iter() {
                    if let ParameterValue::Law(law) | ParameterValue::OptionalLaw(Some(law)) = value
                    {
                        let path = path(&format!("services.{}.{name}", service.spec.name));
                        add(path, service.dimension(name), law);
                    }
                }
            }
        }
        if let Population::Emergent { join, .. } = &self.population {
            add("topology.join".into(), Dimension::Time, join);
        }
        laws
    }

    /// Whether any service may produce rumours.
    pub fn spreads_rumours(&self) -> bool {
        self.types.iter().any(PeerType::spreads_rumours)
    }

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

impl PeerType {
    /// Whether one of its services may produce rumours: one that says so, or is not built in.
    pub fn spreads_rumours(&self) -> bool {
        let built_in = Registry::default();
        self.services.iter().any(|service| {
            let mut messages = service.spec.messages.iter();
            messages.any(|message| message.gossip) || built_in.get(service.spec.name).is_none()
        })
    }

    /// What its services produce on each peer, as far as it can be known before a run.
    pub fn productions(&self) -> impl Iterator<Item = Production> {
        let services = self.services.iter();
        services.filter_map(|service| (service.spec.produces)(&service.parameters))
    }

    /// For how long after its production a peer holds a rumour: the longest that one of its
    /// services says; `None` if none of them takes any in.
    pub fn remembers(&self) -> Option<Time> {
        let services = self.services.iter();
        services
            .filter_map(|service| (service.spec.remembers)(&service.parameters))
            .max()
    }

    /// Whether one of its services works against the others.
    pub fn is_adversary(&self) -> bool {
        self.services.iter().any(|service| service.spec.adversary)
    }
}

/// A service with its parameters.
#[derive(Clone, Debug)]
pub struct ServicePlan {
    /// Which service.
    pub spec: ServiceSpec,
    /// A value for each of its parameters.
    pub parameters: Parameters,
    /// Its name among the inputs, if it is a script.
    pub input: Option<String>,
}

impl ServicePlan {
    /// What the numbers of the law `parameter` measure.
    pub fn dimension(&self, parameter: &str) -> Dimension {
        let mut specs = self.spec.parameters.iter();
        match specs
            .find(|spec| spec.name == parameter)
            .map(|spec| spec.kind)
        {
            Some(ParameterKind::Law(dimension) | ParameterKind::OptionalLaw(dimension)) => {
                dimension
            }
            _ => Dimension::Plain,
        }
    }
}

/// Who takes part and how they are linked at first.
#[derive(Clone, Debug)]
pub enum Population {
    /// Peers and links are given.
    Graph {
        /// The links.
        links: GraphSource,
        /// Which of the graph's own peers is of which type.
        types: TypeAssignment,
        /// Who is attached to it, in this order.
        attach: Vec<Attachment>,
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
            Population::Graph { links, attach, .. } => {
                let (mut peers, mut count) = match links {
                    GraphSource::Generator(generator) => {
                        (generator.peers(), generator.expected_links())
                    }
                    GraphSource::Listed(graph) => (graph.peers() as u64, graph.links() as f64),
                    GraphSource::File(file) => {
                        (file.graph.peers() as u64, file.graph.links() as f64)
                    }
                };
                for attachment in attach {
                    peers += attachment.count;
                    count += attachment.count as f64 * attachment.degree as f64;
                }
                (peers, count)
            }
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
    ById {
        /// The type of each peer that is named.
        types: BTreeMap<PeerId, TypeIndex>,
        /// The type of those that are not; `None` if all are named.
        others: Option<TypeIndex>,
    },
    /// As the graph's file says, in the order of ids.
    File(Vec<TypeIndex>),
}
