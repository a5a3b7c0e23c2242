//! Programs and shells as users of the program: progress, JSON, completions, manual, colours.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

fn p2psim(
    folder: &Path,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> (i32, String, String) {
    let mut command = Command::cargo_bin("p2psim").unwrap();
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"] {
        command.env_remove(name);
    }
    let output = command
        .envs(environment.iter().copied())
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

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}:\n{text}"))
}

#[test]
fn json_progress_ends_with_what_the_summary_says() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = shipped("gossip.yaml");
    // In the middle of the messages' spread.
    let arguments = [
        "run",
        &scenario,
        "--until",
        "1410ms",
        "--json-progress",
        "--quiet",
    ];
    let (code, out, error) = p2psim(folder.path(), &arguments, &[]);
    assert_eq!((code, out.as_str()), (0, ""));
    let last = json(error.lines().last().unwrap());
    let summary = folder.path().join("runs/gossip-1/summary.json");
    let summary = json(&std::fs::read_to_string(summary).unwrap());
    let keys: Vec<&str> = last
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        keys,
        [
            "state",
            "elapsed_s",
            "left_s",
            "simulated_ms",
            "horizon_ms",
            "events",
            "events_per_s",
            "in_flight",
            "online",
            "coverage"
        ]
    );
    assert_eq!(last["state"], "finished");
    assert_eq!(last["left_s"], 0.0);
    assert_eq!(
        (&last["simulated_ms"], &last["horizon_ms"]),
        (&1410.0.into(), &1410.0.into())
    );
    assert_eq!(last["events"], summary["events"]);
    assert_eq!(last["online"], 100);
    let in_flight = last["in_flight"].as_u64().unwrap();
    assert!(in_flight > 0);
    assert_eq!(
        last["in_flight"], summary["messages"]["total"]["in_flight"],
        "{summary:#}"
    );
    let coverage = last["coverage"].as_f64().unwrap();
    assert!(coverage > 0.0 && coverage < 1.0, "{coverage}");
    // Where nobody looks, a short run says nothing.
    let (_, out, error) = p2psim(folder.path(), &["run", &scenario, "--force"], &[]);
    assert!(out.contains("written to") && error.is_empty(), "{error}");
}

#[test]
fn whatever_prints_a_table_prints_json() {
    let folder = tempfile::tempdir().unwrap();
    let (gossip, aws) = (shipped("gossip.yaml"), shipped("aws.yaml"));
    let read = |arguments: &[&str]| {
        let (code, out, error) = p2psim(folder.path(), arguments, &[]);
        assert_eq!((code, error.as_str()), (0, ""), "{arguments:?}");
        json(&out)
    };
    let services = read(&["list", "services", "--format", "json"]);
    let names: Vec<&str> = services
        .as_array()
        .unwrap()
        .iter()
        .map(|service| service["name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&"GossipService") && names.len() >= 17);
    let one = read(&["list", "services", "GossipService", "--format", "json"]);
    assert_eq!(one.as_array().unwrap().len(), 1);
    assert_eq!(one[0]["parameters"][0]["default"], "3");
    let laws = read(&["list", "distributions", "--format", "json"]);
    assert_eq!(laws.as_array().unwrap().len(), 131 + 5);
    let gamma = read(&["list", "distributions", "gamma", "--format", "json"]);
    assert_eq!(
        (&gamma[0]["mean"], &gamma[0]["to"]),
        (&2.0.into(), &Value::Null)
    );
    // As p2psimpy's scenarios may still call it.
    let former = read(&["list", "distributions", "gilbrat", "--format", "json"]);
    assert_eq!(former[0]["name"], "gibrat");
    let generator = read(&["list", "generators", "erdos_renyi", "--format", "json"]);
    assert_eq!(generator[0]["parameters"][0]["name"], "n");
    let checked = read(&["check", &gossip, &aws, "--format", "json"]);
    assert_eq!(checked[0]["would_run"]["peers"], 100);
    assert_eq!(checked[1]["would_run"]["locations"][0], "Ohio");
    let summary = read(&["run", &gossip, "--format", "json"]);
    let written = folder.path().join("runs/gossip-1/summary.json");
    assert_eq!(summary, json(&std::fs::read_to_string(written).unwrap()));
    let draws = read(&["sample", &aws, "--format", "json"]);
    assert!(!draws.as_array().unwrap().is_empty());
    let figures = read(&["topology", "runs/gossip-1", "--stats", "--format", "json"]);
    assert_eq!(figures["peers"], 100);
}

#[test]
fn check_says_in_json_what_is_wrong_and_where() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.yaml"), "seed: 1\nhorizom: 2 s\n").unwrap();
    let arguments = ["check", "bad.yaml", "absent.yaml", "--format", "json"];
    let (code, out, error) = p2psim(folder.path(), &arguments, &[]);
    assert_eq!((code, error.as_str()), (2, ""));
    let checked = json(&out);
    assert_eq!(checked[0]["valid"], false);
    assert_eq!(checked[0]["would_run"], Value::Null);
    let problem = checked[0]["problems"]
        .as_array()
        .unwrap()
        .iter()
        .find(|problem| problem["message"] == "a scenario has no key `horizom`")
        .unwrap();
    assert_eq!(problem["expected"], "did you mean `horizon`?");
    assert_eq!(
        (
            &problem["severity"],
            &problem["file"],
            &problem["line"],
            &problem["column"]
        ),
        (&"error".into(), &"bad.yaml".into(), &2.into(), &1.into())
    );
    let absent = checked[1]["problems"][0]["message"].as_str().unwrap();
    assert!(absent.starts_with("cannot read absent.yaml"));
}

#[test]
fn shells_and_man_know_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let commands = [
        "run",
        "check",
        "sample",
        "topology",
        "init",
        "list",
        "import",
        "schema",
        "completions",
        "man",
    ];
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, out, _) = p2psim(folder.path(), &["completions", shell], &[]);
        assert_eq!(code, 0);
        for command in commands {
            assert!(out.contains(command), "{shell} does not know {command}");
        }
        assert!(out.contains("json-progress"), "{shell}");
    }
    let (code, page, _) = p2psim(folder.path(), &["man"], &[]);
    assert_eq!(code, 0);
    assert!(page.contains(".TH p2psim 1"), "{page}");
    let (_, out, _) = p2psim(folder.path(), &["man", "-o", "pages"], &[]);
    assert!(out.contains("pages"));
    for command in commands {
        let file = folder.path().join(format!("pages/p2psim-{command}.1"));
        let written = std::fs::read_to_string(file).unwrap();
        let (_, printed, _) = p2psim(folder.path(), &["man", command], &[]);
        assert_eq!(written, printed);
    }
    let (code, _, error) = p2psim(folder.path(), &["man", "walk"], &[]);
    assert_eq!(code, 2);
    assert!(
        error.starts_with("error: there is no command `walk`\n  one of run, "),
        "{error}"
    );
}

