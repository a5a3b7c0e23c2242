//! The exponential law and laws that are a function of one exponential draw: Weibull, extreme
//! values, Pareto, Laplace.

use libm::{exp, expm1, fabs, lgamma, log, log1p, pow, tgamma};

use super::gamma::both_sides;
use crate::distribution::draws::{exponential, sign};
use crate::distribution::law::{Law, LawSpec, ShapeRange, continuous, raw_moments};
use crate::distribution::special::{EULER_GAMMA, ln_beta};
use std::f64::consts::PI;

const INF: f64 = f64::INFINITY;
const REALS: (f64, f64) = (-INF, INF);
const POSITIVE: (f64, f64) = (0.0, INF);
const P: ShapeRange = ShapeRange::POSITIVE;

pub(super) static SPECS: [LawSpec; 30] = [
    continuous(
        "expon",
        &[],
        &[],
        "0 or above",
        "exponential; scale is the mean",
        |_| Ok(Law::of_exponential(POSITIVE, |e| e, |x| -expm1(-x)).with_moments(1.0, 1.0)),
    ),
    continuous(
        "weibull_min",
        &[("c", P)],
        &[1.5],
        "0 or above",
        "Weibull; c is the shape",
        |shapes| {
            let c = shapes[0];
            let power = 1.0 / c;
            Ok(Law::of_exponential(
                POSITIVE,
                move |e| pow(e, power),
                move |x| -expm1(-pow(x, c)),
            )
            .with_moments_by(move || {
                raw_moments(gamma_at(1.0 + power), gamma_at(1.0 + 2.0 * power))
            }))
        },
    ),
    continuous(
        "weibull_max",
        &[("c", P)],
        &[1.5],
        "0 or below",
        "minus a Weibull",
        |shapes| {
            let c = shapes[0];
            let power = 1.0 / c;
            let (mean, std_dev) = raw_moments(gamma_at(1.0 + power), gamma_at(1.0 + 2.0 * power));
            Ok(Law::of_exponential(
                (-INF, 0.0),
                move |e| -pow(e, power),
                move |x| exp(-pow(-x, c)),
            )
            .with_moments(-mean, std_dev))
        },
    ),
    continuous(
        "dweibull",
        &[("c", P)],
        &[1.5],
        "all numbers",
        "double Weibull: a Weibull with a random sign",
        |shapes| {
            let c = shapes[0];
            let power = 1.0 / c;
            let e = exponential();
            Ok(Law::new(
                REALS,
                move |s| sign(s) * pow(e(s), power),
                move |x| both_sides(x, exp(-pow(fabs(x), c))),
                (0.0, gamma_at(1.0 + 2.0 * power).sqrt()),
            ))
        },
    ),
    continuous(
        "exponweib",
        &[("a", P), ("c", P)],
        &[2.0, 1.5],
        "0 or above",
        "exponentiated Weibull: for a whole a the largest of a Weibulls",
        |shapes| {
            let (a, power, c) = (shapes[0], 1.0 / shapes[1], shapes[1]);
            Ok(Law::of_exponential(
                POSITIVE,
                move |e| pow(-ln_one_minus_exp(e / a), power),
                move |x| pow(-expm1(-pow(x, c)), a),
            ))
        },
    ),
    continuous(
        "invweibull",
        &[("c", P)],
        &[3.0],
        "above 0",
        "inverse Weibull (Frechet)",
        |shapes| {
            let c = shapes[0];
            let raw = |k: f64| if c > k { gamma_at(1.0 - k / c) } else { INF };
            Ok(Law::of_exponential(
                POSITIVE,
                move |e| pow(e, -1.0 / c),
                move |x| exp(-pow(x, -c)),
            )
            .with_raw(raw(1.0), raw(2.0)))
        },
    ),
    continuous(
        "truncweibull_min",
        &[("c", P), ("a", ShapeRange::NON_NEGATIVE), ("b", P)],
        &[2.5, 0.25, 1.75],
        "a to b",
        "Weibull, truncated to a to b",
        |shapes| {
            let (c, a, b) = (shapes[0], shapes[1], shapes[2]);
            if a >= b {
                return Err("`a` must be below `b`".into());
            }
            let low = pow(a, c);
            let mass = -expm1(low - pow(b, c));
            Ok(Law::of_unit(
                (a, b),
                move |u| pow(low - log1p(-u * mass), 1.0 / c).clamp(a, b),
                move |x| -expm1(low - pow(x, c)) / mass,
            ))
        },
    ),
    continuous(
        "exponpow",
        &[("b", P)],
        &[2.5],
        "0 or above",
        "exponential power",
        |shapes| {
            let b = shapes[0];
            Ok(Law::of_exponential(
                POSITIVE,
                move |e| pow(log1p(e), 1.0 / b),
                move |x| -expm1(-expm1(pow(x, b))),
            ))
        },
    ),
    continuous(
        "gompertz",
        &[("c", P)],
        &[1.0],
        "0 or above",
        "Gompertz",
        |shapes| {
            let c = shapes[0];
            Ok(Law::of_exponential(
                POSITIVE,
                move |e| log1p(e / c),
                move |x| -expm1(-c * expm1(x)),
            ))
        },
    ),
    continuous(
        "genexpon",
        &[("a", P), ("b", P), ("c", P)],
        &[9.0, 16.0, 3.0],
        "0 or above",
        "generalized exponential: hazard a + b (1 - exp(-c x))",
        |shapes| {
            let (a, b, c) = (shapes[0], shapes[1], shapes[2]);
            let hazard = move |x: f64| a * x + b * (x + expm1(-c * x) / c);
            Ok(Law::of_exponential(
                POSITIVE,
                move |e| solve_genexpon(e, a, b, c),
                move |x| -expm1(-hazard(x)),
            ))
        },
    ),
    continuous(
        "truncexpon",
        &[("b", P)],
        &[3.0],
        "0 to b",
        "exponential, truncated to b",
        |shapes| {
            let b = shapes[0];
            let mass = -expm1(-b);
            Ok(Law::of_unit(
                (0.0, b),
                move |u| (-log1p(-u * mass)).min(b),
                move |x| -expm1(-x) / mass,
            ))
        },
    ),
    continuous(
        "gumbel_r",
        &[],
        &[],
        "all numbers",
        "Gumbel, skewed to the right",
        |_| {
            Ok(Law::of_exponential(REALS, |e| -log(e), |x| exp(-exp(-x)))
                .with_moments(EULER_GAMMA, PI / 6.0_f64.sqrt()))
        },
    ),
    continuous(
        "gumbel_l",
        &[],
        &[],
        "all numbers",
        "Gumbel, skewed to the left",
        |_| {
            Ok(Law::of_exponential(REALS, log, |x| -expm1(-exp(x)))
                .with_moments(-EULER_GAMMA, PI / 6.0_f64.sqrt()))
        },
    ),
    continuous(
        "genextreme",
        &[("c", ShapeRange::ANY)],
        &[-0.1],
        "below 1/c; above it for c < 0",
        "generalized extreme value; c 0 is Gumbel",
        |shapes| Ok(generalized_extreme(shapes[0])),
    ),
    continuous(
        "laplace",
        &[],
        &[],
        "all numbers",
        "Laplace: an exponential with a random sign",
        |_| {
            let e = exponential();
            Ok(Law::new(
                REALS,
                move |s| sign(s) * e(s),
                |x| both_sides(x, exp(-fabs(x))),
                (0.0, std::f64::consts::SQRT_2),
            ))
        },
    ),
    continuous(
        "laplace_asymmetric",
        &[("kappa", P)],
        &[2.0],
        "all numbers",
        "asymmetric Laplace",
        |shapes| {
            let kappa = shapes[0];
            let e = exponential();
            let square = kappa * kappa;
            Ok(Law::new(
                REALS,
                move |s| e(s) / kappa - e(s) * kappa,
                move |x| {
                    if x < 0.0 {
                        square / (1.0 + square) * exp(x / kappa)
                    } else {
                        1.0 - exp(-x * kappa) / (1.0 + square)
                    }
                },
                (1.0 / kappa - kappa, libm::hypot(1.0 / kappa, kappa)),
            ))
        },
    ),
    continuous(
        "loglaplace",
        &[("c", P)],
        &[3.0],
        "above 0",
        "log-Laplace: exp of a Laplace with scale 1/c",
        |shapes| {
            let c = shapes[0];
            let e = exponential();
            let raw = |k: f64| {
                if c > k {
                    c * c / ((c - k) * (c + k))
                } else {
                    INF
                }
            };
            Ok(Law::new(
                POSITIVE,
                move |s| exp(sign(s) * e(s) / c),
                move |x| {
                    if x < 1.0 {
                        0.5 * pow(x, c)
                    } else {
                        1.0 - 0.5 * pow(x, -c)
                    }
                },
                raw_moments(raw(1.0), raw(2.0)),
            ))
        },
    ),
    continuous(
        "pareto",
        &[("b", P)],
        &[2.5],
        "1 or above",
        "Pareto; b is the tail's exponent, scale the smallest value",
        |shapes| {
            let b = shapes[0];
            let raw = |k: f64| if b > k { b / (b - k) } else { INF };
            let std_dev = if b > 2.0 {
                (b / (b - 2.0)).sqrt() / (b - 1.0)
            } else {
                INF
            };
            Ok(Law::of_exponential(
                (1.0, INF),
                move |e| exp(e / b),
                move |x| -expm1(-b * log(x)),
            )
            .with_moments(raw(1.0), std_dev))
        },
    ),
    continuous(
        "lomax",
        &[("c", P)],
        &[2.5],
        "0 or above",
        "Lomax: a Pareto moved to 0",
        |shapes| {
            let c = shapes[0];
            let mean = if c > 1.0 { 1.0 / (c - 1.0) } else { INF };
            let std_dev = if c > 2.0 {
                (c / (c - 2.0)).sqrt() * mean
            } else {
                INF
            };
            Ok(Law::of_exponential(
                POSITIVE,
                move |e| expm1(e / c),
                move |x| -expm1(-c * log1p(x)),
            )
            .with_moments(mean, std_dev))
        },
    ),
    continuous(
        "genpareto",
        &[("c", ShapeRange::ANY)],
        &[0.1],
        "0 or above, up to -1/c for c < 0",
        "generalized Pareto; c 0 is exponential",
        |shapes| {
            let c = shapes[0];
            let support = (0.0, if c < 0.0 { -1.0 / c } else { INF });
            let mean = if c < 1.0 { 1.0 / (1.0 - c) } else { INF };
            let std_dev = if c < 0.5 {
                mean / (1.0 - 2.0 * c).sqrt()
            } else {
                INF
            };
            let upper = support.1;
            Ok(Law::of_exponential(
                support,
                move |e| grow(c, e).min(upper),
                move |x| -expm1(-shrink(c, x)),
            )
            .with_moments(mean, std_dev))
        },
    ),
    continuous(
        "truncpareto",
        &[("b", ShapeRange::NONZERO), ("c", ShapeRange::above(1.0))],
        &[1.8, 5.3],
        "1 to c",
        "Pareto, truncated to c",
        |shapes| {
            let (b, c) = (shapes[0], shapes[1]);
            let span = b * log(c);
            Ok(Law::of_unit(
                (1.0, c),
                move |u| exp(truncated(u, span) / b).clamp(1.0, c),
                move |x| truncated_cdf(b * log(x), span),
            ))
        },
    ),
    continuous(
        "burr",
        &[("c", P), ("d", P)],
        &[10.0, 4.0],
        "above 0",
        "Burr type III",
        |shapes| {
            let (c, d) = (shapes[0], shapes[1]);
            let raw = |k: f64| {
                if c > k {
                    d * exp(ln_beta(d + k / c, 1.0 - k / c))
                } else {
                    INF
                }
            };
            Ok(Law::of_exponential(
                POSITIVE,
                move |e| exp(-ln_expm1(e / d) / c),
                move |x| exp(-d * log1p(pow(x, -c))),
            )
            .with_raw(raw(1.0), raw(2.0)))
        },
    ),
    continuous(
        "burr12",
        &[("c", P), ("d", P)],
        &[10.0, 4.0],
        "0 or above",
        "Burr type XII",
        |shapes| {
            let (c, d) = (shapes[0], shapes[1]);
            let raw = |k: f64| {
                if c * d > k {
                    d * exp(ln_beta(d - k / c, 1.0 + k / c))
                } else {
                    INF
                }
            };
            Ok(Law::of_exponential(
                POSITIVE,
                move |e| exp(ln_expm1(e / d) / c),
                move |x| -expm1(-d * log1p(pow(x, c))),
            )
            .with_raw(raw(1.0), raw(2.0)))
        },
    ),
    continuous(
        "fisk",
        &[("c", P)],
        &[3.0],
        "0 or above",
        "Fisk (log-logistic)",
        |shapes| {
            let c = shapes[0];
            let raw = |k: f64| {
                let angle = k * PI / c;
                if c > k { angle / libm::sin(angle) } else { INF }
            };
            Ok(Law::of_exponential(
                POSITIVE,
                move |e| exp(ln_expm1(e) / c),
                move |x| 1.0 / (1.0 + pow(x, -c)),
            )
            .with_raw(raw(1.0), raw(2.0)))
        },
    ),
    continuous(
        "mielke",
        &[("k", P), ("s", P)],
        &[10.0, 4.5],
        "above 0",
        "Mielke's beta-kappa (Dagum)",
        |shapes| {
            let (k, t) = (shapes[0], shapes[1]);
            let raw = |r: f64| {
                if t > r {
                    exp(lgamma((k + r) / t) + lgamma(1.0 - r / t) - lgamma(k / t))
                } else {
                    INF
                }
            };
            Ok(Law::of_exponential(
                POSITIVE,
                move |e| exp(-ln_expm1(e * t / k) / t),
                move |x| exp(-k / t * log1p(pow(x, -t))),
            )
            .with_raw(raw(1.0), raw(2.0)))
        },
    ),
    continuous(
        "kappa3",
        &[("a", P)],
        &[2.5],
        "0 or above",
        "kappa with three parameters",
        |shapes| {
            let a = shapes[0];
            let count = if a > 2.0 { 2 } else { u32::from(a > 1.0) };
            Ok(Law::of_exponential(
                POSITIVE,
                move |e| exp((log(a) - ln_expm1(a * e)) / a),
                move |x| exp(-log1p(a * pow(x, -a)) / a),
            )
            .with_finite_moments(count))
        },
    ),
    continuous(
        "kappa4",
        &[("h", ShapeRange::ANY), ("k", ShapeRange::ANY)],
        &[0.1, 0.2],
        "depends on h and k",
        "kappa with four parameters; k is the upper tail's shape, h the lower one's",
        |shapes| Ok(kappa4(shapes[0], shapes[1])),
    ),
    continuous(
        "loguniform",
        &[("a", P), ("b", P)],
        &[1.0, 100.0],
        "a to b",
        "log-uniform: exp of a uniform",
        |shapes| log_uniform(shapes[0], shapes[1]),
    ),
    continuous(
        "reciprocal",
        &[("a", P), ("b", P)],
        &[1.0, 100.0],
        "a to b",
        "the same as loguniform",
        |shapes| log_uniform(shapes[0], shapes[1]),
    ),
    continuous(
        "powerlaw",
        &[("a", P)],
        &[1.5],
        "0 to 1",
        "power function: U^(1/a)",
        |shapes| {
            let a = shapes[0];
            let std_dev = (a / (a + 2.0)).sqrt() / (a + 1.0);
            Ok(
                Law::of_exponential((0.0, 1.0), move |e| exp(-e / a), move |x| pow(x, a))
                    .with_moments(a / (a + 1.0), std_dev),
            )
        },
    ),
];

