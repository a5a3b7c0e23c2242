//! Who received which rumour, when, over how many hops and in how many copies.

use std::cmp::Ordering;
use std::sync::Arc;

use super::histogram::Histogram;
use super::options::DeliveryMode;
use crate::message::{Rumour, RumourId};
use crate::peer::PeerIndex;
use crate::time::Time;

/// The first receipt of a rumour by a peer: 32 bytes, so that ten million take 320 MB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Which rumour.
    pub id: RumourId,
    /// Who received it.
    pub peer: PeerIndex,
    /// How many copies the peer received in all, the first included.
    pub copies: u32,
    /// When the peer first received it.
    pub received: Time,
    /// How many links the first copy had crossed.
    pub hops: u16,
    /// Whether the payload of the first copy was the origin's own.
    pub intact: bool,
}

/// Which peers' receipts coverage is about.
#[derive(Clone, Debug, Default)]
pub struct Audience {
    /// A flag a peer; empty for all.
    members: Arc<[bool]>,
    size: u64,
}

impl Audience {
    /// The peers whose flag is set.
    pub fn new(members: Vec<bool>) -> Self {
        let size = members.iter().filter(|&&member| member).count();
        // Where all are, each copy that arrives is counted without asking for its flag.
        let members = if size < members.len() {
            members.into()
        } else {
            Arc::default()
        };
        let size = size as u64;
        Audience { members, size }
    }

    /// Whether a peer belongs to it.
    #[inline]
    pub fn includes(&self, peer: PeerIndex) -> bool {
        self.members.get(peer.as_usize()).copied().unwrap_or(true)
    }

    /// How many there are besides `origin`.
    pub fn without(&self, origin: PeerIndex) -> u64 {
        self.size - u64::from(self.size > 0 && self.includes(origin))
    }
}

/// What is known of the spread of all rumours.
#[derive(Clone, Debug)]
pub struct Deliveries {
    audience: Audience,
    kept: Kept,
    rejected: u64,
    /// The last rumour heard of, for those who watch the run.
    last: Option<LastRumour>,
}

/// The rumour that was produced last of those that some peers have heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastRumour {
    /// When it was produced, and which it is: the order in which rumours follow one another.
    key: (Time, RumourId),
    /// How many of the audience have received it.
    receipts: u64,
}

impl LastRumour {
    /// The last of both, received by as many as have received it in either.
    pub fn or_later(self, other: LastRumour) -> LastRumour {
        match self.key.cmp(&other.key) {
            Ordering::Less => other,
            Ordering::Equal => LastRumour {
                receipts: self.receipts + other.receipts,
                ..self
            },
            Ordering::Greater => self,
        }
    }

    /// The share of `audience` that has received it; `None` where there is nobody to receive it.
    pub fn coverage(&self, audience: &Audience) -> Option<f64> {
        let awaited = audience.without(self.key.1.origin);
        // Peers that begin afresh can receive it twice.
        (awaited > 0).then(|| (self.receipts as f64 / awaited as f64).min(1.0))
    }
}

/// With a tag of its own: each copy of each rumour asks which it is.
#[derive(Clone, Debug)]
#[repr(u8)]
enum Kept {
    Nothing,
    Figures(Box<Spread>),
    Rows {
        produced: Vec<Rumour>,
        receipts: Vec<Receipt>,
    },
}

/// The spread of all rumours in figures. *Receipts* are first receipts by peers of the audience
/// other than the rumour's origin.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spread {
    /// How many rumours were produced.
    pub messages: u64,
    /// How many receipts there would be if every rumour reached the whole audience.
    pub awaited: u64,
    /// First receipts by any peer but the origin, of the audience or not.
    pub received_by_any: u64,
    /// How many copies arrived at the audience, the first ones included.
    pub copies: u64,
    /// From production to receipt, in nanoseconds.
    pub delays: Histogram,
    /// The delays of those receipts whose payload was altered.
    pub altered_delays: Histogram,
    /// Links crossed until the receipt.
    pub hops: Histogram,
    /// All delays, ascending; empty where only the histogram was kept.
    exact: Vec<u64>,
}

impl Spread {
    /// How many receipts there were.
    pub fn receipts(&self) -> u64 {
        self.delays.total()
    }

    /// The share of the audience that got a rumour, over all rumours; `None` without any.
    pub fn mean(&self) -> Option<f64> {
        (self.awaited > 0).then(|| self.receipts() as f64 / self.awaited as f64)
    }

    /// How many receipts had an altered payload.
    pub fn altered(&self) -> u64 {
        self.altered_delays.total()
    }

    /// How many receipts are `percent` % of those awaited.
    fn rank(&self, percent: u64) -> u64 {
        let share = u128::from(self.awaited) * u128::from(percent);
        (share.div_ceil(100) as u64).max(1)
    }

