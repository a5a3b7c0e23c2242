//! The rumours that a peer holds, and how many it has produced itself.

use crate::message::{Rumour, RumourId};
use crate::time::Time;

/// The row of a peer's own rumours: they have no first receipt.
pub(super) const OWN_ROW: u32 = u32::MAX;

/// What a further copy of a rumour is compared with.
#[derive(Clone, Copy, Debug)]
struct Mark {
    id: RumourId,
    /// Where its first receipt is recorded.
    row: u32,
    /// Whether the peer still has it: one that begins afresh has forgotten everything.
    held: bool,
}

/// All rumours that a peer has received or produced, in ascending order of their ids.
///
/// Most of what arrives are further copies: they need the marks alone, of which four fit a line
/// of the cache.
#[derive(Clone, Debug)]
pub struct Rumours {
    marks: Vec<Mark>,
    /// What the marks stand for.
    rumours: Vec<Rumour>,
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

impl Rumours {
    /// No rumours.
    pub(super) const NONE: Rumours = Rumours {
        marks: Vec::new(),
        rumours: Vec::new(),
        produced: 0,
        sweep_at: SWEEP_MIN,
    };

    fn place(&self, id: RumourId) -> Result<usize, usize> {
        // The newest rumours of one origin come last: look there first.
        let (older, newest) = self.marks.split_at(self.marks.len().saturating_sub(NEWEST));
        match newest.iter().rposition(|mark| mark.id <= id) {
            Some(place) if newest[place].id == id => Ok(older.len() + place),
            Some(place) => Err(older.len() + place + 1),
            None => older.binary_search_by_key(&id, |mark| mark.id),
        }
    }

    /// How many rumours the peer knows of, held or forgotten.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.marks.len()
    }

    /// The newest mark: reading it brings it into the cache.
    #[inline]
    pub(super) fn foresee(&self) -> u32 {
        self.marks.last().map_or(0, |mark| mark.row)
    }

    /// The rumour of this name, if the peer holds it.
    pub fn get(&self, id: RumourId) -> Option<&Rumour> {
        let place = self.place(id).ok()?;
        self.marks[place].held.then_some(&self.rumours[place])
    }

    /// Whether the peer holds a rumour.
    pub fn holds(&self, id: RumourId) -> bool {
        self.get(id).is_some()
    }

    /// All rumours that the peer holds, in ascending order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Rumour> {
        self.marks
            .iter()
            .zip(&self.rumours)
            .filter(|(mark, _)| mark.held)
            .map(|(_, rumour)| rumour)
    }

    /// The counter of the next rumour that the peer produces.
    pub(super) fn next_counter(&mut self) -> u32 {
        self.produced += 1;
        self.produced
    }

    /// Takes in a rumour that has arrived or was produced.
    pub(super) fn take(&mut self, rumour: &Rumour) -> Receipt {
        match self.place(rumour.id) {
            Err(place) => {
                let mark = Mark {
                    id: rumour.id,
                    row: 0,
                    held: true,
                };
                self.marks.insert(place, mark);
                self.rumours.insert(place, *rumour);
                Receipt::First(place)
            }
            Ok(place) => {
                let mark = &mut self.marks[place];
                if mark.held {
                    return Receipt::Copy(mark.row);
                }
                mark.held = true;
                self.rumours[place] = *rumour;
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
    /// many as are young enough.
    pub(super) fn forget_before(&mut self, oldest: Time) {
        if self.marks.len() < self.sweep_at as usize {
            return;
        }
        let young = |rumour: &Rumour| rumour.produced >= oldest;
        let mut rumours = self.rumours.iter();
        self.marks.retain(|_| rumours.next().is_some_and(young));
        self.rumours.retain(young);
        self.marks.shrink_to(2 * self.marks.len());
        self.rumours.shrink_to(2 * self.rumours.len());
        let twice = u32::try_from(2 * self.marks.len()).unwrap_or(u32::MAX);
        self.sweep_at = twice.max(SWEEP_MIN);
    }

    /// Forgets everything; what is received again is not counted as a first receipt.
    pub(super) fn forget(&mut self) {
        for mark in &mut self.marks {
            mark.held = false;
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
        let mut rumours = Rumours::NONE;
        for (origin, counter) in [(2, 1), (1, 5), (2, 2), (1, 1)] {
            match rumours.take(&rumour(origin, counter)) {
                Receipt::First(place) => rumours.set_row(place, 10 * origin + counter),
                _ => panic!("not the first"),
            }
        }
        let held: Vec<(u32, u32)> = rumours
            .iter()
            .map(|rumour| (rumour.id.origin.0, rumour.id.counter))
            .collect();
        assert_eq!(held, [(1, 1), (1, 5), (2, 1), (2, 2)]);
        assert!(matches!(rumours.take(&rumour(1, 5)), Receipt::Copy(15)));
        rumours.forget();
        assert!(!rumours.holds(rumour(1, 5).id) && rumours.iter().next().is_none());
        assert!(matches!(rumours.take(&rumour(1, 5)), Receipt::Again(15)));
        assert!(rumours.holds(rumour(1, 5).id));
        assert_eq!((rumours.next_counter(), rumours.next_counter()), (1, 2));
    }

    #[test]
    fn old_ones_are_let_go_of() {
        let mut rumours = Rumours::NONE;
        for counter in 0..10_000 {
            let time = Time::from_ns(u64::from(counter));
            let new = Rumour {
                produced: time,
                ..rumour(1 + counter % 3, counter)
            };
            assert!(matches!(rumours.take(&new), Receipt::First(_)));
            rumours.forget_before(time.since(Time::from_ns(100)));
            assert!(rumours.len() <= 202, "{} are held", rumours.len());
            let young = rumour(
                1 + counter.saturating_sub(100) % 3,
                counter.saturating_sub(100),
            );
            assert!(rumours.holds(young.id), "{counter} is young");
        }
    }
}
