//! simulacra: with its network (`network`, the default) or on its bare event loop (`kernel`).

use compare::{Delays, RUMOURS, Task, report};
use simulacra::{
    Duration, LatencyModel, NetEvent, Network, NodeId, SimRng, Simulation, Time, Topology,
};

#[derive(Clone, Copy, Debug)]
enum Message {
    /// To itself: ping all neighbours.
    Tick,
    /// To itself: tell all neighbours.
    Produce(u32),
    Ping,
    Pong,
    Rumour(u32),
}

/// What a peer does with a message from `from`: calls `send` for each that it sends.
struct Peers {
    neighbours: Vec<Vec<u32>>,
    seen: Vec<u128>,
    delivered: u64,
}

impl Peers {
    fn new(neighbours: Vec<Vec<u32>>) -> Self {
        let seen = vec![0; neighbours.len()];
        Peers {
            neighbours,
            seen,
            delivered: 0,
        }
    }

    fn handle(&mut self, me: u32, from: u32, message: Message, mut send: impl FnMut(u32, Message)) {
        match message {
            Message::Tick => {
                let neighbours = &self.neighbours[me as usize];
                return neighbours.iter().for_each(|&to| send(to, Message::Ping));
            }
            Message::Produce(rumour) => self.relay(me, me, rumour, send),
            Message::Ping => {
                self.delivered += 1;
                send(from, Message::Pong);
            }
            Message::Pong => self.delivered += 1,
            Message::Rumour(rumour) => {
                self.delivered += 1;
                self.relay(me, from, rumour, send);
            }
        }
    }

    fn relay(&mut self, me: u32, from: u32, rumour: u32, mut send: impl FnMut(u32, Message)) {
        let seen = &mut self.seen[me as usize];
        if *seen >> rumour & 1 == 0 {
            *seen |= 1 << rumour;
            let others = self.neighbours[me as usize]
                .iter()
                .filter(|&&to| to != from);
            others.for_each(|&to| send(to, Message::Rumour(rumour)));
        }
    }

    /// What is known before the run: (time in ms, peer, message to itself).
    fn timers(&self, workload: &str) -> Vec<(u64, u32, Message)> {
        let peers = self.neighbours.len() as u32;
        match workload {
            "ping" => (1..10)
                .flat_map(|second| (0..peers).map(move |peer| (second * 1000, peer, Message::Tick)))
                .collect(),
            "flood" => (0..RUMOURS)
                .map(|rumour| {
                    let time = 1000 + u64::from(rumour) * 10;
                    (time, peers - 1, Message::Produce(rumour))
                })
                .collect(),
            other => panic!("no workload {other}"),
        }
    }
}

/// Half of a round trip on every link; a message to itself takes no time.
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

fn network(task: &Task, peers: &mut Peers) {
    let mut topology = Topology::new(peers.neighbours.len());
    for (one, others) in peers.neighbours.iter().enumerate() {
        for &other in others {
            topology.add_link(NodeId::from(one), NodeId(other), Duration::from_millis(6));
        }
    }
    let latency = HalfRoundTrip(Delays::new(task.seed));
    let mut network = Network::with_latency_model(topology, latency, task.seed);
    for (time, peer, message) in peers.timers(&task.workload) {
        network.send_at(Time::from_millis(time), NodeId(peer), NodeId(peer), message);
    }
    network.run(|network, event| {
        let NetEvent::Deliver(arrival) = event else {
            panic!("a message was dropped");
        };
        let (me, from) = (arrival.dst, arrival.src);
        peers.handle(
            me.as_u32(),
            from.as_u32(),
            arrival.payload,
            |to, message| {
                network.send(me, NodeId(to), message);
            },
        );
    });
}

struct Event {
    to: u32,
    from: u32,
    message: Message,
}

fn kernel(task: &Task, peers: &mut Peers) {
    let mut delays = Delays::new(task.seed);
    let mut simulation = Simulation::new();
    for (time, peer, message) in peers.timers(&task.workload) {
        let event = Event {
            to: peer,
            from: peer,
            message,
        };
        simulation.schedule(Time::from_millis(time), event);
    }
    simulation.run(|simulation, event: Event| {
        let from = event.to;
        peers.handle(event.to, event.from, event.message, |to, message| {
            let delay = Duration::from_nanos(delays.draw());
            simulation.schedule_in(delay, Event { to, from, message });
        });
    });
}

fn main() {
    let task = Task::from_arguments();
    let mut peers = Peers::new(task.network());
    match task.rest.first().map(String::as_str) {
        None | Some("network") => network(&task, &mut peers),
        Some("kernel") => kernel(&task, &mut peers),
        Some(other) => panic!("neither network nor kernel: {other}"),
    }
    report(peers.neighbours.iter().map(Vec::len).sum(), peers.delivered);
}
