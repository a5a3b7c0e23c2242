//! Load over time: bytes, messages, waiting, connections and online peers, by interval and group.

use std::ops::Range;
use std::sync::Arc;

use super::presence::Presence;
use crate::memory::ask_for;
use crate::peer::{LocationIndex, PeerIndex, TypeIndex};
use crate::time::Time;

/// The most rows that a series may have: about 1 GB in memory.
pub const LOAD_ROWS_MAX: u64 = 10_000_000;

/// Peers whose load is added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadGroup {
    /// Their type.
    pub peer_type: TypeIndex,
    /// Where they are.
    pub location: LocationIndex,
    /// How many they are.
    pub peers: u32,
}

/// Whose load is added up.
#[derive(Clone, Debug)]
pub enum LoadGroups {
    /// That of all peers of one type at one location.
    Groups(Vec<LoadGroup>),
    /// Nobody's: every peer stands for itself.
    Peers,
}

/// What a group sent, or received, within an interval.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Flow {
    /// How many messages.
    pub messages: u64,
    /// How many bytes.
    pub bytes: u64,
    /// How long a message waited for the link, on average; in ms.
    pub wait_mean_ms: f64,
    /// The longest of these waits.
    pub wait_max: Time,
}

/// The load of a group within an interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoadRow {
    /// When the interval begins.
    pub start: Time,
    /// Which group: a place in [`LoadGroups::Groups`], or a peer's.
    pub group: usize,
    /// How many of it are online when the interval ends.
    pub online: u64,
    /// How many connections they have then; each end counts its own.
    pub connections: u64,
    /// What they received.
    pub received: Flow,
    /// What they sent.
    pub sent: Flow,
}

const IN: usize = 0;
const OUT: usize = 1;

/// What happened in one group within one interval: 96 bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    /// Nanoseconds; whole, so that the sum does not depend on the order of its terms.
    wait: [u128; 2],
    messages: [u64; 2],
    bytes: [u64; 2],
    wait_max: [u64; 2],
    /// How many came online, less those that went offline.
    online: i32,
    /// The same of connections.
    connections: i32,
}

impl Cell {
    fn absorb(&mut self, other: &Cell) {
        for way in [IN, OUT] {
            self.wait[way] += other.wait[way];
            self.messages[way] += other.messages[way];
            self.bytes[way] += other.bytes[way];
            self.wait_max[way] = self.wait_max[way].max(other.wait_max[way]);
        }
        self.online += other.online;
        self.connections += other.connections;
    }

    fn flow(&self, way: usize) -> Flow {
        let mean_ns = self.wait[way] as f64 / self.messages[way].max(1) as f64;
        Flow {
            messages: self.messages[way],
            bytes: self.bytes[way],
            wait_mean_ms: mean_ns / 1e6,
            wait_max: Time::from_ns(self.wait_max[way]),
        }
    }
}

/// Load by interval and group.
#[derive(Clone, Debug)]
pub struct LoadSeries {
    groups: LoadGroups,
    /// The group of each peer; empty where every peer stands for itself.
    group_of: Arc<[u32]>,
    /// The first of the peers whose load this is, if they stand for themselves.
    first: u32,
    count: usize,
    interval: u64,
    /// What comes later is kept apart: a long queue is booked far ahead.
    horizon: u64,
    /// By interval, then group; as far as anything has happened. Before the first interval
    /// stands the time after the horizon.
    cells: Vec<Cell>,
    /// Where the interval looked at begins, in time and among the cells, and how long it is.
    start: u64,
    length: u64,
    base: usize,
}

