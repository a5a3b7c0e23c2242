//! A link: the queue, first in first out, in front of a peer's uplink or downlink.

use crate::time::Time;

/// Whether bandwidth limits a direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LinkMode {
    /// Messages queue for the link and take size * 8 / bandwidth on it.
    #[default]
    Limited,
    /// Messages pass at once, whatever their size.
    Unlimited,
}

/// The queue of one direction of a peer's access link.
#[derive(Clone, Copy, Debug, Default)]
pub struct Link {
    /// When the last byte queued so far has passed.
    free_at: Time,
}

impl Link {
    /// When the last byte queued so far has passed.
    #[inline]
    pub fn free_at(&self) -> Time {
        self.free_at
    }

    /// Queues `bytes` at `now` for a link of `bandwidth` bits per second, which must be positive,
    /// and returns when the last of them has passed.
    #[inline]
    pub fn pass(&mut self, now: Time, bytes: u32, bandwidth: f64) -> Time {
        let start = self.free_at.max(now);
        // Past the clock's end nothing is ever handled, so saturating is enough.
        let taken = (8e9 / bandwidth * f64::from(bytes) + 0.5) as i64 as u64;
        self.free_at = Time::from_ns(start.as_ns().saturating_add(taken).min(Time::MAX.as_ns()));
        self.free_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_leave_first_in_first_out() {
        // 8 Mbit/s: one byte a microsecond.
        let mut link = Link::default();
        assert_eq!(link.pass(Time::ZERO, 24, 8e6), Time::from_ns(24_000));
        assert_eq!(
            link.pass(Time::from_ns(1_000), 250, 8e6),
            Time::from_ns(274_000)
        );
        assert_eq!(
            link.pass(Time::from_ns(500_000), 1, 8e6),
            Time::from_ns(501_000)
        );
    }
}
