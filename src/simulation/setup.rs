//! From a plan to the peers of a run: who they are, where, how fast, and whom they dial first.

use crate::distribution::Distribution;
use crate::engine::Dials;
use crate::network::{Conditions, LatencyTable};
use crate::peer::{LocationIndex, Names, PeerColumn, PeerId, PeerIndex, TypeIndex};
use crate::random::{Purpose, Stream};
use crate::time::Time;
use crate::topology::attach;
use crate::topology::generators::{GenerateError, Places};

use super::plan::{FileGraph, GraphSource, PeerType, Plan, Population, TypeAssignment};

/// How often a bandwidth that is not positive is drawn again.
const BANDWIDTH_TRIES: usize = 100;

/// Why a plan that was checked still cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A random graph did not come about.
    #[error("the graph could not be made: {0}")]
    Graph(#[from] GenerateError),
    /// A law of bandwidth hardly ever gives a positive value.
    #[error(
        "{key} of peer type `{peer_type}` drew no positive value in {BANDWIDTH_TRIES} tries for \
         peer {peer}; use a law with more of its mass above 0"
    )]
    Bandwidth {
        /// The scenario's key.
        key: &'static str,
        /// The peer type.
        peer_type: String,
        /// The peer.
        peer: PeerId,
    },
    /// The services of the plan use too many different messages.
    #[error("the services use more than {0} types of messages")]
    MessageTypes(usize),
}

/// The peers of a run before it begins.
#[derive(Debug)]
pub struct Setup {
    /// Ids and types.
    pub names: Names,
    /// Where each peer is.
    pub locations: Vec<LocationIndex>,
    /// Each peer's upload bandwidth in bit/s.
    pub bandwidth_ul: PeerColumn<f64>,
    /// Each peer's download bandwidth in bit/s.
    pub bandwidth_dl: PeerColumn<f64>,
    /// When each peer starts.
    pub starts: Vec<Time>,
    /// Which types are bootstrap peers.
    pub is_bootstrap: Vec<bool>,
    /// Whom each peer dials when it starts.
    pub dials: Dials,
    /// What happens to messages on their way, if anything does.
    pub conditions: Option<Box<Conditions>>,
}

impl Setup {
    /// Draws the peers of a plan.
    ///
    /// # Errors
    /// See [`SetupError`].
    pub fn new(plan: &Plan) -> Result<Self, SetupError> {
        let (ids, types, dials) = match &plan.population {
            Population::Graph {
                links,
                types,
                attach: attachments,
            } => {
                let mut graph = match links {
                    GraphSource::Generator(generator) => {
                        let places = generator
                            .needs_places()
                            .then(|| places(plan, generator.peers(), types));
                        generator.generate(plan.seed, places.as_ref())?
                    }
                    GraphSource::Listed(graph) => graph.clone(),
                    GraphSource::File(file) => file.graph.clone(),
                };
                let mut types = assign_types(plan.seed, types, graph.ids());
                if !attachments.is_empty() {
                    graph = attach(&graph, &mut types, attachments, plan.seed);
                }
                (graph.ids().to_vec(), types, Dials::Graph(graph))
            }
            Population::Emergent {
                counts,
                bootstrap_type,
                bootstrap_extra,
                ..
            } => {
                let mut types = spread(counts);
                let extra = usize::try_from(*bootstrap_extra).unwrap_or(usize::MAX);
                types.extend(std::iter::repeat_n(*bootstrap_type, extra));
                let ids: Vec<PeerId> = (1..=types.len() as u64).map(PeerId).collect();
                let dials = first_dials(plan.seed, &ids, &types, *bootstrap_type);
                (ids, types, Dials::One(dials))
            }
        };
        let is_bootstrap: Vec<bool> = match &plan.population {
            Population::Graph { .. } => plan.types.iter().map(|t| t.name == "bootstrap").collect(),
            Population::Emergent { bootstrap_type, .. } => (0..plan.types.len())
                .map(|place| place == bootstrap_type.as_usize())
                .collect(),
        };
        let mut setup = Setup {
            locations: Vec::with_capacity(ids.len()),
            bandwidth_ul: PeerColumn::default(),
            bandwidth_dl: PeerColumn::default(),
            starts: Vec::with_capacity(ids.len()),
            names: Names {
                ids: ids.into(),
                types,
                type_names: plan.types.iter().map(|t| t.name.clone()).collect(),
            },
            is_bootstrap,
            dials,
            conditions: None,
        };
        for place in 0..setup.names.len() {
            setup.draw_peer(plan, place)?;
        }
        let types = &setup.names.types;
        setup.conditions = plan.conditions.begin(plan.seed, &setup.locations, types);
        Ok(setup)
    }

