//! Probability distributions under scipy.stats' names: parsed and checked once, then sampled
//! without failing.
//!
//! A family of laws is a file in `laws/`, with a row for each of its laws. Draws use the `libm`
//! crate alone, so that they are the same on every platform; so do the functions they are
//! tabled from.

mod choice;
mod draws;
mod law;
mod laws;
mod modifiers;
mod quadrature;
mod special;
mod table;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

pub use choice::Choice;
pub use law::{LawSpec, ShapeRange};

use crate::expression::{self, Argument, Expression, ExpressionError, ExpressionKind, nearest};
use crate::random::{Stream, Ziggurat, standard_normal};
use crate::units::Dimension;
use law::Law;

/// All laws of scipy.stats, in alphabetical order.
pub fn laws() -> &'static [LawSpec] {
    laws::all()
}

/// The law of scipy.stats with this name, or with this former name.
pub fn law_named(name: &str) -> Option<&'static LawSpec> {
    laws::find(name)
}

/// The names of all laws of scipy.stats, and their former names.
pub fn law_names() -> impl Iterator<Item = &'static str> {
    let former = laws::FORMER_NAMES.iter().map(|&(former, _)| former);
    laws().iter().map(|spec| spec.name).chain(former)
}

/// A modifier or constructor that scipy has not.
pub struct ModifierSpec {
    /// Its name.
    pub name: &'static str,
    /// How it is written.
    pub call: &'static str,
    /// One to show it with.
    pub example: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
}

/// What laws can be made of besides scipy's.
pub const MODIFIERS: [ModifierSpec; 5] = [
    ModifierSpec {
        name: "sample",
        call: "sample(1, 2, 5), sample([1, 2], weights=[3, 1])",
        example: "sample([1, 2, 5], weights=[3, 1, 1])",
        about: "one of the listed values, by weight",
    },
    ModifierSpec {
        name: "truncate",
        call: "truncate(norm(12, 5), 2, 40)",
        example: "truncate(norm(12, 5), 2, 40)",
        about: "a distribution given that it is between two values; draws outside are drawn again",
    },
    ModifierSpec {
        name: "mix",
        call: "mix([norm(12, 2), norm(80, 9)], weights=[9, 1])",
        example: "mix([norm(12, 2), norm(80, 9)], weights=[9, 1])",
        about: "one of several distributions, by weight",
    },
    ModifierSpec {
        name: "shift",
        call: "shift(lognorm(0.5), 10 ms)",
        example: "shift(lognorm(0.5), 10)",
        about: "a distribution moved by a constant",
    },
    ModifierSpec {
        name: "empirical",
        call: "empirical([11.8, 12.1, 14.9]), empirical(\"rtts.csv\", column=\"rtt\")",
        example: "empirical([11.8, 12.1, 12.2, 12.4, 14.9])",
        about: "measured values, interpolated between neighbours",
    },
];

/// More components than this are refused in a mixture.
const MIXED_MAX: usize = 100;
/// More measured values than this are refused.
pub const MEASURED_MAX: usize = 1_000_000;

/// Measured values for `empirical`, as a file has them.
pub struct Measured {
    /// The values, in the base unit of what they measure.
    pub values: Vec<f64>,
    /// What names the file from where the resolved scenario is.
    pub path: String,
}

/// Finds the values in a file, by its path and the name of a column.
pub type ReadMeasured<'a> = dyn FnMut(&str, Option<&str>) -> Result<Measured, String> + 'a;

/// A distribution of numbers, or a constant. Cheap to clone.
///
/// ```
/// use p2psim::distribution::Distribution;
/// use p2psim::random::{Purpose, Stream};
/// use p2psim::units::Dimension;
///
/// let latency = Distribution::parse("norm(12 ms, 2)", Dimension::Time).unwrap();
/// assert_eq!(latency.mean(), 12.0);
/// let mut stream = Stream::global(1, Purpose::Sample);
/// assert!(latency.sample(&mut stream) > 0.0);
/// ```
#[derive(Clone, Debug)]
pub struct Distribution {
    sampler: Sampler,
    law: Option<Arc<Law>>,
    loc: f64,
    scale: f64,
    /// Whether its values are whole numbers, but for `loc`.
    whole: bool,
    shown: Arc<str>,
}

