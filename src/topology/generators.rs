//! Graph generators under networkx's names and argument order; rustworkx-core's where it has
//! them.

use std::fmt;
use std::ops::Range;

use petgraph::graph::UnGraph;
use petgraph::visit::EdgeRef;
use rustworkx_core::generators as rustworkx;

use super::Graph;
use super::watts_strogatz::watts_strogatz;
use crate::distribution::Distribution;
use crate::expression::{self, Expression, ExpressionError, ExpressionKind, nearest};
use crate::peer::PeerIndex;
use crate::random::{Purpose, Stream};
use crate::units::Dimension;

/// What kind of value an argument of a generator takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgumentKind {
    /// A whole number, 0 or above.
    Whole,
    /// A number between 0 and 1.
    Probability,
}

/// A generator that scenarios can name.
pub struct GeneratorSpec {
    /// networkx's name.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// The arguments in networkx's order.
    pub arguments: &'static [(&'static str, ArgumentKind)],
    /// What it makes, in one line.
    pub about: &'static str,
    /// How many peers the graph has.
    peers: fn(&[f64]) -> f64,
    /// How many links it has on average.
    links: fn(&[f64]) -> f64,
    /// What must hold for the graph to exist: the place of the argument to blame, and why.
    exists: Exists,
    make: Make,
}

type Links = Vec<(u32, u32)>;
type Exists = fn(&[f64]) -> Result<(), (usize, String)>;
/// Arguments as whole numbers, arguments as they are, and the graph's stream.
type Make = fn(&[usize], &[f64], &mut Stream) -> Result<Links, String>;

const N: (&str, ArgumentKind) = ("n", ArgumentKind::Whole);
const P: (&str, ArgumentKind) = ("p", ArgumentKind::Probability);
const M: (&str, ArgumentKind) = ("m", ArgumentKind::Whole);

fn pairs(n: f64) -> f64 {
    n * (n - 1.0) / 2.0
}

fn always(_: &[f64]) -> Result<(), (usize, String)> {
    Ok(())
}

/// Below this, 1 - p keeps too few digits of p for the skips between links to be right.
const P_TINY: f64 = 1e-12;

