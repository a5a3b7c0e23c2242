//! What a law is to the rest: a table row that says how it is written, and something to draw from.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::quadrature::{
    Density, Shape, moments_of_exponential, moments_of_normal, moments_of_unit,
};
use crate::random::{Stream, Ziggurat, standard_exponential, standard_normal};

type Draw = Box<dyn Fn(&mut Stream) -> f64 + Send + Sync>;
type Function = Box<dyn Fn(f64) -> f64 + Send + Sync>;
type Moments = Box<dyn Fn() -> (f64, f64) + Send + Sync>;

/// A law in its standard form (loc 0, scale 1) with its shapes fixed.
pub(super) struct Law {
    draw: Draw,
    support: (f64, f64),
    below: Function,
    at_most: Option<Function>,
    moments: Moments,
    /// About how many times a draw is tried until it is accepted.
    tries: f64,
}

impl fmt::Debug for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Law")
            .field("support", &self.support)
            .finish_non_exhaustive()
    }
}

impl Law {
    /// A continuous law from its draws, its cdf (asked only inside the support), and its mean and
    /// standard deviation, infinite or NaN where there is none.
    pub(super) fn new(
        support: (f64, f64),
        draw: impl Fn(&mut Stream) -> f64 + Send + Sync + 'static,
        cdf: impl Fn(f64) -> f64 + Send + Sync + 'static,
        moments: (f64, f64),
    ) -> Self {
        Law {
            draw: Box::new(draw),
            support,
            below: Box::new(cdf),
            at_most: None,
            moments: Box::new(move || moments),
            tries: 1.0,
        }
    }

    /// The law of f(E) for a standard exponential E.
    pub(super) fn of_exponential(
        support: (f64, f64),
        f: impl Fn(f64) -> f64 + Send + Sync + Clone + 'static,
        cdf: impl Fn(f64) -> f64 + Send + Sync + 'static,
    ) -> Self {
        let tables = Ziggurat::exponential();
        let drawn = f.clone();
        let draw = move |stream: &mut Stream| drawn(standard_exponential(tables, stream));
        Self::new(support, draw, cdf, (0.0, 0.0))
            .with_moments_by(move || moments_of_exponential(&f))
    }

    /// The law of f(Z) for a standard normal Z.
    pub(super) fn of_normal(
        support: (f64, f64),
        f: impl Fn(f64) -> f64 + Send + Sync + Clone + 'static,
        cdf: impl Fn(f64) -> f64 + Send + Sync + 'static,
    ) -> Self {
        let tables = Ziggurat::normal();
        let drawn = f.clone();
        let draw = move |stream: &mut Stream| drawn(standard_normal(tables, stream));
        Self::new(support, draw, cdf, (0.0, 0.0)).with_moments_by(move || moments_of_normal(&f))
    }

    /// The law of f(U) for a U uniform on (0, 1).
    pub(super) fn of_unit(
        support: (f64, f64),
        f: impl Fn(f64) -> f64 + Send + Sync + Clone + 'static,
        cdf: impl Fn(f64) -> f64 + Send + Sync + 'static,
    ) -> Self {
        let drawn = f.clone();
        let draw = move |stream: &mut Stream| drawn(stream.open_unit());
        Self::new(support, draw, cdf, (0.0, 0.0)).with_moments_by(move || moments_of_unit(&f))
    }

    /// A continuous law from its draws and its density, up to a factor; cdf, mean and standard
    /// deviation (which must exist) are integrated when they are asked for.
    pub(super) fn of_density(
        shape: Shape,
        draw: impl Fn(&mut Stream) -> f64 + Send + Sync + 'static,
        density: impl Fn(f64, f64) -> f64 + Send + Sync + Clone + 'static,
    ) -> Self {
        let built = Arc::new(OnceLock::new());
        let again = Arc::clone(&built);
        let get = move || Density::new(shape, density.clone());
        let get_again = get.clone();
        let cdf = move |x| built.get_or_init(&get).cdf(x);
        Self::new(shape.support, draw, cdf, (0.0, 0.0))
            .with_moments_by(move || again.get_or_init(&get_again).moments())
    }

