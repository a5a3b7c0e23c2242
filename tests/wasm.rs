//! Services in WebAssembly: what guests can do, what bounds them, and what is refused.

#![cfg(feature = "wasm")]
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;

use common::files;
use p2psim::engine::Failure;
use p2psim::random::{Purpose, Stream};
use p2psim::report::{RunFolder, RunName, write_outputs};
use p2psim::scenario::{LoadOptions, load, parse};
use p2psim::services::scripts;
use p2psim::simulation::Simulation;

/// All that guests can import: the ABI of version 1, which docs/wasm.md lists.
const IMPORTS: [(&str, &str); 33] = [
    ("now", "() -> i64"),
    ("id", "() -> i64"),
    ("peers", "() -> i64"),
    ("peer_type", "(i64) -> i32"),
    ("type_name", "(i64, i32, i32) -> i32"),
    ("location_name", "(i32, i32) -> i32"),
    ("is_bootstrap", "(i64) -> i32"),
    ("is_connected", "(i64) -> i32"),
    ("neighbours", "(i32, i32) -> i32"),
    ("connect", "(i64) -> i32"),
    ("disconnect", "(i64) -> i32"),
    ("send", "(i64, i32, i32, i32, i32, i32) -> i32"),
    ("broadcast", "(i32, i32, i32, i32, i32) -> i32"),
    ("gossip", "(i32, i32, i32, i32, i32, i32, i32, i32) -> i32"),
    ("read", "(i32, i32, i32) -> i32"),
    ("timer", "(i32, i64)"),
    ("random", "() -> f64"),
    ("random_bits", "() -> i64"),
    ("random_below", "(i64) -> i64"),
    ("integer", "(i32) -> i64"),
    ("number", "(i32) -> f64"),
    ("list", "(i32, i32, i32) -> i32"),
    ("sample", "(i32) -> f64"),
    ("publish", "(i32, i32, i32)"),
    ("deliver", "(i32) -> i32"),
    ("holds", "(i32) -> i32"),
    ("held", "(i32, i32) -> i32"),
    ("reject", "(i32)"),
    ("forget", "(i64)"),
    ("log", "(i32, i32, i32)"),
    ("count", "(i32, i32, i64)"),
    ("observe", "(i32, i32, f64) -> i32"),
    ("fail", "(i32, i32)"),
];

/// A guest with this declaration and these contents, which may call all functions: `$send`.
fn guest(declaration: &str, body: &str) -> Vec<u8> {
    let imports: String = IMPORTS
        .iter()
        .map(|(name, of_type)| {
            let of_type = of_type.replace(',', "");
            let (parameters, results) = match of_type.split_once(" -> ") {
                Some((parameters, result)) => (parameters.to_owned(), format!("(result {result})")),
                None => (of_type, String::new()),
            };
            let parameters = parameters.replace('(', "(param ");
            format!("(import \"p2psim\" \"{name}\" (func ${name} {parameters} {results}))\n")
        })
        .collect();
    let declaration = declaration.replace('"', "\\\"").replace('\n', " ");
    module(&format!(
        "(module (@custom \"p2psim\" \"{declaration}\") {imports} {body})"
    ))
}

fn module(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Four peers in a ring, each of which runs the guest.
const RING: &str = "
horizon: 10 s
latencies: {Here: {Here: 20}}
peer_types:
  peer: {location: Here, bandwidth_ul: 10 Mbit, bandwidth_dl: 10 Mbit, services: {guest.wasm: {}}}
topology: {graph: cycle_graph(4)}
";

struct Ran {
    simulation: Simulation,
    failure: Option<Failure>,
}

fn run_in(folder: &Path, wasm: &[u8], scenario: &str) -> Result<Ran, String> {
    fs::write(folder.join("guest.wasm"), wasm).unwrap();
    let scenario = parse(scenario, "test", folder, &LoadOptions::default())
        .map_err(|error| error.render(false))?;
    let mut simulation = Simulation::new(&scenario.plan, None).unwrap();
    let outcome = simulation.run(&AtomicBool::new(false), |_| {}).unwrap();
    Ok(Ran {
        simulation,
        failure: outcome.failure,
    })
}

fn run(wasm: &[u8], scenario: &str) -> Result<Ran, String> {
    run_in(tempfile::tempdir().unwrap().path(), wasm, scenario)
}

const EMPTY: &str = r#"{"abi": 1}"#;

#[test]
fn the_page_lists_what_guests_can_call() {
    let page =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/wasm.md")).unwrap();
    for (name, of_type) in IMPORTS {
        let row = page
            .lines()
            .find(|line| line.starts_with(&format!("| `{name}(")));
        let row = row.unwrap_or_else(|| panic!("docs/wasm.md has no row for {name}"));
        let types: Vec<&str> = row.split(['(', ')', ',', ' ', '`', '|']).collect();
        let types: Vec<&str> = types
            .into_iter()
            .filter(|word| ["i32", "i64", "f64"].contains(word))
            .collect();
        let right: Vec<&str> = of_type
            .split(['(', ')', ',', ' '])
            .filter(|word| ["i32", "i64", "f64"].contains(word))
            .collect();
        assert_eq!(types, right, "{row}");
    }
}

/// As GossipService: a rumour at its first receipt to three neighbours, its sender left out.
const PUSH_GOSSIP: &str = r#"
(memory (export "memory") 1)
(func (export "on_message") (param $from i64) (param $kind i32) (param $content i32) (param $bytes i32)
  (if (i32.ne (local.get $content) (i32.const 1)) (then return))
  (drop (call $read (i32.const 0) (i32.const 0) (i32.const 32)))
  (if (i32.eqz (call $deliver (i32.const 0))) (then return))
  (if (i32.eqz (i32.load16_u (i32.const 28))) (then return))
  (i64.store (i32.const 32) (local.get $from))
  (drop (call $gossip (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 32) (i32.const -1)
    (i32.wrap_i64 (call $integer (i32.const 0))) (i32.const 32) (i32.const 1))))
"#;

const PUSH_GOSSIP_DECLARATION: &str = r#"{"abi": 1,
  "parameters": [{"name": "fanout", "type": "integer", "default": 3, "max": 100}],
  "messages": [{"name": "GossipMessage", "gossip": true, "size": "250 B + payload"}]}"#;

