//! The JSON Schema of scenarios: an independent validator and the parser agree on what there is.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use p2psim::scenario::{LoadOptions, Override, Scenario, ScenarioError, load, parse, schema};
use p2psim::services::{ParameterKind, ParameterSpec, Registry};
use serde_json::{Value, json};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema(&Registry::default())).unwrap()
}

/// What a validator sees of a YAML text.
fn instance(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

fn problems(validator: &Validator, instance: &Value) -> String {
    let errors = validator.iter_errors(instance);
    let lines = errors.map(|error| format!("{}: {error}\n", error.instance_path()));
    lines.collect()
}

#[test]
fn the_schema_is_one_of_draft_2020_12_and_the_shipped_one_is_current() {
    let schema = schema(&Registry::default());
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    assert!(jsonschema::draft202012::meta::validate(&schema).is_ok());
    let path = root().join("docs/scenario.schema.json");
    let text = format!("{schema:#}\n");
    if std::env::var_os("P2PSIM_UPDATE_DOCS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap() == text,
        "docs/scenario.schema.json is old: p2psim schema -o docs/scenario.schema.json"
    );
}

#[test]
fn every_shipped_scenario_names_the_schema_and_fits_it() {
    let validator = validator();
    let mut folders = vec!["scenarios", "benches"];
    if cfg!(feature = "luau") {
        folders.push("scenarios/scripts");
    }
    let mut paths: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| fs::read_dir(root().join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .collect();
    paths.sort();
    assert!(paths.len() > 8);
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let shown = path.display();
        let named = text
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("# yaml-language-server: $schema="));
        let named = path.parent().unwrap().join(named.unwrap());
        assert_eq!(
            named.canonicalize().unwrap(),
            root().join("docs/scenario.schema.json"),
            "{shown}"
        );
        let problems = problems(&validator, &instance(&text));
        assert!(problems.is_empty(), "{shown}:\n{problems}");
        // So does what a run keeps of it, with all defaults filled in.
        let resolved = load(&path, &LoadOptions::default()).unwrap().resolved;
        let problems = self::problems(&validator, &instance(&resolved));
        assert!(problems.is_empty(), "{shown}, resolved:\n{problems}");
    }
    let starter = include_str!("../src/cli/starter.yaml");
    let found = problems(&validator, &instance(starter));
    assert!(found.is_empty(), "{found}");
}

/// A scenario that each sample changes in one place.
const BASE: &str = "
seed: 3
horizon: 2 s
latencies: {A: {A: 2, B: 12}, B: {B: 2}}
peer_types:
  peer: {location: 'sample(A, B)', bandwidth_ul: 50 Mbit, bandwidth_dl: 50 Mbit}
topology: {graph: complete_graph(6)}
";
const CLIENT: &str = "peer_types={peer: {location: A, bandwidth_ul: 1, bandwidth_dl: 1}, \
                      client: {location: A, bandwidth_ul: 1, bandwidth_dl: 1}}";
const BURSTY: &str =
    "network.loss={good: {loss: 0.001, mean: 10 s}, bad: {loss: 0.3, mean: 500 ms}}";
const PARTITION: &str = "network.partitions=[{from: 1, until: 2 s, groups: [[A], [B]], \
                         directed: true, by: location}]";
const ATTACH: &str = "topology.attach={client: {count: 2, to: peer, degree: 2}}";
const EMERGENT: &str =
    "topology={emergent: {peer: 5}, bootstrap: {count: 2}, join: 'uniform(0, 9)'}";

