//! Laws of statistics: Kolmogorov and Smirnov's, and the studentized range. Drawn by tables.

use libm::{exp, lgamma, log, log1p, pow};

use super::noncentral::chi_points;
use crate::distribution::draws::{GammaDraws, normal};
use crate::distribution::law::{Law, LawSpec, ShapeRange, continuous, raw_moments};
use crate::distribution::special::{SQRT_TAU, normal_cdf, normal_density, polynomial};
use crate::distribution::table::InverseTable;
use crate::random::Stream;
use std::f64::consts::{FRAC_PI_2, LN_2, PI};
use std::sync::{Arc, OnceLock};

const INF: f64 = f64::INFINITY;
const POSITIVE: (f64, f64) = (0.0, INF);

pub(super) static SPECS: [LawSpec; 4] = [
    continuous(
        "ksone",
        &[("n", ShapeRange::POSITIVE_COUNT)],
        &[100.0],
        "0 to 1",
        "the one-sided statistic of Kolmogorov and Smirnov for a sample of n",
        |shapes| Ok(one_sided(shapes[0])),
    ),
    continuous(
        "kstwo",
        &[("n", ShapeRange::POSITIVE_COUNT)],
        &[10.0],
        "1/(2n) to 1",
        "the two-sided statistic of Kolmogorov and Smirnov for a sample of n",
        |shapes| Ok(two_sided(shapes[0])),
    ),
    continuous(
        "kstwobign",
        &[],
        &[],
        "above 0",
        "Kolmogorov: the limit of sqrt(n) times kstwo(n)",
        |_| {
            let table = InverseTable::new(limit_cdf, POSITIVE, 0.8, 0.3);
            let moments = (
                FRAC_PI_2.sqrt() * LN_2,
                (PI * PI / 12.0 - FRAC_PI_2 * LN_2 * LN_2).sqrt(),
            );
            Ok(Law::new(
                POSITIVE,
                move |s| table.sample(s),
                limit_cdf,
                moments,
            ))
        },
    ),
    continuous(
        "studentized_range",
        &[("k", ShapeRange::above(1.0)), ("df", ShapeRange::POSITIVE)],
        &[3.0, 10.0],
        "0 or above",
        "studentized range of k groups with df degrees of freedom",
        |shapes| Ok(studentized_range(shapes[0], shapes[1])),
    ),
];

/// A law drawn by a table of its cdf, which the table's moments belong to as well.
fn tabled(
    support: (f64, f64),
    cdf: impl Fn(f64) -> f64 + Send + Sync + 'static,
    inside: f64,
    width: f64,
) -> Law {
    let table = InverseTable::new(&cdf, support, inside, width);
    let moments = table.moments();
    Law::new(support, move |s| table.sample(s), cdf, moments)
}

/// From this sample on the one-sided statistic's series is exact to 1e-7.
const ONE_SIDED_LARGE: f64 = 1500.0;

fn one_sided(n: f64) -> Law {
    let width = 0.3 / n.sqrt();
    if n > ONE_SIDED_LARGE {
        return tabled(
            (0.0, 1.0),
            move |x| {
                if n * x < ONE_SIDED_STEPS {
                    one_sided_start(n, x)
                } else {
                    1.0 - one_sided_series(n, x)
                }
            },
            2.0 * width,
            width,
        );
    }
    let ln_choose = ln_choose(n);
    tabled(
        (0.0, 1.0),
        move |x| 1.0 - one_sided_sum(n, &ln_choose, x),
        2.0 * width,
        width,
    )
}

fn ln_choose(n: f64) -> Vec<f64> {
    let all = lgamma(n + 1.0);
    (0..=n as usize)
        .map(|j| all - lgamma(j as f64 + 1.0) - lgamma(n - j as f64 + 1.0))
        .collect()
}

/// P(D > x): Birnbaum and Tingey, "One-sided confidence contours for probability distribution
/// functions", Ann. Math. Stat. 22 (1951).
fn one_sided_sum(n: f64, ln_choose: &[f64], x: f64) -> f64 {
    let last = (n * (1.0 - x)).floor();
    let sum: f64 = ln_choose
        .iter()
        .enumerate()
        .take_while(|&(j, _)| j as f64 <= last)
        .map(|(j, ln_choose)| {
            let j = j as f64;
            let rest = 1.0 - x - j / n;
            let power = if j == n { 0.0 } else { (n - j) * log(rest) };
            exp(ln_choose + (j - 1.0) * log(x + j / n) + power)
        })
        .sum();
    x * sum
}