    /// A law of whole numbers from its draws, P(X <= k) for a whole k in the support, and its
    /// mean and standard deviation.
    pub(super) fn whole(
        support: (f64, f64),
        draw: impl Fn(&mut Stream) -> f64 + Send + Sync + 'static,
        cdf: impl Fn(f64) -> f64 + Send + Sync + 'static,
        moments: (f64, f64),
    ) -> Self {
        let cdf = Arc::new(cdf);
        let first = support.0;
        let strictly = Arc::clone(&cdf);
        let below = move |x: f64| {
            let last = x.ceil() - 1.0;
            if last < first { 0.0 } else { strictly(last) }
        };
        Self::new(support, draw, below, moments).with_at_most(move |x: f64| cdf(x.floor()))
    }

    /// The same law, whose values are said to be from `low` to `high`, though what lies at the
    /// ends may be too rare to be drawn.
    pub(super) fn with_support(self, low: f64, high: f64) -> Self {
        Law {
            support: (low, high),
            ..self
        }
    }

    /// The same law with P(X <= x) told apart from P(X < x).
    pub(super) fn with_at_most(
        mut self,
        at_most: impl Fn(f64) -> f64 + Send + Sync + 'static,
    ) -> Self {
        self.at_most = Some(Box::new(at_most));
        self
    }

    /// The same law with its mean and standard deviation in closed form.
    pub(super) fn with_moments(mut self, mean: f64, std_dev: f64) -> Self {
        self.moments = Box::new(move || (mean, std_dev));
        self
    }

    /// The same law with a mean and a standard deviation that take their time.
    pub(super) fn with_moments_by(
        mut self,
        moments: impl Fn() -> (f64, f64) + Send + Sync + 'static,
    ) -> Self {
        self.moments = Box::new(moments);
        self
    }

    /// The same law with its mean in closed form.
    pub(super) fn with_mean(self, mean: f64) -> Self {
        let moments = self.moments;
        Law {
            moments: Box::new(move || (mean, moments().1)),
            ..self
        }
    }

    /// The same law where only the first `count` moments are finite; the others are infinite.
    pub(super) fn with_finite_moments(self, count: u32) -> Self {
        match count {
            0 => self.with_moments(f64::INFINITY, f64::INFINITY),
            1 => {
                let moments = self.moments;
                Law {
                    moments: Box::new(move || (moments().0, f64::INFINITY)),
                    ..self
                }
            }
            _ => self,
        }
    }

    /// The same law, whose draws are tried about so many times.
    pub(super) fn with_tries(self, tries: f64) -> Self {
        Law { tries, ..self }
    }

    /// About how many times a draw is tried until it is accepted.
    pub(super) fn tries(&self) -> f64 {
        self.tries
    }

    /// Draws one number.
    #[inline]
    pub(super) fn sample(&self, stream: &mut Stream) -> f64 {
        (self.draw)(stream)
    }

    /// The smallest and the largest value that can be drawn.
    pub(super) fn support(&self) -> (f64, f64) {
        self.support
    }

    /// The mean and the standard deviation; infinite or NaN where there is none.
    pub(super) fn moments(&self) -> (f64, f64) {
        (self.moments)()
    }

    /// P(X < x).
    pub(super) fn mass_below(&self, x: f64) -> f64 {
        if x <= self.support.0 {
            0.0
        } else if x > self.support.1
            || x == f64::INFINITY
            || (x == self.support.1 && self.at_most.is_none())
        {
            1.0
        } else {
            (self.below)(x).clamp(0.0, 1.0)
        }
    }

