//! From a scenario's tree to a plan: the whole, and what all parts share.

use std::collections::BTreeMap;
use std::path::Path;

use super::diagnostics::{Diagnostic, Severity};
use super::fields::Fields;
use super::latencies::{Latencies, Matrix, name_problem};
use super::memory::MessagesEstimate;
use super::network::{Known, Network};
use super::node::{self, Node, Scalar, Value};
use super::schema::{self, KeySpec, Mapping};
use super::source::{Place, Sources};
use super::topology::Topology;
use super::{InputFile, LoadOptions, Scenario, ScenarioError, overrides, resolved};
use crate::distribution::Distribution;
use crate::network::LatencyMeaning;
use crate::peer::PeerId;
use crate::services::ServiceSpec;
use crate::simulation::{GraphSource, Plan, Population};
use crate::time::Time;

/// The seed, unless the scenario says otherwise.
const SEED: u64 = 1;

const MEANINGS: [(&str, LatencyMeaning); 2] = [
    ("round_trip", LatencyMeaning::RoundTrip),
    ("one_way", LatencyMeaning::OneWay),
];

/// The whole of a scenario.
pub(super) const SCENARIO: Mapping = Mapping {
    what: "a scenario",
    keys: &[
        KeySpec::new(
            "name",
            schema::name,
            "what it is called in summary.json and by the run's folder; its file's name unless given",
        ),
        KeySpec::new("seed", |_| schema::whole(0, u64::MAX), "fixes all random draws").or("1"),
        KeySpec::new(
            "horizon",
            schema::time_above_0,
            "when the run ends; what is due then is no longer handled",
        )
        .required(),
        KeySpec::new(
            "latency",
            |_| schema::words(&MEANINGS),
            "what latencies are: the round trip, of which a message pays half, or the one-way delay",
        )
        .or("round_trip"),
        KeySpec::new(
            "network",
            |registry| super::network::NETWORK.schema(registry),
            "what links do to messages",
        ),
        KeySpec::new(
            "locations",
            |_| super::latencies::locations_schema(),
            "names of locations; those that latencies names unless given",
        ),
        KeySpec::new(
            "latencies",
            |_| super::latencies::latencies_schema(),
            "from a location, to a location: a distribution, drawn anew for every message; \
             or the path of a CSV matrix",
        )
        .required(),
        KeySpec::new(
            "peer_types",
            super::peer_types::peer_types_schema,
            "what peers there can be: where they are, how fast, what they run",
        )
        .required(),
        KeySpec::new(
            "topology",
            super::topology::topology_schema,
            "who takes part and how they are linked at first: one of graph, edges and emergent",
        )
        .required(),
        KeySpec::new(
            "output",
            |registry| super::output::OUTPUT.schema(registry),
            "what a run writes",
        ),
    ],
};

/// Collects what a scenario says and what is wrong with it.
pub(super) struct Compiler<'a> {
    pub(super) sources: Sources,
    diagnostics: Vec<Diagnostic>,
    pub(super) options: &'a LoadOptions,
    pub(super) inputs: Inputs<'a>,
    /// What fixes all draws.
    pub(super) seed: u64,
    /// Laws by how they are written: those with tables are built once.
    pub(super) laws: BTreeMap<String, Distribution>,
    /// The names of the peer types.
    pub(super) type_names: Vec<String>,
    /// The scripts that were read, by their paths.
    pub(super) scripts: BTreeMap<String, ServiceSpec>,
    /// Peers that services' parameters name, and where.
    pub(super) named_peers: Vec<(PeerId, Place)>,
}

/// The files that a scenario names.
pub(super) struct Inputs<'a> {
    folder: &'a Path,
    files: Vec<InputFile>,
}

