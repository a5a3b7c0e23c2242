//! Loss: with which probability the network loses a message, by the locations of its ends;
//! independently for each message, or in bursts.

use std::collections::BTreeMap;

use crate::peer::LocationIndex;
use crate::random::Stream;
use crate::time::Time;

/// How messages are lost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loss {
    /// Each with this probability, whatever happens to the others.
    Independent(f64),
    /// In bursts.
    Bursty(GilbertElliott),
}

/// A channel that is in a good or in a bad state, and loses messages with the probability of the
/// state it is in (Gilbert 1960, "Capacity of a burst-noise channel"; Elliott 1963, "Estimates of
/// error rates for codes on burst-noise channels").
///
/// It is their two-state Markov chain in continuous time: it stays in a state for an exponential
/// time of the state's mean, so that bursts last as long however often a peer sends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GilbertElliott {
    /// The state that loses few messages.
    pub good: LossState,
    /// The state that loses many.
    pub bad: LossState,
}

/// One of the two states of a [`GilbertElliott`] channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossState {
    /// With which probability a message is lost, 0 to 1.
    pub loss: f64,
    /// How long the state lasts on average; above 0.
    pub mean: Time,
}

/// The state that a peer last found a channel in, and when.
#[derive(Clone, Copy, Debug)]
pub struct Burst {
    bad: bool,
    at: Time,
}

impl GilbertElliott {
    /// The share of time that the channel is bad: b / (g + b), with the means g and b.
    pub fn bad_share(&self) -> f64 {
        let (good, bad) = (self.good.mean.as_ms(), self.bad.mean.as_ms());
        bad / (good + bad)
    }

    /// The share of messages lost in the long run.
    pub fn mean_loss(&self) -> f64 {
        let bad = self.bad_share();
        bad * self.bad.loss + (1.0 - bad) * self.good.loss
    }

    /// The probability that the channel is bad, `since` after it was found in a state, or with
    /// nothing known of it:
    /// P(bad) = pi + (1{bad before} - pi) e^(-(1/g + 1/b) t), where pi = b / (g + b).
    pub fn bad_probability(&self, before: Option<bool>, since: Time) -> f64 {
        let share = self.bad_share();
        let Some(bad) = before else {
            return share;
        };
        let start = if bad { 1.0 } else { 0.0 };
        if since == Time::ZERO {
            return start;
        }
        let rate = 1.0 / self.good.mean.as_ms() + 1.0 / self.bad.mean.as_ms();
        share + (start - share) * libm::exp(-rate * since.as_ms())
    }

    /// Brings the channel to `now` and says with which probability a message is lost there.
    fn advance(&self, burst: &mut Option<Burst>, now: Time, stream: &mut Stream) -> f64 {
        let since = burst.map_or(Time::ZERO, |burst| now.since(burst.at));
        let probability = self.bad_probability(burst.map(|burst| burst.bad), since);
        let bad = stream.unit() < probability;
        *burst = Some(Burst { bad, at: now });
        if bad { self.bad.loss } else { self.good.loss }
    }
}

/// How messages are lost between every two locations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LossTable {
    locations: usize,
    /// Row by row, places in `laws`; empty where no pair has a law of its own.
    cells: Vec<Option<u32>>,
    laws: Vec<Loss>,
    /// The law of all other pairs.
    default: Option<u32>,
}

/// The channels of one sender: each bursty law it sends under is in a state of its own.
pub type Bursts = BTreeMap<u32, Option<Burst>>;

impl LossTable {
    /// A table for so many locations, in which nothing is lost.
    pub fn new(locations: usize) -> Self {
        LossTable {
            locations,
            ..LossTable::default()
        }
    }

    fn add(&mut self, law: Loss) -> u32 {
        self.laws.push(law);
        (self.laws.len() - 1) as u32
    }

    /// Sets the law of the pairs that have none of their own.
    pub fn set_default(&mut self, law: Loss) {
        self.default = Some(self.add(law));
    }

    /// Sets the law of one direction of a pair.
    pub fn set(&mut self, from: LocationIndex, to: LocationIndex, law: Loss) {
        let added = self.add(law);
        if self.cells.is_empty() {
            self.cells = vec![None; self.locations * self.locations];
        }
        self.cells[from.as_usize() * self.locations + to.as_usize()] = Some(added);
    }

    /// Lets each law that is given in one direction only serve both.
    pub fn fill_symmetrically(&mut self) {
        if self.cells.is_empty() {
            return;
        }
        for row in 0..self.locations {
            for column in 0..self.locations {
                if self.cells[row * self.locations + column].is_none() {
                    self.cells[row * self.locations + column] =
                        self.cells[column * self.locations + row];
                }
            }
        }
    }

    /// Whether it has no law at all.
    pub fn is_empty(&self) -> bool {
        self.laws.is_empty()
    }

    /// The laws that were set, that of all other pairs included.
    pub fn laws(&self) -> &[Loss] {
        &self.laws
    }

    /// The law of the pairs that have none of their own.
    pub fn default_law(&self) -> Option<Loss> {
        self.default.map(|law| self.laws[law as usize])
    }

    /// The law that was set for one direction of a pair.
    pub fn get(&self, from: LocationIndex, to: LocationIndex) -> Option<Loss> {
        self.cell(from, to).map(|law| self.laws[law as usize])
    }

    #[inline]
    fn cell(&self, from: LocationIndex, to: LocationIndex) -> Option<u32> {
        let place = from.as_usize() * self.locations + to.as_usize();
        self.cells.get(place).copied().flatten()
    }

