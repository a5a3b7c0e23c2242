//! What services of one's own count and observe: totals, figures, files, and what is refused.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use common::files;
use p2psim::engine::Rejoin;
use p2psim::prelude::*;
use p2psim::report::sample::PictureFormat;
use p2psim::report::{PastRun, Plot, Report, RunFolder, RunName, Subject, write_outputs};
use p2psim::scenario::{LoadOptions, parse};
use p2psim::simulation::{Ending, Simulation};
use serde_json::Value;

/// Beats to its neighbours, counts beats, and observes its own number, how many beats it has
/// got, and things that are no number.
struct Measuring {
    interval: Time,
    beat: MessageType,
    beats: u32,
}

impl Service for Measuring {
    fn start(&mut self, context: &mut Context<'_>) {
        let id = context.id(context.me()).0;
        assert!(context.observe("zz id", id as f64));
        // Several at once: they stay in this order.
        for value in [3.0, 1.0, 2.0] {
            assert!(context.observe("order, \"kept\"", value));
        }
        for value in [f64::NAN, f64::INFINITY, -f64::INFINITY] {
            assert!(!context.observe("never", value));
        }
        context.set_timer(self.interval, 0);
    }

    fn timer(&mut self, context: &mut Context<'_>, tag: u32) {
        context.send_empty_to_all(self.beat);
        context.count("rounds", 1);
        context.count("debt", -2);
        context.set_timer(self.interval, tag);
    }

    fn message(&mut self, context: &mut Context<'_>, _: PeerIndex, _: Message<'_>) {
        self.beats += 1;
        context.count("beats", 1);
        let drawn = context.random().unit();
        assert!(context.observe("beats", f64::from(self.beats) + drawn));
    }

