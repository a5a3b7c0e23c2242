//! Shards and threads: however many there are, the same bytes.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use common::written as run;
use p2psim::scenario::{LoadOptions, load};
use p2psim::simulation::{NetworkState, Progress, Simulation};
use p2psim::time::Time;

/// Compares a run in one shard with runs in several: each so many, on threads of their own or
/// in turn where there is little to do.
fn assert_same(scenario: &Path, overrides: &[&str], others: &[(usize, bool)]) {
    let overrides = [
        &[
            "output.logs=all",
            "output.deliveries=full",
            "output.latencies=true",
        ],
        overrides,
    ]
    .concat();
    let alone = run(scenario, &overrides, 1, false);
    assert!(alone.len() > 10, "logs and tables were written");
    for &(shards, at_once) in others {
        let together = run(scenario, &overrides, shards, at_once);
        assert!(
            alone.keys().eq(together.keys()),
            "{} in {shards} shards writes other files",
            scenario.display()
        );
        for (name, bytes) in &alone {
            assert!(
                bytes == &together[name],
                "{} in {shards} shards: {} differs",
                scenario.display(),
                name.display()
            );
        }
    }
}

/// Threads that wait for each other at each of many short windows take long where others want
/// the processors, too: so the time they simulate here is short.
const AT_ONCE: &[(usize, bool)] = &[(2, true), (3, true), (7, false)];
const IN_TURN: &[(usize, bool)] = &[(5, false)];

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// What is told of the network on the way, and at its end.
fn states(shards: usize) -> Vec<NetworkState> {
    let plan = load(&shipped("scenarios/gossip.yaml"), &LoadOptions::default())
        .unwrap()
        .plan;
    let mut simulation = Simulation::with_shards(&plan, None, shards).unwrap();
    let mut states = Vec::new();
    let every = Time::from_ms(67.0).unwrap();
    let stop = AtomicBool::new(false);
    let report = |progress: Progress<'_>| states.push(progress.state());
    let outcome = simulation
        .run_with_snapshots(every, &stop, report, |_, _| Ok(()))
        .unwrap();
    let ended = simulation.state();
    let in_flight: u64 = outcome.messages.iter().map(|m| m.in_flight).sum();
    assert_eq!(ended.in_flight, in_flight);
    let online = simulation.peers().filter(|peer| peer.online).count();
    assert_eq!(ended.online, online as u64);
    // What was produced last, and who received it, from the rows themselves.
    let deliveries = simulation.deliveries();
    let last = deliveries
        .produced()
        .iter()
        .max_by_key(|r| (r.produced, r.id))
        .unwrap();
    let receipts = deliveries
        .receipts()
        .iter()
        .filter(|r| r.id == last.id)
        .count();
    assert_eq!(ended.coverage, Some(receipts as f64 / 99.0));
    states.push(ended);
    states
}

#[test]
fn progress_tells_the_same_of_any_number_of_shards() {
    let alone = states(1);
    assert_eq!(alone[0].coverage, None);
    assert!(alone.iter().any(|state| state.in_flight > 0));
    assert!(
        alone
            .iter()
            .any(|state| state.coverage.is_some_and(|c| c > 0.0 && c < 0.9))
    );
    assert_eq!(alone, states(2));
    assert_eq!(alone, states(7));
}

#[test]
fn every_shipped_scenario_gives_the_same_bytes() {
    for name in [
        "byzantine.yaml",
        "churn.yaml",
        "emergent.yaml",
        "erdos-renyi.yaml",
        "faults.yaml",
        "gossip.yaml",
        "partition.yaml",
    ] {
        assert_same(&shipped("scenarios").join(name), &[], IN_TURN);
    }
}

#[test]
fn links_without_queues_and_load_by_peer_give_the_same_bytes() {
    let scenario = shipped("benches/flood.yaml");
    let small = "topology.graph=gnp(200, 0.05)";
    let by_peer = [small, "horizon=1200", "output.load=peers"];
    assert_same(&scenario, &by_peer, AT_ONCE);
    let conditions = [
        small,
        "horizon=1200",
        "output.deliveries=summary",
        "network.uplink=limited",
        "network.loss=0.1",
        "network.duplication=0.05",
    ];
    assert_same(&scenario, &conditions, AT_ONCE);
}

/// All messages take exactly as long, so that everything happens at the same few instants, and
/// exactly as long as a window.
#[test]
fn ties_at_the_edge_of_a_window_give_the_same_bytes() {
    let scenario = shipped("benches/ping.yaml");
    let overrides = [
        "topology.graph=gnp(60, 0.15)",
        "latencies.Everywhere.Everywhere=10",
        "network.uplink=unlimited",
        "network.downlink=unlimited",
        "horizon=3000",
    ];
    assert_same(&scenario, &overrides, AT_ONCE);
}

/// Thousands of peers do nothing for a while, so that their shards run in turn; then all ping at
/// once, and what is left of that window is left to threads.
#[test]
fn bursts_after_quiet_give_the_same_bytes() {
    let scenario = shipped("benches/ping.yaml");
    let overrides = [
        "topology.graph=gnp(9000, 0.0003)",
        "horizon=1600",
        "output.latencies=true",
    ];
    let alone = run(&scenario, &overrides, 1, false);
    for shards in [2, 3] {
        let together = run(&scenario, &overrides, shards, false);
        assert!(alone == together, "bursts in {shards} shards");
    }
}

/// More shards than peers, and peers of very different degrees.
#[test]
fn shards_may_be_empty() {
    let scenario = shipped("benches/ping.yaml");
    assert_same(
        &scenario,
        &["topology.graph=star(12)", "horizon=1200"],
        AT_ONCE,
    );
    let few = run(
        &scenario,
        &["topology.graph=star(2)", "horizon=1200"],
        9,
        true,
    );
    let alone = run(
        &scenario,
        &["topology.graph=star(2)", "horizon=1200"],
        1,
        false,
    );
    assert!(few == alone, "nine shards for three peers");
}

/// Peers that find each other, on threads of their own.
#[test]
fn an_emergent_network_on_threads_gives_the_same_bytes() {
    let scenario = shipped("scenarios/emergent.yaml");
    assert_same(&scenario, &["horizon=600"], &[(2, true)]);
}
