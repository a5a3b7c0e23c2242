//! A peer as the engine keeps it: links, connections, streams, counters; and what it sends.

use super::connections::Connections;
use super::contents::EMPTY;
use super::event::{Event, Kind};
use super::post::Post;
use super::world::World;
use crate::memory::ask_for;
use crate::message::MessageType;
use crate::network::{Link, LinkMode, SenderConditions};
use crate::peer::{PeerIndex, TypeIndex};
use crate::random::{Purpose, Stream};
use crate::record::ConnectionEvent;
use crate::time::Time;

/// What a peer has sent and received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerTraffic {
    /// Messages sent.
    pub messages_out: u64,
    /// Messages handled.
    pub messages_in: u64,
    /// Bytes sent.
    pub bytes_out: u64,
    /// Bytes of the messages handled.
    pub bytes_in: u64,
}

/// A peer as the engine keeps it.
///
/// In a large network each line of the cache that an event reads comes from memory. So the order
/// of the fields is kept, and there are two lines of them: the first is what it takes to receive a
/// message, the second what it takes to send one besides. What few peers have stands apart.
#[repr(C, align(64))]
pub(super) struct PeerState {
    pub(super) connections: Connections,
    pub(super) downlink: Link,
    messages_in: u64,
    bytes_in: u64,
    /// Where its services begin.
    pub(super) first_service: u32,
    /// Messages that have come in but not yet passed the downlink, and so are in the queue.
    pub(super) coming_in: u32,
    pub(super) peer_type: TypeIndex,
    pub(super) online: bool,
    pub(super) logs: bool,
    /// Whether its links run at another share of their bandwidth than all.
    links_scaled: bool,

    uplink: Link,
    messages_out: u64,
    bytes_out: u64,
    latency_stream: Stream,
    /// What most peers never need.
    rare: Option<Box<Rare>>,
}

const _: () = assert!(size_of::<PeerState>() == 128, "two lines of the cache");

/// So many messages are sent in one go: what there is of them fits a few lines of the cache.
const BATCH: usize = 16;

/// What peers need in networks that fail.
pub(super) struct Rare {
    /// How often the peer has begun afresh; timers of an earlier life are void.
    pub(super) life: u32,
    /// Which of its services, as bits of their slots, keep it offline.
    pub(super) kept_offline: u32,
    /// At which share of their bandwidth its links run.
    link_factor: f64,
    /// Made when the peer first sends, if the network has conditions.
    pub(super) conditions: Option<SenderConditions>,
    /// What it comes back to if it is offline.
    pub(super) absence: Option<Absence>,
}

impl Default for Rare {
    fn default() -> Self {
        Rare {
            life: 0,
            kept_offline: 0,
            link_factor: 1.0,
            conditions: None,
            absence: None,
        }
    }
}

/// What an offline peer comes back to.
#[derive(Debug, Default)]
pub(super) struct Absence {
    /// Whom it was connected to, or dialled.
    pub(super) peers: Vec<PeerIndex>,
    /// The timers that have run out meanwhile: service and tag.
    pub(super) timers: Vec<(u8, u32)>,
    /// Whether one of those that kept it offline lets it begin afresh.
    pub(super) fresh: bool,
}

impl PeerState {
    pub(super) fn new(world: &World, me: PeerIndex, first_service: u32, logs: bool) -> Self {
        let id = world.names.id(me);
        PeerState {
            connections: Connections::default(),
            downlink: Link::default(),
            uplink: Link::default(),
            messages_in: 0,
            bytes_in: 0,
            first_service,
            coming_in: 0,
            peer_type: world.names.types[me.as_usize()],
            online: false,
            logs,
            links_scaled: false,
            messages_out: 0,
            bytes_out: 0,
            latency_stream: Stream::new(world.seed, id.0, Purpose::Latency),
            rare: None,
        }
    }

    /// What few peers need, made if there is none yet.
    #[inline]
    pub(super) fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// How often the peer has begun afresh.
    #[inline]
    pub(super) fn life(&self) -> u32 {
        self.rare.as_ref().map_or(0, |rare| rare.life)
    }

