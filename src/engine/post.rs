//! The post office of a shard: the queue, the content of messages on their way, and the records.

use std::any::Any;
use std::ops::Range;
use std::sync::Arc;

use smallvec::SmallVec;

use super::event::Event;
use super::queue::EventQueue;
use super::rumours::{OWN_ROW, Receipt, Rumours};
use super::service::{Failure, Rejoin};
use super::world::World;
use crate::message::{HEADER_BYTES, Payload, Rumour, RumourId};
use crate::network::LinkMode;
use crate::peer::PeerIndex;
use crate::record::Recorder;
use crate::time::Time;

/// What a peer needs to have its messages carried.
pub(super) struct Post {
    /// The shard's peers: the first of them, and how many.
    first: u32,
    count: u32,
    /// The first peer of each shard.
    firsts: Arc<[u32]>,
    pub(super) queue: EventQueue,
    /// Messages for the peers of other shards, by shard.
    outgoing: Vec<Mail>,
    pub(super) recorder: Recorder,
    /// When the timers of each peer run out, in any order; empty where downlinks do not queue,
    /// and nobody asks.
    timers: Vec<SmallVec<[Time; 2]>>,
    /// What the shard's peers hold; none of them before the first holds any.
    rumours: Vec<Rumours>,
    /// Peers that the handler being run has disconnected from; its peer's services are told
    /// when it returns.
    pub(super) parted: Vec<PeerIndex>,
    /// What a handler being run wants of its peer: acted on when it returns.
    pub(super) switches: Vec<Switch>,
    /// What services share, by their keys.
    pub(super) shared: Vec<(usize, Box<dyn Any + Send>)>,
    /// Why a service has ended the run.
    pub(super) failure: Option<Box<Failure>>,
    parcels: Vec<Parcel>,
    free: Vec<u32>,
}

/// Later than anything happens.
pub(super) const NEVER: Time = Time::from_ns(u64::MAX);

/// Messages on their way from one shard to another.
pub(super) struct Mail {
    events: Vec<Event>,
    /// The contents of those that have one, in their order.
    contents: Vec<(Payload, u32)>,
    /// When the first of them arrives.
    first: Time,
}

impl Default for Mail {
    fn default() -> Self {
        Mail {
            events: Vec::new(),
            contents: Vec::new(),
            first: NEVER,
        }
    }
}

/// The shard that a peer belongs to, by the first peers of all.
pub(super) fn shard_of(firsts: &[u32], peer: PeerIndex) -> usize {
    // Several shards may begin at the same peer if all but the last of them are empty.
    firsts.partition_point(|&first| first <= peer.0) - 1
}

/// A service's wish for its peer to be offline, or no longer; or for the run to end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Switch {
    /// The service in this slot keeps the peer offline.
    Offline(u8),
    /// It no longer does.
    Online(u8, Rejoin),
    /// No event after this one is handled.
    Halt,
}

struct Parcel {
    payload: Payload,
    bytes: u32,
    /// How many messages on their way have this content.
    copies: u32,
}

/// The body of a message without content, [`HEADER_BYTES`] long: it takes no parcel.
pub(super) const EMPTY: u32 = 0;
/// The body of a Hello that answers a Hello; like [`EMPTY`] otherwise.
pub(super) const ANSWER: u32 = 1;
const FIRST_PARCEL: u32 = 2;

impl Post {
    /// The post office of the peers in `range`; `firsts` are the first peers of all shards.
    pub(super) fn new(
        range: Range<u32>,
        firsts: Arc<[u32]>,
        downlink: LinkMode,
        recorder: Recorder,
    ) -> Self {
        let timers = match downlink {
            LinkMode::Limited => vec![SmallVec::new(); range.len()],
            LinkMode::Unlimited => Vec::new(),
        };
        Post {
            timers,
            first: range.start,
            count: range.len() as u32,
            outgoing: firsts.iter().map(|_| Mail::default()).collect(),
            firsts,
            queue: EventQueue::default(),
            recorder,
            rumours: Vec::new(),
            parted: Vec::new(),
            switches: Vec::new(),
            shared: Vec::new(),
            failure: None,
            parcels: Vec::new(),
            free: Vec::new(),
        }
    }

