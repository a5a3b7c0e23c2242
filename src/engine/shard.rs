//! A shard: some of a network's peers, the events that happen to them, and what is written down.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::connections::ConnectionState;
use super::contents::{ANSWER, Contents, EMPTY};
use super::event::{Event, Kind};
use super::peer_state::{Absence, PeerState};
use super::post::{NEVER, Post, Switch};
use super::service::{Context, Rejoin, Service, Streams};
use super::world::World;
use super::{Dials, Pause};
use crate::memory::ask_for;
use crate::message::{Message, MessageType, Payload};
use crate::network::LinkMode;
use crate::peer::PeerIndex;
use crate::random::mix;
use crate::record::{ConnectionEvent, DropCause, LogLevel, Recorder};
use crate::time::Time;

/// What an event needs is asked for in three steps, each of which reads what the one before it has
/// asked for. So many events lie between one step and the next, and the event itself.
const STRIDE: usize = 6;
/// So few peers stay in a cache that is near, from which it takes two steps and fewer events.
const PEERS_AT_HAND: usize = 2000;
const NEARBY: usize = 2;
/// After how many events it is asked whether the run is to stop.
const STOP_EVERY: u64 = 32;

/// Some of a network's peers, which follow one another, with all that only they need.
pub(super) struct Shard<S> {
    pub(super) world: Arc<World>,
    pub(super) peers: Vec<PeerState>,
    /// The services of all its peers, peer by peer.
    pub(super) services: Vec<S>,
    /// Their random streams.
    streams: Streams,
    /// Whom each peer dials when it begins, also afresh; `None` where no peer does that.
    pub(super) first_dials: Option<Arc<Dials>>,
    pub(super) post: Post,
    /// The time at which the peer being run is: that of the event, or a little later where a
    /// message passes the downlink at once.
    pub(super) now: Time,
    /// The time of the last event taken from the queue.
    pub(super) reached: Time,
    /// Nothing at or after this time is handled in this run of the engine.
    pub(super) end: Time,
    /// Which events, by their codes, have a service called, whatever they bring.
    calls: [bool; 256],
    /// Which of the next events bring news, as bits; of the one that is 2 × [`STRIDE`] events
    /// ahead the lowest.
    news: u32,
    /// How many events are handled before it is asked whether the run is to stop.
    unasked: u64,
    pub(super) events: u64,
    pub(super) digest: u64,
}

impl<S: Service> Shard<S> {
    /// A shard of the peers in `range`, which have not come into being yet.
    pub(super) fn new(
        world: Arc<World>,
        range: Range<u32>,
        firsts: Arc<[u32]>,
        recorder: Recorder,
    ) -> Self {
        let post = Post::new(range.clone(), firsts, world.downlink, recorder);
        let calls = std::array::from_fn(|code| {
            world
                .routes
                .iter()
                .any(|routes| routes.calls(Kind::of(code as u8)))
        });
        Shard {
            world,
            peers: Vec::with_capacity(range.len()),
            services: Vec::new(),
            streams: Streams::default(),
            first_dials: None,
            post,
            now: Time::ZERO,
            reached: Time::ZERO,
            end: Time::ZERO,
            calls,
            news: 0,
            unasked: 0,
            events: 0,
            digest: 0,
        }
    }

    /// How many services its peers run.
    pub(super) fn service_count(&self) -> usize {
        let services_of = |me: PeerIndex| {
            let index = self.world.names.types[me.as_usize()];
            self.world.routes[index.as_usize()].services
        };
        self.post.range().map(PeerIndex).map(services_of).sum()
    }

    /// Lets its peers come into being at their starts, with these services.
    pub(super) fn settle_in(&mut self, services: Vec<S>, dials: &Dials, starts: &[Time]) {
        self.services = services;
        let mut first_service = 0;
        for me in self.post.range().map(PeerIndex) {
            let start = starts[me.as_usize()];
            let logs = self.post.recorder.logs(me);
            let mut state = PeerState::new(&self.world, me, first_service, logs);
            state.connections.begin(dials.of(me), start);
            first_service += self.world.routes[state.peer_type.as_usize()].services as u32;
            self.peers.push(state);
            let event = Event::new(start, me, Kind::Start, 0, EMPTY);
            self.post.queue.push(event);
        }
    }

