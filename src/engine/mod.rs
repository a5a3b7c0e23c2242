//! The discrete-event engine: time, the order of events, the queue, peers and their handshake.
//!
//! It knows no protocol but the connection's (Hello, Goodbye); everything else is a [`Service`].
//! A peer changes only its own state and reaches others by messages alone, which take at least
//! the latency table's floor: that is what lets shards of peers run in parallel.

mod carriage;
mod connections;
mod event;
mod peer_state;
mod post;
mod queue;
mod rumours;
mod service;
mod world;

use std::hint::black_box;
use std::mem::discriminant;
use std::sync::atomic::{AtomicBool, Ordering};

pub use connections::{Connection, ConnectionState, Connections};
pub use event::SERVICES_MAX;
pub use peer_state::PeerTraffic;
pub use rumours::Rumours;
pub use service::{Context, Rejoin, Service, TIMER_TAG_LIMIT};
pub use world::{Routes, World};

use crate::message::{Message, MessageType, Payload};
use crate::network::LinkMode;
use crate::peer::PeerIndex;
use crate::random::{Stream, mix};
use crate::record::{ConnectionCounts, ConnectionEvent, Deliveries, DropCause, Load, LogLevel};
use crate::record::{Recorder, Traffic};
use crate::time::Time;
use crate::topology::Graph;
use event::{Event, Kind};
use peer_state::{Absence, PeerState};
use post::{ANSWER, EMPTY, Post, Switch};

/// How many events ahead peers are brought into the cache.
const LOOK_AHEAD: usize = 32;

/// A network of peers that run services of type `S`.
pub struct Engine<S> {
    world: World,
    peers: Vec<PeerState>,
    /// The services of all peers, peer by peer.
    services: Vec<S>,
    /// Their random streams, made when they are first drawn from.
    streams: Vec<Option<Box<Stream>>>,
    /// Whom each peer dials when it begins, also afresh; `None` where no peer does that.
    first_dials: Option<Dials>,
    post: Post,
    /// The time at which the peer being run is: that of the event, or a little later where a
    /// message passes the downlink at once.
    now: Time,
    /// The time of the last event taken from the queue.
    reached: Time,
    /// Nothing at or after this time is handled.
    end: Time,
    events: u64,
    digest: u64,
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
    /// A network at time 0, before anything has happened.
    pub fn new(world: World, network: Network<S>, recorder: Recorder) -> Self {
        let count = world.names.len();
        let mut engine = Engine {
            peers: Vec::with_capacity(count),
            streams: Vec::with_capacity(network.services.len()),
            services: network.services,
            first_dials: None,
            post: Post::new(recorder),
            now: Time::ZERO,
            reached: Time::ZERO,
            end: Time::ZERO,
            events: 0,
            digest: 0,
            world,
        };
        for (place, &start) in network.starts.iter().enumerate() {
            let me = PeerIndex(place as u32);
            let logs = engine.post.recorder.logs(me);
            let first_service = engine.streams.len() as u32;
            let mut state = PeerState::new(&engine.world, me, first_service, logs);
            state.connections.begin(network.dials.of(me), start);
            let services = engine.world.routes[state.peer_type.as_usize()].services;
            engine.peers.push(state);
            engine.streams.extend((0..services).map(|_| None));
            engine
                .post
                .queue
                .push(Event::new(start, me, Kind::Start, 0, 0, EMPTY));
        }
        engine.first_dials = network.afresh.then_some(network.dials);
        assert_eq!(
            engine.streams.len(),
            engine.services.len(),
            "each peer needs a state for each service of its type"
        );
        engine
    }

    /// Handles the events before `end`, in order, until `budget` of them are handled or `stop`
    /// is set.
    pub fn run(&mut self, end: Time, budget: u64, stop: &AtomicBool) -> Pause {
        self.end = end;
        let mut foreseen = 0;
        for _ in 0..budget {
            if foreseen == 0 {
                if stop.load(Ordering::Relaxed) {
                    return Pause::Stopped;
                }
                foreseen = self.look_ahead();
            }
            foreseen -= 1;
            let Some(event) = self.post.queue.pop_before(end) else {
                self.reached = end;
                return Pause::Reached;
            };
            assert!(event.time() >= self.reached, "an event in the past");
            self.reached = event.time();
            self.handle(event);
        }
        Pause::Budget
    }

