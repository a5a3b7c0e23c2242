//! When peers came online and went offline.

use crate::peer::PeerIndex;
use crate::time::Time;

/// A peer has come online or gone offline: 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub time: Time,
    /// Who.
    pub peer: PeerIndex,
    /// Whether it is online from then on.
    pub online: bool,
}

/// All changes of a run; every peer begins offline.
#[derive(Clone, Debug, Default)]
pub struct Presence(Vec<Change>);

impl Presence {
    /// All changes in the order of time, then of peers; those of one peer at one time in the
    /// order in which they happened.
    pub fn changes(&self) -> Vec<Change> {
        let mut changes = self.0.clone();
        changes.sort_by_key(|change| (change.time, change.peer));
        changes
    }

    /// Takes over the changes of other peers.
    pub(super) fn absorb(&mut self, mut other: Presence) {
        self.0.append(&mut other.0);
    }

    pub(super) fn change(&mut self, time: Time, peer: PeerIndex, online: bool) {
        self.0.push(Change { time, peer, online });
    }
}
