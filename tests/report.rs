//! What `p2psim report` and `p2psim plot` show of finished runs: the figures of their tables, and
//! a page that a browser draws without a complaint.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

/// Forty peers at two locations, some of which come and go, and messages that are lost.
const GOSSIP: &str = r#"
seed: 3
horizon: 4500
latencies: {A: {A: "norm(10, 2)", "</script><b>B": "expon(20, 10)"}, "</script><b>B": {"</script><b>B": 8}}
network: {loss: {A: {"</script><b>B": 0.1}}}
peer_types:
  peer: &peer
    location: 'sample(A, "</script><b>B")'
    bandwidth_ul: 1 Mbit
    bandwidth_dl: 2 Mbit
    services: {BaseConnectionManager: , PushPullGossipService: }
  source: {<<: *peer, services: {BaseConnectionManager: , PushPullGossipService: , LimitedMessageProducer: {times: 3}}}
  fickle: {<<: *peer, services: {BaseConnectionManager: , PushPullGossipService: , RandomDowntime: }}
topology:
  graph: erdos_renyi_graph(40, 0.1)
  types: {peer: 28, source: 2, fickle: 10}
output: {logs: none, snapshots: 1500, interval: 500}
"#;

fn p2psim(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_p2psim"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE")
        .output()
        .unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

fn fine(folder: &Path, arguments: &[&str]) -> String {
    let (code, out, error) = p2psim(folder, arguments);
    assert_eq!(code, 0, "{arguments:?}: {error}");
    out
}

/// Runs a scenario into `folder/name`.
fn run(folder: &Path, name: &str, scenario: &str, more: &[&str]) -> PathBuf {
    fs::write(folder.join("scenario.yaml"), scenario).unwrap();
    let mut arguments = vec!["run", "--quiet", "scenario.yaml", "--out", name];
    arguments.extend(more);
    fine(folder, &arguments);
    folder.join(name)
}

/// The page of these runs, and the data in it.
fn report(folder: &Path, runs: &[&str]) -> (String, Value) {
    let mut arguments = vec!["report", "-o", "page.html"];
    arguments.extend(runs);
    fine(folder, &arguments);
    let page = fs::read_to_string(folder.join("page.html")).unwrap();
    let (_, rest) = page
        .split_once("<script type=\"application/json\" id=\"data\">")
        .unwrap();
    let data = serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap();
    (page, data)
}

fn chart<'a>(data: &'a Value, id: &str) -> &'a Value {
    let charts = data["charts"].as_array().unwrap();
    charts.iter().find(|chart| chart["id"] == id).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_f64().unwrap())
        .collect()
}

/// The series of a chart's first view, by name.
fn series<'a>(data: &'a Value, id: &str, name: &str) -> &'a Value {
    let view = &chart(data, id)["body"]["parts"][0];
    let all = view["series"].as_array().unwrap();
    all.iter().find(|series| series["name"] == name).unwrap()
}

fn rows(file: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(file).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap()
}

/// To the digits that the page keeps.
fn close(shown: f64, exact: f64) -> bool {
    (shown - exact).abs() <= 1e-5 * exact.abs()
}