    /// Reads a little of what the next events are about: for how many of them, at least one. In
    /// a network larger than the cache their lines come from memory together, rather than one
    /// after the other as each event would ask for them.
    #[inline]
    fn look_ahead(&self) -> usize {
        let upcoming = self.post.queue.upcoming(LOOK_AHEAD);
        let links = self.world.uplink == LinkMode::Limited;
        let mut sum = 0;
        for event in upcoming {
            let peer = &self.peers[event.receiver().as_usize()];
            sum ^= peer.foresee(links);
            if event.has_content() {
                sum ^= u64::from(self.post.bytes(event.body()));
            }
        }
        black_box(sum);
        // What lies behind what was just read.
        let mut sum = 0;
        for event in upcoming {
            let peer = &self.peers[event.receiver().as_usize()];
            sum ^= peer.connections.foresee();
            if event.has_content() {
                sum ^= peer.rumours.foresee();
            }
            black_box(
                self.services
                    .get(peer.first_service as usize)
                    .map(discriminant),
            );
        }
        black_box(sum);
        upcoming.len().max(1)
    }

    #[inline]
    fn handle(&mut self, event: Event) {
        let me = event.receiver();
        self.now = event.time();
        match event.kind() {
            Kind::Arrival(kind) => return self.arrive(me, kind, event),
            Kind::Delivery(kind) => {
                // Where downlinks do not queue, messages do not come in before they are delivered.
                let peer = &mut self.peers[me.as_usize()];
                peer.coming_in = peer.coming_in.saturating_sub(1);
                self.deliver(me, kind, event);
            }
            Kind::Timer { slot } => self.timer(me, slot, event),
            Kind::Alarm { slot } => {
                self.peers[me.as_usize()].timer_ran_out(self.now);
                self.with_service(me, slot.into(), |service, context| {
                    service.alarm(context, event.sender());
                });
                self.follow_up(me);
            }
            Kind::Start => self.start(me),
        }
        self.count(event);
    }

    #[inline]
    fn count(&mut self, event: Event) {
        self.events += 1;
        // A sum does not depend on the order of its terms, and so not on how peers are spread
        // over shards; each term names its time, peer, kind, sender and counter.
        let (time, order, sequence) = event.key();
        let term = mix(mix(time.as_ns() ^ u64::from(sequence) << 40) ^ order);
        self.digest = self.digest.wrapping_add(term);
    }

    #[inline]
    fn timer(&mut self, me: PeerIndex, slot: u8, event: Event) {
        let peer = &mut self.peers[me.as_usize()];
        peer.timer_ran_out(self.now);
        if event.body() != peer.life {
            return;
        }
        let tag = event.sender();
        if !peer.online {
            let absence = peer.absence.get_or_insert_default();
            return absence.timers.push((slot, tag));
        }
        self.with_service(me, slot.into(), |service, context| {
            service.timer(context, tag);
        });
        self.follow_up(me);
    }

    fn start(&mut self, me: PeerIndex) {
        self.peers[me.as_usize()].online = true;
        self.post.recorder.load.online(self.now, me, true);
        let state = &mut self.peers[me.as_usize()];
        let mut place = 0;
        while let Some(connection) = state.connections.at(place) {
            place += 1;
            let (to, hello) = (connection.peer, MessageType::HELLO);
            self.post
                .recorder
                .connections
                .count(ConnectionEvent::Dialled);
            state.send(&self.world, &mut self.post, self.now, me, to, hello, EMPTY);
        }
        self.each_service(me, |service, context| service.start(context));
    }

    /// A message has reached the downlink: it queues there.
    ///
    /// Of a peer's own events only a timer, or a message that came in before, can come between
    /// its arrival and its delivery: what arrives meanwhile is delivered after it. So, unless one
    /// does, it is handled here and now, at the time of its delivery, which saves every second
    /// event of a run.
    #[inline]
    fn arrive(&mut self, me: PeerIndex, kind: MessageType, event: Event) {
        let peer = &mut self.peers[me.as_usize()];
        if !peer.online {
            self.drop_message(me, kind, event, DropCause::Offline);
            return;
        }
        let bytes = self.post.bytes(event.body());
        let wait = peer.downlink.free_at().since(self.now);
        let done = peer.downlink.pass(self.now, bytes);
        self.post.recorder.load.received(done, me, bytes, wait);
        let delivery = event.delivered_at(done, kind);
        if done < self.end && peer.coming_in == 0 && !peer.has_timer_before(done) {
            self.now = done;
            self.deliver(me, kind, delivery);
            self.count(delivery);
        } else {
            peer.coming_in += 1;
            self.post.queue.push(delivery);
        }
    }

