//! The resolved scenario: reading it again gives the same text, whatever the scenario was.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use p2psim::scenario::{LoadOptions, Scenario, parse};

const GOOD: &str = include_str!("../scenarios/erdos-renyi.yaml");

/// Reads the resolved text in a folder that has its inputs, and checks that nothing changes.
fn reload(scenario: &Scenario) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("inputs")).unwrap();
    for input in &scenario.inputs {
        std::fs::write(folder.path().join("inputs").join(&input.name), &input.bytes).unwrap();
    }
    let options = LoadOptions::default();
    let again = parse(&scenario.resolved, "again", folder.path(), &options)
        .unwrap_or_else(|error| panic!("{error}\n{}", scenario.resolved));
    assert_eq!(again.resolved, scenario.resolved);
    assert_eq!(again.inputs, scenario.inputs);
    assert_eq!(again.plan.conditions, scenario.plan.conditions);
    assert_eq!(
        format!("{:?}", again.plan.population),
        format!("{:?}", scenario.plan.population)
    );
}

fn changed(folder: &Path, changes: &[(&str, &str)]) -> Scenario {
    let mut text = GOOD.to_owned();
    for (old, new) in changes {
        assert!(text.contains(old), "{old}");
        text = text.replace(old, new);
    }
    parse(&text, "good", folder, &LoadOptions::default())
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn every_form_of_a_topology_reads_back() {
    let graph = "graph: erdos_renyi_graph(10, 0.5)\n  types: basic";
    for topology in [
        graph,
        "graph: erdos_renyi_graph(10, 0.5)\n  types: {basic: 10}",
        "graph: erdos_renyi_graph(10, 0.5)\n  types: {basic: 1.0}",
        "edges: [[1, 2], [5, 2], [2, 1]]",
        // 7 and 9 are peers without a link.
        "edges: [[9, 9], [1, 2], [7, 7]]",
        "edges: [[0, 0]]",
        "edges: [[1, 18446744073709551615]]\n  types: {18446744073709551615: basic, 1: basic}",
        "edges: [[1, 2], [5, 2]]\n  types: basic\n  attach: {basic: {count: 3, to: basic, degree: 2}}",
        "emergent: {basic: 10}",
        "emergent: {basic: 10}\n  bootstrap: {count: 3}\n  join: uniform(0, 1000)",
    ] {
        reload(&changed(Path::new("."), &[(graph, topology)]));
    }
}

#[test]
fn what_is_measured_reads_back() {
    let basic = "types: basic";
    for (output, expected) in [
        ("{}", "deliveries: full\n  load: groups\n  interval: 1000\n"),
        (
            "{deliveries: summary, load: peers, interval: 1.5 ms, latencies: true}",
            "deliveries: summary\n  load: peers\n  interval: 1.5\n  latencies: true\n",
        ),
        (
            "{deliveries: none, load: none}",
            "deliveries: none\n  load: none\n  interval: 1000\n",
        ),
    ] {
        let scenario = changed(
            Path::new("."),
            &[(basic, &format!("{basic}\noutput: {output}"))],
        );
        assert!(
            scenario.resolved.contains(expected),
            "{}",
            scenario.resolved
        );
        reload(&scenario);
    }
    // A year: the interval is longer by itself, and the table stays within a million rows.
    let year = changed(Path::new("."), &[("horizon: 5 s", "horizon: 8760 h")]);
    assert!(
        year.resolved.contains("interval: 100000\n"),
        "{}",
        year.resolved
    );
    reload(&year);
}

#[test]
fn conditions_read_back() {
    for (conditions, expected) in [
        ("loss: 0.01", "loss:\n    default: 0.01\n"),
        ("loss: {}", "downlink: limited\n  duplication: 0\n"),
        (
            "loss: {default: 0, LocB: {LocA: 1e-3}}",
            "loss:\n    default: 0\n    LocB:\n      LocA: 0.001\n",
        ),
        (
            "loss: {LocA: {LocB: {good: {loss: 0, mean: 10 s}, bad: {loss: 0.3, mean: 0.5}}}}",
            "LocB: {good: {loss: 0, mean: 10000}, bad: {loss: 0.3, mean: 0.5}}\n",
        ),
        (
            "loss: {bad: {loss: 1, mean: 1 ms}, good: {mean: 1 ms, loss: 0}}",
            "default: {good: {loss: 0, mean: 1}, bad: {loss: 1, mean: 1}}\n",
        ),
        ("duplication: 0.25", "duplication: 0.25\n  partitions: []\n"),
        (
            "partitions: [{from: 0, until: 1 h, groups: [[LocA], [LocB]]}]",
            "    - from: 0\n      until: 3600000\n      directed: false\n      by: location\n      groups: [[LocA], [LocB]]\n",
        ),
        (
            "partitions: [{from: 1, until: 2, groups: [0.3, 0.7], directed: true}, {from: 1, until: 2, groups: [[bootstrap], [basic]]}]",
            "      directed: true\n      groups: [0.3, 0.7]\n    - from: 1\n      until: 2\n      directed: false\n      by: type\n      groups: [[bootstrap], [basic]]\n",
        ),
    ] {
        let network = format!("horizon: 5 s\nnetwork: {{{conditions}}}\n");
        let scenario = changed(
            Path::new("."),
            &[
                ("horizon: 5 s", &network),
                (
                    "graph: erdos_renyi_graph(10, 0.5)\n  types: basic",
                    "emergent: {basic: 10}",
                ),
            ],
        );
        assert!(
            scenario.resolved.contains(expected),
            "{}",
            scenario.resolved
        );
        reload(&scenario);
    }
}

#[test]
fn peers_without_a_link_stay_peers() {
    let graph = "graph: erdos_renyi_graph(10, 0.5)";
    let scenario = changed(
        Path::new("."),
        &[(graph, "edges: [[9, 9], [1, 2], [7, 7]]")],
    );
    assert!(
        scenario
            .resolved
            .contains("edges: [[1, 2], [7, 7], [9, 9]]"),
        "{}",
        scenario.resolved
    );
}

#[test]
fn names_of_any_kind_read_back() {
    for name in [
        "é ü",
        "a: b",
        "x #y",
        "a\\u2028b",
        "\\\"q\\\"",
        "'",
        "-",
        "1",
        "~",
        "null",
        "yes",
        "a,b",
        "[x]",
        "%",
        "@",
        "&a",
        "*a",
        "!x",
        "back\\\\slash",
        "0x10",
        "1e3",
        "\\ufeff",
        "<<",
        "=",
    ] {
        let quoted = format!("\"{name}\"");
        reload(&changed(
            Path::new("."),
            &[
                ("LocA", &quoted),
                (&format!("sample({quoted}, LocB)"), &quoted),
            ],
        ));
    }
}

#[test]
fn files_of_one_name_stay_apart() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("a", ",LocA,LocB\nLocA,1,2\nLocB,2,1\n"),
        ("b", "1 2\n2 3\n"),
    ] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
        std::fs::write(folder.path().join(name).join("data.csv"), text).unwrap();
    }
    let latencies = &GOOD[GOOD.find("latencies:").unwrap()..GOOD.find("peer_types:").unwrap()];
    let scenario = changed(
        folder.path(),
        &[
            (latencies, "latencies: a/data.csv\n"),
            ("erdos_renyi_graph(10, 0.5)", "b/data.csv"),
        ],
    );
    assert_eq!(scenario.inputs.len(), 2);
    reload(&scenario);
}

