//! What travels between peers: a message's type, what it carries, and its size on the wire.

use smallvec::SmallVec;
use std::sync::Arc;

use crate::peer::PeerIndex;
use crate::time::Time;

/// A message's type: a small number whose name stands in [`MessageTypes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageType(pub u8);

impl MessageType {
    /// Offers a connection, and answers such an offer.
    pub const HELLO: MessageType = MessageType(0);
    /// Refuses or ends a connection.
    pub const GOODBYE: MessageType = MessageType(1);
    /// How many types a run can tell apart.
    pub const LIMIT: usize = 64;

    /// The type as an offset into a column of types.
    #[inline]
    pub const fn as_usize(self) -> usize {
        self.0 as usize
    }
}

/// Bytes of a message without content: type, sender, receiver, checksum.
pub const HEADER_BYTES: u32 = 24;

/// Names a rumour: the peer it comes from, and that peer's counter, which begins at 1. Shown in
/// outputs as `<peer>_<counter>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RumourId {
    /// The peer it comes from.
    pub origin: PeerIndex,
    /// Which of that peer's.
    pub counter: u32,
}

/// A message that is meant for every peer and spreads from one to the next (a rumour in Demers
/// et al., "Epidemic algorithms for replicated database maintenance", PODC 1987), as one copy
/// carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rumour {
    /// Which rumour.
    pub id: RumourId,
    /// When it was produced.
    pub produced: Time,
    /// Bytes of its payload.
    pub bytes: u32,
    /// Who has altered its payload: 0 for nobody.
    pub variant: u32,
    /// How often it may still be relayed.
    pub ttl: u16,
    /// How many links this copy has crossed.
    pub hops: u16,
}

impl Rumour {
    /// Whether its payload is the one that its origin gave it.
    pub fn intact(&self) -> bool {
        self.variant == 0
    }
}

/// What a message carries besides its type. Small, or behind a reference: a copy is cheap.
#[derive(Clone, Debug, Default)]
pub enum Payload {
    /// Nothing.
    #[default]
    Empty,
    /// One number.
    Integer(u64),
    /// A list of peers.
    Peers(SmallVec<[PeerIndex; 4]>),
    /// Any bytes.
    Bytes(Arc<[u8]>),
    /// A value of a script's, in its encoding.
    Value(Arc<[u8]>),
    /// A rumour.
    Rumour(Rumour),
    /// Several rumours.
    Rumours(Arc<[Rumour]>),
    /// The names of rumours.
    RumourIds(Arc<[RumourId]>),
}

/// A message as its receiver sees it.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// What kind of message it is.
    pub kind: MessageType,
    /// What it carries.
    pub payload: &'a Payload,
}

/// The names of all message types of a run; the first two are the engine's own.
#[derive(Clone, Debug)]
pub struct MessageTypes(Vec<String>);

impl Default for MessageTypes {
    fn default() -> Self {
        MessageTypes(vec!["Hello".into(), "Goodbye".into()])
    }
}

impl MessageTypes {
    /// The type of this name, made if there is none yet; `None` if all [`MessageType::LIMIT`]
    /// are taken.
    pub fn intern(&mut self, name: &str) -> Option<MessageType> {
        let place = match self.0.iter().position(|known| known == name) {
            Some(place) => place,
            None if self.0.len() < MessageType::LIMIT => {
                self.0.push(name.to_owned());
                self.0.len() - 1
            }
            None => return None,
        };
        Some(MessageType(place as u8))
    }

    /// The name of a type.
    pub fn name(&self, kind: MessageType) -> &str {
        &self.0[kind.as_usize()]
    }

    /// All types with their names.
    pub fn iter(&self) -> impl Iterator<Item = (MessageType, &str)> {
        self.0
            .iter()
            .enumerate()
            .map(|(place, name)| (MessageType(place as u8), name.as_str()))
    }
}
