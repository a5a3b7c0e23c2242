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
///
/// Each message that arrives looks its sender up and notes when it was heard. So all of it lies
/// in one piece of memory, the other ends first and what is seldom asked for last: a dozen other
/// ends fit one line of the cache.
#[derive(Clone, Debug, Default)]
pub struct Connections {
    /// Of n connections: n times the other end, and in the lowest bit whether it is connected;
    /// n times when it was last heard; n times since when it is in its state. Times take two
    /// words each.
    words: Vec<u32>,
    connected: u32,
}

/// Words that a connection takes.
const WORDS: usize = 5;
/// Up to this many other ends are compared all at once rather than by halves.
const COMPARED_MAX: usize = 32;

const fn end_word(peer: PeerIndex, state: ConnectionState) -> u32 {
    peer.0 << 1 | matches!(state, ConnectionState::Connected) as u32
}

const fn time_words(time: Time) -> [u32; 2] {
    [time.as_ns() as u32, (time.as_ns() >> 32) as u32]
}

impl Connections {
    /// How many connections there are in any state.
    #[inline]
    fn len(&self) -> usize {
        self.words.len() / WORDS
    }

    #[inline]
    fn ends(&self) -> &[u32] {
        &self.words[..self.len()]
    }

    #[inline]
    fn place(&self, peer: PeerIndex) -> Result<usize, usize> {
        let ends = self.ends();
        let least = end_word(peer, ConnectionState::Dialling);
        let place = if ends.len() <= COMPARED_MAX {
            ends.iter().map(|&end| usize::from(end < least)).sum()
        } else {
            ends.partition_point(|&end| end < least)
        };
        match ends.get(place) {
            Some(end) if end >> 1 == peer.0 => Ok(place),
            _ => Err(place),
        }
    }

    #[inline]
    fn state(&self, place: usize) -> ConnectionState {
        if self.words[place] & 1 == 1 {
            ConnectionState::Connected
        } else {
            ConnectionState::Dialling
        }
    }

    /// Where the time stands at which the `place`-th was last heard.
    #[inline]
    fn heard_at(&self, place: usize) -> usize {
        self.len() + 2 * place
    }

    #[inline]
    fn since_at(&self, place: usize) -> usize {
        3 * self.len() + 2 * place
    }

    #[inline]
    fn time(&self, at: usize) -> Time {
        let words = &self.words[at..at + 2];
        Time::from_ns(u64::from(words[0]) | u64::from(words[1]) << 32)
    }

    #[inline]
    fn set_time(&mut self, at: usize, time: Time) {
        self.words[at..at + 2].copy_from_slice(&time_words(time));
    }

    #[inline]
    fn connection(&self, place: usize) -> Connection {
        Connection {
            peer: PeerIndex(self.words[place] >> 1),
            state: self.state(place),
            last_heard: self.time(self.heard_at(place)),
            since: self.time(self.since_at(place)),
        }
    }

    /// The connection to `peer`, if there is one in any state.
    #[inline]
    pub fn get(&self, peer: PeerIndex) -> Option<Connection> {
        self.place(peer).ok().map(|place| self.connection(place))
    }

    /// Whether there is a finished connection to `peer`.
    pub fn is_connected(&self, peer: PeerIndex) -> bool {
        self.place(peer)
            .is_ok_and(|place| self.state(place) == ConnectionState::Connected)
    }

    /// How many connections are finished.
    #[inline]
    pub fn connected(&self) -> usize {
        self.connected as usize
    }

    /// How many connections are being dialled.
    pub fn dialling(&self) -> usize {
        self.len() - self.connected()
    }