/// How draws are made: the most common laws without a detour.
#[derive(Clone, Copy, Debug)]
enum Sampler {
    Constant,
    Norm(&'static Ziggurat),
    Law,
}

type Errors = Vec<ExpressionError>;

fn one_error(
    span: &Range<usize>,
    message: impl Into<String>,
    expected: impl Into<String>,
) -> Errors {
    vec![ExpressionError::new(span.clone(), message, expected)]
}

impl Distribution {
    /// Always `value`, which must be finite.
    pub fn constant(value: f64) -> Self {
        Distribution {
            sampler: Sampler::Constant,
            law: None,
            loc: value,
            scale: 0.0,
            whole: false,
            shown: value.to_string().into(),
        }
    }

    /// A law in place: loc 0, scale 1.
    fn of_law(law: Law, shown: String) -> Self {
        Distribution {
            sampler: Sampler::Law,
            law: Some(Arc::new(law)),
            loc: 0.0,
            scale: 1.0,
            whole: false,
            shown: shown.into(),
        }
    }

    /// Parses and checks `text`; its numbers measure `dimension`.
    ///
    /// # Errors
    /// As [`Distribution::from_expression`], or the first place where the text is no expression.
    pub fn parse(text: &str, dimension: Dimension) -> Result<Self, Vec<ExpressionError>> {
        let expression = expression::parse(text).map_err(|error| vec![error])?;
        let mut no_files = |_: &str, _: Option<&str>| Err("files cannot be read here".into());
        Self::from_expression(&expression, dimension, &mut no_files)
    }

    /// Checks a call like `norm(12, 2)`, a number, or `mix([norm(12, 2), 40])`; its numbers
    /// measure `dimension` (loc, scale and constants take units; shapes do not). `read` finds
    /// the values of `empirical("file")`.
    ///
    /// # Errors
    /// All of: an unknown name, a missing, superfluous or repeated parameter, a wrong unit, a
    /// parameter outside its range; each with its place.
    pub fn from_expression(
        expression: &Expression,
        dimension: Dimension,
        read: &mut ReadMeasured,
    ) -> Result<Self, Vec<ExpressionError>> {
        match &expression.kind {
            ExpressionKind::Number { .. } => match expression.number(dimension) {
                Ok(value) => Ok(Self::constant(value)),
                Err(error) => Err(vec![error]),
            },
            ExpressionKind::Call {
                name,
                name_span,
                arguments,
            } => match name.as_str() {
                "sample" => Self::listed(name_span, arguments, dimension),
                "truncate" => Self::truncated(name_span, arguments, dimension, read),
                "mix" => Self::mixed(name_span, arguments, dimension, read),
                "shift" => Self::shifted(name_span, arguments, dimension, read),
                "empirical" => Self::empirical(name_span, arguments, dimension, read),
                name => match laws::find(name) {
                    Some(spec) => Self::from_call(spec, name_span, arguments, dimension),
                    None => Err(vec![unknown(name, name_span)]),
                },
            },
            ExpressionKind::Name(name) if names().any(|known| known == name) => Err(one_error(
                &expression.span,
                format!("`{name}` needs its parameters"),
                format!("{name}(...)"),
            )),
            ExpressionKind::Name(name) => Err(vec![unknown(name, &expression.span)]),
            _ => Err(one_error(
                &expression.span,
                "a number or a distribution is expected here",
                "for example 12 or norm(12, 2)",
            )),
        }
    }

