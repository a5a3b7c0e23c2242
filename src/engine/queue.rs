//! The event queue: a monotone radix ladder, which costs a few sequential writes an event where
//! a heap larger than the cache costs a cache miss a level.
//!
//! Time is cut into digits of six bits. A pending event lies in the slot (level, digit) of the
//! highest digit in which its time differs from the ladder's base. To pop, the earliest slot is
//! taken: a large one is spread over the levels below it, a small one is sorted, inside the
//! cache, and walked. What is queued meanwhile for the span being walked goes to a small heap
//! beside it. After Ahuja, Mehlhorn, Orlin, Tarjan, "Faster algorithms for the shortest path
//! problem", J. ACM 37 (1990), whose radix heap has one level a bit.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::event::Event;
use super::slot::{Lane, Packed, Slot, Spare};
use super::sorter::{self, Sorter};
use crate::time::Time;

const DIGIT_BITS: u32 = 6;
const SLOTS: usize = 1 << DIGIT_BITS;
const LEVELS: usize = 11;
/// A slot of at most this many events is sorted rather than spread: it fits the cache.
const SORT_MAX: usize = sorter::MANY;
/// The levels of which that holds: their slots are shorter than most delays, so that few events
/// are queued for a span while it is walked. Of the levels above, only slots of few events are.
const SORT_LEVELS: usize = 4;
const SORT_FEW: usize = 256;
/// A heap beside the walk of more than this many events is put back into the ladder.
const LATE_MAX: usize = 4096;

/// Pending events, popped in the order of [`Event::key`].
pub struct EventQueue {
    /// All events in the ladder are at or after `base`, in the slot their time gives them.
    base: u64,
    /// Events before this time are in `walked` or `late`, the others in the ladder.
    span_end: u64,
    /// The current span's events, sorted; those before `next` have been popped. They stay until
    /// others take their places.
    walked: Vec<Event>,
    next: usize,
    /// Whether that is news, see [`EventQueue::has_new_span`].
    is_new: bool,
    late: BinaryHeap<Reverse<Event>>,
    /// How many events have been late.
    late_count: u32,
    slots: Vec<Slot>,
    /// Which slots of a level hold events, as bits.
    occupied: [u64; LEVELS],
    /// Whether there has been a body that was too large: since then none is packed, so that a
    /// sender's messages of the same time stay in order.
    large_bodies: bool,
    /// Blocks for the slots, and for mail to other shards.
    pub(super) spare: Spare,
    sorter: Sorter,
}

/// How many slots there are.
pub(super) const PLACES: usize = LEVELS * SLOTS;

/// The slot, counted over all levels, that a queue with this base has for an event at `time`.
#[inline(always)]
pub(super) fn place_at(base: u64, time: u64) -> usize {
    debug_assert!(time >= base, "an event in the past");
    // `| 1` gives an event at the base itself the lowest level.
    let differing = time ^ base | 1;
    let level = ((63 - differing.leading_zeros()) / DIGIT_BITS) as usize;
    let digit = (time >> (level as u32 * DIGIT_BITS)) as usize % SLOTS;
    level * SLOTS + digit
}

/// Where the span of a slot of a queue with this base begins.
fn slot_start(base: u64, level: usize, digit: usize) -> u64 {
    let shift = level as u32 * DIGIT_BITS;
    let digits_above = base.checked_shr(shift + DIGIT_BITS).unwrap_or(0);
    digits_above.checked_shl(shift + DIGIT_BITS).unwrap_or(0) | (digit as u64) << shift
}

impl Default for EventQueue {
    fn default() -> Self {
        EventQueue {
            base: 0,
            span_end: 0,
            walked: Vec::new(),
            next: 0,
            is_new: false,
            late: BinaryHeap::new(),
            late_count: 0,
            slots: std::iter::repeat_with(Slot::default).take(PLACES).collect(),
            occupied: [0; LEVELS],
            large_bodies: false,
            spare: Spare::default(),
            sorter: Sorter::default(),
        }
    }
}

impl EventQueue {
    /// The event that comes so many events after the next one, if that is known.
    #[inline(always)]
    pub fn ahead(&self, distance: usize) -> Option<&Event> {
        self.walked.get(self.next + distance)
    }

    /// Whether other events are known than when this was last asked.
    #[inline(always)]
    pub fn has_new_span(&mut self) -> bool {
        std::mem::take(&mut self.is_new)
    }

