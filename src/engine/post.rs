//! The post office of a shard: the queue, the content of messages on their way, and the records.

use std::any::Any;
use std::ops::Range;
use std::sync::Arc;

use smallvec::SmallVec;

use super::contents::Contents;
use super::event::Event;
use super::mail::Mail;
use super::queue::EventQueue;
use super::rumours::{Held, OWN_ROW, Receipt, Rumours};
use super::service::{Failure, Rejoin};
use super::spreading::Spreading;
use super::world::World;
use crate::memory::ask_for;
use crate::message::{Rumour, RumourId};
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
    /// How many blocks of each shard the queue has kept.
    owed: Vec<usize>,
    pub(super) recorder: Recorder,
    /// When the timers of each peer run out, in any order; empty where downlinks do not queue,
    /// and nobody asks.
    timers: Vec<SmallVec<[Time; 2]>>,
    /// What the shard's peers hold; none of them before the first holds any.
    rumours: Vec<Held>,
    /// Peers that the handler being run has disconnected from; its peer's services are told
    /// when it returns.
    pub(super) parted: Vec<PeerIndex>,
    /// What a handler being run wants of its peer: acted on when it returns.
    pub(super) switches: Vec<Switch>,
    /// What services share, by their keys.
    pub(super) shared: Vec<(usize, Box<dyn Any + Send>)>,
    /// Why a service has ended the run.
    pub(super) failure: Option<Box<Failure>>,
    pub(super) contents: Contents,
    /// Which peers hold the rumours that spread just now.
    spreading: Spreading,
}

