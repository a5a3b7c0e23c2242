//! Graph generators under networkx's names and argument order, and those that peer-to-peer
//! networks need besides.
//!
//! A family of generators is a file here, with a row for each of them. Draws are those of
//! [`Stream`] and functions those of the `libm` crate, so that a seed gives the same graph on
//! every platform; rustworkx-core's generators, which use the platform's, are not used.

mod arguments;
mod classic;
mod community;
mod degree_sequence;
mod draw;
mod expanders;
mod geometric;
mod internet;
mod lattice;
mod lfr;
mod named;
mod named_links;
mod peer_to_peer;
mod preferential;
mod random;
mod spec;
mod trees;

use std::fmt;
use std::ops::Range;
use std::sync::LazyLock;

pub use spec::{ArgumentKind, DefaultValue, Family, GeneratorSpec, NumberRange, Parameter};

use super::Graph;
use crate::expression::{self, Expression, ExpressionError, ExpressionKind, nearest};
use crate::peer::{LocationIndex, PeerIndex};
use crate::random::{Purpose, Stream};
use spec::{Arguments, Links, Size, Value};

/// How often a graph that must be connected is drawn at most.
pub const CONNECTED_TRIES: usize = 1000;
/// After ten tries, no more are made than this many peers and links are drawn in.
const CONNECTED_WORK_MAX: f64 = 2e8;

/// All generators, in alphabetical order.
static ALL: LazyLock<Vec<GeneratorSpec>> = LazyLock::new(|| {
    let families: [&[GeneratorSpec]; 13] = [
        &classic::SPECS,
        &community::SPECS,
        &degree_sequence::SPECS,
        &expanders::SPECS,
        &geometric::SPECS,
        &internet::SPECS,
        &lattice::SPECS,
        &lfr::SPECS,
        &named::SPECS,
        &peer_to_peer::SPECS,
        &preferential::SPECS,
        &random::SPECS,
        &trees::SPECS,
    ];
    let mut all = families.concat();
    all.sort_by_key(|spec| spec.name);
    all
});

/// All generators, in alphabetical order.
pub fn specs() -> &'static [GeneratorSpec] {
    &ALL
}

/// The generator of this name or alias; the ending `_graph` may be left out.
pub fn find(name: &str) -> Option<&'static GeneratorSpec> {
    let named = |wanted: &str| {
        ALL.iter().find(|spec| {
            std::iter::once(&spec.name)
                .chain(spec.aliases)
                .any(|known| *known == wanted)
        })
    };
    named(name)
        .or_else(|| named(&format!("{name}_graph")))
        .or_else(|| named(name.strip_suffix("_graph")?))
}

/// Where the peers of a graph are and how far the locations are apart, for generators that
/// prefer short links.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// Where each peer is.
    pub locations: Vec<LocationIndex>,
    /// The mean latency from a location (row) to another (column), in ms, row by row; NaN
    /// where there is none.
    pub latency_ms: Vec<f64>,
    /// The names of the locations.
    pub names: Vec<String>,
}

/// What a generator draws from.
struct Context<'a> {
    stream: &'a mut Stream,
    places: Option<&'a Places>,
}

/// Finds the numbers of links in a file, by its path: the path from where the resolved scenario
/// is, and a number for each peer.
pub type ReadDegrees<'a> = dyn FnMut(&str) -> Result<Degrees, String> + 'a;

/// How many links peers have, as a file says.
pub struct Degrees {
    /// A number for each peer.
    pub degrees: Vec<u32>,
    /// What names the file from where the resolved scenario is.
    pub path: String,
}

/// A generator with checked arguments: can be made into a graph for any seed.
#[derive(Clone)]
pub struct Generator {
    spec: &'static GeneratorSpec,
    arguments: Vec<Value>,
    size: Size,
    must_connect: bool,
}

/// Why a generator made no graph.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct GenerateError(pub String);

