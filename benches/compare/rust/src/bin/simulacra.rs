//! simulacra: with its network (`network`, the default) or on its bare event loop (`kernel`).

use compare::{Delays, Protocol, SECOND, Task, emergent, fixed, report};
use simulacra::{
    Duration, LatencyModel, NetEvent, Network, NodeId, SimRng, Simulation, Time, Topology,
};

/// Half of a round trip, whatever the links say; a message to itself takes no time.
#[derive(Debug)]
struct HalfRoundTrip(Delays);

impl LatencyModel for HalfRoundTrip {
    fn compute(&mut self, base: Duration, _rng: &mut SimRng) -> Duration {
        if base == Duration::ZERO {
            return base;
        }
        Duration::from_nanos(self.0.draw())
    }
}

/// The links; without any, a star around a node that is not a peer, as messages need a route.
fn topology(links: &[Vec<u32>]) -> Topology {
    let latency = Duration::from_millis(6);
    let mut topology = Topology::new(links.len() + 1);
    for (one, others) in links.iter().enumerate() {
        for &other in others {
            topology.add_link(NodeId::from(one), NodeId(other), latency);
        }
    }
    if links.iter().all(Vec::is_empty) {
        let hub = NodeId::from(links.len());
        for peer in 0..links.len() {
            topology.add_bidi_link(NodeId::from(peer), hub, latency);
        }
    }
    topology
}

fn network<P: Protocol>(task: &Task, mut peers: P) -> P {
    let latency = HalfRoundTrip(Delays::new(task.seed));
    let mut network = Network::with_latency_model(topology(&peers.links()), latency, task.seed);
    // Handlers cannot set timers: all of them are set before the run.
    for (first, peer, message) in peers.timers(task) {
        let mut time = first;
        while time < task.end() {
            network.send_at(Time::from_nanos(time), NodeId(peer), NodeId(peer), message);
            if !P::is_repeated(message) {
                break;
            }
            time += SECOND;
        }
    }
    network.run(|network, event| {
        let NetEvent::Deliver(arrival) = event else {
            panic!("a message was dropped");
        };
        let (now, me, from) = (network.now().as_nanos(), arrival.dst, arrival.src);
        if now < task.end() {
            let (to, from) = (me.as_u32(), from.as_u32());
            peers.handle(now, to, from, arrival.payload, |to, message| {
                network.send(me, NodeId(to), message);
            });
        }
    });
    peers
}

struct Event<M> {
    to: u32,
    from: u32,
    message: M,
}

fn kernel<P: Protocol>(task: &Task, mut peers: P) -> P {
    let mut delays = Delays::new(task.seed);
    let mut simulation = Simulation::new();
    for (time, peer, message) in peers.timers(task) {
        let (to, from) = (peer, peer);
        simulation.schedule(Time::from_nanos(time), Event { to, from, message });
    }
    simulation.run_until(|simulation, Event { to, from, message }| {
        let now = simulation.now().as_nanos();
        if now >= task.end() {
            return false;
        }
        peers.handle(now, to, from, message, |other, message| {
            let delay = Duration::from_nanos(delays.draw());
            let (to, from) = (other, to);
            simulation.schedule_in(delay, Event { to, from, message });
        });
        if to == from && P::is_repeated(message) {
            simulation.schedule_in(Duration::from_secs(1), Event { to, from, message });
        }
        true
    });
    peers
}

fn run<P: Protocol>(task: &Task, peers: P) {
    let peers = match task.rest.first().map(String::as_str) {
        None | Some("network") => network(task, peers),
        Some("kernel") => kernel(task, peers),
        Some(other) => panic!("neither network nor kernel: {other}"),
    };
    report(peers.ends(), peers.delivered());
}

fn main() {
    let task = Task::from_arguments();
    match task.workload.as_str() {
        "emergent" => run(&task, emergent::Peers::new(&task)),
        _ => run(&task, fixed::Peers::new(&task)),
    }
}
