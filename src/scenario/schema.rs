//! The JSON Schema of a scenario, made from the keys that its parser declares.
//!
//! Every mapping of a scenario is read by a [`Mapping`], and no key can be read that is not
//! declared there; services, distributions and generators declare theirs themselves. What is
//! written here is only how a value of a kind looks in JSON.

use serde_json::{Map, Value, json};

use super::{compiler, laws, network, peer_types};
use crate::distribution;
use crate::engine::SERVICES_MAX;
use crate::peer::PeerIndex;
use crate::services::{ParameterKind, ParameterSpec, Registry, ServiceSpec};
use crate::topology::generators;
use crate::units::Dimension;

/// A mapping of a scenario: what messages call it, and its keys.
pub(super) struct Mapping {
    /// What it is, for messages: "a scenario".
    pub(super) what: &'static str,
    pub(super) keys: &'static [KeySpec],
}

/// A key of a mapping.
pub(super) struct KeySpec {
    pub(super) name: &'static str,
    /// The schema of its value.
    shape: Shape,
    /// What it does.
    about: &'static str,
    /// Whether the mapping is wrong without it.
    pub(super) required: bool,
    /// What it is unless given, as in a scenario; may be empty.
    default: &'static str,
}

/// The schema of a value, where these services can be named.
pub(super) type Shape = fn(&Registry) -> Value;

impl KeySpec {
    /// A key that may be left out.
    pub(super) const fn new(name: &'static str, shape: Shape, about: &'static str) -> Self {
        KeySpec {
            name,
            shape,
            about,
            required: false,
            default: "",
        }
    }

    /// The same key, which must be there.
    pub(super) const fn required(self) -> Self {
        KeySpec {
            required: true,
            ..self
        }
    }

    /// The same key, with what stands for it where it is left out.
    pub(super) const fn or(self, default: &'static str) -> Self {
        KeySpec { default, ..self }
    }
}

impl Mapping {
    /// The declaration of a key.
    ///
    /// # Panics
    /// When there is none: a mistake in the parser.
    pub(super) fn key(&self, name: &str) -> &'static KeySpec {
        match self.keys.iter().find(|key| key.name == name) {
            Some(key) => key,
            None => panic!("{} declares no key `{name}`", self.what),
        }
    }

    /// The schema of the mapping.
    pub(super) fn schema(&self, registry: &Registry) -> Value {
        let mut properties = Map::new();
        for key in self.keys {
            let shape = (key.shape)(registry);
            let property = described(shape, key.about, key.default);
            properties.insert(key.name.to_owned(), property);
        }
        let required: Vec<&str> = self
            .keys
            .iter()
            .filter(|key| key.required)
            .map(|key| key.name)
            .collect();
        let mut schema = object(properties);
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        schema
    }
}

/// The JSON Schema (draft 2020-12) of a scenario that can name the services of `registry`.
///
/// It says which keys there are, what they mean, their units, defaults, ranges and the words
/// they take. What depends on other keys (whether a location exists, whether shares add up) only
/// [`super::load`] checks: a scenario that fits its schema can still be wrong, but none that is
/// right fails it, apart from keys without a value.
pub fn schema(registry: &Registry) -> Value {
    let scenario = compiler::SCENARIO.schema(registry);
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "p2psim scenario",
        "description": "A peer-to-peer network and what a run of it does. Bare numbers are \
                        milliseconds, bit/s or bytes.",
    });
    let mut definitions = Map::new();
    definitions.insert(
        "time".into(),
        quantity(Dimension::Time, json!({"minimum": 0})),
    );
    let above = json!({"exclusiveMinimum": 0});
    definitions.insert("time_above_0".into(), quantity(Dimension::Time, above));
    definitions.insert("distribution".into(), mapping_schema(registry));
    for dimension in DIMENSIONS {
        definitions.insert(law_name(dimension).into(), law_schema(dimension));
    }
    definitions.insert("choice".into(), choice_schema(registry));
    definitions.insert("loss".into(), network::loss_schema(registry));
    for spec in registry.iter() {
        definitions.insert(service_name(spec), service(spec));
    }
    if let (Some(schema), Value::Object(scenario)) = (schema.as_object_mut(), scenario) {
        schema.extend(scenario);
        schema.insert("$defs".into(), definitions.into());
    }
    schema
}

