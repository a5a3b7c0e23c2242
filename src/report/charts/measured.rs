//! The latencies that a run's messages paid, read from its tables.

use std::collections::BTreeMap;

use super::past_run::{PastRun, ReadError};
use super::table_file::{Block, TableFile};
use crate::record::DelayLaw;
use crate::report::histogram::Statistics;
use crate::report::latencies::{COLUMNS, HISTOGRAM_COLUMNS};
use crate::report::sample::LatencyPair;

/// So many points stand for all messages where their quantiles are wanted.
const POINTS: usize = 4000;

/// What the messages of a run paid, by pair of locations.
pub(in crate::report) struct Measured {
    /// By sender's and receiver's location.
    pairs: BTreeMap<(String, String), Latency>,
    /// On links with a law of their own, all together.
    links: Latency,
}

/// The latencies of some messages, in ms and in the scenario's meaning.
#[derive(Clone, Debug, Default)]
pub(in crate::report) struct Latency {
    pub messages: u64,
    /// How many paid the least that a message can.
    pub at_floor: u64,
    sum_ms: f64,
    pub min_ms: f64,
    pub max_ms: f64,
    /// Classes, ascending: from where, up to where, how many messages.
    classes: Vec<(f64, f64, u64)>,
}

impl Latency {
    pub fn mean_ms(&self) -> f64 {
        self.sum_ms / self.messages.max(1) as f64
    }

    fn add(&mut self, other: &Latency) {
        if other.messages == 0 {
            return;
        }
        (self.min_ms, self.max_ms) = match self.messages {
            0 => (other.min_ms, other.max_ms),
            _ => (self.min_ms.min(other.min_ms), self.max_ms.max(other.max_ms)),
        };
        self.messages += other.messages;
        self.at_floor += other.at_floor;
        self.sum_ms += other.sum_ms;
        self.classes.extend(&other.classes);
        self.classes.sort_by(|a, b| a.0.total_cmp(&b.0));
        // Both have the same classes.
        self.classes.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                kept.2 += later.2;
            }
            same
        });
    }

    /// The value below which the share `p` of the messages lies, within a class linearly.
    fn quantile(&self, p: f64) -> f64 {
        let mut wanted = p * self.messages as f64;
        for &(from, to, count) in &self.classes {
            if wanted <= count as f64 {
                let at = from + (to - from) * wanted / count as f64;
                return at.clamp(self.min_ms, self.max_ms);
            }
            wanted -= count as f64;
        }
        self.max_ms
    }

    /// As statistics of draws, to be shown in the terminal.
    pub fn statistics(&self) -> Statistics {
        let point = |place: usize| self.quantile((place as f64 + 0.5) / POINTS as f64);
        let points: Vec<f64> = (0..POINTS).map(point).collect();
        let mut statistics = Statistics::of(&points);
        statistics.mean = self.mean_ms();
        (statistics.min, statistics.max) = (self.min_ms, self.max_ms);
        statistics
    }

    /// From where to where bars go: a tail that reaches far beyond the middle 99 % is left out.
    pub fn range(&self) -> (f64, f64) {
        let (low, high) = (self.quantile(0.005), self.quantile(0.995));
        let reach = (high - low) / 2.0;
        let start = match self.min_ms < low - reach {
            true => low,
            false => self.min_ms,
        };
        let end = match self.max_ms > high + reach {
            true => high,
            false => self.max_ms,
        };
        (start, end)
    }

    /// Bars about `width` wide, which end where classes do: their edges, and of each bar which
    /// share of the messages it holds for each ms of its width, in per cent.
    pub fn bars(&self, (low, high): (f64, f64), width: f64) -> (Vec<f64>, Vec<f64>) {
        let around = |x: f64| {
            let place = self.classes.partition_point(|&(_, to, _)| to <= x);
            self.classes.get(place).filter(|&&(from, _, _)| from < x)
        };
        let mut last = around(low).map_or(low, |class| class.0);
        let mut edges = vec![last];
        for step in 1..=((high - low) / width).ceil().max(1.0) as usize {
            let aim = (low + step as f64 * width).min(high);
            let edge = around(aim).map_or(aim, |class| class.1);
            if edge > last {
                edges.push(edge);
                last = edge;
            }
        }
        let heights = edges.windows(2).map(|ends| {
            let from = self.classes.partition_point(|class| class.0 < ends[0]);
            let to = self.classes.partition_point(|class| class.1 <= ends[1]);
            let inside = self.classes.get(from..to).unwrap_or_default();
            let count: u64 = inside.iter().map(|class| class.2).sum();
            100.0 * count as f64 / self.messages.max(1) as f64 / (ends[1] - ends[0])
        });
        let heights = heights.collect();
        (edges, heights)
    }
}

