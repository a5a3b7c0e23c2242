//! How messages spread: what each service does with them, worked out by hand where that can be.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;
use std::sync::atomic::AtomicBool;

use common::{counts, peer, run};
use p2psim::scenario::{LoadOptions, parse};
use p2psim::services::{Registry, ServiceSpec};
use p2psim::simulation::Simulation;

/// A network without queues in which every message takes 10 ms.
fn scenario(topology: &str, horizon: &str, types: &[(&str, &str)]) -> String {
    let mut text = format!(
        "horizon: {horizon}
latency: one_way
latencies: {{Here: {{Here: 10}}}}
network: {{uplink: unlimited, downlink: unlimited}}
topology: {topology}
peer_types:
"
    );
    for (name, services) in types {
        text.push_str(&format!(
            "  {name}: {{location: Here, bandwidth_ul: 1 Mbit, bandwidth_dl: 1 Mbit, services: {services}}}\n"
        ));
    }
    text
}

const ONE_MESSAGE: &str =
    "LimitedMessageProducer: {init_timeout: 100, init_fanout: 100, init_ttl: 100}";

/// For each receipt: the peer's id, when in ms, over how many hops, in how many copies, intact.
fn receipts(simulation: &Simulation) -> Vec<(u64, f64, u16, u32, bool)> {
    let names = simulation.names();
    let mut receipts: Vec<_> = simulation
        .deliveries()
        .receipts()
        .iter()
        .map(|r| {
            let id = names.id(r.peer).0;
            (id, r.received.as_ms(), r.hops, r.copies, r.intact)
        })
        .collect();
    receipts.sort_by_key(|receipt| receipt.0);
    receipts
}

#[test]
fn a_message_goes_down_a_line_one_hop_at_a_time() {
    let text = scenario(
        "{graph: path(5), types: {0: producer, others: peer}}",
        "1 s",
        &[
            ("producer", &format!("{{GossipService: , {ONE_MESSAGE}}}")),
            ("peer", "[GossipService]"),
        ],
    );
    let (simulation, outcome) = run(&text);
    let expected = [
        (1, 110.0, 1, 1, true),
        (2, 120.0, 2, 1, true),
        (3, 130.0, 3, 1, true),
        (4, 140.0, 4, 1, true),
    ];
    assert_eq!(receipts(&simulation), expected);
    assert_eq!(counts(&outcome, "GossipMessage"), (4, 4));
    let message = &outcome.messages.iter().find(|m| m.name == "GossipMessage");
    assert_eq!(message.unwrap().counts.bytes_sent, 4 * 270);
}

#[test]
fn ttl_ends_a_message_and_processing_delays_it() {
    let producer = "LimitedMessageProducer: {init_timeout: 100, init_ttl: 1}";
    let text = scenario(
        "{graph: path(5), types: {0: producer, others: peer}}",
        "1 s",
        &[
            ("producer", &format!("{{{producer}}}")),
            ("peer", "{GossipService: {processing: 7}}"),
        ],
    );
    let (simulation, _) = run(&text);
    assert_eq!(
        receipts(&simulation),
        [(1, 117.0, 1, 1, true), (2, 134.0, 2, 1, true)]
    );
}

#[test]
fn duplicates_are_counted_and_relayed_only_where_asked() {
    // A triangle: 1 and 2 send each other what they have from 0.
    for (suppress, sent) in [("true", 4), ("false", 8)] {
        let services = format!("GossipService: {{suppress_duplicates: {suppress}}}");
        let producer = "LimitedMessageProducer: {init_timeout: 100, init_ttl: 3}";
        let text = scenario(
            "{graph: complete(3), types: {0: producer, others: peer}}",
            "1 s",
            &[
                ("producer", &format!("{{{services}, {producer}}}")),
                ("peer", &format!("{{{services}}}")),
            ],
        );
        let (simulation, outcome) = run(&text);
        // Suppressed: 0 to both, and each of them to the other. Else each relays the second
        // copy to 0, which relays it to the one that it is not from.
        assert_eq!(counts(&outcome, "GossipMessage").0, sent, "{suppress}");
        let copies: Vec<u32> = receipts(&simulation).iter().map(|r| r.3).collect();
        assert_eq!(copies, if suppress == "true" { [2, 2] } else { [3, 3] });
    }
}

#[test]
fn the_excluded_and_bootstrap_peers_are_left_out() {
    let text = scenario(
        "{graph: star(4), types: {0: producer, 1: client, 2: bootstrap, others: peer}}",
        "1 s",
        &[
            (
                "producer",
                "{LimitedMessageProducer: {exclude_types: [client], exclude_peers: [3]}}",
            ),
            ("client", "[GossipService]"),
            ("bootstrap", "[GossipService]"),
            ("peer", "[GossipService]"),
        ],
    );
    let (simulation, _) = run(&text.replace("horizon: 1 s", "horizon: 2 s"));
    let reached: Vec<u64> = receipts(&simulation).iter().map(|r| r.0).collect();
    assert_eq!(reached, [4]);
}

