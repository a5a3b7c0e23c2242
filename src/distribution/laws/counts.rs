//! Laws of whole numbers that count successes, failures, arrivals.

use libm::{exp, expm1, log, log1p, sinh};

use super::noncentral::noncentral_chi2;
use super::urns::listed;
use crate::distribution::draws::{BetaDraws, BinomialDraws, GammaDraws, PoissonDraws, exponential};
use crate::distribution::law::{Law, LawSpec, ShapeRange, discrete};
use crate::distribution::quadrature::integrate;
use crate::distribution::special::{beta_inc, gamma_q, ln_beta};
use crate::random::Stream;

const INF: f64 = f64::INFINITY;
const COUNTS: (f64, f64) = (0.0, INF);
const P: ShapeRange = ShapeRange::POSITIVE;
const COUNT: ShapeRange = ShapeRange::COUNT;
const SHARE: ShapeRange = ShapeRange::between(0.0, 1.0, (false, true));

pub(super) static SPECS: [LawSpec; 12] = [
    discrete(
        "bernoulli",
        &[("p", ShapeRange::UNIT)],
        &[0.3],
        "0 or 1",
        "1 with probability p, else 0",
        |shapes| {
            let p = shapes[0];
            let draw = move |s: &mut Stream| f64::from(u8::from(s.unit() < p));
            let support = (f64::from(u8::from(p == 1.0)), f64::from(u8::from(p > 0.0)));
            Ok(Law::whole(
                support,
                draw,
                move |k| if k < 1.0 { 1.0 - p } else { 1.0 },
                (p, (p * (1.0 - p)).sqrt()),
            ))
        },
    ),
    discrete(
        "binom",
        &[("n", COUNT), ("p", ShapeRange::UNIT)],
        &[10.0, 0.4],
        "0 to n",
        "binomial: successes among n trials",
        |shapes| {
            let (n, p) = (shapes[0], shapes[1]);
            let draws = BinomialDraws::new(n, p, 1.0 - p);
            let cdf = move |k: f64| {
                if k >= n {
                    1.0
                } else {
                    beta_inc(n - k, k + 1.0, 1.0 - p, p)
                }
            };
            Ok(Law::whole(
                (0.0, n),
                move |s| draws.sample(s),
                cdf,
                (n * p, (n * p * (1.0 - p)).sqrt()),
            ))
        },
    ),
    discrete(
        "betabinom",
        &[("n", COUNT), ("a", P), ("b", P)],
        &[10.0, 2.0, 3.0],
        "0 to n",
        "beta-binomial: a binomial whose p is beta",
        |shapes| Ok(beta_binomial(shapes[0], shapes[1], shapes[2])),
    ),
    discrete(
        "nhypergeom",
        &[("M", COUNT), ("n", COUNT), ("r", COUNT)],
        &[20.0, 7.0, 3.0],
        "0 to n",
        "negative hypergeometric: of M balls n are white; white ones drawn before the r-th other one",
        |shapes| {
            let (all, n, r) = (shapes[0], shapes[1], shapes[2]);
            if n > all || r > all - n {
                return Err("`n` must be at most `M`, and `r` at most `M` - `n`".into());
            }
            if r == 0.0 {
                return Ok(Law::whole((0.0, 0.0), |_| 0.0, |_| 1.0, (0.0, 0.0)));
            }
            Ok(beta_binomial(n, r, all - n - r + 1.0))
        },
    ),
    discrete(
        "geom",
        &[("p", SHARE)],
        &[0.3],
        "1, 2, ...",
        "geometric: trials until the first success",
        |shapes| {
            let p = shapes[0];
            let rate = -log1p(-p);
            let e = exponential();
            let draw = move |s: &mut Stream| (e(s) / rate).ceil().max(1.0);
            Ok(Law::whole(
                (1.0, if p == 1.0 { 1.0 } else { INF }),
                draw,
                move |k| -expm1(-k * rate),
                (1.0 / p, (1.0 - p).sqrt() / p),
            ))
        },
    ),
    discrete(
        "nbinom",
        &[("n", P), ("p", SHARE)],
        &[3.0, 0.4],
        "0, 1, 2, ...",
        "negative binomial: failures before the n-th success",
        |shapes| {
            let (n, p) = (shapes[0], shapes[1]);
            let draws = GammaDraws::new(n);
            let odds = (1.0 - p) / p;
            let support = if p == 1.0 { (0.0, 0.0) } else { COUNTS };
            let draw = move |s: &mut Stream| PoissonDraws::new(odds * draws.sample(s)).sample(s);
            Ok(Law::whole(
                support,
                draw,
                move |k| beta_inc(n, k + 1.0, p, 1.0 - p),
                (n * odds, (n * odds / p).sqrt()),
            ))
        },
    ),
    discrete(
        "betanbinom",
        &[("n", ShapeRange::POSITIVE_COUNT), ("a", P), ("b", P)],
        &[5.0, 9.0, 1.0],
        "0, 1, 2, ...",
        "beta-negative-binomial: a negative binomial whose p is beta",
        |shapes| Ok(beta_negative_binomial(shapes[0], shapes[1], shapes[2])),
    ),
    discrete(
        "poisson",
        &[("mu", ShapeRange::NON_NEGATIVE)],
        &[4.0],
        "0, 1, 2, ...",
        "Poisson; mu is the mean",
        |shapes| {
            let mu = shapes[0];
            let draws = PoissonDraws::new(mu);
            let support = if mu == 0.0 { (0.0, 0.0) } else { COUNTS };
            Ok(Law::whole(
                support,
                move |s| draws.sample(s),
                move |k| gamma_q(k + 1.0, mu),
                (mu, mu.sqrt()),
            ))
        },
    ),
    discrete(
        "skellam",
        &[("mu1", P), ("mu2", P)],
        &[8.0, 5.0],
        "all whole numbers",
        "Skellam: the difference of two Poissons",
        |shapes| {
            let (a, b) = (shapes[0], shapes[1]);
            let (plus, minus) = (PoissonDraws::new(a), PoissonDraws::new(b));
            let cdf = move |k: f64| {
                if k < 0.0 {
                    noncentral_chi2(-2.0 * k, 2.0 * a, 2.0 * b)
                } else {
                    1.0 - noncentral_chi2(2.0 * (k + 1.0), 2.0 * b, 2.0 * a)
                }
            };
            Ok(Law::whole(
                (-INF, INF),
                move |s| plus.sample(s) - minus.sample(s),
                cdf,
                (a - b, (a + b).sqrt()),
            ))
        },
    ),
    discrete(
        "planck",
        &[("lambda_", P)],
        &[0.5],
        "0, 1, 2, ...",
        "Planck: a geometric from 0 on with p = 1 - exp(-lambda_)",
        |shapes| {
            let rate = shapes[0];
            let e = exponential();
            let mean = 1.0 / expm1(rate);
            let std_dev = 0.5 / sinh(0.5 * rate);
            Ok(Law::whole(
                COUNTS,
                move |s| (e(s) / rate).floor(),
                move |k| -expm1(-rate * (k + 1.0)),
                (mean, std_dev),
            ))
        },
    ),
    discrete(
        "dlaplace",
        &[("a", P)],
        &[0.8],
        "all whole numbers",
        "discrete Laplace: probability in proportion to exp(-a |k|)",
        |shapes| {
            let a = shapes[0];
            let e = exponential();
            let cdf = move |k: f64| {
                let rest = 1.0 + exp(-a);
                if k < 0.0 {
                    exp(a * k) / rest
                } else {
                    1.0 - exp(-a * (k + 1.0)) / rest
                }
            };
            let std_dev = std::f64::consts::FRAC_1_SQRT_2 / sinh(0.5 * a);
            Ok(Law::whole(
                (-INF, INF),
                move |s| (e(s) / a).floor() - (e(s) / a).floor(),
                cdf,
                (0.0, std_dev),
            ))
        },
    ),
    discrete(
        "randint",
        &[("low", ShapeRange::WHOLE), ("high", ShapeRange::WHOLE)],
        &[1.0, 7.0],
        "low to high - 1",
        "whole numbers, each equally likely",
        |shapes| {
            let (low, high) = (shapes[0], shapes[1]);
            if low >= high {
                return Err("`low` must be below `high`".into());
            }
            let count = high - low;
            let moments = (
                low + 0.5 * (count - 1.0),
                ((count * count - 1.0) / 12.0).sqrt(),
            );
            Ok(Law::whole(
                (low, high - 1.0),
                move |s| low + s.below(count as u64) as f64,
                move |k| (k - low + 1.0) / count,
                moments,
            ))
        },
    ),
];

