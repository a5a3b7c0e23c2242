//! Values by labels that are given at run time: found in some nanoseconds, listed in their order.

use hashbrown::HashTable;

use crate::random::mix;

/// A value for each label, of at most so many labels: the first ones in their order. Which those
/// are depends on what was ever put in, not on when.
#[derive(Clone, Debug)]
pub(super) struct Labels<V> {
    entries: Vec<(Box<str>, V)>,
    /// Where each label stands among the entries.
    places: HashTable<u32>,
    entries_max: usize,
    /// Where the last label stands; of use only when there are as many as may be.
    last: usize,
}

/// The same on every machine, though nothing depends on it.
#[inline]
fn hash(label: &str) -> u64 {
    let mut hash = label.len() as u64;
    let (words, rest) = label.as_bytes().as_chunks::<8>();
    for word in words {
        hash = mix(hash ^ u64::from_le_bytes(*word));
    }
    let mut word = [0; 8];
    word[..rest.len()].copy_from_slice(rest);
    mix(hash ^ u64::from_le_bytes(word))
}

impl<V> Labels<V> {
    /// None yet.
    pub(super) fn new(entries_max: usize) -> Self {
        Labels {
            entries: Vec::new(),
            places: HashTable::new(),
            entries_max,
            last: 0,
        }
    }

    /// The value of a label.
    #[inline]
    pub(super) fn get_mut(&mut self, label: &str) -> Option<&mut V> {
        let same = |&place: &u32| *self.entries[place as usize].0 == *label;
        let place = *self.places.find(hash(label), same)?;
        Some(&mut self.entries[place as usize].1)
    }

    /// Gives a label that has none a value; false if a label had to be left out, this or another.
    #[cold]
    pub(super) fn insert(&mut self, label: Box<str>, value: V) -> bool {
        let full = self.entries.len() >= self.entries_max;
        if full
            && self
                .entries
                .get(self.last)
                .is_none_or(|(last, _)| *last < label)
        {
            return false;
        }
        let place = match full {
            true => {
                let out = self.last as u32;
                let found = self
                    .places
                    .find_entry(hash(&self.entries[self.last].0), |&p| p == out);
                if let Ok(entry) = found {
                    entry.remove();
                }
                self.last
            }
            false => self.entries.len(),
        };
        let key = hash(&label);
        if full {
            self.entries[place] = (label, value);
        } else {
            self.entries.push((label, value));
        }
        let entries = &self.entries;
        self.places
            .insert_unique(key, place as u32, |&p| hash(&entries[p as usize].0));
        if self.entries.len() >= self.entries_max {
            let places = 0..self.entries.len();
            let last = places.max_by(|&a, &b| self.entries[a].0.cmp(&self.entries[b].0));
            self.last = last.unwrap_or(0);
        }
        !full
    }

    /// All labels with their values, in the order of labels.
    pub(super) fn sorted(&self) -> Vec<(&str, &V)> {
        let entries = self.entries.iter();
        let mut all: Vec<(&str, &V)> = entries.map(|(label, value)| (&**label, value)).collect();
        all.sort_unstable_by_key(|&(label, _)| label);
        all
    }

    /// All labels with their values, in any order.
    pub(super) fn into_entries(self) -> Vec<(Box<str>, V)> {
        self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the plain way: all that was ever put in, sorted and cut.
    #[test]
    fn the_first_labels_stay_in_whatever_order_they_come() {
        for entries_max in [0, 1, 3, 50, 200] {
            let mut labels = Labels::new(entries_max);
            let mut all = std::collections::BTreeMap::new();
            for number in 0..500_u64 {
                let label = format!("label {}", mix(number) % 100);
                *all.entry(label.clone()).or_insert(0) += 1;
                match labels.get_mut(&label) {
                    Some(count) => *count += 1,
                    None => {
                        labels.insert(label.as_str().into(), 1);
                    }
                }
            }
            let expected: Vec<(&str, &i32)> = all
                .iter()
                .map(|(label, count)| (label.as_str(), count))
                .take(entries_max)
                .collect();
            assert_eq!(labels.sorted(), expected);
        }
    }
}
