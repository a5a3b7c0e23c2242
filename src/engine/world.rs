//! What all peers share and nobody changes during a run.

use std::sync::Arc;

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
    /// For each peer type, which of its services handle a message type.
    pub routes: Vec<Routes>,
    /// Which peer types are bootstrap peers.
    pub is_bootstrap: Vec<bool>,
}

/// Which services of a peer type, as bits of their slots, handle each message type.
#[derive(Clone, Debug)]
pub struct Routes {
    /// How many services a peer of the type runs.
    pub services: usize,
    handlers: [u32; MessageType::LIMIT],
    /// For how long after they were produced copies of rumours that the peer holds are counted
    /// without a service, by the type of the message that brings them; no time if they are not.
    copies: [Time; MessageType::LIMIT],
    /// Which message types, as bits, are handled once the connection has noted that they came.
    noted: u64,
}

impl Routes {
    /// The routes of a type that runs this many services, none of which handles anything yet.
    pub fn new(services: usize) -> Self {
        Routes {
            services,
            handlers: [0; MessageType::LIMIT],
            copies: [Time::ZERO; MessageType::LIMIT],
            noted: 0,
        }
    }

    /// Lets copies of rumours that the peer holds be counted without a service, for so long after
    /// the rumour was produced, when a message of type `kind` brings them.
    pub fn leave_copies(&mut self, kind: MessageType, remember: Time) {
        self.copies[kind.as_usize()] = remember;
    }

    /// For how long that holds, if it does: where there is no other service to tell.
    #[inline]
    pub(super) fn copies(&self, kind: MessageType) -> Option<Time> {
        let remember = self.copies[kind.as_usize()];
        (remember > Time::ZERO && self.handlers(kind).is_power_of_two()).then_some(remember)
    }

    /// Lets messages of type `kind` be handled without a service.
    pub fn note(&mut self, kind: MessageType) {
        self.noted |= 1 << kind.0;
    }

    /// Lets the service in `slot` handle messages of type `kind`.
    pub fn add(&mut self, kind: MessageType, slot: usize) {
        self.handlers[kind.as_usize()] |= 1 << slot;
    }

    /// Whether messages of type `kind` are handled, be it without a service.
    #[inline]
    pub(super) fn handles(&self, kind: MessageType) -> bool {
        self.handlers(kind) != 0 || self.noted >> kind.0 & 1 == 1
    }

    /// The services that handle messages of type `kind`.
    #[inline]
    pub(super) fn handlers(&self, kind: MessageType) -> u32 {
        self.handlers[kind.as_usize()]
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

    /// Draws the one-way delay of a message: by the link's own law, if it has one, else by that
    /// of the locations.
    #[inline(always)]
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
