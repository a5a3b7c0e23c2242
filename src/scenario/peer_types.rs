//! `peer_types`: where peers are, how fast, and what they run.

use serde_json::json;

use super::compiler::Compiler;
use super::fields::{FLAGS, Fields};
use super::latencies::name_problem;
use super::node::{Key, Node, Value};
use super::schema::{self, KeySpec, Mapping};
use super::source::Place;
use crate::distribution::{Choice, Distribution};
use crate::engine::SERVICES_MAX;
use crate::expression::nearest;
use crate::peer::{PeerId, TypeIndex};
use crate::services::scripts::{self, SCRIPT_BYTES_MAX};
use crate::services::{
    ParameterKind, ParameterSpec, ParameterValue, Parameters, Registry, ServiceSpec,
};
use crate::simulation::{PeerType, ServicePlan};
use crate::time::Time;
use crate::units::Dimension;

/// A peer type's place is 16 bits; one more may be made for bootstrap peers.
const TYPES_MAX: usize = 10_000;

const PEER_TYPE: Mapping = Mapping {
    what: "a peer type",
    keys: &[
        KeySpec::new(
            "location",
            schema::choice,
            "where its peers are: a location, or a choice: sample(LocA, LocB)",
        )
        .required(),
        KeySpec::new(
            "bandwidth_ul",
            schema::bandwidths,
            "upload, drawn once a peer",
        )
        .required(),
        KeySpec::new(
            "bandwidth_dl",
            schema::bandwidths,
            "download, drawn once a peer",
        )
        .required(),
        KeySpec::new(
            "services",
            schema::services,
            "what its peers run, with parameters: p2psim list services",
        ),
    ],
};

pub(super) fn peer_types_schema(registry: &Registry) -> serde_json::Value {
    let mut schema = schema::map_of(PEER_TYPE.schema(registry));
    schema["minProperties"] = json!(1);
    schema["maxProperties"] = json!(TYPES_MAX);
    schema
}

/// A peer type and where it is defined.
pub(super) struct PlacedType {
    pub(super) peer_type: PeerType,
    pub(super) place: Place,
}