    #[inline]
    fn deliver(&mut self, me: PeerIndex, kind: MessageType, event: Event) {
        let from = PeerIndex(event.sender());
        let peer = &mut self.peers[me.as_usize()];
        if !peer.online {
            return self.drop_message(me, kind, event, DropCause::Offline);
        }
        let bytes = self.post.bytes(event.body());
        if self.world.downlink == LinkMode::Unlimited {
            let wait = Time::ZERO;
            self.post.recorder.load.received(self.now, me, bytes, wait);
        }
        let state = peer.connections.hear(from, self.now);
        if state.is_none() && kind != MessageType::HELLO && kind != MessageType::GOODBYE {
            return self.drop_message(me, kind, event, DropCause::NotConnected);
        }
        let handlers = self.world.routes[peer.peer_type.as_usize()].handlers(kind);
        if handlers == 0 && kind != MessageType::HELLO && kind != MessageType::GOODBYE {
            if peer.logs {
                self.post.recorder.log_unhandled(me, self.now, kind, from);
            }
            return self.drop_message(me, kind, event, DropCause::Unhandled);
        }
        self.post.recorder.traffic.delivered(kind, bytes);
        peer.traffic.messages_in += 1;
        peer.traffic.bytes_in += u64::from(bytes);
        if peer.logs {
            self.post.recorder.log_received(me, self.now, kind, from);
        }
        match kind {
            MessageType::HELLO => self.greet(me, from, state, event.body()),
            MessageType::GOODBYE => self.bid_farewell(me, from),
            // The other end takes us for connected: its answer was lost, or comes later.
            _ if state == Some(ConnectionState::Dialling) => self.settle(me, from, false),
            _ => {}
        }
        if handlers != 0 && Post::is_empty(event.body()) {
            self.hand_over(me, from, kind, handlers, &Payload::Empty);
        } else if handlers != 0 {
            let payload = self.post.take(event.body());
            self.hand_over(me, from, kind, handlers, &payload);
        }
    }

    fn hand_over(
        &mut self,
        me: PeerIndex,
        from: PeerIndex,
        kind: MessageType,
        mut handlers: u32,
        payload: &Payload,
    ) {
        while handlers != 0 {
            let slot = handlers.trailing_zeros() as usize;
            handlers &= handlers - 1;
            self.with_service(me, slot, |service, context| {
                service.message(context, from, Message { kind, payload });
            });
        }
        self.follow_up(me);
    }

    fn drop_message(&mut self, me: PeerIndex, kind: MessageType, event: Event, cause: DropCause) {
        self.post.take(event.body());
        self.post.recorder.traffic.dropped(kind, cause);
        if self.peers[me.as_usize()].logs && cause == DropCause::NotConnected {
            let from = PeerIndex(event.sender());
            self.post.recorder.log_dropped(me, self.now, kind, from);
        }
    }

    /// A Hello: an offer, which is admitted and answered or refused; or the answer to ours.
    fn greet(&mut self, me: PeerIndex, from: PeerIndex, state: Option<ConnectionState>, body: u32) {
        match state {
            // The other end has given up an attempt that we took for settled, and tries again.
            Some(ConnectionState::Connected) if body == EMPTY => self.answer(me, from),
            Some(ConnectionState::Connected) => {}
            // The answer to our offer, or an offer that crossed it: either settles.
            Some(ConnectionState::Dialling) => self.settle(me, from, body == EMPTY),
            // An answer that comes after we gave up: the other end has added us.
            None if body == ANSWER => self.settle(me, from, false),
            None => {
                let mut admitted = true;
                self.each_service(me, |service, context| {
                    admitted = admitted && service.admits(context, from);
                });
                if admitted {
                    self.answer(me, from);
                    self.settle(me, from, true);
                } else {
                    let refused = ConnectionEvent::Refused;
                    self.post.recorder.connections.count(refused);
                    self.peers[me.as_usize()].part(&self.world, &mut self.post, self.now, me, from);
                }
            }
        }
    }

