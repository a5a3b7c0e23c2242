//! Every law against scipy.stats 1.18.1: its draws by a chi-square test, its cdf, its bounds, its
//! mean and standard deviation.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use p2psim::distribution::{Distribution, ShapeRange, laws};
use p2psim::random::{Purpose, Stream};
use p2psim::units::Dimension;
use serde_json::Value;
use statrs::distribution::{ChiSquared, ContinuousCDF};

const DRAWS: u32 = 20_000;
/// A draw that is right fails a single test as rarely as this.
const P_MIN: f64 = 1e-6;
/// Bins of fewer expected draws are joined with their neighbours.
const EXPECTED_MIN: f64 = 10.0;
/// How far a cdf may be off: the stated error of tables and a little for scipy's own.
const CDF_ERROR: f64 = 2e-6;
const MOMENT_ERROR: f64 = 1e-6;

/// A line of a file that scipy wrote.
struct Line {
    call: String,
    law: Distribution,
    /// Pairs of x and P(X <= x), ascending.
    cdf: Vec<(f64, f64)>,
    value: Value,
}

/// What scipy has for it: numbers, `"inf"`, `"nan"`.
fn number(value: &Value) -> f64 {
    match value.as_str() {
        Some(text) => text.parse().unwrap(),
        None => value.as_f64().unwrap(),
    }
}

fn line(text: &str) -> Line {
    let value: Value = serde_json::from_str(text).unwrap();
    let discrete = value["kind"] == "discrete";
    let parameters: Vec<String> = value["params"]
        .as_array()
        .unwrap()
        .iter()
        .map(|parameter| parameter.to_string())
        .collect();
    let call = format!(
        "{}({})",
        value["name"].as_str().unwrap(),
        parameters.join(", ")
    );
    let law = Distribution::parse(&call, Dimension::Plain)
        .unwrap_or_else(|errors| panic!("{call}: {}", errors[0].message));
    let pairs = if discrete { "cdf" } else { "quantiles" };
    let cdf = value[pairs]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| (number(&pair[0]), number(&pair[1])))
        .map(|(a, b)| if discrete { (a, b) } else { (b, a) })
        .collect();
    Line {
        call,
        law,
        cdf,
        value,
    }
}

/// The p of a chi-square test of draws against the cdf.
fn p_of_draws(line: &Line, seed: u64) -> f64 {
    let mut stream = Stream::global(seed, Purpose::Sample);
    let mut counts = vec![0_u32; line.cdf.len() + 1];
    for _ in 0..DRAWS {
        let x = line.law.sample(&mut stream);
        assert!(!x.is_nan(), "{}", line.call);
        counts[line.cdf.partition_point(|&(edge, _)| edge < x)] += 1;
    }
    // Bins from one edge to the next, joined where little is expected in them.
    let ends = line.cdf.iter().map(|&(_, p)| p).chain([1.0]);
    let mut bins: Vec<(f64, f64)> = Vec::new();
    let mut open = (0.0, 0.0);
    let mut before = 0.0;
    for (count, end) in counts.iter().zip(ends) {
        open.0 += (end - before) * f64::from(DRAWS);
        open.1 += f64::from(*count);
        before = end;
        if open.0 >= EXPECTED_MIN {
            bins.push(std::mem::take(&mut open));
        }
    }
    match bins.last_mut() {
        Some(last) => {
            last.0 += open.0;
            last.1 += open.1;
        }
        None => bins.push(open),
    }
    if bins.len() == 1 {
        return if counts.iter().sum::<u32>() == DRAWS {
            1.0
        } else {
            0.0
        };
    }
    let distance: f64 = bins
        .iter()
        .map(|&(expected, count)| (count - expected).powi(2) / expected)
        .sum();
    ChiSquared::new(bins.len() as f64 - 1.0)
        .unwrap()
        .sf(distance)
}