impl Compiler<'_> {
    pub(super) fn peer_types(
        &mut self,
        node: &Node,
        head: Place,
        locations: Option<&[String]>,
    ) -> Option<Vec<PlacedType>> {
        let Value::Map(entries) = &node.value else {
            let message = format!("`peer_types` is a mapping, not {}", node.described());
            self.error(
                node.place,
                message,
                "{basic: {location: ..., services: [...]}}",
            );
            return None;
        };
        if entries.is_empty() || entries.len() > TYPES_MAX {
            let message = format!("there are {} peer types", entries.len());
            self.error(head, message, format!("from 1 to {TYPES_MAX}"));
            return None;
        }
        self.type_names = entries.iter().map(|(key, _)| key.text.clone()).collect();
        let types = entries.iter().map(|(key, node)| {
            let peer_type = self.peer_type(key, node, locations);
            PlacedType {
                place: key.place,
                // What is wrong has been said. The rest of the scenario is checked with this in
                // its place, so that all errors come at once.
                peer_type: peer_type.unwrap_or_else(|| PeerType {
                    name: key.text.clone(),
                    location: Choice::uniform(locations.unwrap_or_default()),
                    bandwidth_ul: Distribution::constant(1.0),
                    bandwidth_dl: Distribution::constant(1.0),
                    services: Vec::new(),
                }),
            }
        });
        Some(types.collect())
    }

    fn peer_type(
        &mut self,
        key: &Key,
        node: &Node,
        locations: Option<&[String]>,
    ) -> Option<PeerType> {
        let problem = name_problem("peer type", &key.text).or_else(|| {
            let unfit = key.text.starts_with('.')
                || key
                    .text
                    .contains(['/', '\\', ':', '*', '?', '<', '>', '|', '"']);
            unfit.then(|| format!("`{}` cannot be part of a file's name", key.text))
        });
        if let Some(problem) = problem {
            self.error(key.place, problem, "letters, digits, `_`, `-`");
        }
        let mut fields = Fields::new(self, &PEER_TYPE, node, key.place)?;
        let location = fields.require(self, "location", "sample(LocA, LocB)");
        let location = match (location, locations) {
            (Some(node), Some(known)) => self.choice(node, "location", known),
            _ => None,
        };
        let upload = fields.require(self, "bandwidth_ul", "50 Mbit");
        let upload = upload.and_then(|node| self.bandwidth(node));
        let download = fields.require(self, "bandwidth_dl", "50 Mbit");
        let download = download.and_then(|node| self.bandwidth(node));
        let services = match fields.get("services") {
            Some(node) => self.services(node),
            None => Some(Vec::new()),
        };
        fields.finish(self);
        Some(PeerType {
            name: key.text.clone(),
            location: location?,
            bandwidth_ul: upload?,
            bandwidth_dl: download?,
            services: services?,
        })
    }

    fn bandwidth(&mut self, node: &Node) -> Option<Distribution> {
        let law = self.law(node, Dimension::Bandwidth)?;
        if law.upper_bound() <= 0.0 {
            let message = format!("a bandwidth of {law} is never above 0");
            self.error(node.place, message, "bit/s above 0, for example 50 Mbit");
            return None;
        }
        Some(law)
    }

    /// `[A, B]`, `{A: {...}, B: }`, or a list of both forms.
    pub(super) fn services(&mut self, node: &Node) -> Option<Vec<ServicePlan>> {
        let mut wanted: Vec<(&str, Place, Option<&Node>)> = Vec::new();
        match &node.value {
            Value::Map(entries) => {
                for (key, node) in entries {
                    wanted.push((&key.text, key.place, Some(node)));
                }
            }
            Value::List(items) => {
                for item in items {
                    match &item.value {
                        Value::Scalar(scalar) => wanted.push((&scalar.text, item.place, None)),
                        Value::Map(entries) => {
                            for (key, node) in entries {
                                wanted.push((&key.text, key.place, Some(node)));
                            }
                        }
                        _ => {
                            let message = format!("a service cannot be {}", item.described());
                            self.error(item.place, message, "the name of a service");
                        }
                    }
                }
            }
            _ => {
                let message = format!("`services` cannot be {}", node.described());
                self.error(node.place, message, "[BaseConnectionManager]");
                return None;
            }
        }
        if wanted.len() > SERVICES_MAX {
            let message = format!("a peer cannot run {} services", wanted.len());
            self.error(node.place, message, format!("at most {SERVICES_MAX}"));
            return None;
        }
        let mut plans = Vec::with_capacity(wanted.len());
        for (place_in_list, &(name, place, parameters)) in wanted.iter().enumerate() {
            if wanted[..place_in_list]
                .iter()
                .any(|&(other, _, _)| other == name)
            {
                self.error(
                    place,
                    format!("service `{name}` is there twice"),
                    "one of them",
                );
            }
            plans.push(self.service(name, place, parameters));
        }
        plans.into_iter().collect()
    }

    /// The service of this name and its parameters, or the script.
    pub(super) fn service(
        &mut self,
        name: &str,
        place: Place,
        node: Option<&Node>,
    ) -> Option<ServicePlan> {
        if scripts::is_script(name) {
            let (spec, input) = self.script(name, place)?;
            let parameters = self.parameters(&spec, place, node)?;
            return Some(ServicePlan {
                spec,
                parameters,
                input: Some(input),
            });
        }
        let registry = &self.options.registry;
        let Some(spec) = registry.get(name).copied() else {
            let known = || registry.iter().map(|spec| spec.name);
            let expected = nearest(name, known()).unwrap_or_else(|| {
                let known: Vec<&str> = known().collect();
                format!("known services: {}", known.join(", "))
            });
            self.error(place, format!("unknown service `{name}`"), expected);
            return None;
        };
        let parameters = self.parameters(&spec, place, node)?;
        Some(ServicePlan {
            spec,
            parameters,
            input: None,
        })
    }

    /// What the script at `path` declares, and its name among the inputs.
    fn script(&mut self, path: &str, place: Place) -> Option<(ServiceSpec, String)> {
        let (bytes, input) = match self.inputs.read(path, SCRIPT_BYTES_MAX) {
            Ok(read) => read,
            Err(problem) => {
                self.error(place, problem, "a script, relative to the scenario");
                return None;
            }
        };
        if let Some(&spec) = self.scripts.get(path) {
            return Some((spec, input));
        }
        match scripts::load(path, &bytes) {
            Ok(spec) => {
                self.scripts.insert(path.to_owned(), spec);
                Some((spec, input))
            }
            Err(error) => {
                let place = match error.line {
                    Some(line) => self.line_of(path, &bytes, line),
                    None => place,
                };
                self.error(place, error.message, error.expected);
                None
            }
        }
    }

    /// A line, counted from 1, of a file that the scenario names.
    fn line_of(&mut self, path: &str, bytes: &[u8], line: u32) -> Place {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let mut start = 0;
        let mut span = 0..0;
        for (number, content) in (1..=line).zip(text.split_inclusive('\n')) {
            if number == line {
                let indent = content.len() - content.trim_start().len();
                let end = start + content.trim_end().len();
                span = (start + indent).min(end)..end;
            }
            start += content.len();
        }
        Place::new(self.sources.add(path, text), span)
    }

    fn parameters(
        &mut self,
        spec: &ServiceSpec,
        place: Place,
        node: Option<&Node>,
    ) -> Option<Parameters> {
        let node = node.filter(|node| !matches!(node.value, Value::Null));
        let mut fields = match node {
            Some(node) => Some(Fields::of_service(self, spec.name, node, place)?),
            None => None,
        };
        let mut values = Vec::with_capacity(spec.parameters.len());
        let mut given = Vec::new();
        for parameter in spec.parameters {
            let node = fields
                .as_mut()
                .and_then(|fields| fields.get(parameter.name));
            let value = match node {
                Some(node) => {
                    given.push((parameter.name, node.place));
                    self.parameter(parameter, node)
                }
                None if parameter.default.is_empty() => {
                    let message = format!("{} needs `{}`", spec.name, parameter.name);
                    self.error(place, message, parameter.about);
                    None
                }
                None => Some(default_value(parameter)),
            };
            values.push(value.map(|value| (parameter.name, value)));
        }
        if let Some(fields) = fields {
            fields.finish(self);
        }
        let values: Option<Vec<_>> = values.into_iter().collect();
        let parameters = Parameters::new(values?);
        let names: Vec<&str> = given.iter().map(|&(name, _)| name).collect();
        if let Err(error) = (spec.check)(&parameters, &names) {
            let blamed = given.iter().find(|(name, _)| *name == error.name);
            let place = blamed.map_or(place, |&(_, place)| place);
            self.error(place, error.message, error.expected);
            return None;
        }
        Some(parameters)
    }

    fn parameter(&mut self, parameter: &ParameterSpec, node: &Node) -> Option<ParameterValue> {
        Some(match parameter.kind {
            ParameterKind::Duration { min_ns } => {
                ParameterValue::Duration(self.duration(node, Time::from_ns(min_ns))?)
            }
            ParameterKind::Count { min, max } => ParameterValue::Count(self.whole(node, min, max)?),
            ParameterKind::Probability => {
                let number = self.number(node, Dimension::Plain)?;
                if !(0.0..=1.0).contains(&number) {
                    let message = format!("{number} is no probability");
                    self.error(node.place, message, "between 0 and 1");
                    return None;
                }
                ParameterValue::Probability(number)
            }
            ParameterKind::Flag => ParameterValue::Flag(self.word(node, &FLAGS)?),
            ParameterKind::Law(dimension) => ParameterValue::Law(self.law(node, dimension)?),
            ParameterKind::OptionalLaw(dimension) => ParameterValue::OptionalLaw(
                match matches!(&node.value, Value::Scalar(scalar) if scalar.text == NONE) {
                    true => None,
                    false => Some(self.law(node, dimension)?),
                },
            ),
            ParameterKind::Number {
                min,
                max,
                dimension,
            } => {
                let number = self.number(node, dimension)?;
                if !(min <= number && number <= max) {
                    let message = format!("`{}` cannot be {number}", parameter.name);
                    self.error(node.place, message, format!("from {min} to {max}"));
                    return None;
                }
                ParameterValue::Number(number)
            }
            ParameterKind::Positive { max } => {
                let number = self.number(node, Dimension::Plain)?;
                if !(number > 0.0 && number <= max) {
                    let message = format!("`{}` cannot be {number}", parameter.name);
                    let expected = format!("a number above 0, at most {max}");
                    self.error(node.place, message, expected);
                    return None;
                }
                ParameterValue::Positive(number)
            }
            ParameterKind::Word(words) => {
                let words: Vec<(&str, &'static str)> =
                    words.iter().map(|&word| (word, word)).collect();
                ParameterValue::Word(self.word(node, &words)?)
            }
            ParameterKind::Durations => {
                let items = self.items(node, "[1 s, 500 ms]")?;
                let times: Vec<Option<Time>> = items
                    .iter()
                    .map(|item| self.duration(item, Time::ZERO))
                    .collect();
                ParameterValue::Durations(times.into_iter().collect::<Option<_>>()?)
            }
            ParameterKind::Types => {
                let items = self.items(node, "[client]")?;
                let types: Vec<Option<TypeIndex>> =
                    items.iter().map(|item| self.named_type(item)).collect();
                ParameterValue::Types(types.into_iter().collect::<Option<_>>()?)
            }
            ParameterKind::Peers => {
                let items = self.items(node, "[1, 2]")?;
                let ids: Vec<Option<PeerId>> = items
                    .iter()
                    .map(|item| {
                        let id = PeerId(self.whole(item, 0, u64::MAX)?);
                        self.named_peers.push((id, item.place));
                        Some(id)
                    })
                    .collect();
                let mut ids: Vec<PeerId> = ids.into_iter().collect::<Option<_>>()?;
                ids.sort_unstable();
                ids.dedup();
                ParameterValue::Peers(ids)
            }
        })
    }

    /// The items of a list.
    fn items<'n>(&mut self, node: &'n Node, example: &str) -> Option<&'n [Node]> {
        let Value::List(items) = &node.value else {
            let message = format!("a list is needed here, not {}", node.described());
            self.error(node.place, message, example);
            return None;
        };
        Some(items)
    }

    /// A peer type that a service's parameter names.
    fn named_type(&mut self, node: &Node) -> Option<TypeIndex> {
        let text = match &node.value {
            Value::Scalar(scalar) => scalar.text.clone(),
            _ => node.described().to_owned(),
        };
        let place = self.type_names.iter().position(|name| *name == text);
        if place.is_none() {
            let known = || self.type_names.iter().map(String::as_str);
            let expected = nearest(&text, known()).unwrap_or_else(|| {
                let known: Vec<&str> = known().collect();
                format!("known peer types: {}", known.join(", "))
            });
            self.error(node.place, format!("unknown peer type `{text}`"), expected);
        }
        place.map(|place| TypeIndex(place as u16))
    }

    /// Complains of peers that services' parameters name and that do not exist.
    pub(super) fn check_named_peers(&mut self, ids: &super::topology::Ids) {
        for (id, place) in std::mem::take(&mut self.named_peers) {
            if !ids.contains(id) {
                self.error(place, format!("there is no peer {id}"), "a peer's id");
            }
        }
    }
}

