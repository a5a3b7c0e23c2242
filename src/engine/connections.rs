//! A peer's connections: whom it is connected to or dials, and when it last heard of them.

use smallvec::SmallVec;

use crate::memory::ask_for;
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

impl Connection {
    /// An attempt to reach `peer` that begins at `now`.
    fn dialled(peer: PeerIndex, now: Time) -> Self {
        Connection {
            peer,
            state: ConnectionState::Dialling,
            last_heard: now,
            since: now,
        }
    }
}

/// All connections of a peer, in ascending order of the other end.
///
/// Each message that arrives looks its sender up and notes when it was heard. So all of it lies
/// in one piece of memory, the other ends first and what is seldom asked for last: a dozen other
/// ends fit one line of the cache. It takes 16 bytes a connection.
#[derive(Clone, Debug, Default)]
pub struct Connections {
    /// How many are connected, and in the highest bit whether the times are [`Times::wide`]. Of
    /// n connections: n times the other end, and in the lowest bit whether it is connected; when
    /// each was last heard, in [`Times`]; since when each is in its state, likewise. Nothing at
    /// all until there is a connection.
    words: Vec<u32>,
}

const WIDE: u32 = 1 << 31;
/// Where the other ends begin.
const ENDS: usize = 1;
/// Times from here on, after 78 hours, take a word more each.
const NARROW_END: u64 = 1 << 48;

/// Where n times lie among the words: the low words of all of them, then 16 bits more of each,
/// or all 32 if they are wide.
#[derive(Clone, Copy)]
struct Times {
    low: usize,
    high: usize,
    wide: bool,
}

/// How many words the high parts of `count` times take.
#[inline]
fn high_words(count: usize, wide: bool) -> usize {
    if wide { count } else { count.div_ceil(2) }
}

impl Times {
    /// When each of `count` was last heard.
    #[inline]
    fn heard(count: usize, wide: bool) -> Self {
        Times {
            low: ENDS + count,
            high: ENDS + 2 * count,
            wide,
        }
    }

    /// Since when each of `count` is in its state.
    #[inline]
    fn since(count: usize, wide: bool) -> Self {
        let low = ENDS + 2 * count + high_words(count, wide);
        Times {
            low,
            high: low + count,
            wide,
        }
    }

    #[inline]
    fn get(self, words: &[u32], place: usize) -> Time {
        let high = if self.wide {
            words[self.high + place]
        } else {
            words[self.high + place / 2] >> (16 * (place % 2)) & 0xffff
        };
        Time::from_ns(u64::from(high) << 32 | u64::from(words[self.low + place]))
    }

    /// Times that are not wide must be before [`NARROW_END`].
    #[inline]
    fn set(self, words: &mut [u32], place: usize, time: Time) {
        let high = (time.as_ns() >> 32) as u32;
        words[self.low + place] = time.as_ns() as u32;
        if self.wide {
            words[self.high + place] = high;
        } else {
            let shift = 16 * (place % 2);
            let word = &mut words[self.high + place / 2];
            *word = *word & !(0xffff << shift) | high << shift;
        }
    }
}

/// Moves `count` words from `from` up to `to`, and leaves room for one before the `place`-th.
fn open_gap(words: &mut [u32], from: usize, to: usize, count: usize, place: usize) {
    words.copy_within(from + place..from + count, to + place + 1);
    words.copy_within(from..from + place, to);
}

/// Moves `count` words from `from` down to `to`, without the `place`-th.
fn close_gap(words: &mut [u32], from: usize, to: usize, count: usize, place: usize) {
    words.copy_within(from..from + place, to);
    words.copy_within(from + place + 1..from + count, to + place);
}

/// As [`open_gap`], of half words.
fn open_half_gap(words: &mut [u32], from: usize, to: usize, count: usize, place: usize) {
    let gap = place / 2;
    for at in (gap + 1..(count + 1).div_ceil(2)).rev() {
        // The last one may be new.
        let upper = if 2 * at < count {
            words[from + at] << 16
        } else {
            0
        };
        words[to + at] = upper | words[from + at - 1] >> 16;
    }
    let held = if place < count { words[from + gap] } else { 0 };
    let held = match place % 2 {
        0 => held << 16,
        _ => words[from + gap] & 0xffff,
    };
    words.copy_within(from..from + gap, to);
    words[to + gap] = held;
}

