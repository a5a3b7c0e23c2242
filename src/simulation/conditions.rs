//! What a plan says of the network's conditions, and how its partitions' groups become peers.

use std::sync::Arc;

use super::setup::whole_shares;
use crate::network::{Conditions, LossTable, Partition, Partitions, UNGROUPED};
use crate::peer::{LocationIndex, TypeIndex};
use crate::random::{Purpose, Stream};
use crate::time::Time;

/// What the network does to messages besides delaying them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConditionsPlan {
    /// Loss by location, as the scenario gives it.
    pub loss: Option<LossTable>,
    /// With which probability a second copy of a message is delivered, 0 to 1.
    pub duplication: f64,
    /// Between whom nothing passes, and when.
    pub partitions: Vec<PartitionPlan>,
}

/// Groups of peers between which no message crosses for a while.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionPlan {
    /// When it begins; it holds then.
    pub from: Time,
    /// When it ends; it does not hold then.
    pub until: Time,
    /// Whether only messages from an earlier group to a later one are lost.
    pub directed: bool,
    /// Who is in which group.
    pub groups: Groups,
}

/// Who is in which group of a partition; the others are in none.
#[derive(Clone, Debug, PartialEq)]
pub enum Groups {
    /// The peers at these locations.
    Locations(Vec<Vec<LocationIndex>>),
    /// The peers of these types.
    Types(Vec<Vec<TypeIndex>>),
    /// Shares of all peers, at most 1 together; the peers are drawn.
    Shares(Vec<f64>),
}

impl Groups {
    /// How many groups there are.
    pub fn count(&self) -> usize {
        match self {
            Groups::Locations(groups) => groups.len(),
            Groups::Types(groups) => groups.len(),
            Groups::Shares(shares) => shares.len(),
        }
    }
}

impl ConditionsPlan {
    /// The conditions for peers at these places and of these types; `None` if nothing happens to
    /// any message.
    pub(super) fn begin(
        &self,
        seed: u64,
        locations: &[LocationIndex],
        types: &[TypeIndex],
    ) -> Option<Box<Conditions>> {
        if *self == ConditionsPlan::default() {
            return None;
        }
        let mut loss = self.loss.clone().unwrap_or_default();
        loss.fill_symmetrically();
        let mut stream = Stream::global(seed, Purpose::Partition);
        let mut partitions: Vec<Partition> = Vec::with_capacity(self.partitions.len());
        for (place, plan) in self.partitions.iter().enumerate() {
            let same = self.partitions[..place].iter().position(|earlier| {
                earlier.groups == plan.groups && !matches!(plan.groups, Groups::Shares(_))
            });
            let groups = match (same, &plan.groups) {
                (Some(same), _) => partitions[same].groups.clone(),
                (None, Groups::Locations(groups)) => {
                    by_key(groups, locations, LocationIndex::as_usize)
                }
                (None, Groups::Types(groups)) => by_key(groups, types, TypeIndex::as_usize),
                (None, Groups::Shares(shares)) => by_share(shares, types.len(), &mut stream),
            };
            partitions.push(Partition {
                from: plan.from,
                until: plan.until,
                directed: plan.directed,
                groups,
                sides: plan.groups.count(),
            });
        }
        Some(Box::new(Conditions {
            loss,
            duplication: self.duplication,
            partitions: Partitions::new(partitions),
        }))
    }
}

/// The group of each peer by what it has: a location, a type.
fn by_key<K: Copy>(groups: &[Vec<K>], keys: &[K], index: impl Fn(K) -> usize) -> Arc<[u16]> {
    let all = || keys.iter().chain(groups.iter().flatten());
    let size = all().map(|&key| index(key) + 1).max().unwrap_or(0);
    let mut group_of = vec![UNGROUPED; size];
    for (group, members) in (0_u16..).zip(groups) {
        for &key in members {
            group_of[index(key)] = group;
        }
    }
    keys.iter().map(|&key| group_of[index(key)]).collect()
}

/// Groups of random peers, their sizes rounded by largest remainders.
fn by_share(shares: &[f64], peers: usize, stream: &mut Stream) -> Arc<[u16]> {
    let mut shares: Vec<(u16, f64)> = (0_u16..).zip(shares.iter().copied()).collect();
    let rest = 1.0 - shares.iter().map(|&(_, share)| share).sum::<f64>();
    if rest > 1e-9 {
        shares.push((UNGROUPED, rest));
    }
    let mut groups: Vec<u16> = whole_shares(&shares, peers as u64)
        .into_iter()
        .flat_map(|(group, count)| std::iter::repeat_n(group, count as usize))
        .collect();
    stream.shuffle(&mut groups);
    groups.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_whole_random_and_each_partitions_own() {
        let mut stream = Stream::global(1, Purpose::Partition);
        let groups = by_share(&[0.3, 0.5], 99, &mut stream);
        let count = |groups: &[u16], group| groups.iter().filter(|&&g| g == group).count();
        // 29.7, 49.5 and 19.8: the largest remainders are rounded up.
        assert_eq!(
            [0, 1, UNGROUPED].map(|group| count(&groups, group)),
            [30, 49, 20]
        );
        assert!(groups.windows(2).filter(|pair| pair[0] != pair[1]).count() > 20);
        let again = by_share(&[0.3, 0.5], 99, &mut stream);
        assert_ne!(groups, again);
        let all = by_share(&[0.3, 0.7], 10, &mut stream);
        assert_eq!((count(&all, 0), count(&all, 1)), (3, 7));
    }

    #[test]
    fn groups_are_those_of_the_peers_keys() {
        let [a, b, c] = [LocationIndex(0), LocationIndex(1), LocationIndex(2)];
        let groups = by_key(&[vec![c], vec![a]], &[a, b, c, a], LocationIndex::as_usize);
        assert_eq!(*groups, [1, UNGROUPED, 0, 1]);
    }

    #[test]
    fn nothing_said_is_nothing_done() {
        let plan = ConditionsPlan::default();
        assert!(plan.begin(1, &[], &[]).is_none());
    }
}