/// The word for a law that is not there.
pub(super) const NONE: &str = "none";

/// The default that a service declares.
///
/// # Panics
/// When it is not a value of the parameter's kind: a mistake in the service.
fn default_value(parameter: &ParameterSpec) -> ParameterValue {
    let mistake = || -> ! {
        panic!(
            "`{}` is not a default for parameter `{}`",
            parameter.default, parameter.name
        )
    };
    let law = |dimension| match Distribution::parse(parameter.default, dimension) {
        Ok(law) => law,
        Err(_) => mistake(),
    };
    let number = |dimension| law(dimension).as_constant().unwrap_or_else(|| mistake());
    match parameter.kind {
        ParameterKind::Duration { .. } => match Time::from_ms(number(Dimension::Time)) {
            Some(time) => ParameterValue::Duration(time),
            None => mistake(),
        },
        ParameterKind::Count { .. } => ParameterValue::Count(number(Dimension::Plain) as u64),
        ParameterKind::Probability => ParameterValue::Probability(number(Dimension::Plain)),
        ParameterKind::Flag => ParameterValue::Flag(parameter.default == "true"),
        ParameterKind::Law(dimension) => ParameterValue::Law(law(dimension)),
        ParameterKind::OptionalLaw(dimension) => {
            ParameterValue::OptionalLaw((parameter.default != NONE).then(|| law(dimension)))
        }
        ParameterKind::Number { dimension, .. } => ParameterValue::Number(number(dimension)),
        ParameterKind::Positive { .. } => ParameterValue::Positive(number(Dimension::Plain)),
        ParameterKind::Word(words) => {
            let word = words.iter().find(|&&word| word == parameter.default);
            ParameterValue::Word(word.unwrap_or_else(|| mistake()))
        }
        // The only default of a list is the empty one.
        ParameterKind::Durations => ParameterValue::Durations(Vec::new()),
        ParameterKind::Types => ParameterValue::Types(Vec::new()),
        ParameterKind::Peers => ParameterValue::Peers(Vec::new()),
    }
}

/// All parameters of a service at their defaults.
pub(super) fn default_parameters(spec: &ServiceSpec) -> Parameters {
    let values = spec
        .parameters
        .iter()
        .map(|parameter| (parameter.name, default_value(parameter)))
        .collect();
    Parameters::new(values)
}
