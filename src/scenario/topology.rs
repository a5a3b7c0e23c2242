//! `topology`: who takes part and how they are linked at first.

use std::collections::BTreeMap;

use serde_json::json;

use super::compiler::Compiler;
use super::degrees::{DEGREES_BYTES_MAX, degrees};
use super::fields::{FLAGS, Fields};
use super::graph_file::Surroundings;
use super::node::{Key, Node, Value};
use super::peer_types::PlacedType;
use super::schema::{self, KeySpec, Mapping};
use super::source::Place;
use crate::distribution::{Choice, Distribution};
use crate::expression::nearest;
use crate::peer::{PeerId, PeerIndex, TypeIndex};
use crate::services::{ParameterValue, Parameters, Registry};
use crate::simulation::{
    GraphSource, PeerType, Population, ServicePlan, TypeAssignment, whole_shares,
};
use crate::topology::Graph;
use crate::topology::generators::{self, Degrees, Generator};
use crate::units::Dimension;

/// The type of the peers that others first turn to.
const BOOTSTRAP: &str = "bootstrap";
/// p2psimpy's bootstrap peer: 100 Mibit both ways, and room for everyone.
const BOOTSTRAP_BANDWIDTH: f64 = 100.0 * 1_048_576.0;
const BOOTSTRAP_MAX_PEERS: u64 = 100_000;
/// The key for the type of the peers that `types` does not name.
const OTHERS: &str = "others";
const BOOTSTRAP_SERVICE: &str = "P2PConnectionManager";

const TOPOLOGY: Mapping = Mapping {
    what: "`topology`",
    keys: &[
        KeySpec::new(
            "graph",
            schema::graph,
            "a generator's call, as in networkx: erdos_renyi_graph(10, 0.5); or the path of a \
             graph file",
        ),
        KeySpec::new(
            "edges",
            |_| {
                let end = schema::whole(0, u64::MAX);
                let edge = json!({"type": "array", "items": end, "minItems": 2, "maxItems": 2});
                json!({"type": "array", "items": edge, "minItems": 1})
            },
            "links, each as two peers' ids: [[1, 2], [2, 3]]",
        ),
        KeySpec::new(
            "emergent",
            |_| schema::map_of(schema::whole(0, PeerIndex::LIMIT)),
            "how many peers there are of each type; they find each other through bootstrap peers",
        ),
        KeySpec::new(
            "connected",
            schema::flag,
            "with a generator: whether the graph is drawn again until it is connected",
        )
        .or("false"),
        KeySpec::new(
            "types",
            types_schema,
            "with graph or edges: who is of which type: a name, shares, counts, or ids to types",
        ),
        KeySpec::new(
            "attach",
            |registry| schema::map_of(super::attach::ATTACHED.schema(registry)),
            "with graph or edges: further peers by type, each linked to random peers",
        ),
        KeySpec::new(
            "bootstrap",
            |registry| {
                schema::any_of([
                    schema::service_name_shape(registry),
                    BOOTSTRAP_PEERS.schema(registry),
                ])
            },
            "with emergent: the peers that others first turn to; or the service that they run",
        ),
        KeySpec::new("join", schema::times, "with emergent: when peers start").or("0"),
    ],
};

const BOOTSTRAP_PEERS: Mapping = Mapping {
    what: "`bootstrap`",
    keys: &[
        KeySpec::new("count", schema::some_peers, "how many there are").or("1"),
        KeySpec::new(
            "services",
            schema::services,
            "what they run in place of P2PConnectionManager",
        ),
    ],
};

/// What a scenario says of bootstrap peers.
struct Bootstrap {
    count: u64,
    services: Option<Vec<ServicePlan>>,
    place: Place,
}

pub(super) fn topology_schema(registry: &Registry) -> serde_json::Value {
    let mut schema = TOPOLOGY.schema(registry);
    let ways = ["graph", "edges", "emergent"];
    schema["oneOf"] = json!(ways.map(|way| json!({"required": [way]})));
    schema
}

fn types_schema(registry: &Registry) -> serde_json::Value {
    let number = json!({"type": "number", "minimum": 0});
    let mut table = schema::map_of(schema::any_of([number, schema::name(registry)]));
    table["minProperties"] = json!(1);
    schema::any_of([schema::name(registry), table])
}

