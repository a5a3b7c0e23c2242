//! The rumours that a peer holds, and how many it has produced itself.

use super::contents::Contents;
use crate::memory::ask_for;
use crate::message::{Rumour, RumourId};
use crate::time::Time;

/// The row of a peer's own rumours: they have no first receipt.
pub(super) const OWN_ROW: u32 = u32::MAX;

/// A rumour that a peer knows of.
#[derive(Clone, Copy, Debug)]
struct Mark {
    id: RumourId,
    /// Where its first receipt is recorded.
    row: u32,
    /// Where the rumour itself lies, as this peer first received it; and in the highest bit
    /// whether it has forgotten it: a peer that begins afresh has forgotten everything.
    body: u32,
}

const FORGOTTEN: u32 = 1 << 31;

/// All rumours that a peer has received or produced, in ascending order of their ids.
#[derive(Debug)]
pub(super) struct Held {
    marks: Vec<Mark>,
    produced: u32,
    /// How many there are when those that are too old are looked for again.
    sweep_at: u32,
}

/// So few are not worth looking for old ones among them.
const SWEEP_MIN: u32 = 32;

/// How many of the last marks are compared one by one before the others are searched.
const NEWEST: usize = 8;

/// What the receipt of a rumour was to a peer.
pub(super) enum Receipt {
    /// The first, ever: where its row of the records is to be noted.
    First(usize),
    /// One more copy of what stands in this row of the records, which the peer had forgotten.
    Again(u32),
    /// One more copy of what the peer holds and stands in this row of the records.
    Copy(u32),
}

/// The rumours that a peer holds, in ascending order of their ids.
#[derive(Clone, Copy)]
pub struct Rumours<'a> {
    marks: &'a [Mark],
    contents: &'a Contents,
}

impl<'a> Rumours<'a> {
    #[inline]
    pub(super) fn new(held: &'a Held, contents: &'a Contents) -> Self {
        let marks = &held.marks;
        Rumours { marks, contents }
    }

    fn at(self, mark: &Mark) -> Option<&'a Rumour> {
        // The body of a forgotten one has its highest bit set: no message's body is so high.
        let is_held = mark.body & FORGOTTEN == 0;
        is_held.then(|| self.contents.rumour(mark.body)).flatten()
    }

    /// The rumour of this name, if the peer holds it.
    pub fn get(self, id: RumourId) -> Option<&'a Rumour> {
        let place = place(self.marks, id).ok()?;
        self.at(&self.marks[place])
    }

    /// Whether the peer holds a rumour.
    pub fn holds(self, id: RumourId) -> bool {
        self.get(id).is_some()
    }

    /// All of them.
    pub fn iter(self) -> impl Iterator<Item = &'a Rumour> {
        self.marks.iter().filter_map(move |mark| self.at(mark))
    }
}

fn place(marks: &[Mark], id: RumourId) -> Result<usize, usize> {
    // The newest rumours of one origin come last: look there first.
    let (older, newest) = marks.split_at(marks.len().saturating_sub(NEWEST));
    match newest.iter().rposition(|mark| mark.id <= id) {
        Some(place) if newest[place].id == id => Ok(older.len() + place),
        Some(place) => Err(older.len() + place + 1),
        None => older.binary_search_by_key(&id, |mark| mark.id),
    }
}

impl Held {
    /// No rumours.
    pub(super) const NONE: Held = Held {
        marks: Vec::new(),
        produced: 0,
        sweep_at: SWEEP_MIN,
    };

    /// Asks for the newest mark.
    #[inline]
    pub(super) fn foresee(&self) {
        if let Some(mark) = self.marks.last() {
            ask_for(mark);
        }
    }

    /// The counter of the next rumour that the peer produces.
    pub(super) fn next_counter(&mut self) -> u32 {
        self.produced += 1;
        self.produced
    }