/// As [`close_gap`], of half words.
fn close_half_gap(words: &mut [u32], from: usize, to: usize, count: usize, place: usize) {
    let gap = place / 2;
    let after = |words: &[u32], at: usize| match 2 * at + 2 < count {
        true => words[from + at + 1] << 16,
        false => 0,
    };
    words.copy_within(from..from + gap, to);
    for at in gap..(count - 1).div_ceil(2) {
        let first = match at == gap && place % 2 == 1 {
            true => words[from + at] & 0xffff,
            false => words[from + at] >> 16,
        };
        words[to + at] = first | after(words, at);
    }
}

const fn end_word(peer: PeerIndex, state: ConnectionState) -> u32 {
    peer.0 << 1 | matches!(state, ConnectionState::Connected) as u32
}

const fn state_of(end: u32) -> ConnectionState {
    if end & 1 == 1 {
        ConnectionState::Connected
    } else {
        ConnectionState::Dialling
    }
}

/// The place of a peer's word among those of other ends, or where it would be.
#[inline]
fn place_among(ends: &[u32], peer: PeerIndex) -> Result<usize, usize> {
    let least = end_word(peer, ConnectionState::Dialling);
    let place = ends.partition_point(|&end| end < least);
    match ends.get(place) {
        Some(end) if end >> 1 == peer.0 => Ok(place),
        _ => Err(place),
    }
}

/// How many connections with wide times so many words make: seldom any, and apart from the rest.
#[cold]
#[inline(never)]
fn count_of_wide(words: usize) -> usize {
    words / 5
}

impl Connections {
    #[inline]
    fn header(&self) -> u32 {
        self.words.first().copied().unwrap_or(0)
    }

    #[inline]
    fn is_wide(&self) -> bool {
        self.header() & WIDE != 0
    }

    /// How many connections there are in any state.
    #[inline]
    fn len(&self) -> usize {
        // With an odd number of them there is one word too many, which the division ignores.
        let words = self.words.len().saturating_sub(ENDS);
        if self.is_wide() {
            count_of_wide(words)
        } else {
            words / 4
        }
    }

    #[inline]
    fn ends(&self) -> &[u32] {
        self.words.get(ENDS..ENDS + self.len()).unwrap_or_default()
    }

    #[inline]
    fn place(&self, peer: PeerIndex) -> Result<usize, usize> {
        place_among(self.ends(), peer)
    }

    #[inline]
    fn state(&self, place: usize) -> ConnectionState {
        state_of(self.words[ENDS + place])
    }

    /// When they were last heard.
    #[inline]
    fn heard(&self) -> Times {
        Times::heard(self.len(), self.is_wide())
    }

    /// Since when they are in their states.
    #[inline]
    fn since(&self) -> Times {
        Times::since(self.len(), self.is_wide())
    }

    #[inline]
    fn connection(&self, place: usize) -> Connection {
        Connection {
            peer: self.peer(place),
            state: self.state(place),
            last_heard: self.heard().get(&self.words, place),
            since: self.since().get(&self.words, place),
        }
    }

    #[inline]
    fn peer(&self, place: usize) -> PeerIndex {
        PeerIndex(self.words[ENDS + place] >> 1)
    }

    /// Makes these all connections.
    fn set_all(&mut self, all: &[Connection]) {
        let is_late = |c: &Connection| c.last_heard.max(c.since).as_ns() >= NARROW_END;
        let wide = self.is_wide() || all.iter().any(is_late);
        let count = all.len();
        let connected = all.iter().filter(|c| c.state == ConnectionState::Connected);
        let header = connected.count() as u32 | if wide { WIDE } else { 0 };
        let len = ENDS + 3 * count + 2 * high_words(count, wide);
        if len > self.words.capacity() {
            // In a given graph no more will come.
            self.words = Vec::with_capacity(len);
        }
        self.words.clear();
        self.words.resize(len, 0);
        self.words[0] = header;
        let (heard, since) = (self.heard(), self.since());
        for (place, connection) in all.iter().enumerate() {
            self.words[ENDS + place] = end_word(connection.peer, connection.state);
            heard.set(&mut self.words, place, connection.last_heard);
            since.set(&mut self.words, place, connection.since);
        }
    }

