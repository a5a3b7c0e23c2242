//! Every law against scipy.stats 1.18.1: its draws by a chi-square test, its cdf, its bounds, its
//! mean and standard deviation.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use p2psim::distribution::Distribution;
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
