//! The interface between protocols and the engine: what a service is told, and what it may do.

use std::any::Any;
use std::fmt;

use smallvec::SmallVec;

use super::connections::{ConnectionState, Connections};
use super::contents::EMPTY;
use super::event::Kind;
use super::peer_state::PeerState;
use super::post::{Post, Switch};
use super::rumours::Rumours;
use super::world::World;
use crate::message::{Message, MessageType, Payload, Rumour};
use crate::peer::{PeerId, PeerIndex, TypeIndex};
use crate::random::Stream;
use crate::record::{ConnectionEvent, LogLevel};
use crate::time::Time;

/// What a peer comes back with from being offline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejoin {
    /// With all it knew: it dials the peers it had, and its timers go on.
    Remember,
    /// With nothing: its services begin afresh, as those of a new peer would, and it dials whom
    /// it dialled at its start. One service that wants this is enough.
    Fresh,
}

/// A protocol's state machine on one peer.
///
/// It is told what happens to its peer and answers through the [`Context`]; it can change
/// nothing else, and learns of other peers by their messages alone. All methods may be left out.
pub trait Service: Send {
    /// The peer comes into being.
    fn start(&mut self, _context: &mut Context<'_>) {}

    /// A message of a type that the service handles has arrived.
    fn message(&mut self, _context: &mut Context<'_>, _from: PeerIndex, _message: Message<'_>) {}

    /// A timer set with [`Context::set_timer`] has run out.
    fn timer(&mut self, _context: &mut Context<'_>, _tag: u32) {}

    /// An alarm set with [`Context::set_alarm`] has run out.
    fn alarm(&mut self, _context: &mut Context<'_>, _tag: u32) {}

    /// The peer has gone offline: all connections are gone. It can send nothing now.
    fn offline(&mut self, _context: &mut Context<'_>) {}

    /// The peer is online again and dials whom it had. One that begins afresh has lost the
    /// rumours it held and the timers that were set; a service should forget what it knew, too.
    /// Unless it says otherwise, a service then starts once more.
    fn online(&mut self, context: &mut Context<'_>, rejoin: Rejoin) {
        if rejoin == Rejoin::Fresh {
            self.start(context);
        }
    }

    /// Whether the peer may accept the connection that `from` offers by a Hello; one service
    /// that says no is enough to refuse it.
    fn admits(&mut self, _context: &mut Context<'_>, _from: PeerIndex) -> bool {
        true
    }

    /// The connection to `peer` was made; `offered` by it, or else dialled from here.
    fn connected(&mut self, _context: &mut Context<'_>, _peer: PeerIndex, _offered: bool) {}

    /// The connection to `peer`, or the attempt to make it, has ended.
    fn disconnected(&mut self, _context: &mut Context<'_>, _peer: PeerIndex) {}
}

impl<S: Service + ?Sized> Service for Box<S> {
    fn start(&mut self, context: &mut Context<'_>) {
        (**self).start(context);
    }

    fn message(&mut self, context: &mut Context<'_>, from: PeerIndex, message: Message<'_>) {
        (**self).message(context, from, message);
    }

    fn timer(&mut self, context: &mut Context<'_>, tag: u32) {
        (**self).timer(context, tag);
    }

    fn alarm(&mut self, context: &mut Context<'_>, tag: u32) {
        (**self).alarm(context, tag);
    }

    fn offline(&mut self, context: &mut Context<'_>) {
        (**self).offline(context);
    }

    fn online(&mut self, context: &mut Context<'_>, rejoin: Rejoin) {
        (**self).online(context, rejoin);
    }

    fn admits(&mut self, context: &mut Context<'_>, from: PeerIndex) -> bool {
        (**self).admits(context, from)
    }

    fn connected(&mut self, context: &mut Context<'_>, peer: PeerIndex, offered: bool) {
        (**self).connected(context, peer, offered);
    }

    fn disconnected(&mut self, context: &mut Context<'_>, peer: PeerIndex) {
        (**self).disconnected(context, peer);
    }
}

/// The random streams of services, each made when it is first drawn from.
#[derive(Default)]
pub(super) struct Streams(Vec<Option<Box<Stream>>>);

impl Streams {
    #[inline]
    fn get(&mut self, place: usize, make: impl FnOnce() -> Stream) -> &mut Stream {
        if place >= self.0.len() {
            self.0.resize_with(place + 1, || None);
        }
        self.0[place].get_or_insert_with(|| Box::new(make()))
    }
}

/// Why a service has ended the run, see [`Context::fail`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// When.
    pub time: Time,
    /// On which peer.
    pub peer: PeerIndex,
    /// What was wrong.
    pub problem: String,
}

/// A timer's tag must be below this.
pub const TIMER_TAG_LIMIT: u32 = 1 << 28;

/// What a service sees of the world, and what it may do, while it handles an event.
pub struct Context<'a> {
    pub(super) now: Time,
    pub(super) me: PeerIndex,
    pub(super) slot: u8,
    /// A peer that there is a connection with, in any state: the one that a message came from.
    pub(super) known: Option<PeerIndex>,
    pub(super) world: &'a World,
    pub(super) peer: &'a mut PeerState,
    pub(super) streams: &'a mut Streams,
    /// The place of the service among all of its shard.
    pub(super) place: usize,
    pub(super) post: &'a mut Post,
}

impl Context<'_> {
    /// The simulated time.
    #[inline]
    pub fn now(&self) -> Time {
        self.now
    }

    /// This peer.
    #[inline]
    pub fn me(&self) -> PeerIndex {
        self.me
    }

    /// A peer's id as the scenario gives it.
    pub fn id(&self, peer: PeerIndex) -> PeerId {
        self.world.names.id(peer)
    }

    /// This peer's connections.
    #[inline]
    pub fn connections(&self) -> &Connections {
        &self.peer.connections
    }

    /// The name of this peer's location.
    pub fn location_name(&self) -> &str {
        &self.world.location_names[self.world.location(self.me).as_usize()]
    }

    /// The name of a peer's type.
    pub fn type_name(&self, peer: PeerIndex) -> &str {
        self.world.names.type_name(peer)
    }

    /// The name of a type of peers.
    pub fn name_of_type(&self, index: TypeIndex) -> &str {
        &self.world.names.type_names[index.as_usize()]
    }

    /// A peer's type.
    #[inline]
    pub fn type_of(&self, peer: PeerIndex) -> TypeIndex {
        self.world.names.types[peer.as_usize()]
    }

    /// The peer with this id, if there is one.
    pub fn find(&self, id: PeerId) -> Option<PeerIndex> {
        self.world.names.find(id)
    }

    /// How many peers there are, online or not.
    pub fn peers(&self) -> u32 {
        self.world.names.len() as u32
    }

    /// Whether this peer is online.
    pub fn is_online(&self) -> bool {
        self.peer.online
    }

    /// Whether a peer is a bootstrap peer.
    pub fn is_bootstrap(&self, peer: PeerIndex) -> bool {
        self.world.is_bootstrap[self.world.names.types[peer.as_usize()].as_usize()]
    }

    /// Whether any type of peers is a bootstrap type.
    pub fn has_bootstrap(&self) -> bool {
        self.world.is_bootstrap.contains(&true)
    }

    /// The bandwidth of a connection from here to `peer` in bit/s: the smaller of this peer's
    /// upload and the other's download.
    pub fn bandwidth_to(&self, peer: PeerIndex) -> f64 {
        let upload = self.world.bandwidth_ul[self.me.as_usize()];
        upload.min(self.world.bandwidth_dl[peer.as_usize()])
    }

    /// The random stream of this service on this peer.
    #[inline]
    pub fn random(&mut self) -> &mut Stream {
        let (world, me, slot) = (self.world, self.me, self.slot);
        self.streams.get(self.place, || {
            let id = world.names.id(me).0;
            Stream::service(world.seed, id, slot.into())
        })
    }

    /// Sends a message of `bytes` bytes in all to a connected or dialled peer. False, and an
    /// error in the log, if it is neither.
    pub fn send(&mut self, to: PeerIndex, kind: MessageType, payload: Payload, bytes: u32) -> bool {
        if !self.may_send(to) {
            self.complain(to, kind);
            return false;
        }
        let body = self.post.contents.store(payload, bytes, 1);
        self.peer
            .send(self.world, self.post, self.now, self.me, to, kind, body);
        true
    }

    /// Whether there is a connection to `to` in any state.
    #[inline]
    fn may_send(&self, to: PeerIndex) -> bool {
        let connections = &self.peer.connections;
        let may = self.known == Some(to) || connections.contains(to);
        debug_assert!(!may || self.world.looks_up_senders || connections.is_connected(to));
        may
    }

    /// Sends the same message of `bytes` bytes in all to several peers, which are connected or
    /// dialled; its content is kept once. An error in the log for each that is neither.
    pub fn send_each(&mut self, to: &[PeerIndex], kind: MessageType, payload: Payload, bytes: u32) {
        if to.is_empty() {
            return;
        }
        let connections = &self.peer.connections;
        let mut next = 0;
        let all_known = to.iter().all(|&to| {
            let place = connections.find_from(next, to);
            next = place.map_or(next, |place| place + 1);
            place.is_some()
        });
        if !all_known {
            for &to in to {
                self.send(to, kind, payload.clone(), bytes);
            }
            return;
        }
        debug_assert!(
            self.world.looks_up_senders || to.iter().all(|&to| connections.is_connected(to))
        );
        let body = self.post.contents.store(payload, bytes, to.len() as u32);
        self.peer
            .send_all(self.world, self.post, self.now, self.me, to, kind, body);
    }

    #[cold]
    fn complain(&mut self, to: PeerIndex, kind: MessageType) {
        self.log(
            LogLevel::Error,
            format_args!(
                "Sending message <{}> to a not connected peer {}",
                self.world.message_types.name(kind),
                self.world.names.name(to)
            ),
        );
    }

    /// Sends a message without content, [`HEADER_BYTES`](crate::message::HEADER_BYTES) long.
    #[inline]
    pub fn send_empty(&mut self, to: PeerIndex, kind: MessageType) -> bool {
        if !self.may_send(to) {
            self.complain(to, kind);
            return false;
        }
        self.peer
            .send(self.world, self.post, self.now, self.me, to, kind, EMPTY);
        true
    }

    /// Sends a message without content to every connected peer that was last heard before `time`.
    /// When the peer, connected or dialled, that was silent for longest was last heard;
    /// [`Time::MAX`] if there is none.
    pub fn send_empty_to_unheard(&mut self, kind: MessageType, time: Time) -> Time {
        let mut unheard: SmallVec<[PeerIndex; 16]> = SmallVec::new();
        let connections = &self.peer.connections;
        let least = connections.each_connected_unheard_since(time, |peer| unheard.push(peer));
        self.peer.send_all(
            self.world, self.post, self.now, self.me, &unheard, kind, EMPTY,
        );
        least
    }

    /// Sends a message without content to every connected peer.
    pub fn send_empty_to_all(&mut self, kind: MessageType) {
        self.send_empty_to_unheard(kind, Time::from_ns(u64::MAX));
    }

    /// Offers `peer` a connection: sends Hello, unless there is a connection, finished or not,
    /// or this peer is offline.
    pub fn dial(&mut self, peer: PeerIndex) {
        self.dial_as(peer, ConnectionEvent::Dialled);
    }

    /// As [`Context::dial`], for a peer that there was a connection with, or an attempt, before.
    pub fn redial(&mut self, peer: PeerIndex) {
        self.dial_as(peer, ConnectionEvent::Redialled);
    }

    fn dial_as(&mut self, peer: PeerIndex, event: ConnectionEvent) {
        self.peer
            .dial(self.world, self.post, self.now, self.me, peer, event);
    }

    /// Ends the connection to `peer`, or the attempt to make it: sends Goodbye.
    pub fn disconnect(&mut self, peer: PeerIndex) {
        self.disconnect_as(peer, ConnectionEvent::Ended);
    }

    /// As [`Context::disconnect`], counted as `event` if there was a finished connection.
    pub fn disconnect_as(&mut self, peer: PeerIndex, event: ConnectionEvent) {
        if let Some(state) = self.peer.connections.remove(peer) {
            self.known = None;
            let event = match state {
                // An attempt that is ended for whatever reason has had no answer.
                ConnectionState::Dialling => ConnectionEvent::Unanswered,
                ConnectionState::Connected => {
                    self.post.recorder.load.connection(self.now, self.me, false);
                    event
                }
            };
            self.post.recorder.connections.count(event);
            self.peer
                .part(self.world, self.post, self.now, self.me, peer);
            self.post.parted.push(peer);
        }
    }

    /// Lets [`Service::timer`] be called with `tag` (below [`TIMER_TAG_LIMIT`]) after a while.
    /// A timer that runs out while the peer is offline waits until it is back.
    pub fn set_timer(&mut self, after: Time, tag: u32) {
        let kind = Kind::Timer { slot: self.slot };
        self.peer
            .set_timer(self.post, self.now + after, self.me, kind, tag);
    }

    /// Lets [`Service::alarm`] be called with `tag` (below [`TIMER_TAG_LIMIT`]) after a while,
    /// whether the peer is online then or not.
    pub fn set_alarm(&mut self, after: Time, tag: u32) {
        let kind = Kind::Alarm { slot: self.slot };
        self.peer
            .set_timer(self.post, self.now + after, self.me, kind, tag);
    }

    /// Takes the peer offline when the handler returns; it stays so until each service that did
    /// has let go with [`Context::go_online`]. Nobody is told: what arrives is dropped.
    pub fn go_offline(&mut self) {
        self.post.switches.push(Switch::Offline(self.slot));
    }

    /// Lets the peer come online again when the handler returns, if no other service keeps it
    /// offline.
    pub fn go_online(&mut self, rejoin: Rejoin) {
        self.post.switches.push(Switch::Online(self.slot, rejoin));
    }

    /// Lets both links of the peer run at this share of their bandwidth, above 0, for what is
    /// queued from now on.
    pub fn scale_links(&mut self, factor: f64) {
        self.peer.scale_links(factor);
    }

    /// The rumours that this peer holds.
    #[inline]
    pub fn rumours(&self) -> Rumours<'_> {
        self.post.rumours(self.me)
    }

    /// Whether this peer holds a rumour: taking in one more copy of it would only be counted.
    #[inline]
    pub fn holds(&self, rumour: &Rumour) -> bool {
        self.post.holds(self.me, rumour)
    }

    /// Makes a rumour of this peer's own, with a payload of so many bytes, which may be relayed
    /// `ttl` times. The peer holds it.
    pub fn publish(&mut self, bytes: u32, ttl: u16) -> Rumour {
        self.post.publish(self.now, self.me, bytes, ttl)
    }

    /// Lets this peer forget the rumours that were produced before `oldest`, so that what it holds
    /// does not grow without end; some may be held for a while yet. A copy of one that arrives
    /// later is a first receipt again: a service should ignore those that are so old.
    pub fn forget_rumours(&mut self, oldest: Time) {
        self.post.forget_rumours_before(self.me, oldest);
    }

    /// Counts a copy of a rumour that is not taken in, since its payload was altered.
    pub fn reject(&mut self, rumour: &Rumour) {
        self.post.recorder.deliveries.reject(self.me, rumour);
    }

    /// Takes in a copy of a rumour, which the peer then holds; whether it did not before. Its
    /// first receipt is recorded, and each further copy counted.
    #[inline]
    pub fn receive(&mut self, rumour: &Rumour) -> bool {
        self.post.receive(self.now, self.me, rumour)
    }

    /// Ends the run, since `problem` leaves no way to go on: no further event is handled, and what
    /// was recorded so far is kept. The first problem of a shard counts.
    pub fn fail(&mut self, problem: String) {
        let (time, peer) = (self.now, self.me);
        let failure = || {
            Box::new(Failure {
                time,
                peer,
                problem,
            })
        };
        self.post.failure.get_or_insert_with(failure);
        self.post.switches.push(Switch::Halt);
    }

    /// Whether a service of the shard has ended the run.
    pub fn has_failed(&self) -> bool {
        self.post.failure.is_some()
    }

    /// Takes out what services have put into their shard under `key`; `None` before any has.
    /// What peers do must not depend on which others share it with them.
    pub fn take_shared<T: Any>(&mut self, key: usize) -> Option<Box<T>> {
        let (_, shared) = self.post.shared.iter_mut().find(|(k, _)| *k == key)?;
        let taken = std::mem::replace(shared, Box::new(()));
        taken.downcast().ok()
    }

    /// Puts something into the shard that services on other peers of it can take out.
    pub fn put_shared<T: Any + Send>(&mut self, key: usize, value: Box<T>) {
        match self.post.shared.iter_mut().find(|(k, _)| *k == key) {
            Some((_, shared)) => *shared = value,
            None => self.post.shared.push((key, value)),
        }
    }

    /// Counts `n` more (less, if negative) of `name`. Counts are summed by name and peer type,
    /// and written to `counts.csv`. A name says what is counted, not of whom: there are at most
    /// [`NAMES_MAX`](crate::record::NAMES_MAX) of them, [`NAME_BYTES_MAX`] bytes long.
    ///
    /// [`NAME_BYTES_MAX`]: crate::record::NAME_BYTES_MAX
    #[inline]
    pub fn count(&mut self, name: &str, n: i64) {
        let measurements = &mut self.post.recorder.measurements;
        measurements.count(name, self.peer.peer_type, n);
    }

    /// Writes down a value of `name`, a measurement of this peer's at this time, for
    /// `observations.csv` and its figures. The first
    /// [`OBSERVATIONS_MAX`](crate::record::OBSERVATIONS_MAX) of a run are kept, and of names as
    /// with [`Context::count`]. False, and nothing written down, if the value is infinite or no
    /// number.
    #[inline]
    pub fn observe(&mut self, name: &str, value: f64) -> bool {
        let measurements = &mut self.post.recorder.measurements;
        measurements.observe(self.now, self.me, name, value)
    }

    /// Writes a line into this peer's log.
    pub fn log(&mut self, level: LogLevel, text: fmt::Arguments<'_>) {
        if self.peer.logs {
            self.post.recorder.log_text(self.me, level, self.now, text);
        }
    }
}