    fn answer(&mut self, me: PeerIndex, to: PeerIndex) {
        let hello = MessageType::HELLO;
        self.peers[me.as_usize()].send(
            &self.world,
            &mut self.post,
            self.now,
            me,
            to,
            hello,
            ANSWER,
        );
    }

    fn settle(&mut self, me: PeerIndex, peer: PeerIndex, offered: bool) {
        let state = &mut self.peers[me.as_usize()];
        state.connections.settle(peer, self.now);
        let connected = ConnectionEvent::Connected;
        self.post.recorder.connections.count(connected);
        self.post.recorder.load.connection(self.now, me, true);
        if state.logs {
            self.post.recorder.log_connected(me, self.now, peer);
        }
        self.each_service(me, |service, context| {
            service.connected(context, peer, offered);
        });
    }

    fn bid_farewell(&mut self, me: PeerIndex, from: PeerIndex) {
        let peer = &mut self.peers[me.as_usize()];
        if let Some(state) = peer.connections.remove(from) {
            let event = match state {
                ConnectionState::Dialling => ConnectionEvent::RefusedByOther,
                ConnectionState::Connected => {
                    self.post.recorder.load.connection(self.now, me, false);
                    ConnectionEvent::EndedByOther
                }
            };
            self.post.recorder.connections.count(event);
            if peer.logs {
                self.post.recorder.log_parted(me, self.now, from);
            }
            self.each_service(me, |service, context| service.disconnected(context, from));
        }
    }

    /// Does what a peer's services want done when a handler has returned: the others are told
    /// whom one of them has disconnected from, and the peer goes offline or online.
    #[inline]
    fn follow_up(&mut self, me: PeerIndex) {
        if !(self.post.parted.is_empty() && self.post.switches.is_empty()) {
            self.follow_up_now(me);
        }
    }

    fn follow_up_now(&mut self, me: PeerIndex) {
        while let Some(peer) = self.post.parted.pop() {
            self.call_services(me, |service, context| service.disconnected(context, peer));
        }
        for switch in std::mem::take(&mut self.post.switches) {
            let peer = &mut self.peers[me.as_usize()];
            match switch {
                Switch::Offline(slot) => {
                    peer.kept_offline |= 1 << slot;
                    if peer.online {
                        self.go_offline(me);
                    }
                }
                Switch::Online(slot, rejoin) => {
                    let was_kept = peer.kept_offline;
                    peer.kept_offline &= !(1 << slot);
                    if let Some(absence) = &mut peer.absence {
                        absence.fresh |= rejoin == Rejoin::Fresh;
                    }
                    if was_kept != 0 && peer.kept_offline == 0 {
                        self.go_online(me);
                    }
                }
            }
        }
    }

    fn go_offline(&mut self, me: PeerIndex) {
        let peer = &mut self.peers[me.as_usize()];
        peer.online = false;
        let (peers, connected) = peer.connections.clear();
        let attempts = peers.len() as u32 - connected;
        let (timers, fresh) = (Vec::new(), false);
        peer.absence = Some(Box::new(Absence {
            peers,
            timers,
            fresh,
        }));
        let recorder = &mut self.post.recorder;
        recorder.load.online(self.now, me, false);
        for _ in 0..attempts {
            recorder.connections.count(ConnectionEvent::Unanswered);
        }
        for _ in 0..connected {
            recorder.connections.count(ConnectionEvent::Offline);
            recorder.load.connection(self.now, me, false);
        }
        if peer.logs {
            let text = format_args!("Going offline");
            recorder.log_text(me, LogLevel::Warning, self.now, text);
        }
        self.each_service(me, |service, context| service.offline(context));
    }

    fn go_online(&mut self, me: PeerIndex) {
        let peer = &mut self.peers[me.as_usize()];
        peer.online = true;
        self.post.recorder.load.online(self.now, me, true);
        if peer.logs {
            let text = format_args!("Coming online");
            let level = LogLevel::Warning;
            self.post.recorder.log_text(me, level, self.now, text);
        }
        let Absence {
            mut peers,
            timers,
            fresh,
        } = *peer.absence.take().unwrap_or_default();
        let rejoin = if fresh {
            Rejoin::Fresh
        } else {
            Rejoin::Remember
        };
        if fresh {
            peer.life += 1;
            peer.rumours.forget();
            if let Some(first_dials) = &self.first_dials {
                peers = first_dials.of(me).collect();
            }
        }
        for other in peers {
            let event = ConnectionEvent::Redialled;
            peer.dial(&self.world, &mut self.post, self.now, me, other, event);
        }
        self.each_service(me, |service, context| service.online(context, rejoin));
        if !fresh {
            for (slot, tag) in timers {
                self.with_service(me, slot.into(), |service, context| {
                    service.timer(context, tag);
                });
                self.follow_up(me);
            }
        }
    }

