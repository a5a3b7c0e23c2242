//! The inverse Gaussian law, its generalization, and normals mixed over them.

use libm::{exp, hypot, log};

use crate::distribution::draws::{
    GammaDraws, GeneralizedInverseGaussian, inverse_gaussian, normal,
};
use crate::distribution::law::{Law, LawSpec, ShapeRange, continuous};
use crate::distribution::quadrature::{Density, Shape};
use crate::distribution::special::{ln_normal_cdf, normal_cdf};
use crate::random::Stream;
use std::sync::{Arc, OnceLock};

const INF: f64 = f64::INFINITY;
const REALS: (f64, f64) = (-INF, INF);
const POSITIVE: (f64, f64) = (0.0, INF);
const P: ShapeRange = ShapeRange::POSITIVE;
const ANY: ShapeRange = ShapeRange::ANY;

pub(super) static SPECS: [LawSpec; 6] = [
    continuous(
        "invgauss",
        &[("mu", P)],
        &[0.5],
        "above 0",
        "inverse Gaussian with mean mu * scale and shape scale",
        |shapes| Ok(inverse(shapes[0])),
    ),
    continuous(
        "wald",
        &[],
        &[],
        "above 0",
        "Wald: inverse Gaussian with mu = 1",
        |_| Ok(inverse(1.0)),
    ),
    continuous(
        "recipinvgauss",
        &[("mu", P)],
        &[0.6],
        "above 0",
        "1 / X for an inverse Gaussian X",
        |shapes| {
            let mu = shapes[0];
            let z = normal();
            Ok(Law::new(
                POSITIVE,
                move |s| 1.0 / inverse_gaussian(mu, z(s), s.open_unit()),
                move |x| 1.0 - inverse_cdf(mu, 1.0 / x),
                (1.0 / mu + 1.0, (1.0 / mu + 2.0).sqrt()),
            ))
        },
    ),
    continuous(
        "geninvgauss",
        &[("p", ANY), ("b", P)],
        &[2.0, 1.5],
        "above 0",
        "generalized inverse Gaussian",
        |shapes| {
            let (p, b) = (shapes[0], shapes[1]);
            let draws = GeneralizedInverseGaussian::new(p, b);
            let (shape, density) = generalized(p, b);
            Ok(Law::of_density(shape, move |s| draws.sample(s), density))
        },
    ),
    continuous(
        "norminvgauss",
        &[("a", P), ("b", ANY)],
        &[1.25, 0.5],
        "all numbers",
        "normal-inverse Gaussian: b V + sqrt(V) Z for an inverse Gaussian V",
        |shapes| {
            let (a, b) = (shapes[0], shapes[1]);
            if b.abs() >= a {
                return Err("`b` must be between `-a` and `a`".into());
            }
            let gamma = ((a - b) * (a + b)).sqrt();
            let z = normal();
            let draw = move |s: &mut Stream| inverse_gaussian(1.0 / gamma, z(s), s.open_unit());
            let (shape, density) = generalized(-0.5, gamma);
            Ok(normal_mixture(b, gamma, draw, shape, density)
                .with_moments(b / gamma, a / (gamma * gamma.sqrt())))
        },
    ),
    continuous(
        "genhyperbolic",
        &[("p", ANY), ("a", ShapeRange::NON_NEGATIVE), ("b", ANY)],
        &[0.5, 1.5, -0.5],
        "all numbers",
        "generalized hyperbolic: b V + sqrt(V) Z for a generalized inverse Gaussian V",
        |shapes| generalized_hyperbolic(shapes[0], shapes[1], shapes[2]),
    ),
];

fn inverse(mu: f64) -> Law {
    let z = normal();
    Law::new(
        POSITIVE,
        move |s| inverse_gaussian(mu, z(s), s.open_unit()),
        move |x| inverse_cdf(mu, x),
        (mu, mu * mu.sqrt()),
    )
}

fn inverse_cdf(mu: f64, x: f64) -> f64 {
    let root = x.sqrt();
    normal_cdf((x / mu - 1.0) / root) + exp(2.0 / mu + ln_normal_cdf(-(x / mu + 1.0) / root))
}

