//! Where guests live: one store a shard, in which each peer has an instance of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use wasmi::{
    CompilationMode, Config, Engine, Error, Extern, Instance, Linker, Memory, Module,
    ResourceLimiter, Store, TrapCode, TypedFunc,
};
use wasmi_core::LimiterError;

use super::super::declaration::{Bounds, Form};
use super::host::{self, Event, Stop};
use crate::message::MessageType;
use crate::services::ParameterValue;

/// What a table's entry takes.
const TABLE_ENTRY_BYTES: usize = 16;

/// The service of one peer type: a module with its parameters.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) name: String,
    pub(super) module: Arc<[u8]>,
    pub(super) exports: Handlers<bool>,
    /// The messages in the order of their declaration.
    pub(super) messages: Vec<(MessageType, Form)>,
    /// The parameters in the order of their declaration.
    pub(super) parameters: Vec<(&'static str, ParameterValue)>,
    pub(super) choices: Vec<(&'static str, &'static [&'static str])>,
    pub(super) bounds: Bounds,
    /// Under which its room is shared by the peers of a shard.
    pub(super) key: usize,
}

impl Script {
    /// What the parameter of this name can be, if it is a choice.
    pub(super) fn choices(&self, name: &str) -> &'static [&'static str] {
        let found = self.choices.iter().find(|(known, _)| *known == name);
        found.map_or(&[], |&(_, choices)| choices)
    }

    /// The place of a message among those declared.
    pub(super) fn place(&self, kind: MessageType) -> Option<usize> {
        self.messages.iter().position(|&(known, _)| known == kind)
    }
}

/// Something for each function that a guest may export to be told what happens.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Handlers<T> {
    pub(super) on_start: T,
    pub(super) on_message: T,
    pub(super) on_timer: T,
    pub(super) on_connect: T,
    pub(super) on_disconnect: T,
    pub(super) on_online: T,
    pub(super) on_offline: T,
    pub(super) on_hello: T,
}

/// A peer's own instance, and what can be called in it.
pub(super) struct Guest {
    memory: Option<Memory>,
    pub(super) on_message: Option<TypedFunc<(i64, i32, i32, i32), ()>>,
    pub(super) on_timer: Option<TypedFunc<i32, ()>>,
    pub(super) on_start: Option<TypedFunc<(), ()>>,
    pub(super) on_connect: Option<TypedFunc<(i64, i32), ()>>,
    pub(super) on_disconnect: Option<TypedFunc<i64, ()>>,
    pub(super) on_online: Option<TypedFunc<i32, ()>>,
    pub(super) on_offline: Option<TypedFunc<(), ()>>,
    pub(super) on_hello: Option<TypedFunc<i64, i32>>,
}

impl Guest {
    fn new(store: &Store<Host>, instance: Instance) -> Self {
        let memory = instance.get_export(store, "memory");
        macro_rules! handler {
            ($name:ident) => {
                instance.get_typed_func(store, stringify!($name)).ok()
            };
        }
        Guest {
            memory: memory.and_then(Extern::into_memory),
            on_start: handler!(on_start),
            on_message: handler!(on_message),
            on_timer: handler!(on_timer),
            on_connect: handler!(on_connect),
            on_disconnect: handler!(on_disconnect),
            on_online: handler!(on_online),
            on_offline: handler!(on_offline),
            on_hello: handler!(on_hello),
        }
    }
}

/// What the host keeps beside the guests of a store.
pub(super) struct Host {
    pub(super) script: Arc<Script>,
    /// That of the guest that is being called.
    pub(super) memory: Option<Memory>,
    budget: Budget,
}

/// Which bound a guest wanted to cross.
#[derive(Clone, Copy, Debug)]
enum Exceeded {
    Call,
    All,
}

/// How much memory guests may still take.
struct Budget {
    bounds: Bounds,
    /// Bytes taken since the call began.
    call_bytes: usize,
    /// Bytes held by all guests of the shard.
    all_bytes: Arc<AtomicUsize>,
    /// Those of them in this store.
    own_bytes: usize,
    exceeded: Option<Exceeded>,
}

