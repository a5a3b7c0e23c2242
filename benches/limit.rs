//! What this machine can do: the ping network and the flood in a hand-written loop without
//! services or features. `cargo bench --bench limit`, or `-- 1000 10000` for these sizes only;
//! `-- once ping 10000` runs that once and prints its counts as JSON (for `benches/compare`).

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use p2psim::random::{Purpose, Stream, Ziggurat, standard_normal};
use p2psim::topology::Graph;
use p2psim::topology::generators::Generator;

/// A time in nanoseconds, and receiver (28 bits), kind (8), sender (28): compared in this order.
type Event = (u64, u64);

const PING: u64 = 0;
const PONG: u64 = 1;
const TIMER: u64 = 2;
const SECOND: u64 = 1_000_000_000;
const LOOK_AHEAD: usize = 32;

fn event(time: u64, receiver: u32, kind: u64, sender: u32) -> Event {
    let order = u64::from(receiver) << 36 | kind << 28 | u64::from(sender);
    (time, order)
}

fn receiver(event: Event) -> usize {
    (event.1 >> 36) as usize
}

fn kind(event: Event) -> u64 {
    event.1 >> 28 & 0xff
}

fn sender(event: Event) -> u32 {
    (event.1 & 0xfff_ffff) as u32
}

const DIGIT_BITS: u32 = 6;
const SLOTS: usize = 1 << DIGIT_BITS;
const LEVELS: usize = 11;
const BLOCK: usize = 64;
const SORT_MAX: usize = 2048;

/// The engine's queue as little as it can be: see `src/engine/queue.rs`.
struct Ladder {
    base: u64,
    span_end: u64,
    walked: Vec<Event>,
    next: usize,
    late: BinaryHeap<Reverse<Event>>,
    slots: Vec<Vec<Vec<Event>>>,
    occupied: [u64; LEVELS],
    spare: Vec<Vec<Event>>,
}

impl Ladder {
    fn new() -> Self {
        Ladder {
            base: 0,
            span_end: 0,
            walked: Vec::new(),
            next: 0,
            late: BinaryHeap::new(),
            slots: vec![Vec::new(); LEVELS * SLOTS],
            occupied: [0; LEVELS],
            spare: Vec::new(),
        }
    }

    #[inline]
    fn push(&mut self, event: Event) {
        if event.0 < self.span_end {
            return self.late.push(Reverse(event));
        }
        let differing = event.0 ^ self.base;
        let level = ((63 - (differing | 1).leading_zeros()) / DIGIT_BITS) as usize;
        let digit = (event.0 >> (level as u32 * DIGIT_BITS)) as usize % SLOTS;
        self.occupied[level] |= 1 << digit;
        let slot = &mut self.slots[level * SLOTS + digit];
        match slot.last_mut() {
            Some(block) if block.len() < BLOCK => block.push(event),
            _ => {
                let spare = self.spare.pop();
                let mut block = spare.unwrap_or_else(|| Vec::with_capacity(BLOCK));
                block.push(event);
                slot.push(block);
            }
        }
    }

    #[inline]
    fn pop(&mut self) -> Option<Event> {
        loop {
            let walked = self.walked.get(self.next).copied();
            let late = self.late.peek().map(|&Reverse(event)| event);
            match (walked, late) {
                (Some(walked), late) if late.is_none_or(|late| walked < late) => {
                    self.next += 1;
                    return Some(walked);
                }
                (_, Some(late)) => {
                    self.late.pop();
                    return Some(late);
                }
                _ if !self.refill() => return None,
                _ => {}
            }
        }
    }

    fn refill(&mut self) -> bool {
        self.walked.clear();
        self.next = 0;
        while let Some(level) = self.occupied.iter().position(|&slots| slots != 0) {
            let digit = self.occupied[level].trailing_zeros() as usize;
            let shift = level as u32 * DIGIT_BITS;
            let above = self.base.checked_shr(shift + DIGIT_BITS).unwrap_or(0);
            let above = above.checked_shl(shift + DIGIT_BITS).unwrap_or(0);
            self.base = self.base.max(above | (digit as u64) << shift);
            self.occupied[level] &= !(1 << digit);
            let mut blocks = std::mem::take(&mut self.slots[level * SLOTS + digit]);
            let spreads = level > 0 && blocks.len() > SORT_MAX / BLOCK;
            let end = (above | (digit as u64) << shift).saturating_add(1 << shift);
            self.span_end = if spreads { self.base } else { end };
            for mut block in blocks.drain(..) {
                if spreads {
                    for event in block.drain(..) {
                        self.push(event);
                    }
                } else {
                    self.walked.append(&mut block);
                }
                self.spare.push(block);
            }
            if !spreads {
                self.walked.sort_unstable();
                return true;
            }
        }
        false
    }
}

/// A peer: a line of the cache.
#[repr(align(64))]
struct Peer {
    stream: Stream,
    received: u64,
    /// Which rumours it has seen, as bits.
    seen: u128,
}

struct Network {
    graph: Graph,
    peers: Vec<Peer>,
    queue: Ladder,
    normal: &'static Ziggurat,
}