fn gossip_scenario(service: &str) -> String {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/gossip.yaml");
    let text = fs::read_to_string(shipped).unwrap();
    assert!(text.contains("GossipService: {fanout: 3}"));
    text.replace(
        "GossipService: {fanout: 3}",
        &format!("{service}: {{fanout: 3}}"),
    )
}

/// All that a run of the scenario in so many shards, each on a thread of its own, leaves behind.
fn outputs(scenario: &Path, shards: usize) -> BTreeMap<PathBuf, Vec<u8>> {
    let plan = load(scenario, &LoadOptions::default()).unwrap().plan;
    let parent = tempfile::tempdir().unwrap();
    let folder = RunFolder::create(&parent.path().join("run"), false).unwrap();
    let mut simulation = Simulation::with_shards(&plan, None, shards).unwrap();
    simulation.always_use_threads();
    let outcome = simulation.run(&AtomicBool::new(false), |_| {}).unwrap();
    assert_eq!(outcome.failure, None);
    let name = RunName {
        scenario: "wasm".into(),
        seed: plan.seed,
    };
    let format = plan.measures.format;
    write_outputs(&folder, &simulation, &outcome, &name, true, format).unwrap();
    files(&folder.complete().unwrap())
}

/// The table of deliveries of the shipped scenario of gossip with this service in it.
fn deliveries(folder: &Path, service: &str, shards: usize) -> Vec<u8> {
    let scenario = folder.join("gossip.yaml");
    fs::write(&scenario, gossip_scenario(service)).unwrap();
    outputs(&scenario, shards)[Path::new("deliveries.csv")].clone()
}

#[test]
fn push_gossip_delivers_as_the_built_in_service_does() {
    let folder = tempfile::tempdir().unwrap();
    let built_in = deliveries(folder.path(), "GossipService", 1);
    assert!(built_in.iter().filter(|&&byte| byte == b'\n').count() > 900);
    let wasm = guest(PUSH_GOSSIP_DECLARATION, PUSH_GOSSIP);
    fs::write(folder.path().join("guest.wasm"), wasm).unwrap();
    for shards in [1, 3] {
        let by_guest = deliveries(folder.path(), "guest.wasm", shards);
        assert!(by_guest == built_in, "in {shards} shards");
    }
}

/// The example in Rust, where the compiler for it is there.
fn example() -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/wasm-guest");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wasm-guest");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--locked", "--offline"])
        .current_dir(&source)
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .env("CARGO_TARGET_DIR", &target)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&built.stderr);
    if said.contains("target may not be installed") {
        println!("skipped: rustup target add wasm32-unknown-unknown");
        return None;
    }
    assert!(built.status.success(), "{said}");
    Some(target.join("wasm32-unknown-unknown/release/push_gossip.wasm"))
}

#[test]
fn the_example_in_rust_delivers_as_the_built_in_service_does() {
    let Some(example) = example() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    fs::copy(example, folder.path().join("push.wasm")).unwrap();
    let built_in = deliveries(folder.path(), "GossipService", 1);
    for shards in [1, 3] {
        let by_guest = deliveries(folder.path(), "push.wasm", shards);
        assert!(by_guest == built_in, "in {shards} shards");
    }
}