    fn draw_peer(&mut self, plan: &Plan, place: usize) -> Result<(), SetupError> {
        let id = self.names.id(PeerIndex(place as u32));
        let type_index = self.names.types[place].as_usize();
        let peer_type = &plan.types[type_index];
        let given = Given::of(plan, place);
        let stream = |purpose| Stream::new(plan.seed, id.0, purpose);
        let attributes =
            Attributes::draw(peer_type, given, stream).map_err(|key| SetupError::Bandwidth {
                key,
                peer_type: peer_type.name.clone(),
                peer: id,
            })?;
        self.locations.push(attributes.location);
        self.bandwidth_ul.push(attributes.bandwidth_ul);
        self.bandwidth_dl.push(attributes.bandwidth_dl);
        self.starts.push(match &plan.population {
            Population::Emergent { join, .. } if !self.is_bootstrap[type_index] => {
                let mut stream = Stream::new(plan.seed, id.0, Purpose::Join);
                Time::from_ms_clamped(join.sample(&mut stream))
            }
            _ => Time::ZERO,
        });
        Ok(())
    }

    /// The links there are before the first event: those of a given graph.
    pub fn links(&self) -> Box<dyn Iterator<Item = (PeerIndex, PeerIndex)> + '_> {
        match &self.dials {
            Dials::Graph(graph) => Box::new(
                graph
                    .iter_links()
                    .map(|(a, b)| (PeerIndex(a), PeerIndex(b))),
            ),
            Dials::One(_) => Box::new(std::iter::empty()),
        }
    }

    /// How many peers of a given graph have no link; in an emergent topology none has one yet,
    /// which is as it should be.
    pub fn isolated(&self) -> usize {
        match &self.dials {
            Dials::Graph(graph) => (0..graph.peers())
                .filter(|&peer| graph.neighbours(peer).is_empty())
                .count(),
            Dials::One(_) => 0,
        }
    }
}

/// Draws a bandwidth in bit/s: what is not above zero is drawn again, 100 times at most.
pub fn draw_bandwidth(law: &Distribution, stream: &mut Stream) -> Option<f64> {
    std::iter::repeat_with(|| law.sample(stream))
        .take(BANDWIDTH_TRIES)
        .find(|&value| value > 0.0)
}

/// What is drawn once for a peer.
struct Attributes {
    location: LocationIndex,
    bandwidth_ul: f64,
    bandwidth_dl: f64,
}

/// What a graph file says of a peer, in place of its type.
#[derive(Clone, Copy)]
struct Given<'a> {
    location: Option<LocationIndex>,
    bandwidth_ul: Option<&'a Distribution>,
    bandwidth_dl: Option<&'a Distribution>,
}

impl<'a> Given<'a> {
    fn of(plan: &'a Plan, place: usize) -> Self {
        let file = plan.file_graph();
        let law = |of: fn(&FileGraph) -> &Vec<Option<Distribution>>| {
            file.and_then(|file| of(file).get(place)?.as_ref())
        };
        Given {
            location: file.and_then(|file| *file.locations.get(place)?),
            bandwidth_ul: law(|file| &file.bandwidth_ul),
            bandwidth_dl: law(|file| &file.bandwidth_dl),
        }
    }
}

impl Attributes {
    /// Draws the attributes of a peer of this type, each from the stream of its purpose.
    ///
    /// # Errors
    /// The scenario's key of a bandwidth that stayed at or below zero for 100 draws.
    fn draw(
        peer_type: &PeerType,
        given: Given<'_>,
        stream: impl Fn(Purpose) -> Stream,
    ) -> Result<Self, &'static str> {
        let bandwidth = |key, law, purpose| draw_bandwidth(law, &mut stream(purpose)).ok_or(key);
        Ok(Attributes {
            location: given
                .location
                .unwrap_or_else(|| draw_location(peer_type, &mut stream(Purpose::Location))),
            bandwidth_ul: bandwidth(
                "bandwidth_ul",
                given.bandwidth_ul.unwrap_or(&peer_type.bandwidth_ul),
                Purpose::Upload,
            )?,
            bandwidth_dl: bandwidth(
                "bandwidth_dl",
                given.bandwidth_dl.unwrap_or(&peer_type.bandwidth_dl),
                Purpose::Download,
            )?,
        })
    }
}

/// The latency table of a plan, every law given in one direction only serving both.
pub fn latencies(plan: &Plan) -> LatencyTable {
    let mut latencies = plan.latencies.clone();
    latencies.fill_symmetrically();
    latencies
}

