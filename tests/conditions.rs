//! What the network does to messages: the shares it loses and duplicates, and that nothing
//! crosses a partition while it holds.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::atomic::AtomicBool;

use p2psim::network::{Partition, UNGROUPED};
use p2psim::peer::{PeerId, PeerIndex};
use p2psim::prelude::*;
use p2psim::record::Counts;
use p2psim::scenario::{LoadOptions, Scenario, parse};
use p2psim::simulation::{Outcome, Setup, Simulation};

/// Sends each neighbour a message every `interval`, whatever it hears; so that what is sent does
/// not depend on what is lost.
struct Beating {
    interval: Time,
    beat: MessageType,
}

impl Service for Beating {
    fn start(&mut self, context: &mut Context<'_>) {
        context.set_timer(self.interval, 0);
    }

    fn timer(&mut self, context: &mut Context<'_>, tag: u32) {
        let id = context.id(context.me()).0;
        let neighbours: Vec<PeerIndex> = context
            .connections()
            .iter_connected()
            .map(|connection| connection.peer)
            .collect();
        for peer in neighbours {
            context.send(peer, self.beat, Payload::Integer(id), 100);
        }
        context.set_timer(self.interval, tag);
    }

    fn message(&mut self, context: &mut Context<'_>, from: PeerIndex, message: Message<'_>) {
        // A second copy has the content of the first.
        let id = context.id(from).0;
        assert!(matches!(message.payload, Payload::Integer(content) if *content == id));
    }
}

const BEATING: ServiceSpec = ServiceSpec {
    name: "Beating",
    about: "sends to all neighbours at regular times",
    parameters: &[ParameterSpec::new(
        "interval",
        ParameterKind::Duration { min_ns: 1_000_000 },
        "1 s",
        "time between beats",
    )],
    messages: &[MessageSpec::handled("Beat", "100 B")],
    build: &|parameters, messages| {
        let (interval, beat) = (parameters.duration("interval"), messages[0]);
        std::sync::Arc::new(move || ServiceState::Custom(Box::new(Beating { interval, beat })))
    },
    ..ServiceSpec::NONE
};

fn scenario(text: &str) -> Scenario {
    let options = LoadOptions {
        registry: Registry::default().with(BEATING),
        ..LoadOptions::default()
    };
    parse(text, "conditions", Path::new("."), &options)
        .unwrap_or_else(|error| panic!("{text}\n{}", error.render(false)))
}

fn outcome(scenario: &Scenario) -> (Simulation, Outcome) {
    let mut simulation = Simulation::new(&scenario.plan, None).unwrap();
    let outcome = simulation.run(&AtomicBool::new(false), |_| {}).unwrap();
    (simulation, outcome)
}

/// Peers of two types, `a` at A and `b` at B, that beat every 20 ms.
fn beating(network: &str, topology: &str, horizon: &str) -> String {
    format!(
        "horizon: {horizon}
latency: one_way
latencies: {{A: {{A: 'uniform(1, 9)', B: 'uniform(10, 30)'}}, B: {{B: 'uniform(1, 9)'}}}}
network: {{uplink: unlimited, downlink: unlimited, {network}}}
peer_types:
  a: &a {{location: A, bandwidth_ul: 10 Mbit, bandwidth_dl: 10 Mbit, services: {{Beating: {{interval: 20 ms}}}}}}
  b: {{<<: *a, location: B}}
topology: {{{topology}}}
output: {{logs: all}}
"
    )
}

fn beats(text: &str) -> Counts {
    let (_, outcome) = outcome(&scenario(text));
    let beats = outcome.messages.iter().find(|m| m.name == "Beat").unwrap();
    assert!(beats.counts.sent > 1000, "{text}");
    beats.counts
}

const COMPLETE: &str = "graph: 'complete(10)', types: {a: 5, b: 5}";
/// A star whose hub, peer 0, is at A and whose leaves are at B.
const STAR: &str = "graph: 'star(10)', types: {a: 1, b: 10}";

#[test]
fn loss_leaves_the_rest() {
    for (loss, share) in [
        ("0.1", 0.1),
        ("{default: 0.02}", 0.02),
        ("{A: {B: 1}}", 0.0),
    ] {
        // Where pairs are given, peers at one location only.
        let topology = if share == 0.0 {
            "graph: 'complete(5)', types: {a: 5}"
        } else {
            COMPLETE
        };
        let mut text = beating(&format!("loss: {loss}"), topology, "20 s");
        if share == 0.0 {
            let place = text.find("  b: {").unwrap();
            let end = place + text[place..].find('\n').unwrap();
            text.replace_range(place..=end, "");
        }
        let counts = beats(&text);
        let [lost, partitioned] = counts.lost_by_cause;
        let found = lost as f64 / counts.sent as f64;
        // Five standard deviations of a share.
        let tolerance = 5.0 * (share * (1.0 - share) / counts.sent as f64).sqrt();
        assert!((found - share).abs() <= tolerance, "{loss}: {found}");
        assert_eq!((partitioned, counts.duplicated), (0, 0));
    }
}

