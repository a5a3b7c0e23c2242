//! The contents of messages on their way, and of the rumours that peers hold: each stored once
//! for all that have it in common.

use crate::message::{HEADER_BYTES, Payload, Rumour};

/// The body of a message without content, [`HEADER_BYTES`] long: it takes no parcel.
pub(super) const EMPTY: u32 = 0;
/// The body of a Hello that answers a Hello; like [`EMPTY`] otherwise.
pub(super) const ANSWER: u32 = 1;
/// The least body of a message with content.
pub(super) const FIRST_PARCEL: u32 = 2;

/// So many bodies of rumours are looked at for one that is stored already.
const LATEST: usize = 1024;

struct Parcel {
    payload: Payload,
    bytes: u32,
    /// How many messages on their way, and peers, have this content.
    copies: u32,
}

/// Contents by their bodies.
pub(super) struct Contents {
    parcels: Vec<Parcel>,
    /// Bodies that may be used again.
    free: Vec<u32>,
    /// The body that a rumour was last stored under, by a hash of it.
    latest: Vec<u32>,
}

impl Default for Contents {
    fn default() -> Self {
        Contents {
            parcels: Vec::new(),
            free: Vec::new(),
            latest: vec![EMPTY; LATEST],
        }
    }
}

impl Contents {
    /// Whether a message with this body has no content.
    #[inline]
    pub(super) fn is_empty(body: u32) -> bool {
        body < FIRST_PARCEL
    }

    /// Keeps the content of so many messages, at least one, until each is taken; under which body.
    #[inline]
    pub(super) fn store(&mut self, payload: Payload, bytes: u32, copies: u32) -> u32 {
        match payload {
            Payload::Empty if bytes == HEADER_BYTES => EMPTY,
            Payload::Rumour(rumour) => self.store_rumour(rumour, bytes, copies),
            _ => self.store_apart(payload, bytes, copies),
        }
    }

    /// Keeps a rumour that a peer holds until it is let go of; under which body.
    pub(super) fn hold(&mut self, rumour: &Rumour) -> u32 {
        self.store_rumour(*rumour, 0, 1)
    }

    /// Whoever relays a rumour over as many links sends the same content. Stored once it stays in
    /// the cache; once for each relay it would not.
    fn store_rumour(&mut self, rumour: Rumour, bytes: u32, copies: u32) -> u32 {
        let hash = (rumour.id.origin.0 ^ rumour.id.counter).wrapping_mul(16);
        let latest = (hash ^ u32::from(rumour.hops)) as usize % LATEST;
        let body = self.latest[latest];
        if let Some(parcel) = self.parcel(body)
            && matches!(&parcel.payload, Payload::Rumour(stored) if *stored == rumour)
            && (parcel.bytes == bytes || bytes == 0)
            && let Some(sum) = parcel.copies.checked_add(copies)
        {
            parcel.copies = sum;
            return body;
        }
        let body = self.store_apart(Payload::Rumour(rumour), bytes, copies);
        self.latest[latest] = body;
        body
    }

    fn store_apart(&mut self, payload: Payload, bytes: u32, copies: u32) -> u32 {
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

    #[inline]
    fn parcel(&mut self, body: u32) -> Option<&mut Parcel> {
        let place = body.checked_sub(FIRST_PARCEL)?;
        Some(&mut self.parcels[place as usize])
    }

    /// How many bytes the message with this body has.
    #[inline]
    pub(super) fn bytes(&self, body: u32) -> u32 {
        match body.checked_sub(FIRST_PARCEL) {
            Some(place) => self.parcels[place as usize].bytes,
            None => HEADER_BYTES,
        }
    }

    /// The content under this body.
    pub(super) fn payload(&self, body: u32) -> Payload {
        match body.checked_sub(FIRST_PARCEL) {
            Some(place) => self.parcels[place as usize].payload.clone(),
            None => Payload::Empty,
        }
    }

    /// The rumour under this body, if there is one.
    #[inline]
    pub(super) fn rumour(&self, body: u32) -> Option<&Rumour> {
        let place = body.checked_sub(FIRST_PARCEL)?;
        match self.parcels.get(place as usize)? {
            Parcel {
                payload: Payload::Rumour(rumour),
                ..
            } => Some(rumour),
            _ => None,
        }
    }

    /// One message more has this content.
    pub(super) fn duplicate(&mut self, body: u32) {
        if let Some(parcel) = self.parcel(body) {
            parcel.copies += 1;
        }
    }

    /// Takes the content of a message out; if no other has it, its body may be used again.
    #[inline(always)]
    pub(super) fn take(&mut self, body: u32) -> Payload {
        if Self::is_empty(body) {
            return Payload::Empty;
        }
        // What most contents are, without asking what else there may be to copy.
        if let Some(parcel) = self.parcel(body)
            && parcel.copies > 1
            && let Payload::Rumour(rumour) = parcel.payload
        {
            parcel.copies -= 1;
            return Payload::Rumour(rumour);
        }
        self.take_any(body)
    }

    /// Lets go of a rumour that a message brings if `counted` says so; whether it did.
    #[inline(always)]
    pub(super) fn release_if(&mut self, body: u32, counted: impl FnOnce(&Rumour) -> bool) -> bool {
        let Some(parcel) = self.parcel(body) else {
            return false;
        };
        let Payload::Rumour(rumour) = &parcel.payload else {
            return false;
        };
        if !counted(rumour) {
            return false;
        }
        if parcel.copies > 1 {
            parcel.copies -= 1;
        } else {
            self.take_any(body);
        }
        true
    }

    #[inline(never)]
    fn take_any(&mut self, body: u32) -> Payload {
        let Some(parcel) = self.parcel(body) else {
            return Payload::Empty;
        };
        parcel.copies -= 1;
        if parcel.copies > 0 {
            return parcel.payload.clone();
        }
        let payload = std::mem::take(&mut parcel.payload);
        self.free.push(body);
        payload
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::RumourId;
    use crate::peer::PeerIndex;
    use crate::time::Time;

    fn rumour(counter: u32, hops: u16) -> Rumour {
        Rumour {
            id: RumourId {
                origin: PeerIndex(7),
                counter,
            },
            produced: Time::ZERO,
            bytes: 20,
            variant: 0,
            ttl: 4,
            hops,
        }
    }

    fn is(payload: &Payload, rumour: &Rumour) -> bool {
        matches!(payload, Payload::Rumour(taken) if taken == rumour)
    }

    #[test]
    fn equal_rumours_are_stored_once_while_anyone_has_them() {
        let mut contents = Contents::default();
        let (near, far) = (rumour(1, 1), rumour(1, 2));
        let body = contents.store(Payload::Rumour(near), 270, 2);
        assert_eq!(contents.store(Payload::Rumour(near), 270, 1), body);
        assert_eq!(contents.hold(&near), body);
        let longer = contents.store(Payload::Rumour(near), 271, 1);
        let other = contents.store(Payload::Rumour(far), 270, 1);
        assert!(longer != body && other != body && other != longer);
        assert_eq!((contents.bytes(body), contents.bytes(longer)), (270, 271));
        for _ in 0..4 {
            assert!(is(&contents.take(body), &near));
        }
        assert!(is(&contents.take(other), &far));
        // Both are free, and nobody's content is mistaken for another's.
        let new = rumour(2, 1);
        assert_eq!(contents.store(Payload::Rumour(new), 270, 1), other);
        assert_eq!(contents.store(Payload::Rumour(far), 270, 1), body);
        assert!(is(&contents.take(other), &new) && is(&contents.take(body), &far));
        assert!(is(&contents.take(longer), &near));
    }
}
