//! Laws at random shapes: at those that a user may write, every law is what its cdf, bounds and
//! moments say; at wilder ones it still draws inside its bounds, or is refused by name.

#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use p2psim::distribution::{Distribution, LawSpec, ShapeRange, laws};
use p2psim::random::{Purpose, Stream};
use p2psim::units::Dimension;

const ROUNDS: u64 = 20;
const DRAWS: usize = 480;
const BINS: usize = 16;
/// Chi-square with 15 degrees of freedom is above it once in 10^12; a fault gives thousands.
const DISTANCE_MAX: f64 = 90.0;
/// What a value may be off by rounding, relative to it.
const ROUNDING: f64 = 1e-13;
/// What building a law may take.
const BUILD_MAX: Duration = Duration::from_secs(1);

/// A number of a range, in magnitude from 10^-`reach.0` to 10^`reach.1`.
fn shape(range: &ShapeRange, reach: (f64, f64), random: &mut Stream) -> f64 {
    let described = range.described();
    let words: Vec<&str> = described.split([' ', ',']).collect();
    let limit = words.iter().enumerate().find_map(|(at, &word)| {
        let number = match word {
            "above" if words[at - 1.min(at)] != "or" => words.get(at + 1)?,
            "from" => words.get(at + 1)?,
            "or" if words.get(at + 1) == Some(&"above") => words.get(at - 1)?,
            _ => return None,
        };
        number.parse::<f64>().ok()
    });
    let sign = if random.unit() < 0.4 { -1.0 } else { 1.0 };
    if described.contains("whole") {
        let size = (10_f64.powf(reach.1 * 1.5 * random.unit()) - 1.0).floor();
        return limit.map_or(sign * size, |low| low + size);
    }
    if described.contains("to 1") || described.contains("below 1") || described.contains("1 or") {
        let near = 10_f64.powf(-(0.3 + (2.0 * reach.0) * random.unit()));
        let near = if random.unit() < 0.5 {
            near
        } else {
            1.0 - near
        };
        return if described.contains("-1") {
            sign * near
        } else {
            near
        };
    }
    let size = 10_f64.powf(-reach.0 + (reach.0 + reach.1) * random.unit());
    limit.map_or(sign * size, |low| low + size)
}

/// A call of the law with random shapes.
fn call(spec: &LawSpec, reach: (f64, f64), random: &mut Stream) -> String {
    let count = if spec.takes_list() { 5 } else { 1 };
    let shapes: Vec<String> = spec
        .shapes
        .iter()
        .flat_map(|(_, range)| std::iter::repeat_n(range, count))
        .map(|range| shape(range, reach, random).to_string())
        .collect();
    let text = shapes.join(", ");
    if spec.takes_list() {
        format!("{}([{text}])", spec.name)
    } else {
        format!("{}({text})", spec.name)
    }
}

/// Draws that are in the law's bounds; infinite only where doubles end before the law does.
fn draws(law: &Distribution, random: &mut Stream, problems: &mut Vec<String>) -> Vec<f64> {
    let values: Vec<f64> = (0..DRAWS).map(|_| law.sample(random)).collect();
    let (low, high) = (law.lower_bound(), law.upper_bound());
    if let Some(x) = values.iter().find(|x| !(low..=high).contains(*x)) {
        problems.push(format!("a draw {x} outside {low} to {high}"));
    }
    values
}

/// Whether draws are of the law's cdf, and infinite draws as likely as it says.
fn draws_are_of_the_cdf(
    law: &Distribution,
    values: &[f64],
    random: &mut Stream,
    problems: &mut Vec<String>,
) {
    let mut bins = [0_u32; BINS];
    for &x in values {
        // Values so near to x are x, but for rounding; where they have much mass, it is spread.
        let near = ROUNDING * x.abs();
        let (low, high) = (
            law.mass_below(x.next_down().min(x - near)),
            law.mass_at_most(x.next_up().max(x + near)),
        );
        let (below, at_most) = (law.mass_below(x), law.mass_at_most(x));
        let masses = [low, below, at_most, high];
        let ordered = masses.windows(2).all(|pair| pair[0] <= pair[1] + 1e-9);
        if !ordered || !masses.iter().all(|mass| (0.0..=1.0).contains(mass)) {
            problems.push(format!("cdf around {x}: {masses:?}"));
            return;
        }
        let (low, high) = if high - low > 1e-3 && !law_jumps(below, at_most) {
            (low, high)
        } else {
            (below, at_most)
        };
        let u = low + (high - low) * random.unit();
        bins[((u * BINS as f64) as usize).min(BINS - 1)] += 1;
    }
    let expected = values.len() as f64 / BINS as f64;
    let distance: f64 = bins
        .iter()
        .map(|&count| (f64::from(count) - expected).powi(2) / expected)
        .sum();
    if distance > DISTANCE_MAX {
        problems.push(format!("draws are not of its cdf: {bins:?}"));
    }
}

/// Whether a single value has mass of its own.
fn law_jumps(below: f64, at_most: f64) -> bool {
    at_most - below > 1e-9
}

