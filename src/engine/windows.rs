//! Several shards at once: time is cut into windows within which they cannot affect one another.
//!
//! A message takes at least the lookahead. So all that happens before `t + lookahead`, where `t`
//! is when the next event of any shard happens, is known at `t`: each shard runs through this
//! window on its own, then messages between shards change hands. Events have a total order of
//! their own, so the result is that of one shard. (Conservative synchronization with windows:
//! Fujimoto, "Parallel discrete event simulation", Comm. ACM 33, 1990.)

use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use super::Pause;
use super::mail::Mail;
use super::post::NEVER;
use super::service::Service;
use super::shard::Shard;
use crate::time::Time;

/// When some windows have this many events a shard together, each shard is worth a thread.
const BUSY: u64 = 1_000;
/// When they have this many times fewer, one thread is quicker.
const QUIETER: u64 = 4;
/// How many windows are looked at together.
const SETTLING: u64 = 8;
/// How often a thread asks whether the others are there before it lets them have its processor.
const SPINS: u32 = 1 << 12;

/// Why shards came to a stop.
enum Halt {
    Paused(Pause),
    /// There is too much, or too little, to do for as many threads as there are.
    Change,
}

/// When and why a run ends.
#[derive(Clone, Copy)]
pub(super) struct Limits<'a> {
    /// How long what one shard does cannot matter to another.
    pub(super) lookahead: Time,
    /// Nothing at or after this time is handled.
    pub(super) end: Time,
    /// About how many events are handled.
    pub(super) budget: u64,
    /// Ends the run when it is set.
    pub(super) stop: &'a AtomicBool,
    /// How many events in [`SETTLING`] windows are worth a thread for each shard: [`busy`].
    pub(super) busy: u64,
}

/// How many events in a few windows are worth a thread for each of so many shards.
pub(super) fn busy(shards: usize) -> u64 {
    BUSY * shards as u64
}

impl Limits<'_> {
    /// The end of the window that begins with the next event, at `next`; or why there is none.
    fn window(&self, next: Time, handled: u64, stopped: bool) -> Result<Time, Halt> {
        if next >= self.end {
            Err(Halt::Paused(Pause::Reached))
        } else if stopped {
            Err(Halt::Paused(Pause::Stopped))
        } else if handled >= self.budget {
            Err(Halt::Paused(Pause::Budget))
        } else {
            Ok((next + self.lookahead).min(self.end))
        }
    }
}

/// Handles the events of all shards within the limits: with a thread for each if `threads` says
/// so, which holds what was found best when it returns.
pub(super) fn run<S: Service>(
    shards: &mut [Shard<S>],
    whole: Limits<'_>,
    threads: &mut bool,
) -> Pause {
    let before = events(shards);
    loop {
        let handled = events(shards) - before;
        let limits = Limits {
            budget: whole.budget.saturating_sub(handled),
            ..whole
        };
        let halt = match *threads {
            true => at_once(shards, limits),
            false => in_turn(shards, limits),
        };
        match halt {
            Halt::Change => *threads = !*threads,
            Halt::Paused(pause) => {
                if pause == Pause::Reached {
                    for shard in shards {
                        shard.reached = whole.end;
                    }
                }
                return pause;
            }
        }
    }
}

fn events<S>(shards: &[Shard<S>]) -> u64 {
    shards.iter().map(|shard| shard.events).sum()
}

/// Runs the shards one after the other, on this thread, while there is little to do.
fn in_turn<S: Service>(shards: &mut [Shard<S>], limits: Limits<'_>) -> Halt {
    let before = events(shards);
    let mut bag = Mail::default();
    let mut handled_then = 0;
    for window in 0_u64.. {
        let next = shards.iter().map(Shard::next).min().unwrap_or(NEVER);
        let handled = events(shards) - before;
        if window % SETTLING == 0 {
            handled_then = handled;
        }
        let failed = shards.iter().any(|shard| shard.post.failure.is_some());
        let stopped = failed || limits.stop.load(Ordering::Relaxed);
        let until = match limits.window(next, handled, stopped) {
            Ok(until) => until,
            Err(halt) => return halt,
        };
        for shard in &mut *shards {
            // What is left of a busy window is left to threads: theirs begins where it ends.
            shard.run_window(until, limits.end, limits.busy);
        }
        for from in 0..shards.len() {
            for to in 0..shards.len() {
                if from != to {
                    shards[from].post.hand_out(to, &mut bag);
                    shards[to].post.take_in(from, &mut bag);
                    shards[from].post.take_back(&mut bag);
                }
            }
        }
        if events(shards) - before - handled_then >= limits.busy {
            return Halt::Change;
        }
    }
    Halt::Change
}

/// Runs each shard on a thread of its own, while there is much to do.
fn at_once<S: Service>(shards: &mut [Shard<S>], limits: Limits<'_>) -> Halt {
    let board = Board::new(shards.len());
    let Some((first, others)) = shards.split_first_mut() else {
        return Halt::Paused(Pause::Reached);
    };
    thread::scope(|scope| {
        for (place, shard) in others.iter_mut().enumerate() {
            let board = &board;
            scope.spawn(move || board.work(place + 1, shard, limits));
        }
        board.work(0, first, limits)
    })
}

