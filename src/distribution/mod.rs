//! Probability distributions under scipy.stats' names: parsed and checked once, then sampled
//! without failing.

mod choice;

pub use choice::Choice;

use std::fmt;

use crate::expression::{Expression, ExpressionError};
use crate::random::Stream;
use crate::units::Dimension;

/// A distribution of numbers, or a constant. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Distribution {}

impl Distribution {
    /// Always `value`, which must be finite.
    pub fn constant(_value: f64) -> Self {
        todo!("helper A")
    }

    /// Parses and checks `text`; its numbers measure `dimension`.
    ///
    /// # Errors
    /// As [`Distribution::from_expression`], or the first place where the text is no expression.
    pub fn parse(_text: &str, _dimension: Dimension) -> Result<Self, Vec<ExpressionError>> {
        todo!("helper A")
    }

    /// Checks a call like `norm(12, 2)`, a number, or `sample(1, 2, 5)`; its numbers measure
    /// `dimension` (loc, scale and constants take units; shapes do not).
    ///
    /// # Errors
    /// All of: an unknown name, a missing, superfluous or repeated parameter, a wrong unit, a
    /// parameter outside its range; each with its place.
    pub fn from_expression(
        _expression: &Expression,
        _dimension: Dimension,
    ) -> Result<Self, Vec<ExpressionError>> {
        todo!("helper A")
    }

    /// Draws one number.
    #[inline]
    pub fn sample(&self, _stream: &mut Stream) -> f64 {
        todo!("helper A")
    }

    /// The value, if there is only one.
    pub fn as_constant(&self) -> Option<f64> {
        todo!("helper A")
    }

    /// The smallest value that can be drawn; may be minus infinity.
    pub fn lower_bound(&self) -> f64 {
        todo!("helper A")
    }

    /// The largest value that can be drawn; may be infinity.
    pub fn upper_bound(&self) -> f64 {
        todo!("helper A")
    }

    /// The mean; infinite or NaN where there is none.
    pub fn mean(&self) -> f64 {
        todo!("helper A")
    }

    /// The standard deviation; infinite or NaN where there is none.
    pub fn std_dev(&self) -> f64 {
        todo!("helper A")
    }

    /// P(X < x).
    pub fn mass_below(&self, _x: f64) -> f64 {
        todo!("helper A")
    }
}

/// The canonical expression: parsing it gives the same distribution again.
impl fmt::Display for Distribution {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!("helper A")
    }
}
