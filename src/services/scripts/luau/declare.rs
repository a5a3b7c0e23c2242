//! The first lines of a script: `parameter`, `message` and `about`.

use mlua::{Lua, Table, Value};

use super::super::declaration::{BOUNDS, Declaration, DeclaredMessage, Form, keep};
use super::values::kind;
use crate::distribution::Distribution;
use crate::expression::nearest;
use crate::message::MessageType;
use crate::services::{ParameterKind, ParameterSpec};
use crate::time::Time;
use crate::units::Dimension;

const PARAMETERS_MAX: usize = 100;
const NAME_CHARS_MAX: usize = 100;

/// The types of parameters, as scripts call them.
const TYPES: [&str; 9] = [
    "duration",
    "integer",
    "number",
    "probability",
    "boolean",
    "distribution",
    "choice",
    "types",
    "peers",
];

/// The units of numbers and distributions.
const UNITS: [(&str, Dimension); 4] = [
    ("ms", Dimension::Time),
    ("bytes", Dimension::Bytes),
    ("bit/s", Dimension::Bandwidth),
    ("", Dimension::Plain),
];

/// The keys of a table, none of which is ignored.
struct Keys<'a> {
    table: &'a Table,
    what: String,
    known: Vec<&'static str>,
}

impl<'a> Keys<'a> {
    fn new(table: &'a Table, what: String) -> Self {
        Keys {
            table,
            what,
            known: Vec::new(),
        }
    }

    fn get(&mut self, key: &'static str) -> Result<Value, String> {
        self.known.push(key);
        self.table.raw_get(key).map_err(|error| error.to_string())
    }

    fn text(&mut self, key: &'static str) -> Result<Option<String>, String> {
        match self.get(key)? {
            Value::Nil => Ok(None),
            Value::String(text) => Ok(Some(text.to_string_lossy())),
            other => Err(format!(
                "{}: `{key}` is text, not {}",
                self.what,
                kind(&other)
            )),
        }
    }

    fn flag(&mut self, key: &'static str, default: bool) -> Result<bool, String> {
        match self.get(key)? {
            Value::Nil => Ok(default),
            Value::Boolean(flag) => Ok(flag),
            other => Err(format!(
                "{}: `{key}` is true or false, not {}",
                self.what,
                kind(&other)
            )),
        }
    }

    /// A number, or text with a unit, in the dimension's base unit.
    fn number(&mut self, key: &'static str, dimension: Dimension) -> Result<Option<f64>, String> {
        let value = self.get(key)?;
        let number = match &value {
            Value::Nil => return Ok(None),
            Value::Integer(number) => Some(*number as f64),
            Value::Number(number) => Some(*number),
            Value::String(text) => Distribution::parse(&text.to_string_lossy(), dimension)
                .ok()
                .and_then(|law| law.as_constant()),
            _ => None,
        };
        match number.filter(|number| number.is_finite()) {
            Some(number) => Ok(Some(number)),
            None => Err(format!(
                "{}: `{key}` is {}, not {}",
                self.what,
                dimension.described(),
                kind(&value)
            )),
        }
    }

    fn finish(self) -> Result<(), String> {
        for pair in self.table.pairs::<Value, Value>() {
            let (key, _) = pair.map_err(|error| error.to_string())?;
            let name = match &key {
                Value::String(name) => name.to_string_lossy(),
                other => kind(other),
            };
            if !self.known.iter().any(|known| *known == name) {
                let cure = nearest(&name, self.known.iter().copied())
                    .unwrap_or_else(|| format!("known keys: {}", self.known.join(", ")));
                return Err(format!("{} has no key `{name}`; {cure}", self.what));
            }
        }
        Ok(())
    }
}

/// One word, as names of parameters and messages are.
fn name(value: &Value, what: &str) -> Result<&'static str, String> {
    let text = match value {
        Value::String(text) => text.to_string_lossy(),
        other => return Err(format!("{what} has a name, not {}", kind(other))),
    };
    let fit = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.len() <= NAME_CHARS_MAX
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    match fit {
        true => Ok(keep(&text)),
        false => Err(format!(
            "`{text}` cannot be the name of {what}: letters, digits, `_`"
        )),
    }
}

/// One line of text without control characters.
fn line(text: &str) -> &'static str {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(1000)
        .collect();
    keep(&text)
}

impl Declaration {
    /// `about("what the service does")`.
    pub(super) fn set_about(&mut self, value: &Value) -> Result<(), String> {
        match value {
            Value::String(text) => {
                self.about = line(&text.to_string_lossy());
                Ok(())
            }
            other => Err(format!("about takes a line of text, not {}", kind(other))),
        }
    }

