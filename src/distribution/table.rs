//! Draws by a table of the inverse of a cdf.

use crate::random::Stream;

/// What interpolation may be off, in probability, between two entries.
const ERROR_MAX: f64 = 2.5e-7;
/// Mass in either tail of an unbounded support that is left out.
const TAIL: f64 = 5e-9;
/// No entry stands for more mass than this.
const STEP_MAX: f64 = 1.0 / 256.0;

/// The inverse of a cdf, built once and interpolated: draws are off by less than 1e-6 in
/// probability.
pub(super) struct InverseTable {
    /// The cdf at `x`, from 0 to 1.
    mass: Vec<f64>,
    x: Vec<f64>,
    /// For each of as many equal parts of (0, 1) as there are entries, the first entry that may
    /// hold its draws.
    guide: Vec<u32>,
}

impl InverseTable {
    /// The table of a `cdf`, P(X <= x), over `support`; `inside` is a point in it, `width` about
    /// how wide the law is, for a support that has no end.
    pub(super) fn new(
        cdf: impl Fn(f64) -> f64,
        support: (f64, f64),
        inside: f64,
        width: f64,
    ) -> Self {
        let lower = end(support.0, inside, -width, |x| cdf(x) <= TAIL);
        let upper = end(support.1, inside, width, |x| cdf(x) >= 1.0 - TAIL);
        let mut x = vec![lower];
        let mut mass = vec![0.0];
        let low = if support.0.is_finite() {
            0.0
        } else {
            cdf(lower)
        };
        let high = if support.1.is_finite() {
            1.0
        } else {
            cdf(upper)
        };
        let start = cdf(lower).max(low);
        if start > low {
            x.push(lower);
            mass.push(start);
        }
        let mut open = vec![(lower, upper, start, high)];
        while let Some((a, b, below, above)) = open.pop() {
            let middle = between(a, b);
            let at = cdf(middle).clamp(below, above);
            let share = (middle - a) / (b - a);
            let error = (at - below - share * (above - below)).abs();
            let narrow = middle <= a || middle >= b;
            if narrow || (error <= ERROR_MAX && above - below <= STEP_MAX) {
                if narrow && above > below {
                    // A jump: its draws are `b` itself.
                    x.push(b);
                    mass.push(below);
                } else if error > 0.1 * ERROR_MAX {
                    // A middle on the straight line needs no entry; any other is better kept.
                    x.push(middle);
                    mass.push(at);
                }
                x.push(b);
                mass.push(above);
            } else {
                open.push((middle, b, at, above));
                open.push((a, middle, below, at));
            }
        }
        let total = mass[mass.len() - 1] - low;
        for value in &mut mass[1..] {
            *value = (*value - low) / total;
        }
        Self::from_entries(x, mass)
    }

    /// The table with these entries: both ascending, the masses from 0 to 1.
    pub(super) fn from_entries(x: Vec<f64>, mass: Vec<f64>) -> Self {
        let parts = mass.len();
        let guide = (0..parts)
            .map(|part| {
                let u = part as f64 / parts as f64;
                (mass.partition_point(|&mass| mass <= u).max(1) - 1) as u32
            })
            .collect();
        InverseTable { mass, x, guide }
    }

    /// Draws a number.
    #[inline]
    pub(super) fn sample(&self, stream: &mut Stream) -> f64 {
        let u = stream.open_unit();
        let part = (u * self.guide.len() as f64) as usize;
        let mut entry = self.guide[part.min(self.guide.len() - 1)] as usize;
        while entry + 2 < self.mass.len() && self.mass[entry + 1] < u {
            entry += 1;
        }
        let (low, high) = (self.mass[entry], self.mass[entry + 1]);
        let share = if high > low {
            ((u - low) / (high - low)).min(1.0)
        } else {
            1.0
        };
        self.x[entry] + share * (self.x[entry + 1] - self.x[entry])
    }

    /// The mean and the standard deviation of the draws.
    pub(super) fn moments(&self) -> (f64, f64) {
        let pieces = || {
            let steps = self.mass.windows(2).map(|mass| mass[1] - mass[0]);
            steps.zip(self.x.windows(2))
        };
        let mean: f64 = pieces().map(|(mass, x)| mass * 0.5 * (x[0] + x[1])).sum();
        let variance: f64 = pieces()
            .map(|(mass, x)| {
                let (a, b) = (x[0] - mean, x[1] - mean);
                mass * (a * a + a * b + b * b) / 3.0
            })
            .sum();
        (mean, variance.sqrt())
    }

    /// P(X <= x) of the draws.
    pub(super) fn cdf(&self, x: f64) -> f64 {
        self.cdf_at(x, self.x.partition_point(|&entry| entry <= x))
    }

    /// P(X < x) of the draws.
    pub(super) fn mass_below(&self, x: f64) -> f64 {
        self.cdf_at(x, self.x.partition_point(|&entry| entry < x))
    }

    fn cdf_at(&self, x: f64, after: usize) -> f64 {
        if after == 0 {
            return 0.0;
        }
        if after == self.x.len() {
            return 1.0;
        }
        let (low, high) = (self.x[after - 1], self.x[after]);
        let share = (x - low) / (high - low);
        self.mass[after - 1] + share * (self.mass[after] - self.mass[after - 1])
    }
}

/// The end of the support or, if it has none, a point so far out that `beyond` holds.
fn end(support: f64, inside: f64, step: f64, beyond: impl Fn(f64) -> bool) -> f64 {
    if support.is_finite() {
        return support;
    }
    let mut step = step;
    while !beyond(inside + step) && (inside + 2.0 * step).is_finite() {
        step *= 2.0;
    }
    let (mut near, mut far) = (inside, inside + step);
    for _ in 0..40 {
        let middle = 0.5 * (near + far);
        if beyond(middle) {
            far = middle;
        } else {
            near = middle;
        }
    }
    far
}

/// A point between two: halfway in magnitude where they differ much in it, else in value.
fn between(a: f64, b: f64) -> f64 {
    if a > 0.0 && b > 4.0 * a {
        a.sqrt() * b.sqrt()
    } else if b < 0.0 && a < 4.0 * b {
        -((-a).sqrt() * (-b).sqrt())
    } else {
        0.5 * (a + b)
    }
}
