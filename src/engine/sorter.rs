//! Sorting the events of a span: spread over as many buckets as there are events, by time, they
//! are in order but for a few neighbours.

use super::event::Event;
use super::slot::Slot;
use crate::time::Time;

/// So few are sorted by comparison at once.
const FEW: usize = 24;
/// More take more memory to spread than the cache has.
pub(super) const MANY: usize = 1 << 14;

/// What sorting needs besides the events; kept, so that its memory is taken once.
#[derive(Default)]
pub(super) struct Sorter {
    /// Where the next event of each bucket goes.
    places: Vec<u32>,
}

impl Sorter {
    /// Makes `sorted` the events of a slot, sorted by [`Event::key`] and counted. None of them is
    /// before `first`, nor 2 to the power of `bits` ns or more after it.
    pub(super) fn sort(&mut self, slot: &Slot, first: u64, bits: u32, sorted: &mut Vec<Event>) {
        let len = slot.len();
        // What is queued for one instant was mostly queued in order.
        if bits == 0 || !(FEW..=MANY).contains(&len) {
            sorted.clear();
            slot.each(|event| sorted.push(event.counted(sorted.len() as u32)));
            return sorted.sort_unstable();
        }
        // More buckets than events, and no more than twice as many.
        let shift = bits.saturating_sub(len.ilog2() + 1);
        let bucket = |time: u64| ((time - first) >> shift) as usize;
        let places = &mut self.places;
        places.clear();
        places.resize(1 << (bits - shift), 0);
        let mut most = 0;
        slot.each_time(|time| {
            let count = &mut places[bucket(time)];
            *count += 1;
            most = most.max(*count);
        });
        let mut sum = 0;
        for place in &mut *places {
            sum += std::mem::replace(place, sum);
        }
        // All are written over: only what there was no room for is made.
        sorted.resize(len, Event::unpacked(Time::ZERO, 0, 0));
        let mut count = 0;
        slot.each(|event| {
            let place = &mut places[bucket(event.time().as_ns())];
            sorted[*place as usize] = event.counted(count);
            *place += 1;
            count += 1;
        });
        if most as usize <= FEW {
            insert(sorted);
        } else {
            let mut start = 0;
            for &end in &*places {
                sorted[start..end as usize].sort_unstable();
                start = end as usize;
            }
        }
    }
}

/// Sorts events that are in order but for neighbours.
fn insert(events: &mut [Event]) {
    for next in 1..events.len() {
        let event = events[next];
        if event.time() > events[next - 1].time() {
            continue;
        }
        let mut place = next;
        while place > 0 && event < events[place - 1] {
            events[place] = events[place - 1];
            place -= 1;
        }
        events[place] = event;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::Kind;
    use crate::engine::slot::Packed;
    use crate::peer::PeerIndex;
    use crate::random::{Purpose, Stream};

    #[test]
    fn sorts_as_comparison_does() {
        let mut stream = Stream::global(1, Purpose::Sample);
        let mut sorter = Sorter::default();
        let mut events = Vec::new();
        let counts = [0, 1, 2, 23, 24, 25, 1000, 5000, MANY + 1];
        // From the second start on no event is packed.
        for (count, start) in counts
            .iter()
            .flat_map(|&count| [(count, 0), (count, 1 << 60)])
        {
            for span in [1, 2, 3, 1000, 1 << 20, u64::MAX / 8] {
                let mut slot = Slot::default();
                let mut expected = Vec::new();
                for sequence in 0..count {
                    // All but one at nearly the same instant: one bucket holds them.
                    let time = match (span, sequence) {
                        (3, 0) => 1,
                        _ => start + stream.below(span),
                    };
                    let receiver = PeerIndex(stream.below(30) as u32);
                    let kind = Kind::Timer { slot: 0 };
                    // Its body names it: those that are equal otherwise stay in order.
                    let body = sequence as u32 + 1;
                    let event = Event::new(Time::from_ns(time), receiver, kind, 0, body);
                    if start == 0 && Packed::can_hold(&event) {
                        slot.packed.push(Packed::new(&event), &mut Vec::new());
                    } else {
                        slot.whole.push(event, &mut Vec::new());
                    }
                    expected.push(event.counted(sequence as u32));
                }
                expected.sort_unstable();
                let (first, bits) = match span {
                    3 => (0, 61),
                    1 => (start, 0),
                    _ => (start, span.ilog2() + 1),
                };
                sorter.sort(&slot, first, bits, &mut events);
                let seen = |event: &Event| (event.time_and_order(), event.body());
                assert!(
                    events.iter().map(seen).eq(expected.iter().map(seen)),
                    "{count} events within {span} ns"
                );
            }
        }
    }
}
