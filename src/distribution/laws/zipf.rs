//! Laws of whole numbers with heavy tails: ranks, words, species.

use libm::{exp, expm1, floor, log, log1p, pow};

use crate::distribution::draws::exponential;
use crate::distribution::law::{Law, LawSpec, ShapeRange, discrete, raw_moments};
use crate::distribution::quadrature::integrate;
use crate::distribution::special::{harmonic, ln_beta, zeta_from};
use crate::random::Stream;

const INF: f64 = f64::INFINITY;
const FROM_ONE: (f64, f64) = (1.0, INF);

pub(super) static SPECS: [LawSpec; 4] = [
    discrete(
        "zipf",
        &[("a", ShapeRange::above(1.0))],
        &[2.5],
        "1, 2, ...",
        "Zipf (zeta): probability in proportion to k^-a",
        |shapes| {
            let a = shapes[0];
            let raw = |power: f64| {
                if a > power + 1.0 {
                    zeta_from(a - power, 1.0) / zeta_from(a, 1.0)
                } else {
                    INF
                }
            };
            let (mean, std_dev) = raw_moments(raw(1.0), raw(2.0));
            let all = zeta_from(a, 1.0);
            Ok(Law::whole(
                FROM_ONE,
                move |s| zipf(a, s),
                move |k| 1.0 - zeta_from(a, k + 1.0) / all,
                (mean, std_dev),
            ))
        },
    ),
    discrete(
        "zipfian",
        &[
            ("a", ShapeRange::NON_NEGATIVE),
            ("n", ShapeRange::POSITIVE_COUNT),
        ],
        &[0.75, 15.0],
        "1 to n",
        "Zipf over n ranks: probability in proportion to k^-a",
        |shapes| {
            let (a, n) = (shapes[0], shapes[1]);
            let all = harmonic(a, n);
            let (mean, std_dev) =
                raw_moments(harmonic(a - 1.0, n) / all, harmonic(a - 2.0, n) / all);
            Ok(Law::whole(
                (1.0, n),
                move |s| zipfian(a, n, s),
                move |k| harmonic(a, k) / all,
                (mean, std_dev),
            ))
        },
    ),
    discrete(
        "yulesimon",
        &[("alpha", ShapeRange::POSITIVE)],
        &[3.0],
        "1, 2, ...",
        "Yule-Simon",
        |shapes| {
            let alpha = shapes[0];
            let e = exponential();
            let mean = if alpha > 1.0 {
                alpha / (alpha - 1.0)
            } else {
                INF
            };
            let std_dev = if alpha > 2.0 {
                mean / (alpha - 2.0).sqrt()
            } else {
                INF
            };
            let draw = move |s: &mut Stream| {
                // A geometric whose p is exp(-E / alpha).
                let t = e(s) / alpha;
                let rate = if t < 20.0 {
                    -log(-expm1(-t))
                } else {
                    -log1p(-exp(-t))
                };
                (e(s) / rate).ceil().clamp(1.0, f64::MAX)
            };
            Ok(Law::whole(
                FROM_ONE,
                draw,
                move |k| -expm1(log(k) + ln_beta(k, alpha + 1.0)),
                (mean, std_dev),
            ))
        },
    ),
    discrete(
        "logser",
        &[("p", ShapeRange::INSIDE_UNIT)],
        &[0.6],
        "1, 2, ...",
        "logarithmic series: probability in proportion to p^k / k",
        |shapes| {
            let p = shapes[0];
            let rate = log1p(-p);
            let odds = p / (1.0 - p);
            let mean = -odds / rate;
            let variance = -p * (rate + p) / ((1.0 - p) * (1.0 - p) * rate * rate);
            // The integral of t^k / (1 - t) from 0 to p, with t = p exp(-v).
            let beyond = move |k: f64| {
                let integrand = |v: f64| {
                    let t = p * exp(-v);
                    exp(k * log(p) - (k + 1.0) * v) * p / (1.0 - t)
                };
                let reach = 45.0 / (k + 1.0);
                integrate(integrand, 0.0, reach, -rate) / -rate
            };
            Ok(Law::whole(
                FROM_ONE,
                move |s| logarithmic(p, rate, s),
                move |k| 1.0 - beyond(k),
                (mean, variance.sqrt()),
            ))
        },
    ),
];

/// Devroye, "Non-uniform random variate generation" (1986), X.6.1.
fn zipf(a: f64, s: &mut Stream) -> f64 {
    let rate = a - 1.0;
    // b / (b + 1) for Devroye's b = 2^rate - 1, which overflows for a steep law.
    let most = -expm1(-rate * std::f64::consts::LN_2);
    loop {
        let x = floor(pow(s.open_unit(), -1.0 / rate)).min(f64::MAX);
        let v = s.open_unit();
        // (t - 1) / t for t = (1 + 1/x)^rate, also where t is 1 but for rounding.
        let share = -expm1(-rate * log1p(1.0 / x));
        if v * (x * share) <= most {
            return x;
        }
    }
}

/// Rejection from a hat that is 1 up to 1 and x^-a beyond (the method of Jason Crease, as in rand_distr).
fn zipfian(a: f64, n: f64, s: &mut Stream) -> f64 {
    let rest = 1.0 - a;
    let span = rest * log(n);
    // The hat's area, and the inverse of its integral.
    let beyond = if span.abs() < 1e-12 {
        log(n)
    } else {
        expm1(span) / rest
    };
    loop {
        let at = s.open_unit() * (1.0 + beyond);
        let x = if at <= 1.0 {
            at
        } else if (rest * (at - 1.0)).abs() < 1e-12 {
            exp(at - 1.0)
        } else {
            exp(log1p(rest * (at - 1.0)) / rest)
        };
        let k = floor(x + 1.0).min(n);
        let ratio = if k > 1.0 { pow(x / k, a) } else { 1.0 };
        if s.open_unit() < ratio {
            return k;
        }
    }
}

/// Kemp, "Efficient generation of logarithmically distributed pseudo-random variables", Applied
/// Statistics 30 (1981), algorithm LK.
fn logarithmic(p: f64, rate: f64, s: &mut Stream) -> f64 {
    let v = s.open_unit();
    if v >= p {
        return 1.0;
    }
    let q = -expm1(rate * s.open_unit());
    if v <= q * q {
        (1.0 + floor(log(v) / log(q))).clamp(1.0, f64::MAX)
    } else if v >= q {
        1.0
    } else {
        2.0
    }
}
