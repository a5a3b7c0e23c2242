//! Laws that every run obeys: messages are conserved, connections are mutual, records agree.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::atomic::AtomicBool;

use p2psim::scenario::{LoadOptions, parse};
use p2psim::simulation::{Outcome, Simulation};
use proptest::prelude::*;

fn run(text: &str) -> (Simulation, Outcome) {
    let scenario = match parse(text, "property", Path::new("."), &LoadOptions::default()) {
        Ok(scenario) => scenario,
        Err(error) => panic!("{text}\n{}", error.render(false)),
    };
    let mut simulation = Simulation::new(&scenario.plan, None).unwrap();
    let outcome = simulation.run(&AtomicBool::new(false), |_| {}).unwrap();
    (simulation, outcome)
}

fn check(text: &str) {
    let (simulation, outcome) = run(text);
    for message in &outcome.messages {
        let counts = &message.counts;
        // In flight is counted from the queue, not by subtraction.
        let accounted = counts.delivered + counts.dropped() + counts.lost() + message.in_flight;
        assert_eq!(counts.sent, accounted, "{} of\n{text}", message.name);
        assert!(
            counts.bytes_sent >= 24 * counts.sent,
            "{} of\n{text}",
            message.name
        );
    }
    let total = outcome.total();
    let mut sums = [0; 4];
    for peer in simulation.peers() {
        let traffic = peer.traffic;
        sums[0] += traffic.messages_out;
        sums[1] += traffic.messages_in;
        sums[2] += traffic.bytes_out;
        sums[3] += traffic.bytes_in;
    }
    // The network's second copies pass nobody's uplink.
    let totals = [
        total.sent - total.duplicated,
        total.delivered,
        total.bytes_sent - total.bytes_duplicated,
        total.bytes_delivered,
    ];
    assert_eq!(sums, totals, "{text}");
    // What is connected is held at the end, or has ended for one of the causes.
    use p2psim::record::ConnectionEvent::*;
    let causes = simulation.connection_counts();
    let ended = [Silent, Slow, Ended, EndedByOther, Offline].map(|cause| causes.of(cause));
    let held: usize = simulation.peers().map(|peer| peer.connections).sum();
    let accounted = held as u64 + ended.iter().sum::<u64>();
    assert_eq!(causes.of(Connected), accounted, "{causes:?}\n{text}");
    for link in simulation.links(true) {
        assert!(link.source < link.target && link.bandwidth > 0.0, "{text}");
        assert!(link.since <= outcome.reached, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 60,
        // Fixed, so that a failure can be looked at again.
        rng_seed: proptest::test_runner::RngSeed::Fixed(7),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn messages_are_conserved(
        seed in 0_u64..1000,
        horizon in 1_u64..8000,
        peers in 1_u64..40,
        latency in prop_oneof![
            Just("3"), Just("norm(12, 2)"), Just("norm(1, 5)"), Just("expon(0, 3000)"), Just("0")
        ],
        links in prop_oneof![Just("limited"), Just("unlimited")],
        bandwidth in prop_oneof![Just("100 kbit"), Just("2 kbit"), Just("norm(1 Mbit, 900 kbit)")],
        interval in 100_u64..1500,
        (low, high) in (0_u64..6, 0_u64..6),
        topology in 0..5,
        conditions in prop_oneof![
            Just(""),
            Just(", loss: 0.3, duplication: 0.3"),
            Just(
                ", loss: {Here: {Here: {good: {loss: 0.01, mean: 2 s}, bad: {loss: 0.9, mean: 300}}}}, \
                 duplication: 0.5, partitions: [{from: 500, until: 3 s, groups: [0.3, 0.4]}, \
                 {from: 2 s, until: 4 s, groups: [0.5, 0.5], directed: true}]"
            )
        ],
    ) {
        let topology = match topology {
            0 => format!("graph: 'gnp(n={peers}, p=0.3)'"),
            4 => format!("graph: 'gnp(n={peers}, p=0.3)', types: peer, attach: {{peer: {{count: 4, to: peer, degree: 1}}}}"),
            1 => format!("graph: 'star({peers})'"),
            2 => format!("emergent: {{peer: {peers}}}, join: 'uniform(0, 3000)'"),
            _ => format!("emergent: {{peer: {peers}}}, bootstrap: {{count: 3}}"),
        };
        check(&format!(
            "seed: {seed}
horizon: {horizon}
latencies: {{Here: {{Here: '{latency}'}}}}
network: {{uplink: {links}, downlink: {links}{conditions}}}
peer_types:
  peer:
    location: Here
    bandwidth_ul: {bandwidth}
    bandwidth_dl: {bandwidth}
    services: {{P2PConnectionManager: {{ping_interval: {interval}, max_silence: 2000, min_peers: {low}, max_peers: {high}, min_keep_time: 500, redial_after: 1000}}}}
topology: {{{topology}}}
"
        ));
    }
}

#[test]
fn a_service_free_peer_still_connects() {
    let (simulation, outcome) = run("horizon: 100
latencies: {Here: {Here: 10}}
peer_types: {peer: {location: Here, bandwidth_ul: 1 Mbit, bandwidth_dl: 1 Mbit}}
topology: {edges: [[3, 5], [5, 9], [9, 3], [9, 9]]}
");
    assert_eq!(simulation.links(false).count(), 3);
    let ids: Vec<u64> = simulation.names().ids.iter().map(|id| id.0).collect();
    assert_eq!(ids, [3, 5, 9]);
    assert_eq!(outcome.total().sent, 6);
}

/// Constant latency, no queues: every time in the run can be worked out by hand.
#[test]
fn a_quiet_pair_pings_every_second_tick() {
    let (simulation, outcome) = run("horizon: 10 s
latencies: {Here: {Here: 20}}
network: {uplink: unlimited, downlink: unlimited}
peer_types: {peer: {location: Here, bandwidth_ul: 1 Mbit, bandwidth_dl: 1 Mbit, services: [BaseConnectionManager]}}
topology: {graph: 'path(2)'}
");
    // Connected at 10 ms; pings at 2, 4, 6 and 8 s from both ends.
    let pings = outcome.messages.iter().find(|m| m.name == "Ping").unwrap();
    assert_eq!(pings.counts.delivered, 8);
    let link = simulation.links(false).next().unwrap();
    assert_eq!(link.since.to_string(), "10");
}

/// 1000 bytes/s both ways and 100 ms of delay: Hello is 24 bytes.
#[test]
fn links_queue_and_delay_as_said() {
    let (simulation, _) = run("horizon: 10 s
latency: one_way
latencies: {Here: {Here: 100}}
peer_types: {peer: {location: Here, bandwidth_ul: 1 kB/s, bandwidth_dl: 1 kB/s}}
topology: {graph: 'star(2)'}
");
    let since: Vec<String> = simulation
        .links(false)
        .map(|l| l.since.to_string())
        .collect();
    // Leaf to hub: 24 ms up, 100 on the way, 24 down; the second Hello waits for the first at
    // both ends of the hub: its uplink (to peer 2) and its downlink (from peer 2).
    assert_eq!(since, ["148", "172"]);
}

#[test]
fn silent_peers_are_given_up_and_full_ones_refuse() {
    // Messages take longer than the silence that is tolerated: no connection lasts.
    let (simulation, outcome) = run("horizon: 20 s
latency: one_way
latencies: {Here: {Here: 900}}
peer_types: {peer: {location: Here, bandwidth_ul: 1 Mbit, bandwidth_dl: 1 Mbit, services: {BaseConnectionManager: {ping_interval: 500, max_silence: 600}}}}
topology: {graph: 'complete(4)'}
");
    assert_eq!(simulation.links(false).count(), 0);
    let of = |name: &str| {
        outcome
            .messages
            .iter()
            .find(|m| m.name == name)
            .unwrap()
            .counts
    };
    assert!(of("Goodbye").delivered > 0);
    assert!(outcome.total().dropped_by_cause[1] > 0 || of("Ping").sent == 0);
    // A bootstrap peer with room for two (and one above) among ten.
    let (simulation, outcome) = run("horizon: 3 s
latencies: {Here: {Here: 10}}
peer_types:
  peer: {location: Here, bandwidth_ul: 1 Mbit, bandwidth_dl: 1 Mbit}
  bootstrap: {location: Here, bandwidth_ul: 1 Mbit, bandwidth_dl: 1 Mbit, services: {P2PConnectionManager: {max_peers: 2, min_keep_time: 0}}}
topology: {emergent: {peer: 10}}
");
    assert_eq!(simulation.links(true).count(), 2);
    let goodbyes = outcome
        .messages
        .iter()
        .find(|m| m.name == "Goodbye")
        .unwrap();
    assert_eq!(goodbyes.counts.delivered, 8);
    // It pings and asks those it accepts; they run nothing that could answer.
    let sent = |name: &str| {
        outcome
            .messages
            .iter()
            .find(|m| m.name == name)
            .unwrap()
            .counts
            .sent
    };
    let unhandled = outcome.total().dropped_by_cause[2];
    assert!(unhandled >= 3);
    assert_eq!(
        unhandled,
        sent("Ping") + sent("RequestPeers"),
        "{:?}",
        outcome.messages
    );
}
