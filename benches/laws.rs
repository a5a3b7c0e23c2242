//! What a draw of each law costs, and what building it does: `cargo bench --bench laws`.

use divan::Bencher;
use p2psim::distribution::{Distribution, MODIFIERS, laws};
use p2psim::random::{Purpose, Stream};
use p2psim::units::Dimension;

fn main() {
    divan::main();
}

/// Every law, at the shapes that `p2psim list distributions` shows it with.
fn calls() -> Vec<String> {
    let laws = laws().iter().map(|spec| spec.example_call());
    laws.chain(MODIFIERS.iter().map(|spec| spec.example.to_owned()))
        .collect()
}

fn law(call: &str) -> Distribution {
    Distribution::parse(call, Dimension::Plain).expect("a law")
}

/// One draw.
#[divan::bench(args = calls(), sample_count = 50, sample_size = 4000)]
fn draw(bencher: Bencher, call: &str) {
    let law = law(call);
    let mut stream = Stream::global(1, Purpose::Sample);
    bencher.bench_local(|| law.sample(&mut stream));
}

/// Parsing, checking, and the table where there is one.
#[divan::bench(args = calls(), sample_count = 5, sample_size = 1)]
fn build(call: &str) -> Distribution {
    law(call)
}