impl LoadSeries {
    /// An empty series, up to `horizon`, of peers of these types at these locations; `interval`
    /// must be positive.
    pub fn new(
        interval: Time,
        horizon: Time,
        types: &[TypeIndex],
        locations: &[LocationIndex],
        by_peer: bool,
    ) -> Self {
        assert!(interval > Time::ZERO, "an interval takes time");
        let (groups, group_of, count) = if by_peer {
            (LoadGroups::Peers, Arc::default(), types.len())
        } else {
            let kinds = || types.iter().copied().zip(locations.iter().copied());
            let mut known: Vec<(TypeIndex, LocationIndex)> = kinds().collect();
            known.sort_unstable();
            known.dedup();
            let mut groups: Vec<LoadGroup> = known
                .iter()
                .map(|&(peer_type, location)| LoadGroup {
                    peer_type,
                    location,
                    peers: 0,
                })
                .collect();
            let group_of = kinds()
                .map(|kind| {
                    // Each kind is known: found and inserted are the same place.
                    let (Ok(place) | Err(place)) = known.binary_search(&kind);
                    groups[place].peers += 1;
                    place as u32
                })
                .collect();
            let count = groups.len();
            (LoadGroups::Groups(groups), group_of, count)
        };
        LoadSeries {
            groups,
            group_of,
            first: 0,
            count,
            interval: interval.as_ns(),
            horizon: horizon.as_ns(),
            cells: Vec::new(),
            start: 0,
            // The first that happens makes the first cells.
            length: 0,
            base: 0,
        }
    }

    /// An empty series like this one, for some of the peers only.
    fn of(&self, peers: Range<u32>) -> Self {
        let mut part = self.clone();
        if matches!(self.groups, LoadGroups::Peers) {
            part.first = peers.start;
            part.count = peers.len();
        }
        part
    }

    /// Takes over the load of other peers: those that follow, if peers stand for themselves.
    fn absorb(&mut self, other: LoadSeries) {
        match self.groups {
            LoadGroups::Groups(_) => {
                if self.cells.len() < other.cells.len() {
                    self.cells.resize(other.cells.len(), Cell::default());
                }
                for (cell, more) in self.cells.iter_mut().zip(&other.cells) {
                    cell.absorb(more);
                }
            }
            LoadGroups::Peers => {
                let rows = |series: &LoadSeries| series.cells.len() / series.count.max(1);
                let intervals = rows(self).max(rows(&other));
                let mut cells = Vec::with_capacity(intervals * (self.count + other.count));
                for interval in 0..intervals {
                    for part in [&*self, &other] {
                        let start = interval * part.count;
                        match part.cells.get(start..start + part.count) {
                            Some(row) => cells.extend_from_slice(row),
                            None => cells.resize(cells.len() + part.count, Cell::default()),
                        }
                    }
                }
                self.cells = cells;
                self.count += other.count;
            }
        }
        // The next lookup finds its interval anew.
        self.length = 0;
    }

    /// Whose load it is.
    pub fn groups(&self) -> &LoadGroups {
        &self.groups
    }

    #[inline]
    fn cell(&mut self, now: Time, me: PeerIndex) -> &mut Cell {
        // An earlier time wraps around and is looked up like a later one.
        if now.as_ns().wrapping_sub(self.start) >= self.length {
            self.turn_to(now);
        }
        let group = self.group(me);
        &mut self.cells[self.base + group]
    }

    #[inline]
    fn group(&self, peer: PeerIndex) -> usize {
        let group = self.group_of.get(peer.as_usize()).copied();
        group.unwrap_or_else(|| peer.0 - self.first) as usize
    }

    #[inline]
    fn foresee(&self, peer: PeerIndex) {
        if let Some(group) = self.group_of.get(peer.as_usize()) {
            // There are few groups.
            ask_for(group);
        } else if let Some(cell) = self.cells.get(self.base + self.group(peer)) {
            ask_for(&cell.messages);
        }
    }

    #[cold]
    fn turn_to(&mut self, now: Time) {
        let place = if now.as_ns() < self.horizon {
            let place = now.as_ns() / self.interval;
            self.start = place * self.interval;
            self.length = self.interval.min(self.horizon - self.start);
            place as usize + 1
        } else {
            self.start = self.horizon;
            self.length = u64::MAX - self.horizon;
            0
        };
        self.base = place * self.count;
        if self.cells.len() < self.base + self.count {
            self.cells.resize(self.base + self.count, Cell::default());
        }
    }

    #[inline]
    fn pass(&mut self, way: usize, now: Time, me: PeerIndex, bytes: u32, wait: Time) {
        let cell = self.cell(now, me);
        cell.messages[way] += 1;
        cell.bytes[way] += u64::from(bytes);
        cell.wait[way] += u128::from(wait.as_ns());
        cell.wait_max[way] = cell.wait_max[way].max(wait.as_ns());
    }