impl Generator {
    /// Parses and checks `text`, in which no files can be named.
    ///
    /// ```
    /// use p2psim::topology::generators::Generator;
    ///
    /// let ring = Generator::parse("watts_strogatz(100, k=4, p=0.1)").unwrap();
    /// let graph = ring.generate(1, None).unwrap();
    /// assert_eq!((graph.peers(), graph.links()), (100, 200));
    /// ```
    ///
    /// # Errors
    /// As [`Generator::from_expression`], or the first place where the text is no expression.
    pub fn parse(text: &str) -> Result<Self, Vec<ExpressionError>> {
        let expression = expression::parse(text).map_err(|error| vec![error])?;
        Self::from_expression(
            &expression,
            &mut |_| Err("files cannot be read here".into()),
        )
    }

    /// Checks a call such as `erdos_renyi_graph(10, 0.5)`; the suffix `_graph` may be left out.
    /// `read` finds the numbers of `degree_sequence("file")`.
    ///
    /// # Errors
    /// An unknown generator; missing, superfluous or repeated arguments, or such as are out of
    /// range; a graph that cannot exist; more peers than [`crate::peer::PeerIndex::LIMIT`].
    pub fn from_expression(
        expression: &Expression,
        read: &mut ReadDegrees,
    ) -> Result<Self, Vec<ExpressionError>> {
        let error = |span: &Range<usize>, message: String, expected: String| {
            vec![ExpressionError::new(span.clone(), message, expected)]
        };
        let (name, name_span, given) = match &expression.kind {
            ExpressionKind::Call {
                name,
                name_span,
                arguments,
            } => (name, name_span, &arguments[..]),
            _ => {
                return Err(error(
                    &expression.span,
                    "a graph generator is expected here".into(),
                    "for example erdos_renyi_graph(10, 0.5)".into(),
                ));
            }
        };
        let Some(spec) = find(name) else {
            return Err(vec![unknown(name, name_span)]);
        };
        let (arguments, spans) = arguments::bind(spec, name, name_span, given, read)?;
        let place_of = |place: usize| spans[place].as_ref().unwrap_or(name_span);
        let size = (spec.measure)(&Arguments(&arguments)).map_err(|(place, why)| {
            let message = format!("this {} cannot exist: {why}", spec.name);
            error(place_of(place), message, why)
        })?;
        if size.peers < 1.0 {
            return Err(error(
                spans.first().map_or(name_span, |_| place_of(0)),
                "the network is empty".into(),
                "at least one peer".into(),
            ));
        }
        if size.peers > PeerIndex::LIMIT as f64 {
            let shown = match size.peers {
                peers if peers < 1e15 => peers.to_string(),
                peers if peers.is_finite() => format!("{peers:.1e}"),
                _ => "infinitely many".to_owned(),
            };
            return Err(error(
                &expression.span,
                format!("{shown} peers are too many"),
                format!("at most {}", PeerIndex::LIMIT),
            ));
        }
        Ok(Generator {
            spec,
            arguments,
            size,
            must_connect: false,
        })
    }

