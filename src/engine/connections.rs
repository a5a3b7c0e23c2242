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

/// All connections of a peer, in ascending order of the other end.
#[derive(Clone, Debug, Default)]
pub struct Connections {
    entries: Vec<Connection>,
    connected: u32,
}

impl Connections {
    #[inline]
    fn place(&self, peer: PeerIndex) -> Result<usize, usize> {
        self.entries
            .binary_search_by_key(&peer, |connection| connection.peer)
    }

    /// The connection to `peer`, if there is one in any state.
    #[inline]
    pub fn get(&self, peer: PeerIndex) -> Option<&Connection> {
        self.place(peer).ok().map(|place| &self.entries[place])
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
        self.entries.len() - self.connected()
    }

    /// All connections, finished or not.
    pub fn iter(&self) -> impl Iterator<Item = &Connection> {
        self.entries.iter()
    }

    /// The finished connections.
    pub fn iter_connected(&self) -> impl Iterator<Item = &Connection> {
        self.entries
            .iter()
            .filter(|connection| connection.state == ConnectionState::Connected)
    }

    /// The `place`-th connection, finished or not.
    pub(super) fn at(&self, place: usize) -> Option<&Connection> {
        self.entries.get(place)
    }

    /// Room for `count` connections, exactly.
    pub(super) fn reserve(&mut self, count: usize) {
        self.entries.reserve_exact(count);
    }

    /// Notes that something of `peer` arrived at `now`; the connection's state, if there is one.
    #[inline]
    pub(super) fn hear(&mut self, peer: PeerIndex, now: Time) -> Option<ConnectionState> {
        let place = self.place(peer).ok()?;
        let connection = &mut self.entries[place];
        connection.last_heard = now;
        Some(connection.state)
    }

    /// Begins to dial `peer`; false if there is a connection in any state already.
    pub(super) fn dial(&mut self, peer: PeerIndex, now: Time) -> bool {
        let Err(place) = self.place(peer) else {
            return false;
        };
        let connection = Connection {
            peer,
            state: ConnectionState::Dialling,
            last_heard: now,
            since: now,
        };
        self.entries.insert(place, connection);
        true
    }

    /// Makes the connection to `peer` a finished one.
    pub(super) fn settle(&mut self, peer: PeerIndex, now: Time) {
        let connection = Connection {
            peer,
            state: ConnectionState::Connected,
            last_heard: now,
            since: now,
        };
        match self.place(peer) {
            Ok(place) if self.entries[place].state == ConnectionState::Connected => return,
            Ok(place) => self.entries[place] = connection,
            Err(place) => self.entries.insert(place, connection),
        }
        self.connected += 1;
    }

    /// Forgets the connection to `peer`; what it was.
    pub(super) fn remove(&mut self, peer: PeerIndex) -> Option<Connection> {
        let connection = self.entries.remove(self.place(peer).ok()?);
        self.connected -= u32::from(connection.state == ConnectionState::Connected);
        Some(connection)
    }
}
