//! Conditions: what the network does to messages besides delaying them. It loses some, delivers
//! some twice, and lets none across a partition.

use super::loss::{Bursts, LossTable};
use super::partition::Partitions;
use crate::peer::LocationIndex;
use crate::random::{Purpose, Stream};
use crate::time::Time;

/// What the network does to messages besides delaying them.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    /// Loss by location, each law serving both directions unless the other has its own.
    pub loss: LossTable,
    /// With which probability a second copy of a message is delivered, 0 to 1.
    pub duplication: f64,
    /// Between whom nothing passes, and when.
    pub partitions: Partitions,
}

/// What the conditions keep for each sender: its streams, and the channels it sends through.
///
/// What concerns second copies is drawn from a stream of its own, so that duplication leaves the
/// fate of the first copies as it is.
#[derive(Clone, Debug)]
pub struct SenderConditions {
    loss: Stream,
    /// Draws whether there is a second copy, and all that concerns it.
    pub duplicates: Stream,
    bursts: Bursts,
}

impl SenderConditions {
    /// For a peer, by its id.
    pub fn new(seed: u64, peer: u64) -> Self {
        SenderConditions {
            loss: Stream::new(seed, peer, Purpose::Loss),
            duplicates: Stream::new(seed, peer, Purpose::Duplication),
            bursts: Bursts::new(),
        }
    }
}

/// Which of a message's copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replica {
    /// The one that the peer sent.
    First,
    /// The one that the network adds.
    Second,
}

impl Conditions {
    /// Whether the network delivers a second copy of a message.
    pub fn duplicates(&self, sender: &mut SenderConditions) -> bool {
        self.duplication > 0.0 && sender.duplicates.unit() < self.duplication
    }

    /// Whether chance loses a copy of a message that left the uplink at `departure`.
    pub fn loses(
        &self,
        replica: Replica,
        from: LocationIndex,
        to: LocationIndex,
        departure: Time,
        sender: &mut SenderConditions,
    ) -> bool {
        let stream = match replica {
            Replica::First => &mut sender.loss,
            Replica::Second => &mut sender.duplicates,
        };
        self.loss
            .loses(from, to, departure, &mut sender.bursts, stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{GilbertElliott, Loss, LossState};

    /// Which of 1,000 messages are lost, each a millisecond after the last.
    fn lost(conditions: &Conditions) -> (Vec<bool>, u32) {
        let here = LocationIndex(0);
        let mut sender = SenderConditions::new(1, 1);
        let mut copies_lost = 0;
        let lost = (0..1000_u64)
            .map(|ms| {
                let now = Time::from_ns(ms * 1_000_000);
                let lost = conditions.loses(Replica::First, here, here, now, &mut sender);
                if conditions.duplicates(&mut sender) {
                    let lost = conditions.loses(Replica::Second, here, here, now, &mut sender);
                    copies_lost += u32::from(lost);
                }
                lost
            })
            .collect();
        (lost, copies_lost)
    }

    #[test]
    fn second_copies_leave_the_first_as_they_are() {
        let state = |loss, ms: u64| LossState {
            loss,
            mean: Time::from_ns(ms * 1_000_000),
        };
        let bursty = Loss::Bursty(GilbertElliott {
            good: state(0.1, 20),
            bad: state(0.8, 10),
        });
        for law in [Loss::Independent(0.2), bursty] {
            let mut conditions = Conditions {
                loss: LossTable::new(1),
                ..Conditions::default()
            };
            conditions.loss.set_default(law);
            let without = lost(&conditions);
            conditions.duplication = 0.5;
            let with = lost(&conditions);
            assert_eq!(with.0, without.0);
            assert!(without.1 == 0 && with.1 > 50);
        }
    }
}
