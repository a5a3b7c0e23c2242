//! What a run costs: the ping network, gossip built in and in a script.
//! `cargo bench --bench engine [-- ping]`.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use divan::Bencher;
use divan::counter::ItemsCount;
use p2psim::scenario::{LoadOptions, Override, load};
use p2psim::simulation::Simulation;

fn main() {
    divan::main();
}

/// Ten seconds of the ping network; items are messages delivered.
#[divan::bench(args = [1_000, 10_000], sample_count = 5, sample_size = 1)]
fn ping(bencher: Bencher, peers: u64) {
    let graph = format!("topology.graph=gnp({peers}, {})", 10.0 / peers as f64);
    run(bencher, "benches/ping.yaml", &[graph]);
}

/// 40 messages among 10,000 peers: two million are delivered.
#[divan::bench(args = ["GossipService", "gossip.luau"], sample_count = 5, sample_size = 1)]
fn gossip(bencher: Bencher, service: &str) {
    let producer = "LimitedMessageProducer: {times: 40, msg_rate: 100, init_ttl: 30}";
    let built_in = [
        "peer_types.peer.services={GossipService: {fanout: 5}}".to_owned(),
        format!("peer_types.producer.services={{GossipService: {{fanout: 5}}, {producer}}}"),
    ];
    let overrides = match service {
        "GossipService" => &built_in[..],
        _ => &[],
    };
    run(bencher, "benches/gossip.yaml", overrides);
}

fn run(bencher: Bencher, scenario: &str, overrides: &[String]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(scenario);
    let overrides = overrides.iter().map(|text| Override::parse(text));
    let options = LoadOptions {
        overrides: overrides.collect::<Result<_, _>>().expect("overrides"),
        ..LoadOptions::default()
    };
    let plan = load(&path, &options).expect("the scenario").plan;
    let run = |mut simulation: Simulation| {
        let outcome = simulation.run(&AtomicBool::new(false), |_| {});
        outcome.expect("no logs, no error").total().delivered
    };
    let network = || Simulation::new(&plan, None).expect("a network");
    let delivered = run(network());
    bencher
        .with_inputs(network)
        .input_counter(move |_| ItemsCount::new(delivered))
        .bench_local_values(run);
}
