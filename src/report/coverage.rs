//! The table `coverage`: how many peers a message has reached as it ages.

use std::io;

use super::deliveries::write_message;
use super::rows::ColumnKind::{Integer, Real, Text};
use super::rows::{Column, RowWriter};
use crate::message::Rumour;
use crate::peer::{Names, PeerIndex};
use crate::record::{Audience, ByRumour, Change, Histogram, Receipt, Spread};
use crate::time::Time;

pub(super) const COLUMNS: [Column; 6] = [
    ("message", Text),
    ("age_ms", Real),
    ("peers", Integer),
    ("reached", Integer),
    ("altered", Integer),
    ("share", Real),
];

/// Equal steps are chosen so that there are at most this many, and at least two fifths of it.
const STEPS_MAX: u64 = 200;
/// 24 numbers a decade, about a tenth apart (IEC 60063).
const E24: [u64; 24] = [
    10, 11, 12, 13, 15, 16, 18, 20, 22, 24, 27, 30, 33, 36, 39, 43, 47, 51, 56, 62, 68, 75, 82, 91,
];

/// How far a message has come at some age.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Point {
    /// Peers of the audience, other than the origin, that are online.
    peers: u64,
    /// How many of them have received the message.
    reached: u64,
    /// How many of those received an altered payload first.
    altered: u64,
}

impl Point {
    fn add(&mut self, other: &Point) {
        self.peers += other.peers;
        self.reached += other.reached;
        self.altered += other.altered;
    }

    fn write(&self, table: &mut RowWriter, message: &[u8], age: Time) -> io::Result<()> {
        table.text(message);
        table.ms(age);
        table.integer(self.peers);
        table.integer(self.reached);
        table.integer(self.altered);
        table.real(self.reached as f64 / self.peers.max(1) as f64);
        table.end()
    }
}

/// Ages from 0 to the largest delay or a little more: equal steps of 1, 2 or 5 times a power of
/// ten up to four times the median delay, where most happens; then those of the series E24, so
/// that a peer which comes back an hour later does not blur the first second.
fn ages(delays: &Histogram) -> Vec<Time> {
    let median = delays.value_at(delays.total().div_ceil(2)).unwrap_or(0);
    let even_end = median.saturating_mul(4).min(delays.max());
    let step = Time::from_ns(even_end.div_ceil(STEPS_MAX)).round_up_to_step();
    let count = even_end.div_ceil(step.as_ns());
    let mut ages: Vec<u64> = (0..=count).map(|n| n * step.as_ns()).collect();
    let mut last = count * step.as_ns();
    let mut power = 1_u64;
    'series: while last < delays.max() {
        for value in E24.map(|value| power.saturating_mul(value)) {
            if value > last {
                ages.push(value);
                last = value;
            }
            if last >= delays.max() {
                break 'series;
            }
        }
        power = power.saturating_mul(10);
    }
    ages.into_iter().map(Time::from_ns).collect()
}

/// Writes the rows of all messages together, from what was streamed: of all peers, online or not.
pub(super) fn write_streamed(table: &mut RowWriter, spread: &Spread) -> io::Result<()> {
    for age in ages(&spread.delays) {
        let point = Point {
            peers: spread.awaited,
            reached: spread.delays.at_most(age.as_ns()),
            altered: spread.altered_delays.at_most(age.as_ns()),
        };
        point.write(table, b"all", age)?;
    }
    Ok(())
}

/// Writes the rows of all messages together, then those of each one. `changes` are those of the
/// peers' presence; `end` is when the run ended.
pub(super) fn write_coverage(
    table: &mut RowWriter,
    names: &Names,
    audience: &Audience,
    by_rumour: &ByRumour<'_>,
    delays: &Histogram,
    changes: &[Change],
    end: Time,
) -> io::Result<()> {
    let ages = ages(delays);
    let mut curves = Curves::new(audience, names.len(), changes, &ages, end);
    // Twice, so that the sum stands first without all curves being in memory.
    let mut all = vec![Point::default(); ages.len()];
    curves.each(by_rumour, |_, curve, last| {
        for (place, sum) in all.iter_mut().enumerate() {
            sum.add(curve.get(place).unwrap_or(&last));
        }
        Ok(())
    })?;
    for (point, &age) in all.iter().zip(&ages) {
        point.write(table, b"all", age)?;
    }
    let mut message = Vec::new();
    curves.each(by_rumour, |rumour, curve, _| {
        write_message(rumour.id, names, &mut message);
        curve
            .iter()
            .zip(&ages)
            .try_for_each(|(point, &age)| point.write(table, &message, age))
    })
}

