//! Distributions and choices in a scenario: as a call, as a mapping, or as p2psimpy saves them.

use std::ops::Range;

use serde_json::json;

use super::compiler::Compiler;
use super::measured::{self, MEASURED_BYTES_MAX};
use super::node::{Node, Scalar, Value};
use super::schema::{self, KeySpec, Mapping};
use super::source::Place;
use crate::distribution::{Choice, Distribution, Measured};
use crate::expression::{self, Argument, Expression, ExpressionError, ExpressionKind};
use crate::services::Registry;
use crate::time::Time;
use crate::units::Dimension;

/// The longest expression, in bytes: its tree takes a hundred times as much memory.
const EXPRESSION_BYTES_MAX: usize = 1 << 20;

/// A law, or a choice, as a mapping.
pub(super) const MAPPING: Mapping = Mapping {
    what: "a distribution",
    keys: &[
        KeySpec::new("dist", name_schema, "the name of a distribution").required(),
        KeySpec::new("params", params_schema, "its parameters"),
    ],
};

/// The keys under which p2psimpy saves laws.
pub(super) const SAVED_KEYS: [&str; 2] = ["Dist", "DistAttr"];

/// What stands under them.
pub(super) const SAVED: Mapping = Mapping {
    what: "a distribution",
    keys: &[
        KeySpec::new("name", name_schema, "the name of a distribution").required(),
        KeySpec::new("params", params_schema, "its parameters"),
    ],
};

fn name_schema(_: &Registry) -> serde_json::Value {
    json!({"enum": schema::law_names()})
}

fn params_schema(_: &Registry) -> serde_json::Value {
    // A list, keywords, a single one, or a tuple in a text.
    json!({"type": ["array", "object", "number", "string"]})
}

/// An expression and how its spans become places.
pub(super) struct Placed {
    pub(super) expression: Expression,
    map: SpanMap,
}

enum SpanMap {
    /// The expression stands in a source letter by letter, from this place on.
    Verbatim(Place),
    /// It does not: everything is at this place.
    Whole(Place),
    /// Spans are numbers of places.
    Table(Vec<Place>),
}

impl SpanMap {
    fn place(&self, span: &Range<usize>) -> Place {
        match self {
            SpanMap::Verbatim(start) => start.within(span.clone()),
            SpanMap::Whole(place) => *place,
            SpanMap::Table(places) => places[span.start.min(places.len() - 1)],
        }
    }
}