/// All links of a star are between A and B; half of the beats are the hub's.
#[test]
fn loss_is_by_pair_and_direction() {
    let lost = |loss: &str| {
        let counts = beats(&beating(&format!("loss: {loss}"), STAR, "10 s"));
        counts.lost() as f64 / counts.sent as f64
    };
    assert_eq!(lost("{A: {A: 1}, B: {B: 1}}"), 0.0);
    let symmetric = lost("{B: {A: 0.2}}");
    assert!((symmetric - 0.2).abs() < 0.02, "{symmetric}");
    let one_way = lost("{A: {B: 0}, B: {A: 0.5}}");
    assert!((one_way - 0.25).abs() < 0.02, "{one_way}");
    let default = lost("{default: 0.5, A: {B: 0.1}}");
    assert!((default - 0.1).abs() < 0.02, "{default}");
}

#[test]
fn bursts_lose_their_stationary_share() {
    let loss = "loss: {good: {loss: 0.01, mean: 900}, bad: {loss: 0.91, mean: 100}}";
    let counts = beats(&beating(loss, COMPLETE, "100 s"));
    let found = counts.lost() as f64 / counts.sent as f64;
    // Ten peers pass 100 stays in the bad state each; the share of bad time has a standard
    // deviation of about 0.9 * 0.1 * sqrt(2 / 1000), or 0.004.
    assert!((found - 0.1).abs() < 0.016, "{found}");
}

#[test]
fn copies_are_counted_and_delivered() {
    let text = beating("duplication: 0.1", COMPLETE, "20 s");
    let (simulation, outcome) = outcome(&scenario(&text));
    let total = outcome.total();
    let sent = total.sent - total.duplicated;
    let found = total.duplicated as f64 / sent as f64;
    let tolerance = 5.0 * (0.1 * 0.9 / sent as f64).sqrt();
    assert!((found - 0.1).abs() <= tolerance, "{found}");
    let in_flight: u64 = outcome.messages.iter().map(|m| m.in_flight).sum();
    assert_eq!(total.lost() + total.dropped(), 0);
    assert_eq!(total.sent, total.delivered + in_flight);
    let out: u64 = simulation.peers().map(|p| p.traffic.messages_out).sum();
    assert_eq!(out, sent);
    let bytes: u64 = simulation.peers().map(|p| p.traffic.bytes_out).sum();
    assert_eq!(bytes, total.bytes_sent - total.bytes_duplicated);
}

/// A message in a peer's log: when, from whom, to whom.
struct Received {
    at_ms: f64,
    from: PeerIndex,
    to: PeerIndex,
}

/// All messages that reached a peer.
fn received(scenario: &Scenario) -> (Simulation, Outcome, Vec<Received>) {
    let folder = tempfile::tempdir().unwrap();
    let mut simulation = Simulation::new(&scenario.plan, Some(folder.path())).unwrap();
    let outcome = simulation.run(&AtomicBool::new(false), |_| {}).unwrap();
    let index = |name: &str| {
        let id = name.trim_start_matches("Peer_").split(':').next().unwrap();
        let id = PeerId(id.parse().unwrap());
        simulation.names().find(id).unwrap()
    };
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        for line in std::fs::read_to_string(entry.unwrap().path())
            .unwrap()
            .lines()
        {
            let (head, words) = line.split_once(": ").unwrap();
            let head: Vec<&str> = head.split(' ').collect();
            if words.starts_with("Received") || words.starts_with("Dropped") {
                all.push(Received {
                    at_ms: head[2].parse().unwrap(),
                    from: index(words.rsplit(' ').next().unwrap()),
                    to: index(head[0]),
                });
            }
        }
    }
    (simulation, outcome, all)
}

fn parted(partition: &Partition, message: &Received) -> bool {
    let group = |peer: PeerIndex| partition.groups[peer.as_usize()];
    let (from, to) = (group(message.from), group(message.to));
    let grouped = from != UNGROUPED && to != UNGROUPED;
    grouped
        && if partition.directed {
            from < to
        } else {
            from != to
        }
}

