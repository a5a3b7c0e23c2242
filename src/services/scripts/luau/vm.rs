//! A Luau VM with the peers of a shard that run one script with the same parameters.

use std::sync::{Arc, Mutex};

use mlua::chunk::{ChunkMode, Compiler};
use mlua::{Function, Lua, LuaOptions, StdLib, Table, Value, VmState};

use super::super::ScriptError;
use super::super::declaration::{Bounds, Declaration, DeclaredMessage, declared};
use super::gauge::{Gauge, lock};
use super::host::{self, State};
use super::rumours::Rumours;
use super::source::{PRELUDE_NAME, Problem, Source, plain};
use super::values::{self, ID_MAX};
use crate::engine::Context;
use crate::message::{Message, MessageType, Payload, Rumour};
use crate::peer::PeerIndex;
use crate::services::{ParameterValue, Parameters};

const PRELUDE: &str = include_str!("prelude.luau");

/// A script with the parameters of a peer type.
pub(super) struct Program {
    pub(super) key: usize,
    pub(super) source: Arc<Source>,
    pub(super) parameters: Parameters,
    pub(super) messages: Vec<(DeclaredMessage, MessageType)>,
}

/// The handlers that a script can define.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handler {
    Start,
    Message,
    Timer,
    Connect,
    Disconnect,
    Online,
    Offline,
    Hello,
}

impl Handler {
    const ALL: [Handler; 8] = [
        Handler::Start,
        Handler::Message,
        Handler::Timer,
        Handler::Connect,
        Handler::Disconnect,
        Handler::Online,
        Handler::Offline,
        Handler::Hello,
    ];

    const fn name(self) -> &'static str {
        match self {
            Handler::Start => "on_start",
            Handler::Message => "on_message",
            Handler::Timer => "on_timer",
            Handler::Connect => "on_connect",
            Handler::Disconnect => "on_disconnect",
            Handler::Online => "on_online",
            Handler::Offline => "on_offline",
            Handler::Hello => "on_hello",
        }
    }

    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

impl State {
    fn new(messages: Vec<(DeclaredMessage, MessageType)>) -> Self {
        State {
            messages,
            laws: Vec::new(),
            own_laws: 0,
            rumours: None,
        }
    }
}

impl Source {
    /// Runs the script once, to learn what it declares.
    pub(super) fn declare(self: &Arc<Self>) -> Result<Declaration, ScriptError> {
        let declaration = Arc::new(Mutex::new(Declaration::default()));
        let vm = Vm::new(
            self,
            Bounds::OF_DECLARATIONS,
            State::new(Vec::new()),
            |lua, host, config| {
                config.raw_set("declaring", true)?;
                declare_calls(lua, host, &declaration)
            },
        );
        let begun = vm.and_then(|vm| {
            let begun = vm.functions.begin.call::<u32>((1, "nowhere"));
            begun.map_err(|error| vm.problem(&error))
        });
        match begun {
            Err(problem) => Err(self.script_error(problem)),
            Ok(_) => Ok(lock(&declaration).clone()),
        }
    }
}

/// What the prelude hands out.
struct Functions {
    begin: Function,
    receive: Function,
    receive_rumour: Function,
    ring: Function,
    happen: Function,
}

pub(super) struct Vm {
    source: Arc<Source>,
    gauge: Arc<Gauge>,
    state: State,
    functions: Functions,
    /// The handlers that any of its peers has.
    defined: u32,
    peers: u32,
    /// Last, so that all that lies in it goes first.
    lua: Lua,
}

impl Vm {
    /// The VM of a shard's peers, none of which has begun.
    pub(super) fn of_shard(program: &Arc<Program>, context: &Context<'_>) -> Result<Self, String> {
        let last = PeerIndex(context.peers().saturating_sub(1));
        if context.id(last).0 > ID_MAX {
            return Err(format!(
                "{}: peer {} has an id above 2^53, which scripts cannot tell from others",
                program.source.name,
                context.id(last)
            ));
        }
        let mut state = State::new(program.messages.clone());
        for (_, value) in declared(&program.parameters) {
            if let ParameterValue::Law(law) | ParameterValue::OptionalLaw(Some(law)) = value {
                state.laws.push((law.to_string(), law.clone()));
            }
        }
        state.own_laws = state.laws.len();
        let bounds = Bounds::new(&program.parameters);
        let vm = Vm::new(&program.source, bounds, state, |lua, _, config| {
            let parameters = lua.create_table()?;
            for (name, value) in declared(&program.parameters) {
                parameters.raw_set(name, shown(lua, value, context)?)?;
            }
            parameters.set_readonly(true);
            config.raw_set("parameters", parameters)?;
            config.raw_set("type", context.type_name(context.me()))?;
            config.raw_set("peers", context.peers())
        });
        vm.map_err(|problem| program.source.quote(&problem, "its first lines"))
    }