#[test]
fn pull_gossip_fetches_what_is_missing_in_rounds() {
    let service = "PullGossipService: {init_timeout: 0, round_time: 500}";
    let producer = "LimitedMessageProducer: {init_timeout: 100, init_fanout: 0}";
    let text = scenario(
        "{graph: path(3), types: {0: producer, others: peer}}",
        "1400",
        &[
            ("producer", &format!("{{{service}, {producer}}}")),
            ("peer", &format!("{{{service}}}")),
        ],
    );
    let (simulation, outcome) = run(&text);
    // Round at 500: 0 and 1 compare; 1 asks at 510 (0's ping) and is told at 520 (its own ping):
    // it asks twice and is answered twice. Round at 1000: the same for 2.
    assert_eq!(
        receipts(&simulation),
        [(1, 530.0, 1, 2, true), (2, 1030.0, 2, 2, true)]
    );
    assert_eq!(counts(&outcome, "SyncPing"), (8, 8));
    assert_eq!(counts(&outcome, "SyncPong"), (2, 2));
    assert_eq!(counts(&outcome, "MsgRequest"), (4, 4));
    assert_eq!(counts(&outcome, "MsgResponse"), (4, 4));
}

#[test]
fn push_or_pull_alone_gains_on_one_side() {
    for (exchange, pongs) in [("push", 0), ("pull", 1), ("both", 1)] {
        let service =
            format!("PullGossipService: {{init_timeout: 0, exchange: {exchange}, fanout: 1}}");
        let producer = "LimitedMessageProducer: {init_timeout: 100, init_fanout: 0}";
        let text = scenario(
            "{graph: path(2), types: {0: producer, others: peer}}",
            "900",
            &[
                ("producer", &format!("{{{service}, {producer}}}")),
                ("peer", &format!("{{{service}}}")),
            ],
        );
        let (simulation, outcome) = run(&text);
        assert_eq!(counts(&outcome, "SyncPong").0, pongs, "{exchange}");
        let at = if exchange == "pull" { 540.0 } else { 530.0 };
        let receipt = receipts(&simulation)[0];
        assert_eq!((receipt.0, receipt.1), (1, at), "{exchange}");
    }
}

#[test]
fn altered_payloads_spread_unless_they_are_verified() {
    for (verify, altered) in [("false", 2), ("true", 0)] {
        // 0 - 1 (tampers) - 2, 3, 4, 5: two get the true payload, two another.
        let text = scenario(
            "{edges: [[0, 1], [1, 2], [1, 3], [1, 4], [1, 5]], types: {0: producer, 1: liar, others: peer}}",
            "1 s",
            &[
                ("producer", &format!("{{{ONE_MESSAGE}}}")),
                ("liar", "{TamperingGossip: {fanout: 4}}"),
                (
                    "peer",
                    &format!("{{GossipService: {{verify: {verify}, processing: 5}}}}"),
                ),
            ],
        );
        let (simulation, _) = run(&text);
        let wrong = receipts(&simulation).iter().filter(|r| !r.4).count();
        assert_eq!(wrong, altered, "verify: {verify}");
        let rejected = simulation.deliveries().rejected();
        assert_eq!(rejected, 2 - altered as u64, "verify: {verify}");
    }
}

#[test]
fn adversaries_do_as_their_names_say() {
    let line = |services: &str| {
        let text = scenario(
            "{graph: path(3), types: {0: producer, 1: odd, 2: peer}}",
            "3 s",
            &[
                ("producer", &format!("{{{ONE_MESSAGE}}}")),
                ("odd", services),
                ("peer", "[GossipService]"),
            ],
        );
        receipts(&run(&text).0)
    };
    let at_1 = (1, 110.0, 1, 1, true);
    assert_eq!(line("[SilentPeer]"), [at_1]);
    let late = (2, 1120.0, 2, 1, true);
    assert_eq!(line("{DelayingPeer: {delay: 1 s}}"), [at_1, late]);
    assert_eq!(line("{CensoringPeer: {origins: [0]}}"), []);
    let in_time = (2, 120.0, 2, 1, true);
    assert_eq!(line("{CensoringPeer: {origins: [2]}}"), [at_1, in_time]);
}

