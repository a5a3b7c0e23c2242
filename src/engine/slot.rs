//! A slot of the event queue: its events in the order in which they came, packed.

use super::event::Event;
use crate::time::Time;

/// Bytes of a block of a slot: so many events are written one after the other.
const BLOCK_BYTES: usize = 2 << 10;

/// What most events are: those within 78 hours whose content, if they have any, has one of the
/// first bodies. Few contents are on their way at once, since equal ones are stored once.
#[derive(Clone, Copy)]
pub(super) struct Packed {
    /// The time (48 bits), and the body (16).
    time_and_body: u64,
    order: u64,
}

const BODY_BITS: u32 = 16;

impl Packed {
    #[inline]
    pub(super) fn new(event: &Event) -> Self {
        let (time, order) = event.time_and_order();
        Packed {
            time_and_body: time.as_ns() << BODY_BITS | u64::from(event.body()),
            order,
        }
    }

    #[inline]
    pub(super) fn can_hold(event: &Event) -> bool {
        event.time().as_ns() >> (u64::BITS - BODY_BITS) == 0 && Self::can_hold_body(event.body())
    }

    #[inline]
    pub(super) fn can_hold_body(body: u32) -> bool {
        body >> BODY_BITS == 0
    }

    #[inline]
    pub(super) fn time(self) -> u64 {
        self.time_and_body >> BODY_BITS
    }

    #[inline]
    pub(super) fn body(self) -> u32 {
        self.time_and_body as u16 as u32
    }

    /// The same with another body, of [`BODY_BITS`].
    #[inline]
    pub(super) fn set_body(&mut self, body: u32) {
        self.time_and_body = self.time_and_body >> BODY_BITS << BODY_BITS | u64::from(body);
    }

    #[inline]
    pub(super) fn unpacked(self) -> Event {
        Event::unpacked(Time::from_ns(self.time()), self.order, self.body())
    }
}

/// Blocks filled one after the other, so that queueing is a sequential write.
pub(super) struct Lane<T> {
    /// Full but for the last of what was taken over from another lane.
    full: Vec<Vec<T>>,
    /// The block being filled.
    last: Vec<T>,
}

impl<T> Default for Lane<T> {
    fn default() -> Self {
        Lane {
            full: Vec::new(),
            last: Vec::new(),
        }
    }
}

impl<T> Lane<T> {
    const BLOCK: usize = BLOCK_BYTES / size_of::<T>();

    fn len(&self) -> usize {
        self.blocks().map(<[T]>::len).sum()
    }

    /// How many blocks there are besides the one being filled.
    #[inline]
    pub(super) fn full_blocks(&self) -> usize {
        self.full.len()
    }

    /// Adds all that `other` has, after what there is, in the blocks that it is in; how many.
    pub(super) fn append(&mut self, mut other: Lane<T>) -> usize {
        let blocks = other.full.len() + 1;
        let last = std::mem::replace(&mut self.last, other.last);
        if !last.is_empty() {
            self.full.push(last);
        }
        self.full.append(&mut other.full);
        blocks
    }

    #[inline(always)]
    pub(super) fn push(&mut self, item: T, spare: &mut Vec<Vec<T>>) {
        if self.last.len() == self.last.capacity() {
            self.begin_block(spare);
        }
        self.last.push(item);
    }

    #[cold]
    #[inline(never)]
    fn begin_block(&mut self, spare: &mut Vec<Vec<T>>) {
        let block = spare.pop();
        let block = block.unwrap_or_else(|| Vec::with_capacity(Self::BLOCK));
        let full = std::mem::replace(&mut self.last, block);
        // One that was never filled has no block at all.
        if !full.is_empty() {
            self.full.push(full);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.last.is_empty() && self.full.is_empty()
    }

    pub(super) fn each_mut(&mut self, see: impl FnMut(&mut T)) {
        let blocks = self.full.iter_mut().chain([&mut self.last]);
        blocks.flatten().for_each(see);
    }

    fn blocks(&self) -> impl Iterator<Item = &[T]> {
        self.full.iter().chain([&self.last]).map(Vec::as_slice)
    }

    /// Takes all blocks out, in the order in which they were filled. The list's own memory goes,
    /// too: each burst fills other slots.
    pub(super) fn take_blocks(&mut self) -> impl Iterator<Item = Vec<T>> + use<T> {
        let Lane { full, last } = std::mem::take(self);
        let last = Some(last).filter(|block| block.capacity() > 0);
        full.into_iter().chain(last)
    }

    /// Takes all items out, in the order in which they came; what blocks they were in is spare.
    #[inline(always)]
    pub(super) fn empty(&mut self, spare: &mut Vec<Vec<T>>, mut see: impl FnMut(T)) {
        for mut block in self.take_blocks() {
            block.drain(..).for_each(&mut see);
            spare.push(block);
        }
    }
}

/// Blocks with nothing in them, to be filled again.
#[derive(Default)]
pub(super) struct Spare {
    pub(super) packed: Vec<Vec<Packed>>,
    pub(super) whole: Vec<Vec<Event>>,
}

impl Spare {
    /// Takes over all that `other` has.
    pub(super) fn append(&mut self, other: &mut Spare) {
        self.packed.append(&mut other.packed);
        self.whole.append(&mut other.whole);
    }
}

/// A slot: its events in two lanes, since most need no more than [`Packed`] holds. Their
/// counters are not kept: each lane is in the order in which a sender filled it, and of the same
/// time what is packed came first.
#[derive(Default)]
pub(super) struct Slot {
    pub(super) packed: Lane<Packed>,
    pub(super) whole: Lane<Event>,
}

impl Slot {
    /// Drops all events; what blocks they were in is spare.
    pub(super) fn clear(&mut self, spare: &mut Spare) {
        self.packed.empty(&mut spare.packed, |_| {});
        self.whole.empty(&mut spare.whole, |_| {});
    }