    /// No event is before this time; `None` if there are none.
    pub fn lower_bound(&self) -> Option<Time> {
        let walked = self.walked.get(self.next).map(Event::time);
        let late = self.late.peek().map(|Reverse(event)| event.time());
        let span = walked.into_iter().chain(late).min();
        span.or_else(|| {
            let (level, digit) = self.earliest_slot()?;
            Some(Time::from_ns(
                slot_start(self.base, level, digit).max(self.base),
            ))
        })
    }

    /// Level and digit of the earliest slot that holds events.
    fn earliest_slot(&self) -> Option<(usize, usize)> {
        let level = self.occupied.iter().position(|&slots| slots != 0)?;
        Some((level, self.occupied[level].trailing_zeros() as usize))
    }

    /// Queues an event; its time must not be before that of the last popped one.
    #[inline(always)]
    pub fn push(&mut self, event: Event) {
        if event.time().as_ns() < self.span_end {
            self.push_late(event.time_and_order(), event.body());
        } else {
            self.push_to_ladder(event);
        }
    }

    /// Apart, and the event in parts, so that it costs the hot path no registers and no memory.
    #[inline(never)]
    fn push_late(&mut self, (time, order): (Time, u64), body: u32) {
        let event = Event::unpacked(time, order, body);
        self.late_count = self.late_count.wrapping_add(1);
        self.late.push(Reverse(event.counted(self.late_count)));
        if self.late.len() > LATE_MAX && self.span_end - self.base > 1 {
            self.restart_span();
        }
    }

    /// Empties the queue and lets go of its memory; shows each event, in no particular order.
    pub fn clear(&mut self, mut see: impl FnMut(&Event)) {
        let Self {
            walked,
            next,
            late,
            slots,
            ..
        } = std::mem::take(self);
        walked.iter().skip(next).for_each(&mut see);
        late.iter().for_each(|Reverse(event)| see(event));
        for slot in &slots {
            slot.each(|event| see(&event));
        }
    }

    /// Takes the first event if it is before `end`.
    #[inline]
    pub fn pop_before(&mut self, end: Time) -> Option<Event> {
        if let Some(&event) = self.walked.get(self.next)
            && self
                .late
                .peek()
                .is_none_or(|Reverse(late)| event.precedes(late))
        {
            if event.time() >= end {
                return None;
            }
            self.next += 1;
            return Some(event);
        }
        self.pop_late_or_refill(end)
    }

    fn pop_late_or_refill(&mut self, end: Time) -> Option<Event> {
        loop {
            let walked = self.walked.get(self.next);
            let late = self.late.peek();
            let take_late = match (walked, late) {
                (None, None) => {
                    if !self.refill(end.as_ns()) {
                        return None;
                    }
                    continue;
                }
                (Some(_), None) => false,
                (None, Some(_)) => true,
                (Some(walked), Some(Reverse(late))) => !walked.precedes(late),
            };
            let event = if take_late {
                late.map(|&Reverse(event)| event)
            } else {
                walked.copied()
            }?;
            if event.time() >= end {
                return None;
            }
            if take_late {
                self.late.pop();
            } else {
                self.next += 1;
            }
            return Some(event);
        }
    }

    #[inline(always)]
    fn push_to_ladder(&mut self, event: Event) {
        let place = self.slot_for(event.time().as_ns());
        let slot = &mut self.slots[place];
        if Packed::can_hold(&event) && (event.body() == 0 || !self.large_bodies) {
            slot.packed
                .push(Packed::new(&event), &mut self.spare.packed);
        } else {
            self.push_whole(event.time_and_order(), event.body(), place);
        }
    }

    #[cold]
    #[inline(never)]
    fn push_whole(&mut self, (time, order): (Time, u64), body: u32, place: usize) {
        self.large_bodies |= body != 0;
        let event = Event::unpacked(time, order, body);
        self.slots[place].whole.push(event, &mut self.spare.whole);
    }

    /// The slot for an event at `time`, which is marked as occupied.
    #[inline]
    fn slot_for(&mut self, time: u64) -> usize {
        let place = place_at(self.base, time);
        self.occupied[place / SLOTS] |= 1 << (place % SLOTS);
        place
    }

    /// All events in the ladder are at or after this time.
    #[inline]
    pub(super) fn base(&self) -> u64 {
        self.base
    }

    /// Where all events of a slot of a queue with another base go, packed, if that is one lane.
    pub(super) fn lane_for_all(&mut self, base: u64, place: usize) -> Option<&mut Lane<Packed>> {
        let (level, digit) = (place / SLOTS, place % SLOTS);
        let first = slot_start(base, level, digit);
        let last = first | ((1 << (level as u32 * DIGIT_BITS)) - 1);
        if first < self.span_end || place_at(self.base, first) != place_at(self.base, last) {
            return None;
        }
        let place = self.slot_for(first);
        Some(&mut self.slots[place].packed)
    }

