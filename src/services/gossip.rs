//! GossipService: relays each message at its first receipt to a few random neighbours.

use std::sync::Arc;

use smallvec::SmallVec;

use super::{MessageSpec, ParameterKind, ParameterSpec, Parameters, ServiceSpec, ServiceState};
use crate::distribution::Distribution;
use crate::engine::{Context, Rejoin, Service};
use crate::message::{Message, MessageType, Payload, Rumour};
use crate::peer::{PeerId, PeerIndex, TypeIndex};
use crate::time::Time;
use crate::units::Dimension;

/// Bytes of a GossipMessage besides its payload.
pub(super) const GOSSIP_HEADER_BYTES: u32 = 250;

pub(super) const FANOUT: ParameterSpec = ParameterSpec {
    name: "fanout",
    kind: ParameterKind::Count {
        min: 0,
        max: PeerIndex::LIMIT,
    },
    default: "3",
    about: "how many random neighbours are chosen each time",
};

pub(super) const EXCLUDE_TYPES: ParameterSpec = ParameterSpec {
    name: "exclude_types",
    kind: ParameterKind::Types,
    default: "[]",
    about: "peers of these types are never chosen",
};

pub(super) const EXCLUDE_PEERS: ParameterSpec = ParameterSpec {
    name: "exclude_peers",
    kind: ParameterKind::Peers,
    default: "[]",
    about: "these peers are never chosen",
};

pub(super) const SUPPRESS_DUPLICATES: ParameterSpec = ParameterSpec {
    name: "suppress_duplicates",
    kind: ParameterKind::Flag,
    default: "true",
    about: "relay at the first receipt only; false: at every receipt, as p2psimpy does",
};

pub(super) const PROCESSING: ParameterSpec = ParameterSpec {
    name: "processing",
    kind: ParameterKind::OptionalLaw(Dimension::Time),
    default: "none",
    about: "time before a received message is handled, as for a signature check; below 0 is 0",
};

pub(super) const VERIFY: ParameterSpec = ParameterSpec {
    name: "verify",
    kind: ParameterKind::Flag,
    default: "false",
    about: "drop messages with an altered payload, after `processing`",
};

pub(super) const REMEMBER: ParameterSpec = ParameterSpec {
    name: "remember",
    kind: ParameterKind::Duration { min_ns: 1 },
    default: "10 min",
    about: "a message older than this is forgotten, and ignored if it still arrives",
};

pub(super) const GOSSIP_MESSAGE: MessageSpec =
    MessageSpec::gossip("GossipMessage", "250 B + payload");

/// What scenarios need to know of it.
pub(super) const SPEC: ServiceSpec = ServiceSpec {
    name: "GossipService",
    about: "push gossip: relays each message at its first receipt to random neighbours",
    parameters: &[
        FANOUT,
        EXCLUDE_TYPES,
        EXCLUDE_PEERS,
        SUPPRESS_DUPLICATES,
        PROCESSING,
        VERIFY,
        REMEMBER,
    ],
    messages: &[GOSSIP_MESSAGE],
    build: &|parameters, messages| factory(Config::new(parameters, messages[0], Conduct::Honest)),
    leaves_copies: |parameters| {
        let looks = parameters.flag("verify") || parameters.optional_law("processing").is_some();
        let relays = !parameters.flag("suppress_duplicates");
        (!looks && !relays).then(|| parameters.duration("remember"))
    },
    remembers,
    ..ServiceSpec::NONE
};

/// See [`ServiceSpec::remembers`].
pub(super) fn remembers(parameters: &Parameters) -> Option<Time> {
    Some(parameters.duration("remember"))
}

/// Makes the service for peers that run it with this configuration.
pub(super) fn factory(config: Config) -> super::Factory {
    let config = Arc::new(config);
    Arc::new(move || ServiceState::Gossip(GossipService::new(config.clone())))
}

/// How a peer treats the messages it is to relay.
#[derive(Debug)]
pub(super) enum Conduct {
    /// Relays them as they are.
    Honest,
    /// Alters the payload for half of those it relays to.
    Tampering,
    /// Relays nothing.
    Silent,
    /// Relays after a while.
    Delaying(Distribution),
    /// Ignores the messages of these peers.
    Censoring(Vec<PeerId>),
}

/// Who is never chosen.
#[derive(Debug)]
pub(super) struct Exclusion {
    types: Vec<TypeIndex>,
    peers: Vec<PeerId>,
}

