//! What a generator is: its name, its arguments and their ranges, and how it is made.

use std::fmt;
use std::sync::Arc;

use super::{Context, Generator};
use crate::expression::quote_text;

/// What a generator is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Rings, trees, stars.
    Classic,
    /// Grids and tilings.
    Lattice,
    /// Random graphs and preferential attachment.
    Random,
    /// Graphs whose peers have given numbers of links.
    DegreeSequence,
    /// Peers at places, the near ones linked.
    Geometric,
    /// Groups with more links inside than between.
    Community,
    /// Sparse graphs without bottlenecks.
    Expander,
    /// Graphs of fixed size with a name.
    Named,
    /// What networkx has not, and peer-to-peer networks need.
    PeerToPeer,
}

impl Family {
    /// All families, in the order in which they are shown.
    pub const ALL: [Family; 9] = [
        Family::PeerToPeer,
        Family::Random,
        Family::Classic,
        Family::Lattice,
        Family::DegreeSequence,
        Family::Geometric,
        Family::Community,
        Family::Expander,
        Family::Named,
    ];

    /// What it is called.
    pub fn title(self) -> &'static str {
        match self {
            Family::Classic => "Classic",
            Family::Lattice => "Lattices",
            Family::Random => "Random graphs and preferential attachment",
            Family::DegreeSequence => "Given degrees",
            Family::Geometric => "Geometric",
            Family::Community => "Communities",
            Family::Expander => "Expanders",
            Family::Named => "Graphs with a name",
            Family::PeerToPeer => "Peer-to-peer (not in networkx)",
        }
    }
}

/// The numbers that an argument may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NumberRange {
    /// Any number.
    Any,
    /// Above this.
    Above(f64),
    /// This or above.
    From(f64),
    /// From the first to below the second.
    FromBelow(f64, f64),
}

impl NumberRange {
    fn contains(self, number: f64) -> bool {
        match self {
            NumberRange::Any => true,
            NumberRange::Above(low) => number > low,
            NumberRange::From(low) => number >= low,
            NumberRange::FromBelow(low, high) => (low..high).contains(&number),
        }
    }
}

impl fmt::Display for NumberRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NumberRange::Any => f.write_str("a number"),
            NumberRange::Above(low) => write!(f, "a number above {low}"),
            NumberRange::From(low) => write!(f, "a number from {low} on"),
            NumberRange::FromBelow(low, high) => {
                write!(f, "a number from {low} to below {high}")
            }
        }
    }
}

/// What kind of value an argument of a generator takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ArgumentKind {
    /// A whole number, this or above.
    Whole(u64),
    /// A number between 0 and 1.
    Probability,
    /// A number in a range.
    Number(NumberRange),
    /// true or false.
    Flag,
    /// true or false for all dimensions, or a list with one for each.
    Flags,
    /// A list of whole numbers, each this or above; with none, of either sign.
    Wholes(Option<u64>),
    /// A list of numbers in a range.
    Numbers(NumberRange),
    /// A list of lists of numbers.
    Rows,
    /// The path of a file with a number of links for each peer.
    Degrees,
    /// The call of another generator.
    Graph,
}

/// The largest whole number: beyond it they are not told apart any more.
const WHOLE_MAX: f64 = (1_u64 << 53) as f64;

impl ArgumentKind {
    /// Whether a number of this kind, or in a list of this kind, may be `number`.
    pub(super) fn admits(self, number: f64) -> bool {
        let is_whole = number.fract() == 0.0 && number.abs() <= WHOLE_MAX;
        match self {
            ArgumentKind::Whole(low) | ArgumentKind::Wholes(Some(low)) => {
                is_whole && number >= low as f64
            }
            ArgumentKind::Wholes(None) => is_whole,
            ArgumentKind::Probability => (0.0..=1.0).contains(&number),
            ArgumentKind::Number(range) | ArgumentKind::Numbers(range) => range.contains(number),
            _ => true,
        }
    }
}

/// What is expected of an argument.
impl fmt::Display for ArgumentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ArgumentKind::Whole(low) => write!(f, "a whole number from {low} on"),
            ArgumentKind::Probability => f.write_str("a probability between 0 and 1"),
            ArgumentKind::Number(range) => range.fmt(f),
            ArgumentKind::Flag => f.write_str("true or false"),
            ArgumentKind::Flags => f.write_str("true or false, or a list with one a dimension"),
            ArgumentKind::Wholes(None) => f.write_str("a list of whole numbers"),
            ArgumentKind::Wholes(Some(low)) => {
                write!(f, "a list of whole numbers from {low} on")
            }
            ArgumentKind::Numbers(NumberRange::Any) => f.write_str("a list of numbers"),
            ArgumentKind::Numbers(range) => write!(f, "a list, each {range}"),
            ArgumentKind::Rows => f.write_str("a list of lists of numbers"),
            ArgumentKind::Degrees => f.write_str("the path of a file, in quotes"),
            ArgumentKind::Graph => f.write_str("another generator"),
        }
    }
}

