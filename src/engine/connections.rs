//! A peer's connections: whom it is connected to or dials, and when it last heard of them.

use crate::peer::PeerIndex;
use crate::time::Time;

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    /// Hello was sent and is not answered yet.
    Dialling,
    /// The other peer's Hello has arrived.
    Connected,
}

/// A connection as one of its ends sees it.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    /// The other end.
    pub peer: PeerIndex,
    /// How far it has come.
    pub state: ConnectionState,
    /// When the other end was last heard of; the time the connection was made to begin with.
    pub last_heard: Time,
    /// When it came into this state.
    pub since: Time,
}

/// What is kept of a connection besides its other end.
#[derive(Clone, Copy, Debug)]
struct Entry {
    last_heard: Time,
    /// The time since when, and in the lowest bit whether it is connected.
    since: u64,
}

impl Entry {
    fn new(state: ConnectionState, now: Time) -> Self {
        Entry {
            last_heard: now,
            since: now.as_ns() << 1 | u64::from(state == ConnectionState::Connected),
        }
    }

    #[inline]
    fn state(self) -> ConnectionState {
        if self.since & 1 == 1 {
            ConnectionState::Connected
        } else {
            ConnectionState::Dialling
        }
    }
}

/// All connections of a peer, in ascending order of the other end.
///
/// The other ends stand apart from the rest: each message that arrives looks its sender up, and
/// a dozen of them fit one line of the cache.
#[derive(Clone, Debug, Default)]
pub struct Connections {
    peers: Vec<PeerIndex>,
    entries: Vec<Entry>,
    connected: u32,
}

impl Connections {
    #[inline]
    fn place(&self, peer: PeerIndex) -> Result<usize, usize> {
        self.peers.binary_search(&peer)
    }

    #[inline]
    fn connection(&self, place: usize) -> Connection {
        let entry = self.entries[place];
        Connection {
            peer: self.peers[place],
            state: entry.state(),
            last_heard: entry.last_heard,
            since: Time::from_ns(entry.since >> 1),
        }
    }

    /// The connection to `peer`, if there is one in any state.
    #[inline]
    pub fn get(&self, peer: PeerIndex) -> Option<Connection> {
        self.place(peer).ok().map(|place| self.connection(place))
    }

    /// Whether there is a finished connection to `peer`.
    pub fn is_connected(&self, peer: PeerIndex) -> bool {
        self.get(peer)
            .is_some_and(|connection| connection.state == ConnectionState::Connected)
    }

    /// How many connections are finished.
    #[inline]
    pub fn connected(&self) -> usize {
        self.connected as usize
    }

    /// How many connections are being dialled.
    pub fn dialling(&self) -> usize {
        self.peers.len() - self.connected()
    }

    /// All connections, finished or not.
    pub fn iter(&self) -> impl Iterator<Item = Connection> + '_ {
        (0..self.peers.len()).map(|place| self.connection(place))
    }

    /// The finished connections.
    pub fn iter_connected(&self) -> impl Iterator<Item = Connection> + '_ {
        self.iter()
            .filter(|connection| connection.state == ConnectionState::Connected)
    }

    /// Whether there is a connection to `peer` in any state.
    #[inline]
    pub(super) fn contains(&self, peer: PeerIndex) -> bool {
        self.place(peer).is_ok()
    }

    /// The `place`-th connection, finished or not.
    #[inline]
    pub(super) fn at(&self, place: usize) -> Option<Connection> {
        (place < self.peers.len()).then(|| self.connection(place))
    }

    /// The first of the other ends: reading it brings them into the cache.
    #[inline]
    pub(super) fn first(&self) -> u32 {
        self.peers.first().map_or(0, |peer| peer.0)
    }

    /// Begins with attempts to reach `peers`, which ascend, at `now`.
    pub(super) fn begin(&mut self, peers: impl ExactSizeIterator<Item = PeerIndex>, now: Time) {
        // Exactly as much room as there are peers: in a given graph no more will come.
        self.peers = peers.collect();
        self.entries = vec![Entry::new(ConnectionState::Dialling, now); self.peers.len()];
    }

    /// Notes that something of `peer` arrived at `now`; the connection's state, if there is one.
    #[inline]
    pub(super) fn hear(&mut self, peer: PeerIndex, now: Time) -> Option<ConnectionState> {
        let place = self.place(peer).ok()?;
        let entry = &mut self.entries[place];
        entry.last_heard = now;
        Some(entry.state())
    }

    /// Begins to dial `peer`; false if there is a connection in any state already.
    pub(super) fn dial(&mut self, peer: PeerIndex, now: Time) -> bool {
        let Err(place) = self.place(peer) else {
            return false;
        };
        self.peers.insert(place, peer);
        self.entries
            .insert(place, Entry::new(ConnectionState::Dialling, now));
        true
    }

    /// Makes the connection to `peer` a finished one.
    pub(super) fn settle(&mut self, peer: PeerIndex, now: Time) {
        let entry = Entry::new(ConnectionState::Connected, now);
        match self.place(peer) {
            Ok(place) if self.entries[place].state() == ConnectionState::Connected => return,
            Ok(place) => self.entries[place] = entry,
            Err(place) => {
                self.peers.insert(place, peer);
                self.entries.insert(place, entry);
            }
        }
        self.connected += 1;
    }

    /// Forgets the connection to `peer`; the state it was in, if there was one.
    pub(super) fn remove(&mut self, peer: PeerIndex) -> Option<ConnectionState> {
        let place = self.place(peer).ok()?;
        self.peers.remove(place);
        let state = self.entries.remove(place).state();
        self.connected -= u32::from(state == ConnectionState::Connected);
        Some(state)
    }

    /// Forgets all connections; the peers they led to, and how many were finished.
    pub(super) fn clear(&mut self) -> (Vec<PeerIndex>, u32) {
        self.entries.clear();
        let connected = std::mem::take(&mut self.connected);
        (std::mem::take(&mut self.peers), connected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_states_and_times_in_order_of_peers() {
        let [a, b] = [PeerIndex(3), PeerIndex(1)];
        let mut connections = Connections::default();
        assert!(connections.dial(a, Time::from_ns(5)));
        assert!(!connections.dial(a, Time::from_ns(6)));
        connections.settle(b, Time::from_ns(7));
        assert_eq!((connections.connected(), connections.dialling()), (1, 1));
        let order: Vec<PeerIndex> = connections.iter().map(|c| c.peer).collect();
        assert_eq!(order, [b, a]);
        let state = connections.hear(a, Time::from_ns(9));
        assert_eq!(state, Some(ConnectionState::Dialling));
        connections.settle(a, Time::from_ns(10));
        connections.settle(a, Time::from_ns(11));
        let settled = connections.get(a).expect("a connection");
        assert_eq!(
            (settled.since, settled.last_heard),
            (Time::from_ns(10), Time::from_ns(10))
        );
        assert_eq!(connections.connected(), 2);
        assert_eq!(connections.remove(a), Some(ConnectionState::Connected));
        assert_eq!(connections.remove(a), None);
        assert!(!connections.is_connected(a) && connections.is_connected(b));
        assert_eq!(connections.clear(), (vec![b], 1));
        assert!(connections.iter().next().is_none());
    }
}
