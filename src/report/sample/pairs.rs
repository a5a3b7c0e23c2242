//! Latencies pair by pair, for charts: the law, and draws as messages get them.

use super::{Latencies, Series};
use crate::distribution::Distribution;
use crate::report::histogram::Statistics;
use crate::simulation::Plan;

/// More locations than this are left out.
const LOCATIONS_MAX: usize = 8;

/// The latency between two locations.
pub(in crate::report) struct LatencyPair {
    /// `LocA to LocB`; `LocA and LocB` where one law serves both directions.
    pub title: String,
    /// Its locations.
    pub from: String,
    pub to: String,
    /// Whether the same law serves both directions.
    pub both_ways: bool,
    pub law: Distribution,
    /// What is less is raised to this.
    pub floor_ms: f64,
    /// `round trip`, and as a column `round_trip_ms`.
    pub measures: &'static str,
    pub column: &'static str,
    series: Series,
}

impl LatencyPair {
    /// Statistics of so many draws, each raised to the floor.
    pub fn statistics(&self, count: u64) -> Statistics {
        let mut statistics = Statistics::default();
        // Latencies are drawn without fail; an error would only end the draws early.
        let _ = self.series.clone().draw(count, |_, block| {
            let raised: Vec<f64> = block.iter().map(|draw| draw.max(self.floor_ms)).collect();
            statistics.add(&raised);
            Ok(())
        });
        statistics.finish();
        statistics
    }
}

/// All pairs that the scenario says something about, row by row, and how many more are left out
/// since there are so many locations.
pub(in crate::report) fn latency_pairs(plan: &Plan) -> (Vec<LatencyPair>, u64) {
    let all = Latencies::all(plan);
    let shown = all.at_most(LOCATIONS_MAX);
    let floor_ms = all.table.delay_min().as_ms() / all.table.share_paid();
    let (measures, column) = all.meaning();
    let law = |from: usize, to: usize| all.series(from, to).map(|series| series.law.to_string());
    let both_ways = |from, to| from != to && law(from, to) == law(to, from);
    let count = |latencies: &Latencies| {
        let pairs = latencies.pairs();
        pairs
            .filter(|&(from, to, _)| from <= to || !both_ways(from, to))
            .count()
    };
    let left_out = (count(&all) - count(&shown)) as u64;
    let pairs = shown
        .pairs()
        .filter(|&(from, to, _)| from <= to || !both_ways(from, to))
        .map(|(from, to, series)| LatencyPair {
            title: match both_ways(from, to) {
                true => series.title.replacen(" to ", " and ", 1),
                false => series.title.clone(),
            },
            from: plan.locations[from].clone(),
            to: plan.locations[to].clone(),
            both_ways: both_ways(from, to),
            law: series.law.clone(),
            floor_ms,
            measures,
            column,
            series,
        })
        .collect();
    (pairs, left_out)
}
