//! Peers that work against gossip: they alter, swallow, delay or censor what they should relay.

use super::gossip::{
    Conduct, Config, EXCLUDE_PEERS, EXCLUDE_TYPES, FANOUT, GOSSIP_MESSAGE, PROCESSING, REMEMBER,
    SUPPRESS_DUPLICATES, VERIFY, factory, remembers,
};
use super::pull_gossip::{MSG_REQUEST, MSG_RESPONSE, SYNC_PING, SYNC_PONG};
use super::{MessageSpec, ParameterKind, ParameterSpec, ServiceSpec};
use crate::units::Dimension;

/// They take in messages and do not answer who compares messages with them.
const MESSAGES: &[MessageSpec] = &[
    GOSSIP_MESSAGE,
    SYNC_PING,
    SYNC_PONG,
    MSG_REQUEST,
    MSG_RESPONSE,
];

/// Alters what it relays.
pub(super) const TAMPERING: ServiceSpec = ServiceSpec {
    name: "TamperingGossip",
    about: "relays the true payload to half of its fanout (rounded up), an altered one to the rest",
    parameters: &[
        FANOUT,
        EXCLUDE_TYPES,
        EXCLUDE_PEERS,
        SUPPRESS_DUPLICATES,
        PROCESSING,
        VERIFY,
        REMEMBER,
    ],
    messages: MESSAGES,
    build: &|parameters, messages| {
        factory(Config::new(parameters, messages[0], Conduct::Tampering))
    },
    remembers,
    adversary: true,
    ..ServiceSpec::NONE
};

/// Relays nothing.
pub(super) const SILENT: ServiceSpec = ServiceSpec {
    name: "SilentPeer",
    about: "receives messages and never relays any",
    parameters: &[PROCESSING, VERIFY, REMEMBER],
    messages: MESSAGES,
    build: &|parameters, messages| factory(Config::silent(parameters, messages[0])),
    remembers,
    adversary: true,
    ..ServiceSpec::NONE
};

/// Relays late.
pub(super) const DELAYING: ServiceSpec = ServiceSpec {
    name: "DelayingPeer",
    about: "relays messages after a while",
    parameters: &[
        ParameterSpec {
            name: "delay",
            kind: ParameterKind::Law(Dimension::Time),
            default: "1000 ms",
            about: "time before a message is relayed; below 0 is 0",
        },
        FANOUT,
        EXCLUDE_TYPES,
        EXCLUDE_PEERS,
        SUPPRESS_DUPLICATES,
        PROCESSING,
        VERIFY,
        REMEMBER,
    ],
    messages: MESSAGES,
    build: &|parameters, messages| {
        let conduct = Conduct::Delaying(parameters.law("delay").clone());
        factory(Config::new(parameters, messages[0], conduct))
    },
    remembers,
    adversary: true,
    ..ServiceSpec::NONE
};

/// Ignores the messages of some origins.
pub(super) const CENSORING: ServiceSpec = ServiceSpec {
    name: "CensoringPeer",
    about: "relays messages, but ignores those of some origins",
    parameters: &[
        ParameterSpec {
            name: "origins",
            kind: ParameterKind::Peers,
            default: "",
            about: "the peers whose messages are ignored",
        },
        FANOUT,
        EXCLUDE_TYPES,
        EXCLUDE_PEERS,
        SUPPRESS_DUPLICATES,
        PROCESSING,
        VERIFY,
        REMEMBER,
    ],
    messages: MESSAGES,
    build: &|parameters, messages| {
        let conduct = Conduct::Censoring(parameters.peers("origins").to_vec());
        factory(Config::new(parameters, messages[0], conduct))
    },
    remembers,
    adversary: true,
    ..ServiceSpec::NONE
};
