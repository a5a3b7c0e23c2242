//! nexosim, on one thread: a model for each peer. Links that stay are ports of both ends; where peers
//! find each other, a model of the network between them hands messages on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use compare::{Delays, RUMOURS, Task, emergent, report};
use nexosim::model::{Context, Model, schedulable};
use nexosim::ports::Output;
use nexosim::simulation::{Mailbox, SimInit, SimulationError};
use nexosim::time::MonotonicTime;
use serde::{Deserialize, Serialize};

static DELIVERED: AtomicU64 = AtomicU64::new(0);

#[derive(Clone, Copy, Serialize, Deserialize)]
enum Message {
    Ping,
    Pong,
    Rumour(u32),
}

/// A message with the receiver's link on which it comes.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Arrival {
    link: u32,
    message: Message,
}

#[derive(Serialize, Deserialize)]
struct Peer {
    links: Vec<Output<Message>>,
    seen: u128,
    pings: bool,
    produces: bool,
    #[serde(skip, default = "unseeded")]
    delays: Delays,
}

fn unseeded() -> Delays {
    Delays::new(0)
}

#[Model]
impl Peer {
    #[nexosim(init)]
    async fn init(&mut self, cx: &Context<Self>) {
        const SECOND: Duration = Duration::from_secs(1);
        const TEN_MS: Duration = Duration::from_millis(10);
        if self.pings {
            let tick = schedulable!(Self::tick);
            cx.schedule_periodic_event(SECOND, SECOND, tick, ())
                .unwrap();
        }
        if self.produces {
            for rumour in 0..RUMOURS {
                let time = SECOND + TEN_MS * rumour;
                cx.schedule_event(time, schedulable!(Self::produce), rumour)
                    .unwrap();
            }
        }
    }

    #[nexosim(schedulable)]
    async fn tick(&mut self) {
        for link in &mut self.links {
            link.send(Message::Ping).await;
        }
    }

    #[nexosim(schedulable)]
    async fn produce(&mut self, rumour: u32) {
        self.relay(u32::MAX, rumour).await;
    }

    /// Input: a message sets out on its way.
    fn approach(&mut self, arrival: Arrival, cx: &Context<Self>) {
        let delay = Duration::from_nanos(self.delays.draw());
        cx.schedule_event(delay, schedulable!(Self::arrive), arrival)
            .unwrap();
    }

    #[nexosim(schedulable)]
    async fn arrive(&mut self, arrival: Arrival) {
        DELIVERED.fetch_add(1, Ordering::Relaxed);
        match arrival.message {
            Message::Ping => self.links[arrival.link as usize].send(Message::Pong).await,
            Message::Pong => {}
            Message::Rumour(rumour) => self.relay(arrival.link, rumour).await,
        }
    }

    async fn relay(&mut self, from: u32, rumour: u32) {
        if self.seen >> rumour & 1 == 1 {
            return;
        }
        self.seen |= 1 << rumour;
        for (index, link) in self.links.iter_mut().enumerate() {
            if index as u32 != from {
                link.send(Message::Rumour(rumour)).await;
            }
        }
    }
}

fn fixed(task: &Task) -> Result<(), SimulationError> {
    let network = task.network();
    let ping = task.workload == "ping";

    // All neighbours may send at once, and none may wait for another that waits for it.
    let mailboxes: Vec<Mailbox<Peer>> = network
        .iter()
        .map(|neighbours| Mailbox::with_capacity((4 * neighbours.len()).max(16)))
        .collect();
    let mut bench = SimInit::with_num_threads(1);
    let mut peers: Vec<Peer> = Vec::with_capacity(network.len());
    for (id, neighbours) in network.iter().enumerate() {
        let link_to = |&other: &u32| {
            let mut link = Output::new();
            let back = network[other as usize]
                .iter()
                .position(|&peer| peer == id as u32);
            let back = back.expect("links have two ends") as u32;
            let arrival = move |&message: &Message| Arrival {
                link: back,
                message,
            };
            link.map_connect(arrival, Peer::approach, &mailboxes[other as usize]);
            link
        };
        peers.push(Peer {
            links: neighbours.iter().map(link_to).collect(),
            seen: 0,
            pings: ping,
            produces: !ping && id + 1 == network.len(),
            delays: Delays::new(task.seed << 32 | id as u64),
        });
    }
    for (id, (peer, mailbox)) in peers.into_iter().zip(mailboxes).enumerate() {
        bench = bench.add_model(peer, mailbox, &id.to_string());
    }
    let mut simulation = bench.init(MonotonicTime::EPOCH)?;
    simulation.step_until(Duration::from_nanos(task.end() - 1))?;

    report(
        network.iter().map(Vec::len).sum(),
        DELIVERED.load(Ordering::Relaxed),
    );
    Ok(())
}