/// What an argument is where it is not given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DefaultValue {
    /// It must be given.
    Required,
    /// This number.
    Number(f64),
    /// This flag.
    Flag(bool),
    /// Nothing; the generator does without.
    Nothing,
}

/// A parameter of a generator.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// networkx's name.
    pub name: &'static str,
    /// What it may be.
    pub kind: ArgumentKind,
    /// What it is where it is not given.
    pub default: DefaultValue,
}

impl Parameter {
    pub(super) const fn new(name: &'static str, kind: ArgumentKind) -> Self {
        Parameter {
            name,
            kind,
            default: DefaultValue::Required,
        }
    }

    pub(super) const fn or(mut self, number: f64) -> Self {
        self.default = DefaultValue::Number(number);
        self
    }

    pub(super) const fn or_flag(mut self, flag: bool) -> Self {
        self.default = DefaultValue::Flag(flag);
        self
    }

    pub(super) const fn optional(mut self) -> Self {
        self.default = DefaultValue::Nothing;
        self
    }

    /// The default as it would be written, if there is one.
    pub fn default_shown(&self) -> Option<String> {
        match self.default {
            DefaultValue::Required => None,
            DefaultValue::Number(number) => Some(number.to_string()),
            DefaultValue::Flag(flag) => Some(flag.to_string()),
            DefaultValue::Nothing => Some("none".to_owned()),
        }
    }
}

pub(super) const fn whole(name: &'static str, low: u64) -> Parameter {
    Parameter::new(name, ArgumentKind::Whole(low))
}

pub(super) const fn probability(name: &'static str) -> Parameter {
    Parameter::new(name, ArgumentKind::Probability)
}

pub(super) const fn number(name: &'static str, range: NumberRange) -> Parameter {
    Parameter::new(name, ArgumentKind::Number(range))
}

pub(super) const fn wholes(name: &'static str, low: u64) -> Parameter {
    Parameter::new(name, ArgumentKind::Wholes(Some(low)))
}

/// A checked argument.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Nothing,
    Number(f64),
    Flag(bool),
    Numbers(Vec<f64>),
    Flags(Vec<bool>),
    Rows(Vec<Vec<f64>>),
    Degrees { path: String, degrees: Arc<[u32]> },
    Graphs(Vec<Generator>),
}

fn list<T: fmt::Display>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(T::to_string).collect();
    items.join(", ")
}

/// As it is written in a call; what was given without brackets has none.
impl Value {
    pub(super) fn shown(&self, variadic: bool) -> String {
        match self {
            Value::Nothing => String::new(),
            Value::Number(number) => number.to_string(),
            Value::Flag(flag) => flag.to_string(),
            Value::Numbers(numbers) if variadic => list(numbers),
            Value::Numbers(numbers) => format!("[{}]", list(numbers)),
            Value::Flags(flags) => match flags[..] {
                [flag] => flag.to_string(),
                _ => format!("[{}]", list(flags)),
            },
            Value::Rows(rows) => {
                let rows: Vec<String> = rows.iter().map(|row| format!("[{}]", list(row))).collect();
                format!("[{}]", rows.join(", "))
            }
            Value::Degrees { path, .. } => quote_text(path),
            Value::Graphs(graphs) => list(graphs),
        }
    }
}

/// The arguments of a call, in the order of the parameters. Each is read as what its kind says.
pub(super) struct Arguments<'a>(pub(super) &'a [Value]);

impl<'a> Arguments<'a> {
    /// A number, whole or not.
    pub(super) fn real(&self, place: usize) -> f64 {
        self.optional(place).unwrap_or_default()
    }

    pub(super) fn whole(&self, place: usize) -> usize {
        self.real(place) as usize
    }

