//! The emergent network: what p2psimpy's P2PConnectionManager does, as p2psim has it (docs/services.md).

use rand::rngs::SmallRng;
use rand::seq::index;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

use crate::{Protocol, SECOND, Task};

const MIN_PEERS: usize = 4;
const MAX_PEERS: usize = 8;
const MAX_PEERS_BOOTSTRAP: usize = 100_000;
const PEER_BATCH_REQUEST: usize = 5;
const PING_INTERVAL: u64 = SECOND;
const MAX_SILENCE: u64 = 5 * SECOND;
const MIN_KEEP_TIME: u64 = 5 * SECOND;

/// What peers send one another, and themselves.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Message {
    /// To itself, at the start: dial a bootstrap peer.
    Join(u32),
    /// To itself, each second.
    Tick,
    Hello,
    Goodbye,
    RequestPeers,
    PeerList(u32),
    Ping,
    Pong,
}

#[derive(Debug, Serialize, Deserialize)]
struct Connection {
    peer: u32,
    /// Whether anything of the other has come.
    connected: bool,
    since: u64,
    last_heard: u64,
}

/// One peer. Nobody is dialled twice within the 30 s once dropped (`redial_after`: 60 s).
#[derive(Debug, Serialize, Deserialize)]
pub struct Peer {
    me: u32,
    max_peers: usize,
    /// Ascending by peer.
    connections: Vec<Connection>,
    known: Vec<u32>,
    dropped: Vec<u32>,
    pub delivered: u64,
    #[serde(skip, default = "unseeded")]
    rng: SmallRng,
}

fn unseeded() -> SmallRng {
    SmallRng::seed_from_u64(0)
}

impl Peer {
    pub fn new(me: u32, is_bootstrap: bool, seed: u64) -> Self {
        let max_peers = if is_bootstrap {
            MAX_PEERS_BOOTSTRAP
        } else {
            MAX_PEERS
        };
        Peer {
            me,
            max_peers,
            connections: Vec::new(),
            known: Vec::new(),
            dropped: Vec::new(),
            delivered: 0,
            rng: SmallRng::seed_from_u64(seed << 32 | u64::from(me)),
        }
    }

    /// Neighbours that are not bootstrap peers.
    pub fn neighbours(&self, first_bootstrap: u32) -> usize {
        let others = self.connections.iter();
        others
            .filter(|other| other.connected && other.peer < first_bootstrap)
            .count()
    }

    pub fn handle(
        &mut self,
        now: u64,
        from: u32,
        message: Message,
        mut send: impl FnMut(u32, Message),
    ) {
        match message {
            Message::Join(bootstrap) => return self.dial(now, bootstrap, &mut send),
            Message::Tick => return self.tick(now, &mut send),
            _ => {}
        }
        let place = self
            .connections
            .binary_search_by_key(&from, |other| other.peer);
        if let Ok(place) = place {
            // Whatever comes may overtake the Hello that went before it.
            self.connections[place].connected = true;
            self.connections[place].last_heard = now;
        }
        match (message, place) {
            (Message::Hello, Err(_)) if self.connected().count() > self.max_peers => {
                send(from, Message::Goodbye);
            }
            (Message::Hello, Err(place)) => {
                self.connections
                    .insert(place, Connection::new(now, from, true));
                send(from, Message::Hello);
                send(from, Message::RequestPeers);
            }
            (Message::Goodbye, Ok(place)) => self.drop_at(place),
            (Message::RequestPeers, Ok(_)) => {
                let connected: Vec<u32> = self.connected().collect();
                let one = connected[self.rng.random_range(0..connected.len())];
                send(from, Message::PeerList(one));
            }
            (Message::PeerList(peer), Ok(_)) => {
                if peer != self.me && !self.known.contains(&peer) {
                    self.known.push(peer);
                }
            }
            (Message::Ping, Ok(_)) => send(from, Message::Pong),
            (Message::Hello | Message::Pong, Ok(_)) => {}
            // From a peer that is not connected: dropped.
            _ => return,
        }
        self.delivered += 1;
    }

    fn connected(&self) -> impl Iterator<Item = u32> {
        self.connections
            .iter()
            .filter(|other| other.connected)
            .map(|other| other.peer)
    }

    fn dial(&mut self, now: u64, peer: u32, send: &mut impl FnMut(u32, Message)) {
        if let Err(place) = self
            .connections
            .binary_search_by_key(&peer, |other| other.peer)
        {
            self.connections
                .insert(place, Connection::new(now, peer, false));
            send(peer, Message::Hello);
        }
    }

