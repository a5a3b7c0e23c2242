//! Services written in Luau: they do what built-in services do, alike on any number of shards, and
//! whatever is wrong with them ends in an error that names the line.

#![cfg(feature = "luau")]
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use common::{counts, written};
use p2psim::random::{Purpose, Stream};
use p2psim::record::Observation;
use p2psim::scenario::{LoadOptions, Override, estimate_scripts_bytes, load};
use p2psim::simulation::{Ending, Outcome, Simulation};
use tempfile::TempDir;

fn shipped(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("scenarios/scripts").join(name)
}

/// A folder with the shipped scripts, one more, and a scenario.
struct Place(TempDir);

impl Place {
    fn new(script: &str) -> Self {
        let place = Place(tempfile::tempdir().unwrap());
        for name in ["gossip.luau", "ping.luau", "chord.luau"] {
            fs::copy(shipped(name), place.0.path().join(name)).unwrap();
        }
        place.script("script.luau", script);
        place
    }

    fn script(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).unwrap();
    }

    /// A scenario in which all peers run these services.
    fn scenario(&self, services: &str, topology: &str) -> PathBuf {
        let path = self.0.path().join("scenario.yaml");
        let text = format!(
            "
seed: 5
horizon: 10 s
latencies: {{A: {{A: 'norm(20, 4)', B: 'norm(60, 8)'}}, B: {{B: 12}}}}
peer_types:
  peer: &peer {{location: 'sample(A, B)', bandwidth_ul: 20 Mbit, bandwidth_dl: 50 Mbit, services: {services}}}
topology: {topology}
"
        );
        fs::write(&path, text).unwrap();
        path
    }

    fn load_error(&self, services: &str) -> String {
        let path = self.scenario(services, "{graph: cycle_graph(4)}");
        match load(&path, &LoadOptions::default()) {
            Ok(_) => panic!("it is accepted"),
            Err(error) => error.render(false),
        }
    }

    fn run(&self, services: &str, topology: &str) -> (Simulation, Outcome) {
        simulated(&self.scenario(services, topology), &[])
    }

    /// How the run of the script on a ring of four peers fails.
    fn failure(&self, parameters: &str) -> String {
        let services = format!("{{script.luau: {{{parameters}}}}}");
        let (_, outcome) = self.run(&services, "{graph: cycle_graph(4)}");
        match outcome.failure {
            Some(failure) => {
                assert_eq!(outcome.ending, Ending::Failed);
                failure.problem
            }
            None => panic!("nothing went wrong"),
        }
    }
}

fn simulated(path: &Path, overrides: &[&str]) -> (Simulation, Outcome) {
    let overrides = overrides.iter().map(|text| Override::parse(text).unwrap());
    let options = LoadOptions {
        overrides: overrides.collect(),
        ..LoadOptions::default()
    };
    let plan = match load(path, &options) {
        Ok(scenario) => scenario.plan,
        Err(error) => panic!("{}", error.render(false)),
    };
    let mut simulation = Simulation::new(&plan, None).unwrap();
    let outcome = simulation.run(&AtomicBool::new(false), |_| {}).unwrap();
    (simulation, outcome)
}

/// All values observed under a name.
fn observed(simulation: &Simulation, name: &str) -> Vec<f64> {
    let measurements = simulation.measurements();
    let all = measurements.observations();
    let of_name = |one: &Observation| all.names()[one.name] == name;
    all.iter().filter(of_name).map(|one| one.value).collect()
}

fn counted(simulation: &Simulation, name: &str) -> i64 {
    let mut totals = simulation.measurements().totals();
    totals
        .find(|(known, _)| *known == name)
        .map_or(0, |(_, n)| n)
}

const OUTPUT: &[&str] = &["output.logs=all", "output.deliveries=full"];

/// What two scenarios write, besides what names them.
fn same_files(a: &BTreeMap<PathBuf, Vec<u8>>, b: &BTreeMap<PathBuf, Vec<u8>>) {
    assert!(a.len() > 10 && a.keys().eq(b.keys()));
    for (name, bytes) in a {
        let shown = name.display().to_string();
        // Built-in services say in other words why they disconnect.
        if shown == "summary.json" {
            continue;
        }
        assert!(bytes == &b[name], "{shown} differs");
    }
}

/// Which peers send messages, and for how long, in these tests.
const SOURCES: &str = "{graph: 'random_regular(6, 80)'}";

#[test]
fn push_gossip_is_gossip_service_to_the_byte() {
    let place = Place::new("");
    let producer =
        "LimitedMessageProducer: {times: 2, init_ttl: 9, init_fanout: 2, size: 'uniform(1, 90)'}";
    for fanout in [0, 1, 3, 50] {
        let run = |service: &str| {
            let services =
                format!("{{BaseConnectionManager: , {service}: {{fanout: {fanout}}}, {producer}}}");
            written(&place.scenario(&services, SOURCES), OUTPUT, 1, false)
        };
        let (script, built_in) = (run("gossip.luau"), run("GossipService"));
        assert!(script[Path::new("deliveries.csv")].len() > 1000);
        same_files(&script, &built_in);
    }
}

#[test]
fn pings_are_those_of_base_connection_manager() {
    let place = Place::new("");
    for parameters in ["", "ping_interval: 700, max_silence: 1500"] {
        // Peers that crash are pinged, and then parted from.
        let run = |service: &str| {
            let crashing = "Crash: {after: 'uniform(1 s, 30 s)'}";
            let services = format!("{{{service}: {{{parameters}}}, {crashing}}}");
            let path = place.scenario(&services, SOURCES);
            written(&path, &["horizon=20 s", "output.logs=none"], 1, false)
        };
        let (script, built_in) = (run("ping.luau"), run("BaseConnectionManager"));
        for name in ["messages.csv", "peers.csv", "topology.csv"] {
            let name = Path::new(name);
            assert_eq!(
                String::from_utf8_lossy(&script[name]),
                String::from_utf8_lossy(&built_in[name])
            );
        }
        let pings = String::from_utf8_lossy(&script[Path::new("messages.csv")]).into_owned();
        assert!(pings.contains("Ping,"), "{pings}");
    }
}