/// Whether a peer has received the message at hand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Got {
    Nothing,
    Intact,
    Altered,
}

/// Computes the curve of one message after the other.
struct Curves<'a> {
    audience: &'a Audience,
    changes: &'a [Change],
    ages: &'a [Time],
    end: Time,
    /// Scratch: by peer.
    got: Vec<Got>,
    online: Vec<bool>,
}

impl<'a> Curves<'a> {
    fn new(
        audience: &'a Audience,
        peers: usize,
        changes: &'a [Change],
        ages: &'a [Time],
        end: Time,
    ) -> Self {
        Curves {
            audience,
            changes,
            ages,
            end,
            got: vec![Got::Nothing; peers],
            online: vec![false; peers],
        }
    }

    /// Calls `visit` with each message, its curve at the ages that it reached before the run
    /// ended, and where it stood when the run ended or at the last age.
    fn each(
        &mut self,
        by_rumour: &ByRumour<'_>,
        mut visit: impl FnMut(&Rumour, &[Point], Point) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut online = vec![false; self.got.len()];
        let mut members = 0_u64;
        let mut next = 0;
        let mut curve = Vec::with_capacity(self.ages.len());
        let age_max = self.ages.last().copied().unwrap_or_default();
        for (rumour, receipts) in by_rumour.iter() {
            // In order of production, so that each change before is looked at once.
            while let Some(change) = self.changes.get(next)
                && change.time <= rumour.produced
            {
                let is = &mut online[change.peer.as_usize()];
                if *is != change.online && self.audience.includes(change.peer) {
                    members = if change.online {
                        members + 1
                    } else {
                        members - 1
                    };
                }
                *is = change.online;
                next += 1;
            }
            let last = (rumour.produced + age_max).min(self.end);
            let upcoming = &self.changes[next..];
            let upcoming = &upcoming[..upcoming.partition_point(|change| change.time <= last)];
            self.online.copy_from_slice(&online);
            let origin = rumour.id.origin;
            let own = self.audience.includes(origin) && online[origin.as_usize()];
            let start = Point {
                peers: members - u64::from(own),
                ..Point::default()
            };
            let receipts: Vec<&Receipt> = receipts
                .filter(|receipt| self.audience.includes(receipt.peer))
                .collect();
            curve.clear();
            let last = self.curve(rumour, &receipts, upcoming, start, &mut curve);
            visit(rumour, &curve, last)?;
            for receipt in receipts {
                self.got[receipt.peer.as_usize()] = Got::Nothing;
            }
        }
        Ok(())
    }

    /// Appends the points of one message to `curve`; where it stood in the end.
    fn curve(
        &mut self,
        rumour: &Rumour,
        receipts: &[&Receipt],
        changes: &[Change],
        start: Point,
        curve: &mut Vec<Point>,
    ) -> Point {
        let mut point = start;
        let mut receipts = receipts.iter().peekable();
        let mut changes = changes.iter().peekable();
        let ended = [self.end.since(rumour.produced)];
        let ages = self.ages.iter().take_while(|&&age| age < ended[0]);
        // One point more for the end of the run, which is shown only if it is one of the ages.
        for &age in ages.chain(&ended) {
            let now = rumour.produced + age;
            // What counts is who is online and who has it now: the order of the two loops, and
            // of what happened at one time, does not matter.
            while let Some(receipt) = receipts.next_if(|receipt| receipt.received <= now) {
                let got = if receipt.intact {
                    Got::Intact
                } else {
                    Got::Altered
                };
                self.got[receipt.peer.as_usize()] = got;
                if self.online[receipt.peer.as_usize()] {
                    point.reached += 1;
                    point.altered += u64::from(got == Got::Altered);
                }
            }
            while let Some(change) = changes.next_if(|change| change.time <= now) {
                self.change(change, rumour.id.origin, &mut point);
            }
            if age < ended[0] || self.ages.binary_search(&age).is_ok() {
                curve.push(point);
            }
        }
        point
    }

