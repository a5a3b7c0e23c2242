//! Laws of whole numbers drawn from a list of their probabilities: urns, and sums of trials.

use libm::{exp, expm1, log1p};
use rand_distr::Distribution as _;

use crate::distribution::choice::alias_index;
use crate::distribution::law::{Law, LawSpec, ShapeRange, discrete};
use crate::random::Stream;

const COUNT: ShapeRange = ShapeRange::COUNT;
const P: ShapeRange = ShapeRange::POSITIVE;

/// A list of probabilities longer than this is refused.
const LISTED_MAX: usize = 4_000_000;
/// Probabilities below this part of the largest one are left out.
const NEGLIGIBLE: f64 = 1e-20;

pub(super) static SPECS: [LawSpec; 5] = [
    discrete(
        "hypergeom",
        &[("M", COUNT), ("n", COUNT), ("N", COUNT)],
        &[30.0, 12.0, 6.0],
        "max(0, N - M + n) to min(n, N)",
        "hypergeometric: of M balls n are white; white ones among N drawn",
        |shapes| hypergeometric(shapes[0], shapes[1], shapes[2], 1.0),
    ),
    discrete(
        "nchypergeom_fisher",
        &[("M", COUNT), ("n", COUNT), ("N", COUNT), ("odds", P)],
        &[140.0, 80.0, 60.0, 0.5],
        "as hypergeom(M, n, N)",
        "Fisher's non-central hypergeometric; odds is the weight of a white ball",
        |shapes| hypergeometric(shapes[0], shapes[1], shapes[2], shapes[3]),
    ),
    discrete(
        "nchypergeom_wallenius",
        &[("M", COUNT), ("n", COUNT), ("N", COUNT), ("odds", P)],
        &[140.0, 80.0, 60.0, 0.5],
        "as hypergeom(M, n, N)",
        "Wallenius' non-central hypergeometric: balls are drawn one by one",
        |shapes| wallenius(shapes[0], shapes[1], shapes[2], shapes[3]),
    ),
    discrete(
        "boltzmann",
        &[("lambda_", P), ("N", ShapeRange::POSITIVE_COUNT)],
        &[1.4, 19.0],
        "0 to N - 1",
        "Boltzmann: a truncated Planck",
        |shapes| {
            let (rate, count) = (shapes[0], shapes[1]);
            let mass = -expm1(-rate * count);
            let draw = move |s: &mut Stream| {
                (-log1p(-s.open_unit() * mass) / rate)
                    .floor()
                    .min(count - 1.0)
            };
            let cdf = move |k: f64| -expm1(-rate * (k + 1.0)) / mass;
            if count * rate < 40.0 && count <= 100_000.0 {
                let weights = (0..count as usize).map(|k| exp(-rate * k as f64)).collect();
                return Ok(listed(0.0, weights));
            }
            let power = exp(-rate * count);
            let mean = 1.0 / expm1(rate) - count * power / mass;
            let half = 0.5 / libm::sinh(0.5 * rate);
            let variance = half * half - count * count * power / (mass * mass);
            Ok(Law::whole(
                (0.0, count - 1.0),
                draw,
                cdf,
                (mean, variance.max(0.0).sqrt()),
            ))
        },
    ),
    discrete(
        "poisson_binom",
        &[("p", ShapeRange::UNIT)],
        &[0.2, 0.5, 0.9],
        "0 to the number of trials",
        "Poisson binomial: successes among trials with these probabilities",
        |shapes| {
            if shapes.is_empty() || shapes.len() > TRIALS_MAX {
                return Err(format!(
                    "`p` must have from 1 to {TRIALS_MAX} probabilities"
                ));
            }
            let mut weights = vec![1.0];
            for &p in shapes {
                weights.push(0.0);
                for k in (0..weights.len()).rev() {
                    let before = if k == 0 { 0.0 } else { weights[k - 1] };
                    weights[k] = (1.0 - p) * weights[k] + p * before;
                }
            }
            let mean = shapes.iter().sum();
            let variance: f64 = shapes.iter().map(|p| p * (1.0 - p)).sum();
            Ok(listed(0.0, weights).with_moments(mean, variance.sqrt()))
        },
    ),
];

const TRIALS_MAX: usize = 10_000;