    /// Whether events with bodies up to this one are packed.
    pub(super) fn packs(&self, body: u32) -> bool {
        Packed::can_hold_body(body) && !self.large_bodies
    }

    /// Makes the earliest slot the walked span; false if there is none before `end`.
    fn refill(&mut self, end: u64) -> bool {
        self.next = self.walked.len();
        while let Some((level, digit)) = self.earliest_slot() {
            let shift = level as u32 * DIGIT_BITS;
            let start = slot_start(self.base, level, digit);
            if start >= end {
                return false;
            }
            let place = level * SLOTS + digit;
            self.occupied[level] &= !(1 << digit);
            let mut slot = std::mem::take(&mut self.slots[place]);
            self.base = start.max(self.base);
            let sort_max = if level < SORT_LEVELS {
                SORT_MAX
            } else {
                SORT_FEW
            };
            if level == 0 || slot.len() <= sort_max {
                self.span_end = start.saturating_add(1 << shift);
                self.walk(&mut slot, start, shift);
            } else {
                self.span_end = self.base;
                for mut block in slot.packed.take_blocks() {
                    for packed in block.drain(..) {
                        let place = self.slot_for(packed.time());
                        self.slots[place]
                            .packed
                            .push(packed, &mut self.spare.packed);
                    }
                    self.spare.packed.push(block);
                }
                for mut block in slot.whole.take_blocks() {
                    for event in block.drain(..) {
                        let place = self.slot_for(event.time().as_ns());
                        self.slots[place].whole.push(event, &mut self.spare.whole);
                    }
                    self.spare.whole.push(block);
                }
            }
            if self.next < self.walked.len() {
                return true;
            }
        }
        false
    }

    /// Makes the events of a slot, which begins at `start` and is 2 to the power of `bits` ns long,
    /// those that are walked, sorted.
    fn walk(&mut self, slot: &mut Slot, start: u64, bits: u32) {
        self.sorter.sort(slot, start, bits, &mut self.walked);
        self.next = 0;
        self.is_new = true;
        slot.clear(&mut self.spare);
    }