/// The engine answers Pings by itself; but not what has content, nor where another service answers,
/// too.
#[test]
fn pings_are_answered_by_each_service_that_would() {
    let place = Place::new(
        "
local PING = message('Ping')
function on_start() ctx:timer('ping', 300) end
function on_timer()
    for _, peer in ctx:neighbours() do ctx:send(peer, PING, {1, 2}) end
    ctx:timer('ping', 300)
end
",
    );
    for (services, answers) in [
        ("{BaseConnectionManager: }", 1),
        ("{BaseConnectionManager: , script.luau: }", 1),
        ("{BaseConnectionManager: , ping.luau: }", 2),
        ("{ping.luau: , BaseConnectionManager: }", 2),
    ] {
        let (_, outcome) = place.run(services, "{graph: cycle_graph(12)}");
        let (_, pings) = counts(&outcome, "Ping");
        let (pongs, _) = counts(&outcome, "Pong");
        assert!(pings > 50, "{services}: {pings}");
        assert_eq!(pongs, answers * pings, "{services}");
    }
}

#[test]
fn any_number_of_shards_writes_the_same_bytes() {
    for (name, overrides) in [
        ("gossip.yaml", &["horizon=3 s"][..]),
        ("consensus.yaml", &["topology.graph=random_regular(6, 60)"]),
        ("chord.yaml", &["topology.emergent.peer=40", "horizon=33 s"]),
        (
            "chord-churn.yaml",
            &["topology.emergent.peer=40", "horizon=33 s"],
        ),
        ("discovery.yaml", &["horizon=15 s"]),
    ] {
        let overrides = [OUTPUT, overrides].concat();
        let alone = written(&shipped(name), &overrides, 1, false);
        for (shards, at_once) in [(2, true), (7, false)] {
            let together = written(&shipped(name), &overrides, shards, at_once);
            assert!(
                alone.keys().eq(together.keys()),
                "{name} in {shards} shards"
            );
            for (file, bytes) in &alone {
                assert!(
                    bytes == &together[file],
                    "{name} in {shards} shards: {} differs",
                    file.display()
                );
            }
        }
    }
}

/// Stoica et al., theorem 2 and figure 10: 0.5 log2(n), which they measure for n up to 2^14.
#[test]
fn chord_takes_half_log_n_hops() {
    chord(256, 4);
}

/// Minutes in a debug build: for `.ci/run`, in release.
#[test]
#[ignore = "long"]
fn chord_takes_half_log_n_hops_in_large_rings() {
    for (peers, lookups) in [(1024, 2), (4096, 3)] {
        chord(peers, lookups);
    }
}

/// A ring that all have joined answers each lookup, and rightly.
fn chord(peers: u32, lookups: u32) {
    let ring = Ring::new("chord.yaml");
    let overrides = [
        format!("topology.emergent.peer={}", peers - 1),
        format!(
            "peer_types.peer.services.chord.luau={{lookups: {lookups}, interval: 'expon(0, 100)'}}"
        ),
        "topology.bootstrap.services.chord.luau.lookups=0".to_owned(),
        "horizon=37 s".to_owned(),
    ];
    let overrides: Vec<&str> = overrides.iter().map(String::as_str).collect();
    let (simulation, outcome) = ring.run(&overrides);
    assert_eq!(outcome.failure, None);
    let hops = observed(&simulation, "hops");
    assert_eq!(hops.len() as i64, counted(&simulation, "lookups"));
    assert_eq!(hops.len() as u32, lookups * (peers - 1));
    let all: Vec<f64> = (1..=peers).map(f64::from).collect();
    for (owner, key, _) in answers(&simulation) {
        assert_eq!(owner, successor(&all, key), "{peers} peers, key {key}");
    }
    let mean = hops.iter().sum::<f64>() / hops.len() as f64;
    let expected = 0.5 * f64::from(peers).log2();
    assert!(
        (mean - expected).abs() < 0.06 * expected,
        "{peers} peers: {mean} hops, {expected} expected"
    );
}

/// Of 128 peers one leaves every 2.3 s, which neighbours notice after two: somebody is gone whom not
/// all know to be. A lookup passes 4.5 peers, so 3 or 4 % of them fail.
#[test]
fn chord_survives_churn() {
    let ring = Ring::new("chord-churn.yaml");
    let (simulation, outcome) = ring.run(&[]);
    assert_eq!(outcome.failure, None);
    assert!(observed(&simulation, "left").len() > 10);
    let failed = counted(&simulation, "lookups failed") as f64;
    let answered = observed(&simulation, "hops").len() as f64;
    assert!(answered > 2000.0, "{answered}");
    assert!(
        failed < 0.04 * (failed + answered),
        "{failed} failed, {answered} answered"
    );
    // Who is there, and has had five seconds to be known for it.
    let (mut begun, mut left) = (Vec::new(), Vec::new());
    for one in simulation.measurements().observations().iter() {
        let name = simulation.measurements().observations().names()[one.name].to_owned();
        let id = simulation.names().id(one.peer).0 as f64;
        match name.as_str() {
            "begun" => begun.push((id, one.time.as_ms())),
            "left" => left.push((id, one.time.as_ms())),
            _ => {}
        }
    }
    let last = |all: &[(f64, f64)], id: f64, now: f64| {
        let times = all.iter().filter(|&&(peer, at)| peer == id && at <= now);
        times.map(|&(_, at)| at).fold(0.0, f64::max)
    };
    let mut wrong = 0;
    for (owner, key, now) in answers(&simulation) {
        let settled: Vec<f64> = (1..=128)
            .map(f64::from)
            .filter(|&id| {
                let since = last(&begun, id, now);
                id == owner || since > last(&left, id, now) && since < now - 5_000.0
            })
            .collect();
        wrong += u32::from(successor(&settled, key) != owner);
    }
    assert!(f64::from(wrong) < 0.01 * answered, "{wrong} of {answered}");
}

/// A Chord scenario whose script also tells who answers which key, who comes and who goes.
struct Ring(TempDir, PathBuf);

impl Ring {
    fn new(scenario: &str) -> Self {
        let place = tempfile::tempdir().unwrap();
        let script = fs::read_to_string(shipped("chord.luau")).unwrap();
        let told = script
            .replace(
                "        call(payload.asker, FOUND, payload)",
                "        if payload.lookup then ctx:observe('key', payload.id) end
        call(payload.asker, FOUND, payload)",
            )
            .replace(
                "function on_start()",
                "function on_offline() ctx:observe('left', 0) end
function on_start()
    ctx:observe('begun', 0)",
            );
        assert!(told.contains("'key'") && told.contains("'begun'"));
        fs::write(place.path().join("chord.luau"), told).unwrap();
        let path = place.path().join(scenario);
        fs::copy(shipped(scenario), &path).unwrap();
        Ring(place, path)
    }

