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

/// Why the network lost a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossCause {
    /// By chance, as `network.loss` says.
    Loss,
    /// A partition held between its ends while it travelled.
    Partition,
}

impl LossCause {
    /// All causes.
    pub const ALL: [LossCause; 2] = [LossCause::Loss, LossCause::Partition];

    /// As output files name it.
    pub const fn key(self) -> &'static str {
        match self {
            LossCause::Loss => "loss",
            LossCause::Partition => "partition",
        }
    }
}

/// What became of the messages of one type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages sent, with the second copies of those that the network duplicated.
    pub sent: u64,
    /// Those second copies.
    pub duplicated: u64,
    /// Messages handled by their receiver.
    pub delivered: u64,
    /// Messages dropped by their receiver, by cause in the order of [`DropCause::ALL`].
    pub dropped_by_cause: [u64; 3],
    /// Messages lost in the network, by cause in the order of [`LossCause::ALL`].
    pub lost_by_cause: [u64; 2],
    /// Bytes of the messages sent, with those of second copies.
    pub bytes_sent: u64,
    /// Bytes of the second copies.
    pub bytes_duplicated: u64,
    /// Bytes of the messages delivered.
    pub bytes_delivered: u64,
}

impl Counts {
    /// Messages dropped by their receiver, for whatever cause.
    pub fn dropped(&self) -> u64 {
        self.dropped_by_cause.iter().sum()
    }

    /// Messages lost in the network, for whatever cause.
    pub fn lost(&self) -> u64 {
        self.lost_by_cause.iter().sum()
    }

    /// Messages still on their way: sent, but neither delivered nor dropped nor lost.
    pub fn in_flight(&self) -> u64 {
        self.sent - self.delivered - self.dropped() - self.lost()
    }

    /// Adds the counts of another type.
    pub fn add(&mut self, other: &Counts) {
        self.sent += other.sent;
        self.delivered += other.delivered;
        self.duplicated += other.duplicated;
        self.bytes_sent += other.bytes_sent;
        self.bytes_duplicated += other.bytes_duplicated;
        self.bytes_delivered += other.bytes_delivered;
        for (sum, count) in self.dropped_by_cause.iter_mut().zip(other.dropped_by_cause) {
            *sum += count;
        }
        for (sum, count) in self.lost_by_cause.iter_mut().zip(other.lost_by_cause) {
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

    /// Adds the counts of other peers.
    pub(super) fn absorb(&mut self, other: &Traffic) {
        for (counts, others) in self.0.iter_mut().zip(&other.0) {
            counts.add(others);
        }
    }

    /// So many messages of `bytes` bytes each.
    #[inline]
    pub(crate) fn sent(&mut self, kind: MessageType, bytes: u32, count: u64) {
        let counts = &mut self.0[kind.as_usize()];
        counts.sent += count;
        counts.bytes_sent += count * u64::from(bytes);
    }

    #[inline]
    pub(crate) fn delivered(&mut self, kind: MessageType, bytes: u32) {
        let counts = &mut self.0[kind.as_usize()];
        counts.delivered += 1;
        counts.bytes_delivered += u64::from(bytes);
    }

    /// A second copy of a message; it is sent, too.
    pub(crate) fn duplicated(&mut self, kind: MessageType, bytes: u32) {
        self.sent(kind, bytes, 1);
        let counts = &mut self.0[kind.as_usize()];
        counts.duplicated += 1;
        counts.bytes_duplicated += u64::from(bytes);
    }

    pub(crate) fn lost(&mut self, kind: MessageType, cause: LossCause) {
        self.0[kind.as_usize()].lost_by_cause[cause as usize] += 1;
    }

    pub(crate) fn dropped(&mut self, kind: MessageType, cause: DropCause) {
        self.0[kind.as_usize()].dropped_by_cause[cause as usize] += 1;
    }
}