pub(super) fn compile(
    shown: &str,
    name: &str,
    text: String,
    folder: &Path,
    options: &LoadOptions,
) -> Result<Scenario, ScenarioError> {
    let mut compiler = Compiler {
        sources: Sources::default(),
        diagnostics: Vec::new(),
        options,
        inputs: Inputs {
            folder,
            files: Vec::new(),
        },
        seed: SEED,
        laws: BTreeMap::new(),
        type_names: Vec::new(),
        scripts: BTreeMap::new(),
        named_peers: Vec::new(),
    };
    if text.len() > node::FILE_BYTES_MAX {
        compiler.error(
            None,
            "the scenario is larger than 16 MiB",
            "name graph files instead",
        );
        return Err(ScenarioError::new(compiler.diagnostics, compiler.sources));
    }
    let source = compiler.sources.add(shown, text);
    let mut root = match node::parse(&compiler.sources, source) {
        Ok(root) => root,
        Err(errors) => return Err(ScenarioError::new(errors, compiler.sources)),
    };
    let errors = overrides::apply(&mut root, &options.overrides, &mut compiler.sources);
    compiler.diagnostics.extend(errors);
    let compiled = compiler.plan(&root, name);
    let Compiler {
        sources,
        diagnostics,
        inputs,
        ..
    } = compiler;
    let mut diagnostics = diagnostics;
    // In the order of the file.
    diagnostics.sort_by_key(|d| d.place.map(|place| (place.source(), place.span().start)));
    let (errors, warnings): (Vec<_>, Vec<_>) = diagnostics
        .into_iter()
        .partition(|diagnostic| diagnostic.severity == Severity::Error);
    match compiled {
        Some((plan, resolved)) if errors.is_empty() => Ok(Scenario {
            name: plan.name.clone(),
            plan,
            warnings,
            resolved,
            inputs: inputs.files,
            sources,
        }),
        _ => Err(ScenarioError::new(errors, sources)),
    }
}

impl Inputs<'_> {
    /// Whether there is a file of this path, relative to the scenario.
    pub(super) fn has(&self, path: &str) -> bool {
        self.folder.join(path).is_file()
    }

    /// Reads a file, relative to the scenario; it becomes an input of the run. Its bytes and its
    /// name there.
    pub(super) fn read(
        &mut self,
        path: &str,
        bytes_max: usize,
    ) -> Result<(Vec<u8>, String), String> {
        let place = self.add(path, bytes_max)?;
        let input = &self.files[place];
        Ok((input.bytes.clone(), input.name.clone()))
    }

    /// As [`Inputs::read`]; its place among the inputs.
    fn add(&mut self, path: &str, bytes_max: usize) -> Result<usize, String> {
        let path = self.folder.join(path);
        let bytes = super::read_file(&path, bytes_max)
            .map_err(|problem| format!("cannot read {}: {problem}", path.display()))?;
        let base = path.file_name().map_or_else(
            || "input".into(),
            |name| name.to_string_lossy().into_owned(),
        );
        let mut name = base.clone();
        let mut count = 1;
        while self
            .files
            .iter()
            .any(|input| input.name == name && input.bytes != bytes)
        {
            count += 1;
            name = format!("{count}-{base}");
        }
        match self.files.iter().position(|input| input.name == name) {
            Some(place) => Ok(place),
            None => {
                self.files.push(InputFile { name, bytes });
                Ok(self.files.len() - 1)
            }
        }
    }
}