static GENERATORS: [GeneratorSpec; 9] = [
    GeneratorSpec {
        name: "barabasi_albert_graph",
        aliases: &[],
        arguments: &[N, M],
        about: "preferential attachment: each of n peers links to m earlier ones (Barabasi, Albert 1999)",
        peers: |a| a[0],
        // A star of m links, then m for each further peer.
        links: |a| a[1] + (a[0] - a[1] - 1.0) * a[1],
        exists: |a| {
            if a[1] < 1.0 || a[1] >= a[0] {
                return Err((1, format!("`m` must be from 1 to n - 1 = {}", a[0] - 1.0)));
            }
            Ok(())
        },
        make: |whole, _, stream| {
            let (n, m) = (whole[0], whole[1]);
            // networkx begins with a star of m + 1 peers, rustworkx with one of m.
            let mut star = UnGraph::<(), ()>::with_capacity(n, n * m);
            let hub = star.add_node(());
            for _ in 0..m {
                let leaf = star.add_node(());
                star.add_edge(hub, leaf, ());
            }
            let seed = Some(stream.next_u64());
            links_of(rustworkx::barabasi_albert_graph(
                n,
                m,
                seed,
                Some(star),
                || (),
                || (),
            ))
        },
    },
    GeneratorSpec {
        name: "complete_graph",
        aliases: &[],
        arguments: &[N],
        about: "every peer linked to every other",
        peers: |a| a[0],
        links: |a| pairs(a[0]),
        exists: always,
        make: |whole, _, _| {
            links_of(rustworkx::complete_graph(
                Some(whole[0]),
                None,
                || (),
                || (),
            ))
        },
    },
    GeneratorSpec {
        name: "cycle_graph",
        aliases: &[],
        arguments: &[N],
        about: "a ring",
        peers: |a| a[0],
        links: |a| if a[0] > 2.0 { a[0] } else { a[0] - 1.0 },
        exists: always,
        make: |whole, _, _| {
            links_of(rustworkx::cycle_graph(
                Some(whole[0]),
                None,
                || (),
                || (),
                false,
            ))
        },
    },
    GeneratorSpec {
        name: "erdos_renyi_graph",
        aliases: &[
            "gnp_random_graph",
            "binomial_graph",
            "fast_gnp_random_graph",
            "gnp",
        ],
        arguments: &[N, P],
        about: "each pair of n peers linked with probability p (Gilbert 1959)",
        peers: |a| a[0],
        links: |a| pairs(a[0]) * a[1],
        exists: always,
        make: |whole, a, stream| {
            let (n, p) = (whole[0], a[1]);
            if p < P_TINY {
                // The number of links is binomial, which is Poisson to within p.
                let mean = pairs(a[0]) * p;
                let law = Distribution::parse(&format!("poisson({mean:e})"), Dimension::Plain)
                    .map_err(|errors| format!("{errors:?}"))?;
                let links = law.sample(stream).min(pairs(a[0])) as usize;
                let seed = Some(stream.next_u64());
                return links_of(rustworkx::gnm_random_graph(n, links, seed, || (), || ()));
            }
            let seed = Some(stream.next_u64());
            links_of(rustworkx::gnp_random_graph(n, p, seed, || (), || ()))
        },
    },
    GeneratorSpec {
        name: "gnm_random_graph",
        aliases: &["gnm"],
        arguments: &[N, M],
        about: "n peers and m links, every such graph equally likely (Erdos, Renyi 1959)",
        peers: |a| a[0],
        links: |a| a[1],
        exists: |a| {
            if a[1] > pairs(a[0]) {
                return Err((
                    1,
                    format!("`m` must be at most n (n - 1) / 2 = {}", pairs(a[0])),
                ));
            }
            Ok(())
        },
        make: |whole, _, stream| {
            let seed = Some(stream.next_u64());
            links_of(rustworkx::gnm_random_graph(
                whole[0],
                whole[1],
                seed,
                || (),
                || (),
            ))
        },
    },
    GeneratorSpec {
        name: "path_graph",
        aliases: &[],
        arguments: &[N],
        about: "a line",
        peers: |a| a[0],
        links: |a| a[0] - 1.0,
        exists: always,
        make: |whole, _, _| {
            links_of(rustworkx::path_graph(
                Some(whole[0]),
                None,
                || (),
                || (),
                false,
            ))
        },
    },
    GeneratorSpec {
        name: "random_regular_graph",
        aliases: &[],
        arguments: &[("d", ArgumentKind::Whole), N],
        about: "n peers with d links each (Steger, Wormald 1999)",
        peers: |a| a[1],
        links: |a| a[0] * a[1] / 2.0,
        exists: |a| {
            if a[0] >= a[1] {
                return Err((0, format!("`d` must be below n = {}", a[1])));
            }
            if a[0] % 2.0 == 1.0 && a[1] % 2.0 == 1.0 {
                return Err((0, "n * d must be even".into()));
            }
            Ok(())
        },
        make: |whole, _, stream| random_regular(whole[0], whole[1], stream),
    },
    GeneratorSpec {
        name: "star_graph",
        aliases: &[],
        arguments: &[N],
        about: "peer 0 linked to n others, as in networkx: n + 1 peers",
        peers: |a| a[0] + 1.0,
        links: |a| a[0],
        exists: always,
        make: |whole, _, _| {
            let peers = Some(whole[0] + 1);
            links_of(rustworkx::star_graph(
                peers,
                None,
                || (),
                || (),
                false,
                false,
            ))
        },
    },
    GeneratorSpec {
        name: "watts_strogatz_graph",
        aliases: &[],
        arguments: &[N, ("k", ArgumentKind::Whole), P],
        about: "a ring of n peers, each linked to its k nearest, every link moved with probability p (Watts, Strogatz 1998)",
        peers: |a| a[0],
        links: |a| {
            if a[0] == a[1] {
                pairs(a[0])
            } else {
                a[0] * (a[1] / 2.0).trunc()
            }
        },
        exists: |a| {
            if a[1] > a[0] {
                return Err((1, format!("`k` must be at most n = {}", a[0])));
            }
            if a[1] % 2.0 == 1.0 && a[1] < a[0] {
                return Err((
                    1,
                    "`k` must be even: half of the neighbours on either side".into(),
                ));
            }
            Ok(())
        },
        make: |whole, a, stream| {
            if whole[0] == whole[1] {
                return links_of(rustworkx::complete_graph(
                    Some(whole[0]),
                    None,
                    || (),
                    || (),
                ));
            }
            Ok(watts_strogatz(
                whole[0] as u32,
                (whole[1] / 2) as u32,
                a[2],
                stream,
            ))
        },
    },
];

