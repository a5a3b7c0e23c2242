//! Mail: messages on their way from one shard to another.

use super::contents::{Contents, EMPTY, FIRST_PARCEL};
use super::event::Event;
use super::post::NEVER;
use super::queue::{EventQueue, PLACES, place_at};
use super::slot::{Lane, Packed, Spare};
use crate::message::Payload;
use crate::time::Time;

/// So many blocks of messages are not worth more than a list: spread over lanes they would fill
/// none.
const FEW: usize = 16;

/// Messages on their way from one shard to another.
#[derive(Default)]
pub(super) struct Mail {
    /// When the first of them arrives.
    first: Option<Time>,
    /// The first [`FEW`] blocks of messages.
    few: Lane<Packed>,
    /// Further ones, each in the lane of the slot that a queue with this base has for it: the
    /// receiver's queue takes most lanes over as they are.
    base: u64,
    lanes: Vec<(usize, Lane<Packed>)>,
    /// Which of the lanes a slot has, counted from 1; 0 if none. Nothing before there is mail.
    lane_of: Vec<u16>,
    /// What cannot be packed, and what comes after it.
    others: Lane<Event>,
    /// The contents, each once; messages have them under bodies of the mail's own.
    contents: Vec<Content>,
    /// The body that a content of the sender has here; [`EMPTY`] if none.
    body_of: Vec<u32>,
    /// Blocks that the receiver gives back, for the sender to fill again: so neither gathers them.
    spare: Spare,
}

/// What messages of the mail have in common.
struct Content {
    payload: Payload,
    bytes: u32,
    copies: u32,
    /// Where the sender has it, who keeps it so long.
    body: u32,
}

impl Mail {
    /// When the first message arrives.
    pub(super) fn first(&self) -> Time {
        self.first.unwrap_or(NEVER)
    }

    /// Adds a message, whose content is among the sender's.
    pub(super) fn add(
        &mut self,
        mut event: Event,
        queue: &mut EventQueue,
        contents: &mut Contents,
    ) {
        self.first = Some(self.first().min(event.time()));
        let has_content = !Contents::is_empty(event.body());
        if has_content {
            event.set_body(self.body(event.body(), contents));
        }
        // Messages of a sender stay in order: once one has not been packed, none with content is.
        if !Packed::can_hold(&event) || has_content && !self.others.is_empty() {
            return self.others.push(event, &mut queue.spare.whole);
        }
        let lane = if self.few.full_blocks() == FEW {
            self.lane(event.time().as_ns(), queue.base())
        } else {
            &mut self.few
        };
        lane.push(Packed::new(&event), &mut queue.spare.packed);
    }

    /// The body that a content of the sender has here.
    #[inline]
    fn body(&mut self, body: u32, contents: &mut Contents) -> u32 {
        match self.body_of.get(body as usize) {
            Some(&here) if here != EMPTY => {
                contents.take(body);
                self.contents[(here - FIRST_PARCEL) as usize].copies += 1;
                here
            }
            _ => self.add_content(body, contents),
        }
    }

    /// The sender's reference to it becomes the mail's, until that is handed out: so its body is not
    /// used again before.
    fn add_content(&mut self, body: u32, contents: &Contents) -> u32 {
        let here = FIRST_PARCEL + self.contents.len() as u32;
        if self.body_of.len() <= body as usize {
            self.body_of.resize(body as usize + 1, EMPTY);
        }
        self.body_of[body as usize] = here;
        self.contents.push(Content {
            payload: contents.payload(body),
            bytes: contents.bytes(body),
            copies: 1,
            body,
        });
        here
    }

    /// The lane of messages that arrive about `time`.
    #[inline]
    fn lane(&mut self, time: u64, base: u64) -> &mut Lane<Packed> {
        if self.lanes.is_empty() {
            self.base = base;
            self.lane_of.resize(PLACES, 0);
        }
        let place = place_at(self.base, time);
        if self.lane_of[place] == 0 {
            self.lanes.push((place, Lane::default()));
            self.lane_of[place] = self.lanes.len() as u16;
        }
        &mut self.lanes[self.lane_of[place] as usize - 1].1
    }

    /// No more is added: the sender lets go of the contents.
    pub(super) fn close(&mut self, contents: &mut Contents) {
        for content in &self.contents {
            self.body_of[content.body as usize] = EMPTY;
            contents.take(content.body);
        }
    }

    /// Moves all messages to their receiver's queue, and their contents to where it has them; how
    /// many blocks that keeps.
    pub(super) fn empty(&mut self, queue: &mut EventQueue, contents: &mut Contents) -> usize {
        let store =
            |content: Content| contents.store(content.payload, content.bytes, content.copies);
        let bodies: Vec<u32> = self.contents.drain(..).map(store).collect();
        let stay_packed = bodies.iter().all(|&body| queue.packs(body));
        let renumber = |body: u32| match body.checked_sub(FIRST_PARCEL) {
            Some(place) => bodies[place as usize],
            None => body,
        };
        let push = |queue: &mut EventQueue, mut event: Event| {
            event.set_body(renumber(event.body()));
            queue.push(event);
        };
        let spare = &mut self.spare;
        (self.few).empty(&mut spare.packed, |packed| push(queue, packed.unpacked()));
        let mut kept = 0;
        for (place, mut lane) in self.lanes.drain(..) {
            self.lane_of[place] = 0;
            if lane.full_blocks() > 0
                && stay_packed
                && let Some(own) = queue.lane_for_all(self.base, place)
            {
                if !bodies.is_empty() {
                    lane.each_mut(|packed| packed.set_body(renumber(packed.body())));
                }
                kept += own.append(lane);
            } else {
                lane.empty(&mut spare.packed, |packed| push(queue, packed.unpacked()));
            }
        }
        (self.others).empty(&mut spare.whole, |event| push(queue, event));
        self.first = None;
        kept
    }