impl Compiler<'_> {
    fn diagnose(
        &mut self,
        severity: Severity,
        place: Option<Place>,
        message: String,
        expected: String,
    ) {
        self.diagnostics.push(Diagnostic {
            severity,
            message: one_line(&message),
            expected: one_line(&expected),
            place,
        });
    }

    pub(super) fn error(
        &mut self,
        place: impl Into<Option<Place>>,
        message: impl Into<String>,
        expected: impl Into<String>,
    ) {
        self.diagnose(
            Severity::Error,
            place.into(),
            message.into(),
            expected.into(),
        );
    }

    pub(super) fn warning(
        &mut self,
        place: impl Into<Option<Place>>,
        message: impl Into<String>,
        expected: impl Into<String>,
    ) {
        self.diagnose(
            Severity::Warning,
            place.into(),
            message.into(),
            expected.into(),
        );
    }

    /// Reads a file that the scenario names; its bytes and its name among the run's inputs.
    pub(super) fn input(
        &mut self,
        scalar: &Scalar,
        place: Place,
        bytes_max: usize,
    ) -> Option<(Vec<u8>, String)> {
        match self.inputs.read(&scalar.text, bytes_max) {
            Ok(read) => Some(read),
            Err(problem) => {
                self.error(place, problem, "a file, relative to the scenario");
                None
            }
        }
    }

    /// Lets `read` have the bytes of a file that the scenario names, with its name, and keeps
    /// them as an input of the run without a second copy; its name there, and what was read.
    pub(super) fn read_input<T>(
        &mut self,
        scalar: &Scalar,
        place: Place,
        bytes_max: usize,
        read: impl FnOnce(&str, &[u8]) -> T,
    ) -> Option<(String, T)> {
        match self.inputs.add(&scalar.text, bytes_max) {
            Ok(at) => {
                let input = &self.inputs.files[at];
                Some((input.name.clone(), read(&input.name, &input.bytes)))
            }
            Err(problem) => {
                self.error(place, problem, "a file, relative to the scenario");
                None
            }
        }
    }

    /// What the scenario is called, in place of its file's name: part of a folder's name.
    fn run_name(&mut self, node: &Node) -> Option<String> {
        let name = match &node.value {
            Value::Scalar(scalar) => &scalar.text,
            _ => "",
        };
        let problem = match &node.value {
            Value::Scalar(_) => name_problem("scenario", name).or_else(|| {
                let unfit = [".", ".."].contains(&name) || name.contains(['/', '\\']);
                unfit.then(|| format!("`{name}` cannot be part of a folder's name"))
            }),
            _ => Some(format!("a name cannot be {}", node.described())),
        };
        match problem {
            None => Some(name.to_owned()),
            Some(problem) => {
                self.error(node.place, problem, "letters, digits, `_`, `-`");
                None
            }
        }
    }

    fn plan(&mut self, root: &Node, default_name: &str) -> Option<(Plan, String)> {
        let start = Place::new(0, 0..0);
        if matches!(root.value, Value::Null) {
            let expected = "write one to start from with `p2psim init`";
            self.error(None, "the scenario is empty", expected);
            return None;
        }
        let mut fields = Fields::new(self, &SCENARIO, root, start)?;
        let name = match fields.get("name") {
            Some(node) => self.run_name(node),
            None => Some(default_name.to_owned()),
        };
        let seed = match fields.get("seed") {
            Some(node) => self.whole(node, 0, u64::MAX),
            None => Some(SEED),
        };
        self.seed = seed.unwrap_or(SEED);
        let horizon = match fields.require(self, "horizon", "10 s") {
            Some(node) => self.duration(node, Time::from_ns(1)),
            None => None,
        };
        let meaning = match fields.get("latency") {
            Some(node) => self.word(node, &MEANINGS),
            None => Some(LatencyMeaning::default()),
        };
        let network = fields.entry("network");
        let locations = fields.get("locations");
        let latencies = match fields.require(self, "latencies", "{LocA: {LocA: \"norm(12, 2)\"}}") {
            Some(node) => self.latencies(node, locations),
            None => None,
        };
        // What follows is checked even where latencies are wrong, as far as it can be.
        let names: Option<Vec<String>> = match &latencies {
            Some(latencies) => Some(latencies.locations.clone()),
            None => locations.and_then(|node| self.locations(node, false)),
        };
        let types = match fields.entry("peer_types") {
            Some((key, node)) => self.peer_types(node, key.place, names.as_deref()),
            None => {
                let example = "peer_types: {basic: {location: ..., services: [...]}}";
                self.error(fields.place, "a scenario needs `peer_types`", example);
                None
            }
        };
        let topology = match (fields.entry("topology"), &types) {
            (Some((key, node)), Some(types)) => {
                self.topology(node, key.place, types, names.as_deref().unwrap_or_default())
            }
            (Some(_), None) => None,
            (None, _) => {
                let example = "topology: {graph: \"erdos_renyi_graph(10, 0.5)\"}";
                self.error(fields.place, "a scenario needs `topology`", example);
                None
            }
        };
        let output = match (fields.entry("output"), &topology) {
            (Some((key, node)), Some(topology)) => self.output(node, key.place, topology),
            (Some(_), None) => None,
            (None, _) => Some(super::output::Output::default()),
        };
        let network = match network {
            Some((key, node)) => {
                let types: Option<Vec<String>> = topology
                    .as_ref()
                    .map(|topology| topology.types.iter().map(|t| t.name.clone()).collect());
                let known = Known {
                    locations: names.as_deref(),
                    types: types.as_deref(),
                    horizon,
                };
                self.network(node, key.place, &known)
            }
            None => Some(Network::default()),
        };
        fields.finish(self);
        if let Some(topology) = &topology {
            self.check_named_peers(&topology.ids);
        }
        let snapshots = output.as_ref().and_then(|output| output.snapshots);
        if let (Some((every, place)), Some(horizon)) = (snapshots, horizon) {
            self.check_snapshots(every, place, horizon);
        }
        let (network, latencies, meaning) = (network?, latencies?, meaning?);
        let Topology {
            types,
            population,
            counts,
            ids: _,
            graph_file,
            place,
        } = topology?;
        let Latencies {
            locations,
            matrix,
            file: latencies_file,
        } = latencies;
        let network_bytes = self.check_memory(&population, &types, &counts, place);
        if self.has_errors() {
            // What follows would blame the stand-ins for what is wrong.
            return None;
        }
        self.check_pairs(&matrix, &locations, &types, &counts, &population);
        let (output, horizon) = (output?, horizon?);
        let measures = self.measures(&output, &types, &counts, horizon)?;
        self.check_floor(&matrix, &population, place, meaning, network.delay_min);
        let messages = MessagesEstimate::new(&types, &counts, horizon, measures.deliveries);
        self.check_messages(&messages, network_bytes, place);
        let plan = Plan {
            name: name?,
            seed: seed?,
            horizon,
            latencies: matrix.table(meaning, network.delay_min),
            locations,
            uplink: network.uplink,
            downlink: network.downlink,
            conditions: network.conditions,
            types,
            population,
            logs: output.logs,
            measures,
            snapshots: snapshots.map(|(every, _)| every),
            export_bootstrap: output.bootstrap,
        };
        let resolved = resolved::write(&plan, latencies_file.as_deref(), graph_file.as_deref());
        Some((plan, resolved))
    }

    fn has_errors(&self) -> bool {
        self.diagnostics
            .iter()
            .any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    fn check_floor(
        &mut self,
        matrix: &Matrix,
        population: &Population,
        place: Place,
        meaning: LatencyMeaning,
        delay_min: Time,
    ) {
        let floor = match meaning {
            LatencyMeaning::RoundTrip => 2.0 * delay_min.as_ms(),
            LatencyMeaning::OneWay => delay_min.as_ms(),
        };
        let mut laws = matrix.placed_laws();
        if let Population::Graph {
            links: GraphSource::File(file),
            ..
        } = population
        {
            let of_links = file.latencies.iter().flat_map(|links| links.laws());
            laws.extend(of_links.map(|law| (law.clone(), place)));
        }
        for (law, place) in laws {
            let below = law.mass_below(floor);
            // A constant below the floor, as in a matrix' diagonal, is raised as it should be.
            if below > 0.01 && law.as_constant().is_none() {
                let message = format!(
                    "{:.1} % of the draws of {law} are below {floor} ms and are raised to it",
                    100.0 * below
                );
                self.warning(place, message, "a law with less of its mass there");
            }
        }
    }
}

/// Text without line breaks and other control characters, and not endless.
pub(super) fn one_line(text: &str) -> String {
    const CHARS_MAX: usize = 300;
    let mut shown: String = text
        .chars()
        .take(CHARS_MAX)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}
