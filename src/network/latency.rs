//! Latency: what a message between two locations pays.

use crate::distribution::Distribution;
use crate::peer::LocationIndex;
use crate::random::Stream;
use crate::time::Time;

/// What the figures of a latency table mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LatencyMeaning {
    /// The round trip, as `ping` measures it: a message pays half.
    #[default]
    RoundTrip,
    /// The one-way delay.
    OneWay,
}

/// The latency between every two locations, and the floor under every delay.
#[derive(Clone, Debug)]
pub struct LatencyTable {
    locations: usize,
    /// Row by row; `None` where the scenario says nothing and no pair of peers needs it.
    laws: Vec<Option<Distribution>>,
    meaning: LatencyMeaning,
    delay_min: Time,
}

impl LatencyTable {
    /// A table without any law, with `delay_min` the least one-way delay of a message.
    pub fn new(locations: usize, meaning: LatencyMeaning, delay_min: Time) -> Self {
        LatencyTable {
            locations,
            laws: vec![None; locations * locations],
            meaning,
            delay_min,
        }
    }

    /// How many locations it knows.
    #[inline]
    pub fn locations(&self) -> usize {
        self.locations
    }

    fn place(&self, from: LocationIndex, to: LocationIndex) -> usize {
        from.as_usize() * self.locations + to.as_usize()
    }

    /// Sets the law of one direction.
    pub fn set(&mut self, from: LocationIndex, to: LocationIndex, law: Distribution) {
        let place = self.place(from, to);
        self.laws[place] = Some(law);
    }

    /// The law of one direction, in ms, as the scenario gives it.
    pub fn get(&self, from: LocationIndex, to: LocationIndex) -> Option<&Distribution> {
        self.laws[self.place(from, to)].as_ref()
    }

    /// Lets each law that is given in one direction only serve both.
    pub fn fill_symmetrically(&mut self) {
        for row in 0..self.locations {
            for column in 0..self.locations {
                if self.laws[row * self.locations + column].is_none() {
                    self.laws[row * self.locations + column] =
                        self.laws[column * self.locations + row].clone();
                }
            }
        }
    }

    /// What the figures mean.
    pub fn meaning(&self) -> LatencyMeaning {
        self.meaning
    }

    /// The least one-way delay of a message.
    pub fn delay_min(&self) -> Time {
        self.delay_min
    }

    /// The least one-way delay that a message can have by any law of the table or of `others`.
    pub fn lower_bound<'a>(&'a self, others: impl Iterator<Item = &'a Distribution>) -> Time {
        let laws = self.laws.iter().flatten().chain(others);
        let bounds = laws.map(|law| Time::from_ms_clamped(law.lower_bound() * self.share_paid()));
        let least = bounds.min().unwrap_or_default().as_ns();
        // A draw may be rounded to a little below its law's bound.
        Time::from_ns(least - least.div_ceil(1 << 20)).max(self.delay_min)
    }

    /// How much of a drawn figure, in ms, a message pays.
    pub fn share_paid(&self) -> f64 {
        match self.meaning {
            LatencyMeaning::RoundTrip => 0.5,
            LatencyMeaning::OneWay => 1.0,
        }
    }

    /// Draws the one-way delay of a message; never less than the floor.
    #[inline]
    pub fn draw(&self, from: LocationIndex, to: LocationIndex, stream: &mut Stream) -> Time {
        let mut delay = [Time::ZERO];
        self.draw_all(from, to, stream, &mut delay);
        delay[0]
    }

    /// Draws the one-way delays of several messages; never less than the floor.
    ///
    /// A pair without a law pays the floor: a scenario in which such a pair is needed has been
    /// refused before.
    #[inline(always)]
    pub fn draw_all(
        &self,
        from: LocationIndex,
        to: LocationIndex,
        stream: &mut Stream,
        delays: &mut [Time],
    ) {
        let Some(law) = &self.laws[self.place(from, to)] else {
            debug_assert!(false, "no latency between {from:?} and {to:?}");
            return delays.fill(self.delay_min);
        };
        let (share, least) = (self.share_paid(), self.delay_min);
        law.sample_each(stream, delays, |delay, drawn| {
            *delay = Time::from_ms_at_least(drawn * share, least);
        });
    }

    /// Draws the one-way delay of a message whose latency has this law; never less than the floor.
    #[inline]
    pub fn draw_from(&self, law: &Distribution, stream: &mut Stream) -> Time {
        Time::from_ms_at_least(law.sample(stream) * self.share_paid(), self.delay_min)
    }
}