#[test]
fn an_eclipse_takes_the_victims_connections() {
    let text = "horizon: 60 s
latencies: {Here: {Here: 20}}
peer_types:
  peer:
    location: Here
    bandwidth_ul: 10 Mbit
    bandwidth_dl: 10 Mbit
    services: {P2PConnectionManager: {min_peers: 4, max_peers: 8}}
  attacker:
    location: Here
    bandwidth_ul: 100 Mbit
    bandwidth_dl: 100 Mbit
    services: {BaseConnectionManager: , Eclipse: {victims: [1]}}
topology: {emergent: {peer: 40, attacker: 40}}
";
    let (simulation, _) = run(text);
    let victim = peer(&simulation, 1);
    let names = simulation.names();
    let others: Vec<&str> = simulation
        .links(false)
        .filter_map(|link| match victim {
            v if v == link.source => Some(names.type_name(link.target)),
            v if v == link.target => Some(names.type_name(link.source)),
            _ => None,
        })
        .collect();
    assert!(others.len() >= 8, "{others:?}");
    assert!(others.iter().all(|&kind| kind == "attacker"), "{others:?}");
}

#[test]
fn producers_keep_to_their_rate_and_size() {
    let text = scenario(
        "{graph: path(2), types: {0: producer, 1: peer}}",
        "3 s",
        &[
            ("producer", "{MessageProducer: {msg_rate: 4, size: 1 kB}}"),
            ("peer", "[GossipService]"),
        ],
    );
    let (simulation, outcome) = run(&text);
    let produced: Vec<f64> = simulation
        .deliveries()
        .produced()
        .iter()
        .map(|rumour| rumour.produced.as_ms())
        .collect();
    let expected: Vec<f64> = (0..8).map(|k| 1000.0 + 250.0 * f64::from(k)).collect();
    assert_eq!(produced, expected);
    let gossip = outcome.messages.iter().find(|m| m.name == "GossipMessage");
    assert_eq!(gossip.unwrap().counts.bytes_sent, 8 * 1250);
}

/// Laws under which simulated time would stand still, and sizes that no message has.
#[test]
fn what_could_never_end_is_refused() {
    for (services, name) in [
        ("{Churn: {session: 1e-7, offline: 1e-7}}", "session"),
        (
            "{Churn: {session: 1 s, offline: 'sample(0, 0)'}}",
            "offline",
        ),
        ("{RandomDowntime: {disruption_time: 0}}", "disruption_time"),
        ("{Slowdown: {duration: 1e-7, interval: 1 s}}", "duration"),
        ("{Slowdown: {interval: 1 s}}", "interval"),
        ("{MessageProducer: {interval: 'norm(-100, 1)'}}", "interval"),
        ("{MessageProducer: {interval: 5, msg_rate: 3}}", "msg_rate"),
        ("{MessageProducer: {size: -1}}", "size"),
        ("{MessageProducer: {size: 4 GiB}}", "size"),
    ] {
        let text = scenario("{graph: path(2)}", "1 s", &[("peer", services)]);
        let options = p2psim::scenario::LoadOptions::default();
        let parsed = p2psim::scenario::parse(&text, "test", std::path::Path::new("."), &options);
        let error = parsed.expect_err(services);
        let [diagnostic] = error.diagnostics() else {
            panic!("{services}: {}", error.render(false));
        };
        let shown = error.render(false);
        let underlined = shown
            .lines()
            .find(|line| line.contains('^'))
            .expect(services);
        let quoted = shown
            .lines()
            .find(|line| line.contains(services))
            .expect(services);
        // What follows the parameter's name is underlined.
        let start = underlined.find('^').expect(services);
        assert!(quoted[..start].ends_with(&format!("{name}: ")), "{shown}");
        assert!(!diagnostic.expected.is_empty(), "{services}");
    }
}

/// Peers that remember messages for a second name no older ones, however long the run, and take
/// none in twice.
#[test]
fn old_messages_are_forgotten_and_ignored() {
    let outcome_with = |remember: &str| {
        let text = format!(
            "horizon: 20000\nlocations: [Here]\nlatencies: {{Here: {{Here: 10}}}}\n\
             peer_types:\n  peer:\n    location: Here\n    bandwidth_ul: 50 Mbit\n    \
             bandwidth_dl: 50 Mbit\n    services:\n      \
             BaseConnectionManager: {{}}\n      \
             PushPullGossipService: {{remember: {remember}}}\n      \
             MessageProducer: {{msg_rate: 5, init_timeout: 0}}\n\
             topology: {{graph: 'random_regular(4, 10)'}}\n"
        );
        let (simulation, outcome) = run(&text);
        let receipts = simulation.deliveries().receipts().iter();
        let mut seen: Vec<_> = receipts.map(|receipt| (receipt.id, receipt.peer)).collect();
        let count = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), count, "a message was taken in twice");
        let pings = outcome.messages.iter().find(|m| m.name == "SyncPing");
        let pings = pings.unwrap().counts;
        let ids = (pings.bytes_sent - 24 * pings.sent) as f64 / 8.0 / pings.sent as f64;
        (count, ids)
    };
    let ((some, few_ids), (all, many_ids)) = (outcome_with("1 s"), outcome_with("10 min"));
    // Push reaches nearly everyone at once; anti-entropy the others within a second.
    assert!(some * 100 >= all * 98 && some <= all, "{some} of {all}");
    // Ten peers produce 50 messages a second between them, and 500 on average have been.
    assert!((35.0..=50.0).contains(&few_ids), "{few_ids} ids");
    assert!(many_ids > 400.0, "{many_ids} ids");
}

