//! Stable laws: Cauchy, Levy, Landau and their general form; tails without a variance.

use libm::{atan, cos, erf, erfc, exp, fabs, log, log1p, pow, sin, tan};

use crate::distribution::draws::{exponential, normal};
use crate::distribution::law::{Law, LawSpec, ShapeRange, continuous};
use crate::distribution::quadrature::integrate;
use crate::distribution::special::normal_cdf;
use crate::random::Stream;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_PI, FRAC_PI_2, PI};

const INF: f64 = f64::INFINITY;
const REALS: (f64, f64) = (-INF, INF);
const POSITIVE: (f64, f64) = (0.0, INF);
const NONE: (f64, f64) = (f64::NAN, f64::NAN);

pub(super) static SPECS: [LawSpec; 8] = [
    continuous(
        "cauchy",
        &[],
        &[],
        "all numbers",
        "Cauchy; has no mean",
        |_| {
            Ok(Law::new(
                REALS,
                |s| tan(PI * (s.open_unit() - 0.5)),
                |x| 0.5 + atan(x) / PI,
                NONE,
            ))
        },
    ),
    continuous(
        "halfcauchy",
        &[],
        &[],
        "0 or above",
        "half-Cauchy: the absolute value of a Cauchy",
        |_| {
            Ok(Law::new(
                POSITIVE,
                |s| tan(FRAC_PI_2 * s.open_unit()),
                |x| FRAC_2_PI * atan(x),
                (INF, INF),
            ))
        },
    ),
    continuous(
        "foldcauchy",
        &[("c", ShapeRange::NON_NEGATIVE)],
        &[2.0],
        "0 or above",
        "folded Cauchy: the absolute value of a Cauchy moved by c",
        |shapes| {
            let c = shapes[0];
            Ok(Law::new(
                POSITIVE,
                move |s| fabs(c + tan(PI * (s.open_unit() - 0.5))),
                move |x| (atan(x - c) + atan(x + c)) / PI,
                (INF, INF),
            ))
        },
    ),
    continuous(
        "skewcauchy",
        &[("a", ShapeRange::between(-1.0, 1.0, (false, false)))],
        &[0.5],
        "all numbers",
        "skewed Cauchy",
        |shapes| {
            let a = shapes[0];
            let (left, right) = (1.0 - a, 1.0 + a);
            let quantile = move |u: f64| {
                let (x, width) = if u < 0.5 * left {
                    (u - 0.5 * left, left)
                } else {
                    (u - 0.5 * left, right)
                };
                width * tan(PI * x / width)
            };
            let cdf = move |x: f64| {
                let width = if x < 0.0 { left } else { right };
                0.5 * left + width / PI * atan(x / width)
            };
            Ok(Law::new(REALS, move |s| quantile(s.open_unit()), cdf, NONE))
        },
    ),
    continuous(
        "levy",
        &[],
        &[],
        "above 0",
        "Levy: 1 / Z^2 for a normal Z",
        |_| {
            let z = normal();
            let draw = move |s: &mut Stream| {
                let z = z(s);
                1.0 / (z * z)
            };
            Ok(Law::new(
                POSITIVE,
                draw,
                |x| erfc((0.5 / x).sqrt()),
                (INF, INF),
            ))
        },
    ),
    continuous(
        "levy_l",
        &[],
        &[],
        "below 0",
        "Levy, to the left: minus a Levy",
        |_| {
            let z = normal();
            let draw = move |s: &mut Stream| {
                let z = z(s);
                -1.0 / (z * z)
            };
            Ok(Law::new(
                (-INF, 0.0),
                draw,
                |x| erf((-0.5 / x).sqrt()),
                (-INF, INF),
            ))
        },
    ),
    continuous(
        "landau",
        &[],
        &[],
        "all numbers",
        "Landau: energy lost in thin layers; has no mean",
        |_| {
            // The stable law with alpha 1 and beta 1, as scipy 1.18 has it; what its manual says
            // is that law times pi / 2 and moved by log(pi / 2).
            let e = exponential();
            Ok(Law::new(
                REALS,
                move |s| stable_one(1.0, s, e),
                |x| stable_one_cdf(1.0, x),
                NONE,
            ))
        },
    ),
    continuous(
        "levy_stable",
        &[
            ("alpha", ShapeRange::between(0.0, 2.0, (false, true))),
            ("beta", ShapeRange::between(-1.0, 1.0, (true, true))),
        ],
        &[1.8, -0.5],
        "all numbers",
        "stable, in scipy's parametrization S1; alpha is the tails' exponent, beta the skewness",
        |shapes| Ok(stable(shapes[0], shapes[1])),
    ),
];

/// Chambers, Mallows and Stuck, "A method for simulating stable random variables", J. Amer. Stat.
/// Assoc. 71 (1976), for alpha 1.
fn stable_one(beta: f64, s: &mut Stream, e: impl Fn(&mut Stream) -> f64) -> f64 {
    let angle = PI * (s.open_unit() - 0.5);
    let side = FRAC_PI_2 + beta * angle;
    FRAC_2_PI * (side * tan(angle) - beta * log(FRAC_PI_2 * e(s) * cos(angle) / side))
}