/// Below so many steps of 1/n the series does not hold.
const ONE_SIDED_STEPS: f64 = 8.0;

/// P(D <= x) for the first steps of 1/n: what Abel's identity leaves of Birnbaum and Tingey's sum.
fn one_sided_start(n: f64, x: f64) -> f64 {
    let steps = n * x;
    let mut ways = 1.0;
    let mut sum = 0.0;
    for k in 0..=steps as u32 {
        let k = f64::from(k);
        if k > 0.0 {
            ways *= (1.0 - (k - 1.0) / n) / k;
        }
        let rest = exp((n - k - 1.0) * log1p((steps - k) / n));
        sum += ways * pow(k - steps, k) * rest;
    }
    x * sum
}

/// P(D > x) by Lauwerier's series, "The asymptotic expansion of the statistical distribution of
/// N. V. Smirnov", Z. Wahrscheinlichkeitstheorie 2 (1963).
fn one_sided_series(n: f64, x: f64) -> f64 {
    let t = x * n.sqrt();
    let square = t * t;
    let root = n.sqrt();
    let terms = [
        1.0,
        -2.0 / 3.0 * t,
        2.0 / 3.0 * square * (1.0 - 2.0 / 3.0 * square),
        4.0 / 9.0 * t * (0.2 - 19.0 / 15.0 * square + 2.0 / 3.0 * square * square),
    ];
    exp(-2.0 * square) * polynomial(&terms, 1.0 / root)
}

/// The largest sample whose exact cdf is used.
const TWO_SIDED_EXACT: usize = 140;

fn two_sided(n: f64) -> Law {
    let support = (0.5 / n, 1.0);
    let (inside, width) = ((0.87 / n.sqrt()).min(0.9), 0.26 / n.sqrt());
    if n <= TWO_SIDED_EXACT as f64 {
        let exact = TwoSided::new(n as usize);
        return tabled(support, move |x| exact.cdf(x), inside, width);
    }
    // What the series is off shrinks as 1 / n^2 and is known at the largest exact sample; what
    // remains is below 2e-7.
    let (from, step) = (0.25, 1.0 / 64.0);
    let exact_n = TWO_SIDED_EXACT as f64;
    let exact = TwoSided::new(TWO_SIDED_EXACT);
    let off: Vec<f64> = (0..=176)
        .map(|place| {
            let x = (from + f64::from(place) * step) / exact_n.sqrt();
            exact.cdf(x) - pelz_good(exact_n, x)
        })
        .collect();
    let shrunk = (exact_n / n) * (exact_n / n);
    let cdf = move |x: f64| {
        let at = ((n.sqrt() * x - from) / step).max(0.0);
        let place = (at as usize).min(off.len() - 2);
        let share = (at - place as f64).min(1.0);
        let off = off[place] + share * (off[place + 1] - off[place]);
        (pelz_good(n, x) + shrunk * off).clamp(0.0, 1.0)
    };
    tabled(support, cdf, inside, width)
}

/// The exact two-sided statistic.
struct TwoSided {
    n: usize,
    ln_choose: Vec<f64>,
}

impl TwoSided {
    fn new(n: usize) -> Self {
        let ln_choose = ln_choose(n as f64);
        TwoSided { n, ln_choose }
    }

    fn cdf(&self, x: f64) -> f64 {
        let n = self.n as f64;
        // Beyond this both sides are not exceeded together, but for 1e-9.
        if n * x * x > 2.6 || x > 0.5 {
            1.0 - 2.0 * one_sided_sum(n, &self.ln_choose, x)
        } else {
            durbin(self.n, x)
        }
    }
}