    /// Handles the events before `until`, in order, until `budget` of them are handled or `stop`
    /// is set or a service has ended the run; `end` is where this run of the engine ends, `until`
    /// or later.
    pub(super) fn run(&mut self, until: Time, end: Time, budget: u64, stop: &AtomicBool) -> Pause {
        self.end = end;
        self.unasked = 0;
        let mut budget = budget;
        loop {
            if self.unasked == 0 {
                if budget == 0 {
                    return Pause::Budget;
                }
                if stop.load(Ordering::Relaxed) || self.post.failure.is_some() {
                    return Pause::Stopped;
                }
                self.unasked = STOP_EVERY.min(budget);
                budget -= self.unasked;
            }
            self.unasked -= 1;
            let Some(event) = self.post.queue.pop_before(until) else {
                self.reached = until;
                return Pause::Reached;
            };
            assert!(event.time() >= self.reached, "an event in the past");
            self.reached = event.time();
            if self.peers.len() > PEERS_AT_HAND {
                self.look_ahead();
            } else {
                self.look_nearby();
            }
            self.handle(event);
        }
    }

    /// Handles the events before `until`, which nothing that other shards have not sent yet can
    /// come before; or so many of them as `most`.
    pub(super) fn run_window(&mut self, until: Time, end: Time, most: u64) {
        self.run(until, end, most, &AtomicBool::new(false));
    }

    /// No event of the shard, or of one that it has mail for, is before this time.
    pub(super) fn next(&self) -> Time {
        let queued = self.post.queue.lower_bound().unwrap_or(NEVER);
        queued.min(self.post.first_outgoing())
    }

    /// Asks for what the next events are about, step by step, a few events ahead: in a network
    /// larger than the cache it comes from memory while others are handled.
    #[inline(always)]
    fn look_ahead(&mut self) {
        if self.post.queue.has_new_span() {
            return self.look_around();
        }
        let queue = &self.post.queue;
        if let Some(event) = queue.ahead(3 * STRIDE) {
            self.foresee(event);
        }
        let brings_news = (queue.ahead(2 * STRIDE)).is_some_and(|event| self.foresee_more(event));
        self.news = self.news << 1 | u32::from(brings_news);
        if self.news >> STRIDE & 1 == 1
            && let Some(event) = self.post.queue.ahead(STRIDE)
        {
            self.post.foresee_newest(event.receiver());
        }
    }

    /// As [`Shard::look_ahead`], where all comes from the cache, but not from the part of it that
    /// is next to the processor.
    #[inline(always)]
    fn look_nearby(&self) {
        if let Some(event) = self.post.queue.ahead(2 * NEARBY)
            && let Some(peer) = self.peers.get(self.post.place(event.receiver()))
        {
            peer.foresee();
        }
        if let Some(event) = self.post.queue.ahead(NEARBY)
            && let Some(peer) = self.peers.get(self.post.place(event.receiver()))
        {
            peer.connections.foresee();
        }
    }

    /// As [`Shard::look_ahead`] would have done it before the first event of a span.
    #[inline(never)]
    fn look_around(&mut self) {
        let queue = &self.post.queue;
        let ahead = |steps| (0..=steps * STRIDE).map(|place| queue.ahead(place));
        ahead(3).flatten().for_each(|event| self.foresee(event));
        let mut news = 0;
        for event in ahead(2) {
            let brings_news = event.is_some_and(|event| self.foresee_more(event));
            news = news << 1 | u32::from(brings_news);
        }
        for (place, event) in ahead(1).flatten().enumerate() {
            if news >> (2 * STRIDE - place) & 1 == 1 {
                self.post.foresee_newest(event.receiver());
            }
        }
        self.news = news;
    }