    pub(super) fn optional(&self, place: usize) -> Option<f64> {
        match self.0[place] {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    pub(super) fn flag(&self, place: usize) -> bool {
        matches!(self.0[place], Value::Flag(true))
    }

    /// The flag of a dimension.
    pub(super) fn flags(&self, place: usize, dimension: usize) -> bool {
        match &self.0[place] {
            Value::Flags(flags) if flags.len() == 1 => flags[0],
            Value::Flags(flags) => flags.get(dimension).is_some_and(|&flag| flag),
            Value::Flag(flag) => *flag,
            _ => false,
        }
    }

    /// How many flags there are, where there is one for each dimension.
    pub(super) fn flag_count(&self, place: usize) -> Option<usize> {
        match &self.0[place] {
            Value::Flags(flags) if flags.len() != 1 => Some(flags.len()),
            _ => None,
        }
    }

    pub(super) fn numbers(&self, place: usize) -> &'a [f64] {
        match &self.0[place] {
            Value::Numbers(numbers) => numbers,
            _ => &[],
        }
    }

    pub(super) fn wholes(&self, place: usize) -> Vec<usize> {
        self.numbers(place).iter().map(|&n| n as usize).collect()
    }

    pub(super) fn rows(&self, place: usize) -> &'a [Vec<f64>] {
        match &self.0[place] {
            Value::Rows(rows) => rows,
            _ => &[],
        }
    }

    pub(super) fn degrees(&self, place: usize) -> &'a [u32] {
        match &self.0[place] {
            Value::Degrees { degrees, .. } => degrees,
            _ => &[],
        }
    }

    pub(super) fn graphs(&self, place: usize) -> &'a [Generator] {
        match &self.0[place] {
            Value::Graphs(graphs) => graphs,
            _ => &[],
        }
    }
}

/// Ends of links. Links of a peer to itself and repeated ones are left out later.
pub(super) type Links = Vec<(u32, u32)>;

/// How large a graph will be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    /// How many peers.
    pub(super) peers: f64,
    /// How many links, on average.
    pub(super) links: f64,
}

/// Why a graph cannot exist, and the place of the argument to blame.
pub(super) type Refusal = (usize, String);

pub(super) fn size(peers: f64, links: f64) -> Result<Size, Refusal> {
    Ok(Size {
        peers,
        links: links.max(0.0),
    })
}

pub(super) fn refuse<T>(place: usize, why: impl Into<String>) -> Result<T, Refusal> {
    Err((place, why.into()))
}

/// The largest number of tries: who waits for more waits for ever.
const TRIES_MAX: f64 = 1e6;

/// The size, where the number of tries is not too large.
pub(super) fn size_with_tries(
    a: &Arguments<'_>,
    place: usize,
    name: &str,
    peers: f64,
    links: f64,
) -> Result<Size, Refusal> {
    if a.real(place) > TRIES_MAX {
        return refuse(place, format!("`{name}` must be at most {TRIES_MAX}"));
    }
    size(peers, links)
}

/// How large the graph is, worked out without making it, or why there is none.
type Measure = fn(&Arguments<'_>) -> Result<Size, Refusal>;
type Make = fn(&Arguments<'_>, &mut Context<'_>) -> Result<Links, String>;

/// A generator that scenarios can name.
#[derive(Clone, Copy)]
pub struct GeneratorSpec {
    /// networkx's name.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// What it is like.
    pub family: Family,
    /// The arguments in networkx's order.
    pub parameters: &'static [Parameter],
    /// Whether the last parameter takes any number of arguments.
    pub is_variadic: bool,
    /// Whether chance has a part in it.
    pub is_random: bool,
    /// What it makes, in one line.
    pub about: &'static str,
    /// Whether chance decides how many peers there are.
    pub(super) has_random_size: bool,
    pub(super) measure: Measure,
    pub(super) make: Make,
}

impl GeneratorSpec {
    /// A generator without chance.
    pub(super) const fn fixed(
        family: Family,
        name: &'static str,
        parameters: &'static [Parameter],
        about: &'static str,
        measure: Measure,
        make: Make,
    ) -> Self {
        GeneratorSpec {
            name,
            aliases: &[],
            family,
            parameters,
            is_variadic: false,
            is_random: false,
            about,
            has_random_size: false,
            measure,
            make,
        }
    }

    pub(super) const fn random(
        family: Family,
        name: &'static str,
        parameters: &'static [Parameter],
        about: &'static str,
        measure: Measure,
        make: Make,
    ) -> Self {
        let mut spec = Self::fixed(family, name, parameters, about, measure, make);
        spec.is_random = true;
        spec
    }

    pub(super) const fn also(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    pub(super) const fn variadic(mut self) -> Self {
        self.is_variadic = true;
        self
    }

    pub(super) const fn of_random_size(mut self) -> Self {
        self.has_random_size = true;
        self
    }

    /// How it is called: `gnp_random_graph(n, p)`, with the defaults.
    pub fn call(&self) -> String {
        let parameters: Vec<String> = self
            .parameters
            .iter()
            .map(|parameter| match parameter.default_shown() {
                Some(default) => format!("{}={default}", parameter.name),
                None => parameter.name.to_owned(),
            })
            .collect();
        let more = if self.is_variadic { ", ..." } else { "" };
        format!("{}({}{more})", self.name, parameters.join(", "))
    }
}
