//! A run that is over, as its folder tells of it.

use std::cell::OnceCell;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::record::{DeliveryMode, LoadMode};
use crate::report::graph::{ExportError, Exported};
use crate::simulation::{Plan, Population, Setup};

/// A run of which nothing but its folder is left.
#[derive(Debug)]
pub struct PastRun {
    pub(in crate::report) folder: PathBuf,
    /// What it is called beside others.
    pub(in crate::report) label: String,
    /// `summary.json`.
    pub(in crate::report) summary: Value,
    /// `scenario.yaml` as it stands there.
    pub(in crate::report) scenario: String,
    /// What that means, if it could be read.
    pub(in crate::report) plan: Option<Plan>,
    /// The topology at the end.
    pub(in crate::report) topology: Exported,
    initial: OnceCell<Option<Exported>>,
}

/// Why a run's folder could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is something else.
    #[error(
        "{0} is not the folder of a run\n  name a folder that `p2psim run` wrote; it has a summary.json"
    )]
    NotARun(PathBuf),
    /// A file in it cannot be read, or is not what a run writes.
    #[error("cannot read {path}: {problem}\n  run the scenario again to have it whole")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A table is Parquet, which this program cannot read.
    #[error(
        "{0} is a Parquet file, and this p2psim was built without Parquet\n  build it with `cargo \
         install --path . --features parquet`, or run the scenario again with --set output.format=csv"
    )]
    NoParquet(PathBuf),
    /// Its topology cannot be read.
    #[error(transparent)]
    Topology(#[from] ExportError),
}

impl PastRun {
    /// Reads a run's folder; `plan` is what the scenario in it means, if that could be found out:
    /// without it there are no latency laws and no initial topology.
    ///
    /// # Errors
    /// If it is no run's folder, or a file in it is damaged.
    pub fn read(folder: &Path, plan: Option<Plan>) -> Result<Self, ReadError> {
        let path = folder.join("summary.json");
        if !path.is_file() {
            return Err(ReadError::NotARun(folder.to_owned()));
        }
        let damaged = |path: &Path, problem: String| ReadError::Damaged {
            path: path.to_owned(),
            problem,
        };
        let bytes = fs::read(&path).map_err(|error| damaged(&path, error.to_string()))?;
        let summary: Value =
            serde_json::from_slice(&bytes).map_err(|error| damaged(&path, error.to_string()))?;
        if !summary.is_object() {
            return Err(damaged(&path, "it holds no JSON object".into()));
        }
        let mut topology = Exported::read(folder)?;
        if let Some(plan) = &plan {
            topology.order_as(plan);
        }
        // `.` and `..` have a name only once they are resolved.
        let named = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        let label = named.file_name().unwrap_or(named.as_os_str());
        Ok(PastRun {
            label: label.to_string_lossy().into_owned(),
            folder: folder.to_owned(),
            summary,
            scenario: fs::read_to_string(folder.join("scenario.yaml")).unwrap_or_default(),
            plan,
            topology,
            initial: OnceCell::new(),
        })
    }

    /// The topology before the first event, if the scenario gives one and can be read.
    pub(in crate::report) fn initial_topology(&self) -> Option<&Exported> {
        let initial = self.initial.get_or_init(|| {
            let plan = self.plan.as_ref()?;
            if !matches!(plan.population, Population::Graph { .. }) {
                return None;
            }
            let setup = Setup::new(plan).ok()?;
            Some(Exported::initial(&setup, &plan.locations))
        });
        initial.as_ref()
    }

    /// A number of the summary: `/coverage/t50_ms`.
    pub(in crate::report) fn figure(&self, pointer: &str) -> Option<f64> {
        self.summary.pointer(pointer)?.as_f64()
    }

    /// A text of the summary.
    pub(in crate::report) fn word(&self, pointer: &str) -> &str {
        let value = self.summary.pointer(pointer);
        value.and_then(Value::as_str).unwrap_or("unknown")
    }

    pub(in crate::report) fn interrupted(&self) -> bool {
        self.summary["interrupted"] == Value::Bool(true)
    }

    /// Why there is no table of coverage, or none of deliveries (`full`), in a sentence.
    pub(super) fn why_no_spread(&self, full: bool) -> String {
        let mode = self.plan.as_ref().map(|plan| plan.measures.deliveries);
        match mode {
            Some(DeliveryMode::None) => "Not recorded: the scenario says `output: {deliveries: \
                 none}`; with `deliveries: full` this chart is here."
                .into(),
            Some(DeliveryMode::Summary) if full && self.summary["coverage"].is_object() => {
                "Not recorded: with `output: {deliveries: summary}` only histograms are kept; with \
                 `deliveries: full` this chart is here."
                    .into()
            }
            Some(_) => "No gossip message was produced: a peer type with a MessageProducer or a \
                 LimitedMessageProducer makes some."
                .into(),
            None => "Not recorded: it takes a peer type that produces gossip messages, and \
                 `output: {deliveries: full}`."
                .into(),
        }
    }

    /// Why there is no table of load, in a sentence.
    pub(super) fn why_no_load(&self) -> String {
        match self.plan.as_ref().map(|plan| plan.measures.load) {
            Some(LoadMode::None) => "Not recorded: the scenario says `output: {load: none}`; with \
                 `load: groups` this chart is here."
                .into(),
            _ => "Not recorded: it takes `output: {load: groups}` (or `peers`).".into(),
        }
    }
}

/// Makes the labels of runs differ: by the folders above, by their seeds, or else by numbers.
pub(in crate::report) fn tell_apart(runs: &mut [PastRun]) {
    let distinct = |labels: &[String]| {
        let all: std::collections::BTreeSet<&String> = labels.iter().collect();
        all.len() == labels.len()
    };
    let seeded = |run: &PastRun| match run.summary["seed"].as_u64() {
        Some(seed) => format!("{} (seed {seed})", run.label),
        None => run.label.clone(),
    };
    let paths = |run: &PastRun| run.folder.to_string_lossy().replace('\\', "/");
    let numbered = |(place, run): (usize, &PastRun)| format!("{} ({})", run.label, place + 1);
    let own: Vec<String> = runs.iter().map(|run| run.label.clone()).collect();
    let labels = [
        own,
        runs.iter().map(paths).collect(),
        runs.iter().map(seeded).collect(),
        runs.iter().enumerate().map(numbered).collect(),
    ];
    if let Some(labels) = labels.into_iter().find(|labels| distinct(labels)) {
        for (run, label) in runs.iter_mut().zip(labels) {
            run.label = label;
        }
    }
}
