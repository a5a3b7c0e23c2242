//! Integrals: over a law that draws are made of, and of a density that has no closed integral.

use libm::{exp, log, sinh};
use std::f64::consts::FRAC_PI_2;

/// Abscissas and weights of Gauss and Legendre's rule with 10 points on (-1, 1), half of them.
const LEGENDRE: [(f64, f64); 5] = [
    (0.148_874_338_981_631_22, 0.295_524_224_714_752_87),
    (0.433_395_394_129_247_2, 0.269_266_719_309_996_35),
    (0.679_409_568_299_024_4, 0.219_086_362_515_982_04),
    (0.865_063_366_688_984_5, 0.149_451_349_150_580_6),
    (0.973_906_528_517_171_7, 0.066_671_344_308_688_14),
];

/// Calls `visit` with each point and weight of the rule on (low, high).
fn legendre(low: f64, high: f64, mut visit: impl FnMut(f64, f64)) {
    let (middle, half) = (0.5 * (low + high), 0.5 * (high - low));
    for (x, weight) in LEGENDRE {
        visit(middle - half * x, half * weight);
        visit(middle + half * x, half * weight);
    }
}

fn legendre_sum(f: &impl Fn(f64) -> f64, low: f64, high: f64) -> f64 {
    let mut sum = 0.0;
    legendre(low, high, |x, weight| sum += weight * f(x));
    sum
}

/// After so many bisections of an interval less precision will do.
const HALVED_MAX: u32 = 200;

/// The integral of a function over (low, high), both finite, by bisection until halves agree
/// with the whole to 1e-13 of `size`, or rounding keeps them from it.
pub(super) fn integrate(f: impl Fn(f64) -> f64, low: f64, high: f64, size: f64) -> f64 {
    let mut total = 0.0;
    let mut halved = 0;
    let mut open = vec![(low, high, legendre_sum(&f, low, high), 0)];
    while let Some((low, high, whole, depth)) = open.pop() {
        let middle = 0.5 * (low + high);
        let left = legendre_sum(&f, low, middle);
        let right = legendre_sum(&f, middle, high);
        let error = (left + right - whole).abs();
        let enough = if halved < HALVED_MAX { 1e-13 } else { 1e-9 };
        if depth >= 30 || halved >= 10 * HALVED_MAX || error <= enough * size {
            total += left + right;
        } else {
            halved += 1;
            open.push((low, middle, left, depth + 1));
            open.push((middle, high, right, depth + 1));
        }
    }
    total
}

/// Mean and standard deviation of f(E) for a standard exponential E: the double exponential
/// rule (Takahasi and Mori, Publ. RIMS 9, 1974), which reaches far into both tails.
pub(super) fn moments_of_exponential(f: impl Fn(f64) -> f64) -> (f64, f64) {
    let points = (-480..=480).map(|k| {
        let t = f64::from(k) / 80.0;
        let x = exp(FRAC_PI_2 * sinh(t));
        (f(x), exp(-x) * x * libm::cosh(t))
    });
    moments_of_points(points)
}

/// Mean and standard deviation of f(Z) for a standard normal Z.
pub(super) fn moments_of_normal(f: impl Fn(f64) -> f64) -> (f64, f64) {
    // The trapezoid rule converges geometrically here.
    let points = (-1200..=1200).map(|k| {
        let z = f64::from(k) / 32.0;
        (f(z), exp(-0.5 * z * z))
    });
    moments_of_points(points)
}

/// Mean and standard deviation of f(U) for a U uniform on (0, 1).
pub(super) fn moments_of_unit(f: impl Fn(f64) -> f64) -> (f64, f64) {
    let points = (-256..=256).map(|k| {
        let t = f64::from(k) / 64.0;
        let s = exp(-std::f64::consts::PI * sinh(t));
        let u = 1.0 / (1.0 + s);
        (f(u), u * (1.0 - u) * libm::cosh(t))
    });
    moments_of_points(points.filter(|&(_, weight)| weight > 0.0))
}

