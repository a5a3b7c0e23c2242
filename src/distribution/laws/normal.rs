//! The normal law and laws made of normal draws.

use libm::{asinh, erf, exp, expm1, fabs, log, log1p, pow, sinh};

use crate::distribution::draws::{exponential, normal};
use crate::distribution::law::{Law, LawSpec, ShapeRange, continuous, raw_moments};
use crate::distribution::quadrature::Shape;
use crate::distribution::special::{
    EULER_GAMMA, SQRT_TAU, exp_of_draw, gamma_p, ln_normal_cdf, normal_cdf, normal_density,
    normal_quantile, normal_quantile_at_exp,
};
use std::f64::consts::{FRAC_1_SQRT_2, LN_2, PI};

const INF: f64 = f64::INFINITY;
const REALS: (f64, f64) = (-INF, INF);
const POSITIVE: (f64, f64) = (0.0, INF);

pub(super) static SPECS: [LawSpec; 19] = [
    continuous(
        "norm",
        &[],
        &[],
        "all numbers",
        "normal; loc is the mean, scale the standard deviation",
        |_| Ok(Law::of_normal(REALS, |z| z, normal_cdf).with_moments(0.0, 1.0)),
    ),
    continuous(
        "lognorm",
        &[("s", ShapeRange::POSITIVE)],
        &[0.5],
        "above 0",
        "log-normal; s is the standard deviation of the logarithm, scale the median",
        |shapes| Ok(log_normal(shapes[0])),
    ),
    continuous(
        "gibrat",
        &[],
        &[],
        "above 0",
        "Gibrat: log-normal with s = 1",
        |_| Ok(log_normal(1.0)),
    ),
    continuous(
        "halfnorm",
        &[],
        &[],
        "0 or above",
        "half-normal: the absolute value of a normal",
        |_| {
            Ok(Law::of_normal(POSITIVE, fabs, |x| erf(x * FRAC_1_SQRT_2))
                .with_moments((2.0 / PI).sqrt(), (1.0 - 2.0 / PI).sqrt()))
        },
    ),
    continuous(
        "foldnorm",
        &[("c", ShapeRange::NON_NEGATIVE)],
        &[1.0],
        "0 or above",
        "folded normal: the absolute value of a normal with mean c",
        |shapes| {
            let c = shapes[0];
            let mean = 2.0 * normal_density(c) + c * erf(c * FRAC_1_SQRT_2);
            Ok(Law::of_normal(
                POSITIVE,
                move |z| fabs(z + c),
                move |x| normal_cdf(x - c) - normal_cdf(-x - c),
            )
            .with_moments(mean, (1.0 + c * c - mean * mean).max(0.0).sqrt()))
        },
    ),
    continuous(
        "powernorm",
        &[("c", ShapeRange::POSITIVE)],
        &[4.0],
        "all numbers",
        "power normal: for a whole c the smallest of c normals",
        |shapes| {
            let c = shapes[0];
            Ok(Law::of_exponential(
                REALS,
                move |e| -normal_quantile_at_exp(e / c),
                move |x| -expm1(c * ln_normal_cdf(-x)),
            ))
        },
    ),
    continuous(
        "powerlognorm",
        &[("c", ShapeRange::POSITIVE), ("s", ShapeRange::POSITIVE)],
        &[2.0, 0.5],
        "above 0",
        "power log-normal: exp(s X) for a power normal X with shape c",
        |shapes| {
            let (c, s) = (shapes[0], shapes[1]);
            Ok(Law::of_exponential(
                POSITIVE,
                move |e| exp(-s * normal_quantile_at_exp(e / c)),
                move |x| -expm1(c * ln_normal_cdf(-log(x) / s)),
            ))
        },
    ),
    continuous(
        "skewnorm",
        &[("a", ShapeRange::ANY)],
        &[4.0],
        "all numbers",
        "skew normal; a is the skewness parameter, 0 a normal",
        |shapes| {
            let a = shapes[0];
            let z = normal();
            let root = libm::hypot(1.0, a);
            let (delta, rest) = (a / root, 1.0 / root);
            let mean = delta * (2.0 / PI).sqrt();
            let shape = Shape {
                support: REALS,
                centre: mean,
                width: 1.0,
            };
            Ok(Law::of_density(
                shape,
                move |s| delta * fabs(z(s)) + rest * z(s),
                move |x, _| normal_density(x) * normal_cdf(a * x),
            )
            .with_moments(mean, (1.0 - mean * mean).sqrt()))
        },
    ),
    continuous(
        "truncnorm",
        &[("a", ShapeRange::ANY), ("b", ShapeRange::ANY)],
        &[-1.0, 3.0],
        "a to b",
        "normal, truncated to a standard deviations to b (before loc and scale)",
        |shapes| truncated_normal(shapes[0], shapes[1]),
    ),
    continuous(
        "exponnorm",
        &[("K", ShapeRange::POSITIVE)],
        &[1.5],
        "all numbers",
        "exponentially modified normal: a normal plus an exponential of mean K",
        |shapes| {
            let k = shapes[0];
            let (z, e) = (normal(), exponential());
            let rate = 1.0 / k;
            Ok(Law::new(
                REALS,
                move |s| z(s) + k * e(s),
                move |x| normal_cdf(x) - exp(rate * (0.5 * rate - x) + ln_normal_cdf(x - rate)),
                (k, libm::hypot(1.0, k)),
            ))
        },
    ),
    continuous(
        "fatiguelife",
        &[("c", ShapeRange::POSITIVE)],
        &[0.5],
        "above 0",
        "fatigue life (Birnbaum-Saunders)",
        |shapes| {
            let c = shapes[0];
            let square = c * c;
            Ok(Law::of_normal(
                POSITIVE,
                move |z| exp(2.0 * asinh(0.5 * c * z)),
                move |x| normal_cdf((x.sqrt() - 1.0 / x.sqrt()) / c),
            )
            .with_moments(0.5 * square + 1.0, c * (1.25 * square + 1.0).sqrt()))
        },
    ),
    continuous(
        "johnsonsu",
        &[("a", ShapeRange::ANY), ("b", ShapeRange::POSITIVE)],
        &[1.0, 2.0],
        "all numbers",
        "Johnson SU: sinh((Z - a) / b)",
        |shapes| {
            let (a, b) = (shapes[0], shapes[1]);
            let w = exp(1.0 / (b * b));
            let mean = -w.sqrt() * sinh(a / b);
            let variance = 0.5 * expm1(1.0 / (b * b)) * (w * libm::cosh(2.0 * a / b) + 1.0);
            Ok(Law::of_normal(
                REALS,
                move |z| sinh((z - a) / b),
                move |x| normal_cdf(a + b * asinh(x)),
            )
            .with_moments(mean, variance.sqrt()))
        },
    ),
    continuous(
        "johnsonsb",
        &[("a", ShapeRange::ANY), ("b", ShapeRange::POSITIVE)],
        &[1.0, 1.5],
        "0 to 1",
        "Johnson SB: the logistic function of (Z - a) / b",
        |shapes| {
            let (a, b) = (shapes[0], shapes[1]);
            Ok(Law::of_normal(
                (0.0, 1.0),
                move |z| 1.0 / (1.0 + exp((a - z) / b)),
                move |x| normal_cdf(a + b * log(x / (1.0 - x))),
            ))
        },
    ),
    continuous(
        "moyal",
        &[],
        &[],
        "all numbers",
        "Moyal: minus the logarithm of a squared normal",
        |_| {
            Ok(Law::of_normal(
                REALS,
                |z| -2.0 * log(fabs(z)),
                |x| libm::erfc(exp(-0.5 * x) * FRAC_1_SQRT_2),
            )
            .with_moments(LN_2 + EULER_GAMMA, PI * FRAC_1_SQRT_2))
        },
    ),
    continuous(
        "alpha",
        &[("a", ShapeRange::POSITIVE)],
        &[3.5],
        "above 0",
        "alpha: 1 / (a - Z) for a normal Z below a",
        |shapes| {
            let a = shapes[0];
            let below = normal_cdf(a);
            Ok(Law::of_unit(
                POSITIVE,
                move |u| 1.0 / (a - normal_quantile(u * below)),
                move |x| normal_cdf(a - 1.0 / x) / below,
            )
            .with_finite_moments(0))
        },
    ),
    continuous(
        "argus",
        &[("chi", ShapeRange::POSITIVE)],
        &[1.0],
        "0 to 1",
        "ARGUS; chi is the curvature",
        |shapes| Ok(argus(shapes[0])),
    ),
    continuous(
        "maxwell",
        &[],
        &[],
        "0 or above",
        "Maxwell: the length of a normal vector in space",
        |_| {
            let z = normal();
            Ok(Law::new(
                POSITIVE,
                move |s| {
                    let (x, y, w) = (z(s), z(s), z(s));
                    (x * x + y * y + w * w).sqrt()
                },
                |x| gamma_p(1.5, 0.5 * x * x),
                (2.0 * (2.0 / PI).sqrt(), (3.0 - 8.0 / PI).sqrt()),
            ))
        },
    ),
    continuous(
        "crystalball",
        &[
            ("beta", ShapeRange::POSITIVE),
            ("m", ShapeRange::above(1.0)),
        ],
        &[2.0, 3.0],
        "all numbers",
        "Crystal Ball: a normal with a power tail of exponent m below -beta",
        |shapes| Ok(crystal_ball(shapes[0], shapes[1])),
    ),
    continuous(
        "dpareto_lognorm",
        &[
            ("u", ShapeRange::ANY),
            ("s", ShapeRange::POSITIVE),
            ("a", ShapeRange::POSITIVE),
            ("b", ShapeRange::POSITIVE),
        ],
        &[3.0, 1.2, 1.5, 2.0],
        "above 0",
        "double Pareto log-normal: exp(u + s Z + E / a - F / b) with exponentials E, F",
        |shapes| Ok(double_pareto(shapes[0], shapes[1], shapes[2], shapes[3])),
    ),
];