/// Whether mean and standard deviation go with the bounds and with draws.
fn moments_agree(law: &Distribution, values: &[f64], problems: &mut Vec<String>) {
    let (mean, sd) = (law.mean(), law.std_dev());
    let (low, high) = (law.lower_bound(), law.upper_bound());
    let rounding = 1e-9 * mean.abs();
    let figures = format!("mean {mean}, sd {sd}, from {low} to {high}");
    if sd < 0.0 || mean < low - rounding || mean > high + rounding {
        problems.push(figures);
        return;
    }
    if sd > 0.5 * (high - low) * (1.0 + 1e-9) + rounding && sd.is_finite() {
        problems.push(format!("{figures}: no law is that wide there"));
    }
    if (low.is_finite() && high.is_finite()) && !(mean.is_finite() && sd.is_finite()) {
        problems.push(format!("{figures}: both exist"));
    }
    if !(mean.is_finite() && sd.is_finite()) {
        return;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    // The median is within a standard deviation of the mean: so is one of these two.
    let quantile = |share: f64| sorted[(share * sorted.len() as f64) as usize];
    if quantile(0.6) < mean - sd - rounding || quantile(0.4) > mean + sd + rounding {
        problems.push(format!("{figures}: its median is about {}", quantile(0.5)));
    }
    // What the middle of the draws alone spreads is less than the whole.
    let middle = &sorted[sorted.len() / 20..sorted.len() - sorted.len() / 20];
    let spread: f64 = middle.iter().map(|x| (x - mean).powi(2)).sum();
    let spread = (spread / sorted.len() as f64).sqrt();
    if spread > 1.3 * sd + rounding {
        problems.push(format!("{figures}: its middle alone spreads {spread}"));
    }
}

/// Builds a law; the least of three tries is what it takes, whatever else the machine does.
fn build(call: &str, problems: &mut Vec<String>) -> Result<Distribution, Vec<String>> {
    let mut least = Duration::MAX;
    let mut parsed = None;
    for _ in 0..3 {
        let start = Instant::now();
        parsed = Some(Distribution::parse(call, Dimension::Plain));
        least = least.min(start.elapsed());
        if least < BUILD_MAX {
            break;
        }
    }
    if least >= BUILD_MAX && !cfg!(debug_assertions) {
        problems.push(format!("{least:?} to build"));
    }
    parsed
        .unwrap()
        .map_err(|errors| errors.into_iter().map(|error| error.message).collect())
}

/// Tries every law at random shapes and lists what is wrong.
fn try_all(
    reach: (f64, f64),
    seed: u64,
    check: impl Fn(&Distribution, &[f64], &mut Stream, &mut Vec<String>),
) {
    let only = std::env::var("P2PSIM_LAW").ok();
    let mut found = Vec::new();
    for spec in laws() {
        if only.as_ref().is_some_and(|name| name != spec.name) {
            continue;
        }
        let begun = Instant::now();
        let mut accepted = 0;
        for round in 0..ROUNDS {
            let mut random = Stream::new(seed, round, Purpose::Sample);
            let call = call(spec, reach, &mut random);
            let mut problems = Vec::new();
            match build(&call, &mut problems) {
                Err(messages) => {
                    let named = |message: &String| {
                        let parts: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
                        spec.shapes.iter().any(|(name, _)| parts.contains(name))
                    };
                    if !messages.iter().all(named) {
                        problems.push(format!("names no parameter: {messages:?}"));
                    }
                }
                Ok(law) => {
                    accepted += 1;
                    let values = draws(&law, &mut random, &mut problems);
                    check(&law, &values, &mut random, &mut problems);
                }
            }
            for problem in problems {
                println!("{call}: {problem}");
                found.push(format!("{call}: {problem}"));
            }
        }
        if accepted < 3 {
            found.push(format!("{}: {accepted} of {ROUNDS} accepted", spec.name));
        }
        println!("{}: {accepted} in {:?}", spec.name, begun.elapsed());
    }
    assert!(
        found.is_empty(),
        "{} problems:\n{}",
        found.len(),
        found.join("\n")
    );
}

#[test]
#[ignore = "long: cargo test --release --test random_shapes -- --ignored"]
fn plausible_shapes_draw_what_they_say() {
    try_all((1.3, 2.3), 1, |law, values, random, problems| {
        draws_are_of_the_cdf(law, values, random, problems);
        moments_agree(law, values, problems);
    });
}

#[test]
#[ignore = "long: cargo test --release --test random_shapes -- --ignored"]
fn wild_shapes_are_refused_or_drawn() {
    try_all((9.0, 9.0), 2, |law, values, _, problems| {
        let x = values[0];
        let masses = [law.mass_below(x), law.mass_at_most(x)];
        if !masses.iter().all(|mass| (0.0..=1.0).contains(mass)) {
            problems.push(format!("cdf around {x}: {masses:?}"));
        }
        let (mean, sd) = (law.mean(), law.std_dev());
        let near = if mean.is_finite() {
            1e-9 * mean.abs()
        } else {
            0.0
        };
        let inside = mean + near >= law.lower_bound() && mean - near <= law.upper_bound();
        if sd < 0.0 || !(mean.is_nan() || inside) {
            problems.push(format!("mean {mean}, sd {sd}"));
        }
    });
}
