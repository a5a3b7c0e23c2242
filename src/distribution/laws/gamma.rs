//! The gamma law and laws made of one gamma draw.

use libm::{exp, fabs, lgamma, log, pow};
use statrs::function::gamma::digamma;

use crate::distribution::draws::{GammaDraws, normal, sign};
use crate::distribution::law::{Law, LawSpec, ShapeRange, continuous, raw_moments};
use crate::distribution::special::{gamma_p, gamma_q, gamma_ratio, normal_cdf, trigamma};

const INF: f64 = f64::INFINITY;
const REALS: (f64, f64) = (-INF, INF);
const POSITIVE: (f64, f64) = (0.0, INF);

pub(super) static SPECS: [LawSpec; 13] = [
    continuous(
        "gamma",
        &[("a", ShapeRange::POSITIVE)],
        &[2.0],
        "0 or above",
        "gamma; a is the shape",
        |shapes| Ok(gamma(shapes[0])),
    ),
    continuous(
        "erlang",
        &[("a", ShapeRange::POSITIVE)],
        &[3.0],
        "0 or above",
        "Erlang: gamma, for a whole a the sum of a exponentials",
        |shapes| Ok(gamma(shapes[0])),
    ),
    continuous(
        "chi2",
        &[("df", ShapeRange::POSITIVE)],
        &[4.0],
        "0 or above",
        "chi-squared with df degrees of freedom",
        |shapes| {
            let df = shapes[0];
            let draws = GammaDraws::new(0.5 * df);
            Ok(Law::new(
                POSITIVE,
                move |s| 2.0 * draws.sample(s),
                move |x| gamma_p(0.5 * df, 0.5 * x),
                (df, (2.0 * df).sqrt()),
            ))
        },
    ),
    continuous(
        "chi",
        &[("df", ShapeRange::POSITIVE)],
        &[4.0],
        "0 or above",
        "chi: the square root of a chi-squared",
        |shapes| {
            let df = shapes[0];
            let draws = GammaDraws::new(0.5 * df);
            let (mean, std_dev) = root_moments(0.5 * df);
            let root = std::f64::consts::SQRT_2;
            Ok(Law::new(
                POSITIVE,
                move |s| (2.0 * draws.sample(s)).sqrt(),
                move |x| gamma_p(0.5 * df, 0.5 * x * x),
                (mean * root, std_dev * root),
            ))
        },
    ),
    continuous(
        "nakagami",
        &[("nu", ShapeRange::POSITIVE)],
        &[2.0],
        "0 or above",
        "Nakagami; nu is the shape",
        |shapes| {
            let nu = shapes[0];
            let draws = GammaDraws::new(nu);
            let (mean, std_dev) = root_moments(nu);
            let root = nu.sqrt();
            Ok(Law::new(
                POSITIVE,
                move |s| (draws.sample(s) / nu).sqrt(),
                move |x| gamma_p(nu, nu * x * x),
                (mean / root, std_dev / root),
            ))
        },
    ),
    continuous(
        "invgamma",
        &[("a", ShapeRange::POSITIVE)],
        &[4.0],
        "above 0",
        "inverse gamma: 1 / X for a gamma X",
        |shapes| {
            let a = shapes[0];
            let draws = GammaDraws::new(a);
            let mean = if a > 1.0 { 1.0 / (a - 1.0) } else { INF };
            let std_dev = if a > 2.0 {
                mean / (a - 2.0).sqrt()
            } else {
                INF
            };
            Ok(Law::new(
                POSITIVE,
                move |s| 1.0 / draws.sample(s),
                move |x| gamma_q(a, 1.0 / x),
                (mean, std_dev),
            ))
        },
    ),
    continuous(
        "gengamma",
        &[("a", ShapeRange::POSITIVE), ("c", ShapeRange::NONZERO)],
        &[2.0, 1.5],
        "0 or above",
        "generalized gamma: X^(1/c) for a gamma X",
        |shapes| {
            let (a, c) = (shapes[0], shapes[1]);
            let draws = GammaDraws::new(a);
            let power = 1.0 / c;
            let raw = |k: f64| {
                if a + k / c > 0.0 {
                    gamma_ratio(a, k / c)
                } else {
                    INF
                }
            };
            let cdf = move |x: f64| {
                let y = pow(x, c);
                if c > 0.0 {
                    gamma_p(a, y)
                } else {
                    gamma_q(a, y)
                }
            };
            Ok(Law::new(
                POSITIVE,
                move |s| pow(draws.sample(s), power),
                cdf,
                raw_moments(raw(1.0), raw(2.0)),
            ))
        },
    ),
    continuous(
        "loggamma",
        &[("c", ShapeRange::POSITIVE)],
        &[2.0],
        "all numbers",
        "log-gamma: the logarithm of a gamma with shape c",
        |shapes| {
            let c = shapes[0];
            let draws = GammaDraws::new(c);
            Ok(Law::new(
                REALS,
                move |s| draws.sample_ln(s),
                move |x| gamma_p(c, exp(x)),
                (digamma(c), trigamma(c).sqrt()),
            ))
        },
    ),
    continuous(
        "dgamma",
        &[("a", ShapeRange::POSITIVE)],
        &[2.0],
        "all numbers",
        "double gamma: a gamma with a random sign",
        |shapes| {
            let a = shapes[0];
            let draws = GammaDraws::new(a);
            Ok(Law::new(
                REALS,
                move |s| sign(s) * draws.sample(s),
                move |x| both_sides(x, gamma_q(a, fabs(x))),
                (0.0, (a * (a + 1.0)).sqrt()),
            ))
        },
    ),
    continuous(
        "gennorm",
        &[("beta", ShapeRange::POSITIVE)],
        &[1.3],
        "all numbers",
        "generalized normal; beta 1 is Laplace, 2 a normal of half the variance",
        |shapes| {
            let beta = shapes[0];
            let (draws, power) = (GammaDraws::new(1.0 / beta), 1.0 / beta);
            Ok(Law::new(
                REALS,
                move |s| sign(s) * pow(draws.sample(s), power),
                move |x| both_sides(x, gamma_q(power, pow(fabs(x), beta))),
                (0.0, gamma_ratio(power, 2.0 * power).sqrt()),
            ))
        },
    ),
    continuous(
        "halfgennorm",
        &[("beta", ShapeRange::POSITIVE)],
        &[1.3],
        "0 or above",
        "half of a generalized normal",
        |shapes| {
            let beta = shapes[0];
            let (draws, power) = (GammaDraws::new(1.0 / beta), 1.0 / beta);
            Ok(Law::new(
                POSITIVE,
                move |s| pow(draws.sample(s), power),
                move |x| gamma_p(power, pow(x, beta)),
                raw_moments(gamma_ratio(power, power), gamma_ratio(power, 2.0 * power)),
            ))
        },
    ),
    continuous(
        "pearson3",
        &[("skew", ShapeRange::ANY)],
        &[1.0],
        "above -2/skew, below it for skew < 0",
        "Pearson type III: a shifted gamma with mean 0, standard deviation 1 and this skewness",
        |shapes| Ok(pearson3(shapes[0])),
    ),
    continuous(
        "rayleigh",
        &[],
        &[],
        "0 or above",
        "Rayleigh: the length of a normal vector in the plane",
        |_| {
            Ok(Law::of_exponential(
                POSITIVE,
                |e| (2.0 * e).sqrt(),
                |x| -libm::expm1(-0.5 * x * x),
            )
            .with_moments(
                (0.5 * std::f64::consts::PI).sqrt(),
                (2.0 - 0.5 * std::f64::consts::PI).sqrt(),
            ))
        },
    ),
];