/// Copies of what a peer holds are counted without its service, unless the service looks at them:
/// the figures are the same, also of copies that come too late.
#[test]
fn copies_are_counted_alike_with_and_without_the_service() {
    let figures = |parameters: &str| {
        let services = format!("{{GossipService: {{fanout: 100, {parameters}}}}}");
        let producer = format!("{{GossipService: {{fanout: 100, {parameters}}}, {ONE_MESSAGE}}}");
        let types = [("peer", &services[..]), ("producer", &producer)];
        let topology =
            "{graph: 'random_regular(8, 300)', attach: {producer: {to: peer, degree: 3}}}";
        let text = scenario(topology, "2000", &types) + "output: {deliveries: summary}\n";
        let (simulation, outcome) = run(&text);
        let spread = simulation.deliveries().spread().unwrap();
        (spread.copies, spread.received_by_any, outcome.digest)
    };
    // Within 45 ms a message reaches nearly everyone, while copies are still on their way.
    let [all, timely] = ["10 min", "45"].map(|remember| {
        let without = figures(&format!("remember: {remember}"));
        let with = figures(&format!("remember: {remember}, verify: true"));
        assert_eq!(without, with, "remember: {remember}");
        without
    });
    assert!(all.0 > 6 * all.1, "{all:?}");
    assert!(timely.0 < all.0 && timely.0 > timely.1, "{timely:?}");
}

/// An idle service of one's own, of which nobody knows whether it asks when its neighbours were
/// heard: with it, every sender is looked up among its receiver's connections.
const ATTENTIVE: ServiceSpec = ServiceSpec {
    name: "Attentive",
    about: "does nothing",
    ..ServiceSpec::NONE
};

/// Senders need not be looked up where only gossip runs, whatever becomes of the connections.
#[test]
fn it_makes_no_difference_whether_senders_are_looked_up() {
    let outcome = |churn: &str, network: &str, attentive: &str| {
        let line = |service: &str| match service {
            "" => String::new(),
            service => format!("      {service}\n"),
        };
        let (churn, attentive) = (line(churn), line(attentive));
        let text = format!(
            "horizon: 8 s
latencies: {{Here: {{Here: 'norm(100, 60)'}}}}
network: {{uplink: unlimited, downlink: unlimited, {network}}}
peer_types:
  peer: &peer
    location: Here
    bandwidth_ul: 10 Mbit
    bandwidth_dl: 10 Mbit
    services:
      GossipService: {{fanout: 4}}
      MessageProducer: {{msg_rate: 1, init_timeout: 100}}
{churn}{attentive}topology: {{graph: 'random_regular_graph(6, 40)'}}
"
        );
        let options = LoadOptions {
            registry: Registry::default().with(ATTENTIVE),
            ..LoadOptions::default()
        };
        let scenario = parse(&text, "test", Path::new("."), &options)
            .unwrap_or_else(|error| panic!("{text}\n{}", error.render(false)));
        let mut simulation = Simulation::new(&scenario.plan, None).unwrap();
        let run = simulation.run(&AtomicBool::new(false), |_| {}).unwrap();
        (run.digest, run.total(), run.events)
    };
    let mut dropped = 0;
    for churn in [
        "",
        "Churn: {session: 'expon(0, 3 s)', offline: 'expon(0, 1 s)'}",
        "Churn: {session: 'expon(0, 3 s)', offline: 'expon(0, 1 s)', rejoin: fresh}",
        "Crash: {after: 'expon(0, 30 s)'}",
    ] {
        for network in ["loss: 0", "loss: 0.3, duplication: 0.1"] {
            let plain = outcome(churn, network, "");
            assert!(plain.1.delivered > 1000, "{churn} {network}");
            let looked_up = outcome(churn, network, "Attentive: {}");
            assert_eq!(plain, looked_up, "{churn} {network}");
            dropped += plain.1.dropped();
        }
    }
    assert!(dropped > 100, "{dropped}");
}