    fn new(
        source: &Arc<Source>,
        bounds: Bounds,
        mut state: State,
        configure: impl FnOnce(&Lua, &Table, &Table) -> mlua::Result<()>,
    ) -> Result<Self, Problem> {
        let made = (|| {
            let libraries = StdLib::COROUTINE
                | StdLib::TABLE
                | StdLib::STRING
                | StdLib::UTF8
                | StdLib::BIT
                | StdLib::MATH
                | StdLib::BUFFER
                | StdLib::VECTOR;
            let lua = Lua::new_with(libraries, LuaOptions::default())?;
            // What no loop's turn has noticed: a single call that takes more than all.
            let spare = 2 * bounds.call_memory_bytes + (1 << 20);
            lua.set_memory_limit(bounds.memory_bytes.saturating_add(spare))?;
            let gauge = Arc::new(Gauge::new(bounds));
            let (host, methods) = host::calls(&lua)?;
            let caught = gauge.clone();
            host.raw_set(
                "out_of_memory",
                lua.create_function(move |_, ()| {
                    let error = mlua::Error::MemoryError(String::new());
                    let (line, text) = (None, plain(&error));
                    caught.set_exceeded(Problem { line, text });
                    Ok(())
                })?,
            )?;
            let config = lua.create_table()?;
            let (kinds, names, bits) = (
                lua.create_table()?,
                lua.create_table()?,
                lua.create_table()?,
            );
            for (place, (message, _)) in (1..).zip(&state.messages) {
                kinds.raw_set(message.name, place)?;
                names.raw_set(place, message.name)?;
            }
            for handler in Handler::ALL {
                bits.raw_set(handler.name(), handler.bit())?;
            }
            config.raw_set("kinds", kinds)?;
            config.raw_set("names", names)?;
            config.raw_set("bits", bits)?;
            config.raw_set("call_memory", bounds.call_memory_bytes)?;
            configure(&lua, &host, &config)?;
            let real = lua.create_table()?;
            real.raw_set("math", mathematics(&lua)?)?;
            real.raw_set("methods", methods)?;
            let globals = lua.globals();
            let prelude: Table = lua
                .load(PRELUDE)
                .set_name(format!("={PRELUDE_NAME}"))
                .set_mode(ChunkMode::Text)
                .set_compiler(Compiler::new().set_optimization_level(2))
                .call((host, config, real, &globals))?;
            globals.set_readonly(true);
            // What is in the library stays as it is, so scripts can have it at hand.
            globals.set_safeenv(true);
            let main = lua
                .load(&source.bytecode[..])
                .set_name(format!("={}", source.name))
                .set_mode(ChunkMode::Binary)
                .into_function()?;
            let set_main: Function = prelude.raw_get("set_main")?;
            set_main.call::<()>(main)?;
            state.rumours = Some(Rumours::new(&prelude)?);
            let functions = Functions {
                begin: prelude.raw_get("begin")?,
                receive: prelude.raw_get("receive")?,
                receive_rumour: prelude.raw_get("receive_rumour")?,
                ring: prelude.raw_get("ring")?,
                happen: prelude.raw_get("happen")?,
            };
            let (watched, name) = (gauge.clone(), source.name.clone());
            gauge.begin(lua.used_memory());
            lua.set_interrupt(move |lua| match watched.step(lua) {
                false => Ok(VmState::Continue),
                true => Err(watched.exceed(lua, &name)),
            });
            Ok(Vm {
                source: source.clone(),
                gauge,
                state,
                functions,
                defined: 0,
                peers: 0,
                lua,
            })
        })();
        made.map_err(|error| source.describe(&error))
    }

    /// What the last call has failed of.
    fn problem(&self, error: &mlua::Error) -> Problem {
        let exceeded = self.gauge.exceeded();
        exceeded.unwrap_or_else(|| self.source.describe(error))
    }