    /// What was received, and sent, before the horizon.
    pub fn total(&self) -> (Flow, Flow) {
        let mut total = Cell::default();
        for cell in self.cells.iter().skip(self.count) {
            total.absorb(cell);
        }
        (total.flow(IN), total.flow(OUT))
    }

    /// How many intervals begin before `end`.
    fn intervals(&self, end: u64) -> usize {
        end.div_ceil(self.interval) as usize
    }

    /// A row for each interval that begins before `end`, and group: in order of both.
    pub fn rows(&self, end: Time) -> impl Iterator<Item = LoadRow> + '_ {
        let intervals = self.intervals(end.as_ns().min(self.horizon));
        let mut standing = vec![(0_i64, 0_i64); self.count];
        (0..intervals)
            .flat_map(move |interval| (0..self.count).map(move |group| (interval, group)))
            .map(move |(interval, group)| {
                let place = (interval + 1) * self.count + group;
                let cell = self.cells.get(place).copied().unwrap_or_default();
                let (online, connections) = &mut standing[group];
                *online += i64::from(cell.online);
                *connections += i64::from(cell.connections);
                LoadRow {
                    start: Time::from_ns(interval as u64 * self.interval),
                    group,
                    online: *online as u64,
                    connections: *connections as u64,
                    received: cell.flow(IN),
                    sent: cell.flow(OUT),
                }
            })
    }
}

/// What the engine tells of load, kept as far as it is wanted.
#[derive(Clone, Debug, Default)]
pub struct Load {
    series: Option<Box<LoadSeries>>,
    presence: Option<Presence>,
    /// How many peers are online now.
    online: u64,
}

impl Load {
    /// Keeps a series if one is given, and each change of a peer's presence if asked to.
    pub fn new(series: Option<LoadSeries>, keeps_presence: bool) -> Self {
        Load {
            series: series.map(Box::new),
            presence: keeps_presence.then(Presence::default),
            online: 0,
        }
    }

    /// As this, which must be empty, but for some of the peers only.
    pub(crate) fn of(&self, peers: Range<u32>) -> Self {
        let series = self
            .series
            .as_ref()
            .map(|series| Box::new(series.of(peers)));
        let presence = self.presence.clone();
        Load {
            series,
            presence,
            online: 0,
        }
    }

    /// Takes over what was recorded of the peers that follow.
    pub(super) fn absorb(&mut self, other: Load) {
        self.online += other.online;
        if let (Some(series), Some(others)) = (&mut self.series, other.series) {
            series.absorb(*others);
        }
        if let (Some(presence), Some(others)) = (&mut self.presence, other.presence) {
            presence.absorb(others);
        }
    }

    /// Load by interval and group, if it was kept.
    pub fn series(&self) -> Option<&LoadSeries> {
        self.series.as_deref()
    }

    /// When peers came online and went offline, if it was kept.
    pub fn presence(&self) -> Option<&Presence> {
        self.presence.as_ref()
    }

    /// How many peers are online now.
    pub fn online_now(&self) -> u64 {
        self.online
    }

    /// Asks for what says where the load of a peer is kept.
    #[inline]
    pub(crate) fn foresee(&self, peer: PeerIndex) {
        if let Some(series) = &self.series {
            series.foresee(peer);
        }
    }

    /// Whether it is kept how much peers send and receive.
    #[inline]
    pub(crate) fn is_kept(&self) -> bool {
        self.series.is_some()
    }

    /// A peer has sent a message, which waited this long for the uplink.
    #[inline]
    pub(crate) fn sent(&mut self, now: Time, me: PeerIndex, bytes: u32, wait: Time) {
        if let Some(series) = &mut self.series {
            series.pass(OUT, now, me, bytes, wait);
        }
    }

    /// A peer has taken a message in, which waited this long for the downlink.
    #[inline]
    pub(crate) fn received(&mut self, now: Time, me: PeerIndex, bytes: u32, wait: Time) {
        if let Some(series) = &mut self.series {
            series.pass(IN, now, me, bytes, wait);
        }
    }

