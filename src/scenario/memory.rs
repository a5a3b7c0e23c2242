//! How much memory a run takes, estimated on the high side before anything is built: what
//! docs/performance.md measures, rounded up. Logs are not counted.

use super::compiler::Compiler;
use super::source::Place;
use crate::record::DeliveryMode;
use crate::simulation::{PeerType, Population};
use crate::time::Time;
use crate::units::{show_bytes, show_count};

/// What the program takes itself, with all that it writes of a small network.
pub const PROGRAM_BYTES: u64 = 30_000_000;

/// An estimate of the memory that a network takes without the messages that its peers hold if it
/// `gossips`. A gossip message on its way takes more than a ping.
pub fn estimate_bytes(peers: u64, links: f64, gossips: bool) -> u64 {
    const PEER_BYTES: f64 = 450.0;
    let link_bytes = if gossips { 200.0 } else { 100.0 };
    (peers as f64 * PEER_BYTES + links * link_bytes) as u64
}

/// An estimate of what scripts take besides, for peer types of so many peers each: what the example
/// of push gossip does, without what peers keep in `self`.
pub fn estimate_scripts_bytes(types: &[PeerType], counts: &[u64]) -> u64 {
    const SCRIPT_PEER_BYTES: u64 = 2048;
    let scripts = |peer_type: &PeerType| {
        let services = peer_type.services.iter();
        services.filter(|service| service.input.is_some()).count() as u64
    };
    let each = types.iter().zip(counts);
    each.map(|(peer_type, &count)| SCRIPT_PEER_BYTES * count * scripts(peer_type))
        .sum()
}

/// What messages for everyone take if every one of them reaches all peers that take any in; fewer
/// do where a `ttl`, loss or a partition stops them. What scripts publish is not counted: it
/// cannot be known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessagesEstimate {
    /// How many there are in the whole run.
    pub produced: u64,
    /// How many a peer holds at most.
    pub held: u64,
    /// What all peers take to hold them, in bytes.
    pub held_bytes: u64,
    /// What the records of their receipts take if all are kept, in bytes.
    pub deliveries_bytes: u64,
}

impl MessagesEstimate {
    /// An estimate for peer types of so many peers each.
    pub fn new(
        types: &[PeerType],
        counts: &[u64],
        horizon: Time,
        deliveries: DeliveryMode,
    ) -> Self {
        let each = || types.iter().zip(counts.iter().copied());
        let of_all = |count: &dyn Fn(&PeerType) -> u64| {
            each().fold(0, |sum: u64, (peer_type, peers)| {
                sum.saturating_add(peers.saturating_mul(count(peer_type)))
            })
        };
        let produced = of_all(&|peer_type| produced(peer_type, horizon));
        let mut estimate = MessagesEstimate {
            produced,
            ..MessagesEstimate::default()
        };
        let mut receipts = 0_u64;
        for (peer_type, peers) in each() {
            let held = match peer_type.remembers() {
                // Its own.
                None => self::produced(peer_type, horizon),
                Some(remember) => {
                    receipts = receipts.saturating_add(peers.saturating_mul(produced));
                    let young = of_all(&|other| {
                        let productions = other.productions();
                        sum(productions.map(|production| production.within(remember, horizon)))
                    });
                    produced.min(held_max(young))
                }
            };
            if peers > 0 {
                estimate.held = estimate.held.max(held);
            }
            let bytes = peers.saturating_mul(held_bytes(held));
            estimate.held_bytes = estimate.held_bytes.saturating_add(bytes);
        }
        if deliveries == DeliveryMode::Full {
            estimate.deliveries_bytes = deliveries_bytes(receipts);
        }
        estimate
    }

    /// What they take in all.
    pub fn bytes(&self) -> u64 {
        self.held_bytes.saturating_add(self.deliveries_bytes)
    }
}

/// How many messages a peer of this type produces before `horizon`.
fn produced(peer_type: &PeerType, horizon: Time) -> u64 {
    let productions = peer_type.productions();
    sum(productions.map(|production| production.until(horizon)))
}