    /// `message("Vote", {size = "24 B", ...})`.
    pub(super) fn add_message(&mut self, named: &Value, about: &Value) -> Result<(), String> {
        let name = name(named, "a message")?;
        if ["Hello", "Goodbye"].contains(&name) {
            return Err(format!("`{name}` is a message of connections themselves"));
        }
        if self.messages.iter().any(|known| known.name == name) {
            return Err(format!("message `{name}` is declared twice"));
        }
        if self.messages.len() == MessageType::LIMIT {
            return Err(format!("there are at most {} messages", MessageType::LIMIT));
        }
        let mut message = DeclaredMessage {
            name,
            size: "24 B + content",
            handled: true,
            gossip: false,
            form: Form::Value,
        };
        match about {
            Value::Nil => {}
            Value::Table(table) => {
                let mut keys = Keys::new(table, format!("message `{name}`"));
                if let Some(size) = keys.text("size")? {
                    message.size = line(&size);
                }
                message.handled = keys.flag("handled", true)?;
                message.gossip = keys.flag("gossip", false)?;
                if let Some(form) = keys.text("payload")? {
                    let known = Form::ALL.iter().find(|(name, _)| *name == form);
                    message.form = match known {
                        Some(&(_, form)) => form,
                        None => {
                            let names: Vec<&str> =
                                Form::ALL.iter().map(|&(name, _)| name).collect();
                            return Err(format!(
                                "message `{name}`: `payload` is one of {}, not {form}",
                                names.join(", ")
                            ));
                        }
                    };
                }
                keys.finish()?;
            }
            other => {
                return Err(format!(
                    "message `{name}` is described by a table, not {}",
                    kind(other)
                ));
            }
        }
        self.messages.push(message);
        Ok(())
    }

    /// `parameter("fanout", {type = "integer", ...})`; its default, as a script sees it.
    pub(super) fn add_parameter(
        &mut self,
        lua: &Lua,
        named: &Value,
        about: &Value,
    ) -> Result<Value, String> {
        let name = name(named, "a parameter")?;
        if BOUNDS.iter().any(|bound| bound.name == name) {
            return Err(format!("every script has a parameter `{name}` already"));
        }
        if self.parameters.iter().any(|known| known.name == name) {
            return Err(format!("parameter `{name}` is declared twice"));
        }
        if self.parameters.len() == PARAMETERS_MAX {
            return Err(format!("there are at most {PARAMETERS_MAX} parameters"));
        }
        let Value::Table(table) = about else {
            return Err(format!(
                "parameter `{name}` is described by a table: {{type = \"integer\", default = 3}}"
            ));
        };
        let mut keys = Keys::new(table, format!("parameter `{name}`"));
        let of_type = keys.text("type")?.unwrap_or_default();
        let (kind, default, seen) = self.kind(lua, name, &of_type, &mut keys)?;
        let about = keys.text("about")?.unwrap_or_default();
        keys.finish()?;
        self.parameters.push(ParameterSpec {
            name,
            kind,
            default: keep(&default),
            about: line(&about),
        });
        Ok(seen)
    }

