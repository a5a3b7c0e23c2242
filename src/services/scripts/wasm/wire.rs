//! What messages carry, as bytes in a guest's memory: little-endian, in records of fixed size.

use super::super::actions::{Content, find_all};
use super::super::declaration::Form;
use crate::engine::Context;
use crate::message::{HEADER_BYTES, Payload, Rumour, RumourId};
use crate::peer::{PeerId, PeerIndex};
use crate::services::gossip::GOSSIP_HEADER_BYTES;
use crate::time::Time;

/// Bytes of a rumour: origin and time of production (8 each), counter, bytes, variant (4 each),
/// ttl, hops (2 each).
pub(super) const RUMOUR_BYTES: usize = 32;
/// Bytes of a peer's id.
pub(super) const PEER_BYTES: usize = 8;
/// Bytes of a rumour's id: origin (8), counter (4), nothing (4).
const RUMOUR_ID_BYTES: usize = 16;

/// What the bytes of a content are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub(super) enum Tag {
    Bytes = 0,
    Rumour = 1,
    Rumours = 2,
    Peers = 3,
    RumourIds = 4,
}

impl Tag {
    fn new(tag: i32) -> Option<Tag> {
        [
            Tag::Bytes,
            Tag::Rumour,
            Tag::Rumours,
            Tag::Peers,
            Tag::RumourIds,
        ]
        .into_iter()
        .find(|&known| known as i32 == tag)
    }

    /// Bytes of one record.
    fn record_bytes(self) -> usize {
        match self {
            Tag::Bytes => 1,
            Tag::Rumour | Tag::Rumours => RUMOUR_BYTES,
            Tag::Peers => PEER_BYTES,
            Tag::RumourIds => RUMOUR_ID_BYTES,
        }
    }
}

/// What a message carries, and how many bytes a guest needs for it.
pub(super) fn measure(payload: &Payload) -> (Tag, usize) {
    match payload {
        Payload::Empty => (Tag::Bytes, 0),
        Payload::Integer(_) => (Tag::Bytes, 8),
        Payload::Bytes(bytes) | Payload::Value(bytes) => (Tag::Bytes, bytes.len()),
        Payload::Rumour(_) => (Tag::Rumour, RUMOUR_BYTES),
        Payload::Rumours(all) => (Tag::Rumours, all.len() * RUMOUR_BYTES),
        Payload::Peers(all) => (Tag::Peers, all.len() * PEER_BYTES),
        Payload::RumourIds(all) => (Tag::RumourIds, all.len() * RUMOUR_ID_BYTES),
    }
}

/// What a message carries, from its byte `offset` on, as far as it fits into `out`; how many
/// bytes that were.
pub(super) fn read(
    context: &Context<'_>,
    payload: &Payload,
    offset: usize,
    out: &mut [u8],
) -> usize {
    match payload {
        Payload::Empty => 0,
        Payload::Integer(number) => copy(&number.to_le_bytes(), offset, out),
        Payload::Bytes(bytes) | Payload::Value(bytes) => copy(bytes, offset, out),
        Payload::Rumour(rumour) => copy(&rumour_bytes(context, rumour), offset, out),
        Payload::Rumours(all) => records(all, offset, out, |rumour| rumour_bytes(context, rumour)),
        Payload::Peers(all) => records(all, offset, out, |&peer| peer_bytes(context, peer)),
        Payload::RumourIds(all) => records(all, offset, out, |id| id_bytes(context, id)),
    }
}

fn copy(bytes: &[u8], offset: usize, out: &mut [u8]) -> usize {
    let rest = bytes.get(offset..).unwrap_or_default();
    let count = rest.len().min(out.len());
    out[..count].copy_from_slice(&rest[..count]);
    count
}

fn records<T, const N: usize>(
    all: &[T],
    offset: usize,
    out: &mut [u8],
    record: impl Fn(&T) -> [u8; N],
) -> usize {
    let mut within = offset % N;
    let mut written = 0;
    for item in all.iter().skip(offset / N) {
        if written == out.len() {
            break;
        }
        written += copy(&record(item), within, &mut out[written..]);
        within = 0;
    }
    written
}

/// A rumour as guests see it.
pub(super) fn rumour_bytes(context: &Context<'_>, rumour: &Rumour) -> [u8; RUMOUR_BYTES] {
    let mut bytes = [0; RUMOUR_BYTES];
    bytes[0..8].copy_from_slice(&peer_bytes(context, rumour.id.origin));
    bytes[8..16].copy_from_slice(&rumour.produced.as_ns().to_le_bytes());
    bytes[16..20].copy_from_slice(&rumour.id.counter.to_le_bytes());
    bytes[20..24].copy_from_slice(&rumour.bytes.to_le_bytes());
    bytes[24..28].copy_from_slice(&rumour.variant.to_le_bytes());
    bytes[28..30].copy_from_slice(&rumour.ttl.to_le_bytes());
    bytes[30..32].copy_from_slice(&rumour.hops.to_le_bytes());
    bytes
}

/// A peer as guests see it: its id.
pub(super) fn peer_bytes(context: &Context<'_>, peer: PeerIndex) -> [u8; PEER_BYTES] {
    context.id(peer).0.to_le_bytes()
}

fn id_bytes(context: &Context<'_>, id: &RumourId) -> [u8; RUMOUR_ID_BYTES] {
    let mut bytes = [0; RUMOUR_ID_BYTES];
    bytes[0..8].copy_from_slice(&peer_bytes(context, id.origin));
    bytes[8..12].copy_from_slice(&id.counter.to_le_bytes());
    bytes
}