fn sum(counts: impl Iterator<Item = u64>) -> u64 {
    counts.fold(0, u64::saturating_add)
}

/// How many messages a peer may hold of which so many are young enough: it looks for old ones
/// when their number has doubled, and not among a few (`engine/rumours.rs`).
fn held_max(young: u64) -> u64 {
    const FEW: u64 = 32;
    young.saturating_mul(2).max(FEW)
}

/// What it takes a peer to hold so many messages: 16 bytes each in a list that doubles, and about
/// as much for their contents and what the list has outgrown.
fn held_bytes(messages: u64) -> u64 {
    const MARK_BYTES: u64 = 16;
    const BESIDES_BYTES: u64 = 16;
    let list = MARK_BYTES.saturating_mul(doubled(messages));
    list.saturating_add(BESIDES_BYTES.saturating_mul(messages))
}

/// What so many receipts take: 32 bytes each in a list that doubles; then 8 for their ages, of
/// which percentiles are taken, and 4 for the order in which they are written.
fn deliveries_bytes(receipts: u64) -> u64 {
    const RECEIPT_BYTES: u64 = 32;
    const END_BYTES: u64 = 12;
    let list = RECEIPT_BYTES.saturating_mul(doubled(receipts));
    list.saturating_add(END_BYTES.saturating_mul(receipts))
}

/// For how many a list has room that began with room for a few and doubled.
fn doubled(count: u64) -> u64 {
    const FIRST: u64 = 4;
    match count {
        0 => 0,
        count => count
            .max(FIRST)
            .checked_next_power_of_two()
            .unwrap_or(u64::MAX),
    }
}

