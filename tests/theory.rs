//! Results that theory gives, with the formula and its source beside each.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::{delays_ms, run, run_seeded};
use p2psim::scenario::{LoadOptions, parse};
use p2psim::simulation::{Setup, Simulation};

/// Peers of one type in one place, constant latency, no queues.
fn scenario(graph: &str, horizon: &str, services: &str, producers: u64, produce: &str) -> String {
    let mut types = String::from("{");
    for id in 0..producers {
        types.push_str(&format!("{id}: producer, "));
    }
    types.push_str("others: peer}");
    format!(
        "horizon: {horizon}
latencies: {{Here: {{Here: 20}}}}
network: {{uplink: unlimited, downlink: unlimited}}
output: {{logs: none}}
peer_types:
  peer: {{location: Here, bandwidth_ul: 1 Mbit, bandwidth_dl: 1 Mbit, services: {{{services}}}}}
  producer: {{location: Here, bandwidth_ul: 1 Mbit, bandwidth_dl: 1 Mbit, services: {{{services}, LimitedMessageProducer: {{{produce}}}}}}}
topology:
  graph: {graph}
  types: {types}
"
    )
}

/// The share of all peers, the origin included, that each message reached.
fn shares(simulation: &Simulation) -> Vec<f64> {
    let peers = simulation.names().len() as f64;
    let receipts = simulation.deliveries().receipts();
    simulation
        .deliveries()
        .produced()
        .iter()
        .map(|rumour| {
            let reached = receipts.iter().filter(|r| r.id == rumour.id).count();
            (reached + 1) as f64 / peers
        })
        .collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Infect and die: who hears of a message tells `fanout` random others, once. In a large network
/// the share p that is reached solves p = 1 - e^(-f p), the final size of an epidemic whose cases
/// each infect f others and then no more.
#[test]
#[ignore = "long: .ci/run runs it"]
fn push_gossip_reaches_the_share_that_the_final_size_equation_gives() {
    for (fanout, expected) in [(2, 0.797), (3, 0.941), (4, 0.980), (5, 0.993), (6, 0.9975)] {
        let mut p: f64 = 0.5;
        for _ in 0..200 {
            p = 1.0 - (-f64::from(fanout) * p).exp();
        }
        assert!((p - expected).abs() < 6e-4, "the equation itself: {p}");
        let text = scenario(
            "complete(1000)",
            "30 s",
            &format!("GossipService: {{fanout: {fanout}}}"),
            50,
            &format!("init_fanout: {fanout}, init_ttl: 1000"),
        );
        let (simulation, _) = run(&text);
        // Each of the 50 messages draws for itself, as one run each would.
        let shares = shares(&simulation);
        let share = mean(&shares);
        println!("fanout {fanout}: {share:.4}, theory {expected}");
        assert_eq!(shares.len(), 50);
        assert!((share - expected).abs() < 0.01, "fanout {fanout}: {share}");
    }
}

/// In rounds, each peer calls one random other. The rounds until all n know:
/// push, log2 n + ln n (Pittel, "On spreading a rumor", SIAM J. Appl. Math. 47, 1987);
/// pull, log2 n + log2 ln n, and push-pull, log3 n + log2 ln n (Karp, Schindelhauer, Shenker,
/// Voecking, "Randomized rumor spreading", FOCS 2000; Demers et al., PODC 1987).
#[test]
#[ignore = "long: .ci/run runs it"]
fn rounds_until_all_know_grow_as_theory_says() {
    // A dense random graph in place of a complete one of 50 million links.
    let graphs = [
        (100_u32, "complete(100)", 40),
        (1000, "complete(1000)", 24),
        (10_000, "'random_regular(100, 10000)'", 12),
    ];
    for (n, graph, seeds) in graphs {
        let n = f64::from(n);
        let theory = [
            ("push", n.log2() + n.ln()),
            ("pull", n.log2() + n.ln().log2()),
            ("both", n.ln() / 3_f64.ln() + n.ln().log2()),
        ];
        for (exchange, expected) in theory {
            let services = format!(
                "PullGossipService: {{fanout: 1, init_timeout: 0, round_time: 1 s, exchange: {exchange}}}"
            );
            let produce = "init_timeout: 500, init_fanout: 0";
            let text = scenario(graph, "60 s", &services, 1, produce);
            let mut rounds = Vec::new();
            for seed in 1..=seeds {
                let (simulation, _) = run_seeded(&text, Some(seed));
                let receipts = simulation.deliveries().receipts();
                assert_eq!(receipts.len() as f64, n - 1.0, "not all know: {exchange}");
                let last = receipts.iter().map(|r| r.received).max().unwrap();
                // The first round is at 1 s; what it brings arrives within 60 ms.
                rounds.push(last.as_secs().floor());
            }
            let rounds = mean(&rounds);
            println!("n = {n}, {exchange}: {rounds:.1} rounds, theory {expected:.1}");
            assert!(
                (rounds - expected).abs() < 2.0,
                "n = {n}, {exchange}: {rounds} rounds, theory {expected}"
            );
        }
    }
}

/// G(n, p) with p = (ln n + c) / n is connected with probability e^(-e^(-c)): Erdos, Renyi, "On
/// the evolution of random graphs" (1960).
#[test]
#[ignore = "long: .ci/run runs it"]
fn random_graphs_are_connected_as_often_as_erdos_and_renyi_say() {
    let (n, graphs) = (2000_u32, 1000_u64);
    for c in [0.0, 2.0] {
        let p = (f64::from(n).ln() + c) / f64::from(n);
        let text = scenario(&format!("'gnp({n}, {p})'"), "1 s", "", 1, "");
        let text = text.replace("services: {, ", "services: {");
        let plan = parse(&text, "test", Path::new("."), &LoadOptions::default());
        let mut plan = plan.unwrap().plan;
        let connected = (1..=graphs)
            .filter(|&seed| {
                plan.seed = seed;
                let setup = Setup::new(&plan).unwrap();
                let mut components = petgraph::unionfind::UnionFind::<u32>::new(n as usize);
                let joined = setup.links().filter(|(a, b)| components.union(a.0, b.0));
                joined.count() as u32 == n - 1
            })
            .count();
        let share = connected as f64 / graphs as f64;
        let expected = (-(-c).exp()).exp();
        // Four standard errors, and what a network of 2000 peers is off the limit: P(no peer
        // alone) with n (1 - p)^(n - 1) of them on average.
        let finite = (-(f64::from(n) * (1.0 - p).powi(n as i32 - 1))).exp();
        let error = 4.0 * (expected * (1.0 - expected) / graphs as f64).sqrt();
        let tolerance = error + (finite - expected).abs();
        println!("c = {c}: {share:.3}, theory {expected:.3} +- {tolerance:.3}");
        assert!((share - expected).abs() < tolerance, "c = {c}: {share}");
    }
}

/// M/D/1: messages of one size, Poisson arrivals, one uplink. The mean time in the queue is
/// rho / (2 mu (1 - rho)): Pollaczek (1930), Khinchine (1932).
#[test]
#[ignore = "long: .ci/run runs it"]
fn an_uplink_with_poisson_messages_is_an_m_d_1_queue() {
    for load in [0.5, 0.8] {
        // 270 + 980 bytes at 1 Mbit/s: 10 ms each.
        let interval = 10.0 / load;
        let text = format!(
            "horizon: 4000 s
latencies: {{Here: {{Here: 20}}}}
network: {{downlink: unlimited}}
output: {{logs: none}}
peer_types:
  producer:
    location: Here
    bandwidth_ul: 1 Mbit
    bandwidth_dl: 1 Mbit
    services: {{MessageProducer: {{interval: 'expon(0, {interval})', size: 1000 B, init_fanout: 1, init_ttl: 0}}}}
  peer: {{location: Here, bandwidth_ul: 1 Mbit, bandwidth_dl: 1 Mbit, services: [GossipService]}}
topology: {{graph: path(2), types: {{0: producer, 1: peer}}}}
"
        );
        let (simulation, _) = run(&text);
        // What a message took besides 10 ms on the uplink and 10 ms on the way is its wait.
        let delays = delays_ms(&simulation);
        let waits: Vec<f64> = delays.iter().map(|delay| delay - 20.0).collect();
        let expected = 10.0 * load / (2.0 * (1.0 - load));
        let wait = mean(&waits);
        println!(
            "load {load}: {} waits of {wait:.3} ms, theory {expected} ms",
            waits.len()
        );
        assert!(waits.len() > 150_000);
        assert!(
            (wait / expected - 1.0).abs() < 0.05,
            "load {load}: {wait} ms"
        );
    }
}

/// An alternating renewal process is on for the share mean(on) / (mean(on) + mean(off)) of the
/// time: Ross, "Stochastic Processes" (1996), theorem 3.4.4.
#[test]
fn churning_peers_are_online_for_their_share_of_the_time() {
    let cases = [
        ("expon(0, 300)", "expon(0, 100)", 0.75),
        ("weibull_min(2, 0, 200)", "uniform(0, 400)", 0.469_84),
    ];
    for (session, offline, expected) in cases {
        let text = format!(
            "horizon: 5 s
latencies: {{Here: {{Here: 20}}}}
output: {{logs: none}}
peer_types:
  peer: {{location: Here, bandwidth_ul: 1 Mbit, bandwidth_dl: 1 Mbit, services: {{Churn: {{session: '{session}', offline: '{offline}'}}}}}}
topology: {{edges: [{}]}}
",
            // Peers of no links: each to itself.
            (0..4000).map(|id| format!("[{id}, {id}]")).collect::<Vec<_>>().join(", ")
        );
        let (simulation, _) = run(&text);
        let online = simulation.peers().filter(|peer| peer.online).count() as f64 / 4000.0;
        // Weibull(2, 200) has the mean 200 Gamma(3/2) = 177.25.
        let error = 4.0 * (expected * (1.0 - expected) / 4000.0_f64).sqrt();
        assert!(
            (online - expected).abs() < error,
            "{session}, {offline}: {online}"
        );
    }
}