impl Law {
    fn with_raw(self, first: f64, second: f64) -> Self {
        let (mean, std_dev) = raw_moments(first, second);
        self.with_moments(mean, std_dev)
    }
}

/// The gamma function; infinite beyond the largest number.
fn gamma_at(x: f64) -> f64 {
    tgamma(x)
}

/// ln(exp(t) - 1) for t > 0, also where exp(t) overflows.
fn ln_expm1(t: f64) -> f64 {
    if t > 40.0 { t } else { log(expm1(t)) }
}

/// ln(1 - exp(-t)) for t > 0.
fn ln_one_minus_exp(t: f64) -> f64 {
    if t < std::f64::consts::LN_2 {
        log(-expm1(-t))
    } else {
        log1p(-exp(-t))
    }
}

/// (exp(c e) - 1) / c, which is e for c 0.
fn grow(c: f64, e: f64) -> f64 {
    if fabs(c) * e.max(1.0) < 1e-300 {
        e
    } else {
        expm1(c * e) / c
    }
}

/// ln(1 + c x) / c: the inverse of [`grow`].
fn shrink(c: f64, x: f64) -> f64 {
    if fabs(c) < 1e-300 {
        x
    } else if c * x == INF && x.is_finite() {
        (log(fabs(c)) + log(fabs(x))) / c
    } else {
        log1p(c * x) / c
    }
}