/// Every key of the schema, services apart: where the mapping stands in the schema, the key, and
/// what sets it.
#[rustfmt::skip]
const SAMPLES: [(&str, &str, &[&str]); 61] = [
    ("", "name", &["name=mine"]),
    ("", "seed", &["seed=18446744073709551615"]),
    ("", "horizon", &["horizon=1500"]),
    ("", "latency", &["latency=one_way"]),
    ("", "network", &["network={}"]),
    ("", "locations", &["locations=[A, B]"]),
    ("", "latencies", &["latencies={A: {A: 'gamma(1, 1, 1)', B: {dist: norm, params: [12, 2]}}, B: {B: 2 ms}}"]),
    ("", "peer_types", &["peer_types.peer.location=A"]),
    ("", "topology", &["topology.graph=cycle(9)"]),
    ("", "output", &["output={}"]),
    ("/properties/network", "min_delay", &["network.min_delay=1 ms"]),
    ("/properties/network", "uplink", &["network.uplink=unlimited"]),
    ("/properties/network", "downlink", &["network.downlink=unlimited"]),
    ("/properties/network", "loss", &["network.loss={default: 0.1, A: {B: 0.2}}"]),
    ("/properties/network", "duplication", &["network.duplication=0.5"]),
    ("/properties/network", "partitions", &["network.partitions=[{from: 0, until: 1, groups: [0.5, 0.5]}]"]),
    ("/properties/network/properties/loss/anyOf/1", "default", &["network.loss={default: 0.1}"]),
    ("/properties/network/properties/partitions/items", "from", &[PARTITION]),
    ("/properties/network/properties/partitions/items", "until", &[PARTITION]),
    ("/properties/network/properties/partitions/items", "groups", &[PARTITION]),
    ("/properties/network/properties/partitions/items", "directed", &[PARTITION]),
    ("/properties/network/properties/partitions/items", "by", &[PARTITION]),
    ("/$defs/loss/anyOf/1", "good", &[BURSTY]),
    ("/$defs/loss/anyOf/1", "bad", &[BURSTY]),
    ("/$defs/loss/anyOf/1/properties/good", "loss", &[BURSTY]),
    ("/$defs/loss/anyOf/1/properties/good", "mean", &[BURSTY]),
    ("/$defs/loss/anyOf/1/properties/bad", "loss", &[BURSTY]),
    ("/$defs/loss/anyOf/1/properties/bad", "mean", &[BURSTY]),
    ("/properties/peer_types/additionalProperties", "location", &["peer_types.peer.location={dist: sample, params: [A, B]}"]),
    ("/properties/peer_types/additionalProperties", "bandwidth_ul", &["peer_types.peer.bandwidth_ul={Dist: {name: norm, params: '(9000, 10)'}}"]),
    ("/properties/peer_types/additionalProperties", "bandwidth_dl", &["peer_types.peer.bandwidth_dl={DistAttr: {name: norm, params: '(9000, 10)'}}"]),
    ("/properties/peer_types/additionalProperties", "services", &["peer_types.peer.services=[BaseConnectionManager, {GossipService: {fanout: 2}}]"]),
    ("/properties/topology", "graph", &["topology.graph=erdos_renyi_graph(9, 0.9)"]),
    ("/properties/topology", "edges", &["topology={edges: [[1, 2], [2, 3]]}"]),
    ("/properties/topology", "emergent", &[EMERGENT]),
    ("/properties/topology", "connected", &["topology.connected=true"]),
    ("/properties/topology", "types", &[CLIENT, "topology.types={peer: 0.5, client: 0.5}"]),
    ("/properties/topology", "attach", &[CLIENT, ATTACH]),
    ("/properties/topology", "bootstrap", &[EMERGENT]),
    ("/properties/topology", "join", &[EMERGENT]),
    ("/properties/topology/properties/attach/additionalProperties", "count", &[CLIENT, ATTACH]),
    ("/properties/topology/properties/attach/additionalProperties", "to", &[CLIENT, ATTACH]),
    ("/properties/topology/properties/attach/additionalProperties", "degree", &[CLIENT, ATTACH]),
    (
        "/properties/topology/properties/bootstrap/anyOf/1",
        "count",
        &[EMERGENT],
    ),
    (
        "/properties/topology/properties/bootstrap/anyOf/1",
        "services",
        &["topology={emergent: {peer: 5}, bootstrap: {services: [BaseConnectionManager]}}"],
    ),
    ("/properties/output", "logs", &["output.logs=[1, peer]"]),
    ("/properties/output", "level", &["output.level=error"]),
    ("/properties/output", "bootstrap", &["output.bootstrap=true"]),
    ("/properties/output", "deliveries", &["output.deliveries=summary"]),
    ("/properties/output", "load", &["output.load=peers"]),
    ("/properties/output", "interval", &["output.interval=500 ms"]),
    ("/properties/output", "latencies", &["output.latencies=true"]),
    ("/properties/output", "format", &["output.format=csv"]),
    ("/properties/output", "snapshots", &["output.snapshots=1 s"]),
    ("/$defs/distribution/anyOf/0", "dist", &["latencies.A.B={dist: norm, params: [12, 2]}"]),
    ("/$defs/distribution/anyOf/0", "params", &["latencies.A.B={dist: norm, params: [12, 2]}"]),
    ("/$defs/distribution/anyOf/1", "Dist", &["latencies.A.B={Dist: {name: norm, params: '(12, 2)'}}"]),
    ("/$defs/distribution/anyOf/1/properties/Dist", "name", &["latencies.A.B={Dist: {name: norm}}"]),
    ("/$defs/distribution/anyOf/1/properties/Dist", "params", &["latencies.A.B={Dist: {name: norm, params: {loc: 12, scale: 2}}}"]),
    ("/$defs/distribution/anyOf/2", "DistAttr", &["latencies.A.B={DistAttr: {name: norm, params: '(12, 2)'}}"]),
    ("/$defs/distribution/anyOf/2/properties/DistAttr", "name", &["latencies.A.B={DistAttr: {name: norm}}"]),
];