    fn online(&mut self, _: &mut Context<'_>, _: Rejoin) {}
}

const MEASURING: ServiceSpec = ServiceSpec {
    name: "Measuring",
    about: "beats, counts and observes",
    parameters: &[],
    messages: &[MessageSpec::handled("Beat", "24 B")],
    build: |_, messages| {
        let beat = messages[0];
        std::sync::Arc::new(move || {
            ServiceState::Custom(Box::new(Measuring {
                interval: Time::from_ns(100_000_000),
                beat,
                beats: 0,
            }))
        })
    },
    ..ServiceSpec::NONE
};

/// Twelve peers of two types in a ring, some messages of which are lost; ten rounds each.
const RING: &str = r#"
seed: 5
horizon: 1050
latencies: {A: {A: "norm(10, 3)", B: "expon(20, 10)"}, B: {B: 8}}
network: {loss: {A: {B: 0.1}}}
peer_types:
  a: &peer {location: A, bandwidth_ul: 100 kbit, bandwidth_dl: 100 kbit, services: [Measuring]}
  b: {<<: *peer, location: B}
topology: {graph: 'cycle_graph(12)', types: {a: 7, b: 5}}
output: {logs: none}
"#;

/// Runs a scenario in so many shards, each on its own thread, into a folder; to its horizon, or
/// until it is interrupted at a time in ms. Also how many beats arrived.
fn run_into(place: &Path, text: &str, shards: usize, until: Option<f64>) -> (PathBuf, u64) {
    let options = LoadOptions {
        registry: Registry::default().with(MEASURING),
        ..LoadOptions::default()
    };
    let scenario = parse(text, "measurements", Path::new("."), &options)
        .unwrap_or_else(|error| panic!("{text}\n{}", error.render(false)));
    let plan = &scenario.plan;
    let folder = RunFolder::create(place, false).unwrap();
    let resolved = scenario.resolved.as_bytes();
    folder.write("scenario.yaml", resolved).unwrap();
    let mut simulation = Simulation::with_shards(plan, None, shards).unwrap();
    simulation.always_use_threads();
    let stop = AtomicBool::new(false);
    let outcome = match until.and_then(Time::from_ms) {
        None => simulation.run(&stop, |_| {}).unwrap(),
        Some(until) => simulation
            .run_with_snapshots(
                until,
                &stop,
                |_| {},
                |_, _| {
                    stop.store(true, std::sync::atomic::Ordering::Relaxed);
                    Ok(())
                },
            )
            .unwrap(),
    };
    assert_eq!(outcome.ending == Ending::Interrupted, until.is_some());
    let name = RunName {
        scenario: "measurements".into(),
        seed: plan.seed,
    };
    let format = plan.measures.format;
    write_outputs(&folder, &simulation, &outcome, &name, true, format).unwrap();
    let beats = outcome.messages.iter().find(|m| m.name == "Beat");
    let beats = beats.map_or(0, |beat| beat.counts.delivered);
    (folder.complete().unwrap(), beats)
}

fn rows(file: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(file).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap()
}

fn measurements(folder: &Path) -> Value {
    let text = fs::read_to_string(folder.join("summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&text).unwrap();
    summary["measurements"].clone()
}

#[test]
fn counts_are_totals_by_name_and_type() {
    let parent = tempfile::tempdir().unwrap();
    let (folder, beats) = run_into(&parent.path().join("run"), RING, 1, None);
    assert!(beats > 150, "{beats}");
    let of = rows(&folder.join("counts.csv"));
    let of: Vec<_> = of
        .iter()
        .map(|row| (&*row["name"], &*row["peer_type"], number(row, "count")))
        .collect();
    assert_eq!(of[0].0, "beats");
    assert_eq!(of[0].2 + of[1].2, beats as f64);
    let others = [
        ("debt", "a", -140.0),
        ("debt", "b", -100.0),
        ("rounds", "a", 70.0),
        ("rounds", "b", 50.0),
    ];
    assert_eq!(of[2..], others);
    let counts = &measurements(&folder)["counts"];
    assert_eq!(counts["beats"], beats);
    assert_eq!(counts["debt"], -240);
}

#[test]
fn observations_are_rows_in_the_order_of_the_run() {
    let parent = tempfile::tempdir().unwrap();
    let (folder, beats) = run_into(&parent.path().join("run"), RING, 1, None);
    let of = rows(&folder.join("observations.csv"));
    let key = |row| (number(row, "time_ms"), number(row, "peer"));
    assert!(of.is_sorted_by(|a, b| key(a) <= key(b)));
    let named = |name: &str| -> Vec<&BTreeMap<String, String>> {
        of.iter().filter(|row| row["name"] == name).collect()
    };
    assert_eq!(named("beats").len() as u64, beats);
    let order = named("order, \"kept\"");
    assert_eq!(order.len(), 36);
    for (place, row) in order.iter().enumerate() {
        assert_eq!(number(row, "value"), [3.0, 1.0, 2.0][place % 3]);
        assert_eq!(number(row, "peer"), (place / 3) as f64);
        let expected = if place / 3 < 7 {
            ("a", "A")
        } else {
            ("b", "B")
        };
        assert_eq!((&*row["type"], &*row["location"]), expected);
    }
    assert!(named("never").is_empty());
    // Each peer's own beats are in its order.
    for peer in 0..12 {
        let values = named("beats")
            .into_iter()
            .filter(|row| number(row, "peer") == f64::from(peer));
        let values: Vec<f64> = values.map(|row| number(row, "value").floor()).collect();
        let expected: Vec<f64> = (1..=values.len()).map(|n| n as f64).collect();
        assert_eq!(values, expected);
    }
}

/// The numbers from 0 to 11, by hand: mean and median 5.5; the variance of n such numbers is
/// n (n + 1) / 12 = 13; 95 % of the way is 0.95 * 11.
#[test]
fn figures_are_those_computed_by_hand() {
    let parent = tempfile::tempdir().unwrap();
    let (folder, beats) = run_into(&parent.path().join("run"), RING, 2, None);
    let of = &measurements(&folder)["observations"];
    let id = &of["zz id"];
    let close = |value: &Value, to: f64| (value.as_f64().unwrap() - to).abs() < 1e-12;
    assert_eq!((&id["count"], &id["not_kept"]), (&12.into(), &0.into()));
    assert_eq!((&id["min"], &id["max"]), (&0.0.into(), &11.0.into()));
    assert_eq!((&id["mean"], &id["median"]), (&5.5.into(), &5.5.into()));
    assert!(close(&id["p95"], 10.45), "{id}");
    assert!(close(&id["sd"], 13_f64.sqrt()), "{id}");
    // Of those in the file, with other code.
    let mut values: Vec<f64> = rows(&folder.join("observations.csv"))
        .iter()
        .filter(|row| row["name"] == "beats")
        .map(|row| number(row, "value"))
        .collect();
    values.sort_by(f64::total_cmp);
    let mean = values.iter().sum::<f64>() / beats as f64;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    assert!(close(&of["beats"]["mean"], mean));
    assert!(close(
        &of["beats"]["sd"],
        (squares / (beats - 1) as f64).sqrt()
    ));
    let names: Vec<&String> = of.as_object().unwrap().keys().collect();
    assert_eq!(names, ["beats", "order, \"kept\"", "zz id"]);
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let parent = tempfile::tempdir().unwrap();
    let alone = files(&run_into(&parent.path().join("1"), RING, 1, None).0);
    for name in ["counts.csv", "observations.csv", "summary.json"] {
        assert!(alone.contains_key(Path::new(name)));
    }
    for shards in [2, 3, 7] {
        let place = parent.path().join(shards.to_string());
        let together = files(&run_into(&place, RING, shards, None).0);
        assert!(alone == together, "{shards} shards");
    }
}

#[test]
fn an_interrupted_run_keeps_what_there_is() {
    let parent = tempfile::tempdir().unwrap();
    let (folder, _) = run_into(&parent.path().join("run"), RING, 1, Some(450.0));
    let of = measurements(&folder);
    assert_eq!(of["counts"]["rounds"], 48);
    let last = rows(&folder.join("observations.csv"));
    let last = number(last.last().unwrap(), "time_ms");
    assert!(last > 350.0 && last <= 450.0, "{last}");
}

#[test]
fn what_measures_nothing_writes_nothing() {
    let parent = tempfile::tempdir().unwrap();
    let idle = RING.replace("[Measuring]", "[BaseConnectionManager]");
    let (folder, _) = run_into(&parent.path().join("run"), &idle, 1, None);
    assert!(!folder.join("counts.csv").exists());
    assert!(!folder.join("observations.csv").exists());
    assert_eq!(measurements(&folder), Value::Null);
}

#[cfg(feature = "parquet")]
#[test]
fn observations_can_be_parquet() {
    let parent = tempfile::tempdir().unwrap();
    let parquet = RING.replace("{logs: none}", "{logs: none, format: parquet}");
    let (folder, _) = run_into(&parent.path().join("run"), &parquet, 1, None);
    assert!(folder.join("observations.parquet").exists());
    assert!(folder.join("counts.csv").exists());
    let (csv, _) = run_into(&parent.path().join("csv"), RING, 1, None);
    let (one, other) = (report(&[&folder]), report(&[&csv]));
    let body =
        |data| chart(data, "observations").unwrap()["body"]["parts"][0]["series"][0]["x"].clone();
    assert_eq!(body(&one), body(&other));
    assert!(body(&one).as_array().unwrap().len() > 100);
}

fn past(folders: &[&Path]) -> Vec<PastRun> {
    let read = |folder: &&Path| PastRun::read(folder, None).unwrap();
    folders.iter().map(read).collect()
}

/// What the page of these runs holds.
fn report(folders: &[&Path]) -> Value {
    let page = Report::of(past(folders)).unwrap().html();
    let (_, rest) = page
        .split_once("<script type=\"application/json\" id=\"data\">")
        .unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

fn chart<'a>(data: &'a Value, id: &str) -> Option<&'a Value> {
    let charts = data["charts"].as_array().unwrap();
    charts.iter().find(|chart| chart["id"] == id)
}

fn summary_row<'a>(data: &'a Value, name: &str) -> &'a Value {
    let rows = data["summary"].as_array().unwrap();
    rows.iter().find(|row| row["name"] == name).unwrap()
}

