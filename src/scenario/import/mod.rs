//! `p2psim import p2psimpy`: an experiment that p2psimpy has saved becomes a scenario.
//!
//! `Simulation.save_experiment` leaves three files: `locations.yaml`, `topology.yaml` and
//! `services.yaml`. The last two have Python objects in them, which are read as data. What
//! p2psimpy does otherwise than p2psim by default is set in the scenario, so that the two can be
//! compared: it has no uplink queues, and relays gossip at every receipt.

mod laws;
mod peer_types;
mod tagged;
mod topology;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use super::compiler::one_line;
use super::diagnostics::{Diagnostic, Severity};
use super::resolved::text;
use super::source::{Place, Sources};
use super::{LoadOptions, ScenarioError, parse, read_file};
use crate::services::Registry;
use laws::Quantity;
use tagged::{Document, Id};

/// The tags of plain data.
const PLAIN_TAGS: [&str; 9] = [
    "",
    "map",
    "seq",
    "str",
    "int",
    "float",
    "bool",
    "null",
    "python/tuple",
];
/// The tag of a set: a mapping of its members to nothing.
const SET: &str = "set";
/// The most values that are looked at: aliases can make a small file say very much.
const LOOKS_MAX: usize = 2_000_000;
/// More errors than this are not kept.
const ERRORS_MAX: usize = 1000;

/// What an experiment has become.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The scenario, as YAML; it has been checked.
    pub scenario: String,
    /// What the user should know of it, a line each.
    pub notes: Vec<String>,
}

/// Makes a scenario of the experiment that p2psimpy's `save_experiment` has written to `folder`;
/// `horizon` is when its runs end, as in a scenario: p2psimpy does not save that.
///
/// # Errors
/// Everything that cannot be imported, each with its place.
pub fn import_p2psimpy(
    folder: &Path,
    horizon: &str,
    registry: &Registry,
) -> Result<Imported, ScenarioError> {
    let mut import = Import {
        sources: Sources::default(),
        errors: Vec::new(),
        notes: BTreeSet::new(),
        looks: 0,
        registry,
    };
    let scenario = import.scenario(folder, horizon);
    let (scenario, notes) = match scenario {
        Some(scenario) if import.errors.is_empty() => (scenario, import.notes),
        _ => return Err(ScenarioError::new(import.errors, import.sources)),
    };
    let options = LoadOptions {
        registry: registry.clone(),
        ..LoadOptions::default()
    };
    parse(&scenario, "imported", Path::new(""), &options)?;
    Ok(Imported {
        scenario,
        notes: notes.into_iter().collect(),
    })
}

/// One of the three files.
struct File {
    document: Document,
    source: u16,
}

struct Import<'a> {
    sources: Sources,
    errors: Vec<Diagnostic>,
    notes: BTreeSet<String>,
    /// How many values have been looked at.
    looks: usize,
    registry: &'a Registry,
}