#[test]
fn the_page_is_one_file_that_asks_for_nothing() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), "first", GOSSIP, &[]);
    let (page, data) = report(folder.path(), &["first"]);
    assert!(page.len() < 2 << 20, "{} bytes", page.len());
    assert!(page.contains("default-src 'none'"));
    for outside in [" src=", "<link", "@import", "url("] {
        let (own, _) = page
            .split_once("<script type=\"application/json\"")
            .unwrap();
        assert!(!own.contains(outside), "{outside}");
    }
    // A name does not end the script that it stands in, nor begin an element.
    assert!(!page.contains("<b>B"));
    let card = &data["runs"][0];
    assert_eq!(card["label"], "first");
    let facts = card["facts"].to_string();
    let summary: Value =
        serde_json::from_slice(&fs::read(folder.path().join("first/summary.json")).unwrap())
            .unwrap();
    for fact in [
        summary["digest"].as_str().unwrap(),
        "0.1.0",
        "fickle 10",
        "4.5 s",
    ] {
        assert!(facts.contains(fact), "{fact} in {facts}");
    }
    assert!(
        card["yaml"]
            .as_str()
            .unwrap()
            .contains("PushPullGossipService")
    );
    let drawn: Vec<(&str, &str)> = data["charts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|chart| {
            (
                chart["id"].as_str().unwrap(),
                chart["body"]["kind"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        drawn,
        [
            ("coverage", "views"),
            ("delays", "views"),
            ("heatmap", "heatmaps"),
            ("copies", "views"),
            ("degrees", "views"),
            ("topology", "networks"),
            ("load", "views"),
            ("online", "views"),
            ("connections", "views"),
            ("drops", "views"),
            ("events", "views"),
            ("latencies", "panels"),
        ]
    );
    // The same bytes again, and the file is known for a report.
    let (again, _) = report(folder.path(), &["first"]);
    assert!(page == again);
    fs::rename(
        folder.path().join("page.html"),
        folder.path().join("report.html"),
    )
    .unwrap();
    let said = fine(folder.path(), &["report", "first"]);
    assert!(said.starts_with("wrote report.html ("), "{said}");
}

#[test]
fn charts_show_the_figures_of_the_tables() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path(), "first", GOSSIP, &[]);
    let (_, data) = report(folder.path(), &["first"]);

    let coverage = rows(&run.join("coverage.csv"));
    let all: Vec<f64> = coverage
        .iter()
        .filter(|row| row["message"] == "all")
        .map(|row| 100.0 * number(row, "share"))
        .collect();
    let shown = numbers(&series(&data, "coverage", "all messages together")["y"]);
    assert_eq!(shown.len(), all.len());
    assert!(
        shown
            .iter()
            .zip(&all)
            .all(|(&shown, &exact)| close(shown, exact))
    );
    let median = series(&data, "coverage", "median message");
    let of = |part: &str| numbers(&median[part]);
    for ((low, middle), high) in of("low").into_iter().zip(of("y")).zip(of("high")) {
        assert!(low <= middle && middle <= high);
    }

    let deliveries = rows(&run.join("deliveries.csv"));
    let delays = series(&data, "delays", "first");
    for (delay, share) in numbers(&delays["x"]).into_iter().zip(numbers(&delays["y"])) {
        let no_later = deliveries
            .iter()
            .filter(|row| number(row, "delay_ms") <= delay * (1.0 + 1e-5));
        let exact = 100.0 * no_later.count() as f64 / deliveries.len() as f64;
        assert!(
            share == 0.0 || (share - exact).abs() < 1.0,
            "{delay} ms: {share} and {exact}"
        );
    }

    let map = &chart(&data, "heatmap")["body"]["parts"][0];
    let place = |list: &Value, name: &str| {
        list.as_array()
            .unwrap()
            .iter()
            .position(|other| other == name)
            .unwrap()
    };
    let columns = map["columns"].as_array().unwrap().len();
    let mut blank = map["delays_ms"].as_array().unwrap().len();
    assert_eq!((columns, blank), (40, 6 * 40));
    for row in &deliveries {
        let at =
            place(&map["rows"], &row["message"]) * columns + place(&map["columns"], &row["peer"]);
        assert!(close(
            map["delays_ms"][at].as_f64().unwrap(),
            number(row, "delay_ms")
        ));
        blank -= 1;
    }
    let none = map["delays_ms"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|cell| cell.is_null());
    assert_eq!(none.count(), blank);

    let copies = series(&data, "copies", "first");
    let names = chart(&data, "copies")["body"]["parts"][0]["categories"].clone();
    for (name, share) in names.as_array().unwrap().iter().zip(numbers(&copies["y"])) {
        let with = deliveries
            .iter()
            .filter(|row| row["copies"] == *name.as_str().unwrap());
        assert!(close(
            share,
            100.0 * with.count() as f64 / deliveries.len() as f64
        ));
    }

    let peers = rows(&run.join("peers.csv"));
    assert_eq!(
        numbers(&series(&data, "degrees", "at the end")["y"])
            .iter()
            .sum::<f64>(),
        40.0
    );
    assert_eq!(
        numbers(&series(&data, "degrees", "at the start")["y"])
            .iter()
            .sum::<f64>(),
        40.0
    );

    // Rates over all intervals give the bytes that peers sent.
    let load = &chart(&data, "load")["body"]["parts"][0];
    assert_eq!(load["name"], "sent by type and location");
    assert_eq!(load["y"]["unit"], "kbit/s");
    let mut bytes = 0.0;
    for series in load["series"].as_array().unwrap() {
        let (x, y) = (numbers(&series["x"]), numbers(&series["y"]));
        for interval in 0..x.len() - 1 {
            bytes += y[interval] * 1000.0 / 8.0 * (x[interval + 1] - x[interval]) / 1000.0;
        }
    }
    let sent: f64 = peers.iter().map(|peer| number(peer, "bytes_out")).sum();
    assert!((bytes - sent).abs() < 1e-3 * sent, "{bytes} and {sent}");
    let online = numbers(&series(&data, "online", "first")["y"]);
    let last = peers.iter().filter(|peer| peer["online"] == "true").count();
    assert_eq!(online.last(), Some(&(last as f64)));

    let drops = &chart(&data, "drops")["body"]["parts"][0];
    let drawn: f64 = drops["series"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|series| numbers(&series["y"]))
        .sum();
    let counted = rows(&run.join("messages.csv"));
    let counted: f64 = counted
        .iter()
        .map(|row| number(row, "dropped") + number(row, "lost"))
        .sum();
    assert!(drawn == counted && drawn > 0.0, "{drawn} and {counted}");
    let events = &chart(&data, "events")["body"]["parts"][0];
    for (event, count) in events["categories"]
        .as_array()
        .unwrap()
        .iter()
        .zip(numbers(&events["series"][0]["y"]))
    {
        let event = event.as_str().unwrap().replace(' ', "_");
        let rows = rows(&run.join("connections.csv"));
        let row = rows.iter().find(|row| row["event"] == event).unwrap();
        assert_eq!(number(row, "count"), count);
    }

    // Bars and curve are of the same law: neither is far from the other, and both of a constant
    // are at its place.
    let panels = chart(&data, "latencies")["body"]["parts"]
        .as_array()
        .unwrap();
    let titles: Vec<&str> = panels
        .iter()
        .map(|panel| panel["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        titles,
        [
            "A to A",
            "A and </script><b>B",
            "</script><b>B to </script><b>B"
        ]
    );
    let (bars, curve) = (&panels[0]["series"][0], &panels[0]["series"][1]);
    let (edges, heights) = (numbers(&bars["x"]), numbers(&bars["y"]));
    let (x, y) = (numbers(&curve["x"]), numbers(&curve["y"]));
    assert_eq!(edges.len(), heights.len() + 1);
    for (place, &height) in heights.iter().enumerate() {
        let middle = (edges[place] + edges[place + 1]) / 2.0;
        let near =
            (0..x.len()).min_by(|&a, &b| (x[a] - middle).abs().total_cmp(&(x[b] - middle).abs()));
        // 2,000 draws: four standard deviations of a share, and the tails that bars leave out.
        let expected = y[near.unwrap()];
        let spread = 4.0 * (expected.max(0.05) * 100.0 / 2000.0_f64).sqrt();
        assert!(
            (height - expected).abs() < spread,
            "{middle}: {height} and {expected}"
        );
    }
    assert_eq!(panels[2]["series"].as_array().unwrap().len(), 1);
    let said = chart(&data, "latencies")["summary"].as_str().unwrap();
    assert!(said.contains("`output: {latencies: true}`"), "{said}");
}

