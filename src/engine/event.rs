//! Events and their order: the one place that says what happens before what.

use std::cmp::Ordering;

use super::contents::Contents;
use crate::message::MessageType;
use crate::peer::PeerIndex;
use crate::time::Time;

/// What happens to a peer. The order of the variants carries meaning: of two events at the same
/// time and peer, the one whose variant stands first comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The peer comes into being.
    Start,
    /// A message has come in whole and is handled.
    Delivery(MessageType),
    /// A message has reached the peer's downlink and queues for it.
    Arrival(MessageType),
    /// A timer of the peer's service in this slot runs out: after the messages of the same
    /// time, so that a peer is not thought silent when it was heard just now.
    Timer {
        /// Which of the peer's services set it.
        slot: u8,
    },
    /// An alarm of the peer's service in this slot: a timer that runs out even while the peer is
    /// offline.
    Alarm {
        /// Which of the peer's services set it.
        slot: u8,
    },
}

const DELIVERY: u8 = 64;
const ARRIVAL: u8 = 128;
const TIMER: u8 = 192;
const ALARM: u8 = 224;

/// The most services a peer can run.
pub const SERVICES_MAX: usize = 32;

impl Kind {
    #[inline]
    const fn code(self) -> u8 {
        match self {
            Kind::Start => 0,
            Kind::Delivery(kind) => DELIVERY + kind.0,
            Kind::Arrival(kind) => ARRIVAL + kind.0,
            Kind::Timer { slot } => TIMER + slot,
            Kind::Alarm { slot } => ALARM + slot,
        }
    }

    /// The kind with this code.
    #[inline]
    pub(super) const fn of(code: u8) -> Self {
        match code {
            DELIVERY..ARRIVAL => Kind::Delivery(MessageType(code - DELIVERY)),
            ARRIVAL..TIMER => Kind::Arrival(MessageType(code - ARRIVAL)),
            TIMER..ALARM => Kind::Timer { slot: code - TIMER },
            ALARM.. => Kind::Alarm { slot: code - ALARM },
            ..DELIVERY => Kind::Start,
        }
    }
}

/// Something that happens to one peer at one time: 24 bytes, so that a queue of millions stays
/// small; what does not fit lies elsewhere, under `body`.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    time: Time,
    /// Receiver (28 bits), kind (8), sender or timer's tag (28): compared as one number.
    order: u64,
    /// Tells events of the same time and order apart while the queue sorts them.
    count: u32,
    body: u32,
}

const FIELD: u64 = (1 << 28) - 1;

impl Event {
    /// An event for `receiver`. `sender` is the sending peer or, for a timer, its tag.
    #[inline]
    pub fn new(time: Time, receiver: PeerIndex, kind: Kind, sender: u32, body: u32) -> Self {
        debug_assert!(u64::from(receiver.0) <= FIELD && u64::from(sender) <= FIELD);
        Event {
            time,
            order: u64::from(receiver.0) << 36 | u64::from(kind.code()) << 28 | u64::from(sender),
            count: 0,
            body,
        }
    }

    /// When it happens.
    #[inline]
    pub fn time(&self) -> Time {
        self.time
    }

    /// To whom.
    #[inline]
    pub fn receiver(&self) -> PeerIndex {
        PeerIndex((self.order >> 36) as u32)
    }

    /// What.
    #[inline]
    pub fn kind(&self) -> Kind {
        Kind::of(self.code())
    }

    /// What, as a number.
    #[inline]
    pub(super) fn code(&self) -> u8 {
        (self.order >> 28) as u8
    }

    /// The message's sender, or the timer's tag.
    #[inline]
    pub fn sender(&self) -> u32 {
        (self.order & FIELD) as u32
    }

    /// Where the message's content lies.
    #[inline]
    pub fn body(&self) -> u32 {
        self.body
    }

    /// Lets the message's content lie elsewhere.
    #[inline]
    pub(super) fn set_body(&mut self, body: u32) {
        self.body = body;
    }