impl Budget {
    fn take(&mut self, bytes: usize) -> Result<bool, LimiterError> {
        let all = self.all_bytes.load(Ordering::Relaxed);
        self.exceeded = if self.call_bytes.saturating_add(bytes) > self.bounds.call_memory_bytes {
            Some(Exceeded::Call)
        } else if all.saturating_add(bytes) > self.bounds.memory_bytes {
            Some(Exceeded::All)
        } else {
            self.call_bytes += bytes;
            self.own_bytes += bytes;
            self.all_bytes.store(all + bytes, Ordering::Relaxed);
            return Ok(true);
        };
        Err(LimiterError::ResourceLimiterDeniedAllocation)
    }
}

impl Drop for Budget {
    fn drop(&mut self) {
        self.all_bytes.fetch_sub(self.own_bytes, Ordering::Relaxed);
    }
}

impl ResourceLimiter for Budget {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, LimiterError> {
        match maximum {
            Some(maximum) if desired > maximum => Ok(false),
            _ => self.take(desired.saturating_sub(current)),
        }
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, LimiterError> {
        match maximum {
            Some(maximum) if desired > maximum => Ok(false),
            _ => self.take(
                desired
                    .saturating_sub(current)
                    .saturating_mul(TABLE_ENTRY_BYTES),
            ),
        }
    }

    fn instances(&self) -> usize {
        usize::MAX
    }

    fn tables(&self) -> usize {
        usize::MAX
    }

    fn memories(&self) -> usize {
        usize::MAX
    }
}

/// What the interpreter is told: steps are counted, and whatever could differ between machines
/// or runs is off. Functions are translated at once, since a translation takes steps.
fn config() -> Config {
    let mut config = Config::default();
    config
        .consume_fuel(true)
        .compilation_mode(CompilationMode::Eager)
        .wasm_custom_page_sizes(true);
    config
}

/// Reads and checks a module.
pub(super) fn compile(bytes: &[u8]) -> Result<Module, Error> {
    Module::new(&Engine::new(&config()), bytes)
}

/// What the peers of one factory in one shard share: the translated module and a store.
pub(super) struct Room {
    script: Arc<Script>,
    module: Module,
    linker: Linker<Host>,
    store: Store<Host>,
    all_bytes: Arc<AtomicUsize>,
}

impl Room {
    pub(super) fn new(script: &Arc<Script>) -> Result<Self, Error> {
        let module = compile(&script.module)?;
        let engine = module.engine();
        let mut linker = Linker::new(engine);
        host::link(&mut linker)?;
        let all_bytes = Arc::new(AtomicUsize::new(0));
        Ok(Room {
            script: script.clone(),
            store: new_store(engine, script, &all_bytes),
            module,
            linker,
            all_bytes,
        })
    }

    /// A further guest in the shared store, where it stays until the run ends.
    pub(super) fn settle(&mut self, event: &mut dyn Event) -> Result<Guest, Error> {
        instantiate(&self.linker, &self.module, &mut self.store, event)
    }

    /// A guest in a store of its own, which it can leave: more memory, for peers that begin afresh.
    pub(super) fn settle_apart(&self, event: &mut dyn Event) -> Result<Apart, Error> {
        let mut store = new_store(self.linker.engine(), &self.script, &self.all_bytes);
        let guest = instantiate(&self.linker, &self.module, &mut store, event)?;
        Ok(Apart { store, guest })
    }

    /// Calls the guest, which lives here.
    pub(super) fn call<R>(
        &mut self,
        guest: &Guest,
        event: &mut dyn Event,
        call: impl FnOnce(&mut Store<Host>, &Guest) -> Option<Result<R, Error>>,
    ) -> Result<Option<R>, Error> {
        run(&mut self.store, guest, event, call)
    }

    /// The problem of a call in the shared store in words.
    pub(super) fn explain(&self, handler: &str, error: &Error) -> String {
        explain(&self.store, handler, error)
    }
}

/// A guest with a store of its own.
pub(super) struct Apart {
    store: Store<Host>,
    guest: Guest,
}

impl Apart {
    pub(super) fn call<R>(
        &mut self,
        event: &mut dyn Event,
        call: impl FnOnce(&mut Store<Host>, &Guest) -> Option<Result<R, Error>>,
    ) -> Result<Option<R>, Error> {
        run(&mut self.store, &self.guest, event, call)
    }