/// P(D < x) by Durbin's recursion in the form of Marsaglia, Tsang and Wang, "Evaluating Kolmogorov's
/// distribution", J. Stat. Softw. 8 (2003), one row at a time.
fn durbin(n: usize, x: f64) -> f64 {
    let steps = (n as f64 * x) as usize + 1;
    let size = 2 * steps - 1;
    let h = steps as f64 - n as f64 * x;
    // Entry (i, j) of the matrix is 1 / (i - j + 1)!, but in the first column and the last row.
    let inverse_factorial: Vec<f64> = (0..=size + 1)
        .map(|k| exp(-lgamma(k as f64 + 1.0)))
        .collect();
    let power = |k: usize| pow(h, k as f64);
    let first_column = |i: usize| {
        let i = i + 1;
        let mut value = 1.0 - power(i);
        if i == size {
            value -= power(size)
                - if 2.0 * h > 1.0 {
                    pow(2.0 * h - 1.0, size as f64)
                } else {
                    0.0
                };
        }
        value * inverse_factorial[i]
    };
    let last_row = |j: usize| (1.0 - power(size - j)) * inverse_factorial[size - j];
    let first: Vec<f64> = (0..size).map(first_column).collect();
    let last: Vec<f64> = (0..size)
        .map(|j| if j == 0 { first[size - 1] } else { last_row(j) })
        .collect();
    let entry = |i: usize, j: usize| {
        if j > i + 1 {
            0.0
        } else if j == 0 {
            first[i]
        } else if i == size - 1 {
            last[j]
        } else {
            inverse_factorial[i + 1 - j]
        }
    };
    let matrix: Vec<f64> = (0..size * size)
        .map(|at| entry(at / size, at % size))
        .collect();
    let mut row = vec![0.0; size];
    row[steps - 1] = 1.0;
    let mut next = vec![0.0; size];
    // n! / n^n is multiplied in step by step, so that nothing underflows.
    for step in 1..=n {
        next.fill(0.0);
        let factor = step as f64 / n as f64;
        for (i, &value) in row.iter().enumerate() {
            let columns = (i + 2).min(size);
            for (to, from) in next[..columns].iter_mut().zip(&matrix[i * size..]) {
                *to += factor * value * from;
            }
        }
        std::mem::swap(&mut row, &mut next);
    }
    row[steps - 1]
}

/// Pelz and Good, "Approximating the lower tail-areas of the Kolmogorov-Smirnov one-sample
/// statistic", J. R. Stat. Soc. B 38 (1976), as in Simard and L'Ecuyer, J. Stat. Softw. 39 (2011).
fn pelz_good(n: f64, x: f64) -> f64 {
    let z = n.sqrt() * x;
    if z < 0.05 {
        return 0.0;
    }
    if z > 6.0 {
        return 1.0;
    }
    let square = z * z;
    let pi_square = PI * PI;
    let (two, four, six) = (square, square * square, square * square * square);
    let mut sums = [0.0; 4];
    let last = (16.0 * z / PI).ceil() as i32;
    for k in 1..=last {
        let m = pi_square * f64::from((2 * k - 1) * (2 * k - 1)) / 4.0;
        let weight = exp(-m / (2.0 * square));
        let terms = [
            1.0,
            m - two,
            6.0 * six + 2.0 * four + (2.0 * four - 5.0 * two) * m + (1.0 - 2.0 * two) * m * m,
            -30.0 * six - 90.0 * four * four
                + (135.0 * four - 96.0 * six) * m
                + (212.0 * four - 60.0 * two) * m * m
                + (5.0 - 30.0 * two) * m * m * m,
        ];
        for (sum, term) in sums.iter_mut().zip(terms) {
            *sum += weight * term;
        }
    }
    let front = [z, 6.0 * four, 72.0 * six * z, 6480.0 * four * six];
    for (sum, front) in sums.iter_mut().zip(front) {
        *sum *= SQRT_TAU / front;
    }
    for k in 1..=last {
        let m = pi_square * f64::from(k * k);
        let weight = m * exp(-m / (2.0 * square)) * SQRT_TAU;
        sums[2] -= weight / (36.0 * z * square);
        sums[3] += weight * (3.0 * square - m) / (216.0 * six);
    }
    polynomial(&sums, 1.0 / n.sqrt())
}

fn limit_cdf(x: f64) -> f64 {
    if x < 0.04 {
        return 0.0;
    }
    if x < 1.0 {
        let sum: f64 = (1..=6)
            .map(|k| {
                let odd = f64::from(2 * k - 1) * PI / x;
                exp(-odd * odd / 8.0)
            })
            .sum();
        SQRT_TAU / x * sum
    } else {
        let sum: f64 = (1..=6)
            .map(|k| {
                let sign = if k % 2 == 1 { 1.0 } else { -1.0 };
                sign * exp(-2.0 * f64::from(k * k) * x * x)
            })
            .sum();
        1.0 - 2.0 * sum
    }
}

/// Up to this many groups their normals are drawn one by one.
const GROUPS_DRAWN_MAX: f64 = 64.0;