#[test]
fn latencies_are_those_of_the_messages() {
    let folder = tempfile::tempdir().unwrap();
    let kept = ["--set", "output.latencies=true"];
    let run_of = |name, seed| {
        run(
            folder.path(),
            name,
            GOSSIP,
            &[kept, ["--seed", seed]].concat(),
        )
    };
    let first = run_of("first", "3");
    run_of("second", "4");
    let (_, data) = report(folder.path(), &["first"]);
    let latencies = chart(&data, "latencies");
    let panels = latencies["body"]["parts"].as_array().unwrap();
    assert_eq!(panels.len(), 3);
    let rows = rows(&first.join("latencies.csv"));
    let messages: f64 = rows.iter().map(|row| number(row, "messages")).sum();
    let said = latencies["summary"].as_str().unwrap();
    let count = format!(
        "{},{:03} messages",
        (messages / 1000.0) as u64,
        messages as u64 % 1000
    );
    assert!(said.contains(&count), "{count}: {said}");
    // Bars hold nearly all messages, and are about as high as the law between their edges.
    let between = |ends: [&str; 2]| -> f64 {
        let [a, b] = ends;
        let pairs = BTreeSet::from([(a, b), (b, a)]);
        let own = rows
            .iter()
            .filter(|row| pairs.contains(&(row["from"].as_str(), row["to"].as_str())));
        own.map(|row| number(row, "messages")).sum()
    };
    let counts = [between(["A", "A"]), between(["A", "</script><b>B"])];
    for (panel, count) in panels.iter().zip(counts) {
        assert_eq!(panel["y"]["column"], "messages_percent_per_ms");
        let (bars, curve) = (&panel["series"][0], &panel["series"][1]);
        let (edges, heights) = (numbers(&bars["x"]), numbers(&bars["y"]));
        let (x, y) = (numbers(&curve["x"]), numbers(&curve["y"]));
        assert_eq!(edges.len(), heights.len() + 1);
        let (mut held, mut apart) = (0.0, 0.0);
        for (ends, height) in edges.windows(2).zip(&heights) {
            let width = ends[1] - ends[0];
            let middle = (ends[0] + ends[1]) / 2.0;
            let near =
                |&a: &usize, &b: &usize| (x[a] - middle).abs().total_cmp(&(x[b] - middle).abs());
            let expected = y[(0..x.len()).min_by(near).unwrap()];
            held += height * width;
            apart += (height - expected).abs() * width;
        }
        // Edges are rounded to six digits, and so are widths of a thousandth of them to three.
        assert!(held > 98.5 && held < 100.05, "{held}");
        // How far shares of so many bars are from their means, in all: on average at most
        // sqrt(2 bars / (pi messages)), and by McDiarmid's inequality hardly ever 4 / sqrt(messages)
        // more. The curve is read at the nearest of its points: 2 %.
        let bars = heights.len() as f64;
        let mean = (2.0 * bars / (std::f64::consts::PI * count)).sqrt();
        let most = 100.0 * (mean + 4.0 / count.sqrt()) + 2.0;
        assert!(
            apart < most,
            "{apart} % of {count} messages are elsewhere, {most}"
        );
    }
    let constant = &panels[2]["series"][0];
    assert_eq!(numbers(&constant["y"]).iter().sum::<f64>(), 100.0);

    // Of two runs, each has its own bars in the panels of the same laws.
    let (_, data) = report(folder.path(), &["first", "second"]);
    let panels = chart(&data, "latencies")["body"]["parts"].clone();
    let names: Vec<&str> = panels[0]["series"]
        .as_array()
        .unwrap()
        .iter()
        .map(|series| series["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["first: messages", "second: messages", "configured law"]
    );
    let text = fine(folder.path(), &["plot", "first", "--what", "latencies"]);
    assert!(text.contains(&count), "{text}");
}

#[test]
fn the_drawing_has_the_links_of_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path(), "first", GOSSIP, &[]);
    let (_, data) = report(folder.path(), &["first"]);
    let network = &chart(&data, "topology")["body"]["parts"][0];
    let whole = |value: &Value| -> Vec<usize> {
        numbers(value)
            .into_iter()
            .map(|number| number as usize)
            .collect()
    };
    let summed = |value: &Value| -> Vec<usize> {
        let mut sum = 0;
        whole(value)
            .into_iter()
            .map(|step| {
                sum += step;
                sum
            })
            .collect()
    };
    let (ids, source, target) = (
        whole(&network["ids"]),
        summed(&network["source"]),
        whole(&network["target"]),
    );
    let mut present = BTreeSet::new();
    let mut frames = Vec::new();
    for frame in network["frames"].as_array().unwrap() {
        for link in summed(&frame["removed"]) {
            assert!(present.remove(&link));
        }
        for link in summed(&frame["added"]) {
            assert!(present.insert(link));
        }
        assert_eq!(frame["links"], present.len());
        let ends = present
            .iter()
            .map(|&link| (ids[source[link]].to_string(), ids[target[link]].to_string()));
        frames.push((
            frame["name"].as_str().unwrap().to_owned(),
            ends.collect::<BTreeSet<_>>(),
        ));
    }
    let links = |text: &str| -> BTreeSet<(String, String)> {
        let rows = text
            .lines()
            .skip(1)
            .map(|line| line.split(',').collect::<Vec<_>>());
        rows.map(|row| (row[0].to_owned(), row[1].to_owned()))
            .collect()
    };
    let file = |name: &str| links(&fs::read_to_string(run.join(name)).unwrap());
    let expected = [
        (
            "start",
            links(&fine(folder.path(), &["topology", "scenario.yaml"])),
        ),
        ("1500 ms", file("topology/0001500.csv")),
        ("3000 ms", file("topology/0003000.csv")),
        ("end", file("topology.csv")),
    ];
    assert_eq!(frames.len(), expected.len());
    for ((name, links), (expected_name, expected)) in frames.iter().zip(&expected) {
        assert_eq!(name, expected_name);
        assert_eq!(links, expected, "{name}");
    }
    assert_ne!(expected[1].1, expected[2].1);
    let offline = rows(&run.join("peers.csv"))
        .iter()
        .filter(|peer| peer["online"] == "false")
        .count();
    assert_eq!(network["offline"].as_array().unwrap().len(), offline);
    assert_eq!(network["groupings"][0]["peers"], json!([28, 2, 10]));
}