    /// Whose post office it is.
    pub(super) fn range(&self) -> Range<u32> {
        self.first..self.first + self.count
    }

    /// Where a peer of the shard stands among them.
    #[inline]
    pub(super) fn place(&self, peer: PeerIndex) -> usize {
        (peer.0 - self.first) as usize
    }

    /// Notes when a timer of a peer runs out.
    #[inline]
    pub(super) fn set_timer(&mut self, peer: PeerIndex, at: Time) {
        let place = self.place(peer);
        if let Some(timers) = self.timers.get_mut(place) {
            timers.push(at);
        }
    }

    /// Forgets a timer that has run out.
    #[inline]
    pub(super) fn timer_ran_out(&mut self, peer: PeerIndex, at: Time) {
        let place = self.place(peer);
        if let Some(timers) = self.timers.get_mut(place)
            && let Some(place) = timers.iter().position(|&timer| timer == at)
        {
            timers.swap_remove(place);
        }
    }

    /// Whether a timer of a peer whose downlink queues runs out before `time`.
    #[inline]
    pub(super) fn has_timer_before(&self, peer: PeerIndex, time: Time) -> bool {
        let timers = self.timers.get(self.place(peer));
        timers.is_some_and(|timers| timers.iter().any(|&at| at < time))
    }

    /// A little of a peer's timers, if they are kept: reading it brings them into the cache.
    #[inline]
    pub(super) fn foresee_timers(&self, peer: PeerIndex) -> u64 {
        self.timers
            .get(self.place(peer))
            .map_or(0, |timers| timers.len() as u64)
    }

    /// The rumours that a peer of the shard holds.
    #[inline]
    pub(super) fn rumours(&self, peer: PeerIndex) -> &Rumours {
        static NONE: Rumours = Rumours::NONE;
        self.rumours.get(self.place(peer)).unwrap_or(&NONE)
    }

    /// The rumours that a peer of the shard holds, to be changed.
    #[inline]
    fn held(&mut self, peer: PeerIndex) -> &mut Rumours {
        let place = self.place(peer);
        if self.rumours.is_empty() {
            let count = self.count as usize;
            self.rumours.resize_with(count, || Rumours::NONE);
        }
        &mut self.rumours[place]
    }

    /// Lets a peer forget all rumours.
    pub(super) fn forget_rumours(&mut self, peer: PeerIndex) {
        if !self.rumours.is_empty() {
            self.held(peer).forget();
        }
    }

    /// Lets a peer forget the rumours that were produced before `oldest`, now or some time later.
    pub(super) fn forget_rumours_before(&mut self, peer: PeerIndex, oldest: Time) {
        if !self.rumours.is_empty() {
            self.held(peer).forget_before(oldest);
        }
    }

    /// Takes in a rumour that has arrived; whether the peer did not hold it yet.
    pub(super) fn receive(&mut self, now: Time, me: PeerIndex, rumour: &Rumour) -> bool {
        let (row, new) = match self.held(me).take(rumour) {
            Receipt::First(place) => {
                let row = self.recorder.deliveries.receive(me, rumour, now);
                self.held(me).set_row(place, row);
                return true;
            }
            Receipt::Again(row) => (row, true),
            Receipt::Copy(row) => (row, false),
        };
        if row != OWN_ROW {
            self.recorder.deliveries.receive_again(row);
        }
        new
    }

    /// Makes a rumour of a peer's own, which it then holds.
    pub(super) fn publish(&mut self, now: Time, me: PeerIndex, bytes: u32, ttl: u16) -> Rumour {
        let held = self.held(me);
        let rumour = Rumour {
            id: RumourId {
                origin: me,
                counter: held.next_counter(),
            },
            produced: now,
            bytes,
            variant: 0,
            ttl,
            hops: 0,
        };
        if let Receipt::First(place) = held.take(&rumour) {
            held.set_row(place, OWN_ROW);
        }
        self.recorder.deliveries.produce(&rumour);
        rumour
    }

