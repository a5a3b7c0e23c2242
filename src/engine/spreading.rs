//! Which peers hold the rumours that spread just now: a bit each, so that most copies, which are
//! further ones, need not be compared with what their receiver itself knows.

use crate::message::{Rumour, RumourId};
use crate::peer::PeerIndex;
use crate::time::Time;

/// So many rumours at once are kept in bits.
const SLOTS: usize = 64;
/// A rumour is, once one of this many words of the bits has had a receipt: those that few peers
/// hear of are not worth clearing the bits of all.
const WORDS_PER_RECEIPT: usize = 16;

/// Which of a shard's peers hold which of the newest rumours.
///
/// A bit that is set is right, one that is not says nothing: the peer itself is to be asked.
pub(super) struct Spreading {
    /// Names apart, so that they stay in the cache; each in the slot of its hash.
    ids: [RumourId; SLOTS],
    slots: [Slot; SLOTS],
    /// How many words of 64 bits it takes to have one for each peer.
    words: usize,
}

struct Slot {
    produced: Time,
    /// How many receipts there were before there were bits.
    receipts: usize,
    /// A bit a peer, once there are so many receipts that it pays.
    bits: Vec<u64>,
}

/// The name of no rumour: counters begin at 1.
const NOBODY: RumourId = RumourId {
    origin: PeerIndex(0),
    counter: 0,
};

fn slot_of(id: RumourId) -> usize {
    id.counter.wrapping_add(id.origin.0.wrapping_mul(37)) as usize % SLOTS
}

impl Spreading {
    /// No rumours, among so many peers.
    pub(super) fn new(peers: usize) -> Self {
        Spreading {
            ids: [NOBODY; SLOTS],
            slots: std::array::from_fn(|_| Slot {
                produced: Time::ZERO,
                receipts: 0,
                bits: Vec::new(),
            }),
            words: peers.div_ceil(64),
        }
    }

    /// Whether the peer in this place is known to hold a rumour.
    #[inline]
    pub(super) fn is_held(&self, place: usize, rumour: &Rumour) -> bool {
        let slot = slot_of(rumour.id);
        let word = self.slots[slot].bits.get(place / 64);
        self.ids[slot] == rumour.id && word.is_some_and(|word| word >> (place % 64) & 1 == 1)
    }

    /// Notes that the peer in this place holds a rumour. Of two that want the same bits the one
    /// that was produced last has them.
    pub(super) fn hold(&mut self, place: usize, rumour: &Rumour) {
        let id = &mut self.ids[slot_of(rumour.id)];
        let slot = &mut self.slots[slot_of(rumour.id)];
        if *id != rumour.id {
            if *id != NOBODY && slot.produced >= rumour.produced {
                return;
            }
            *id = rumour.id;
            slot.produced = rumour.produced;
            slot.receipts = 0;
            slot.bits.clear();
        }
        if slot.bits.is_empty() {
            slot.receipts += WORDS_PER_RECEIPT;
            if slot.receipts < self.words {
                return;
            }
            slot.bits.resize(self.words, 0);
        }
        slot.bits[place / 64] |= 1 << (place % 64);
    }

    /// Notes that the peer in this place may hold none of them any more.
    pub(super) fn forget(&mut self, place: usize) {
        for slot in &mut self.slots {
            if let Some(word) = slot.bits.get_mut(place / 64) {
                *word &= !(1 << (place % 64));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rumour(origin: u32, counter: u32, produced: u64) -> Rumour {
        Rumour {
            id: RumourId {
                origin: PeerIndex(origin),
                counter,
            },
            produced: Time::from_ns(produced),
            bytes: 20,
            variant: 0,
            ttl: 4,
            hops: 0,
        }
    }

    #[test]
    fn knows_holders_until_they_forget_or_a_newer_rumour_comes() {
        let mut spreading = Spreading::new(100);
        let old = rumour(3, 1, 10);
        for place in [0, 64, 99] {
            assert!(!spreading.is_held(place, &old));
            spreading.hold(place, &old);
            assert!(spreading.is_held(place, &old) && !spreading.is_held(1, &old));
        }
        spreading.forget(64);
        assert!(!spreading.is_held(64, &old) && spreading.is_held(99, &old));
        // In the same slot: an older one does not have it, a newer one does.
        let older = rumour(3, 1 + SLOTS as u32, 9);
        spreading.hold(5, &older);
        assert!(!spreading.is_held(5, &older) && spreading.is_held(0, &old));
        let newer = rumour(3, 1 + SLOTS as u32, 11);
        spreading.hold(5, &newer);
        assert!(spreading.is_held(5, &newer) && !spreading.is_held(0, &newer));
        assert!(!spreading.is_held(0, &old));
    }

    #[test]
    fn begins_when_enough_peers_have_heard() {
        let peers = 64 * WORDS_PER_RECEIPT * 3;
        let mut spreading = Spreading::new(peers);
        let new = rumour(0, 1, 0);
        for place in [1, 2, 3] {
            assert!(!spreading.is_held(1, &new));
            spreading.hold(place, &new);
        }
        assert!(spreading.is_held(3, &new) && !spreading.is_held(1, &new));
    }
}