    /// Runs a handler; ends the run where it fails.
    #[inline]
    fn enter<R>(
        &mut self,
        context: &mut Context<'_>,
        handler: &str,
        call: impl FnOnce(&Functions) -> mlua::Result<R>,
    ) -> Option<R> {
        self.gauge.begin(self.lua.used_memory());
        let functions = &self.functions;
        let result = host::serve(context, &mut self.state, || call(functions));
        // An error that was caught, of a bound, is one nevertheless.
        let exceeded = self.gauge.is_exceeded();
        match result {
            Ok(result) if !exceeded => return Some(result),
            Ok(_) => self.fail(context, handler, &mlua::Error::StackError),
            Err(error) => self.fail(context, handler, &error),
        }
        None
    }

    #[cold]
    fn fail(&self, context: &mut Context<'_>, handler: &str, error: &mlua::Error) {
        let problem = self.problem(error);
        context.fail(self.source.quote(&problem, handler));
    }

    /// Lets a peer begin, or begin anew at its place; its place.
    pub(super) fn begin(&mut self, context: &mut Context<'_>, place: u32) -> u32 {
        let place = match place {
            0 => {
                self.peers += 1;
                self.peers
            }
            place => place,
        };
        let location = context.location_name().to_owned();
        let bits = self.enter(context, "its first lines", |functions| {
            functions.begin.call::<u32>((place, location))
        });
        self.defined |= bits.unwrap_or(0);
        place
    }

    /// Hands a peer a message.
    pub(super) fn receive(
        &mut self,
        context: &mut Context<'_>,
        place: u32,
        from: PeerIndex,
        message: Message<'_>,
    ) {
        if self.defined & Handler::Message.bit() == 0 {
            return;
        }
        let mut kinds = self.state.messages.iter();
        let Some(kind) = kinds.position(|&(_, kind)| kind == message.kind) else {
            return;
        };
        let now = context.now().as_ms();
        let me = values::id_of(context.me(), context);
        let from = values::id_of(from, context);
        let name = Handler::Message.name();
        if let Payload::Rumour(rumour) = message.payload {
            self.receive_rumour(context, (place, now, me, from, kind + 1), rumour);
            return;
        }
        match host::seen(&self.lua, message.payload, &mut self.state, context) {
            Ok(payload) => {
                self.enter(context, name, |functions| {
                    functions
                        .receive
                        .call::<()>((place, now, me, from, kind + 1, payload))
                });
            }
            Err(error) => self.fail(context, name, &error),
        }
    }

    /// Hands a peer a rumour: of all that happens to peers this is what happens most.
    fn receive_rumour(
        &mut self,
        context: &mut Context<'_>,
        (place, now, me, from, kind): (u32, f64, f64, f64, usize),
        rumour: &Rumour,
    ) {
        let name = Handler::Message.name();
        let rumours = self.state.rumours().map_err(mlua::Error::runtime);
        let number = match rumours.and_then(|rumours| rumours.number(rumour)) {
            Ok(number) => number,
            Err(error) => return self.fail(context, name, &error),
        };
        let held = context.holds(rumour);
        let mut made = None;
        loop {
            let again = self.enter(context, name, |functions| {
                functions
                    .receive_rumour
                    .call::<Option<u32>>((place, now, me, from, kind, number, held))
            });
            match again {
                Some(Some(times)) => return (0..times).for_each(|_| _ = context.receive(rumour)),
                // It has to be made first.
                Some(None) if made.is_none() => match self.state.seen(rumour, context) {
                    Ok(table) => made = Some(table),
                    Err(error) => return self.fail(context, name, &error),
                },
                _ => return,
            }
        }
    }

    /// Tells a peer that a timer has run out.
    pub(super) fn ring(&mut self, context: &mut Context<'_>, place: u32, slot: u32) {
        let now = context.now().as_ms();
        let me = values::id_of(context.me(), context);
        self.enter(context, Handler::Timer.name(), |functions| {
            functions.ring.call::<()>((place, now, me, slot))
        });
    }

    /// Tells a peer of something that may concern another; what it says to that.
    pub(super) fn happen(
        &mut self,
        context: &mut Context<'_>,
        place: u32,
        handler: Handler,
        peer: Option<PeerIndex>,
    ) -> Option<bool> {
        if self.defined & handler.bit() == 0 {
            return None;
        }
        let now = context.now().as_ms();
        let me = values::id_of(context.me(), context);
        let peer = peer.map(|peer| values::id_of(peer, context));
        let name = handler.name();
        let said = self.enter(context, name, |functions| {
            functions.happen.call::<Value>((place, now, me, name, peer))
        });
        match said {
            Some(Value::Boolean(said)) => Some(said),
            _ => None,
        }
    }