    /// All connections, finished or not.
    pub fn iter(&self) -> impl Iterator<Item = Connection> + '_ {
        (0..self.len()).map(|place| self.connection(place))
    }

    /// The finished connections.
    pub fn iter_connected(&self) -> impl Iterator<Item = Connection> + '_ {
        self.iter()
            .filter(|connection| connection.state == ConnectionState::Connected)
    }

    /// The other ends of the finished connections.
    #[inline]
    pub fn iter_connected_peers(&self) -> impl Iterator<Item = PeerIndex> + '_ {
        let connected = self.ends().iter().filter(|&end| end & 1 == 1);
        connected.map(|end| PeerIndex(end >> 1))
    }

    /// Whether there is a connection to `peer` in any state.
    #[inline]
    pub(super) fn contains(&self, peer: PeerIndex) -> bool {
        self.place(peer).is_ok()
    }

    /// The `place`-th connection, finished or not.
    #[inline]
    pub(super) fn at(&self, place: usize) -> Option<Connection> {
        (place < self.len()).then(|| self.connection(place))
    }

    /// A little of each of the first lines, for a dozen connections those of the other ends and
    /// of when they were heard: reading it brings them into the cache.
    #[inline]
    pub(super) fn foresee(&self) -> u32 {
        const STEP: usize = 14;
        let word = |at| self.words.get(at).copied().unwrap_or(0);
        word(0) ^ word(STEP) ^ word(2 * STEP)
    }

    /// Begins with attempts to reach `peers`, which ascend, at `now`.
    pub(super) fn begin(&mut self, peers: impl ExactSizeIterator<Item = PeerIndex>, now: Time) {
        // Exactly as much room as there are peers: in a given graph no more will come.
        let count = peers.len();
        let mut words = Vec::with_capacity(WORDS * count);
        words.extend(peers.map(|peer| end_word(peer, ConnectionState::Dialling)));
        words.extend(std::iter::repeat_n(time_words(now), 2 * count).flatten());
        self.words = words;
        self.connected = 0;
    }

    /// Notes that something of `peer` arrived at `now`; the connection's state, if there is one.
    #[inline]
    pub(super) fn hear(&mut self, peer: PeerIndex, now: Time) -> Option<ConnectionState> {
        let place = self.place(peer).ok()?;
        self.set_time(self.heard_at(place), now);
        Some(self.state(place))
    }

    /// Adds a connection that will be the `place`-th.
    fn insert(&mut self, place: usize, peer: PeerIndex, state: ConnectionState, now: Time) {
        // From the back, so that the places in front of it still hold.
        for at in [self.since_at(place), self.heard_at(place)] {
            self.words.splice(at..at, time_words(now));
        }
        self.words.insert(place, end_word(peer, state));
    }

    /// Begins to dial `peer`; false if there is a connection in any state already.
    pub(super) fn dial(&mut self, peer: PeerIndex, now: Time) -> bool {
        let Err(place) = self.place(peer) else {
            return false;
        };
        self.insert(place, peer, ConnectionState::Dialling, now);
        true
    }

    /// Makes the connection to `peer` a finished one.
    pub(super) fn settle(&mut self, peer: PeerIndex, now: Time) {
        match self.place(peer) {
            Ok(place) if self.state(place) == ConnectionState::Connected => return,
            Ok(place) => {
                self.words[place] = end_word(peer, ConnectionState::Connected);
                self.set_time(self.heard_at(place), now);
                self.set_time(self.since_at(place), now);
            }
            Err(place) => self.insert(place, peer, ConnectionState::Connected, now),
        }
        self.connected += 1;
    }

    /// Forgets the connection to `peer`; the state it was in, if there was one.
    pub(super) fn remove(&mut self, peer: PeerIndex) -> Option<ConnectionState> {
        let place = self.place(peer).ok()?;
        let state = self.state(place);
        for at in [self.since_at(place), self.heard_at(place)] {
            self.words.drain(at..at + 2);
        }
        self.words.remove(place);
        self.connected -= u32::from(state == ConnectionState::Connected);
        Some(state)
    }

    /// Forgets all connections; the peers they led to, and how many were finished.
    pub(super) fn clear(&mut self) -> (Vec<PeerIndex>, u32) {
        let peers = self.ends().iter().map(|end| PeerIndex(end >> 1)).collect();
        self.words = Vec::new();
        (peers, std::mem::take(&mut self.connected))
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