impl Compiler<'_> {
    /// Refuses a network that does not fit into memory, whatever its peers hold; its bytes.
    pub(super) fn check_memory(
        &mut self,
        population: &Population,
        types: &[PeerType],
        counts: &[u64],
        place: Place,
    ) -> u64 {
        let (peers, links) = population.size();
        let gossips = types.iter().any(PeerType::spreads_rumours);
        let bytes = estimate_bytes(peers, links, gossips)
            .saturating_add(estimate_scripts_bytes(types, counts));
        if bytes > self.options.memory_limit_bytes {
            let message = format!(
                "{} peers with {} links would take about {}, more than the {} there are",
                show_count(peers),
                show_count(links as u64),
                show_bytes(bytes),
                show_bytes(self.options.memory_limit_bytes),
            );
            self.error(place, message, "a smaller network, or a larger machine");
        }
        bytes
    }

    /// Warns of messages that, beside a network of so many bytes, may not fit into memory. It is
    /// no error: how far they spread shows in the run only.
    pub(super) fn check_messages(
        &mut self,
        messages: &MessagesEstimate,
        network_bytes: u64,
        place: Place,
    ) {
        let limit = self.options.memory_limit_bytes;
        let bytes = messages.bytes();
        let all = bytes
            .saturating_add(network_bytes)
            .saturating_add(PROGRAM_BYTES);
        if bytes == 0 || all <= limit {
            return;
        }
        let message = format!(
            "a peer may come to hold {} of {} messages, which for all peers takes about {}: \
             {} with the network, more than the {} there are",
            show_count(messages.held),
            show_count(messages.produced),
            show_bytes(bytes),
            show_bytes(all),
            show_bytes(limit),
        );
        let cure = if messages.deliveries_bytes > messages.held_bytes {
            "output: {deliveries: summary}, or fewer messages"
        } else {
            "fewer messages (`times`, a longer `interval`), or a smaller `remember`"
        };
        self.warning(place, message, cure);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scenario::{LoadOptions, Override, Scenario, load};

    /// A flood of 100 messages, one every 10 ms, to 10,001 peers.
    fn flood(sets: &[&str], memory_limit_bytes: u64) -> Scenario {
        let overrides = sets.iter().map(|set| Override::parse(set).unwrap());
        let options = LoadOptions {
            overrides: overrides.collect(),
            memory_limit_bytes,
            ..LoadOptions::default()
        };
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/flood.yaml");
        match load(&path, &options) {
            Ok(scenario) => scenario,
            Err(error) => panic!("{}", error.render(false)),
        }
    }

    fn estimate(sets: &[&str]) -> MessagesEstimate {
        let plan = flood(sets, u64::MAX).plan;
        // The producer is the first of the types.
        let counts = [1, 10_000];
        MessagesEstimate::new(&plan.types, &counts, plan.horizon, plan.measures.deliveries)
    }

    const SHORT: &str = "peer_types.peer.services.GossipService.remember=95 ms";

    #[test]
    fn messages_are_counted_with_all_who_may_hold_them() {
        let all = MessagesEstimate {
            produced: 100,
            held: 100,
            held_bytes: 10_001 * (128 * 16 + 100 * 16),
            deliveries_bytes: 0,
        };
        assert_eq!(estimate(&[]), all);
        // The first is produced at 1 s, so 30 until 1.3 s: within one list of 32.
        let early = estimate(&["horizon=1300"]);
        assert_eq!((early.produced, early.held), (30, 30));
        assert_eq!(early.held_bytes, 10_001 * (32 * 16 + 30 * 16));
        let full = estimate(&["output.deliveries=full"]);
        assert_eq!(full.deliveries_bytes, (1 << 20) * 32 + 1_000_100 * 12);
        assert_eq!(full.held_bytes, all.held_bytes);
    }

    #[test]
    fn who_takes_none_in_holds_its_own() {
        let producer = "peer_types.producer.services={LimitedMessageProducer: {times: 8}}";
        let horizon = "horizon=3 s";
        let some = estimate(&[producer, horizon]);
        // At 1.0, 1.2, ..., 2.8 s, but no more than 8.
        assert_eq!((some.produced, some.held), (8, 8));
        let peer = "peer_types.peer.services={BaseConnectionManager: {}}";
        let own = estimate(&[producer, peer, horizon, "output.deliveries=full"]);
        assert_eq!((own.produced, own.held), (8, 8));
        assert_eq!((own.held_bytes, own.deliveries_bytes), (8 * 16 + 8 * 16, 0));
    }

    #[test]
    fn what_is_forgotten_is_not_held() {
        // Those of the last 95 ms are ten, and few are not worth forgetting; of 195 ms, twenty.
        let short = estimate(&[SHORT]);
        let producer = 128 * 16 + 100 * 16;
        assert_eq!(short.held_bytes, producer + 10_000 * (32 * 16 + 32 * 16));
        let longer = estimate(&[&SHORT.replace("95", "195")]);
        assert_eq!(longer.held_bytes, producer + 10_000 * (64 * 16 + 40 * 16));
        // All receipts are recorded nevertheless.
        let full = estimate(&[SHORT, "output.deliveries=full"]);
        assert_eq!(full.deliveries_bytes, (1 << 20) * 32 + 1_000_100 * 12);
    }

    #[test]
    fn messages_that_may_not_fit_are_warned_of_and_not_refused() {
        // The network takes 14.5 MB, the program 30, and what peers hold 36.
        let warned = |sets: &[&str], limit: u64| {
            let warnings = flood(sets, limit).warnings;
            warnings
                .into_iter()
                .map(|warning| (warning.message, warning.expected))
                .collect::<Vec<_>>()
        };
        let (message, cure) = warned(&[], 70_000_000).pop().unwrap();
        assert_eq!(
            message,
            "a peer may come to hold 100 of 100 messages, which for all peers takes about 34.8 MiB: \
             77.2 MiB with the network, more than the 66.8 MiB there are"
        );
        assert!(cure.contains("`remember`"), "{cure}");
        assert_eq!(warned(&[], 90_000_000), []);
        assert_eq!(warned(&[SHORT], 70_000_000), []);
        let (_, cure) = warned(&["output.deliveries=full"], 90_000_000)
            .pop()
            .unwrap();
        assert!(cure.contains("deliveries: summary"), "{cure}");
    }
}
