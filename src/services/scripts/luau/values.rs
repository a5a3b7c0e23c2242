//! What scripts send each other: values as bytes, so that peers share nothing.

use std::sync::Arc;

use mlua::{Lua, Table, Value};
use smallvec::SmallVec;

use super::super::actions::{Content, find_all, sent};
use super::super::declaration::Form;
use super::rumours::Rumours;
use crate::engine::Context;
use crate::message::{HEADER_BYTES, Payload, Rumour, RumourId};
use crate::peer::{PeerId, PeerIndex};
use crate::services::gossip::GOSSIP_HEADER_BYTES;
use crate::time::Time;

/// Ids are numbers of a script, which are exact up to here.
pub(super) const ID_MAX: u64 = 1 << 53;
/// Tables within tables, at most.
const DEPTH_MAX: usize = 60;
/// The largest value, encoded.
const BYTES_MAX: usize = 16 << 20;

const NIL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const NUMBER: u8 = 3;
const STRING: u8 = 4;
const TABLE: u8 = 5;
const RUMOUR: u8 = 6;
const BUFFER: u8 = 7;

/// A peer's id as a number of a script.
pub(super) fn id_of(peer: PeerIndex, context: &Context<'_>) -> f64 {
    context.id(peer).0 as f64
}

/// The peer that a value of a script names.
pub(super) fn peer(value: &Value, context: &Context<'_>) -> Result<PeerIndex, String> {
    let number = match value {
        Value::Integer(number) => *number as f64,
        Value::Number(number) => *number,
        other => return Err(format!("a peer is named by its id, not by {}", kind(other))),
    };
    let whole = number >= 0.0 && number <= ID_MAX as f64 && number.fract() == 0.0;
    whole
        .then(|| context.find(PeerId(number as u64)))
        .flatten()
        .ok_or_else(|| format!("there is no peer {number}"))
}

/// A list of peers.
pub(super) fn peers(
    value: &Value,
    context: &Context<'_>,
) -> Result<SmallVec<[PeerIndex; 4]>, String> {
    match value {
        Value::Nil => Ok(SmallVec::new()),
        Value::Table(list) => list
            .sequence_values::<Value>()
            .map(|item| peer(&item.map_err(|error| error.to_string())?, context))
            .collect(),
        one => Ok(SmallVec::from_slice(&[peer(one, context)?])),
    }
}

/// What a value of a script is called in messages.
pub(super) fn kind(value: &Value) -> String {
    match value {
        Value::Nil => "nil".into(),
        Value::Boolean(flag) => flag.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("\"{}\"", text.to_string_lossy()),
        other => format!("a {}", other.type_name()),
    }
}

/// What a message of this form carries for `value`.
pub(super) fn encode(
    value: &Value,
    form: Form,
    rumours: &Rumours,
    context: &Context<'_>,
) -> Result<Content, String> {
    let list = || match value {
        Value::Table(list) => Ok(list.sequence_values::<Value>()),
        other => Err(format!("the message carries a list, not {}", kind(other))),
    };
    let rumour_of = |item: &Value| match item {
        Value::Table(table) => rumours.read(table),
        _ => None,
    };
    match form {
        Form::Value => {}
        Form::Peers => {
            let all = peers(value, context)?;
            let bytes = listed(all.len(), 8);
            return Ok(Content {
                payload: Payload::Peers(all),
                bytes,
            });
        }
        Form::Rumours => {
            let mut all = Vec::new();
            let mut bytes = HEADER_BYTES;
            for item in list()? {
                let item = item.map_err(|error| error.to_string())?;
                let rumour = rumour_of(&item)
                    .ok_or_else(|| format!("the message carries rumours, not {}", kind(&item)))?;
                bytes = bytes.saturating_add(GOSSIP_HEADER_BYTES.saturating_add(rumour.bytes));
                all.push(sent(&rumour));
            }
            return Ok(Content {
                payload: Payload::Rumours(all.into()),
                bytes,
            });
        }
        Form::RumourIds => {
            let mut all = Vec::new();
            for item in list()? {
                let item = item.map_err(|error| error.to_string())?;
                let id = rumour_of(&item).map(|rumour| rumour.id);
                all.push(match id {
                    Some(id) => id,
                    None => rumour_id(&item, context)?,
                });
            }
            let bytes = listed(all.len(), 8);
            return Ok(Content {
                payload: Payload::RumourIds(all.into()),
                bytes,
            });
        }
    }
    match value {
        Value::Nil => return Ok(Content::EMPTY),
        Value::Integer(number) if (0..=ID_MAX as i64).contains(number) => {
            return Ok(Content {
                payload: Payload::Integer(*number as u64),
                bytes: HEADER_BYTES + 8,
            });
        }
        Value::Table(table) => {
            if let Some(rumour) = rumours.read(table) {
                return Ok(Content::rumour(&rumour));
            }
        }
        _ => {}
    }
    let mut out = Encoder {
        bytes: Vec::with_capacity(32),
        rumours,
    };
    out.write(value, 0)?;
    let bytes = HEADER_BYTES.saturating_add(out.bytes.len() as u32);
    Ok(Content {
        payload: Payload::Value(Arc::from(out.bytes)),
        bytes,
    })
}

