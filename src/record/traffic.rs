//! Counts of messages and bytes by message type and by what came of them.

use crate::message::MessageType;

/// Why a message was dropped by its receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropCause {
    /// The receiver was offline.
    Offline,
    /// The receiver was not connected to the sender (any more).
    NotConnected,
    /// No service of the receiver handles the message's type.
    Unhandled,
}

impl DropCause {
    /// All causes.
    pub const ALL: [DropCause; 3] = [
        DropCause::Offline,
        DropCause::NotConnected,
        DropCause::Unhandled,
    ];

    /// As output files name it.
    pub const fn key(self) -> &'static str {
        match self {
            DropCause::Offline => "offline",
            DropCause::NotConnected => "not_connected",
            DropCause::Unhandled => "unhandled",
        }
    }
}

/// What became of the messages of one type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages sent.
    pub sent: u64,
    /// Messages handled by their receiver.
    pub delivered: u64,
    /// Messages dropped by their receiver, by cause in the order of [`DropCause::ALL`].
    pub dropped_by_cause: [u64; 3],
    /// Messages lost in the network.
    pub lost: u64,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Bytes of the messages delivered.
    pub bytes_delivered: u64,
}

impl Counts {
    /// Messages dropped by their receiver, for whatever cause.
    pub fn dropped(&self) -> u64 {
        self.dropped_by_cause.iter().sum()
    }

    /// Messages still on their way: sent, but neither delivered nor dropped nor lost.
    pub fn in_flight(&self) -> u64 {
        self.sent - self.delivered - self.dropped() - self.lost
    }

    /// Adds the counts of another type.
    pub fn add(&mut self, other: &Counts) {
        self.sent += other.sent;
        self.delivered += other.delivered;
        self.lost += other.lost;
        self.bytes_sent += other.bytes_sent;
        self.bytes_delivered += other.bytes_delivered;
        for (sum, count) in self.dropped_by_cause.iter_mut().zip(other.dropped_by_cause) {
            *sum += count;
        }
    }
}

/// What became of all messages, by type.
#[derive(Clone, Debug)]
pub struct Traffic([Counts; MessageType::LIMIT]);

impl Default for Traffic {
    fn default() -> Self {
        Traffic([Counts::default(); MessageType::LIMIT])
    }
}

impl Traffic {
    /// The counts of one type.
    pub fn of(&self, kind: MessageType) -> &Counts {
        &self.0[kind.as_usize()]
    }

    /// The counts of all types together.
    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        for counts in &self.0 {
            total.add(counts);
        }
        total
    }

    /// Messages still on their way.
    pub fn in_flight(&self) -> u64 {
        self.total().in_flight()
    }

    #[inline]
    pub(crate) fn sent(&mut self, kind: MessageType, bytes: u32) {
        let counts = &mut self.0[kind.as_usize()];
        counts.sent += 1;
        counts.bytes_sent += u64::from(bytes);
    }

    #[inline]
    pub(crate) fn delivered(&mut self, kind: MessageType, bytes: u32) {
        let counts = &mut self.0[kind.as_usize()];
        counts.delivered += 1;
        counts.bytes_delivered += u64::from(bytes);
    }

    pub(crate) fn dropped(&mut self, kind: MessageType, cause: DropCause) {
        self.0[kind.as_usize()].dropped_by_cause[cause as usize] += 1;
    }
}