/// What the threads of all shards tell each other before a window.
///
/// There are two notices, for every second window each: a thread that is ahead writes the next
/// one while another still reads this one. It cannot be ahead by more.
struct Board {
    notices: [Notice; 2],
    barrier: Barrier,
}

struct Notice {
    /// From each shard, when its next event happens, or that of one it sends mail to.
    next: Vec<AtomicU64>,
    /// How many events each has handled.
    handled: Vec<AtomicU64>,
    /// Whether the run is to stop.
    stopped: AtomicBool,
    /// Whether a service has ended it.
    failed: AtomicBool,
    /// Mail from each shard, to each.
    mail: Vec<Mutex<Mail>>,
}

impl Notice {
    fn new(shards: usize) -> Self {
        let zeros = || (0..shards).map(|_| AtomicU64::new(0)).collect();
        Notice {
            next: zeros(),
            handled: zeros(),
            stopped: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            mail: (0..shards * shards).map(|_| Mutex::default()).collect(),
        }
    }

    fn mail(&self, from: usize, to: usize) -> MutexGuard<'_, Mail> {
        let mail = self.mail[from * self.next.len() + to].lock();
        mail.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Board {
    fn new(shards: usize) -> Self {
        Board {
            notices: [Notice::new(shards), Notice::new(shards)],
            barrier: Barrier::new(shards),
        }
    }

    /// Runs the shard in `place` through window after window. All threads read the same notices,
    /// and so decide the same.
    fn work<S: Service>(&self, place: usize, shard: &mut Shard<S>, limits: Limits<'_>) -> Halt {
        let _guard = self.barrier.guard();
        let before = shard.events;
        let mut handled_then = 0;
        for window in 0_u64.. {
            let notice = &self.notices[window as usize % 2];
            let count = notice.next.len();
            notice.next[place].store(shard.next().as_ns(), Ordering::Relaxed);
            notice.handled[place].store(shard.events - before, Ordering::Relaxed);
            for to in (0..count).filter(|&to| to != place) {
                shard.post.hand_out(to, &mut notice.mail(place, to));
            }
            if place == 0 {
                let stopped = limits.stop.load(Ordering::Relaxed);
                notice.stopped.store(stopped, Ordering::Relaxed);
            }
            if shard.post.failure.is_some() {
                notice.failed.store(true, Ordering::Relaxed);
            }
            self.barrier.wait();

            for from in (0..count).filter(|&from| from != place) {
                shard.post.take_in(from, &mut notice.mail(from, place));
            }
            let next = notice.next.iter().map(|next| next.load(Ordering::Relaxed));
            let next = Time::from_ns(next.min().unwrap_or(u64::MAX));
            let handled = notice.handled.iter();
            let handled = handled.map(|count| count.load(Ordering::Relaxed)).sum();
            let failed = notice.failed.load(Ordering::Relaxed);
            let stopped = failed || notice.stopped.load(Ordering::Relaxed);
            let until = match limits.window(next, handled, stopped) {
                Ok(until) => until,
                Err(halt) => return halt,
            };
            if window % SETTLING == SETTLING - 1 {
                if handled - handled_then < limits.busy / QUIETER {
                    return Halt::Change;
                }
                handled_then = handled;
            }
            shard.run_window(until, limits.end, u64::MAX);
        }
        Halt::Change
    }
}

/// Where all threads wait for each other. It is passed thousands of times a second, so a thread
/// looks for the others before it sleeps.
struct Barrier {
    threads: usize,
    arrived: AtomicUsize,
    passed: AtomicUsize,
    broken: AtomicBool,
}

/// Breaks the barrier when its thread panics, so that the others do not wait for it.
struct Guard<'a>(&'a Barrier);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.broken.store(true, Ordering::Release);
        }
    }
}

impl Barrier {
    fn new(threads: usize) -> Self {
        Barrier {
            threads,
            arrived: AtomicUsize::new(0),
            passed: AtomicUsize::new(0),
            broken: AtomicBool::new(false),
        }
    }

    fn guard(&self) -> Guard<'_> {
        Guard(self)
    }

    /// # Panics
    /// When another thread has.
    fn wait(&self) {
        let passed = self.passed.load(Ordering::Acquire);
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.threads {
            self.arrived.store(0, Ordering::Relaxed);
            self.passed.store(passed.wrapping_add(1), Ordering::Release);
            return;
        }
        let mut spins = 0;
        while self.passed.load(Ordering::Acquire) == passed {
            assert!(
                !self.broken.load(Ordering::Acquire),
                "another shard's thread has panicked"
            );
            if spins < SPINS {
                spins += 1;
                spin_loop();
            } else {
                thread::yield_now();
            }
        }
    }
}
