//! Rumours as scripts have them: equal ones are one table, which nobody can change.
//!
//! So a script cannot tell which of its VM's peers met a rumour before, and a rumour that comes
//! again is not made again.

use hashbrown::HashTable;
use mlua::{Function, Table, Value};

use super::values::id_of;
use crate::engine::Context;
use crate::message::{Rumour, RumourId};
use crate::random::mix;

/// The rumours of a VM, each with a number by which its prelude knows it.
pub(super) struct Rumours {
    /// Gives the rumour of a number and fields: the one that there is, or a new one.
    make: Function,
    /// Those that scripts may still hold, by their numbers, and their numbers. The references to
    /// rumours are weak.
    made: Table,
    numbers: Table,
    /// By number, counted from 1; what has no number any more is among them, too.
    all: Vec<Rumour>,
    places: HashTable<u32>,
    /// Numbers that nothing has.
    free: Vec<u32>,
    /// With so many numbers given, those that are no longer held are looked for.
    sweep_at: usize,
}

/// A rumour's fields, as the prelude takes them after its number.
type Fields = (f64, u32, f64, u32, u32, u16, u16);

/// Fewer numbers than these are not looked through.
const SWEEP_MIN: usize = 4096;

impl Rumours {
    /// None yet, in a VM with this prelude.
    pub(super) fn new(prelude: &Table) -> mlua::Result<Self> {
        Ok(Rumours {
            make: prelude.raw_get("new_rumour")?,
            made: prelude.raw_get("made")?,
            numbers: prelude.raw_get("numbers")?,
            all: Vec::new(),
            places: HashTable::new(),
            free: Vec::new(),
            sweep_at: SWEEP_MIN,
        })
    }

    /// The rumour that a table is, if it is one.
    pub(super) fn read(&self, table: &Table) -> Option<Rumour> {
        self.get(self.numbers.raw_get(table).ok()?)
    }

    /// The rumour of this number, if there is one.
    #[inline]
    pub(super) fn get(&self, number: u32) -> Option<Rumour> {
        self.all.get((number as usize).wrapping_sub(1)).copied()
    }

    /// The table that a rumour is.
    pub(super) fn write(&mut self, rumour: &Rumour, context: &Context<'_>) -> mlua::Result<Value> {
        let number = self.number(rumour)?;
        let (a, b, c, d, e, f, g) = fields(rumour, context);
        self.make.call((number, a, b, c, d, e, f, g))
    }

    /// The number of a rumour, counted from 1. It stays the same as long as a script holds the
    /// rumour, which may not have been made yet.
    #[inline]
    pub(super) fn number(&mut self, rumour: &Rumour) -> mlua::Result<u32> {
        let same = |&number: &u32| self.all[number as usize - 1] == *rumour;
        match self.places.find(hash(rumour), same) {
            Some(&number) => Ok(number),
            None => self.give(rumour),
        }
    }

    #[cold]
    fn give(&mut self, rumour: &Rumour) -> mlua::Result<u32> {
        if self.places.len() >= self.sweep_at {
            self.sweep()?;
        }
        let number = match self.free.pop() {
            Some(number) => {
                self.all[number as usize - 1] = *rumour;
                number
            }
            None => {
                self.all.push(*rumour);
                self.all.len() as u32
            }
        };
        let all = &self.all;
        let rehash = |&number: &u32| hash(&all[number as usize - 1]);
        self.places.insert_unique(hash(rumour), number, rehash);
        Ok(number)
    }

    /// Takes back the numbers of what no script holds any more.
    fn sweep(&mut self) -> mlua::Result<()> {
        let mut result = Ok(());
        self.places.retain(|&mut number| {
            let held = match self.made.raw_get::<Value>(number) {
                Ok(held) => !held.is_nil(),
                Err(error) => {
                    result = Err(error);
                    true
                }
            };
            if !held {
                self.free.push(number);
            }
            held
        });
        self.sweep_at = (2 * self.places.len()).max(SWEEP_MIN);
        result
    }
}

/// The same on every machine, though nothing depends on it.
#[inline]
fn hash(rumour: &Rumour) -> u64 {
    let RumourId { origin, counter } = rumour.id;
    let id = u64::from(origin.0) << 32 | u64::from(counter);
    let way = u64::from(rumour.ttl) << 16 | u64::from(rumour.hops);
    mix(id ^ mix(way ^ u64::from(rumour.variant) << 32))
}

/// The fields of a rumour.
fn fields(rumour: &Rumour, context: &Context<'_>) -> Fields {
    let id = rumour.id;
    (
        id_of(id.origin, context),
        id.counter,
        rumour.produced.as_ms(),
        rumour.bytes,
        rumour.variant,
        rumour.ttl,
        rumour.hops,
    )
}