/// The quantile of an exponential of rate 1, or of its mirror image, truncated to `span`, which may be
/// negative: -ln(1 - u (1 - exp(-span))).
fn truncated(u: f64, span: f64) -> f64 {
    if span > -30.0 {
        -log1p(u * expm1(-span))
    } else {
        // exp(-span) dwarfs 1, and may overflow.
        (span - log(u)).min(0.0)
    }
}

fn truncated_cdf(y: f64, span: f64) -> f64 {
    if span > -30.0 {
        expm1(-y) / expm1(-span)
    } else {
        exp(span - y)
    }
}

fn generalized_extreme(c: f64) -> Law {
    let support = match c {
        c if c > 0.0 => (-INF, 1.0 / c),
        c if c < 0.0 => (1.0 / c, INF),
        _ => REALS,
    };
    let (mean, std_dev) = if fabs(c) < 1e-6 {
        (
            EULER_GAMMA - c * (EULER_GAMMA * EULER_GAMMA + PI * PI / 6.0) / 2.0,
            PI / 6.0_f64.sqrt(),
        )
    } else {
        let raw = |k: f64| {
            if 1.0 + k * c > 0.0 {
                gamma_at(1.0 + k * c)
            } else {
                INF
            }
        };
        let (first, second) = (raw(1.0), raw(2.0));
        ((1.0 - first) / c, raw_moments(first, second).1 / fabs(c))
    };
    Law::of_exponential(
        support,
        move |e| (-grow(c, log(e))).clamp(support.0, support.1),
        move |x| exp(-exp(shrink(c, -x).min(700.0))),
    )
    .with_moments(mean, std_dev)
}