    fn drop_at(&mut self, place: usize) {
        self.dropped.push(self.connections.remove(place).peer);
    }

    fn tick(&mut self, now: u64, send: &mut impl FnMut(u32, Message)) {
        if self.connections.len() < MIN_PEERS {
            self.find_peers(now, MIN_PEERS - self.connections.len(), send);
        }
        let surplus = self.connected().count().saturating_sub(self.max_peers);
        // All are equally fast: the lowest go first, of those held long enough.
        let is_slow = |other: &Connection| other.connected && now - other.since >= MIN_KEEP_TIME;
        self.part(surplus, is_slow, send);
        for other in &self.connections {
            if other.connected && now - other.last_heard > PING_INTERVAL {
                send(other.peer, Message::Ping);
            }
        }
        self.part(
            usize::MAX,
            |other| now - other.last_heard > MAX_SILENCE,
            send,
        );
    }

    fn find_peers(&mut self, now: u64, lacking: usize, send: &mut impl FnMut(u32, Message)) {
        let mut candidates = self.known.clone();
        candidates.retain(|peer| {
            let place = self
                .connections
                .binary_search_by_key(peer, |other| other.peer);
            place.is_err() && !self.dropped.contains(peer)
        });
        if candidates.len() < lacking {
            let connected: Vec<u32> = self.connected().collect();
            let asked = PEER_BATCH_REQUEST.min(connected.len());
            for place in index::sample(&mut self.rng, connected.len(), asked) {
                send(connected[place], Message::RequestPeers);
            }
        }
        let dialled = lacking.min(candidates.len());
        for place in index::sample(&mut self.rng, candidates.len(), dialled) {
            self.dial(now, candidates[place], send);
        }
    }

    /// Ends the first `most` connections that are so.
    fn part(
        &mut self,
        most: usize,
        is_so: impl Fn(&Connection) -> bool,
        send: &mut impl FnMut(u32, Message),
    ) {
        for _ in 0..most {
            let Some(place) = self.connections.iter().position(&is_so) else {
                return;
            };
            send(self.connections[place].peer, Message::Goodbye);
            self.drop_at(place);
        }
    }
}

impl Connection {
    fn new(now: u64, peer: u32, connected: bool) -> Self {
        Connection {
            peer,
            connected,
            since: now,
            last_heard: now,
        }
    }
}

/// All peers, bootstrap peers last.
pub struct Peers {
    peers: Vec<Peer>,
    first_bootstrap: u32,
}

impl Peers {
    pub fn new(task: &Task) -> Self {
        let first_bootstrap = task.peers as u32;
        let ids = 0..first_bootstrap + bootstraps(task);
        let peer = |id| Peer::new(id, id >= first_bootstrap, task.seed);
        Peers {
            peers: ids.map(peer).collect(),
            first_bootstrap,
        }
    }
}

/// How many bootstrap peers there are.
pub fn bootstraps(task: &Task) -> u32 {
    (task.peers as u32 / 1000).max(1)
}

/// Whom a peer dials first.
pub fn bootstrap_of(task: &Task, peer: u32) -> u32 {
    task.peers as u32 + peer % bootstraps(task)
}

impl Protocol for Peers {
    type Message = Message;

    /// None: a peer reaches every other.
    fn links(&self) -> Vec<Vec<u32>> {
        vec![Vec::new(); self.peers.len()]
    }

    fn timers(&self, task: &Task) -> Vec<(u64, u32, Message)> {
        let joins = (0..self.first_bootstrap)
            .map(|peer| (0, peer, Message::Join(bootstrap_of(task, peer))));
        let ticks = (0..self.peers.len() as u32).map(|peer| (0, peer, Message::Tick));
        joins.chain(ticks).collect()
    }

    fn is_repeated(message: Message) -> bool {
        matches!(message, Message::Tick)
    }

    #[inline]
    fn handle(
        &mut self,
        now: u64,
        me: u32,
        from: u32,
        message: Message,
        send: impl FnMut(u32, Message),
    ) {
        self.peers[me as usize].handle(now, from, message, send);
    }

    fn delivered(&self) -> u64 {
        self.peers.iter().map(|peer| peer.delivered).sum()
    }

    fn ends(&self) -> usize {
        let peers = self.peers[..self.first_bootstrap as usize].iter();
        peers
            .map(|peer| peer.neighbours(self.first_bootstrap))
            .sum()
    }
}