    /// Gives back up to so many blocks of the receiver's; how many.
    pub(super) fn give_back(&mut self, count: usize, spare: &mut Spare) -> usize {
        let rest = spare.packed.len().saturating_sub(count);
        let given = spare.packed.len() - rest;
        self.spare.packed.extend(spare.packed.drain(rest..));
        given
    }

    /// The blocks that have been given back.
    pub(super) fn take_back(&mut self, spare: &mut Spare) {
        spare.append(&mut self.spare);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::Kind;
    use crate::message::MessageType;
    use crate::peer::PeerIndex;
    use crate::random::{Purpose, Stream};

    /// A queue that has come to `now`, and contents.
    fn shard(now: u64) -> (EventQueue, Contents) {
        let mut queue = EventQueue::default();
        let start = Event::new(Time::from_ns(now), PeerIndex(0), Kind::Start, 0, EMPTY);
        queue.push(start);
        assert!(queue.pop_before(Time::MAX).is_some());
        (queue, Contents::default())
    }

    fn pops(queue: &mut EventQueue, contents: &mut Contents) -> Vec<(Time, u64, Option<u64>)> {
        let popped = std::iter::from_fn(|| queue.pop_before(Time::from_ns(u64::MAX)));
        let seen = popped.map(|event| {
            let (time, order) = event.time_and_order();
            let number = match contents.take(event.body()) {
                Payload::Integer(number) => Some(number),
                _ => None,
            };
            (time, order, number)
        });
        seen.collect()
    }

    #[test]
    fn what_is_sent_arrives_in_order_with_what_it_says() {
        let mut stream = Stream::global(1, Purpose::Sample);
        let block = 128;
        for (count, spread, now, held) in [
            (10, 1 << 20, 1_000, 0),
            (FEW * block, 1 << 22, 1 << 30, 0),
            (20_000, 1 << 22, (1 << 30) - 50, 0),
            // Many at the same times; far apart; beyond what is packed; and with bodies that are.
            (20_000, 3, 1 << 30, 0),
            (20_000, 1 << 40, 1 << 30, 0),
            (20_000, 1 << 22, (1 << 48) - (1 << 21), 0),
            (20_000, 1 << 22, 1 << 30, 1 << 16),
        ] {
            let (mut out, mut said) = shard(now);
            // The receiver is a little ahead, or behind.
            let (mut queue, mut contents) = shard(now + 1_000 - stream.below(2_000).min(now));
            for number in 0..held {
                contents.store(Payload::Integer(number), 9, 1);
            }
            let mut mail = Mail::default();
            let mut expected = Vec::new();
            let mut common = EMPTY;
            for number in 0..count as u64 {
                let time = Time::from_ns(now + 2_000 + stream.below(spread));
                let to = PeerIndex(stream.below(5) as u32);
                let kind = Kind::Delivery(MessageType(stream.below(2) as u8));
                let body = match stream.below(4) {
                    0 => EMPTY,
                    // Several messages have the same content, but not for long.
                    1 if common != EMPTY => {
                        said.duplicate(common);
                        common
                    }
                    _ => said.store(Payload::Integer(number), 9, 1),
                };
                let event = Event::new(time, to, kind, stream.below(3) as u32, body);
                let says = match said.payload(body) {
                    Payload::Integer(number) => Some(number),
                    _ => None,
                };
                let (time, order) = event.time_and_order();
                expected.push((time, order, says));
                common = body;
                mail.add(event, &mut out, &mut said);
            }
            mail.close(&mut said);
            mail.empty(&mut queue, &mut contents);
            expected.sort_by_key(|&(time, order, says)| (time, order, says.is_some()));
            let arrived = pops(&mut queue, &mut contents);
            assert!(arrived == expected, "{count} within {spread} ns at {now}");
            assert_eq!(mail.first(), NEVER);
        }
    }

    /// One sends and the other does not: still neither gathers blocks.
    #[test]
    fn blocks_go_back() {
        let (mut out, mut said) = shard(0);
        let (mut queue, mut contents) = shard(0);
        let mut mail = Mail::default();
        let (mut owed, mut blocks) = (0, Vec::new());
        for round in 1..100_u64 {
            mail.take_back(&mut out.spare);
            for place in 0..20_000 {
                let time = Time::from_ns(round * 50_000_000 + place * 997);
                let event = Event::new(time, PeerIndex(1), Kind::Start, place as u32, EMPTY);
                mail.add(event, &mut out, &mut said);
            }
            owed += mail.empty(&mut queue, &mut contents);
            pops(&mut queue, &mut contents);
            owed -= mail.give_back(owed, &mut queue.spare);
            let spares = [&out.spare, &queue.spare, &mail.spare];
            blocks.push(spares.iter().map(|spare| spare.packed.len()).sum::<usize>());
        }
        // As many as one burst takes, and some that are not full.
        assert!(owed == 0 && blocks[98] < 2 * blocks[0], "{blocks:?}");
    }
}