    /// Takes in a rumour that has arrived or was produced.
    pub(super) fn take(&mut self, rumour: &Rumour, contents: &mut Contents) -> Receipt {
        match place(&self.marks, rumour.id) {
            Err(place) => {
                let mark = Mark {
                    id: rumour.id,
                    row: 0,
                    body: contents.hold(rumour),
                };
                self.marks.insert(place, mark);
                Receipt::First(place)
            }
            Ok(place) => {
                let mark = &mut self.marks[place];
                if mark.body & FORGOTTEN == 0 {
                    return Receipt::Copy(mark.row);
                }
                contents.take(mark.body & !FORGOTTEN);
                mark.body = contents.hold(rumour);
                Receipt::Again(mark.row)
            }
        }
    }

    /// Notes where the first receipt of the rumour at `place` is recorded.
    pub(super) fn set_row(&mut self, place: usize, row: u32) {
        self.marks[place].row = row;
    }

    /// Lets go of what was produced before `oldest`, mark and all, if the number of rumours has
    /// doubled since it last did: so that it takes little time, and memory for at most twice as
    /// many as are young enough. Whether it did.
    pub(super) fn forget_before(&mut self, oldest: Time, contents: &mut Contents) -> bool {
        if self.marks.len() < self.sweep_at as usize {
            return false;
        }
        self.marks.retain(|mark| {
            let body = mark.body & !FORGOTTEN;
            let young = contents.rumour(body).is_some_and(|r| r.produced >= oldest);
            if !young {
                contents.take(body);
            }
            young
        });
        self.marks.shrink_to(2 * self.marks.len());
        let twice = u32::try_from(2 * self.marks.len()).unwrap_or(u32::MAX);
        self.sweep_at = twice.max(SWEEP_MIN);
        true
    }

    /// Forgets everything; what is received again is not counted as a first receipt.
    pub(super) fn forget(&mut self) {
        for mark in &mut self.marks {
            mark.body |= FORGOTTEN;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::PeerIndex;

    fn rumour(origin: u32, counter: u32) -> Rumour {
        Rumour {
            id: RumourId {
                origin: PeerIndex(origin),
                counter,
            },
            produced: Time::ZERO,
            bytes: 20,
            variant: 0,
            ttl: 4,
            hops: 0,
        }
    }

    #[test]
    fn holds_each_once_in_order_until_it_forgets() {
        let mut contents = Contents::default();
        let mut held = Held::NONE;
        for (origin, counter) in [(2, 1), (1, 5), (2, 2), (1, 1)] {
            match held.take(&rumour(origin, counter), &mut contents) {
                Receipt::First(place) => held.set_row(place, 10 * origin + counter),
                _ => panic!("not the first"),
            }
        }
        let names: Vec<(u32, u32)> = Rumours::new(&held, &contents)
            .iter()
            .map(|rumour| (rumour.id.origin.0, rumour.id.counter))
            .collect();
        assert_eq!(names, [(1, 1), (1, 5), (2, 1), (2, 2)]);
        let again = held.take(&rumour(1, 5), &mut contents);
        assert!(matches!(again, Receipt::Copy(15)));
        held.forget();
        let rumours = Rumours::new(&held, &contents);
        assert!(!rumours.holds(rumour(1, 5).id) && rumours.iter().next().is_none());
        let again = held.take(&rumour(1, 5), &mut contents);
        assert!(matches!(again, Receipt::Again(15)));
        assert!(Rumours::new(&held, &contents).holds(rumour(1, 5).id));
        assert_eq!((held.next_counter(), held.next_counter()), (1, 2));
    }

    #[test]
    fn old_ones_are_let_go_of() {
        let mut contents = Contents::default();
        let mut held = Held::NONE;
        for counter in 0..10_000 {
            let time = Time::from_ns(u64::from(counter));
            let new = Rumour {
                produced: time,
                ..rumour(1 + counter % 3, counter)
            };
            assert!(matches!(held.take(&new, &mut contents), Receipt::First(_)));
            held.forget_before(time.since(Time::from_ns(100)), &mut contents);
            assert!(held.marks.len() <= 202, "{} are held", held.marks.len());
            let young = rumour(
                1 + counter.saturating_sub(100) % 3,
                counter.saturating_sub(100),
            );
            assert!(
                Rumours::new(&held, &contents).holds(young.id),
                "{counter} is young"
            );
        }
    }
}
