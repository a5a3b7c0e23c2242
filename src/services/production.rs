//! How many rumours a service produces, as far as it can be known before a run.

use crate::time::Time;

/// How a service produces rumours on one peer: one `after` its start, then one `every` so often
/// on average, until there are `times`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Production {
    /// Time before the first.
    pub after: Time,
    /// Mean time between two; positive.
    pub every: Time,
    /// How many in all.
    pub times: u64,
}

impl Production {
    /// How many it produces before `horizon` on a peer that is there from the start.
    pub fn until(&self, horizon: Time) -> u64 {
        let span = horizon.since(self.after);
        self.times.min(span.as_ns().div_ceil(self.every.as_ns()))
    }

    /// At most how many of these are at any one time no older than `age`.
    pub fn within(&self, age: Time, horizon: Time) -> u64 {
        let young = (age.as_ns() / self.every.as_ns()).saturating_add(1);
        young.min(self.until(horizon))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_ends_with_the_run_or_at_its_limit() {
        let ms = |ms: u64| Time::from_ns(ms * 1_000_000);
        let endless = Production {
            after: ms(1000),
            every: ms(200),
            times: u64::MAX,
        };
        // At 1000, 1200, ..., 1800; what is due at the horizon is no longer handled.
        assert_eq!(endless.until(ms(2000)), 5);
        assert_eq!(endless.until(ms(2001)), 6);
        assert_eq!(endless.until(ms(1000)), 0);
        let limited = Production {
            times: 3,
            ..endless
        };
        assert_eq!(limited.until(ms(2000)), 3);
        // At 1400 those of 1000, 1200 and 1400 are no older than 400 ms.
        assert_eq!(endless.within(ms(400), ms(2000)), 3);
        assert_eq!(endless.within(ms(60_000), ms(2000)), 5);
        assert_eq!(limited.within(ms(60_000), ms(2000)), 3);
    }
}
