//! P2PConnectionManager: keeps the number of connections between bounds, finding peers through
//! the peers it knows.

use std::sync::Arc;

use smallvec::SmallVec;

use super::base_connection_manager::{
    BaseConnectionManager, Config as BaseConfig, MAX_SILENCE, MIN_KEEP_TIME, PING, PING_INTERVAL,
    PONG,
};
use super::{MessageSpec, ParameterKind, ParameterSpec, Parameters, ServiceSpec, ServiceState};
use crate::engine::{Context, Rejoin, Service};
use crate::message::{HEADER_BYTES, Message, MessageType, Payload};
use crate::peer::PeerIndex;
use crate::record::{ConnectionEvent, LogLevel};
use crate::time::Time;

/// Bytes that each listed peer adds to a PeerList.
pub(super) const LISTED_PEER_BYTES: u32 = 8;
/// The most peers a PeerList can name; keeps its size far below 4 GiB.
const PEER_LIST_MAX: u64 = 1_000_000;
/// Any number of peers.
const COUNT: ParameterKind = ParameterKind::Count {
    min: 0,
    max: PeerIndex::LIMIT,
};

pub(super) const REQUEST_PEERS: MessageSpec = MessageSpec::handled("RequestPeers", "24 B");
pub(super) const PEER_LIST: MessageSpec =
    MessageSpec::handled("PeerList", "24 B + 8 B a listed peer");

/// What scenarios need to know of it.
pub(super) const SPEC: ServiceSpec = ServiceSpec {
    name: "P2PConnectionManager",
    about: "pings, and keeps the number of connections between bounds by asking for peers",
    parameters: &[
        PING_INTERVAL,
        MAX_SILENCE,
        MIN_KEEP_TIME,
        ParameterSpec {
            name: "min_peers",
            kind: COUNT,
            default: "15",
            about: "below this many connections, more peers are dialled and asked for",
        },
        ParameterSpec {
            name: "max_peers",
            kind: COUNT,
            default: "25",
            about: "above this many, offers are refused and the slowest connections dropped",
        },
        ParameterSpec {
            name: "peer_list_number",
            kind: ParameterKind::Count {
                min: 1,
                max: PEER_LIST_MAX,
            },
            default: "1",
            about: "peers named in a PeerList",
        },
        ParameterSpec {
            name: "peer_batch_request",
            kind: COUNT,
            default: "5",
            about: "peers asked at a time",
        },
        ParameterSpec {
            name: "redial_after",
            kind: ParameterKind::Duration { min_ns: 0 },
            default: "60000 ms",
            about: "a dropped or refusing peer is not dialled again before",
        },
    ],
    messages: &[PING, PONG, REQUEST_PEERS, PEER_LIST],
    build: &|parameters, messages| {
        let base = Arc::new(BaseConfig::new(parameters, messages[0], messages[1]));
        let config = Arc::new(Config::new(parameters, messages));
        Arc::new(move || {
            ServiceState::P2PConnectionManager(Box::new(P2PConnectionManager {
                base: BaseConnectionManager::new(base.clone()),
                config: config.clone(),
                known: Vec::new(),
                dropped: Vec::new(),
            }))
        })
    },
    ..ServiceSpec::NONE
};

/// What all peers of a type share.
#[derive(Debug)]
struct Config {
    min_peers: usize,
    max_peers: usize,
    peer_list_number: usize,
    peer_batch_request: usize,
    redial_after: Time,
    min_keep_time: Time,
    request_peers: MessageType,
    peer_list: MessageType,
}

impl Config {
    fn new(parameters: &Parameters, messages: &[MessageType]) -> Self {
        let count = |name| parameters.count(name) as usize;
        Config {
            min_peers: count("min_peers"),
            max_peers: count("max_peers"),
            peer_list_number: count("peer_list_number"),
            peer_batch_request: count("peer_batch_request"),
            redial_after: parameters.duration("redial_after"),
            min_keep_time: parameters.duration("min_keep_time"),
            request_peers: messages[2],
            peer_list: messages[3],
        }
    }
}

/// The state of the service on one peer.
#[derive(Debug)]
pub struct P2PConnectionManager {
    base: BaseConnectionManager,
    config: Arc<Config>,
    /// Peers heard of, ascending.
    known: Vec<PeerIndex>,
    /// Peers that were dropped or refused, and when; ascending by peer.
    dropped: Vec<(PeerIndex, Time)>,
}

/// Up to this many peers are gathered without allocating.
type Peers = SmallVec<[PeerIndex; 32]>;

