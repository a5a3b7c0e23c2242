//! What a user reads when a scenario is wrong: exact texts, and hostile input refused.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use p2psim::scenario::{LoadOptions, Override, load, parse};
use proptest::prelude::*;

const GOOD: &str = include_str!("../scenarios/erdos-renyi.yaml");

fn errors(text: &str, options: &LoadOptions) -> String {
    match parse(text, "bad", Path::new("."), options) {
        Ok(scenario) => panic!("accepted:\n{}", scenario.resolved),
        Err(error) => error.render(false),
    }
}

/// The messages for the good scenario with one part replaced.
fn messages(old: &str, new: &str) -> Vec<String> {
    assert!(GOOD.contains(old), "{old}");
    let text = GOOD.replace(old, new);
    let options = LoadOptions {
        memory_limit_bytes: 8 << 30,
        ..LoadOptions::default()
    };
    match parse(&text, "bad", Path::new("."), &options) {
        Ok(_) => panic!("{new} is accepted"),
        Err(error) => error
            .diagnostics()
            .iter()
            .map(|d| d.message.clone())
            .collect(),
    }
}

#[test]
fn a_place_is_shown_and_underlined() {
    let text = GOOD.replace("sample(LocA, LocB)", "sample(LocA, LocC)");
    assert_eq!(
        errors(&text, &LoadOptions::default()),
        "\
error: unknown location `LocC`
  --> bad.yaml:12:28
   |
12 |     location: sample(LocA, LocC)
   |                            ^^^^ known locations: LocA, LocB
"
    );
}

