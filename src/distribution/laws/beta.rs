//! The beta law and laws made of it: F, Student's t, logistic ones.

use libm::{exp, expm1, fabs, lgamma, log, log1p};
use statrs::function::gamma::digamma;

use crate::distribution::draws::{BetaDraws, GammaDraws, normal};
use crate::distribution::law::{Law, LawSpec, ShapeRange, continuous, raw_moments};
use crate::distribution::quadrature::{Density, Shape};
use crate::distribution::special::{EULER_GAMMA, beta_inc, trigamma};
use crate::distribution::table::InverseTable;
use crate::random::Stream;
use std::f64::consts::{FRAC_PI_2, LN_2, PI};

const INF: f64 = f64::INFINITY;
const REALS: (f64, f64) = (-INF, INF);
const POSITIVE: (f64, f64) = (0.0, INF);
const P: ShapeRange = ShapeRange::POSITIVE;

pub(super) static SPECS: [LawSpec; 14] = [
    continuous(
        "beta",
        &[("a", P), ("b", P)],
        &[2.0, 3.0],
        "0 to 1",
        "beta",
        |shapes| {
            let (a, b) = (shapes[0], shapes[1]);
            let draws = BetaDraws::new(a, b);
            let sum = a + b;
            Ok(Law::new(
                (0.0, 1.0),
                move |s| draws.sample(s),
                move |x| beta_inc(a, b, x, 1.0 - x),
                (a / sum, ((a / sum) * (b / sum) / (sum + 1.0)).sqrt()),
            ))
        },
    ),
    continuous(
        "betaprime",
        &[("a", P), ("b", P)],
        &[5.0, 6.0],
        "0 or above",
        "beta prime: X / (1 - X) for a beta X",
        |shapes| {
            let (a, b) = (shapes[0], shapes[1]);
            let draws = BetaDraws::new(a, b);
            let mean = if b > 1.0 { a / (b - 1.0) } else { INF };
            let std_dev = if b > 2.0 {
                (mean * (a + b - 1.0) / ((b - 2.0) * (b - 1.0))).sqrt()
            } else {
                INF
            };
            Ok(Law::new(
                POSITIVE,
                move |s| {
                    let (x, y) = draws.sample_parts(s);
                    x / y
                },
                move |x| beta_inc(a, b, x / (1.0 + x), 1.0 / (1.0 + x)),
                (mean, std_dev),
            ))
        },
    ),
    continuous(
        "f",
        &[("dfn", P), ("dfd", P)],
        &[5.0, 10.0],
        "0 or above",
        "F: the ratio of two chi-squareds, each over its degrees of freedom",
        |shapes| {
            let (n, d) = (shapes[0], shapes[1]);
            let draws = BetaDraws::new(0.5 * n, 0.5 * d);
            let factor = d / n;
            let mean = if d > 2.0 { d / (d - 2.0) } else { INF };
            let std_dev = if d > 4.0 {
                mean * (2.0 * (n + d - 2.0) / (n * (d - 4.0))).sqrt()
            } else {
                INF
            };
            Ok(Law::new(
                POSITIVE,
                move |s| {
                    let (x, y) = draws.sample_parts(s);
                    factor * (x / y)
                },
                move |x| beta_inc(0.5 * n, 0.5 * d, x / (x + factor), factor / (x + factor)),
                (mean, std_dev),
            ))
        },
    ),
    continuous(
        "t",
        &[("df", P)],
        &[5.0],
        "all numbers",
        "Student's t with df degrees of freedom",
        |shapes| {
            let df = shapes[0];
            let draws = GammaDraws::new(0.5 * df);
            let z = normal();
            let std_dev = match df {
                df if df > 2.0 => (df / (df - 2.0)).sqrt(),
                df if df > 1.0 => INF,
                _ => f64::NAN,
            };
            Ok(Law::new(
                REALS,
                move |s| z(s) / (2.0 * draws.sample(s) / df).sqrt(),
                move |x| {
                    let square = x * x;
                    let beyond =
                        beta_inc(0.5 * df, 0.5, df / (df + square), square / (df + square));
                    super::gamma::both_sides(x, beyond)
                },
                (if df > 1.0 { 0.0 } else { f64::NAN }, std_dev),
            ))
        },
    ),
    continuous(
        "jf_skew_t",
        &[("a", P), ("b", P)],
        &[8.0, 4.0],
        "all numbers",
        "skew t of Jones and Faddy",
        |shapes| Ok(skew_t(shapes[0], shapes[1])),
    ),
    continuous(
        "rdist",
        &[("c", P)],
        &[1.6],
        "-1 to 1",
        "R: 2 X - 1 for a beta X with both shapes c / 2",
        |shapes| {
            let c = shapes[0];
            let draws = BetaDraws::new(0.5 * c, 0.5 * c);
            Ok(Law::new(
                (-1.0, 1.0),
                move |s| {
                    let (x, y) = draws.sample_parts(s);
                    (x - y) / (x + y)
                },
                move |x| beta_inc(0.5 * c, 0.5 * c, 0.5 * (1.0 + x), 0.5 * (1.0 - x)),
                (0.0, 1.0 / (c + 1.0).sqrt()),
            ))
        },
    ),
    continuous(
        "gausshyper",
        &[
            ("a", P),
            ("b", P),
            ("c", ShapeRange::ANY),
            ("z", ShapeRange::above(-1.0)),
        ],
        &[13.8, 3.1, 2.5, 5.2],
        "0 to 1",
        "Gauss hypergeometric: density in proportion to x^(a-1) (1-x)^(b-1) (1+zx)^-c",
        |shapes| {
            Ok(gauss_hypergeometric(
                shapes[0], shapes[1], shapes[2], shapes[3],
            ))
        },
    ),
    continuous("logistic", &[], &[], "all numbers", "logistic", |_| {
        Ok(
            Law::of_unit(REALS, |u| log(u / (1.0 - u)), |x| 1.0 / (1.0 + exp(-x)))
                .with_moments(0.0, PI / 3.0_f64.sqrt()),
        )
    }),
    continuous(
        "halflogistic",
        &[],
        &[],
        "0 or above",
        "half-logistic: the absolute value of a logistic",
        |_| {
            let moments = (2.0 * LN_2, (PI * PI / 3.0 - 4.0 * LN_2 * LN_2).sqrt());
            Ok(
                Law::of_unit(POSITIVE, |u| 2.0 * libm::atanh(u), |x| libm::tanh(0.5 * x))
                    .with_moments(moments.0, moments.1),
            )
        },
    ),
    continuous(
        "genlogistic",
        &[("c", P)],
        &[0.5],
        "all numbers",
        "generalized logistic",
        |shapes| {
            let c = shapes[0];
            Ok(Law::of_exponential(
                REALS,
                move |e| {
                    let t = e / c;
                    if t > 40.0 { -t } else { -log(expm1(t)) }
                },
                move |x| exp(-c * if x < -40.0 { -x } else { log1p(exp(-x)) }),
            )
            .with_moments(
                EULER_GAMMA + digamma(c),
                (PI * PI / 6.0 + trigamma(c)).sqrt(),
            ))
        },
    ),
    continuous(
        "genhalflogistic",
        &[("c", P)],
        &[0.8],
        "0 to 1/c",
        "generalized half-logistic",
        |shapes| {
            let c = shapes[0];
            let upper = 1.0 / c;
            Ok(Law::of_unit(
                (0.0, upper),
                move |u| (-expm1(-2.0 * c * libm::atanh(u)) / c).min(upper),
                move |x| {
                    let t = exp(log1p(-c * x) / c);
                    (1.0 - t) / (1.0 + t)
                },
            ))
        },
    ),
    continuous(
        "hypsecant",
        &[],
        &[],
        "all numbers",
        "hyperbolic secant",
        |_| {
            Ok(Law::of_unit(
                REALS,
                |u| log(libm::tan(FRAC_PI_2 * u)),
                |x| libm::atan(exp(x)) / FRAC_PI_2,
            )
            .with_moments(0.0, FRAC_PI_2))
        },
    ),
    continuous(
        "tukeylambda",
        &[("lam", ShapeRange::ANY)],
        &[0.5],
        "-1/lam to 1/lam, all numbers for lam <= 0",
        "Tukey's lambda",
        |shapes| Ok(tukey(shapes[0])),
    ),
    continuous(
        "rel_breitwigner",
        &[("rho", P)],
        &[36.5],
        "0 or above",
        "relativistic Breit-Wigner; rho is the mass over the width",
        |shapes| Ok(breit_wigner(shapes[0])),
    ),
];