/// All generators, in alphabetical order.
pub fn specs() -> &'static [GeneratorSpec] {
    &GENERATORS
}

fn links_of(graph: Result<UnGraph<(), ()>, rustworkx::InvalidInputError>) -> Result<Links, String> {
    let graph = graph.map_err(|_| "the generator refuses these arguments".to_owned())?;
    Ok(graph
        .edge_references()
        .map(|link| (link.source().index() as u32, link.target().index() as u32))
        .collect())
}

/// A dense regular graph is the complement of a sparse one: pairing at random would hardly ever
/// succeed there.
fn random_regular(d: usize, n: usize, stream: &mut Stream) -> Result<Links, String> {
    let seed = Some(stream.next_u64());
    if 2 * d < n {
        return links_of(rustworkx::random_regular_graph(n, d, seed, || (), || ()));
    }
    let absent = links_of(rustworkx::random_regular_graph(
        n,
        n - 1 - d,
        seed,
        || (),
        || (),
    ))?;
    let (absent, _) = Graph::numbered(n as u32, &absent);
    let mut links = Vec::with_capacity(n * d / 2);
    for a in 0..n as u32 {
        let gaps = absent.neighbours(a as usize);
        links.extend(
            (a + 1..n as u32)
                .filter(|b| gaps.binary_search(b).is_err())
                .map(|b| (a, b)),
        );
    }
    Ok(links)
}

/// A generator with checked arguments: can be made into a graph for any seed.
#[derive(Clone)]
pub struct Generator {
    spec: &'static GeneratorSpec,
    arguments: Vec<f64>,
}

/// Why a generator made no graph.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct GenerateError(pub String);