    /// P(X <= x).
    pub(super) fn mass_at_most(&self, x: f64) -> f64 {
        match &self.at_most {
            None => self.mass_below(x),
            Some(_) if x < self.support.0 => 0.0,
            Some(_) if x >= self.support.1 => 1.0,
            Some(at_most) => at_most(x).clamp(0.0, 1.0),
        }
    }
}

/// Mean and standard deviation from E X and E X^2.
pub(super) fn raw_moments(first: f64, second: f64) -> (f64, f64) {
    if second.is_infinite() {
        (first, f64::INFINITY)
    } else {
        (first, (second - first * first).max(0.0).sqrt())
    }
}

/// What values a shape parameter may have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShapeRange {
    low: f64,
    high: f64,
    /// Whether `low` and `high` themselves are in the range.
    ends: (bool, bool),
    whole: bool,
    nonzero: bool,
}

impl ShapeRange {
    /// Any finite number.
    pub const ANY: Self = Self::between(f64::NEG_INFINITY, f64::INFINITY, (false, false));
    /// Any finite number but 0.
    pub const NONZERO: Self = ShapeRange {
        nonzero: true,
        ..Self::ANY
    };
    /// Above 0.
    pub const POSITIVE: Self = Self::above(0.0);
    /// 0 or above.
    pub const NON_NEGATIVE: Self = Self::between(0.0, f64::INFINITY, (true, false));
    /// From 0 to 1.
    pub const UNIT: Self = Self::between(0.0, 1.0, (true, true));
    /// Above 0 and below 1.
    pub const INSIDE_UNIT: Self = Self::between(0.0, 1.0, (false, false));
    /// A whole number.
    pub const WHOLE: Self = Self::whole_between(-WHOLE_MAX, WHOLE_MAX);
    /// A whole number, 0 or above.
    pub const COUNT: Self = Self::whole_between(0.0, WHOLE_MAX);
    /// A whole number, 1 or above.
    pub const POSITIVE_COUNT: Self = Self::whole_between(1.0, WHOLE_MAX);

    /// Between two numbers, each of them included or not.
    pub const fn between(low: f64, high: f64, ends: (bool, bool)) -> Self {
        ShapeRange {
            low,
            high,
            ends,
            whole: false,
            nonzero: false,
        }
    }

    /// Above a number.
    pub const fn above(low: f64) -> Self {
        Self::between(low, f64::INFINITY, (false, false))
    }

    /// A whole number between two, both included.
    pub const fn whole_between(low: f64, high: f64) -> Self {
        ShapeRange {
            whole: true,
            ..Self::between(low, high, (true, true))
        }
    }

    /// Whether `value`, which is finite, is in the range.
    pub(super) fn contains(self, value: f64) -> bool {
        let above = value > self.low || (self.ends.0 && value == self.low);
        let below = value < self.high || (self.ends.1 && value == self.high);
        let whole = !self.whole || value.fract() == 0.0;
        above && below && whole && !(self.nonzero && value == 0.0)
    }

    /// As it stands in messages and lists: `above 0`, `a whole number from 1 to 100`.
    pub fn described(self) -> String {
        let kind = if self.whole { "a whole number" } else { "" };
        let low = match self.low {
            low if low == f64::NEG_INFINITY || low == -WHOLE_MAX => String::new(),
            low if self.ends.0 => format!("{low} or above"),
            low => format!("above {low}"),
        };
        let high = match self.high {
            high if high == f64::INFINITY || high == WHOLE_MAX => String::new(),
            high if self.ends.1 => format!("{high} or below"),
            high => format!("below {high}"),
        };
        let bounds = match (low.is_empty(), high.is_empty()) {
            (false, false) if self.ends == (true, true) => {
                format!("from {} to {}", self.low, self.high)
            }
            (false, false) => format!("{low} and {high}"),
            _ => low + &high,
        };
        match (kind.is_empty(), bounds.is_empty()) {
            (true, true) if self.nonzero => "any number but 0".into(),
            (true, true) => "any number".into(),
            (true, false) => bounds,
            (false, true) => kind.into(),
            (false, false) if bounds.starts_with("from") => format!("{kind} {bounds}"),
            (false, false) => format!("{kind}, {bounds}"),
        }
    }

