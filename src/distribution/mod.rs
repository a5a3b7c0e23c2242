//! Probability distributions under scipy.stats' names: parsed and checked once, then sampled
//! without failing.
//!
//! A family of laws is a file; it adds its rows to the list of laws here. Draws use the `libm`
//! crate alone, so that they are the same on every platform; statrs serves figures about laws.

mod bounded;
mod choice;
mod discrete;
mod gamma;
mod law;
mod normal;
mod tailed;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

pub use choice::Choice;
pub use law::{LawSpec, ShapeRange};

use crate::expression::{self, Argument, Expression, ExpressionError, ExpressionKind, nearest};
use crate::random::{Stream, Ziggurat, standard_normal};
use crate::units::Dimension;
use law::Law;

/// All laws that scenarios can name.
static LAWS: [LawSpec; 11] = [
    gamma::EXPON,
    gamma::GAMMA,
    gamma::INVGAMMA,
    normal::LOGNORM,
    normal::NORM,
    tailed::PARETO,
    discrete::POISSON,
    discrete::RANDINT,
    bounded::TRIANG,
    bounded::UNIFORM,
    tailed::WEIBULL_MIN,
];

/// All laws that scenarios can name, in alphabetical order; `sample` and plain constants besides.
pub fn laws() -> &'static [LawSpec] {
    &LAWS
}

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
    law: Option<Arc<dyn Law>>,
    loc: f64,
    scale: f64,
    shown: Arc<str>,
}

/// How draws are made: the most common laws without a detour.
#[derive(Clone, Copy, Debug)]
enum Sampler {
    Constant,
    Norm(&'static Ziggurat),
    Law,
}

impl Distribution {
    /// Always `value`, which must be finite.
    pub fn constant(value: f64) -> Self {
        Distribution {
            sampler: Sampler::Constant,
            law: None,
            loc: value,
            scale: 0.0,
            shown: value.to_string().into(),
        }
    }

    /// Parses and checks `text`; its numbers measure `dimension`.
    ///
    /// # Errors
    /// As [`Distribution::from_expression`], or the first place where the text is no expression.
    pub fn parse(text: &str, dimension: Dimension) -> Result<Self, Vec<ExpressionError>> {
        let expression = expression::parse(text).map_err(|error| vec![error])?;
        Self::from_expression(&expression, dimension)
    }