    /// Whether a message that leaves for `to` at `now` is lost. A sender asks in ascending order
    /// of `now`.
    #[inline]
    pub fn loses(
        &self,
        from: LocationIndex,
        to: LocationIndex,
        now: Time,
        bursts: &mut Bursts,
        stream: &mut Stream,
    ) -> bool {
        let Some(place) = self.cell(from, to).or(self.default) else {
            return false;
        };
        let probability = match &self.laws[place as usize] {
            Loss::Independent(probability) => *probability,
            Loss::Bursty(channel) => channel.advance(bursts.entry(place).or_default(), now, stream),
        };
        stream.unit() < probability
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    const HERE: LocationIndex = LocationIndex(0);
    const THERE: LocationIndex = LocationIndex(1);

    fn ms(ms: u64) -> Time {
        Time::from_ns(ms * 1_000_000)
    }

    fn channel() -> GilbertElliott {
        GilbertElliott {
            good: LossState {
                loss: 0.0,
                mean: ms(900),
            },
            bad: LossState {
                loss: 1.0,
                mean: ms(100),
            },
        }
    }

    /// Which of `count` messages are lost, one sent every `step`.
    fn losses(law: Loss, step: Time, count: u64) -> Vec<bool> {
        let mut table = LossTable::new(1);
        table.set_default(law);
        let mut stream = Stream::new(1, 1, Purpose::Loss);
        let mut bursts = Bursts::new();
        (0..count)
            .map(|place| {
                let now = Time::from_ns(place * step.as_ns());
                table.loses(HERE, HERE, now, &mut bursts, &mut stream)
            })
            .collect()
    }

    fn share(lost: &[bool]) -> f64 {
        lost.iter().filter(|&&lost| lost).count() as f64 / lost.len() as f64
    }

    #[test]
    fn the_share_lost_is_the_probability() {
        for probability in [0.0, 0.01, 0.3, 1.0] {
            let found = share(&losses(Loss::Independent(probability), ms(1), 200_000));
            // Five standard deviations of a share.
            let tolerance = 5.0 * (probability * (1.0 - probability) / 200_000.0).sqrt();
            assert!(
                (found - probability).abs() <= tolerance,
                "{probability}: {found}"
            );
        }
    }

    /// However often messages are sent, a tenth of the time is bad and a bad stay lasts 100 ms.
    #[test]
    fn bursts_are_as_long_as_said() {
        for step in [1, 10] {
            let lost = losses(Loss::Bursty(channel()), ms(step), 2_000_000);
            let found = share(&lost);
            // The variance of a share of the time T is 2 pi (1 - pi) tau / T, where tau is the
            // time in which the chain forgets; five standard deviations.
            let (tau, whole) = (90.0, (step * 2_000_000) as f64);
            let tolerance = 5.0 * (2.0 * 0.1 * 0.9 * tau / whole).sqrt();
            assert!((found - 0.1).abs() < tolerance, "every {step} ms: {found}");
            let bursts = lost.windows(2).filter(|pair| !pair[0] && pair[1]).count() as f64;
            let length = found * lost.len() as f64 / bursts;
            // Sampled every d the chain leaves the bad state with p = (1 - pi)(1 - e^(-d / tau)),
            // and a run of losses is geometric with mean 1 / p.
            let leave = 0.9 * (1.0 - (-(step as f64) / tau).exp());
            assert!(
                (length * leave - 1.0).abs() < 5.0 / bursts.sqrt(),
                "every {step} ms: runs of {length}, expected {}",
                1.0 / leave
            );
        }
    }

    /// The correlation of losses a time t apart is e^(-(1/g + 1/b) t).
    #[test]
    fn losses_are_correlated_as_the_chain_is() {
        let lost = losses(Loss::Bursty(channel()), ms(20), 1_000_000);
        let mean = share(&lost);
        for lag in [1_usize, 3, 10] {
            let both = lost.iter().zip(&lost[lag..]).filter(|(a, b)| **a && **b);
            let both = both.count() as f64 / (lost.len() - lag) as f64;
            let found = (both - mean * mean) / (mean * (1.0 - mean));
            let expected = (-(1.0 / 900.0 + 1.0 / 100.0) * 20.0 * lag as f64).exp();
            assert!((found - expected).abs() < 0.02, "lag {lag}: {found}");
        }
    }

    #[test]
    fn the_chain_forgets_where_it_began() {
        let channel = channel();
        assert_eq!(channel.bad_probability(Some(true), Time::ZERO), 1.0);
        assert_eq!(channel.bad_probability(Some(false), Time::ZERO), 0.0);
        assert_eq!(channel.bad_probability(None, Time::ZERO), 0.1);
        let late = channel.bad_probability(Some(true), ms(100_000));
        assert!((late - 0.1).abs() < 1e-12);
        assert!((channel.mean_loss() - 0.1).abs() < 1e-12);
    }

    #[test]
    fn a_law_of_one_direction_serves_both() {
        let mut table = LossTable::new(2);
        table.set(HERE, THERE, Loss::Independent(1.0));
        table.set_default(Loss::Independent(0.0));
        let mut stream = Stream::new(1, 1, Purpose::Loss);
        let mut loses = |table: &LossTable, from, to| {
            table.loses(from, to, ms(1), &mut Bursts::new(), &mut stream)
        };
        assert!(!loses(&table, THERE, HERE));
        table.fill_symmetrically();
        assert!(loses(&table, THERE, HERE) && loses(&table, HERE, THERE));
        assert!(!loses(&table, HERE, HERE) && !loses(&table, THERE, THERE));
    }
}
