//! What services can be told in a scenario: the kinds of parameters, their ranges and defaults.

use crate::distribution::Distribution;
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
}

/// The values of all parameters of a service, in the order of its specification.
#[derive(Clone, Debug, Default)]
pub struct Parameters(Vec<(&'static str, ParameterValue)>);

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

    /// The time `name`.
    ///
    /// # Panics
    /// This and its siblings panic where the service's own specification declares no such
    /// parameter of that kind: a mistake in the service, not in a scenario.
    pub fn duration(&self, name: &str) -> Time {
        match self.get(name) {
            ParameterValue::Duration(value) => *value,
            other => panic!("`{name}` is declared as {other:?}"),
        }
    }

    /// The whole number `name`.
    pub fn count(&self, name: &str) -> u64 {
        match self.get(name) {
            ParameterValue::Count(value) => *value,
            other => panic!("`{name}` is declared as {other:?}"),
        }
    }

    /// The probability `name`.
    pub fn probability(&self, name: &str) -> f64 {
        match self.get(name) {
            ParameterValue::Probability(value) => *value,
            other => panic!("`{name}` is declared as {other:?}"),
        }
    }

    /// The flag `name`.
    pub fn flag(&self, name: &str) -> bool {
        match self.get(name) {
            ParameterValue::Flag(value) => *value,
            other => panic!("`{name}` is declared as {other:?}"),
        }
    }

    /// The distribution `name`.
    pub fn law(&self, name: &str) -> &Distribution {
        match self.get(name) {
            ParameterValue::Law(value) => value,
            other => panic!("`{name}` is declared as {other:?}"),
        }
    }
}