/// Mean and standard deviation of weighted values; weights need not add up to 1.
fn moments_of_points(points: impl Iterator<Item = (f64, f64)>) -> (f64, f64) {
    let points: Vec<(f64, f64)> = points
        .filter(|&(_, weight)| weight > 1e-300)
        .filter(|&(value, _)| value.is_finite())
        .collect();
    let total: f64 = points.iter().map(|&(_, weight)| weight).sum();
    let mean = points.iter().map(|&(x, weight)| weight * x).sum::<f64>() / total;
    let variance = points
        .iter()
        .map(|&(x, weight)| weight * (x - mean) * (x - mean))
        .sum::<f64>()
        / total;
    (mean, variance.sqrt())
}

/// Where a density lies and how wide it is, to begin with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// The support; either end may be infinite.
    pub(super) support: (f64, f64),
    /// A point where much of the mass is: the mode, say.
    pub(super) centre: f64,
    /// About how wide the density is there.
    pub(super) width: f64,
}

impl Shape {
    /// From the variable of integration to (x, distance to the upper end, dx/dt).
    fn place(&self, t: f64) -> (f64, f64, f64) {
        let (lower, upper) = self.support;
        let (s, growth) = (FRAC_PI_2 * sinh(t), FRAC_PI_2 * libm::cosh(t));
        match (lower.is_finite(), upper.is_finite()) {
            (true, true) => {
                let span = upper - lower;
                let (near, far) = (1.0 / (1.0 + exp(-2.0 * s)), 1.0 / (1.0 + exp(2.0 * s)));
                (
                    lower + span * near,
                    span * far,
                    2.0 * span * near * far * growth,
                )
            }
            (true, false) => {
                let offset = (self.centre - lower) * exp(s);
                (lower + offset, f64::INFINITY, offset * growth)
            }
            (false, true) => {
                let offset = (upper - self.centre) * exp(-s);
                (upper - offset, offset, offset * growth)
            }
            (false, false) => (
                self.centre + self.width * sinh(s),
                f64::INFINITY,
                self.width * libm::cosh(s) * growth,
            ),
        }
    }

    /// The variable of integration at `x`, inside the support.
    fn variable(&self, x: f64) -> f64 {
        let (lower, upper) = self.support;
        let s = match (lower.is_finite(), upper.is_finite()) {
            (true, true) => 0.5 * log((x - lower) / (upper - x)),
            (true, false) => log((x - lower) / (self.centre - lower)),
            (false, true) => -log((upper - x) / (upper - self.centre)),
            (false, false) => libm::asinh((x - self.centre) / self.width),
        };
        libm::asinh(s / FRAC_PI_2)
    }
}

/// The largest variable of integration: exp(pi/2 sinh t) is then near the largest number.
const VARIABLE_MAX: f64 = 6.1;
/// Panels that a density is cut into before those that need it are halved.
const PANELS: usize = 64;
/// No panel is halved further once there are so many: a density so rugged is mostly rounding.
const ENDS_MAX: usize = 20_000;

/// A law known by its density, up to a factor, as a function of (x, distance to the upper end).
pub(super) struct Density<F> {
    density: F,
    shape: Shape,
    /// Ends of the panels, and the integral up to each.
    ends: Vec<f64>,
    sums: Vec<f64>,
}

