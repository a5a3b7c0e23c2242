//! Non-central chi-squared, F and t, and Rice.

use libm::{exp, lgamma, log};

use crate::distribution::draws::{GammaDraws, PoissonDraws, normal};
use crate::distribution::law::{Law, LawSpec, ShapeRange, continuous, raw_moments};
use crate::distribution::quadrature::{Density, Shape};
use crate::distribution::special::{bessel_i_scaled, beta_inc, gamma_p, normal_cdf};
use crate::random::Stream;
use std::f64::consts::{FRAC_PI_2, LN_2};
use std::sync::OnceLock;

const INF: f64 = f64::INFINITY;
const POSITIVE: (f64, f64) = (0.0, INF);
const P: ShapeRange = ShapeRange::POSITIVE;

pub(super) static SPECS: [LawSpec; 4] = [
    continuous(
        "ncx2",
        &[("df", P), ("nc", ShapeRange::NON_NEGATIVE)],
        &[4.0, 2.0],
        "0 or above",
        "non-central chi-squared; nc is the non-centrality",
        |shapes| {
            let (df, nc) = (shapes[0], shapes[1]);
            let draws = NoncentralDraws::new(df, nc);
            Ok(Law::new(
                POSITIVE,
                move |s| draws.sample(s),
                move |x| noncentral_chi2(df, nc, x),
                (df + nc, (2.0 * (df + 2.0 * nc)).sqrt()),
            ))
        },
    ),
    continuous(
        "ncf",
        &[("dfn", P), ("dfd", P), ("nc", ShapeRange::NON_NEGATIVE)],
        &[10.0, 12.0, 0.5],
        "0 or above",
        "non-central F; nc is the non-centrality",
        |shapes| {
            let (n, d, nc) = (shapes[0], shapes[1], shapes[2]);
            let above = NoncentralDraws::new(n, nc);
            let below = GammaDraws::new(0.5 * d);
            let factor = d / n;
            let mean = if d > 2.0 {
                factor * (n + nc) / (d - 2.0)
            } else {
                INF
            };
            let std_dev = if d > 4.0 {
                let sum = (n + nc) * (n + nc) + (n + 2.0 * nc) * (d - 2.0);
                factor / (d - 2.0) * (2.0 * sum / (d - 4.0)).sqrt()
            } else {
                INF
            };
            let cdf = move |x: f64| {
                let (share, rest) = (x / (x + factor), factor / (x + factor));
                poisson_mixture(0.5 * nc, |j| beta_inc(0.5 * n + j, 0.5 * d, share, rest))
            };
            let draw = move |s: &mut Stream| {
                if n.min(d) >= DF_SMALL {
                    return factor * (above.sample(s) / (2.0 * below.sample(s)));
                }
                // Both may underflow.
                let ln_ratio = above.sample_ln(s) - LN_2 - below.sample_ln(s);
                if ln_ratio.is_nan() {
                    0.0
                } else {
                    factor * exp(ln_ratio)
                }
            };
            Ok(Law::new(POSITIVE, draw, cdf, (mean, std_dev)))
        },
    ),
    continuous(
        "nct",
        &[("df", P), ("nc", ShapeRange::ANY)],
        &[14.0, 0.25],
        "all numbers",
        "non-central t; nc is the non-centrality",
        |shapes| Ok(noncentral_t(shapes[0], shapes[1])),
    ),
    continuous(
        "rice",
        &[("b", ShapeRange::NON_NEGATIVE)],
        &[1.0],
        "0 or above",
        "Rice: the length of a normal vector in the plane, b away from its origin",
        |shapes| {
            let b = shapes[0];
            let z = normal();
            let quarter = 0.25 * b * b;
            let (zeroth, first) = (bessel_i_scaled(0, quarter), bessel_i_scaled(1, quarter));
            let mean = FRAC_PI_2.sqrt() * ((1.0 + 2.0 * quarter) * zeroth + 2.0 * quarter * first);
            // Far out the variance is that of a normal; the difference of squares would cancel.
            let std_dev = if b > 1e3 {
                1.0 - 0.25 / (b * b)
            } else {
                raw_moments(mean, 2.0 + b * b).1
            };
            Ok(Law::new(
                POSITIVE,
                move |s| libm::hypot(b + z(s), z(s)),
                move |x| noncentral_chi2(2.0, b * b, x * x),
                (mean, std_dev),
            ))
        },
    ),
];