/// What a scenario says about its topology.
pub(super) struct Topology {
    /// The peer types; one for bootstrap peers was added where it was needed.
    pub(super) types: Vec<PeerType>,
    pub(super) population: Population,
    /// How many peers there are of each type.
    pub(super) counts: Vec<u64>,
    pub(super) ids: Ids,
    /// The input file the graph comes from.
    pub(super) graph_file: Option<String>,
    /// Where the size of the network is decided.
    pub(super) place: Place,
}

/// Which peers there are.
pub(super) enum Ids {
    /// All from the first to the last.
    Range(u64, u64),
    /// These, ascending.
    Listed(Vec<PeerId>),
    /// Some, and those after them up to the last.
    Followed(Box<Ids>, u64),
}

impl Ids {
    pub(super) fn contains(&self, id: PeerId) -> bool {
        match self {
            Ids::Range(first, last) => (*first..=*last).contains(&id.0),
            Ids::Listed(ids) => ids.binary_search(&id).is_ok(),
            Ids::Followed(ids, last) => {
                ids.contains(id) || (ids.last() + 1..=*last).contains(&id.0)
            }
        }
    }

    pub(super) fn count(&self) -> u64 {
        match self {
            Ids::Range(first, last) => last + 1 - first,
            Ids::Listed(ids) => ids.len() as u64,
            Ids::Followed(ids, last) => ids.count() + (last - ids.last()),
        }
    }

    pub(super) fn last(&self) -> u64 {
        match self {
            Ids::Range(_, last) | Ids::Followed(_, last) => *last,
            Ids::Listed(ids) => ids.last().map_or(0, |id| id.0),
        }
    }

    /// These and the next `more` after the largest; there must be so many.
    pub(super) fn followed_by(self, more: u64) -> Self {
        let last = self.last() + more;
        Ids::Followed(Box::new(self), last)
    }
}

