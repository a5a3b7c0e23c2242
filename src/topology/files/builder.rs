//! Collects what a reader finds, peer by peer and link by link, and makes a graph of it.

use std::sync::Arc;

use hashbrown::HashTable;

use super::{FileError, GraphFile, Limits};
use crate::peer::{PeerId, PeerIndex};
use crate::random::mix;
use crate::topology::attributes::{Attributes, Cell, Column, Value};
use crate::topology::{Dropped, Graph};

/// Numbers below this have 64 MiB of places at most.
const SMALL: u64 = 1 << 24;
/// More attributes than this are no attributes.
const COLUMNS_MAX: usize = 1_000;

/// What a file calls a peer.
#[derive(Clone, Debug, PartialEq)]
enum Name {
    Whole(u64),
    Text(Box<str>),
}

/// Collects a graph.
pub(super) struct Builder {
    limits: Limits,
    names: Vec<Name>,
    /// Places in `names`, by the hash of the name; of names that are not in `small`.
    table: HashTable<u32>,
    /// Places in `names` plus one, by number: of numbers below [`SMALL`], which most ids are and
    /// which are found at one look.
    small: Vec<u32>,
    /// The first name that is not a whole number.
    first_text: Option<u32>,
    links: Vec<(u32, u32)>,
    peer_columns: Vec<Column<u32>>,
    /// By the number of the link in `links`.
    link_columns: Vec<Column<u32>>,
    texts: HashTable<Arc<str>>,
    /// Whether the file says that links have a direction.
    pub(super) directed: bool,
    warnings: Vec<String>,
}

/// The whole number that a name is, in its one form: `07` is a name.
pub(super) fn whole(name: &[u8]) -> Option<u64> {
    if name.is_empty() || name.len() > 20 || (name[0] == b'0' && name.len() > 1) {
        return None;
    }
    name.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then_some(())?;
        number.checked_mul(10)?.checked_add(digit.into())
    })
}

fn hash_bytes(bytes: &[u8]) -> u64 {
    bytes.chunks(8).fold(bytes.len() as u64, |hash, chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        mix(hash ^ u64::from_le_bytes(word))
    })
}

fn hash(name: &Name) -> u64 {
    match name {
        Name::Whole(number) => mix(*number),
        Name::Text(text) => hash_bytes(text.as_bytes()),
    }
}

impl Builder {
    pub(super) fn new(limits: Limits) -> Self {
        Builder {
            limits,
            names: Vec::new(),
            table: HashTable::new(),
            small: Vec::new(),
            first_text: None,
            links: Vec::new(),
            peer_columns: Vec::new(),
            link_columns: Vec::new(),
            texts: HashTable::new(),
            directed: false,
            warnings: Vec::new(),
        }
    }

    /// The peer with this name.
    #[inline]
    pub(super) fn peer(&mut self, name: &[u8]) -> Result<u32, String> {
        if let Some(number) = whole(name) {
            return self.peer_numbered(number);
        }
        let text = std::str::from_utf8(name).map_err(|_| "this is not UTF-8 text")?;
        let hashed = hash_bytes(name);
        let names = &self.names;
        let same = |&place: &u32| matches!(&names[place as usize], Name::Text(t) if **t == *text);
        match self.table.find(hashed, same) {
            Some(&place) => Ok(place),
            None => self.add(Name::Text(text.into()), hashed),
        }
    }

    /// The peer whose name is this number.
    #[inline]
    pub(super) fn peer_numbered(&mut self, number: u64) -> Result<u32, String> {
        if number < SMALL {
            let at = number as usize;
            if at >= self.small.len() {
                self.small.resize((at + 1).next_power_of_two(), 0);
            }
            if self.small[at] == 0 {
                self.small[at] = self.add_name(Name::Whole(number))? + 1;
            }
            return Ok(self.small[at] - 1);
        }
        let hashed = mix(number);
        let names = &self.names;
        let same = |&place: &u32| names[place as usize] == Name::Whole(number);
        match self.table.find(hashed, same) {
            Some(&place) => Ok(place),
            None => self.add(Name::Whole(number), hashed),
        }
    }