/// Peers that draw, count, come and go, and begin afresh: the same bytes in any number of shards.
#[test]
fn shards_make_no_difference() {
    let folder = tempfile::tempdir().unwrap();
    let body = r#"
(memory (export "memory") 1)
(global $rounds (mut i32) (i32.const 0))
(data (i32.const 100) "rounds")
(func (export "on_start") (call $timer (i32.const 0) (i64.const 300000000)))
(func (export "on_timer") (param i32)
  (global.set $rounds (i32.add (global.get $rounds) (i32.const 1)))
  (call $count (i32.const 100) (i32.const 6) (i64.const 1))
  (drop (call $observe (i32.const 100) (i32.const 6) (f64.convert_i32_u (global.get $rounds))))
  (f64.store (i32.const 0) (call $random))
  (drop (call $gossip (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 8) (i32.const -1)
    (i32.const 2) (i32.const 0) (i32.const 0)))
  (call $timer (i32.const 0) (i64.add (i64.const 100000000) (call $random_below (i64.const 400000000)))))
(func (export "on_message") (param $from i64) (param $kind i32) (param $content i32) (param $bytes i32)
  (drop (call $read (i32.const 8) (i32.const 0) (i32.const 8)))
  (drop (call $observe (i32.const 100) (i32.const 5) (f64.load (i32.const 8)))))
"#;
    let declaration = r#"{"abi": 1, "messages": [{"name": "Draw"}]}"#;
    fs::write(folder.path().join("guest.wasm"), guest(declaration, body)).unwrap();
    let scenario = folder.path().join("churn.yaml");
    let text = "
horizon: 5 s
latencies: {Here: {Here: 'norm(20, 4)'}}
peer_types:
  peer:
    location: Here
    bandwidth_ul: 10 Mbit
    bandwidth_dl: 10 Mbit
    services:
      Churn: {session: 'expon(0, 900)', offline: 'expon(0, 300)', rejoin: fresh}
      guest.wasm:
topology: {graph: 'random_regular_graph(4, 30)'}
";
    fs::write(&scenario, text).unwrap();
    let alone = outputs(&scenario, 1);
    assert!(alone[Path::new("observations.csv")].len() > 10_000);
    for shards in [2, 3] {
        let together = outputs(&scenario, shards);
        assert!(alone.keys().eq(together.keys()));
        for (name, bytes) in &alone {
            assert!(
                bytes == &together[name],
                "{shards} shards: {}",
                name.display()
            );
        }
    }
}

/// Ends the run with what is at an address: how guests here say that something is not so.
const CHECK: &str = r#"
(memory (export "memory") 1)
(func $check (param $line i32) (param $is i32)
  (if (i32.eqz (local.get $is)) (then
    (i32.store8 (i32.const 900) (i32.add (i32.const 48) (i32.div_u (local.get $line) (i32.const 10))))
    (i32.store8 (i32.const 901) (i32.add (i32.const 48) (i32.rem_u (local.get $line) (i32.const 10))))
    (call $fail (i32.const 900) (i32.const 2)))))
"#;

fn succeed(declaration: &str, body: &str, scenario: &str) -> Simulation {
    let ran = run(&guest(declaration, &format!("{CHECK} {body}")), scenario).unwrap();
    assert_eq!(ran.failure.map(|failure| failure.problem), None);
    ran.simulation
}

#[test]
fn peers_share_neither_memory_nor_globals() {
    let body = r#"
(global $starts (mut i32) (i32.const 0))
(table $table 2 funcref)
(elem declare func $check)
(func (export "on_start")
  (call $check (i32.const 1) (i32.eqz (global.get $starts)))
  (call $check (i32.const 2) (i32.eqz (i32.load (i32.const 64))))
  (call $check (i32.const 3) (ref.is_null (table.get $table (i32.const 1))))
  (global.set $starts (i32.const 1))
  (i32.store (i32.const 64) (i32.const 1))
  (table.set $table (i32.const 1) (ref.func $check))
  (call $count (i32.const 80) (i32.const 6) (i64.const 1))
  (call $timer (i32.const 7) (i64.const 1000000)))
(data (i32.const 80) "starts")
(func (export "on_timer") (param i32)
  (call $check (i32.const 4) (i32.eq (local.get 0) (i32.const 7)))
  (call $check (i32.const 5) (global.get $starts))
  (call $check (i32.const 6) (i32.load (i32.const 64)))
  (call $check (i32.const 7) (i64.eq (call $now) (i64.const 1000000))))
"#;
    succeed(EMPTY, body, RING);
}

/// Offline and back with nothing, twice: each time in a new instance.
#[test]
fn a_peer_that_begins_afresh_has_a_new_instance() {
    let scenario = RING.replace(
        "{guest.wasm: {}}",
        "{Churn: {session: 2000, offline: 1000, rejoin: fresh}, guest.wasm: {}}",
    );
    let body = r#"
(global $state (mut i32) (i32.const 0))
(func (export "on_start")
  (call $check (i32.const 1) (i32.eqz (global.get $state)))
  (global.set $state (i32.const 1)))
(func (export "on_offline")
  (call $check (i32.const 2) (i32.eq (global.get $state) (i32.const 1)))
  (global.set $state (i32.const 2)))
(func (export "on_online") (param $afresh i32)
  (call $check (i32.const 3) (local.get $afresh))
  (call $check (i32.const 4) (i32.eq (global.get $state) (i32.const 1)))
  (if (i64.gt_u (call $now) (i64.const 5000000000)) (then
    (call $fail (i32.const 80) (i32.const 4)))))
(data (i32.const 80) "back")
"#;
    let wasm = guest(EMPTY, &format!("{CHECK} {body}"));
    let failure = run(&wasm, &scenario).unwrap().failure.unwrap();
    assert_eq!(failure.problem, "guest.wasm: on_online: back");
}