fn log_normal(s: f64) -> Law {
    let variance = s * s;
    Law::of_normal(
        POSITIVE,
        move |z| exp_of_draw(s * z),
        move |x| normal_cdf(log(x) / s),
    )
    .with_moments(
        exp(0.5 * variance),
        exp(0.5 * variance) * expm1(variance).sqrt(),
    )
}

/// From this far out in a tail on, draws are exponential ones, some rejected.
const NORMAL_TAIL: f64 = 2.0;

fn truncated_normal(a: f64, b: f64) -> Result<Law, String> {
    if a >= b {
        return Err("`a` must be below `b`".into());
    }
    let mirrored = if a > 0.0 { -1.0 } else { 1.0 };
    // Mirrored, so that the interval is in the lower half or around 0, where the cdf is exact.
    let (low, high) = if a > 0.0 { (-b, -a) } else { (a, b) };
    let (below, above) = (normal_cdf(low), normal_cdf(high));
    let mass = above - below;
    let e = exponential();
    let z = normal();
    let draw = move |s: &mut crate::random::Stream| {
        let x = if high < -NORMAL_TAIL {
            // Robert, "Simulation of truncated normal variables", Stat. Comput. 5 (1995).
            let rate = -high;
            let share = -expm1(rate * (low - high));
            loop {
                let t = if share >= 1.0 {
                    e(s) / rate
                } else {
                    -log1p(-s.open_unit() * share) / rate
                };
                if log(s.open_unit()) <= -0.5 * t * t {
                    break high - t;
                }
            }
        } else if mass > 0.25 {
            loop {
                let x = z(s);
                if x >= low && x <= high {
                    break x;
                }
            }
        } else {
            normal_quantile(below + s.open_unit() * mass)
        };
        mirrored * x.clamp(low, high)
    };
    let centre = 0.0_f64.clamp(a, b);
    let width = (b - a).min(1.0 / (1.0 + fabs(centre)));
    let shape = Shape {
        support: (a, b),
        centre,
        width,
    };
    Ok(Law::of_density(shape, draw, move |x, _| {
        exp(-0.5 * (x - centre) * (x + centre))
    }))
}

