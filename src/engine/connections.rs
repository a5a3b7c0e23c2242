//! A peer's connections: whom it is connected to or dials, and when it last heard of them.

use smallvec::SmallVec;
use wide::{i16x8, i32x8};

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
    /// When the other end was last heard of, if that is noted
    /// ([`World::looks_up_senders`](super::World::looks_up_senders)); the time the connection was
    /// made to begin with.
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
/// in one piece of memory, the other ends first and what is seldom asked for last: sixteen other
/// ends fit one line of the cache. It takes 16 bytes a connection.
#[derive(Clone, Debug, Default)]
pub struct Connections {
    /// Of n connections: n times the other end, and in the lowest bit whether it is connected;
    /// n times two words with when it was last heard; n times since when it is in its state, one
    /// word, or two if times are wide. What follows is for more of them.
    words: Box<[u32]>,
    count: u32,
    /// How many are connected; in the highest bit whether times are wide, in the next whether any
    /// connection has ended.
    connected: u32,
}

const WIDE: u32 = 1 << 31;
const ENDED: u32 = 1 << 30;
/// Times before this, 78 hours, have 48 bits: the words with when a peer was last heard have room
/// for 16 of the bits of since when it is in its state. No such word has all its bits set.
const NARROW_END: u64 = (1 << 48) - 1;
const NARROW_SHIFT: u32 = 16;

/// How many words `count` connections take.
#[inline]
fn words_of(count: usize, wide: bool) -> usize {
    count * if wide { 5 } else { 4 }
}

#[inline]
fn joined([low, high]: [u32; 2]) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

#[inline]
fn split(word: u64) -> [u32; 2] {
    [word as u32, (word >> 32) as u32]
}

/// Moves `count` items of so many words from `from` up to `to`, and leaves room for one before
/// the `place`-th.
fn open_gap(words: &mut [u32], width: usize, from: usize, to: usize, count: usize, place: usize) {
    let (gap, end) = (place * width, count * width);
    words.copy_within(from + gap..from + end, to + gap + width);
    words.copy_within(from..from + gap, to);
}

