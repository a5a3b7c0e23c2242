//! What a run measures: the files agree with one another, with the documentation, and with what
//! was asked for.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;

/// Sixty peers, a liar and a bootstrap peer among them, some of which come and go; messages from
/// two of them.
const GOSSIP: &str = r#"
horizon: 4500
latencies: {A: {A: "norm(10, 2)", B: "expon(20, 10)"}, B: {B: 8}}
peer_types:
  peer: &peer
    location: sample(A, B)
    bandwidth_ul: 1 Mbit
    bandwidth_dl: 2 Mbit
    services: {BaseConnectionManager: , PushPullGossipService: }
  source: {<<: *peer, services: {BaseConnectionManager: , PushPullGossipService: , LimitedMessageProducer: {times: 3}}}
  "fickle, at times": {<<: *peer, services: {BaseConnectionManager: , PushPullGossipService: , RandomDowntime: }}
  liar: {<<: *peer, services: {BaseConnectionManager: , TamperingGossip: }}
  bootstrap: {<<: *peer, services: {BaseConnectionManager: , PushPullGossipService: }}
topology:
  graph: erdos_renyi_graph(60, 0.1)
  types: {peer: 30, source: 2, "fickle, at times": 20, liar: 7, bootstrap: 1}
"#;

fn run(folder: &Path, name: &str, output: &str) -> PathBuf {
    let scenario = folder.join("gossip.yaml");
    fs::write(&scenario, format!("{GOSSIP}output: {output}\n")).unwrap();
    let out = folder.join(name);
    Command::cargo_bin("p2psim")
        .unwrap()
        .args(["run", "--quiet", "--out"])
        .args([&out, &scenario])
        .assert()
        .success();
    out
}

/// The rows of a table, by column.
fn rows(file: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(file).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

#[cfg(feature = "luau")]
fn header(file: &Path) -> Vec<String> {
    let mut reader = csv::Reader::from_path(file).unwrap();
    reader.headers().unwrap().iter().map(Into::into).collect()
}

fn summary(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("summary.json")).unwrap()).unwrap()
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap()
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// With scripts, which write what no built-in service does.
#[cfg(feature = "luau")]
#[test]
fn every_column_is_documented_and_every_documented_column_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut columns: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, output) in [
        ("a", "{logs: none}"),
        ("b", "{logs: none, load: peers, latencies: true}"),
    ] {
        let out = run(folder.path(), name, output);
        for file in names(&out)
            .into_iter()
            .filter(|name| name.ends_with(".csv"))
        {
            let header = header(&out.join(&file));
            columns.entry(file).or_default().extend(header);
        }
        let summary = summary(&out);
        let keys = summary.as_object().unwrap().keys();
        let of_coverage = summary["coverage"].as_object().unwrap().keys();
        let keys: BTreeSet<String> = keys
            .cloned()
            .chain(of_coverage.map(|key| format!("coverage.{key}")))
            .collect();
        columns.insert("summary.json".into(), keys);
    }
    // What only a service of one's own writes.
    let script = "function on_start() ctx:count('starts') ctx:observe('start_ms', ctx.now) end";
    fs::write(folder.path().join("own.luau"), script).unwrap();
    let scenario = include_str!("../scenarios/erdos-renyi.yaml");
    let scenario = scenario.replace("[BaseConnectionManager]", "[own.luau]");
    let place = folder.path().join("own.yaml");
    fs::write(&place, scenario).unwrap();
    let out = folder.path().join("own");
    let mut command = Command::cargo_bin("p2psim").unwrap();
    command
        .args(["run", "--quiet", "--out"])
        .args([&out, &place]);
    command.assert().success();
    for file in ["counts.csv", "observations.csv"] {
        let header = header(&out.join(file)).into_iter().collect();
        columns.insert(file.into(), header);
    }
    let measured = &summary(&out)["measurements"];
    let keys = measured.as_object().unwrap().keys();
    let keys = keys.map(|key| format!("measurements.{key}"));
    columns.get_mut("summary.json").unwrap().extend(keys);
    // A section a file; its columns are the first cells of the section's table.
    let text = include_str!("../docs/outputs.md");
    let mut documented: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut section = None;
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section = (title.ends_with(".csv") || title == "summary.json").then_some(title);
        } else if let (Some(section), Some(rest)) = (section, line.strip_prefix("| `")) {
            let cell = rest.split(" | ").next().unwrap();
            let names = cell.split(',').map(|name| name.trim().replace('`', ""));
            documented.entry(section.into()).or_default().extend(names);
        }
    }
    assert_eq!(documented, columns);
}

