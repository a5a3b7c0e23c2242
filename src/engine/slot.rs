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
        event.time().as_ns() >> (u64::BITS - BODY_BITS) == 0 && event.body() >> BODY_BITS == 0
    }

    #[inline]
    pub(super) fn time(self) -> u64 {
        self.time_and_body >> BODY_BITS
    }

    #[inline]
    pub(super) fn unpacked(self) -> Event {
        let body = self.time_and_body as u16;
        Event::unpacked(Time::from_ns(self.time()), self.order, body.into())
    }
}

/// Blocks filled one after the other, so that queueing is a sequential write.
pub(super) struct Lane<T> {
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
        self.full.len() * Self::BLOCK + self.last.len()
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

    fn is_empty(&self) -> bool {
        self.last.is_empty() && self.full.is_empty()
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
    /// Adds an event that is shown after all that are there.
    #[inline]
    pub(super) fn push(&mut self, event: Event, spare: &mut Spare) {
        if Packed::can_hold(&event) && self.whole.is_empty() {
            self.packed.push(Packed::new(&event), &mut spare.packed);
        } else {
            self.whole.push(event, &mut spare.whole);
        }
    }

    /// Shows all events as [`Slot::each`] does and drops them; what blocks they were in is spare.
    #[inline(always)]
    pub(super) fn empty(&mut self, spare: &mut Spare, mut see: impl FnMut(Event)) {
        for mut block in self.packed.take_blocks() {
            block.drain(..).for_each(|packed| see(packed.unpacked()));
            spare.packed.push(block);
        }
        for mut block in self.whole.take_blocks() {
            block.drain(..).for_each(&mut see);
            spare.whole.push(block);
        }
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

    #[test]
    fn what_is_pushed_comes_out_in_order_and_its_blocks_serve_again() {
        let late = 1 << (u64::BITS - BODY_BITS);
        let count = 3 * Lane::<Packed>::BLOCK as u32;
        let event = |sequence: u32| {
            // On the way one comes that cannot be packed, by its time or by its body.
            let time = if sequence == count / 2 { late } else { 7 };
            let body = if sequence == count - 1 {
                1 << BODY_BITS
            } else {
                3
            };
            let (time, to) = (Time::from_ns(time), PeerIndex(5));
            Event::new(time, to, Kind::Timer { slot: 0 }, sequence, body)
        };
        let (mut slot, mut spare) = (Slot::default(), Spare::default());
        let mut blocks = Vec::new();
        for _ in 0..2 {
            (0..count).for_each(|sequence| slot.push(event(sequence), &mut spare));
            assert!(spare.packed.is_empty() && spare.whole.is_empty());
            let mut seen = Vec::new();
            slot.empty(&mut spare, |event| {
                seen.push((event.sender(), event.body()))
            });
            let pushed = (0..count).map(|sequence| (sequence, event(sequence).body()));
            assert!(pushed.eq(seen), "another order");
            assert_eq!(slot.len(), 0);
            blocks.push((spare.packed.len(), spare.whole.len()));
        }
        assert!(blocks[0] == blocks[1] && blocks[0].0 > 1 && blocks[0].1 > 1);
    }
}