    /// Checks a call like `norm(12, 2)`, a number, or `sample(1, 2, 5)`; its numbers measure
    /// `dimension` (loc, scale and constants take units; shapes do not).
    ///
    /// # Errors
    /// All of: an unknown name, a missing, superfluous or repeated parameter, a wrong unit, a
    /// parameter outside its range; each with its place.
    pub fn from_expression(
        expression: &Expression,
        dimension: Dimension,
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
            } => match (name.as_str(), LAWS.iter().find(|spec| spec.name == name)) {
                ("sample", _) => Self::listed(name_span, arguments, dimension),
                (_, Some(spec)) => Self::from_call(spec, name_span, arguments, dimension),
                (_, None) => Err(vec![unknown(name, name_span)]),
            },
            ExpressionKind::Name(name) if LAWS.iter().any(|spec| spec.name == name) => {
                Err(vec![ExpressionError::new(
                    expression.span.clone(),
                    format!("`{name}` needs its parameters"),
                    format!("{name}(...)"),
                )])
            }
            ExpressionKind::Name(name) => Err(vec![unknown(name, &expression.span)]),
            _ => Err(vec![ExpressionError::new(
                expression.span.clone(),
                "a number or a distribution is expected here",
                "for example 12 or norm(12, 2)",
            )]),
        }
    }

    fn from_call(
        spec: &LawSpec,
        span: &Range<usize>,
        arguments: &[Argument],
        dimension: Dimension,
    ) -> Result<Self, Vec<ExpressionError>> {
        let mut errors = Vec::new();
        let names = spec.parameters();
        let shapes_count = spec.shapes.len();
        let bound = expression::bind(
            spec.name,
            span,
            &names,
            shapes_count,
            arguments,
            &mut errors,
        );
        let mut number = |place: usize, default: f64, dimension| match bound[place] {
            None => default,
            Some(expression) => expression.number(dimension).unwrap_or_else(|error| {
                errors.push(error);
                f64::NAN
            }),
        };
        let shapes: Vec<f64> = (0..shapes_count)
            .map(|place| number(place, f64::NAN, Dimension::Plain))
            .collect();
        let loc = number(shapes_count, 0.0, dimension);
        let scale = if spec.has_scale {
            number(shapes_count + 1, 1.0, dimension)
        } else {
            1.0
        };
        let place_of = |place: usize| bound[place].map_or(span.clone(), |e| e.span.clone());
        for (place, (&(shape, range), &value)) in spec.shapes.iter().zip(&shapes).enumerate() {
            if !value.is_nan() && !range.contains(value) {
                errors.push(ExpressionError::new(
                    place_of(place),
                    format!(
                        "`{shape}` of `{}` must be {}, not {value}",
                        spec.name,
                        range.described()
                    ),
                    range.described(),
                ));
            }
        }
        if scale <= 0.0 {
            errors.push(ExpressionError::new(
                place_of(shapes_count + 1),
                format!("`scale` of `{}` must be above 0, not {scale}", spec.name),
                "above 0",
            ));
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let law = (spec.build)(&shapes).map_err(|problem| {
            let message = format!("`{}` cannot be made: {problem}", spec.name);
            vec![ExpressionError::new(span.clone(), message, problem)]
        })?;
        let mut shown: Vec<String> = shapes.iter().map(f64::to_string).collect();
        shown.push(loc.to_string());
        if spec.has_scale {
            shown.push(scale.to_string());
        }
        Ok(Distribution {
            sampler: if spec.name == "norm" {
                Sampler::Norm(Ziggurat::normal())
            } else {
                Sampler::Law
            },
            law: Some(law.into()),
            loc,
            scale,
            shown: format!("{}({})", spec.name, shown.join(", ")).into(),
        })
    }

    /// `sample(1, 2, 5)`: one of the listed numbers.
    fn listed(
        span: &Range<usize>,
        arguments: &[Argument],
        dimension: Dimension,
    ) -> Result<Self, Vec<ExpressionError>> {
        let call = choice::SampleCall::new(span, arguments)?;
        let mut errors = Vec::new();
        let mut values = Vec::with_capacity(call.values.len());
        for value in &call.values {
            match value.number(dimension) {
                Ok(value) => values.push(value),
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let mut shown: Vec<String> = values.iter().map(f64::to_string).collect();
        if let Some(weights) = &call.weights {
            shown = vec![
                format!("[{}]", shown.join(", ")),
                choice::show_weights(weights),
            ];
        }
        let weights = call.weights.unwrap_or_else(|| vec![1.0; values.len()]);
        let law = discrete::Listed::new(values, weights).map_err(|problem| {
            vec![ExpressionError::new(span.clone(), problem.clone(), problem)]
        })?;
        Ok(Distribution {
            sampler: Sampler::Law,
            law: Some(Arc::new(law)),
            loc: 0.0,
            scale: 1.0,
            shown: format!("sample({})", shown.join(", ")).into(),
        })
    }

    /// Draws one number.
    #[inline]
    pub fn sample(&self, stream: &mut Stream) -> f64 {
        let standard = match (self.sampler, &self.law) {
            (Sampler::Norm(tables), _) => standard_normal(tables, stream),
            (Sampler::Law, Some(law)) => law.sample(stream),
            _ => return self.loc,
        };
        self.loc + self.scale * standard
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
}

fn unknown(name: &str, span: &Range<usize>) -> ExpressionError {
    let names = || LAWS.iter().map(|spec| spec.name).chain(["sample"]);
    let expected = nearest(name, names()).unwrap_or_else(|| {
        let names: Vec<&str> = names().collect();
        format!("known distributions: {}", names.join(", "))
    });
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
