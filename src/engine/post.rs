//! The post office of a shard: the queue, the content of messages on their way, and the records.

use super::queue::EventQueue;
use super::service::Rejoin;
use crate::message::{HEADER_BYTES, Payload};
use crate::peer::PeerIndex;
use crate::record::Recorder;

/// What a peer needs to have its messages carried.
pub(super) struct Post {
    pub(super) queue: EventQueue,
    pub(super) recorder: Recorder,
    /// Peers that the handler being run has disconnected from; its peer's services are told
    /// when it returns.
    pub(super) parted: Vec<PeerIndex>,
    /// What a handler being run wants of its peer: acted on when it returns.
    pub(super) switches: Vec<Switch>,
    parcels: Vec<Parcel>,
    free: Vec<u32>,
}

/// A service's wish for its peer to be offline, or no longer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Switch {
    /// The service in this slot keeps the peer offline.
    Offline(u8),
    /// It no longer does.
    Online(u8, Rejoin),
}

struct Parcel {
    payload: Payload,
    bytes: u32,
    /// How many messages on their way have this content.
    copies: u32,
}

/// The body of a message without content, [`HEADER_BYTES`] long: it takes no parcel.
pub(super) const EMPTY: u32 = 0;
/// The body of a Hello that answers a Hello; like [`EMPTY`] otherwise.
pub(super) const ANSWER: u32 = 1;
const FIRST_PARCEL: u32 = 2;

impl Post {
    pub(super) fn new(recorder: Recorder) -> Self {
        Post {
            queue: EventQueue::default(),
            recorder,
            parted: Vec::new(),
            switches: Vec::new(),
            parcels: Vec::new(),
            free: Vec::new(),
        }
    }

    /// Keeps the content of so many messages, at least one, until each is taken; under which body.
    #[inline]
    pub(super) fn store(&mut self, payload: Payload, bytes: u32, copies: u32) -> u32 {
        if matches!(payload, Payload::Empty) && bytes == HEADER_BYTES {
            return EMPTY;
        }
        let parcel = Parcel {
            payload,
            bytes,
            copies,
        };
        match self.free.pop() {
            Some(body) => {
                self.parcels[(body - FIRST_PARCEL) as usize] = parcel;
                body
            }
            None => {
                self.parcels.push(parcel);
                FIRST_PARCEL + (self.parcels.len() - 1) as u32
            }
        }
    }

    /// Whether a message with this body has no content.
    #[inline]
    pub(super) fn is_empty(body: u32) -> bool {
        body < FIRST_PARCEL
    }

    /// How many bytes the message with this body has.
    #[inline]
    pub(super) fn bytes(&self, body: u32) -> u32 {
        match body.checked_sub(FIRST_PARCEL) {
            Some(place) => self.parcels[place as usize].bytes,
            None => HEADER_BYTES,
        }
    }

    /// One message more has this content.
    pub(super) fn duplicate(&mut self, body: u32) {
        if let Some(place) = body.checked_sub(FIRST_PARCEL) {
            self.parcels[place as usize].copies += 1;
        }
    }

    /// Takes the content of a message out; if no other has it, its body may be used again.
    #[inline]
    pub(super) fn take(&mut self, body: u32) -> Payload {
        let Some(place) = body.checked_sub(FIRST_PARCEL) else {
            return Payload::Empty;
        };
        let parcel = &mut self.parcels[place as usize];
        parcel.copies -= 1;
        if parcel.copies > 0 {
            return parcel.payload.clone();
        }
        self.free.push(body);
        std::mem::take(&mut parcel.payload)
    }
}