    fn run(&self, overrides: &[&str]) -> (Simulation, Outcome) {
        assert!(self.0.path().exists());
        simulated(&self.1, overrides)
    }
}

/// Who has answered which key, and when, in ms.
fn answers(simulation: &Simulation) -> Vec<(f64, f64, f64)> {
    let measurements = simulation.measurements();
    let all = measurements.observations();
    let of_key = |one: &Observation| all.names()[one.name] == "key";
    let answer = |one: Observation| {
        let owner = simulation.names().id(one.peer).0 as f64;
        (owner, one.value, one.time.as_ms())
    };
    all.iter().filter(of_key).map(answer).collect()
}

/// The peer whose place is the first at or after a key's.
fn successor(peers: &[f64], key: f64) -> f64 {
    let place = |id: f64| {
        let mut h = id as u32;
        h = (h ^ (h >> 16)).wrapping_mul(0x85eb_ca6b);
        h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
        h ^ (h >> 16)
    };
    let far = |id: &f64| place(*id).wrapping_sub(key as u32);
    *peers.iter().min_by_key(|id| far(id)).unwrap()
}

#[test]
fn a_majority_of_three_fifths_convinces_everybody() {
    let (simulation, _) = simulated(&shipped("consensus.yaml"), &[]);
    let (yes, no) = (
        counted(&simulation, "begun with yes"),
        counted(&simulation, "begun with no"),
    );
    assert_eq!(yes + no, 500);
    // 300 expected; four standard deviations.
    assert!((yes - 300).abs() < 44, "{yes}");
    assert_eq!(counted(&simulation, "decided yes"), 500);
    assert_eq!(observed(&simulation, "rounds").len(), 500);
}

#[test]
fn a_bootstrap_script_replaces_the_discovery() {
    let (simulation, outcome) = simulated(&shipped("discovery.yaml"), &[]);
    let (sent, delivered) = counts(&outcome, "PeerList");
    assert!(sent > 100 && delivered > 100);
    let alone = simulation
        .peers()
        .filter(|peer| peer.connections == 0)
        .count();
    assert_eq!(alone, 0);
    // It is another network than with p2psim's own bootstrap peer, which names random peers.
    let (other, _) = simulated(
        &shipped("discovery.yaml"),
        &["topology.bootstrap={count: 1}"],
    );
    let links = |simulation: &Simulation| -> Vec<_> {
        let links = simulation.links(false);
        links.map(|link| (link.source, link.target)).collect()
    };
    assert_ne!(links(&simulation), links(&other));
    let place = Place::new("");
    let twice = "{emergent: {peer: 5}, bootstrap: {count: 2, services: {ping.luau: }}}";
    let (simulation, _) = place.run("[P2PConnectionManager]", twice);
    assert_eq!(simulation.peers().count(), 7);
}

/// Rumours that are alike are the same value, however many there are and whoever lets go of them.
#[test]
fn equal_rumours_are_one_value() {
    let script = "
message('Note', {gossip = true})
local kept = {}
local function key(rumour)
    return `{rumour.id} {rumour.ttl} {rumour.hops} {rumour.size} {rumour.produced}`
end
function on_start() ctx:timer('say', 500) end
function on_timer()
    for size = 1, 4 do
        ctx:broadcast('Note', ctx:publish(size, 2))
        ctx:count('published')
    end
    for text, rumour in kept do
        assert(key(rumour) == text)
    end
    ctx:timer('say', 500)
end
function on_message(from, message)
    local rumour = message.payload
    local known = kept[key(rumour)]
    if known ~= nil then
        assert(rawequal(known, rumour))
        ctx:count('met again')
    elseif rumour.size == 1 then
        kept[key(rumour)] = rumour
    end
    if ctx:deliver(rumour) and rumour.ttl > 0 then
        ctx:broadcast('Note', rumour)
    end
end
";
    let place = Place::new(script);
    let (simulation, outcome) = place.run("[script.luau]", "{graph: cycle_graph(40)}");
    assert_eq!(outcome.failure, None);
    // Both neighbours send each back to its origin; a quarter is kept.
    let published = counted(&simulation, "published");
    assert_eq!(4 * counted(&simulation, "met again"), published);
    // Each has three forms or more, so their numbers were given more than once.
    assert!(3 * published > 2 * 4096, "{published} rumours");
}

/// Taking in what a peer holds is counted each time, whatever comes between.
#[test]
fn each_delivery_is_counted() {
    let script = "
message('GossipMessage', {gossip = true})
function on_message(from, message)
    local rumour = message.payload
    if ctx:deliver(rumour) and rumour.ttl > 0 then
        ctx:gossip('GossipMessage', rumour, 3, from)
    end
    assert(not ctx:deliver(rumour))
    -- BETWEEN
    assert(not ctx:deliver(rumour) and not ctx:deliver(rumour))
end
";
    let services = "{script.luau: , MessageProducer: {init_fanout: 2, init_ttl: 5}}";
    let of = |script: &str| {
        let place = Place::new(script);
        let path = place.scenario(services, "{graph: cycle_graph(12)}");
        written(&path, OUTPUT, 1, false)
    };
    let plain = of(script);
    let between = of(&script.replace("-- BETWEEN", "ctx:forget(1e9)"));
    same_files(&plain, &between);
    let others = of(&script.replace("-- BETWEEN", "assert(not ctx:deliver(rumour))"));
    assert_ne!(plain, others);
}