#[test]
fn deliveries_are_in_order_and_add_up_to_the_summary() {
    let folder = tempfile::tempdir().unwrap();
    let out = run(folder.path(), "run", "{logs: none}");
    let deliveries = rows(&out.join("deliveries.csv"));
    assert!(deliveries.len() > 200);
    let types: BTreeMap<String, String> = rows(&out.join("peers.csv"))
        .into_iter()
        .map(|row| (row["id"].clone(), row["type"].clone()))
        .collect();
    let counted = |id: &String| !["liar", "bootstrap"].contains(&types[id].as_str());
    let key = |row: &BTreeMap<String, String>| {
        let [produced, origin, received, peer] =
            ["produced_ms", "origin", "first_received_ms", "peer"].map(|key| number(row, key));
        let counter: f64 = row["message"].split('_').nth(1).unwrap().parse().unwrap();
        [produced, origin, counter, received, peer]
    };
    assert!(
        deliveries
            .windows(2)
            .all(|pair| key(&pair[0]) < key(&pair[1]))
    );
    let mut delays = Vec::new();
    let (mut copies, mut altered, mut hops) = (0.0, 0.0, 0.0);
    for row in &deliveries {
        let [_, _, _, received, _] = key(row);
        assert_ne!(row["peer"], row["origin"]);
        assert!(row["message"].starts_with(&format!("{}_", row["origin"])));
        let delay = number(row, "delay_ms");
        assert!((received - number(row, "produced_ms") - delay).abs() < 1e-6);
        assert!(row["delay_ms"].contains('.'), "no decimal point: {row:?}");
        if counted(&row["peer"]) {
            delays.push(delay);
            copies += number(row, "copies");
            hops += number(row, "hops");
            altered += f64::from(row["intact"] == "false");
        }
    }
    assert!(altered > 0.0);
    delays.sort_by(f64::total_cmp);
    let coverage = &summary(&out)["coverage"];
    let figure = |key: &str| coverage[key].as_f64();
    // Six messages, each for 52 peers less its origin.
    let (count, awaited) = (delays.len() as f64, 6.0 * 51.0);
    assert_eq!(coverage["messages"], 6);
    assert_eq!(figure("mean"), Some(count / awaited));
    assert_eq!(figure("never_reached"), Some(1.0 - count / awaited));
    assert_eq!(figure("altered"), Some(altered / count));
    assert_eq!(figure("copies_per_peer"), Some(copies / count));
    assert!((coverage["hops"]["mean"].as_f64().unwrap() - hops / count).abs() < 1e-12);
    for percent in [50, 90, 95, 99, 100] {
        let rank = (awaited * f64::from(percent) / 100.0).ceil() as usize;
        let exact = delays.get(rank - 1).copied();
        assert_eq!(figure(&format!("t{percent}_ms")), exact, "{percent} %");
    }
    let gossip = [
        "GossipMessage",
        "SyncPing",
        "SyncPong",
        "MsgRequest",
        "MsgResponse",
    ];
    let bytes: f64 = rows(&out.join("messages.csv"))
        .iter()
        .filter(|row| gossip.contains(&row["type"].as_str()))
        .map(|row| number(row, "bytes_sent"))
        .sum();
    let expected = bytes / deliveries.len() as f64;
    assert_eq!(figure("bytes_per_delivered_message"), Some(expected));
}