impl Exclusion {
    pub(super) fn new(parameters: &Parameters) -> Self {
        Exclusion {
            types: parameters.types("exclude_types").to_vec(),
            peers: parameters.peers("exclude_peers").to_vec(),
        }
    }

    /// Chooses up to `fanout` random neighbours; `from`, bootstrap peers and the excluded are
    /// left out. Where no more than `fanout` are left, all of them, in ascending order, and
    /// nothing is drawn.
    pub(super) fn choose(
        &self,
        context: &mut Context<'_>,
        from: Option<PeerIndex>,
        fanout: usize,
    ) -> Peers {
        let spares_some =
            context.has_bootstrap() || !self.types.is_empty() || !self.peers.is_empty();
        let mut chosen = Peers::new();
        for peer in context.connections().iter_connected_peers() {
            if Some(peer) != from && !(spares_some && self.spares(context, peer)) {
                chosen.push(peer);
            }
        }
        if chosen.len() > fanout {
            context.random().choose_front(&mut chosen, fanout);
            chosen.truncate(fanout);
        }
        chosen
    }

    fn spares(&self, context: &Context<'_>, peer: PeerIndex) -> bool {
        context.is_bootstrap(peer)
            || (!self.types.is_empty() && self.types.contains(&context.type_of(peer)))
            || (!self.peers.is_empty() && self.peers.binary_search(&context.id(peer)).is_ok())
    }
}

/// Up to this many peers are gathered without allocating.
pub(super) type Peers = SmallVec<[PeerIndex; 32]>;

/// What all peers of a type share.
#[derive(Debug)]
pub(super) struct Config {
    fanout: usize,
    exclusion: Exclusion,
    suppress_duplicates: bool,
    processing: Option<Distribution>,
    verify: bool,
    remember: Time,
    conduct: Conduct,
    kind: MessageType,
}

impl Config {
    pub(super) fn new(parameters: &Parameters, kind: MessageType, conduct: Conduct) -> Self {
        Config {
            fanout: parameters.count("fanout") as usize,
            exclusion: Exclusion::new(parameters),
            suppress_duplicates: parameters.flag("suppress_duplicates"),
            processing: parameters.optional_law("processing").cloned(),
            verify: parameters.flag("verify"),
            remember: parameters.duration("remember"),
            conduct,
            kind,
        }
    }

    /// Of a service that takes messages in and relays none.
    pub(super) fn silent(parameters: &Parameters, kind: MessageType) -> Self {
        Config {
            fanout: 0,
            exclusion: Exclusion {
                types: Vec::new(),
                peers: Vec::new(),
            },
            suppress_duplicates: true,
            processing: parameters.optional_law("processing").cloned(),
            verify: parameters.flag("verify"),
            remember: parameters.duration("remember"),
            conduct: Conduct::Silent,
            kind,
        }
    }
}

/// The state of the service on one peer.
#[derive(Debug)]
pub struct GossipService {
    config: Arc<Config>,
    /// Boxed: few peers have any, and all services of all peers are as large as the largest.
    waiting: Option<Box<WaitingRoom>>,
}

/// Messages that wait, each at the place that its timer's tag names.
#[derive(Debug, Default)]
struct WaitingRoom {
    all: Vec<Option<Waiting>>,
    /// The tags that are free again.
    free: Vec<u32>,
}

/// A message that waits.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    from: PeerIndex,
    rumour: Rumour,
    then: Then,
}

/// What happens to a message when it has waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// It is taken in, and relayed.
    Handle,
    /// It is taken in only.
    Keep,
    /// It is relayed.
    Relay,
}

impl GossipService {
    pub(super) fn new(config: Arc<Config>) -> Self {
        GossipService {
            config,
            waiting: None,
        }
    }

    /// Messages that were produced before this time are forgotten.
    #[inline]
    pub(super) fn oldest(&self, now: Time) -> Time {
        now.since(self.config.remember)
    }

    /// Takes in a message that has arrived, without relaying it.
    pub(super) fn keep(&mut self, context: &mut Context<'_>, from: PeerIndex, rumour: &Rumour) {
        self.process(context, from, rumour, Then::Keep);
    }

    #[inline]
    fn process(&mut self, context: &mut Context<'_>, from: PeerIndex, rumour: &Rumour, then: Then) {
        if self.config.processing.is_none() {
            return self.handle(context, from, rumour, then);
        }
        self.process_later(context, from, rumour, then);
    }

