//! Peers that go offline and come back, crash, or slow down.

#![allow(clippy::unwrap_used)]

mod common;

use common::{counts, delays_ms, peer, run};

fn scenario(services: &str, horizon: &str) -> String {
    format!(
        "horizon: {horizon}
latencies: {{Here: {{Here: 20}}}}
peer_types:
  steady: &steady
    location: Here
    bandwidth_ul: 10 Mbit
    bandwidth_dl: 10 Mbit
    services: [BaseConnectionManager]
  faulty:
    <<: *steady
    services: {services}
topology: {{graph: complete(5), types: {{0: faulty, others: steady}}}}
"
    )
}

#[test]
fn a_peer_that_was_away_is_back_among_its_neighbours() {
    // Down from 2 s to 3.5 s, shorter than the others' patience; and to 12 s, longer.
    for (schedule, horizon) in [("[2 s, 1500]", "10 s"), ("[2 s, 10 s]", "20 s")] {
        let services =
            format!("{{BaseConnectionManager: , ScheduledDowntime: {{schedule: {schedule}}}}}");
        let (simulation, outcome) = run(&scenario(&services, horizon));
        assert_eq!(simulation.links(false).count(), 10, "{schedule}");
        assert!(outcome.total().dropped() > 0, "{schedule}");
        let causes = simulation.connection_counts();
        use p2psim::record::ConnectionEvent::*;
        assert_eq!(causes.of(Offline), 4);
        assert_eq!(causes.of(Redialled), 4);
        let given_up = if horizon == "20 s" { 4 } else { 0 };
        assert_eq!(causes.of(Silent), given_up, "{schedule}");
    }
}

#[test]
fn while_it_is_away_it_is_alone_and_silent() {
    let services = "{BaseConnectionManager: , Crash: {after: 2 s}}";
    let (simulation, _) = run(&scenario(services, "10 s"));
    let faulty = peer(&simulation, 0);
    let state = simulation.peers().nth(faulty.as_usize()).unwrap();
    assert!(!state.online && state.connections == 0);
    assert_eq!(simulation.links(false).count(), 6);
    // Hello 4 times, then at most one Ping and Pong a neighbour before 2 s.
    assert!(state.traffic.messages_out <= 12, "{:?}", state.traffic);
}

#[test]
fn a_crash_that_is_unlikely_happens_to_its_share() {
    let text = "horizon: 2 s
latencies: {Here: {Here: 20}}
peer_types:
  peer: {location: Here, bandwidth_ul: 1 Mbit, bandwidth_dl: 1 Mbit, services: {Crash: {after: 'uniform(0, 1000)', probability: 0.3}}}
topology: {graph: cycle(2000)}
";
    let (simulation, _) = run(text);
    let crashed = simulation.peers().filter(|peer| !peer.online).count();
    // Binomial(2000, 0.3): standard deviation 20.5.
    assert!((crashed as f64 - 600.0).abs() < 82.0, "{crashed}");
}

#[test]
fn timers_wait_while_a_peer_is_offline() {
    let services = "{MessageProducer: {init_timeout: 500, msg_rate: 2}, ScheduledDowntime: {schedule: [700, 1000]}}";
    let (simulation, outcome) = run(&scenario(services, "3 s"));
    let produced: Vec<f64> = simulation
        .deliveries()
        .produced()
        .iter()
        .map(|rumour| rumour.produced.as_ms())
        .collect();
    // That of 1000 ms waits until 1700, and the next is half a second after it.
    assert_eq!(produced, [500.0, 1700.0, 2200.0, 2700.0]);
    // At 1700 its Hellos are still on their way: it has nobody to send to.
    assert_eq!(counts(&outcome, "GossipMessage").0, 3 * 4);
}

#[test]
fn who_begins_afresh_has_forgotten_and_fetches_again() {
    let pull = "PullGossipService: {init_timeout: 0, round_time: 200}";
    let churn = |rejoin: &str| {
        let text = format!(
            "horizon: 10 s
latencies: {{Here: {{Here: 20}}}}
peer_types:
  steady: &steady
    location: Here
    bandwidth_ul: 10 Mbit
    bandwidth_dl: 10 Mbit
    services: {{{pull}, LimitedMessageProducer: {{times: 3}}}}
  faulty:
    <<: *steady
    services: {{{pull}, Churn: {{session: 3 s, offline: 1 s, rejoin: {rejoin}}}}}
topology: {{graph: complete(4), types: {{0: faulty, others: steady}}}}
"
        );
        let (simulation, _) = run(&text);
        let faulty = peer(&simulation, 0);
        let receipts = simulation.deliveries().receipts();
        let copies = receipts.iter().filter(|r| r.peer == faulty);
        let (rows, copies) = copies.fold((0, 0), |(rows, all), r| (rows + 1, all + r.copies));
        assert_eq!(rows, 9, "one row a message, however often it is received");
        assert_eq!(simulation.links(false).count(), 6);
        copies
    };
    assert!(churn("fresh") >= churn("remember") + 2 * 9);
}

