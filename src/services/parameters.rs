//! What services can be told in a scenario: the kinds of parameters, their ranges and defaults.

use super::ParameterError;
use crate::distribution::Distribution;
use crate::peer::{PeerId, TypeIndex};
use crate::time::Time;
use crate::units::Dimension;

/// What kind of value a parameter takes, and its range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ParameterKind {
    /// A time of at least `min` nanoseconds.
    Duration {
        /// The shortest time allowed, in nanoseconds.
        min_ns: u64,
    },
    /// A whole number in a range, both ends included.
    Count {
        /// The smallest allowed.
        min: u64,
        /// The largest allowed.
        max: u64,
    },
    /// A number between 0 and 1, both included.
    Probability,
    /// `true` or `false`.
    Flag,
    /// A distribution (or a constant) of the given dimension.
    Law(Dimension),
    /// A distribution (or a constant), or `none`.
    OptionalLaw(Dimension),
    /// A number of the given dimension in a range, both ends included.
    Number {
        /// The smallest allowed, in the dimension's base unit.
        min: f64,
        /// The largest allowed.
        max: f64,
        /// What it is a number of.
        dimension: Dimension,
    },
    /// A number above 0, and at most `max`.
    Positive {
        /// The largest allowed.
        max: f64,
    },
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of times.
    Durations,
    /// A list of peer types.
    Types,
    /// A list of peers, by their ids.
    Peers,
}

/// One parameter of a service: everything `p2psim list services` and the scenario's check need.
#[derive(Clone, Copy, Debug)]
pub struct ParameterSpec {
    /// Its key in a scenario.
    pub name: &'static str,
    /// What it takes.
    pub kind: ParameterKind,
    /// Its default, as it would be written in a scenario.
    pub default: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
}

impl ParameterSpec {
    /// A parameter from its parts, in the order in which `p2psim list services` shows them.
    pub const fn new(
        name: &'static str,
        kind: ParameterKind,
        default: &'static str,
        about: &'static str,
    ) -> Self {
        ParameterSpec {
            name,
            kind,
            default,
            about,
        }
    }
}

/// What becomes of a law's negative draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Negative {
    /// Their absolute value is taken.
    Mirrored,
    /// They are taken as 0.
    Zero,
}

/// Refuses the law `name` of a time that something is repeated after, if more than half of its
/// draws are below a microsecond: simulated time would hardly go on.
pub(super) fn takes_time(
    name: &'static str,
    law: &Distribution,
    negative: Negative,
) -> Result<(), ParameterError> {
    const SHORT_MS: f64 = 1e-3;
    let long_below = match negative {
        Negative::Mirrored => law.mass_below(-SHORT_MS),
        Negative::Zero => 0.0,
    };
    if law.mass_below(SHORT_MS) - long_below <= 0.5 {
        return Ok(());
    }
    Err(ParameterError {
        name,
        message: format!("most draws of {law} are below a microsecond: time would stand still"),
        expected: "longer times, for example expon(0, 200)".into(),
    })
}

/// A checked value of a parameter.
#[derive(Clone, Debug)]
pub enum ParameterValue {
    /// Of a [`ParameterKind::Duration`].
    Duration(Time),
    /// Of a [`ParameterKind::Count`].
    Count(u64),
    /// Of a [`ParameterKind::Probability`].
    Probability(f64),
    /// Of a [`ParameterKind::Flag`].
    Flag(bool),
    /// Of a [`ParameterKind::Law`].
    Law(Distribution),
    /// Of a [`ParameterKind::OptionalLaw`].
    OptionalLaw(Option<Distribution>),
    /// Of a [`ParameterKind::Number`].
    Number(f64),
    /// Of a [`ParameterKind::Positive`].
    Positive(f64),
    /// Of a [`ParameterKind::Word`].
    Word(&'static str),
    /// Of a [`ParameterKind::Durations`].
    Durations(Vec<Time>),
    /// Of a [`ParameterKind::Types`].
    Types(Vec<TypeIndex>),
    /// Of a [`ParameterKind::Peers`], ascending.
    Peers(Vec<PeerId>),
}

/// The values of all parameters of a service, in the order of its specification.
#[derive(Clone, Debug, Default)]
pub struct Parameters(Vec<(&'static str, ParameterValue)>);

macro_rules! accessors {
    ($($(#[$doc:meta])* $name:ident: $kind:ident($value:ident) -> $type:ty = $get:expr;)*) => {
        $(
            $(#[$doc])*
            pub fn $name(&self, name: &str) -> $type {
                match self.get(name) {
                    ParameterValue::$kind($value) => $get,
                    other => panic!("`{name}` is declared as {other:?}"),
                }
            }
        )*
    };
}

impl Parameters {
    /// Parameters with these values; one for each of the service's specification.
    pub fn new(values: Vec<(&'static str, ParameterValue)>) -> Self {
        Parameters(values)
    }

    /// All names with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &ParameterValue)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    fn get(&self, name: &str) -> &ParameterValue {
        match self.0.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => value,
            None => panic!("the service does not declare a parameter `{name}`"),
        }
    }

    accessors! {
        /// The time `name`.
        ///
        /// # Panics
        /// This and its siblings panic where the service's own specification declares no such
        /// parameter of that kind: a mistake in the service, not in a scenario.
        duration: Duration(value) -> Time = *value;
        /// The whole number `name`.
        count: Count(value) -> u64 = *value;
        /// The probability `name`.
        probability: Probability(value) -> f64 = *value;
        /// The flag `name`.
        flag: Flag(value) -> bool = *value;
        /// The distribution `name`.
        law: Law(value) -> &Distribution = value;
        /// The distribution `name`, unless it is `none`.
        optional_law: OptionalLaw(value) -> Option<&Distribution> = value.as_ref();
        /// The number `name`.
        number: Number(value) -> f64 = *value;
        /// The number above 0 `name`.
        positive: Positive(value) -> f64 = *value;
        /// The word `name`.
        word: Word(value) -> &'static str = value;
        /// The times `name`.
        durations: Durations(value) -> &[Time] = value;
        /// The peer types `name`.
        types: Types(value) -> &[TypeIndex] = value;
        /// The peers `name`, ascending.
        peers: Peers(value) -> &[PeerId] = value;
    }
}
