//! What a script's peer can do, in whichever language it is written.

use smallvec::SmallVec;

use super::super::gossip::{GOSSIP_HEADER_BYTES, Peers};
use crate::engine::Context;
use crate::message::{HEADER_BYTES, MessageType, Payload, Rumour};
use crate::peer::{PeerId, PeerIndex};

/// What a script's message carries, and its size unless the script gives one.
#[derive(Clone, Debug)]
pub(super) struct Content {
    pub(super) payload: Payload,
    /// Bytes in all.
    pub(super) bytes: u32,
}

impl Content {
    pub(super) const EMPTY: Content = Content {
        payload: Payload::Empty,
        bytes: HEADER_BYTES,
    };

    /// One copy of a rumour, to be sent: it will have crossed a link more, and may be relayed
    /// once less if it has been received.
    pub(super) fn rumour(rumour: &Rumour) -> Self {
        Content {
            payload: Payload::Rumour(sent(rumour)),
            bytes: GOSSIP_HEADER_BYTES.saturating_add(rumour.bytes),
        }
    }
}

/// A rumour as the next peer receives it.
pub(super) fn sent(rumour: &Rumour) -> Rumour {
    let relayed = rumour.hops > 0;
    Rumour {
        ttl: rumour.ttl.saturating_sub(u16::from(relayed)),
        hops: rumour.hops.saturating_add(1),
        ..*rumour
    }
}

/// Sends to up to `fanout` random neighbours, `except` and bootstrap peers left out, as
/// GossipService chooses them; to how many.
pub(super) fn gossip(
    context: &mut Context<'_>,
    kind: MessageType,
    content: Content,
    fanout: usize,
    except: &[PeerIndex],
) -> usize {
    let has_bootstrap = context.has_bootstrap();
    let mut chosen: Peers = context
        .connections()
        .iter_connected_peers()
        .filter(|peer| !except.contains(peer))
        .filter(|&peer| !(has_bootstrap && context.is_bootstrap(peer)))
        .collect();
    if chosen.len() > fanout {
        context.random().choose_front(&mut chosen, fanout);
        chosen.truncate(fanout);
    }
    context.send_each(&chosen, kind, content.payload, content.bytes);
    chosen.len()
}

/// Sends to all neighbours; to how many.
pub(super) fn broadcast(context: &mut Context<'_>, kind: MessageType, content: Content) -> usize {
    let all: Peers = context.connections().iter_connected_peers().collect();
    context.send_each(&all, kind, content.payload, content.bytes);
    all.len()
}

/// The peers of these ids; or the first id that nobody has.
pub(super) fn find_all(
    context: &Context<'_>,
    ids: impl IntoIterator<Item = u64>,
) -> Result<SmallVec<[PeerIndex; 4]>, u64> {
    let find = |id| context.find(PeerId(id)).ok_or(id);
    ids.into_iter().map(find).collect()
}