fn u64_at(bytes: &[u8], place: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[place..place + 8]);
    u64::from_le_bytes(number)
}

fn u32_at(bytes: &[u8], place: usize) -> u32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[place..place + 4]);
    u32::from_le_bytes(number)
}

fn u16_at(bytes: &[u8], place: usize) -> u16 {
    u16::from_le_bytes([bytes[place], bytes[place + 1]])
}

/// The rumour in a record that a guest has written. Of an origin that there is, and not of the
/// future; whether it was ever produced is the guest's affair.
pub(super) fn rumour(context: &Context<'_>, record: &[u8]) -> Result<Rumour, String> {
    let id = rumour_id(context, u64_at(record, 0), u32_at(record, 16))?;
    let produced = Time::from_ns(u64_at(record, 8));
    if produced > context.now() {
        return Err(format!(
            "a rumour produced at {} ns, which is yet to come",
            produced.as_ns()
        ));
    }
    Ok(Rumour {
        id,
        produced,
        bytes: u32_at(record, 20),
        variant: u32_at(record, 24),
        ttl: u16_at(record, 28),
        hops: u16_at(record, 30),
    })
}

/// The id of a rumour, by its origin's id.
pub(super) fn rumour_id(
    context: &Context<'_>,
    origin: u64,
    counter: u32,
) -> Result<RumourId, String> {
    match context.find(PeerId(origin)) {
        Some(origin) => Ok(RumourId { origin, counter }),
        None => Err(format!(
            "a rumour of peer {origin}, which there is not: the record of a rumour is 32 bytes, \
             see docs/wasm.md"
        )),
    }
}

/// The peers whose ids a guest has written one after the other.
pub(super) fn peers(
    context: &Context<'_>,
    bytes: &[u8],
) -> Result<smallvec::SmallVec<[PeerIndex; 4]>, String> {
    let ids = bytes
        .chunks_exact(PEER_BYTES)
        .map(|record| u64_at(record, 0));
    find_all(context, ids).map_err(|id| format!("there is no peer {id}"))
}

/// What a guest wants to send as a message of this form, with the size that it gives; -1 is the
/// size that the content has by itself.
pub(super) fn content(
    context: &Context<'_>,
    form: Form,
    tag: i32,
    bytes: &[u8],
    size: i32,
) -> Result<Content, String> {
    let allowed = |tag| match form {
        Form::Value => matches!(tag, Tag::Bytes | Tag::Rumour),
        Form::Peers => tag == Tag::Peers,
        Form::Rumours => tag == Tag::Rumours,
        Form::RumourIds => tag == Tag::RumourIds,
    };
    let Some(tag) = Tag::new(tag).filter(|&tag| allowed(tag)) else {
        let right = match form {
            Form::Value => "0 (bytes) or 1 (a rumour)",
            Form::Peers => "3 (peers)",
            Form::Rumours => "2 (rumours)",
            Form::RumourIds => "4 (ids of rumours)",
        };
        return Err(format!(
            "content {tag} in a message whose declared payload takes {right}"
        ));
    };
    let whole = match tag {
        Tag::Rumour => bytes.len() == RUMOUR_BYTES,
        _ => bytes.len().is_multiple_of(tag.record_bytes()),
    };
    if !whole {
        return Err(format!(
            "{} bytes, where records of {} are due",
            bytes.len(),
            tag.record_bytes()
        ));
    }
    let listed = |payload, each: usize| Content {
        payload,
        bytes: HEADER_BYTES.saturating_add(u32::try_from(each).unwrap_or(u32::MAX)),
    };
    let mut content = match tag {
        Tag::Bytes if bytes.is_empty() => Content::EMPTY,
        Tag::Bytes => listed(Payload::Bytes(bytes.into()), bytes.len()),
        Tag::Rumour => Content::rumour(&rumour(context, bytes)?),
        Tag::Rumours => {
            let all = bytes.chunks_exact(RUMOUR_BYTES);
            let all = all.map(|record| rumour(context, record));
            let all: Vec<Rumour> = all.collect::<Result<_, _>>()?;
            let bytes = all.iter().fold(HEADER_BYTES, |bytes, rumour| {
                bytes
                    .saturating_add(GOSSIP_HEADER_BYTES)
                    .saturating_add(rumour.bytes)
            });
            // An answer to a request, as a MsgResponse: it crosses a link more, and is no relay.
            let crossed = |rumour: &Rumour| Rumour {
                hops: rumour.hops.saturating_add(1),
                ..*rumour
            };
            Content {
                payload: Payload::Rumours(all.iter().map(crossed).collect()),
                bytes,
            }
        }
        Tag::Peers => listed(Payload::Peers(peers(context, bytes)?), bytes.len()),
        Tag::RumourIds => {
            let all = bytes.chunks_exact(RUMOUR_ID_BYTES);
            let all = all.map(|id| rumour_id(context, u64_at(id, 0), u32_at(id, 8)));
            let all: Vec<RumourId> = all.collect::<Result<_, _>>()?;
            let ids_bytes = all.len() * 8;
            listed(Payload::RumourIds(all.into()), ids_bytes)
        }
    };
    match u32::try_from(size) {
        Ok(size) => content.bytes = size,
        Err(_) if size == -1 => {}
        Err(_) => return Err(format!("a message of {size} bytes")),
    }
    Ok(content)
}