    /// Lets the times be wide if `now` is so late that it must be.
    #[inline]
    fn widen_for(&mut self, now: Time) {
        if now.as_ns() >= NARROW_END && !self.is_wide() {
            self.widen();
        }
    }

    #[cold]
    fn widen(&mut self) {
        let all: SmallVec<[Connection; 16]> = self.iter().collect();
        match self.words.first_mut() {
            Some(header) => *header |= WIDE,
            None => self.words.push(WIDE),
        }
        self.set_all(&all);
    }

    /// The connection to `peer`, if there is one in any state.
    #[inline]
    pub fn get(&self, peer: PeerIndex) -> Option<Connection> {
        self.place(peer).ok().map(|place| self.connection(place))
    }

    /// Since when there is a finished connection to `peer`, if there is one.
    pub fn connected_since(&self, peer: PeerIndex) -> Option<Time> {
        let place = self.place(peer).ok()?;
        let connected = self.state(place) == ConnectionState::Connected;
        connected.then(|| self.since().get(&self.words, place))
    }

    /// Whether there is a finished connection to `peer`.
    pub fn is_connected(&self, peer: PeerIndex) -> bool {
        self.place(peer)
            .is_ok_and(|place| self.state(place) == ConnectionState::Connected)
    }

    /// How many connections are finished.
    #[inline]
    pub fn connected(&self) -> usize {
        (self.header() & !WIDE) as usize
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

    /// The other ends of all connections, finished or not, that were last heard before `time`.
    #[inline]
    pub fn iter_unheard_since(&self, time: Time) -> impl Iterator<Item = PeerIndex> + '_ {
        let unheard = self.iter_heard().filter(move |&(_, heard)| heard < time);
        unheard.map(|(end, _)| PeerIndex(end >> 1))
    }