    /// Asks for the peer that an event comes to.
    #[inline(always)]
    fn foresee(&self, event: &Event) {
        let me = event.receiver();
        if let Some(peer) = self.peers.get(self.post.place(me)) {
            peer.foresee();
            if Contents::is_empty(event.body()) {
                peer.foresee_sending();
            }
        }
        self.post.foresee(me);
    }

    /// Asks for what that peer leads to; whether the event is a message with something new in it.
    #[inline(always)]
    fn foresee_more(&self, event: &Event) -> bool {
        let brings_news = self.post.brings_news(event);
        if let Some(peer) = self.peers.get(self.post.place(event.receiver())) {
            if brings_news || peer.must_look_up_sender(&self.world) {
                peer.connections.foresee();
            }
            if (brings_news || self.calls[event.code() as usize])
                && let Some(service) = self.services.get(peer.first_service as usize)
            {
                ask_for(service);
            }
            if brings_news {
                peer.foresee_sending();
                self.post.foresee_held(event.receiver());
            }
        }
        brings_news
    }

    #[inline]
    fn handle(&mut self, event: Event) {
        let me = event.receiver();
        self.now = event.time();
        match event.kind() {
            Kind::Arrival(kind) => return self.arrive(me, kind, event),
            Kind::Delivery(kind) => {
                match self.world.downlink {
                    LinkMode::Limited => {
                        let peer = &mut self.peers[self.post.place(me)];
                        peer.coming_in = peer.coming_in.saturating_sub(1);
                    }
                    // It comes in as it is delivered.
                    LinkMode::Unlimited if self.post.recorder.load.is_kept() => {
                        self.come_in_at_once(me, event.body());
                    }
                    LinkMode::Unlimited => {}
                }
                self.deliver(me, kind, event);
            }
            Kind::Timer { slot } => self.timer(me, slot, event),
            Kind::Alarm { slot } => {
                self.post.timer_ran_out(me, self.now);
                self.with_service(me, slot.into(), |service, context| {
                    service.alarm(context, event.sender());
                });
                self.follow_up(me);
            }
            Kind::Start => self.start(me),
        }
        self.count(event);
    }

    /// Writes down a message that comes in as it is delivered.
    #[inline(never)]
    fn come_in_at_once(&mut self, me: PeerIndex, body: u32) {
        if self.peers[self.post.place(me)].online {
            let bytes = self.post.contents.bytes(body);
            let load = &mut self.post.recorder.load;
            load.received(self.now, me, bytes, Time::ZERO);
        }
    }

    #[inline]
    fn count(&mut self, event: Event) {
        self.events += 1;
        // A sum does not depend on the order of its terms, and so not on how peers are spread
        // over shards; each term names its time, peer, kind and sender.
        let (time, order) = event.time_and_order();
        let term = mix(mix(time.as_ns()) ^ order);
        self.digest = self.digest.wrapping_add(term);
    }

    #[inline]
    fn timer(&mut self, me: PeerIndex, slot: u8, event: Event) {
        self.post.timer_ran_out(me, self.now);
        let peer = &mut self.peers[self.post.place(me)];
        if event.body() != peer.life() {
            return;
        }
        let tag = event.sender();
        if !peer.online {
            let absence = peer.rare().absence.get_or_insert_default();
            return absence.timers.push((slot, tag));
        }
        self.with_service(me, slot.into(), |service, context| {
            service.timer(context, tag);
        });
        self.follow_up(me);
    }