impl Generator {
    /// Checks a call such as `erdos_renyi_graph(10, 0.5)`; the suffix `_graph` may be left out.
    ///
    /// # Errors
    /// An unknown generator, missing or superfluous arguments, a probability outside 0..1, a
    /// graph that cannot exist, more peers than [`crate::peer::PeerIndex::LIMIT`].
    pub fn from_expression(expression: &Expression) -> Result<Self, Vec<ExpressionError>> {
        let ExpressionKind::Call {
            name,
            name_span,
            arguments,
        } = &expression.kind
        else {
            return Err(vec![ExpressionError::new(
                expression.span.clone(),
                "a graph generator is expected here",
                "for example erdos_renyi_graph(10, 0.5)",
            )]);
        };
        let Some(spec) = find(name) else {
            return Err(vec![unknown(name, name_span)]);
        };
        if let Some(place) = arguments
            .iter()
            .filter_map(|argument| argument.keyword.as_ref())
            .find_map(|(keyword, place)| (keyword == "seed").then_some(place))
        {
            return Err(vec![ExpressionError::new(
                place.clone(),
                "a graph has no seed of its own",
                "the scenario's `seed` decides; leave this out",
            )]);
        }
        let mut errors = Vec::new();
        let names: Vec<&str> = spec.arguments.iter().map(|&(name, _)| name).collect();
        let count = names.len();
        let bound = expression::bind(name, name_span, &names, count, arguments, &mut errors);
        let mut values = Vec::with_capacity(count);
        for (&(argument, kind), value) in spec.arguments.iter().zip(&bound) {
            let Some(value) = value else { continue };
            match check_argument(argument, kind, value) {
                Ok(number) => values.push(number),
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let place_of = |place: usize| bound[place].map_or(name_span.clone(), |e| e.span.clone());
        if (spec.peers)(&values) < 1.0 {
            return Err(vec![ExpressionError::new(
                place_of(0),
                "the network is empty",
                "at least one peer",
            )]);
        }
        if (spec.peers)(&values) > PeerIndex::LIMIT as f64 {
            return Err(vec![ExpressionError::new(
                expression.span.clone(),
                format!("{} peers are too many", (spec.peers)(&values)),
                format!("at most {}", PeerIndex::LIMIT),
            )]);
        }
        if let Err((place, why)) = (spec.exists)(&values) {
            return Err(vec![ExpressionError::new(
                place_of(place),
                format!("this {} cannot exist: {why}", spec.name),
                why,
            )]);
        }
        Ok(Generator {
            spec,
            arguments: values,
        })
    }

    /// How many peers the graph will have.
    pub fn peers(&self) -> u64 {
        (self.spec.peers)(&self.arguments) as u64
    }

    /// How many links the graph has on average (exact where it is fixed).
    pub fn expected_links(&self) -> f64 {
        (self.spec.links)(&self.arguments)
    }

    /// Makes the graph; the same seed gives the same graph.
    ///
    /// # Errors
    /// Where the arguments are beyond what the generator can do.
    pub fn generate(&self, seed: u64) -> Result<Graph, GenerateError> {
        let mut stream = Stream::global(seed, Purpose::Graph);
        let whole: Vec<usize> = self.arguments.iter().map(|&value| value as usize).collect();
        let links =
            (self.spec.make)(&whole, &self.arguments, &mut stream).map_err(GenerateError)?;
        Ok(Graph::numbered(self.peers() as u32, &links).0)
    }
}

fn find(name: &str) -> Option<&'static GeneratorSpec> {
    let full = format!("{name}_graph");
    GENERATORS.iter().find(|spec| {
        std::iter::once(&spec.name)
            .chain(spec.aliases)
            .any(|known| *known == name || *known == full)
    })
}

fn unknown(name: &str, span: &Range<usize>) -> ExpressionError {
    let names = || {
        GENERATORS
            .iter()
            .flat_map(|spec| std::iter::once(spec.name).chain(spec.aliases.iter().copied()))
    };
    let expected = nearest(name, names()).unwrap_or_else(|| {
        let names: Vec<&str> = GENERATORS.iter().map(|spec| spec.name).collect();
        format!("known generators: {}", names.join(", "))
    });
    ExpressionError::new(
        span.clone(),
        format!("unknown generator `{name}`"),
        expected,
    )
}

fn check_argument(
    name: &str,
    kind: ArgumentKind,
    value: &Expression,
) -> Result<f64, ExpressionError> {
    let number = value.number(Dimension::Plain)?;
    let expected = match kind {
        ArgumentKind::Whole if number < 0.0 || number.fract() != 0.0 => "a whole number from 0 on",
        // Beyond this, whole numbers are not told apart any more.
        ArgumentKind::Whole if number > (1_u64 << 53) as f64 => "a smaller number",
        ArgumentKind::Probability if !(0.0..=1.0).contains(&number) => {
            "a probability between 0 and 1"
        }
        _ => return Ok(number),
    };
    let message = format!("`{name}` must be {expected}, not {number}");
    Err(ExpressionError::new(value.span.clone(), message, expected))
}

impl fmt::Debug for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Generator").field(&self.to_string()).finish()
    }
}

/// The canonical call.
impl fmt::Display for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arguments: Vec<String> = self.arguments.iter().map(f64::to_string).collect();
        write!(f, "{}({})", self.spec.name, arguments.join(", "))
    }
}