    /// The age at which `percent` % of the audience have received a rumour, over all rumours;
    /// `None` if they never have. Exact in full mode; else from the histogram, so that it is at
    /// most 0.1 % too late.
    pub fn age_at(&self, percent: u64) -> Option<Time> {
        if self.awaited == 0 {
            return None;
        }
        let rank = self.rank(percent);
        let exact = usize::try_from(rank - 1)
            .ok()
            .and_then(|place| self.exact.get(place));
        exact
            .copied()
            .or_else(|| self.delays.value_at(rank))
            .map(Time::from_ns)
    }

    fn produce(&mut self, audience: &Audience, rumour: &Rumour) {
        self.messages += 1;
        self.awaited += audience.without(rumour.id.origin);
    }

    fn absorb(&mut self, other: &Spread) {
        self.messages += other.messages;
        self.awaited += other.awaited;
        self.received_by_any += other.received_by_any;
        self.copies += other.copies;
        self.delays.absorb(&other.delays);
        self.altered_delays.absorb(&other.altered_delays);
        self.hops.absorb(&other.hops);
    }

    fn receive(&mut self, delay: Time, hops: u16, intact: bool) {
        self.delays.add(delay.as_ns());
        self.hops.add(hops.into());
        if !intact {
            self.altered_delays.add(delay.as_ns());
        }
    }
}

/// In place of a row for what is not counted.
const NO_ROW: u32 = u32::MAX;

impl Default for Deliveries {
    fn default() -> Self {
        Deliveries::new(DeliveryMode::default(), Audience::default())
    }
}

impl Deliveries {
    /// Nothing yet; coverage will be that of `audience`.
    pub fn new(mode: DeliveryMode, audience: Audience) -> Self {
        let kept = match mode {
            DeliveryMode::None => Kept::Nothing,
            DeliveryMode::Summary => Kept::Figures(Box::default()),
            DeliveryMode::Full => Kept::Rows {
                produced: Vec::new(),
                receipts: Vec::new(),
            },
        };
        Deliveries {
            audience,
            kept,
            rejected: 0,
            last: None,
        }
    }

    /// Whose coverage this is about.
    pub fn audience(&self) -> &Audience {
        &self.audience
    }

    /// All rumours, in the order in which they were produced, shard by shard; none but in full
    /// mode.
    pub fn produced(&self) -> &[Rumour] {
        match &self.kept {
            Kept::Rows { produced, .. } => produced,
            _ => &[],
        }
    }

    /// All first receipts by others than the origin, in the order in which they were recorded,
    /// shard by shard; none but in full mode.
    pub fn receipts(&self) -> &[Receipt] {
        match &self.kept {
            Kept::Rows { receipts, .. } => receipts,
            _ => &[],
        }
    }

    /// Takes over what was recorded of other peers in the same run.
    pub(super) fn absorb(&mut self, other: Deliveries) {
        self.rejected += other.rejected;
        self.last = match (self.last, other.last) {
            (Some(last), Some(others)) => Some(last.or_later(others)),
            (last, others) => last.or(others),
        };
        match (&mut self.kept, other.kept) {
            (Kept::Figures(spread), Kept::Figures(others)) => spread.absorb(&others),
            (
                Kept::Rows { produced, receipts },
                Kept::Rows {
                    produced: mut more_produced,
                    receipts: mut more_receipts,
                },
            ) => {
                produced.append(&mut more_produced);
                receipts.append(&mut more_receipts);
            }
            _ => {}
        }
    }

    /// How many copies were rejected, since their payload was altered.
    pub fn rejected(&self) -> u64 {
        self.rejected
    }

    /// A peer has rejected a copy whose payload was altered.
    pub(crate) fn reject(&mut self, _peer: PeerIndex, _rumour: &Rumour) {
        self.rejected += 1;
    }

    /// The rumour produced last of those that these peers have heard of.
    pub fn last(&self) -> Option<LastRumour> {
        self.last
    }

    /// These peers have heard of a rumour, for the first time `receipts` more of the audience.
    #[inline]
    fn hear(&mut self, rumour: &Rumour, receipts: u64) {
        let key = (rumour.produced, rumour.id);
        match &mut self.last {
            Some(last) if last.key > key => {}
            Some(last) if last.key == key => last.receipts += receipts,
            last => *last = Some(LastRumour { key, receipts }),
        }
    }

    /// A peer has produced a rumour.
    pub(crate) fn produce(&mut self, rumour: &Rumour) {
        self.hear(rumour, 0);
        match &mut self.kept {
            Kept::Nothing => {}
            Kept::Figures(spread) => spread.produce(&self.audience, rumour),
            Kept::Rows { produced, .. } => produced.push(*rumour),
        }
    }

