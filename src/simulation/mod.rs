//! A run: a plan in, a finished network and its figures out.

mod conditions;
mod plan;
mod setup;

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use conditions::{ConditionsPlan, Groups, PartitionPlan};
pub use plan::{
    FileGraph, GraphSource, NamedLaw, PeerType, Plan, Population, ServicePlan, TypeAssignment,
};
pub use setup::{Setup, SetupError, draw_bandwidth, latencies, whole_shares};

use crate::engine::{self, Engine, Failure, Network, Pause, PeerTraffic, Peers, Routes, World};
use crate::message::{MessageType, MessageTypes};
use crate::peer::{LocationIndex, Names, PeerIndex, TypeIndex};
use crate::record::{
    Audience, ConnectionCounts, Counts, Delays, Deliveries, DeliveryMode, LastRumour, Load,
    LoadMode, LoadSeries, LogSelection, Logs, Measurements, Recorder,
};
use crate::services::{Factory, ServiceState};
use crate::time::Time;

/// Events between two reports of progress, a shard.
const EVENTS_PER_REPORT: u64 = 1 << 16;
/// Several shards come to a halt to report, and so do it less often.
const EVENTS_PER_SHARDS_REPORT: u64 = 1 << 19;
/// From this many peers a shard on, several are quicker than one.
const SHARD_PEERS_MIN: u64 = 10_000;

/// How many shards, at most `threads`, make the run of a plan quicker than fewer would.
pub fn worthwhile_shards(plan: &Plan, threads: usize) -> usize {
    let (peers, _) = plan.population.size();
    let gaining = usize::try_from(peers / SHARD_PEERS_MIN).unwrap_or(usize::MAX);
    threads.min(gaining).max(1)
}

/// A network that is being simulated.
pub struct Simulation {
    engine: Engine<ServiceState>,
    horizon: Time,
    /// Which message types are part of the spread of rumours.
    is_gossip: Vec<bool>,
}

/// How far a run has come.
#[derive(Clone, Copy)]
pub struct Progress<'a> {
    /// The simulated time reached.
    pub now: Time,
    /// When the run ends.
    pub horizon: Time,
    /// Events handled so far.
    pub events: u64,
    simulation: &'a Simulation,
}

impl Progress<'_> {
    /// The state of the network now. It takes some microseconds: for when it is shown.
    pub fn state(&self) -> NetworkState {
        self.simulation.state()
    }
}

/// The state of a network during a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NetworkState {
    /// Messages on their way.
    pub in_flight: u64,
    /// Peers online.
    pub online: u64,
    /// The share, from 0 to 1, of the audience of gossip that has received the message produced
    /// last; `None` as long as there is none.
    pub coverage: Option<f64>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// At its horizon.
    Horizon,
    /// Because it was told to stop.
    Interrupted,
    /// Because a service could not go on.
    Failed,
}

/// What a run has come to, besides the network itself.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How it ended.
    pub ending: Ending,
    /// What a service could not go on from, where that ended it.
    pub failure: Option<Failure>,
    /// The simulated time reached.
    pub reached: Time,
    /// Events handled.
    pub events: u64,
    /// A digest of all events.
    pub digest: u64,
    /// What became of the messages, by type: those that the peers' services use.
    pub messages: Vec<MessageOutcome>,
}

impl Outcome {
    /// What became of all messages together.
    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        for message in &self.messages {
            total.add(&message.counts);
        }
        total
    }
}

/// What became of the messages of one type.
#[derive(Clone, Debug)]
pub struct MessageOutcome {
    /// The type's name.
    pub name: String,
    /// Whether messages of this type are part of the spread of rumours.
    pub gossip: bool,
    /// What became of them.
    pub counts: Counts,
    /// Those still on their way when the run ended, counted from the queue.
    pub in_flight: u64,
}

/// A peer at the end of a run.
#[derive(Clone, Copy, Debug)]
pub struct PeerOutcome {
    /// Which peer.
    pub peer: PeerIndex,
    /// Whether it is online.
    pub online: bool,
    /// How many connections it has.
    pub connections: usize,
    /// What it sent and received.
    pub traffic: PeerTraffic,
}

/// A connection at the end of a run.
#[derive(Clone, Copy, Debug)]
pub struct LinkOutcome {
    /// The end that comes first.
    pub source: PeerIndex,
    /// The other end.
    pub target: PeerIndex,
    /// The smaller of the source's upload and the target's download, in bit/s.
    pub bandwidth: f64,
    /// Since when both ends hold it.
    pub since: Time,
}

