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
  --> bad.yaml:11:28
   |
11 |     location: sample(LocA, LocC)
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
 --> bad.yaml:3:7
  |
3 | seed: -1
  |       ^^ a whole number from 0 to 2^64 - 1

error: `scale` of `norm` must be above 0, not -2
 --> bad.yaml:7:48
  |
7 |   LocA: {LocA: \"norm(2, 0.5)\", LocB: \"norm(12, -2)\"}
  |                                                ^^ above 0

error: `ms` is no unit of a bandwidth
  --> bad.yaml:12:27
   |
12 |     bandwidth_ul: norm(50 ms, 10 Mibit)
   |                           ^^ one of bit, kbit, Mbit, Gbit, Kibit, Mibit, Gibit, bit/s, kbit/s, Mbit/s, Gbit/s, Kibit/s, Mibit/s, Gibit/s, B/s, kB/s, MB/s, GB/s, KiB/s, MiB/s, GiB/s

error: unknown service `BaseConnectionManger`
  --> bad.yaml:14:16
   |
14 |     services: {BaseConnectionManger: }
   |                ^^^^^^^^^^^^^^^^^^^^ did you mean `BaseConnectionManager`?

error: `p` must be a probability between 0 and 1, not 1.5
  --> bad.yaml:16:32
   |
16 |   graph: erdos_renyi_graph(10, 1.5)
   |                                ^^^ a probability between 0 and 1

error: a scenario has no key `hoizon`
  --> bad.yaml:18:1
   |
18 | hoizon: 3
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
            "1,000,000 peers with 499,999,500,000 links would take about 90.9 TiB, more than the 8.00 GiB there are",
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
