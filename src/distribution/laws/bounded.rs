//! Uniform and other simple laws between two ends, and laws of angles.

use libm::{acos, asin, atan, cos, exp, log, log1p, sin, tan};

use crate::distribution::draws::normal;
use crate::distribution::law::{Law, LawSpec, ShapeRange, continuous, raw_moments};
use crate::distribution::quadrature::Shape;
use crate::distribution::special::{SQRT_TAU, normal_cdf};
use crate::distribution::table::InverseTable;
use crate::random::Stream;
use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI, TAU};

pub(super) static SPECS: [LawSpec; 12] = [
    continuous(
        "uniform",
        &[],
        &[],
        "0 to 1",
        "uniform from loc to loc + scale",
        |_| {
            let moments = (0.5, (1.0_f64 / 12.0).sqrt());
            Ok(Law::new((0.0, 1.0), Stream::unit, |x| x, moments))
        },
    ),
    continuous(
        "triang",
        &[("c", ShapeRange::UNIT)],
        &[0.3],
        "0 to 1",
        "triangular with its peak at loc + c scale",
        |shapes| {
            let c = shapes[0];
            Ok(trapezoid(c, c))
        },
    ),
    continuous(
        "trapezoid",
        &[("c", ShapeRange::UNIT), ("d", ShapeRange::UNIT)],
        &[0.2, 0.8],
        "0 to 1",
        "trapezoid: up until loc + c scale, level until loc + d scale, then down",
        |shapes| {
            if shapes[0] > shapes[1] {
                return Err("`c` must not be above `d`".into());
            }
            Ok(trapezoid(shapes[0], shapes[1]))
        },
    ),
    continuous(
        "bradford",
        &[("c", ShapeRange::POSITIVE)],
        &[0.3],
        "0 to 1",
        "Bradford: density in proportion to 1 / (1 + c x)",
        |shapes| {
            let c = shapes[0];
            let span = log1p(c);
            Ok(Law::of_unit(
                (0.0, 1.0),
                move |u| (libm::expm1(u * span) / c).min(1.0),
                move |x| log1p(c * x) / span,
            ))
        },
    ),
    continuous(
        "irwinhall",
        &[("n", ShapeRange::POSITIVE_COUNT)],
        &[4.0],
        "0 to n",
        "Irwin-Hall: the sum of n uniforms",
        |shapes| Ok(irwin_hall(shapes[0])),
    ),
    continuous(
        "anglit",
        &[],
        &[],
        "-pi/4 to pi/4",
        "anglit: density cos(2 x)",
        |_| {
            Ok(Law::of_unit(
                (-FRAC_PI_4, FRAC_PI_4),
                |u| asin(u.sqrt()) - FRAC_PI_4,
                |x| {
                    let y = sin(x + FRAC_PI_4);
                    y * y
                },
            )
            .with_moments(0.0, (PI * PI / 16.0 - 0.5).sqrt()))
        },
    ),
    continuous("arcsine", &[], &[], "0 to 1", "arcsine", |_| {
        let f = |u: f64| {
            let y = sin(FRAC_PI_2 * u);
            y * y
        };
        Ok(Law::of_unit((0.0, 1.0), f, |x| asin(x.sqrt()) / FRAC_PI_2)
            .with_moments(0.5, 0.125_f64.sqrt()))
    }),
    continuous("semicircular", &[], &[], "-1 to 1", "semicircular", |_| {
        Ok(Law::new(
            (-1.0, 1.0),
            |s| s.open_unit().sqrt() * cos(TAU * s.open_unit()),
            |x| 0.5 + (x * (1.0 - x * x).sqrt() + asin(x)) / PI,
            (0.0, 0.5),
        ))
    }),
    continuous(
        "cosine",
        &[],
        &[],
        "-pi to pi",
        "cosine: density in proportion to 1 + cos(x)",
        |_| {
            let draw = |s: &mut Stream| loop {
                let x = PI * (2.0 * s.open_unit() - 1.0);
                if 2.0 * s.open_unit() < 1.0 + cos(x) {
                    break x;
                }
            };
            Ok(Law::new(
                (-PI, PI),
                draw,
                |x| (PI + x + sin(x)) / TAU,
                (0.0, (PI * PI / 3.0 - 2.0).sqrt()),
            ))
        },
    ),
    continuous(
        "vonmises",
        &[("kappa", ShapeRange::NON_NEGATIVE)],
        &[4.0],
        "-pi to pi",
        "von Mises, on the line; kappa is the concentration",
        |shapes| Ok(von_mises(shapes[0])),
    ),
    continuous(
        "vonmises_line",
        &[("kappa", ShapeRange::NON_NEGATIVE)],
        &[4.0],
        "-pi to pi",
        "the same as vonmises",
        |shapes| Ok(von_mises(shapes[0])),
    ),
    continuous(
        "wrapcauchy",
        &[("c", ShapeRange::INSIDE_UNIT)],
        &[0.5],
        "0 to 2 pi",
        "wrapped Cauchy",
        |shapes| {
            let c = shapes[0];
            let factor = (1.0 - c) / (1.0 + c);
            let angle = move |u: f64| 2.0 * atan(factor * tan(PI * u));
            Ok(Law::of_unit(
                (0.0, TAU),
                move |u| {
                    if u < 0.5 {
                        angle(u)
                    } else {
                        TAU - angle(1.0 - u)
                    }
                },
                move |x| {
                    let part = |x: f64| atan(tan(0.5 * x) / factor) / PI;
                    if x < PI { part(x) } else { 1.0 - part(TAU - x) }
                },
            )
            .with_moments(PI, (PI * PI / 3.0 + 4.0 * dilogarithm(c)).sqrt()))
        },
    ),
];