fn gamma(a: f64) -> Law {
    let draws = GammaDraws::new(a);
    Law::new(
        POSITIVE,
        move |s| draws.sample(s),
        move |x| gamma_p(a, x),
        (a, a.sqrt()),
    )
}

/// The cdf of a symmetric law at `x` from P(|X| > |x|).
pub(super) fn both_sides(x: f64, beyond: f64) -> f64 {
    if x < 0.0 {
        0.5 * beyond
    } else {
        1.0 - 0.5 * beyond
    }
}

/// Mean and standard deviation of the square root of a gamma draw.
fn root_moments(a: f64) -> (f64, f64) {
    if a > 1e3 {
        // The series in 1 / a (Abramowitz and Stegun 6.1.47); the difference would cancel.
        let r = 1.0 / a;
        let mean = a.sqrt() * (1.0 - r / 8.0 + r * r / 128.0 + 5.0 * r * r * r / 1024.0);
        let variance = 0.25 * (1.0 - r / 8.0 - r * r / 16.0);
        (mean, variance.sqrt())
    } else {
        raw_moments(exp(lgamma(a + 0.5) - lgamma(a)), a)
    }
}

/// Below this skewness the law is normal to 1e-6 in probability.
const SKEW_SMALL: f64 = 1e-6;

fn pearson3(skew: f64) -> Law {
    if fabs(skew) < SKEW_SMALL {
        let z = normal();
        return Law::new(REALS, z, normal_cdf, (0.0, 1.0));
    }
    let beta = 2.0 / skew;
    let alpha = beta * beta;
    let draws = GammaDraws::new(alpha);
    let support = if skew > 0.0 {
        (-beta, INF)
    } else {
        (-INF, -beta)
    };
    let cdf = move |x: f64| {
        let y = beta * (x + beta);
        if skew > 0.0 {
            gamma_p(alpha, y)
        } else {
            gamma_q(alpha, y)
        }
    };
    let draw = move |s: &mut crate::random::Stream| {
        if alpha < 1.0 {
            // The standard deviation is far above the mode: the logarithm keeps small draws apart.
            return exp(draws.sample_ln(s) - log(fabs(beta))) * skew.signum() - beta;
        }
        (draws.sample(s) - alpha) / beta
    };
    Law::new(support, draw, cdf, (0.0, 1.0))
}