/// Up to this many trials a beta-binomial is drawn from a list of its probabilities.
const BETA_LISTED_MAX: f64 = 1000.0;
/// So many of a sum's first terms are added up one by one.
const SUMMED_MAX: f64 = 1000.0;

fn beta_binomial(n: f64, a: f64, b: f64) -> Law {
    let pmf = move |k: f64| {
        exp(ln_beta(k + a, n - k + b)
            - ln_beta(a, b)
            - ln_beta(n - k + 1.0, k + 1.0)
            - log(n + 1.0))
    };
    let sum = a + b;
    let mean = n * (a / sum);
    let std_dev = (mean * (b / sum) * ((sum + n) / (sum + 1.0))).sqrt();
    if n <= BETA_LISTED_MAX {
        return listed(0.0, (0..=n as usize).map(|k| pmf(k as f64)).collect())
            .with_moments(mean, std_dev);
    }
    let draws = BetaDraws::new(a, b);
    let draw = move |s: &mut Stream| {
        let (x, y) = draws.sample_parts(s);
        BinomialDraws::new(n, x / (x + y), y / (x + y)).sample(s)
    };
    // From the nearer end: at the other one the probabilities may rise steeply.
    let cdf = move |k: f64| {
        if k <= 0.5 * n {
            summed(pmf, k, (mean, std_dev))
        } else {
            1.0 - summed(|k| pmf(n - k), n - k - 1.0, (n - mean, std_dev))
        }
    };
    Law::whole((0.0, n), draw, cdf, (mean, std_dev))
}