    /// Notes how long a message is on its way, if that is kept.
    #[inline(always)]
    pub(super) fn note_delay(
        &mut self,
        world: &World,
        from: PeerIndex,
        to: PeerIndex,
        delay: Time,
    ) {
        if self.recorder.delays.are_kept() {
            self.note_delay_now(world, from, to, delay);
        }
    }

    /// Apart, so that it costs the hot path no more than to ask.
    #[inline(never)]
    fn note_delay_now(&mut self, world: &World, from: PeerIndex, to: PeerIndex, delay: Time) {
        let locations = world.locations_of(from, to);
        let law = world.delay_law(from, to);
        self.recorder.delays.count(locations, law, delay);
    }

    /// Queues a message for its receiver, in whichever shard that is.
    #[inline]
    pub(super) fn dispatch(&mut self, event: Event) {
        if event.receiver().0.wrapping_sub(self.first) < self.count {
            self.queue.push(event);
        } else {
            self.dispatch_abroad(event);
        }
    }

    fn dispatch_abroad(&mut self, mut event: Event) {
        let content = (!Post::is_empty(event.body())).then(|| {
            let bytes = self.bytes(event.body());
            (self.take(event.body()), bytes)
        });
        let mail = &mut self.outgoing[shard_of(&self.firsts, event.receiver())];
        if let Some(content) = content {
            event.set_body(FIRST_PARCEL + mail.contents.len() as u32);
            mail.contents.push(content);
        }
        mail.first = mail.first.min(event.time());
        mail.events.push(event);
    }

    /// The mail for another shard, in exchange for an empty bag.
    pub(super) fn hand_out(&mut self, shard: usize, bag: &mut Mail) {
        std::mem::swap(&mut self.outgoing[shard], bag);
    }

    /// When the first message for another shard arrives there.
    pub(super) fn first_outgoing(&self) -> Time {
        let firsts = self.outgoing.iter().map(|mail| mail.first);
        firsts.min().unwrap_or(NEVER)
    }

    /// Queues the messages that have come from another shard and empties the bag.
    pub(super) fn take_in(&mut self, mail: &mut Mail) {
        let mut contents = mail.contents.drain(..);
        for mut event in mail.events.drain(..) {
            if !Post::is_empty(event.body())
                && let Some((payload, bytes)) = contents.next()
            {
                event.set_body(self.store(payload, bytes, 1));
            }
            self.queue.push(event);
        }
        mail.first = NEVER;
    }

    /// Keeps the content of so many messages, at least one, until each is taken; under which body.
    #[inline]
    pub(super) fn store(&mut self, payload: Payload, bytes: u32, copies: u32) -> u32 {
        if matches!(payload, Payload::Empty) && bytes == HEADER_BYTES {
            return EMPTY;
        }
        let parcel = Parcel {
            payload,
            bytes,
            copies,
        };
        match self.free.pop() {
            Some(body) => {
                self.parcels[(body - FIRST_PARCEL) as usize] = parcel;
                body
            }
            None => {
                self.parcels.push(parcel);
                FIRST_PARCEL + (self.parcels.len() - 1) as u32
            }
        }
    }

    /// Whether a message with this body has no content.
    #[inline]
    pub(super) fn is_empty(body: u32) -> bool {
        body < FIRST_PARCEL
    }

    /// How many bytes the message with this body has.
    #[inline]
    pub(super) fn bytes(&self, body: u32) -> u32 {
        match body.checked_sub(FIRST_PARCEL) {
            Some(place) => self.parcels[place as usize].bytes,
            None => HEADER_BYTES,
        }
    }

    /// One message more has this content.
    pub(super) fn duplicate(&mut self, body: u32) {
        if let Some(place) = body.checked_sub(FIRST_PARCEL) {
            self.parcels[place as usize].copies += 1;
        }
    }

    /// Takes the content of a message out; if no other has it, its body may be used again.
    #[inline]
    pub(super) fn take(&mut self, body: u32) -> Payload {
        let Some(place) = body.checked_sub(FIRST_PARCEL) else {
            return Payload::Empty;
        };
        let parcel = &mut self.parcels[place as usize];
        parcel.copies -= 1;
        if parcel.copies > 0 {
            return parcel.payload.clone();
        }
        self.free.push(body);
        std::mem::take(&mut parcel.payload)
    }
}
