//! What p2psimpy's services.yaml says: peer types, their services, and parameters.

use std::fmt::Write;

use super::laws::Quantity;
use super::tagged::{Id, Value};
use super::{File, Import, SET, scalar};
use crate::expression::nearest;
use crate::scenario::resolved::text;
use crate::services::{ParameterKind, ParameterSpec, ServiceSpec};
use crate::units::Dimension;

/// The tag of a peer type.
const PEER_TYPE: &str = "python/object/new:p2psimpy.config.PeerType";

impl Import<'_> {
    /// Writes the peer types; their names.
    pub(super) fn peer_types(&mut self, file: &File, yaml: &mut String) -> Option<Vec<String>> {
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
        self.look(file, id, wanted.len())?;
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
                self.look(file, id, items.len())?;
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
}