impl Import<'_> {
    fn error(
        &mut self,
        file: &File,
        id: Id,
        message: impl Into<String>,
        expected: impl Into<String>,
    ) {
        if self.errors.len() >= ERRORS_MAX {
            return;
        }
        let span = file.document.node(id).span.clone();
        self.errors.push(Diagnostic {
            severity: Severity::Error,
            message: one_line(&message.into()),
            expected: one_line(&expected.into()),
            place: Some(Place::new(file.source, span)),
        });
    }

    fn read(&mut self, folder: &Path, name: &str) -> Option<File> {
        let path = folder.join(name);
        let shown = path.display().to_string();
        let mut failed = |message: String| {
            self.errors.push(Diagnostic {
                severity: Severity::Error,
                message,
                expected: "the folder that p2psimpy's save_experiment has written".into(),
                place: None,
            });
        };
        let bytes = match read_file(&path, tagged::FILE_BYTES_MAX) {
            Ok(bytes) => bytes,
            Err(problem) => {
                failed(format!("cannot read {shown}: {problem}"));
                return None;
            }
        };
        let Ok(text) = String::from_utf8(bytes) else {
            failed(format!("cannot read {shown}: it is not UTF-8 text"));
            return None;
        };
        let parsed = tagged::parse(&text);
        let source = self.sources.add(shown, text);
        match parsed {
            Ok(document) => Some(File { document, source }),
            Err(error) => {
                self.errors.push(Diagnostic {
                    severity: Severity::Error,
                    message: error.message,
                    expected: error.expected.into(),
                    place: Some(Place::new(source, error.span)),
                });
                None
            }
        }
    }

    /// Complains of a tag that is not among those of plain data.
    fn plain(&mut self, file: &File, id: Id) -> Option<()> {
        let tag = &*file.document.node(id).tag;
        if PLAIN_TAGS.contains(&tag) {
            return Some(());
        }
        let message = format!("a Python object cannot be imported here: !!{tag}");
        self.error(file, id, message, "plain data");
        None
    }

    fn entries<'f>(&mut self, file: &'f File, id: Id, what: &str) -> Option<&'f [(Id, Id)]> {
        self.plain(file, id)?;
        let entries = file.document.map(id);
        match entries {
            Some(entries) => self.look(file, id, entries.len())?,
            None => {
                let shown = file.document.node(id).described();
                self.error(file, id, format!("{what} is a mapping, not {shown}"), "");
            }
        }
        entries
    }

    /// Says that so many values of a list or a mapping will be looked at.
    fn look(&mut self, file: &File, id: Id, count: usize) -> Option<()> {
        self.looks += count;
        if self.looks <= LOOKS_MAX {
            return Some(());
        }
        let message = format!("aliases stand for more than {LOOKS_MAX} values");
        self.error(file, id, message, "a smaller experiment");
        None
    }

    fn text<'f>(&mut self, file: &'f File, id: Id, what: &str) -> Option<&'f str> {
        self.plain(file, id)?;
        let text = file.document.text(id);
        if text.is_none() {
            let shown = file.document.node(id).described();
            self.error(
                file,
                id,
                format!("{what} is expected here, not {shown}"),
                "",
            );
        }
        text
    }

    /// What stands under the name of a p2psimpy configuration: `{ConnectionConfig: {...}}`.
    fn config<'f>(&mut self, file: &'f File, id: Id) -> Option<&'f [(Id, Id)]> {
        let entries = self.entries(file, id, "a configuration")?;
        let [(_, inner)] = entries else {
            self.error(
                file,
                id,
                "a configuration is under its class's name",
                "{ConnectionConfig: {ping_interval: 1000}}",
            );
            return None;
        };
        self.entries(file, *inner, "a configuration")
    }

    fn scenario(&mut self, folder: &Path, horizon: &str) -> Option<String> {
        let locations = self.read(folder, "locations.yaml");
        let services = self.read(folder, "services.yaml");
        let topology = self.read(folder, "topology.yaml");
        let (locations, services, topology) = (locations?, services?, topology?);
        let mut yaml = String::new();
        let places = self.locations(&locations, &mut yaml);
        let types = self.peer_types(&services, &mut yaml);
        let peers = self.peers(&topology);
        places?;
        let types = types?;
        self.topology(&topology, &peers?, &types, &mut yaml)?;
        let mut scenario = format!(
            "# Imported from p2psimpy's experiment {}.\n",
            folder.display().to_string().replace(char::is_control, " ")
        );
        for note in &self.notes {
            let _ = writeln!(scenario, "# {note}");
        }
        let _ = write!(
            scenario,
            "seed: 1\nhorizon: {}\nnetwork: {{uplink: unlimited}}   # p2psimpy has no queue there\n{yaml}",
            scalar(horizon)
        );
        Some(scenario)
    }

    fn locations(&mut self, file: &File, yaml: &mut String) -> Option<()> {
        let root = file.document.root();
        let entries = self.config(file, root)?;
        let key = |key: &str| {
            let found = entries
                .iter()
                .find(|&&(k, _)| file.document.text(k) == Some(key));
            found.map(|&(_, value)| value)
        };
        for &(name, _) in entries {
            let known = ["locations", "latencies"];
            if !file
                .document
                .text(name)
                .is_some_and(|name| known.contains(&name))
            {
                self.error(
                    file,
                    name,
                    "locations have no such key",
                    "locations, latencies",
                );
            }
        }
        let (Some(names), Some(latencies)) = (key("locations"), key("latencies")) else {
            self.error(file, root, "`locations` and `latencies` are needed", "");
            return None;
        };
        let Some(items) = file.document.list(names) else {
            self.error(
                file,
                names,
                "`locations` is a list of names",
                "[LocA, LocB]",
            );
            return None;
        };
        let mut shown = Vec::with_capacity(items.len());
        for &item in items {
            shown.push(text(self.text(file, item, "a location")?));
        }
        let _ = writeln!(yaml, "locations: [{}]", shown.join(", "));
        let _ = writeln!(yaml, "latencies:   # round trip in ms");
        for &(from, row) in self.entries(file, latencies, "`latencies`")? {
            let from = self.text(file, from, "a location")?;
            let _ = writeln!(yaml, "  {}:", text(from));
            for &(to, cell) in self.entries(file, row, "latencies from a location")? {
                let to = self.text(file, to, "a location")?;
                if let Some(law) = self.law(file, cell, Quantity::Milliseconds) {
                    let _ = writeln!(yaml, "    {}: {}", text(to), scalar(&law));
                }
            }
        }
        Some(())
    }
}

/// An expression as a YAML value, also within `{...}`.
fn scalar(expression: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ');
    if expression.chars().all(bare) {
        // A word that YAML reads otherwise is still that word here.
        expression.to_owned()
    } else {
        serde_json::Value::from(expression).to_string()
    }
}