    /// Tells a peer of a new connection, `offered` by the other.
    pub(super) fn connected(
        &mut self,
        context: &mut Context<'_>,
        place: u32,
        peer: PeerIndex,
        offered: bool,
    ) {
        if self.defined & Handler::Connect.bit() == 0 {
            return;
        }
        let now = context.now().as_ms();
        let me = values::id_of(context.me(), context);
        let peer = values::id_of(peer, context);
        let name = Handler::Connect.name();
        self.enter(context, name, |functions| {
            functions
                .happen
                .call::<()>((place, now, me, name, peer, offered))
        });
    }
}

/// A parameter as a script sees it.
fn shown(lua: &Lua, value: &ParameterValue, context: &Context<'_>) -> mlua::Result<Value> {
    let text = |text: &str| Ok(Value::String(lua.create_string(text)?));
    let list = |table: Table| {
        table.set_readonly(true);
        Ok(Value::Table(table))
    };
    match value {
        ParameterValue::Duration(time) => Ok(Value::Number(time.as_ms())),
        ParameterValue::Count(count) => Ok(Value::Number(*count as f64)),
        ParameterValue::Probability(number)
        | ParameterValue::Number(number)
        | ParameterValue::Positive(number) => Ok(Value::Number(*number)),
        ParameterValue::Flag(flag) => Ok(Value::Boolean(*flag)),
        ParameterValue::Law(law) | ParameterValue::OptionalLaw(Some(law)) => text(&law.to_string()),
        ParameterValue::OptionalLaw(None) => Ok(Value::Boolean(false)),
        ParameterValue::Word(word) => text(word),
        ParameterValue::Durations(times) => {
            list(lua.create_sequence_from(times.iter().map(|time| time.as_ms()))?)
        }
        ParameterValue::Types(types) => {
            let names = types.iter().map(|&index| context.name_of_type(index));
            list(lua.create_sequence_from(names)?)
        }
        ParameterValue::Peers(peers) => {
            list(lua.create_sequence_from(peers.iter().map(|peer| peer.0 as f64))?)
        }
    }
}

/// Functions whose last digits differ from one platform's library to another's.
fn mathematics(lua: &Lua) -> mlua::Result<Table> {
    type OfOne = fn(f64) -> f64;
    let all: [(&str, OfOne); 11] = [
        ("acos", libm::acos),
        ("asin", libm::asin),
        ("atan", libm::atan),
        ("cos", libm::cos),
        ("cosh", libm::cosh),
        ("exp", libm::exp),
        ("log10", libm::log10),
        ("sin", libm::sin),
        ("sinh", libm::sinh),
        ("tan", libm::tan),
        ("tanh", libm::tanh),
    ];
    let table = lua.create_table()?;
    for (name, of) in all {
        table.raw_set(name, lua.create_function(move |_, x: f64| Ok(of(x)))?)?;
    }
    let atan2 = lua.create_function(|_, (y, x): (f64, f64)| Ok(libm::atan2(y, x)))?;
    table.raw_set("atan2", atan2)?;
    let pow = lua.create_function(|_, (x, y): (f64, f64)| Ok(libm::pow(x, y)))?;
    table.raw_set("pow", pow)?;
    let log = lua.create_function(|_, (x, base): (f64, Option<f64>)| {
        Ok(match base {
            None => libm::log(x),
            Some(2.0) => libm::log2(x),
            Some(10.0) => libm::log10(x),
            Some(base) => libm::log(x) / libm::log(base),
        })
    })?;
    table.raw_set("log", log)?;
    Ok(table)
}

/// `parameter`, `message` and `about` as they are while a script declares.
fn declare_calls(
    lua: &Lua,
    host: &Table,
    declaration: &Arc<Mutex<Declaration>>,
) -> mlua::Result<()> {
    let into = declaration.clone();
    let parameter = lua.create_function(move |lua, (name, about): (Value, Value)| {
        Ok(match lock(&into).add_parameter(lua, &name, &about) {
            Ok(default) => (None, default),
            Err(problem) => (Some(problem), Value::Nil),
        })
    })?;
    host.raw_set("declare_parameter", parameter)?;
    let into = declaration.clone();
    let message = lua.create_function(move |_, (name, about): (Value, Value)| {
        Ok(lock(&into).add_message(&name, &about).err())
    })?;
    host.raw_set("declare_message", message)?;
    let into = declaration.clone();
    let about =
        lua.create_function(move |_, line: Value| Ok(lock(&into).set_about(&line).err()))?;
    host.raw_set("declare_about", about)
}
