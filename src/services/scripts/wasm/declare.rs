//! What a module says of itself: a JSON text in its custom section `p2psim`.

use serde::Deserialize;
use serde_json::Value;

use super::super::declaration::{BOUNDS, Declaration, DeclaredMessage, Form, keep};
use crate::distribution::Distribution;
use crate::expression::nearest;
use crate::message::MessageType;
use crate::services::{ParameterKind, ParameterSpec};
use crate::time::Time;
use crate::units::Dimension;

/// The version of what guests import and export.
pub(super) const ABI: u64 = 1;

const PARAMETERS_MAX: usize = 100;
const NAME_CHARS_MAX: usize = 100;
const ABOUT_CHARS_MAX: usize = 1000;
/// The largest whole number that all parts of a declaration can hold.
const INTEGER_MAX: f64 = (1_u64 << 53) as f64;

const UNITS: [(&str, Dimension); 4] = [
    ("", Dimension::Plain),
    ("ms", Dimension::Time),
    ("bytes", Dimension::Bytes),
    ("bit/s", Dimension::Bandwidth),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    abi: u64,
    #[serde(default)]
    about: String,
    #[serde(default)]
    parameters: Vec<Parameter>,
    #[serde(default)]
    messages: Vec<Message>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    name: String,
    #[serde(default = "size")]
    size: String,
    #[serde(default = "yes")]
    handled: bool,
    #[serde(default)]
    gossip: bool,
    #[serde(default = "value")]
    payload: String,
}

fn size() -> String {
    "24 B + content".into()
}

fn yes() -> bool {
    true
}

fn value() -> String {
    "value".into()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameter {
    name: String,
    #[serde(rename = "type")]
    of_type: Type,
    default: Option<Value>,
    min: Option<Value>,
    max: Option<Value>,
    unit: Option<String>,
    choices: Option<Vec<String>>,
    #[serde(default)]
    about: String,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Type {
    Duration,
    Integer,
    Number,
    Probability,
    Boolean,
    Distribution,
    Choice,
    Types,
    Peers,
}

/// Reads the section's text.
pub(super) fn read(text: &[u8]) -> Result<Declaration, String> {
    let section: Section = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    if section.abi != ABI {
        return Err(format!(
            "`abi` is {}, and this p2psim speaks version {ABI}",
            section.abi
        ));
    }
    if section.parameters.len() > PARAMETERS_MAX {
        return Err(format!("more than {PARAMETERS_MAX} parameters"));
    }
    // The engine's own two take places, too.
    if section.messages.len() > MessageType::LIMIT - 2 {
        return Err(format!("more than {} messages", MessageType::LIMIT - 2));
    }
    let mut declaration = Declaration {
        about: line(&section.about),
        ..Declaration::default()
    };
    for message in &section.messages {
        add_message(&mut declaration, message)
            .map_err(|problem| format!("message `{}`: {problem}", message.name))?;
    }
    for parameter in &section.parameters {
        add_parameter(&mut declaration, parameter)
            .map_err(|problem| format!("parameter `{}`: {problem}", parameter.name))?;
    }
    Ok(declaration)
}

/// One line of text without control characters.
fn line(text: &str) -> &'static str {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    keep(&plain.take(ABOUT_CHARS_MAX).collect::<String>())
}

fn check_name(name: &str, is_taken: bool) -> Result<(), String> {
    let fit = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.len() <= NAME_CHARS_MAX
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !fit {
        return Err("a name is made of letters, digits, `_`".into());
    }
    match is_taken {
        true => Err("the name is taken already".into()),
        false => Ok(()),
    }
}

fn add_message(declaration: &mut Declaration, message: &Message) -> Result<(), String> {
    let known = |name: &str| declaration.messages.iter().any(|m| m.name == name);
    let own = ["Hello", "Goodbye"].contains(&message.name.as_str());
    check_name(&message.name, own || known(&message.name))?;
    let forms = || Form::ALL.iter().map(|&(name, _)| name);
    let Some(&(_, form)) = Form::ALL.iter().find(|(name, _)| *name == message.payload) else {
        let all: Vec<&str> = forms().collect();
        return Err(format!(
            "`payload` is one of {}, not {}",
            all.join(", "),
            message.payload
        ));
    };
    declaration.messages.push(DeclaredMessage {
        name: keep(&message.name),
        size: line(&message.size),
        handled: message.handled,
        gossip: message.gossip,
        form,
    });
    Ok(())
}

fn add_parameter(declaration: &mut Declaration, parameter: &Parameter) -> Result<(), String> {
    let name = parameter.name.as_str();
    let mut names = declaration.parameters.iter().map(|known| known.name);
    let bounds = || BOUNDS.iter().map(|bound| bound.name);
    check_name(
        name,
        names.any(|known| known == name) || bounds().any(|b| b == name),
    )?;
    let name = keep(name);
    let (kind, default) = kind(parameter)?;
    if let (ParameterKind::Number { dimension, .. }, false) = (kind, default.is_empty()) {
        number(&Value::String(default.clone()), dimension)?;
    }
    if let (Type::Duration, Some(max)) = (parameter.of_type, &parameter.max) {
        let max = number(max, Dimension::Time)?;
        declaration.longest.push((name, Time::from_ms_clamped(max)));
    }
    declaration.parameters.push(ParameterSpec {
        name,
        kind,
        default: keep(&default),
        about: line(&parameter.about),
    });
    Ok(())
}

/// A number, or text with a unit, in the dimension's base unit.
fn number(value: &Value, dimension: Dimension) -> Result<f64, String> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => Distribution::parse(text, dimension)
            .ok()
            .and_then(|law| law.as_constant()),
        _ => None,
    };
    let finite = number.filter(|number| number.is_finite());
    finite.ok_or_else(|| format!("{value} is not {}", dimension.described()))
}

