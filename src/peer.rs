//! Who takes part: a peer's id as the user gave it, its place in memory, and its name in outputs.

use std::fmt;

/// A peer's id as the scenario or the graph file gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub u64);

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A peer's place among all peers of a run, in ascending order of their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerIndex(pub u32);

impl PeerIndex {
    /// The most peers a run can have: an event's order packs two indices and a kind in 64 bits.
    pub const LIMIT: u64 = 1 << 28;

    /// The index as an offset into a column of peers.
    #[inline]
    pub const fn as_usize(self) -> usize {
        self.0 as usize
    }
}

/// A peer type's place in the scenario's order of types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeIndex(pub u16);

impl TypeIndex {
    /// The index as an offset into a column of types.
    #[inline]
    pub const fn as_usize(self) -> usize {
        self.0 as usize
    }
}

/// A location's place in the scenario's list of locations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocationIndex(pub u16);

impl LocationIndex {
    /// The index as an offset into a column of locations.
    #[inline]
    pub const fn as_usize(self) -> usize {
        self.0 as usize
    }
}

/// The ids and types of all peers of a run, for showing them as `Peer_<id>:<type>`.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// The id of each peer, ascending.
    pub ids: Vec<PeerId>,
    /// The type of each peer.
    pub types: Vec<TypeIndex>,
    /// The name of each type.
    pub type_names: Vec<String>,
}

impl Names {
    /// How many peers there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are no peers.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The peer's id.
    pub fn id(&self, peer: PeerIndex) -> PeerId {
        self.ids[peer.as_usize()]
    }

    /// The name of the peer's type.
    pub fn type_name(&self, peer: PeerIndex) -> &str {
        &self.type_names[self.types[peer.as_usize()].as_usize()]
    }

    /// `Peer_<id>:<type>`.
    pub fn name(&self, peer: PeerIndex) -> String {
        let mut name = Vec::new();
        self.write(peer, &mut name);
        String::from_utf8_lossy(&name).into_owned()
    }

    /// Appends `Peer_<id>:<type>` to `out`.
    pub fn write(&self, peer: PeerIndex, out: &mut Vec<u8>) {
        out.extend_from_slice(b"Peer_");
        out.extend_from_slice(itoa::Buffer::new().format(self.id(peer).0).as_bytes());
        out.push(b':');
        out.extend_from_slice(self.type_name(peer).as_bytes());
    }

    /// The peer with this id.
    pub fn find(&self, id: PeerId) -> Option<PeerIndex> {
        self.ids
            .binary_search(&id)
            .ok()
            .map(|place| PeerIndex(place as u32))
    }
}
