//! A random choice between names: `sample(LocA, LocB)`, `sample([a, b], weights=[0.9, 0.1])`.

use std::fmt;

use crate::expression::{Expression, ExpressionError};
use crate::random::Stream;

/// One of several names, each with its weight.
#[derive(Clone, Debug)]
pub struct Choice {}

impl Choice {
    /// Checks a name, a text, or a call of `sample` with names; `known` are the names that may
    /// be chosen and `what` is what to call them ("location").
    ///
    /// # Errors
    /// All unknown names (with the nearest known one), bad weights, an empty choice.
    pub fn from_expression(
        _expression: &Expression,
        _what: &str,
        _known: &[String],
    ) -> Result<Self, Vec<ExpressionError>> {
        todo!("helper A")
    }

    /// Every one of the `known` names with the same weight.
    pub fn uniform(_known: &[String]) -> Self {
        todo!("helper A")
    }

    /// Draws the place, in `known`, of the chosen name.
    pub fn sample(&self, _stream: &mut Stream) -> usize {
        todo!("helper A")
    }

    /// The places, in `known`, of the names that can be drawn, ascending, each once.
    pub fn possible(&self) -> Vec<usize> {
        todo!("helper A")
    }
}

/// The canonical expression.
impl fmt::Display for Choice {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!("helper A")
    }
}