/// With fewer degrees of freedom than this a chi-squared may underflow.
const DF_SMALL: f64 = 0.05;

/// Draws of the non-central chi-squared law.
#[derive(Clone, Copy, Debug)]
struct NoncentralDraws {
    df: f64,
    root: f64,
    rest: GammaDraws,
    counts: PoissonDraws,
}

impl NoncentralDraws {
    fn new(df: f64, nc: f64) -> Self {
        NoncentralDraws {
            df,
            root: nc.sqrt(),
            rest: GammaDraws::new(0.5 * (df - 1.0).max(0.0)),
            counts: PoissonDraws::new(0.5 * nc),
        }
    }

    /// The logarithm of a draw, also where a draw with few degrees of freedom would underflow.
    fn sample_ln(&self, s: &mut Stream) -> f64 {
        if self.df >= 1.0 {
            log(self.sample(s))
        } else {
            let shape = 0.5 * self.df + self.counts.sample(s);
            LN_2 + GammaDraws::new(shape).sample_ln(s)
        }
    }

    fn sample(&self, s: &mut Stream) -> f64 {
        if self.df >= 1.0 {
            let z =
                crate::random::standard_normal(crate::random::Ziggurat::normal(), s) + self.root;
            z * z + 2.0 * self.rest.sample(s)
        } else {
            2.0 * GammaDraws::new(0.5 * self.df + self.counts.sample(s)).sample(s)
        }
    }
}

/// P(X < x) of the non-central chi-squared law.
pub(super) fn noncentral_chi2(df: f64, nc: f64, x: f64) -> f64 {
    poisson_mixture(0.5 * nc, |j| gamma_p(0.5 * df + j, 0.5 * x))
}

/// The sum of f(j), which is from 0 to 1, over the weights of a Poisson law.
fn poisson_mixture(mu: f64, f: impl Fn(f64) -> f64) -> f64 {
    if mu == 0.0 {
        return f(0.0);
    }
    let reach = 9.0 * mu.sqrt() + 30.0;
    let first = (mu - reach).max(0.0).floor();
    // Beyond this many terms a step over them is as good as their sum.
    let terms = mu + reach - first;
    let step = (terms / 4000.0).ceil();
    let (mut sum, mut total) = (0.0, 0.0);
    let mut j = first;
    while j <= mu + reach {
        let weight = exp(j * log(mu) - mu - lgamma(j + 1.0));
        sum += weight * f(j);
        total += weight;
        j += step;
    }
    sum / total
}

/// Points and weights for the square root of a chi-squared over its degrees of freedom.
pub(super) fn chi_points(df: f64) -> Vec<(f64, f64)> {
    let power = df - 1.0;
    let centre = if df > 2.0 { (power / df).sqrt() } else { 0.5 };
    let width = 1.0 / (2.0 * df).sqrt();
    let ln_density = move |w: f64| power * log(w) - 0.5 * df * w * w;
    let top = ln_density(centre);
    let shape = Shape {
        support: POSITIVE,
        centre,
        width,
    };
    let points = Density::new(shape, move |w, _| exp(ln_density(w) - top)).points();
    points
        .into_iter()
        .filter(|&(_, weight)| weight > 1e-17)
        .collect()
}

fn noncentral_t(df: f64, nc: f64) -> Law {
    let z = normal();
    let draws = GammaDraws::new(0.5 * df);
    let points = OnceLock::new();
    let cdf = move |t: f64| {
        let points: &Vec<(f64, f64)> = points.get_or_init(|| chi_points(df));
        points
            .iter()
            .map(|&(w, weight)| weight * normal_cdf(t * w - nc))
            .sum()
    };
    let mean = if df > 1.0 {
        nc * (0.5 * df).sqrt() * exp(lgamma(0.5 * (df - 1.0)) - lgamma(0.5 * df))
    } else {
        f64::NAN
    };
    let std_dev = match df {
        df if df > 2.0 => raw_moments(mean, df * (1.0 + nc * nc) / (df - 2.0)).1,
        df if df > 1.0 => INF,
        _ => f64::NAN,
    };
    Law::new(
        (f64::NEG_INFINITY, INF),
        move |s| (z(s) + nc) / (2.0 * draws.sample(s) / df).sqrt(),
        cdf,
        (mean, std_dev),
    )
}
