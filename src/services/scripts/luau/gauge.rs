//! What one call of a script may take: steps and memory.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use mlua::Lua;

use super::super::declaration::Bounds;
use super::source::Problem;

/// How much the call being run has taken, and may take.
pub(super) struct Gauge {
    bounds: Bounds,
    steps: AtomicU64,
    /// What was held when the call began.
    held: AtomicUsize,
    /// What a call has taken too much of: catching the error does not help.
    exceeded: Mutex<Option<Problem>>,
    is_exceeded: AtomicBool,
}

impl Gauge {
    pub(super) fn new(bounds: Bounds) -> Self {
        Gauge {
            bounds,
            steps: AtomicU64::new(0),
            held: AtomicUsize::new(0),
            exceeded: Mutex::new(None),
            is_exceeded: AtomicBool::new(false),
        }
    }

    /// What a call has taken too much of, if one has.
    pub(super) fn exceeded(&self) -> Option<Problem> {
        lock(&self.exceeded).clone()
    }

    pub(super) fn begin(&self, held: usize) {
        self.steps.store(0, Ordering::Relaxed);
        self.held.store(held, Ordering::Relaxed);
    }

    /// One step more; whether that is too much of anything.
    #[inline]
    pub(super) fn step(&self, lua: &Lua) -> bool {
        let steps = self.steps.load(Ordering::Relaxed) + 1;
        self.steps.store(steps, Ordering::Relaxed);
        // What is held is looked at now and then; a call that takes much takes many steps.
        steps > self.bounds.call_steps
            || (steps.is_multiple_of(LOOKS) && lua.used_memory() > self.most())
    }

    fn most(&self) -> usize {
        let held = self.held.load(Ordering::Relaxed);
        let most = held.saturating_add(self.bounds.call_memory_bytes);
        most.min(self.bounds.memory_bytes)
    }

    #[cold]
    pub(super) fn exceed(&self, lua: &Lua, source: &str) -> mlua::Error {
        let bounds = self.bounds;
        let text = if self.steps.load(Ordering::Relaxed) > bounds.call_steps {
            format!(
                "one call takes more than {} steps; an endless loop? `call_steps` bounds them",
                bounds.call_steps
            )
        } else if lua.used_memory() > bounds.memory_bytes {
            format!(
                "the script holds more than {} bytes; `memory` bounds them",
                bounds.memory_bytes
            )
        } else {
            format!(
                "one call takes more than {} bytes of memory; `call_memory` bounds them",
                bounds.call_memory_bytes
            )
        };
        // The innermost line of the script itself.
        let line = (0..LEVELS).find_map(|level| {
            lua.inspect_stack(level, |debug| {
                let ours = debug.source().short_src.as_deref() == Some(source);
                ours.then(|| debug.current_line()).flatten()
            })
            .flatten()
        });
        let problem = Problem {
            line: line.and_then(|line| u32::try_from(line).ok()),
            text,
        };
        let error = mlua::Error::runtime(&problem.text);
        self.set_exceeded(problem);
        error
    }

    pub(super) fn set_exceeded(&self, problem: Problem) {
        lock(&self.exceeded).get_or_insert(problem);
        self.is_exceeded.store(true, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn is_exceeded(&self) -> bool {
        self.is_exceeded.load(Ordering::Relaxed)
    }
}

/// After so many steps what a call holds is looked at.
const LOOKS: u64 = 8;

/// How deep a script's line is looked for among its calls.
const LEVELS: usize = 32;

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
