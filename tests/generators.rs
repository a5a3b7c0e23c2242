//! The graph generators against networkx's: graphs without chance link by link, random ones by
//! the figures of many. `tests/data/networkx_generators.py` made the reference.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use p2psim::peer::PeerIndex;
use p2psim::scenario::{LoadOptions, parse};
use p2psim::simulation::Setup;
use p2psim::topology::Graph;
use p2psim::topology::generators::{ArgumentKind, Family, Generator, specs};
use serde_json::Value;
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// How many graphs of each random generator are made.
const SEEDS: u64 = 200;
/// A test with a smaller probability fails. Of some 400 tests with fixed seeds none should.
const P_MIN: f64 = 1e-6;

fn generator(call: &str) -> Generator {
    Generator::parse(call).unwrap_or_else(|errors| panic!("{call}: {errors:?}"))
}

fn reference() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/networkx_generators.jsonl");
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let first: Value = lines.next().unwrap();
    assert!(first["networkx"].as_str().unwrap().starts_with("3."));
    lines.collect()
}

/// FNV-1a of the sorted links, a line each.
fn links_hash(graph: &Graph) -> String {
    let mut value = 0xcbf2_9ce4_8422_2325_u64;
    for (a, b) in graph.iter_links() {
        for byte in format!("{a} {b}\n").bytes() {
            value = (value ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    format!("{value:016x}")
}

fn assert_none(problems: &[String]) {
    assert!(
        problems.is_empty(),
        "{} problems:\n{}",
        problems.len(),
        problems.join("\n")
    );
}

#[test]
fn graphs_without_chance_are_those_of_networkx() {
    let mut problems = Vec::new();
    let mut count = 0;
    for line in reference() {
        let Some(hash) = line["links_hash"].as_str() else {
            continue;
        };
        count += 1;
        let call = line["call"].as_str().unwrap();
        let generator = generator(call);
        assert!(!generator.spec().is_random, "{call}");
        let graph = generator.generate(1, None).unwrap();
        let peers = line["peers"].as_u64().unwrap();
        let links = line["links"].as_u64().unwrap();
        if (graph.peers() as u64, graph.links()) != (peers, links) {
            problems.push(format!(
                "{call}: {} peers, {} links, networkx {peers}, {links}",
                graph.peers(),
                graph.links()
            ));
        } else if links_hash(&graph) != hash {
            let links: Vec<(u32, u32)> = graph.iter_links().take(20).collect();
            problems.push(format!("{call}: other links, beginning with {links:?}"));
        }
        // Up to links that repeat others.
        if generator.expected_links() < links as f64 {
            problems.push(format!(
                "{call}: {} links are expected, {links} made",
                generator.expected_links()
            ));
        }
    }
    assert!(count > 100, "only {count} graphs");
    assert_none(&problems);
}

/// The figures of a graph, as the script takes them.
fn figures(graph: &Graph, edges: &[u64]) -> [(&'static str, Vec<f64>); 5] {
    let n = graph.peers();
    let degree = |peer: usize| graph.neighbours(peer).len();
    let mut triangle_ends = 0_u64;
    let mut clustering = 0.0;
    let mut degrees = vec![0.0; edges.len() + 1];
    for peer in 0..n {
        let around = graph.neighbours(peer);
        let linked = |a: u32, b: &u32| graph.neighbours(a as usize).binary_search(b).is_ok();
        let closed: u64 = around
            .iter()
            .map(|&a| around.iter().filter(|b| **b > a && linked(a, b)).count() as u64)
            .sum();
        triangle_ends += closed;
        let d = degree(peer);
        if d > 1 {
            clustering += closed as f64 / (d * (d - 1) / 2) as f64;
        }
        degrees[edges.partition_point(|&edge| edge < d as u64)] += 1.0;
    }
    let mut blocks = vec![0.0; 10];
    for (a, b) in graph.iter_links() {
        let quarter = |peer: u32| 4 * peer as usize / n;
        let (a, b) = (quarter(a), quarter(b));
        blocks[a * (9 - a) / 2 + b - a] += 1.0;
    }
    [
        ("size", vec![n as f64, graph.links() as f64]),
        ("degrees", degrees),
        (
            "clustering",
            vec![clustering / n as f64, triangle_ends as f64 / 3.0],
        ),
        ("blocks", blocks),
        ("components", vec![components(graph) as f64]),
    ]
}

fn components(graph: &Graph) -> usize {
    let mut reached = vec![false; graph.peers()];
    let mut count = 0;
    for first in 0..graph.peers() {
        if reached[first] {
            continue;
        }
        count += 1;
        let mut waiting = vec![first];
        while let Some(peer) = waiting.pop() {
            if !std::mem::replace(&mut reached[peer], true) {
                waiting.extend(graph.neighbours(peer).iter().map(|&other| other as usize));
            }
        }
    }
    count
}

/// The squared distance of two means, in units of their covariance (Hotelling 1931), and the
/// number of its dimensions: by Cholesky's decomposition with the largest pivots first, up to
/// where what is left is nothing but rounding. `None` where the means differ in a direction in
/// which nothing varies.
fn distance(gap: &[f64], covariance: &[Vec<f64>]) -> Option<(f64, usize)> {
    let mut gap = gap.to_vec();
    let mut left: Vec<Vec<f64>> = covariance.to_vec();
    let scale: Vec<f64> = (0..gap.len()).map(|i| covariance[i][i]).collect();
    let mut open: Vec<usize> = (0..gap.len()).collect();
    let (mut sum, mut dimensions) = (0.0, 0);
    loop {
        let share = |i: usize| left[i][i] / scale[i].max(f64::MIN_POSITIVE);
        let Some(&pivot) = open.iter().max_by(|&&a, &&b| share(a).total_cmp(&share(b))) else {
            return Some((sum, dimensions));
        };
        if share(pivot) < 1e-4 {
            let fixed = open
                .iter()
                .all(|&i| gap[i].abs() <= 1e-6_f64.max(0.2 * scale[i].sqrt()));
            return fixed.then_some((sum, dimensions));
        }
        open.retain(|&i| i != pivot);
        sum += gap[pivot] * gap[pivot] / left[pivot][pivot];
        dimensions += 1;
        let row = left[pivot].clone();
        for &i in &open {
            let factor = row[i] / row[pivot];
            gap[i] -= factor * gap[pivot];
            for &j in &open {
                left[i][j] -= factor * row[j];
            }
        }
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    let items = value.as_array().unwrap().iter();
    items.map(|item| item.as_f64().unwrap()).collect()
}

#[test]
fn random_graphs_have_the_figures_of_networkx() {
    let mut problems = Vec::new();
    let (mut tests, mut worst) = (0, (1.0, String::new()));
    for line in reference() {
        let Some(samples) = line["samples"].as_f64() else {
            continue;
        };
        let call = line["call"].as_str().unwrap();
        let shown: String = call.chars().take(60).collect();
        let generator = generator(call);
        let edges: Vec<u64> = numbers(&line["edges"]).iter().map(|&e| e as u64).collect();
        let mut sums: Vec<(&str, Vec<f64>)> = Vec::new();
        for seed in 0..SEEDS {
            let graph = match generator.generate(seed, None) {
                Ok(graph) => graph,
                Err(error) => panic!("{shown}, seed {seed}: {error}"),
            };
            let found = figures(&graph, &edges);
            if sums.is_empty() {
                sums = found.to_vec();
                continue;
            }
            for ((_, sum), (_, figures)) in sums.iter_mut().zip(found) {
                sum.iter_mut().zip(figures).for_each(|(sum, x)| *sum += x);
            }
        }
        for (name, sum) in sums {
            let reference = &line[name];
            let mean = numbers(&reference["mean"]);
            let gap: Vec<f64> = sum
                .iter()
                .zip(&mean)
                .map(|(sum, mean)| sum / SEEDS as f64 - mean)
                .collect();
            // Both means vary.
            let share = 1.0 / SEEDS as f64 + 1.0 / samples;
            let covariance: Vec<Vec<f64>> = reference["covariance"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| numbers(row).iter().map(|x| x * share).collect())
                .collect();
            let p = match distance(&gap, &covariance) {
                None => 0.0,
                Some((_, 0)) => 1.0,
                Some((sum, dimensions)) => ChiSquared::new(dimensions as f64).unwrap().sf(sum),
            };
            tests += 1;
            if p < P_MIN {
                let ours: Vec<f64> = sum.iter().map(|sum| sum / SEEDS as f64).collect();
                problems.push(format!(
                    "{shown}: {name} p = {p:.1e}, {ours:.2?}, networkx {mean:.2?}"
                ));
            }
            if p < worst.0 {
                worst = (p, format!("{name} of {shown}"));
            }
            if name == "size" {
                let expected = generator.expected_links();
                let made = mean[1];
                if expected < 0.8 * made || expected > 1.6 * made + 1.0 {
                    problems.push(format!(
                        "{shown}: {expected:.1} links are expected, {made:.1} made"
                    ));
                }
            }
        }
    }
    println!("{tests} tests, the smallest p {:.1e}: {}", worst.0, worst.1);
    assert!(tests > 300, "only {tests} tests");
    assert_none(&problems);
}

/// A test that finds no difference must be able to find one.
#[test]
fn another_graph_has_other_figures() {
    let reference = reference();
    let line = |call: &str| {
        let found = reference.iter().find(|line| line["call"] == call);
        found.unwrap_or_else(|| panic!("{call}"))
    };
    let p = |other: &str, call: &str, name: &str| {
        let line = line(call);
        let edges: Vec<u64> = numbers(&line["edges"]).iter().map(|&e| e as u64).collect();
        let mut gap: Vec<f64> = numbers(&line[name]["mean"]).iter().map(|x| -x).collect();
        for seed in 0..SEEDS {
            let graph = generator(other).generate(seed, None).unwrap();
            let found = figures(&graph, &edges);
            let (_, found) = found.iter().find(|(found, _)| *found == name).unwrap();
            for (gap, x) in gap.iter_mut().zip(found) {
                *gap += x / SEEDS as f64;
            }
        }
        let rows = line[name]["covariance"].as_array().unwrap().iter();
        let share = 1.0 / SEEDS as f64 + 1.0 / line["samples"].as_f64().unwrap();
        let covariance: Vec<Vec<f64>> = rows
            .map(|row| numbers(row).iter().map(|x| x * share).collect())
            .collect();
        distance(&gap, &covariance).map_or(0.0, |(sum, dimensions)| {
            ChiSquared::new(dimensions as f64).unwrap().sf(sum)
        })
    };
    for (other, call, name) in [
        ("gnp(60, 0.11)", "gnp(60, 0.1)", "size"),
        ("gnm(60, 150)", "barabasi_albert(60, 3)", "degrees"),
        ("gnp(60, 0.1)", "watts_strogatz(60, 6, 0.2)", "clustering"),
        (
            "watts_strogatz(60, 6, 0.25)",
            "watts_strogatz(60, 6, 0.2)",
            "clustering",
        ),
        (
            "gnp(60, 0.14)",
            "planted_partition(4, 15, 0.4, 0.05)",
            "blocks",
        ),
        (
            "powerlaw_cluster(60, 3, 0.5)",
            "powerlaw_cluster(60, 3, 0.6)",
            "clustering",
        ),
    ] {
        let p = p(other, call, name);
        assert!(p < P_MIN, "{name} of {other} and {call}: p = {p}");
    }
}

#[test]
fn every_generator_has_a_reference() {
    let calls: Vec<String> = reference()
        .iter()
        .map(|line| {
            generator(line["call"].as_str().unwrap())
                .spec()
                .name
                .to_owned()
        })
        .collect();
    // What networkx has not: tested where it is made.
    let own = ["degree_sequence", "locations_aware"];
    for spec in specs() {
        assert!(
            own.contains(&spec.name) || calls.iter().any(|call| call == spec.name),
            "{} is not compared to anything",
            spec.name
        );
        assert!(!own.contains(&spec.name) || spec.family == Family::PeerToPeer);
    }
}

/// The first links of some graphs: when this fails on purpose, say so under "Changes results"
/// in CHANGELOG.md.
#[test]
fn graphs_are_those_of_this_version() {
    let digest = |call: &str| links_hash(&generator(call).generate(1, None).unwrap());
    let found: Vec<(&str, String)> = PINNED
        .iter()
        .map(|&(call, _)| (call, digest(call)))
        .collect();
    let pinned: Vec<(&str, String)> = PINNED
        .iter()
        .map(|&(call, hash)| (call, hash.to_owned()))
        .collect();
    assert_eq!(found, pinned);
}

const PINNED: [(&str, &str); 12] = [
    ("gnp(1000, 0.01)", "9af3f91898d9d6d2"),
    ("gnm(1000, 5000)", "ab114711df381dc8"),
    ("random_regular(10, 1000)", "0f3594440c51a567"),
    ("barabasi_albert(1000, 5)", "2cdadf2425964a6f"),
    ("watts_strogatz(1000, 10, 0.1)", "1b24e8dad0d065e4"),
    ("powerlaw_cluster(1000, 5, 0.5)", "805b2423d2fe3606"),
    ("outbound(1000, 8)", "b13062a20c2fa519"),
    ("waxman(1000)", "2bea526fc8d36edf"),
    (
        "expected_degree([9, 8, 7, 6, 5, 4, 3, 2, 1, 1, 1, 1])",
        "4a584f3a520ee903",
    ),
    (
        "LFR_benchmark(1000, 3, 1.5, 0.2, 8, max_degree=50, min_community=60, max_community=120)",
        "620fff44fd9145c7",
    ),
    ("random_internet_as(1000)", "e1acd459730dde6d"),
    ("soft_random_geometric(1000, 0.1)", "44d8ebcfaf7c83b8"),
];

/// Arguments of all sizes: each call is refused, or measured and, if it is small, made.
#[test]
fn any_arguments_are_refused_or_make_a_graph() {
    let numbers = [
        "-1", "0", "0.3", "1", "2", "3", "4", "7", "10", "1e3", "1e9", "1e15", "1e300", "1e-300",
    ];
    let lists = [
        "[]",
        "[0]",
        "[1]",
        "[-3, 5]",
        "[2, 2, 2]",
        "[4, 1, 1, 1, 1]",
        "[1e300, 2]",
        "[0, 0, 1, 1]",
        "[[1, 2], [2, 1]]",
        "[[0.5]]",
        "[[3, 2, 0.5], [3, 1, 1]]",
        "[]",
        "true",
        "None",
        "\"x\"",
        "cycle(4)",
        "gnp(6, 0.5)",
    ];
    let mut random = 1_u64;
    let mut next = |bound: usize| {
        random = p2psim::random::mix(random);
        (random % bound as u64) as usize
    };
    let (mut made, mut refused) = (0, 0);
    for spec in specs() {
        for _ in 0..100 {
            let mut given: Vec<String> = Vec::new();
            for parameter in spec.parameters {
                let is_number = matches!(
                    parameter.kind,
                    ArgumentKind::Whole(_) | ArgumentKind::Probability | ArgumentKind::Number(_)
                );
                if parameter.default_shown().is_some() && next(3) > 0 {
                    continue;
                }
                let value = match is_number && next(20) > 0 || spec.is_variadic && next(2) > 0 {
                    true => numbers[next(numbers.len())],
                    false => lists[next(lists.len())],
                };
                given.push(match spec.is_variadic {
                    true => value.to_owned(),
                    false => format!("{}={value}", parameter.name),
                });
            }
            let call = format!("{}({})", spec.name, given.join(", "));
            let Ok(generator) = Generator::parse(&call) else {
                refused += 1;
                continue;
            };
            let shown = generator.to_string();
            assert_eq!(Generator::parse(&shown).as_ref(), Ok(&generator), "{call}");
            assert!(generator.expected_links() >= 0.0, "{call}");
            if generator.peers() > 2000 || generator.expected_links() > 1e5 {
                continue;
            }
            made += 1;
            match generator.generate(next(1000) as u64, None) {
                Ok(graph) if generator.has_random_size() => assert!(graph.peers() > 0),
                Ok(graph) => assert_eq!(graph.peers() as u64, generator.peers(), "{call}"),
                Err(error) => assert!(error.0.contains(": "), "{call}: {error}"),
            }
        }
    }
    println!("{made} graphs made, {refused} calls refused");
    assert!(made > 1000 && refused > 1000);
}

/// A scenario with this `topology`, its latencies and its folder.
fn scenario(folder: &Path, topology: &str) -> Result<p2psim::scenario::Scenario, String> {
    let text = format!(
        "horizon: 1 s
seed: 7
latencies: {{A: {{A: 10, B: 'norm(40, 2)'}}, B: {{B: 10}}}}
peer_types:
  peer: {{location: 'sample(A, B)', bandwidth_ul: 1 Mbit, bandwidth_dl: 1 Mbit}}
topology: {{{topology}}}
"
    );
    let options = LoadOptions {
        memory_limit_bytes: 1 << 30,
        ..LoadOptions::default()
    };
    parse(&text, "graphs", folder, &options).map_err(|error| error.render(false))
}

#[test]
fn degrees_come_from_a_file_that_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("degrees.csv", "id,degree\na,3\nb,2\nc,2\nd,2\ne,1\n");
    let first = scenario(folder.path(), "graph: degree_sequence('degrees.csv')").unwrap();
    assert_eq!(first.inputs.len(), 1);
    assert!(
        first
            .resolved
            .contains("graph: \"degree_sequence(\\\"inputs/degrees.csv\\\")\""),
        "{}",
        first.resolved
    );
    let setup = Setup::new(&first.plan).unwrap();
    let mut degrees = [0; 5];
    for (a, b) in setup.links() {
        degrees[a.as_usize()] += 1;
        degrees[b.as_usize()] += 1;
    }
    assert_eq!(degrees, [3, 2, 2, 2, 1]);
    // The resolved scenario reads the copy.
    fs::create_dir(folder.path().join("inputs")).unwrap();
    write("inputs/degrees.csv", "3\n2\n2\n2\n1\n");
    let again = parse(
        &first.resolved,
        "again",
        folder.path(),
        &LoadOptions::default(),
    )
    .unwrap();
    assert_eq!(again.resolved, first.resolved);
    let again = Setup::new(&again.plan).unwrap();
    assert!(setup.links().eq(again.links()));
    for (text, message) in [
        ("1\n1\n1\n", "the degrees add up to 3, which is odd"),
        ("3\n1\n", "the 1 largest degrees are too large for 2 peers"),
        ("1\nx\n", "`x` in line 2 of bad.csv is no whole number"),
        ("", "bad.csv has no degrees"),
    ] {
        write("bad.csv", text);
        let error = scenario(folder.path(), "graph: degree_sequence('bad.csv')").unwrap_err();
        assert!(error.contains(message), "{message}:\n{error}");
        assert!(error.contains("graphs.yaml:6:"), "{error}");
    }
    let error = scenario(folder.path(), "graph: degree_sequence('none.csv')").unwrap_err();
    assert!(error.contains("none.csv: No such file"), "{error}");
}

#[test]
fn scenarios_say_what_must_be_connected_and_what_is_near() {
    let here = Path::new(".");
    let far = |graph: &str| {
        let scenario = scenario(here, graph).unwrap();
        let setup = Setup::new(&scenario.plan).unwrap();
        let place = |peer: PeerIndex| setup.locations[peer.as_usize()];
        let far = setup.links().filter(|&(a, b)| place(a) != place(b)).count();
        far as f64 / setup.links().count() as f64
    };
    assert!(far("graph: 'outbound(400, 4)'") > 0.45);
    assert!(far("graph: 'locations_aware(400, 4, alpha=2)'") < 0.1);
    let connected = scenario(here, "graph: 'gnp(50, 0.07)', connected: true").unwrap();
    assert!(connected.resolved.contains("  connected: true\n"));
    let again = parse(&connected.resolved, "again", here, &LoadOptions::default()).unwrap();
    assert_eq!(again.resolved, connected.resolved);
    assert_eq!(Setup::new(&connected.plan).unwrap().isolated(), 0);
    let lobster = scenario(here, "graph: 'random_lobster(30, 0.5, 0.5)', types: peer").unwrap();
    assert_eq!(
        Setup::new(&lobster.plan).unwrap().names.len() as u64,
        lobster.plan.population.size().0
    );
    let never = scenario(here, "graph: 'gnm(50, 40)', connected: true").unwrap();
    let error = Setup::new(&never.plan).unwrap_err().to_string();
    assert!(error.contains("was not connected in 1000 tries"), "{error}");
}

#[test]
fn wrong_calls_are_refused_where_they_are_wrong() {
    for (topology, message, marked) in [
        (
            "edges: [[1, 2]], connected: true",
            "given links cannot be drawn again",
            "connected",
        ),
        ("graph: 'outbound(8)'", "`outbound` needs `k`", "outbound"),
        (
            "graph: 'outbound(8, 8)'",
            "`k` must be at most n - 1 = 7",
            "8",
        ),
        (
            "graph: petersen",
            "`petersen` is a generator and needs brackets",
            "petersen",
        ),
        (
            "graph: 'complete_multipartite(2, -1)'",
            "`sizes` must be a whole number from 0 on, not -1",
            "-1",
        ),
        (
            "graph: 'hybrid(cycle(4), gnp(4, 2))'",
            "`p` must be a probability between 0 and 1, not 2",
            "2",
        ),
        (
            "graph: 'hybrid(cycle(4), a=5)'",
            "`hybrid` takes no keywords",
            "a",
        ),
        (
            "graph: 'circulant(9, [1, 2.5])'",
            "`offsets` must be a list of whole numbers; 2.5 is not",
            "2.5",
        ),
        (
            "graph: 'circulant(9, 3)'",
            "`offsets` must be a list of whole numbers",
            "3",
        ),
        (
            "graph: 'grid_2d(3, 3, periodic=maybe)'",
            "`periodic` must be true or false",
            "maybe",
        ),
        ("graph: 'grid_2d(3, 3, periodic=[true])'", "", ""),
        (
            "graph: 'hypercube(40)'",
            "1099511627776 peers are too many",
            "hypercube(40)",
        ),
        (
            "graph: 'hypercube(4000)'",
            "infinitely many peers are too many",
            "hypercube(4000)",
        ),
        (
            "graph: 'configuration_model([3, 2])'",
            "the degrees add up to 5, which is odd",
            "[3, 2]",
        ),
        (
            "graph: 'degree_sequence(3)'",
            "`file` must be the path of a file, in quotes",
            "3",
        ),
        (
            "graph: 'random_lobster(1e9, 0.9, 0.9)'",
            "peers are too many",
            "random_lobster(1e9, 0.9, 0.9)",
        ),
        (
            "graph: 'random_lobster(1e6, 0.9, 0.5)'",
            "more than the 1.00 GiB there are",
            "",
        ),
        (
            "graph: 'sbm([2, 2], [[1, 0], [0.5, 1]])'",
            "p[0][1] = 0 must equal p[1][0] = 0.5",
            "",
        ),
        (
            "graph: 'connected_watts_strogatz(9, 4, 0.1, 1e9)'",
            "`tries` must be at most 1000000",
            "1e9",
        ),
    ] {
        let Err(error) = scenario(Path::new("."), topology) else {
            assert!(message.is_empty(), "{topology} is accepted");
            continue;
        };
        assert!(
            !message.is_empty() && error.contains(message),
            "{topology}:\n{error}"
        );
        if !marked.is_empty() {
            let marks = format!(" {} ", "^".repeat(marked.len()));
            assert!(error.contains(&marks), "{topology}:\n{error}");
        }
    }
}
