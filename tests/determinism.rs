//! Same scenario, same seed: the same bytes; and a pinned digest, so that a change of results
//! is noticed and written into CHANGELOG.md.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use common::files;

fn p2psim() -> Command {
    Command::cargo_bin("p2psim").unwrap()
}

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("scenarios")
        .join(name)
}

fn run(scenario: &Path, out: &Path, flags: &[&str]) -> BTreeMap<PathBuf, Vec<u8>> {
    p2psim()
        .arg("run")
        .arg(scenario)
        .arg("--out")
        .arg(out)
        .args(flags)
        .arg("--quiet")
        .assert()
        .success();
    files(out)
}

fn assert_equal(a: &BTreeMap<PathBuf, Vec<u8>>, b: &BTreeMap<PathBuf, Vec<u8>>) {
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    for (name, bytes) in a {
        assert!(bytes == &b[name], "{} differs", name.display());
    }
}

#[test]
fn the_same_seed_gives_the_same_folder() {
    for name in [
        "erdos-renyi.yaml",
        "emergent.yaml",
        "aws.yaml",
        "partition.yaml",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let first = run(&shipped(name), &folder.path().join("a"), &[]);
        let again = run(&shipped(name), &folder.path().join("b"), &[]);
        assert!(first.len() > 14, "{name}: {:?}", first.keys());
        assert_equal(&first, &again);
        let other = run(&shipped(name), &folder.path().join("c"), &["--seed", "2"]);
        for file in ["summary.json", "peers.csv", "topology.csv"] {
            assert_ne!(
                first[Path::new(file)],
                other[Path::new(file)],
                "{name}: {file}"
            );
        }
    }
}

/// Constant latencies make thousands of ties; random ones hide ordering bugs.
#[test]
fn ties_are_broken_the_same_way_every_time() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = folder.path().join("ties.yaml");
    fs::write(
        &scenario,
        "horizon: 3 s
latencies: {Here: {Here: 10}}
network: {uplink: unlimited, downlink: unlimited}
peer_types:
  peer: {location: Here, bandwidth_ul: 1 Mbit, bandwidth_dl: 1 Mbit, services: {P2PConnectionManager: {min_peers: 3, max_peers: 5, min_keep_time: 0}}}
topology: {emergent: {peer: 200}}
",
    )
    .unwrap();
    let first = run(&scenario, &folder.path().join("a"), &[]);
    let again = run(&scenario, &folder.path().join("b"), &[]);
    assert_equal(&first, &again);
}

#[test]
fn the_resolved_scenario_gives_the_same_folder_again() {
    let folder = tempfile::tempdir().unwrap();
    let matrix = folder.path().join("matrix.csv");
    fs::write(&matrix, ",A,B\nA,2,40\nB,42,3\n").unwrap();
    let links = folder.path().join("links.csv");
    fs::write(&links, "source,target\n7,8\n8,9\n9,7\n9,10\n").unwrap();
    let scenario = folder.path().join("files.yaml");
    fs::write(
        &scenario,
        "horizon: 4000
seed: 18446744073709551615
latencies: matrix.csv
peer_types:
  a: &a {location: A, bandwidth_ul: 'sample([1 Mbit, 2 Mbit], weights=[1, 3])', bandwidth_dl: 8 Mbit, services: [BaseConnectionManager]}
  \"b c\": {<<: *a, location: B}
topology: {graph: links.csv, types: {a: 0.5, \"b c\": 0.5}}
output: {logs: [8, \"b c\"], level: warning, bootstrap: true}
",
    )
    .unwrap();
    for path in [
        scenario,
        shipped("erdos-renyi.yaml"),
        shipped("emergent.yaml"),
        shipped("bitcoin-2019.yaml"),
        shipped("partition.yaml"),
    ] {
        let stem = path.file_stem().unwrap().to_owned();
        let first_folder = folder.path().join(&stem).join("first");
        let flags = ["--until", "3 s", "--set", "network.min_delay=0.1 ms"];
        let first = run(&path, &first_folder, &flags);
        let resolved = first_folder.join("scenario.yaml");
        let again = run(&resolved, &folder.path().join(&stem).join("again"), &[]);
        assert_equal(&first, &again);
    }
}

fn digest(folder: &BTreeMap<PathBuf, Vec<u8>>) -> String {
    let summary: serde_json::Value =
        serde_json::from_slice(&folder[Path::new("summary.json")]).unwrap();
    summary["digest"].as_str().unwrap().to_owned()
}

/// When this fails on purpose, say so under "Changes results" in CHANGELOG.md.
#[test]
fn results_are_those_of_this_version() {
    let folder = tempfile::tempdir().unwrap();
    let digests = [
        "erdos-renyi.yaml",
        "emergent.yaml",
        "aws.yaml",
        "bitcoin-2019.yaml",
    ]
    .map(|name| {
        digest(&run(
            &shipped(name),
            &folder.path().join(name),
            &["--logs", "none"],
        ))
    });
    let pinned = [
        "8864b2a161c821bc",
        "6b2889f1d2ad1623",
        "238c9b415b4c54f1",
        "903f8c78cb6fdad1",
    ];
    assert_eq!(digests, pinned);
}