impl Simulation {
    /// The network of a plan at time 0; `log_folder` is where its logs go (it must exist and be
    /// empty), or `None` for a run without logs.
    ///
    /// # Errors
    /// See [`SetupError`].
    pub fn new(plan: &Plan, log_folder: Option<&Path>) -> Result<Self, SetupError> {
        Self::with_shards(plan, log_folder, 1)
    }

    /// As [`Simulation::new`], with its peers in so many shards, at least one. Each can have a
    /// thread of its own; the results are the same. [`worthwhile_shards`] says how many gain.
    ///
    /// # Errors
    /// See [`SetupError`].
    pub fn with_shards(
        plan: &Plan,
        log_folder: Option<&Path>,
        shards: usize,
    ) -> Result<Self, SetupError> {
        Self::from_setup(plan, Setup::new(plan)?, log_folder, shards)
    }

    fn from_setup(
        plan: &Plan,
        setup: Setup,
        log_folder: Option<&Path>,
        shards: usize,
    ) -> Result<Self, SetupError> {
        let mut types = MessageTypes::default();
        let mut is_gossip = vec![false; MessageType::LIMIT];
        let mut routes = Vec::with_capacity(plan.types.len());
        let mut factories: Vec<Vec<Factory>> = Vec::with_capacity(plan.types.len());
        for peer_type in &plan.types {
            let mut route = Routes::new(peer_type.services.len());
            let mut made = Vec::with_capacity(peer_type.services.len());
            for (slot, service) in peer_type.services.iter().enumerate() {
                let mut messages = Vec::with_capacity(service.spec.messages.len());
                for message in service.spec.messages {
                    let kind = types
                        .intern(message.name)
                        .ok_or(SetupError::MessageTypes(MessageType::LIMIT))?;
                    messages.push(kind);
                    is_gossip[kind.as_usize()] |= message.gossip;
                    if let Some(remember) = (service.spec.leaves_copies)(&service.parameters) {
                        route.leave_copies(kind, remember);
                    }
                    if message.noted {
                        route.note(kind);
                    } else if message.handled {
                        route.add(kind, slot);
                    }
                    if let Some(answer) = message.answer {
                        let answer = types
                            .intern(answer)
                            .ok_or(SetupError::MessageTypes(MessageType::LIMIT))?;
                        route.answer(kind, answer);
                    }
                }
                made.push((service.spec.build)(&service.parameters, &messages));
            }
            routes.push(route);
            factories.push(made);
        }
        let services: Vec<ServiceState> = setup
            .names
            .types
            .iter()
            .flat_map(|index| factories[index.as_usize()].iter().map(|make| make()))
            .collect();
        let looks_up_senders = services.iter().any(ServiceState::needs_senders_looked_up);
        let network = Network {
            services,
            starts: setup.starts,
            dials: setup.dials,
            afresh: plan.types.iter().any(|peer_type| {
                let mut services = peer_type.services.iter();
                services.any(|service| (service.spec.begins_afresh)(&service.parameters))
            }),
        };
        let names = Arc::new(setup.names);
        let types = Arc::new(types);
        let shards = engine::shards(&network.dials, names.len(), shards);
        let log_folder = log_folder.filter(|_| plan.logs.selection != LogSelection::None);
        let audience = audience(plan, &setup.is_bootstrap, &names);
        let deliveries = Deliveries::new(plan.measures.deliveries, audience);
        let load = load(plan, &names, &setup.locations, plan.spreads_rumours());
        let link_latencies = plan.file_graph().and_then(|file| file.latencies.clone());
        let delays = match plan.measures.latencies {
            true => Delays::new(plan.locations.len(), link_latencies.is_some()),
            false => Delays::default(),
        };
        let recorder = |peers: Range<u32>| {
            let (options, names, types) = (plan.logs.clone(), names.clone(), types.clone());
            let load = load.of(peers.clone());
            let logs = log_folder.map(|folder| Logs::new(folder, options, names, types, peers));
            Recorder::new(logs, deliveries.clone(), load, delays.clone())
        };
        let recorders = shards.into_iter().map(recorder).collect();
        let world = World {
            seed: plan.seed,
            names: names.clone(),
            locations: setup.locations,
            location_names: plan.locations.clone(),
            bandwidth_ul: setup.bandwidth_ul,
            bandwidth_dl: setup.bandwidth_dl,
            latencies: setup::latencies(plan),
            link_latencies,
            uplink: plan.uplink,
            downlink: plan.downlink,
            conditions: setup.conditions,
            message_types: types.clone(),
            routes,
            is_bootstrap: setup.is_bootstrap,
            looks_up_senders,
        };
        Ok(Simulation {
            engine: Engine::new(world, network, recorders),
            horizon: plan.horizon,
            is_gossip,
        })
    }