const PARAMETERS: &str = r#"{"abi": 1, "about": "tries all out", "parameters": [
  {"name": "pause", "type": "duration", "default": "2 s", "max": 10000},
  {"name": "size", "type": "number", "unit": "bytes", "default": "2 KiB", "min": 1},
  {"name": "often", "type": "probability", "default": 0.25},
  {"name": "eager", "type": "boolean", "default": true},
  {"name": "mode", "type": "choice", "choices": ["slow", "fast"], "default": "fast"},
  {"name": "delay", "type": "distribution", "unit": "ms", "default": "uniform(5, 1)"},
  {"name": "others", "type": "distribution", "default": "none"},
  {"name": "kinds", "type": "types"},
  {"name": "friends", "type": "peers"}],
 "messages": [{"name": "Hey"}, {"name": "PeerList", "payload": "peers"}]}"#;

#[test]
fn guests_read_their_parameters() {
    let scenario = RING.replace(
        "{guest.wasm: {}}",
        "{guest.wasm: {pause: 3 s, friends: [2, 0], kinds: [peer]}}",
    );
    let body = r#"
(func (export "on_start") (local $draw f64)
  (call $check (i32.const 1) (i64.eq (call $integer (i32.const 0)) (i64.const 3000000000)))
  (call $check (i32.const 2) (f64.eq (call $number (i32.const 0)) (f64.const 3000)))
  (call $check (i32.const 3) (f64.eq (call $number (i32.const 1)) (f64.const 2048)))
  (call $check (i32.const 4) (f64.eq (call $number (i32.const 2)) (f64.const 0.25)))
  (call $check (i32.const 5) (i64.eq (call $integer (i32.const 3)) (i64.const 1)))
  (call $check (i32.const 6) (i64.eq (call $integer (i32.const 4)) (i64.const 1)))
  (local.set $draw (call $sample (i32.const 5)))
  (call $check (i32.const 7) (f64.ge (local.get $draw) (f64.const 5)))
  (call $check (i32.const 8) (f64.le (local.get $draw) (f64.const 6)))
  (local.set $draw (call $sample (i32.const 6)))
  (call $check (i32.const 9) (f64.ne (local.get $draw) (local.get $draw)))
  (call $check (i32.const 10) (i32.eq (call $list (i32.const 7) (i32.const 0) (i32.const 4)) (i32.const 1)))
  (call $check (i32.const 11) (i64.eqz (i64.load (i32.const 0))))
  (call $check (i32.const 12) (i32.eq (call $list (i32.const 8) (i32.const 0) (i32.const 1)) (i32.const 2)))
  (call $check (i32.const 13) (i64.eqz (i64.load (i32.const 8)))))
"#;
    succeed(PARAMETERS, body, &scenario);
}

/// Two neighbours; a message of bytes and a list of peers go from peer 0 to them.
#[test]
fn messages_carry_bytes_and_peers() {
    let body = r#"
(data (i32.const 100) "hello")
(func (export "on_timer") (param i32)
  (call $check (i32.const 1) (i32.eq (call $neighbours (i32.const 0) (i32.const 1)) (i32.const 2)))
  (call $check (i32.const 2) (i64.eq (i64.load (i32.const 0)) (i64.const 1)))
  (call $check (i32.const 3) (i64.eqz (i64.load (i32.const 8))))
  (call $check (i32.const 4) (call $is_connected (i64.const 1)))
  (call $check (i32.const 5) (i32.eqz (call $is_connected (i64.const 2))))
  (call $check (i32.const 6) (i32.eqz (call $is_connected (i64.const 99))))
  (call $check (i32.const 7) (i64.eq (call $peers) (i64.const 4)))
  (call $check (i32.const 8) (i32.eqz (call $peer_type (i64.const 3))))
  (call $check (i32.const 9) (i32.eq (call $peer_type (i64.const 4)) (i32.const -1)))
  (call $check (i32.const 10) (i32.eqz (call $is_bootstrap (i64.const 0))))
  (call $check (i32.const 24) (i32.eq (call $type_name (i64.const 3) (i32.const 400) (i32.const 9)) (i32.const 4)))
  (call $check (i32.const 25) (i32.eq (i32.load (i32.const 400)) (i32.const 0x72656570)))
  (call $check (i32.const 26) (i32.eq (call $type_name (i64.const 9) (i32.const 400) (i32.const 9)) (i32.const -1)))
  (call $check (i32.const 27) (i32.eq (call $location_name (i32.const 400) (i32.const 2)) (i32.const 4)))
  (call $check (i32.const 28) (i32.eq (i32.load (i32.const 400)) (i32.const 0x72656548)))
  (call $check (i32.const 11) (call $send (i64.const 1) (i32.const 0) (i32.const 0) (i32.const 100) (i32.const 5) (i32.const -1)))
  (call $check (i32.const 12) (i32.eqz (call $send (i64.const 2) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 100))))
  (call $check (i32.const 13) (i32.eqz (call $send (i64.const 99) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 100))))
  (i64.store (i32.const 200) (i64.const 2))
  (i64.store (i32.const 208) (i64.const 3))
  (call $check (i32.const 14) (i32.eq (call $broadcast (i32.const 1) (i32.const 3) (i32.const 200) (i32.const 16) (i32.const -1)) (i32.const 2)))
  (call $check (i32.const 15) (i64.lt_u (call $random_below (i64.const 5)) (i64.const 5)))
  (call $check (i32.const 16) (f64.lt (call $random) (f64.const 1)))
  (call $check (i32.const 17) (i64.ne (call $random_bits) (call $random_bits)))
  (call $log (i32.const 1) (i32.const 100) (i32.const 5))
  (call $check (i32.const 18) (call $observe (i32.const 100) (i32.const 5) (f64.const 1.5)))
  (call $check (i32.const 19) (i32.eqz (call $observe (i32.const 100) (i32.const 5) (f64.const nan))))
  (call $check (i32.const 20) (call $disconnect (i64.const 3)))
  (call $check (i32.const 21) (call $connect (i64.const 2)))
  (call $check (i32.const 22) (i32.eqz (call $connect (i64.const 0))))
  (call $check (i32.const 23) (i32.eqz (call $connect (i64.const 99)))))