    /// As it stands in a narrow column: `> 0`, `whole >= 1`, `in [0, 1)`.
    pub fn brief(self) -> String {
        let whole = if self.whole { "whole " } else { "" };
        let low = self.low != f64::NEG_INFINITY && self.low != -WHOLE_MAX;
        let high = self.high != f64::INFINITY && self.high != WHOLE_MAX;
        let sign = |at: bool, sign: &str| if at { format!("{sign}=") } else { sign.into() };
        match (low, high) {
            (false, false) if self.whole => "whole".into(),
            (false, false) if self.nonzero => "any but 0".into(),
            (false, false) => "any".into(),
            (true, false) => format!("{whole}{} {}", sign(self.ends.0, ">"), self.low),
            (false, true) => format!("{whole}{} {}", sign(self.ends.1, "<"), self.high),
            (true, true) => format!(
                "{whole}in {}{}, {}{}",
                if self.ends.0 { '[' } else { '(' },
                self.low,
                self.high,
                if self.ends.1 { ']' } else { ')' },
            ),
        }
    }
}

/// 2^53: beyond this not every whole number is a number here.
const WHOLE_MAX: f64 = (1_u64 << 53) as f64;

/// From shapes to the law, or what must hold for there to be one.
type Build = fn(&[f64]) -> Result<Law, String>;

/// A law that scenarios can name: scipy.stats' name, parameters and their order.
#[derive(Clone, Copy)]
pub struct LawSpec {
    /// Its name.
    pub name: &'static str,
    /// Names and ranges of the shape parameters, in scipy's order.
    pub shapes: &'static [(&'static str, ShapeRange)],
    /// What it is, in one line.
    pub about: &'static str,
    /// The support in its standard form, as it is shown.
    pub support: &'static str,
    /// Shapes to show it with.
    pub example: &'static [f64],
    /// Whether it is a law of whole numbers: it then has a loc, but no scale.
    pub discrete: bool,
    /// Builds the law from shapes that are in their ranges; refuses shapes that do not go
    /// together, saying what must hold.
    pub(super) build: Build,
}

impl LawSpec {
    /// All parameters in order: the shapes, `loc`, and `scale` if there is one.
    pub fn parameters(&self) -> Vec<&'static str> {
        let mut names: Vec<&str> = self.shapes.iter().map(|&(name, _)| name).collect();
        names.push("loc");
        if !self.discrete {
            names.push("scale");
        }
        names
    }

    /// Whether its only shape is a list of numbers, each in the range.
    pub fn takes_list(&self) -> bool {
        self.name == "poisson_binom"
    }

    /// A call with the example's shapes: `gamma(2)`.
    pub fn example_call(&self) -> String {
        let shapes: Vec<String> = self.example.iter().map(f64::to_string).collect();
        if self.takes_list() {
            format!("{}([{}])", self.name, shapes.join(", "))
        } else {
            format!("{}({})", self.name, shapes.join(", "))
        }
    }
}

/// A continuous law's row.
pub(super) const fn continuous(
    name: &'static str,
    shapes: &'static [(&'static str, ShapeRange)],
    example: &'static [f64],
    support: &'static str,
    about: &'static str,
    build: Build,
) -> LawSpec {
    LawSpec {
        name,
        shapes,
        about,
        support,
        example,
        discrete: false,
        build,
    }
}

/// A row of a law of whole numbers.
pub(super) const fn discrete(
    name: &'static str,
    shapes: &'static [(&'static str, ShapeRange)],
    example: &'static [f64],
    support: &'static str,
    about: &'static str,
    build: Build,
) -> LawSpec {
    LawSpec {
        discrete: true,
        ..continuous(name, shapes, example, support, about, build)
    }
}