    /// A peer has received a rumour for the first time; the row under which further copies are
    /// to be counted.
    pub(crate) fn receive(&mut self, peer: PeerIndex, rumour: &Rumour, now: Time) -> u32 {
        if peer == rumour.id.origin {
            return NO_ROW;
        }
        self.hear(rumour, u64::from(self.audience.includes(peer)));
        match &mut self.kept {
            Kept::Nothing => NO_ROW,
            Kept::Figures(spread) => {
                spread.received_by_any += 1;
                if !self.audience.includes(peer) {
                    return NO_ROW;
                }
                spread.receive(now.since(rumour.produced), rumour.hops, rumour.intact());
                spread.copies += 1;
                0
            }
            Kept::Rows { receipts, .. } => {
                receipts.push(Receipt {
                    id: rumour.id,
                    peer,
                    copies: 1,
                    received: now,
                    hops: rumour.hops,
                    intact: rumour.intact(),
                });
                (receipts.len() - 1) as u32
            }
        }
    }

    /// A peer has received one more copy of what it holds; false, and it is not counted yet, where
    /// it takes its row to do so.
    #[inline(always)]
    pub(crate) fn receive_copy(&mut self, peer: PeerIndex, id: RumourId) -> bool {
        match &mut self.kept {
            Kept::Nothing => true,
            Kept::Figures(spread) => {
                let counts = peer != id.origin && self.audience.includes(peer);
                spread.copies += u64::from(counts);
                true
            }
            Kept::Rows { .. } => false,
        }
    }

    /// A peer has received one more copy of what it first received under `row`.
    #[inline]
    pub(crate) fn receive_again(&mut self, row: u32) {
        match &mut self.kept {
            Kept::Nothing => {}
            Kept::Figures(spread) => spread.copies += u64::from(row != NO_ROW),
            Kept::Rows { receipts, .. } => {
                if row != NO_ROW {
                    receipts[row as usize].copies += 1;
                }
            }
        }
    }

    /// The spread in figures; `None` if nothing of it was kept or no rumour was produced.
    pub fn spread(&self) -> Option<Spread> {
        let spread = match &self.kept {
            Kept::Nothing => return None,
            Kept::Figures(spread) => (**spread).clone(),
            Kept::Rows { produced, receipts } => {
                let mut spread = Spread::default();
                for rumour in produced {
                    spread.produce(&self.audience, rumour);
                }
                let places = Places::new(produced);
                for receipt in receipts {
                    let Some(place) = places.get(receipt.id) else {
                        continue;
                    };
                    spread.received_by_any += 1;
                    if self.audience.includes(receipt.peer) {
                        let delay = receipt.received.since(produced[place].produced);
                        spread.receive(delay, receipt.hops, receipt.intact);
                        spread.exact.push(delay.as_ns());
                        spread.copies += u64::from(receipt.copies);
                    }
                }
                spread.exact.sort_unstable();
                spread
            }
        };
        (spread.messages > 0).then_some(spread)
    }

    /// All receipts, rumour by rumour: for files, and for what is asked of one rumour.
    pub fn by_rumour(&self) -> ByRumour<'_> {
        ByRumour::new(self.produced(), self.receipts())
    }
}

/// Where each rumour stands in a list.
struct Places(Vec<(RumourId, usize)>);

impl Places {
    fn new(rumours: &[Rumour]) -> Self {
        let ids = rumours.iter().map(|rumour| rumour.id);
        let mut places: Vec<(RumourId, usize)> = ids.zip(0..).collect();
        places.sort_unstable();
        Places(places)
    }

    fn get(&self, id: RumourId) -> Option<usize> {
        let found = self.0.binary_search_by_key(&id, |&(id, _)| id).ok()?;
        Some(self.0[found].1)
    }
}

/// Receipts in order: of their rumour's production, rumour, receipt, peer. Takes 4 bytes a
/// receipt besides the receipts themselves.
#[derive(Debug)]
pub struct ByRumour<'a> {
    receipts: &'a [Receipt],
    rumours: Vec<Rumour>,
    /// Where the receipts of each rumour begin in `order`; one more than there are rumours.
    starts: Vec<usize>,
    order: Vec<u32>,
}