(func (export "on_start")
  (if (i64.eqz (call $id)) (then (call $timer (i32.const 0) (i64.const 1000000000)))))
(func (export "on_message") (param $from i64) (param $kind i32) (param $content i32) (param $bytes i32)
  (call $check (i32.const 30) (i64.eqz (local.get $from)))
  (if (i32.eqz (local.get $kind)) (then
    (call $check (i32.const 31) (i64.eq (call $id) (i64.const 1)))
    (call $check (i32.const 32) (i32.eqz (local.get $content)))
    (call $check (i32.const 33) (i32.eq (local.get $bytes) (i32.const 5)))
    (call $check (i32.const 34) (i32.eq (call $read (i32.const 0) (i32.const 1) (i32.const 100)) (i32.const 4)))
    (call $check (i32.const 35) (i32.eq (i32.load (i32.const 0)) (i32.const 0x6f6c6c65))))
  (else
    (call $check (i32.const 36) (i32.eq (local.get $content) (i32.const 3)))
    (call $check (i32.const 37) (i32.eq (local.get $bytes) (i32.const 16)))
    (call $check (i32.const 38) (i32.eq (call $read (i32.const 300) (i32.const 8) (i32.const 100)) (i32.const 8)))
    (call $check (i32.const 39) (i64.eq (i64.load (i32.const 300)) (i64.const 3))))))
(func (export "on_hello") (param $from i64) (result i32)
  (i32.eqz (i32.and (i64.eq (call $id) (i64.const 2)) (i64.eqz (local.get $from)))))
(func (export "on_connect") (param $peer i64) (param $offered i32)
  (call $check (i32.const 40) (i64.ne (local.get $peer) (call $id)))
  (call $check (i32.const 41) (i64.lt_u (call $now) (i64.const 1000000000))))
(func (export "on_disconnect") (param $peer i64)
  (call $check (i32.const 42) (i64.ge_u (call $now) (i64.const 1000000000))))
"#;
    let simulation = succeed(PARAMETERS, body, RING);
    // 0 - 3 is gone, and 2 has refused 0.
    assert_eq!(simulation.links(false).count(), 3);
}

#[test]
fn rumours_are_published_delivered_and_forgotten() {
    let declaration = r#"{"abi": 1, "messages": [{"name": "News", "gossip": true}]}"#;
    let body = r#"
(func (export "on_start")
  (if (i64.eqz (call $id)) (then (call $timer (i32.const 0) (i64.const 1000000000)))))
(func (export "on_timer") (param i32)
  (call $publish (i32.const 50) (i32.const 9) (i32.const 0))
  (call $check (i32.const 1) (i64.eqz (i64.load (i32.const 0))))
  (call $check (i32.const 2) (i64.eq (i64.load (i32.const 8)) (call $now)))
  (call $check (i32.const 3) (i32.eq (i32.load (i32.const 16)) (i32.const 1)))
  (call $check (i32.const 4) (i32.eq (i32.load (i32.const 20)) (i32.const 50)))
  (call $check (i32.const 5) (call $holds (i32.const 0)))
  (call $check (i32.const 6) (i32.eqz (call $deliver (i32.const 0))))
  (call $check (i32.const 7) (i32.eq (call $held (i32.const 100) (i32.const 2)) (i32.const 1)))
  (call $check (i32.const 8) (i32.eq (i32.load (i32.const 116)) (i32.const 1)))
  (call $check (i32.const 9) (i32.eq (call $broadcast (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 32) (i32.const -1)) (i32.const 2))))
(func (export "on_message") (param $from i64) (param $kind i32) (param $content i32) (param $bytes i32)
  (call $check (i32.const 10) (i32.eq (call $read (i32.const 0) (i32.const 0) (i32.const 32)) (i32.const 32)))
  (call $check (i32.const 11) (i32.eq (i32.load16_u (i32.const 28)) (i32.const 9)))
  (call $check (i32.const 12) (i32.eq (i32.load16_u (i32.const 30)) (i32.const 1)))
  (call $check (i32.const 13) (i32.eqz (call $holds (i32.const 0))))
  (call $check (i32.const 14) (call $deliver (i32.const 0)))
  (call $check (i32.const 15) (i32.eqz (call $deliver (i32.const 0))))
  (call $forget (call $now))
  (call $reject (i32.const 0)))
"#;
    let simulation = succeed(declaration, body, RING);
    assert_eq!(simulation.deliveries().receipts().len(), 2);
    assert_eq!(simulation.deliveries().rejected(), 2);
}