#[test]
fn nothing_crosses_a_partition() {
    for (groups, sizes, ungrouped) in [
        ("groups: [[A], [B]]", vec![5, 5], 0),
        ("groups: [[b], [a]], directed: true", vec![5, 5], 0),
        ("groups: [[a], [b]], by: type", vec![5, 5], 0),
        ("groups: [0.3, 0.7]", vec![3, 7], 0),
        (
            "groups: [0.2, 0.25, 0.34], directed: true",
            vec![2, 3, 3],
            2,
        ),
    ] {
        // The second holds until after the run.
        let network = format!(
            "duplication: 0.1, partitions: [{{from: 300 ms, until: 600 ms, {groups}}}, {{from: 900 ms, until: 2 s, {groups}}}]"
        );
        let scenario = scenario(&beating(&network, COMPLETE, "1 s"));
        let setup = Setup::new(&scenario.plan).unwrap();
        let partitions: Vec<&Partition> = setup
            .conditions
            .as_ref()
            .unwrap()
            .partitions
            .iter()
            .collect();
        assert_eq!(partitions[0].sizes(), (sizes, ungrouped), "{groups}");
        let by_share = groups.contains("0.");
        assert_eq!(partitions[0].groups != partitions[1].groups, by_share);
        let (_, outcome, messages) = received(&scenario);
        let (mut before, mut after, mut beside) = (0, 0, 0);
        for message in &messages {
            let parted_then = parted(partitions[0], message);
            // What left when it healed takes at least 10 ms between A and B, 1 ms elsewhere.
            assert!(
                !parted_then || !(300.0..601.0).contains(&message.at_ms),
                "{groups}: {} to {} at {} ms",
                message.from.0,
                message.to.0,
                message.at_ms
            );
            assert!(!parted(partitions[1], message) || message.at_ms < 900.0);
            before += u32::from(parted_then && message.at_ms < 300.0);
            after += u32::from(parted_then && message.at_ms > 601.0);
            beside += u32::from(!parted_then && (300.0..600.0).contains(&message.at_ms));
        }
        assert!(
            before > 100 && after > 100 && beside > 100,
            "{groups}: {before} {after} {beside}"
        );
        let [lost, partitioned] = outcome.total().lost_by_cause;
        assert!(lost == 0 && partitioned > 100, "{groups}");
    }
}

/// A partition from the start: those on its two sides never meet, the others do.
#[test]
fn a_partition_keeps_hellos_apart() {
    let network = "partitions: [{from: 0, until: 1 h, groups: [[A], [B]]}]";
    let (simulation, outcome) = outcome(&scenario(&beating(network, COMPLETE, "1 s")));
    assert_eq!(simulation.links(false).count(), 20);
    let hellos = &outcome.messages.iter().find(|m| m.name == "Hello").unwrap();
    // Both ends of the 25 links between the sides.
    assert_eq!(hellos.counts.lost_by_cause, [0, 50]);
}

/// A link with a latency of its own: no copy is faster than it.
#[test]
fn copies_travel_by_their_links_own_latency() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("link.csv"),
        "source,target,latency\n1,2,1000\n",
    )
    .unwrap();
    let text = "horizon: 2 s
latencies: {Here: {Here: 10}}
network: {uplink: unlimited, downlink: unlimited, duplication: 1}
peer_types: {peer: {location: Here, bandwidth_ul: 1 Mbit, bandwidth_dl: 1 Mbit}}
topology: {graph: link.csv}
output: {interval: 100 ms}
";
    let scenario = parse(text, "test", folder.path(), &LoadOptions::default()).unwrap();
    let (simulation, outcome) = outcome(&scenario);
    // Two Hellos and their copies, each of which is answered, and the answers' copies.
    assert_eq!(outcome.total().delivered, 8);
    let series = simulation.load().series().unwrap();
    let arrivals: Vec<u64> = series
        .rows(scenario.plan.horizon)
        .filter(|row| row.received.messages > 0)
        .map(|row| row.start.as_ns() / 1_000_000)
        .collect();
    assert_eq!(
        arrivals,
        [500, 1000],
        "half of a round trip of 1000 ms each"
    );
}

#[test]
fn conditions_that_do_nothing_change_nothing() {
    let digest = |network: &str| {
        let (_, outcome) = outcome(&scenario(&beating(network, COMPLETE, "1 s")));
        outcome.digest
    };
    let plain = digest("min_delay: 0.05");
    for nothing in [
        "loss: {}",
        "loss: 0",
        "loss: {default: 0, A: {B: {good: {loss: 0, mean: 1}, bad: {loss: 0, mean: 2}}}}",
        "duplication: 0",
        "partitions: []",
        "partitions: [{from: 2 s, until: 3 s, groups: [[A], [B]]}]",
        "partitions: [{from: 0, until: 2 s, groups: [0.1, 0.000001]}]",
    ] {
        assert_eq!(digest(nothing), plain, "{nothing}");
    }
}

#[test]
fn conditions_are_drawn_the_same_way_every_time() {
    let text = beating(
        "loss: {default: 0.1, A: {B: {good: {loss: 0.01, mean: 50}, bad: {loss: 0.9, mean: 50}}}}, \
         duplication: 0.1, partitions: [{from: 100, until: 500, groups: [0.4, 0.4]}]",
        COMPLETE,
        "1 s",
    );
    let run = || {
        let (_, outcome) = outcome(&scenario(&text));
        (outcome.digest, outcome.total())
    };
    let first = run();
    assert_eq!(run(), first);
    assert!(first.1.lost_by_cause.iter().all(|&count| count > 0) && first.1.duplicated > 0);
}