/// What is wrong with a law, in words.
fn problems(line: &Line, seed: u64) -> Vec<String> {
    let mut problems = Vec::new();
    let p = p_of_draws(line, seed);
    if p < P_MIN {
        problems.push(format!("{}: chi-square p = {p:.1e}", line.call));
    }
    let worst = line
        .cdf
        .iter()
        .map(|&(x, p)| (x, p, line.law.mass_at_most(x)))
        .max_by(|a, b| (a.1 - a.2).abs().total_cmp(&(b.1 - b.2).abs()));
    if let Some((x, p, ours)) = worst
        && ((p - ours).abs() >= CDF_ERROR || ours.is_nan())
    {
        problems.push(format!("{}: P(X <= {x}) = {ours}, scipy {p}", line.call));
    }
    if let Some(support) = line.value["support"].as_array() {
        let scipy = [number(&support[0]), number(&support[1])];
        let ours = [line.law.lower_bound(), line.law.upper_bound()];
        let near = |a: f64, b: f64| a == b || (a - b).abs() <= 1e-9 * a.abs().max(1.0);
        // Where a probability is 0 or 1, what cannot be drawn is left out here.
        let trials = ["bernoulli", "poisson_binom"].contains(&line.value["name"].as_str().unwrap());
        let inside = trials && ours[0] >= scipy[0] && ours[1] <= scipy[1];
        let same = near(scipy[0], ours[0]) && near(scipy[1], ours[1]);
        if !inside && !same {
            problems.push(format!("{}: bounds {ours:?}, scipy {scipy:?}", line.call));
        }
    }
    for (key, ours) in [("mean", line.law.mean()), ("sd", line.law.std_dev())] {
        if line.value[key].is_null() {
            continue;
        }
        // scipy has NaN both where there is no moment and where it knows of none, and infinity
        // for some moments that are none; its means of tukeylambda below -1 and of invweibull
        // below 1 do not exist.
        let scipy = number(&line.value[key]);
        let invented = ["tukeylambda(-1.5", "invweibull(0.4"];
        let none = !ours.is_finite()
            && (!scipy.is_finite() || invented.iter().any(|call| line.call.starts_with(call)));
        let unknown = scipy.is_nan() && line.call.starts_with("kappa4");
        let spread = line.law.std_dev();
        let scale = if spread.is_finite() { spread } else { 0.0 }.max(scipy.abs());
        let same = none || unknown || (scipy - ours).abs() <= MOMENT_ERROR * scale;
        if !same {
            problems.push(format!("{}: {key} {ours}, scipy {scipy}", line.call));
        }
    }
    problems
}

/// Checks all lines of a file, the first of which names its version.
fn check(path: &Path, version: &str) {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let first: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    assert_eq!(first["scipy"], version);
    let mut problems_found = Vec::new();
    let mut count = 0;
    for (text, seed) in lines.zip(1..) {
        problems_found.extend(problems(&line(text), seed));
        count += 1;
    }
    println!("{count} laws of {} checked", path.display());
    assert!(
        problems_found.is_empty(),
        "{} problems:\n{}",
        problems_found.len(),
        problems_found.join("\n")
    );
}

#[test]
fn laws_are_those_of_the_reference() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("../shared/reference/scipy_distributions.jsonl");
    if !path.exists() {
        println!("skipped: no {}", path.display());
        return;
    }
    check(&path, "1.18.1");
}

#[test]
fn laws_are_those_of_scipy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    check(&root.join("tests/data/scipy_laws.jsonl"), "1.18.1");
}