impl Network {
    fn new(peers: u32) -> Self {
        let call = format!("gnp({peers}, {})", 10.0 / f64::from(peers));
        let generator = Generator::parse(&call).expect("a generator");
        let peer = |id| Peer {
            stream: Stream::new(1, u64::from(id), Purpose::Latency),
            received: 0,
            seen: 0,
        };
        Network {
            graph: generator.generate(1, None).expect("a graph"),
            peers: (0..peers).map(peer).collect(),
            queue: Ladder::new(),
            normal: Ziggurat::normal(),
        }
    }

    /// Half of a round trip of norm(12, 2) ms.
    #[inline]
    fn send(&mut self, now: u64, from: u32, to: u32, kind: u64) {
        let draw = standard_normal(self.normal, &mut self.peers[from as usize].stream);
        let delay = ((6.0 + draw) * 1e6).max(50_000.0) as u64;
        self.queue.push(event(now + delay, to, kind, from));
    }

    fn send_to_all_but(&mut self, now: u64, from: u32, but: u32, kind: u64) {
        for place in 0..self.graph.neighbours(from as usize).len() {
            let to = self.graph.neighbours(from as usize)[place];
            if to != but {
                self.send(now, from, to, kind);
            }
        }
    }

    /// Reads the peers of the next events, so that they come from memory together.
    fn look_ahead(&self) {
        let queue = &self.queue;
        let end = queue.walked.len().min(queue.next + LOOK_AHEAD);
        let upcoming = queue.walked[queue.next..end].iter();
        let read = upcoming.map(|&event| self.peers[receiver(event)].received);
        std::hint::black_box(read.fold(0, |sum, received| sum ^ received));
    }

    /// Handles all events before `end`; how many messages were delivered.
    fn run(&mut self, end: u64, handle: impl Fn(&mut Self, Event)) -> u64 {
        for count in 0.. {
            if count % LOOK_AHEAD == 0 {
                self.look_ahead();
            }
            match self.queue.pop() {
                Some(event) if event.0 < end => handle(self, event),
                _ => break,
            }
        }
        self.peers.iter().map(|peer| peer.received).sum()
    }
}

/// Every peer pings every neighbour at each full second from the first on, for ten seconds.
fn ping(network: &mut Network) -> u64 {
    for peer in 0..network.peers.len() as u32 {
        network.queue.push(event(SECOND, peer, TIMER, 0));
    }
    network.run(10 * SECOND, |network, event| {
        let me = receiver(event);
        if kind(event) == TIMER {
            network.send_to_all_but(event.0, me as u32, u32::MAX, PING);
            let next = (event.0 + SECOND, event.1);
            return network.queue.push(next);
        }
        network.peers[me].received += 1;
        if kind(event) == PING {
            network.send(event.0, me as u32, sender(event), PONG);
        }
    })
}

/// A hundred rumours, one every 10 ms, each relayed at its first receipt to all others.
fn flood(network: &mut Network) -> u64 {
    for rumour in 0..100 {
        network
            .queue
            .push(event(rumour * SECOND / 100, 0, rumour, 0));
    }
    network.run(u64::MAX, |network, event| {
        let (me, rumour) = (receiver(event), kind(event));
        let peer = &mut network.peers[me];
        peer.received += 1;
        if peer.seen >> rumour & 1 == 0 {
            peer.seen |= 1 << rumour;
            network.send_to_all_but(event.0, me as u32, sender(event), rumour);
        }
    })
}

/// CPU seconds of this process where the system says them in `/proc`, else those since `began`.
fn seconds(began: Instant) -> f64 {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let user = fields
        .split_whitespace()
        .nth(11)
        .and_then(|n| n.parse().ok());
    user.map_or_else(
        || began.elapsed().as_secs_f64(),
        |n: f64| n / TICKS_PER_SECOND,
    )
}

fn once(run: fn(&mut Network) -> u64, peers: u32) {
    let mut network = Network::new(peers);
    let delivered = run(&mut network);
    let links = network.graph.links();
    println!("{{\"links\": {links}, \"delivered\": {delivered}}}");
}

fn main() {
    let began = Instant::now();
    let asked: Vec<u32> = std::env::args().filter_map(|a| a.parse().ok()).collect();
    if std::env::args().any(|word| word == "once") {
        let is_flood = std::env::args().any(|word| word == "flood");
        let run = if is_flood { flood } else { ping };
        return asked.iter().for_each(|&peers| once(run, peers));
    }
    type Work = fn(&mut Network) -> u64;
    let work: [(&str, Work, &[u32]); 2] = [
        ("ping", ping, &[1_000, 10_000, 100_000, 1_000_000]),
        ("flood", flood, &[1_000, 10_000, 100_000]),
    ];
    for (name, run, sizes) in work {
        for &peers in if asked.is_empty() { sizes } else { &asked } {
            let (mut delivered, mut taken) = (0, 0.0);
            // Small networks several times over: the clock counts hundredths of a second.
            while taken < 0.5 {
                let mut network = Network::new(peers);
                let start = seconds(began);
                delivered += run(&mut network);
                taken += seconds(began) - start;
            }
            let rate = delivered as f64 / taken / 1e6;
            println!("{name:5} {peers:>9} peers: {rate:6.2} million messages per CPU second");
        }
    }
}
