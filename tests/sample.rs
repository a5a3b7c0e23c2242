//! `p2psim sample` as its users meet it: figures, pictures, rows, expressions, paths.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

/// Exit code, stdout and stderr of `p2psim sample` in the folder of shipped scenarios.
fn sample(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::cargo_bin("p2psim")
        .unwrap()
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios"))
        .arg("sample")
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

fn shown(arguments: &[&str]) -> String {
    let (code, out, error) = sample(arguments);
    assert_eq!((code, error.as_str()), (0, ""), "{arguments:?}");
    out
}

fn refused(arguments: &[&str]) -> String {
    let (code, out, error) = sample(arguments);
    assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}");
    error
}

#[test]
fn the_grid_has_a_panel_for_each_pair() {
    let grid = shown(&["erdos-renyi.yaml", "--histogram"]);
    assert!(
        grid.starts_with("round trip in ms, 1,000 draws from seed 1\n\nLocA to LocA  "),
        "{grid}"
    );
    for pair in ["LocA to LocB", "LocB to LocA", "LocB to LocB"] {
        assert!(grid.contains(pair), "{grid}");
    }
    for figure in ["mean ", "sd ", "min ", "5 % ", "50 % ", "95 % ", "max "] {
        assert!(grid.matches(figure).count() >= 4, "{figure}: {grid}");
    }
    assert!(grid.contains(" ms\n") && grid.contains('█'));
    assert!(grid.lines().all(|line| line.chars().count() <= 100));
    // Six locations: rows of six panels are folded, and nothing is left out.
    let grid = shown(&["bitcoin-2019.yaml", "--histogram", "--count", "50"]);
    assert!(grid.starts_with("one-way delay in ms, 50 draws from seed 1\n"));
    assert_eq!(grid.matches("mean ").count(), 36);
    assert!(grid.lines().all(|line| line.chars().count() <= 100));
}

#[test]
fn many_locations_are_shown_in_part() {
    let names: Vec<String> = (0..40).map(|n| format!("us.{n}")).collect();
    let mut yaml = String::from("horizon: 1\nlatencies:\n");
    for from in &names {
        yaml.push_str(&format!("  {from}:\n"));
        for to in &names {
            yaml.push_str(&format!("    {to}: 'uniform(1, 2)'\n"));
        }
    }
    yaml.push_str(
        "topology: {graph: 'cycle_graph(3)'}\n\
         peer_types:\n  p:\n    bandwidth_ul: 1 Mbit\n    bandwidth_dl: 1 Mbit\n    location: sample(",
    );
    yaml.push_str(&names.join(", "));
    yaml.push_str(")\n");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.yaml");
    fs::write(&path, yaml).unwrap();
    let path = path.to_str().unwrap();
    let grid = shown(&[path, "--histogram", "--count", "20"]);
    assert_eq!(grid.matches("mean ").count(), 36);
    assert!(
        grid.ends_with(
            "\nthe first 6 of 40 locations; --what latencies.us.39 shows one row, \
             --format csv has all\n"
        ),
        "{grid}"
    );
    let row = shown(&[path, "--what", "latencies.us.39", "--histogram"]);
    assert_eq!(row.matches("mean ").count(), 36);
    assert!(
        row.contains("--what latencies.us.39.us.39 shows one"),
        "{row}"
    );
    // Names may have dots in them.
    let one = shown(&[path, "--what", "latencies.us.39.us.3", "--histogram"]);
    assert_eq!(one.matches("us.39 to us.3\n").count(), 1);
}

#[test]
fn pictures_are_svg_or_png() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let [svg, png, again] = ["a.svg", "a.PNG", "b.svg"].map(file);
    let out = shown(&["erdos-renyi.yaml", "--plot", &svg]);
    assert!(
        out.contains("\nLocA to LocB  ") && out.ends_with(&format!("\n\nwrote {svg}\n")),
        "{out}"
    );
    let text = fs::read_to_string(&svg).unwrap();
    assert!(text.starts_with("<svg") && text.contains("round trip in ms"));
    for title in [
        "LocA to LocA",
        "LocA to LocB",
        "LocB to LocA",
        "LocB to LocB",
    ] {
        assert!(text.contains(title), "{title}");
    }
    shown(&["erdos-renyi.yaml", "--plot", &again]);
    assert_eq!(text, fs::read_to_string(&again).unwrap());
    shown(&["norm(12, 2)", "--plot", &png]);
    assert!(fs::read(&png).unwrap().starts_with(b"\x89PNG\r\n\x1a\n"));
    let error = refused(&["erdos-renyi.yaml", "--plot", "grid.pdf"]);
    assert_eq!(
        error,
        "error: --plot grid.pdf: pictures are SVG or PNG\n  \
         give the file the ending .svg or .png\n"
    );
}

