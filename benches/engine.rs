//! What a run costs: the ping network. `cargo bench --bench engine`.

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
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/ping.yaml");
    let graph = format!("topology.graph=gnp({peers}, {})", 10.0 / peers as f64);
    let options = LoadOptions {
        overrides: vec![Override::parse(&graph).expect("an override")],
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
