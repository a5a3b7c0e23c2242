//! The protocols that peers run: one file each, a list of them, and the one place where they
//! are dispatched.

mod adversaries;
mod base_connection_manager;
mod downtime;
mod eclipse;
mod gossip;
mod message_producer;
mod p2p_connection_manager;
mod parameters;
mod production;
mod pull_gossip;
pub mod scripts;
mod slowdown;

use std::fmt;
use std::sync::Arc;

pub use base_connection_manager::BaseConnectionManager;
pub use downtime::Downtime;
pub use eclipse::Eclipse;
pub use gossip::GossipService;
pub use message_producer::MessageProducer;
pub use p2p_connection_manager::P2PConnectionManager;
pub use parameters::{ParameterKind, ParameterSpec, ParameterValue, Parameters};
pub use production::Production;
pub use pull_gossip::PullGossipService;
pub use slowdown::Slowdown;

use crate::engine::{Context, Rejoin, Service};
use crate::message::{Message, MessageType};
use crate::peer::PeerIndex;
use crate::time::Time;

/// A message that a service sends or handles.
#[derive(Clone, Copy, Debug)]
pub struct MessageSpec {
    /// Its name.
    pub name: &'static str,
    /// Its size, as `p2psim list services` shows it: `24 B + 8 B per listed peer`.
    pub size: &'static str,
    /// Whether the service handles it (or only sends it).
    pub handled: bool,
    /// Whether that it has come says it all: connections note when they were last heard, and the
    /// service is not told.
    pub noted: bool,
    /// The message without content that answers each that has none itself. Where no other service
    /// handles it the engine sends that, and the service is not told.
    pub answer: Option<&'static str>,
    /// Whether it is part of the spread of rumours: its bytes count as what that costs.
    pub gossip: bool,
}

impl MessageSpec {
    /// A message that the service sends and handles.
    pub const fn handled(name: &'static str, size: &'static str) -> Self {
        MessageSpec {
            name,
            size,
            handled: true,
            noted: false,
            answer: None,
            gossip: false,
        }
    }

    /// A message without content that the service sends, and answers with another.
    pub const fn answered(name: &'static str, size: &'static str, answer: &'static str) -> Self {
        MessageSpec {
            answer: Some(answer),
            ..MessageSpec::handled(name, size)
        }
    }

    /// A message that the service sends, and need not be told of.
    pub const fn noted(name: &'static str, size: &'static str) -> Self {
        MessageSpec {
            noted: true,
            ..MessageSpec::handled(name, size)
        }
    }

    /// A message that the service sends and handles, and by which rumours spread.
    pub const fn gossip(name: &'static str, size: &'static str) -> Self {
        MessageSpec {
            gossip: true,
            ..MessageSpec::handled(name, size)
        }
    }
}

/// Makes the service's state for one more peer.
pub type Factory = Arc<dyn Fn() -> ServiceState + Send + Sync>;

/// See [`ServiceSpec::build`].
pub type Build = dyn Fn(&Parameters, &[MessageType]) -> Factory + Send + Sync;

/// See [`ServiceSpec::check`].
pub type Check = dyn Fn(&Parameters, &[&str]) -> Result<(), ParameterError> + Send + Sync;

/// Everything there is to know about a service before a run.
#[derive(Clone, Copy)]
pub struct ServiceSpec {
    /// Its name in scenarios.
    pub name: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// What it can be told.
    pub parameters: &'static [ParameterSpec],
    /// What it sends and handles.
    pub messages: &'static [MessageSpec],
    /// Builds the factory of a peer type: from its parameters and the types of its messages, in
    /// the order of `messages`.
    pub build: &'static Build,
    /// What must hold between its parameters, given the names of those that the scenario sets.
    pub check: &'static Check,
    /// Whether, with these parameters, it lets peers come back afresh ([`Rejoin::Fresh`]).
    pub begins_afresh: fn(&Parameters) -> bool,
    /// Whether, with these parameters, it has no use for further copies of a rumour that its peer
    /// holds, until so long after the rumour was produced: they are counted, and it is not told.
    pub leaves_copies: fn(&Parameters) -> Option<Time>,
    /// How many rumours it produces with these parameters, if it can be known before a run.
    pub produces: fn(&Parameters) -> Option<Production>,
    /// For how long after a rumour's production its peer holds it with these parameters; `None`
    /// if the service takes in none.
    pub remembers: fn(&Parameters) -> Option<Time>,
    /// Whether peers that run it work against the others: they do not count in coverage.
    pub adversary: bool,
}

/// A parameter that does not go with the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterError {
    /// The parameter to blame.
    pub name: &'static str,
    /// The problem, in one line.
    pub message: String,
    /// What would be right.
    pub expected: String,
}

struct Idle;

impl Service for Idle {}

impl ServiceSpec {
    /// A service without a name that does nothing: specifications begin with it and say what
    /// is different.
    pub const NONE: ServiceSpec = ServiceSpec {
        name: "",
        about: "",
        parameters: &[],
        messages: &[],
        build: &|_, _| Arc::new(|| ServiceState::Custom(Box::new(Idle))),
        check: &|_, _| Ok(()),
        begins_afresh: |_| false,
        leaves_copies: |_| None,
        produces: |_| None,
        remembers: |_| None,
        adversary: false,
    };
}