    /// A peer has one connection more, or one less.
    pub(crate) fn connection(&mut self, now: Time, me: PeerIndex, more: bool) {
        if let Some(series) = &mut self.series {
            series.cell(now, me).connections += if more { 1 } else { -1 };
        }
    }

    /// A peer has come online, or gone offline.
    pub(crate) fn online(&mut self, now: Time, me: PeerIndex, online: bool) {
        self.online = if online {
            self.online + 1
        } else {
            self.online - 1
        };
        if let Some(series) = &mut self.series {
            series.cell(now, me).online += if online { 1 } else { -1 };
        }
        if let Some(presence) = &mut self.presence {
            presence.change(now, me, online);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Time {
        Time::from_ns(ms * 1_000_000)
    }

    /// Peers 0 and 2 are of one kind, 1 of another.
    fn load(by_peer: bool) -> Load {
        let types = [TypeIndex(1), TypeIndex(0), TypeIndex(1)];
        let locations = [LocationIndex(0); 3];
        let series = LoadSeries::new(ms(100), ms(301), &types, &locations, by_peer);
        let mut load = Load::new(Some(series), true);
        for peer in 0..3 {
            load.online(ms(0), PeerIndex(peer), true);
        }
        load.sent(ms(10), PeerIndex(0), 24, ms(0));
        load.sent(ms(99), PeerIndex(2), 100, ms(3));
        load.connection(ms(99), PeerIndex(2), true);
        // Booked ahead, into the third interval; then back in the first.
        load.received(ms(250), PeerIndex(1), 24, ms(7));
        load.received(ms(99), PeerIndex(1), 1, ms(1));
        // After the horizon.
        load.received(ms(301), PeerIndex(1), 1, ms(1));
        load.received(Time::MAX, PeerIndex(1), 1, ms(1));
        load.received(ms(300), PeerIndex(1), 1, ms(1));
        load.online(ms(100), PeerIndex(0), false);
        load
    }

    #[test]
    fn flows_and_standings_add_up_by_group_and_interval() {
        let load = load(false);
        let series = load.series().unwrap();
        let LoadGroups::Groups(groups) = series.groups() else {
            panic!("not by group");
        };
        let kinds: Vec<(u16, u32)> = groups.iter().map(|g| (g.peer_type.0, g.peers)).collect();
        assert_eq!(kinds, [(0, 1), (1, 2)]);
        let rows: Vec<LoadRow> = series.rows(ms(301)).collect();
        assert_eq!(rows.len(), 4 * 2);
        let sent = rows[1].sent;
        assert_eq!((sent.messages, sent.bytes), (2, 124));
        assert_eq!((sent.wait_mean_ms, sent.wait_max), (1.5, ms(3)));
        assert_eq!((rows[0].received.bytes, rows[4].received.bytes), (1, 24));
        assert_eq!(rows[4].start, ms(200));
        let standing = |row: &LoadRow| (row.online, row.connections);
        assert_eq!(standing(&rows[1]), (2, 1));
        assert_eq!(standing(&rows[3]), (1, 1));
        assert_eq!(standing(&rows[7]), (1, 1));
        assert_eq!(rows[7].sent, Flow::default());
        let (received, sent) = series.total();
        assert_eq!((received.messages, received.wait_max), (3, ms(7)));
        assert_eq!(rows[6].received.messages, 1);
        assert_eq!((sent.messages, sent.wait_mean_ms), (2, 1.5));
    }

    #[test]
    fn peers_stand_for_themselves() {
        let load = load(true);
        let rows: Vec<LoadRow> = load.series().unwrap().rows(ms(100)).collect();
        let out: Vec<u64> = rows.iter().map(|row| row.sent.bytes).collect();
        assert_eq!(out, [24, 0, 100]);
        assert_eq!(load.presence().unwrap().changes().len(), 4);
        assert_eq!(std::mem::size_of::<Cell>(), 96);
    }

    #[test]
    fn nothing_is_kept_where_nothing_is_wanted() {
        let mut load = Load::default();
        load.sent(ms(1), PeerIndex(0), 24, ms(0));
        load.online(ms(1), PeerIndex(0), true);
        assert!(load.series().is_none() && load.presence().is_none());
    }
}
