//! What scipy lacks and latencies need: truncated, mixed and measured laws.

use std::sync::Arc;

use rand_distr::Distribution as _;

use super::Distribution;
use super::choice::alias_index;
use super::law::Law;
use super::table::InverseTable;
use crate::random::Stream;

/// A truncation that keeps less than this of the mass is refused: too little is known of tails.
const TRUNCATED_MASS_MIN: f64 = 1e-6;
/// A draw that would have to be tried more often than this is taken from a table instead.
const TRIES_MAX: f64 = 12.0;
/// More whole numbers than this are not listed.
const WHOLE_LISTED_MAX: f64 = 1e6;

/// The law of `inner` given that it is from `low` to `high`.
pub(super) fn truncated(inner: &Distribution, low: f64, high: f64) -> Result<Law, String> {
    let before = inner.mass_below(low);
    let mass = inner.mass_at_most(high) - before;
    if mass.is_nan() || mass < TRUNCATED_MASS_MIN {
        return Err(format!(
            "{mass:.1e} of the mass of `{inner}` is from {low} to {high}; at least \
             {TRUNCATED_MASS_MIN:e} must be"
        ));
    }
    let support = (low.max(inner.lower_bound()), high.min(inner.upper_bound()));
    let at_most = {
        let inner = inner.clone();
        move |x: f64| (inner.mass_at_most(x) - before) / mass
    };
    let below = {
        let inner = inner.clone();
        move |x: f64| (inner.mass_below(x) - before) / mass
    };
    let table = {
        let at_most = at_most.clone();
        move || InverseTable::new(&at_most, support, support.0, support.1 - support.0)
    };
    let tries = inner.tries() / mass;
    let law = if let Some(value) = inner.as_constant() {
        Law::new(support, move |_| value, below, (value, 0.0))
    } else if tries <= TRIES_MAX {
        let inner = inner.clone();
        let draw = move |s: &mut Stream| loop {
            let x = inner.sample(s);
            if x >= low && x <= high {
                break x;
            }
        };
        Law::new(support, draw, below, (0.0, 0.0))
            .with_tries(tries)
            .with_moments_by(move || table().moments())
    } else if let Some(first) = inner.first_whole(support.0) {
        let count = (support.1 - first).floor() + 1.0;
        if count > WHOLE_LISTED_MAX {
            return Err(format!(
                "`{inner}` has more than {WHOLE_LISTED_MAX:e} values from {low} to {high}, and \
                 little of its mass"
            ));
        }
        let weights: Vec<f64> = (0..count as usize)
            .map(|k| {
                let x = first + k as f64;
                (inner.mass_at_most(x) - inner.mass_below(x)).max(0.0)
            })
            .collect();
        return Ok(super::laws::listed(first, weights));
    } else {
        let table = table();
        let moments = table.moments();
        Law::new(support, move |s| table.sample(s), below, moments)
    };
    Ok(law.with_at_most(at_most))
}

/// One of several laws, each with its weight.
pub(super) fn mixed(parts: Vec<Distribution>, weights: &[f64]) -> Result<Law, String> {
    let alias = alias_index(weights)?;
    let total: f64 = weights.iter().sum();
    let parts: Arc<[(f64, Distribution)]> = parts
        .into_iter()
        .zip(weights)
        .map(|(part, weight)| (weight / total, part))
        .collect();
    let possible = || parts.iter().filter(|(weight, _)| *weight > 0.0);
    let lower = possible().fold(f64::INFINITY, |low, (_, part)| low.min(part.lower_bound()));
    let upper = possible().fold(f64::NEG_INFINITY, |high, (_, part)| {
        high.max(part.upper_bound())
    });
    let tries = possible().fold(1.0_f64, |most, (_, part)| most.max(part.tries()));
    let sum = |f: fn(&Distribution, f64) -> f64| {
        let parts = Arc::clone(&parts);
        move |x: f64| parts.iter().map(|(weight, part)| weight * f(part, x)).sum()
    };
    let (below, at_most) = (
        sum(Distribution::mass_below),
        sum(Distribution::mass_at_most),
    );
    let for_moments = Arc::clone(&parts);
    let moments = move || {
        let possible = || for_moments.iter().filter(|(weight, _)| *weight > 0.0);
        let mean: f64 = possible().map(|(weight, part)| weight * part.mean()).sum();
        let variance: f64 = possible()
            .map(|(weight, part)| {
                let (off, spread) = (part.mean() - mean, part.std_dev());
                weight * (spread * spread + off * off)
            })
            .sum();
        if mean.is_infinite() {
            (mean, f64::INFINITY)
        } else {
            (mean, variance.sqrt())
        }
    };
    let draw = move |s: &mut Stream| parts[alias.sample(s)].1.sample(s);
    Ok(Law::new((lower, upper), draw, below, (0.0, 0.0))
        .with_at_most(at_most)
        .with_tries(tries)
        .with_moments_by(moments))
}

/// The law of measured values, two or more, ascending: their quantiles, interpolated between
/// neighbours (type 7 of Hyndman and Fan, "Sample quantiles in statistical packages", Amer. Stat.
/// 50, 1996; numpy's default).
pub(super) fn empirical(values: Vec<f64>) -> Law {
    let steps = (values.len() - 1) as f64;
    let mass = (0..values.len())
        .map(|place| place as f64 / steps)
        .collect();
    let support = (values[0], values[values.len() - 1]);
    let table = Arc::new(InverseTable::from_entries(values, mass));
    let moments = table.moments();
    let (below, at_most) = (Arc::clone(&table), Arc::clone(&table));
    Law::new(
        support,
        move |s| table.sample(s),
        move |x| below.mass_below(x),
        moments,
    )
    .with_at_most(move |x| at_most.cdf(x))
}
