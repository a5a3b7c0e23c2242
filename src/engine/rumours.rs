//! The rumours that a peer holds, and how many it has produced itself.

use crate::message::{Rumour, RumourId};

/// The row of a peer's own rumours: they have no first receipt.
pub(super) const OWN_ROW: u32 = u32::MAX;

/// A rumour that a peer has received or produced.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    rumour: Rumour,
    /// Where its first receipt is recorded.
    pub(super) row: u32,
    /// Whether the peer still has it: one that begins afresh has forgotten everything.
    held: bool,
}

/// All rumours of a peer, in ascending order of their ids.
#[derive(Clone, Debug, Default)]
pub struct Rumours {
    entries: Vec<Entry>,
    produced: u32,
}

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
    fn place(&self, id: RumourId) -> Result<usize, usize> {
        // The newest rumours of one origin come last: look there first.
        match self.entries.last() {
            Some(last) if last.rumour.id < id => Err(self.entries.len()),
            _ => self
                .entries
                .binary_search_by_key(&id, |entry| entry.rumour.id),
        }
    }

    /// The rumour of this name, if the peer holds it.
    pub fn get(&self, id: RumourId) -> Option<&Rumour> {
        let entry = &self.entries[self.place(id).ok()?];
        entry.held.then_some(&entry.rumour)
    }

    /// Whether the peer holds a rumour.
    pub fn holds(&self, id: RumourId) -> bool {
        self.get(id).is_some()
    }

    /// All rumours that the peer holds, in ascending order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Rumour> {
        self.entries
            .iter()
            .filter(|entry| entry.held)
            .map(|entry| &entry.rumour)
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
                let entry = Entry {
                    rumour: *rumour,
                    row: 0,
                    held: true,
                };
                self.entries.insert(place, entry);
                Receipt::First(place)
            }
            Ok(place) => {
                let entry = &mut self.entries[place];
                if entry.held {
                    return Receipt::Copy(entry.row);
                }
                entry.rumour = *rumour;
                entry.held = true;
                Receipt::Again(entry.row)
            }
        }
    }

    /// Notes where the first receipt of the rumour at `place` is recorded.
    pub(super) fn set_row(&mut self, place: usize, row: u32) {
        self.entries[place].row = row;
    }

    /// Forgets everything; what is received again is not counted as a first receipt.
    pub(super) fn forget(&mut self) {
        for entry in &mut self.entries {
            entry.held = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::PeerIndex;
    use crate::time::Time;

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
        let mut rumours = Rumours::default();
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
}