    fn change(&mut self, change: &Change, origin: PeerIndex, point: &mut Point) {
        let place = change.peer.as_usize();
        if self.online[place] == change.online {
            return;
        }
        self.online[place] = change.online;
        if change.peer == origin || !self.audience.includes(change.peer) {
            return;
        }
        let one = |count: &mut u64| {
            *count = if change.online {
                *count + 1
            } else {
                *count - 1
            };
        };
        one(&mut point.peers);
        if self.got[place] != Got::Nothing {
            one(&mut point.reached);
        }
        if self.got[place] == Got::Altered {
            one(&mut point.altered);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::RumourId;
    use crate::record::{Deliveries, DeliveryMode};

    fn ms(ms: u64) -> Time {
        Time::from_ns(ms * 1_000_000)
    }

    fn change(at_ms: u64, peer: u32, online: bool) -> Change {
        Change {
            time: ms(at_ms),
            peer: PeerIndex(peer),
            online,
        }
    }

    fn rumour(origin: u32, produced_ms: u64, variant: u32) -> Rumour {
        Rumour {
            id: RumourId {
                origin: PeerIndex(origin),
                counter: 1,
            },
            produced: ms(produced_ms),
            bytes: 20,
            variant,
            ttl: 4,
            hops: 1,
        }
    }

    fn ages_of(delays_ms: &[u64]) -> Vec<Time> {
        let mut delays = Histogram::default();
        for &delay in delays_ms {
            delays.add(ms(delay).as_ns());
        }
        ages(&delays)
    }

    #[test]
    fn ages_are_round_and_cover_the_largest_delay() {
        assert_eq!(ages_of(&[]), [Time::ZERO]);
        for (delay, step, count) in [(61, 500_000, 123), (200, 1_000_000, 201)] {
            let ages = ages_of(&[delay]);
            assert_eq!((ages[1], ages.len()), (Time::from_ns(step), count));
            assert!(ages[count - 1] >= ms(delay));
        }
    }

    #[test]
    fn late_receipts_do_not_blur_the_early_ones() {
        let ages = ages_of(&[5, 10, 10, 10, 60_000]);
        assert_eq!(ages[1], Time::from_ns(500_000));
        // From 40 ms on in the series: 43, 47, ... 62 s.
        let even = ages.iter().filter(|&&age| age <= ms(41)).count();
        assert_eq!(ages[even..even + 3], [ms(43), ms(47), ms(51)]);
        assert_eq!(ages.last(), Some(&ms(62_000)));
        assert!(ages.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(ages.len() < 200, "{}", ages.len());
    }

    /// Against the definition, counted peer by peer.
    #[test]
    fn a_curve_follows_peers_that_come_and_go() {
        let mut deliveries = Deliveries::new(
            DeliveryMode::Full,
            Audience::new(vec![true, true, true, true, true, false]),
        );
        deliveries.produce(&rumour(0, 10, 0));
        deliveries.produce(&rumour(1, 25, 0));
        for (peer, origin, at, variant) in [
            (1, 0, 12, 0),
            (2, 0, 13, 9),
            (5, 0, 13, 0),
            (3, 0, 20, 0),
            (0, 1, 27, 0),
        ] {
            let produced = if origin == 0 { 10 } else { 25 };
            deliveries.receive(PeerIndex(peer), &rumour(origin, produced, variant), ms(at));
        }
        let mut changes: Vec<Change> = (0..6).map(|peer| change(0, peer, true)).collect();
        // 4 leaves before, 1 for a while, 2 when it receives, the origin in between; 4 returns.
        changes.extend([
            change(5, 4, false),
            change(13, 2, false),
            change(14, 0, false),
            change(15, 1, false),
            change(18, 1, true),
            change(19, 0, true),
            change(21, 2, true),
            change(22, 4, true),
        ]);
        let end = ms(30);
        let ages: Vec<Time> = (0..=20).map(ms).collect();
        let audience = deliveries.audience();
        let online = |peer: u32, at: Time| {
            let mut of_peer = changes.iter().filter(|c| c.peer.0 == peer && c.time <= at);
            of_peer.next_back().is_some_and(|change| change.online)
        };
        let by_rumour = deliveries.by_rumour();
        let mut lengths = Vec::new();
        let mut curves = Curves::new(audience, 6, &changes, &ages, end);
        let result = curves.each(&by_rumour, |rumour, curve, last| {
            lengths.push(curve.len());
            assert_eq!(curve.last(), Some(&last));
            for (point, &age) in curve.iter().zip(&ages) {
                let now = rumour.produced + age;
                let others = (0..5).filter(|&peer| peer != rumour.id.origin.0);
                let mut expected = Point::default();
                for peer in others.filter(|&peer| online(peer, now)) {
                    expected.peers += 1;
                    let receipt = deliveries.receipts().iter().find(|receipt| {
                        receipt.peer.0 == peer && receipt.id == rumour.id && receipt.received <= now
                    });
                    expected.reached += u64::from(receipt.is_some());
                    expected.altered += u64::from(receipt.is_some_and(|r| !r.intact));
                }
                assert_eq!(*point, expected, "{rumour:?} at {now}");
            }
            Ok(())
        });
        assert!(result.is_ok());
        assert_eq!(lengths, [21, 6]);
    }
}