fn parsed(changes: &[&str]) -> Result<Scenario, ScenarioError> {
    let overrides = changes
        .iter()
        .map(|change| Override::parse(change).unwrap());
    let options = LoadOptions {
        overrides: overrides.collect(),
        ..LoadOptions::default()
    };
    parse(BASE, "base", Path::new("."), &options)
}

/// The base as the validator sees it, with the same changes.
fn changed(changes: &[&str]) -> Value {
    let mut base = instance(BASE);
    for change in changes {
        let (path, value) = change.split_once('=').unwrap();
        let mut here = &mut base;
        for part in path.split('.') {
            here = &mut here[part];
        }
        *here = instance(value);
    }
    base
}

/// All keys of mappings in a schema, with where the mapping stands.
fn keys(schema: &Value, at: &str, found: &mut BTreeSet<(String, String)>) {
    let Value::Object(entries) = schema else {
        if let Value::Array(items) = schema {
            for (place, item) in items.iter().enumerate() {
                keys(item, &format!("{at}/{place}"), found);
            }
        }
        return;
    };
    for (name, value) in entries {
        if let ("properties", Value::Object(properties)) = (name.as_str(), value) {
            found.extend(properties.keys().map(|key| (at.to_owned(), key.clone())));
            for (key, property) in properties {
                keys(property, &format!("{at}/properties/{key}"), found);
            }
        } else {
            keys(value, &format!("{at}/{name}"), found);
        }
    }
}

/// Keys that the parser reads and the schema has not make the parser panic: it asks for each in
/// the tables that the schema is made of. Here every key of the schema is set in a scenario, and
/// both accept it; a key a letter longer is refused by both.
#[test]
fn parser_and_schema_know_the_same_keys() {
    let schema = schema(&Registry::default());
    let validator = validator();
    let mut found = BTreeSet::new();
    keys(&schema, "", &mut found);
    let in_service = |at: &str| at.starts_with("/$defs/service_");
    // The list of services itself names services, not keys.
    found.retain(|(at, _)| !in_service(at) && !at.contains("/properties/services/"));
    let mut sampled: BTreeSet<(String, String)> = SAMPLES
        .iter()
        .map(|&(at, key, _)| (at.to_owned(), key.to_owned()))
        .collect();
    // The second of two equal ones.
    sampled.insert((
        "/$defs/distribution/anyOf/2/properties/DistAttr".into(),
        "params".into(),
    ));
    assert_eq!(found, sampled);
    for (_, key, changes) in SAMPLES {
        if let Err(error) = parsed(changes) {
            panic!("{changes:?}: {error}");
        }
        let found = problems(&validator, &changed(changes));
        assert!(found.is_empty(), "{changes:?}: {found}");
        // The last change sets the key, in a mapping or as the end of its path.
        let (last, before) = changes.split_last().unwrap();
        let at = last.rfind(&format!("{key}:")).or_else(|| last.rfind(key));
        let mut wrong = (*last).to_owned();
        wrong.insert(at.unwrap() + key.len(), 'x');
        let mut changes = before.to_vec();
        changes.push(&wrong);
        assert!(parsed(&changes).is_err(), "{wrong} is accepted");
        assert!(!validator.is_valid(&changed(&changes)), "{wrong} is valid");
    }
}

#[test]
fn declared_defaults_are_what_happens_without_a_key() {
    let schema = schema(&Registry::default());
    let without = parsed(&[]).unwrap().resolved;
    let emergent = |join: &str| {
        let topology = format!("topology={{emergent: {{peer: 5}}{join}}}");
        parsed(&[&topology]).unwrap().resolved
    };
    let mut checked = 0;
    for (at, key, _) in SAMPLES {
        let mapping = schema.pointer(at).unwrap();
        let Some(default) = mapping["properties"][key].get("default") else {
            continue;
        };
        let default = default.as_str().map_or(default.to_string(), str::to_owned);
        let part = at.trim_start_matches("/properties/");
        let (with, without) = match (part, key) {
            ("topology", "join") => (emergent(&format!(", join: {default}")), emergent("")),
            ("topology/properties/bootstrap/anyOf/1", _) => {
                let bootstrap = format!(", bootstrap: {{count: {default}}}");
                (emergent(&bootstrap), emergent(""))
            }
            ("topology/properties/attach/additionalProperties", _) => {
                let attach = |count: &str| {
                    let attach =
                        format!("topology.attach={{client: {{{count}to: peer, degree: 2}}}}");
                    parsed(&[CLIENT, &attach]).unwrap().resolved
                };
                (attach(&format!("count: {default}, ")), attach(""))
            }
            ("network/properties/partitions/items", "directed") => {
                let partition = |directed: &str| {
                    let partition = format!(
                        "network.partitions=[{{from: 1, until: 2, groups: [[A], [B]]{directed}}}]"
                    );
                    parsed(&[&partition]).unwrap().resolved
                };
                (partition(&format!(", directed: {default}")), partition(""))
            }
            _ => {
                let path = if part.is_empty() {
                    key.to_owned()
                } else {
                    format!("{part}.{key}")
                };
                let resolved = parsed(&[&format!("{path}={default}")]).unwrap().resolved;
                // The base has a seed of its own.
                let without = match key {
                    "seed" => without.replace("seed: 3", "seed: 1"),
                    _ => without.clone(),
                };
                (resolved, without)
            }
        };
        assert_eq!(with, without, "{at} {key}: {default}");
        checked += 1;
    }
    assert!(checked >= 15, "{checked}");
}

