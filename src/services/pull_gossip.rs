//! PullGossipService and PushPullGossipService: in regular rounds, peers compare which messages
//! they hold and send each other what the other misses (anti-entropy in Demers et al., "Epidemic
//! algorithms for replicated database maintenance", PODC 1987).

use std::sync::Arc;

use super::gossip::{
    Conduct, Config as GossipConfig, EXCLUDE_PEERS, EXCLUDE_TYPES, Exclusion, FANOUT,
    GOSSIP_HEADER_BYTES, GOSSIP_MESSAGE, GossipService, PROCESSING, REMEMBER, SUPPRESS_DUPLICATES,
    VERIFY, remembers,
};
use super::{MessageSpec, ParameterKind, ParameterSpec, Parameters, ServiceSpec, ServiceState};
use crate::distribution::Distribution;
use crate::engine::{Context, Rejoin, Service, TIMER_TAG_LIMIT};
use crate::message::{HEADER_BYTES, Message, MessageType, Payload, Rumour, RumourId};
use crate::peer::PeerIndex;
use crate::time::Time;
use crate::units::Dimension;

/// The timer of the next round; those below belong to the push part.
const ROUND: u32 = TIMER_TAG_LIMIT - 1;
/// Bytes that each named message adds.
const ID_BYTES: u32 = 8;

const ROUND_TIME: ParameterSpec = ParameterSpec {
    name: "round_time",
    kind: ParameterKind::Duration { min_ns: 1 },
    default: "500 ms",
    about: "time between rounds",
};

const INIT_TIMEOUT: ParameterSpec = ParameterSpec {
    name: "init_timeout",
    kind: ParameterKind::Law(Dimension::Time),
    default: "norm(200, 100)",
    about: "time before the first wait of a round (its absolute value)",
};

const EXCHANGE: ParameterSpec = ParameterSpec {
    name: "exchange",
    kind: ParameterKind::Word(&["both", "push", "pull"]),
    default: "both",
    about: "who gains in a round: both peers, only the one called, only the caller",
};

/// The messages of the exchange, after [`GOSSIP_MESSAGE`].
pub(super) const SYNC_PING: MessageSpec =
    MessageSpec::gossip("SyncPing", "24 B + 8 B a message held");
pub(super) const SYNC_PONG: MessageSpec =
    MessageSpec::gossip("SyncPong", "24 B + 8 B a message that the other misses");
pub(super) const MSG_REQUEST: MessageSpec =
    MessageSpec::gossip("MsgRequest", "24 B + 8 B a message missed");
pub(super) const MSG_RESPONSE: MessageSpec =
    MessageSpec::gossip("MsgResponse", "24 B + 250 B + payload for each message");

const MESSAGES: &[MessageSpec] = &[
    GOSSIP_MESSAGE,
    SYNC_PING,
    SYNC_PONG,
    MSG_REQUEST,
    MSG_RESPONSE,
];

/// What scenarios need to know of PullGossipService.
pub(super) const PULL: ServiceSpec = ServiceSpec {
    name: "PullGossipService",
    about: "anti-entropy: in rounds, compares with random neighbours who misses what",
    parameters: &[
        FANOUT,
        ROUND_TIME,
        INIT_TIMEOUT,
        EXCHANGE,
        EXCLUDE_TYPES,
        EXCLUDE_PEERS,
        PROCESSING,
        VERIFY,
        REMEMBER,
    ],
    messages: MESSAGES,
    build: &|parameters, messages| {
        factory(
            parameters,
            messages,
            GossipConfig::silent(parameters, messages[0]),
        )
    },
    remembers,
    ..ServiceSpec::NONE
};

/// What scenarios need to know of PushPullGossipService.
pub(super) const PUSH_PULL: ServiceSpec = ServiceSpec {
    name: "PushPullGossipService",
    about: "GossipService and PullGossipService together",
    parameters: &[
        FANOUT,
        ROUND_TIME,
        INIT_TIMEOUT,
        EXCHANGE,
        EXCLUDE_TYPES,
        EXCLUDE_PEERS,
        SUPPRESS_DUPLICATES,
        PROCESSING,
        VERIFY,
        REMEMBER,
    ],
    messages: MESSAGES,
    build: &|parameters, messages| {
        let push = GossipConfig::new(parameters, messages[0], Conduct::Honest);
        factory(parameters, messages, push)
    },
    remembers,
    ..ServiceSpec::NONE
};

fn factory(
    parameters: &Parameters,
    messages: &[MessageType],
    gossip: GossipConfig,
) -> super::Factory {
    let exchange = parameters.word("exchange");
    let config = Arc::new(Config {
        fanout: parameters.count("fanout") as usize,
        round_time: parameters.duration("round_time"),
        init_timeout: parameters.law("init_timeout").clone(),
        exclusion: Exclusion::new(parameters),
        caller_gains: exchange != "push",
        called_gains: exchange != "pull",
        sync_ping: messages[1],
        sync_pong: messages[2],
        msg_request: messages[3],
        msg_response: messages[4],
    });
    let gossip = Arc::new(gossip);
    Arc::new(move || {
        ServiceState::PullGossip(Box::new(PullGossipService {
            config: config.clone(),
            gossip: GossipService::new(gossip.clone()),
        }))
    })
}

