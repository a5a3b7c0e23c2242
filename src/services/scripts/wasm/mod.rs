//! Services in WebAssembly: modules that import a peer's actions and export its handlers.

mod declare;
mod host;
mod room;
mod wire;

use std::sync::Arc;

use wasmi::{Error, ExternType, FuncType, Module, Store, ValType};

use super::ScriptError;
use super::declaration::{Bounds, Declaration, declared, new_key};
use crate::engine::{Context, Rejoin, Service};
use crate::expression::nearest;
use crate::message::{Message, MessageType, Payload};
use crate::peer::PeerIndex;
use crate::services::{Factory, ParameterKind, ServiceSpec, ServiceState};
use room::{Apart, Guest, Handlers, Host, Room, Script};

/// The custom section that a module declares itself in.
const SECTION: &str = "p2psim";

/// What there is to know of the service in a module.
pub(super) fn load(name: &str, bytes: &[u8]) -> Result<ServiceSpec, ScriptError> {
    let module = room::compile(bytes).map_err(|error| ScriptError {
        line: None,
        message: format!("`{name}` is no module: {}", room::one_line(&error)),
        expected: "WebAssembly 2.0 as compilers write it (.wasm, not .wat), without SIMD".into(),
    })?;
    check_imports(name, &module)?;
    let exports = check_exports(name, &module)?;
    let declaration = read_declaration(name, &module)?;
    let mut script = Script {
        name: name.to_owned(),
        module: bytes.into(),
        exports,
        messages: Vec::new(),
        parameters: Vec::new(),
        choices: Vec::new(),
        bounds: Bounds::OF_DECLARATIONS,
        key: 0,
    };
    try_out(script.clone())?;
    script.choices = choices(&declaration);
    let forms: Vec<_> = declaration.messages.iter().map(|m| m.form).collect();
    Ok(declaration.spec(name, move |parameters, kinds| {
        factory(Script {
            messages: kinds.iter().copied().zip(forms.iter().copied()).collect(),
            parameters: declared(parameters)
                .map(|(name, value)| (name, value.clone()))
                .collect(),
            bounds: Bounds::new(parameters),
            key: new_key(),
            ..script.clone()
        })
    }))
}

fn factory(script: Script) -> Factory {
    let script = Arc::new(script);
    Arc::new(move || {
        ServiceState::Custom(Box::new(Peer {
            script: script.clone(),
            home: Home::Nowhere,
        }))
    })
}