/// Bytes of a message that lists so many things.
fn listed(count: usize, each: u32) -> u32 {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    HEADER_BYTES.saturating_add(count.saturating_mul(each))
}

/// The id of a rumour, written as `3_1`.
fn rumour_id(value: &Value, context: &Context<'_>) -> Result<RumourId, String> {
    let refused = || {
        format!(
            "the message carries ids of rumours (\"3_1\"), not {}",
            kind(value)
        )
    };
    let Value::String(text) = value else {
        return Err(refused());
    };
    let text = text.to_string_lossy();
    let (origin, counter) = text.split_once('_').ok_or_else(refused)?;
    let origin = origin.parse().map_err(|_| refused())?;
    let counter = counter.parse().map_err(|_| refused())?;
    let origin = find_all(context, [origin]).map_err(|id| format!("there is no peer {id}"))?;
    Ok(RumourId {
        origin: origin[0],
        counter,
    })
}

struct Encoder<'a> {
    bytes: Vec<u8>,
    rumours: &'a Rumours,
}

impl Encoder<'_> {
    fn write(&mut self, value: &Value, depth: usize) -> Result<(), String> {
        match value {
            Value::Nil => self.bytes.push(NIL),
            Value::Boolean(false) => self.bytes.push(FALSE),
            Value::Boolean(true) => self.bytes.push(TRUE),
            Value::Integer(number) => self.number(*number as f64),
            Value::Number(number) => self.number(*number),
            Value::String(text) => self.text(STRING, &text.as_bytes())?,
            Value::Buffer(buffer) => self.text(BUFFER, &buffer.to_vec())?,
            Value::Table(table) => self.table(table, depth)?,
            other => {
                return Err(format!(
                    "a message cannot carry {}: nil, booleans, numbers, strings, buffers, \
                     rumours, and tables of these can be sent",
                    kind(other)
                ));
            }
        }
        self.check()
    }

    fn check(&self) -> Result<(), String> {
        match self.bytes.len() {
            0..=BYTES_MAX => Ok(()),
            _ => Err("a message cannot carry more than 16 MiB".into()),
        }
    }

    fn number(&mut self, number: f64) {
        self.bytes.push(NUMBER);
        self.bytes.extend(number.to_le_bytes());
    }

    fn text(&mut self, tag: u8, text: &[u8]) -> Result<(), String> {
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        self.bytes.push(tag);
        self.bytes.extend(length.to_le_bytes());
        if text.len() > BYTES_MAX {
            return Err("a message cannot carry more than 16 MiB".into());
        }
        self.bytes.extend(text);
        Ok(())
    }

    fn table(&mut self, table: &Table, depth: usize) -> Result<(), String> {
        if let Some(rumour) = self.rumours.read(table) {
            let Rumour {
                id,
                produced,
                bytes,
                variant,
                ttl,
                hops,
            } = sent(&rumour);
            self.bytes.push(RUMOUR);
            for word in [id.origin.0, id.counter, bytes, variant] {
                self.bytes.extend(word.to_le_bytes());
            }
            self.bytes.extend(produced.as_ns().to_le_bytes());
            self.bytes.extend(ttl.to_le_bytes());
            self.bytes.extend(hops.to_le_bytes());
            return Ok(());
        }
        if depth == DEPTH_MAX {
            return Err(format!(
                "a message cannot carry tables more than {DEPTH_MAX} deep; does one hold itself?"
            ));
        }
        self.bytes.push(TABLE);
        let place = self.bytes.len();
        self.bytes.extend([0; 4]);
        let mut count = 0_u32;
        // A list first, in its order, then what else there is, in the order of the table: that
        // depends on its keys and how they came about, and not on where they lie in memory.
        for pair in table.pairs::<Value, Value>() {
            let (key, value) = pair.map_err(|error| error.to_string())?;
            if !matches!(
                key,
                Value::Integer(_) | Value::Number(_) | Value::String(_) | Value::Boolean(_)
            ) {
                return Err(format!(
                    "a message cannot carry a table with {} as a key",
                    kind(&key)
                ));
            }
            self.write(&key, depth + 1)?;
            self.write(&value, depth + 1)?;
            count += 1;
        }
        self.bytes[place..place + 4].copy_from_slice(&count.to_le_bytes());
        Ok(())
    }
}