    /// What it generates.
    pub fn spec(&self) -> &'static GeneratorSpec {
        self.spec
    }

    /// Lets the graph be drawn again until all peers are connected.
    pub fn set_must_connect(&mut self) {
        self.must_connect = true;
    }

    /// Whether the graph is drawn again until all peers are connected.
    pub fn must_connect(&self) -> bool {
        self.must_connect
    }

    /// Whether chance decides how many peers there are; [`Generator::settle`] finds out.
    pub fn has_random_size(&self) -> bool {
        self.spec.has_random_size || self.parts().any(Generator::has_random_size)
    }

    /// Whether the graph depends on where the peers are.
    pub fn needs_places(&self) -> bool {
        self.spec.name == peer_to_peer::LOCATIONS_AWARE || self.parts().any(Generator::needs_places)
    }

    fn parts(&self) -> impl Iterator<Item = &Generator> {
        self.arguments.iter().flat_map(|argument| match argument {
            Value::Graphs(graphs) => &graphs[..],
            _ => &[],
        })
    }

    fn is_random(&self) -> bool {
        self.spec.is_random || self.parts().any(Generator::is_random)
    }

    /// Fixes the number of peers where chance decides it: that of the graph for this seed.
    ///
    /// # Errors
    /// As [`Generator::generate`].
    pub fn settle(&mut self, seed: u64) -> Result<(), GenerateError> {
        if self.has_random_size() {
            self.size.peers = self.generate(seed, None)?.peers() as f64;
        }
        Ok(())
    }

    /// How many peers the graph has; on average, where chance decides it and
    /// [`Generator::settle`] has not been called.
    pub fn peers(&self) -> u64 {
        self.size.peers as u64
    }

    /// How many links the graph has on average (exact where it is fixed, but for links that
    /// are left out since they repeat others).
    pub fn expected_links(&self) -> f64 {
        self.size.links
    }

    /// Makes the graph; the same seed gives the same graph. `places` says where the peers are:
    /// only generators that prefer short links need it.
    ///
    /// # Errors
    /// Where chance or the arguments allow no graph, or none that is connected.
    pub fn generate(&self, seed: u64, places: Option<&Places>) -> Result<Graph, GenerateError> {
        let mut stream = Stream::global(seed, Purpose::Graph);
        let mut context = Context {
            stream: &mut stream,
            places,
        };
        if !self.must_connect {
            return self.draw(&mut context);
        }
        let work = self.size.peers + self.size.links;
        let tries = match self.is_random() {
            true => ((CONNECTED_WORK_MAX / work) as usize).clamp(10, CONNECTED_TRIES),
            false => 1,
        };
        for _ in 0..tries {
            let graph = self.draw(&mut context)?;
            if graph.is_connected() {
                return Ok(graph);
            }
        }
        Err(GenerateError(match tries {
            1 => format!("{self} is not connected, and no chance is in it"),
            _ => format!("{self} was not connected in {tries} tries; more links would help"),
        }))
    }

    fn draw(&self, context: &mut Context<'_>) -> Result<Graph, GenerateError> {
        let links = self.links(context)?;
        let peers = match self.has_random_size() {
            // Such graphs are connected: the last peer has a link.
            true => links.iter().map(|&(a, b)| a.max(b) + 1).max().unwrap_or(1),
            false => self.size.peers as u32,
        };
        Ok(Graph::numbered(peers, &links).0)
    }

    fn links(&self, context: &mut Context<'_>) -> Result<Links, GenerateError> {
        (self.spec.make)(&Arguments(&self.arguments), context)
            .map_err(|why| GenerateError(format!("{self}: {why}")))
    }
}

fn unknown(name: &str, span: &Range<usize>) -> ExpressionError {
    let names = || {
        ALL.iter()
            .flat_map(|spec| std::iter::once(spec.name).chain(spec.aliases.iter().copied()))
    };
    let expected =
        nearest(name, names()).unwrap_or_else(|| "see `p2psim list generators`".to_owned());
    ExpressionError::new(
        span.clone(),
        format!("unknown generator `{name}`"),
        expected,
    )
}

impl PartialEq for Generator {
    fn eq(&self, other: &Self) -> bool {
        self.spec.name == other.spec.name && self.arguments == other.arguments
    }
}

impl fmt::Debug for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Generator").field(&self.to_string()).finish()
    }
}