    /// Gives each shard a thread of its own even while there is so little to do that one thread
    /// is quicker.
    pub fn always_use_threads(&mut self) {
        self.engine.always_use_threads();
    }

    /// Runs to the horizon, or until `stop` is set; tells `report` now and then how far it is.
    ///
    /// # Errors
    /// When a log could not be written.
    pub fn run(
        &mut self,
        stop: &AtomicBool,
        mut report: impl FnMut(Progress<'_>),
    ) -> io::Result<Outcome> {
        let ending = self.advance(self.horizon, stop, &mut report)?;
        self.outcome(ending)
    }

    /// As [`Simulation::run`], with a pause at every multiple of `every` up to the horizon, at
    /// which `look` sees the network as it is before the events of that time. The run is the same.
    ///
    /// # Errors
    /// When a log could not be written, and those of `look`.
    ///
    /// # Panics
    /// When `every` is zero.
    pub fn run_with_snapshots(
        &mut self,
        every: Time,
        stop: &AtomicBool,
        mut report: impl FnMut(Progress<'_>),
        mut look: impl FnMut(&Self, Time) -> io::Result<()>,
    ) -> io::Result<Outcome> {
        assert!(every > Time::ZERO, "time goes on between two snapshots");
        let mut next = every;
        while next <= self.horizon {
            let ending = self.advance(next, stop, &mut report)?;
            if ending != Ending::Horizon {
                return self.outcome(ending);
            }
            look(self, next)?;
            next += every;
        }
        let ending = self.advance(self.horizon, stop, &mut report)?;
        self.outcome(ending)
    }

    /// Runs to `end`, or until `stop` is set.
    fn advance(
        &mut self,
        end: Time,
        stop: &AtomicBool,
        report: &mut impl FnMut(Progress<'_>),
    ) -> io::Result<Ending> {
        let budget = match self.engine.shards() {
            1 => EVENTS_PER_REPORT,
            shards => EVENTS_PER_SHARDS_REPORT * shards as u64,
        };
        loop {
            let pause = self.engine.run(end, budget, stop);
            if let Some(error) = self.engine.log_error() {
                return Err(error);
            }
            report(Progress {
                now: self.engine.reached(),
                horizon: self.horizon,
                events: self.engine.events(),
                simulation: self,
            });
            match pause {
                Pause::Reached => return Ok(Ending::Horizon),
                Pause::Stopped => return Ok(Ending::Interrupted),
                Pause::Failed => return Ok(Ending::Failed),
                Pause::Budget => {}
            }
        }
    }

    /// The state of the network now, during a run or after it.
    pub fn state(&self) -> NetworkState {
        let mut messages = Counts::default();
        let mut online = 0;
        let mut last: Option<LastRumour> = None;
        for recorder in self.engine.recorders() {
            messages.add(&recorder.traffic.total());
            online += recorder.load.online_now();
            let heard = recorder.deliveries.last();
            last = match (last, heard) {
                (Some(a), Some(b)) => Some(a.or_later(b)),
                (a, b) => a.or(b),
            };
        }
        let audience = self.engine.deliveries().audience();
        NetworkState {
            in_flight: messages.in_flight(),
            online,
            coverage: last.and_then(|rumour| rumour.coverage(audience)),
        }
    }

    fn outcome(&mut self, ending: Ending) -> io::Result<Outcome> {
        let in_flight = self.engine.finish()?;
        let traffic = self.engine.traffic();
        let messages = self
            .world()
            .message_types
            .iter()
            .map(|(kind, name)| MessageOutcome {
                name: name.to_owned(),
                gossip: self.is_gossip[kind.as_usize()],
                counts: *traffic.of(kind),
                in_flight: in_flight[kind.as_usize()],
            })
            .collect();
        Ok(Outcome {
            ending,
            failure: self.engine.failure().cloned(),
            reached: self.engine.reached(),
            events: self.engine.events(),
            digest: self.engine.digest(),
            messages,
        })
    }

    /// Who received which rumour, when.
    pub fn deliveries(&self) -> &Deliveries {
        self.engine.deliveries()
    }

    /// What became of connections, by cause.
    pub fn connection_counts(&self) -> &ConnectionCounts {
        self.engine.connection_counts()
    }

    /// When the run ends.
    pub fn horizon(&self) -> Time {
        self.horizon
    }

    /// The names of the locations.
    pub fn locations(&self) -> &[String] {
        &self.world().location_names
    }

    /// Load over time.
    pub fn load(&self) -> &Load {
        self.engine.load()
    }

    /// What services have counted and observed.
    pub fn measurements(&self) -> &Measurements {
        self.engine.measurements()
    }

    /// How long messages were on their way, by pair of locations.
    pub fn delays(&self) -> &Delays {
        self.engine.delays()
    }

    /// What all peers share.
    pub fn world(&self) -> &World {
        self.engine.world()
    }

    /// Ids and types of the peers.
    pub fn names(&self) -> &Names {
        &self.world().names
    }

    /// The network as it is now.
    pub fn network(&self) -> StandingNetwork<'_> {
        StandingNetwork {
            peers: self.engine.peers(),
            world: self.world(),
        }
    }

    /// How many threads it runs on.
    pub fn threads(&self) -> usize {
        self.engine.shards()
    }

    /// All peers as they are now, in ascending order of their ids.
    pub fn peers(&self) -> impl Iterator<Item = PeerOutcome> + '_ {
        self.network().into_peers(0..self.names().len() as u32)
    }

    /// The connections that both ends hold now and whose ends are online, in ascending order;
    /// those of bootstrap peers only if asked for.
    pub fn links(&self, bootstrap: bool) -> impl Iterator<Item = LinkOutcome> + '_ {
        let all = 0..self.names().len() as u32;
        self.network().into_links(all, bootstrap)
    }
}