fn skew_t(a: f64, b: f64) -> Law {
    let draws = BetaDraws::new(a, b);
    let sum = a + b;
    let mean = match (a.min(b), a == b) {
        (least, _) if least > 0.5 => {
            0.5 * (a - b)
                * sum.sqrt()
                * exp(lgamma(a - 0.5) - lgamma(a) + lgamma(b - 0.5) - lgamma(b))
        }
        (_, true) => f64::NAN,
        _ if a > 0.5 => INF,
        _ if b > 0.5 => -INF,
        _ => f64::NAN,
    };
    let second = if a > 1.0 && b > 1.0 {
        0.25 * sum * ((a - b) * (a - b) + sum - 2.0) / ((a - 1.0) * (b - 1.0))
    } else {
        INF
    };
    let std_dev = if mean.is_nan() {
        f64::NAN
    } else {
        raw_moments(mean, second).1
    };
    let draw = move |s: &mut Stream| {
        let (x, y) = draws.sample_parts(s);
        (x - y) * sum.sqrt() / (2.0 * x.sqrt() * y.sqrt())
    };
    let cdf = move |x: f64| {
        let root = (sum + x * x).sqrt();
        // Half of 1 + x / root and half of 1 - x / root, the small one without cancellation.
        let small = 0.5 * sum / (root * (root + fabs(x)));
        let (low, high) = if x < 0.0 {
            (small, 1.0 - small)
        } else {
            (1.0 - small, small)
        };
        beta_inc(a, b, low, high)
    };
    Law::new(REALS, draw, cdf, (mean, std_dev))
}

