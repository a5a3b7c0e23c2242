//! What `ctx` does: each call of a script's that the program answers.

use mlua::{FromLuaMulti, IntoLua, Lua, Table, Value};

use super::super::actions::{self, Content};
use super::super::declaration::{DeclaredMessage, Form};
use super::rumours::Rumours;
use super::values::{self, kind};
use crate::distribution::Distribution;
use crate::engine::Context;
use crate::message::{MessageType, Payload, Rumour};
use crate::peer::PeerIndex;
use crate::record::LogLevel;
use crate::time::Time;
use crate::units::Dimension;

/// The shortest time that a timer takes: time must go on.
const TIMER_MIN: Time = Time::from_ns(1_000);
/// The largest message, in bytes.
const MESSAGE_BYTES_MAX: f64 = (1_u64 << 30) as f64;
/// More laws that scripts make up as they go than this are not kept.
const LAWS_MAX: usize = 1_000;

/// What calls of a script need besides the context.
pub(super) struct State {
    pub(super) messages: Vec<(DeclaredMessage, MessageType)>,
    /// Laws by how they are written; the first `own_laws` are those of parameters.
    pub(super) laws: Vec<(String, Distribution)>,
    pub(super) own_laws: usize,
    pub(super) rumours: Option<Rumours>,
}

impl State {
    /// A message by its number, counted from 1.
    fn message(&self, number: u8) -> Result<(MessageType, Form), String> {
        let place = usize::from(number).wrapping_sub(1);
        let found = self.messages.get(place);
        let (message, kind) = found.ok_or("there is no such message")?;
        Ok((*kind, message.form))
    }

    pub(super) fn rumours(&mut self) -> Result<&mut Rumours, String> {
        let rumours = self.rumours.as_mut();
        rumours.ok_or("there are no rumours yet".into())
    }

    /// A rumour by its number.
    fn rumour(&self, number: u32) -> Answer<Rumour> {
        let rumours = self.rumours.as_ref();
        let found = rumours.and_then(|rumours| rumours.get(number));
        found.ok_or_else(|| "there is no such rumour".into())
    }

    /// A rumour as scripts see it.
    pub(super) fn seen(&mut self, rumour: &Rumour, context: &Context<'_>) -> mlua::Result<Value> {
        let rumours = self.rumours().map_err(mlua::Error::runtime)?;
        rumours.write(rumour, context)
    }

    fn content(&self, context: &Context<'_>, value: &Value, form: Form) -> Answer<Content> {
        let rumours = self.rumours.as_ref().ok_or("there are no rumours yet")?;
        values::encode(value, form, rumours, context)
    }

    fn law(&mut self, text: &str) -> Result<&Distribution, String> {
        let place = self.laws.iter().position(|(known, _)| known == text);
        let place = match place {
            Some(place) => place,
            None => {
                let law = Distribution::parse(text, Dimension::Plain).map_err(|errors| {
                    let first = errors
                        .first()
                        .map(|e| format!("{}; {}", e.message, e.expected));
                    format!("`{text}` is no distribution: {}", first.unwrap_or_default())
                })?;
                if self.laws.len() >= LAWS_MAX + self.own_laws {
                    self.laws.truncate(self.own_laws);
                }
                self.laws.push((text.to_owned(), law));
                self.laws.len() - 1
            }
        };
        Ok(&self.laws[place].1)
    }
}

/// What a call comes to, or what is wrong with it.
type Answer<T> = Result<T, String>;

