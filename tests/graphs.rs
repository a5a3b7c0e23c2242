//! Graphs in files: read, written, read back by us and by networkx, drawn, and followed over time.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use p2psim::report::sample::PictureFormat;
use p2psim::report::{Drawing, Effort, Exported, Figures, GraphFormat};
use p2psim::scenario::{LoadOptions, Scenario, parse};
use p2psim::simulation::Setup;
use p2psim::topology::files::{self, Limits};
use proptest::prelude::*;

const GRAPH_FORMATS: [(&str, GraphFormat); 6] = [
    ("dot", GraphFormat::Dot),
    ("graphml", GraphFormat::GraphMl),
    ("gml", GraphFormat::Gml),
    ("json", GraphFormat::Json),
    ("gexf", GraphFormat::Gexf),
    ("csv", GraphFormat::Csv),
];

/// Peers 3, 5, 8 and 9, which has no link; all that a file can say of them.
const GML: &str = "graph [
  node [ id 5 type \"a b\" location \"Zürich <&>\" bandwidth_ul 2000000 bandwidth_dl \"3 Mbit\" note \"say \
                   &#34;hi&#34; &#38; \\\\ go\" rank 7 ]
  node [ id 3 type \"a b\" location \"Here\" ]
  node [ id 8 type \"c\" score 5.0 ]
  node [ id 9 type \"c\" ]
  edge [ source 5 target 3 latency 7.5 cable \"sea\" ]
  edge [ source 8 target 3 latency \"norm(30, 2)\" ]
  edge [ source 8 target 5 ]
]
";

fn scenario_text(graph: &str) -> String {
    format!(
        "horizon: 3 s
latencies: {{Here: {{Here: 10, \"Zürich <&>\": 20}}, \"Zürich <&>\": {{\"Zürich <&>\": 5}}}}
peer_types:
  a b: &a {{location: Here, bandwidth_ul: 'norm(10 Mbit, 1 Mbit)', bandwidth_dl: 10 Mbit, services: [BaseConnectionManager]}}
  c: *a
topology: {{graph: \"{graph}\"}}
"
    )
}

fn read(folder: &Path, text: &str) -> Scenario {
    parse(text, "graphs", folder, &LoadOptions::default())
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn refused(folder: &Path, text: &str) -> String {
    match parse(text, "graphs", folder, &LoadOptions::default()) {
        Ok(scenario) => panic!("accepted:\n{}", scenario.resolved),
        Err(error) => error.render(false),
    }
}

fn exported(scenario: &Scenario) -> Exported {
    let plan = &scenario.plan;
    let mut exported = Exported::initial(&Setup::new(plan).unwrap(), &plan.locations);
    if let Some(file) = plan.file_graph() {
        exported.keep(file);
    }
    exported
}

fn written(exported: &Exported, format: GraphFormat) -> String {
    let mut out = Vec::new();
    exported.write(format, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_file_says_types_locations_bandwidths_and_latencies() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("net.gml"), GML).unwrap();
    let scenario = read(folder.path(), &scenario_text("net.gml"));
    assert!(scenario.warnings.is_empty(), "{:?}", scenario.warnings);
    let setup = Setup::new(&scenario.plan).unwrap();
    let names = &setup.names;
    assert_eq!(
        names.ids.iter().map(|id| id.0).collect::<Vec<_>>(),
        [3, 5, 8, 9]
    );
    assert_eq!(
        names.types.iter().map(|t| t.0).collect::<Vec<_>>(),
        [0, 0, 1, 1]
    );
    assert_eq!(
        setup.locations.iter().map(|l| l.0).collect::<Vec<_>>(),
        [0, 1, 0, 0]
    );
    assert_eq!((setup.bandwidth_ul[1], setup.bandwidth_dl[1]), (2e6, 3e6));
    // What the file does not say is drawn as ever: peer 8's upload is that of its type.
    let without = read(
        folder.path(),
        &scenario_text("net.gml")
            .replace("net.gml", "bare.csv")
            .replace(
                "graph: \"bare.csv\"",
                "edges: [[3, 5], [3, 8], [5, 8], [9, 9]], types: {3: a b, 5: a b, 8: c, 9: c}",
            ),
    );
    let bare = Setup::new(&without.plan).unwrap();
    assert_eq!(setup.bandwidth_ul[2], bare.bandwidth_ul[2]);
    assert_ne!(setup.bandwidth_ul[1], bare.bandwidth_ul[1]);
}

/// The time at which a peer first heard from another, less what the links took.
#[test]
fn a_links_latency_takes_the_place_of_its_locations() {
    let folder = tempfile::tempdir().unwrap();
    for (meaning, halves) in [("round_trip", 2.0), ("one_way", 1.0)] {
        fs::write(folder.path().join("net.gml"), GML).unwrap();
        let text = scenario_text("net.gml")
            + &format!("latency: {meaning}\nnetwork: {{uplink: unlimited, downlink: unlimited}}\n");
        fs::write(folder.path().join("s.yaml"), text).unwrap();
        p2psim(folder.path(), &["run", "s.yaml", "--out", meaning, "-q"]);
        let heard = |me: &str, from: &str| -> f64 {
            let log = folder
                .path()
                .join(meaning)
                .join("logs")
                .join(format!("Peer_{me}.log"));
            let log = fs::read_to_string(log).unwrap();
            let wanted = format!("Received message <Hello> from Peer_{from}");
            let line = log.lines().find(|line| line.ends_with(&wanted)).unwrap();
            let time = line
                .split(" INFO ")
                .nth(1)
                .unwrap()
                .split(':')
                .next()
                .unwrap();
            time.parse().unwrap()
        };
        for (me, from) in [("3:a b", "5:a b"), ("5:a b", "3:a b")] {
            assert_eq!(heard(me, from), 7.5 / halves, "{meaning}");
        }
        // The locations' law, for the link of which the file says nothing.
        assert_eq!(heard("8:c", "5:a b"), 20.0 / halves);
        let drawn = heard("8:c", "3:a b") * halves;
        assert!(
            (drawn - 30.0).abs() < 12.0 && drawn.fract() != 0.0,
            "{drawn}"
        );
    }
}

#[test]
fn what_is_written_reads_back_as_the_same_network() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("net.gml"), GML).unwrap();
    let first = exported(&read(folder.path(), &scenario_text("net.gml")));
    for (ending, format) in GRAPH_FORMATS {
        let name = format!("again.{ending}");
        let text = written(&first, format);
        fs::write(folder.path().join(&name), &text).unwrap();
        if format == GraphFormat::Csv {
            // CSV holds links: what it says of them comes back, and peers are those with links.
            assert!(
                text.starts_with("source,target,bandwidth_bit_per_s,since_ms,latency,cable\n3,5,"),
                "{text}"
            );
            assert!(
                text.contains(",7.5,sea\n") && text.contains(",\"norm(30, 2)\",\n"),
                "{text}"
            );
            continue;
        }
        let again = exported(&read(folder.path(), &scenario_text(&name)));
        for (other, format) in GRAPH_FORMATS {
            // Formats that declare what an attribute's values are have numbers among texts as texts.
            let [wanted, found] = [&first, &again]
                .map(|exported| written(exported, format).replace("\"7.5\"", "7.5"));
            let same = wanted == found;
            assert!(
                same,
                "{ending} as {other}:\n{}\n{}",
                written(&first, format),
                written(&again, format)
            );
        }
    }
}

#[test]
fn drawing_hints_of_others_are_kept() {
    let node = "style=filled, fillcolor=\"#b3cde3\"";
    for (name, fill, kept) in [
        ("topology", "#b3cde3", false),
        ("topology", "#123456", true),
        ("mine", "#b3cde3", true),
    ] {
        let node = node.replace("#b3cde3", fill);
        let text = format!("graph {name} {{ 1 [rank=7.0, {node}]; 1 -- 2 }}");
        let file = files::read("x.dot", text.as_bytes(), Limits::default()).unwrap();
        assert_eq!(file.attributes.of_peers("style").is_some(), kept, "{text}");
        assert!(file.attributes.of_peers("rank").is_some());
    }
}

#[test]
fn names_stay_apart_in_gml() {
    let folder = tempfile::tempdir().unwrap();
    let dot = "graph { 1 [\"a b\"=1, a_b=2, \"a-b\"=3, \"7\"=4, a_b_2=5, type=c]; \
               1 -- 2 [\"x y\"=1, x_y=2]; 2 [type=c] }";
    fs::write(folder.path().join("col.dot"), dot).unwrap();
    let first = exported(&read(
        folder.path(),
        &scenario_text("col.dot")
            .replace("  a b: &a", "  c: &a")
            .replace("  c: *a\n", ""),
    ));
    let gml = written(&first, GraphFormat::Gml);
    assert!(
        gml.contains(" a_b_3 1 a_b 2 a_b_4 3 x7 4 a_b_2 5 ]") && gml.contains(" x_y_2 1 x_y 2 ]"),
        "{gml}"
    );
}

#[test]
fn a_dash_is_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = shipped("erdos-renyi.yaml");
    for more in [&[][..], &["--format", "dot"], &["--stats"]] {
        let plain = [&["topology", &scenario], more].concat();
        let dash = [&plain[..], &["-o", "-"]].concat();
        assert_eq!(p2psim(folder.path(), &dash), p2psim(folder.path(), &plain));
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let arguments = ["run", &scenario, "-q", "--out", "r", "--timing", "-"];
    let (_, out, _) = p2psim(folder.path(), &arguments);
    let timing: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert!(timing["events_per_s"].as_f64().unwrap() > 0.0);
}

#[test]
fn colours_go_by_the_scenarios_order() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = |types: &str| {
        let text = scenario_text("").replace("graph: \"\"", types);
        read(folder.path(), &text)
    };
    let colour_of = |types: &str, name: &str| {
        let svg = exported(&scenario(types))
            .draw(&Drawing::default(), PictureFormat::Svg)
            .unwrap();
        let svg = String::from_utf8(svg).unwrap();
        let legend = svg.split(&format!(">{name} (")).next().unwrap();
        let dot = legend.rsplit("<circle").next().unwrap();
        let fill = dot.split(" fill=\"").nth(1).unwrap();
        fill.split('"').next().unwrap().to_owned()
    };
    let few = "graph: path(9), types: {1: c, others: a b}";
    let many = "graph: path(9), types: {1: a b, others: c}";
    assert_eq!(colour_of(few, "c"), colour_of(many, "c"));
    assert_eq!(colour_of(few, "a b"), colour_of(many, "a b"));
    assert_ne!(colour_of(few, "a b"), colour_of(few, "c"));
}

#[test]
fn matrix_market_keeps_ids_and_lone_peers() {
    let folder = tempfile::tempdir().unwrap();
    let text =
        scenario_text("x.mtx").replace("graph: \"x.mtx\"", "edges: [[0, 1], [1, 2]], types: c");
    let text = text
        .replace("  a b: &a", "  c: &a")
        .replace("  c: *a\n", "");
    for edges in ["[[0, 1], [1, 2]]", "[[7, 5], [5, 100], [3, 3]]"] {
        let text = text.replace("[[0, 1], [1, 2]]", edges);
        let first = exported(&read(folder.path(), &text));
        let matrix = written(&first, GraphFormat::MatrixMarket);
        assert_eq!(
            matrix.contains("%%ids 3 5 7 100\n"),
            edges.contains("100"),
            "{matrix}"
        );
        fs::write(folder.path().join("x.mtx"), &matrix).unwrap();
        let text = text.replace(&format!("edges: {edges}"), "graph: x.mtx");
        let again = exported(&read(folder.path(), &text));
        assert_eq!(
            written(&again, GraphFormat::Json),
            written(&first, GraphFormat::Json)
        );
    }
}

#[test]
fn errors_name_the_file_and_the_line() {
    let folder = tempfile::tempdir().unwrap();
    for (old, new, message) in [
        (
            "type \"c\" score",
            "type \"d\" score",
            "net.gml, line 4: unknown peer type `d`",
        ),
        (
            "\"Here\"",
            "\"Her\"",
            "net.gml, line 3: unknown location `Her`",
        ),
        (
            "\"3 Mbit\"",
            "\"3 ms\"",
            "net.gml, line 2: `3 ms`: `ms` is no unit of a bandwidth",
        ),
        (
            "2000000",
            "0",
            "net.gml, line 2: a `bandwidth_ul` of 0 is never above 0",
        ),
        (
            "7.5",
            "-1",
            "net.gml, line 6: a `latency` of -1 is negative",
        ),
        ("norm(30, 2)", "norm(30", "net.gml, line 7: `norm(30`:"),
        (
            "norm(30, 2)",
            "empirical(&#34;x.csv&#34;)",
            "files cannot be read here",
        ),
        ("type \"c\" ]", "]", "net.gml: 1 peers have no `type`"),
        ("id 9", "ix 9", "net.gml, line 5: `id` is missing"),
    ] {
        assert!(GML.contains(old), "{old}");
        fs::write(folder.path().join("net.gml"), GML.replacen(old, new, 1)).unwrap();
        let shown = refused(folder.path(), &scenario_text("net.gml"));
        assert!(shown.contains(message), "{message}:\n{shown}");
    }
    // As with the scenario's own laws, what the floor raises is said.
    fs::write(
        folder.path().join("net.gml"),
        GML.replace("norm(30, 2)", "norm(0, 2)"),
    )
    .unwrap();
    let scenario = read(folder.path(), &scenario_text("net.gml"));
    assert!(
        scenario.warnings[0]
            .message
            .starts_with("52.0 % of the draws of norm(0, 2) are below")
    );
    // Many wrong values are counted.
    let nodes: String = (0..50)
        .map(|id| format!("node [ id {id} type \"x\" ]\n"))
        .collect();
    fs::write(folder.path().join("net.gml"), format!("graph [\n{nodes}]")).unwrap();
    let shown = refused(folder.path(), &scenario_text("net.gml"));
    assert_eq!(shown.matches("unknown peer type").count(), 5, "{shown}");
    assert!(
        shown.contains("45 more values of `type` are wrong"),
        "{shown}"
    );
}

#[test]
fn types_of_the_scenario_come_first_and_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("net.gml"),
        GML.replace("\"c\"", "\"unknown\""),
    )
    .unwrap();
    let text =
        scenario_text("net.gml").replace("\"net.gml\"", "\"net.gml\", types: {a b: 3, c: 1}");
    let scenario = read(folder.path(), &text);
    assert_eq!(scenario.warnings.len(), 1);
    assert!(
        scenario.warnings[0]
            .message
            .contains("the `type` of its peers is not used")
    );
    // A location that only the file names needs its latencies.
    let text = text.replace(
        ", \"Zürich <&>\": 20}}, \"Zürich <&>\": {{\"Zürich <&>\": 5}",
        "",
    );
    let text = text.replace(
        "latencies: {Here: {Here: 10, \"Zürich <&>\": 20}, \"Zürich <&>\": {\"Zürich <&>\": 5}}",
        "locations: [Here, \"Zürich <&>\"]\nlatencies: {Here: {Here: 10}}",
    );
    let shown = refused(folder.path(), &text);
    // One peer is there: it needs none with itself.
    assert!(
        shown.contains("latencies that are missing: Here-Zürich <&>\n"),
        "{shown}"
    );
}

fn p2psim(folder: &Path, arguments: &[&str]) -> (i32, Vec<u8>, String) {
    let output = Command::cargo_bin("p2psim")
        .unwrap()
        .current_dir(folder)
        .args(arguments)
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), output.stdout, error)
}

fn shipped(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("scenarios")
        .join(name);
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_run_of_a_file_keeps_what_the_file_says() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("net.gml"), GML).unwrap();
    fs::write(folder.path().join("s.yaml"), scenario_text("net.gml")).unwrap();
    let (code, _, error) = p2psim(folder.path(), &["run", "s.yaml", "--out", "r", "-q"]);
    assert_eq!((code, error.as_str()), (0, ""));
    let (_, json, _) = p2psim(folder.path(), &["topology", "r", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["nodes"][1]["note"], "say \"hi\" & \\\\ go");
    assert_eq!(json["edges"][0]["cable"], "sea");
    assert_eq!(json["edges"][1]["latency"], "norm(30, 2)");
    // The folder is a scenario again, and gives the same.
    fs::copy(
        folder.path().join("r/scenario.yaml"),
        folder.path().join("r/s.yaml"),
    )
    .unwrap();
    p2psim(folder.path(), &["run", "r/s.yaml", "--out", "r2", "-q"]);
    for file in [
        "peers.csv",
        "summary.json",
        "logs/Peer_8:c.log",
        "scenario.yaml",
        "inputs/net.gml",
    ] {
        let read = |run: &str| fs::read(folder.path().join(run).join(file)).unwrap();
        assert!(read("r") == read("r2"), "{file} differs");
    }
    let summary = fs::read(folder.path().join("r/summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_slice(&summary).unwrap();
    assert_eq!(summary["stats"]["links"], 3);
    assert_eq!(summary["stats"]["clustering"]["triangles"], 1);
    assert_eq!(summary["stats"]["components"]["count"], 2);
    assert_eq!(summary["stats"]["paths"]["diameter"], 1);
    assert!(summary["stats"]["degree_assortativity"].is_null());
}

#[test]
fn compressed_files_and_directions() {
    let folder = tempfile::tempdir().unwrap();
    let text = "digraph { a -> b; b -> a; b -> c; c -> c }";
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    let packed = ruzstd::encoding::compress_to_vec(text.as_bytes(), level);
    fs::write(folder.path().join("net.dot.zst"), packed).unwrap();
    let text = scenario_text("net.dot.zst").replace("graph:", "types: {a b: 1, c: 2}, graph:");
    let scenario = read(folder.path(), &text);
    let warnings: Vec<&str> = scenario
        .warnings
        .iter()
        .map(|w| w.message.as_str())
        .filter(|message| message.starts_with("net.dot.zst"))
        .collect();
    assert_eq!(
        warnings,
        [
            "net.dot.zst: peers are numbered from 0 on in the order in which they appear, since `a` is no \
             whole number; their names are kept as `label`",
            "net.dot.zst: 1 links of a peer to itself and 1 repeated ones (or there the other way round) \
             were left out",
            "net.dot.zst: links with a direction are read as links without one",
        ]
    );
    let json: serde_json::Value =
        serde_json::from_str(&written(&exported(&scenario), GraphFormat::Json)).unwrap();
    assert_eq!(
        (&json["nodes"][2]["label"], &json["nodes"][2]["id"]),
        (&"c".into(), &2.into())
    );
}

/// All files of a folder but those of snapshots and the scenario, which says that there are some.
fn results(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_owned();
            if name == Path::new("topology") || name == Path::new("scenario.yaml") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn snapshots_do_not_change_a_run() {
    let folder = tempfile::tempdir().unwrap();
    // Links so slow that messages are always waiting for them when a snapshot is taken.
    let slow = "horizon: 4 s
latencies: {Here: {Here: 'norm(12, 2)'}}
peer_types:
  peer: {location: Here, bandwidth_ul: 20 kbit, bandwidth_dl: 10 kbit, services: {P2PConnectionManager: {min_peers: 3, max_peers: 5, min_keep_time: 0, ping_interval: 100}}}
topology: {emergent: {peer: 30}}
";
    fs::write(folder.path().join("slow.yaml"), slow).unwrap();
    for (scenario, every) in [
        (shipped("erdos-renyi.yaml"), "7"),
        (shipped("emergent.yaml"), "50"),
        ("slow.yaml".to_owned(), "3"),
    ] {
        let flags = ["run", &scenario, "-q", "--until", "3 s", "--force", "--out"];
        let run = |out: &str, more: &[&str]| {
            let arguments = [&flags[..], &[out], more].concat();
            let (code, _, error) = p2psim(folder.path(), &arguments);
            assert_eq!((code, error.as_str()), (0, ""));
            results(&folder.path().join(out))
        };
        let plain = run("plain", &[]);
        let followed = run("followed", &["--snapshots", every]);
        assert!(plain.len() > 10);
        assert_eq!(plain.len(), followed.len());
        for ((name, a), (_, b)) in plain.iter().zip(&followed) {
            assert!(a == b, "{scenario}: {} differs", name.display());
        }
    }
}

#[test]
fn snapshots_show_the_topology_over_time() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = shipped("emergent.yaml");
    let arguments = ["run", &scenario, "--out", "r", "-q", "--snapshots", "1s"];
    assert_eq!(p2psim(folder.path(), &arguments).0, 0);
    let snapshots = folder.path().join("r/topology");
    let mut names: Vec<String> = fs::read_dir(&snapshots)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let expected: Vec<String> = (1..=5).map(|s| format!("000{s}000.csv")).collect();
    assert_eq!(names[..5], expected);
    assert_eq!(names[5..], ["timeline.gexf"]);
    // The last one is the end.
    let read = |name: &str| fs::read_to_string(snapshots.join(name)).unwrap();
    let last = fs::read_to_string(folder.path().join("r/topology.csv")).unwrap();
    assert_eq!(read("0005000.csv"), last);
    assert_ne!(read("0001000.csv"), last);
    // Each snapshot's links are those whose spells hold its time.
    let timeline = read("timeline.gexf");
    for (name, ms) in expected.iter().zip([1000, 2000, 3000, 4000, 5000]) {
        let held = timeline
            .lines()
            .filter(|line| line.contains("<edge "))
            .filter(|line| {
                line.split("<spell ").skip(1).any(|spell| {
                    let times: Vec<u64> = spell
                        .split('"')
                        .skip(1)
                        .step_by(2)
                        .take(2)
                        .map(|t| t.parse().unwrap())
                        .collect();
                    (times[0]..=times[1]).contains(&ms)
                })
            });
        assert_eq!(held.count(), read(name).lines().count() - 1, "{name}");
    }
    for (value, message) in [
        ("0.5", "a time of 0.5 ms is too short"),
        ("1.5", "snapshots every 1.5 ms have no whole numbers of ms"),
        ("often", "error"),
    ] {
        let (code, _, error) = p2psim(folder.path(), &["run", &scenario, "--snapshots", value]);
        assert!(code == 2 && error.contains(message), "{error}");
    }
    let arguments = ["run", &scenario, "--snapshots", "1", "--until", "1h"];
    let (code, _, error) = p2psim(folder.path(), &arguments);
    assert!(
        code == 2 && error.contains("there would be 3600000 snapshots"),
        "{error}"
    );
}

#[test]
fn drawings_are_made_and_their_seed_decides() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = shipped("aws.yaml");
    let draw = |more: &[&str]| {
        let (code, out, error) = p2psim(folder.path(), &[&["topology", &scenario], more].concat());
        assert_eq!((code, error.as_str()), (0, ""));
        out
    };
    let svg = draw(&["--format", "svg"]);
    assert_eq!(svg, draw(&["--format", "svg"]));
    assert_ne!(svg, draw(&["--format", "svg", "--layout-seed", "2"]));
    let text = String::from_utf8(svg).unwrap();
    // 30 peers and the legend's: one of the type, one of the only size.
    assert_eq!(text.matches("<circle").count(), 32, "{text}");
    assert_eq!(text.matches("<path").count(), 60);
    assert!(text.contains("server (30)") && text.contains("30 peers, 60 links"));
    for layout in ["circular", "location"] {
        let text = draw(&[
            "--format", "svg", "--layout", layout, "--colour", "location",
        ]);
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("Ireland (") && text.matches("<path").count() == 60);
    }
    // Offline peers are hollow: white within their colour.
    fs::write(folder.path().join("net.gml"), GML).unwrap();
    let mut some_offline = exported(&read(folder.path(), &scenario_text("net.gml")));
    let hollow = |exported: &Exported| {
        let svg = exported
            .draw(&Drawing::default(), PictureFormat::Svg)
            .unwrap();
        let svg = String::from_utf8(svg).unwrap();
        let circles = svg.split("<circle").skip(1);
        let white = circles.filter(|rest| {
            let circle = rest.split("/>").next().unwrap();
            circle.contains(" fill=\"#ffffff\"")
        });
        (white.count(), svg.contains("offline (1)"))
    };
    assert_eq!(hollow(&some_offline), (0, false));
    some_offline.peers[2].online = false;
    assert_eq!(
        hollow(&some_offline),
        (2, true),
        "the peer and the legend's"
    );
    draw(&["-o", "x.png"]);
    let png = fs::read(folder.path().join("x.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG") && png.len() > 10_000);
    let (code, _, error) = p2psim(folder.path(), &["topology", &scenario, "-o", "x.jpeg"]);
    assert_eq!(code, 2);
    assert_eq!(
        error,
        "error: the ending of x.jpeg names no format\n  use one of .csv, .dot, .graphml, .gml, \
         .json, .gexf, .mtx, .svg, .png, or say it with --format\n"
    );
}

#[test]
fn figures_are_shown_as_a_table_or_json() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = shipped("erdos-renyi.yaml");
    let (code, table, _) = p2psim(folder.path(), &["topology", &scenario, "--stats"]);
    let table = String::from_utf8(table).unwrap();
    assert_eq!(code, 0);
    assert!(table.contains("diameter") && table.contains("█"), "{table}");
    let arguments = [
        "topology", &scenario, "--stats", "--format", "json", "-o", "s.json",
    ];
    assert_eq!(p2psim(folder.path(), &arguments).0, 0);
    let json = fs::read(folder.path().join("s.json")).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["peers"], 10);
    let arguments = ["topology", &scenario, "--stats", "--format", "dot"];
    assert_eq!(p2psim(folder.path(), &arguments).0, 2);
}

/// The measured network of Ethereum's test network Goerli; figures of networkx.
#[test]
fn goerli_has_the_figures_that_networkx_gives() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/goerli_topology.edgelist");
    let Ok(bytes) = fs::read(&path) else {
        println!("skipped: {} is not there", path.display());
        return;
    };
    let read = files::read("goerli_topology.edgelist", &bytes, Limits::default()).unwrap();
    assert!(read.warnings.is_empty(), "{:?}", read.warnings);
    let found = Figures::of(&read.graph, Effort::Full).json();
    let expected: serde_json::Value =
        serde_json::from_str(include_str!("data/goerli_stats.json")).unwrap();
    assert_eq!(
        (&found["peers"], &found["links"]),
        (&1355.into(), &19146.into())
    );
    let same = |group: &str, names: &[&str]| {
        for name in names {
            let [a, b] = [&found, &expected].map(|figures| {
                let value = if group.is_empty() {
                    &figures[*name]
                } else {
                    &figures[group][*name]
                };
                value.as_f64().unwrap()
            });
            assert!(
                (a - b).abs() <= 1e-9 * b.abs(),
                "{group} {name}: {a} and {b}"
            );
        }
    };
    same("", &["peers", "links", "degree_assortativity"]);
    same("degree", &["min", "mean", "max", "sd"]);
    same("components", &["count", "largest"]);
    same("clustering", &["average", "transitivity", "triangles"]);
    same("paths", &["mean_length", "diameter"]);
    assert_eq!(
        found["degree"]["histogram"],
        expected["degree"]["histogram"]
    );
    assert_eq!(found["paths"]["exact"], true);
    // And it runs.
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("goerli.edgelist"), bytes).unwrap();
    let text = scenario_text("goerli.edgelist")
        .replace("3 s", "1 s")
        .replace("graph:", "types: {a b: 0.5, c: 0.5}, graph:");
    fs::write(folder.path().join("s.yaml"), text).unwrap();
    let arguments = ["run", "s.yaml", "--out", "r", "--logs", "none", "-q"];
    let (code, _, error) = p2psim(folder.path(), &arguments);
    assert_eq!(code, 0, "{error}");
    let summary = fs::read(folder.path().join("r/summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_slice(&summary).unwrap();
    assert_eq!(
        (&summary["peers"]["total"], &summary["connections"]),
        (&1355.into(), &19146.into())
    );
    assert_eq!(
        summary["stats"]["paths"]["diameter"],
        expected["paths"]["diameter"]
    );
}

/// With `P2PSIM_PYTHON`, or `python3`, if it has networkx 3.
#[test]
fn networkx_reads_what_is_written_and_the_other_way_round() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("net.gml"), GML).unwrap();
    let first = exported(&read(folder.path(), &scenario_text("net.gml")));
    for (ending, format) in GRAPH_FORMATS {
        fs::write(
            folder.path().join(format!("x.{ending}")),
            written(&first, format),
        )
        .unwrap();
    }
    let matrix = written(&first, GraphFormat::MatrixMarket);
    fs::write(folder.path().join("x.mtx"), matrix).unwrap();
    let scenario = shipped("emergent.yaml");
    let arguments = ["run", &scenario, "--out", "r", "-q", "--snapshots", "1s"];
    assert_eq!(p2psim(folder.path(), &arguments).0, 0);
    fs::copy(
        folder.path().join("r/topology/timeline.gexf"),
        folder.path().join("timeline.gexf"),
    )
    .unwrap();

    let python = std::env::var("P2PSIM_PYTHON").unwrap_or_else(|_| "python3".into());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/read_graphs.py");
    let output = std::process::Command::new(&python)
        .arg(script)
        .arg(folder.path())
        .output();
    let output = match output {
        Ok(output) if output.status.code() != Some(3) => output,
        _ => return println!("skipped: {python} has no networkx 3"),
    };
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let nodes = serde_json::json!(
        first
            .peers
            .iter()
            .map(|peer| (peer.id, &peer.type_name, peer.bandwidth_ul, peer.online))
            .collect::<Vec<_>>()
    );
    for format in ["graphml", "gml", "gexf", "json"] {
        assert_eq!(found[format]["nodes"], nodes, "{format}");
        let edges = found[format]["edges"].as_array().unwrap();
        assert_eq!(edges.len(), 3, "{format}");
        assert!(
            edges[0][2] == 7.5 || edges[0][2] == "7.5",
            "{format}: {edges:?}"
        );
        assert_eq!(edges[1][2], "norm(30, 2)");
    }
    if let Some(links) = found.get("mtx") {
        assert_eq!(*links, serde_json::json!([[0, 1], [0, 2], [1, 2]]));
    }
    assert_eq!(found["timeline"]["nodes"], 10);
    assert!(found["timeline"]["spells"].as_array().unwrap().len() > 10);
    // What networkx writes.
    for name in [
        "karate.graphml",
        "karate.gml",
        "karate.gexf",
        "karate.edgelist.gz",
        "karate.json",
    ] {
        let bytes = fs::read(folder.path().join(name)).unwrap();
        let file = files::read(name, &bytes, Limits::default()).unwrap();
        assert_eq!((file.graph.peers(), file.graph.links()), (34, 78), "{name}");
        assert!(file.warnings.is_empty(), "{name}: {:?}", file.warnings);
        let club = file.attributes.of_peers("club");
        let told = club.map(|column| column.get(&9).unwrap().to_string());
        let expected = (name != "karate.edgelist.gz").then(|| "Officer".to_owned());
        assert_eq!(told, expected, "{name}");
        assert_eq!(
            file.attributes.of_links("weight").unwrap().cells.len(),
            78,
            "{name}"
        );
    }
}

/// A file of every format, to be damaged.
fn samples() -> Vec<(&'static str, String)> {
    let read = files::read("net.gml", GML.as_bytes(), Limits::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("net.gml"), GML).unwrap();
    let first = exported(&self::read(folder.path(), &scenario_text("net.gml")));
    assert_eq!(read.graph, first.graph());
    let mut samples: Vec<(&str, String)> = GRAPH_FORMATS
        .into_iter()
        .map(|(ending, format)| (ending, written(&first, format)))
        .collect();
    samples.push(("mtx", written(&first, GraphFormat::MatrixMarket)));
    samples.push(("edges", "1 2 {'latency': 5}\n2 3 0.5\n\"a b\" 3\n".into()));
    samples.push(("gml", GML.into()));
    samples
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever becomes of a file, it is read or refused, and never more is made of it than it holds.
    #[test]
    fn damaged_files_are_read_or_refused(
        seed in any::<u64>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..5, any::<u8>()), 1..6),
    ) {
        let limits = Limits { peers_max: 10_000, links_max: 10_000 };
        for (ending, text) in samples() {
            let mut bytes = text.into_bytes();
            for (at, kind, byte) in &edits {
                if bytes.is_empty() {
                    break;
                }
                let at = at.index(bytes.len());
                match kind {
                    0 => bytes[at] = *byte,
                    1 => { bytes.remove(at); }
                    2 => bytes.insert(at, b"[]{}<>\"'&;,=-/*#%0\n "[*byte as usize % 20]),
                    3 => bytes.truncate(at),
                    _ => {
                        let end = (at + *byte as usize).min(bytes.len());
                        let piece = bytes[at..end].to_vec();
                        let to = seed as usize % bytes.len();
                        bytes.splice(to..to, piece);
                    }
                }
            }
            for name in [format!("x.{ending}"), "x".into()] {
                match files::read(&name, &bytes, limits) {
                    Ok(file) => prop_assert!(file.graph.peers() <= 10_000),
                    Err(errors) => prop_assert!(!errors.is_empty() && errors.len() <= 5),
                }
            }
        }
    }
}
