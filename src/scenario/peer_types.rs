//! Types of peers: where they are, their bandwidths, and the services they run.

use super::context::Context;
use super::distributions::{checked_name, choice, law};
use super::latencies::Names;
use super::node::{Node, NodeKind};
use super::source::Place;
use super::words::{nearest_or_known, quoted};
use crate::distribution::{Choice, Distribution};
use crate::expression::ExpressionError;
use crate::services::{
    ParameterKind, ParameterSpec, ParameterValue, Parameters, Registry, ServiceSpec,
};
use crate::simulation::{PeerType, ServicePlan};
use crate::time::Time;
use crate::units::Dimension;

/// Most services of a type of peers.
const SERVICES_MAX: usize = 32;

/// Most types of peers: a place in their list is a 16-bit number, and one more may be made.
const TYPES_MAX: usize = u16::MAX as usize - 1;

/// The type of bootstrap peers.
pub(super) const BOOTSTRAP: &str = "bootstrap";

const KEYS: [&str; 4] = ["location", "bandwidth_ul", "bandwidth_dl", "services"];

/// The names of the types with their places, without looking at what they are.
pub(super) fn names(ctx: &mut Context, node: &Node) -> Option<Names> {
    let mut names = Names::default();
    for (key, _) in ctx.entries(node, "types of peers by name")? {
        if checked_name(ctx, &key.text, key.place, "peer type")
            && (key.text.starts_with('.') || key.text.contains(['/', '\\']))
        {
            let message = format!("the name {} cannot be part of a file name", quoted(&key.text));
            let label = "logs are named after it: no `/`, `\\` or leading `.`";
            ctx.error(key.place, message, label);
        }
        names.intern(&key.text, key.place);
    }
    if names.names.is_empty() {
        ctx.error(node.place, "there are no types of peers", "");
        return None;
    }
    if names.names.len() > TYPES_MAX {
        let message = format!("there are more than {TYPES_MAX} types of peers");
        ctx.error(node.place, message, "");
        return None;
    }
    Some(names)
}

/// All types; `locations` is `None` where it is not known what locations there are.
pub(super) fn read(
    ctx: &mut Context,
    node: &Node,
    names: &Names,
    locations: Option<&[String]>,
) -> Option<Vec<PeerType>> {
    let NodeKind::Map(entries) = &node.kind else {
        return None;
    };
    let mut types = Vec::with_capacity(names.names.len());
    for (name, place) in names.names.iter().zip(&names.places) {
        if let Some((_, value)) = entries.iter().find(|(key, _)| key.place == *place) {
            types.push(read_type(ctx, name, *place, value, locations));
        }
    }
    types.into_iter().collect()
}

fn read_type(
    ctx: &mut Context,
    name: &str,
    place: Place,
    node: &Node,
    locations: Option<&[String]>,
) -> Option<PeerType> {
    let values = ctx.fields(node, "the location, bandwidths and services of a type", KEYS)?;
    for (key, value) in KEYS.iter().zip(&values) {
        if value.is_none() {
            let message = format!("type {} has no `{key}`", quoted(name));
            ctx.error(place, message, format!("missing key `{key}`"));
        }
    }
    let [location, upload, download, services] = values;
    let location = match (location, locations) {
        (Some(node), Some(known)) => choice(ctx, node, "location", known),
        _ => None,
    };
    let bandwidth_ul = upload.and_then(|node| bandwidth(ctx, node));
    let bandwidth_dl = download.and_then(|node| bandwidth(ctx, node));
    let services = services.and_then(|node| read_services(ctx, node));
    Some(PeerType {
        name: name.to_owned(),
        location: location?,
        bandwidth_ul: bandwidth_ul?,
        bandwidth_dl: bandwidth_dl?,
        services: services?,
    })
}

fn bandwidth(ctx: &mut Context, node: &Node) -> Option<Distribution> {
    let law = law(ctx, node, Dimension::Bandwidth)?;
    if law.upper_bound() <= 0.0 {
        ctx.error(node.place, "this bandwidth is never above 0", "");
        return None;
    }
    Some(law)
}

/// A list of names, a mapping from names to parameters, or a list that mixes both.
fn read_services(ctx: &mut Context, node: &Node) -> Option<Vec<ServicePlan>> {
    let mut named: Vec<(&str, Place, Option<&Node>)> = Vec::new();
    match &node.kind {
        NodeKind::Null => {}
        NodeKind::Map(_) => {
            for (key, value) in ctx.entries(node, "services")? {
                named.push((&key.text, key.place, Some(value)));
            }
        }
        NodeKind::Seq(items) => {
            for item in items {
                match &item.kind {
                    NodeKind::Scalar(name) => named.push((name, item.place, None)),
                    NodeKind::Map(_) => {
                        for (key, value) in ctx.entries(item, "a service")? {
                            named.push((&key.text, key.place, Some(value)));
                        }
                    }
                    _ => ctx.expected(item, "the name of a service"),
                }
            }
        }
        _ => {
            ctx.expected(node, "a list of services, or services with their parameters");
            return None;
        }
    }
    if named.len() > SERVICES_MAX {
        let message = format!("there are more than {SERVICES_MAX} services");
        ctx.error(node.place, message, "");
        return None;
    }
    let mut services: Vec<Option<ServicePlan>> = Vec::with_capacity(named.len());
    for (nth, (name, place, parameters)) in named.iter().enumerate() {
        if named[..nth].iter().any(|(earlier, ..)| earlier == name) {
            let message = format!("service {} is given twice", quoted(name));
            ctx.error(*place, message, "");
        }
        services.push(read_service(ctx, name, *place, *parameters));
    }
    services.into_iter().collect()
}