    fn add(&mut self, name: Name, hashed: u64) -> Result<u32, String> {
        let place = self.add_name(name)?;
        let names = &self.names;
        self.table
            .insert_unique(hashed, place, |&other| hash(&names[other as usize]));
        Ok(place)
    }

    fn add_name(&mut self, name: Name) -> Result<u32, String> {
        let place = self.names.len() as u64;
        let most = self.limits.peers_max.min(PeerIndex::LIMIT);
        if place >= most {
            return Err(format!("there are more than {most} peers, too many"));
        }
        let place = place as u32;
        if matches!(name, Name::Text(_)) && self.first_text.is_none() {
            self.first_text = Some(place);
        }
        self.names.push(name);
        Ok(place)
    }

    /// A link between two peers; its number.
    #[inline]
    pub(super) fn link(&mut self, a: u32, b: u32) -> Result<u32, String> {
        let number = self.links.len() as u64;
        let most = self.limits.links_max.min(u32::MAX.into());
        if number >= most {
            return Err(format!("there are more than {most} links, too many"));
        }
        self.links.push((a, b));
        Ok(number as u32)
    }

    /// A text that is kept once however often it is said.
    pub(super) fn shared(&mut self, value: Value) -> Value {
        let Value::Text(text) = value else {
            return value;
        };
        let hashed = hash_bytes(text.as_bytes());
        let entry = self.texts.entry(
            hashed,
            |other| **other == *text,
            |other| hash_bytes(other.as_bytes()),
        );
        Value::Text(entry.or_insert(text.clone()).get().clone())
    }

    pub(super) fn peer_says(
        &mut self,
        peer: u32,
        name: &str,
        line: u64,
        value: Value,
    ) -> Result<(), String> {
        let value = self.shared(value);
        say(&mut self.peer_columns, peer, name, line, value)
    }

    pub(super) fn link_says(
        &mut self,
        link: u32,
        name: &str,
        line: u64,
        value: Value,
    ) -> Result<(), String> {
        let value = self.shared(value);
        say(&mut self.link_columns, link, name, line, value)
    }

    /// Says what may not be as meant.
    pub(super) fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    pub(super) fn peers(&self) -> usize {
        self.names.len()
    }

    pub(super) fn links(&self) -> usize {
        self.links.len()
    }

    /// Calls the peers by their `label`, if each has one of its own and all are whole numbers.
    pub(super) fn name_by_labels(&mut self) {
        let Some(at) = self.peer_columns.iter().position(|c| c.name == "label") else {
            return;
        };
        let mut labels = self.peer_columns[at].clone();
        labels.settle();
        let numbers: Option<Vec<u64>> = labels
            .cells
            .iter()
            .map(|cell| whole(cell.value.to_string().as_bytes()))
            .collect();
        let Some(numbers) = numbers.filter(|numbers| numbers.len() == self.names.len()) else {
            return;
        };
        let mut sorted = numbers.clone();
        sorted.sort_unstable();
        sorted.dedup();
        if sorted.len() == numbers.len() {
            self.names = numbers.into_iter().map(Name::Whole).collect();
            self.first_text = None;
            self.peer_columns.remove(at);
        }
    }