/// Who works for a script while one of its handlers is being run.
trait Desk {
    fn open(&mut self, work: &mut dyn FnMut(&mut Context<'_>, &mut State));
}

struct AtWork<'a, 'b> {
    context: &'a mut Context<'b>,
    state: &'a mut State,
}

impl Desk for AtWork<'_, '_> {
    fn open(&mut self, work: &mut dyn FnMut(&mut Context<'_>, &mut State)) {
        work(self.context, self.state);
    }
}

scoped_tls_hkt::scoped_thread_local!(static mut DESK: for<'a> &'a mut (dyn Desk + 'a));

/// Lets the script's calls reach `context` and `state` while `run` runs.
pub(super) fn serve<R>(context: &mut Context<'_>, state: &mut State, run: impl FnOnce() -> R) -> R {
    DESK.set(&mut AtWork { context, state }, run)
}

/// Does `work` with the context of the handler being run. The answer, for the prelude: what is
/// wrong, or what it comes to.
fn answer<T>(
    work: impl FnOnce(&mut Context<'_>, &mut State) -> Answer<T>,
) -> mlua::Result<(Option<String>, Option<T>)> {
    let mut work = Some(work);
    let mut answer = Err("this works in handlers only".to_owned());
    if DESK.is_set() {
        DESK.with(|desk| {
            desk.open(&mut |context, state| {
                if let Some(work) = work.take() {
                    answer = work(context, state);
                }
            });
        });
    }
    Ok(match answer {
        Ok(value) => (None, Some(value)),
        Err(problem) => (Some(problem), None),
    })
}

/// A number that a script gives for `what`.
fn number(value: &Value, what: &str) -> Answer<f64> {
    let number = match value {
        Value::Integer(number) => *number as f64,
        Value::Number(number) => *number,
        other => return Err(format!("{what} is a number, not {}", kind(other))),
    };
    match number.is_nan() {
        true => Err(format!("{what} is no number")),
        false => Ok(number),
    }
}

/// A whole number from `min` to `max`.
fn whole(value: &Value, what: &str, min: f64, max: f64) -> Answer<f64> {
    let number = number(value, what)?;
    match number.fract() == 0.0 && (min..=max).contains(&number) {
        true => Ok(number),
        false => Err(format!(
            "{what} is a whole number from {min} to {max}, not {number}"
        )),
    }
}

fn text(value: &Value, what: &str) -> Answer<String> {
    match value {
        Value::String(text) => Ok(text.to_string_lossy()),
        other => Err(format!("{what} is text, not {}", kind(other))),
    }
}

/// The same content with the size that a script gives, if it gives one.
fn sized(mut content: Content, size: &Value) -> Answer<Content> {
    if !size.is_nil() {
        content.bytes = whole(size, "a message's size in bytes", 1.0, MESSAGE_BYTES_MAX)? as u32;
    }
    Ok(content)
}

fn fanout(value: &Value) -> Answer<usize> {
    Ok(whole(value, "fanout", 0.0, f64::from(u32::MAX))? as usize)
}

fn send(
    context: &mut Context<'_>,
    to: &Value,
    kind: MessageType,
    content: Content,
) -> Answer<bool> {
    let to = values::peer(to, context)?;
    Ok(context.send(to, kind, content.payload, content.bytes))
}

/// The other ends of connections, as ids.
fn ids(context: &Context<'_>, peers: impl Iterator<Item = PeerIndex>) -> Vec<f64> {
    peers.map(|peer| values::id_of(peer, context)).collect()
}

/// The names that `ctx` has just as they are here; the prelude gives the others their looks.
const METHODS: [&str; 15] = [
    "bandwidth",
    "choose",
    "connect",
    "connected_since",
    "count",
    "dialled",
    "disconnect",
    "is_bootstrap",
    "is_connected",
    "last_heard",
    "neighbours",
    "observe",
    "publish",
    "sample",
    "type_of",
];

/// All calls, by name; and which of them `ctx` has as they are.
pub(super) fn calls(lua: &Lua) -> mlua::Result<(Table, Table)> {
    let calls = lua.create_table()?;
    add_sends(lua, &calls)?;
    add_connections(lua, &calls)?;
    add_others(lua, &calls)?;
    let methods = lua.create_table()?;
    for name in METHODS {
        methods.raw_set(name, true)?;
    }
    Ok((calls, methods))
}

/// Adds a call: the prelude has it under `name`, and takes its answer apart.
fn add<A: FromLuaMulti, T: IntoLua>(
    lua: &Lua,
    calls: &Table,
    name: &str,
    work: impl Fn(&mut Context<'_>, &mut State, A) -> Answer<T> + Send + 'static,
) -> mlua::Result<()> {
    let call = lua.create_function(move |_, arguments: A| {
        answer(|context, state| work(context, state, arguments))
    })?;
    calls.raw_set(name, call)
}

fn add_sends(lua: &Lua, calls: &Table) -> mlua::Result<()> {
    add(
        lua,
        calls,
        "send_empty",
        |context, state, (to, number, size): (Value, u8, Value)| {
            let (kind, _) = state.message(number)?;
            send(context, &to, kind, sized(Content::EMPTY, &size)?)
        },
    )?;
    add(
        lua,
        calls,
        "send",
        |context, state, (to, number, size, value): (Value, u8, Value, Value)| {
            let (kind, form) = state.message(number)?;
            let content = sized(state.content(context, &value, form)?, &size)?;
            send(context, &to, kind, content)
        },
    )?;
    add(
        lua,
        calls,
        "send_rumour",
        |context, state, (to, number, size, rumour): (Value, u8, Value, u32)| {
            let (kind, _) = state.message(number)?;
            let content = Content::rumour(&state.rumour(rumour)?);
            send(context, &to, kind, sized(content, &size)?)
        },
    )?;
    add(
        lua,
        calls,
        "gossip",
        |context, state, (number, count, except, size, value): (u8, Value, Value, Value, Value)| {
            let (kind, form) = state.message(number)?;
            let content = sized(state.content(context, &value, form)?, &size)?;
            let except = values::peers(&except, context)?;
            Ok(actions::gossip(
                context,
                kind,
                content,
                fanout(&count)?,
                &except,
            ))
        },
    )?;
    add(
        lua,
        calls,
        "gossip_rumour",
        |context, state, (number, count, except, size, rumour): (u8, Value, Value, Value, u32)| {
            let (kind, _) = state.message(number)?;
            let content = sized(Content::rumour(&state.rumour(rumour)?), &size)?;
            let except = values::peers(&except, context)?;
            let fanout = fanout(&count)?;
            Ok(actions::gossip(context, kind, content, fanout, &except))
        },
    )?;
    add(
        lua,
        calls,
        "broadcast",
        |context, state, (number, size, value): (u8, Value, Value)| {
            let (kind, form) = state.message(number)?;
            let content = match (&value, form) {
                (Value::Nil, Form::Value) => Content::EMPTY,
                _ => state.content(context, &value, form)?,
            };
            Ok(actions::broadcast(context, kind, sized(content, &size)?))
        },
    )
}

fn add_connections(lua: &Lua, calls: &Table) -> mlua::Result<()> {
    add(lua, calls, "connect", |context, _, to: Value| {
        let peer = values::peer(&to, context)?;
        if peer == context.me() {
            return Err("a peer cannot connect to itself".into());
        }
        context.dial(peer);
        Ok(Value::Nil)
    })?;
    add(lua, calls, "disconnect", |context, _, from: Value| {
        let peer = values::peer(&from, context)?;
        context.disconnect(peer);
        Ok(Value::Nil)
    })?;
    add(lua, calls, "neighbours", |context, _, ()| {
        Ok(ids(context, context.connections().iter_connected_peers()))
    })?;
    add(lua, calls, "dialled", |context, _, ()| {
        let connections = context.connections();
        let open = connections.iter().map(|connection| connection.peer);
        Ok(ids(
            context,
            open.filter(|&peer| !connections.is_connected(peer)),
        ))
    })?;
    add(lua, calls, "is_connected", |context, _, to: Value| {
        let peer = values::peer(&to, context)?;
        Ok(context.connections().is_connected(peer))
    })?;
    add(lua, calls, "last_heard", |context, _, of: Value| {
        let peer = values::peer(&of, context)?;
        let connection = context.connections().get(peer);
        Ok(connection.map(|connection| connection.last_heard.as_ms()))
    })?;
    add(lua, calls, "connected_since", |context, _, to: Value| {
        let peer = values::peer(&to, context)?;
        let since = context.connections().connected_since(peer);
        Ok(since.map(Time::as_ms))
    })?;
    add(lua, calls, "type_of", |context, _, of: Value| {
        let peer = values::peer(&of, context)?;
        Ok(context.type_name(peer).to_owned())
    })?;
    add(lua, calls, "is_bootstrap", |context, _, of: Value| {
        let peer = values::peer(&of, context)?;
        Ok(context.is_bootstrap(peer))
    })?;
    add(lua, calls, "bandwidth", |context, _, to: Value| {
        let peer = values::peer(&to, context)?;
        Ok(context.bandwidth_to(peer))
    })
}

fn add_others(lua: &Lua, calls: &Table) -> mlua::Result<()> {
    add(
        lua,
        calls,
        "timer",
        |context, _, (slot, ms): (u32, Value)| {
            let ms = number(&ms, "a timer's time in ms")?;
            let after = Time::from_ms(ms)
                .ok_or_else(|| format!("a timer cannot take {ms} ms; from 0 on"))?;
            context.set_timer(after.max(TIMER_MIN), slot);
            Ok(Value::Nil)
        },
    )?;
    add(
        lua,
        calls,
        "random",
        |context, _, (first, last): (Value, Value)| {
            let most = values::ID_MAX as f64;
            let (first, last) = match (&first, &last) {
                (Value::Nil, _) => return Ok(context.random().unit()),
                (last, Value::Nil) => (1.0, whole(last, "the last number", 1.0, most)?),
                (first, last) => {
                    let first = whole(first, "the first number", -most, most)?;
                    (first, whole(last, "the last number", first, most)?)
                }
            };
            let span = (last - first) as u64 + 1;
            Ok(first + context.random().below(span) as f64)
        },
    )?;
    add(lua, calls, "sample", |context, state, law: Value| {
        let law = match &law {
            Value::String(law) => &*law.to_str().map_err(|e| e.to_string())?,
            other => return number(other, "a distribution"),
        };
        let law = state.law(law)?;
        Ok(law.sample(context.random()))
    })?;
    add(
        lua,
        calls,
        "choose",
        |context, _, (list, count): (Table, Value)| {
            let items: mlua::Result<Vec<Value>> = list.sequence_values().collect();
            let mut items = items.map_err(|error| error.to_string())?;
            let count = whole(&count, "how many to choose", 0.0, f64::from(u32::MAX))?;
            let count = (count as usize).min(items.len());
            context.random().choose_front(&mut items, count);
            items.truncate(count);
            Ok(items)
        },
    )?;
    add(
        lua,
        calls,
        "log",
        |context, _, (level, line): (Value, String)| {
            let named = text(&level, "a level")?;
            let known = LogLevel::ALL.iter().find(|level| level.key() == named);
            let level = known
                .ok_or_else(|| format!("there is no level `{named}`: info, warning or error"))?;
            let line = line.replace(['\n', '\r'], " ");
            context.log(*level, format_args!("{line}"));
            Ok(Value::Nil)
        },
    )?;
    add(
        lua,
        calls,
        "count",
        |context, _, (name, n): (Value, Value)| {
            let most = values::ID_MAX as f64;
            let n = match n {
                Value::Nil => 1.0,
                n => whole(&n, "what is counted", -most, most)?,
            };
            context.count(&text(&name, "a count's name")?, n as i64);
            Ok(Value::Nil)
        },
    )?;
    add(
        lua,
        calls,
        "observe",
        |context, _, (name, value): (Value, Value)| {
            let value = number(&value, "an observation")?;
            let name = text(&name, "an observation's name")?;
            match context.observe(&name, value) {
                true => Ok(Value::Nil),
                false => Err(format!("an observation cannot be {value}")),
            }
        },
    )?;
    add(
        lua,
        calls,
        "publish",
        |context, state, (size, ttl): (Value, Value)| {
            let size = whole(&size, "a payload's size in bytes", 0.0, MESSAGE_BYTES_MAX)?;
            let ttl = match ttl {
                Value::Nil => f64::from(u16::MAX),
                ttl => whole(&ttl, "ttl", 0.0, f64::from(u16::MAX))?,
            };
            let rumour = context.publish(size as u32, ttl as u16);
            let made = state.seen(&rumour, context);
            made.map_err(|error| error.to_string())
        },
    )?;
    add(lua, calls, "deliver", |context, state, number: u32| {
        Ok(context.receive(&state.rumour(number)?))
    })?;
    add(
        lua,
        calls,
        "deliver_again",
        |context, state, (number, times): (u32, u32)| {
            let rumour = state.rumour(number)?;
            for _ in 0..times {
                context.receive(&rumour);
            }
            Ok(Value::Nil)
        },
    )?;
    add(lua, calls, "forget", |context, _, age: Value| {
        let ms = number(&age, "an age in ms")?;
        let age = Time::from_ms(ms).ok_or_else(|| format!("no age is {ms} ms"))?;
        context.forget_rumours(context.now().since(age));
        Ok(Value::Nil)
    })
}

/// What a message carries, as a script sees it.
pub(super) fn seen(
    lua: &Lua,
    payload: &Payload,
    state: &mut State,
    context: &Context<'_>,
) -> mlua::Result<Value> {
    let rumours = state.rumours().map_err(mlua::Error::runtime)?;
    values::decode(lua, payload, rumours, context)
}