/// One peer of the emergent network.
#[derive(Serialize, Deserialize)]
struct Member {
    id: u32,
    peer: emergent::Peer,
    /// Whom it dials first, unless it is a bootstrap peer.
    bootstrap: Option<u32>,
    network: Output<Parcel>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Parcel {
    from: u32,
    to: u32,
    message: emergent::Message,
}

#[Model]
impl Member {
    #[nexosim(init)]
    async fn init(&mut self, cx: &Context<Self>) {
        if let Some(bootstrap) = self.bootstrap {
            self.handle(self.id, emergent::Message::Join(bootstrap), cx)
                .await;
        }
        self.handle(self.id, emergent::Message::Tick, cx).await;
        let second = Duration::from_secs(1);
        let tick = schedulable!(Self::tick);
        cx.schedule_periodic_event(second, second, tick, ())
            .unwrap();
    }

    #[nexosim(schedulable)]
    async fn tick(&mut self, _: (), cx: &Context<Self>) {
        self.handle(self.id, emergent::Message::Tick, cx).await;
    }

    /// Input: a message has come through the network.
    async fn arrive(&mut self, parcel: Parcel, cx: &Context<Self>) {
        self.handle(parcel.from, parcel.message, cx).await;
    }

    async fn handle(&mut self, from: u32, message: emergent::Message, cx: &Context<Self>) {
        let now = cx.time().duration_since(MonotonicTime::EPOCH).as_nanos() as u64;
        let (mut sent, before) = (Vec::new(), self.peer.delivered);
        self.peer
            .handle(now, from, message, |to, message| sent.push((to, message)));
        DELIVERED.fetch_add(self.peer.delivered - before, Ordering::Relaxed);
        for (to, message) in sent {
            let from = self.id;
            self.network.send(Parcel { from, to, message }).await;
        }
    }
}

/// What lies between all peers.
#[derive(Serialize, Deserialize)]
struct Network {
    to: Vec<Output<Parcel>>,
    #[serde(skip, default = "unseeded")]
    delays: Delays,
}

#[Model]
impl Network {
    /// Input: a message sets out on its way.
    fn take(&mut self, parcel: Parcel, cx: &Context<Self>) {
        let delay = Duration::from_nanos(self.delays.draw());
        cx.schedule_event(delay, schedulable!(Self::deliver), parcel)
            .unwrap();
    }

    #[nexosim(schedulable)]
    async fn deliver(&mut self, parcel: Parcel) {
        self.to[parcel.to as usize].send(parcel).await;
    }
}

fn emergent(task: &Task) -> Result<(), SimulationError> {
    let first_bootstrap = task.peers as u32;
    let network_mailbox = Mailbox::with_capacity(1024);
    let mut network = Network {
        to: Vec::new(),
        delays: Delays::new(task.seed),
    };
    let mut bench = SimInit::with_num_threads(1);
    for id in 0..first_bootstrap + emergent::bootstraps(task) {
        let is_bootstrap = id >= first_bootstrap;
        let mut member = Member {
            id,
            peer: emergent::Peer::new(id, is_bootstrap, task.seed),
            bootstrap: (!is_bootstrap).then(|| emergent::bootstrap_of(task, id)),
            network: Output::new(),
        };
        let mailbox = Mailbox::new();
        member.network.connect(Network::take, &network_mailbox);
        let mut way = Output::new();
        way.connect(Member::arrive, &mailbox);
        network.to.push(way);
        bench = bench.add_model(member, mailbox, &id.to_string());
    }
    bench = bench.add_model(network, network_mailbox, "network");
    let mut simulation = bench.init(MonotonicTime::EPOCH)?;
    simulation.step_until(Duration::from_nanos(task.end() - 1))?;
    // The links that there are at the end stay inside the models.
    report(0, DELIVERED.load(Ordering::Relaxed));
    Ok(())
}

fn main() -> Result<(), SimulationError> {
    let task = Task::from_arguments();
    match task.workload.as_str() {
        "emergent" => emergent(&task),
        _ => fixed(&task),
    }
}
