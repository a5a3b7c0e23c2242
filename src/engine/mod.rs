//! The discrete-event engine: time, the order of events, the queue, peers and their handshake.
//!
//! It knows no protocol but the connection's (Hello, Goodbye); everything else is a [`Service`].
//! A peer changes only its own state and reaches others by messages alone, which take at least
//! the latency table's floor: that is what lets shards of peers run in parallel.

mod carriage;
mod connections;
mod contents;
mod event;
mod mail;
mod peer_state;
mod post;
mod queue;
mod rumours;
mod service;
mod shard;
mod slot;
mod sorter;
mod spreading;
mod windows;
mod world;

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use smallvec::SmallVec;

pub use connections::{Connection, ConnectionState, Connections};
pub use event::SERVICES_MAX;
pub use peer_state::PeerTraffic;
pub use rumours::Rumours;
pub use service::{Context, Failure, Rejoin, Service, TIMER_TAG_LIMIT};
pub use world::{Routes, World};

use crate::message::MessageType;
use crate::peer::PeerIndex;
use crate::random::mix;
use crate::record::{ConnectionCounts, Delays, Deliveries, Load, Measurements, Recorder, Traffic};
use crate::time::Time;
use crate::topology::Graph;
use event::Kind;
use peer_state::PeerState;
use shard::Shard;
use windows::{Limits, Manner};

/// A network of peers that run services of type `S`.
pub struct Engine<S> {
    world: Arc<World>,
    /// Its peers, in shards of peers that follow one another; at least one.
    shards: Vec<Shard<S>>,
    /// The first peer of each shard.
    firsts: Arc<[u32]>,
    /// How much there must be to do for each shard to have a thread of its own.
    busy: u64,
    manner: Manner,
}

/// Why [`Engine::run`] returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// Everything before the given time has been handled.
    Reached,
    /// As many events as asked for have been handled.
    Budget,
    /// The stop flag was set.
    Stopped,
    /// A service has ended the run: see [`Engine::failure`].
    Failed,
}

/// What a network is built of, peer by peer.
pub struct Network<S> {
    /// The services of all peers, peer by peer, in the order of their types' routes.
    pub services: Vec<S>,
    /// When each peer starts.
    pub starts: Vec<Time>,
    /// Whom the peers dial when they start.
    pub dials: Dials,
    /// Whether peers may come back afresh ([`Rejoin::Fresh`]) and then dial them again. Without,
    /// the memory is saved, and such peers dial those they had.
    pub afresh: bool,
}

/// Whom each peer dials when it starts.
#[derive(Debug)]
pub enum Dials {
    /// Every neighbour in a given graph.
    Graph(Graph),
    /// At most one peer each.
    One(Vec<Option<PeerIndex>>),
}

impl Dials {
    /// Whom a peer dials, ascending.
    fn of(&self, me: PeerIndex) -> impl ExactSizeIterator<Item = PeerIndex> + '_ {
        let (neighbours, one): (&[u32], &[Option<PeerIndex>]) = match self {
            Dials::Graph(graph) => (graph.neighbours(me.as_usize()), &[]),
            Dials::One(peers) => (&[], std::slice::from_ref(&peers[me.as_usize()])),
        };
        let count = neighbours.len() + one.iter().flatten().count();
        (0..count).map(move |place| match neighbours.get(place) {
            Some(&neighbour) => PeerIndex(neighbour),
            None => one[0].unwrap_or(me),
        })
    }
}

impl<S: Service> Engine<S> {
    /// A network at time 0, before anything has happened, in as many shards as there are
    /// `recorders`; [`shards`] says which peers are whose.
    ///
    /// # Panics
    /// When a column of the network is not as long as it has peers, or there is no recorder.
    pub fn new(world: World, network: Network<S>, recorders: Vec<Recorder>) -> Self {
        let ranges = shards(&network.dials, world.names.len(), recorders.len());
        let world = Arc::new(world);
        let firsts: Arc<[u32]> = ranges.iter().map(|range| range.start).collect();
        let mut shards: Vec<Shard<S>> = ranges
            .into_iter()
            .zip(recorders)
            .map(|(range, recorder)| Shard::new(world.clone(), range, firsts.clone(), recorder))
            .collect();
        settle_in(
            &mut shards,
            network.services,
            &network.dials,
            &network.starts,
        );
        if network.afresh {
            let dials = Arc::new(network.dials);
            for shard in &mut shards {
                shard.first_dials = Some(dials.clone());
            }
        }
        Engine {
            world,
            busy: windows::busy(shards.len()),
            shards,
            firsts,
            manner: Manner::default(),
        }
    }