const DIMENSIONS: [Dimension; 4] = [
    Dimension::Plain,
    Dimension::Time,
    Dimension::Bandwidth,
    Dimension::Bytes,
];

/// A mapping with these keys and no others.
pub(super) fn object(properties: Map<String, Value>) -> Value {
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

/// A mapping of names to values of one kind.
pub(super) fn map_of(value: Value) -> Value {
    json!({"type": "object", "additionalProperties": value})
}

/// A list of values of one kind.
pub(super) fn list_of(item: Value) -> Value {
    json!({"type": "array", "items": item})
}

/// A value of one of these kinds.
pub(super) fn any_of(schemas: impl IntoIterator<Item = Value>) -> Value {
    json!({"anyOf": schemas.into_iter().collect::<Vec<Value>>()})
}

/// One of these words.
pub(super) fn words<T>(words: &[(&'static str, T)]) -> Value {
    let words: Vec<&str> = words.iter().map(|&(word, _)| word).collect();
    json!({"enum": words})
}

/// `true` or `false`.
pub(super) fn flag(_: &Registry) -> Value {
    json!({"type": "boolean"})
}

/// A name; YAML reads some as numbers, or as booleans.
pub(super) fn name(_: &Registry) -> Value {
    json!({"type": ["string", "number", "boolean"]})
}

/// A whole number.
pub(super) fn whole(min: u64, max: u64) -> Value {
    json!({"type": "integer", "minimum": min, "maximum": max})
}

/// How many peers there are of something, at least one.
pub(super) fn some_peers(_: &Registry) -> Value {
    whole(1, PeerIndex::LIMIT)
}

/// A number from 0 to 1.
pub(super) fn probability(_: &Registry) -> Value {
    json!({"type": "number", "minimum": 0, "maximum": 1})
}

/// What is said under this name in `$defs`.
pub(super) fn defined(name: &str) -> Value {
    json!({"$ref": format!("#/$defs/{name}")})
}

/// A time, 0 or more.
pub(super) fn time(_: &Registry) -> Value {
    defined("time")
}

/// A time above 0.
pub(super) fn time_above_0(_: &Registry) -> Value {
    defined("time_above_0")
}

/// A distribution of times.
pub(super) fn times(_: &Registry) -> Value {
    defined(law_name(Dimension::Time))
}

/// A distribution of bandwidths.
pub(super) fn bandwidths(_: &Registry) -> Value {
    defined(law_name(Dimension::Bandwidth))
}

/// A name, or a choice of names.
pub(super) fn choice(_: &Registry) -> Value {
    defined("choice")
}

/// A generator's call, or the path of a file.
pub(super) fn graph(_: &Registry) -> Value {
    let specs = generators::specs().iter();
    let mut names: Vec<&str> = specs
        .flat_map(|spec| std::iter::once(&spec.name).chain(spec.aliases))
        .map(|name| name.strip_suffix("_graph").unwrap_or(name))
        .collect();
    names.sort_unstable();
    names.dedup();
    let call = format!(r"^\s*(?:{})(?:_graph)?\s*\(", names.join("|"));
    json!({"type": "string", "anyOf": [
        {"pattern": call, "description": "a generator's call: p2psim list generators"},
        {"pattern": r"^[^(]+$", "description": "the path of a graph file, relative to the scenario"},
    ]})
}

/// `services`: a list of names, a mapping of names to parameters, or a list of both.
pub(super) fn services(registry: &Registry) -> Value {
    let mapping = || {
        let properties = registry.iter().map(|spec| {
            let schema = defined(&service_name(spec));
            (spec.name.to_owned(), schema)
        });
        let mut mapping = object(properties.collect());
        // A script's own parameters: `p2psim list services FILE`.
        mapping["patternProperties"] = json!({ SCRIPT: {"type": ["object", "null"]} });
        mapping["maxProperties"] = json!(SERVICES_MAX);
        mapping
    };
    let item = any_of([service_name_shape(registry), mapping()]);
    let list = json!({"type": "array", "items": item, "maxItems": SERVICES_MAX});
    any_of([list, mapping()])
}

/// The name of a service, or the path of a script.
pub(super) fn service_name_shape(registry: &Registry) -> Value {
    let names: Vec<&str> = registry.iter().map(|spec| spec.name).collect();
    let script = json!({
        "type": "string",
        "pattern": SCRIPT,
        "description": "the path of a script, relative to the scenario",
    });
    any_of([json!({"enum": names}), script])
}

/// What the name of a script looks like.
const SCRIPT: &str = r"\.(luau|wasm)$";

fn service_name(spec: &ServiceSpec) -> String {
    format!("service_{}", spec.name)
}

/// The parameters of a service; nothing where all are at their defaults.
fn service(spec: &ServiceSpec) -> Value {
    let properties = spec.parameters.iter().map(|parameter| {
        let schema = described(
            parameter_schema(parameter),
            parameter.about,
            parameter.default,
        );
        (parameter.name.to_owned(), schema)
    });
    let mut schema = object(properties.collect());
    let required: Vec<&str> = spec
        .parameters
        .iter()
        .filter(|parameter| parameter.default.is_empty())
        .map(|parameter| parameter.name)
        .collect();
    if required.is_empty() {
        schema["type"] = json!(["object", "null"]);
    } else {
        schema["required"] = json!(required);
    }
    schema["description"] = json!(spec.about);
    schema
}

fn parameter_schema(parameter: &ParameterSpec) -> Value {
    match parameter.kind {
        ParameterKind::Duration { min_ns: 0 } => defined("time"),
        ParameterKind::Duration { .. } => defined("time_above_0"),
        ParameterKind::Count { min, max } => whole(min, max),
        ParameterKind::Probability => json!({"type": "number", "minimum": 0, "maximum": 1}),
        ParameterKind::Flag => json!({"type": "boolean"}),
        ParameterKind::Law(dimension) => defined(law_name(dimension)),
        ParameterKind::OptionalLaw(dimension) => any_of([
            defined(law_name(dimension)),
            json!({"const": peer_types::NONE}),
        ]),
        ParameterKind::Number {
            min,
            max,
            dimension: Dimension::Plain,
        } => json!({"type": "number", "minimum": min, "maximum": max}),
        ParameterKind::Number {
            min,
            max,
            dimension,
        } => quantity(dimension, json!({"minimum": min, "maximum": max})),
        ParameterKind::Positive { max } => {
            json!({"type": "number", "exclusiveMinimum": 0, "maximum": max})
        }
        ParameterKind::Word(words) => json!({"enum": words}),
        ParameterKind::Durations => list_of(defined("time")),
        ParameterKind::Types => list_of(json!({"type": ["string", "number", "boolean"]})),
        ParameterKind::Peers => list_of(whole(0, u64::MAX)),
    }
}

/// A schema with what the value does and what stands for it where it is left out.
fn described(mut schema: Value, about: &str, default: &str) -> Value {
    let unit = unit_note(&schema);
    schema["description"] = json!(format!("{about}{unit}"));
    if !default.is_empty() {
        // A default is text where it is no JSON: `5 s`, `norm(200, 100)`.
        let text = || json!(default);
        schema["default"] = serde_json::from_str(default).unwrap_or_else(|_| text());
    }
    schema
}

/// The unit of a quantity or of the draws of a law, for its description.
fn unit_note(schema: &Value) -> &'static str {
    let reference = |schema: &Value| {
        let target = schema["$ref"].as_str()?;
        Some(target.trim_start_matches("#/$defs/").to_owned())
    };
    let first = || schema["anyOf"].as_array()?.iter().find_map(reference);
    match reference(schema).or_else(first).as_deref() {
        Some("time" | "time_above_0" | "law_of_times") => " (ms, or with a unit: 5 s)",
        Some("law_of_bandwidths") => " (bit/s, or with a unit: 50 Mbit)",
        Some("law_of_sizes") => " (bytes, or with a unit: 2 KiB)",
        _ => "",
    }
}

fn law_name(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Plain => "law_of_numbers",
        Dimension::Time => "law_of_times",
        Dimension::Bandwidth => "law_of_bandwidths",
        Dimension::Bytes => "law_of_sizes",
    }
}

/// A number of the base unit, within `bounds`, or one with a unit.
fn quantity(dimension: Dimension, bounds: Value) -> Value {
    let units: Vec<&str> = dimension.units().iter().map(|&(name, _)| name).collect();
    let pattern = format!(
        r"^\s*\+?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\s*(?:{})?\s*$",
        units.join("|")
    );
    let mut number = json!({"type": "number"});
    if let (Some(number), Value::Object(bounds)) = (number.as_object_mut(), bounds) {
        number.extend(bounds);
    }
    let mut schema = any_of([number, json!({"type": "string", "pattern": pattern})]);
    schema["description"] = json!(format!(
        "{}: a bare number is {}, or with a unit: {}",
        dimension.described(),
        base_unit(dimension),
        dimension.unit_names()
    ));
    schema
}

fn base_unit(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Plain => "itself",
        Dimension::Time => "milliseconds",
        Dimension::Bandwidth => "bit/s",
        Dimension::Bytes => "bytes",
    }
}

