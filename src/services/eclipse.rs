//! Eclipse: peers that together take a victim's connections, so that it sees only them (Heilman
//! et al., "Eclipse attacks on Bitcoin's peer-to-peer network", USENIX Security 2015).

use std::sync::{Arc, OnceLock};

use smallvec::SmallVec;

use super::gossip::GOSSIP_MESSAGE;
use super::p2p_connection_manager::{LISTED_PEER_BYTES, PEER_LIST, REQUEST_PEERS};
use super::pull_gossip::{MSG_REQUEST, MSG_RESPONSE, SYNC_PING, SYNC_PONG};
use super::{ParameterKind, ParameterSpec, ServiceSpec, ServiceState};
use crate::engine::{Context, Service};
use crate::message::{HEADER_BYTES, Message, MessageType, Payload};
use crate::peer::{PeerId, PeerIndex};
use crate::time::Time;

/// What scenarios need to know of it.
pub(super) const SPEC: ServiceSpec = ServiceSpec {
    name: "Eclipse",
    about: "dials the victims without end and names them only peers of its own type",
    parameters: &[
        ParameterSpec {
            name: "victims",
            kind: ParameterKind::Peers,
            default: "",
            about: "the peers whose connections are to be taken",
        },
        ParameterSpec {
            name: "interval",
            kind: ParameterKind::Duration { min_ns: 1 },
            default: "1000 ms",
            about: "time between attempts",
        },
        ParameterSpec {
            name: "peer_list_number",
            kind: ParameterKind::Count {
                min: 1,
                max: 1_000_000,
            },
            default: "10",
            about: "accomplices named to a victim at a time",
        },
    ],
    messages: &[
        PEER_LIST,
        REQUEST_PEERS,
        // It takes gossip in and neither relays nor answers it.
        GOSSIP_MESSAGE,
        SYNC_PING,
        SYNC_PONG,
        MSG_REQUEST,
        MSG_RESPONSE,
    ],
    build: &|parameters, messages| {
        let config = Arc::new(Config {
            victims: parameters.peers("victims").to_vec(),
            interval: parameters.duration("interval"),
            peer_list_number: parameters.count("peer_list_number") as usize,
            peer_list: messages[0],
            request_peers: messages[1],
            accomplices: OnceLock::new(),
        });
        Arc::new(move || {
            ServiceState::Eclipse(Eclipse {
                config: config.clone(),
                has_tried: false,
            })
        })
    },
    adversary: true,
    ..ServiceSpec::NONE
};

/// What all peers of a type share.
#[derive(Debug)]
struct Config {
    victims: Vec<PeerId>,
    interval: Time,
    peer_list_number: usize,
    peer_list: MessageType,
    request_peers: MessageType,
    /// All peers of the type: they know each other from before.
    accomplices: OnceLock<Vec<PeerIndex>>,
}

/// The state of the service on one peer.
#[derive(Debug)]
pub struct Eclipse {
    config: Arc<Config>,
    has_tried: bool,
}

impl Eclipse {
    fn attack(&mut self, context: &mut Context<'_>) {
        for &victim in &self.config.victims {
            match context.find(victim) {
                Some(victim) if self.has_tried => context.redial(victim),
                Some(victim) => context.dial(victim),
                None => {}
            }
        }
        self.has_tried = true;
        context.set_timer(self.config.interval, 0);
    }

    fn name_accomplices(&self, context: &mut Context<'_>, to: PeerIndex) {
        let config = &*self.config;
        let me = context.me();
        let own_type = context.type_of(me);
        let accomplices = config.accomplices.get_or_init(|| {
            (0..context.peers())
                .map(PeerIndex)
                .filter(|&peer| context.type_of(peer) == own_type)
                .collect()
        });
        let mut named: SmallVec<[PeerIndex; 4]> = SmallVec::new();
        // A window at a random place in their order: a few draws, however many there are.
        let start = context.random().below(accomplices.len() as u64) as usize;
        let from_start = accomplices.iter().cycle().skip(start);
        for &peer in from_start.take(accomplices.len()) {
            if named.len() == config.peer_list_number {
                break;
            }
            if peer != me && peer != to {
                named.push(peer);
            }
        }
        let bytes = HEADER_BYTES + LISTED_PEER_BYTES * named.len() as u32;
        context.send(to, config.peer_list, Payload::Peers(named), bytes);
    }
}

impl Service for Eclipse {
    fn start(&mut self, context: &mut Context<'_>) {
        self.attack(context);
    }

    fn message(&mut self, context: &mut Context<'_>, from: PeerIndex, message: Message<'_>) {
        if message.kind == self.config.request_peers {
            self.name_accomplices(context, from);
        }
    }

    fn timer(&mut self, context: &mut Context<'_>, _tag: u32) {
        self.attack(context);
    }

    fn connected(&mut self, context: &mut Context<'_>, peer: PeerIndex, _offered: bool) {
        if self.config.victims.binary_search(&context.id(peer)).is_ok() {
            self.name_accomplices(context, peer);
        }
    }
}