/// The density of a generalized inverse Gaussian law, 1 at its largest, and where it lies.
fn generalized(
    p: f64,
    b: f64,
) -> (
    Shape,
    impl Fn(f64, f64) -> f64 + Clone + Send + Sync + 'static,
) {
    let root = hypot(p, b);
    // Where x times the density is largest.
    let centre = if p < 0.0 {
        b / (root - p)
    } else {
        (p + root) / b
    };
    let width = centre * (1.0 / root.sqrt()).min(0.5);
    let ln_density = move |x: f64| (p - 1.0) * log(x) - 0.5 * b * (x + 1.0 / x);
    let top = ln_density(centre);
    let shape = Shape {
        support: POSITIVE,
        centre,
        width,
    };
    (shape, move |x: f64, _: f64| exp(ln_density(x) - top))
}

/// b V + sqrt(V) Z for a V with these draws; `density` is that of V times `gamma`.
fn normal_mixture(
    b: f64,
    gamma: f64,
    draw: impl Fn(&mut Stream) -> f64 + Send + Sync + 'static,
    shape: Shape,
    density: impl Fn(f64, f64) -> f64 + Clone + Send + Sync + 'static,
) -> Law {
    let z = normal();
    let points = Arc::new(OnceLock::new());
    let again = Arc::clone(&points);
    let build = move || -> Vec<(f64, f64)> {
        let points = Density::new(shape, density.clone()).points().into_iter();
        points
            .filter(|&(_, weight)| weight > 1e-17)
            .map(|(v, weight)| (v / gamma, weight))
            .collect()
    };
    let build_again = build.clone();
    let cdf = move |x: f64| {
        let points = points.get_or_init(&build);
        points
            .iter()
            .map(|&(v, weight)| weight * normal_cdf((x - b * v) / v.sqrt()))
            .sum()
    };
    let draw = move |s: &mut Stream| {
        let v = draw(s);
        b * v + v.sqrt() * z(s)
    };
    Law::new(REALS, draw, cdf, (0.0, 0.0)).with_moments_by(move || {
        let points = again.get_or_init(&build_again);
        let mean: f64 = points.iter().map(|&(v, weight)| weight * v).sum();
        let variance: f64 = points
            .iter()
            .map(|&(v, weight)| weight * (v - mean) * (v - mean))
            .sum();
        (b * mean, (mean + b * b * variance).sqrt())
    })
}

fn generalized_hyperbolic(p: f64, a: f64, b: f64) -> Result<Law, String> {
    if b.abs() < a {
        let gamma = ((a - b) * (a + b)).sqrt();
        let draws = GeneralizedInverseGaussian::new(p, gamma);
        let (shape, density) = generalized(p, gamma);
        return Ok(normal_mixture(
            b,
            gamma,
            move |s| draws.sample(s) / gamma,
            shape,
            density,
        ));
    }
    if b.abs() > a || p >= 0.0 {
        return Err(
            "`b` must be between `-a` and `a`; only for `p` below 0 it may be one of them".into(),
        );
    }
    // The limit: V is 1 / (2 G) for a gamma G of shape -p.
    let draws = GammaDraws::new(-p);
    let density = move |v: f64, _: f64| exp((p - 1.0) * log(v) - 0.5 / v);
    let centre = 0.5 / (1.0 - p);
    let shape = Shape {
        support: POSITIVE,
        centre,
        width: 0.5 * centre,
    };
    let law = normal_mixture(b, 1.0, move |s| 0.5 / draws.sample(s), shape, density);
    let mean = if p < -1.0 { 0.5 / (-p - 1.0) } else { INF };
    let variance = if p < -2.0 {
        mean * mean / (-p - 2.0)
    } else {
        INF
    };
    let tail = if b == 0.0 { 0.0 } else { b * b * variance };
    let centre = match (b == 0.0, p < -0.5) {
        (true, true) => 0.0,
        (true, false) => f64::NAN,
        _ => b * mean,
    };
    Ok(law.with_moments(centre, (mean + tail).sqrt()))
}