    #[inline]
    fn link_factor(&self) -> f64 {
        let rare = self.rare.as_ref().filter(|_| self.links_scaled);
        rare.map_or(1.0, |rare| rare.link_factor)
    }

    /// Writes down a message that it handles.
    #[inline(always)]
    pub(super) fn note_received(
        &mut self,
        post: &mut Post,
        now: Time,
        me: PeerIndex,
        kind: MessageType,
        from: PeerIndex,
        body: u32,
    ) {
        let bytes = post.contents.bytes(body);
        post.recorder.traffic.delivered(kind, bytes);
        self.messages_in += 1;
        self.bytes_in += u64::from(bytes);
        if self.logs {
            post.recorder.log_received(me, now, kind, from);
        }
    }

    /// What it has sent and received.
    pub(super) fn traffic(&self) -> PeerTraffic {
        PeerTraffic {
            messages_out: self.messages_out,
            messages_in: self.messages_in,
            bytes_out: self.bytes_out,
            bytes_in: self.bytes_in,
        }
    }

    /// Lets what has arrived at `now` pass the downlink; when the last byte has.
    #[inline]
    pub(super) fn come_in(&mut self, world: &World, now: Time, me: PeerIndex, bytes: u32) -> Time {
        let bandwidth = world.bandwidth_dl[me.as_usize()] * self.link_factor();
        self.downlink.pass(now, bytes, bandwidth)
    }

    /// Whether the sender of a message has to be looked up among the connections: else it is one of
    /// them, and finished.
    #[inline]
    pub(super) fn must_look_up_sender(&self, world: &World) -> bool {
        world.looks_up_senders || !self.connections.are_all_finished()
    }

    /// Asks for what it takes to receive.
    #[inline]
    pub(super) fn foresee(&self) {
        ask_for(&self.connections);
    }

    /// Asks for what it takes to send.
    #[inline]
    pub(super) fn foresee_sending(&self) {
        ask_for(&self.uplink);
    }

    /// Lets both links run at this share of their bandwidth from now on.
    pub(super) fn scale_links(&mut self, factor: f64) {
        self.rare().link_factor = factor;
        self.links_scaled = true;
    }