impl<'a> ByRumour<'a> {
    fn new(produced: &[Rumour], receipts: &'a [Receipt]) -> Self {
        let mut rumours = produced.to_vec();
        rumours.sort_unstable_by_key(|rumour| (rumour.produced, rumour.id));
        let places = Places::new(&rumours);
        let place = |receipt: &Receipt| places.get(receipt.id);
        // A counting sort by rumour, then each rumour's own few.
        let mut starts = vec![0; rumours.len() + 1];
        for place in receipts.iter().filter_map(place) {
            starts[place + 1] += 1;
        }
        for place in 1..starts.len() {
            starts[place] += starts[place - 1];
        }
        let mut next = starts.clone();
        let mut order = vec![0; starts[rumours.len()]];
        for (row, receipt) in receipts.iter().enumerate() {
            if let Some(place) = place(receipt) {
                order[next[place]] = row as u32;
                next[place] += 1;
            }
        }
        for range in starts.windows(2) {
            order[range[0]..range[1]].sort_unstable_by_key(|&row| {
                let receipt = &receipts[row as usize];
                (receipt.received, receipt.peer)
            });
        }
        ByRumour {
            receipts,
            rumours,
            starts,
            order,
        }
    }

    /// Each rumour with its receipts.
    pub fn iter(
        &self,
    ) -> impl Iterator<Item = (&Rumour, impl ExactSizeIterator<Item = &'a Receipt>)> {
        self.rumours.iter().enumerate().map(|(place, rumour)| {
            let rows = &self.order[self.starts[place]..self.starts[place + 1]];
            (rumour, rows.iter().map(|&row| &self.receipts[row as usize]))
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn rumour(origin: u32, counter: u32, produced_ms: u64, hops: u16, variant: u32) -> Rumour {
        Rumour {
            id: RumourId {
                origin: PeerIndex(origin),
                counter,
            },
            produced: Time::from_ns(produced_ms * 1_000_000),
            bytes: 20,
            variant,
            ttl: 4,
            hops,
        }
    }

    /// Six peers, the last of which does not count; 0 and 5 produce a rumour each.
    fn spread_of_two(mode: DeliveryMode) -> Deliveries {
        let audience = Audience::new(vec![true, true, true, true, true, false]);
        let mut deliveries = Deliveries::new(mode, audience);
        let ms = |ms: u64| Time::from_ns(ms * 1_000_000);
        deliveries.produce(&rumour(5, 1, 10, 0, 0));
        deliveries.produce(&rumour(0, 1, 10, 0, 0));
        let row = deliveries.receive(PeerIndex(1), &rumour(0, 1, 10, 1, 0), ms(15));
        // Its own comes back.
        let own = deliveries.receive(PeerIndex(0), &rumour(0, 1, 10, 2, 0), ms(16));
        deliveries.receive_again(own);
        deliveries.receive(PeerIndex(3), &rumour(0, 1, 10, 2, 7), ms(30));
        deliveries.receive_again(row);
        deliveries.receive_again(row);
        let outside = deliveries.receive(PeerIndex(5), &rumour(0, 1, 10, 2, 0), ms(31));
        deliveries.receive_again(outside);
        deliveries.receive(PeerIndex(2), &rumour(5, 1, 10, 1, 0), ms(20));
        deliveries
    }

    #[test]
    fn rows_and_streamed_figures_agree() {
        let full = spread_of_two(DeliveryMode::Full).spread().unwrap();
        let summary = spread_of_two(DeliveryMode::Summary).spread().unwrap();
        let inexact = Spread {
            exact: Vec::new(),
            ..full.clone()
        };
        assert_eq!(inexact, summary);
        // The rumour of 0 is for four others, that of 5 for five.
        assert_eq!((full.messages, full.awaited, full.receipts()), (2, 9, 3));
        assert_eq!(
            (full.received_by_any, full.altered(), full.copies),
            (4, 1, 5)
        );
        assert_eq!(full.hops.max(), 2);
        for (percent, exact) in [(11, 5.0), (12, 10.0), (22, 10.0), (33, 20.0)] {
            assert_eq!(full.age_at(percent).unwrap().as_ms(), exact);
            let about = summary.age_at(percent).unwrap().as_ms();
            assert!(about >= exact && about <= exact * 1.001, "{about}");
        }
        assert_eq!((full.age_at(34), summary.age_at(34)), (None, None));
    }

    #[test]
    fn receipts_are_shown_in_order_of_their_rumours() {
        let deliveries = spread_of_two(DeliveryMode::Full);
        let mut shown = Vec::new();
        for (rumour, receipts) in deliveries.by_rumour().iter() {
            for receipt in receipts {
                shown.push((rumour.id.origin.0, receipt.peer.0, receipt.copies));
            }
        }
        assert_eq!(shown, [(0, 1, 3), (0, 3, 1), (0, 5, 2), (5, 2, 1)]);
        assert_eq!(std::mem::size_of::<Receipt>(), 32);
    }

    #[test]
    fn nothing_is_kept_where_nothing_is_wanted() {
        assert!(spread_of_two(DeliveryMode::None).spread().is_none());
        let summary = spread_of_two(DeliveryMode::Summary);
        assert!(summary.receipts().is_empty() && summary.produced().is_empty());
    }
}
