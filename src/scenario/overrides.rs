//! Keys set from the command line: `--set network.min_delay=1ms`, `--seed 7`, `--until 10s`.

use super::diagnostics::{Diagnostic, Severity};
use super::node::{self, Key, Node, Value};
use super::source::{Place, Sources};

/// A key of the scenario set from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// What errors call it: `--set`.
    flag: &'static str,
    path: String,
    value: String,
}

impl Override {
    /// Reads `PATH=VALUE`.
    ///
    /// # Errors
    /// What is wrong with it, when it has no `=` or an empty part in its path.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((path, value)) = text.split_once('=') else {
            return Err(format!(
                "--set {text}: a `=` is missing\n  write --set PATH=VALUE, for example --set network.min_delay=1ms"
            ));
        };
        if path.split('.').any(str::is_empty) {
            return Err(format!(
                "--set {text}: the path `{path}` has an empty part\n  \
                 write the keys from the outermost on, parted by dots"
            ));
        }
        Ok(Override {
            flag: "--set",
            path: path.to_owned(),
            value: value.to_owned(),
        })
    }

    /// The value of a flag of its own for one key.
    pub fn flag(flag: &'static str, path: &str, value: &str) -> Self {
        Override {
            flag,
            path: path.to_owned(),
            value: value.to_owned(),
        }
    }
}

/// Puts the overrides into a scenario's tree, in order.
pub(super) fn apply(
    root: &mut Node,
    overrides: &[Override],
    sources: &mut Sources,
) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    for change in overrides {
        let name = match change.flag {
            "--set" => format!("--set {}", change.path),
            flag => flag.to_owned(),
        };
        let source = sources.add(name, change.value.clone());
        let value = match node::parse(sources, source) {
            Ok(value) => value,
            Err(found) => {
                errors.extend(found);
                continue;
            }
        };
        let place = Place::new(source, 0..change.value.len());
        if let Err(message) = set(root, &change.path, value, place) {
            errors.push(Diagnostic {
                severity: Severity::Error,
                message,
                expected: String::new(),
                place: Some(place),
            });
        }
    }
    errors
}

/// The keys of a path. The name of a script keeps its dot: `services.gossip.luau.fanout`.
fn keys(path: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(path);
    std::iter::from_fn(move || {
        let left = rest?;
        let first = left.find('.').unwrap_or(left.len());
        let of_script = [".luau", ".wasm"].into_iter().find(|extension| {
            let after = left[first..].strip_prefix(extension);
            after.is_some_and(|after| after.is_empty() || after.starts_with('.'))
        });
        let end = first + of_script.map_or(0, str::len);
        rest = left.get(end + 1..);
        Some(&left[..end])
    })
}

fn set(root: &mut Node, path: &str, value: Node, place: Place) -> Result<(), String> {
    let mut here = root;
    let mut walked = String::new();
    for part in keys(path) {
        open(here, part);
        let described = here.described();
        let Value::Map(entries) = &mut here.value else {
            return Err(format!(
                "`{path}` leads into `{walked}`, which is {described} and has no keys"
            ));
        };
        if !walked.is_empty() {
            walked.push('.');
        }
        walked.push_str(part);
        let found = entries.iter().position(|(key, _)| key.text == part);
        let at = found.unwrap_or_else(|| {
            let key = Key {
                text: part.to_owned(),
                place,
            };
            let value = Node {
                value: Value::Null,
                place,
            };
            entries.push((key, value));
            entries.len() - 1
        });
        here = &mut entries[at].1;
    }
    *here = value;
    Ok(())
}

/// Makes room for the key `part`: nothing becomes an empty mapping, and a list of names that
/// has `part` in it (`services: [A, B]`) a mapping of these names.
fn open(node: &mut Node, part: &str) {
    match &node.value {
        Value::Null => node.value = Value::Map(Vec::new()),
        Value::List(items) => {
            let names: Option<Vec<(Key, Node)>> = items
                .iter()
                .map(|item| match &item.value {
                    Value::Scalar(scalar) => {
                        let key = Key {
                            text: scalar.text.clone(),
                            place: item.place,
                        };
                        let nothing = Node {
                            value: Value::Null,
                            place: item.place,
                        };
                        Some((key, nothing))
                    }
                    Value::Map(entries) if entries.len() == 1 => Some(entries[0].clone()),
                    _ => None,
                })
                .collect();
            if let Some(names) = names
                && names.iter().any(|(key, _)| key.text == part)
            {
                node.value = Value::Map(names);
            }
        }
        _ => {}
    }
}