    pub(super) fn explain(&self, handler: &str, error: &Error) -> String {
        explain(&self.store, handler, error)
    }
}

fn new_store(engine: &Engine, script: &Arc<Script>, all_bytes: &Arc<AtomicUsize>) -> Store<Host> {
    let host = Host {
        script: script.clone(),
        memory: None,
        budget: Budget {
            bounds: script.bounds,
            call_bytes: 0,
            all_bytes: all_bytes.clone(),
            own_bytes: 0,
            exceeded: None,
        },
    };
    let mut store = Store::new(engine, host);
    store.limiter(|host| &mut host.budget);
    store
}

/// Prepares a store for a call: its steps, its memory.
fn begin(store: &mut Store<Host>, memory: Option<Memory>) -> Result<(), Error> {
    let host = store.data_mut();
    host.memory = memory;
    host.budget.call_bytes = 0;
    host.budget.exceeded = None;
    let steps = host.budget.bounds.call_steps;
    store.set_fuel(steps)
}

fn instantiate(
    linker: &Linker<Host>,
    module: &Module,
    store: &mut Store<Host>,
    event: &mut dyn Event,
) -> Result<Guest, Error> {
    begin(store, None)?;
    let instance = host::during(event, || linker.instantiate_and_start(&mut *store, module))?;
    Ok(Guest::new(store, instance))
}

fn run<R>(
    store: &mut Store<Host>,
    guest: &Guest,
    event: &mut dyn Event,
    call: impl FnOnce(&mut Store<Host>, &Guest) -> Option<Result<R, Error>>,
) -> Result<Option<R>, Error> {
    begin(store, guest.memory)?;
    host::during(event, || call(store, guest)).transpose()
}

/// A problem of a call in words: the module, the function that was called, the cure.
fn explain(store: &Store<Host>, handler: &str, error: &Error) -> String {
    let host = store.data();
    let name = &host.script.name;
    let bounds = &host.budget.bounds;
    let of_memory = host.budget.exceeded.map(|exceeded| match exceeded {
        Exceeded::Call => format!(
            "more than {} bytes of memory in one call; raise `call_memory` if it needs them",
            bounds.call_memory_bytes
        ),
        Exceeded::All => format!(
            "the guests of one thread would hold more than {} bytes; raise `memory`, or give each \
             a smaller one: docs/wasm.md",
            bounds.memory_bytes
        ),
    });
    let of_call = || match (error.downcast_ref::<Stop>(), error.as_trap_code()) {
        (Some(Stop::Steps), _) | (None, Some(TrapCode::OutOfFuel)) => format!(
            "more than {} steps; look for an endless loop, or raise `call_steps`",
            bounds.call_steps
        ),
        (Some(Stop::Failed(text)), _) => text.clone(),
        (Some(stop), _) => stop.to_string(),
        (None, Some(TrapCode::UnreachableCodeReached)) => {
            "`unreachable`: a panic, or a check that failed; `fail` in the guest's panic handler \
             would say which"
                .into()
        }
        (None, Some(TrapCode::StackOverflow)) => "calls are nested too deep".into(),
        (None, Some(TrapCode::MemoryOutOfBounds)) => {
            "an access out of the bounds of its memory".into()
        }
        (None, Some(TrapCode::IndirectCallToNull)) => "a call of a null function".into(),
        _ => one_line(error),
    };
    let problem = of_memory.unwrap_or_else(of_call);
    format!("{name}: {handler}: {problem}")
}

/// What the interpreter says, in one line.
pub(super) fn one_line(error: &Error) -> String {
    let text = error.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.join(" ")
}

/// Whether a call ended since it acts on a peer, and there is none.
pub(super) fn lacks_peer(error: &Error) -> bool {
    matches!(error.downcast_ref(), Some(Stop::Nobody))
}