/// The sum of x^k / k^2, for x from 0 to 1.
fn dilogarithm(x: f64) -> f64 {
    if x > 0.5 {
        // Euler's reflection: what is left converges.
        return PI * PI / 6.0 - log(x) * log1p(-x) - dilogarithm(1.0 - x);
    }
    let mut power = 1.0;
    (1..60_u32)
        .map(|k| {
            power *= x;
            power / f64::from(k * k)
        })
        .sum()
}

fn trapezoid(c: f64, d: f64) -> Law {
    let height = 2.0 / (1.0 + d - c);
    let (rise, level, fall) = (0.5 * height * c, height * (d - c), 0.5 * height * (1.0 - d));
    // Written so that triang draws c at its peak exactly.
    let quantile = move |u: f64| {
        if u < rise {
            (2.0 * u * c / height).sqrt()
        } else if u < rise + level {
            c + (u - rise) / height
        } else {
            1.0 - (2.0 * (1.0 - u) * (1.0 - d) / height).sqrt()
        }
    };
    let cdf = move |x: f64| {
        if x < c {
            0.5 * height * x * x / c
        } else if x < d {
            rise + height * (x - c)
        } else {
            1.0 - 0.5 * height * (1.0 - x) * (1.0 - x) / (1.0 - d)
        }
    };
    let down = height * (1.0 - d) * (1.0 - d) / 3.0;
    let down_squared = height * (1.0 - d) * (1.0 - d) * (1.0 - d) / 4.0;
    let first = height * c * c / 3.0 + 0.5 * height * (d * d - c * c) + fall - down;
    let second = height * c * c * c / 4.0 + height * (d * d * d - c * c * c) / 3.0 + fall
        - 2.0 * down
        + down_squared;
    let (mean, std_dev) = raw_moments(first, second);
    Law::new(
        (0.0, 1.0),
        move |s| quantile(s.unit()),
        cdf,
        (mean, std_dev),
    )
}

/// Up to this many uniforms are simply added; a sum of more is drawn by a table.
const SUMMED_MAX: f64 = 256.0;

