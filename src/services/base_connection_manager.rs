//! BaseConnectionManager: pings quiet neighbours and disconnects those that stay silent.

use std::sync::Arc;

use smallvec::SmallVec;

use super::{MessageSpec, ParameterKind, ParameterSpec, Parameters, ServiceSpec, ServiceState};
use crate::engine::{Connection, ConnectionState, Context, Service};
use crate::message::{Message, MessageType};
use crate::peer::PeerIndex;
use crate::record::{ConnectionEvent, LogLevel};
use crate::time::Time;

/// The timer of the next check.
const CHECK: u32 = 0;

pub(super) const PING_INTERVAL: ParameterSpec = ParameterSpec {
    name: "ping_interval",
    kind: ParameterKind::Duration { min_ns: 1 },
    default: "1000 ms",
    about: "time between checks; a connection silent for longer than this is pinged",
};

pub(super) const MAX_SILENCE: ParameterSpec = ParameterSpec {
    name: "max_silence",
    kind: ParameterKind::Duration { min_ns: 1 },
    default: "5000 ms",
    about: "a connection silent for longer than this is ended",
};

pub(super) const MIN_KEEP_TIME: ParameterSpec = ParameterSpec {
    name: "min_keep_time",
    kind: ParameterKind::Duration { min_ns: 0 },
    default: "5000 ms",
    about: "a connection is kept at least this long before it is dropped for being slow",
};

pub(super) const PING: MessageSpec = MessageSpec::answered("Ping", "24 B", "Pong");

pub(super) const PONG: MessageSpec = MessageSpec::noted("Pong", "24 B");

/// What scenarios need to know of it.
pub(super) const SPEC: ServiceSpec = ServiceSpec {
    name: "BaseConnectionManager",
    about: "pings quiet neighbours and disconnects those that stay silent",
    parameters: &[
        PING_INTERVAL,
        MAX_SILENCE,
        ParameterSpec {
            about: "as in p2psimpy: accepted here, used by P2PConnectionManager",
            ..MIN_KEEP_TIME
        },
    ],
    messages: &[PING, PONG],
    build: &|parameters, messages| {
        let config = Arc::new(Config::new(parameters, messages[0], messages[1]));
        Arc::new(move || {
            ServiceState::BaseConnectionManager(BaseConnectionManager::new(config.clone()))
        })
    },
    ..ServiceSpec::NONE
};

/// What all peers of a type share.
#[derive(Debug)]
pub(super) struct Config {
    ping_interval: Time,
    max_silence: Time,
    ping: MessageType,
    pong: MessageType,
}

impl Config {
    pub(super) fn new(parameters: &Parameters, ping: MessageType, pong: MessageType) -> Self {
        Config {
            ping_interval: parameters.duration("ping_interval"),
            max_silence: parameters.duration("max_silence"),
            ping,
            pong,
        }
    }
}

/// The state of the service on one peer; what it knows of its neighbours is in the connections.
#[derive(Debug)]
pub struct BaseConnectionManager {
    config: Arc<Config>,
}

impl BaseConnectionManager {
    pub(super) fn new(config: Arc<Config>) -> Self {
        BaseConnectionManager { config }
    }

    /// Pings whoever was quiet, parts from whoever was silent, and sets the timer again.
    pub(super) fn check(&mut self, context: &mut Context<'_>) {
        let config = &*self.config;
        let now = context.now();
        let unheard = now.since(config.ping_interval);
        let silence = now.since(config.max_silence);
        if context.send_empty_to_unheard(config.ping, unheard) < silence {
            self.part_from_unheard_since(context, silence);
        }
        context.set_timer(self.config.ping_interval, CHECK);
    }

    #[cold]
    fn part_from_unheard_since(&self, context: &mut Context<'_>, time: Time) {
        let connections = context.connections();
        let silent: SmallVec<[Connection; 4]> = connections
            .iter_unheard_since(time)
            .filter_map(|peer| connections.get(peer))
            .collect();
        for silent in silent {
            let (state, event) = match silent.state {
                ConnectionState::Connected => ("responding", ConnectionEvent::Silent),
                ConnectionState::Dialling => ("answering", ConnectionEvent::Unanswered),
            };
            context.log(
                LogLevel::Warning,
                format_args!(
                    "Peer {} is not {state}, last heard at {}",
                    context.id(silent.peer),
                    silent.last_heard
                ),
            );
            context.disconnect_as(silent.peer, event);
        }
    }
}

impl Service for BaseConnectionManager {
    fn start(&mut self, context: &mut Context<'_>) {
        self.check(context);
    }

    #[inline]
    fn message(&mut self, context: &mut Context<'_>, from: PeerIndex, message: Message<'_>) {
        if message.kind == self.config.ping {
            context.send_empty(from, self.config.pong);
        }
    }

    #[inline]
    fn timer(&mut self, context: &mut Context<'_>, _tag: u32) {
        self.check(context);
    }
}