/// Of a ring of 30,000 peers a stretch is drawn, and the page says so.
#[test]
fn a_network_too_large_for_a_page_is_drawn_in_part() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path(), "ring", GOSSIP, &[]);
    fs::write(
        run.join("scenario.yaml"),
        "peer_types: {a: {services: [MyOwn]}}\n",
    )
    .unwrap();
    let head = |file: &str| {
        let text = fs::read_to_string(run.join(file)).unwrap();
        text.lines().next().unwrap().to_owned() + "\n"
    };
    let mut peers = head("peers.csv");
    let mut links = head("topology.csv");
    for peer in 0..30_000 {
        peers.push_str(&format!("{peer},basic,A,1.0,1.0,true,2,0,0,0,0\n"));
        if peer > 0 {
            links.push_str(&format!("{},{peer},1.0,0.0\n", peer - 1));
        }
    }
    fs::write(run.join("peers.csv"), peers).unwrap();
    fs::write(run.join("topology.csv"), links).unwrap();
    fs::remove_dir_all(run.join("topology")).unwrap();
    let (page, data) = report(folder.path(), &["ring"]);
    assert!(page.len() < 5_000_000);
    let topology = chart(&data, "topology");
    let network = &topology["body"]["parts"][0];
    let ids = numbers(&network["ids"]);
    assert_eq!(ids.len(), 2000);
    assert!(
        ids.windows(2).all(|pair| pair[1] == pair[0] + 1.0),
        "a stretch"
    );
    assert_eq!(network["frames"][0]["links"], 1999);
    assert_eq!(network["degrees"].as_array().unwrap().len(), 2000);
    let note = network["note"].as_str().unwrap();
    assert!(
        note.contains("30,000 peers and 29,999 connections"),
        "{note}"
    );
    assert!(
        note.contains("`p2psim topology ring -o topology.svg`"),
        "{note}"
    );
    assert!(
        topology["summary"]
            .as_str()
            .unwrap()
            .contains("the part that is drawn")
    );
}