/// The x at which the hazard of genexpon, a x + b (x + (exp(-c x) - 1) / c), has grown to e:
/// Newton's method from above on a convex function, which needs five steps or so.
fn solve_genexpon(e: f64, a: f64, b: f64, c: f64) -> f64 {
    let mut x = (e / a).min((e + b / c) / (a + b));
    let near_zero = (3.0 * e / (b * c)).sqrt();
    if near_zero * c <= 1.0 {
        x = x.min(near_zero);
    }
    for _ in 0..60 {
        let decay = expm1(-c * x);
        let step = (a * x + b * (x + decay / c) - e) / (a - b * decay);
        let next = x - step;
        if next.is_nan() || next >= x || next <= 0.0 {
            break;
        }
        x = next;
    }
    x
}

fn log_uniform(a: f64, b: f64) -> Result<Law, String> {
    if a >= b {
        return Err("`a` must be below `b`".into());
    }
    let (start, span) = (log(a), log(b / a));
    let mean = (b - a) / span;
    let variance = 0.5 * (b - a) * (b + a) / span - mean * mean;
    Ok(Law::of_unit(
        (a, b),
        move |u| exp(start + u * span).clamp(a, b),
        move |x| log(x / a) / span,
    )
    .with_moments(mean, variance.max(0.0).sqrt()))
}

