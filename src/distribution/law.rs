//! What a law is to the rest: a table row that says how it is written, and something to draw from.

use std::fmt::Debug;

use crate::random::Stream;

/// A law in its standard form (loc 0, scale 1) with its shapes fixed.
pub(super) trait Law: Debug + Send + Sync {
    /// Draws one number.
    fn sample(&self, stream: &mut Stream) -> f64;
    /// The smallest and the largest value that can be drawn.
    fn support(&self) -> (f64, f64);
    /// The mean and the standard deviation; infinite or NaN where there is none.
    fn moments(&self) -> (f64, f64);
    /// P(X < x).
    fn mass_below(&self, x: f64) -> f64;
}

/// What values a shape parameter may have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ShapeRange {
    /// Above 0.
    Positive,
    /// 0 or above.
    NonNegative,
    /// Between 0 and 1, both included.
    Unit,
    /// A whole number of at most 2^53 either way.
    Whole,
}

impl ShapeRange {
    /// Whether `value`, which is finite, is in the range.
    pub(super) fn contains(self, value: f64) -> bool {
        match self {
            ShapeRange::Positive => value > 0.0,
            ShapeRange::NonNegative => value >= 0.0,
            ShapeRange::Unit => (0.0..=1.0).contains(&value),
            ShapeRange::Whole => value.fract() == 0.0 && value.abs() <= (1_u64 << 53) as f64,
        }
    }

    /// As it stands in messages and lists: `above 0`.
    pub const fn described(self) -> &'static str {
        match self {
            ShapeRange::Positive => "above 0",
            ShapeRange::NonNegative => "0 or above",
            ShapeRange::Unit => "between 0 and 1",
            ShapeRange::Whole => "a whole number",
        }
    }
}

/// From shapes to the law, or what must hold for there to be one.
type Build = fn(&[f64]) -> Result<Box<dyn Law>, String>;

/// A law that scenarios can name: scipy.stats' name, parameters and their order.
pub struct LawSpec {
    /// Its name.
    pub name: &'static str,
    /// Names and ranges of the shape parameters, in scipy's order.
    pub shapes: &'static [(&'static str, ShapeRange)],
    /// Whether it has a scale; discrete laws have only a loc.
    pub has_scale: bool,
    /// What it is, and its support in standard form, in one line.
    pub about: &'static str,
    /// Builds the law from shapes that are in their ranges; refuses shapes that do not go
    /// together, saying what must hold.
    pub(super) build: Build,
}

impl LawSpec {
    /// All parameters in order: the shapes, `loc`, and `scale` if there is one.
    pub fn parameters(&self) -> Vec<&'static str> {
        let mut names: Vec<&str> = self.shapes.iter().map(|&(name, _)| name).collect();
        names.push("loc");
        if self.has_scale {
            names.push("scale");
        }
        names
    }
}

/// The moments as statrs gives them, in our terms.
pub(super) fn moments(law: &impl statrs::statistics::Distribution<f64>) -> (f64, f64) {
    (
        law.mean().unwrap_or(f64::NAN),
        law.std_dev().unwrap_or(f64::NAN),
    )
}