    /// The words of the other ends of all connections, and when they were last heard.
    #[inline]
    fn iter_heard(&self) -> impl Iterator<Item = (u32, Time)> + '_ {
        let ends = self.ends();
        let wide = self.is_wide();
        let times = self.words.get(ENDS + ends.len()..).unwrap_or_default();
        let (low, high) = times.split_at(ends.len());
        let heard = ends.iter().zip(low).enumerate();
        heard.map(move |(place, (&end, &low))| {
            let high = if wide {
                high[place]
            } else {
                high[place / 2] >> (16 * (place % 2)) & 0xffff
            };
            let time = Time::from_ns(u64::from(high) << 32 | u64::from(low));
            (end, time)
        })
    }

    /// Shows the other ends of the finished connections that were last heard before `time`; when
    /// any at all, finished or not, was heard least lately.
    #[inline]
    pub(super) fn each_connected_unheard_since(
        &self,
        time: Time,
        mut see: impl FnMut(PeerIndex),
    ) -> Time {
        let mut least = Time::MAX;
        for (end, heard) in self.iter_heard() {
            least = least.min(heard);
            if heard < time && end & 1 == 1 {
                see(PeerIndex(end >> 1));
            }
        }
        least
    }

    /// The other ends of the finished connections.
    #[inline]
    pub fn iter_connected_peers(&self) -> impl Iterator<Item = PeerIndex> + '_ {
        let connected = self.ends().iter().filter(|&end| end & 1 == 1);
        connected.map(|end| PeerIndex(end >> 1))
    }

    /// The other end of the `nth` finished connection, counted from 0.
    pub fn connected_peer(&self, nth: usize) -> Option<PeerIndex> {
        if self.dialling() == 0 {
            return self.peer_at(nth);
        }
        self.iter_connected_peers().nth(nth)
    }

    /// Whether there is a connection to `peer` in any state.
    #[inline]
    pub(super) fn contains(&self, peer: PeerIndex) -> bool {
        self.place(peer).is_ok()
    }

    /// The place of the connection to `peer`, if there is one in any state. It is found at once
    /// where it is the `first`-th or the one after: when the other ends are asked for in order.
    #[inline]
    pub(super) fn find_from(&self, first: usize, peer: PeerIndex) -> Option<usize> {
        let ends = self.ends();
        let is_here = |place: usize| ends.get(place).is_some_and(|end| end >> 1 == peer.0);
        if is_here(first) {
            Some(first)
        } else if is_here(first + 1) {
            Some(first + 1)
        } else {
            self.place(peer).ok()
        }
    }

    /// The other end of the `place`-th connection, finished or not.
    #[inline]
    pub(super) fn peer_at(&self, place: usize) -> Option<PeerIndex> {
        (place < self.len()).then(|| self.peer(place))
    }

    /// Asks for the other ends and for when they were heard, of some sixteen connections all.
    #[inline]
    pub(super) fn foresee(&self) {
        // When they were heard ends before five eighths of the words.
        let last = self.words.len() * 5 / 8;
        for place in [0, last / 2, last] {
            if let Some(word) = self.words.get(place) {
                ask_for(word);
            }
        }
    }

    /// Begins with attempts to reach `peers`, which ascend, at `now`.
    pub(super) fn begin(&mut self, peers: impl Iterator<Item = PeerIndex>, now: Time) {
        let all: SmallVec<[Connection; 16]> =
            peers.map(|peer| Connection::dialled(peer, now)).collect();
        *self = Connections::default();
        self.set_all(&all);
    }

    /// Notes that something of `peer` arrived at `now`; the connection's state, if there is one.
    #[inline]
    pub(super) fn hear(&mut self, peer: PeerIndex, now: Time) -> Option<ConnectionState> {
        self.widen_for(now);
        let (count, wide) = (self.len(), self.is_wide());
        // Taken apart once: this is done for every message.
        let (ends, times) = self.words.get_mut(ENDS..)?.split_at_mut(count);
        let place = place_among(ends, peer).ok()?;
        let heard = Times {
            low: 0,
            high: count,
            wide,
        };
        heard.set(times, place, now);
        Some(state_of(ends[place]))
    }

    /// Adds a connection that will be the `place`-th, at a time that the others may have, too.
    fn insert(&mut self, place: usize, connection: Connection) {
        let (count, wide) = (self.len(), self.is_wide());
        if self.words.is_empty() {
            self.words.push(0);
        }
        let (heard, since) = (self.heard(), self.since());
        let high = high_words(count, wide);
        let len = self.words.len() + 3 + 2 * (high_words(count + 1, wide) - high);
        if len > self.words.capacity() {
            // A few more than there are: more may come.
            self.words.reserve_exact(len + 8 - self.words.len());
        }
        self.words.resize(len, 0);
        let (new_heard, new_since) = (self.heard(), self.since());
        // What comes last goes first, so nothing is written over before it has moved.
        for (old, new) in [(since, new_since), (heard, new_heard)] {
            if wide {
                open_gap(&mut self.words, old.high, new.high, count, place);
            } else {
                open_half_gap(&mut self.words, old.high, new.high, count, place);
            }
            open_gap(&mut self.words, old.low, new.low, count, place);
        }
        open_gap(&mut self.words, ENDS, ENDS, count, place);
        self.words[ENDS + place] = end_word(connection.peer, connection.state);
        self.words[0] += u32::from(connection.state == ConnectionState::Connected);
        new_heard.set(&mut self.words, place, connection.last_heard);
        new_since.set(&mut self.words, place, connection.since);
    }

    /// Begins to dial `peer`; false if there is a connection in any state already.
    pub(super) fn dial(&mut self, peer: PeerIndex, now: Time) -> bool {
        let Err(place) = self.place(peer) else {
            return false;
        };
        self.widen_for(now);
        self.insert(place, Connection::dialled(peer, now));
        true
    }

    /// Makes the connection to `peer` a finished one.
    pub(super) fn settle(&mut self, peer: PeerIndex, now: Time) {
        self.widen_for(now);
        match self.place(peer) {
            Ok(place) if self.state(place) == ConnectionState::Connected => {}
            Ok(place) => {
                self.words[ENDS + place] = end_word(peer, ConnectionState::Connected);
                self.heard().set(&mut self.words, place, now);
                self.since().set(&mut self.words, place, now);
                self.words[0] += 1;
            }
            Err(place) => {
                let state = ConnectionState::Connected;
                let connection = Connection {
                    state,
                    ..Connection::dialled(peer, now)
                };
                self.insert(place, connection);
            }
        }
    }

    /// Forgets the connection to `peer`; the state it was in, if there was one.
    pub(super) fn remove(&mut self, peer: PeerIndex) -> Option<ConnectionState> {
        let place = self.place(peer).ok()?;
        let state = self.state(place);
        let (count, wide) = (self.len(), self.is_wide());
        let (heard, since) = (self.heard(), self.since());
        let new_heard = Times::heard(count - 1, wide);
        let new_since = Times::since(count - 1, wide);
        close_gap(&mut self.words, ENDS, ENDS, count, place);
        for (old, new) in [(heard, new_heard), (since, new_since)] {
            close_gap(&mut self.words, old.low, new.low, count, place);
            if wide {
                close_gap(&mut self.words, old.high, new.high, count, place);
            } else {
                close_half_gap(&mut self.words, old.high, new.high, count, place);
            }
        }
        let len = new_since.high + high_words(count - 1, wide);
        self.words.truncate(len);
        self.words[0] -= u32::from(state == ConnectionState::Connected);
        Some(state)
    }

    /// Forgets all connections; the peers they led to, and how many were finished.
    pub(super) fn clear(&mut self) -> (Vec<PeerIndex>, u32) {
        let peers = self.ends().iter().map(|end| PeerIndex(end >> 1)).collect();
        let connected = self.connected() as u32;
        *self = Connections::default();
        (peers, connected)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::random::{Purpose, Stream};

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

    /// Against a plain list, with few and many connections, early and late.
    #[test]
    fn does_as_a_list_does() {
        let mut stream = Stream::global(1, Purpose::Sample);
        let mut connections = Connections::default();
        let mut list: BTreeMap<u32, (bool, u64, u64)> = BTreeMap::new();
        let mut now = 0;
        for step in 0..20_000_u64 {
            let limit = if step / 2_000 % 2 == 0 { 12 } else { 100 };
            let peer = stream.below(limit) as u32;
            // In the middle of it, beyond what narrow times can be.
            now += stream.below(if step == 10_000 { 1 << 50 } else { 1 << 34 });
            let (index, time) = (PeerIndex(peer), Time::from_ns(now));
            match stream.below(4) {
                0 => {
                    let new = !list.contains_key(&peer);
                    assert_eq!(connections.dial(index, time), new);
                    list.entry(peer).or_insert((false, now, now));
                }
                1 => {
                    connections.settle(index, time);
                    let entry = list.entry(peer).or_insert((false, now, now));
                    if !entry.0 {
                        *entry = (true, now, now);
                    }
                }
                2 => {
                    let state = connections.remove(index);
                    let connected = state.map(|state| state == ConnectionState::Connected);
                    assert_eq!(connected, list.remove(&peer).map(|entry| entry.0));
                }
                _ => {
                    let heard = connections.hear(index, time).is_some();
                    assert_eq!(heard, list.contains_key(&peer));
                    list.entry(peer).and_modify(|entry| entry.1 = now);
                }
            }
            let seen = connections.iter().map(|c| {
                let connected = c.state == ConnectionState::Connected;
                (c.peer.0, (connected, c.last_heard.as_ns(), c.since.as_ns()))
            });
            assert!(seen.eq(list.clone()), "step {step}");
            let connected = list.values().filter(|entry| entry.0).count();
            assert_eq!(connections.connected(), connected);
        }
    }
}