/// A network while its simulation stands still: several threads may look at it.
#[derive(Clone)]
pub struct StandingNetwork<'a> {
    peers: Peers<'a>,
    world: &'a World,
}

impl<'a> StandingNetwork<'a> {
    /// What all peers share.
    pub fn world(&self) -> &'a World {
        self.world
    }

    /// These peers.
    pub fn into_peers(self, peers: Range<u32>) -> impl Iterator<Item = PeerOutcome> + 'a {
        peers.map(PeerIndex).map(move |peer| PeerOutcome {
            peer,
            online: self.peers.is_online(peer),
            connections: self.peers.connections(peer).connected(),
            traffic: self.peers.traffic(peer),
        })
    }

    /// Of the connections that both ends hold and whose ends are online, in ascending order,
    /// those whose first end is one of `sources`; those of bootstrap peers only if asked for.
    pub fn into_links(
        self,
        sources: Range<u32>,
        bootstrap: bool,
    ) -> impl Iterator<Item = LinkOutcome> + 'a {
        let StandingNetwork { peers, world } = self;
        let shown = move |peers: &Peers<'_>, peer: PeerIndex| {
            let index = world.names.types[peer.as_usize()];
            peers.is_online(peer) && (bootstrap || !world.is_bootstrap[index.as_usize()])
        };
        sources.flat_map(move |source| {
            let source = PeerIndex(source);
            peers.foresee_links(source);
            let peers = peers.clone();
            let source_shown = shown(&peers, source);
            let connections = peers.connections(source).iter_connected();
            connections.filter_map(move |connection| {
                let target = connection.peer;
                if target <= source || !source_shown || !shown(&peers, target) {
                    return None;
                }
                let other_since = peers.connections(target).connected_since(source)?;
                let upload = world.bandwidth_ul[source.as_usize()];
                Some(LinkOutcome {
                    source,
                    target,
                    bandwidth: upload.min(world.bandwidth_dl[target.as_usize()]),
                    since: connection.since.max(other_since),
                })
            })
        })
    }
}

/// Whose coverage is measured: all peers but bootstrap peers and adversaries.
fn audience(plan: &Plan, is_bootstrap: &[bool], names: &Names) -> Audience {
    let by_type: Vec<bool> = plan
        .types
        .iter()
        .zip(is_bootstrap)
        .map(|(peer_type, &bootstrap)| !bootstrap && !peer_type.is_adversary())
        .collect();
    let of_type = |index: &TypeIndex| by_type[index.as_usize()];
    Audience::new(names.types.iter().map(of_type).collect())
}

fn load(plan: &Plan, names: &Names, locations: &[LocationIndex], gossips: bool) -> Load {
    let by_peer = plan.measures.load == LoadMode::Peers;
    let series = (plan.measures.load != LoadMode::None).then(|| {
        let (interval, horizon) = (plan.measures.interval, plan.horizon);
        LoadSeries::new(interval, horizon, &names.types, locations, by_peer)
    });
    // Only the coverage of online peers asks who is online when.
    let coverage = gossips && plan.measures.deliveries == DeliveryMode::Full;
    Load::new(series, coverage)
}
