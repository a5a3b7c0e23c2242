//! What becomes of a message between its sender's uplink and its receiver, where the network does
//! more than delay it.

use super::event::{Event, Kind};
use super::peer_state::PeerState;
use super::post::Post;
use super::world::World;
use crate::network::{Conditions, Replica, SenderConditions};
use crate::peer::PeerIndex;
use crate::record::LossCause;
use crate::time::Time;

impl PeerState {
    /// Queues a message that has left the uplink at `departure`, unless the network loses it;
    /// and a second copy, if it makes one. Each copy is delayed and lost on its own.
    #[inline(never)]
    pub(super) fn carry(
        &mut self,
        conditions: &Conditions,
        world: &World,
        post: &mut Post,
        departure: Time,
        event: Event,
    ) {
        let me = PeerIndex(event.sender());
        let sender = self.rare().conditions.get_or_insert_with(|| {
            let id = world.names.id(me).0;
            SenderConditions::new(world.seed, id)
        });
        let locations = (world.location(me), world.location(event.receiver()));
        let fate = |replica, arrival, sender: &mut SenderConditions| {
            let partitions = &conditions.partitions;
            if partitions.cut(me, event.receiver(), departure, arrival) {
                return Some(LossCause::Partition);
            }
            conditions
                .loses(replica, locations.0, locations.1, departure, sender)
                .then_some(LossCause::Loss)
        };
        let first = fate(Replica::First, event.time(), sender);
        let second = conditions.duplicates(sender).then(|| {
            let delay = world.draw_delay(me, event.receiver(), &mut sender.duplicates);
            post.note_delay(world, me, event.receiver(), delay);
            let arrival = departure + delay;
            (arrival, fate(Replica::Second, arrival, sender))
        });
        if let Some((arrival, fate)) = second {
            post.contents.duplicate(event.body());
            let copy = event.copied(arrival);
            if let Kind::Arrival(kind) | Kind::Delivery(kind) = event.kind() {
                let bytes = post.contents.bytes(event.body());
                post.recorder.traffic.duplicated(kind, bytes);
            }
            hand_over(post, copy, fate);
        }
        hand_over(post, event, first);
    }
}

/// Queues a copy of a message, or counts it as lost.
fn hand_over(post: &mut Post, event: Event, fate: Option<LossCause>) {
    match (fate, event.kind()) {
        (Some(cause), Kind::Arrival(kind) | Kind::Delivery(kind)) => {
            post.contents.take(event.body());
            post.recorder.traffic.lost(kind, cause);
        }
        _ => post.dispatch(event),
    }
}
