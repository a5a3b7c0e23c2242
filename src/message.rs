//! What travels between peers: a message's type, what it carries, and its size on the wire.

use smallvec::SmallVec;
use std::sync::Arc;

use crate::peer::PeerIndex;

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