    /// The graph of what was found.
    pub(super) fn finish(mut self) -> Result<GraphFile, FileError> {
        if self.names.is_empty() {
            let message = "the file names no link and no peer".into();
            return Err(FileError { line: 1, message });
        }
        self.table = HashTable::new();
        self.small = Vec::new();
        let ids: Vec<PeerId> = match self.first_text {
            None => self
                .names
                .iter()
                .map(|name| match name {
                    Name::Whole(number) => PeerId(*number),
                    Name::Text(_) => PeerId(0),
                })
                .collect(),
            Some(first) => {
                self.keep_names(first);
                (0..self.names.len() as u64).map(PeerId).collect()
            }
        };
        self.names = Vec::new();
        // From the order of appearance to that of ids.
        let mut order: Vec<u32> = (0..ids.len() as u32).collect();
        order.sort_unstable_by_key(|&place| ids[place as usize]);
        let mut places = vec![0_u32; ids.len()];
        for (place, &appeared) in order.iter().enumerate() {
            places[appeared as usize] = place as u32;
        }
        let ids = order.iter().map(|&place| ids[place as usize]).collect();
        for (a, b) in &mut self.links {
            (*a, *b) = (places[*a as usize], places[*b as usize]);
        }
        let attributes = Attributes {
            peers: settle(self.peer_columns, |peer| Some(places[peer as usize])),
            links: settle(self.link_columns, |link| {
                let (a, b) = self.links[link as usize];
                (a != b).then_some((a.min(b), a.max(b)))
            }),
        };
        let (graph, dropped) = Graph::build(ids, self.links.iter().copied());
        self.warnings
            .extend(dropped_warning(dropped, self.directed));
        if self.directed {
            let warning = "links with a direction are read as links without one";
            self.warnings.push(warning.into());
        }
        Ok(GraphFile {
            graph,
            attributes,
            warnings: self.warnings,
        })
    }

    /// Keeps the names of peers that get numbers instead.
    fn keep_names(&mut self, first: u32) {
        let taken = |name: &str| self.peer_columns.iter().any(|c| c.name == name);
        let name = ["label", "name"].into_iter().find(|name| !taken(name));
        let cells = self.names.iter().enumerate().map(|(place, name)| Cell {
            at: place as u32,
            line: 0,
            value: Value::Text(match name {
                Name::Whole(number) => number.to_string().into(),
                Name::Text(text) => (**text).into(),
            }),
        });
        let shown = match &self.names[first as usize] {
            Name::Text(text) => super::quoted(text.as_bytes()),
            Name::Whole(number) => number.to_string(),
        };
        let mut warning = format!(
            "peers are numbered from 0 on in the order in which they appear, since {shown} is no \
             whole number"
        );
        if let Some(name) = name {
            let column = Column {
                name: name.into(),
                cells: cells.collect(),
            };
            self.peer_columns.insert(0, column);
            warning.push_str(&format!("; their names are kept as `{name}`"));
        }
        self.warnings.push(warning);
    }
}

fn dropped_warning(dropped: Dropped, directed: bool) -> Option<String> {
    let Dropped {
        self_loops,
        duplicates,
    } = dropped;
    let other_way = if directed {
        " (or there the other way round)"
    } else {
        ""
    };
    (self_loops + duplicates > 0).then(|| {
        format!(
            "{self_loops} links of a peer to itself and {duplicates} repeated ones{other_way} were \
             left out"
        )
    })
}

fn say(
    columns: &mut Vec<Column<u32>>,
    at: u32,
    name: &str,
    line: u64,
    value: Value,
) -> Result<(), String> {
    let cell = Cell {
        at,
        line: u32::try_from(line).unwrap_or(u32::MAX),
        value,
    };
    if let Some(column) = columns.iter_mut().find(|column| column.name == name) {
        column.cells.push(cell);
    } else if columns.len() >= COLUMNS_MAX {
        return Err(format!("there are more than {COLUMNS_MAX} attributes"));
    } else {
        columns.push(Column {
            name: name.to_owned(),
            cells: vec![cell],
        });
    }
    Ok(())
}

/// Columns under the keys that `key` gives; what has none is left out.
fn settle<K: Ord>(columns: Vec<Column<u32>>, key: impl Fn(u32) -> Option<K>) -> Vec<Column<K>> {
    let settled = columns.into_iter().map(|column| {
        let cells = column.cells.into_iter().filter_map(|cell| {
            Some(Cell {
                at: key(cell.at)?,
                line: cell.line,
                value: cell.value,
            })
        });
        let mut column = Column {
            name: column.name,
            cells: cells.collect(),
        };
        column.settle();
        column
    });
    settled.filter(|column| !column.cells.is_empty()).collect()
}
