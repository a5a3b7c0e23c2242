//! A random choice between names: `sample(LocA, LocB)`, `sample([a, b], weights=[0.9, 0.1])`.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use rand_distr::Distribution as _;
use rand_distr::weighted::WeightedAliasIndex;

use crate::expression::{
    Argument, Expression, ExpressionError, ExpressionKind, nearest, quote_name,
};
use crate::random::Stream;
use crate::units::Dimension;

/// An alias table over these weights: draws need no transcendental function.
pub(super) fn alias_index(weights: &[f64]) -> Result<WeightedAliasIndex<f64>, String> {
    WeightedAliasIndex::new(weights.to_vec())
        .map_err(|_| "weights must be 0 or above, finite, and not all 0".into())
}

/// More known names than this are not listed in an error.
const LISTED_MAX: usize = 10;

/// One of several names, each with its weight.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The places of the names among the known ones, each once or more.
    places: Vec<usize>,
    weights: Option<Vec<f64>>,
    alias: Option<Arc<WeightedAliasIndex<f64>>>,
    shown: Arc<str>,
}

impl Choice {
    /// Checks a name, a text, or a call of `sample` with names; `known` are the names that may
    /// be chosen and `what` is what to call them ("location").
    ///
    /// # Errors
    /// All unknown names (with the nearest known one), bad weights, an empty choice.
    pub fn from_expression(
        expression: &Expression,
        what: &str,
        known: &[String],
    ) -> Result<Self, Vec<ExpressionError>> {
        let call = match &expression.kind {
            ExpressionKind::Call {
                name,
                name_span,
                arguments,
            } if name == "sample" => SampleCall::new(name_span, arguments)?,
            _ => SampleCall {
                values: vec![expression],
                weights: None,
            },
        };
        let mut errors = Vec::new();
        let mut places = Vec::with_capacity(call.values.len());
        for value in &call.values {
            match find(value, what, known) {
                Ok(place) => places.push(place),
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Self::new(places, call.weights, known)
            .map_err(|problem| vec![ExpressionError::new(expression.span.clone(), problem, "")])
    }

    /// Every one of the `known` names with the same weight.
    pub fn uniform(known: &[String]) -> Self {
        Choice {
            places: (0..known.len()).collect(),
            weights: None,
            alias: None,
            shown: show(known.iter(), None).into(),
        }
    }

    fn new(
        places: Vec<usize>,
        weights: Option<Vec<f64>>,
        known: &[String],
    ) -> Result<Self, String> {
        let alias = match &weights {
            None => None,
            Some(weights) => Some(Arc::new(alias_index(weights)?)),
        };
        let names = places.iter().map(|&place| &known[place]);
        Ok(Choice {
            shown: show(names, weights.as_deref()).into(),
            alias,
            places,
            weights,
        })
    }

    /// Draws the place, in `known`, of the chosen name.
    pub fn sample(&self, stream: &mut Stream) -> usize {
        self.places[match &self.alias {
            Some(alias) => alias.sample(stream),
            None => stream.below(self.places.len() as u64) as usize,
        }]
    }

    /// The places, in `known`, of the names that can be drawn, ascending, each once.
    pub fn possible(&self) -> Vec<usize> {
        let mut possible: Vec<usize> = match &self.weights {
            None => self.places.clone(),
            Some(weights) => self
                .places
                .iter()
                .zip(weights)
                .filter(|&(_, &weight)| weight > 0.0)
                .map(|(&place, _)| place)
                .collect(),
        };
        possible.sort_unstable();
        possible.dedup();
        possible
    }
}

fn show<'a>(names: impl Iterator<Item = &'a String>, weights: Option<&[f64]>) -> String {
    let names: Vec<String> = names.map(|name| quote_name(name)).collect();
    match weights {
        Some(weights) => format!("sample([{}], {})", names.join(", "), show_weights(weights)),
        None if names.len() == 1 => names[0].clone(),
        None => format!("sample({})", names.join(", ")),
    }
}

/// `weights=[0.9, 0.1]`.
pub(super) fn show_weights(weights: &[f64]) -> String {
    let weights: Vec<String> = weights.iter().map(f64::to_string).collect();
    format!("weights=[{}]", weights.join(", "))
}

fn find(value: &Expression, what: &str, known: &[String]) -> Result<usize, ExpressionError> {
    let (ExpressionKind::Name(name) | ExpressionKind::Text(name)) = &value.kind else {
        let message = format!("the name of a {what} is expected here");
        return Err(ExpressionError::new(
            value.span.clone(),
            message,
            list(what, known),
        ));
    };
    known.iter().position(|other| other == name).ok_or_else(|| {
        let near = nearest(name, known.iter().map(String::as_str));
        let expected = match near {
            Some(near) if known.len() > LISTED_MAX => near,
            _ => list(what, known),
        };
        let message = format!("unknown {what} `{name}`");
        ExpressionError::new(value.span.clone(), message, expected)
    })
}

fn list(what: &str, known: &[String]) -> String {
    let shown = known[..known.len().min(LISTED_MAX)].join(", ");
    match known.len().saturating_sub(LISTED_MAX) {
        0 => format!("known {what}s: {shown}"),
        more => format!("known {what}s: {shown} and {more} more"),
    }
}

/// The canonical expression.
impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.shown)
    }
}

/// The arguments of `sample`: `a, b, ...` or `[a, b, ...], weights=[...]`.
pub(super) struct SampleCall<'a> {
    pub(super) values: Vec<&'a Expression>,
    pub(super) weights: Option<Vec<f64>>,
}