/// The range of k normals over an independent chi, each by its own draws.
fn studentized_range(k: f64, df: f64) -> Law {
    let range = Arc::new(OnceLock::new());
    let chi = GammaDraws::new(0.5 * df);
    let divisor = move |s: &mut Stream| (2.0 * chi.sample(s) / df).sqrt();
    let for_draws = Arc::clone(&range);
    let z = normal();
    let draw: Box<dyn Fn(&mut Stream) -> f64 + Send + Sync> =
        if k.fract() == 0.0 && k <= GROUPS_DRAWN_MAX {
            let groups = k as usize;
            Box::new(move |s| {
                let (mut low, mut high) = (INF, -INF);
                for _ in 0..groups {
                    let x = z(s);
                    low = if x < low { x } else { low };
                    high = if x > high { x } else { high };
                }
                (high - low) / divisor(s)
            })
        } else {
            for_draws.get_or_init(|| range_table(k));
            Box::new(move |s| for_draws.get_or_init(|| range_table(k)).sample(s) / divisor(s))
        };
    let for_moments = Arc::clone(&range);
    let points = OnceLock::new();
    let cdf = move |x: f64| {
        let points: &Vec<(f64, f64)> = points.get_or_init(|| chi_points(df));
        let range = range.get_or_init(|| range_table(k));
        points
            .iter()
            .map(|&(w, weight)| weight * range.cdf(x * w))
            .sum()
    };
    Law::new(POSITIVE, draw, cdf, (0.0, 0.0)).with_moments_by(move || {
        let (mean, std_dev) = for_moments.get_or_init(|| range_table(k)).moments();
        let first = if df > 1.0 {
            mean * (0.5 * df).sqrt() * exp(lgamma(0.5 * (df - 1.0)) - lgamma(0.5 * df))
        } else {
            INF
        };
        let second = if df > 2.0 {
            (mean * mean + std_dev * std_dev) * df / (df - 2.0)
        } else {
            INF
        };
        raw_moments(first, second)
    })
}

/// The range of k normals.
fn range_table(k: f64) -> InverseTable {
    const STEP: f64 = 1.0 / 16.0;
    let grid: Vec<(f64, f64, f64)> = (-160..=160)
        .map(|place| {
            let y = f64::from(place) * STEP;
            (y, STEP * normal_density(y), normal_cdf(y))
        })
        .filter(|&(_, density, _)| density > 0.0)
        .collect();
    let cdf = move |range: f64| {
        if range <= 0.0 {
            return 0.0;
        }
        let sum: f64 = grid
            .iter()
            .map(|&(y, density, below)| {
                let between = (below - normal_cdf(y - range)).max(0.0);
                density
                    * if between > 0.0 {
                        exp((k - 1.0) * log(between))
                    } else {
                        0.0
                    }
            })
            .sum();
        (k * sum).min(1.0)
    };
    if k < 2.0 {
        return InverseTable::new(smoothed_range(cdf, k), POSITIVE, 1.0, 1.0);
    }
    InverseTable::new(cdf, POSITIVE, 1.0 + log(k), 1.0)
}

/// The same cdf, quicker: over r^(k - 1) it is smooth and even in r, also where it is steepest, so that few
/// of its values, interpolated by cubics, are as good to 1e-8. A table of a k near 1 asks for many.
fn smoothed_range(cdf: impl Fn(f64) -> f64, k: f64) -> impl Fn(f64) -> f64 {
    const STEP: f64 = 1.0 / 32.0;
    const NODES: usize = 24 * 32;
    let ln_ratio: Vec<f64> = (0..=NODES)
        .map(|node| {
            // At 0 the limit, which is as good as reached there.
            let r = if node == 0 { 1e-6 } else { STEP * node as f64 };
            log(cdf(r)) - (k - 1.0) * log(r)
        })
        .collect();
    move |r| {
        if r <= 0.0 {
            return 0.0;
        }
        let node = (r / STEP) as usize;
        if node + 2 > NODES {
            return 1.0;
        }
        let t = r / STEP - node as f64;
        let before = ln_ratio[if node == 0 { 1 } else { node - 1 }];
        let [at, next, last] = [0, 1, 2].map(|step| ln_ratio[node + step]);
        // Lagrange's cubic through four neighbours.
        let cubic = -before * t * (t - 1.0) * (t - 2.0) / 6.0
            + at * (t + 1.0) * (t - 1.0) * (t - 2.0) / 2.0
            - next * (t + 1.0) * t * (t - 2.0) / 2.0
            + last * (t + 1.0) * t * (t - 1.0) / 6.0;
        exp(cubic + (k - 1.0) * log(r)).min(1.0)
    }
}
