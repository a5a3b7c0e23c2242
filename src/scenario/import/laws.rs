//! Distributions as p2psimpy saves them, `{Dist: {name: norm, params: "(12, 2)"}}`.

use super::tagged::{self, Id, Value};
use super::{File, Import};
use crate::distribution::Distribution;
use crate::expression::{self, Expression, ExpressionKind, quote_name, quote_text};
use crate::scenario::laws::SAVED_KEYS;
use crate::units::Dimension;

/// In what p2psimpy measures a quantity.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Quantity {
    Milliseconds,
    /// p2psimpy's MBit is 2^20 bit/s in these.
    BytesPerSecond,
    Number,
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

impl Import<'_> {
    /// The expression of a number or a saved distribution.
    pub(super) fn law(&mut self, file: &File, id: Id, quantity: Quantity) -> Option<String> {
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

    pub(super) fn location(&mut self, file: &File, id: Id) -> Option<String> {
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