    fn from_call(
        spec: &LawSpec,
        span: &Range<usize>,
        arguments: &[Argument],
        dimension: Dimension,
    ) -> Result<Self, Errors> {
        let mut errors = Vec::new();
        let names = spec.parameters();
        let count = spec.shapes.len();
        let bound = expression::bind(spec.name, span, &names, count, arguments, &mut errors);
        let mut number = |expression: &Expression, dimension| {
            expression.number(dimension).unwrap_or_else(|error| {
                errors.push(error);
                f64::NAN
            })
        };
        // The numbers of each shape, with their places.
        let mut shapes: Vec<(&str, ShapeRange, Range<usize>, f64)> = Vec::new();
        let mut not_a_list = None;
        for (&(name, range), bound) in spec.shapes.iter().zip(&bound) {
            let Some(expression) = bound else { continue };
            let items = match (&expression.kind, spec.takes_list()) {
                (ExpressionKind::List(items), true) => &items[..],
                (_, true) => {
                    not_a_list = Some(expression.span.clone());
                    &[]
                }
                (_, false) => std::slice::from_ref(*expression),
            };
            for item in items {
                let value = number(item, Dimension::Plain);
                shapes.push((name, range, item.span.clone(), value));
            }
        }
        let loc = bound[count].map_or(0.0, |expression| number(expression, dimension));
        let scale = match bound.get(count + 1) {
            Some(Some(expression)) => number(expression, dimension),
            _ => 1.0,
        };
        if let Some(place) = not_a_list {
            let message = format!("`{}` of `{}` is a list", names[0], spec.name);
            errors.push(ExpressionError::new(place, message, "[0.2, 0.5, 0.9]"));
        }
        for (shape, range, place, value) in &shapes {
            if !value.is_nan() && !range.contains(*value) {
                let described = range.described();
                errors.push(ExpressionError::new(
                    place.clone(),
                    format!(
                        "`{shape}` of `{}` must be {described}, not {value}",
                        spec.name
                    ),
                    described,
                ));
            }
        }
        if scale <= 0.0 {
            let place = bound[count + 1].map_or(span.clone(), |e| e.span.clone());
            errors.push(ExpressionError::new(
                place,
                format!("`scale` of `{}` must be above 0, not {scale}", spec.name),
                "above 0",
            ));
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let values: Vec<f64> = shapes.iter().map(|&(_, _, _, value)| value).collect();
        let law = (spec.build)(&values).map_err(|problem| {
            let message = format!("`{}` cannot be made: {problem}", spec.name);
            one_error(span, message, problem)
        })?;
        let mut shown: Vec<String> = values.iter().map(f64::to_string).collect();
        if spec.takes_list() {
            shown = vec![format!("[{}]", shown.join(", "))];
        }
        shown.push(loc.to_string());
        if !spec.discrete {
            shown.push(scale.to_string());
        }
        Ok(Distribution {
            sampler: if spec.name == "norm" {
                Sampler::Norm(Ziggurat::normal())
            } else {
                Sampler::Law
            },
            law: Some(Arc::new(law)),
            loc,
            scale,
            whole: spec.discrete,
            shown: format!("{}({})", spec.name, shown.join(", ")).into(),
        })
    }

    /// `sample(1, 2, 5)`: one of the listed numbers.
    fn listed(
        span: &Range<usize>,
        arguments: &[Argument],
        dimension: Dimension,
    ) -> Result<Self, Errors> {
        let call = choice::SampleCall::new(span, arguments)?;
        let values = numbers(call.values.iter().copied(), dimension)?;
        let mut shown: Vec<String> = values.iter().map(f64::to_string).collect();
        if let Some(weights) = &call.weights {
            shown = vec![
                format!("[{}]", shown.join(", ")),
                choice::show_weights(weights),
            ];
        }
        let weights = call.weights.unwrap_or_else(|| vec![1.0; values.len()]);
        let parts = values.into_iter().map(Self::constant).collect();
        let law = modifiers::mixed(parts, &weights)
            .map_err(|problem| one_error(span, problem.clone(), problem))?;
        Ok(Self::of_law(law, format!("sample({})", shown.join(", "))))
    }

    /// `truncate(D, low, high)`.
    fn truncated(
        span: &Range<usize>,
        arguments: &[Argument],
        dimension: Dimension,
        read: &mut ReadMeasured,
    ) -> Result<Self, Errors> {
        let mut errors = Vec::new();
        let names = ["dist", "low", "high"];
        let bound = expression::bind("truncate", span, &names, 3, arguments, &mut errors);
        let inner = part(bound[0], dimension, read, &mut errors);
        let ends = [bound[1], bound[2]].map(|end| {
            let number = end?.number(dimension);
            number.map_err(|error| errors.push(error)).ok()
        });
        let (Some(inner), [Some(low), Some(high)]) = (inner, ends) else {
            return Err(errors);
        };
        if !errors.is_empty() {
            return Err(errors);
        }
        if low >= high {
            let place = bound[2].map_or(span.clone(), |end| end.span.clone());
            let message = format!("`high` of `truncate` must be above `low`, {low}, not {high}");
            return Err(one_error(&place, message, format!("above {low}")));
        }
        let law = modifiers::truncated(&inner, low, high).map_err(|problem| {
            one_error(span, problem, "ends between which the distribution lies")
        })?;
        let shown = format!("truncate({inner}, {low}, {high})");
        let whole = inner.whole;
        Ok(Distribution {
            whole,
            ..Self::of_law(law, shown)
        })
    }

    /// `mix([D1, D2], weights=[1, 2])`.
    fn mixed(
        span: &Range<usize>,
        arguments: &[Argument],
        dimension: Dimension,
        read: &mut ReadMeasured,
    ) -> Result<Self, Errors> {
        let call = choice::SampleCall::named("mix", span, arguments)?;
        if call.values.len() > MIXED_MAX {
            let message = format!("`mix` has {} distributions", call.values.len());
            return Err(one_error(span, message, format!("at most {MIXED_MAX}")));
        }
        let mut errors = Vec::new();
        let parts: Vec<Self> = call
            .values
            .iter()
            .filter_map(|&value| part(Some(value), dimension, read, &mut errors))
            .collect();
        if !errors.is_empty() {
            return Err(errors);
        }
        let shown: Vec<&str> = parts.iter().map(|part| &*part.shown).collect();
        let mut shown = format!("[{}]", shown.join(", "));
        if let Some(weights) = &call.weights {
            shown = format!("{shown}, {}", choice::show_weights(weights));
        }
        let weights = call.weights.unwrap_or_else(|| vec![1.0; parts.len()]);
        let law = modifiers::mixed(parts, &weights)
            .map_err(|problem| one_error(span, problem.clone(), problem))?;
        Ok(Self::of_law(law, format!("mix({shown})")))
    }

    /// `shift(D, 10 ms)`.
    fn shifted(
        span: &Range<usize>,
        arguments: &[Argument],
        dimension: Dimension,
        read: &mut ReadMeasured,
    ) -> Result<Self, Errors> {
        let mut errors = Vec::new();
        let names = ["dist", "by"];
        let bound = expression::bind("shift", span, &names, 2, arguments, &mut errors);
        let inner = part(bound[0], dimension, read, &mut errors);
        let by = bound[1].and_then(|by| {
            let number = by.number(dimension);
            number.map_err(|error| errors.push(error)).ok()
        });
        match (inner, by) {
            (Some(inner), Some(by)) if errors.is_empty() => Ok(Distribution {
                loc: inner.loc + by,
                shown: format!("shift({inner}, {by})").into(),
                ..inner
            }),
            _ => Err(errors),
        }
    }

    /// `empirical([1, 2, 5])`, `empirical("rtts.csv", column="rtt")`.
    fn empirical(
        span: &Range<usize>,
        arguments: &[Argument],
        dimension: Dimension,
        read: &mut ReadMeasured,
    ) -> Result<Self, Errors> {
        let mut errors = Vec::new();
        let names = ["values", "column"];
        let bound = expression::bind("empirical", span, &names, 1, arguments, &mut errors);
        let (Some(source), true) = (bound[0], errors.is_empty()) else {
            return Err(errors);
        };
        let column = match bound[1].map(|column| (&column.kind, &column.span)) {
            None => None,
            Some((ExpressionKind::Text(name) | ExpressionKind::Name(name), _)) => Some(name),
            Some((_, place)) => {
                let message = "`column` of `empirical` is the name of a column";
                return Err(one_error(place, message, "column=\"rtt\""));
            }
        };
        let (mut values, shown) = match (&source.kind, column) {
            (ExpressionKind::List(items), None) => {
                let values = numbers(items.iter(), dimension)?;
                let listed: Vec<String> = values.iter().map(f64::to_string).collect();
                (values, format!("[{}]", listed.join(", ")))
            }
            (ExpressionKind::Text(path), column) => {
                let measured = read(path, column.map(String::as_str))
                    .map_err(|problem| one_error(&source.span, problem, ""))?;
                let column = column.map_or_else(String::new, |column| {
                    format!(", column={}", expression::quote_text(column))
                });
                let path = expression::quote_text(&measured.path);
                (measured.values, format!("{path}{column}"))
            }
            _ => {
                let message = "`empirical` takes a list of numbers, or the path of a CSV file";
                let expected = "empirical([11.8, 12.1]) or empirical(\"rtts.csv\")";
                return Err(one_error(&source.span, message, expected));
            }
        };
        if values.is_empty() || values.len() > MEASURED_MAX {
            let message = format!("there are {} measured values", values.len());
            let expected = format!("from 1 to {MEASURED_MAX}");
            return Err(one_error(&source.span, message, expected));
        }
        values.sort_by(f64::total_cmp);
        let shown = format!("empirical({shown})");
        if let [value] = values[..] {
            return Ok(Distribution {
                shown: shown.into(),
                ..Self::constant(value)
            });
        }
        Ok(Self::of_law(modifiers::empirical(values), shown))
    }

    /// Draws one number.
    #[inline]
    pub fn sample(&self, stream: &mut Stream) -> f64 {
        let standard = match self.sampler {
            Sampler::Norm(tables) => standard_normal(tables, stream),
            _ => match self.sample_law(stream) {
                Some(standard) => standard,
                None => return self.loc,
            },
        };
        self.loc + self.scale * standard
    }

    /// Draws one number for each of `items`, in their order.
    #[inline(always)]
    pub fn sample_each<T>(
        &self,
        stream: &mut Stream,
        items: &mut [T],
        mut take: impl FnMut(&mut T, f64),
    ) {
        let Sampler::Norm(tables) = self.sampler else {
            for item in items {
                take(item, self.sample(stream));
            }
            return;
        };
        // The stream's own copy stays in the processor's registers.
        let mut copy = stream.clone();
        for item in items {
            take(
                item,
                self.loc + self.scale * standard_normal(tables, &mut copy),
            );
        }
        *stream = copy;
    }

    /// A draw of the standard law, if it is one; apart, so that the normal law needs no call.
    #[inline(never)]
    fn sample_law(&self, stream: &mut Stream) -> Option<f64> {
        match (self.sampler, &self.law) {
            (Sampler::Law, Some(law)) => Some(law.sample(stream)),
            _ => None,
        }
    }

    /// The value, if there is only one.
    pub fn as_constant(&self) -> Option<f64> {
        matches!(self.sampler, Sampler::Constant).then_some(self.loc)
    }

    fn support(&self) -> (f64, f64) {
        match &self.law {
            None => (self.loc, self.loc),
            Some(law) => {
                let (lower, upper) = law.support();
                (self.loc + self.scale * lower, self.loc + self.scale * upper)
            }
        }
    }

    /// The smallest value that can be drawn; may be minus infinity.
    pub fn lower_bound(&self) -> f64 {
        self.support().0
    }

    /// The largest value that can be drawn; may be infinity.
    pub fn upper_bound(&self) -> f64 {
        self.support().1
    }

    /// The mean; infinite or NaN where there is none.
    pub fn mean(&self) -> f64 {
        match &self.law {
            None => self.loc,
            Some(law) => self.loc + self.scale * law.moments().0,
        }
    }

    /// The standard deviation; infinite or NaN where there is none.
    pub fn std_dev(&self) -> f64 {
        match &self.law {
            None => 0.0,
            Some(law) => self.scale * law.moments().1,
        }
    }

    /// P(X < x).
    pub fn mass_below(&self, x: f64) -> f64 {
        match &self.law {
            None => f64::from(u8::from(self.loc < x)),
            Some(law) => law.mass_below((x - self.loc) / self.scale),
        }
    }

    /// P(X <= x).
    pub fn mass_at_most(&self, x: f64) -> f64 {
        match &self.law {
            None => f64::from(u8::from(self.loc <= x)),
            Some(law) => law.mass_at_most((x - self.loc) / self.scale),
        }
    }

    /// About how many times a draw is tried until it is accepted.
    fn tries(&self) -> f64 {
        self.law.as_ref().map_or(1.0, |law| law.tries())
    }

    /// The first value at or above `x`, if values are whole numbers (but for loc).
    fn first_whole(&self, x: f64) -> Option<f64> {
        self.whole.then(|| (x - self.loc).ceil() + self.loc)
    }
}

/// A distribution within another one.
fn part(
    expression: Option<&Expression>,
    dimension: Dimension,
    read: &mut ReadMeasured,
    errors: &mut Errors,
) -> Option<Distribution> {
    match Distribution::from_expression(expression?, dimension, read) {
        Ok(part) => Some(part),
        Err(more) => {
            errors.extend(more);
            None
        }
    }
}

fn numbers<'a>(
    expressions: impl Iterator<Item = &'a Expression>,
    dimension: Dimension,
) -> Result<Vec<f64>, Errors> {
    let mut errors = Vec::new();
    let values = expressions
        .filter_map(|value| {
            let number = value.number(dimension);
            number.map_err(|error| errors.push(error)).ok()
        })
        .collect();
    if errors.is_empty() {
        Ok(values)
    } else {
        Err(errors)
    }
}

/// All names that can be called.
fn names() -> impl Iterator<Item = &'static str> {
    let laws = laws::all().iter().map(|spec| spec.name);
    let former = laws::FORMER_NAMES.iter().map(|&(former, _)| former);
    laws.chain(former)
        .chain(MODIFIERS.iter().map(|spec| spec.name))
}