/// Later than anything happens.
pub(super) const NEVER: Time = Time::from_ns(u64::MAX);

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
            owed: vec![0; firsts.len()],
            firsts,
            queue: EventQueue::default(),
            recorder,
            rumours: Vec::new(),
            parted: Vec::new(),
            switches: Vec::new(),
            shared: Vec::new(),
            failure: None,
            contents: Contents::default(),
            spreading: Spreading::new(range.len()),
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

    /// Asks for what stands apart of a peer that an event comes to: its timers and its load, as
    /// far as they are kept.
    #[inline]
    pub(super) fn foresee(&self, peer: PeerIndex) {
        if let Some(timers) = self.timers.get(self.place(peer)) {
            ask_for(timers);
        }
        self.recorder.load.foresee(peer);
    }

    /// Whether an event is a message with content that its receiver may not know yet: further
    /// copies of a rumour, most of what has content, are neither kept nor relayed.
    #[inline]
    pub(super) fn brings_news(&self, event: &Event) -> bool {
        let place = self.place(event.receiver());
        let is_known = |rumour| self.spreading.is_held(place, rumour);
        // Of a timer the body is not that of a content; but where it could be taken for one, a peer
        // has begun afresh twice, and no more than a little time is lost.
        !Contents::is_empty(event.body())
            && !self.contents.rumour(event.body()).is_some_and(is_known)
    }

    /// Asks for where the rumours that a peer of the shard holds lie.
    #[inline]
    pub(super) fn foresee_held(&self, peer: PeerIndex) {
        if let Some(held) = self.rumours.get(self.place(peer)) {
            ask_for(held);
        }
    }

    /// Asks for the newest of them.
    #[inline]
    pub(super) fn foresee_newest(&self, peer: PeerIndex) {
        if let Some(held) = self.rumours.get(self.place(peer)) {
            held.foresee();
        }
    }

    /// The rumours that a peer of the shard holds.
    #[inline]
    pub(super) fn rumours(&self, peer: PeerIndex) -> Rumours<'_> {
        static NONE: Held = Held::NONE;
        let held = self.rumours.get(self.place(peer)).unwrap_or(&NONE);
        Rumours::new(held, &self.contents)
    }

    /// The rumours that a peer of the shard holds, to be changed.
    #[inline]
    fn held(&mut self, peer: PeerIndex) -> (&mut Held, &mut Contents) {
        let place = self.place(peer);
        if self.rumours.is_empty() {
            let count = self.count as usize;
            self.rumours.resize_with(count, || Held::NONE);
        }
        (&mut self.rumours[place], &mut self.contents)
    }

    /// Lets a peer forget all rumours.
    pub(super) fn forget_rumours(&mut self, peer: PeerIndex) {
        if !self.rumours.is_empty() {
            self.held(peer).0.forget();
            self.spreading.forget(self.place(peer));
        }
    }

    /// Lets a peer forget the rumours that were produced before `oldest`, now or some time later.
    pub(super) fn forget_rumours_before(&mut self, peer: PeerIndex, oldest: Time) {
        if self.rumours.is_empty() {
            return;
        }
        let (held, contents) = self.held(peer);
        if held.forget_before(oldest, contents) {
            self.spreading.forget(self.place(peer));
        }
    }

    /// Takes in a rumour that has arrived; whether the peer did not hold it yet.
    #[inline]
    pub(super) fn receive(&mut self, now: Time, me: PeerIndex, rumour: &Rumour) -> bool {
        let place = self.place(me);
        let counted = self.spreading.is_held(place, rumour)
            && self.recorder.deliveries.receive_copy(me, rumour.id);
        !counted && self.receive_looking(now, me, rumour)
    }

    /// Counts a copy of a rumour that its receiver is known to hold and that was produced at
    /// `oldest` or later, and lets go of it; false, and nothing is done, if it is no such copy or
    /// there is more to do.
    #[inline(always)]
    pub(super) fn count_copy(&mut self, me: PeerIndex, body: u32, oldest: Time) -> bool {
        let place = self.place(me);
        let (spreading, deliveries) = (&self.spreading, &mut self.recorder.deliveries);
        self.contents.release_if(body, |rumour| {
            rumour.produced >= oldest
                && spreading.is_held(place, rumour)
                && deliveries.receive_copy(me, rumour.id)
        })
    }

    /// Whether a peer of the shard holds a rumour.
    #[inline]
    pub(super) fn holds(&self, me: PeerIndex, rumour: &Rumour) -> bool {
        self.spreading.is_held((me.0 - self.first) as usize, rumour)
            || self.rumours(me).holds(rumour.id)
    }

    /// As [`Post::receive`], by what the peer itself knows.
    fn receive_looking(&mut self, now: Time, me: PeerIndex, rumour: &Rumour) -> bool {
        self.spreading.hold(self.place(me), rumour);
        let (held, contents) = self.held(me);
        let (row, new) = match held.take(rumour, contents) {
            Receipt::First(place) => {
                let row = self.recorder.deliveries.receive(me, rumour, now);
                self.held(me).0.set_row(place, row);
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
        let (held, contents) = self.held(me);
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
        if let Receipt::First(place) = held.take(&rumour, contents) {
            held.set_row(place, OWN_ROW);
        }
        self.recorder.deliveries.produce(&rumour);
        rumour
    }

    /// Notes how long a message is on its way, if that is kept.
    pub(super) fn note_delay(
        &mut self,
        world: &World,
        from: PeerIndex,
        to: PeerIndex,
        delay: Time,
    ) {
        if self.recorder.delays.are_kept() {
            let locations = world.locations_of(from, to);
            let law = world.delay_law(from, to);
            self.recorder.delays.count(locations, law, delay);
        }
    }

    /// Queues a message for its receiver, in whichever shard that is.
    #[inline(always)]
    pub(super) fn dispatch(&mut self, event: Event) {
        if event.receiver().0.wrapping_sub(self.first) < self.count {
            self.queue.push(event);
        } else {
            self.dispatch_abroad(event.time_and_order(), event.body());
        }
    }

    /// The event in parts, which need not be written to memory to be handed over.
    #[inline(never)]
    fn dispatch_abroad(&mut self, (time, order): (Time, u64), body: u32) {
        let event = Event::unpacked(time, order, body);
        let mail = &mut self.outgoing[shard_of(&self.firsts, event.receiver())];
        mail.add(event, &mut self.queue, &mut self.contents);
    }

    /// The mail for another shard, in exchange for an empty bag.
    pub(super) fn hand_out(&mut self, shard: usize, bag: &mut Mail) {
        self.take_back(bag);
        self.outgoing[shard].close(&mut self.contents);
        std::mem::swap(&mut self.outgoing[shard], bag);
    }

    /// Takes back what its own mail was in from the bag that it has been taken out of.
    pub(super) fn take_back(&mut self, bag: &mut Mail) {
        bag.take_back(&mut self.queue.spare);
    }

    /// When the first message for another shard arrives there.
    pub(super) fn first_outgoing(&self) -> Time {
        self.outgoing.iter().map(Mail::first).min().unwrap_or(NEVER)
    }

    /// Queues the messages that have come from another shard and empties the bag, which takes as
    /// many blocks back as are free.
    pub(super) fn take_in(&mut self, from: usize, bag: &mut Mail) {
        let owed = &mut self.owed[from];
        *owed += bag.empty(&mut self.queue, &mut self.contents);
        *owed -= bag.give_back(*owed, &mut self.queue.spare);
    }
}