fn choices(declaration: &Declaration) -> Vec<(&'static str, &'static [&'static str])> {
    let parameters = declaration.parameters.iter();
    parameters
        .filter_map(|parameter| match parameter.kind {
            ParameterKind::Word(words) => Some((parameter.name, words)),
            _ => None,
        })
        .collect()
}

fn refused(name: &str, problem: &str, expected: impl Into<String>) -> ScriptError {
    ScriptError {
        line: None,
        message: format!("`{name}` {problem}"),
        expected: expected.into(),
    }
}

/// A function's type as a person would write it: `(i64, i32) -> i32`.
fn shown(of_type: &FuncType) -> String {
    let list = |types: &[ValType]| {
        let names: Vec<String> = types
            .iter()
            .map(|of_type| format!("{of_type:?}").to_lowercase())
            .collect();
        names.join(", ")
    };
    match of_type.results() {
        [] => format!("({})", list(of_type.params())),
        results => format!("({}) -> {}", list(of_type.params()), list(results)),
    }
}

fn check_imports(name: &str, module: &Module) -> Result<(), ScriptError> {
    for import in module.imports() {
        let (from, what) = (import.module(), import.name());
        let ExternType::Func(of_type) = import.ty() else {
            let problem = format!("imports `{what}` from `{from}`, which is no function");
            let cure = "functions only; the memory is the module's own: link it without \
                        --import-memory";
            return Err(refused(name, &problem, cure));
        };
        let known = match from {
            host::MODULE => host::signature(what),
            _ => None,
        };
        let Some(known) = known else {
            let cure = match from {
                host::MODULE => nearest(what, host::FUNCTIONS.iter().copied())
                    .unwrap_or_else(|| format!("the functions are {}", host::FUNCTIONS.join(", "))),
                _ if from.starts_with("wasi") => {
                    "a module without WASI: build it for wasm32-unknown-unknown".into()
                }
                _ => format!("functions of the module `{}` alone", host::MODULE),
            };
            let problem = format!("imports `{what}` from `{from}`, which there is not");
            return Err(refused(name, &problem, cure));
        };
        if known != *of_type {
            let problem = format!("imports `{what}` as {}", shown(of_type));
            return Err(refused(name, &problem, shown(&known)));
        }
    }
    Ok(())
}

fn check_exports(name: &str, module: &Module) -> Result<Handlers<bool>, ScriptError> {
    use ValType::{I32, I64};
    let mut handlers = Handlers::<bool>::default();
    let mut known: [(&str, &[ValType], &[ValType], &mut bool); 8] = [
        ("on_start", &[], &[], &mut handlers.on_start),
        (
            "on_message",
            &[I64, I32, I32, I32],
            &[],
            &mut handlers.on_message,
        ),
        ("on_timer", &[I32], &[], &mut handlers.on_timer),
        ("on_connect", &[I64, I32], &[], &mut handlers.on_connect),
        ("on_disconnect", &[I64], &[], &mut handlers.on_disconnect),
        ("on_online", &[I32], &[], &mut handlers.on_online),
        ("on_offline", &[], &[], &mut handlers.on_offline),
        ("on_hello", &[I64], &[I32], &mut handlers.on_hello),
    ];
    for export in module.exports() {
        let what = export.name();
        let names: Vec<&str> = known.iter().map(|&(name, ..)| name).collect();
        let found = known.iter_mut().find(|(name, ..)| *name == what);
        match (found, export.ty()) {
            (None, _) if !what.starts_with("on_") => {}
            (None, _) => {
                let problem = format!("exports `{what}`, which nothing calls");
                let cure = nearest(what, names.iter().copied())
                    .unwrap_or_else(|| format!("the handlers are {}", names.join(", ")));
                return Err(refused(name, &problem, cure));
            }
            (Some((_, parameters, results, is_there)), ExternType::Func(of_type)) => {
                let right = FuncType::new(parameters.to_vec(), results.to_vec());
                if right != *of_type {
                    let problem = format!("exports `{what}` as {}", shown(of_type));
                    return Err(refused(name, &problem, shown(&right)));
                }
                **is_there = true;
            }
            (Some(_), _) => {
                let problem = format!("exports `{what}`, which is no function");
                return Err(refused(name, &problem, "a function"));
            }
        }
    }
    if known.iter().all(|(.., is_there)| !**is_there) {
        let names: Vec<&str> = known.iter().map(|&(name, ..)| name).collect();
        let cure = format!("at least one handler: {}", names.join(", "));
        return Err(refused(name, "exports no handler", cure));
    }
    Ok(handlers)
}

fn read_declaration(name: &str, module: &Module) -> Result<Declaration, ScriptError> {
    let mut sections = module.custom_sections().filter(|s| s.name() == SECTION);
    let Some(section) = sections.next() else {
        let cure =
            r#"a JSON text such as {"abi": 1, "messages": [{"name": "Vote"}]}: docs/wasm.md"#;
        return Err(refused(name, "has no custom section `p2psim`", cure));
    };
    if sections.next().is_some() {
        return Err(refused(name, "has two custom sections `p2psim`", "one"));
    }
    declare::read(section.data()).map_err(|problem| {
        let problem = format!("has a mistake in its section `p2psim`: {problem}");
        refused(name, &problem, "declarations as in docs/wasm.md")
    })
}

/// Makes one instance, so that what can be known before a run is.
fn try_out(script: Script) -> Result<(), ScriptError> {
    let problem = match Room::new(&Arc::new(script)) {
        Err(error) => room::one_line(&error),
        Ok(mut room) => match room.settle(&mut host::Nothing) {
            Ok(_) => return Ok(()),
            // Its start function wants to act on a peer.
            Err(error) if room::lacks_peer(&error) => return Ok(()),
            Err(error) => room.explain("instantiation", &error),
        },
    };
    Err(ScriptError {
        line: None,
        message: problem,
        expected: "a module that can be instantiated".into(),
    })
}

/// The service of one peer. Small and in one piece: in a large network most of what it touches
/// is not in the cache.
struct Peer {
    script: Arc<Script>,
    home: Home,
}

/// Where a peer's guest lives.
// Nearly all live in the room, and are asked for at each message: not behind one pointer more.
#[allow(clippy::large_enum_variant)]
enum Home {
    /// Nowhere yet.
    Nowhere,
    /// In the room of the shard.
    Shared(Guest),
    /// In a store of its own, since the peer has begun afresh: what it leaves is let go of.
    Apart(Box<Apart>),
}

impl Peer {
    /// Calls a handler of the guest, which is made if there is none yet. A problem ends the run.
    fn call<R>(
        &mut self,
        context: &mut Context<'_>,
        payload: &Payload,
        handler: &str,
        call: impl FnOnce(&mut Store<Host>, &Guest) -> Option<Result<R, Error>>,
    ) -> Option<R> {
        if context.has_failed() {
            return None;
        }
        if let Home::Apart(apart) = &mut self.home {
            let done = apart.call(&mut host::Handling { context, payload }, call);
            return done.unwrap_or_else(|error| {
                context.fail(apart.explain(handler, &error));
                None
            });
        }
        let mut room = self.take_room(context)?;
        let mut event = host::Handling { context, payload };
        let mut settled = Ok(());
        if let Home::Nowhere = self.home {
            settled = room
                .settle(&mut event)
                .map(|guest| self.home = Home::Shared(guest));
        }
        let done = match (settled, &self.home) {
            (Ok(()), Home::Shared(guest)) => room
                .call(guest, &mut event, call)
                .map_err(|error| (handler, error)),
            (Ok(()), _) => Ok(None),
            (Err(error), _) => Err(("instantiation", error)),
        };
        let done = done.unwrap_or_else(|(what, error)| {
            context.fail(room.explain(what, &error));
            None
        });
        context.put_shared(self.script.key, room);
        done
    }

    /// The room of the shard; the first peer of it makes it.
    fn take_room(&self, context: &mut Context<'_>) -> Option<Box<Room>> {
        if let Some(room) = context.take_shared(self.script.key) {
            return Some(room);
        }
        match Room::new(&self.script) {
            Ok(room) => Some(Box::new(room)),
            Err(error) => {
                let problem = room::one_line(&error);
                context.fail(format!("{}: {problem}", self.script.name));
                None
            }
        }
    }

    /// Lets go of the guest: a new one begins where a new peer's would.
    fn begin_afresh(&mut self, context: &mut Context<'_>) {
        if matches!(self.home, Home::Nowhere) || context.has_failed() {
            return;
        }
        let Some(room) = self.take_room(context) else {
            return;
        };
        self.home = Home::Nowhere;
        let mut event = host::Handling {
            context,
            payload: &Payload::Empty,
        };
        match room.settle_apart(&mut event) {
            Ok(apart) => self.home = Home::Apart(Box::new(apart)),
            Err(error) => context.fail(room.explain("instantiation", &error)),
        }
        context.put_shared(self.script.key, room);
    }

    fn id(context: &Context<'_>, peer: PeerIndex) -> i64 {
        context.id(peer).0 as i64
    }

    /// The place of a message among those that the guest declares.
    fn place(&self, kind: MessageType) -> Option<i32> {
        self.script
            .place(kind)
            .and_then(|place| i32::try_from(place).ok())
    }
}

impl Service for Peer {
    fn start(&mut self, context: &mut Context<'_>) {
        if self.script.exports.on_start {
            self.call(context, &Payload::Empty, "on_start", |store, guest| {
                Some(guest.on_start?.call(store, ()))
            });
        }
    }

    fn message(&mut self, context: &mut Context<'_>, from: PeerIndex, message: Message<'_>) {
        let Some(place) = self.place(message.kind) else {
            return;
        };
        if !self.script.exports.on_message {
            return;
        }
        let from = Self::id(context, from);
        let (tag, bytes) = wire::measure(message.payload);
        let arguments = (from, place, tag as i32, bytes as i32);
        self.call(context, message.payload, "on_message", |store, guest| {
            Some(guest.on_message?.call(store, arguments))
        });
    }

    fn timer(&mut self, context: &mut Context<'_>, tag: u32) {
        if self.script.exports.on_timer {
            self.call(context, &Payload::Empty, "on_timer", |store, guest| {
                Some(guest.on_timer?.call(store, tag as i32))
            });
        }
    }

    fn offline(&mut self, context: &mut Context<'_>) {
        if self.script.exports.on_offline {
            self.call(context, &Payload::Empty, "on_offline", |store, guest| {
                Some(guest.on_offline?.call(store, ()))
            });
        }
    }

    fn online(&mut self, context: &mut Context<'_>, rejoin: Rejoin) {
        let fresh = rejoin == Rejoin::Fresh;
        if fresh {
            self.begin_afresh(context);
            self.start(context);
        }
        if self.script.exports.on_online {
            self.call(context, &Payload::Empty, "on_online", |store, guest| {
                Some(guest.on_online?.call(store, i32::from(fresh)))
            });
        }
    }

    fn admits(&mut self, context: &mut Context<'_>, from: PeerIndex) -> bool {
        if !self.script.exports.on_hello {
            return true;
        }
        let from = Self::id(context, from);
        let answer = self.call(context, &Payload::Empty, "on_hello", |store, guest| {
            Some(guest.on_hello?.call(store, from))
        });
        answer != Some(0)
    }

    fn connected(&mut self, context: &mut Context<'_>, peer: PeerIndex, offered: bool) {
        if self.script.exports.on_connect {
            let peer = Self::id(context, peer);
            self.call(context, &Payload::Empty, "on_connect", |store, guest| {
                Some(guest.on_connect?.call(store, (peer, i32::from(offered))))
            });
        }
    }

    fn disconnected(&mut self, context: &mut Context<'_>, peer: PeerIndex) {
        if self.script.exports.on_disconnect {
            let peer = Self::id(context, peer);
            self.call(context, &Payload::Empty, "on_disconnect", |store, guest| {
                Some(guest.on_disconnect?.call(store, peer))
            });
        }
    }
}