impl P2PConnectionManager {
    /// One tick: dial, ask or drop, then ping.
    fn tick(&mut self, context: &mut Context<'_>) {
        let connected = context.connections().connected();
        let expected = connected + context.connections().dialling();
        if expected < self.config.min_peers {
            self.find_peers(context, self.config.min_peers - expected);
        }
        if connected > self.config.max_peers {
            self.drop_slowest(context, connected - self.config.max_peers);
        }
        self.base.check(context);
    }

    /// Dials up to `lacking` known peers, and asks for more if it knows too few.
    fn find_peers(&mut self, context: &mut Context<'_>, lacking: usize) {
        let redial_after = self.config.redial_after;
        let now = context.now();
        let mut candidates: Peers = self
            .known
            .iter()
            .copied()
            .filter(|&peer| {
                context.connections().get(peer).is_none()
                    && self
                        .dropped_at(peer)
                        .is_none_or(|dropped| now.since(dropped) >= redial_after)
            })
            .collect();
        if candidates.len() < lacking {
            let mut asked: Peers = context.connections().iter_connected_peers().collect();
            let count = self.config.peer_batch_request;
            for &mut peer in context.random().choose_front(&mut asked, count) {
                context.send_empty(peer, self.config.request_peers);
            }
        }
        for &mut peer in context.random().choose_front(&mut candidates, lacking) {
            match self.dropped_at(peer) {
                Some(_) => context.redial(peer),
                None => context.dial(peer),
            }
        }
    }

    /// When a peer was last dropped or refused, if ever.
    fn dropped_at(&self, peer: PeerIndex) -> Option<Time> {
        let place = self
            .dropped
            .binary_search_by_key(&peer, |&(dropped, _)| dropped);
        place.ok().map(|place| self.dropped[place].1)
    }

    /// Disconnects from the `surplus` slowest of the connections held long enough.
    fn drop_slowest(&mut self, context: &mut Context<'_>, surplus: usize) {
        let now = context.now();
        let mut held: Peers = context
            .connections()
            .iter_connected()
            .filter(|connection| now.since(connection.since) >= self.config.min_keep_time)
            .map(|connection| connection.peer)
            .collect();
        // Stable: of equally slow ones, the lowest peer goes first.
        held.sort_by(|&a, &b| context.bandwidth_to(a).total_cmp(&context.bandwidth_to(b)));
        for &peer in held.iter().take(surplus) {
            context.log(
                LogLevel::Warning,
                format_args!("Peer {} is too slow", context.id(peer)),
            );
            context.disconnect_as(peer, ConnectionEvent::Slow);
        }
    }

    fn answer_request(&mut self, context: &mut Context<'_>, from: PeerIndex) {
        let all = context.connections().connected();
        let places = context
            .random()
            .choose_places(all, self.config.peer_list_number);
        let connections = context.connections();
        let peer_at = |&place: &usize| connections.connected_peer(place);
        let listed: SmallVec<_> = places.iter().filter_map(peer_at).collect();
        let bytes = HEADER_BYTES + LISTED_PEER_BYTES * listed.len() as u32;
        context.send(from, self.config.peer_list, Payload::Peers(listed), bytes);
    }

    fn learn(&mut self, me: PeerIndex, peers: &[PeerIndex]) {
        for &peer in peers {
            if peer != me
                && let Err(place) = self.known.binary_search(&peer)
            {
                self.known.insert(place, peer);
            }
        }
    }
}

impl Service for P2PConnectionManager {
    fn start(&mut self, context: &mut Context<'_>) {
        self.tick(context);
    }

    fn message(&mut self, context: &mut Context<'_>, from: PeerIndex, message: Message<'_>) {
        if message.kind == self.config.request_peers {
            self.answer_request(context, from);
        } else if let Payload::Peers(peers) = message.payload {
            self.learn(context.me(), peers);
        } else {
            self.base.message(context, from, message);
        }
    }

    fn timer(&mut self, context: &mut Context<'_>, _tag: u32) {
        self.tick(context);
    }

    fn online(&mut self, context: &mut Context<'_>, rejoin: Rejoin) {
        if rejoin == Rejoin::Fresh {
            self.known.clear();
            self.dropped.clear();
            self.tick(context);
        }
    }

    fn admits(&mut self, context: &mut Context<'_>, _from: PeerIndex) -> bool {
        context.connections().connected() <= self.config.max_peers
    }

    fn connected(&mut self, context: &mut Context<'_>, peer: PeerIndex, offered: bool) {
        if offered {
            context.send_empty(peer, self.config.request_peers);
        }
    }

    fn disconnected(&mut self, context: &mut Context<'_>, peer: PeerIndex) {
        let now = context.now();
        match self
            .dropped
            .binary_search_by_key(&peer, |&(dropped, _)| dropped)
        {
            Ok(place) => self.dropped[place].1 = now,
            Err(place) => self.dropped.insert(place, (peer, now)),
        }
    }
}