#[test]
fn a_report_shows_what_was_measured() {
    let parent = tempfile::tempdir().unwrap();
    let (folder, beats) = run_into(&parent.path().join("run"), RING, 1, None);
    let data = report(&[&folder]);
    let views = chart(&data, "observations").unwrap()["body"]["parts"]
        .as_array()
        .unwrap();
    let names: Vec<&Value> = views.iter().map(|view| &view["name"]).collect();
    assert_eq!(names.len(), 9);
    assert_eq!(names[8], "zz id, mean over time");
    // The numbers from 0 to 11: half of them are below 5.5.
    let line = &views[6]["series"][0];
    assert_eq!(line["x"][0], 0);
    assert_eq!(line["x"].as_array().unwrap().last().unwrap(), 11);
    assert_eq!(line["y"][6], 50);
    let bars = &views[7]["series"][0];
    assert_eq!(bars["y"].as_array().unwrap().len(), 12);
    assert_eq!(
        (&bars["x"][0], &bars["x"][12]),
        (&(-0.5).into(), &11.5.into())
    );
    // All at time 0: one interval with a mean, then gaps.
    let means = &views[8]["series"][0]["y"];
    assert_eq!((&means[0], &means[1]), (&5.5.into(), &Value::Null));
    let rows = chart(&data, "counts").unwrap()["body"]["parts"]
        .as_array()
        .unwrap();
    assert_eq!(rows.len(), 6);
    assert_eq!(rows[2]["names"], serde_json::json!(["debt", "a"]));
    assert_eq!(
        (&rows[2]["values"][0], &rows[2]["shown"][0]),
        (&"-140".into(), &"-140".into())
    );
    assert_eq!(
        summary_row(&data, "beats, counted")["values"][0].as_f64(),
        Some(beats as f64)
    );
    assert_eq!(summary_row(&data, "debt, counted")["shown"][0], "-240");
    assert_eq!(summary_row(&data, "zz id, 95 % up to")["shown"][0], "10.45");
}