#[test]
fn what_was_not_recorded_is_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let said = |data: &Value, id: &str| {
        let chart = chart(data, id);
        let kind = chart["body"]["kind"].as_str().unwrap().to_owned();
        (kind, chart["summary"].as_str().unwrap().to_owned())
    };
    let missing = |data: &Value, ids: &[&str], words: &str| {
        for id in ids {
            let (kind, summary) = said(data, id);
            assert!(
                kind == "missing" && summary.contains(words),
                "{id}: {kind}, {summary}"
            );
        }
    };
    run(
        folder.path(),
        "none",
        GOSSIP,
        &[
            "--set",
            "output.deliveries=none",
            "--set",
            "output.load=none",
        ],
    );
    let (_, data) = report(folder.path(), &["none"]);
    missing(
        &data,
        &["coverage", "delays", "heatmap", "copies"],
        "`deliveries: full`",
    );
    missing(&data, &["load", "online", "connections"], "`load: groups`");

    run(
        folder.path(),
        "summary",
        GOSSIP,
        &["--set", "output.deliveries=summary"],
    );
    let (_, data) = report(folder.path(), &["summary"]);
    missing(
        &data,
        &["heatmap", "copies"],
        "`output: {deliveries: summary}`",
    );
    // Histograms are enough for these two; the delays of all receipts are within the last age.
    let shares = numbers(&series(&data, "delays", "summary")["y"]);
    assert_eq!(shares.last(), Some(&100.0));
    assert!(shares.is_sorted());
    assert!(!numbers(&series(&data, "coverage", "all messages together")["y"]).is_empty());

    let quiet = include_str!("../scenarios/erdos-renyi.yaml");
    let run = run(folder.path(), "quiet", quiet, &[]);
    let (_, data) = report(folder.path(), &["quiet"]);
    missing(&data, &["coverage", "delays"], "MessageProducer");
    missing(&data, &["drops"], "arrived");

    // A scenario that this program cannot read costs what is in it alone; and an interruption is
    // said.
    fs::write(
        run.join("scenario.yaml"),
        "peer_types: {a: {services: [MyOwn]}}\n",
    )
    .unwrap();
    let summary = fs::read_to_string(run.join("summary.json")).unwrap();
    let summary = summary.replace("\"interrupted\": false", "\"interrupted\": true");
    fs::write(run.join("summary.json"), summary).unwrap();
    let (_, data) = report(folder.path(), &["quiet"]);
    missing(&data, &["latencies"], "scenario.yaml");
    assert_eq!(said(&data, "topology").0, "networks");
    assert!(
        data["runs"][0]["interrupted"]
            .as_str()
            .unwrap()
            .contains("5 s of 5 s")
    );
}