/// Where the peers of a generated graph are, which does not depend on their links, and how far
/// locations are apart: the mean of the latency law, as far as it is above the floor.
fn places(plan: &Plan, peers: u64, types: &TypeAssignment) -> Places {
    let ids: Vec<PeerId> = (0..peers).map(PeerId).collect();
    let types = assign_types(plan.seed, types, &ids);
    let locations = ids
        .iter()
        .zip(&types)
        .map(|(id, index)| {
            let mut stream = Stream::new(plan.seed, id.0, Purpose::Location);
            draw_location(&plan.types[index.as_usize()], &mut stream)
        })
        .collect();
    let latencies = latencies(plan);
    let floor_ms = latencies.delay_min().as_ms() / latencies.share_paid();
    let all = || (0..plan.locations.len() as u16).map(LocationIndex);
    let latency_ms = all()
        .flat_map(|from| all().map(move |to| (from, to)))
        .map(|(from, to)| match latencies.get(from, to) {
            // Not with `max`, which would hide a law without a mean.
            Some(law) if law.mean() < floor_ms => floor_ms,
            Some(law) => law.mean(),
            None => f64::NAN,
        })
        .collect();
    Places {
        locations,
        latency_ms,
        names: plan.locations.clone(),
    }
}

fn draw_location(peer_type: &PeerType, stream: &mut Stream) -> LocationIndex {
    LocationIndex(peer_type.location.sample(stream) as u16)
}

/// `counts` written out, type by type.
fn spread(counts: &[(TypeIndex, u64)]) -> Vec<TypeIndex> {
    counts
        .iter()
        .flat_map(|&(index, count)| (0..count).map(move |_| index))
        .collect()
}

fn assign_types(seed: u64, assignment: &TypeAssignment, ids: &[PeerId]) -> Vec<TypeIndex> {
    match assignment {
        TypeAssignment::One(index) => vec![*index; ids.len()],
        TypeAssignment::Counts(counts) => spread(counts),
        TypeAssignment::Shares(shares) => {
            let mut types = spread(&whole_shares(shares, ids.len() as u64));
            Stream::global(seed, Purpose::Types).shuffle(&mut types);
            types
        }
        TypeAssignment::ById { types, others } => ids
            .iter()
            .map(|id| match (types.get(id), others) {
                (Some(&index), _) | (None, &Some(index)) => index,
                (None, None) => panic!("no type for peer {id}"),
            })
            .collect(),
        TypeAssignment::File(types) => types.clone(),
    }
}

/// Shares of `total` as whole numbers that add up to it: each rounded down, and what is left
/// goes to the largest remainders (Hamilton's method).
pub fn whole_shares<K: Copy>(shares: &[(K, f64)], total: u64) -> Vec<(K, u64)> {
    let exact: Vec<f64> = shares
        .iter()
        .map(|&(_, share)| share * total as f64)
        .collect();
    let mut counts: Vec<(K, u64)> = shares
        .iter()
        .zip(&exact)
        .map(|(&(index, _), &exact)| (index, exact as u64))
        .collect();
    let mut by_remainder: Vec<usize> = (0..shares.len()).collect();
    by_remainder.sort_by(|&a, &b| exact[b].fract().total_cmp(&exact[a].fract()));
    let given: u64 = counts.iter().map(|&(_, count)| count).sum();
    let left = total.saturating_sub(given) as usize;
    for &place in by_remainder.iter().cycle().take(left) {
        counts[place].1 += 1;
    }
    counts
}

/// A random bootstrap peer for everyone else; bootstrap peers dial the next of them, so that
/// together they are one network.
fn first_dials(
    seed: u64,
    ids: &[PeerId],
    types: &[TypeIndex],
    bootstrap_type: TypeIndex,
) -> Vec<Option<PeerIndex>> {
    let bootstraps: Vec<PeerIndex> = (0..types.len())
        .filter(|&place| types[place] == bootstrap_type)
        .map(|place| PeerIndex(place as u32))
        .collect();
    let mut next = bootstraps.iter().skip(1);
    ids.iter()
        .zip(types)
        .map(|(id, &index)| {
            if index == bootstrap_type {
                return next.next().copied();
            }
            let mut stream = Stream::new(seed, id.0, Purpose::Bootstrap);
            let count = bootstraps.len() as u64;
            (count > 0).then(|| bootstraps[stream.below(count) as usize])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_become_whole_peers() {
        let [a, b, c] = [TypeIndex(0), TypeIndex(1), TypeIndex(2)];
        let shares = [(a, 0.5), (b, 0.25), (c, 0.25)];
        assert_eq!(whole_shares(&shares, 10), [(a, 5), (b, 3), (c, 2)]);
        assert_eq!(whole_shares(&[(a, 1.0)], 7), [(a, 7)]);
        let thirds = [(a, 1.0 / 3.0), (b, 1.0 / 3.0), (c, 1.0 / 3.0)];
        assert_eq!(whole_shares(&thirds, 100), [(a, 34), (b, 33), (c, 33)]);
    }
}