/// The default and the range of a number.
struct Range {
    default: Option<f64>,
    min: f64,
    max: f64,
}

impl Range {
    fn new(
        parameter: &Parameter,
        dimension: Dimension,
        min: f64,
        max: f64,
    ) -> Result<Self, String> {
        let read = |value: &Option<Value>| {
            let value = value.as_ref();
            value.map(|value| number(value, dimension)).transpose()
        };
        let range = Range {
            default: read(&parameter.default)?,
            min: read(&parameter.min)?.unwrap_or(min),
            max: read(&parameter.max)?.unwrap_or(max),
        };
        if !(min..=max).contains(&range.min) || !(range.min..=max).contains(&range.max) {
            return Err(format!(
                "from {} to {} is no range within {min} and {max}",
                range.min, range.max
            ));
        }
        match range.default {
            Some(default) if !(range.min..=range.max).contains(&default) => Err(format!(
                "the default {default} is not from {} to {}",
                range.min, range.max
            )),
            _ => Ok(range),
        }
    }

    fn whole(self) -> Result<Self, String> {
        let all = [Some(self.min), Some(self.max), self.default];
        match all.iter().flatten().all(|number| number.fract() == 0.0) {
            true => Ok(self),
            false => Err("an integer is whole".into()),
        }
    }

    fn default_text(&self) -> String {
        let text = self.default.map(|number| number.to_string());
        text.unwrap_or_default()
    }
}