    pub(super) fn len(&self) -> usize {
        self.packed.len() + self.whole.len()
    }

    /// Shows the times of all events, in the order of [`Slot::each`].
    #[inline(always)]
    pub(super) fn each_time(&self, mut see: impl FnMut(u64)) {
        for block in self.packed.blocks() {
            block.iter().for_each(|packed| see(packed.time()));
        }
        for block in self.whole.blocks() {
            block.iter().for_each(|event| see(event.time().as_ns()));
        }
    }

    /// Shows all events, those of a sender in the order in which it sent them.
    #[inline(always)]
    pub(super) fn each(&self, mut see: impl FnMut(Event)) {
        for block in self.packed.blocks() {
            block.iter().for_each(|packed| see(packed.unpacked()));
        }
        for block in self.whole.blocks() {
            block.iter().for_each(|&event| see(event));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::Kind;
    use crate::peer::PeerIndex;

    /// A timer that is told by its tag.
    fn packed(sequence: usize) -> Packed {
        let kind = Kind::Timer { slot: 0 };
        let (time, to) = (Time::from_ns(7), PeerIndex(5));
        Packed::new(&Event::new(time, to, kind, sequence as u32, 3))
    }

    fn sequences(lane: &mut Lane<Packed>, spare: &mut Vec<Vec<Packed>>) -> Vec<usize> {
        let mut seen = Vec::new();
        lane.empty(spare, |packed| {
            let event = packed.unpacked();
            assert_eq!((event.time(), event.body()), (Time::from_ns(7), 3));
            seen.push(event.sender() as usize);
        });
        seen
    }

    #[test]
    fn what_is_pushed_comes_out_in_order_and_its_blocks_serve_again() {
        let count = 3 * Lane::<Packed>::BLOCK + 1;
        let (mut lane, mut spare) = (Lane::default(), Vec::new());
        for _ in 0..2 {
            (0..count).for_each(|sequence| lane.push(packed(sequence), &mut spare));
            assert!(spare.is_empty() && lane.len() == count);
            assert!((0..count).eq(sequences(&mut lane, &mut spare)));
            assert_eq!((lane.len(), spare.len()), (0, 4));
        }
    }

    #[test]
    fn what_is_taken_over_comes_after_what_there_is() {
        let block = Lane::<Packed>::BLOCK;
        let mut spare = Vec::new();
        for (first, second, third) in [(0, 1, 0), (1, block, 1), (block, block + 1, 2 * block)] {
            let (mut lane, mut other) = (Lane::default(), Lane::default());
            (0..first).for_each(|place| lane.push(packed(place), &mut spare));
            (first..first + second).for_each(|place| other.push(packed(place), &mut spare));
            lane.append(other);
            let all = first + second + third;
            (first + second..all).for_each(|place| lane.push(packed(place), &mut spare));
            assert_eq!(lane.len(), all);
            assert!((0..all).eq(sequences(&mut lane, &mut spare)));
        }
    }

    #[test]
    fn what_does_not_fit_is_not_packed() {
        let event = |time, body| {
            let kind = Kind::Timer { slot: 0 };
            Event::new(Time::from_ns(time), PeerIndex(5), kind, 0, body)
        };
        assert!(Packed::can_hold(&event((1 << 48) - 1, (1 << 16) - 1)));
        assert!(!Packed::can_hold(&event(1 << 48, 0)) && !Packed::can_hold(&event(0, 1 << 16)));
    }
}