impl Compiler<'_> {
    fn expression_errors(&mut self, map: &SpanMap, errors: Vec<ExpressionError>) {
        for error in errors {
            self.error(map.place(&error.span), error.message, error.expected);
        }
    }

    /// Parses a scalar.
    pub(super) fn expression(&mut self, scalar: &Scalar, place: Place) -> Option<Placed> {
        let map = match scalar.verbatim_at {
            Some(at) => SpanMap::Verbatim(Place::new(place.source(), at as usize..at as usize)),
            None => SpanMap::Whole(place),
        };
        if scalar.text.len() > EXPRESSION_BYTES_MAX {
            self.error(place, "this expression is too long", "at most 1 MiB");
            return None;
        }
        match expression::parse(&scalar.text) {
            Ok(expression) => Some(Placed { expression, map }),
            Err(error) => {
                self.expression_errors(&map, vec![error]);
                None
            }
        }
    }

    /// Parses whatever form of a law or a choice `node` has.
    fn placed(&mut self, node: &Node, what: &str) -> Option<Placed> {
        match &node.value {
            Value::Scalar(scalar) => self.expression(scalar, node.place),
            Value::Map(entries) => match &entries[..] {
                [(key, inner)] if SAVED_KEYS.contains(&&*key.text) => {
                    self.mapping(inner, &SAVED, "name", key.place)
                }
                _ => self.mapping(node, &MAPPING, "dist", node.place),
            },
            _ => {
                let message = format!("{what} is expected here, not {}", node.described());
                self.error(node.place, message, "for example norm(12, 2)");
                None
            }
        }
    }

    /// `{dist: norm, params: [12, 2]}`, and what stands inside p2psimpy's `Dist`.
    fn mapping(
        &mut self,
        node: &Node,
        mapping: &'static Mapping,
        name_key: &'static str,
        head: Place,
    ) -> Option<Placed> {
        let mut fields = super::fields::Fields::new(self, mapping, node, head)?;
        let name = fields.require(self, name_key, "norm");
        let params = fields.get("params");
        fields.finish(self);
        let name = name?;
        let Value::Scalar(name_scalar) = &name.value else {
            self.error(
                name.place,
                "the name of a distribution is expected here",
                "norm",
            );
            return None;
        };
        let mut places = vec![name.place];
        let arguments = match params {
            None => Vec::new(),
            Some(params) => {
                let takes_list = matches!(&*name_scalar.text, "sample" | "mix" | "empirical");
                self.arguments(params, &mut places, takes_list)?
            }
        };
        Some(Placed {
            expression: Expression {
                kind: ExpressionKind::Call {
                    name: name_scalar.text.clone(),
                    name_span: 0..1,
                    arguments,
                },
                span: 0..1,
            },
            map: SpanMap::Table(places),
        })
    }

    fn arguments(
        &mut self,
        params: &Node,
        places: &mut Vec<Place>,
        takes_list: bool,
    ) -> Option<Vec<Argument>> {
        let positional = |value| Argument {
            keyword: None,
            value,
        };
        match &params.value {
            Value::Map(entries) => {
                let mut arguments = Vec::new();
                for (key, node) in entries {
                    places.push(key.place);
                    let span = places.len() - 1..places.len();
                    arguments.push(Argument {
                        keyword: Some((key.text.clone(), span)),
                        value: self.argument(node, places)?,
                    });
                }
                Some(arguments)
            }
            _ => {
                let value = self.argument(params, places)?;
                match value.kind {
                    ExpressionKind::List(items) if !takes_list => {
                        Some(items.into_iter().map(positional).collect())
                    }
                    _ => Some(vec![positional(value)]),
                }
            }
        }
    }

    fn argument(&mut self, node: &Node, places: &mut Vec<Place>) -> Option<Expression> {
        places.push(node.place);
        let span = places.len() - 1..places.len();
        match &node.value {
            Value::Scalar(scalar) => {
                let placed = self.expression(scalar, node.place)?;
                Some(all_at(placed.expression, &span))
            }
            Value::List(items) => {
                let mut list = Vec::with_capacity(items.len());
                for item in items {
                    list.push(self.argument(item, places)?);
                }
                Some(Expression {
                    kind: ExpressionKind::List(list),
                    span,
                })
            }
            _ => {
                let message = format!("a parameter cannot be {}", node.described());
                self.error(node.place, message, "a number, or a list");
                None
            }
        }
    }

    /// A distribution whose numbers measure `dimension`.
    pub(super) fn law(&mut self, node: &Node, dimension: Dimension) -> Option<Distribution> {
        let written = match &node.value {
            Value::Scalar(scalar) => Some(format!("{dimension:?} {}", scalar.text)),
            _ => None,
        };
        if let Some(known) = written.as_ref().and_then(|text| self.laws.get(text)) {
            return Some(known.clone());
        }
        let placed = self.placed(node, "a number or a distribution")?;
        let inputs = &mut self.inputs;
        let mut read = |path: &str, column: Option<&str>| {
            let (bytes, name) = inputs.read(path, MEASURED_BYTES_MAX)?;
            Ok(Measured {
                values: measured::values(path, &bytes, column)?,
                path: format!("inputs/{name}"),
            })
        };
        match Distribution::from_expression(&placed.expression, dimension, &mut read) {
            Ok(law) => {
                if let Some(written) = written {
                    self.laws.insert(written, law.clone());
                }
                Some(law)
            }
            Err(errors) => {
                self.expression_errors(&placed.map, errors);
                None
            }
        }
    }

    /// A choice among `known` names.
    pub(super) fn choice(&mut self, node: &Node, what: &str, known: &[String]) -> Option<Choice> {
        // A name that is written like no expression (`São Paulo (BR)`) is still a name.
        if let Value::Scalar(scalar) = &node.value
            && known.contains(&scalar.text)
        {
            let expression = Expression {
                kind: ExpressionKind::Text(scalar.text.clone()),
                span: 0..scalar.text.len(),
            };
            return Choice::from_expression(&expression, what, known).ok();
        }
        let placed = self.placed(node, &format!("a {what}"))?;
        match Choice::from_expression(&placed.expression, what, known) {
            Ok(choice) => Some(choice),
            Err(errors) => {
                self.expression_errors(&placed.map, errors);
                None
            }
        }
    }

    /// Shows the errors of an expression that something else has checked.
    pub(super) fn placed_errors(&mut self, placed: &Placed, errors: Vec<ExpressionError>) {
        self.expression_errors(&placed.map, errors);
    }

    /// A single number in the base unit of `dimension`.
    pub(super) fn number(&mut self, node: &Node, dimension: Dimension) -> Option<f64> {
        let Value::Scalar(scalar) = &node.value else {
            let message = format!(
                "{} is expected here, not {}",
                dimension.described(),
                node.described()
            );
            self.error(node.place, message, "");
            return None;
        };
        let placed = self.expression(scalar, node.place)?;
        match placed.expression.number(dimension) {
            Ok(number) => Some(number),
            Err(error) => {
                self.expression_errors(&placed.map, vec![error]);
                None
            }
        }
    }

    /// A time of at least `min`.
    pub(super) fn duration(&mut self, node: &Node, min: Time) -> Option<Time> {
        let ms = self.number(node, Dimension::Time)?;
        match Time::from_ms(ms) {
            Some(time) if time >= min => Some(time),
            Some(_) => {
                let message = format!("a time of {ms} ms is too short");
                self.error(node.place, message, format!("at least {min} ms"));
                None
            }
            None if ms < 0.0 => {
                self.error(node.place, "a time cannot be negative", "0 or above");
                None
            }
            None => {
                let message = format!("a time of {ms:e} ms overflows");
                self.error(node.place, message, format!("at most {} ms", Time::MAX));
                None
            }
        }
    }

    /// A whole number from `min` to `max`.
    pub(super) fn whole(&mut self, node: &Node, min: u64, max: u64) -> Option<u64> {
        let range = || match max {
            u64::MAX => format!("a whole number from {min} to 2^64 - 1"),
            _ => format!("a whole number from {min} to {max}"),
        };
        let parsed = match &node.value {
            Value::Scalar(scalar) if !scalar.quoted => scalar.text.parse().ok(),
            _ => None,
        };
        if let Some(value) = parsed
            && (min..=max).contains(&value)
        {
            return Some(value);
        }
        let shown = node.shown();
        self.error(node.place, format!("{shown} cannot stand here"), range());
        None
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&mut self, node: &Node, words: &[(&str, T)]) -> Option<T> {
        if let Value::Scalar(scalar) = &node.value
            && let Some(&(_, value)) = words.iter().find(|(word, _)| *word == scalar.text)
        {
            return Some(value);
        }
        let known: Vec<&str> = words.iter().map(|&(word, _)| word).collect();
        let shown = node.shown();
        let message = format!("{shown} cannot stand here");
        self.error(node.place, message, format!("one of {}", known.join(", ")));
        None
    }
}

/// The expression with every part of it at `span`.
fn all_at(mut expression: Expression, span: &Range<usize>) -> Expression {
    expression.span = span.clone();
    match &mut expression.kind {
        ExpressionKind::Number {
            unit: Some(unit), ..
        } => unit.1 = span.clone(),
        ExpressionKind::List(items) => {
            for item in items {
                *item = all_at(item.clone(), span);
            }
        }
        ExpressionKind::Call {
            name_span,
            arguments,
            ..
        } => {
            *name_span = span.clone();
            for argument in arguments {
                argument.value = all_at(argument.value.clone(), span);
                if let Some((_, keyword_span)) = &mut argument.keyword {
                    *keyword_span = span.clone();
                }
            }
        }
        _ => {}
    }
    expression
}