#[test]
fn a_matrix_is_read_whole_or_as_locations_choose() {
    let folder = tempfile::tempdir().unwrap();
    let latencies = &GOOD[GOOD.find("latencies:").unwrap()..GOOD.find("peer_types:").unwrap()];
    let listed = "locations: [LocA, LocB]\n";
    // A byte-order mark, empty fields at the ends, a zero, which the floor raises.
    let square = "\u{feff},LocB,LocA,\r\nLocA,2.5,0.0,\r\nLocB,1,2,\r\n";
    std::fs::write(folder.path().join("m.csv"), square).unwrap();
    let change = (latencies, "latencies: m.csv\n");
    let scenario = changed(folder.path(), &[change, (listed, "")]);
    assert_eq!(scenario.plan.locations, ["LocA", "LocB"]);
    assert!(scenario.warnings.is_empty(), "{:?}", scenario.warnings);
    reload(&scenario);
    // Column C has no row; `locations` leaves it out.
    let wide = ",LocB,LocA,C\nLocA,2.5,0.0,7\nLocB,1,2,8\n";
    std::fs::write(folder.path().join("m.csv"), wide).unwrap();
    reload(&changed(folder.path(), &[change]));
    let text = GOOD.replace(latencies, change.1).replace(listed, "");
    let error = parse(&text, "bad", folder.path(), &LoadOptions::default()).unwrap_err();
    assert!(
        error.render(false).contains("there is no row `C`"),
        "{error}"
    );
}
