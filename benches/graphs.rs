//! How long graphs take to make: a million peers with a mean degree of 10. `cargo bench --bench graphs`.

use divan::Bencher;
use p2psim::topology::generators::Generator;

fn main() {
    divan::main();
}

const CALLS: [&str; 7] = [
    "gnp(1000000, 1e-5)",
    "gnm(1000000, 5000000)",
    "random_regular(10, 1000000)",
    "barabasi_albert(1000000, 5)",
    "watts_strogatz(1000000, 10, 0.1)",
    "outbound(1000000, 5)",
    "random_geometric(1000000, 0.00178)",
];

/// One graph, stored as a run uses it.
#[divan::bench(args = CALLS, sample_count = 5, sample_size = 1)]
fn graph(bencher: Bencher, call: &str) {
    let generator = Generator::parse(call).expect("a generator");
    bencher.bench_local(|| generator.generate(1, None).expect("a graph"));
}