fn irwin_hall(n: f64) -> Law {
    let moments = (0.5 * n, (n / 12.0).sqrt());
    if n <= SUMMED_MAX {
        let count = n as usize;
        let draw = move |s: &mut Stream| (0..count).map(|_| s.unit()).sum();
        return Law::new((0.0, n), draw, move |x| irwin_hall_cdf(count, x), moments);
    }
    let std_dev = moments.1;
    // Edgeworth's series, whose next terms are below 1e-8 for so many.
    let cdf = move |x: f64| {
        let z = (x - 0.5 * n) / std_dev;
        let square = z * z;
        let fourth = -1.2 / n / 24.0 * z * (square - 3.0);
        let sixth = (48.0 / 7.0) / (n * n) / 720.0 * z * (square * (square - 10.0) + 15.0);
        let eighth =
            1.44 / (n * n) / 1152.0 * z * (square * (square * (square - 21.0) + 105.0) - 105.0);
        normal_cdf(z) - exp(-0.5 * square) / SQRT_TAU * (fourth + sixth + eighth)
    };
    let reach = 8.0 * std_dev;
    let ends = ((0.5 * n - reach).max(0.0), (0.5 * n + reach).min(n));
    let table = InverseTable::new(cdf, ends, 0.5 * n, std_dev);
    Law::new((0.0, n), move |s| table.sample(s), cdf, moments)
}

/// The cdf by the recursion of B-splines: the cdf of n uniforms at x is the sum of the densities of n + 1
/// uniforms at x, x - 1, ...; every term is positive.
fn irwin_hall_cdf(n: usize, x: f64) -> f64 {
    let mut density: Vec<f64> = (0..=n + 1)
        .map(|j| {
            let at = x - j as f64;
            f64::from(u8::from((0.0..1.0).contains(&at)))
        })
        .collect();
    for order in 2..=n + 1 {
        for j in 0..density.len() {
            let at = x - j as f64;
            let next = density.get(j + 1).copied().unwrap_or(0.0);
            density[j] = (at * density[j] + (order as f64 - at) * next) / (order as f64 - 1.0);
        }
    }
    density.iter().sum()
}

/// Beyond this concentration the law is normal to 1e-7 in probability.
const KAPPA_NORMAL: f64 = 1e7;

/// Best and Fisher, "Efficient simulation of the von Mises distribution", Applied Statistics 28
/// (1979).
fn von_mises(kappa: f64) -> Law {
    let z = normal();
    let tau = 1.0 + (1.0 + 4.0 * kappa * kappa).sqrt();
    let rho = (tau - (2.0 * tau).sqrt()) / (2.0 * kappa);
    let r = if kappa > 1e-5 {
        (1.0 + rho * rho) / (2.0 * rho)
    } else {
        1.0 / kappa + kappa
    };
    let draw = move |s: &mut Stream| {
        if kappa < 1e-8 {
            return PI * (2.0 * s.open_unit() - 1.0);
        }
        if kappa > KAPPA_NORMAL {
            return (z(s) / kappa.sqrt()).clamp(-PI, PI);
        }
        loop {
            let cosine = cos(PI * s.open_unit());
            let f = ((1.0 + r * cosine) / (r + cosine)).clamp(-1.0, 1.0);
            let c = kappa * (r - f);
            let u = s.open_unit();
            if c * (2.0 - c) > u || log(c / u) + 1.0 >= c {
                let angle = acos(f);
                break if s.next_u64() >> 63 == 0 {
                    angle
                } else {
                    -angle
                };
            }
        }
    };
    let width = if kappa > 1.0 { 1.0 / kappa.sqrt() } else { 1.0 };
    let shape = Shape {
        support: (-PI, PI),
        centre: 0.0,
        width,
    };
    let density = move |x: f64, _: f64| {
        let half = sin(0.5 * x);
        exp(-2.0 * kappa * half * half)
    };
    Law::of_density(shape, draw, density).with_mean(0.0)
}