#[test]
fn coverage_grows_to_what_the_deliveries_say() {
    let folder = tempfile::tempdir().unwrap();
    let out = run(folder.path(), "run", "{logs: none}");
    let coverage = rows(&out.join("coverage.csv"));
    let deliveries = rows(&out.join("deliveries.csv"));
    let all: Vec<_> = coverage
        .iter()
        .filter(|row| row["message"] == "all")
        .collect();
    assert!((81..=300).contains(&all.len()), "{}", all.len());
    assert_eq!(coverage[0]["message"], "all");
    let delay_max = deliveries
        .iter()
        .map(|row| number(row, "delay_ms"))
        .fold(0.0, f64::max);
    let ages: Vec<f64> = all.iter().map(|row| number(row, "age_ms")).collect();
    assert!(ages[0] == 0.0 && ages.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(ages[ages.len() - 2] < delay_max);
    let mut messages = BTreeSet::new();
    for row in &coverage {
        let [peers, reached, altered] = ["peers", "reached", "altered"].map(|key| number(row, key));
        assert!(altered <= reached && reached <= peers, "{row:?}");
        assert_eq!(number(row, "share"), reached / f64::max(peers, 1.0));
        // Some are offline now and then; none counts that does not belong.
        let limit = if row["message"] == "all" {
            6.0 * 51.0
        } else {
            51.0
        };
        assert!(peers <= limit);
        messages.insert(row["message"].clone());
    }
    assert_eq!(messages.len(), 7);
    assert!(coverage.iter().any(|row| number(row, "peers") < 45.0));
}

#[test]
fn streamed_figures_agree_with_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    let full = run(folder.path(), "full", "{logs: none, bootstrap: true}");
    let streamed = run(
        folder.path(),
        "streamed",
        "{logs: none, deliveries: summary}",
    );
    let nothing = run(
        folder.path(),
        "nothing",
        "{logs: none, deliveries: none, load: none}",
    );
    assert!(!streamed.join("deliveries.csv").exists());
    let (exact, about) = (summary(&full), summary(&streamed));
    assert_eq!(exact["digest"], about["digest"]);
    for (key, value) in exact["coverage"].as_object().unwrap() {
        let other = &about["coverage"][key];
        match (value.as_f64(), other.as_f64()) {
            (Some(exact), Some(about)) if key.ends_with("_ms") => {
                assert!(about >= exact && about <= exact * 1.001, "{key}: {about}");
            }
            _ => assert_eq!(value, other, "{key}"),
        }
    }
    let coverage = rows(&streamed.join("coverage.csv"));
    assert!(coverage.iter().all(|row| row["message"] == "all"));
    let last = coverage.last().unwrap();
    assert_eq!(number(last, "share"), about["coverage"]["mean"]);
    let expected = [
        "connections.csv",
        "messages.csv",
        "peers.csv",
        "scenario.yaml",
        "summary.json",
        "topology.csv",
    ];
    assert_eq!(names(&nothing), expected.map(String::from).into());
    let nothing = summary(&nothing);
    assert_eq!(nothing["digest"], exact["digest"]);
    assert!(nothing["coverage"].is_null() && nothing["waits"].is_null());
}