    /// Puts what is left of the walked span back into the ladder, from the earliest of it on:
    /// more came in for the span than a heap handles well.
    fn restart_span(&mut self) {
        let mut rest = std::mem::take(&mut self.walked);
        rest.drain(..self.next);
        // A sender's events in the order in which it sent them: late ones are the later ones.
        let mut late = std::mem::take(&mut self.late).into_vec();
        late.sort_unstable_by(|a, b| b.cmp(a));
        rest.extend(late.into_iter().map(|Reverse(event)| event));
        let Some(first) = rest.iter().map(Event::time).min() else {
            return;
        };
        // Levels above the span keep their places: the new base shares all their digits.
        self.base = first.as_ns();
        self.span_end = self.base;
        self.next = 0;
        for event in rest {
            self.push_to_ladder(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::engine::event::Kind;
    use crate::peer::PeerIndex;
    use crate::random::{Purpose, Stream, mix};

    /// Every second event has a body, by its counter: so the order of ties shows. On the way
    /// bodies grow out of 16 bits.
    fn event(time: u64, receiver: u32, sequence: u32) -> Event {
        let kind = Kind::Timer { slot: 0 };
        let receiver = PeerIndex(receiver);
        let body = sequence % 2 * sequence * 7;
        Event::new(Time::from_ns(time), receiver, kind, 0, body).counted(sequence)
    }

    /// What an event is, but for its counter.
    fn seen(event: Event) -> ((Time, u64), u32) {
        (event.time_and_order(), event.body())
    }

    fn pop_all(queue: &mut EventQueue) -> Vec<((Time, u64), u32)> {
        std::iter::from_fn(|| queue.pop_before(Time::MAX).map(seen)).collect()
    }

    /// Pops and pushes at random, against a heap; delays are drawn by `delay`.
    fn compare(seed: u64, start: u64, steps: u32, delay: impl Fn(&mut Stream) -> u64) {
        let mut stream = Stream::global(seed, Purpose::Sample);
        let mut queue = EventQueue::default();
        let mut oracle = BinaryHeap::new();
        let mut sequence = 0;
        let mut push = |queue: &mut EventQueue,
                        oracle: &mut BinaryHeap<Reverse<Event>>,
                        stream: &mut Stream,
                        time: u64| {
            sequence += 1;
            let event = event(time, stream.below(50) as u32, sequence);
            queue.push(event);
            oracle.push(Reverse(event));
        };
        for _ in 0..start {
            let time = delay(&mut stream);
            push(&mut queue, &mut oracle, &mut stream, time);
        }
        for step in 0..steps {
            let popped = queue.pop_before(Time::MAX);
            let expected = oracle.pop().map(|Reverse(event)| seen(event));
            assert_eq!(popped.map(seen), expected, "step {step} of seed {seed}");
            let Some(now) = popped else { break };
            for _ in 0..stream.below(3) {
                let time = now.time().as_ns() + delay(&mut stream);
                push(&mut queue, &mut oracle, &mut stream, time);
            }
        }
    }

    #[test]
    fn pops_in_the_order_of_a_heap() {
        for seed in 0..20 {
            // Few and far apart; bursts; many ties; and all mixed with zero delays.
            compare(seed, 5, 2_000, |s| s.below(1 << 40));
            compare(seed, 20_000, 40_000, |s| 6_000_000 + s.below(2_000_000));
            compare(seed, 5_000, 20_000, |s| s.below(3) * 1_000_000);
            compare(seed, 3_000, 20_000, |s| {
                let digits = s.below(45);
                s.below(1 << digits) * s.below(2)
            });
        }
    }

    /// A time at or after `now`: the same, close by, a burst some way off, or anywhere.
    fn later(now: u64, shape: u8, number: u64) -> u64 {
        now + match shape {
            0 => 0,
            1 => number % 100,
            2 => 6_000_000 + number % 1_000,
            3 => 6_000_000 + number % 2_000_000,
            _ => number >> (2 + number % 61),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// The queue against a heap: times are often equal, and so are receivers.
        #[test]
        fn whatever_is_pushed_comes_out_in_order(
            rounds in vec((0_u8..5, any::<u64>(), 1_usize..4_000, 0_usize..5_000), 1..12),
        ) {
            let mut queue = EventQueue::default();
            let mut oracle = BinaryHeap::new();
            let (mut now, mut sequence) = (0, 0);
            for (shape, seed, pushes, pops) in rounds {
                for place in 0..pushes as u64 {
                    let number = mix(seed ^ place);
                    let time = later(now, shape, number).min(Time::MAX.as_ns() / 2);
                    sequence += 1 + mix(number) as u32 % 2;
                    let event = event(time, number as u32 % 3, sequence);
                    queue.push(event);
                    oracle.push(Reverse(event));
                }
                for _ in 0..pops {
                    let popped = queue.pop_before(Time::MAX);
                    let expected = oracle.pop().map(|Reverse(event)| seen(event));
                    prop_assert_eq!(popped.map(seen), expected);
                    now = popped.map_or(now, |event| event.time().as_ns());
                }
            }
        }
    }

    #[test]
    fn a_burst_within_the_walked_span_is_put_back() {
        let mut queue = EventQueue::default();
        queue.push(event(1_000_000_000, 0, 0));
        assert!(queue.pop_before(Time::MAX).is_some());
        let mut expected = Vec::new();
        for place in 0..3 * LATE_MAX as u32 {
            let late = event(1_000_000_001 + u64::from(place * 7919 % 10_007), 1, place);
            queue.push(late);
            expected.push(late);
        }
        expected.sort_unstable();
        let expected: Vec<_> = expected.into_iter().map(seen).collect();
        assert!(pop_all(&mut queue) == expected, "not in order");
    }

    #[test]
    fn leaves_what_is_not_due() {
        let mut queue = EventQueue::default();
        let pop = |queue: &mut EventQueue, end| {
            let popped = queue.pop_before(Time::from_ns(end));
            popped.map(|event| event.time().as_ns())
        };
        queue.push(event(10, 0, 0));
        queue.push(event(20, 0, 1));
        assert_eq!(pop(&mut queue, 20), Some(10));
        assert_eq!(pop(&mut queue, 20), None);
        // Before what was looked at, but not before what was popped.
        queue.push(event(15, 0, 2));
        assert_eq!(pop(&mut queue, 20), Some(15));
        assert_eq!(pop(&mut queue, 21), Some(20));
        assert_eq!(pop(&mut queue, u64::MAX), None);
    }

    #[test]
    fn shows_all_that_it_lets_go_of() {
        let mut queue = EventQueue::default();
        for place in 0..5_000 {
            queue.push(event(u64::from(place % 977) * 1_000, 0, place));
        }
        for _ in 0..100 {
            queue.pop_before(Time::MAX);
        }
        queue.push(event(200_000, 0, 0));
        let mut seen = 0;
        queue.clear(|_| seen += 1);
        assert_eq!(seen, 4_901);
        assert_eq!(queue.pop_before(Time::MAX), None);
    }
}