#[test]
fn an_expression_needs_no_scenario() {
    let one = shown(&["norm(12, 2)"]);
    assert!(one.trim_end().parse::<f64>().is_ok(), "{one}");
    assert_eq!(shown(&["5 s"]), "5000\n");
    assert_eq!(shown(&["-3"]), "-3\n");
    let figure = shown(&["gamma(1, 1, 1)", "--count", "10000"]);
    assert!(
        figure.starts_with("gamma(1, 1, 1) in ms, 10,000 draws from seed 1\n\n"),
        "{figure}"
    );
    assert!(figure.contains("mean 1.9") || figure.contains("mean 2.0"));
    assert_eq!(
        figure,
        shown(&["gamma(1, 1, 1)", "--count", "10000", "--histogram"])
    );
    assert!(shown(&["7", "--histogram"]).ends_with("\nalways 7 ms\n"));
    // The bytes depend on the expression, the seed and the count.
    let csv = |seed| {
        shown(&[
            "norm(12, 2)",
            "--count",
            "9000",
            "--seed",
            seed,
            "--format",
            "csv",
        ])
    };
    assert_eq!(csv("1"), csv("1"));
    assert_ne!(csv("1"), csv("2"));
    assert!(csv("1").starts_with(&format!("value\n{one}")));
}

#[test]
fn a_wrong_expression_is_underlined() {
    assert_eq!(
        refused(&["norm(12, 2 Mbit)"]),
        "\
error: `Mbit` is no unit of a time
 --> expression:1:12
  |
1 | norm(12, 2 Mbit)
  |            ^^^^ one of ns, us, ms, s, min, h
"
    );
    assert!(refused(&["norm(12, 2"]).starts_with("error: this `(` is not closed\n"));
    let error = refused(&["absent.yaml"]);
    assert!(
        error.starts_with("error: cannot read absent.yaml: ")
            && error.ends_with("\n  a distribution also works: p2psim sample \"norm(12, 2)\"\n"),
        "{error}"
    );
    for flag in [["--set", "horizon=1"], ["--what", "latencies"]] {
        let error = refused(&["norm(12, 2)", flag[0], flag[1]]);
        assert!(error.starts_with("error: --what and --set need a scenario"));
    }
    assert!(refused(&["norm(12, 2)", "--seed=-1"]).contains("whole number from 0 to 2^64 - 1"));
    assert!(refused(&["norm(12, 2)", "--histogram", "--format", "csv"]).contains("one at a time"));
}

#[test]
fn a_path_picks_what_is_drawn() {
    let draws = |what: &str| {
        shown(&[
            "emergent.yaml",
            "--what",
            what,
            "--count",
            "2",
            "--format",
            "csv",
        ])
    };
    let all = draws("latencies");
    assert!(all.starts_with("draw,from,to,round_trip_ms\n1,LocA,LocA,"));
    assert_eq!(all.lines().count(), 1 + 4 * 2);
    // What is given in one direction serves both; draws are the same however they are asked for.
    let one = draws("latencies.LocB.LocA");
    assert_eq!(one.lines().count(), 3);
    for line in draws("latencies.LocB").lines().chain(one.lines()) {
        assert!(all.contains(line), "{line}");
    }
    assert_eq!(draws("topology.join"), "join_ms\n0.0\n0.0\n");
    let upload = draws("peer_types.basic.bandwidth_ul");
    assert!(upload.starts_with("bandwidth_ul_bit_per_s\n"));
    let peers = draws("peers");
    assert!(peers.starts_with(
        "draw,peer_type,location,bandwidth_ul_bit_per_s,bandwidth_dl_bit_per_s\n1,basic,Loc"
    ));
    for value in upload.lines().skip(1) {
        assert!(peers.contains(value), "{value}");
    }
    let constants = "peer_types.basic.services.P2PConnectionManager";
    assert_eq!(
        draws(&format!("{constants}.min_peers")),
        "min_peers\n4.0\n4.0\n"
    );
    let out = shown(&[
        "emergent.yaml",
        "--what",
        &format!("{constants}.ping_interval"),
    ]);
    assert_eq!(out, "1000 ms\n");
    let out = shown(&[
        "emergent.yaml",
        "--what",
        "peer_types.basic.bandwidth_ul",
        "--count",
        "99",
    ]);
    assert!(
        out.starts_with("basic upload in Mbit/s, 99 draws from seed 1\n"),
        "{out}"
    );
}