impl<'a> SampleCall<'a> {
    pub(super) fn new(
        span: &Range<usize>,
        arguments: &'a [Argument],
    ) -> Result<Self, Vec<ExpressionError>> {
        Self::named("sample", span, arguments)
    }

    /// The arguments of a call with the same form but another name.
    pub(super) fn named(
        name: &str,
        span: &Range<usize>,
        arguments: &'a [Argument],
    ) -> Result<Self, Vec<ExpressionError>> {
        let error = |span: &Range<usize>, message: String, expected: &str| {
            Err(vec![ExpressionError::new(span.clone(), message, expected)])
        };
        let mut values: Vec<&Expression> = Vec::new();
        let mut weights = None;
        for argument in arguments {
            match &argument.keyword {
                None => values.push(&argument.value),
                Some((keyword, _)) if keyword == "values" => values.push(&argument.value),
                Some((keyword, _)) if keyword == "weights" => weights = Some(&argument.value),
                Some((keyword, span)) => {
                    let message = format!("`{name}` has no parameter `{keyword}`");
                    let expected = format!("{name}(a, b) or {name}([a, b], weights=[1, 2])");
                    return error(span, message, &expected);
                }
            }
        }
        if let [one] = values[..]
            && let ExpressionKind::List(listed) = &one.kind
        {
            values = listed.iter().collect();
        }
        if values.is_empty() {
            let message = format!("`{name}` needs something to choose from");
            return error(span, message, &format!("{name}(a, b)"));
        }
        let weights = match weights {
            None => None,
            Some(expression) => Some(Self::weights(expression, values.len())?),
        };
        Ok(SampleCall { values, weights })
    }

    fn weights(expression: &Expression, count: usize) -> Result<Vec<f64>, Vec<ExpressionError>> {
        let ExpressionKind::List(listed) = &expression.kind else {
            return Err(vec![ExpressionError::new(
                expression.span.clone(),
                "weights are a list",
                "a number for each value: weights=[0.9, 0.1]",
            )]);
        };
        let mut weights = Vec::with_capacity(listed.len());
        let mut errors = Vec::new();
        for weight in listed {
            match weight.number(Dimension::Plain) {
                Ok(value) if value >= 0.0 => weights.push(value),
                Ok(value) => errors.push(ExpressionError::new(
                    weight.span.clone(),
                    format!("a weight must be 0 or above, not {value}"),
                    "0 or above",
                )),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() && weights.len() != count {
            errors.push(ExpressionError::new(
                expression.span.clone(),
                format!("{} weights for {count} values", weights.len()),
                "as many weights as values",
            ));
        }
        let total: f64 = weights.iter().sum();
        if errors.is_empty() && !(total > 0.0 && total.is_finite()) {
            errors.push(ExpressionError::new(
                expression.span.clone(),
                "the weights must add up to a finite number above 0",
                "at least one weight above 0",
            ));
        }
        if errors.is_empty() {
            Ok(weights)
        } else {
            Err(errors)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::parse;
    use crate::random::Purpose;

    fn known() -> Vec<String> {
        ["LocA", "LocB", "São Paulo"].map(String::from).to_vec()
    }

    fn choice(text: &str) -> Result<Choice, Vec<ExpressionError>> {
        let expression = parse(text).map_err(|error| vec![error])?;
        Choice::from_expression(&expression, "location", &known())
    }

    #[test]
    fn draws_by_weight() {
        let Ok(choice) = choice("sample([LocA, 'São Paulo', LocB], weights=[3, 1, 0])") else {
            panic!("refused");
        };
        assert_eq!(choice.possible(), [0, 2]);
        let mut stream = Stream::global(1, Purpose::Sample);
        let mut counts = [0_u32; 3];
        for _ in 0..40_000 {
            counts[choice.sample(&mut stream)] += 1;
        }
        assert!(
            counts[0].abs_diff(30_000) < 520 && counts[1] == 0,
            "{counts:?}"
        );
        let shown = "sample([LocA, \"São Paulo\", LocB], weights=[3, 1, 0])";
        assert_eq!(choice.to_string(), shown);
    }

    #[test]
    fn a_single_name_is_no_choice() {
        let shown = |text| choice(text).map(|choice| choice.to_string());
        assert_eq!(shown("LocA"), Ok("LocA".into()));
        assert_eq!(shown("sample(LocA, LocB)"), Ok("sample(LocA, LocB)".into()));
        assert_eq!(Choice::uniform(&known()).possible(), [0, 1, 2]);
    }

    #[test]
    fn names_every_mistake() {
        for (text, message, expected) in [
            (
                "sample(LocA, LocC)",
                "unknown location `LocC`",
                "known locations: LocA, LocB, São Paulo",
            ),
            (
                "7",
                "the name of a location is expected here",
                "known locations: LocA, LocB, São Paulo",
            ),
            (
                "sample([LocA], weights=[1, 2])",
                "2 weights for 1 values",
                "as many weights as values",
            ),
            (
                "sample([LocA], weights=[-1])",
                "a weight must be 0 or above, not -1",
                "0 or above",
            ),
            (
                "sample([LocA], weights=[0])",
                "the weights must add up to a finite number above 0",
                "at least one weight above 0",
            ),
        ] {
            let errors = choice(text).expect_err(text);
            assert_eq!(errors.len(), 1, "{text}");
            assert_eq!(
                (errors[0].message.as_str(), errors[0].expected.as_str()),
                (message, expected)
            );
        }
    }
}
