//! `p2psim import p2psimpy`: an experiment that p2psimpy has saved becomes a scenario.
//!
//! `Simulation.save_experiment` leaves three files: `locations.yaml`, `topology.yaml` and
//! `services.yaml`. The last two have Python objects in them, which are read as data. What
//! p2psimpy does otherwise than p2psim by default is set in the scenario, so that the two can be
//! compared: it has no uplink queues, and relays gossip at every receipt.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use super::diagnostics::{Diagnostic, Severity};
use super::laws::SAVED_KEYS;
use super::resolved::text;
use super::source::{Place, Sources};
use super::tagged::{self, Document, Id, Value};
use super::{LoadOptions, ScenarioError, parse, read_file};
use crate::distribution::Distribution;
use crate::expression::{self, Expression, ExpressionKind, nearest, quote_name, quote_text};
use crate::services::{ParameterKind, ParameterSpec, Registry, ServiceSpec};
use crate::units::Dimension;

/// More links than this are better kept in a graph file.
const LINKS_MAX: usize = 100_000;
/// What p2psimpy's objects are tagged with.
const GRAPH: &str = "python/object:networkx.classes.graph.Graph";
const PEER_TYPE: &str = "python/object/new:p2psimpy.config.PeerType";
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
const SET: &str = "set";

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
    registry: &'a Registry,
}

/// Peers, their types and their links.
struct Peers {
    types: BTreeMap<u64, String>,
    /// Where each type is named first.
    named: BTreeMap<String, Id>,
    /// Each once, the smaller end first.
    links: BTreeSet<(u64, u64)>,
}

/// In what p2psimpy measures a quantity.
#[derive(Clone, Copy, PartialEq)]
enum Quantity {
    Milliseconds,
    /// p2psimpy's MBit is 2^20 bit/s in these.
    BytesPerSecond,
    Number,
}