/// P(3/2, z^2 / 2): scipy's cdf is made of half of it.
fn argus(chi: f64) -> Law {
    let limit = 0.5 * chi * chi;
    let gamma = crate::distribution::draws::GammaDraws::new(1.5);
    let draw = move |s: &mut crate::random::Stream| {
        // A gamma draw of shape 3/2, truncated to the limit.
        let y = if limit < 1.5 {
            loop {
                let y = limit * pow(s.open_unit(), 2.0 / 3.0);
                if log(s.open_unit()) <= -y {
                    break y;
                }
            }
        } else {
            loop {
                let y = gamma.sample(s);
                if y <= limit {
                    break y;
                }
            }
        };
        (1.0 - y / limit).max(0.0).sqrt()
    };
    let width = (0.5 / chi).min(0.3);
    let shape = Shape {
        support: (0.0, 1.0),
        centre: 1.0 - width,
        width,
    };
    Law::of_density(shape, draw, move |x, rest| {
        let gap = rest * (1.0 + x);
        x * gap.sqrt() * exp(-limit * gap)
    })
}

fn crystal_ball(beta: f64, m: f64) -> Law {
    let start = m / beta;
    let shift = start - beta;
    let at_beta = exp(-0.5 * beta * beta);
    let tail = start / (m - 1.0) * at_beta;
    let body = SQRT_TAU * normal_cdf(beta);
    let total = tail + body;
    let z = normal();
    let draw = move |s: &mut crate::random::Stream| {
        let u = s.open_unit() * total;
        if u < tail {
            shift - start * pow(u / tail, -1.0 / (m - 1.0))
        } else {
            loop {
                let x = z(s);
                if x > -beta {
                    break x;
                }
            }
        }
    };
    let cdf = move |x: f64| {
        if x <= -beta {
            tail / total * pow(start / (shift - x), m - 1.0)
        } else {
            (tail + SQRT_TAU * (normal_cdf(x) - normal_cdf(-beta))) / total
        }
    };
    let moments = if m <= 2.0 {
        (-INF, INF)
    } else {
        let out = start * (m - 1.0) / (m - 2.0);
        let first = (tail * (shift - out) + at_beta) / total;
        let second = if m <= 3.0 {
            INF
        } else {
            let out_squared = start * start * (m - 1.0) / (m - 3.0);
            let in_tail = shift * shift - 2.0 * shift * out + out_squared;
            (tail * in_tail + body - beta * at_beta) / total
        };
        raw_moments(first, second)
    };
    Law::new(REALS, draw, cdf, moments)
}

fn double_pareto(u: f64, s: f64, a: f64, b: f64) -> Law {
    let (z, e) = (normal(), exponential());
    let draw = move |stream: &mut crate::random::Stream| {
        exp(u + s * z(stream) + e(stream) / a - e(stream) / b)
    };
    // Reed and Jorgensen, "The double Pareto-lognormal distribution", Comm. Stat. 33 (2004);
    // density times Mills' ratio, in logarithms.
    let cdf = move |x: f64| {
        let t = (log(x) - u) / s;
        let term = |rate: f64, side: f64| {
            exp(0.5 * rate * rate - side * rate * t + ln_normal_cdf(side * t - rate))
        };
        normal_cdf(t) - (b * term(a * s, 1.0) - a * term(b * s, -1.0)) / (a + b)
    };
    let raw = |k: f64| {
        if a <= k {
            INF
        } else {
            a * b / ((a - k) * (b + k)) * exp(k * u + 0.5 * k * k * s * s)
        }
    };
    Law::new(POSITIVE, draw, cdf, raw_moments(raw(1.0), raw(2.0)))
}