impl Compiler<'_> {
    pub(super) fn topology(
        &mut self,
        node: &Node,
        head: Place,
        types: &[PlacedType],
        locations: &[String],
    ) -> Option<Topology> {
        let mut fields = Fields::new(self, &TOPOLOGY, node, head)?;
        let graph = fields.entry("graph");
        let edges = fields.entry("edges");
        let emergent = fields.entry("emergent");
        let given: Vec<Place> = [graph, edges, emergent]
            .iter()
            .flatten()
            .map(|(key, _)| key.place)
            .collect();
        if given.len() != 1 {
            let message = "`topology` needs one of `graph`, `edges` and `emergent`";
            self.error(
                given.get(1).copied().unwrap_or(head),
                message,
                "exactly one of them",
            );
            return None;
        }
        let topology = if let Some((key, node)) = emergent {
            if let Some((key, _)) = fields.entry("attach") {
                let message = "`attach` links to the peers of a graph, and here is none";
                self.error(key.place, message, "`graph` or `edges`");
            }
            self.emergent(node, key.place, &mut fields, types, locations)
        } else {
            let assignment = fields.get("types");
            let around = Surroundings {
                types,
                locations,
                types_given: assignment.is_some(),
            };
            let mut source = match (graph, edges) {
                (Some((_, node)), _) => self.graph(node, &around),
                (_, Some((_, node))) => self.edges(node),
                _ => None,
            };
            if let Some((key, node)) = fields.entry("connected") {
                self.connected(node, key.place, source.as_mut());
            }
            if let Some((GraphSource::Generator(generator), ids, _, place)) = &mut source {
                *ids = self.settle(generator, *place)?;
            }
            let attach = fields.get("attach");
            source.and_then(|source| self.given(source, assignment, attach, head, types))
        };
        fields.finish(self);
        let topology = topology?;
        for (placed, count) in types.iter().zip(&topology.counts) {
            if *count == 0 {
                let message = format!("no peer is of type `{}`", placed.peer_type.name);
                self.error(
                    placed.place,
                    message,
                    "peers in `topology`, or remove the type",
                );
            }
        }
        Some(topology)
    }

    /// A generator's call, or the path of a graph file.
    fn graph(
        &mut self,
        node: &Node,
        around: &Surroundings<'_>,
    ) -> Option<(GraphSource, Ids, Option<String>, Place)> {
        let Value::Scalar(scalar) = &node.value else {
            let message = format!("`graph` cannot be {}", node.described());
            let expected = "erdos_renyi_graph(10, 0.5), or the path of a graph file";
            self.error(node.place, message, expected);
            return None;
        };
        // A path has no bracket at its end; a call has nothing else there.
        if !scalar.text.contains('(') {
            if generators::find(&scalar.text).is_some() && !self.inputs.has(&scalar.text) {
                let name = &scalar.text;
                let message = format!("`{name}` is a generator and needs brackets");
                self.error(node.place, message, format!("{name}(...)"));
                return None;
            }
            return self.graph_file(scalar, node.place, around);
        }
        let placed = self.expression(scalar, node.place)?;
        let inputs = &mut self.inputs;
        let mut read = |path: &str| {
            let (bytes, name) = inputs.read(path, DEGREES_BYTES_MAX)?;
            Ok(Degrees {
                degrees: degrees(path, &bytes)?,
                path: format!("inputs/{name}"),
            })
        };
        match Generator::from_expression(&placed.expression, &mut read) {
            Ok(generator) => {
                let ids = Ids::Range(0, generator.peers() - 1);
                Some((GraphSource::Generator(generator), ids, None, node.place))
            }
            Err(errors) => {
                self.placed_errors(&placed, errors);
                None
            }
        }
    }

    /// `connected: true`: the graph is drawn again until it is.
    fn connected(
        &mut self,
        node: &Node,
        key: Place,
        source: Option<&mut (GraphSource, Ids, Option<String>, Place)>,
    ) {
        match (self.word(node, &FLAGS), source) {
            (Some(true), Some((GraphSource::Generator(generator), ..))) => {
                generator.set_must_connect();
            }
            (Some(true), Some((GraphSource::Listed(_) | GraphSource::File(_), ..))) => {
                let message = "given links cannot be drawn again until they connect all peers";
                self.error(key, message, "`connected` with a generator only");
            }
            _ => {}
        }
    }

    /// The ids of a generator's peers; where chance decides how many there are, this finds out.
    fn settle(&mut self, generator: &mut Generator, place: Place) -> Option<Ids> {
        let bytes = super::estimate_bytes(generator.peers(), generator.expected_links(), false);
        // What is too large is refused later, and must not be drawn before.
        if bytes <= self.options.memory_limit_bytes
            && let Err(error) = generator.settle(self.seed)
        {
            self.error(
                place,
                error.to_string(),
                "another `seed`, or other arguments",
            );
            return None;
        }
        Some(Ids::Range(0, generator.peers() - 1))
    }

    /// `edges: [[1, 2], ...]`.
    fn edges(&mut self, node: &Node) -> Option<(GraphSource, Ids, Option<String>, Place)> {
        let Value::List(items) = &node.value else {
            let message = format!("`edges` is a list, not {}", node.described());
            self.error(node.place, message, "[[1, 2], [2, 3]]");
            return None;
        };
        let mut found = Vec::with_capacity(items.len());
        let mut fine = true;
        for item in items {
            match &item.value {
                Value::List(ends) if ends.len() == 2 => {
                    let ends = [&ends[0], &ends[1]].map(|end| self.whole(end, 0, u64::MAX));
                    match ends {
                        [Some(a), Some(b)] => found.push((PeerId(a), PeerId(b))),
                        _ => fine = false,
                    }
                }
                _ => {
                    self.error(item.place, "an edge is two peer ids", "[1, 2]");
                    fine = false;
                }
            }
        }
        if !fine {
            return None;
        }
        if found.is_empty() {
            self.error(node.place, "the network is empty", "[[1, 2], [2, 3]]");
            return None;
        }
        let ids = found.iter().flat_map(|&(a, b)| [a, b]).collect();
        let (graph, dropped) = Graph::new(ids, &found);
        if dropped.self_loops + dropped.duplicates > 0 {
            let message = format!(
                "{} edges of a peer to itself and {} repeated ones are left out",
                dropped.self_loops, dropped.duplicates
            );
            self.warning(node.place, message, "");
        }
        let ids = Ids::Listed(graph.ids().to_vec());
        Some((GraphSource::Listed(graph), ids, None, node.place))
    }

    fn given(
        &mut self,
        (links, ids, graph_file, place): (GraphSource, Ids, Option<String>, Place),
        assignment: Option<&Node>,
        attach: Option<&Node>,
        head: Place,
        types: &[PlacedType],
    ) -> Option<Topology> {
        let by_file = links.file_types().map(<[_]>::to_vec);
        let attached: Vec<&str> = match attach.map(|node| &node.value) {
            Some(Value::Map(entries)) => entries.iter().map(|(key, _)| &*key.text).collect(),
            _ => Vec::new(),
        };
        // A type that is attached is not meant for the graph, unless `types` says so.
        let own: Vec<usize> = (0..types.len())
            .filter(|&place| !attached.contains(&&*types[place].peer_type.name))
            .collect();
        let assignment = match (assignment, &own[..]) {
            (None, _) if by_file.is_some() => TypeAssignment::File(by_file.unwrap_or_default()),
            (Some(node), _) => self.assignment(node, &ids, types)?,
            (None, [only]) => TypeAssignment::One(TypeIndex(*only as u16)),
            (None, _) if types.len() == 1 => TypeAssignment::One(TypeIndex(0)),
            (None, _) => {
                let message = "`topology` needs `types` where there is more than one peer type";
                self.error(head, message, "types: {peer: 0.9, client: 0.1}");
                return None;
            }
        };
        let mut counts = vec![0; types.len()];
        let tally: Vec<(TypeIndex, u64)> = match &assignment {
            TypeAssignment::One(index) => vec![(*index, ids.count())],
            TypeAssignment::Shares(shares) => whole_shares(shares, ids.count()),
            TypeAssignment::Counts(counts) => counts.clone(),
            TypeAssignment::ById { types, others } => {
                let rest = ids.count() - types.len() as u64;
                let named = types.values().map(|&index| (index, 1));
                named.chain(others.map(|index| (index, rest))).collect()
            }
            TypeAssignment::File(types) => types.iter().map(|&index| (index, 1)).collect(),
        };
        for (index, count) in tally {
            counts[index.as_usize()] += count;
        }
        let (attach, ids) = match attach {
            Some(node) => self.attach(node, types, &mut counts, ids)?,
            None => (Vec::new(), ids),
        };
        Some(Topology {
            types: types
                .iter()
                .map(|placed| placed.peer_type.clone())
                .collect(),
            population: Population::Graph {
                links,
                types: assignment,
                attach,
            },
            counts,
            ids,
            graph_file,
            place,
        })
    }

    pub(super) fn type_index(
        &mut self,
        name: &str,
        place: Place,
        types: &[PlacedType],
    ) -> Option<TypeIndex> {
        let names = || types.iter().map(|placed| placed.peer_type.name.as_str());
        let found = names().position(|known| known == name);
        if found.is_none() {
            let expected = nearest(name, names()).unwrap_or_else(|| {
                let names: Vec<&str> = names().take(10).collect();
                format!("known peer types: {}", names.join(", "))
            });
            self.error(place, format!("unknown peer type `{name}`"), expected);
        }
        found.map(|place| TypeIndex(place as u16))
    }

    /// A name, shares, counts, or a mapping of ids.
    fn assignment(
        &mut self,
        node: &Node,
        ids: &Ids,
        types: &[PlacedType],
    ) -> Option<TypeAssignment> {
        let entries = match &node.value {
            Value::Scalar(scalar) => {
                let index = self.type_index(&scalar.text, node.place, types)?;
                return Some(TypeAssignment::One(index));
            }
            Value::Map(entries) if !entries.is_empty() => entries,
            _ => {
                let message = format!("`types` cannot be {}", node.described());
                let expected = "a peer type, shares, counts, or a mapping of ids to types";
                self.error(node.place, message, expected);
                return None;
            }
        };
        let is_type = |text: &str| types.iter().any(|placed| placed.peer_type.name == text);
        if entries.iter().all(|(key, _)| {
            !is_type(&key.text) && (key.text == OTHERS || key.text.parse::<u64>().is_ok())
        }) {
            return self.types_by_id(node, ids, types);
        }
        let mut numbers = Vec::with_capacity(entries.len());
        for (key, node) in entries {
            let index = self.type_index(&key.text, key.place, types);
            let number = self.number(node, Dimension::Plain);
            if let Some(number) = number.filter(|&number| number < 0.0) {
                let message = format!("{number} peers cannot be of a type");
                self.error(node.place, message, "0 or above");
                return None;
            }
            numbers.push(index.zip(number));
        }
        let numbers: Vec<(TypeIndex, f64)> = numbers.into_iter().collect::<Option<_>>()?;
        let total: f64 = numbers.iter().map(|&(_, number)| number).sum();
        if numbers.iter().all(|&(_, n)| n.fract() == 0.0) && total == ids.count() as f64 {
            let counts = numbers
                .into_iter()
                .map(|(index, n)| (index, n as u64))
                .collect();
            return Some(TypeAssignment::Counts(counts));
        }
        if (total - 1.0).abs() < 1e-9 {
            return Some(TypeAssignment::Shares(numbers));
        }
        let message = format!("the numbers of `types` add up to {total}");
        let expected = format!("1 for shares, or {} for counts of peers", ids.count());
        self.error(node.place, message, expected);
        None
    }

    fn types_by_id(
        &mut self,
        node: &Node,
        ids: &Ids,
        types: &[PlacedType],
    ) -> Option<TypeAssignment> {
        let Value::Map(entries) = &node.value else {
            return None;
        };
        let mut by_id = BTreeMap::new();
        let mut others = None;
        let mut fine = true;
        for (key, node) in entries {
            if key.text == OTHERS {
                others = match &node.value {
                    Value::Scalar(scalar) => self.type_index(&scalar.text, node.place, types),
                    _ => None,
                };
                if others.is_none() {
                    self.error(node.place, "a peer type is expected here", "");
                    return None;
                }
                continue;
            }
            let id = PeerId(key.text.parse().ok()?);
            if !ids.contains(id) {
                let message = format!("there is no peer {id} in the graph");
                self.error(key.place, message, "ids of the graph");
                fine = false;
            }
            let index = match &node.value {
                Value::Scalar(scalar) => self.type_index(&scalar.text, node.place, types),
                _ => {
                    self.error(node.place, "a peer type is expected here", "");
                    None
                }
            };
            match index {
                Some(index) => {
                    // `1` and `01` are two keys, but one peer.
                    if by_id.insert(id, index).is_some() {
                        self.error(
                            key.place,
                            format!("peer {id} is there twice"),
                            "one of them",
                        );
                        fine = false;
                    }
                }
                None => fine = false,
            }
        }
        if fine && others.is_none() && (by_id.len() as u64) < ids.count() {
            let missing = ids.count() - by_id.len() as u64;
            let message = format!("`types` says nothing of {missing} peers of the graph");
            self.error(node.place, message, "a type for every id, or for `others`");
            fine = false;
        }
        fine.then_some(TypeAssignment::ById {
            types: by_id,
            others,
        })
    }

    fn emergent(
        &mut self,
        node: &Node,
        place: Place,
        fields: &mut Fields<'_>,
        types: &[PlacedType],
        locations: &[String],
    ) -> Option<Topology> {
        let extra = match fields.entry("bootstrap") {
            Some((key, node)) => Some(self.bootstrap_peers(key, node)?),
            None => None,
        };
        let join = match fields.get("join") {
            Some(node) => self.law(node, Dimension::Time)?,
            None => Distribution::constant(0.0),
        };
        let Value::Map(entries) = &node.value else {
            let message = format!("`emergent` is a mapping, not {}", node.described());
            self.error(node.place, message, "{basic: 10}");
            return None;
        };
        let mut counts = Vec::with_capacity(entries.len());
        for (key, node) in entries {
            let index = self.type_index(&key.text, key.place, types);
            let count = self.whole(node, 0, PeerIndex::LIMIT);
            counts.push(index.zip(count));
        }
        let counts: Vec<(TypeIndex, u64)> = counts.into_iter().collect::<Option<_>>()?;
        let mut types: Vec<PeerType> = types.iter().map(|p| p.peer_type.clone()).collect();
        let bootstrap_type = match types.iter().position(|t| t.name == BOOTSTRAP) {
            Some(index) => {
                if let Some(Bootstrap {
                    services: Some(_),
                    place,
                    ..
                }) = extra
                {
                    let message = "the peer type `bootstrap` says already what bootstrap peers run";
                    self.error(place, message, "services in one of both places");
                    return None;
                }
                index
            }
            None => {
                let services = extra.as_ref().and_then(|extra| extra.services.clone());
                types.push(self.bootstrap_type(place, locations, services)?);
                types.len() - 1
            }
        };
        let bootstrap_type = TypeIndex(bootstrap_type as u16);
        let counted = counts
            .iter()
            .any(|&(index, count)| index == bootstrap_type && count > 0);
        let bootstrap_extra = match (counted, extra) {
            (true, Some(Bootstrap { place, .. })) => {
                let message = "bootstrap peers are counted in `emergent` already";
                self.error(place, message, "the number in one of both places");
                return None;
            }
            (true, None) => 0,
            (false, extra) => extra.map_or(1, |extra| extra.count),
        };
        let mut per_type = vec![0_u64; types.len()];
        for &(index, count) in &counts {
            per_type[index.as_usize()] += count;
        }
        per_type[bootstrap_type.as_usize()] += bootstrap_extra;
        let total: u64 = per_type.iter().sum();
        if counts.iter().all(|&(_, count)| count == 0) {
            self.error(node.place, "the network is empty", "{basic: 10}");
            return None;
        }
        if total > PeerIndex::LIMIT {
            let message = format!("{total} peers are too many");
            self.error(node.place, message, format!("at most {}", PeerIndex::LIMIT));
            return None;
        }
        Some(Topology {
            types,
            population: Population::Emergent {
                counts,
                bootstrap_type,
                bootstrap_extra,
                join,
            },
            counts: per_type,
            ids: Ids::Range(1, total),
            graph_file: None,
            place: node.place,
        })
    }

    /// `bootstrap`: how many of them, and what they run; or the service alone.
    fn bootstrap_peers(&mut self, key: &Key, node: &Node) -> Option<Bootstrap> {
        let place = key.place;
        if let Value::Scalar(scalar) = &node.value {
            let service = self.service(&scalar.text, node.place, None)?;
            return Some(Bootstrap {
                count: 1,
                services: Some(vec![service]),
                place,
            });
        }
        let mut inner = Fields::new(self, &BOOTSTRAP_PEERS, node, place)?;
        let count = match inner.get("count") {
            Some(node) => self.whole(node, 1, PeerIndex::LIMIT),
            None => Some(1),
        };
        let services = match inner.get("services") {
            Some(node) => self.services(node).map(Some),
            None => Some(None),
        };
        inner.finish(self);
        Some(Bootstrap {
            count: count?,
            services: services?,
            place,
        })
    }

    /// The bootstrap type of a scenario that has none, which runs `services` or p2psimpy's.
    fn bootstrap_type(
        &mut self,
        place: Place,
        locations: &[String],
        services: Option<Vec<ServicePlan>>,
    ) -> Option<PeerType> {
        let services = match services {
            Some(services) => services,
            None => vec![self.bootstrap_service(place)?],
        };
        Some(PeerType {
            name: BOOTSTRAP.to_owned(),
            location: Choice::uniform(locations),
            bandwidth_ul: Distribution::constant(BOOTSTRAP_BANDWIDTH),
            bandwidth_dl: Distribution::constant(BOOTSTRAP_BANDWIDTH),
            services,
        })
    }

    fn bootstrap_service(&mut self, place: Place) -> Option<ServicePlan> {
        let Some(spec) = self.options.registry.get(BOOTSTRAP_SERVICE).copied() else {
            let message = format!("bootstrap peers need the service {BOOTSTRAP_SERVICE}");
            self.error(place, message, "a peer type called `bootstrap`");
            return None;
        };
        let defaults = super::peer_types::default_parameters(&spec);
        let values = defaults
            .iter()
            .map(|(name, value)| match name {
                "max_peers" => (name, ParameterValue::Count(BOOTSTRAP_MAX_PEERS)),
                _ => (name, value.clone()),
            })
            .collect();
        Some(ServicePlan {
            spec,
            parameters: Parameters::new(values),
            input: None,
        })
    }
}