#[test]
fn several_runs_are_overlaid_and_compared() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), "a/run", GOSSIP, &[]);
    run(
        folder.path(),
        "b/run",
        GOSSIP,
        &["--seed", "4", "--until", "2500"],
    );
    let (_, data) = report(folder.path(), &["a/run", "b/run"]);
    let labels: Vec<&str> = data["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["label"].as_str().unwrap())
        .collect();
    assert_eq!(labels, ["a/run", "b/run"]);
    for id in [
        "delays",
        "copies",
        "degrees",
        "online",
        "connections",
        "events",
    ] {
        for (place, label) in labels.iter().enumerate() {
            assert_eq!(series(&data, id, label)["colour"], place, "{id}");
        }
    }
    series(&data, "load", "b/run");
    assert_eq!(
        chart(&data, "heatmap")["body"]["parts"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        chart(&data, "topology")["body"]["parts"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    // The laws are the same: three pairs once.
    assert_eq!(
        chart(&data, "latencies")["body"]["parts"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    let summary = data["summary"].as_array().unwrap();
    let row = summary
        .iter()
        .find(|row| row["name"] == "messages sent")
        .unwrap();
    let values = numbers(&row["values"]);
    let share = 100.0 * (values[0] - values[1]) / values[0];
    let difference = row["differences"][0].as_str().unwrap();
    assert!(difference.starts_with('\u{2212}'), "{difference}");
    let (_, percent) = difference.split_once("(\u{2212}").unwrap();
    let percent: f64 = percent.trim_end_matches(" %)").parse().unwrap();
    assert!((percent - share).abs() < 0.06, "{difference} and {share}");
    assert_eq!(summary[0]["differences"], json!(["same"]));
    // One folder twice is still two runs.
    let (_, data) = report(folder.path(), &["a/run", "a/run"]);
    assert_eq!(data["runs"][1]["label"], "run (2)");
}

#[test]
fn what_is_no_run_is_refused_with_a_cure() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path(), "first", GOSSIP, &[]);
    let refused = |arguments: &[&str]| {
        let (code, out, error) = p2psim(folder.path(), arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {error}");
        error
    };
    assert_eq!(
        refused(&["report", "nowhere"]),
        "error: nowhere is not the folder of a run\n  name a folder that `p2psim run` wrote; it \
         has a summary.json\n"
    );
    assert!(refused(&["report", "first/summary.json"]).contains("is not the folder of a run"));
    assert!(refused(&["report"]).contains("RUN_FOLDER"));
    fs::write(folder.path().join("report.html"), "my own page").unwrap();
    assert_eq!(
        refused(&["report", "first"]),
        "error: report.html exists and is no report of p2psim\n  name another file with -o\n"
    );
    assert_eq!(
        fs::read(folder.path().join("report.html")).unwrap(),
        b"my own page"
    );
    assert_eq!(
        refused(&["plot", "first", "--what", "coverage", "-o", "c.jpg"]),
        "error: -o c.jpg: pictures are SVG or PNG\n  give the file the ending .svg or .png\n"
    );
    assert!(refused(&["plot", "first", "--what", "topology", "first"]).contains("of one run"));

    let damage = |file: &str, old: &str, new: &str| {
        let whole = fs::read_to_string(run.join(file)).unwrap();
        fs::write(run.join(file), whole.replacen(old, new, 1)).unwrap();
        let error = refused(&["report", "first", "-o", "x.html"]);
        fs::write(run.join(file), whole).unwrap();
        error
    };
    assert!(damage("deliveries.csv", ",copies", ",kopies").contains("it has no column copies"));
    let error = damage("load.csv", "\n0.0,", "\nzero,");
    assert!(
        error.contains("line 2, column start_ms: `zero` is no number"),
        "{error}"
    );
    assert!(damage("summary.json", "{", "[").contains("cannot read first/summary.json"));
    assert!(damage("summary.json", "\"", "'").contains("run the scenario again"));
    assert!(damage("peers.csv", "true", "maybe").contains("cannot read first/peers.csv"));
    // Figures that are missing are only not shown.
    let summary = run.join("summary.json");
    fs::write(&summary, "{}").unwrap();
    fine(folder.path(), &["report", "first", "-o", "x.html"]);
}

#[test]
fn plots_are_pictures_or_text() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), "first", GOSSIP, &[]);
    run(folder.path(), "second", GOSSIP, &["--seed", "5"]);
    let all = [
        "coverage",
        "delays",
        "copies",
        "degrees",
        "load",
        "online",
        "connections",
        "latencies",
        "drops",
        "events",
        "topology",
    ];
    for what in all {
        let file = format!("{what}.svg");
        fine(
            folder.path(),
            &["plot", "first", "--what", what, "-o", &file],
        );
        let picture = fs::read_to_string(folder.path().join(&file)).unwrap();
        assert!(
            picture.starts_with("<svg") && picture.contains("</svg>"),
            "{what}"
        );
        assert!(
            ["<path", "<rect", "<circle"]
                .iter()
                .any(|shape| picture.contains(shape)),
            "{what}"
        );
        let text = fine(folder.path(), &["plot", "first", "--what", what]);
        assert!(!text.contains('\u{1b}'), "{what}");
        assert!(text.lines().count() > 10, "{what}:\n{text}");
        for line in text
            .lines()
            .filter(|line| !line.contains(". ") && !line.ends_with('.'))
        {
            assert!(line.chars().count() <= 100, "{what}: {line}");
        }
    }
    let forced = Command::new(env!("CARGO_BIN_EXE_p2psim"))
        .args(["plot", "first", "--what", "delays"])
        .current_dir(folder.path())
        .env_remove("NO_COLOR")
        .env("CLICOLOR_FORCE", "1")
        .output()
        .unwrap();
    assert!(forced.stdout.contains(&0x1b), "CLICOLOR_FORCE is respected");
    let two = fine(
        folder.path(),
        &["plot", "first", "second", "--what", "delays"],
    );
    assert!(two.contains("first") && two.contains("second"), "{two}");
    fine(
        folder.path(),
        &["plot", "first", "--what", "degrees", "-o", "degrees.png"],
    );
    let picture = fs::read(folder.path().join("degrees.png")).unwrap();
    assert_eq!(&picture[..4], b"\x89PNG");
    let (code, _, error) = p2psim(folder.path(), &["plot", "first", "--what", "heatmap"]);
    assert!(code == 2 && error.contains("possible values"), "{error}");
    run(
        folder.path(),
        "none",
        GOSSIP,
        &["--set", "output.load=none"],
    );
    let (code, _, error) = p2psim(folder.path(), &["plot", "none", "--what", "load"]);
    assert_eq!(code, 2);
    assert!(
        error.contains("there is nothing to plot\n  Not recorded"),
        "{error}"
    );
}

/// What Parquet holds is shown as what CSV holds.
#[cfg(feature = "parquet")]
#[test]
fn parquet_makes_the_same_page() {
    let folder = tempfile::tempdir().unwrap();
    let kept = GOSSIP.replace("interval: 500", "interval: 500, latencies: true");
    run(folder.path(), "csv/run", &kept, &[]);
    run(
        folder.path(),
        "parquet/run",
        &kept,
        &["--set", "output.format=parquet"],
    );
    assert!(
        folder
            .path()
            .join("parquet/run/deliveries.parquet")
            .is_file()
    );
    let (_, csv) = report(folder.path(), &["csv/run"]);
    let (_, parquet) = report(folder.path(), &["parquet/run"]);
    assert_eq!(csv["charts"], parquet["charts"]);
}

#[cfg(not(feature = "parquet"))]
#[test]
fn parquet_is_refused_without_the_feature() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path(), "first", GOSSIP, &[]);
    fs::rename(run.join("load.csv"), run.join("load.parquet")).unwrap();
    let (code, _, error) = p2psim(folder.path(), &["report", "first"]);
    assert_eq!(code, 2);
    assert!(
        error.contains("--features parquet") && error.contains("load.parquet"),
        "{error}"
    );
}