    /// Gives each shard a thread of its own even while that is slower.
    pub fn always_use_threads(&mut self) {
        self.busy = 0;
    }

    /// Handles the events before `end`, in order, until about `budget` of them are handled or
    /// `stop` is set. Each shard has a thread of its own while there is enough to do.
    pub fn run(&mut self, end: Time, budget: u64, stop: &AtomicBool) -> Pause {
        let pause = match &mut self.shards[..] {
            [shard] => shard.run(end, end, budget, stop),
            shards => {
                let limits = Limits {
                    lookahead: self.world.lookahead(),
                    end,
                    budget,
                    stop,
                    busy: self.busy,
                };
                windows::run(shards, limits, &mut self.manner)
            }
        };
        match self.failure() {
            Some(_) => Pause::Failed,
            None => pause,
        }
    }
}

/// Lets the peers of all shards come into being, those of each on a thread of its own.
fn settle_in<S: Service>(
    shards: &mut [Shard<S>],
    mut services: Vec<S>,
    dials: &Dials,
    starts: &[Time],
) {
    thread::scope(|scope| {
        for (place, shard) in shards.iter_mut().enumerate().rev() {
            let own = match services.len() - shard.service_count() {
                0 => std::mem::take(&mut services),
                before => services.split_off(before),
            };
            match place {
                0 => shard.settle_in(own, dials, starts),
                _ => drop(scope.spawn(|| shard.settle_in(own, dials, starts))),
            }
        }
    });
    assert!(
        services.is_empty(),
        "each service needs a peer that runs it"
    );
}

/// Which peers are whose when so many peers are spread over `count` shards: about the same
/// number of peers and links each.
pub fn shards(dials: &Dials, peers: usize, count: usize) -> Vec<Range<u32>> {
    assert!(count > 0, "a network needs a shard");
    let weight = |place: usize| match dials {
        Dials::Graph(graph) => graph.neighbours(place).len() as u64 + 1,
        Dials::One(_) => 1,
    };
    let total: u64 = (0..peers).map(weight).sum();
    let mut ranges = Vec::with_capacity(count);
    let (mut start, mut place, mut sum) = (0, 0, 0);
    for shard in 1..=count as u64 {
        while place < peers && sum < total * shard / count as u64 {
            sum += weight(place);
            place += 1;
        }
        ranges.push(start..place as u32);
        start = place as u32;
    }
    ranges
}

/// The peers of a network that stands still, for as many threads as like to look at them.
#[derive(Clone)]
pub struct Peers<'a> {
    firsts: &'a [u32],
    shards: SmallVec<[&'a [PeerState]; 8]>,
}

impl<'a> Peers<'a> {
    #[inline]
    fn get(&self, peer: PeerIndex) -> &'a PeerState {
        let shard = match self.firsts {
            [_] => 0,
            firsts => post::shard_of(firsts, peer),
        };
        &self.shards[shard][(peer.0 - self.firsts[shard]) as usize]
    }

    /// A peer's connections.
    pub fn connections(&self, peer: PeerIndex) -> &'a Connections {
        &self.get(peer).connections
    }

    /// Whether a peer is online.
    pub fn is_online(&self, peer: PeerIndex) -> bool {
        self.get(peer).online
    }

    /// What a peer has sent and received.
    pub fn traffic(&self, peer: PeerIndex) -> PeerTraffic {
        self.get(peer).traffic()
    }

    /// Asks for what the later ends of the connections of the next few peers know, one peer of
    /// which comes into sight at a time.
    pub fn foresee_links(&self, peer: PeerIndex) {
        const FAR: u32 = 4;
        const NEAR: u32 = 2;
        let ends = |peer: u32| {
            let known = (peer as usize) < self.len();
            let connections = known.then(|| self.connections(PeerIndex(peer)));
            let ends = connections
                .into_iter()
                .flat_map(Connections::iter_connected_peers);
            ends.filter(move |end| end.0 > peer)
        };
        ends(peer.0 + FAR).for_each(|end| self.get(end).foresee());
        ends(peer.0 + NEAR).for_each(|end| self.connections(end).foresee());
    }

    fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.len()).sum()
    }
}