    fn start(&mut self, me: PeerIndex) {
        self.peers[self.post.place(me)].online = true;
        self.post.recorder.load.online(self.now, me, true);
        let state = &mut self.peers[self.post.place(me)];
        let mut place = 0;
        while let Some(to) = state.connections.peer_at(place) {
            place += 1;
            let hello = MessageType::HELLO;
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
        let peer = &mut self.peers[self.post.place(me)];
        if !peer.online {
            self.drop_message(me, kind, event, DropCause::Offline);
            return;
        }
        let bytes = self.post.contents.bytes(event.body());
        let wait = peer.downlink.free_at().since(self.now);
        let done = peer.come_in(&self.world, self.now, me, bytes);
        self.post.recorder.load.received(done, me, bytes, wait);
        let delivery = event.delivered_at(done, kind);
        if done < self.end && peer.coming_in == 0 && !self.post.has_timer_before(me, done) {
            self.now = done;
            self.deliver(me, kind, delivery);
            self.count(delivery);
        } else {
            peer.coming_in += 1;
            self.post.queue.push(delivery);
        }
    }

    #[inline(always)]
    fn deliver(&mut self, me: PeerIndex, kind: MessageType, event: Event) {
        let from = PeerIndex(event.sender());
        let peer = &mut self.peers[self.post.place(me)];
        if !peer.online {
            return self.drop_message(me, kind, event, DropCause::Offline);
        }
        let route = self.world.routes[peer.peer_type.as_usize()].of(kind);
        let is_usual = kind > MessageType::GOODBYE && route.is_handled;
        let state = if is_usual && !peer.must_look_up_sender(&self.world) {
            debug_assert!(
                peer.connections.is_connected(from),
                "a sender's connection is the receiver's"
            );
            Some(ConnectionState::Connected)
        } else {
            peer.connections.hear(from, self.now)
        };
        if is_usual && state == Some(ConnectionState::Connected) {
            peer.note_received(&mut self.post, self.now, me, kind, from, event.body());
            if let Some(answer) = route.answer
                && Contents::is_empty(event.body())
            {
                let (world, post) = (&self.world, &mut self.post);
                return peer.send_some::<1>(world, post, self.now, me, &[from], answer, EMPTY);
            }
        } else if !self.deliver_unusual(me, kind, event, state, route.is_handled) {
            return;
        }
        if let Some(remember) = route.copies()
            && (self.post).count_copy(me, event.body(), self.now.since(remember))
        {
            return;
        }
        if route.handlers != 0 || event.has_content() {
            self.hand_over(me, from, kind, route.handlers, event.body());
        }
    }

    /// Delivers what is not of a type of the services', or does not come over a finished
    /// connection, as far as the engine itself has to do with it; false if it is dropped.
    #[inline(never)]
    fn deliver_unusual(
        &mut self,
        me: PeerIndex,
        kind: MessageType,
        event: Event,
        state: Option<ConnectionState>,
        is_handled: bool,
    ) -> bool {
        let from = PeerIndex(event.sender());
        let is_greeting = kind == MessageType::HELLO || kind == MessageType::GOODBYE;
        if state.is_none() && !is_greeting {
            self.drop_message(me, kind, event, DropCause::NotConnected);
            return false;
        }
        let peer = &mut self.peers[self.post.place(me)];
        if !is_handled {
            if peer.logs {
                self.post.recorder.log_unhandled(me, self.now, kind, from);
            }
            self.drop_message(me, kind, event, DropCause::Unhandled);
            return false;
        }
        peer.note_received(&mut self.post, self.now, me, kind, from, event.body());
        match kind {
            MessageType::HELLO => self.greet(me, from, state, event.body()),
            MessageType::GOODBYE => self.bid_farewell(me, from),
            // The other end takes us for connected: its answer was lost, or comes later.
            _ if state == Some(ConnectionState::Dialling) => self.settle(me, from, false),
            _ => {}
        }
        true
    }

    /// Hands a message over to those of a peer's services that handle it; its content is let go.
    /// Apart, so that what is only noted or counted costs no more than that.
    #[inline(never)]
    fn hand_over(
        &mut self,
        me: PeerIndex,
        from: PeerIndex,
        kind: MessageType,
        mut handlers: u32,
        body: u32,
    ) {
        let taken;
        let payload = if Contents::is_empty(body) {
            &Payload::Empty
        } else {
            taken = self.post.contents.take(body);
            &taken
        };
        while handlers != 0 {
            let slot = handlers.trailing_zeros() as usize;
            handlers &= handlers - 1;
            // Unless a handler before has disconnected from it, or the engine.
            let connected = kind > MessageType::GOODBYE && self.post.parted.is_empty();
            let known = connected.then_some(from);
            self.with_service(me, slot, |service, context| {
                context.known = known;
                service.message(context, from, Message { kind, payload });
            });
        }
        self.follow_up(me);
    }

    fn drop_message(&mut self, me: PeerIndex, kind: MessageType, event: Event, cause: DropCause) {
        self.post.contents.take(event.body());
        self.post.recorder.traffic.dropped(kind, cause);
        if self.peers[self.post.place(me)].logs && cause == DropCause::NotConnected {
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
                    self.peers[self.post.place(me)].part(
                        &self.world,
                        &mut self.post,
                        self.now,
                        me,
                        from,
                    );
                }
            }
        }
    }

    fn answer(&mut self, me: PeerIndex, to: PeerIndex) {
        let hello = MessageType::HELLO;
        self.peers[self.post.place(me)].send(
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
        let state = &mut self.peers[self.post.place(me)];
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
        let peer = &mut self.peers[self.post.place(me)];
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
    #[inline(always)]
    fn follow_up(&mut self, me: PeerIndex) {
        if !(self.post.parted.is_empty() && self.post.switches.is_empty()) {
            self.follow_up_now(me);
        }
    }

    #[cold]
    fn follow_up_now(&mut self, me: PeerIndex) {
        while let Some(peer) = self.post.parted.pop() {
            self.call_services(me, |service, context| service.disconnected(context, peer));
        }
        for switch in std::mem::take(&mut self.post.switches) {
            let peer = &mut self.peers[self.post.place(me)];
            match switch {
                // Before the next event, the run stops.
                Switch::Halt => self.unasked = 0,
                Switch::Offline(slot) => {
                    peer.rare().kept_offline |= 1 << slot;
                    if peer.online {
                        self.go_offline(me);
                    }
                }
                Switch::Online(slot, rejoin) => {
                    let rare = peer.rare();
                    let was_kept = rare.kept_offline;
                    rare.kept_offline &= !(1 << slot);
                    if let Some(absence) = &mut rare.absence {
                        absence.fresh |= rejoin == Rejoin::Fresh;
                    }
                    if was_kept != 0 && rare.kept_offline == 0 {
                        self.go_online(me);
                    }
                }
            }
        }
    }

    fn go_offline(&mut self, me: PeerIndex) {
        let peer = &mut self.peers[self.post.place(me)];
        peer.online = false;
        let (peers, connected) = peer.connections.clear();
        let attempts = peers.len() as u32 - connected;
        let (timers, fresh) = (Vec::new(), false);
        peer.rare().absence = Some(Absence {
            peers,
            timers,
            fresh,
        });
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
        let peer = &mut self.peers[self.post.place(me)];
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
        } = peer.rare().absence.take().unwrap_or_default();
        let rejoin = if fresh {
            Rejoin::Fresh
        } else {
            Rejoin::Remember
        };
        if fresh {
            peer.rare().life += 1;
            self.post.forget_rumours(me);
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
        let peer_type = self.peers[self.post.place(me)].peer_type;
        for slot in 0..self.world.routes[peer_type.as_usize()].services {
            self.with_service(me, slot, &mut call);
        }
    }

    fn each_service(&mut self, me: PeerIndex, call: impl FnMut(&mut S, &mut Context<'_>)) {
        self.call_services(me, call);
        self.follow_up(me);
    }

    /// The one place where services are called.
    #[inline(always)]
    fn with_service<R>(
        &mut self,
        me: PeerIndex,
        slot: usize,
        call: impl FnOnce(&mut S, &mut Context<'_>) -> R,
    ) -> R {
        let peer = &mut self.peers[self.post.place(me)];
        let place = peer.first_service as usize + slot;
        let mut context = Context {
            now: self.now,
            me,
            slot: slot as u8,
            known: None,
            world: &self.world,
            peer,
            streams: &mut self.streams,
            place,
            post: &mut self.post,
        };
        call(&mut self.services[place], &mut context)
    }
}
