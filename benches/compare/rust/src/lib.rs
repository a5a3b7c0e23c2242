//! What the programs of the comparison share: arguments, the random graph, draws of latency, and
//! what peers do, for the simulators that keep them in one place.

pub mod emergent;
pub mod fixed;

use rand::rngs::SmallRng;
use rand::{Rng, RngExt, SeedableRng};
use rand_distr::StandardNormal;

/// In nanoseconds.
pub const SECOND: u64 = 1_000_000_000;
/// Rumours of the flood, one every 10 ms.
pub const RUMOURS: u32 = 100;
/// Mean number of neighbours.
const DEGREE: f64 = 10.0;

/// What the command line asks for: `ping|flood|emergent PEERS SEED`, and what may stand after them.
pub struct Task {
    /// `ping`, `flood` or `emergent`.
    pub workload: String,
    pub peers: usize,
    pub seed: u64,
    pub rest: Vec<String>,
}

impl Task {
    /// # Panics
    /// If the arguments are not as said above: only the script calls these programs.
    pub fn from_arguments() -> Self {
        let mut arguments = std::env::args().skip(1);
        let mut next = || arguments.next().expect("ping|flood|emergent PEERS SEED");
        Task {
            workload: next(),
            peers: next().parse().expect("a number of peers"),
            seed: next().parse().expect("a seed"),
            rest: arguments.collect(),
        }
    }

    /// Nothing at or after it is handled, in nanoseconds.
    pub fn end(&self) -> u64 {
        match self.workload.as_str() {
            "ping" => 10 * SECOND,
            "flood" => 3 * SECOND,
            "emergent" => 30 * SECOND,
            other => panic!("no workload {other}"),
        }
    }

    /// The neighbours of each peer; for the flood the last peer is the producer, with ten.
    pub fn network(&self) -> Vec<Vec<u32>> {
        let mut rng = SmallRng::seed_from_u64(self.seed);
        let mut neighbours = random_graph(self.peers, &mut rng);
        if self.workload == "flood" {
            let mut of_producer: Vec<u32> = Vec::new();
            while of_producer.len() < self.peers.min(DEGREE as usize) {
                let peer = rng.random_range(0..self.peers);
                if !of_producer.contains(&(peer as u32)) {
                    of_producer.push(peer as u32);
                    neighbours[peer].push(self.peers as u32);
                }
            }
            neighbours.push(of_producer);
        }
        neighbours
    }
}

/// What all peers do in one workload.
pub trait Protocol {
    type Message: Copy;

    /// The neighbours of each peer.
    fn links(&self) -> Vec<Vec<u32>>;

    /// Messages to itself: when first, who, what.
    fn timers(&self, task: &Task) -> Vec<(u64, u32, Self::Message)>;

    /// Whether a message to itself comes again each second.
    fn is_repeated(message: Self::Message) -> bool;

    /// A message arrives; `send` is called for each that is sent.
    fn handle(
        &mut self,
        now: u64,
        me: u32,
        from: u32,
        message: Self::Message,
        send: impl FnMut(u32, Self::Message),
    );

    /// Messages of the others that were handled.
    fn delivered(&self) -> u64;

    /// Ends of links, now.
    fn ends(&self) -> usize;
}

/// gnp, skipping the pairs without a link (Batagelj and Brandes 2005).
fn random_graph(peers: usize, rng: &mut impl Rng) -> Vec<Vec<u32>> {
    let mut neighbours = vec![Vec::new(); peers];
    let none = (-(DEGREE / peers as f64).min(0.999)).ln_1p();
    let (mut one, mut other) = (1, -1);
    loop {
        let draw: f64 = rng.random();
        other += 1 + ((1.0 - draw).ln() / none) as i64;
        while other >= one as i64 && one < peers {
            other -= one as i64;
            one += 1;
        }
        if one >= peers {
            return neighbours;
        }
        neighbours[one].push(other as u32);
        neighbours[other as usize].push(one as u32);
    }
}

/// Draws of one-way delays: half of a round trip of norm(12, 2) ms, in nanoseconds.
#[derive(Clone, Debug)]
pub struct Delays(SmallRng);

impl Delays {
    pub fn new(seed: u64) -> Self {
        Delays(SmallRng::seed_from_u64(seed))
    }

    pub fn draw(&mut self) -> u64 {
        let normal: f64 = self.0.sample(StandardNormal);
        ((6.0 + normal) * 1e6).max(50_000.0) as u64
    }
}

/// Prints what the script reads.
pub fn report(ends: usize, delivered: u64) {
    let links = ends / 2;
    println!("{{\"links\": {links}, \"delivered\": {delivered}}}");
}