impl Import<'_> {
    fn error(
        &mut self,
        file: &File,
        id: Id,
        message: impl Into<String>,
        expected: impl Into<String>,
    ) {
        let span = file.document.node(id).span.clone();
        self.errors.push(Diagnostic {
            severity: Severity::Error,
            message: message.into(),
            expected: expected.into(),
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
        if entries.is_none() {
            let shown = file.document.node(id).described();
            self.error(file, id, format!("{what} is a mapping, not {shown}"), "");
        }
        entries
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

    /// Writes the peer types; their names.
    fn peer_types(&mut self, file: &File, yaml: &mut String) -> Option<Vec<String>> {
        let root = file.document.root();
        // A list of the types and of the services' classes, which are not looked at.
        let Some(&[types, _]) = file.document.list(root) else {
            self.error(file, root, "services.yaml is a list of two mappings", "");
            return None;
        };
        let _ = writeln!(yaml, "peer_types:");
        let mut names = Vec::new();
        for &(name, peer_type) in self.entries(file, types, "the first of them")? {
            let name = self.text(file, name, "the name of a peer type")?;
            names.push(name.to_owned());
            let _ = writeln!(yaml, "  {}:", text(name));
            let node = file.document.node(peer_type);
            let parts = match (&*node.tag, &node.value) {
                (PEER_TYPE, Value::List(parts)) => Some(&parts[..]),
                _ => None,
            };
            let Some(&[config, services]) = parts else {
                let message = "a peer type is a PeerType of a configuration and services";
                self.error(file, peer_type, message, format!("!!{PEER_TYPE}"));
                continue;
            };
            self.peer_config(file, config, yaml);
            self.services(file, services, yaml);
        }
        Some(names)
    }

    fn peer_config(&mut self, file: &File, id: Id, yaml: &mut String) -> Option<()> {
        let mut missing = vec!["location", "bandwidth_ul", "bandwidth_dl"];
        for &(key, value) in self.config(file, id)? {
            let name = self.text(file, key, "a key")?;
            missing.retain(|&known| known != name);
            let written = match name {
                "location" => self.location(file, value),
                "bandwidth_ul" | "bandwidth_dl" => self.law(file, value, Quantity::BytesPerSecond),
                _ => {
                    let message = format!("p2psim's peers have no attribute `{name}`");
                    self.error(file, key, message, "location, bandwidth_ul, bandwidth_dl");
                    None
                }
            };
            if let Some(written) = written {
                let _ = writeln!(yaml, "    {name}: {}", scalar(&written));
            }
        }
        if let Some(name) = missing.first() {
            self.error(file, id, format!("a peer type needs `{name}`"), "");
        }
        Some(())
    }

    fn services(&mut self, file: &File, id: Id, yaml: &mut String) -> Option<()> {
        self.plain(file, id)?;
        let wanted: Vec<(Id, Option<Id>)> = match &file.document.node(id).value {
            Value::Null => Vec::new(),
            Value::List(names) => names.iter().map(|&name| (name, None)).collect(),
            Value::Map(entries) => entries
                .iter()
                .map(|&(name, config)| (name, Some(config)))
                .collect(),
            Value::Scalar(_) => {
                self.error(file, id, "services are a list or a mapping", "");
                return None;
            }
        };
        let _ = writeln!(
            yaml,
            "    services:{}",
            if wanted.is_empty() { " []" } else { "" }
        );
        for (name, config) in wanted {
            let Some(service) = self.text(file, name, "the name of a service") else {
                continue;
            };
            let Some(spec) = self.registry.get(service).copied() else {
                let names = self.registry.iter().map(|spec| spec.name);
                let expected = nearest(service, names).unwrap_or_else(|| {
                    "remove it from services.yaml, or write it in Rust: examples/heartbeat.rs"
                        .into()
                });
                let message = format!("p2psim has no service `{service}`");
                self.error(file, name, message, expected);
                continue;
            };
            let config = config.filter(|&id| !matches!(file.document.node(id).value, Value::Null));
            let parameters = match config {
                Some(config) => self.parameters(file, &spec, config),
                None => Some(Vec::new()),
            };
            let mut parameters = parameters.unwrap_or_default();
            if spec
                .parameters
                .iter()
                .any(|p| p.name == "suppress_duplicates")
            {
                // Relaying once is p2psim's addition.
                parameters.push("suppress_duplicates: false".into());
            }
            if service.ends_with("Downtime") {
                self.notes.insert(
                    "p2psimpy swaps the two times of downtimes and ends their connections for \
                     good; p2psim does neither."
                        .into(),
                );
            }
            let _ = writeln!(yaml, "      {}: {{{}}}", spec.name, parameters.join(", "));
        }
        Some(())
    }

    /// `name: value` for each parameter of a service.
    fn parameters(&mut self, file: &File, spec: &ServiceSpec, id: Id) -> Option<Vec<String>> {
        let mut written = Vec::new();
        for &(key, value) in self.config(file, id)? {
            let name = self.text(file, key, "a key")?;
            let is_null = matches!(file.document.node(value).value, Value::Null);
            let Some(parameter) = spec.parameters.iter().find(|p| p.name == name) else {
                // Tasks are functions; without one nothing is lost.
                if is_null && ["pre_task", "post_task"].contains(&name) {
                    continue;
                }
                let expected =
                    match name {
                        "pre_task" | "post_task" => {
                            "remove it; a delay is `processing` of the gossip service".to_owned()
                        }
                        _ => nearest(name, spec.parameters.iter().map(|p| p.name)).unwrap_or_else(
                            || format!("remove it; p2psim list services {}", spec.name),
                        ),
                    };
                let message = format!("{} has no parameter `{name}` here", spec.name);
                self.error(file, key, message, expected);
                continue;
            };
            if is_null {
                continue;
            }
            if let Some(value) = self.parameter(file, parameter, value) {
                written.push(format!("{name}: {value}"));
            }
        }
        Some(written)
    }

    fn parameter(&mut self, file: &File, parameter: &ParameterSpec, id: Id) -> Option<String> {
        match parameter.kind {
            ParameterKind::Law(dimension) | ParameterKind::OptionalLaw(dimension) => {
                let quantity = match dimension {
                    Dimension::Time => Quantity::Milliseconds,
                    Dimension::Bandwidth => Quantity::BytesPerSecond,
                    Dimension::Plain | Dimension::Bytes => Quantity::Number,
                };
                self.law(file, id, quantity).map(|law| scalar(&law))
            }
            ParameterKind::Durations | ParameterKind::Types | ParameterKind::Peers => {
                let node = file.document.node(id);
                let items: Vec<Id> = match &node.value {
                    Value::List(items) => items.clone(),
                    // A set is a mapping of its members to nothing.
                    Value::Map(entries) if &*node.tag == SET => {
                        entries.iter().map(|&(item, _)| item).collect()
                    }
                    _ => {
                        let message = format!("`{}` is a list", parameter.name);
                        self.error(file, id, message, "");
                        return None;
                    }
                };
                let mut shown = Vec::with_capacity(items.len());
                for item in items {
                    let item = self.text(file, item, "a single value")?;
                    shown.push(match parameter.kind {
                        ParameterKind::Types => text(item),
                        _ => item.to_owned(),
                    });
                }
                Some(format!("[{}]", shown.join(", ")))
            }
            _ if file.document.map(id).is_some() => {
                let message = format!("`{}` is one value for all peers here", parameter.name);
                self.error(file, id, message, "a number in place of the distribution");
                None
            }
            _ => {
                let value = self.text(file, id, "a single value")?;
                // Python's True is YAML's true; 5.0 peers are 5.
                Some(match (parameter.kind, value.parse::<f64>()) {
                    (ParameterKind::Flag, _) => value.to_lowercase(),
                    (_, Ok(number)) => number.to_string(),
                    _ => text(value),
                })
            }
        }
    }

    /// The expression of a number or a saved distribution.
    fn law(&mut self, file: &File, id: Id, quantity: Quantity) -> Option<String> {
        self.plain(file, id)?;
        let law = match file.document.map(id) {
            None => {
                let text = self.text(file, id, "a number or a distribution")?;
                match text.parse::<f64>() {
                    Ok(number) if number.is_finite() => quantity.show(number),
                    _ => {
                        let message = format!("`{text}` is no number");
                        self.error(file, id, message, "a finite number, or a distribution");
                        return None;
                    }
                }
            }
            Some(_) => {
                let (name, params) = self.saved(file, id)?;
                let call = self.call(file, params, &name, quantity)?;
                format!("{name}({call})")
            }
        };
        if let Err(errors) = Distribution::parse(&law, quantity.dimension()) {
            for error in errors {
                let message = format!("{law}: {}", error.message);
                self.error(file, id, message, error.expected);
            }
            return None;
        }
        Some(law)
    }

    /// Name and parameters of `{Dist: {name: norm, params: "(12, 2)"}}`.
    fn saved(&mut self, file: &File, id: Id) -> Option<(String, Id)> {
        let inner = SAVED_KEYS.iter().find_map(|key| file.document.get(id, key));
        let part = |key| inner.and_then(|inner| file.document.get(inner, key));
        match (part("name"), part("params")) {
            (Some(name), Some(params)) => {
                let name = self.text(file, name, "the name of a distribution")?;
                Some((name.to_owned(), params))
            }
            _ => {
                self.error(
                    file,
                    id,
                    "a distribution is expected here",
                    "{Dist: {name: norm, params: \"(12, 2)\"}}",
                );
                None
            }
        }
    }

    /// The arguments of a saved distribution's call.
    fn call(&mut self, file: &File, params: Id, name: &str, quantity: Quantity) -> Option<String> {
        let arguments = self.python(file, params)?;
        if name == "sample" {
            return self.sample(file, params, arguments, |import, value| match value.kind {
                ExpressionKind::Number { value, unit: None } => Some(quantity.show(value)),
                _ => {
                    import.error(file, params, "numbers are expected here", "");
                    None
                }
            });
        }
        let Arguments::List(items) = arguments else {
            self.error(file, params, "parameters are a tuple", "(12, 2)");
            return None;
        };
        let mut shown = Vec::with_capacity(items.len());
        for (place, item) in items.iter().enumerate() {
            let ExpressionKind::Number { value, unit: None } = item.kind else {
                self.error(file, params, "parameters are numbers", "(12, 2)");
                return None;
            };
            // The last two are loc and scale; shapes have no unit.
            let measured = place + 2 >= items.len();
            let quantity = if measured { quantity } else { Quantity::Number };
            shown.push(quantity.show(value));
        }
        Some(shown.join(", "))
    }

    fn sample(
        &mut self,
        file: &File,
        params: Id,
        arguments: Arguments,
        mut show: impl FnMut(&mut Self, &Expression) -> Option<String>,
    ) -> Option<String> {
        let (values, weights) = match arguments {
            Arguments::List(values) => (values, None),
            Arguments::Sample { values, weights } => (values, weights),
        };
        let mut shown = Vec::with_capacity(values.len());
        for value in &values {
            shown.push(show(self, value)?);
        }
        let shown = shown.join(", ");
        let Some(weights) = weights else {
            return Some(shown);
        };
        let mut numbers = Vec::with_capacity(weights.len());
        for weight in &weights {
            let ExpressionKind::Number { value, unit: None } = weight.kind else {
                self.error(file, params, "weights are numbers", "[0.9, 0.1]");
                return None;
            };
            numbers.push(value.to_string());
        }
        Some(format!("[{shown}], weights=[{}]", numbers.join(", ")))
    }

    fn location(&mut self, file: &File, id: Id) -> Option<String> {
        self.plain(file, id)?;
        if file.document.map(id).is_none() {
            return self.text(file, id, "a location").map(quote_name);
        }
        let (name, params) = self.saved(file, id)?;
        if name != "sample" {
            self.error(file, id, "a location is chosen by `sample`", "sample");
            return None;
        }
        let arguments = self.python(file, params)?;
        let call = self.sample(file, params, arguments, |import, value| match &value.kind {
            ExpressionKind::Text(name) => Some(quote_name(name)),
            ExpressionKind::Name(name) => Some(quote_name(name)),
            _ => {
                import.error(file, params, "names of locations are expected here", "");
                None
            }
        })?;
        Some(format!("sample({call})"))
    }

    /// Parameters as Python's `str` shows them: a tuple, a list, or a dict of `values` and
    /// `weights`; or as a YAML list.
    fn python(&mut self, file: &File, id: Id) -> Option<Arguments> {
        self.plain(file, id)?;
        let written = match &file.document.node(id).value {
            Value::Scalar(text) => text.to_string(),
            Value::List(items) => {
                let mut shown = Vec::with_capacity(items.len());
                for &item in items {
                    let item = self.text(file, item, "a single value")?;
                    shown.push(match item.parse::<f64>() {
                        Ok(_) => item.to_owned(),
                        Err(_) => quote_text(item),
                    });
                }
                format!("[{}]", shown.join(", "))
            }
            _ => {
                self.error(file, id, "parameters are a tuple or a list", "(12, 2)");
                return None;
            }
        };
        let list = |text: &str| match expression::parse(text) {
            Ok(Expression {
                kind: ExpressionKind::List(items),
                ..
            }) => Some(items),
            _ => None,
        };
        let found = if written.trim_start().starts_with('{') {
            sample_dict(&written).and_then(|(values, weights)| {
                let weights = match weights {
                    Some(weights) => Some(list(&weights)?),
                    None => None,
                };
                Some(Arguments::Sample {
                    values: list(&values)?,
                    weights,
                })
            })
        } else {
            list(&written).map(Arguments::List)
        };
        if found.is_none() {
            let shown: String = written.chars().take(40).collect();
            let message = format!("`{shown}` cannot be read as parameters");
            self.error(file, id, message, "a tuple or a list: (12, 2)");
        }
        found
    }

    fn peers(&mut self, file: &File) -> Option<Peers> {
        let root = file.document.root();
        let tag = &*file.document.node(root).tag;
        let is_graph = tag == GRAPH;
        let mut peers = Peers {
            types: BTreeMap::new(),
            named: BTreeMap::new(),
            links: BTreeSet::new(),
        };
        let (nodes, adjacency) = if is_graph {
            let part = |names: [&str; 2]| names.iter().find_map(|n| file.document.get(root, n));
            // Without underscores before networkx 2.
            match (part(["_node", "node"]), part(["_adj", "adj"])) {
                (Some(nodes), Some(adjacency)) => (nodes, Some(adjacency)),
                _ => {
                    self.error(file, root, "this graph has no `_node` and `_adj`", "");
                    return None;
                }
            }
        } else if tag.starts_with("python/object") {
            let message = format!("this is no graph that p2psimpy simulates: !!{tag}");
            self.error(file, root, message, "an undirected networkx.Graph");
            return None;
        } else {
            (root, None)
        };
        for &(key, value) in self.entries(file, nodes, "the peers")? {
            let Some(id) = self.peer_id(file, key) else {
                continue;
            };
            let Some(named) = file.document.get(value, "type") else {
                self.error(file, value, format!("peer {id} has no type"), "type: peer");
                continue;
            };
            if let Some(name) = self.text(file, named, "a peer type") {
                peers.types.insert(id, name.to_owned());
                peers.named.entry(name.to_owned()).or_insert(named);
            }
            if let (false, Some(others)) = (is_graph, file.document.get(value, "neighbors")) {
                self.neighbours(file, id, others, &mut peers);
            }
        }
        if let Some(adjacency) = adjacency {
            for &(key, others) in self.entries(file, adjacency, "the links")? {
                if let Some(id) = self.peer_id(file, key) {
                    self.neighbours(file, id, others, &mut peers);
                }
            }
        }
        let ends = peers.links.iter().flat_map(|&(a, b)| [a, b]);
        let stranger = ends.into_iter().find(|id| !peers.types.contains_key(id));
        if let Some(id) = stranger {
            self.error(file, root, format!("peer {id} has links, but no type"), "");
            return None;
        }
        Some(peers)
    }

    fn peer_id(&mut self, file: &File, id: Id) -> Option<u64> {
        let text = self.text(file, id, "a peer's id")?;
        let number = text.parse().ok();
        if number.is_none() {
            let message = format!("`{text}` is no peer's id");
            self.error(file, id, message, "a whole number from 0 on");
        }
        number
    }

    /// The other ends of a peer's links: the keys of a mapping, a set, or a list.
    fn neighbours(&mut self, file: &File, peer: u64, id: Id, peers: &mut Peers) -> Option<()> {
        if &*file.document.node(id).tag != SET {
            self.plain(file, id)?;
        }
        let others: Vec<Id> = match &file.document.node(id).value {
            Value::Null => Vec::new(),
            Value::List(items) => items.clone(),
            Value::Map(entries) => entries.iter().map(|&(other, _)| other).collect(),
            Value::Scalar(_) => {
                self.error(file, id, "neighbours are a list of ids", "[1, 2]");
                return None;
            }
        };
        for other in others {
            let other = self.peer_id(file, other)?;
            if other != peer {
                peers.links.insert((peer.min(other), peer.max(other)));
            }
        }
        Some(())
    }

    fn topology(
        &mut self,
        file: &File,
        peers: &Peers,
        types: &[String],
        yaml: &mut String,
    ) -> Option<()> {
        let root = file.document.root();
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for name in peers.types.values() {
            *counts.entry(name).or_default() += 1;
        }
        for (name, &id) in &peers.named {
            if !types.contains(name) {
                let message = format!("services.yaml has no peer type `{name}`");
                self.error(file, id, message, format!("one of {}", types.join(", ")));
                return None;
            }
        }
        let _ = writeln!(yaml, "topology:");
        if peers.links.is_empty() {
            let shown = counts
                .iter()
                .map(|(name, n)| format!("{}: {n}", text(name)));
            let shown: Vec<String> = shown.collect();
            let _ = writeln!(yaml, "  emergent: {{{}}}", shown.join(", "));
            if counts.len() > 1 || !peers.types.keys().copied().eq(1..=peers.types.len() as u64) {
                self.notes.insert(
                    "Peers have other ids than in p2psimpy: from 1 on, type by type.".into(),
                );
            }
            return Some(());
        }
        if peers.links.len() > LINKS_MAX {
            let message = format!("{} links are too many for a scenario", peers.links.len());
            let cure = "networkx.write_graphml(graph, file), and `graph: FILE` in the scenario";
            self.error(file, root, message, cure);
            return None;
        }
        let linked: BTreeSet<u64> = peers.links.iter().flat_map(|&(a, b)| [a, b]).collect();
        if let Some(lonely) = peers.types.keys().find(|id| !linked.contains(id)) {
            let message = format!("peer {lonely} has no link, where others have some");
            self.error(file, root, message, "links for all peers, or for none");
            return None;
        }
        let links = peers.links.iter().map(|(a, b)| format!("[{a}, {b}]"));
        let links: Vec<String> = links.collect();
        let _ = writeln!(yaml, "  edges:");
        for row in links.chunks(10) {
            let _ = writeln!(yaml, "    - {}", row.join("\n    - "));
        }
        let most = counts.iter().max_by_key(|&(_, count)| count)?.0;
        let _ = writeln!(yaml, "  types:");
        for (id, name) in peers.types.iter().filter(|(_, name)| name != most) {
            let _ = writeln!(yaml, "    {id}: {}", text(name));
        }
        let _ = writeln!(yaml, "    others: {}", text(most));
        Some(())
    }
}

/// The parameters of a saved distribution.
enum Arguments {
    List(Vec<Expression>),
    /// `{'values': [...], 'weights': [...]}`.
    Sample {
        values: Vec<Expression>,
        weights: Option<Vec<Expression>>,
    },
}

/// The texts of the lists `values` and `weights` in a Python dict, which is a YAML mapping too;
/// the weights may be left out.
fn sample_dict(written: &str) -> Option<(String, Option<String>)> {
    let document = tagged::parse(written).ok()?;
    let entries = document.map(document.root())?;
    let known = ["values", "weights"];
    let fits = |&(key, _): &(Id, Id)| document.text(key).is_some_and(|key| known.contains(&key));
    let list = |key: &str| {
        let id = document.get(document.root(), key)?;
        let items = document.list(id)?.iter();
        let items = items.map(|&item| {
            let text = document.text(item)?;
            Some(match text.parse::<f64>() {
                Ok(_) => text.to_owned(),
                Err(_) => quote_text(text),
            })
        });
        Some(format!(
            "[{}]",
            items.collect::<Option<Vec<_>>>()?.join(", ")
        ))
    };
    let weights = match document.get(document.root(), "weights") {
        Some(_) => Some(list("weights")?),
        None => None,
    };
    if !entries.iter().all(fits) {
        return None;
    }
    Some((list("values")?, weights))
}

impl Quantity {
    fn dimension(self) -> Dimension {
        match self {
            Quantity::Milliseconds => Dimension::Time,
            Quantity::BytesPerSecond => Dimension::Bandwidth,
            Quantity::Number => Dimension::Plain,
        }
    }

    /// A value of p2psimpy's as it stands in a scenario.
    fn show(self, value: f64) -> String {
        if self != Quantity::BytesPerSecond {
            return value.to_string();
        }
        let bits = 8.0 * value;
        for (unit, size) in [("Mibit", 1_048_576.0), ("Mbit", 1e6), ("Kibit", 1024.0)] {
            // Short enough to be what was meant.
            if (1000.0 * bits / size).fract() == 0.0 {
                return format!("{} {unit}", bits / size);
            }
        }
        format!("{bits} bit")
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