impl Measured {
    /// Reads the tables of a run, if it wrote them.
    ///
    /// # Errors
    /// If one is damaged.
    pub fn read(run: &PastRun) -> Result<Option<Self>, ReadError> {
        let table = |name| TableFile::find(&run.folder, name);
        let (Some(figures), Some(histogram)) = (table("latencies")?, table("latency_histogram")?)
        else {
            return Ok(None);
        };
        // Without the scenario nothing is drawn.
        let share_paid = run
            .plan
            .as_ref()
            .map_or(1.0, |plan| plan.latencies.share_paid());
        let shown = |one_way: f64| one_way / share_paid;
        let mut all: BTreeMap<(bool, String, String), Latency> = BTreeMap::new();
        let key = |block: &Block, row: usize| {
            let link = block.text(2, row) == DelayLaw::Link.key();
            (
                link,
                block.text(0, row).to_owned(),
                block.text(1, row).to_owned(),
            )
        };
        figures.read(&COLUMNS, |block| {
            for row in 0..block.rows {
                let messages = block.integers(3)[row];
                let latency = all.entry(key(block, row)).or_default();
                latency.messages = messages;
                latency.at_floor = block.integers(4)[row];
                latency.sum_ms = shown(block.reals(5)[row]) * messages as f64;
                latency.min_ms = shown(block.reals(6)[row]);
                latency.max_ms = shown(block.reals(10)[row]);
            }
        })?;
        histogram.read(&HISTOGRAM_COLUMNS, |block| {
            for row in 0..block.rows {
                let (from, to) = (block.reals(3)[row], block.reals(4)[row]);
                let class = (shown(from), shown(to), block.integers(5)[row]);
                all.entry(key(block, row)).or_default().classes.push(class);
            }
        })?;
        let mut measured = Measured {
            pairs: BTreeMap::new(),
            links: Latency::default(),
        };
        for ((link, from, to), latency) in all {
            match link {
                true => measured.links.add(&latency),
                false => {
                    measured.pairs.insert((from, to), latency);
                }
            }
        }
        Ok(Some(measured))
    }

    /// What messages between two locations paid, in both directions if one law serves both; none
    /// without any message.
    pub fn of(&self, pair: &LatencyPair) -> Option<Latency> {
        let (from, to) = (pair.from.clone(), pair.to.clone());
        let mut sum = Latency::default();
        if pair.both_ways {
            let back = self.pairs.get(&(to.clone(), from.clone()));
            back.into_iter().for_each(|back| sum.add(back));
        }
        let there = self.pairs.get(&(from, to));
        there.into_iter().for_each(|there| sum.add(there));
        (sum.messages > 0).then_some(sum)
    }

    /// What messages on links with a law of their own paid, if there were any.
    pub fn on_links(&self) -> Option<&Latency> {
        Some(&self.links).filter(|links| links.messages > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latency(classes: &[(f64, f64, u64)]) -> Latency {
        Latency {
            messages: classes.iter().map(|class| class.2).sum(),
            at_floor: 0,
            sum_ms: classes.iter().map(|class| class.0 * class.2 as f64).sum(),
            min_ms: classes[0].0,
            max_ms: classes[classes.len() - 1].1,
            classes: classes.to_vec(),
        }
    }

    #[test]
    fn bars_hold_whole_classes() {
        let all = latency(&[(1.0, 1.5, 10), (1.5, 2.0, 30), (4.0, 5.0, 60)]);
        let (edges, heights) = all.bars((1.0, 5.0), 0.7);
        assert_eq!(edges[..3], [1.0, 2.0, 2.4]);
        assert_eq!(edges.last(), Some(&5.0));
        assert!((heights[0] - 40.0).abs() < 1e-9);
        let mass = edges.windows(2).zip(&heights);
        let mass: f64 = mass
            .map(|(ends, height)| (ends[1] - ends[0]) * height)
            .sum();
        assert!((mass - 100.0).abs() < 1e-9, "{edges:?} {heights:?}");
        // One class is one bar, however narrow.
        assert_eq!(all.bars((4.4, 4.5), 0.01).0, [4.0, 5.0]);
    }

    #[test]
    fn quantiles_are_within_their_classes() {
        let all = latency(&[(1.0, 2.0, 10), (2.0, 3.0, 30), (4.0, 5.0, 60)]);
        for (p, value) in [(0.0, 1.0), (0.1, 2.0), (0.25, 2.5), (0.7, 4.5), (1.0, 5.0)] {
            assert!((all.quantile(p) - value).abs() < 1e-9, "{p}");
        }
        assert_eq!(all.range(), (1.0, 5.0));
        let mut twice = all.clone();
        twice.add(&all);
        twice.add(&latency(&[(3.0, 4.0, 1)]));
        assert_eq!((twice.messages, twice.classes.len()), (201, 4));
        assert_eq!(twice.classes[2], (3.0, 4.0, 1));
        assert!((twice.mean_ms() - (2.0 * all.sum_ms + 3.0) / 201.0).abs() < 1e-9);
    }
}