#[test]
fn a_wrong_path_says_what_there_is() {
    for (path, message) in [
        (
            "latency",
            "the scenario has no `latency`\n  did you mean `latencies`? \
             there is latencies, peers, peer_types, topology",
        ),
        (
            "latencies.LocA.Loc",
            "`latencies.LocA` has no `Loc`\n  did you mean `LocA`? there is LocA, LocB",
        ),
        (
            "latencies.LocA.LocB.x",
            "nothing is inside `latencies.LocA.LocB`\n  leave out `.x`",
        ),
        (
            "peer_types.basic",
            "`peer_types.basic` is no single distribution\n  \
             there is bandwidth_ul, bandwidth_dl, location, services",
        ),
        (
            "peer_types.basic.location",
            "`peer_types.basic.location` is a choice of names, not of numbers\n  \
             --what peers draws locations",
        ),
        (
            "peer_types.basic.services.Gossip",
            "`peer_types.basic.services` has no `Gossip`\n  there is BaseConnectionManager",
        ),
        (
            "topology.join",
            "no distribution is in `topology`, which is a graph\n  \
             an emergent topology has `join`",
        ),
    ] {
        let error = refused(&["erdos-renyi.yaml", "--what", path]);
        assert_eq!(error, format!("error: --what {path}: {message}\n"));
    }
}

#[test]
fn json_has_the_columns_of_csv() {
    let json = |arguments: &[&str]| -> Vec<Value> {
        let more = ["--count", "3", "--format", "json"];
        serde_json::from_str(&shown(&[arguments, &more].concat())).unwrap()
    };
    let list = json(&["norm(12, 2)"]);
    assert!(list.len() == 3 && list.iter().all(Value::is_f64));
    let peers = json(&["erdos-renyi.yaml", "--what", "peers"]);
    assert_eq!(peers.len(), 3);
    assert_eq!(peers[2]["draw"], 3);
    assert!(peers[0]["bandwidth_ul_bit_per_s"].as_f64().unwrap() > 0.0);
    let all = json(&["erdos-renyi.yaml"]);
    assert_eq!(all.len(), 3 * (4 + 3));
    assert_eq!(all[3]["path"], "latencies.LocA.LocB");
    assert_eq!(all[12]["path"], "peer_types.basic.location");
    assert!(all[12]["value"].as_str().unwrap().starts_with("Loc"));
}

#[test]
fn names_are_quoted_where_csv_asks_for_it() {
    let yaml = "
horizon: 1
latencies: {'a, \"b\"': {'a, \"b\"': 5}}
peer_types: {p: {location: 'a, \"b\"', bandwidth_ul: 1 Mbit, bandwidth_dl: 1 Mbit}}
topology: {graph: 'cycle_graph(3)'}
";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("quoted.yaml");
    fs::write(&path, yaml).unwrap();
    let rows = shown(&[
        path.to_str().unwrap(),
        "--what",
        "latencies",
        "--format",
        "csv",
    ]);
    assert_eq!(
        rows,
        "draw,from,to,round_trip_ms\n1,\"a, \"\"b\"\"\",\"a, \"\"b\"\"\",5.0\n"
    );
    let rows = shown(&[path.to_str().unwrap(), "--format", "json"]);
    let rows: Vec<Value> = serde_json::from_str(&rows).unwrap();
    assert_eq!(rows[1]["value"], "a, \"b\"");
}