fn beta_negative_binomial(n: f64, a: f64, b: f64) -> Law {
    let (shares, draws) = (BetaDraws::new(a, b), GammaDraws::new(n));
    let draw = move |s: &mut Stream| {
        let (x, y) = shares.sample_parts(s);
        PoissonDraws::new(draws.sample(s) * (y / x)).sample(s)
    };
    let pmf =
        move |k: f64| exp(ln_beta(a + n, b + k) - ln_beta(a, b) - ln_beta(n, k + 1.0) - log(n + k));
    let mean = if a > 1.0 { n * b / (a - 1.0) } else { INF };
    let std_dev = if a > 2.0 {
        (mean * (n + a - 1.0) * (a + b - 1.0) / ((a - 2.0) * (a - 1.0))).sqrt()
    } else {
        INF
    };
    let cdf = move |k| summed(pmf, k, (mean, std_dev));
    Law::whole(COUNTS, draw, cdf, (mean, std_dev))
}

/// The sum of probabilities from 0 to k of a law with this mean and standard deviation. Beyond
/// its first terms it is integrated, by Euler and Maclaurin's formula at midpoints.
fn summed(pmf: impl Fn(f64) -> f64, k: f64, (mean, std_dev): (f64, f64)) -> f64 {
    let last = k.min(SUMMED_MAX);
    if last < 0.0 {
        return 0.0;
    }
    let sum: f64 = (0..=last as usize).map(|k| pmf(k as f64)).sum();
    if k <= last {
        return sum;
    }
    let (low, high) = (last + 0.5, k + 0.5);
    // So that a narrow peak is not stepped over.
    let around = [-10.0, 0.0, 10.0].map(|spread| mean + spread * std_dev);
    let inside = around.into_iter().filter(|&x| x > low && x < high);
    let ends: Vec<f64> = [low].into_iter().chain(inside).chain([high]).collect();
    let slope = |x: f64| pmf(x + 0.5) - pmf(x - 0.5);
    let in_logs = |t: f64| exp(t) * pmf(exp(t));
    let pieces = ends.windows(2);
    let rest: f64 = pieces
        .map(|ends| integrate(in_logs, log(ends[0]), log(ends[1]), 1.0))
        .sum();
    sum + rest - (slope(high) - slope(low)) / 24.0
}