/// What a script sees of what a message carries; of a rumour alone the caller takes care.
pub(super) fn decode(
    lua: &Lua,
    payload: &Payload,
    rumours: &mut Rumours,
    context: &Context<'_>,
) -> mlua::Result<Value> {
    Ok(match payload {
        Payload::Empty => Value::Nil,
        Payload::Integer(number) => Value::Number(*number as f64),
        Payload::Peers(all) => {
            let ids = all.iter().map(|&peer| id_of(peer, context));
            Value::Table(lua.create_sequence_from(ids)?)
        }
        Payload::Bytes(bytes) => Value::String(lua.create_string(bytes)?),
        Payload::Value(bytes) => {
            let mut reader = Decoder {
                rest: bytes,
                lua,
                rumours,
                context,
            };
            reader.value()?
        }
        Payload::Rumour(rumour) => rumours.write(rumour, context)?,
        Payload::Rumours(all) => {
            let all: mlua::Result<Vec<Value>> =
                all.iter().map(|r| rumours.write(r, context)).collect();
            Value::Table(lua.create_sequence_from(all?)?)
        }
        Payload::RumourIds(all) => {
            let shown = all
                .iter()
                .map(|id| format!("{}_{}", context.id(id.origin), id.counter));
            Value::Table(lua.create_sequence_from(shown)?)
        }
    })
}

/// Reads what [`Encoder`] has written.
struct Decoder<'a, 'b> {
    rest: &'a [u8],
    lua: &'a Lua,
    rumours: &'a mut Rumours,
    context: &'a Context<'b>,
}

impl Decoder<'_, '_> {
    fn take<const N: usize>(&mut self) -> mlua::Result<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk().ok_or_else(cut_short)?;
        self.rest = rest;
        Ok(*head)
    }

    fn word(&mut self) -> mlua::Result<u32> {
        Ok(u32::from_le_bytes(self.take()?))
    }

    fn text(&mut self) -> mlua::Result<&[u8]> {
        let length = self.word()? as usize;
        let (text, rest) = self.rest.split_at_checked(length).ok_or_else(cut_short)?;
        self.rest = rest;
        Ok(text)
    }

    fn value(&mut self) -> mlua::Result<Value> {
        let lua = self.lua;
        let [tag] = self.take()?;
        Ok(match tag {
            FALSE => Value::Boolean(false),
            TRUE => Value::Boolean(true),
            NUMBER => Value::Number(f64::from_le_bytes(self.take()?)),
            STRING => Value::String(lua.create_string(self.text()?)?),
            BUFFER => Value::Buffer(lua.create_buffer(self.text()?)?),
            TABLE => {
                let count = self.word()?;
                let table = lua.create_table()?;
                for _ in 0..count {
                    let (key, value) = (self.value()?, self.value()?);
                    table.raw_set(key, value)?;
                }
                Value::Table(table)
            }
            RUMOUR => {
                let origin = PeerIndex(self.word()?);
                let counter = self.word()?;
                let rumour = Rumour {
                    id: RumourId { origin, counter },
                    bytes: self.word()?,
                    variant: self.word()?,
                    produced: Time::from_ns(u64::from_le_bytes(self.take()?)),
                    ttl: u16::from_le_bytes(self.take()?),
                    hops: u16::from_le_bytes(self.take()?),
                };
                self.rumours.write(&rumour, self.context)?
            }
            _ => Value::Nil,
        })
    }
}

fn cut_short() -> mlua::Error {
    mlua::Error::runtime("a message was cut short")
}
