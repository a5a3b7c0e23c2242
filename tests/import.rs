//! What p2psimpy 0.1.0 has saved becomes a scenario (tests/data/p2psimpy-experiment/make.py).

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use p2psim::peer::PeerId;
use p2psim::scenario::{Imported, LoadOptions, ScenarioError, import_p2psimpy, parse, schema};
use p2psim::services::Registry;

mod common;

fn saved(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/p2psimpy-experiment")
        .join(name)
}

fn import(folder: &Path) -> Result<Imported, ScenarioError> {
    import_p2psimpy(folder, "5 s", &Registry::default())
}

#[test]
fn a_saved_graph_keeps_its_peers_links_and_services() {
    let imported = import(&saved("graph")).unwrap();
    assert_eq!(imported.notes.len(), 1, "{:?}", imported.notes);
    let (simulation, outcome) = common::run(&imported.scenario);
    let names = simulation.names();
    assert_eq!(names.len(), 10);
    for id in 1..=10 {
        let peer = names.find(PeerId(id)).unwrap();
        let expected = if id > 8 { "client" } else { "peer" };
        assert!(names.name(peer).ends_with(expected), "{id}");
    }
    assert!(common::counts(&outcome, "GossipMessage").1 > 20);
    // The links of the networkx graph, read from its file by other means.
    let topology = fs::read_to_string(saved("graph").join("topology.yaml")).unwrap();
    let adjacency = topology.split("_node:").next().unwrap();
    let ends = adjacency
        .lines()
        .filter(|line| line.starts_with("    "))
        .count();
    assert_eq!(imported.scenario.matches("    - [").count(), ends / 2);
    // p2psimpy's `50 * MBit` is 50 Mibit, and its clients have 5.
    for line in [
        "bandwidth_ul: \"norm(50 Mibit, 10 Mibit)\"",
        "bandwidth_ul: 5 Mibit",
        "location: \"sample([LocationA, LocationB], weights=[0.9, 0.1])\"",
        "GossipService: {exclude_types: [client], fanout: 4, suppress_duplicates: false}",
        "RandomDowntime: {disruption_time: \"gamma(2, 100, 50)\", start_time: \"norm(1500, 100)\"}",
    ] {
        assert!(imported.scenario.contains(line), "{line}");
    }
}

#[test]
fn peers_without_links_find_each_other() {
    let imported = import(&saved("emergent")).unwrap();
    assert!(imported.scenario.contains("emergent: {peer: 8, relay: 4}"));
    assert!(
        imported
            .scenario
            .contains("P2PConnectionManager: {max_peers: 6, min_peers: 3}")
    );
    let (simulation, _) = common::run(&imported.scenario);
    // And the bootstrap peer.
    assert_eq!(simulation.names().len(), 13);
    assert!(simulation.links(false).count() > 12);
}

#[test]
fn imported_scenarios_fit_the_schema() {
    let validator = jsonschema::draft202012::new(&schema(&Registry::default())).unwrap();
    for name in ["graph", "emergent"] {
        let imported = import(&saved(name)).unwrap();
        let instance: serde_json::Value = serde_yaml::from_str(&imported.scenario).unwrap();
        assert!(validator.is_valid(&instance), "{}", imported.scenario);
        let options = LoadOptions::default();
        let scenario = parse(&imported.scenario, name, Path::new("."), &options).unwrap();
        assert!(scenario.warnings.is_empty());
    }
}

/// Imports the saved experiment `name` with some text of a file replaced.
fn changed(name: &str, file: &str, from: &str, to: &str) -> Result<Imported, ScenarioError> {
    let folder = tempfile::tempdir().unwrap();
    for other in ["locations.yaml", "services.yaml", "topology.yaml"] {
        let mut text = fs::read_to_string(saved(name).join(other)).unwrap();
        if other == file {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        }
        fs::write(folder.path().join(other), text).unwrap();
    }
    import(folder.path())
}

