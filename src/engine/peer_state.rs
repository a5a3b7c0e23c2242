//! A peer as the engine keeps it: links, connections, streams, counters; and what it sends.

use smallvec::SmallVec;

use super::connections::Connections;
use super::event::{Event, Kind};
use super::post::{EMPTY, Post};
use super::world::World;
use crate::message::MessageType;
use crate::network::{Link, LinkMode};
use crate::peer::PeerIndex;
use crate::random::{Purpose, Stream};
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
pub(super) struct PeerState {
    pub(super) connections: Connections,
    pub(super) traffic: PeerTraffic,
    pub(super) downlink: Link,
    /// Messages that have come in but not yet passed the downlink, and so are in the queue.
    pub(super) coming_in: u32,
    uplink: Link,
    latency_stream: Stream,
    /// When the peer's timers run out, in any order.
    timers: SmallVec<[Time; 2]>,
    /// Counts the events that the peer causes; breaks ties between them.
    sequence: u32,
    pub(super) online: bool,
    pub(super) logs: bool,
}

impl PeerState {
    pub(super) fn new(world: &World, me: PeerIndex, logs: bool) -> Self {
        let id = world.names.id(me);
        PeerState {
            connections: Connections::default(),
            traffic: PeerTraffic::default(),
            downlink: Link::new(world.bandwidth_dl[me.as_usize()]),
            coming_in: 0,
            uplink: Link::new(world.bandwidth_ul[me.as_usize()]),
            latency_stream: Stream::new(world.seed, id.0, Purpose::Latency),
            timers: SmallVec::new(),
            sequence: 0,
            online: false,
            logs,
        }
    }

    /// Whether a timer runs out before `time`.
    #[inline]
    pub(super) fn has_timer_before(&self, time: Time) -> bool {
        self.timers.iter().any(|&at| at < time)
    }

    /// Forgets a timer that has run out.
    #[inline]
    pub(super) fn timer_ran_out(&mut self, at: Time) {
        if let Some(place) = self.timers.iter().position(|&timer| timer == at) {
            self.timers.swap_remove(place);
        }
    }

    fn next_sequence(&mut self) -> u32 {
        self.sequence = self.sequence.wrapping_add(1);
        self.sequence
    }

    /// Sends a message whose content is stored under `body`: through the uplink, then the
    /// one-way delay, to the receiver's downlink.
    #[inline]
    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one message on the hot path"
    )]
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
        let bytes = post.bytes(body);
        let departure = match world.uplink {
            LinkMode::Limited => self.uplink.pass(now, bytes),
            LinkMode::Unlimited => now,
        };
        let stream = &mut self.latency_stream;
        let own_law = world
            .link_latencies
            .as_ref()
            .and_then(|links| links.get(me, to));
        let delay = match own_law {
            Some(law) => world.latencies.draw_from(law, stream),
            None => world
                .latencies
                .draw(world.location(me), world.location(to), stream),
        };
        let arrival = match world.downlink {
            LinkMode::Limited => Kind::Arrival(kind),
            LinkMode::Unlimited => Kind::Delivery(kind),
        };
        let sequence = self.next_sequence();
        let event = Event::new(departure + delay, to, arrival, me.0, sequence, body);
        post.queue.push(event);
        post.recorder.traffic.sent(kind, bytes);
        self.traffic.messages_out += 1;
        self.traffic.bytes_out += u64::from(bytes);
        if self.logs {
            post.recorder.log_sent(me, now, kind, to);
        }
    }

    /// Sends Hello to `peer`, unless there is a connection in any state.
    pub(super) fn dial(
        &mut self,
        world: &World,
        post: &mut Post,
        now: Time,
        me: PeerIndex,
        peer: PeerIndex,
    ) {
        if peer != me && self.connections.dial(peer, now) {
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

    pub(super) fn set_timer(
        &mut self,
        post: &mut Post,
        at: Time,
        me: PeerIndex,
        slot: u8,
        tag: u32,
    ) {
        debug_assert!(tag < super::TIMER_TAG_LIMIT, "a timer's tag has 28 bits");
        self.timers.push(at);
        let sequence = self.next_sequence();
        let kind = Kind::Timer { slot };
        post.queue
            .push(Event::new(at, me, kind, tag, sequence, EMPTY));
    }
}
