//! Counts of what became of connections, by cause.

/// Something that happens to a connection, as one of its ends sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionEvent {
    /// The peer sent Hello for the first time to another.
    Dialled,
    /// The peer sent Hello to one that it was connected to, or had tried to reach, before.
    Redialled,
    /// The connection was made.
    Connected,
    /// The peer refused an offer.
    Refused,
    /// The peer gave up dialling: no answer came in time, or it went offline.
    Unanswered,
    /// The other end refused.
    RefusedByOther,
    /// The peer ended it: nothing was heard for too long.
    Silent,
    /// The peer ended it: it had too many, and this was among the slowest.
    Slow,
    /// The peer ended it for a reason of its service's own.
    Ended,
    /// The other end's Goodbye arrived.
    EndedByOther,
    /// The peer went offline.
    Offline,
}

impl ConnectionEvent {
    /// All events.
    pub const ALL: [ConnectionEvent; 11] = [
        ConnectionEvent::Dialled,
        ConnectionEvent::Redialled,
        ConnectionEvent::Connected,
        ConnectionEvent::Refused,
        ConnectionEvent::Unanswered,
        ConnectionEvent::RefusedByOther,
        ConnectionEvent::Silent,
        ConnectionEvent::Slow,
        ConnectionEvent::Ended,
        ConnectionEvent::EndedByOther,
        ConnectionEvent::Offline,
    ];

    /// As output files name it.
    pub const fn key(self) -> &'static str {
        match self {
            ConnectionEvent::Dialled => "dialled",
            ConnectionEvent::Redialled => "redialled",
            ConnectionEvent::Connected => "connected",
            ConnectionEvent::Refused => "refused",
            ConnectionEvent::Unanswered => "unanswered",
            ConnectionEvent::RefusedByOther => "refused_by_other",
            ConnectionEvent::Silent => "silent",
            ConnectionEvent::Slow => "slow",
            ConnectionEvent::Ended => "ended",
            ConnectionEvent::EndedByOther => "ended_by_other",
            ConnectionEvent::Offline => "offline",
        }
    }
}

/// How often each [`ConnectionEvent`] happened; each end of a connection counts for itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectionCounts([u64; ConnectionEvent::ALL.len()]);

impl ConnectionCounts {
    /// How often it happened.
    pub fn of(&self, event: ConnectionEvent) -> u64 {
        self.0[event as usize]
    }

    /// Adds the counts of other peers.
    pub(super) fn absorb(&mut self, other: &ConnectionCounts) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count += more;
        }
    }

    #[inline]
    pub(crate) fn count(&mut self, event: ConnectionEvent) {
        self.0[event as usize] += 1;
    }
}