/// The cdf for alpha 1 and beta above 0: Nolan, "Numerical calculation of stable densities and
/// distribution functions", Stoch. Models 13 (1997).
fn stable_one_cdf(beta: f64, x: f64) -> f64 {
    let exponent = move |angle: f64| {
        let side = FRAC_PI_2 + beta * angle;
        log(FRAC_2_PI * side / cos(angle)) + side * tan(angle) / beta - FRAC_PI_2 * x / beta
    };
    nolan_integral(exponent, -FRAC_PI_2, FRAC_PI_2) / PI
}

/// The integral of exp(-exp(exponent)), where the exponent rises or falls all the way. Its fall
/// from 1 to 0 may be too steep to be found by halves, so it is looked for.
fn nolan_integral(exponent: impl Fn(f64) -> f64, low: f64, high: f64) -> f64 {
    let integrand = |angle: f64| {
        let value = exp(-exp(exponent(angle).min(700.0)));
        if value.is_nan() { 0.0 } else { value }
    };
    let quarter = 0.25 * (high - low);
    let rises = exponent(low + quarter) < exponent(high - quarter);
    let crossing = |level: f64| {
        let (mut a, mut b) = (low, high);
        for _ in 0..60 {
            let middle = 0.5 * (a + b);
            if (exponent(middle) < level) == rises {
                a = middle;
            } else {
                b = middle;
            }
        }
        0.5 * (a + b)
    };
    let mut ends = [
        low,
        crossing(-36.0),
        crossing(-6.0),
        crossing(0.0),
        crossing(4.0),
        high,
    ];
    ends.sort_unstable_by(f64::total_cmp);
    ends.windows(2)
        .map(|ends| integrate(integrand, ends[0], ends[1], 1.0))
        .sum()
}

fn stable(alpha: f64, beta: f64) -> Law {
    let e = exponential();
    if alpha == 2.0 {
        let root = std::f64::consts::SQRT_2;
        return Law::of_normal(REALS, move |z| root * z, |x| normal_cdf(x * FRAC_1_SQRT_2))
            .with_moments(0.0, root);
    }
    if alpha == 1.0 {
        let cdf = move |x: f64| match beta {
            0.0 => 0.5 + atan(x) / PI,
            beta if beta > 0.0 => stable_one_cdf(beta, x),
            beta => 1.0 - stable_one_cdf(-beta, -x),
        };
        return Law::new(REALS, move |s| stable_one(beta, s, e), cdf, NONE);
    }
    let tangent = beta * tan(FRAC_PI_2 * alpha);
    let start = atan(tangent) / alpha;
    let factor = pow(1.0 + tangent * tangent, 0.5 / alpha);
    let draw = move |s: &mut Stream| {
        let angle = PI * (s.open_unit() - 0.5);
        let turned = alpha * (angle + start);
        let rest = cos(angle - turned) / e(s);
        let x =
            factor * sin(turned) / pow(cos(angle), 1.0 / alpha) * pow(rest, (1.0 - alpha) / alpha);
        if x.is_finite() {
            return x;
        }
        // A small alpha: the product may be what its parts are too large or too small for.
        let ln_x = (0.5 * log1p(tangent * tangent) - log(cos(angle)) + (1.0 - alpha) * log(rest))
            / alpha
            + log(fabs(sin(turned)));
        if ln_x.is_nan() {
            0.0
        } else {
            exp(ln_x).copysign(turned)
        }
    };
    let support = match (alpha < 1.0, beta) {
        (true, 1.0) => POSITIVE,
        (true, -1.0) => (-INF, 0.0),
        _ => REALS,
    };
    let cdf = move |x: f64| {
        if x < 0.0 {
            1.0 - stable_cdf(alpha, -start, -x)
        } else {
            stable_cdf(alpha, start, x)
        }
    };
    let moments = if alpha > 1.0 { (0.0, INF) } else { NONE };
    Law::new(support, draw, cdf, moments)
}

/// Nolan's integral for x >= 0; `start` is his theta_0.
fn stable_cdf(alpha: f64, start: f64, x: f64) -> f64 {
    if x == 0.0 {
        return (FRAC_PI_2 - start) / PI;
    }
    let power = alpha / (alpha - 1.0);
    let ln_x = power * log(x) + log(cos(alpha * start)) / (alpha - 1.0);
    let exponent = move |angle: f64| {
        let turned = sin(alpha * (start + angle));
        ln_x + power * log(cos(angle) / turned)
            + log(cos(alpha * start + (alpha - 1.0) * angle) / cos(angle))
    };
    if FRAC_PI_2 + start < 1e-15 {
        return if alpha < 1.0 { 1.0 } else { 0.5 };
    }
    let integral = nolan_integral(exponent, -start, FRAC_PI_2) / PI;
    if alpha < 1.0 {
        (FRAC_PI_2 - start) / PI + integral
    } else {
        1.0 - integral
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_cases_are_the_laws_they_are() {
        // Cauchy, Levy.
        assert!(fabs(stable_cdf(1.0 + 1e-9, 0.0, 1.0) - 0.75) < 1e-6);
        assert!(fabs(stable(0.5, 1.0).mass_below(2.0) - erfc(0.5)) < 1e-9);
    }
}