    #[inline(never)]
    fn process_later(
        &mut self,
        context: &mut Context<'_>,
        from: PeerIndex,
        rumour: &Rumour,
        then: Then,
    ) {
        let config = self.config.clone();
        if let Some(law) = &config.processing {
            self.wait(context, law, from, rumour, then);
        }
    }

    fn wait(
        &mut self,
        context: &mut Context<'_>,
        law: &Distribution,
        from: PeerIndex,
        rumour: &Rumour,
        then: Then,
    ) {
        let after = Time::from_ms_clamped(law.sample(context.random()));
        let waiting = Some(Waiting {
            from,
            rumour: *rumour,
            then,
        });
        let room = &mut **self.waiting.get_or_insert_default();
        let tag = match room.free.pop() {
            Some(tag) => {
                room.all[tag as usize] = waiting;
                tag
            }
            None => {
                room.all.push(waiting);
                (room.all.len() - 1) as u32
            }
        };
        context.set_timer(after, tag);
    }

    #[inline(always)]
    fn handle(&mut self, context: &mut Context<'_>, from: PeerIndex, rumour: &Rumour, then: Then) {
        let config = &*self.config;
        let oldest = self.oldest(context.now());
        if rumour.produced < oldest {
            return;
        }
        if config.verify && !rumour.intact() {
            return context.reject(rumour);
        }
        if let Conduct::Censoring(origins) = &config.conduct
            && origins.binary_search(&context.id(rumour.id.origin)).is_ok()
        {
            return;
        }
        let new = context.receive(rumour);
        if new {
            context.forget_rumours(oldest);
        }
        if then == Then::Handle && (new || !config.suppress_duplicates) {
            self.pass_on(context, from, rumour);
        }
    }

    /// Relays what has been taken in, as the peer's conduct has it; apart from that, which
    /// happens for each copy.
    #[inline(never)]
    fn pass_on(&mut self, context: &mut Context<'_>, from: PeerIndex, rumour: &Rumour) {
        if rumour.ttl == 0 {
            return;
        }
        match &self.config.conduct {
            Conduct::Silent => {}
            Conduct::Delaying(_) => {
                let config = self.config.clone();
                if let Conduct::Delaying(law) = &config.conduct {
                    self.wait(context, law, from, rumour, Then::Relay);
                }
            }
            _ => self.relay(context, from, rumour),
        }
    }

    #[inline]
    fn relay(&self, context: &mut Context<'_>, from: PeerIndex, rumour: &Rumour) {
        let config = &*self.config;
        let chosen = config.exclusion.choose(context, Some(from), config.fanout);
        let mut onward = Rumour {
            ttl: rumour.ttl - 1,
            hops: rumour.hops.saturating_add(1),
            ..*rumour
        };
        let bytes = GOSSIP_HEADER_BYTES.saturating_add(rumour.bytes);
        let true_until = match config.conduct {
            Conduct::Tampering => chosen.len().div_ceil(2),
            _ => chosen.len(),
        };
        let (truly, altered) = chosen.split_at(true_until);
        context.send_each(truly, config.kind, Payload::Rumour(onward), bytes);
        if !altered.is_empty() {
            onward.variant = context.me().0 + 1;
            context.send_each(altered, config.kind, Payload::Rumour(onward), bytes);
        }
    }
}

impl Service for GossipService {
    #[inline]
    fn message(&mut self, context: &mut Context<'_>, from: PeerIndex, message: Message<'_>) {
        if let Payload::Rumour(rumour) = message.payload {
            self.process(context, from, rumour, Then::Handle);
        }
    }

    fn timer(&mut self, context: &mut Context<'_>, tag: u32) {
        let Some(room) = &mut self.waiting else {
            return;
        };
        let Some(waiting) = room.all.get_mut(tag as usize).and_then(Option::take) else {
            return;
        };
        room.free.push(tag);
        match waiting.then {
            Then::Relay => self.relay(context, waiting.from, &waiting.rumour),
            then => self.handle(context, waiting.from, &waiting.rumour, then),
        }
    }

    fn online(&mut self, _context: &mut Context<'_>, rejoin: Rejoin) {
        if rejoin == Rejoin::Fresh {
            self.waiting = None;
        }
    }
}
