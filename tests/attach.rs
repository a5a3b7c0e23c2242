//! Peers attached to a graph, and peers of types by share, from the scenario to the network.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;

use assert_cmd::Command;
use p2psim::scenario::{LoadOptions, Scenario, parse};
use p2psim::simulation::Setup;

fn scenario(topology: &str) -> (String, Scenario) {
    let text = format!(
        "horizon: 1 s
latencies: {{Here: {{Here: 10}}}}
peer_types:
  peer: &peer {{location: Here, bandwidth_ul: 10 Mbit, bandwidth_dl: 10 Mbit, services: [BaseConnectionManager]}}
  client: *peer
  watcher: *peer
topology: {{{topology}}}
"
    );
    let scenario = parse(&text, "attach", Path::new("."), &LoadOptions::default())
        .unwrap_or_else(|error| panic!("{}", error.render(false)));
    (text, scenario)
}

/// Each peer's id, type and neighbours' ids.
fn network(scenario: &Scenario) -> BTreeMap<u64, (String, Vec<u64>)> {
    let setup = Setup::new(&scenario.plan).unwrap();
    let names = &setup.names;
    let mut network: BTreeMap<u64, (String, Vec<u64>)> = (0..names.len() as u32)
        .map(p2psim::peer::PeerIndex)
        .map(|peer| {
            let name = names.type_name(peer).to_owned();
            (names.id(peer).0, (name, Vec::new()))
        })
        .collect();
    for (a, b) in setup.links() {
        let (a, b) = (names.id(a).0, names.id(b).0);
        network.get_mut(&a).unwrap().1.push(b);
        network.get_mut(&b).unwrap().1.push(a);
    }
    network
}

#[test]
fn clients_are_linked_to_random_peers() {
    // `types` may be left out: what is attached is not of the graph.
    let (text, scenario) = scenario(
        "graph: 'random_regular_graph(4, 20)', attach: {client: {count: 3, to: peer, degree: 5}, watcher: {to: client, degree: 2}}",
    );
    let network = network(&scenario);
    assert_eq!(scenario.plan.population.size(), (24, 57.0));
    assert_eq!(network.len(), 24);
    assert!((0..20).all(|id| network[&id].0 == "peer"));
    for id in 20..23 {
        let (name, neighbours) = &network[&id];
        assert_eq!(name, "client");
        let peers: Vec<u64> = neighbours.iter().copied().filter(|&id| id < 20).collect();
        assert_eq!(peers.len(), 5, "{neighbours:?}");
    }
    assert_ne!(network[&20].1, network[&21].1);
    let (name, clients) = &network[&23];
    assert_eq!((name.as_str(), clients.len()), ("watcher", 2));
    assert!(clients.iter().all(|id| (20..23).contains(id)));
    // The graph itself and everyone's draws are those of the scenario without attachments.
    let count = network
        .values()
        .map(|(_, links)| links.len())
        .sum::<usize>();
    assert_eq!(count, 2 * (40 + 15 + 2));

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("attach.yaml");
    std::fs::write(&path, text).unwrap();
    let shown = |format: &str| {
        let output = Command::cargo_bin("p2psim")
            .unwrap()
            .args(["topology", "--format", format])
            .arg(&path)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(shown("csv").lines().count(), 1 + 57);
    assert!(shown("dot").contains("watcher"));
}

#[test]
fn attaching_leaves_the_graph_and_its_types_alone() {
    let graph = "graph: 'gnp(n=30, p=0.2)', types: {peer: 0.7, client: 0.3}";
    let more = format!("{graph}, attach: {{watcher: {{count: 2, to: client, degree: 9}}}}");
    let without = network(
        &scenario(&format!(
            "{graph}, attach: {{watcher: {{to: peer, degree: 1}}}}"
        ))
        .1,
    );
    let with = network(&scenario(&more).1);
    // By share: 21 peers and 9 clients, not the first 21.
    let clients: Vec<u64> = (0..30).filter(|id| with[id].0 == "client").collect();
    assert_eq!(clients.len(), 9);
    assert_ne!(clients, (21..30).collect::<Vec<u64>>());
    for id in 0..30 {
        let own = |network: &BTreeMap<u64, (String, Vec<u64>)>| {
            let (name, links) = network[&id].clone();
            let mut links: Vec<u64> = links.into_iter().filter(|&other| other < 30).collect();
            links.sort_unstable();
            (name, links)
        };
        assert_eq!(own(&with), own(&without));
    }
    // Both watchers know all nine clients.
    let mut known = with[&30].1.clone();
    known.sort_unstable();
    assert_eq!(known, clients);
    assert_eq!(with.len(), 32);
}

#[test]
fn ids_follow_the_largest_and_can_be_named() {
    let (text, listed) = scenario(
        "edges: [[7, 100], [100, 9]], types: {7: peer, 9: client, 100: peer}, attach: {watcher: {count: 2, to: peer, degree: 1}}",
    );
    let ids: Vec<u64> = network(&listed).into_keys().collect();
    assert_eq!(ids, [7, 9, 100, 101, 102]);
    let logs = |logs: &str| {
        let text = format!("{text}output: {{logs: [{logs}]}}\n");
        parse(&text, "attach", Path::new("."), &LoadOptions::default())
    };
    assert!(logs("101, 102, 7").is_ok());
    for absent in ["103", "50"] {
        assert!(logs(absent).is_err(), "{absent}");
    }
}

#[test]
fn peers_of_the_only_type_can_be_attached() {
    let text = "horizon: 1 s
latencies: {Here: {Here: 10}}
peer_types: {peer: {location: Here, bandwidth_ul: 1 Mbit, bandwidth_dl: 1 Mbit}}
topology: {graph: 'path(3)', attach: {peer: {count: 2, to: peer, degree: 3}}}
";
    let scenario = parse(text, "attach", Path::new("."), &LoadOptions::default()).unwrap();
    let network = network(&scenario);
    // To those of the path, not to each other.
    assert_eq!(network[&3].1, [0, 1, 2]);
    assert_eq!(network[&4].1, [0, 1, 2]);
}
