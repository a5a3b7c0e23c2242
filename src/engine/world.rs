//! What all peers share and nobody changes during a run.

use std::sync::Arc;

use super::event::Kind;
use crate::message::{MessageType, MessageTypes};
use crate::network::{Conditions, LatencyTable, LinkLatencies, LinkMode};
use crate::peer::{LocationIndex, Names, PeerColumn, PeerIndex};
use crate::random::Stream;
use crate::record::DelayLaw;
use crate::time::Time;

/// What all peers share and nobody changes during a run.
pub struct World {
    /// Fixes all draws.
    pub seed: u64,
    /// Ids and types of the peers.
    pub names: Arc<Names>,
    /// Where each peer is.
    pub locations: Vec<LocationIndex>,
    /// The names of the locations.
    pub location_names: Vec<String>,
    /// Each peer's upload bandwidth in bit/s.
    pub bandwidth_ul: PeerColumn<f64>,
    /// Each peer's download bandwidth in bit/s.
    pub bandwidth_dl: PeerColumn<f64>,
    /// The latency between locations.
    pub latencies: LatencyTable,
    /// The latencies of single links, if any have one of their own.
    pub link_latencies: Option<LinkLatencies>,
    /// Whether uplinks queue.
    pub uplink: LinkMode,
    /// Whether downlinks queue.
    pub downlink: LinkMode,
    /// What happens to messages on their way, if anything does.
    pub conditions: Option<Box<Conditions>>,
    /// The names of the message types.
    pub message_types: Arc<MessageTypes>,
    /// For each peer type, what becomes of the messages that it receives.
    pub routes: Vec<Routes>,
    /// Which peer types are bootstrap peers.
    pub is_bootstrap: Vec<bool>,
    /// Whether the sender of each message is looked up among its receiver's connections, which
    /// notes when it was heard. It need not be where no service asks for that, nor sends over
    /// connections that are not finished: such messages can arrive before the Hello.
    pub looks_up_senders: bool,
}

/// What becomes of the messages that a peer type receives.
#[derive(Clone, Debug)]
pub struct Routes {
    /// How many services a peer of the type runs.
    pub services: usize,
    by_kind: [Route; MessageType::LIMIT],
}

/// What becomes of the messages of one type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    /// Which services, as bits of their slots, handle it.
    pub handlers: u32,
    /// Whether it is handled at all, be it without a service, once the connection has noted that
    /// it came.
    pub is_handled: bool,
    /// For how long after they were produced copies of rumours that the peer holds are counted
    /// without a service; no time if they are not.
    remember: Time,
    /// What answers it at once where it has no content, without a service.
    pub answer: Option<MessageType>,
}

impl Route {
    /// For how long that holds, if it does.
    #[inline]
    pub fn copies(&self) -> Option<Time> {
        (self.remember > Time::ZERO).then_some(self.remember)
    }

    /// Where there is another service to tell, nothing is done without them.
    fn settle_shortcuts(&mut self) {
        if self.handlers.count_ones() > 1 {
            self.remember = Time::ZERO;
            self.answer = None;
        }
    }
}

impl Routes {
    /// The routes of a type that runs this many services, none of which handles anything yet.
    pub fn new(services: usize) -> Self {
        let none = Route {
            handlers: 0,
            is_handled: false,
            remember: Time::ZERO,
            answer: None,
        };
        let mut by_kind = [none; MessageType::LIMIT];
        // The engine itself handles these.
        for kind in [MessageType::HELLO, MessageType::GOODBYE] {
            by_kind[kind.as_usize()].is_handled = true;
        }
        Routes { services, by_kind }
    }

    /// Lets copies of rumours that the peer holds be counted without a service, for so long after
    /// the rumour was produced, when a message of type `kind` brings them, and no other service
    /// handles those messages.
    pub fn leave_copies(&mut self, kind: MessageType, remember: Time) {
        let route = &mut self.by_kind[kind.as_usize()];
        route.remember = remember;
        route.settle_shortcuts();
    }

