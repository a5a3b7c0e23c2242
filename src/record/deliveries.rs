//! Who received which rumour, when, over how many hops and in how many copies.

use crate::message::{Rumour, RumourId};
use crate::peer::PeerIndex;
use crate::time::Time;

/// The first receipt of a rumour by a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Which rumour.
    pub id: RumourId,
    /// Who received it.
    pub peer: PeerIndex,
    /// When it was produced.
    pub produced: Time,
    /// When the peer first received it.
    pub received: Time,
    /// How many links the first copy had crossed.
    pub hops: u16,
    /// Whether the payload of the first copy was the origin's own.
    pub intact: bool,
    /// How many copies the peer received in all, the first included.
    pub copies: u32,
}

/// What is known of the spread of all rumours.
#[derive(Clone, Debug, Default)]
pub struct Deliveries {
    receipts: Vec<Receipt>,
    produced: Vec<Rumour>,
    rejected: u64,
}

impl Deliveries {
    /// All rumours, in the order in which they were produced.
    pub fn produced(&self) -> &[Rumour] {
        &self.produced
    }

    /// All first receipts, in the order in which they happened.
    pub fn receipts(&self) -> &[Receipt] {
        &self.receipts
    }

    /// How many copies were rejected, since their payload was altered.
    pub fn rejected(&self) -> u64 {
        self.rejected
    }

    /// A peer has rejected a copy whose payload was altered.
    pub(crate) fn reject(&mut self, _peer: PeerIndex, _rumour: &Rumour) {
        self.rejected += 1;
    }

    /// A peer has produced a rumour.
    pub(crate) fn produce(&mut self, rumour: &Rumour) {
        self.produced.push(*rumour);
    }

    /// A peer has received a rumour for the first time; the row under which further copies are
    /// to be counted.
    pub(crate) fn receive(&mut self, peer: PeerIndex, rumour: &Rumour, now: Time) -> u32 {
        self.receipts.push(Receipt {
            id: rumour.id,
            peer,
            produced: rumour.produced,
            received: now,
            hops: rumour.hops,
            intact: rumour.intact(),
            copies: 1,
        });
        (self.receipts.len() - 1) as u32
    }

    /// A peer has received one more copy of what it first received under `row`.
    pub(crate) fn receive_again(&mut self, row: u32) {
        self.receipts[row as usize].copies += 1;
    }
}
