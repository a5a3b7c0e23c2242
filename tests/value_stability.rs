//! The first draws of every law, to the last bit: what must not change without a "Changes
//! results" entry in CHANGELOG.md.
//!
//! After a wanted change, write them anew with
//! `P2PSIM_REGENERATE=1 cargo test --test value_stability`.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use p2psim::distribution::{Distribution, MODIFIERS, laws};
use p2psim::random::{Purpose, Stream};
use p2psim::units::Dimension;
use serde_json::Value;

const DRAWS: usize = 5;

/// Shapes at which a law is drawn by another method, and laws made of laws.
const MORE: [&str; 16] = [
    "poisson(3)",
    "poisson(50)",
    "poisson(1e15)",
    "binom(1000, 0.3)",
    "betabinom(100000, 2, 3)",
    "gamma(0.1)",
    "norm(12, 2)",
    "7",
    "sample(1, 2, 5)",
    "sample([1, 2], weights=[3, 1])",
    "truncate(norm(12, 5), 2, 40)",
    "truncate(norm(0, 1), 4, 5)",
    "truncate(poisson(10), 24, 60)",
    "mix([norm(12, 2), gamma(2)], weights=[9, 1])",
    "shift(lognorm(0.5), 10)",
    "empirical([11.8, 12.1, 14.9])",
];

/// Each law with its example, with the parameters that it is checked against scipy with, and
/// what is above.
fn calls() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("tests/data/scipy_laws.jsonl")).unwrap();
    let examples = laws().iter().map(|spec| spec.example_call());
    let checked = text.lines().skip(1).map(|line| {
        let value: Value = serde_json::from_str(line).unwrap();
        let parameters = value["params"].as_array().unwrap().iter();
        let parameters: Vec<String> = parameters.map(Value::to_string).collect();
        format!(
            "{}({})",
            value["name"].as_str().unwrap(),
            parameters.join(", ")
        )
    });
    let modifiers = MODIFIERS.iter().map(|spec| spec.example.to_owned());
    let more = MORE.iter().map(|call| call.to_string());
    examples
        .chain(checked)
        .chain(modifiers)
        .chain(more)
        .collect()
}

/// The call and its draws: the shortest decimals that are read back as the same number.
fn line(call: &str) -> String {
    let law = Distribution::parse(call, Dimension::Plain)
        .unwrap_or_else(|errors| panic!("{call}: {}", errors[0].message));
    let mut stream = Stream::global(1, Purpose::Sample);
    let draws: Vec<String> = (0..DRAWS)
        .map(|_| format!("{:?}", law.sample(&mut stream)))
        .collect();
    format!("{call}\t{}", draws.join(" "))
}

#[test]
fn first_draws_are_the_same_to_the_bit() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/first_draws.tsv");
    let now: Vec<String> = calls().iter().map(|call| line(call)).collect();
    if std::env::var_os("P2PSIM_REGENERATE").is_some() {
        fs::write(&path, now.join("\n") + "\n").unwrap();
    }
    let pinned = fs::read_to_string(&path).unwrap();
    let pinned: Vec<&str> = pinned.lines().collect();
    assert_eq!(pinned.len(), now.len(), "another number of laws");
    let changed: Vec<String> = pinned
        .iter()
        .zip(&now)
        .filter(|(pinned, now)| *pinned != *now)
        .map(|(pinned, now)| format!("- {pinned}\n+ {now}"))
        .collect();
    assert!(
        changed.is_empty(),
        "{} changed:\n{}",
        changed.len(),
        changed.join("\n")
    );
}