    /// Whether it is a message with something in it.
    #[inline]
    pub(super) fn has_content(&self) -> bool {
        (DELIVERY..TIMER).contains(&self.code()) && !Contents::is_empty(self.body)
    }

    /// A second copy of a message, on its own way.
    pub(super) fn copied(&self, time: Time) -> Self {
        Event { time, ..*self }
    }

    /// The same message, handled at `time`.
    #[inline]
    pub fn delivered_at(&self, time: Time, kind: MessageType) -> Self {
        Event::new(
            time,
            self.receiver(),
            Kind::Delivery(kind),
            self.sender(),
            self.body,
        )
    }

    /// An event of these parts.
    #[inline]
    pub(super) fn unpacked(time: Time, order: u64, body: u32) -> Self {
        Event {
            time,
            order,
            count: 0,
            body,
        }
    }

    /// The same event with another counter.
    #[inline]
    pub(super) fn counted(self, count: u32) -> Self {
        Event { count, ..self }
    }

    /// Its time; its receiver, kind and sender, in this order, as one number.
    #[inline]
    pub fn time_and_order(&self) -> (Time, u64) {
        (self.time, self.order)
    }

    /// The total order of events: time, receiver, kind, sender; of those that have all this in
    /// common, the ones without a body first; then in the order in which their one sender sent
    /// them. It depends on nothing else, in particular not on which sender came first.
    #[inline]
    fn key(&self) -> (u128, bool, u32) {
        let (time, order, has_body) = self.first_key();
        (
            u128::from(time) << 64 | u128::from(order),
            has_body,
            self.count,
        )
    }

    #[inline]
    fn first_key(&self) -> (u64, u64, bool) {
        (self.time.as_ns(), self.order, self.body != 0)
    }

    /// Whether it comes before `later`, which was queued after it.
    #[inline]
    pub(super) fn precedes(&self, later: &Event) -> bool {
        self.first_key() <= later.first_key()
    }
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Event {}

impl PartialOrd for Event {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Event {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PING: MessageType = MessageType(2);

    #[test]
    fn ties_are_broken_by_receiver_kind_sender_counter() {
        let at = |time, to, kind, from, count| {
            Event::new(Time::from_ns(time), PeerIndex(to), kind, from, 0).counted(count)
        };
        let timer = Kind::Timer { slot: 0 };
        let ordered = [
            at(1, 9, timer, 9, 9),
            at(2, 0, timer, 9, 9),
            at(2, 1, Kind::Start, 9, 9),
            at(2, 1, Kind::Delivery(MessageType::HELLO), 9, 9),
            at(2, 1, Kind::Delivery(PING), 3, 9),
            at(2, 1, Kind::Delivery(PING), 4, 1),
            at(2, 1, Kind::Delivery(PING), 4, 2),
            at(2, 1, Kind::Arrival(MessageType::HELLO), 0, 0),
            at(2, 1, Kind::Timer { slot: 0 }, 1, 0),
            at(2, 1, Kind::Timer { slot: 1 }, 0, 0),
            at(2, 1, Kind::Alarm { slot: 0 }, 0, 0),
        ];
        let mut shuffled = ordered;
        shuffled.reverse();
        shuffled.sort_unstable();
        assert_eq!(shuffled, ordered);
    }

    #[test]
    fn what_is_packed_comes_out_again() {
        for kind in [
            Kind::Start,
            Kind::Delivery(MessageType(63)),
            Kind::Arrival(MessageType(0)),
            Kind::Timer { slot: 31 },
            Kind::Alarm { slot: 31 },
        ] {
            let last = (PeerIndex::LIMIT - 1) as u32;
            let event = Event::new(Time::MAX, PeerIndex(last), kind, last, 6);
            assert_eq!(event.kind(), kind);
            assert_eq!(event.receiver(), PeerIndex(last));
            assert_eq!(event.sender(), last);
            assert_eq!(event.body(), 6);
        }
        assert_eq!(std::mem::size_of::<Event>(), 24);
    }
}