fn read_service(
    ctx: &mut Context,
    name: &str,
    place: Place,
    parameters: Option<&Node>,
) -> Option<ServicePlan> {
    let Some(spec) = ctx.registry.get(name).copied() else {
        let known = ctx.registry.iter().map(|spec| spec.name);
        let label = nearest_or_known(name, "services", known);
        ctx.error(place, format!("unknown service {}", quoted(name)), label);
        return None;
    };
    let given = match parameters {
        None => Vec::new(),
        Some(node) if matches!(node.kind, NodeKind::Null) => Vec::new(),
        Some(node) => ctx.entries(node, "the parameters of a service")?,
    };
    for (key, _) in &given {
        if !spec.parameters.iter().any(|known| known.name == &*key.text) {
            let names = spec.parameters.iter().map(|known| known.name);
            let label = nearest_or_known(&key.text, "parameters", names);
            let message = format!("unknown parameter {} of {name}", quoted(&key.text));
            ctx.error(key.place, message, label);
        }
    }
    let mut values = Vec::with_capacity(spec.parameters.len());
    for parameter in spec.parameters {
        let node = given.iter().find(|(key, _)| &*key.text == parameter.name);
        let value = match node {
            Some((_, node)) => read_parameter(ctx, node, parameter),
            None => match default(parameter) {
                Ok(value) => Some(value),
                Err(why) => {
                    let message = format!("{name} declares no usable default of {}: {why}", parameter.name);
                    ctx.error(place, message, "");
                    None
                }
            },
        };
        values.push(value.map(|value| (parameter.name, value)));
    }
    let values: Option<Vec<_>> = values.into_iter().collect();
    Some(ServicePlan {
        spec,
        parameters: Parameters::new(values?),
    })
}

fn read_parameter(
    ctx: &mut Context,
    node: &Node,
    spec: &ParameterSpec,
) -> Option<ParameterValue> {
    match spec.kind {
        ParameterKind::Duration { min_ns } => {
            ctx.duration(node, min_ns).map(ParameterValue::Duration)
        }
        ParameterKind::Count { min, max } => {
            ctx.count(node, min, max).map(ParameterValue::Count)
        }
        ParameterKind::Probability => {
            let value = ctx.quantity(node, Dimension::Plain)?;
            if (0.0..=1.0).contains(&value) {
                return Some(ParameterValue::Probability(value));
            }
            let message = format!("{} is no probability", ctx.shown(node));
            ctx.error(node.place, message, "must be between 0 and 1");
            None
        }
        ParameterKind::Flag => ctx.flag(node).map(ParameterValue::Flag),
        ParameterKind::Law(dimension) => law(ctx, node, dimension).map(ParameterValue::Law),
    }
}

/// The value of a parameter that a scenario leaves out.
fn default(spec: &ParameterSpec) -> Result<ParameterValue, String> {
    let text = spec.default;
    let wrong = || format!("`{text}`");
    let constant = |dimension| {
        let law = Distribution::parse(text, dimension).map_err(|errors| first(&errors))?;
        law.as_constant().ok_or_else(wrong)
    };
    Ok(match spec.kind {
        ParameterKind::Duration { .. } => {
            let time = Time::from_ms(constant(Dimension::Time)?).ok_or_else(wrong)?;
            ParameterValue::Duration(time)
        }
        ParameterKind::Count { .. } => ParameterValue::Count(text.parse().map_err(|_| wrong())?),
        ParameterKind::Probability => ParameterValue::Probability(constant(Dimension::Plain)?),
        ParameterKind::Flag => ParameterValue::Flag(text.parse().map_err(|_| wrong())?),
        ParameterKind::Law(dimension) => ParameterValue::Law(
            Distribution::parse(text, dimension).map_err(|errors| first(&errors))?,
        ),
    })
}

fn first(errors: &[ExpressionError]) -> String {
    errors.first().map(ToString::to_string).unwrap_or_default()
}

/// The type of bootstrap peers of a scenario that has none.
pub(super) fn made_bootstrap(
    registry: &Registry,
    locations: &[String],
) -> Result<PeerType, String> {
    const MANAGER: &str = "P2PConnectionManager";
    let spec: ServiceSpec = *registry
        .get(MANAGER)
        .ok_or_else(|| format!("there is no service {MANAGER} for bootstrap peers"))?;
    let mut values = Vec::with_capacity(spec.parameters.len());
    for parameter in spec.parameters {
        let value = match parameter.name {
            "max_peers" => ParameterValue::Count(100_000),
            _ => default(parameter)?,
        };
        values.push((parameter.name, value));
    }
    let bandwidth = Distribution::constant(100.0 * 1_048_576.0);
    Ok(PeerType {
        name: BOOTSTRAP.to_owned(),
        location: Choice::uniform(locations),
        bandwidth_ul: bandwidth.clone(),
        bandwidth_dl: bandwidth,
        services: vec![ServicePlan {
            spec,
            parameters: Parameters::new(values),
        }],
    })
}