impl fmt::Debug for ServiceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ServiceSpec").field(&self.name).finish()
    }
}

/// The state of one service of one peer: the built-in services by value, others behind a box.
pub enum ServiceState {
    /// See [`BaseConnectionManager`].
    BaseConnectionManager(BaseConnectionManager),
    /// See [`P2PConnectionManager`].
    P2PConnectionManager(Box<P2PConnectionManager>),
    /// See [`GossipService`]: that service, and the adversaries of gossip.
    Gossip(GossipService),
    /// See [`PullGossipService`].
    PullGossip(Box<PullGossipService>),
    /// See [`MessageProducer`].
    MessageProducer(MessageProducer),
    /// See [`Downtime`].
    Downtime(Downtime),
    /// See [`Slowdown`].
    Slowdown(Slowdown),
    /// See [`Eclipse`].
    Eclipse(Eclipse),
    /// A service of the library's user.
    Custom(Box<dyn Service>),
}

impl ServiceState {
    /// Whether it asks when connections were last heard of, or may send over one that is not
    /// finished; see [`World::looks_up_senders`](crate::engine::World::looks_up_senders).
    pub fn needs_senders_looked_up(&self) -> bool {
        matches!(
            self,
            ServiceState::BaseConnectionManager(_)
                | ServiceState::P2PConnectionManager(_)
                | ServiceState::Custom(_)
        )
    }
}

/// Calls `$call` on whichever service it is: the one place where services are dispatched.
macro_rules! dispatch {
    ($state:expr, $service:ident => $call:expr) => {
        match $state {
            ServiceState::BaseConnectionManager($service) => $call,
            ServiceState::P2PConnectionManager($service) => $call,
            ServiceState::Gossip($service) => $call,
            ServiceState::PullGossip($service) => $call,
            ServiceState::MessageProducer($service) => $call,
            ServiceState::Downtime($service) => $call,
            ServiceState::Slowdown($service) => $call,
            ServiceState::Eclipse($service) => $call,
            ServiceState::Custom($service) => $call,
        }
    };
}

impl Service for ServiceState {
    #[inline]
    fn start(&mut self, context: &mut Context<'_>) {
        dispatch!(self, service => service.start(context));
    }

    #[inline]
    fn message(&mut self, context: &mut Context<'_>, from: PeerIndex, message: Message<'_>) {
        dispatch!(self, service => service.message(context, from, message));
    }

    #[inline]
    fn timer(&mut self, context: &mut Context<'_>, tag: u32) {
        dispatch!(self, service => service.timer(context, tag));
    }

    fn alarm(&mut self, context: &mut Context<'_>, tag: u32) {
        dispatch!(self, service => service.alarm(context, tag));
    }

    fn offline(&mut self, context: &mut Context<'_>) {
        dispatch!(self, service => service.offline(context));
    }

    fn online(&mut self, context: &mut Context<'_>, rejoin: Rejoin) {
        dispatch!(self, service => service.online(context, rejoin));
    }

    fn admits(&mut self, context: &mut Context<'_>, from: PeerIndex) -> bool {
        dispatch!(self, service => service.admits(context, from))
    }

    fn connected(&mut self, context: &mut Context<'_>, peer: PeerIndex, offered: bool) {
        dispatch!(self, service => service.connected(context, peer, offered));
    }

    fn disconnected(&mut self, context: &mut Context<'_>, peer: PeerIndex) {
        dispatch!(self, service => service.disconnected(context, peer));
    }
}

/// The services that scenarios can name.
#[derive(Clone, Debug)]
pub struct Registry(Vec<ServiceSpec>);

impl Default for Registry {
    /// The built-in services.
    fn default() -> Self {
        Registry(vec![
            base_connection_manager::SPEC,
            p2p_connection_manager::SPEC,
            gossip::SPEC,
            pull_gossip::PULL,
            pull_gossip::PUSH_PULL,
            message_producer::SPEC,
            message_producer::LIMITED,
            downtime::SCHEDULED,
            downtime::RANDOM,
            downtime::CHURN,
            downtime::CRASH,
            slowdown::SPEC,
            adversaries::TAMPERING,
            adversaries::SILENT,
            adversaries::DELAYING,
            adversaries::CENSORING,
            eclipse::SPEC,
        ])
    }
}

impl Registry {
    /// This registry and one service more; it replaces one of the same name.
    pub fn with(mut self, spec: ServiceSpec) -> Self {
        self.0.retain(|known| known.name != spec.name);
        self.0.push(spec);
        self
    }

    /// The service of this name.
    pub fn get(&self, name: &str) -> Option<&ServiceSpec> {
        self.0.iter().find(|spec| spec.name == name)
    }

    /// All services.
    pub fn iter(&self) -> impl Iterator<Item = &ServiceSpec> {
        self.0.iter()
    }
}