/// Shapes over many orders of magnitude: every law either refuses them or draws what its own cdf
/// says, fast.
#[test]
#[ignore = "long: cargo test --release --test distributions -- --ignored"]
fn any_shapes_are_refused_or_drawn() {
    let rounds = std::env::var("P2PSIM_ROUNDS").map_or(20, |text| text.parse().unwrap());
    let draws = 1000_u32;
    let mut problems = Vec::new();
    let mut accepted = 0;
    for spec in laws() {
        let begun = std::time::Instant::now();
        for round in 0..rounds {
            let mut random = Stream::new(round, 7, Purpose::Sample);
            let shapes: Vec<f64> = spec
                .shapes
                .iter()
                .map(|(_, range)| wild(range, round as f64 / rounds as f64, &mut random))
                .collect();
            let text: Vec<String> = shapes.iter().map(f64::to_string).collect();
            let text = match spec.takes_list() {
                true => format!("[{}]", text.join(", ")),
                false => text.join(", "),
            };
            let call = format!("{}({text})", spec.name);
            let start = std::time::Instant::now();
            let Ok(law) = Distribution::parse(&call, Dimension::Plain) else {
                continue;
            };
            accepted += 1;
            let values: Vec<f64> = (0..draws).map(|_| law.sample(&mut random)).collect();
            let drawn = start.elapsed();
            let mut bins = [0_u32; 16];
            let mut bad = false;
            for &x in &values {
                if start.elapsed().as_secs_f64() > 3.0 {
                    break;
                }
                bad |= x.is_nan() || x < law.lower_bound() || x > law.upper_bound();
                let (low, high) = (law.mass_below(x), law.mass_at_most(x));
                if low.is_nan()
                    || high.is_nan()
                    || low > high + 1e-9
                    || !(-1e-9..=1.0 + 1e-9).contains(&low)
                {
                    problems.push(format!("{call}: cdf at {x} from {low} to {high}"));
                    break;
                }
                let u = low + (high - low) * random.unit();
                bins[((u * 16.0) as usize).min(15)] += 1;
            }
            if bad {
                problems.push(format!("{call}: a draw outside its bounds"));
            }
            let expected = f64::from(draws) / 16.0;
            let distance: f64 = bins
                .iter()
                .map(|&count| (f64::from(count) - expected).powi(2) / expected)
                .sum();
            if distance > 90.0 && bins.iter().sum::<u32>() == draws {
                problems.push(format!("{call}: draws are not of its cdf, {bins:?}"));
            }
            let (mean, sd) = (law.mean(), law.std_dev());
            let all = start.elapsed();
            if drawn.as_secs_f64() > 1.0 || all.as_secs_f64() > 3.0 {
                problems.push(format!("{call}: {drawn:?} to draw, {all:?} in all"));
            }
            if sd < 0.0
                || (mean.is_finite()
                    && (mean < law.lower_bound() - 1e-9 * mean.abs()
                        || mean > law.upper_bound() + 1e-9 * mean.abs()))
            {
                problems.push(format!(
                    "{call}: mean {mean} sd {sd} bounds {} {}",
                    law.lower_bound(),
                    law.upper_bound()
                ));
            }
            if sd.is_finite() && mean.is_finite() {
                // Chebyshev, with what draws may miss.
                let far = values
                    .iter()
                    .filter(|x| (*x - mean).abs() > 10.0 * sd + 1e-9 * mean.abs())
                    .count();
                if far > 60 {
                    problems.push(format!("{call}: {far} draws far from mean {mean} sd {sd}"));
                }
            }
        }
        println!("{}: {:?}", spec.name, begun.elapsed());
    }
    println!("{accepted} laws drawn");
    assert!(
        problems.is_empty(),
        "{} problems:\n{}",
        problems.len(),
        problems.join("\n")
    );
}

/// A number of a range, the wilder the larger `share` is, from 0 to 1.
fn wild(range: &ShapeRange, share: f64, random: &mut Stream) -> f64 {
    let described = range.described();
    let reach = 1.0 + 7.0 * share;
    let size = 10_f64.powf(reach * (2.0 * random.unit() - 1.0));
    let sign = if random.unit() < 0.4 { -1.0 } else { 1.0 };
    if described.contains("whole") {
        let size = (10_f64.powf(reach * random.unit()) - 1.0).floor();
        return if described.contains("or above") {
            size
        } else {
            sign * size
        };
    }
    if described.contains("to 1") || described.contains("below 1") {
        let near = 10_f64.powf(-reach * random.unit());
        let near = if random.unit() < 0.5 {
            near
        } else {
            1.0 - near
        };
        return if described.contains('-') {
            sign * near
        } else {
            near
        };
    }
    let positive = described.contains("above") && !described.contains('-');
    if positive { size } else { sign * size }
}