/// A Chromium of this machine: `P2PSIM_CHROMIUM`, or the first of the usual names in the PATH.
fn chromium() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("P2PSIM_CHROMIUM") {
        return Some(named.into());
    }
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let mut places =
        std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
    places.find(|place| place.is_file())
}

/// Opens a page of `folder` in a browser and reads what it says of itself; `None` without one.
fn opened(folder: &Path, page: &str) -> Option<String> {
    let Some(browser) = chromium() else {
        eprintln!("skipped: no Chromium is found; name one with P2PSIM_CHROMIUM");
        return None;
    };
    let url = format!("file://{}#check", folder.join(page).display());
    let profile = folder.join("profile");
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--window-size=1200,900",
        ])
        .args(["--virtual-time-budget=60000", "--dump-dom"])
        .args([
            OsStr::new(&format!("--user-data-dir={}", profile.display())),
            OsStr::new(&url),
        ])
        .output()
        .unwrap();
    Some(String::from_utf8(output.stdout).unwrap())
}

/// The attributes of each section, by its id.
fn sections(page: &str) -> BTreeMap<String, String> {
    let tags = page
        .split("<section ")
        .skip(1)
        .map(|rest| rest.split_once('>').unwrap().0);
    let id = |tag: &str| {
        tag.split_once("id=\"")
            .unwrap()
            .1
            .split_once('"')
            .unwrap()
            .0
            .to_owned()
    };
    tags.map(|tag| (id(tag), tag.to_owned())).collect()
}

