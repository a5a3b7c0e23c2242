//! Sorting the events of a span: spread over as many buckets as there are events, by time, they
//! are in order but for a few neighbours.

use super::event::Event;

/// So few are sorted by comparison at once.
const FEW: usize = 24;
/// More take more memory to spread than the cache has.
const MANY: usize = 1 << 14;

/// What sorting needs besides the events; kept, so that its memory is taken once.
#[derive(Default)]
pub(super) struct Sorter {
    spread: Vec<Event>,
    /// Where the next event of each bucket goes.
    places: Vec<u32>,
}

impl Sorter {
    /// Sorts by [`Event::key`].
    pub(super) fn sort(&mut self, events: &mut Vec<Event>) {
        if !(FEW..=MANY).contains(&events.len()) {
            return events.sort_unstable();
        }
        let (mut first, mut last) = (u64::MAX, 0);
        for event in &*events {
            let time = event.time().as_ns();
            first = first.min(time);
            last = last.max(time);
        }
        if first == last {
            // What is queued for one instant was mostly queued in order.
            return events.sort_unstable();
        }
        // At least as many buckets as events, and fewer than four times as many.
        let bits = u64::BITS - (last - first).leading_zeros();
        let shift = bits.saturating_sub(events.len().ilog2() + 1);
        let bucket = |event: &Event| ((event.time().as_ns() - first) >> shift) as usize;
        self.places.clear();
        self.places
            .resize(((last - first) >> shift) as usize + 1, 0);
        for event in &*events {
            self.places[bucket(event)] += 1;
        }
        let mut sum = 0;
        for place in &mut self.places {
            sum += std::mem::replace(place, sum);
        }
        self.spread.clear();
        self.spread.resize(events.len(), events[0]);
        for event in &*events {
            let place = &mut self.places[bucket(event)];
            self.spread[*place as usize] = *event;
            *place += 1;
        }
        std::mem::swap(events, &mut self.spread);
        let mut start = 0;
        for &end in &self.places {
            let end = end as usize;
            if end - start > 1 {
                sort_bucket(&mut events[start..end]);
            }
            start = end;
        }
    }
}

#[inline]
fn sort_bucket(events: &mut [Event]) {
    if events.len() > FEW {
        return events.sort_unstable();
    }
    for next in 1..events.len() {
        let event = events[next];
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
    use crate::peer::PeerIndex;
    use crate::random::{Purpose, Stream};
    use crate::time::Time;

    #[test]
    fn sorts_as_comparison_does() {
        let mut stream = Stream::global(1, Purpose::Sample);
        let mut sorter = Sorter::default();
        for count in [0, 1, 2, 23, 24, 25, 1000, 5000, MANY + 1] {
            for span in [1, 2, 3, 1000, 1 << 20, u64::MAX / 8] {
                let mut events: Vec<Event> = (0..count)
                    .map(|sequence| {
                        let time = Time::from_ns(u64::MAX / 2 + stream.below(span));
                        let receiver = PeerIndex(stream.below(30) as u32);
                        let kind = Kind::Timer { slot: 0 };
                        Event::new(time, receiver, kind, 0, 7).counted(sequence as u32)
                    })
                    .collect();
                // All but one at the same instant: one bucket holds them.
                if span == 3 && count > 2 {
                    events[0] = events[1].copied(Time::from_ns(1));
                }
                let mut expected = events.clone();
                expected.sort_unstable();
                sorter.sort(&mut events);
                assert_eq!(events, expected, "{count} events within {span} ns");
            }
        }
    }
}