impl<F: Fn(f64, f64) -> f64> Density<F> {
    /// Integrates a density to 1e-13 of its mass.
    pub(super) fn new(shape: Shape, density: F) -> Self {
        let centre = match shape.support {
            (lower, upper) if lower.is_finite() && upper.is_finite() => {
                let margin = 1e-9 * (upper - lower);
                shape.variable(shape.centre.clamp(lower + margin, upper - margin))
            }
            _ => shape.variable(shape.centre),
        };
        let mut built = Density {
            density,
            shape,
            ends: Vec::new(),
            sums: Vec::new(),
        };
        // Panels are narrow near the centre, where the mass is, however narrow it is itself.
        let half = PANELS as i32 / 2;
        let mut starts: Vec<f64> = (-half..=half)
            .map(|k| {
                let part = f64::from(k) / f64::from(half);
                let reach = VARIABLE_MAX - centre * part.signum();
                centre + part.abs() * part * reach
            })
            .collect();
        // The flanks of a peak much narrower than the panels.
        for side in [-1.0, 1.0] {
            let mut distance = shape.width;
            for _ in 0..12 {
                let x = shape.centre + side * distance;
                let t = if x > shape.support.0 && x < shape.support.1 {
                    shape.variable(x)
                } else {
                    f64::NAN
                };
                if t.abs() < VARIABLE_MAX {
                    starts.push(t);
                }
                distance *= 2.5;
            }
        }
        starts.sort_by(f64::total_cmp);
        starts.dedup();
        let rough: f64 = starts
            .windows(2)
            .map(|ends| legendre_sum(&|t| built.weight(t), ends[0], ends[1]))
            .sum();
        let mut sum = 0.0;
        built.ends.push(starts[0]);
        built.sums.push(0.0);
        for ends in starts.windows(2) {
            sum = built.panel(ends[0], ends[1], rough, sum);
        }
        built
    }

    fn weight(&self, t: f64) -> f64 {
        let (x, rest, growth) = self.shape.place(t);
        let value = (self.density)(x, rest) * growth;
        if value.is_finite() { value } else { 0.0 }
    }

    /// Adds a panel, halved as often as it takes; returns the integral up to its end.
    fn panel(&mut self, low: f64, high: f64, size: f64, before: f64) -> f64 {
        let mut sum = before;
        let whole = legendre_sum(&|t| self.weight(t), low, high);
        let mut open = vec![(low, high, whole, 0)];
        while let Some((low, high, whole, depth)) = open.pop() {
            let middle = 0.5 * (low + high);
            let left = legendre_sum(&|t| self.weight(t), low, middle);
            let right = legendre_sum(&|t| self.weight(t), middle, high);
            if depth >= 25
                || self.ends.len() >= ENDS_MAX
                || (left + right - whole).abs() <= 1e-14 * size
            {
                sum += left;
                self.ends.push(middle);
                self.sums.push(sum);
                sum += right;
                self.ends.push(high);
                self.sums.push(sum);
            } else {
                open.push((middle, high, right, depth + 1));
                open.push((low, middle, left, depth + 1));
            }
        }
        sum
    }

    fn total(&self) -> f64 {
        self.sums[self.sums.len() - 1]
    }

    /// P(X < x), x inside the support.
    pub(super) fn cdf(&self, x: f64) -> f64 {
        let t = self.shape.variable(x);
        let panel = self.ends.partition_point(|&end| end <= t);
        if panel == 0 {
            return 0.0;
        }
        if panel == self.ends.len() {
            return 1.0;
        }
        let start = self.ends[panel - 1];
        let part = legendre_sum(&|t| self.weight(t), start, t);
        (self.sums[panel - 1] + part) / self.total()
    }

    /// Points and weights (which add up to 1) that stand for the law in integrals over it.
    pub(super) fn points(&self) -> Vec<(f64, f64)> {
        let mut points = Vec::with_capacity(self.ends.len() * 10);
        for ends in self.ends.windows(2) {
            legendre(ends[0], ends[1], |t, weight| {
                let weight = weight * self.weight(t) / self.total();
                if weight > 1e-300 {
                    points.push((self.shape.place(t).0, weight));
                }
            });
        }
        points
    }

    /// The mean and the standard deviation, which must exist.
    pub(super) fn moments(&self) -> (f64, f64) {
        moments_of_points(self.points().into_iter())
    }
}