/// The law of the whole numbers from `first` on with these weights.
pub(in crate::distribution) fn listed(first: f64, weights: Vec<f64>) -> Law {
    let total: f64 = weights.iter().sum();
    let mean = weights
        .iter()
        .enumerate()
        .map(|(k, weight)| k as f64 * weight)
        .sum::<f64>()
        / total;
    let variance = weights
        .iter()
        .enumerate()
        .map(|(k, weight)| weight * (k as f64 - mean) * (k as f64 - mean))
        .sum::<f64>()
        / total;
    let mut sum = 0.0;
    let cumulative: Vec<f64> = weights
        .iter()
        .map(|weight| {
            sum += weight;
            sum / total
        })
        .collect();
    let possible = |weight: &f64| *weight > 0.0;
    let low = weights.iter().position(possible).unwrap_or(0);
    let high = weights.iter().rposition(possible).unwrap_or(0);
    let support = (first + low as f64, first + high as f64);
    let cdf = move |k: f64| {
        if k < first {
            return 0.0;
        }
        cumulative[((k - first) as usize).min(cumulative.len() - 1)]
    };
    let moments = (first + mean, variance.sqrt());
    match alias_index(&weights) {
        Ok(alias) => {
            let draw = move |s: &mut Stream| first + alias.sample(s) as f64;
            Law::whole(support, draw, cdf, moments)
        }
        // No weight above 0: the callers' weights add up to 1.
        Err(_) => Law::whole((first, first), move |_| first, |_| 1.0, (first, 0.0)),
    }
}

fn bounds(all: f64, white: f64, drawn: f64) -> Result<(f64, f64), String> {
    if all < 1.0 || white > all || drawn > all {
        return Err("`M` must be 1 or above, `n` and `N` at most `M`".into());
    }
    Ok(((drawn - (all - white)).max(0.0), white.min(drawn)))
}

fn hypergeometric(all: f64, white: f64, drawn: f64, odds: f64) -> Result<Law, String> {
    let (low, high) = bounds(all, white, drawn)?;
    // P(k + 1) / P(k), which falls as k rises.
    let ratio = |k: f64| {
        let (up, down) = (
            (white - k) * (drawn - k),
            (k + 1.0) * (all - white - drawn + k + 1.0),
        );
        odds * (up / down)
    };
    let (mut below, mut above) = (low, high);
    while below < above {
        let middle = (below + 0.5 * (above - below)).floor();
        if ratio(middle) >= 1.0 {
            below = middle + 1.0
        } else {
            above = middle
        }
    }
    let mode = below;
    let too_long = || {
        format!(
            "its table would have more than {LISTED_MAX} entries: `M`, `n` and `N` must be smaller"
        )
    };
    let walk = |next: &dyn Fn(f64) -> Option<(f64, f64)>| {
        let (mut k, mut weight, mut weights) = (mode, 1.0, Vec::new());
        while let Some((to, factor)) = next(k) {
            weight *= factor;
            if weight < NEGLIGIBLE {
                break;
            }
            if weights.len() >= LISTED_MAX {
                return Err(too_long());
            }
            weights.push(weight);
            k = to;
        }
        Ok(weights)
    };
    let right = walk(&|k| (k < high).then(|| (k + 1.0, ratio(k))))?;
    let left = walk(&|k| (k > low).then(|| (k - 1.0, 1.0 / ratio(k - 1.0))))?;
    let first = mode - left.len() as f64;
    let weights = left.into_iter().rev().chain([1.0]).chain(right).collect();
    Ok(listed(first, weights).with_support(low, high))
}

/// Draws up to this many can be followed one by one.
const WALLENIUS_DRAWN_MAX: f64 = 100_000.0;

/// The probability of every number of white balls after each draw (Wallenius' urn itself).
fn wallenius(all: f64, white: f64, drawn: f64, odds: f64) -> Result<Law, String> {
    let (low, high) = bounds(all, white, drawn)?;
    if drawn > WALLENIUS_DRAWN_MAX {
        return Err(format!("`N` must be at most {WALLENIUS_DRAWN_MAX}"));
    }
    let mut first = 0.0;
    let mut chances = vec![1.0];
    for done in 0..drawn as usize {
        let mut next = vec![0.0; chances.len() + 1];
        for (place, chance) in chances.iter().enumerate() {
            let k = first + place as f64;
            let weight = odds * (white - k).max(0.0);
            let others = (all - white - (done as f64 - k)).max(0.0);
            let share = if weight == 0.0 {
                0.0
            } else {
                weight / (weight + others)
            };
            next[place + 1] += chance * share;
            next[place] += chance * (1.0 - share);
        }
        let kept = |chance: &f64| *chance > NEGLIGIBLE;
        let start = next.iter().position(kept).unwrap_or(0);
        let end = next
            .iter()
            .rposition(kept)
            .map_or(next.len(), |place| place + 1);
        chances = next[start..end].to_vec();
        first += start as f64;
    }
    Ok(listed(first, chances).with_support(low, high))
}