fn unknown(name: &str, span: &Range<usize>) -> ExpressionError {
    let expected = nearest(name, names())
        .unwrap_or_else(|| "`p2psim list distributions` shows all names".into());
    ExpressionError::new(
        span.clone(),
        format!("unknown distribution `{name}`"),
        expected,
    )
}

/// The canonical expression: parsing it gives the same distribution again.
impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    fn law(text: &str) -> Distribution {
        match Distribution::parse(text, Dimension::Time) {
            Ok(law) => law,
            Err(errors) => panic!("{text}: {errors:?}"),
        }
    }

    fn errors(text: &str) -> Vec<(Range<usize>, String, String)> {
        match Distribution::parse(text, Dimension::Time) {
            Ok(law) => panic!("{text} is accepted as {law}"),
            Err(errors) => errors
                .into_iter()
                .map(|e| (e.span, e.message, e.expected))
                .collect(),
        }
    }

    const EACH: [&str; 13] = [
        "expon(0, 3)",
        "gamma(0.5, 1, 2)",
        "gamma(5, 0, 1)",
        "invgamma(5.5409, 0.333305, 0.987249)",
        "lognorm(0.5, 0, 10)",
        "norm(12, 2)",
        "pareto(2.5, 0, 1)",
        "poisson(3, 0)",
        "poisson(50, 1)",
        "randint(3, 9, 0)",
        "sample([1, 2, 5], weights=[0.5, 0.25, 0.25])",
        "triang(0.25, 1, 4)",
        "weibull_min(1.5, 0, 2)",
    ];

    #[test]
    fn the_canonical_expression_is_read_back_as_the_same_law() {
        for text in EACH {
            let first = law(text);
            assert_eq!(first.to_string(), text);
            let again = law(&first.to_string());
            let mut streams = [1, 1].map(|seed| Stream::global(seed, Purpose::Sample));
            for _ in 0..100 {
                let [a, b] = &mut streams;
                assert_eq!(
                    first.sample(a).to_bits(),
                    again.sample(b).to_bits(),
                    "{text}"
                );
            }
        }
        assert_eq!(law("5 s").to_string(), "5000");
        assert_eq!(law("norm(scale=2, loc=1 s)").to_string(), "norm(1000, 2)");
    }

    #[test]
    fn figures_agree_with_draws() {
        for text in EACH {
            let law = law(text);
            let mut stream = Stream::global(3, Purpose::Sample);
            let n = 100_000;
            let draws: Vec<f64> = (0..n).map(|_| law.sample(&mut stream)).collect();
            let mean = draws.iter().sum::<f64>() / f64::from(n);
            let error = law.std_dev() / f64::from(n).sqrt();
            assert!(
                (mean - law.mean()).abs() < 5.0 * error,
                "{text}: {mean} and {}",
                law.mean()
            );
            let least = draws.iter().copied().fold(f64::INFINITY, f64::min);
            let most = draws.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            assert!(
                least >= law.lower_bound() && most <= law.upper_bound(),
                "{text}"
            );
            let below = draws.iter().filter(|&&x| x < law.mean()).count() as f64 / f64::from(n);
            assert!(
                (below - law.mass_below(law.mean())).abs() < 0.01,
                "{text}: {below}"
            );
        }
    }

    #[test]
    fn names_every_mistake() {
        assert_eq!(
            errors("nrom(12, 2)"),
            [(
                0..4,
                "unknown distribution `nrom`".into(),
                "did you mean `norm`?".into()
            )]
        );
        let all = errors("gamma(-1, 2 Mbit, scale=-3, shape=2)");
        let messages: Vec<&str> = all.iter().map(|(_, message, _)| message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "`gamma` has no parameter `shape`",
                "`Mbit` is no unit of a time",
                "`a` of `gamma` must be above 0, not -1",
                "`scale` of `gamma` must be above 0, not -3",
            ]
        );
        assert_eq!(errors("norm(1, 2, 3)")[0].1, "`norm` takes at most 2");
        assert_eq!(errors("gamma()")[0].1, "`gamma` needs `a`");
        assert_eq!(errors("norm(1, loc=1)")[0].1, "`loc` is given twice");
        assert_eq!(
            errors("gamma(2 ms)")[0].1,
            "`ms` is no unit of a plain number"
        );
        assert_eq!(errors("randint(5, 5)")[0].2, "`low` must be below `high`");
        assert_eq!(
            errors("sample()")[0].1,
            "`sample` needs something to choose from"
        );
        assert_eq!(errors("norm")[0].1, "`norm` needs its parameters");
        assert_eq!(
            errors("[1]")[0].1,
            "a number or a distribution is expected here"
        );
    }

    #[test]
    fn constants_have_no_spread() {
        let five = law("5");
        assert_eq!(five.as_constant(), Some(5.0));
        assert_eq!((five.mean(), five.std_dev()), (5.0, 0.0));
        assert_eq!((five.mass_below(5.0), five.mass_below(5.1)), (0.0, 1.0));
    }
}
