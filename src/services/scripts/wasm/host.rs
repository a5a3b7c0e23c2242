//! The functions that guests import: what a peer can do, checked against the guest's memory.

use std::borrow::Cow;
use std::fmt;

use scoped_tls_hkt::scoped_thread_local;
use wasmi::errors::HostError;
use wasmi::{Caller, Error, Extern, FuncType, Linker, ValType};

use super::super::actions::{self, Content};
use super::room::Host;
use super::wire;
use crate::engine::{Context, TIMER_TAG_LIMIT};
use crate::message::{MessageType, Payload};
use crate::peer::{PeerId, PeerIndex};
use crate::record::LogLevel;
use crate::services::ParameterValue;
use crate::time::Time;

/// The module that guests import from.
pub(super) const MODULE: &str = "p2psim";

/// What the interpreter itself takes a step for when it copies memory.
const BYTES_PER_STEP: usize = 64;

const PAYLOAD_BYTES_MAX: i32 = 1 << 30;

/// Why a function of the host ends the call.
#[derive(Clone, Debug)]
pub(super) enum Stop {
    /// The call has taken all its steps.
    Steps,
    /// There is no peer yet: the module is only looked at.
    Nobody,
    /// The guest asked for what cannot be.
    Wrong(String),
    /// The guest says that it cannot go on.
    Failed(String),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stop::Steps => f.write_str("out of steps"),
            Stop::Nobody => f.write_str("there is no peer"),
            Stop::Wrong(problem) | Stop::Failed(problem) => f.write_str(problem),
        }
    }
}

impl HostError for Stop {}

impl From<String> for Stop {
    fn from(problem: String) -> Self {
        Stop::Wrong(problem)
    }
}

