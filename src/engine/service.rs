//! The interface between protocols and the engine: what a service is told, and what it may do.

use std::fmt;

use super::connections::{Connection, ConnectionState, Connections};
use super::peer_state::PeerState;
use super::post::Post;
use super::world::World;
use crate::message::{HEADER_BYTES, Message, MessageType, Payload};
use crate::peer::{PeerId, PeerIndex};
use crate::random::Stream;
use crate::record::LogLevel;
use crate::time::Time;

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

/// A timer's tag must be below this.
pub const TIMER_TAG_LIMIT: u32 = 1 << 28;

/// What a service sees of the world, and what it may do, while it handles an event.
pub struct Context<'a> {
    pub(super) now: Time,
    pub(super) me: PeerIndex,
    pub(super) slot: u8,
    pub(super) world: &'a World,
    pub(super) peer: &'a mut PeerState,
    pub(super) stream: &'a mut Option<Box<Stream>>,
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

    /// Whether a peer is a bootstrap peer.
    pub fn is_bootstrap(&self, peer: PeerIndex) -> bool {
        self.world.is_bootstrap[self.world.names.types[peer.as_usize()].as_usize()]
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
        self.stream.get_or_insert_with(|| {
            let id = world.names.id(me).0;
            Box::new(Stream::service(world.seed, id, slot.into()))
        })
    }

    /// Sends a message of `bytes` bytes in all to a connected or dialled peer. False, and an
    /// error in the log, if it is neither.
    pub fn send(&mut self, to: PeerIndex, kind: MessageType, payload: Payload, bytes: u32) -> bool {
        if !self.peer.connections.contains(to) {
            self.log(
                LogLevel::Error,
                format_args!(
                    "Sending message <{}> to a not connected peer {}",
                    self.world.message_types.name(kind),
                    self.world.names.name(to)
                ),
            );
            return false;
        }
        let body = self.post.store(payload, bytes);
        self.peer
            .send(self.world, self.post, self.now, self.me, to, kind, body);
        true
    }

    /// Sends a message without content, [`HEADER_BYTES`] long.
    pub fn send_empty(&mut self, to: PeerIndex, kind: MessageType) -> bool {
        self.send(to, kind, Payload::Empty, HEADER_BYTES)
    }

    /// Sends a message without content to every connected peer for which `wanted` says so.
    pub fn send_empty_where(&mut self, kind: MessageType, wanted: impl Fn(&Connection) -> bool) {
        let body = self.post.store(Payload::Empty, HEADER_BYTES);
        let mut place = 0;
        while let Some(connection) = self.peer.connections.at(place) {
            place += 1;
            if connection.state == ConnectionState::Connected && wanted(&connection) {
                let to = connection.peer;
                self.peer
                    .send(self.world, self.post, self.now, self.me, to, kind, body);
            }
        }
    }

    /// Offers `peer` a connection: sends Hello, unless there is a connection, finished or not.
    pub fn dial(&mut self, peer: PeerIndex) {
        self.peer
            .dial(self.world, self.post, self.now, self.me, peer);
    }

    /// Ends the connection to `peer`, or the attempt to make it: sends Goodbye.
    pub fn disconnect(&mut self, peer: PeerIndex) {
        if self.peer.connections.remove(peer) {
            self.peer
                .part(self.world, self.post, self.now, self.me, peer);
            self.post.parted.push(peer);
        }
    }

    /// Lets [`Service::timer`] be called with `tag` (below [`TIMER_TAG_LIMIT`]) after a while.
    pub fn set_timer(&mut self, after: Time, tag: u32) {
        self.peer
            .set_timer(self.post, self.now + after, self.me, self.slot, tag);
    }

    /// Writes a line into this peer's log.
    pub fn log(&mut self, level: LogLevel, text: fmt::Arguments<'_>) {
        if self.peer.logs {
            self.post.recorder.log_text(self.me, level, self.now, text);
        }
    }
}