/// What all peers of a type share.
#[derive(Debug)]
struct Config {
    fanout: usize,
    round_time: Time,
    init_timeout: Distribution,
    exclusion: Exclusion,
    caller_gains: bool,
    called_gains: bool,
    sync_ping: MessageType,
    sync_pong: MessageType,
    msg_request: MessageType,
    msg_response: MessageType,
}

/// The state of either service on one peer.
#[derive(Debug)]
pub struct PullGossipService {
    config: Arc<Config>,
    /// Takes in what arrives, and for PushPullGossipService relays it.
    gossip: GossipService,
}

impl PullGossipService {
    fn round(&mut self, context: &mut Context<'_>) {
        let config = &*self.config;
        let chosen = config.exclusion.choose(context, None, config.fanout);
        context.forget_rumours(self.gossip.oldest(context.now()));
        // A snapshot: what is held now, whenever the message arrives.
        let ids: Arc<[RumourId]> = self.held(context).map(|rumour| rumour.id).collect();
        for &peer in &chosen {
            send_ids(context, peer, config.sync_ping, ids.clone());
        }
        context.set_timer(config.round_time, ROUND);
    }

    /// The messages that this peer has and that are not too old.
    fn held<'a>(&self, context: &'a Context<'_>) -> impl Iterator<Item = &'a Rumour> {
        let oldest = self.gossip.oldest(context.now());
        let rumours = context.rumours().iter();
        rumours.filter(move |rumour| rumour.produced >= oldest)
    }

    /// Asks `from` for those of its messages that this peer misses.
    fn request_missing(&self, context: &mut Context<'_>, from: PeerIndex, ids: &[RumourId]) {
        let missing: Arc<[RumourId]> = ids
            .iter()
            .copied()
            .filter(|&id| !context.rumours().holds(id))
            .collect();
        if !missing.is_empty() {
            send_ids(context, from, self.config.msg_request, missing);
        }
    }

    /// Names to `from` the messages that it misses, of which it holds `ids`.
    fn name_missing(&self, context: &mut Context<'_>, from: PeerIndex, ids: &[RumourId]) {
        let held = self.held(context).map(|rumour| rumour.id);
        let missing: Arc<[RumourId]> = held.filter(|id| ids.binary_search(id).is_err()).collect();
        if !missing.is_empty() {
            send_ids(context, from, self.config.sync_pong, missing);
        }
    }

    fn respond(&self, context: &mut Context<'_>, from: PeerIndex, ids: &[RumourId]) {
        let oldest = self.gossip.oldest(context.now());
        let rumours: Arc<[Rumour]> = ids
            .iter()
            .filter_map(|&id| context.rumours().get(id))
            .filter(|rumour| rumour.produced >= oldest)
            .map(|rumour| Rumour {
                hops: rumour.hops.saturating_add(1),
                ..*rumour
            })
            .collect();
        if !rumours.is_empty() {
            let bytes = rumours.iter().fold(HEADER_BYTES, |bytes, rumour| {
                bytes
                    .saturating_add(GOSSIP_HEADER_BYTES)
                    .saturating_add(rumour.bytes)
            });
            let payload = Payload::Rumours(rumours);
            context.send(from, self.config.msg_response, payload, bytes);
        }
    }
}

fn send_ids(context: &mut Context<'_>, to: PeerIndex, kind: MessageType, ids: Arc<[RumourId]>) {
    let bytes = (ids.len() as u32)
        .saturating_mul(ID_BYTES)
        .saturating_add(HEADER_BYTES);
    context.send(to, kind, Payload::RumourIds(ids), bytes);
}

impl Service for PullGossipService {
    fn start(&mut self, context: &mut Context<'_>) {
        let law = &self.config.init_timeout;
        let wait = Time::from_ms_clamped(law.sample(context.random()).abs());
        context.set_timer(wait + self.config.round_time, ROUND);
    }

    fn message(&mut self, context: &mut Context<'_>, from: PeerIndex, message: Message<'_>) {
        let config = self.config.clone();
        match message.payload {
            Payload::Rumour(_) => self.gossip.message(context, from, message),
            Payload::Rumours(rumours) => {
                for rumour in rumours.iter() {
                    self.gossip.keep(context, from, rumour);
                }
            }
            Payload::RumourIds(ids) if message.kind == config.sync_ping => {
                if config.caller_gains {
                    self.name_missing(context, from, ids);
                }
                if config.called_gains {
                    self.request_missing(context, from, ids);
                }
            }
            Payload::RumourIds(ids) if message.kind == config.sync_pong => {
                self.request_missing(context, from, ids);
            }
            Payload::RumourIds(ids) => self.respond(context, from, ids),
            _ => {}
        }
    }

    fn timer(&mut self, context: &mut Context<'_>, tag: u32) {
        match tag {
            ROUND => self.round(context),
            tag => self.gossip.timer(context, tag),
        }
    }

    fn online(&mut self, context: &mut Context<'_>, rejoin: Rejoin) {
        self.gossip.online(context, rejoin);
        if rejoin == Rejoin::Fresh {
            self.start(context);
        }
    }
}
