//! Partitions: for a while, no message crosses from one group of peers to another.

use std::sync::Arc;

use crate::peer::PeerIndex;
use crate::time::Time;

/// The group of a peer that is in none.
pub const UNGROUPED: u16 = u16::MAX;

/// Groups of peers between which no message crosses for a while.
#[derive(Clone, Debug)]
pub struct Partition {
    /// When it begins; it holds then.
    pub from: Time,
    /// When it ends; it does not hold then.
    pub until: Time,
    /// Whether only messages from an earlier group to a later one are lost.
    pub directed: bool,
    /// The group of each peer, or [`UNGROUPED`]: such a peer reaches, and is reached by, all.
    pub groups: Arc<[u16]>,
    /// How many groups there are, those without peers included.
    pub sides: usize,
}

impl Partition {
    /// How many peers are in each group, and in none.
    pub fn sizes(&self) -> (Vec<usize>, usize) {
        let mut sizes = vec![0; self.sides];
        let mut ungrouped = 0;
        for &group in self.groups.iter() {
            match sizes.get_mut(usize::from(group)) {
                Some(size) => *size += 1,
                None => ungrouped += 1,
            }
        }
        (sizes, ungrouped)
    }

    fn parts(&self, from: PeerIndex, to: PeerIndex) -> bool {
        let (from, to) = (self.groups[from.as_usize()], self.groups[to.as_usize()]);
        if from == UNGROUPED || to == UNGROUPED {
            return false;
        }
        if self.directed { from < to } else { from != to }
    }
}

/// All partitions of a run; they may overlap.
#[derive(Clone, Debug, Default)]
pub struct Partitions {
    /// By their begin.
    partitions: Vec<Partition>,
    /// The latest end of the partitions up to each: ascending, so that it can be searched.
    latest_end: Vec<Time>,
}

impl Partitions {
    /// These partitions, in any order.
    pub fn new(mut partitions: Vec<Partition>) -> Self {
        partitions.sort_by_key(|partition| partition.from);
        let mut latest = Time::ZERO;
        let latest_end = partitions
            .iter()
            .map(|partition| {
                latest = latest.max(partition.until);
                latest
            })
            .collect();
        Partitions {
            partitions,
            latest_end,
        }
    }

    /// All of them, by their begin.
    pub fn iter(&self) -> impl Iterator<Item = &Partition> {
        self.partitions.iter()
    }

    /// Whether a partition holds between two peers at some time of a message's travel, from when
    /// it leaves the uplink to when it reaches the receiver.
    #[inline]
    pub fn cut(&self, from: PeerIndex, to: PeerIndex, departure: Time, arrival: Time) -> bool {
        let first = self.latest_end.partition_point(|&end| end <= departure);
        self.partitions[first..]
            .iter()
            .take_while(|partition| partition.from <= arrival)
            .any(|partition| departure < partition.until && partition.parts(from, to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(from: u64, until: u64, directed: bool, groups: &[u16]) -> Partition {
        Partition {
            from: Time::from_ns(from),
            until: Time::from_ns(until),
            directed,
            groups: groups.into(),
            sides: 2,
        }
    }

    #[test]
    fn what_overlaps_is_lost() {
        let partitions = Partitions::new(vec![
            partition(100, 200, true, &[0, 1, UNGROUPED]),
            partition(10, 20, false, &[0, 1, UNGROUPED]),
            // Overlaps the first, with other groups.
            partition(150, 300, false, &[UNGROUPED, 0, 1]),
        ]);
        let cut = |from, to, departure, arrival| {
            let times = (Time::from_ns(departure), Time::from_ns(arrival));
            partitions.cut(PeerIndex(from), PeerIndex(to), times.0, times.1)
        };
        for (from, to, departure, arrival, expected) in [
            (0, 1, 0, 9, false),
            (0, 1, 0, 10, true),
            (1, 0, 12, 14, true),
            (0, 1, 19, 30, true),
            (0, 1, 20, 30, false),
            (0, 1, 0, 1000, true),
            // From a later group to an earlier one.
            (1, 0, 90, 120, false),
            (0, 1, 90, 120, true),
            (0, 1, 199, 400, true),
            (0, 1, 200, 400, false),
            // In no group.
            (0, 2, 0, 1000, false),
            (2, 1, 0, 149, false),
            (2, 1, 0, 150, true),
            (1, 2, 299, 400, true),
            (1, 2, 300, 400, false),
        ] {
            assert_eq!(
                cut(from, to, departure, arrival),
                expected,
                "{from} to {to}, {departure} to {arrival}"
            );
        }
    }

    #[test]
    fn sizes_are_counted() {
        let sizes = partition(0, 1, false, &[1, 1, UNGROUPED, 1]).sizes();
        assert_eq!(sizes, (vec![0, 3], 1));
    }
}
