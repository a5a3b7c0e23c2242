//! From the arguments of a call, as written, to checked values.

use std::ops::Range;

use super::spec::{ArgumentKind, DefaultValue, GeneratorSpec, Parameter, Value};
use super::{Generator, ReadDegrees};
use crate::expression::{self, Argument, Expression, ExpressionError, ExpressionKind};
use crate::units::Dimension;

type Errors = Vec<ExpressionError>;
/// A value for each parameter, and where it stands, if it is given.
type Bound = (Vec<Value>, Vec<Option<Range<usize>>>);

/// Gives each parameter its value.
pub(super) fn bind(
    spec: &GeneratorSpec,
    name: &str,
    name_span: &Range<usize>,
    given: &[Argument],
    read: &mut ReadDegrees,
) -> Result<Bound, Errors> {
    for argument in given {
        let Some((keyword, place)) = &argument.keyword else {
            continue;
        };
        if keyword == "seed" {
            return Err(vec![ExpressionError::new(
                place.clone(),
                "a graph has no seed of its own",
                "the scenario's `seed` decides; leave this out",
            )]);
        }
        if spec.is_variadic {
            return Err(vec![ExpressionError::new(
                place.clone(),
                format!("`{name}` takes no keywords"),
                spec.call(),
            )]);
        }
    }
    if spec.is_variadic {
        return variadic(spec, name, name_span, given, read);
    }
    let mut errors = Vec::new();
    let names: Vec<&str> = spec.parameters.iter().map(|p| p.name).collect();
    let bound = expression::bind(name, name_span, &names, 0, given, &mut errors);
    let mut values = Vec::with_capacity(names.len());
    for (parameter, expression) in spec.parameters.iter().zip(&bound) {
        let value = match (expression, parameter.default) {
            (Some(expression), default) => {
                let is_none = matches!(&expression.kind, ExpressionKind::Name(n) if n == "None");
                match default {
                    DefaultValue::Nothing if is_none => Value::Nothing,
                    _ => match check(parameter, expression, read) {
                        Ok(value) => value,
                        Err(wrong) => {
                            errors.extend(wrong);
                            Value::Nothing
                        }
                    },
                }
            }
            (None, DefaultValue::Number(number)) => Value::Number(number),
            (None, DefaultValue::Flag(flag)) => Value::Flag(flag),
            (None, DefaultValue::Nothing) => Value::Nothing,
            (None, DefaultValue::Required) => {
                let message = format!("`{name}` needs `{}`", parameter.name);
                errors.push(ExpressionError::new(
                    name_span.clone(),
                    message,
                    spec.call(),
                ));
                Value::Nothing
            }
        };
        values.push(value);
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let spans = bound.iter().map(|e| e.map(|e| e.span.clone())).collect();
    Ok((values, spans))
}

/// All arguments are values of the only parameter.
fn variadic(
    spec: &GeneratorSpec,
    name: &str,
    name_span: &Range<usize>,
    given: &[Argument],
    read: &mut ReadDegrees,
) -> Result<Bound, Errors> {
    let parameter = &spec.parameters[0];
    if given.is_empty() {
        return Err(vec![ExpressionError::new(
            name_span.clone(),
            format!("`{name}` needs `{}`", parameter.name),
            spec.call(),
        )]);
    }
    let mut errors = Vec::new();
    let mut numbers = Vec::new();
    let mut graphs = Vec::new();
    for argument in given {
        match parameter.kind {
            ArgumentKind::Graph => match Generator::from_expression(&argument.value, read) {
                Ok(graph) => graphs.push(graph),
                Err(wrong) => errors.extend(wrong),
            },
            kind => {
                // Of a list without brackets each argument is an item.
                let kind = match kind {
                    ArgumentKind::Wholes(Some(low)) => ArgumentKind::Whole(low),
                    other => other,
                };
                match one_number(parameter.name, kind, &argument.value) {
                    Ok(number) => numbers.push(number),
                    Err(error) => errors.push(error),
                }
            }
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let value = match parameter.kind {
        ArgumentKind::Graph => Value::Graphs(graphs),
        _ => Value::Numbers(numbers),
    };
    Ok((vec![value], vec![Some(given[0].value.span.clone())]))
}

fn check(
    parameter: &Parameter,
    value: &Expression,
    read: &mut ReadDegrees,
) -> Result<Value, Errors> {
    let kind = parameter.kind;
    match kind {
        ArgumentKind::Whole(_) | ArgumentKind::Probability | ArgumentKind::Number(_) => {
            match one_number(parameter.name, kind, value) {
                Ok(number) => Ok(Value::Number(number)),
                Err(error) => Err(vec![error]),
            }
        }
        ArgumentKind::Flag => Ok(Value::Flag(flag(parameter, value)?)),
        ArgumentKind::Flags => match &value.kind {
            ExpressionKind::List(items) => {
                let flags = items.iter().map(|item| flag(parameter, item));
                Ok(Value::Flags(flags.collect::<Result<_, _>>()?))
            }
            _ => Ok(Value::Flag(flag(parameter, value)?)),
        },
        ArgumentKind::Wholes(_) | ArgumentKind::Numbers(_) => {
            Ok(Value::Numbers(row(parameter, value)?))
        }
        ArgumentKind::Rows => match &value.kind {
            ExpressionKind::List(items) => {
                let rows = items.iter().map(|item| row(parameter, item));
                Ok(Value::Rows(rows.collect::<Result<_, _>>()?))
            }
            _ => Err(misfit(parameter, value)),
        },
        ArgumentKind::Degrees => match &value.kind {
            ExpressionKind::Text(path) => match read(path) {
                Ok(found) => Ok(Value::Degrees {
                    path: found.path,
                    degrees: found.degrees.into(),
                }),
                Err(problem) => Err(vec![ExpressionError::new(
                    value.span.clone(),
                    problem,
                    "a file with a whole number a line, or a CSV file with a column `degree`",
                )]),
            },
            _ => Err(misfit(parameter, value)),
        },
        ArgumentKind::Graph => Ok(Value::Graphs(vec![Generator::from_expression(
            value, read,
        )?])),
    }
}

fn one_number(name: &str, kind: ArgumentKind, value: &Expression) -> Result<f64, ExpressionError> {
    let number = value.number(Dimension::Plain)?;
    if kind.admits(number) {
        return Ok(number);
    }
    let expected = kind.to_string();
    let message = format!("`{name}` must be {expected}, not {number}");
    Err(ExpressionError::new(value.span.clone(), message, expected))
}

fn flag(parameter: &Parameter, value: &Expression) -> Result<bool, Errors> {
    match &value.kind {
        ExpressionKind::Name(name) if matches!(name.as_str(), "true" | "True") => Ok(true),
        ExpressionKind::Name(name) if matches!(name.as_str(), "false" | "False") => Ok(false),
        _ => Err(misfit(parameter, value)),
    }
}

fn row(parameter: &Parameter, value: &Expression) -> Result<Vec<f64>, Errors> {
    let ExpressionKind::List(items) = &value.kind else {
        return Err(misfit(parameter, value));
    };
    let mut numbers = Vec::with_capacity(items.len());
    for item in items {
        let number = item.number(Dimension::Plain).map_err(|e| vec![e])?;
        if !parameter.kind.admits(number) {
            let expected = parameter.kind.to_string();
            let message = format!("`{}` must be {expected}; {number} is not", parameter.name);
            return Err(vec![ExpressionError::new(
                item.span.clone(),
                message,
                expected,
            )]);
        }
        numbers.push(number);
    }
    Ok(numbers)
}

fn misfit(parameter: &Parameter, value: &Expression) -> Errors {
    let expected = parameter.kind.to_string();
    let message = format!("`{}` must be {expected}", parameter.name);
    vec![ExpressionError::new(value.span.clone(), message, expected)]
}