    fn call_services(&mut self, me: PeerIndex, mut call: impl FnMut(&mut S, &mut Context<'_>)) {
        let peer_type = self.peers[me.as_usize()].peer_type;
        for slot in 0..self.world.routes[peer_type.as_usize()].services {
            self.with_service(me, slot, &mut call);
        }
    }

    fn each_service(&mut self, me: PeerIndex, call: impl FnMut(&mut S, &mut Context<'_>)) {
        self.call_services(me, call);
        self.follow_up(me);
    }

    /// The one place where services are called.
    #[inline]
    fn with_service<R>(
        &mut self,
        me: PeerIndex,
        slot: usize,
        call: impl FnOnce(&mut S, &mut Context<'_>) -> R,
    ) -> R {
        let peer = &mut self.peers[me.as_usize()];
        let place = peer.first_service as usize + slot;
        let mut context = Context {
            now: self.now,
            me,
            slot: slot as u8,
            world: &self.world,
            peer,
            stream: &mut self.streams[place],
            post: &mut self.post,
        };
        call(&mut self.services[place], &mut context)
    }
}

impl<S> Engine<S> {
    /// The time up to which everything has been handled.
    pub fn reached(&self) -> Time {
        self.reached
    }

    /// How many events have been handled: messages, timers, starts.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// A digest of all events handled: the same for the same run, whatever the number of threads.
    pub fn digest(&self) -> u64 {
        mix(self.digest ^ self.events)
    }

    /// What all peers share.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// A peer's connections.
    pub fn connections(&self, peer: PeerIndex) -> &Connections {
        &self.peers[peer.as_usize()].connections
    }

    /// Whether a peer is online.
    pub fn is_online(&self, peer: PeerIndex) -> bool {
        self.peers[peer.as_usize()].online
    }

    /// What a peer has sent and received.
    pub fn peer_traffic(&self, peer: PeerIndex) -> PeerTraffic {
        self.peers[peer.as_usize()].traffic
    }

    /// What all peers have sent and received, by message type.
    pub fn traffic(&self) -> &Traffic {
        &self.post.recorder.traffic
    }

    /// What became of connections.
    pub fn connection_counts(&self) -> &ConnectionCounts {
        &self.post.recorder.connections
    }

    /// Who received which rumour, when.
    pub fn deliveries(&self) -> &Deliveries {
        &self.post.recorder.deliveries
    }

    /// Load over time.
    pub fn load(&self) -> &Load {
        &self.post.recorder.load
    }

    /// How many messages are on their way, by sending less what came of it.
    pub fn in_flight(&self) -> u64 {
        self.traffic().in_flight()
    }

    /// How many events are pending.
    pub fn pending(&self) -> usize {
        self.post.queue.len()
    }

    /// Ends the run: counts the messages still on their way, by type, from the queue itself, and
    /// writes what logs are still in memory.
    ///
    /// # Errors
    /// When a log could not be written, now or before.
    pub fn finish(&mut self) -> std::io::Result<[u64; MessageType::LIMIT]> {
        let mut in_flight = [0; MessageType::LIMIT];
        while let Some(event) = self.post.queue.pop_before(Time::from_ns(u64::MAX)) {
            if let Kind::Arrival(kind) | Kind::Delivery(kind) = event.kind() {
                in_flight[kind.as_usize()] += 1;
            }
        }
        self.post.recorder.finish()?;
        Ok(in_flight)
    }

    /// The first error of writing a log, if there was one.
    pub fn log_error(&mut self) -> Option<std::io::Error> {
        self.post.recorder.take_error()
    }

    /// Writes a line into a peer's log.
    pub fn log(&mut self, peer: PeerIndex, level: LogLevel, text: std::fmt::Arguments<'_>) {
        self.post.recorder.log_text(peer, level, self.now, text);
    }
}