/// Moves `count` items of so many words from `from` down to `to`, without the `place`-th.
fn close_gap(words: &mut [u32], width: usize, from: usize, to: usize, count: usize, place: usize) {
    let (gap, end) = (place * width, count * width);
    words.copy_within(from..from + gap, to);
    words.copy_within(from + gap + width..from + end, to + gap);
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

/// Where the word of a finished connection to a peer is most likely among these, of which the
/// first are those of other ends. All are compared at once: a search would wait for each before
/// the next.
#[inline(always)]
fn guess_place(words: &[u32; 16], peer: PeerIndex) -> usize {
    let end = i32x8::splat(end_word(peer, ConnectionState::Connected) as i32);
    let [low, high] = words.as_chunks::<8>().0 else {
        return words.len();
    };
    // Of the same ones all bits are set, and of as many narrower numbers, too.
    let narrow = |words: &[u32; 8]| {
        let same = i32x8::new(words.map(|word| word as i32)).simd_eq(end);
        i16x8::from_i32x8_saturate(same).to_bitmask()
    };
    (narrow(low) | narrow(high) << 8).trailing_zeros() as usize
}

/// The place of a peer's word among those of so many other ends that a search for it would wait
/// for memory again and again: first around where it were if the ends were spread evenly, as
/// those of a peer that most others dial are.
#[inline(never)]
fn place_among_many(ends: &[u32], peer: PeerIndex) -> Option<usize> {
    let (&first, &last) = (ends.first()?, ends.last()?);
    let end = end_word(peer, ConnectionState::Dialling).clamp(first, last);
    let ahead = u64::from(end - first) * (ends.len() - 1) as u64;
    let even = (ahead / u64::from(last - first).max(1)) as usize;
    for start in [even.saturating_sub(8), even + 8, even.saturating_sub(24)] {
        if let Some(words) = ends.get(start..).and_then(<[u32]>::first_chunk) {
            let place = start + guess_place(words, peer);
            if ends.get(place).is_some_and(|end| end >> 1 == peer.0) {
                return Some(place);
            }
        }
    }
    place_among(ends, peer).ok()
}

impl Connections {
    #[inline]
    fn is_wide(&self) -> bool {
        self.connected & WIDE != 0
    }

    /// How many connections there are in any state.
    #[inline]
    fn len(&self) -> usize {
        self.count as usize
    }

    #[inline]
    fn ends(&self) -> &[u32] {
        &self.words[..self.len()]
    }

    #[inline]
    fn place(&self, peer: PeerIndex) -> Result<usize, usize> {
        place_among(self.ends(), peer)
    }

    #[inline]
    fn state(&self, place: usize) -> ConnectionState {
        state_of(self.words[place])
    }

    /// By how many bits the time stands to the left in a word with when a peer was heard.
    #[inline]
    fn shift(&self) -> u32 {
        if self.is_wide() { 0 } else { NARROW_SHIFT }
    }

    /// The words with when peers were last heard.
    #[inline]
    fn heard(&self) -> &[[u32; 2]] {
        self.words[self.len()..3 * self.len()].as_chunks().0
    }

    fn last_heard(&self, place: usize) -> Time {
        Time::from_ns(joined(self.heard()[place]) >> self.shift())
    }

    /// Since when a connection is in its state.
    fn since(&self, place: usize) -> Time {
        let since = &self.words[3 * self.len()..];
        Time::from_ns(if self.is_wide() {
            joined(since.as_chunks().0[place])
        } else {
            let [high, _] = self.heard()[place];
            u64::from(high & 0xffff) << 32 | u64::from(since[place])
        })
    }

    /// Both times must be before [`NARROW_END`] unless times are wide.
    fn set_times(&mut self, place: usize, heard: Time, since: Time) {
        let (count, wide) = (self.len(), self.is_wide());
        let (heard, since) = (heard.as_ns(), since.as_ns());
        let (words, all_since) = self.words.split_at_mut(3 * count);
        let all_heard = words[count..].as_chunks_mut().0;
        if wide {
            all_heard[place] = split(heard);
            all_since.as_chunks_mut().0[place] = split(since);
        } else {
            all_heard[place] = split(heard << NARROW_SHIFT | since >> 32);
            all_since[place] = since as u32;
        }
    }

    #[inline]
    fn connection(&self, place: usize) -> Connection {
        Connection {
            peer: self.peer(place),
            state: self.state(place),
            last_heard: self.last_heard(place),
            since: self.since(place),
        }
    }

    #[inline]
    fn peer(&self, place: usize) -> PeerIndex {
        PeerIndex(self.words[place] >> 1)
    }

    /// Makes these all connections.
    fn set_all(&mut self, all: &[Connection]) {
        let is_late = |c: &Connection| c.last_heard.max(c.since).as_ns() >= NARROW_END;
        let wide = self.is_wide() || all.iter().any(is_late);
        let connected = all.iter().filter(|c| c.state == ConnectionState::Connected);
        let ended = self.connected & ENDED;
        self.connected = connected.count() as u32 | ended | if wide { WIDE } else { 0 };
        self.count = all.len() as u32;
        let len = words_of(all.len(), wide);
        if len > self.words.len() {
            // In a given graph no more will come.
            self.words = vec![0; len].into();
        }
        for (place, connection) in all.iter().enumerate() {
            self.words[place] = end_word(connection.peer, connection.state);
            self.set_times(place, connection.last_heard, connection.since);
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
        self.connected |= WIDE;
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
        connected.then(|| self.since(place))
    }

    /// Whether there is a finished connection to `peer`.
    pub fn is_connected(&self, peer: PeerIndex) -> bool {
        self.place(peer)
            .is_ok_and(|place| self.state(place) == ConnectionState::Connected)
    }

    /// How many connections are finished.
    #[inline]
    pub fn connected(&self) -> usize {
        (self.connected & !(WIDE | ENDED)) as usize
    }

    /// Whether all connections there have ever been, or attempts, are finished connections now (and
    /// times are not wide). So this peer is connected to whoever is connected to it.
    #[inline]
    pub(super) fn are_all_finished(&self) -> bool {
        self.connected == self.count
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
        let unheard = self.iter().filter(move |c| c.last_heard < time);
        unheard.map(|connection| connection.peer)
    }

    /// Shows the other ends of the finished connections that were last heard before `time`; when
    /// any at all, finished or not, was heard least lately.
    #[inline]
    pub(super) fn each_connected_unheard_since(
        &self,
        time: Time,
        mut see: impl FnMut(PeerIndex),
    ) -> Time {
        // As far to the left as the times that it is compared with.
        let shift = self.shift();
        let time = match time.as_ns() {
            narrow if narrow < NARROW_END => narrow << shift,
            wide if self.is_wide() => wide,
            _ => u64::MAX,
        };
        let mut least = u64::MAX;
        for (&end, &heard) in self.ends().iter().zip(self.heard()) {
            let heard = joined(heard);
            least = least.min(heard);
            if heard < time && end & 1 == 1 {
                see(PeerIndex(end >> 1));
            }
        }
        if least == u64::MAX {
            return Time::MAX;
        }
        Time::from_ns(least >> shift)
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
        if let Some(words @ [first, .., last]) = self.words.get(..3 * self.len()) {
            ask_for(first);
            ask_for(&words[words.len() / 2]);
            ask_for(last);
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
    #[inline(always)]
    pub(super) fn hear(&mut self, peer: PeerIndex, now: Time) -> Option<ConnectionState> {
        if self.is_wide() || now.as_ns() >= NARROW_END {
            return self.hear_late(peer, now);
        }
        // Taken apart once: this is done for every message.
        let guess = match self.words.first_chunk() {
            Some(first) => guess_place(first, peer),
            None => 0,
        };
        let (ends, times) = self.words.split_at_mut(self.count as usize);
        let place = match ends.get(guess) {
            Some(end) if end >> 1 == peer.0 => guess,
            _ => place_among_many(ends, peer)?,
        };
        let heard = &mut times.as_chunks_mut().0[place];
        let since_high = joined(*heard) & ((1 << NARROW_SHIFT) - 1);
        *heard = split(now.as_ns() << NARROW_SHIFT | since_high);
        Some(state_of(ends[place]))
    }

    /// As [`Connections::hear`], where times are wide or must become so.
    #[cold]
    fn hear_late(&mut self, peer: PeerIndex, now: Time) -> Option<ConnectionState> {
        self.widen_for(now);
        let place = self.place(peer).ok()?;
        self.set_times(place, now, self.since(place));
        Some(self.state(place))
    }

    /// Adds a connection that will be the `place`-th, at a time that the others may have, too.
    fn insert(&mut self, place: usize, connection: Connection) {
        let (count, wide) = (self.len(), self.is_wide());
        let len = words_of(count + 1, wide);
        if len > self.words.len() {
            // A few more than there are: more may come.
            let mut words = std::mem::take(&mut self.words).into_vec();
            words.reserve_exact(len + (len / 8).max(8) - words.len());
            words.resize(words.capacity(), 0);
            self.words = words.into();
        }
        let words = &mut self.words;
        // What comes last goes first, so nothing is written over before it has moved.
        let since_width = words_of(1, wide) - 3;
        open_gap(words, since_width, 3 * count, 3 * count + 3, count, place);
        open_gap(words, 2, count, count + 1, count, place);
        open_gap(words, 1, 0, 0, count, place);
        words[place] = end_word(connection.peer, connection.state);
        self.count += 1;
        self.connected += u32::from(connection.state == ConnectionState::Connected);
        self.set_times(place, connection.last_heard, connection.since);
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
                self.words[place] = end_word(peer, ConnectionState::Connected);
                self.set_times(place, now, now);
                self.connected += 1;
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
        let words = &mut self.words;
        let since_width = words_of(1, wide) - 3;
        close_gap(words, 1, 0, 0, count, place);
        close_gap(words, 2, count, count - 1, count, place);
        close_gap(words, since_width, 3 * count, 3 * count - 3, count, place);
        self.count -= 1;
        self.connected -= u32::from(state == ConnectionState::Connected);
        self.connected |= ENDED;
        Some(state)
    }

    /// Forgets all connections; the peers they led to, and how many were finished.
    pub(super) fn clear(&mut self) -> (Vec<PeerIndex>, u32) {
        let peers = self.ends().iter().map(|end| PeerIndex(end >> 1)).collect();
        let connected = self.connected() as u32;
        *self = Connections {
            connected: ENDED,
            ..Connections::default()
        };
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
            let time = [
                Time::from_ns(now - now.min(1 << 36)),
                Time::from_ns(u64::MAX),
            ][stream.below(2) as usize];
            let mut unheard = Vec::new();
            let least = connections.each_connected_unheard_since(time, |peer| unheard.push(peer.0));
            let expected = list
                .iter()
                .filter(|(_, entry)| entry.0 && entry.1 < time.as_ns());
            assert!(
                unheard.iter().eq(expected.map(|(peer, _)| peer)),
                "step {step}"
            );
            let least_heard = list.values().map(|entry| Time::from_ns(entry.1)).min();
            assert_eq!(least, least_heard.unwrap_or(Time::MAX), "step {step}");
            let connected = list.values().filter(|entry| entry.0).count();
            assert_eq!(connections.connected(), connected);
        }
    }
}