#[test]
fn a_report_of_several_runs_compares_what_was_measured() {
    let parent = tempfile::tempdir().unwrap();
    let (one, _) = run_into(&parent.path().join("one"), RING, 1, None);
    let longer = RING.replace("horizon: 1050", "horizon: 1550");
    let (two, _) = run_into(&parent.path().join("two"), &longer, 1, None);
    let idle = RING.replace("[Measuring]", "[BaseConnectionManager]");
    let (idle, _) = run_into(&parent.path().join("idle"), &idle, 1, None);
    let data = report(&[&one, &two, &idle]);
    let rows = chart(&data, "counts").unwrap()["body"]["parts"]
        .as_array()
        .unwrap();
    let rounds = rows
        .iter()
        .find(|row| row["names"] == serde_json::json!(["rounds", "b"]));
    let rounds = rounds.unwrap();
    assert_eq!(rounds["shown"], serde_json::json!(["50", "75", "\u{2013}"]));
    assert_eq!(
        rounds["differences"],
        serde_json::json!(["+25", "\u{2013}"])
    );
    let observations = chart(&data, "observations").unwrap();
    let series = observations["body"]["parts"][0]["series"]
        .as_array()
        .unwrap();
    assert_eq!(series.len(), 2);
    assert!(
        observations["summary"]
            .as_str()
            .unwrap()
            .contains("idle: No service observed")
    );
    let row = summary_row(&data, "rounds, counted");
    assert_eq!(row["differences"][0], "+60 (+50 %)");
    // A run that measures nothing misses nothing.
    let data = report(&[&idle]);
    assert!(chart(&data, "observations").is_none() && chart(&data, "counts").is_none());
    assert!(Plot::of(past(&[&idle]), Subject::Observations).is_err());
}

#[test]
fn plots_are_of_all_names() {
    let parent = tempfile::tempdir().unwrap();
    let (one, _) = run_into(&parent.path().join("one"), RING, 1, None);
    let other = RING.replace("seed: 5", "seed: 6");
    let (two, _) = run_into(&parent.path().join("two"), &other, 1, None);
    let plot = Plot::of(past(&[&one]), Subject::Observations).unwrap();
    let text = plot.text(60, false).unwrap();
    for name in ["beats", "order, \"kept\"", "zz id"] {
        assert!(text.contains(name), "{text}");
    }
    let plot = Plot::of(past(&[&one, &two]), Subject::Observations).unwrap();
    let picture = String::from_utf8(plot.picture(PictureFormat::Svg).unwrap()).unwrap();
    for label in [">one<", ">two<", "zz id"] {
        assert!(picture.contains(label), "{label}");
    }
}