/// Hosking, "The four-parameter kappa distribution", IBM J. Res. Dev. 38 (1994).
fn kappa4(h: f64, k: f64) -> Law {
    // y = (1 - u^h) / h, x = (1 - y^k) / k; u = exp(-e).
    let y_at = move |e: f64| -grow(h, -e);
    let x_at = move |y: f64| -grow(k, log(y));
    let y_max = if h > 0.0 { 1.0 / h } else { INF };
    let lower = if h > 0.0 {
        x_at(y_max)
    } else if k < 0.0 {
        1.0 / k
    } else {
        -INF
    };
    let upper = if k > 0.0 { 1.0 / k } else { INF };
    let cdf = move |x: f64| {
        let y = exp(shrink(k, -x).min(700.0)).min(y_max);
        exp(-shrink(-h, y))
    };
    // E y^j exists for j > -1 and, for h < 0, j < -1/h.
    let finite = |j: f64| j > -1.0 && (h >= 0.0 || j * -h < 1.0);
    let count = match (finite(k), finite(2.0 * k)) {
        (true, true) => 2,
        (true, false) => 1,
        (false, _) => 0,
    };
    let law = Law::of_exponential(
        (lower, upper),
        move |e| x_at(y_at(e)).clamp(lower, upper),
        cdf,
    );
    if count == 0 && k > 0.0 {
        // The lower tail is the heavy one.
        law.with_moments(-INF, INF)
    } else {
        law.with_finite_moments(count)
    }
}