/// The canonical call: by position up to the first argument that is left out.
impl fmt::Display for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = Vec::new();
        let mut by_keyword = false;
        for (value, parameter) in self.arguments.iter().zip(self.spec.parameters) {
            let text = value.shown(self.spec.is_variadic);
            match value {
                Value::Nothing => by_keyword = true,
                _ if by_keyword => shown.push(format!("{}={text}", parameter.name)),
                _ => shown.push(text),
            }
        }
        write!(f, "{}({})", self.spec.name, shown.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What people call the generators in short.
    const NAMES: &str = "balanced_tree barbell binomial_tree circular_ladder circulant complete \
        complete_multipartite cycle dorogovtsev_goltsev_mendes empty full_rary_tree ladder \
        lollipop path star turan wheel grid_2d grid hypercube triangular hexagonal gnp \
        erdos_renyi binomial fast_gnp gnm dense_gnm newman_watts_strogatz watts_strogatz \
        connected_watts_strogatz random_regular barabasi_albert dual_barabasi_albert \
        extended_barabasi_albert powerlaw_cluster random_lobster random_tree \
        random_powerlaw_tree random_shell random_k_out configuration_model havel_hakimi \
        expected_degree random_degree_sequence random_geometric soft_random_geometric waxman \
        thresholded_random_geometric geographical_threshold navigable_small_world caveman \
        connected_caveman relaxed_caveman random_partition planted_partition \
        gaussian_random_partition stochastic_block_model ring_of_cliques windmill \
        LFR_benchmark internet_as petersen karate_club degree_sequence outbound hybrid \
        locations_aware";

    #[test]
    fn names_are_found_once() {
        let mut names: Vec<&str> = specs()
            .iter()
            .flat_map(|spec| std::iter::once(spec.name).chain(spec.aliases.iter().copied()))
            .map(|name| name.strip_suffix("_graph").unwrap_or(name))
            .collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all, "a name stands for two generators");
        for (wanted, found) in [
            ("gnp", "erdos_renyi_graph"),
            ("binomial", "erdos_renyi_graph"),
            ("fast_gnp_random", "erdos_renyi_graph"),
            ("petersen", "petersen_graph"),
            ("balanced_tree_graph", "balanced_tree"),
        ] {
            assert_eq!(find(wanted).map(|spec| spec.name), Some(found), "{wanted}");
        }
        for wanted in NAMES.split_whitespace() {
            let with = format!("{wanted}_graph");
            assert!(find(wanted).is_some() && find(&with).is_some(), "{wanted}");
        }
        assert!(find("_graph").is_none() && find("").is_none());
    }

    #[test]
    fn calls_are_written_as_they_are_read() {
        for (text, shown) in [
            ("gnp(p=0.5, n=10)", "erdos_renyi_graph(10, 0.5)"),
            ("circulant(9, (1, 3))", "circulant_graph(9, [1, 3])"),
            (
                "complete_multipartite(2, 3)",
                "complete_multipartite_graph(2, 3)",
            ),
            ("grid_2d(3, 4)", "grid_2d_graph(3, 4, false)"),
            (
                "grid([3, 4], periodic=[True, False])",
                "grid_graph([3, 4], [true, false])",
            ),
            (
                "waxman(50, domain=[0, 0, 2, 1])",
                "waxman_graph(50, 0.4, 0.1, domain=[0, 0, 2, 1])",
            ),
            (
                "hybrid(gnp(9, 0.1), cycle(9))",
                "hybrid(erdos_renyi_graph(9, 0.1), cycle_graph(9))",
            ),
            (
                "sbm([2, 3], [[0.5, 0], [0, 1]])",
                "stochastic_block_model([2, 3], [[0.5, 0], [0, 1]])",
            ),
        ] {
            let generator = Generator::parse(text).expect(text);
            assert_eq!(generator.to_string(), shown);
            assert_eq!(Generator::parse(shown), Ok(generator), "{shown}");
        }
    }

    #[test]
    fn a_graph_that_must_be_connected_is_or_is_refused() {
        let mut generator = Generator::parse("gnp(40, 0.08)").expect("a generator");
        let free: Vec<bool> = (0..50)
            .map(|seed| generator.generate(seed, None).expect("a graph"))
            .map(|graph| graph.is_connected())
            .collect();
        assert!(free.contains(&false));
        generator.set_must_connect();
        for seed in 0..50 {
            assert!(generator.generate(seed, None).expect("one").is_connected());
        }
        for (text, why) in [
            ("gnm(40, 38)", "was not connected in 1000 tries"),
            ("empty(3)", "is not connected, and no chance is in it"),
        ] {
            let mut generator = Generator::parse(text).expect(text);
            generator.set_must_connect();
            let error = generator.generate(1, None).expect_err(text);
            assert!(error.0.contains(why), "{error}");
        }
    }
}
