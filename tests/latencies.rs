//! The latencies that a run records: by the laws that were configured, and all messages' own.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use common::run;
use p2psim::record::{DelayLaw, PairDelays};
use p2psim::simulation::Simulation;
use p2psim::time::Time;

/// Sixty peers at three places that ping one another for ten seconds, some messages lost and some
/// doubled on the way.
const PINGS: &str = r#"
seed: 11
horizon: 10 s
latencies:
  A: {A: "norm(12, 2)", B: "expon(20, 10)", C: "mix(0.5, norm(40, 1), 0.5, uniform(60, 30))"}
  B: {A: "gamma(4, 0, 3)", B: 8, C: "lognorm(0.4, 0, 30)"}
  C: {C: "norm(0.1, 0.1)"}
network: {loss: 0.05, duplication: 0.1}
peer_types:
  peer:
    location: sample(A, B, C)
    bandwidth_ul: 50 Mbit
    bandwidth_dl: 50 Mbit
    services: {BaseConnectionManager: {ping_interval: 200}}
topology: {graph: "erdos_renyi_graph(60, 0.3)"}
output: {logs: none, latencies: true}
"#;

/// The delays of one pair.
fn of<'a>(simulation: &'a Simulation, from: &str, to: &str, law: DelayLaw) -> &'a PairDelays {
    let name = |index: usize| simulation.locations()[index].as_str();
    let mut pairs = simulation.delays().pairs();
    let found = pairs
        .find(|&(a, b, by, _)| (name(a.as_usize()), name(b.as_usize()), by) == (from, to, law));
    found
        .unwrap_or_else(|| panic!("no messages from {from} to {to}"))
        .3
}

#[test]
fn delays_follow_the_laws_of_their_pairs() {
    let (simulation, outcome) = run(PINGS);
    let counts = outcome.total();
    assert!(counts.duplicated > 0 && counts.lost() > 0);
    let pairs: Vec<_> = simulation.delays().pairs().collect();
    assert_eq!(pairs.len(), 9);
    let messages: u64 = pairs.iter().map(|(.., delays)| delays.messages()).sum();
    assert_eq!(messages, counts.sent);

    let table = &simulation.world().latencies;
    let floor = table.delay_min();
    for (from, to, law, delays) in pairs {
        assert_eq!(law, DelayLaw::Locations);
        let law = table.get(from, to).unwrap();
        let count = delays.messages() as f64;
        assert!(count > 2000.0, "{law}: {count} messages");
        // Kolmogorov's distance at the ends of classes, where it is known exactly: one in a
        // million is above this.
        let mut below = 0;
        for (_, end, messages) in delays.classes() {
            below += messages;
            let share = below as f64 / count;
            let expected = match end > floor {
                // The largest draw that is rounded to less than the class's end.
                true => law.mass_below((end.as_ns() as f64 - 0.5) / 1e6 / 0.5),
                false => 0.0,
            };
            assert!(
                (share - expected).abs() < 2.7 / count.sqrt(),
                "{law}, below {end} ms: {share} and {expected}"
            );
        }
        // What is below the floor is raised to it.
        let raised = delays.at_floor(floor) as f64 / count;
        let expected = law.mass_below(2.0 * floor.as_ms());
        let spread = 5.0 * (expected * (1.0 - expected) / count).sqrt();
        assert!(
            (raised - expected).abs() <= spread + 1e-4,
            "{law}: {raised} and {expected}"
        );
        if expected == 0.0 {
            let low = 2.0 * delays.delay_at((0.16 * count) as u64).as_ms();
            let high = 2.0 * delays.delay_at((0.84 * count) as u64).as_ms();
            let spread = (high - low).max(1e-6) / count.sqrt() * 5.0;
            assert!(
                (2.0 * delays.mean_ms() - law.mean()).abs() < spread,
                "{law}: {} and {}",
                2.0 * delays.mean_ms(),
                law.mean()
            );
        }
    }
    let constant = of(&simulation, "B", "B", DelayLaw::Locations);
    let exactly = Time::from_ns(4_000_000);
    assert_eq!((constant.min(), constant.max()), (Some(exactly), exactly));
    assert_eq!(constant.mean_ms(), 4.0);
    assert_eq!(constant.delay_at(1), exactly);
    assert_eq!(constant.at_floor(floor), 0);
    let raised = of(&simulation, "C", "C", DelayLaw::Locations);
    assert_eq!(raised.min(), Some(floor));
}