fn gauss_hypergeometric(a: f64, b: f64, c: f64, z: f64) -> Law {
    let ln_density =
        move |x: f64, rest: f64| (a - 1.0) * log(x) + (b - 1.0) * log(rest) - c * log1p(z * x);
    // The largest of the density on a grid, so that it is neither 0 nor infinite.
    let grid = (1..400).map(|k| f64::from(k) / 400.0);
    let (centre, top) =
        grid.map(|x| (x, ln_density(x, 1.0 - x)))
            .fold((0.5, f64::NEG_INFINITY), |best, at| {
                if at.1 > best.1 { at } else { best }
            });
    let density = move |x: f64, rest: f64| exp(ln_density(x, rest) - top);
    let shape = Shape {
        support: (0.0, 1.0),
        centre,
        width: 0.05,
    };
    let integral = Density::new(shape, density);
    let table = InverseTable::new(|x| integral.cdf(x), (0.0, 1.0), centre, 0.1);
    Law::of_density(shape, move |s| table.sample(s), density)
}

/// From this shape on the quantile is so flat in the middle that expm1 would cancel there.
const TUKEY_FLAT: f64 = 20.0;

fn tukey(lam: f64) -> Law {
    let grow = move |t: f64| {
        if fabs(lam) < 1e-300 {
            t
        } else {
            expm1(lam * t) / lam
        }
    };
    // The quantile of u from ln u and ln(1 - u).
    let at_logs = move |ln_u: f64, ln_rest: f64| {
        if lam > TUKEY_FLAT {
            return (exp(lam * ln_u) - exp(lam * ln_rest)) / lam;
        }
        let difference = grow(ln_u) - grow(ln_rest);
        match difference.is_nan() {
            // Both are beyond the largest number, one of them far more.
            true if ln_u < ln_rest => -INF,
            true => INF,
            false => difference,
        }
    };
    let quantile = move |u: f64| at_logs(log(u), log1p(-u));
    let upper = if lam > 0.0 { 1.0 / lam } else { INF };
    let cdf = move |x: f64| {
        // The quantile in the logit of u, where it is smooth, by bisection.
        let (mut low, mut high) = (-745.0, 745.0);
        for _ in 0..100 {
            let middle: f64 = 0.5 * (low + high);
            let at = at_logs(-log1p(exp(-middle)), -log1p(exp(middle)));
            if at < x { low = middle } else { high = middle }
        }
        1.0 / (1.0 + exp(-low))
    };
    let mean = if lam > -1.0 { 0.0 } else { f64::NAN };
    let std_dev = match lam {
        lam if lam <= -1.0 => f64::NAN,
        lam if lam <= -0.5 => INF,
        lam if fabs(lam) < 1e-4 => PI / 3.0_f64.sqrt(),
        lam => {
            let cross = exp(2.0 * lgamma(lam + 1.0) - lgamma(2.0 * lam + 2.0));
            (2.0 / (lam * lam) * (1.0 / (1.0 + 2.0 * lam) - cross)).sqrt()
        }
    };
    Law::new(
        (-upper, upper),
        move |s| quantile(s.open_unit()),
        cdf,
        (mean, std_dev),
    )
}

fn breit_wigner(rho: f64) -> Law {
    let density = move |x: f64, _: f64| {
        let off = (x - rho) * (x + rho) / rho;
        1.0 / (off * off + 1.0)
    };
    let width = rho.min(0.5);
    let shape = Shape {
        support: POSITIVE,
        centre: rho,
        width,
    };
    let integral = Density::new(shape, density);
    let table = InverseTable::new(
        |x| if x > 0.0 { integral.cdf(x) } else { 0.0 },
        POSITIVE,
        rho,
        width,
    );
    Law::of_density(shape, move |s| table.sample(s), density)
}