impl<S> Engine<S> {
    /// Why a service has ended the run, if one has: the first of all.
    pub fn failure(&self) -> Option<&Failure> {
        let failures = self.shards.iter().filter_map(|s| s.post.failure.as_deref());
        failures.min_by_key(|failure| (failure.time, failure.peer))
    }

    /// How many shards its peers are in.
    pub fn shards(&self) -> usize {
        self.shards.len()
    }

    /// The time up to which everything has been handled.
    pub fn reached(&self) -> Time {
        let reached = self.shards.iter().map(|shard| shard.reached);
        reached.min().unwrap_or_default()
    }

    /// How many events have been handled: messages, timers, starts.
    pub fn events(&self) -> u64 {
        self.shards.iter().map(|shard| shard.events).sum()
    }

    /// A digest of all events handled: the same for the same run, whatever the number of threads.
    pub fn digest(&self) -> u64 {
        let digests = self.shards.iter().map(|shard| shard.digest);
        mix(digests.fold(0, u64::wrapping_add) ^ self.events())
    }

    /// What all peers share.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// All peers as they are now.
    pub fn peers(&self) -> Peers<'_> {
        Peers {
            firsts: &self.firsts,
            shards: self.shards.iter().map(|shard| &shard.peers[..]).collect(),
        }
    }

    /// What was written down of the whole network; all of it when the run has been finished.
    fn recorder(&self) -> &Recorder {
        &self.shards[0].post.recorder
    }

    /// What was written down so far, shard by shard.
    pub fn recorders(&self) -> impl Iterator<Item = &Recorder> {
        self.shards.iter().map(|shard| &shard.post.recorder)
    }

    /// What all peers have sent and received, by message type; complete after
    /// [`Engine::finish`].
    pub fn traffic(&self) -> &Traffic {
        &self.recorder().traffic
    }

    /// What became of connections; complete after [`Engine::finish`].
    pub fn connection_counts(&self) -> &ConnectionCounts {
        &self.recorder().connections
    }

    /// Who received which rumour, when; complete after [`Engine::finish`].
    pub fn deliveries(&self) -> &Deliveries {
        &self.recorder().deliveries
    }

    /// Load over time; complete after [`Engine::finish`].
    pub fn load(&self) -> &Load {
        &self.recorder().load
    }

    /// What services have counted and observed; complete after [`Engine::finish`].
    pub fn measurements(&self) -> &Measurements {
        &self.recorder().measurements
    }

    /// How long messages were on their way; complete after [`Engine::finish`].
    pub fn delays(&self) -> &Delays {
        &self.recorder().delays
    }

    /// Ends the run: counts the messages still on their way, by type, from the queues themselves,
    /// writes what logs are still in memory, and brings together what the shards have recorded.
    ///
    /// # Errors
    /// When a log could not be written, now or before.
    pub fn finish(&mut self) -> io::Result<[u64; MessageType::LIMIT]> {
        let mut in_flight = [0; MessageType::LIMIT];
        for shard in &mut self.shards {
            shard.post.queue.clear(|event| {
                if let Kind::Arrival(kind) | Kind::Delivery(kind) = event.kind() {
                    in_flight[kind.as_usize()] += 1;
                }
            });
            shard.post.recorder.finish()?;
        }
        if let Some((first, others)) = self.shards.split_first_mut() {
            for other in others {
                let recorder = std::mem::take(&mut other.post.recorder);
                first.post.recorder.absorb(recorder);
            }
        }
        Ok(in_flight)
    }

    /// The first error of writing a log, if there was one.
    pub fn log_error(&mut self) -> Option<io::Error> {
        let mut recorders = self.shards.iter_mut().map(|s| &mut s.post.recorder);
        recorders.find_map(Recorder::take_error)
    }
}