    /// Sends a message whose content is stored under `body`, once for each receiver: through the
    /// uplink, then the one-way delay, to the receiver's downlink.
    #[inline(always)]
    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one message on the hot path"
    )]
    pub(super) fn send_all(
        &mut self,
        world: &World,
        post: &mut Post,
        now: Time,
        me: PeerIndex,
        receivers: &[PeerIndex],
        kind: MessageType,
        body: u32,
    ) {
        for some in receivers.chunks(BATCH) {
            self.send_some::<BATCH>(world, post, now, me, some, kind, body);
        }
    }

    /// As [`PeerState::send_all`], to no more than `N` receivers: one step after the other, each
    /// for all.
    #[inline(always)]
    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one message on the hot path"
    )]
    pub(super) fn send_some<const N: usize>(
        &mut self,
        world: &World,
        post: &mut Post,
        now: Time,
        me: PeerIndex,
        receivers: &[PeerIndex],
        kind: MessageType,
        body: u32,
    ) {
        let bytes = post.contents.bytes(body);
        let mut departures = [now; N];
        let departures = &mut departures[..receivers.len()];
        self.pass_uplink(world, post, now, me, bytes, departures);
        let mut delays = [Time::ZERO; N];
        let delays = &mut delays[..receivers.len()];
        world.draw_delays(me, receivers, &mut self.latency_stream, delays);
        let delivery = match world.downlink {
            LinkMode::Limited => Kind::Arrival(kind),
            LinkMode::Unlimited => Kind::Delivery(kind),
        };
        let event = |to, at| Event::new(at, to, delivery, me.0, body);
        let ways = receivers.iter().zip(departures.iter().zip(&*delays));
        match &world.conditions {
            None => {
                for (&to, (&departure, &delay)) in ways {
                    post.dispatch(event(to, departure + delay));
                }
            }
            Some(conditions) => {
                for (&to, (&departure, &delay)) in ways {
                    let event = event(to, departure + delay);
                    self.carry(conditions, world, post, departure, event);
                }
            }
        }
        if self.logs || post.recorder.delays.are_kept() {
            self.note_sent(world, post, now, me, kind, receivers, delays);
        }
        let count = receivers.len() as u64;
        post.recorder.traffic.sent(kind, bytes, count);
        self.messages_out += count;
        self.bytes_out += count * u64::from(bytes);
    }

    /// Makes `departures`, all of them `now` before, those of messages that queue for the uplink
    /// at this time.
    #[inline(always)]
    fn pass_uplink(
        &mut self,
        world: &World,
        post: &mut Post,
        now: Time,
        me: PeerIndex,
        bytes: u32,
        departures: &mut [Time],
    ) {
        let queues = world.uplink == LinkMode::Limited;
        if !queues && !post.recorder.load.is_kept() {
            return;
        }
        for departure in departures {
            let mut wait = Time::ZERO;
            if queues {
                wait = self.uplink.free_at().since(now);
                let bandwidth = world.bandwidth_ul[me.as_usize()] * self.link_factor();
                *departure = self.uplink.pass(now, bytes, bandwidth);
            }
            post.recorder.load.sent(now, me, bytes, wait);
        }
    }

    /// Writes down what was sent, as far as that is kept; apart, so that it costs the hot path no
    /// more than to ask.
    #[inline(never)]
    #[expect(clippy::too_many_arguments, reason = "the parts of one message")]
    fn note_sent(
        &self,
        world: &World,
        post: &mut Post,
        now: Time,
        me: PeerIndex,
        kind: MessageType,
        receivers: &[PeerIndex],
        delays: &[Time],
    ) {
        for (&to, &delay) in receivers.iter().zip(delays) {
            post.note_delay(world, me, to, delay);
            if self.logs {
                post.recorder.log_sent(me, now, kind, to);
            }
        }
    }

    /// As [`PeerState::send_all`], to one receiver; apart from those who send.
    #[inline(never)]
    #[expect(clippy::too_many_arguments, reason = "the parts of one message")]
    pub(super) fn send(
        &mut self,
        world: &World,
        post: &mut Post,
        now: Time,
        me: PeerIndex,
        to: PeerIndex,
        kind: MessageType,
        body: u32,
    ) {
        self.send_some::<1>(world, post, now, me, &[to], kind, body);
    }

    /// Sends Hello to `peer`, unless there is a connection in any state; `event` says whether it
    /// was sent one before.
    pub(super) fn dial(
        &mut self,
        world: &World,
        post: &mut Post,
        now: Time,
        me: PeerIndex,
        peer: PeerIndex,
        event: ConnectionEvent,
    ) {
        if self.online && peer != me && self.connections.dial(peer, now) {
            post.recorder.connections.count(event);
            self.send(world, post, now, me, peer, MessageType::HELLO, EMPTY);
        }
    }

    /// Sends Goodbye to a peer whose connection is already forgotten.
    pub(super) fn part(
        &mut self,
        world: &World,
        post: &mut Post,
        now: Time,
        me: PeerIndex,
        peer: PeerIndex,
    ) {
        if self.logs {
            post.recorder.log_parted(me, now, peer);
        }
        self.send(world, post, now, me, peer, MessageType::GOODBYE, EMPTY);
    }

    /// Sets a timer or an alarm, which runs out at `at` if the peer has not begun afresh by then.
    pub(super) fn set_timer(
        &mut self,
        post: &mut Post,
        at: Time,
        me: PeerIndex,
        kind: Kind,
        tag: u32,
    ) {
        debug_assert!(tag < super::TIMER_TAG_LIMIT, "a timer's tag has 28 bits");
        let at = at.min(Time::MAX);
        post.set_timer(me, at);
        post.queue.push(Event::new(at, me, kind, tag, self.life()));
    }
}