#[test]
fn required_keys_are_required_by_both() {
    let validator = validator();
    for key in ["horizon", "latencies", "peer_types", "topology"] {
        assert!(parsed(&[&format!("{key}=")]).is_err());
        let mut without = instance(BASE);
        without.as_object_mut().unwrap().remove(key);
        assert!(!validator.is_valid(&without), "{key}");
    }
    for key in ["location", "bandwidth_ul", "bandwidth_dl"] {
        assert!(parsed(&[&format!("peer_types.peer.{key}=")]).is_err());
        let mut without = instance(BASE);
        let peer = without["peer_types"]["peer"].as_object_mut().unwrap();
        peer.remove(key);
        assert!(!validator.is_valid(&without), "{key}");
    }
}

#[test]
fn both_refuse_what_is_out_of_range_or_misspelled() {
    let validator = validator();
    for change in [
        "seed=-1",
        "seed=1.5",
        "horizon=0",
        "horizon=5 parsecs",
        "latency=two_way",
        "latencies.A.B=nrom(12, 2)",
        "latencies={}",
        "locations=[]",
        "network.uplink=fast",
        "network.loss=1.5",
        "network.loss={good: {loss: 0.1, mean: 1 s}}",
        "network.partitions=[{from: 0, until: 1, groups: [[A]]}]",
        "peer_types={}",
        "peer_types.peer.services=[BaseConectionManager]",
        "peer_types.peer.services={BaseConnectionManager: {ping_interval: 0}}",
        "topology={}",
        "topology={graph: path(3), edges: [[0, 1]]}",
        "topology.graph=erdos_reny(10, 0.5)",
        "topology={edges: [[1, 2, 3]]}",
        "topology.connected=perhaps",
        "output.logs=some",
        "output.level=debug",
        "output.deliveries=all",
        "output.snapshots=never",
        "output.interval=0",
        "output.format=xml",
    ] {
        assert!(parsed(&[change]).is_err(), "the parser accepts {change}");
        assert!(
            !validator.is_valid(&changed(&[change])),
            "the schema accepts {change}"
        );
    }
}

/// A value for a parameter, where it has no default.
fn sample(parameter: &ParameterSpec) -> &'static str {
    match (parameter.default, parameter.kind) {
        ("", ParameterKind::Durations) => "[100, 1 s]",
        ("", ParameterKind::Peers) => "[1]",
        ("", ParameterKind::Law(_) | ParameterKind::Duration { .. }) => "1000",
        ("", _) => panic!("a sample is missing for {}", parameter.name),
        (default, _) => default,
    }
}

#[test]
fn services_have_their_parameters_in_the_schema() {
    let schema = schema(&Registry::default());
    let validator = validator();
    for spec in Registry::default().iter() {
        let properties = schema["$defs"][format!("service_{}", spec.name)]["properties"]
            .as_object()
            .unwrap();
        let names: Vec<&str> = spec.parameters.iter().map(|p| p.name).collect();
        assert_eq!(properties.keys().collect::<Vec<_>>(), names);
        let all: Vec<String> = spec
            .parameters
            .iter()
            .map(|parameter| format!("{}: {}", parameter.name, quoted(sample(parameter))))
            .collect();
        let services = |more: &str| {
            let all = all.join(", ");
            format!(
                "peer_types.peer.services={{{}: {{{all}{more}}}}}",
                spec.name
            )
        };
        let right = services("");
        if let Err(error) = parsed(&[&right]) {
            panic!("{right}: {error}");
        }
        let found = problems(&validator, &changed(&[&right]));
        assert!(found.is_empty(), "{right}: {found}");
        let wrong = services(if all.is_empty() { "x: 1" } else { ", x: 1" });
        assert!(parsed(&[&wrong]).is_err());
        assert!(!validator.is_valid(&changed(&[&wrong])), "{wrong}");
    }
    assert_eq!(
        schema["$defs"]["service_GossipService"]["properties"]["fanout"]["default"],
        json!(3)
    );
}

/// In a flow mapping, a call needs quotes for its commas.
fn quoted(value: &str) -> String {
    match value.contains('(') {
        true => format!("'{value}'"),
        false => value.to_owned(),
    }
}
