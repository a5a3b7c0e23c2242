//! How the cost of a run grows with peers and with simulated time: the ping network from 1,000 to
//! 1,000,000 peers, on one thread. `cargo bench --bench cost` prints the figures and draws
//! docs/pictures/cost.svg; `-- 1000 10000` takes these sizes only and draws nothing.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use kuva::backend::svg::SvgBackend;
use kuva::plot::LinePlot;
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;
use kuva::render::render::render_multiple;
use p2psim::scenario::{LoadOptions, Override, load};
use p2psim::simulation::Simulation;

/// The program's own.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZES: [u64; 7] = [1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000];
/// So many seconds are simulated with them,
const HORIZON: u64 = 10;
/// and these with so many peers.
const SECONDS: [u64; 4] = [10, 20, 40, 80];
const SECONDS_PEERS: u64 = 3_000;
const RUNS: usize = 3;

/// The least wall time of some runs in seconds, the network's making left out, and the messages
/// delivered.
fn measure(peers: u64, seconds: u64) -> (f64, u64) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/ping.yaml");
    let settings = [
        format!("topology.graph=gnp({peers}, {})", 10.0 / peers as f64),
        format!("horizon={} s", seconds),
        "network.uplink=unlimited".into(),
        "network.downlink=unlimited".into(),
        "output.load=none".into(),
    ];
    let options = LoadOptions {
        overrides: settings
            .iter()
            .map(|text| Override::parse(text).expect("an override"))
            .collect(),
        ..LoadOptions::default()
    };
    let plan = load(&path, &options).expect("the scenario").plan;
    let runs = (0..RUNS).map(|_| {
        let mut simulation = Simulation::new(&plan, None).expect("a network");
        let began = Instant::now();
        let outcome = simulation.run(&AtomicBool::new(false), |_| {});
        let messages = outcome.expect("no logs, no error").total().delivered;
        (began.elapsed().as_secs_f64(), messages)
    });
    runs.min_by(|a, b| a.0.total_cmp(&b.0)).expect("a run")
}

fn main() {
    let asked: Vec<u64> = std::env::args()
        .filter_map(|arg| arg.parse().ok())
        .collect();
    let sizes = if asked.is_empty() { &SIZES[..] } else { &asked };
    println!("{:>9} peers  {:>11} messages      s  ns a message", "", "");
    let mut points = Vec::new();
    for &peers in sizes {
        let (time, messages) = measure(peers, HORIZON);
        let each = time * 1e9 / messages as f64;
        println!("{peers:>15}  {messages:>20} {time:>6.2}  {each:>12.0}");
        points.push((peers as f64, each));
    }
    println!("\nsimulated s      s, {SECONDS_PEERS} peers");
    for seconds in SECONDS {
        let (time, _) = measure(SECONDS_PEERS, seconds);
        println!("{seconds:>11} {time:>6.2}");
    }
    if asked.is_empty() {
        draw(points);
    }
}

/// Nanoseconds a message over peers, and beside it what n log n would be from the first size on.
fn draw(points: Vec<(f64, f64)>) {
    let (first, cost) = points[0];
    let n_log_n = points.iter().map(|&(n, _)| (n, cost * n.ln() / first.ln()));
    let plots = vec![
        Plot::Line(
            LinePlot::new()
                .with_data(points.clone())
                .with_color("#0b62a8")
                .with_legend("p2psim"),
        ),
        Plot::Line(
            LinePlot::new()
                .with_data(n_log_n.collect::<Vec<_>>())
                .with_color("#7d8691")
                .with_dashed()
                .with_legend("n log n"),
        ),
    ];
    let layout = Layout::auto_from_plots(&plots)
        .with_width(640.0)
        .with_height(400.0)
        .with_log_x()
        .with_y_axis_min(0.0)
        .with_title("Cost of a message as the network grows")
        .with_x_label("peers")
        .with_y_label("ns a message");
    let svg = SvgBackend::new().render_scene(&render_multiple(plots, layout));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures/cost.svg");
    std::fs::write(&path, svg).expect("the picture's folder");
    println!("\ndrawn in {}", path.display());
}