    /// Lets messages of type `kind` that have no content be answered without a service, with one
    /// of type `answer` that has none either, where only one service handles them.
    pub fn answer(&mut self, kind: MessageType, answer: MessageType) {
        let route = &mut self.by_kind[kind.as_usize()];
        route.answer = Some(answer);
        route.settle_shortcuts();
    }

    /// Lets messages of type `kind` be handled without a service.
    pub fn note(&mut self, kind: MessageType) {
        self.by_kind[kind.as_usize()].is_handled = true;
    }

    /// Lets the service in `slot` handle messages of type `kind`.
    pub fn add(&mut self, kind: MessageType, slot: usize) {
        let route = &mut self.by_kind[kind.as_usize()];
        route.handlers |= 1 << slot;
        route.is_handled = true;
        route.settle_shortcuts();
    }

    /// Whether events of this kind have a service called, whatever they bring.
    pub(super) fn calls(&self, kind: Kind) -> bool {
        match kind {
            Kind::Delivery(kind) | Kind::Arrival(kind) => {
                let route = self.of(kind);
                // Of connections that begin and end services are told, too.
                let shortcut = route.copies().is_some() || route.answer.is_some();
                kind <= MessageType::GOODBYE || route.handlers != 0 && !shortcut
            }
            Kind::Start | Kind::Timer { .. } | Kind::Alarm { .. } => true,
        }
    }

    /// What becomes of the messages of type `kind`.
    #[inline]
    pub(super) fn of(&self, kind: MessageType) -> Route {
        self.by_kind[kind.as_usize()]
    }
}

impl World {
    /// Where two peers are; where there is one location only, without asking their entries.
    #[inline]
    pub(super) fn locations_of(
        &self,
        from: PeerIndex,
        to: PeerIndex,
    ) -> (LocationIndex, LocationIndex) {
        match self.latencies.locations() {
            1 => (LocationIndex(0), LocationIndex(0)),
            _ => (self.location(from), self.location(to)),
        }
    }

    /// Draws the one-way delays of messages from one peer to others, in their order.
    #[inline(always)]
    pub(super) fn draw_delays(
        &self,
        from: PeerIndex,
        to: &[PeerIndex],
        stream: &mut Stream,
        delays: &mut [Time],
    ) {
        if self.link_latencies.is_none() && self.latencies.locations() == 1 {
            let here = LocationIndex(0);
            return self.latencies.draw_all(here, here, stream, delays);
        }
        for (&to, delay) in to.iter().zip(delays) {
            *delay = self.draw_delay(from, to, stream);
        }
    }

    /// Draws the one-way delay of a message: by the link's own law, if it has one, else by that
    /// of the locations.
    pub(super) fn draw_delay(&self, from: PeerIndex, to: PeerIndex, stream: &mut Stream) -> Time {
        let own_law = self.link_latencies.as_ref().and_then(|l| l.get(from, to));
        match own_law {
            Some(law) => self.latencies.draw_from(law, stream),
            None => {
                let (from, to) = self.locations_of(from, to);
                self.latencies.draw(from, to, stream)
            }
        }
    }

    /// Whose latency a message between two peers pays.
    pub(super) fn delay_law(&self, from: PeerIndex, to: PeerIndex) -> DelayLaw {
        match &self.link_latencies {
            Some(links) if links.get(from, to).is_some() => DelayLaw::Link,
            _ => DelayLaw::Locations,
        }
    }

    /// The least one-way delay of a message between any two peers: for so long, what one peer
    /// does cannot matter to another.
    pub(super) fn lookahead(&self) -> Time {
        let own_laws = self.link_latencies.iter().flat_map(|links| links.laws());
        self.latencies.lower_bound(own_laws)
    }

    #[inline]
    pub(super) fn location(&self, peer: PeerIndex) -> LocationIndex {
        self.locations[peer.as_usize()]
    }
}