#[test]
fn what_cannot_be_imported_is_refused_with_its_place_and_a_cure() {
    let services = "services.yaml";
    let topology = "topology.yaml";
    let locations = "locations.yaml";
    for (name, file, from, to, message, cure) in [
        (
            "graph",
            services,
            "    GossipService:\n      GossipConfig",
            "    FloodService:\n      GossipConfig",
            "p2psim has no service `FloodService`",
            "examples/heartbeat.rs",
        ),
        (
            "graph",
            services,
            "    GossipService: null",
            "    GosipService: null",
            "p2psim has no service `GosipService`",
            "did you mean `GossipService`?",
        ),
        (
            "graph",
            services,
            "fanout: 4",
            "fan_out: 4",
            "GossipService has no parameter `fan_out` here",
            "did you mean `fanout`?",
        ),
        (
            "graph",
            services,
            "init_ttl: 3",
            "pre_task: !!python/name:mine.validate ''",
            "LimitedMessageProducer has no parameter `pre_task` here",
            "a delay is `processing`",
        ),
        (
            "graph",
            services,
            "fanout: 4",
            "fanout: !!python/object/apply:os.system ['touch pwned']",
            "a Python object cannot be imported here: !!python/object/apply:os.system",
            "plain data",
        ),
        (
            "graph",
            services,
            "ping_interval: 500",
            "ping_interval: {Dist: {name: norm, params: '(500, 10)'}}",
            "`ping_interval` is one value for all peers here",
            "a number in place",
        ),
        (
            "graph",
            services,
            "bandwidth_ul: 655360.0",
            "bandwidth_ul: .inf",
            "`.inf` is no number",
            "a finite number",
        ),
        (
            "graph",
            services,
            "bandwidth_ul: 655360.0",
            "charm: 3",
            "p2psim's peers have no attribute `charm`",
            "location, bandwidth_ul, bandwidth_dl",
        ),
        (
            "graph",
            services,
            "python/object/new:p2psimpy.config.PeerType",
            "python/object/new:mine.PeerType",
            "a peer type is a PeerType of a configuration and services",
            "PeerType",
        ),
        (
            "graph",
            services,
            "  peer: !!python",
            "  pear: !!python",
            "services.yaml has no peer type `peer`",
            "one of client, pear",
        ),
        (
            "graph",
            locations,
            "params: (12, 2)",
            "params: (12, -2)",
            "norm(12, -2): ",
            "",
        ),
        (
            "graph",
            locations,
            "name: gamma",
            "name: gama",
            "gama(1, 1, 1): ",
            "did you mean `gamma`?",
        ),
        (
            "graph",
            locations,
            "params: (12, 2)",
            "params: lambda x",
            "`lambda x` cannot be read as parameters",
            "(12, 2)",
        ),
        (
            "graph",
            locations,
            "Locations:",
            "Locations: &l\n  more: *l",
            "locations have no such key",
            "locations, latencies",
        ),
        (
            "graph",
            topology,
            "networkx.classes.graph.Graph",
            "networkx.classes.digraph.DiGraph",
            "this is no graph that p2psimpy simulates",
            "an undirected networkx.Graph",
        ),
        (
            "graph",
            topology,
            "  10:\n    type: client",
            "  10:\n    type: client\n  11:\n    type: client",
            "peer 11 has no link, where others have some",
            "links for all peers",
        ),
        (
            "graph",
            topology,
            "  10:\n    type: client",
            "  10: {}",
            "peer 10 has no type",
            "type: peer",
        ),
        (
            "emergent",
            topology,
            "12:",
            "twelve:",
            "`twelve` is no peer's id",
            "a whole number",
        ),
        ("emergent", topology, "12:", "- 12:", "this is not YAML", ""),
    ] {
        let error = match changed(name, file, from, to) {
            Ok(imported) => panic!("{to} is imported:\n{}", imported.scenario),
            Err(error) => error.render(false),
        };
        assert!(error.starts_with("error: "), "{error}");
        assert!(
            error.contains(message) && error.contains(cure),
            "{to}:\n{error}"
        );
        // A type that is missing in one file is named in the other.
        let place = if to.starts_with("  pear") {
            topology
        } else {
            file
        };
        assert!(
            error.contains(&format!("{place}:")),
            "{to} has no place:\n{error}"
        );
    }
}

#[test]
fn ids_with_neighbours_in_a_dict_are_links() {
    // Python's lists and sets.
    let neighbours = "12:\n  neighbors: [1, 2]\n  type: relay\n";
    let folder = tempfile::tempdir().unwrap();
    for file in ["locations.yaml", "services.yaml"] {
        fs::copy(saved("emergent").join(file), folder.path().join(file)).unwrap();
    }
    let mut text = String::from(neighbours);
    for id in 1..12 {
        text.push_str(&format!(
            "{id}: {{type: peer, neighbors: !!set {{12: null}}}}\n"
        ));
    }
    fs::write(folder.path().join("topology.yaml"), text).unwrap();
    let imported = import(folder.path()).unwrap();
    assert_eq!(imported.scenario.matches("    - [").count(), 11);
    assert!(
        imported
            .scenario
            .contains("    12: relay\n    others: peer")
    );
}

#[test]
fn a_small_file_that_says_very_much_is_refused_soon() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["locations.yaml", "services.yaml"] {
        fs::copy(saved("emergent").join(file), folder.path().join(file)).unwrap();
    }
    // Each peer is linked with all others; or with one other, a thousand times.
    let all: Vec<String> = (1..3000).map(|id: u32| id.to_string()).collect();
    for (others, message) in [
        (all.join(", "), "more than 100,000 links"),
        ("1, ".repeat(1000), "aliases stand for more than"),
    ] {
        let mut text = format!("0: {{type: peer, neighbors: &others [{others}]}}\n");
        for id in &all {
            text.push_str(&format!("{id}: {{type: peer, neighbors: *others}}\n"));
        }
        fs::write(folder.path().join("topology.yaml"), text).unwrap();
        let error = import(folder.path()).unwrap_err().render(false);
        assert!(error.contains(message), "{error}");
    }
}