#[test]
fn all_errors_come_at_once_in_the_order_of_the_file() {
    let text = GOOD
        .replace("seed: 1", "seed: -1")
        .replace("norm(12, 2)", "norm(12, -2)")
        .replace("bandwidth_ul: norm(50 Mibit", "bandwidth_ul: norm(50 ms")
        .replace("[BaseConnectionManager]", "{BaseConnectionManger: }")
        .replace("(10, 0.5)", "(10, 1.5)")
        + "hoizon: 3\n";
    assert_eq!(
        errors(&text, &LoadOptions::default()),
        "\
error: `-1` cannot stand here
 --> bad.yaml:4:7
  |
4 | seed: -1
  |       ^^ a whole number from 0 to 2^64 - 1

error: `scale` of `norm` must be above 0, not -2
 --> bad.yaml:8:48
  |
8 |   LocA: {LocA: \"norm(2, 0.5)\", LocB: \"norm(12, -2)\"}
  |                                                ^^ above 0

error: `ms` is no unit of a bandwidth
  --> bad.yaml:13:27
   |
13 |     bandwidth_ul: norm(50 ms, 10 Mibit)
   |                           ^^ one of bit, kbit, Mbit, Gbit, Kibit, Mibit, Gibit, bit/s, kbit/s, Mbit/s, Gbit/s, Kibit/s, Mibit/s, Gibit/s, B/s, kB/s, MB/s, GB/s, KiB/s, MiB/s, GiB/s

error: unknown service `BaseConnectionManger`
  --> bad.yaml:15:16
   |
15 |     services: {BaseConnectionManger: }
   |                ^^^^^^^^^^^^^^^^^^^^ did you mean `BaseConnectionManager`?

error: `p` must be a probability between 0 and 1, not 1.5
  --> bad.yaml:17:32
   |
17 |   graph: erdos_renyi_graph(10, 1.5)
   |                                ^^^ a probability between 0 and 1

error: a scenario has no key `hoizon`
  --> bad.yaml:19:1
   |
19 | hoizon: 3
   | ^^^^^^ did you mean `horizon`?
"
    );
}

#[test]
fn each_mistake_has_its_message() {
    let basic = "  types: basic";
    for (old, new, message) in [
        (
            "horizon: 5 s",
            "horizon: 5 Mbit",
            "`Mbit` is no unit of a time",
        ),
        ("horizon: 5 s", "horizon: 0", "a time of 0 ms is too short"),
        ("horizon: 5 s", "horizon: 1e400", "`1e400` overflows"),
        (
            "horizon: 5 s",
            "horizon: 1e300",
            "a time of 1e300 ms overflows",
        ),
        ("seed: 1", "seed: 1\nseed: 2", "duplicate key `seed`"),
        (
            "seed: 1",
            "seed: 99999999999999999999",
            "`99999999999999999999` cannot stand here",
        ),
        (
            "  LocB: {LocB: \"gamma(1, 1, 1)\"}\n",
            "",
            "peers need latencies that are missing: LocB-LocB",
        ),
        (
            basic,
            "  types: {basic: 0.9}",
            "the numbers of `types` add up to 0.9",
        ),
        (
            basic,
            "  types: {basic: 11}",
            "the numbers of `types` add up to 11",
        ),
        (
            basic,
            "  types: {3: basic}",
            "`types` says nothing of 9 peers of the graph",
        ),
        (
            basic,
            "  types: {10: basic}",
            "there is no peer 10 in the graph",
        ),
        (
            basic,
            "  emergent: {basic: 3}",
            "`topology` needs one of `graph`, `edges` and `emergent`",
        ),
        (
            "  graph: erdos_renyi_graph(10, 0.5)\n  types: basic",
            "  emergent: {basic: 0}",
            "the network is empty",
        ),
        (
            basic,
            "  types: basic\noutput: {deliveries: all}",
            "`all` cannot stand here",
        ),
        (
            basic,
            "  types: basic\noutput: {load: group}",
            "`group` cannot stand here",
        ),
        (
            basic,
            "  types: basic\noutput: {interval: 0}",
            "a time of 0 ms is too short",
        ),
        (
            basic,
            "  types: basic\noutput: {interval: 100 ns}",
            "50,000,000 intervals of 0.0001 ms for 2 groups of peers are more than the 10,000,000 \
             rows that load.csv may have",
        ),
        (
            basic,
            "  types: basic\noutput: {load: peers, interval: 4 us}",
            "1,250,000 intervals of 0.004 ms for 10 peers are more than the 10,000,000 rows that \
             load.csv may have",
        ),
        (
            basic,
            "  types: basic\noutput: {format: xlsx}",
            "`xlsx` cannot stand here",
        ),
        (
            "erdos_renyi_graph(10, 0.5)",
            "gnp(0, 0.5)",
            "the network is empty",
        ),
        (
            "erdos_renyi_graph(10, 0.5)",
            "random_regular_graph(3, 5)",
            "this random_regular_graph cannot exist: n * d must be even",
        ),
        (
            "erdos_renyi_graph(10, 0.5)",
            "gnp(10, 0.5, seed=3)",
            "a graph has no seed of its own",
        ),
        (
            "erdos_renyi_graph(10, 0.5)",
            "erdos_reny(10, 0.5)",
            "unknown generator `erdos_reny`",
        ),
        (
            "erdos_renyi_graph(10, 0.5)",
            "absent.csv",
            "cannot read ./absent.csv: No such file or directory (os error 2)",
        ),
        (
            "erdos_renyi_graph(10, 0.5)",
            "complete_graph(1000000)",
            "1,000,000 peers with 499,999,500,000 links would take about 45.5 TiB, more than the 8.00 GiB there are",
        ),
        (
            "peer_types:\n",
            "peer_types:\n  idle: {location: LocA, bandwidth_ul: 1, bandwidth_dl: 1}\n",
            "no peer is of type `idle`",
        ),
        (
            "norm(50 Mibit, 10 Mibit)\n    services",
            "-3\n    services",
            "a bandwidth of -3 is never above 0",
        ),
        (
            "  basic:\n",
            "  ../basic:\n",
            "`../basic` cannot be part of a file's name",
        ),
    ] {
        let found = messages(old, new);
        assert!(
            found.iter().any(|known| known == message),
            "{new}: {found:#?}"
        );
    }
}

/// The problems of the good scenario with this in its `network`, and what was expected.
fn network_problems(network: &str) -> Vec<(String, String)> {
    let text = format!("{GOOD}network: {{{network}}}\n");
    match parse(&text, "bad", Path::new("."), &LoadOptions::default()) {
        Ok(scenario) => scenario.warnings,
        Err(error) => error.diagnostics().to_vec(),
    }
    .into_iter()
    .map(|d| (d.message, d.expected))
    .collect()
}

#[test]
fn each_mistake_in_the_networks_conditions_has_its_message() {
    let names = "from: 1 s, until: 2 s";
    for (network, message, expected) in [
        (
            "loss: 1.5",
            "a probability cannot be 1.5",
            "a number from 0 to 1",
        ),
        (
            "loss: 5 ms",
            "`ms` is no unit of a plain number",
            "a number without a unit",
        ),
        (
            "loss: [0.1]",
            "loss cannot be a list",
            "a number from 0 to 1, or {good: {loss: 0.001, mean: 10 s}, bad: {loss: 0.3, mean: 500 ms}}",
        ),
        (
            "loss: {LocA: 0.1}",
            "the loss of `LocA` is a mapping, not a single value",
            "{LocB: 0.05}",
        ),
        (
            "loss: {LocA: {LocC: 0.1}}",
            "unknown location `LocC`",
            "did you mean `LocA`?",
        ),
        (
            "loss: {defalt: {LocA: 0.1}}",
            "unknown location `defalt`",
            "one of `locations`",
        ),
        (
            "loss: {good: {loss: 0.1, mean: 1 s}}",
            "bursty loss needs `bad`",
            "bad: {loss: 0.3, mean: 500 ms}",
        ),
        (
            "loss: {good: {loss: 0.1, mean: 0}, bad: {loss: 0.2, mean: 1}}",
            "a time of 0 ms is too short",
            "at least 0.000001 ms",
        ),
        (
            "loss: {good: {loss: 0.1, men: 1}, bad: {loss: 0.2, mean: 1}}",
            "a state of bursty loss has no key `men`",
            "did you mean `mean`?",
        ),
        (
            "loss: {good: {loss: 0.9, mean: 1}, bad: {loss: 0.2, mean: 1}}",
            "the good state loses more than the bad one",
            "the two the other way round",
        ),
        (
            "duplication: -1",
            "a probability cannot be -1",
            "a number from 0 to 1",
        ),
        (
            "partitions: {from: 1}",
            "`partitions` is a list, not a mapping",
            "[{from: 2 s, until: 5 s, groups: [[LocA], [LocB]]}]",
        ),
        (
            "partitions: [{}]",
            "a partition needs `groups`",
            "groups: [[LocA], [LocB]]",
        ),
        (
            "partitions: [{from: 2 s, until: 2 s, groups: [0.5, 0.5]}]",
            "this partition ends at 2000 ms, but begins at 2000 ms",
            "an end after the begin",
        ),
        (
            "partitions: [{from: 5 s, until: 7 s, groups: [0.5, 0.5]}]",
            "this partition begins at 5000 ms, but the run ends at 5000 ms",
            "a begin before the horizon",
        ),
        (
            &format!("partitions: [{{{names}, groups: [[LocA]]}}]"),
            "a partition with one group parts nobody",
            "from 2 to 10000 groups: [[LocA], [LocB]], or [0.3, 0.7]",
        ),
        (
            &format!("partitions: [{{{names}, groups: [[LocA], []]}}]"),
            "this group is empty",
            "[LocA]",
        ),
        (
            &format!("partitions: [{{{names}, groups: [LocA, LocB]}}]"),
            "a group of names is a list, not `LocA`",
            "[LocA]",
        ),
        (
            &format!("partitions: [{{{names}, groups: [0.5, [LocB]]}}]"),
            "a group of names is a list, not `0.5`",
            "[LocA]",
        ),
        (
            &format!("partitions: [{{{names}, groups: [[LocA], [LocB, LocA]]}}]"),
            "`LocA` is in a group already",
            "each name once in a partition",
        ),
        (
            &format!("partitions: [{{{names}, groups: [[LocA], [Locb]]}}]"),
            "unknown location or peer type `Locb`",
            "did you mean `LocB`?",
        ),
        (
            &format!("partitions: [{{{names}, groups: [[LocA], [basic]], by: type}}]"),
            "unknown peer type `LocA`",
            "the name of a peer type of the scenario",
        ),
        (
            &format!("partitions: [{{{names}, groups: [[LocA], [basic]]}}]"),
            "these groups mix locations and peer types",
            "names of one kind in all groups of a partition",
        ),
        (
            &format!("partitions: [{{{names}, groups: [0.5, 0.6]}}]"),
            "the shares add up to 1.1",
            "at most 1; the rest is in no group",
        ),
        (
            &format!("partitions: [{{{names}, groups: [0, 0.6]}}]"),
            "0 is no share of the peers",
            "above 0, at most 1",
        ),
        (
            &format!("partitions: [{{{names}, groups: [0.4, 0.6], directed: yes}}]"),
            "`yes` cannot stand here",
            "one of true, false",
        ),
    ] {
        let found = network_problems(network);
        assert!(
            found.iter().any(|(m, e)| m == message && e == expected),
            "{network}: {found:#?}"
        );
    }
    // Names that are locations and types ask for `by`.
    let text = GOOD
        .replace("basic", "LocA")
        .replace("[LocA, LocB]", "[LocA, LocB, LocC]");
    let text = text.replace("sample(LocA, LocB)", "LocA").replace(
        "  LocA:\n",
        "  LocB: &l {location: LocA, bandwidth_ul: 1, bandwidth_dl: 1}\n  LocA:\n",
    );
    let text = text.replace("types: LocA", "types: {LocA: 0.5, LocB: 0.5}");
    let partition = format!("network: {{partitions: [{{{names}, groups: [[LocA], [LocB]]");
    let ambiguous = parse(
        &format!("{text}{partition}}}]}}\n"),
        "bad",
        Path::new("."),
        &LoadOptions::default(),
    );
    let shown = ambiguous.unwrap_err().render(false);
    assert!(
        shown.contains("these are names of locations and of peer types"),
        "{shown}"
    );
    parse(
        &format!("{text}{partition}, by: type}}]}}\n"),
        "good",
        Path::new("."),
        &LoadOptions::default(),
    )
    .unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn each_mistake_in_an_attachment_has_its_message() {
    let basic = "  types: basic";
    let client = "peer_types:\n  client: {location: LocA, bandwidth_ul: 1, bandwidth_dl: 1}\n";
    let good = GOOD.replace("peer_types:\n", client);
    for (attach, message) in [
        ("attach: [client]", "`attach` is a mapping, not a list"),
        (
            "attach: {clients: {to: basic, degree: 1}}",
            "unknown peer type `clients`",
        ),
        (
            "attach: {client: {degree: 1}}",
            "what is attached needs `to`",
        ),
        (
            "attach: {client: {to: basic}}",
            "what is attached needs `degree`",
        ),
        (
            "attach: {client: {to: basic, degree: 0}}",
            "`0` cannot stand here",
        ),
        (
            "attach: {client: {to: [basic], degree: 1}}",
            "a peer type is expected here",
        ),
        (
            "attach: {client: {to: basic, degree: 1, cout: 2}}",
            "what is attached has no key `cout`",
        ),
        (
            "attach: {client: {to: basic, degree: 11}}",
            "`client` needs 11 peers of type `basic`, and there are 10 before it",
        ),
        (
            "attach: {client: {count: 3, to: client, degree: 1}}",
            "`client` needs 1 peers of type `client`, and there are 0 before it",
        ),
        (
            "attach: {client: {count: 268435456, to: basic, degree: 1}}",
            "268435466 peers are too many",
        ),
    ] {
        let text = good.replace(basic, &format!("{basic}\n  {attach}"));
        let options = LoadOptions::default();
        let found: Vec<String> = match parse(&text, "bad", Path::new("."), &options) {
            Ok(_) => panic!("{attach} is accepted"),
            Err(error) => error
                .diagnostics()
                .iter()
                .map(|d| d.message.clone())
                .collect(),
        };
        assert!(
            found.iter().any(|known| known == message),
            "{attach}: {found:#?}"
        );
    }
    let graph = "graph: erdos_renyi_graph(10, 0.5)";
    for (from, to, message) in [
        (
            graph,
            "edges: [[1, 18446744073709551615]]",
            "there are no 1 ids after 18446744073709551615",
        ),
        (
            "graph: erdos_renyi_graph(10, 0.5)\n  types: basic",
            "emergent: {basic: 10, client: 1}",
            "`attach` links to the peers of a graph, and here is none",
        ),
    ] {
        let text = good.replace(from, to) + "  attach: {client: {to: basic, degree: 1}}\n";
        let shown = errors(&text, &LoadOptions::default());
        assert!(shown.contains(message), "{shown}");
    }
}

#[test]
fn overrides_are_checked_like_the_file() {
    let set = |text: &str| LoadOptions {
        overrides: vec![Override::parse(text).unwrap()],
        ..LoadOptions::default()
    };
    assert_eq!(
        errors(GOOD, &set("network.uplink=slow")),
        "\
error: `slow` cannot stand here
 --> --set network.uplink:1:1
  |
1 | slow
  | ^^^^ one of limited, unlimited
"
    );
    assert!(errors(GOOD, &set("seed.x=1")).contains("`seed.x` leads into `seed`"));
    assert!(Override::parse("a..b=1").is_err() && Override::parse("a").is_err());
    let path = "peer_types.basic.services.BaseConnectionManager.ping_interval=250";
    let scenario = parse(GOOD, "good", Path::new("."), &set(path)).unwrap();
    assert!(scenario.resolved.contains("ping_interval: 250\n"));
}

#[test]
fn hostile_input_is_refused() {
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned()
        + &('b'..'n')
            .map(|c| {
                let before = char::from(c as u8 - 1);
                format!("{c}: &{c} [{}]\n", vec![format!("*{before}"); 9].join(","))
            })
            .collect::<String>();
    for (text, message) in [
        (bomb, "aliases stand for more than 100,000 values"),
        (
            "{a: ".repeat(100_000),
            "this YAML is nested more than 16 levels deep",
        ),
        (
            "- ".repeat(100_000),
            "this YAML is nested more than 16 levels deep",
        ),
        (
            format!("a: [{}]", "1,".repeat(500_000)),
            "this YAML has more than 400,000 values, or too long ones",
        ),
        ("x".repeat(17 << 20), "the scenario is larger than 16 MiB"),
        (
            format!("horizon: {}", "(".repeat(10_000)),
            "brackets nest deeper than 64",
        ),
        (
            "a: 1\n---\nb: 2\n".into(),
            "a second YAML document begins here",
        ),
        (String::new(), "the scenario is empty"),
    ] {
        let shown = errors(&text, &LoadOptions::default());
        assert!(shown.contains(message), "{message}:\n{shown}");
        assert!(
            shown.len() < 20_000,
            "{message}: {} bytes are shown",
            shown.len()
        );
    }
    // A gigabyte (of holes), and without an end: neither is read.
    let folder = tempfile::tempdir().unwrap();
    let large = folder.path().join("large.yaml");
    std::fs::File::create(&large)
        .unwrap()
        .set_len(1 << 30)
        .unwrap();
    for (path, message) in [
        (&*large, "it is larger than 16 MiB"),
        (
            Path::new("/dev/zero"),
            "it is a pipe or a device, not a file",
        ),
        (folder.path(), "it is a folder"),
    ] {
        if path.exists() {
            let error = load(path, &LoadOptions::default())
                .unwrap_err()
                .render(false);
            assert!(error.contains(message), "{error}");
        }
    }
}

#[test]
fn what_cannot_be_written_comes_with_its_cure() {
    let text = GOOD.to_owned() + "output:\n  interval: 900 ns\n";
    assert_eq!(
        errors(&text, &LoadOptions::default()),
        "\
error: 5,555,556 intervals of 0.0009 ms for 2 groups of peers are more than the 10,000,000 rows that load.csv may have
  --> bad.yaml:20:13
   |
20 |   interval: 900 ns
   |             ^^^^^^ an interval of 0.001 ms or more, or `load: none`
"
    );
}

#[cfg(not(feature = "parquet"))]
#[test]
fn parquet_is_refused_where_it_was_not_built_in() {
    let text = GOOD.to_owned() + "output: {format: parquet}\n";
    assert_eq!(
        errors(&text, &LoadOptions::default()),
        "\
error: this p2psim was built without Parquet
  --> bad.yaml:19:18
   |
19 | output: {format: parquet}
   |                  ^^^^^^^ csv, or build it with `cargo install --path . --features parquet`
"
    );
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        rng_seed: proptest::test_runner::RngSeed::Fixed(11),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_text_panics(text in ".{0,200}") {
        let _ = parse(&text, "any", Path::new("."), &LoadOptions::default());
        let _ = p2psim::expression::parse(&text);
        let _ = p2psim::topology::generators::Generator::parse(&text);
        let _ = p2psim::distribution::Distribution::parse(&text, p2psim::units::Dimension::Time);
    }

    #[test]
    fn no_change_of_a_scenario_panics(at in 0..GOOD.len(), cut in 0_usize..12, put in "[ -~\n]{0,8}") {
        prop_assume!(GOOD.is_ascii());
        let end = (at + cut).min(GOOD.len());
        let text = format!("{}{put}{}", &GOOD[..at], &GOOD[end..]);
        let options = LoadOptions { memory_limit_bytes: 1 << 20, ..LoadOptions::default() };
        if let Err(error) = parse(&text, "changed", Path::new("."), &options) {
            prop_assert!(!error.render(false).is_empty());
        }
    }
}