/// What a law or a choice can be written as besides text and numbers.
fn mapping_schema(registry: &Registry) -> Value {
    let saved = |key: &str| {
        let mut properties = Map::new();
        properties.insert(key.to_owned(), laws::SAVED.schema(registry));
        let mut schema = object(properties);
        schema["required"] = json!([key]);
        schema["description"] = json!("as p2psimpy saves it");
        schema
    };
    let [dist, attribute] = laws::SAVED_KEYS.map(saved);
    let mut schema = any_of([laws::MAPPING.schema(registry), dist, attribute]);
    schema["description"] = json!("a distribution as a mapping: {dist: norm, params: [12, 2]}");
    schema
}

fn law_schema(dimension: Dimension) -> Value {
    let names = law_names();
    let call = format!(
        r"^\s*(?:[-+]?[0-9]|[-+]?\.[0-9]|(?:{})\s*\()",
        names.join("|")
    );
    let texts = [
        json!({"type": "number"}),
        json!({"type": "string", "pattern": call}),
    ];
    let mut schema = any_of(texts.into_iter().chain([defined("distribution")]));
    let unit = match dimension {
        Dimension::Plain => String::new(),
        _ => format!(
            "; bare numbers are {}, units are {}",
            base_unit(dimension),
            dimension.unit_names()
        ),
    };
    schema["description"] = json!(format!(
        "{}, or a distribution as in scipy.stats, e.g. norm(12, 2){unit}. \
         p2psim list distributions",
        dimension.described()
    ));
    schema
}

fn choice_schema(registry: &Registry) -> Value {
    let mut schema = any_of([name(registry), defined("distribution")]);
    schema["description"] = json!("a name, or a choice: sample(LocA, LocB)");
    schema
}

/// The names of all distributions, and of what is made of them.
pub(super) fn law_names() -> Vec<&'static str> {
    let laws = distribution::law_names();
    laws.chain(distribution::MODIFIERS.iter().map(|spec| spec.name))
        .collect()
}