#[test]
fn recording_changes_nothing_else() {
    let (_, kept) = run(PINGS);
    let (simulation, without) = run(&PINGS.replace("latencies: true", "latencies: false"));
    assert_eq!(kept.digest, without.digest);
    assert_eq!(simulation.delays().pairs().count(), 0);
    assert!(!simulation.delays().are_kept());
}

fn table(file: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(file).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap()
}

fn written(folder: &Path, scenario: &str, more: &[&str]) -> PathBuf {
    fs::write(folder.join("pings.yaml"), scenario).unwrap();
    Command::cargo_bin("p2psim")
        .unwrap()
        .current_dir(folder)
        .args(["run", "pings.yaml", "--quiet", "--force", "--out", "run"])
        .args(more)
        .assert()
        .success();
    folder.join("run")
}

#[test]
fn links_with_a_law_of_their_own_stand_apart() {
    let folder = tempfile::tempdir().unwrap();
    let graph = "graph [ node [ id 1 ] node [ id 2 ] node [ id 3 ]
        edge [ source 1 target 2 latency 7.5 ] edge [ source 2 target 3 ] ]";
    fs::write(folder.path().join("net.gml"), graph).unwrap();
    let scenario = "latency: one_way
horizon: 10 s
latencies: {\"Here, there\": {\"Here, there\": 3}}
peer_types:
  peer:
    location: \"Here, there\"
    bandwidth_ul: 1 Mbit
    bandwidth_dl: 1 Mbit
    services: {BaseConnectionManager: }
topology: {graph: net.gml}
output: {latencies: true, logs: none}
";
    let out = written(folder.path(), scenario, &[]);
    let rows = table(&out.join("latencies.csv"));
    let shown: Vec<(&str, f64, f64)> = rows
        .iter()
        .map(|row| {
            assert_eq!(
                (row["from"].as_str(), row["to"].as_str()),
                ("Here, there", "Here, there")
            );
            let mean = number(row, "one_way_mean_ms");
            assert_eq!(mean, number(row, "one_way_p95_ms"));
            (row["law"].as_str(), number(row, "messages"), mean)
        })
        .collect();
    let sent: f64 = table(&out.join("messages.csv"))
        .iter()
        .map(|row| number(row, "sent"))
        .sum();
    assert_eq!(
        shown,
        [("locations", sent / 2.0, 3.0), ("link", sent / 2.0, 7.5)]
    );
}

#[test]
fn tables_agree_with_one_another() {
    let folder = tempfile::tempdir().unwrap();
    let out = written(folder.path(), PINGS, &[]);
    let sent: f64 = table(&out.join("messages.csv"))
        .iter()
        .map(|row| number(row, "sent"))
        .sum();
    let pairs = table(&out.join("latencies.csv"));
    assert_eq!(pairs.len(), 9);
    assert_eq!(
        pairs.iter().map(|row| number(row, "messages")).sum::<f64>(),
        sent
    );
    let classes = table(&out.join("latency_histogram.csv"));
    for pair in &pairs {
        let own: Vec<_> = classes
            .iter()
            .filter(|row| {
                ["from", "to", "law"]
                    .iter()
                    .all(|key| row[*key] == pair[*key])
            })
            .collect();
        let counted: f64 = own.iter().map(|row| number(row, "messages")).sum();
        assert_eq!(counted, number(pair, "messages"));
        assert!(number(own[0], "one_way_from_ms") <= number(pair, "one_way_min_ms"));
        let last = own[own.len() - 1];
        assert!(number(last, "one_way_to_ms") > number(pair, "one_way_max_ms"));
        let figures = ["min", "p5", "p50", "p95", "max"];
        let figures = figures.map(|figure| number(pair, &format!("one_way_{figure}_ms")));
        assert!(figures.is_sorted(), "{pair:?}");
        for row in own {
            let (from, to) = (number(row, "one_way_from_ms"), number(row, "one_way_to_ms"));
            assert!(from < to && (to - from) <= from / 256.0 + 1e-6, "{row:?}");
        }
    }
    let without = written(folder.path(), PINGS, &["--set", "output.latencies=false"]);
    assert!(!without.join("latencies.csv").exists());
    assert!(!without.join("latency_histogram.csv").exists());
}