#[test]
fn load_adds_up_to_the_counts_by_group_and_by_peer() {
    let folder = tempfile::tempdir().unwrap();
    let groups = run(folder.path(), "groups", "{logs: none, interval: 700}");
    let peers = run(
        folder.path(),
        "peers",
        "{logs: none, load: peers, interval: 2 s}",
    );
    let total = &summary(&groups)["messages"]["total"];
    let states = rows(&groups.join("peers.csv"));
    let kinds: BTreeSet<_> = states
        .iter()
        .map(|row| (&row["type"], &row["location"]))
        .collect();
    for (folder, intervals, kinds) in [(&groups, 7, kinds.len()), (&peers, 3, 60)] {
        let load = rows(&folder.join("load.csv"));
        let sum = |column: &str| load.iter().map(|row| number(row, column)).sum::<f64>();
        assert_eq!(sum("messages_out"), total["sent"]);
        assert_eq!(sum("bytes_out"), total["bytes_sent"]);
        // What came in was handled, or dropped by a peer that was online.
        let delivered = total["delivered"].as_f64().unwrap();
        let dropped = total["dropped"].as_f64().unwrap();
        let came = sum("messages_in");
        assert!(came >= delivered && came <= delivered + dropped);
        assert!(sum("uplink_wait_max_ms") > 0.0 && sum("downlink_wait_max_ms") > 0.0);
        let starts: BTreeSet<&String> = load.iter().map(|row| &row["start_ms"]).collect();
        assert_eq!(starts.len(), intervals);
        assert_eq!(load.len() / intervals, kinds);
        // Who is online and connected at the end, by what came and went.
        let last = &load[load.len() - kinds..];
        let standing = |column: &str| last.iter().map(|row| number(row, column)).sum::<f64>();
        let online = states.iter().filter(|row| row["online"] == "true").count();
        assert_eq!(standing("online"), online as f64);
        let connections = states.iter().map(|row| number(row, "connections"));
        assert_eq!(standing("connections"), connections.sum::<f64>());
        let minimum = load.iter().map(|row| number(row, "online"));
        if folder == &groups {
            assert_eq!(
                last.iter().map(|row| number(row, "peers")).sum::<f64>(),
                60.0
            );
        } else {
            assert!(minimum.fold(1.0, f64::min) == 0.0);
        }
    }
    let events = rows(&groups.join("connections.csv"));
    let summary = summary(&groups);
    for row in &events {
        let count = &summary["connections_by_cause"][&row["event"]];
        assert_eq!(number(row, "count"), *count, "{row:?}");
    }
    assert!(
        events
            .iter()
            .any(|row| row["event"] == "redialled" && row["count"] != "0")
    );
}

#[test]
fn drops_by_cause_add_up() {
    let folder = tempfile::tempdir().unwrap();
    let out = run(folder.path(), "run", "{logs: none}");
    let mut any = 0.0;
    for row in rows(&out.join("messages.csv")) {
        let causes = row.iter().filter(|(name, _)| name.starts_with("dropped_"));
        let sum: f64 = causes.map(|(_, count)| count.parse::<f64>().unwrap()).sum();
        assert_eq!(sum, number(&row, "dropped"));
        any += sum;
    }
    assert!(any > 0.0);
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_holds_what_csv_holds() {
    use parquet::file::reader::SerializedFileReader;
    let folder = tempfile::tempdir().unwrap();
    let text = run(folder.path(), "text", "{logs: none}");
    let binary = run(folder.path(), "binary", "{logs: none, format: parquet}");
    for name in ["deliveries", "coverage", "load"] {
        assert!(!binary.join(format!("{name}.csv")).exists());
        let file = fs::File::open(binary.join(format!("{name}.parquet"))).unwrap();
        let reader = SerializedFileReader::new(file).unwrap();
        let mut count = 0;
        for (row, expected) in reader
            .into_iter()
            .zip(rows(&text.join(format!("{name}.csv"))))
        {
            for (column, field) in row.unwrap().get_column_iter() {
                let shown = match field {
                    parquet::record::Field::Str(text) => text.clone(),
                    other => other.to_string(),
                };
                let text = &expected[column];
                let same = match (shown.parse::<f64>(), text.parse::<f64>()) {
                    (Ok(shown), Ok(text)) => shown == text,
                    _ => shown == *text,
                };
                assert!(same, "{name}.{column}: {shown}, not {text}");
            }
            count += 1;
        }
        assert_eq!(count, rows(&text.join(format!("{name}.csv"))).len());
    }
}
