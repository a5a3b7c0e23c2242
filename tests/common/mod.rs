//! What tests of whole runs share.

#![allow(clippy::unwrap_used, dead_code)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use p2psim::message::RumourId;
use p2psim::peer::{PeerId, PeerIndex};
use p2psim::report::{RunFolder, RunName, write_outputs};
use p2psim::scenario::{LoadOptions, Override, load, parse};
use p2psim::simulation::{Outcome, Simulation};
use p2psim::time::Time;

/// Runs the text of a scenario to its horizon.
pub fn run(text: &str) -> (Simulation, Outcome) {
    run_seeded(text, None)
}

/// As [`run`], under this seed instead of the scenario's.
pub fn run_seeded(text: &str, seed: Option<u64>) -> (Simulation, Outcome) {
    let scenario = match parse(text, "test", Path::new("."), &LoadOptions::default()) {
        Ok(scenario) => scenario,
        Err(error) => panic!("{text}\n{}", error.render(false)),
    };
    let mut plan = scenario.plan;
    plan.seed = seed.unwrap_or(plan.seed);
    let mut simulation = Simulation::new(&plan, None).unwrap();
    let outcome = simulation.run(&AtomicBool::new(false), |_| {}).unwrap();
    (simulation, outcome)
}

/// The peer with this id.
pub fn peer(simulation: &Simulation, id: u64) -> PeerIndex {
    simulation.names().find(PeerId(id)).unwrap()
}

/// When each rumour was produced.
pub fn produced(simulation: &Simulation) -> BTreeMap<RumourId, Time> {
    let rumours = simulation.deliveries().produced().iter();
    rumours.map(|rumour| (rumour.id, rumour.produced)).collect()
}

/// How long each first receipt took from the rumour's production on, in ms, in the order of
/// receipt.
pub fn delays_ms(simulation: &Simulation) -> Vec<f64> {
    let produced = produced(simulation);
    let receipts = simulation.deliveries().receipts().iter();
    receipts
        .map(|receipt| (receipt.received - produced[&receipt.id]).as_ms())
        .collect()
}

/// How many messages of a type were sent and delivered.
pub fn counts(outcome: &Outcome, name: &str) -> (u64, u64) {
    let message = outcome.messages.iter().find(|m| m.name == name).unwrap();
    (message.counts.sent, message.counts.delivered)
}

/// All files of a folder with their bytes.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_owned();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// Runs a scenario in so many shards, each on its own thread or all in turn, and reads what was
/// written, logs of all peers included.
pub fn written(
    scenario: &Path,
    overrides: &[&str],
    shards: usize,
    at_once: bool,
) -> BTreeMap<PathBuf, Vec<u8>> {
    let overrides = overrides.iter().map(|text| Override::parse(text).unwrap());
    let options = LoadOptions {
        overrides: overrides.collect(),
        ..LoadOptions::default()
    };
    let plan = load(scenario, &options).unwrap().plan;
    let parent = tempfile::tempdir().unwrap();
    let place = parent.path().join("run");
    let folder = RunFolder::create(&place, false).unwrap();
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    let mut simulation = Simulation::with_shards(&plan, Some(&logs), shards).unwrap();
    if at_once {
        simulation.always_use_threads();
    }
    let outcome = simulation.run(&AtomicBool::new(false), |_| {}).unwrap();
    let name = RunName {
        scenario: "threads".into(),
        seed: plan.seed,
    };
    let format = plan.measures.format;
    write_outputs(&folder, &simulation, &outcome, &name, true, format).unwrap();
    files(&folder.complete().unwrap())
}