/// No error, and every chart but `missing` has drawn something.
fn assert_drawn(page: &str, missing: &[&str]) {
    assert!(
        page.contains("<html lang=\"en\" data-problems=\"[]\">"),
        "{}",
        &page[..page.len().min(4000)]
    );
    let sections = sections(page);
    // Measurements are there where there are any.
    let measured = sections.contains_key("counts");
    assert_eq!(sections.len(), if measured { 15 } else { 13 });
    let tables = ["summary", "counts"];
    for (id, tag) in sections
        .iter()
        .filter(|(id, _)| !tables.contains(&id.as_str()))
    {
        if missing.contains(&id.as_str()) {
            assert!(tag.contains("data-state=\"missing\""), "{tag}");
            continue;
        }
        assert!(tag.contains("data-state=\"drawn\""), "{tag}");
        let (_, ink) = tag.split_once("data-ink=\"").unwrap();
        let ink: u64 = ink.split_once('"').unwrap().0.parse().unwrap();
        assert!(ink > 500, "{tag}: coloured pixels");
    }
}

#[test]
fn a_browser_draws_every_chart() {
    let folder = tempfile::tempdir().unwrap();
    let ten = include_str!("../scenarios/erdos-renyi.yaml");
    run(folder.path(), "ten", ten, &["--snapshots", "1s"]);
    run(folder.path(), "one", GOSSIP, &[]);
    run(folder.path(), "two", GOSSIP, &["--seed", "4"]);
    report(folder.path(), &["ten"]);
    let Some(page) = opened(folder.path(), "page.html") else {
        return;
    };
    assert_drawn(&page, &["coverage", "delays", "heatmap", "copies", "drops"]);
    report(folder.path(), &["one", "two"]);
    let page = opened(folder.path(), "page.html").unwrap();
    assert_drawn(&page, &[]);
    // What services of one's own measure, where scripts can be such services.
    if cfg!(feature = "luau") {
        let script = "message('Beat')
function on_start() ctx:timer('beat', 1000) end
function on_timer() ctx:broadcast('Beat', ctx.now) ctx:timer('beat', 1000) end
function on_message(from, beat)
    ctx:count('beats')
    ctx:observe('delay_ms', ctx.now - beat.payload)
end";
        fs::write(folder.path().join("beat.luau"), script).unwrap();
        let beating = ten.replace("[BaseConnectionManager]", "[beat.luau]");
        assert_ne!(beating, ten);
        run(folder.path(), "beats", &beating, &[]);
        report(folder.path(), &["beats"]);
        let beats = opened(folder.path(), "page.html").unwrap();
        assert_drawn(
            &beats,
            &["coverage", "delays", "heatmap", "copies", "drops"],
        );
        assert!(beats.contains("delay_ms, mean over time") && beats.contains(">beats</th>"));
    }
    report(folder.path(), &["one", "two"]);
    // Names are text, and each chart can be read without being seen.
    assert!(!page.contains("<b>B"));
    assert!(page.matches("role=\"img\"").count() >= 14);
    // A page that cannot draw says so.
    let whole = fs::read_to_string(folder.path().join("page.html")).unwrap();
    let broken = whole.replacen("\"kind\":\"views\"", "\"kind\":\"nothing\"", 1);
    fs::write(folder.path().join("broken.html"), broken).unwrap();
    let page = opened(folder.path(), "broken.html").unwrap();
    assert!(!page.contains("data-problems=\"[]\""));
    assert!(page.contains("This browser could not draw everything: "));
}

/// Too slow for a debug build: `.ci/run` has it.
#[test]
#[ignore = "ten thousand peers"]
fn ten_thousand_peers_fit_in_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = GOSSIP
        .replace(
            "erdos_renyi_graph(40, 0.1)",
            "erdos_renyi_graph(10000, 0.0008)",
        )
        .replace(
            "peer: 28, source: 2, fickle: 10",
            "peer: 7998, source: 2, fickle: 2000",
        )
        .replace("snapshots: 1500", "snapshots: 100");
    run(folder.path(), "many", &scenario, &[]);
    let (page, data) = report(folder.path(), &["many"]);
    assert!(page.len() < 5_000_000, "{} bytes", page.len());
    assert_eq!(chart(&data, "topology")["body"]["kind"], "networks");
    if let Some(page) = opened(folder.path(), "page.html") {
        assert_drawn(&page, &[]);
    }
}