/// What one peer writes no other peer sees, wherever it tries.
#[test]
fn peers_share_nothing() {
    let script = "
local mine = {}
local calls = 0
message('Ball')
function on_start()
    calls += 1
    self.calls = (self.calls or 0) + 1
    mine[ctx.id] = true
    for _, try in {
        function() string.shared = 1 end,
        function() math.shared = 1 end,
        function() table.shared = 1 end,
        function() rawset(string, 'shared', 1) end,
        function() getmetatable('').__index.shared = 1 end,
        function() getmetatable('').shared = 1 end,
        function() setmetatable(string, {}) end,
        function() ctx.shared = 1 end,
        function() rawset(ctx, 'shared', 1) end,
        function() getmetatable(ctx).__index.shared = 1 end,
        function() getmetatable(ctx:publish(1)).shared = 1 end,
        function() ctx:publish(1).ttl = 7 end,
        function() shared = 1 end,
        function() on_start = nil end,
        function() print = nil end,
        function() coroutine.shared = 1 end,
        function() bit32.shared = 1 end,
        function() buffer.shared = 1 end,
        function() utf8.shared = 1 end,
        function() vector.shared = 1 end,
    } do
        local fine = pcall(try)
        assert(not fine, debug_name(try))
    end
    ctx:timer('look', 1000)
end
function debug_name() end
";
    // Not even functions that are no handlers.
    let text = Place::new(script).load_error("[script.luau]");
    assert!(
        text.contains("`debug_name` would be a global")
            || text.contains("debug_name would be a global"),
        "{text}"
    );
    let script = script.replace("debug_name(try)", "'it could'").replace(
        "function debug_name() end",
        "
function on_timer()
    local others = 0
    for id in mine do others += 1 end
    ctx:observe('known', others)
    ctx:observe('calls', calls)
    ctx:observe('self', self.calls)
    ctx:broadcast('Ball', {bounces = {1}})
end
function on_message(from, message)
    -- A copy of its own for each receiver.
    table.insert(message.payload.bounces, 1)
    ctx:observe('bounces', #message.payload.bounces)
end",
    );
    let place = Place::new(&script);
    let (simulation, outcome) = place.run("[script.luau]", "{graph: complete_graph(6)}");
    assert_eq!(outcome.failure, None);
    for name in ["known", "calls", "self"] {
        assert_eq!(observed(&simulation, name), [1.0; 6], "{name}");
    }
    assert_eq!(observed(&simulation, "bounces"), [2.0; 30]);
}

#[test]
fn nothing_reaches_outside_or_differs_from_run_to_run() {
    let script = "
function on_start()
    for name, value in {
        io = 1, os = 1, debug = 1, require = 1, loadstring = 1, getfenv = 1, setfenv = 1,
        collectgarbage = 1, newproxy = 1, _G = 1, dofile = 1, load = 1, gcinfo = 1,
    } do
        local fine, value = pcall(function()
            if name == 'io' then return io elseif name == 'os' then return os
            elseif name == 'debug' then return debug elseif name == 'require' then return require
            elseif name == 'loadstring' then return loadstring
            elseif name == 'getfenv' then return getfenv elseif name == 'setfenv' then return setfenv
            elseif name == 'collectgarbage' then return collectgarbage
            elseif name == 'newproxy' then return newproxy elseif name == '_G' then return _G
            elseif name == 'dofile' then return dofile elseif name == 'load' then return load
            else return gcinfo end
        end)
        assert(not fine, name .. ' is there')
    end
    assert(math.randomseed == nil)
    assert(tostring({}) == 'table' and tostring(print) == 'function')
    local empty = {}
    assert(`{empty} {ctx}` == 'table ctx' and string.format('%s', {}) == 'table')
    assert(('%s'):format(coroutine.create(print)) == 'thread')
    assert(math.pow(2, 10) == 1024 and math.log(8, 2) == 3 and math.sin(0) == 0)
    local rumour = ctx:publish(10, 3)
    assert(rumour.id == ctx.id .. '_1' and tostring(rumour) == rumour.id and rumour.ttl == 3)
    assert(ctx:deliver(rumour) == false)
    ctx:observe('unit', ctx:random())
    ctx:observe('unit', math.random())
    ctx:observe('whole', ctx:random(10))
    ctx:observe('whole', math.random(5, 6))
    ctx:observe('law', ctx:sample('uniform(2, 3)'))
end
";
    let place = Place::new(script);
    let (simulation, outcome) = place.run("[script.luau]", "{graph: path_graph(2)}");
    assert_eq!(outcome.failure, None);
    // The peer's own stream of its first service, drawn in this order.
    let mut stream = Stream::service(5, 0, 0);
    let expected = [stream.unit(), stream.unit()];
    assert_eq!(observed(&simulation, "unit")[..2], expected);
    let whole = [1.0 + stream.below(10) as f64, 5.0 + stream.below(2) as f64];
    assert_eq!(observed(&simulation, "whole")[..2], whole);
    assert_eq!(observed(&simulation, "law")[0], 2.0 + 3.0 * stream.unit());
}

/// A metatable cannot get a `__mode`, whatever is done to it, and is like any other besides.
#[test]
fn no_table_is_weak() {
    let script = "
local modes = {'before', 'after', 'raw', 'base', 'derived', 'itself', 'late', 'unset'}
local function has_mode(which)
    local meta, base = {}, {}
    if which == 'before' then
        meta.__mode = 'k'
        setmetatable({}, meta)
    elseif which == 'after' then
        setmetatable({}, meta)
        meta.__mode = 'k'
    elseif which == 'raw' then
        setmetatable({}, meta)
        rawset(meta, '__mode', 'k')
    elseif which == 'base' then
        setmetatable(setmetatable({}, meta), {})
        setmetatable({}, setmetatable(meta, base))
        base.__mode = 'k'
    elseif which == 'derived' then
        setmetatable({}, setmetatable(meta, base))
        meta.__mode = 'k'
    elseif which == 'itself' then
        setmetatable(meta, meta)
        meta.__mode = 'k'
    elseif which == 'late' then
        setmetatable({}, meta)
        setmetatable(meta, base)
        meta.__mode = 'k'
    elseif which == 'unset' then
        setmetatable({}, meta)
        setmetatable(meta, nil)
        meta.__mode = 'k'
    end
end
function on_start()
    for _, which in modes do assert(not pcall(has_mode, which), which) end
    -- Classes, in any order.
    local Early, Late, Derived = {}, {}, {}
    Early.__index = Early
    local early, late = setmetatable({}, Early), setmetatable({}, Late)
    Late.__index = Late
    function Early.name() return 'early' end
    function Late:name() return 'late' .. self.n end
    late.n = 1
    assert(early.name() == 'early' and late:name() == 'late1')
    assert(getmetatable(late) == Late and getmetatable(Late) == nil and rawget(Late, 'name'))
    setmetatable(Derived, Late)
    Derived.__index = Derived
    function Derived.own() return 'own' end
    local derived = setmetatable({n = 2}, Derived)
    derived.n += 1
    assert(derived:name() == 'late3' and derived.own() == 'own')
    assert(getmetatable(derived) == Derived and getmetatable(Derived) == Late)
    function Late.further() return 'further' end
    assert(derived.further() == 'further')
    assert(setmetatable(late, nil) == late and getmetatable(late) == nil)
    ctx:count('fine')
end
";
    let place = Place::new(script);
    let (simulation, outcome) = place.run("[script.luau]", "{graph: path_graph(2)}");
    assert_eq!(outcome.failure, None);
    assert_eq!(counted(&simulation, "fine"), 2);
}

/// Values of all kinds arrive as they were sent.
#[test]
fn values_survive_the_journey() {
    let script = "
message('Value')
message('Names', {payload = 'peers'})
message('Held', {payload = 'rumours'})
message('Ids', {payload = 'ids'})
local values = {
    true, false, 0, -1.5, 1e300, 2 ^ 53, '', 'text', 'zero\\0byte', buffer.fromstring('raw'),
    {}, {1, 2, {3, {4}}}, {a = 1, b = {c = 'd'}, [5] = 5, [true] = false, [1.5] = 2},
}
local function same(a, b)
    if type(a) == 'buffer' then return buffer.tostring(a) == buffer.tostring(b) end
    if type(a) ~= 'table' then return a == b end
    for key, value in a do if not same(value, b[key]) then return false end end
    for key in b do if a[key] == nil then return false end end
    return true
end
function on_connect(peer)
    if ctx.id == 0 then
        for number, value in values do ctx:send(peer, 'Value', {number, value}) end
        ctx:send(peer, 'Value', {0, ctx:publish(7, 4)})
        ctx:send(peer, 'Value')
        ctx:send(peer, 'Value', nil, 500)
        ctx:send(peer, 'Names', {0, 1})
        ctx:send(peer, 'Held', {ctx:publish(7, 4)})
        ctx:send(peer, 'Ids', {ctx:publish(7, 4), '0_1'})
    end
end
function on_message(from, message)
    local payload = message.payload
    ctx:count(message.kind)
    if message.kind == 'Names' then
        assert(same(payload, {0, 1}))
    elseif message.kind == 'Held' then
        assert(payload[1].id == '0_2' and payload[1].hops == 1 and payload[1].ttl == 4)
    elseif message.kind == 'Ids' then
        assert(same(payload, {'0_3', '0_1'}))
    elseif payload == nil then
        ctx:count('empty')
    elseif payload[1] == 0 then
        local rumour = payload[2]
        assert(rumour.id == '0_1' and rumour.hops == 1 and rumour.size == 7)
        assert(ctx:deliver(rumour) and not ctx:deliver(rumour))
    else
        assert(same(payload[2], values[payload[1]]), payload[1])
        ctx:count('values')
    end
end
";
    let place = Place::new(script);
    let (simulation, outcome) = place.run("[script.luau]", "{graph: path_graph(2)}");
    assert_eq!(outcome.failure, None);
    assert_eq!(counted(&simulation, "values"), 13);
    assert_eq!(counted(&simulation, "empty"), 2);
    for name in ["Names", "Held", "Ids"] {
        assert_eq!(counted(&simulation, name), 1, "{name}");
    }
    let bytes = outcome.messages.iter().find(|m| m.name == "Names").unwrap();
    assert_eq!(bytes.counts.bytes_sent, 24 + 8 * 2);
}

#[test]
fn parameters_are_checked_like_any_other() {
    let script = "
about('does as it is told')
local pause = parameter('pause', {type = 'duration', default = '2 s', min = '1 ms', max = '1 min', about = 'a time'})
local fanout = parameter('fanout', {type = 'integer', min = 1, max = 9})
local share = parameter('share', {type = 'probability', default = 0.5})
local size = parameter('size', {type = 'number', unit = 'bytes', default = '1 KiB', min = 1, max = '1 MiB'})
local fast = parameter('fast', {type = 'boolean', default = true})
local law = parameter('law', {type = 'distribution', unit = 'ms', default = 'norm(5 s, 100)'})
local none = parameter('none', {type = 'distribution', default = 'none'})
local mode = parameter('mode', {type = 'choice', choices = {'slow', 'quick'}, default = 'slow'})
local kinds = parameter('kinds', {type = 'types'})
local whom = parameter('whom', {type = 'peers'})
function on_start()
    ctx:log('warning', `{pause} {fanout} {share} {size} {fast} {law} {none} {mode} {#kinds} {#whom}`)
    ctx:observe('law', ctx:sample(law))
end
";
    let place = Place::new(script);
    let logged = |parameters: &str| {
        let services = format!("{{script.luau: {{{parameters}}}}}");
        let path = place.scenario(&services, "{graph: path_graph(2)}");
        let files = written(&path, &["output.logs=all"], 1, false);
        let log = files
            .iter()
            .find(|(name, _)| name.ends_with("Peer_0:peer.log"));
        String::from_utf8(log.unwrap().1.clone()).unwrap()
    };
    let log = logged("fanout: 3");
    assert!(
        log.contains("2000 3 0.5 1024 true norm(5000, 100) false slow 0 0"),
        "{log}"
    );
    let log = logged(
        "fanout: 9, pause: 1 s, size: 2 KiB, fast: false, law: 7, none: 3, mode: quick, kinds: [peer], whom: [1, 0]",
    );
    assert!(log.contains("1000 9 0.5 2048 false 7 3 quick 1 2"), "{log}");
    for (parameters, problem) in [
        ("", "script.luau needs `fanout`"),
        ("fanout: 10", "10"),
        ("fanout: 3, pause: 2 min", "at most 60000"),
        ("fanout: 3, pause: 0", "1"),
        ("fanout: 3, size: 2 MiB", "`size` cannot be 2097152"),
        ("fanout: 3, mode: fast", "fast"),
        ("fanout: 3, fanot: 3", "did you mean `fanout`?"),
        ("fanout: 3, law: 'nrom(1, 2)'", "did you mean `norm`?"),
        ("fanout: 3, kinds: [per]", "did you mean `peer`?"),
        ("fanout: 3, call_steps: 0", "1"),
    ] {
        let text = place.load_error(&format!("{{script.luau: {{{parameters}}}}}"));
        assert!(text.contains(problem), "{parameters}:\n{text}");
    }
}

#[test]
fn wrong_declarations_name_their_line() {
    for (script, problem) in [
        ("\nparameter('x', {type = 'int'})", "script.luau:2"),
        ("parameter('x')", "parameter `x` is described by a table"),
        (
            "parameter('x', {type = 'integer', defalt = 1})",
            "did you mean `default`?",
        ),
        (
            "parameter('x', {type = 'integer', default = 1.5})",
            "an integer is whole",
        ),
        (
            "parameter('x', {type = 'integer', default = 9, max = 5})",
            "the default 9 is not from 0 to 5",
        ),
        (
            "parameter('x', {type = 'duration', default = '5 parsec'})",
            "`default`",
        ),
        (
            "parameter('x', {type = 'choice'})",
            "a choice needs `choices`",
        ),
        ("parameter('x y', {type = 'boolean'})", "cannot be the name"),
        (
            "parameter('memory', {type = 'boolean'})",
            "every script has a parameter `memory`",
        ),
        (
            "parameter('x', {type = 'boolean'})\nparameter('x', {type = 'boolean'})",
            "script.luau:2",
        ),
        ("message('A', {size = 5})", "`size` is text"),
        ("message('A', {payload = 'list'})", "`payload` is one of"),
        ("message('Hello')", "a message of connections themselves"),
        ("message('A')\n\nmessage('A')", "script.luau:3"),
        ("about(5)", "about takes a line of text"),
        ("on_start = 5", "on_start is a handler"),
        (
            "function on_strat() end",
            "no handler on_strat: handlers are on_connect, ",
        ),
        ("local x = = 5", "Expected"),
        ("\n\nlocal x = 'open", "script.luau:3"),
        ("ctx:timer('x', 5)", "works in handlers only"),
        ("local me = ctx.id", "ctx.id is known in handlers only"),
        ("while true do end", "an endless loop?"),
        ("error('no')", "no"),
    ] {
        let place = Place::new(script);
        let text = place.load_error("[script.luau]");
        assert!(text.contains(problem), "{script}:\n{text}");
    }
    let place = Place::new("");
    assert!(place.load_error("[nowhere.luau]").contains("cannot read"));
    fs::write(place.0.path().join("script.luau"), [0xff, 0xfe, 0]).unwrap();
    assert!(place.load_error("[script.luau]").contains("is no text"));
}

/// `list services FILE` says so, too, in no more lines than it has to say.
#[test]
fn wrong_declarations_are_listed_with_their_line() {
    for (script, expected) in [
        ("function on_tick() end", "there is no handler on_tick: "),
        ("parameter('x', {type = 'furlong'})", "(line 1)\n  "),
    ] {
        let place = Place::new(script);
        let path = place.0.path().join("script.luau");
        let mut command = assert_cmd::Command::cargo_bin("p2psim").unwrap();
        let shown = command
            .args(["list", "services"])
            .arg(path)
            .assert()
            .code(2);
        let error = String::from_utf8_lossy(&shown.get_output().stderr).into_owned();
        assert!(
            error.contains("(line 1)") && error.contains(expected),
            "{error}"
        );
        assert!(error.lines().all(|line| !line.trim().is_empty()), "{error}");
    }
}

#[test]
fn what_fails_in_a_run_names_script_line_peer_and_time() {
    for (body, line, problem) in [
        (
            "local t = nil\nprint(t.x)",
            3,
            "attempt to index nil with 'x'",
        ),
        ("error('enough')", 2, "enough"),
        ("error({})", 0, ""),
        ("while true do end", 2, "more than 10000 steps"),
        (
            "while true do pcall(function() while true do end end) end",
            2,
            "more than 10000 steps",
        ),
        (
            "local t = {} for i = 1, 1e9 do t[i] = i end",
            2,
            "more than 10000 steps",
        ),
        (
            "local s = 'x' for i = 1, 60 do s ..= s end",
            2,
            "`call_memory`",
        ),
        ("string.rep('x', 1e9)", 2, "call_memory"),
        ("('x'):rep(1e9)", 2, "call_memory"),
        ("table.create(1e9)", 2, "call_memory"),
        ("buffer.create(1e9)", 2, "call_memory"),
        ("local function f(n) return 1 + f(n + 1) end\nf(1)", 2, ""),
        (
            "local t = {} t[1] = t ctx:send(1, 'Ball', t)",
            2,
            "does one hold itself?",
        ),
        (
            "ctx:send(1, 'Ball', print)",
            2,
            "a message cannot carry a function",
        ),
        (
            "ctx:send(1, 'Ball', {[{}] = 1})",
            2,
            "with a table as a key",
        ),
        ("ctx:send(99, 'Ball')", 2, "there is no peer 99"),
        ("ctx:send('1', 'Ball')", 2, "a peer is named by its id"),
        ("ctx:send(1, 'Bal')", 2, "no message Bal is declared"),
        ("ctx:send(1, 'Ball', nil, -5)", 2, "a message's size"),
        ("ctx.send(1, 'Ball')", 2, "with a colon"),
        ("ctx:gossip('Ball', 1, -1)", 2, "fanout is a whole number"),
        (
            "local function far() if ctx.send(1, 'Ball') then return end end\nfar() far()",
            2,
            "with a colon",
        ),
        (
            "local function far() return #string.rep('x', 1e9) end\nprint(far())",
            2,
            "call_memory",
        ),
        ("ctx:timer('x', -1)", 2, "a timer cannot take -1 ms"),
        ("ctx:timer('x', 0 / 0)", 2, "is no number"),
        ("ctx:timer(5, 5)", 2, "a timer's name is a string"),
        ("ctx:sample('nrom(1)')", 2, "is no distribution"),
        ("ctx:random(0)", 2, "the last number"),
        ("ctx:log('loud', 'x')", 2, "there is no level `loud`"),
        ("ctx:count('x', 1.5)", 2, "whole number"),
        ("ctx:observe('x', 0 / 0)", 2, "is no number"),
        ("ctx:observe('x', math.huge)", 2, "cannot be inf"),
        ("ctx:deliver('0_1')", 2, "ctx:deliver takes a rumour"),
        (
            "ctx:deliver(setmetatable({origin = 0, counter = 1}, getmetatable(ctx:publish(1))))",
            2,
            "ctx:deliver takes a rumour",
        ),
        ("ctx:publish(-1)", 2, "a payload's size"),
        ("ctx:connect(ctx.id)", 2, "cannot connect to itself"),
        ("ctx:fly()", 2, "fly"),
        ("x = 5", 2, "would be a global"),
        ("print(y)", 2, "there is no y"),
        ("string.format('%d', 'x')", 2, "number expected"),
    ] {
        let script = format!(
            "message('Ball') function on_timer()\n{body}\nend\nfunction on_start() if ctx.id == 2 then ctx:timer('go', 1500) end end"
        );
        let place = Place::new(&script);
        let services = "{script.luau: {call_steps: 10000, call_memory: 2 MiB}}";
        let (simulation, outcome) = place.run(services, "{graph: cycle_graph(4)}");
        let failure = match &outcome.failure {
            Some(failure) => failure,
            None => panic!("{body}: nothing went wrong"),
        };
        let text = &failure.problem;
        assert_eq!(simulation.names().id(failure.peer).0, 2, "{body}");
        assert_eq!(failure.time.as_ms(), 1500.0, "{body}");
        assert_eq!(outcome.reached.as_ms(), 1500.0, "{body}");
        assert!(text.contains(problem), "{body}:\n{text}");
        assert!(text.contains("in on_timer"), "{body}:\n{text}");
        if line > 0 {
            assert!(
                text.starts_with(&format!("script.luau:{line}: ")),
                "{body}:\n{text}"
            );
            assert!(text.contains(&format!("\n  {line} | ")), "{body}:\n{text}");
        }
    }
}

#[test]
fn memory_that_is_kept_has_a_bound() {
    let script = "
local keep = {}
function on_start() ctx:timer('more', 1) end
function on_timer()
    for i = 1, 100 do table.insert(keep, {i}) end
    ctx:timer('more', 1)
end
";
    let problem = Place::new(script).failure("memory: 3 MiB");
    assert!(problem.contains("`memory` bounds them"), "{problem}");
    // The same, where garbage is let go of.
    let script = script.replace("table.insert(keep, {i})", "table.insert({}, {i})");
    let place = Place::new(&script);
    let (_, outcome) = place.run("{script.luau: {memory: 8 MiB}}", "{graph: cycle_graph(4)}");
    assert_eq!(outcome.failure, None);
}

/// The first of all shards' failures counts.
#[test]
fn a_failure_is_the_same_in_any_number_of_shards() {
    let script = "function on_start() ctx:timer('x', 3000 + (ctx.id * 7) % 40) end
function on_timer() error('enough') end";
    let place = Place::new(script);
    let path = place.scenario("[script.luau]", "{graph: cycle_graph(40)}");
    let plan = load(&path, &LoadOptions::default()).unwrap().plan;
    for (shards, at_once) in [(1, false), (3, true), (5, false)] {
        let mut simulation = Simulation::with_shards(&plan, None, shards).unwrap();
        if at_once {
            simulation.always_use_threads();
        }
        let outcome = simulation.run(&AtomicBool::new(false), |_| {}).unwrap();
        let failure = outcome.failure.unwrap();
        assert_eq!(simulation.names().id(failure.peer).0, 0, "{shards} shards");
        assert_eq!(failure.time.as_ms(), 3000.0);
    }
}

/// Handlers for what happens to a peer and its connections.
#[test]
fn peers_hear_of_connections_and_absences() {
    let script = "
function on_start() ctx:count('starts') self.up = true end
function on_hello(from)
    ctx:count('hellos')
    return not (ctx.id == 3 or from == 3)
end
function on_connect(peer, offered) ctx:count(if offered then 'offered' else 'dialled') end
function on_disconnect(peer) ctx:count('parted') end
function on_offline() ctx:count('offline') self.up = false end
function on_online() ctx:count('online') assert(self.up == false) end
";
    let place = Place::new(script);
    let services = "{script.luau: , ScheduledDowntime: {schedule: [3 s, 1 s]}}";
    let (simulation, outcome) = place.run(services, "{graph: complete_graph(4)}");
    assert_eq!(outcome.failure, None);
    assert_eq!(counted(&simulation, "starts"), 4);
    assert!(counted(&simulation, "offline") >= 4);
    assert!(counted(&simulation, "online") >= 4);
    assert!(counted(&simulation, "offered") + counted(&simulation, "dialled") >= 6);
    // A peer that comes back afresh begins anew: its script is run again, with an empty self.
    let script = script.replace("self.up = true", "assert(self.up == nil) self.up = true");
    let place = Place::new(&script);
    let services = "{script.luau: , Churn: {session: 1 s, offline: 500, rejoin: fresh}}";
    let path = place.scenario(services, "{graph: complete_graph(4)}");
    if load(&path, &LoadOptions::default()).is_ok() {
        let (simulation, outcome) = simulated(&path, &[]);
        assert_eq!(outcome.failure, None);
        assert!(counted(&simulation, "starts") > 8);
        assert_eq!(counted(&simulation, "online"), 0);
    } else {
        panic!(
            "{}",
            load(&path, &LoadOptions::default())
                .err()
                .unwrap()
                .render(false)
        );
    }
}

#[test]
fn the_estimate_of_memory_counts_scripts() {
    let plan = load(&shipped("gossip.yaml"), &LoadOptions::default())
        .unwrap()
        .plan;
    // Two scripts a peer, of either type.
    assert_eq!(
        estimate_scripts_bytes(&plan.types, &[299, 1]),
        300 * 2 * 2048
    );
}

#[test]
fn the_template_compiles_and_runs() {
    let place = Place::new(p2psim::services::scripts::TEMPLATE);
    let (simulation, outcome) = place.run(
        "{script.luau: {fanout: 2}}",
        "{graph: 'random_regular(4, 20)'}",
    );
    assert_eq!(outcome.failure, None);
    assert!(counted(&simulation, "greetings") > 10);
}

/// What `ctx` has is what the definitions for editors say it has.
#[test]
fn editors_know_all_of_ctx() {
    let definitions = p2psim::services::scripts::DEFINITIONS;
    let start = definitions.find("declare class Context").unwrap();
    let end = start + definitions[start..].find("\nend").unwrap();
    let mut names: Vec<&str> = definitions[start..end]
        .lines()
        .filter_map(|line| {
            let line = line.trim();
            let method = line.strip_prefix("function ");
            let name = method.or(line
                .split_once(": ")
                .filter(|_| !line.starts_with("--"))
                .map(|_| line))?;
            Some(name.split(['(', ':', '<']).next().unwrap())
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    assert!(names.len() > 25, "{names:?}");
    let list = names
        .iter()
        .map(|name| format!("'{name}'"))
        .collect::<Vec<_>>()
        .join(", ");
    let script = format!(
        "function on_start()
    for _, name in {{ {list} }} do assert(ctx[name] ~= nil, name) end
end"
    );
    let (_, outcome) = Place::new(&script).run("[script.luau]", "{graph: path_graph(2)}");
    assert_eq!(outcome.failure, None);
}

/// Scripts of random parts, and random payloads: whatever they do, the process goes on.
fn fuzz(seeds: std::ops::Range<u64>) {
    const PARTS: &[&str] = &[
        "ctx:send(V, 'Ball', V)",
        "ctx:send(V, 'Ball', V, V)",
        "ctx:gossip('Ball', V, V, V)",
        "ctx:broadcast('Ball', V)",
        "ctx:timer('t', V)",
        "ctx:timer('t', 5)",
        "ctx:connect(V)",
        "ctx:disconnect(V)",
        "ctx:disconnect(ctx:neighbours()[1] or 0)",
        "ctx:count(V, V)",
        "ctx:observe('o', V)",
        "ctx:log('info', V)",
        "ctx:random(V, V)",
        "ctx:sample(V)",
        "ctx:choose(V, V)",
        "ctx:deliver(V)",
        "ctx:publish(V, V)",
        "ctx:forget(V)",
        "ctx:last_heard(V)",
        "ctx:type_of(V)",
        "ctx:bandwidth(V)",
        "self.x = V",
        "self.x = {self.x, V}",
        "local a = V + V",
        "local b = V .. V",
        "local c = #V",
        "for i = 1, V do self.n = i end",
        "while V do self.n = V end",
        "string.rep(V, V)",
        "table.insert(V, V)",
        "table.concat({V, V}, V)",
        "string.format('%s%d', V, V)",
        "error(V)",
        "pcall(error, V)",
        "setmetatable(V, V)",
        "rawset(V, V, V)",
        "coroutine.wrap(function() ctx:send(V, 'Ball', V) end)()",
        "coroutine.wrap(coroutine.yield)(V)",
        "string.gsub('aaaa', V, V)",
        "('x'):rep(20):find('x*x*x*x*x*y')",
        "tostring(V)",
        "tonumber(V, V)",
        "buffer.writei32(V, V, V)",
        "unpack(V)",
        "select(V, V)",
        "bit32.lshift(V, V)",
        "utf8.char(V)",
        "on_start()",
        "self = V",
        "ctx = V",
        "local m = getmetatable(V)",
        "next(V, V)",
        "table.sort({V, V, V})",
        "table.move(V, V, V, V)",
        "ctx:broadcast('Ball', self.x)",
        "string.pack(V, V)",
        "string.unpack(V, V)",
        "vector.create(V, V)",
        "string.split(V, V)",
    ];
    const VALUES: &[&str] = &[
        "nil",
        "true",
        "false",
        "0",
        "1",
        "2",
        "-1",
        "1.5",
        "1e308",
        "-1e308",
        "0/0",
        "1/0",
        "2^53",
        "'x'",
        "''",
        "'norm(1, 2)'",
        "string.rep('x', 100)",
        "{}",
        "{1, 2, 3}",
        "{a = {b = {}}}",
        "self",
        "self.x",
        "ctx",
        "print",
        "ctx.id",
        "ctx.now",
        "message",
        "payload",
        "from",
        "buffer.create(8)",
        "ctx:neighbours()",
        "ctx:publish(5, 5)",
        "coroutine.create(print)",
        "3",
        "1000000",
        "vector.create(1, 2, 3)",
        "'%'",
        "'(('",
        "'[a'",
        "'i'",
        "table",
    ];
    let mut failed = 0;
    for seed in seeds.clone() {
        let mut stream = Stream::global(seed, Purpose::Sample);
        let mut any = |list: &[&'static str]| list[stream.below(list.len() as u64) as usize];
        let mut script = String::from("message('Ball')\n");
        for handler in [
            "on_start()",
            "on_message(from, payload)",
            "on_timer(message)",
            "on_connect(from, payload)",
            "on_hello(from)",
        ] {
            script.push_str(&format!("function {handler}\n"));
            for _ in 0..4 {
                let mut part = any(PARTS).to_owned();
                while part.contains('V') {
                    part = part.replacen('V', any(VALUES), 1);
                }
                // Most of them go on after an error, to get further.
                script.push_str(&format!("pcall(function() {part} end)\n"));
            }
            script.push_str("end\n");
        }
        let place = Place::new(
            &script
                .replace("local self", "local x")
                .replace("local ctx", "local x"),
        );
        let path = place.scenario(
            "{script.luau: {call_steps: 20000, call_memory: 1 MiB, memory: 32 MiB}}",
            "{graph: complete_graph(4)}",
        );
        let overrides = [Override::parse("horizon=100").unwrap()];
        let options = LoadOptions {
            overrides: overrides.into(),
            ..LoadOptions::default()
        };
        let plan = match load(&path, &options) {
            Ok(scenario) => scenario.plan,
            Err(error) => {
                assert!(!error.render(false).is_empty());
                continue;
            }
        };
        let mut simulation = Simulation::new(&plan, None).unwrap();
        let mut reports = 0;
        let stop = AtomicBool::new(false);
        // Some scripts multiply messages without end.
        let outcome = simulation
            .run(&stop, |progress| {
                reports += 1;
                if progress.events > 100_000 {
                    stop.store(true, std::sync::atomic::Ordering::Relaxed);
                }
            })
            .unwrap();
        failed += u32::from(outcome.failure.is_some());
    }
    println!("{failed} of {} scripts failed", seeds.end - seeds.start);
    assert!(
        u64::from(failed) < seeds.end - seeds.start,
        "all of them failed"
    );
}

#[test]
fn random_scripts_never_crash() {
    fuzz(0..40);
}

/// For `.ci/run`, in release.
#[test]
#[ignore = "long"]
fn many_random_scripts_never_crash() {
    fuzz(1000..4000);
}