#[test]
fn colours_are_those_the_environment_asks_for() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.yaml"), "seed: 1\n").unwrap();
    let coloured = |environment: &[(&str, &str)]| {
        let (_, _, error) = p2psim(folder.path(), &["check", "bad.yaml"], environment);
        let (_, help, _) = p2psim(folder.path(), &["--help"], environment);
        let (_, _, usage) = p2psim(folder.path(), &["walk"], environment);
        [error, help, usage].map(|text| text.contains('\u{1b}'))
    };
    assert_eq!(coloured(&[]), [false; 3]);
    assert_eq!(coloured(&[("CLICOLOR_FORCE", "1")]), [true; 3]);
    assert_eq!(
        coloured(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]),
        [false; 3]
    );
}

#[test]
fn help_lists_and_tables_fit_eighty_columns() {
    let folder = tempfile::tempdir().unwrap();
    let (faults, bitcoin) = (shipped("faults.yaml"), shipped("bitcoin-2019.yaml"));
    for arguments in [
        &["--help"][..],
        &["run", "--help"],
        &["import", "--help"],
        &["list", "services"],
        &["list", "distributions"],
        &["list", "generators"],
        &["check", &faults, &bitcoin],
        &["sample", &bitcoin, "--histogram"],
    ] {
        let (code, out, _) = p2psim(folder.path(), arguments, &[("COLUMNS", "80")]);
        assert_eq!(code, 0);
        // A scenario's path is as long as it is.
        let lines = out.lines().filter(|line| !line.contains(".yaml: "));
        for line in lines {
            assert!(line.chars().count() <= 80, "{arguments:?}: {line}");
        }
    }
}

#[test]
fn an_experiment_is_imported_into_a_new_file() {
    let folder = tempfile::tempdir().unwrap();
    let saved = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/p2psimpy-experiment/graph");
    let saved = saved.to_str().unwrap();
    let arguments = [
        "import",
        "p2psimpy",
        saved,
        "-o",
        "my.yaml",
        "--horizon",
        "3s",
    ];
    let (code, out, error) = p2psim(folder.path(), &arguments, &[]);
    assert_eq!(code, 0, "{error}");
    assert_eq!(out, "wrote my.yaml; run it with: p2psim run my.yaml\n");
    assert!(
        error.starts_with("note: p2psimpy swaps the two times of downtimes"),
        "{error}"
    );
    let (code, out, _) = p2psim(folder.path(), &["run", "my.yaml"], &[]);
    assert_eq!(code, 0);
    assert!(out.contains("after 3.000 s simulated"), "{out}");
    let (code, _, error) = p2psim(folder.path(), &arguments, &[]);
    assert_eq!(code, 2);
    assert_eq!(
        error,
        "error: my.yaml exists already\n  name another file with -o\n"
    );
    let (code, _, error) = p2psim(folder.path(), &["import", "p2psimpy", "nowhere"], &[]);
    assert_eq!(code, 2);
    assert!(
        error.starts_with("error: cannot read nowhere/locations.yaml"),
        "{error}"
    );
}