#[test]
fn who_begins_afresh_dials_whom_it_dialled_first() {
    let connections = |rejoin: &str| {
        let manager = "BaseConnectionManager: {max_silence: 2500}";
        let text = format!(
            "horizon: 19 s
latencies: {{Here: {{Here: 20}}}}
peer_types:
  steady: &steady
    location: Here
    bandwidth_ul: 10 Mbit
    bandwidth_dl: 10 Mbit
    services: {{{manager}}}
  absent:
    <<: *steady
    services: {{{manager}, ScheduledDowntime: {{schedule: [2 s, 10 s]}}}}
  faulty:
    <<: *steady
    services: {{{manager}, Churn: {{session: 10 s, offline: 6 s, rejoin: {rejoin}}}}}
topology: {{graph: cycle(6), types: {{0: absent, 1: faulty, others: steady}}}}
"
        );
        let (simulation, _) = run(&text);
        simulation.peers().nth(1).unwrap().connections
    };
    // 1 gives 0 up while that is away, and 0 gives up dialling 1 while that is: whoever only
    // remembers whom it had at the end has one neighbour when it is back at 16 s.
    assert_eq!(connections("remember"), 1);
    assert_eq!(connections("fresh"), 2);
    // What lets it begin afresh need not be the last to let go.
    let (simulation, _) = run(
        "horizon: 10 s
latencies: {Here: {Here: 20}}
peer_types:
  steady: {location: Here, bandwidth_ul: 1 Mbit, bandwidth_dl: 1 Mbit, services: {LimitedMessageProducer: {init_timeout: 500}, GossipService: }}
  faulty: {location: Here, bandwidth_ul: 1 Mbit, bandwidth_dl: 1 Mbit, services: {GossipService: , Churn: {session: 1 s, offline: 2 s, rejoin: fresh}, ScheduledDowntime: {schedule: [2 s, 2 s]}, LimitedMessageProducer: {times: 3, init_timeout: 600, msg_rate: 1}}}
topology: {edges: [[0, 1]], types: {0: faulty, 1: steady}}
",
    );
    // 600 ms; then online at 4 s, afresh: 4.6 s; offline from 5 s (Churn: 3 s on, 4 s off).
    let times: Vec<f64> = simulation
        .deliveries()
        .produced()
        .iter()
        .filter(|rumour| simulation.names().id(rumour.id.origin).0 == 0)
        .map(|rumour| rumour.produced.as_ms())
        .collect();
    assert_eq!(times[0], 600.0);
    assert!(times[1] > 4500.0, "{times:?}");
}

#[test]
fn slow_links_take_longer_for_a_while() {
    // 1250 bytes take 10 ms at 1 Mbit/s, 100 ms at a tenth of it.
    let text = "horizon: 4 s
latency: one_way
latencies: {Here: {Here: 1}}
network: {downlink: unlimited}
peer_types:
  producer:
    location: Here
    bandwidth_ul: 1 Mbit
    bandwidth_dl: 1 Mbit
    services: {MessageProducer: {init_timeout: 500, msg_rate: 1, size: 1 kB}, Slowdown: {factor: 0.1, start: 1 s, duration: 1 s}}
  peer: {location: Here, bandwidth_ul: 1 Mbit, bandwidth_dl: 1 Mbit, services: [GossipService]}
topology: {graph: path(2), types: {0: producer, 1: peer}}
";
    let (simulation, _) = run(text);
    assert_eq!(delays_ms(&simulation), [11.0, 101.0, 11.0, 11.0]);
}

#[test]
fn two_faults_keep_a_peer_down_until_both_let_go() {
    let services =
        "{ScheduledDowntime: {schedule: [1 s, 2 s]}, Churn: {session: 2 s, offline: 3 s}}";
    let online = |at: &str| {
        let (simulation, _) = run(&scenario(services, at));
        simulation.peers().next().unwrap().online
    };
    for (at, expected) in [
        ("900", true),
        ("2500", false),
        ("3500", false),
        ("5500", true),
    ] {
        assert_eq!(online(at), expected, "{at}");
    }
}