/// What a guest must not do, and the words that end the run.
#[test]
fn what_guests_must_not_do_ends_the_run() {
    let message =
        r#"{"abi": 1, "messages": [{"name": "Hey"}, {"name": "PeerList", "payload": "peers"}]}"#;
    let send = |kind: i32, content: i32, at: i32, bytes: i32, size: i32| {
        format!(
            "(drop (call $broadcast (i32.const {kind}) (i32.const {content}) (i32.const {at}) \
             (i32.const {bytes}) (i32.const {size})))"
        )
    };
    let cases: Vec<(String, &str)> = vec![
        ("(loop $on (br $on))".into(), "more than 5000 steps; look for an endless loop, or raise `call_steps`"),
        ("(loop $on (drop (call $now)) (br $on))".into(), "more than 5000 steps"),
        ("(memory.fill (i32.const 0) (i32.const 0) (i32.const 65536)) (memory.fill (i32.const 0) (i32.const 0) (i32.const 65536)) (memory.fill (i32.const 0) (i32.const 0) (i32.const 65536)) (memory.fill (i32.const 0) (i32.const 0) (i32.const 65536)) (memory.fill (i32.const 0) (i32.const 0) (i32.const 65536)) (memory.fill (i32.const 0) (i32.const 0) (i32.const 65536))".into(), "more than 5000 steps"),
        ("(unreachable)".into(), "`unreachable`: a panic, or a check that failed"),
        ("(call $deep)".into(), "calls are nested too deep"),
        ("(drop (memory.grow (i32.const 4)))".into(), "more than 200000 bytes of memory in one call; raise `call_memory`"),
        ("(drop (i32.load (i32.const -4)))".into(), "an access out of the bounds of its memory"),
        ("(drop (i32.div_u (i32.const 1) (i32.const 0)))".into(), "divide by zero"),
        ("(call_indirect (i32.const 0))".into(), "a call of a null function"),
        (send(0, 0, 65530, 10, -1), "broadcast: 10 bytes at 65530 are not all in the guest's memory of 65536 bytes"),
        (send(0, 0, 0, -1, -1), "broadcast: 4294967295 bytes at 0 are not all"),
        (send(7, 0, 0, 0, -1), "broadcast: there is no message 7: 2 are declared, the first is 0"),
        (send(-1, 0, 0, 0, -1), "there is no message -1"),
        (send(0, 3, 0, 8, -1), "content 3 in a message whose declared payload takes 0 (bytes) or 1 (a rumour)"),
        (send(1, 3, 0, 9, -1), "9 bytes, where records of 8 are due"),
        (send(1, 3, 1000, 8, -1), "there is no peer 99"),
        (send(0, 1, 1000, 32, -1), "a rumour of peer 99, which there is not"),
        (send(0, 1, 1040, 32, -1), "a rumour produced at 1 ns, which is yet to come"),
        (send(0, 0, 0, 0, -2), "a message of -2 bytes"),
        ("(drop (call $gossip (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const -1) (i32.const 3) (i32.const 0) (i32.const -1)))".into(), "gossip: 34359738360 bytes at 0"),
        ("(drop (call $neighbours (i32.const 65536) (i32.const 1)))".into(), "neighbours: 8 bytes at 65536"),
        ("(drop (call $read (i32.const 65536) (i32.const 0) (i32.const 1)))".into(), "read: 1 bytes at 65536"),
        ("(call $timer (i32.const -1) (i64.const 0))".into(), "timer: a timer's tag is from 0 to 268435455"),
        ("(call $timer (i32.const 0) (i64.const -1))".into(), "timer: after -1 ns, which is over"),
        ("(drop (call $random_below (i64.const 0)))".into(), "random_below: there is no number below 0"),
        ("(drop (call $integer (i32.const 0)))".into(), "integer: there is no parameter 0: 0 are declared"),
        ("(call $publish (i32.const -1) (i32.const 0) (i32.const 0))".into(), "publish: a payload of -1 bytes"),
        ("(call $publish (i32.const 0) (i32.const 70000) (i32.const 0))".into(), "publish: a ttl of 70000: at most 65535"),
        ("(call $log (i32.const 3) (i32.const 0) (i32.const 0))".into(), "log: there is no level 3"),
        ("(call $fail (i32.const 1072) (i32.const 11))".into(), "on_start: no   way on"),
    ];
    let scenario = RING.replace("{}", "{call_steps: 5000, call_memory: 200000}");
    for (wrong, problem) in cases {
        let body = format!(
            "(memory (export \"memory\") 1) (table 1 funcref)
             (data (i32.const 1000) \"\\63\")
             (data (i32.const 1048) \"\\01\")
             (data (i32.const 1072) \"no \\n way on\")
             (func $deep (call $deep))
             (func (export \"on_start\") {wrong})"
        );
        let ran = run(&guest(message, &body), &scenario).unwrap();
        let failure = ran.failure.unwrap_or_else(|| panic!("{wrong} went well"));
        let said = &failure.problem;
        assert!(said.starts_with("guest.wasm: on_start: "), "{said}");
        assert!(said.contains(problem), "{wrong}: {said}, not {problem}");
    }
}

#[test]
fn the_guests_of_a_thread_share_a_bound() {
    let scenario = RING.replace("{}", "{memory: 1 MiB}");
    let body = "(memory 5) (func (export \"on_start\"))";
    let failure = run(&guest(EMPTY, body), &scenario)
        .unwrap()
        .failure
        .unwrap();
    let right = "guest.wasm: instantiation: the guests of one thread would hold more than 1048576 \
                 bytes; raise `memory`, or give each a smaller one: docs/wasm.md";
    assert_eq!(failure.problem, right);
    // With pages of one byte, they all fit.
    let body = "(memory 3000 (pagesize 1)) (func (export \"on_start\"))";
    assert!(
        run(&guest(EMPTY, body), &scenario)
            .unwrap()
            .failure
            .is_none()
    );
}

#[test]
fn what_is_no_guest_is_refused_with_the_cure() {
    let custom = |text: &str| format!("(@custom \"p2psim\" \"{}\")", text.replace('"', "\\\""));
    let start = "(func (export \"on_start\"))";
    let declared = |text: &str| module(&format!("(module {} {start})", custom(text)));
    let cases: Vec<(Vec<u8>, &str, &str)> = vec![
        (Vec::new(), "is no module", "WebAssembly 2.0"),
        (b"(module)".to_vec(), "is no module", "not .wat"),
        (
            module("(module)"),
            "exports no handler",
            "at least one handler: on_start, on_message",
        ),
        (
            module("(module (func (export \"on_mesage\")))"),
            "exports `on_mesage`, which nothing calls",
            "on_message",
        ),
        (
            module("(module (func (export \"on_start\") (param i32)))"),
            "exports `on_start` as (i32)",
            "()",
        ),
        (
            module("(module (func (export \"on_hello\") (param i64)))"),
            "exports `on_hello` as (i64)",
            "(i64) -> i32",
        ),
        (
            module("(module (global (export \"on_start\") i32 (i32.const 0)))"),
            "exports `on_start`, which is no function",
            "a function",
        ),
        (
            module("(module (import \"p2psim\" \"nou\" (func)))"),
            "imports `nou` from `p2psim`, which there is not",
            "now",
        ),
        (
            module("(module (import \"p2psim\" \"now\" (func (result i32))))"),
            "imports `now` as () -> i32",
            "() -> i64",
        ),
        (
            module("(module (import \"wasi_snapshot_preview1\" \"fd_write\" (func)))"),
            "imports `fd_write` from `wasi_snapshot_preview1`",
            "without WASI: build it for wasm32-unknown-unknown",
        ),
        (
            module("(module (import \"env\" \"now\" (func)))"),
            "imports `now` from `env`",
            "functions of the module `p2psim` alone",
        ),
        (
            module("(module (import \"env\" \"memory\" (memory 1)))"),
            "imports `memory` from `env`, which is no function",
            "without --import-memory",
        ),
        (
            module(&format!("(module {start})")),
            "has no custom section `p2psim`",
            "{\"abi\": 1",
        ),
        (
            module(&format!(
                "(module {} {} {start})",
                custom(EMPTY),
                custom(EMPTY)
            )),
            "has two custom sections",
            "one",
        ),
        (declared("{}"), "missing field `abi`", "docs/wasm.md"),
        (
            declared("{\"abi\": 2}"),
            "`abi` is 2, and this p2psim speaks version 1",
            "docs/wasm.md",
        ),
        (
            declared("{\"abi\": 1, \"abuot\": \"\"}"),
            "unknown field `abuot`",
            "docs/wasm.md",
        ),
        (
            declared("{\"abi\": 1, \"messages\": [{\"name\": \"Hello\"}]}"),
            "message `Hello`: the name is taken already",
            "",
        ),
        (
            declared("{\"abi\": 1, \"messages\": [{\"name\": \"a b\"}]}"),
            "message `a b`: a name is made of letters, digits, `_`",
            "",
        ),
        (
            declared("{\"abi\": 1, \"messages\": [{\"name\": \"A\", \"payload\": \"peer\"}]}"),
            "message `A`: `payload` is one of value, peers, rumours, ids, not peer",
            "",
        ),
        (
            declared(
                "{\"abi\": 1, \"parameters\": [{\"name\": \"memory\", \"type\": \"integer\"}]}",
            ),
            "parameter `memory`: the name is taken already",
            "",
        ),
        (
            declared("{\"abi\": 1, \"parameters\": [{\"name\": \"a\", \"type\": \"int\"}]}"),
            "unknown variant `int`",
            "",
        ),
        (
            declared(
                "{\"abi\": 1, \"parameters\": [{\"name\": \"a\", \"type\": \"integer\", \"default\": 1.5}]}",
            ),
            "parameter `a`: an integer is whole",
            "",
        ),
        (
            declared(
                "{\"abi\": 1, \"parameters\": [{\"name\": \"a\", \"type\": \"integer\", \"default\": 9, \"max\": 3}]}",
            ),
            "the default 9 is not from 0 to 3",
            "",
        ),
        (
            declared(
                "{\"abi\": 1, \"parameters\": [{\"name\": \"a\", \"type\": \"integer\", \"min\": 9, \"max\": 3}]}",
            ),
            "from 9 to 3 is no range",
            "",
        ),
        (
            declared(
                "{\"abi\": 1, \"parameters\": [{\"name\": \"a\", \"type\": \"integer\", \"unit\": \"ms\"}]}",
            ),
            "a parameter of its type has no `unit`",
            "",
        ),
        (
            declared(
                "{\"abi\": 1, \"parameters\": [{\"name\": \"a\", \"type\": \"number\", \"unit\": \"byte\"}]}",
            ),
            "there is no unit `byte`",
            "",
        ),
        (
            declared(
                "{\"abi\": 1, \"parameters\": [{\"name\": \"a\", \"type\": \"duration\", \"default\": \"2 apples\"}]}",
            ),
            "\"2 apples\" is not a time",
            "",
        ),
        (
            declared(
                "{\"abi\": 1, \"parameters\": [{\"name\": \"a\", \"type\": \"distribution\", \"default\": \"nrm(1)\"}]}",
            ),
            "nrm(1): ",
            "",
        ),
        (
            declared("{\"abi\": 1, \"parameters\": [{\"name\": \"a\", \"type\": \"choice\"}]}"),
            "a choice needs `choices`",
            "",
        ),
        (
            guest(
                EMPTY,
                "(memory 1) (data (i32.const 65530) \"too long for it\") (func (export \"on_start\"))",
            ),
            "guest.wasm: instantiation: ",
            "can be instantiated",
        ),
        (
            guest(EMPTY, "(memory 2000) (func (export \"on_start\"))"),
            "more than 67108864 bytes of memory in one call",
            "can be instantiated",
        ),
        (
            guest(
                EMPTY,
                "(func $f (loop $on (br $on))) (start $f) (func (export \"on_start\"))",
            ),
            "instantiation: more than 10000000 steps",
            "can be instantiated",
        ),
    ];
    for (bytes, message, expected) in cases {
        let error = scripts::load("guest.wasm", &bytes)
            .map(|_| message)
            .unwrap_err();
        assert!(error.message.contains(message), "{error:?}, not {message}");
        assert!(
            error.expected.contains(expected),
            "{error:?}, not {expected}"
        );
        assert!(!error.message.contains('\n'), "{error:?}");
    }
}

#[test]
fn parameters_of_guests_are_checked_in_the_scenario() {
    let wasm = guest(PARAMETERS, "(func (export \"on_start\"))");
    for (given, problem) in [
        ("{pause: 11 s}", "`pause` cannot be 11000 ms"),
        ("{mode: medium}", "medium"),
        ("{fanout: 3}", "fanout"),
        ("{friends: [99]}", "there is no peer 99"),
    ] {
        let scenario = RING.replace("{}", given);
        let error = run(&wasm, &scenario).map(|_| given).unwrap_err();
        assert!(error.contains(problem), "{error}");
    }
}

/// Bytes of a working guest are changed and cut at random: an error or a run, never a panic.
#[test]
fn altered_modules_never_crash() {
    let original = guest(PUSH_GOSSIP_DECLARATION, PUSH_GOSSIP);
    let scenario = "
horizon: 2 s
latencies: {Here: {Here: 20}}
peer_types:
  peer:
    location: Here
    bandwidth_ul: 10 Mbit
    bandwidth_dl: 10 Mbit
    services:
      guest.wasm: {call_steps: 2000}
      LimitedMessageProducer: {init_timeout: 500}
topology: {graph: cycle_graph(3)}
";
    let folder = tempfile::tempdir().unwrap();
    let name = b"on_message";
    let exported = original.windows(name.len()).position(|part| part == name);
    let code = exported.unwrap() + name.len();
    let mut stream = Stream::global(7, Purpose::Sample);
    let (mut refused, mut failed, mut finished) = (0, 0, 0);
    for round in 0..250 {
        let mut bytes = original.clone();
        // Most of the module are names: every second time the code is meant.
        let (within, changes) = match round % 2 {
            0 => (0..bytes.len(), 1 + stream.below(3)),
            _ => (code..code + 110, 1),
        };
        if round % 6 == 0 {
            bytes.truncate(stream.below(original.len() as u64) as usize);
        }
        for _ in 0..changes {
            let place = within.start + stream.below(within.len() as u64) as usize;
            if let Some(byte) = bytes.get_mut(place) {
                *byte = stream.next_u64() as u8;
            }
        }
        match run_in(folder.path(), &bytes, scenario) {
            Err(_) => refused += 1,
            Ok(ran) if ran.failure.is_some() => failed += 1,
            Ok(_) => finished += 1,
        }
    }
    assert!(
        refused > 100 && failed > 5 && finished > 10,
        "{refused} {failed} {finished}"
    );
}