/// A parameter's kind, and its default as a scenario would have it: empty if one must be given.
fn kind(parameter: &Parameter) -> Result<(ParameterKind, String), String> {
    refuse_strangers(parameter)?;
    let unit = parameter.unit.as_deref().unwrap_or_default();
    let Some(&(_, dimension)) = UNITS.iter().find(|(known, _)| *known == unit) else {
        let known = UNITS.iter().map(|&(name, _)| name);
        let cure = nearest(unit, known.filter(|name| !name.is_empty()));
        let cure = cure.unwrap_or_else(|| "units: ms, bytes, bit/s".into());
        return Err(format!("there is no unit `{unit}`; {cure}"));
    };
    Ok(match parameter.of_type {
        Type::Duration => {
            let most = Time::MAX.as_ms();
            let range = Range::new(parameter, Dimension::Time, 0.0, most)?;
            let min_ns = Time::from_ms_clamped(range.min).as_ns();
            let default = range.default.map(|ms| format!("{ms} ms"));
            let kind = ParameterKind::Duration { min_ns };
            (kind, default.unwrap_or_default())
        }
        Type::Integer => {
            let range = Range::new(parameter, Dimension::Plain, 0.0, INTEGER_MAX)?.whole()?;
            let kind = ParameterKind::Count {
                min: range.min as u64,
                max: range.max as u64,
            };
            (kind, range.default_text())
        }
        Type::Number => {
            let range = Range::new(parameter, dimension, f64::MIN, f64::MAX)?;
            let kind = ParameterKind::Number {
                min: range.min,
                max: range.max,
                dimension,
            };
            (kind, range.default_text())
        }
        Type::Probability => {
            let range = Range::new(parameter, Dimension::Plain, 0.0, 1.0)?;
            (ParameterKind::Probability, range.default_text())
        }
        Type::Boolean => match &parameter.default {
            None => (ParameterKind::Flag, "false".into()),
            Some(Value::Bool(flag)) => (ParameterKind::Flag, flag.to_string()),
            Some(other) => return Err(format!("the default {other} is not true or false")),
        },
        Type::Distribution => law(parameter, dimension)?,
        Type::Choice => {
            let words = parameter.choices.as_deref().unwrap_or_default();
            if words.is_empty() {
                return Err("a choice needs `choices`: [\"fast\", \"safe\"]".into());
            }
            let default = match &parameter.default {
                None => String::new(),
                Some(Value::String(default)) if words.contains(default) => default.clone(),
                Some(other) => {
                    let words = words.join(", ");
                    return Err(format!("the default {other} is none of {words}"));
                }
            };
            let words: Vec<&'static str> = words.iter().map(|word| keep(word)).collect();
            (ParameterKind::Word(Vec::leak(words)), default)
        }
        Type::Types => (ParameterKind::Types, "[]".into()),
        Type::Peers => (ParameterKind::Peers, "[]".into()),
    })
}

/// Refuses keys that say nothing of a parameter of its type.
fn refuse_strangers(parameter: &Parameter) -> Result<(), String> {
    use Type::{Choice, Distribution, Duration, Integer, Number, Peers, Types};
    let of_type = parameter.of_type;
    let ranged = matches!(of_type, Duration | Integer | Number);
    let strange = [
        ("min", parameter.min.is_some() && !ranged),
        ("max", parameter.max.is_some() && !ranged),
        (
            "unit",
            parameter.unit.is_some() && !matches!(of_type, Number | Distribution),
        ),
        ("choices", parameter.choices.is_some() && of_type != Choice),
        (
            "default",
            parameter.default.is_some() && matches!(of_type, Types | Peers),
        ),
    ];
    match strange.iter().find(|(_, is_strange)| *is_strange) {
        Some((key, _)) => Err(format!("a parameter of its type has no `{key}`")),
        None => Ok(()),
    }
}

fn law(parameter: &Parameter, dimension: Dimension) -> Result<(ParameterKind, String), String> {
    let default = match &parameter.default {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(other) => return Err(format!("{other} is no distribution")),
    };
    match default.as_str() {
        "none" => Ok((ParameterKind::OptionalLaw(dimension), default)),
        "" => Ok((ParameterKind::Law(dimension), default)),
        text => match Distribution::parse(text, dimension) {
            Ok(_) => Ok((ParameterKind::Law(dimension), default)),
            Err(errors) => {
                let problem = errors.first().map(|error| error.message.as_str());
                Err(format!("{text}: {}", problem.unwrap_or("no distribution")))
            }
        },
    }
}