    /// A parameter's kind, its default as a scenario would have it, and as a script sees it.
    fn kind(
        &mut self,
        lua: &Lua,
        name: &'static str,
        of_type: &str,
        keys: &mut Keys<'_>,
    ) -> Result<(ParameterKind, String, Value), String> {
        fn refuse<T>(name: &str, problem: &str) -> Result<T, String> {
            Err(format!("parameter `{name}`: {problem}"))
        }
        let within = |default: Option<f64>, min: f64, max: f64| match default {
            _ if min > max => refuse(name, &format!("`min` {min} is above `max` {max}")),
            Some(default) if !(min..=max).contains(&default) => refuse(
                name,
                &format!("the default {default} is not from {min} to {max}"),
            ),
            _ => Ok(()),
        };
        // What a script sees before a scenario has given what it must.
        let seen = |default: Option<f64>, min: f64| Value::Number(default.unwrap_or(min));
        let shown = |default: Option<f64>| default.map_or(String::new(), |d| d.to_string());
        match of_type {
            "duration" => {
                let default = keys.number("default", Dimension::Time)?;
                let min = keys.number("min", Dimension::Time)?.unwrap_or(0.0);
                let max = keys.number("max", Dimension::Time)?;
                within(default, min, max.unwrap_or(f64::INFINITY))?;
                let Some(min_time) = Time::from_ms(min) else {
                    return refuse(name, &format!("a time cannot be {min} ms"));
                };
                if let Some(max) = max {
                    self.longest.push((name, Time::from_ms_clamped(max)));
                }
                let min_ns = min_time.as_ns();
                let kind = ParameterKind::Duration { min_ns };
                let text = default.map_or(String::new(), |ms| format!("{ms} ms"));
                Ok((kind, text, seen(default, min)))
            }
            "integer" => {
                const MOST: f64 = (1_u64 << 53) as f64;
                let default = keys.number("default", Dimension::Plain)?;
                let min = keys.number("min", Dimension::Plain)?.unwrap_or(0.0);
                let max = keys.number("max", Dimension::Plain)?.unwrap_or(MOST);
                within(default, min, max)?;
                let all = [Some(min), Some(max), default];
                if all
                    .iter()
                    .flatten()
                    .any(|n| n.fract() != 0.0 || !(0.0..=MOST).contains(n))
                {
                    return refuse(name, &format!("an integer is whole, from 0 to {MOST}"));
                }
                let kind = ParameterKind::Count {
                    min: min as u64,
                    max: max as u64,
                };
                Ok((kind, shown(default), seen(default, min)))
            }
            "number" => {
                let dimension = unit(name, keys)?;
                let default = keys.number("default", dimension)?;
                let min = keys.number("min", dimension)?.unwrap_or(f64::MIN);
                let max = keys.number("max", dimension)?.unwrap_or(f64::MAX);
                within(default, min, max)?;
                let kind = ParameterKind::Number {
                    min,
                    max,
                    dimension,
                };
                Ok((kind, shown(default), seen(default, min.max(0.0).min(max))))
            }
            "probability" => {
                let default = keys.number("default", Dimension::Plain)?;
                within(default, 0.0, 1.0)?;
                let kind = ParameterKind::Probability;
                Ok((kind, shown(default), seen(default, 0.0)))
            }
            "boolean" => {
                let default = keys.flag("default", false)?;
                let kind = ParameterKind::Flag;
                Ok((kind, default.to_string(), Value::Boolean(default)))
            }
            "distribution" => {
                let dimension = unit(name, keys)?;
                let default = match keys.get("default")? {
                    Value::Nil => String::new(),
                    Value::String(text) => text.to_string_lossy(),
                    Value::Integer(number) => number.to_string(),
                    Value::Number(number) => number.to_string(),
                    other => {
                        return refuse(name, &format!("{} is no distribution", self::kind(&other)));
                    }
                };
                let text = |text: &str| match lua.create_string(text) {
                    Ok(text) => Ok(Value::String(text)),
                    Err(error) => Err(error.to_string()),
                };
                match default.as_str() {
                    "none" => {
                        let kind = ParameterKind::OptionalLaw(dimension);
                        Ok((kind, default, Value::Boolean(false)))
                    }
                    "" => Ok((ParameterKind::Law(dimension), default, text("0")?)),
                    _ => match Distribution::parse(&default, dimension) {
                        Ok(law) => {
                            let seen = text(&law.to_string())?;
                            Ok((ParameterKind::Law(dimension), default, seen))
                        }
                        Err(errors) => {
                            let problem = errors.first().map(|e| e.message.as_str());
                            refuse(name, &format!("{default}: {}", problem.unwrap_or_default()))
                        }
                    },
                }
            }
            "choice" => {
                let words = match keys.get("choices")? {
                    Value::Table(list) => list
                        .sequence_values::<String>()
                        .collect::<Result<Vec<String>, _>>()
                        .map_err(|_| format!("parameter `{name}`: `choices` is a list of words"))?,
                    _ => Vec::new(),
                };
                let default = keys.text("default")?;
                if words.is_empty() {
                    return refuse(name, "a choice needs `choices`: {\"fast\", \"safe\"}");
                }
                let words: Vec<&'static str> = words.iter().map(|word| keep(word)).collect();
                let words: &'static [&'static str] = Vec::leak(words);
                if let Some(default) = &default
                    && !words.iter().any(|word| word == default)
                {
                    return refuse(
                        name,
                        &format!("the default `{default}` is none of {}", words.join(", ")),
                    );
                }
                let seen = default.as_deref().unwrap_or(words[0]);
                let seen = lua.create_string(seen).map_err(|error| error.to_string())?;
                let kind = ParameterKind::Word(words);
                Ok((kind, default.unwrap_or_default(), Value::String(seen)))
            }
            "types" | "peers" => {
                let empty = lua.create_table().map_err(|error| error.to_string())?;
                let kind = match of_type {
                    "types" => ParameterKind::Types,
                    _ => ParameterKind::Peers,
                };
                Ok((kind, "[]".into(), Value::Table(empty)))
            }
            other => {
                let cure = nearest(other, TYPES.iter().copied())
                    .unwrap_or_else(|| format!("`type` is one of {}", TYPES.join(", ")));
                refuse(name, &format!("there is no type `{other}`; {cure}"))
            }
        }
    }
}

fn unit(name: &str, keys: &mut Keys<'_>) -> Result<Dimension, String> {
    let unit = keys.text("unit")?.unwrap_or_default();
    match UNITS.iter().find(|(known, _)| *known == unit) {
        Some(&(_, dimension)) => Ok(dimension),
        None => Err(format!(
            "parameter `{name}`: there is no unit `{unit}`; one of ms, bytes, bit/s, or none"
        )),
    }
}
