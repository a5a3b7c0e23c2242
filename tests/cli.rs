//! The program as its users meet it: commands, exit codes, folders, interruptions.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::{Command as Process, Stdio};

use assert_cmd::Command;
use serde_json::Value;

fn p2psim(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::cargo_bin("p2psim")
        .unwrap()
        .current_dir(folder)
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn shipped(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("scenarios")
        .join(name);
    path.to_str().unwrap().to_owned()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_run_leaves_a_whole_folder_and_refuses_to_replace_it() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = shipped("erdos-renyi.yaml");
    let (code, out, _) = p2psim(folder.path(), &["run", &scenario]);
    assert_eq!(code, 0);
    assert!(
        out.contains("10 peers (10 online)") && out.contains("written to runs/erdos-renyi-1"),
        "{out}"
    );
    let run = folder.path().join("runs/erdos-renyi-1");
    let expected = [
        "connections.csv",
        "load.csv",
        "logs",
        "messages.csv",
        "peers.csv",
        "scenario.yaml",
        "summary.json",
        "topology.csv",
    ];
    assert_eq!(names(&run), expected);
    assert_eq!(names(&run.join("logs")).len(), 10);
    let log = fs::read_to_string(run.join("logs").join("Peer_1:basic.log")).unwrap();
    assert!(
        log.starts_with("Peer_1:basic INFO 0: Sending message <Hello> to Peer_"),
        "{log}"
    );
    assert!(log.contains("INFO 2000: Sending message <Ping> to Peer_"));
    let (code, _, error) = p2psim(folder.path(), &["run", &scenario]);
    assert_eq!(code, 2);
    assert_eq!(
        error,
        "error: the folder runs/erdos-renyi-1 exists already\n  \
         to keep it, choose another with --out; to replace it, add --force\n"
    );
    let (code, out, _) = p2psim(folder.path(), &["run", &scenario, "--force", "--quiet"]);
    assert_eq!((code, out.as_str()), (0, ""));
    assert_eq!(names(&folder.path().join("runs")), ["erdos-renyi-1"]);
    // --force replaces runs, not what else there may be.
    fs::create_dir(folder.path().join("mine")).unwrap();
    fs::write(folder.path().join("mine/thesis.txt"), "years").unwrap();
    let (code, _, error) = p2psim(
        folder.path(),
        &["run", &scenario, "--out", "mine", "--force"],
    );
    assert_eq!(code, 2);
    assert!(error.contains("is not the folder of a run"), "{error}");
    assert_eq!(names(&folder.path().join("mine")), ["thesis.txt"]);
}

#[test]
fn a_bad_scenario_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bad.yaml"), "seed: 1\n").unwrap();
    for command in ["run", "check", "sample", "topology"] {
        let (code, _, error) = p2psim(folder.path(), &[command, "bad.yaml"]);
        assert_eq!(code, 2, "{command}");
        assert!(
            error.starts_with("error: a scenario needs `horizon`\n --> bad.yaml:1:1\n"),
            "{error}"
        );
    }
    assert_eq!(names(folder.path()), ["bad.yaml"]);
    let (code, _, _) = p2psim(folder.path(), &["run", "bad.yaml", "--no-such-flag"]);
    assert_eq!(code, 2);
    let (code, _, error) = p2psim(folder.path(), &["run", "absent.yaml"]);
    assert_eq!(code, 2);
    assert!(
        error.starts_with("error: cannot read absent.yaml: "),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_there_is() {
    keeps_what_there_is("-INT");
}

#[cfg(unix)]
#[test]
fn who_asks_the_program_to_end_keeps_what_there_is() {
    keeps_what_there_is("-TERM");
    keeps_what_there_is("-HUP");
}

/// A run that is sent this signal.
#[cfg(unix)]
fn keeps_what_there_is(signal: &str) {
    let folder = tempfile::tempdir().unwrap();
    let child = Process::new(assert_cmd::cargo::cargo_bin("p2psim"))
        .current_dir(folder.path())
        .args([
            "run",
            &shipped("bitcoin-2019.yaml"),
            "--until",
            "100 h",
            "--logs",
            "none",
        ])
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // The folder appears once the program watches for interrupts.
    let runs = folder.path().join("runs");
    while !runs.exists() || names(&runs).is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    std::thread::sleep(std::time::Duration::from_millis(500));
    let pid = child.id().to_string();
    assert!(
        Process::new("kill")
            .args([signal, &pid])
            .status()
            .unwrap()
            .success()
    );
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.starts_with("interrupted at "), "{error}");
    assert_eq!(names(&runs), ["bitcoin-2019-1-interrupted"]);
    let summary = fs::read(runs.join("bitcoin-2019-1-interrupted/summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_slice(&summary).unwrap();
    assert_eq!(summary["interrupted"], true);
    assert!(summary["reached_ms"].as_f64().unwrap() < 100.0 * 3600e3);
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_is_no_error() {
    let mut child = Process::new(assert_cmd::cargo::cargo_bin("p2psim"))
        .args([
            "sample",
            &shipped("aws.yaml"),
            "--count",
            "100000",
            "--format",
            "csv",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
}

#[test]
fn init_check_and_run_fit_together() {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, _) = p2psim(folder.path(), &["init", "my.yaml"]);
    assert_eq!(
        (code, out.as_str()),
        (0, "wrote my.yaml; run it with: p2psim run my.yaml\n")
    );
    assert_eq!(p2psim(folder.path(), &["init", "my.yaml"]).0, 2);
    let (code, out, error) = p2psim(folder.path(), &["check", "my.yaml"]);
    assert_eq!((code, error.as_str()), (0, ""));
    assert!(
        out.contains("topology: 150 links, mean degree 6.00"),
        "{out}"
    );
    assert_eq!(
        p2psim(
            folder.path(),
            &["run", "my.yaml", "-q", "--timing", "t.json"]
        )
        .0,
        0
    );
    let timing = fs::read(folder.path().join("t.json")).unwrap();
    let timing: serde_json::Value = serde_json::from_slice(&timing).unwrap();
    assert!(timing["events_per_s"].as_f64().unwrap() > 0.0);
}

#[test]
fn topologies_are_exported_before_and_after() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = shipped("erdos-renyi.yaml");
    assert_eq!(
        p2psim(folder.path(), &["run", &scenario, "--out", "r", "-q"]).0,
        0
    );
    let (_, before, _) = p2psim(folder.path(), &["topology", &scenario]);
    let (_, after, _) = p2psim(folder.path(), &["topology", "r"]);
    assert_eq!(
        after,
        fs::read_to_string(folder.path().join("r/topology.csv")).unwrap()
    );
    let ends = |csv: &str| -> Vec<String> {
        csv.lines()
            .map(|line| line.split(',').take(3).collect::<Vec<_>>().join(","))
            .collect()
    };
    assert_eq!(ends(&before), ends(&after), "nobody left");
    let (code, dot, _) = p2psim(folder.path(), &["topology", "r", "--format", "dot"]);
    assert_eq!(code, 0);
    assert!(dot.starts_with("graph topology {") && dot.ends_with("}\n"));
    assert_eq!(dot.matches(" -- ").count(), after.lines().count() - 1);
    assert_eq!(
        p2psim(folder.path(), &["topology", "r", "--seed", "2"]).0,
        2
    );
}

#[test]
fn check_counts_the_messages_that_peers_may_hold() {
    let folder = tempfile::tempdir().unwrap();
    let check = |times: &str, format: &str| {
        let path = "peer_types.producer.services.LimitedMessageProducer.times";
        let set = format!("{path}={times}");
        let scenario = shipped("gossip.yaml");
        let (code, out, _) = p2psim(
            folder.path(),
            &["check", &scenario, "--set", &set, "--format", format],
        );
        assert_eq!(code, 0);
        out
    };
    let bytes = |times: &str| {
        let objects: Value = serde_json::from_str(&check(times, "json")).unwrap();
        objects[0]["would_run"]["memory_bytes"].as_u64().unwrap()
    };
    // 16 instead of 8 that each of 100 peers holds in 32 bytes, and receives for 32 and 12 more.
    assert_eq!(
        bytes("16") - bytes("8"),
        800 * (32 + 12) + (2048 - 1024) * 32
    );
    let table = check("16", "table");
    assert!(
        table.contains("memory: about 28.9 MiB before logs"),
        "{table}"
    );
}

#[test]
fn help_and_lists_name_everything() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["run", "check", "sample", "topology", "init", "list"] {
        let (code, out, _) = p2psim(folder.path(), &[command, "--help"]);
        assert_eq!(code, 0);
        assert!(
            out.contains("Example:\n  p2psim "),
            "{command} has no example:\n{out}"
        );
    }
    for (what, names) in [
        (
            "services",
            ["P2PConnectionManager", "ping_interval", "1000 ms"],
        ),
        (
            "distributions",
            ["gamma(a) ", "randint(low, high) ", "empirical("],
        ),
        (
            "generators",
            [
                "erdos_renyi_graph(n, p)",
                "gnp",
                "watts_strogatz_graph(n, k, p)",
            ],
        ),
    ] {
        let (code, out, _) = p2psim(folder.path(), &["list", what]);
        assert_eq!(code, 0);
        for name in names {
            assert!(out.contains(name), "{what} does not list {name}");
        }
    }
}

#[test]
fn a_distribution_has_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, _) = p2psim(folder.path(), &["list", "distributions", "gamma"]);
    assert_eq!(code, 0);
    assert!(
        out.starts_with("gamma(a, loc, scale)\n  gamma; a is the shape\n\na          above 0\n"),
        "{out}"
    );
    assert!(
        out.contains("\ngamma(2): mean 2, sd 1.414, from 0 to inf\n") && out.contains('█'),
        "{out}"
    );
    let (code, _, error) = p2psim(folder.path(), &["list", "distributions", "gama"]);
    let message = "error: there is no distribution `gama`\n  did you mean `gamma`?\n";
    assert_eq!((code, error.as_str()), (2, message));
}

#[test]
fn check_shows_distributions_and_warns_of_negative_draws() {
    let folder = tempfile::tempdir().unwrap();
    let yaml = "
horizon: 1 s
latencies: {A: {A: 'uniform(1, 2)'}}
peer_types: {p: {location: A, bandwidth_ul: 'norm(1 Mbit, 2 Mbit)', bandwidth_dl: 1 Mbit}}
topology: {graph: 'cycle_graph(3)'}
";
    fs::write(folder.path().join("s.yaml"), yaml).unwrap();
    let (code, out, error) = p2psim(folder.path(), &["check", "s.yaml"]);
    assert_eq!(code, 0);
    assert!(
        out.contains("latencies.A.A               ms          1     3      2   0.5774\n"),
        "{out}"
    );
    assert!(
        out.contains("peer_types.p.bandwidth_ul   Mbit/s   -inf   inf      1        2\n"),
        "{out}"
    );
    assert_eq!(
        error,
        "warning: 30.85 % of the draws of peer_types.p.bandwidth_ul are negative (drawn again)\n  \
         truncate(norm(1000000, 2000000), 0, ...) has none\n"
    );
}

#[test]
fn a_service_of_ones_own_runs() {
    // Built by cargo test beside the tests.
    let mut program = assert_cmd::cargo::cargo_bin("p2psim");
    program.pop();
    program.push("examples/heartbeat");
    let folder = tempfile::tempdir().unwrap();
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/heartbeat.yaml");
    let output = Process::new(program)
        .current_dir(folder.path())
        .arg("run")
        .arg(scenario)
        .args(["--out", "beats", "--quiet"])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let messages = fs::read_to_string(folder.path().join("beats/messages.csv")).unwrap();
    // Nine beats (0.5 s ... 4.5 s) of five peers to two neighbours each.
    assert!(
        messages.contains("\nBeat,90,0,90,0,0,0,0,0,0,0,0,2160,0,2160\n"),
        "{messages}"
    );
    let log = fs::read_to_string(folder.path().join("beats/logs/Peer_0:peer.log")).unwrap();
    assert_eq!(log.matches(": Peer 1 lives\n").count(), 9, "{log}");
    let counts = fs::read_to_string(folder.path().join("beats/counts.csv")).unwrap();
    assert_eq!(counts, "name,peer_type,count\nbeats,peer,90\n");
    // A round trip of norm(20, 4), one way.
    let summary = fs::read_to_string(folder.path().join("beats/summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&summary).unwrap();
    let mean = summary["measurements"]["observations"]["delay_ms"]["mean"].as_f64();
    assert!(
        mean.is_some_and(|mean| (mean - 10.0).abs() < 1.0),
        "{mean:?}"
    );
}

#[test]
fn negative_values_are_understood_and_refused() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = shipped("erdos-renyi.yaml");
    for (flag, value) in [
        ("--seed", "-1"),
        ("--until", "-5s"),
        ("--snapshots", "-1"),
        ("--logs", "-1"),
    ] {
        let joined = format!("{flag}={value}");
        let together = p2psim(folder.path(), &["run", &scenario, &joined]);
        let apart = p2psim(folder.path(), &["run", &scenario, flag, value]);
        assert_eq!(apart, together, "{flag}");
        assert_eq!(apart.0, 2, "{flag}");
        assert!(!apart.2.contains("-- -"), "{}", apart.2);
    }
    for arguments in [
        ["sample", &scenario, "--count", "-1"],
        ["topology", &scenario, "--layout-seed", "-1"],
    ] {
        let (code, _, error) = p2psim(folder.path(), &arguments);
        assert!(code == 2 && error.contains("invalid value '-1'"), "{error}");
    }
}
