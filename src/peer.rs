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

/// The ids of all peers, ascending. Those that follow one another are not stored one by one.
#[derive(Clone, Debug, Default)]
pub struct PeerIds {
    len: usize,
    first: u64,
    /// Empty if each is one more than that before it.
    listed: Vec<PeerId>,
}

impl From<Vec<PeerId>> for PeerIds {
    /// `ids` must ascend.
    fn from(ids: Vec<PeerId>) -> Self {
        let first = ids.first().map_or(0, |id| id.0);
        let follow = |(place, id): (usize, &PeerId)| id.0 == first + place as u64;
        PeerIds {
            len: ids.len(),
            first,
            listed: if ids.iter().enumerate().all(follow) {
                Vec::new()
            } else {
                ids
            },
        }
    }
}

impl PeerIds {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The id of a peer.
    #[inline]
    pub fn get(&self, peer: PeerIndex) -> PeerId {
        match self.listed.get(peer.as_usize()) {
            Some(&id) => id,
            None => PeerId(self.first + u64::from(peer.0)),
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = PeerId> + '_ {
        (0..self.len as u32).map(|place| self.get(PeerIndex(place)))
    }

    /// The peer with this id.
    pub fn find(&self, id: PeerId) -> Option<PeerIndex> {
        let place = if self.listed.is_empty() {
            let place = id.0.checked_sub(self.first)?;
            usize::try_from(place)
                .ok()
                .filter(|&place| place < self.len)?
        } else {
            self.listed.binary_search(&id).ok()?
        };
        Some(PeerIndex(place as u32))
    }
}

/// A figure of each peer; stored once while it is the same for all of them.
#[derive(Clone, Debug, Default)]
pub struct PeerColumn<T> {
    len: usize,
    /// One entry, or one a peer.
    values: Vec<T>,
}

impl<T: Copy + PartialEq> PeerColumn<T> {
    /// Adds that of the next peer.
    pub fn push(&mut self, value: T) {
        match self.values[..] {
            [first] if first == value => {}
            [first] => {
                self.values.resize(self.len, first);
                self.values.push(value);
            }
            _ => self.values.push(value),
        }
        self.len += 1;
    }
}

impl<T> std::ops::Index<usize> for PeerColumn<T> {
    type Output = T;

    #[inline]
    fn index(&self, place: usize) -> &T {
        match &self.values[..] {
            [value] => value,
            values => &values[place],
        }
    }
}

/// The ids and types of all peers of a run, for showing them as `Peer_<id>:<type>`.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// The id of each peer, ascending.
    pub ids: PeerIds,
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
        self.ids.get(peer)
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
        self.ids.find(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_whether_they_follow_one_another_or_not() {
        for numbers in [vec![], vec![5], vec![1, 2, 3], vec![1, 2, 4], vec![0, 7]] {
            let ids = PeerIds::from(numbers.iter().copied().map(PeerId).collect::<Vec<_>>());
            assert_eq!(ids.len(), numbers.len());
            for id in 0..10 {
                let place = numbers.iter().position(|&number| number == id);
                let place = place.map(|place| PeerIndex(place as u32));
                assert_eq!(ids.find(PeerId(id)), place, "{id} of {numbers:?}");
                if let Some(place) = place {
                    assert_eq!(ids.get(place), PeerId(id));
                }
            }
        }
    }

    #[test]
    fn a_column_gives_back_what_was_put_in() {
        for figures in [vec![3], vec![3, 3, 3], vec![3, 3, 4, 3], vec![1, 2]] {
            let mut column = PeerColumn::default();
            for &figure in &figures {
                column.push(figure);
            }
            let back: Vec<i32> = (0..figures.len()).map(|place| column[place]).collect();
            assert_eq!(back, figures);
        }
    }
}