/// The event that is being handled, which the functions of the host act on.
pub(super) trait Event {
    /// Calls `act` with the peer's context and what the message carries, if there is a peer.
    fn with(&mut self, act: &mut dyn FnMut(&mut Context<'_>, &Payload));
}

/// A peer's event.
pub(super) struct Handling<'x, 'y> {
    pub(super) context: &'x mut Context<'y>,
    pub(super) payload: &'x Payload,
}

impl Event for Handling<'_, '_> {
    fn with(&mut self, act: &mut dyn FnMut(&mut Context<'_>, &Payload)) {
        act(self.context, self.payload);
    }
}

/// No event: a module is looked at before there are peers.
pub(super) struct Nothing;

impl Event for Nothing {
    fn with(&mut self, _act: &mut dyn FnMut(&mut Context<'_>, &Payload)) {}
}

scoped_thread_local!(static mut EVENT: for<'a> &'a mut (dyn Event + 'a));

/// Runs `call`, a call of a guest, while the functions of the host act on `event`.
pub(super) fn during<R>(event: &mut dyn Event, call: impl FnOnce() -> R) -> R {
    EVENT.set(event, call)
}

fn act<R>(act: impl FnOnce(&mut Context<'_>, &Payload) -> R) -> Result<R, Stop> {
    let mut act = Some(act);
    let mut result = None;
    EVENT.with(|event| {
        event.with(&mut |context, payload| {
            result = act.take().map(|act| act(context, payload));
        });
    });
    result.ok_or(Stop::Nobody)
}

type Guest<'a> = Caller<'a, Host>;

/// The guest's memory, and the host's data beside it.
fn memory<'a>(guest: &'a mut Guest<'_>) -> Result<(&'a mut [u8], &'a mut Host), Stop> {
    let exported = |guest: &Guest<'_>| guest.get_export("memory").and_then(Extern::into_memory);
    match guest.data().memory.or_else(|| exported(guest)) {
        Some(memory) => Ok(memory.data_and_store_mut(guest)),
        None => Err(Stop::Wrong("the guest does not export its `memory`".into())),
    }
}

/// The bytes that a pointer and a length name.
fn slice(memory: &mut [u8], pointer: i32, bytes: usize) -> Result<&mut [u8], Stop> {
    let all = memory.len();
    let start = pointer as u32 as usize;
    let end = start.checked_add(bytes);
    end.and_then(|end| memory.get_mut(start..end))
        .ok_or_else(|| {
            Stop::Wrong(format!(
                "{bytes} bytes at {start} are not all in the guest's memory of {all} bytes"
            ))
        })
}

fn text(memory: &mut [u8], pointer: i32, bytes: i32) -> Result<Cow<'_, str>, Stop> {
    let bytes = slice(memory, pointer, bytes as u32 as usize)?;
    let text = String::from_utf8_lossy(bytes);
    Ok(match text.contains(|c: char| c.is_control()) {
        true => Cow::Owned(text.replace(|c: char| c.is_control(), " ")),
        false => text,
    })
}

/// Takes steps for what a function does in proportion to its arguments.
fn spend(guest: &mut Guest<'_>, steps: usize) -> Result<(), Stop> {
    let left = guest.get_fuel().unwrap_or(0);
    match left.checked_sub(steps as u64) {
        Some(left) => guest.set_fuel(left).map_err(|_| Stop::Steps),
        None => Err(Stop::Steps),
    }
}

fn spend_bytes(guest: &mut Guest<'_>, bytes: i32) -> Result<(), Stop> {
    match bytes as u32 as usize / BYTES_PER_STEP {
        0 => Ok(()),
        steps => spend(guest, steps),
    }
}

fn find(context: &Context<'_>, id: i64) -> Option<PeerIndex> {
    context.find(PeerId(id as u64))
}

fn parameter(host: &Host, index: i32) -> Result<&(&'static str, ParameterValue), Stop> {
    let all = &host.script.parameters;
    let found = usize::try_from(index).ok().and_then(|place| all.get(place));
    found.ok_or_else(|| {
        Stop::Wrong(format!(
            "there is no parameter {index}: {} are declared, the first is 0",
            all.len()
        ))
    })
}

fn unfit(name: &str, cure: &str) -> Stop {
    Stop::Wrong(format!("parameter `{name}` is of another type: {cure}"))
}

/// The values of WebAssembly's types.
trait Value {
    const TYPE: &'static [ValType];
}

impl Value for () {
    const TYPE: &'static [ValType] = &[];
}

impl Value for i32 {
    const TYPE: &'static [ValType] = &[ValType::I32];
}

impl Value for i64 {
    const TYPE: &'static [ValType] = &[ValType::I64];
}

impl Value for f64 {
    const TYPE: &'static [ValType] = &[ValType::F64];
}

/// Makes the functions known by their names and types, which `docs/wasm.md` documents.
macro_rules! functions {
    ($($name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        /// The names of all functions.
        pub(super) const FUNCTIONS: &[&str] = &[$(stringify!($name)),*];

        /// The type of a function.
        pub(super) fn signature(name: &str) -> Option<FuncType> {
            $(
                if name == stringify!($name) {
                    let parameters: &[&[ValType]] = &[$(<$type as Value>::TYPE),*];
                    let results = <$result as Value>::TYPE;
                    return Some(FuncType::new(parameters.concat(), results.to_vec()));
                }
            )*
            None
        }

        /// Lets a linker find all functions.
        pub(super) fn link(linker: &mut Linker<Host>) -> Result<(), Error> {
            $(
                linker.func_wrap(
                    MODULE,
                    stringify!($name),
                    |mut guest: Guest<'_>, $($argument: $type),*| -> Result<$result, Error> {
                        $name(&mut guest, $($argument),*).map_err(|stop| match stop {
                            Stop::Wrong(problem) => {
                                let problem = format!("{}: {problem}", stringify!($name));
                                Error::host(Stop::Wrong(problem))
                            }
                            stop => Error::host(stop),
                        })
                    },
                )?;
            )*
            Ok(())
        }
    };
}

functions! {
    now() -> i64;
    id() -> i64;
    peers() -> i64;
    peer_type(id: i64) -> i32;
    type_name(id: i64, pointer: i32, most: i32) -> i32;
    location_name(pointer: i32, most: i32) -> i32;
    is_bootstrap(id: i64) -> i32;
    is_connected(id: i64) -> i32;
    neighbours(pointer: i32, most: i32) -> i32;
    connect(id: i64) -> i32;
    disconnect(id: i64) -> i32;
    send(to: i64, kind: i32, content: i32, pointer: i32, bytes: i32, size: i32) -> i32;
    broadcast(kind: i32, content: i32, pointer: i32, bytes: i32, size: i32) -> i32;
    gossip(kind: i32, content: i32, pointer: i32, bytes: i32, size: i32, fanout: i32, except: i32, excepted: i32) -> i32;
    read(pointer: i32, offset: i32, most: i32) -> i32;
    timer(tag: i32, after: i64) -> ();
    random() -> f64;
    random_bits() -> i64;
    random_below(bound: i64) -> i64;
    integer(index: i32) -> i64;
    number(index: i32) -> f64;
    list(index: i32, pointer: i32, most: i32) -> i32;
    sample(index: i32) -> f64;
    publish(bytes: i32, ttl: i32, pointer: i32) -> ();
    deliver(pointer: i32) -> i32;
    holds(pointer: i32) -> i32;
    held(pointer: i32, most: i32) -> i32;
    reject(pointer: i32) -> ();
    forget(before: i64) -> ();
    log(level: i32, pointer: i32, bytes: i32) -> ();
    count(pointer: i32, bytes: i32, n: i64) -> ();
    observe(pointer: i32, bytes: i32, value: f64) -> i32;
    fail(pointer: i32, bytes: i32) -> ();
}

fn now(_: &mut Guest<'_>) -> Result<i64, Stop> {
    act(|context, _| context.now().as_ns() as i64)
}

fn id(_: &mut Guest<'_>) -> Result<i64, Stop> {
    act(|context, _| context.id(context.me()).0 as i64)
}

fn peers(_: &mut Guest<'_>) -> Result<i64, Stop> {
    act(|context, _| context.peers().into())
}

fn peer_type(_: &mut Guest<'_>, id: i64) -> Result<i32, Stop> {
    act(|context, _| {
        let found = find(context, id);
        found.map_or(-1, |peer| context.type_of(peer).0.into())
    })
}

/// Writes as much of a name as fits; how long it is in all.
fn write_name(
    guest: &mut Guest<'_>,
    pointer: i32,
    most: i32,
    name: impl for<'c> FnOnce(&'c Context<'_>) -> Option<&'c str>,
) -> Result<i32, Stop> {
    let (memory, _) = memory(guest)?;
    let out = slice(memory, pointer, most as u32 as usize)?;
    act(|context, _| match name(context) {
        Some(name) => {
            let shown = name.len().min(out.len());
            out[..shown].copy_from_slice(&name.as_bytes()[..shown]);
            i32::try_from(name.len()).unwrap_or(i32::MAX)
        }
        None => -1,
    })
}

fn type_name(guest: &mut Guest<'_>, id: i64, pointer: i32, most: i32) -> Result<i32, Stop> {
    write_name(guest, pointer, most, |context| {
        find(context, id).map(|peer| context.type_name(peer))
    })
}

fn location_name(guest: &mut Guest<'_>, pointer: i32, most: i32) -> Result<i32, Stop> {
    write_name(guest, pointer, most, |context| {
        Some(context.location_name())
    })
}

fn is_bootstrap(_: &mut Guest<'_>, id: i64) -> Result<i32, Stop> {
    act(|context, _| {
        let found = find(context, id);
        found.is_some_and(|peer| context.is_bootstrap(peer)).into()
    })
}

fn is_connected(_: &mut Guest<'_>, id: i64) -> Result<i32, Stop> {
    act(|context, _| {
        let found = find(context, id);
        let connected = |peer| context.connections().is_connected(peer);
        found.is_some_and(connected).into()
    })
}

/// Writes as many records as fit into the guest's array of `most`; how many there are.
fn write_records<const N: usize>(
    guest: &mut Guest<'_>,
    pointer: i32,
    most: i32,
    all: impl FnOnce(&Context<'_>, &mut dyn FnMut([u8; N])),
) -> Result<i32, Stop> {
    let most = most as u32 as usize;
    let mut total = 0_usize;
    let (memory, _) = memory(guest)?;
    let out = slice(memory, pointer, most.saturating_mul(N))?;
    act(|context, _| {
        all(context, &mut |record| {
            if let Some(place) = out.get_mut(total * N..(total + 1) * N) {
                place.copy_from_slice(&record);
            }
            total += 1;
        });
    })?;
    spend(guest, total)?;
    Ok(i32::try_from(total).unwrap_or(i32::MAX))
}

fn neighbours(guest: &mut Guest<'_>, pointer: i32, most: i32) -> Result<i32, Stop> {
    write_records(guest, pointer, most, |context, write| {
        for peer in context.connections().iter_connected_peers() {
            write(wire::peer_bytes(context, peer));
        }
    })
}

fn held(guest: &mut Guest<'_>, pointer: i32, most: i32) -> Result<i32, Stop> {
    write_records(guest, pointer, most, |context, write| {
        for rumour in context.rumours().iter() {
            write(wire::rumour_bytes(context, rumour));
        }
    })
}

fn connect(_: &mut Guest<'_>, id: i64) -> Result<i32, Stop> {
    act(|context, _| {
        let found = find(context, id).filter(|&peer| peer != context.me());
        found.map(|peer| context.dial(peer)).is_some().into()
    })
}

fn disconnect(_: &mut Guest<'_>, id: i64) -> Result<i32, Stop> {
    act(|context, _| {
        let found = find(context, id);
        found.map(|peer| context.disconnect(peer)).is_some().into()
    })
}

/// What a guest sends: of which type, and what it carries.
struct Outgoing {
    kind: i32,
    content: i32,
    pointer: i32,
    bytes: i32,
    size: i32,
}

/// Sends with `send` what a guest wants to send; to how many.
fn dispatch(
    guest: &mut Guest<'_>,
    outgoing: &Outgoing,
    send: impl FnOnce(&mut Context<'_>, MessageType, Content) -> usize,
) -> Result<i32, Stop> {
    // A message without content needs no memory.
    let (memory, host): (&mut [u8], &mut Host) = match outgoing.bytes {
        0 => (&mut [], guest.data_mut()),
        _ => memory(guest)?,
    };
    let place = usize::try_from(outgoing.kind).ok();
    let Some(&(kind, form)) = place.and_then(|place| host.script.messages.get(place)) else {
        return Err(Stop::Wrong(format!(
            "there is no message {}: {} are declared, the first is 0",
            outgoing.kind,
            host.script.messages.len()
        )));
    };
    let bytes: &[u8] = match outgoing.bytes {
        0 => &[],
        bytes => slice(memory, outgoing.pointer, bytes as u32 as usize)?,
    };
    let sent = act(|context, _| {
        wire::content(context, form, outgoing.content, bytes, outgoing.size)
            .map(|content| send(context, kind, content))
    })??;
    spend_bytes(guest, outgoing.bytes)?;
    spend(guest, sent)?;
    Ok(i32::try_from(sent).unwrap_or(i32::MAX))
}

fn send(
    guest: &mut Guest<'_>,
    to: i64,
    kind: i32,
    content: i32,
    pointer: i32,
    bytes: i32,
    size: i32,
) -> Result<i32, Stop> {
    let outgoing = Outgoing {
        kind,
        content,
        pointer,
        bytes,
        size,
    };
    dispatch(guest, &outgoing, |context, kind, content| {
        let to = find(context, to);
        let sent = to.is_some_and(|to| context.send(to, kind, content.payload, content.bytes));
        sent.into()
    })
}

fn broadcast(
    guest: &mut Guest<'_>,
    kind: i32,
    content: i32,
    pointer: i32,
    bytes: i32,
    size: i32,
) -> Result<i32, Stop> {
    let outgoing = Outgoing {
        kind,
        content,
        pointer,
        bytes,
        size,
    };
    dispatch(guest, &outgoing, actions::broadcast)
}

// They are those of the call as guests have it.
#[allow(clippy::too_many_arguments)]
fn gossip(
    guest: &mut Guest<'_>,
    kind: i32,
    content: i32,
    pointer: i32,
    bytes: i32,
    size: i32,
    fanout: i32,
    except: i32,
    excepted: i32,
) -> Result<i32, Stop> {
    let except = match excepted {
        0 => Default::default(),
        _ => {
            let bytes = (excepted as u32 as usize).saturating_mul(wire::PEER_BYTES);
            let (memory, _) = memory(guest)?;
            let ids = slice(memory, except, bytes)?;
            act(|context, _| wire::peers(context, ids))??
        }
    };
    let outgoing = Outgoing {
        kind,
        content,
        pointer,
        bytes,
        size,
    };
    let fanout = fanout as u32 as usize;
    dispatch(guest, &outgoing, |context, kind, content| {
        actions::gossip(context, kind, content, fanout, &except)
    })
}

fn read(guest: &mut Guest<'_>, pointer: i32, offset: i32, most: i32) -> Result<i32, Stop> {
    let (memory, _) = memory(guest)?;
    let out = slice(memory, pointer, most as u32 as usize)?;
    let offset = offset as u32 as usize;
    let written = act(|context, payload| wire::read(context, payload, offset, out) as i32)?;
    spend_bytes(guest, written)?;
    Ok(written)
}

fn timer(_: &mut Guest<'_>, tag: i32, after: i64) -> Result<(), Stop> {
    let tag = u32::try_from(tag).ok().filter(|&tag| tag < TIMER_TAG_LIMIT);
    let Some(tag) = tag else {
        return Err(Stop::Wrong(format!(
            "a timer's tag is from 0 to {}",
            TIMER_TAG_LIMIT - 1
        )));
    };
    let Ok(after) = u64::try_from(after) else {
        return Err(Stop::Wrong(format!("after {after} ns, which is over")));
    };
    let after = Time::from_ns(after).min(Time::MAX);
    act(|context, _| context.set_timer(after, tag))
}

fn random(_: &mut Guest<'_>) -> Result<f64, Stop> {
    act(|context, _| context.random().unit())
}

fn random_bits(_: &mut Guest<'_>) -> Result<i64, Stop> {
    act(|context, _| context.random().next_u64() as i64)
}

fn random_below(_: &mut Guest<'_>, bound: i64) -> Result<i64, Stop> {
    match u64::try_from(bound) {
        Ok(bound) if bound > 0 => act(|context, _| context.random().below(bound) as i64),
        _ => Err(Stop::Wrong(format!("there is no number below {bound}"))),
    }
}

fn integer(guest: &mut Guest<'_>, index: i32) -> Result<i64, Stop> {
    let (name, value) = parameter(guest.data(), index)?;
    let place_of = |word: &str| {
        let words = guest.data().script.choices(name);
        words.iter().position(|&known| known == word).unwrap_or(0)
    };
    Ok(match value {
        ParameterValue::Duration(time) => time.as_ns() as i64,
        ParameterValue::Count(count) => *count as i64,
        ParameterValue::Flag(flag) => i64::from(*flag),
        ParameterValue::Word(word) => place_of(word) as i64,
        ParameterValue::Law(_) | ParameterValue::OptionalLaw(_) => {
            return Err(unfit(name, "a distribution is drawn from with `sample`"));
        }
        ParameterValue::Durations(_) | ParameterValue::Types(_) | ParameterValue::Peers(_) => {
            return Err(unfit(name, "read it with `list`"));
        }
        _ => return Err(unfit(name, "read it with `number`")),
    })
}

fn number(guest: &mut Guest<'_>, index: i32) -> Result<f64, Stop> {
    match parameter(guest.data(), index)? {
        (
            _,
            ParameterValue::Number(number)
            | ParameterValue::Positive(number)
            | ParameterValue::Probability(number),
        ) => Ok(*number),
        (_, ParameterValue::Duration(time)) => Ok(time.as_ms()),
        (_, ParameterValue::Count(count)) => Ok(*count as f64),
        (name, ParameterValue::Law(_) | ParameterValue::OptionalLaw(_)) => {
            Err(unfit(name, "a distribution is drawn from with `sample`"))
        }
        (name, _) => Err(unfit(name, "read it with `integer` or `list`")),
    }
}

fn list(guest: &mut Guest<'_>, index: i32, pointer: i32, most: i32) -> Result<i32, Stop> {
    let (name, value) = parameter(guest.data(), index)?;
    let numbers: Vec<u64> = match value {
        ParameterValue::Peers(ids) => ids.iter().map(|id| id.0).collect(),
        ParameterValue::Types(types) => types.iter().map(|index| index.0.into()).collect(),
        _ => return Err(unfit(name, "only `types` and `peers` are lists")),
    };
    write_records(guest, pointer, most, |_, write| {
        for number in numbers {
            write(number.to_le_bytes());
        }
    })
}

fn sample(guest: &mut Guest<'_>, index: i32) -> Result<f64, Stop> {
    match parameter(guest.data(), index)? {
        (_, ParameterValue::Law(law) | ParameterValue::OptionalLaw(Some(law))) => {
            act(|context, _| law.sample(context.random()))
        }
        (_, ParameterValue::OptionalLaw(None)) => Ok(f64::NAN),
        (name, _) => Err(unfit(name, "only a distribution can be drawn from")),
    }
}

fn publish(guest: &mut Guest<'_>, bytes: i32, ttl: i32, pointer: i32) -> Result<(), Stop> {
    if !(0..=PAYLOAD_BYTES_MAX).contains(&bytes) {
        return Err(Stop::Wrong(format!("a payload of {bytes} bytes")));
    }
    let Ok(ttl) = u16::try_from(ttl) else {
        return Err(Stop::Wrong(format!("a ttl of {ttl}: at most {}", u16::MAX)));
    };
    let (memory, _) = memory(guest)?;
    let out = slice(memory, pointer, wire::RUMOUR_BYTES)?;
    act(|context, _| {
        let rumour = context.publish(bytes as u32, ttl);
        out.copy_from_slice(&wire::rumour_bytes(context, &rumour));
    })
}

/// What `act` does with the rumour in the record at `pointer`.
fn with_rumour<R>(
    guest: &mut Guest<'_>,
    pointer: i32,
    handle: impl FnOnce(&mut Context<'_>, crate::message::Rumour) -> R,
) -> Result<R, Stop> {
    let (memory, _) = memory(guest)?;
    let record = slice(memory, pointer, wire::RUMOUR_BYTES)?;
    let done = act(|context, _| {
        let rumour = wire::rumour(context, record)?;
        Ok::<R, String>(handle(context, rumour))
    })?;
    Ok(done?)
}

fn deliver(guest: &mut Guest<'_>, pointer: i32) -> Result<i32, Stop> {
    with_rumour(guest, pointer, |context, rumour| {
        context.receive(&rumour).into()
    })
}

fn holds(guest: &mut Guest<'_>, pointer: i32) -> Result<i32, Stop> {
    with_rumour(guest, pointer, |context, rumour| {
        context.rumours().holds(rumour.id).into()
    })
}

fn reject(guest: &mut Guest<'_>, pointer: i32) -> Result<(), Stop> {
    with_rumour(guest, pointer, |context, rumour| context.reject(&rumour))
}

fn forget(_: &mut Guest<'_>, before: i64) -> Result<(), Stop> {
    let before = Time::from_ns(u64::try_from(before).unwrap_or(0));
    act(|context, _| context.forget_rumours(before))
}

fn log(guest: &mut Guest<'_>, level: i32, pointer: i32, bytes: i32) -> Result<(), Stop> {
    let known = usize::try_from(level)
        .ok()
        .and_then(|level| LogLevel::ALL.get(level));
    let Some(&level) = known else {
        return Err(Stop::Wrong(format!(
            "there is no level {level}: 0 info, 1 warning, 2 error"
        )));
    };
    let (memory, _) = memory(guest)?;
    let text = text(memory, pointer, bytes)?;
    act(|context, _| context.log(level, format_args!("{text}")))?;
    spend_bytes(guest, bytes)
}

fn count(guest: &mut Guest<'_>, pointer: i32, bytes: i32, n: i64) -> Result<(), Stop> {
    let (memory, _) = memory(guest)?;
    let name = text(memory, pointer, bytes)?;
    act(|context, _| context.count(&name, n))?;
    spend_bytes(guest, bytes)
}

fn observe(guest: &mut Guest<'_>, pointer: i32, bytes: i32, value: f64) -> Result<i32, Stop> {
    let (memory, _) = memory(guest)?;
    let name = text(memory, pointer, bytes)?;
    let written = act(|context, _| context.observe(&name, value).into())?;
    spend_bytes(guest, bytes)?;
    Ok(written)
}

fn fail(guest: &mut Guest<'_>, pointer: i32, bytes: i32) -> Result<(), Stop> {
    let (memory, _) = memory(guest)?;
    let text = text(memory, pointer, bytes)?;
    Err(Stop::Failed(text.into_owned()))
}
