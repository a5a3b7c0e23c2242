//! The ping network and the flood, over links that stay: all peers in one place.

use crate::{Protocol, RUMOURS, SECOND, Task};

/// What peers send one another, and themselves.
#[derive(Clone, Copy, Debug)]
pub enum Message {
    /// To itself, each second: ping all neighbours.
    Tick,
    /// To itself: tell all neighbours.
    Produce(u32),
    Ping,
    Pong,
    Rumour(u32),
}

pub struct Peers {
    neighbours: Vec<Vec<u32>>,
    seen: Vec<u128>,
    delivered: u64,
}

impl Peers {
    pub fn new(task: &Task) -> Self {
        let neighbours = task.network();
        let seen = vec![0; neighbours.len()];
        Peers {
            neighbours,
            seen,
            delivered: 0,
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
}

impl Protocol for Peers {
    type Message = Message;

    fn links(&self) -> Vec<Vec<u32>> {
        self.neighbours.clone()
    }

    fn timers(&self, task: &Task) -> Vec<(u64, u32, Message)> {
        let peers = self.neighbours.len() as u32;
        if task.workload == "ping" {
            return (0..peers)
                .map(|peer| (SECOND, peer, Message::Tick))
                .collect();
        }
        let time = |rumour| SECOND + u64::from(rumour) * SECOND / 100;
        let produce = |rumour| (time(rumour), peers - 1, Message::Produce(rumour));
        (0..RUMOURS).map(produce).collect()
    }

    fn is_repeated(message: Message) -> bool {
        matches!(message, Message::Tick)
    }

    #[inline]
    fn handle(
        &mut self,
        _now: u64,
        me: u32,
        from: u32,
        message: Message,
        mut send: impl FnMut(u32, Message),
    ) {
        match message {
            Message::Tick => {
                let neighbours = &self.neighbours[me as usize];
                neighbours.iter().for_each(|&to| send(to, Message::Ping));
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

    fn delivered(&self) -> u64 {
        self.delivered
    }

    fn ends(&self) -> usize {
        self.neighbours.iter().map(Vec::len).sum()
    }
}
