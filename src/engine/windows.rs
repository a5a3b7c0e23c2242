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
use std::time::Duration;

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
/// How often a thread asks whether the others are there before it sleeps in between, so that one
/// of them may have its processor.
const SPINS: u32 = 1 << 12;
const SLEEP: Duration = Duration::from_micros(50);
/// About how many events a thread could have handled while it slept once.
const EVENTS_SLEPT: u64 = 1_000;
/// When a thread could have handled so many more than it has, something else has the processors.
const CROWDED: u64 = 100_000;
/// So many are then handled by one thread before others are tried again; twice as many each time
/// that it is no better.
const ALONE: u64 = 100_000;

/// Why shards came to a stop.
enum Halt {
    Paused(Pause),
    /// There is too much, or too little, to do for as many threads as there are.
    Change,
    /// Threads wait for each other longer than they run.
    Crowded,
}

/// How shards run: what is best was found while they did.
pub(super) struct Manner {
    /// Whether each has a thread of its own.
    threads: bool,
    /// How many events one thread handles before there may be others.
    alone: u64,
    /// How many it will when it is too crowded again.
    alone_next: u64,
}

impl Default for Manner {
    /// With threads: most networks begin with all of their peers at once.
    fn default() -> Self {
        Manner {
            threads: true,
            alone: 0,
            alone_next: ALONE,
        }
    }
}

impl Manner {
    fn be_alone(&mut self) {
        self.threads = false;
        self.alone = self.alone_next;
        self.alone_next = self.alone_next.saturating_mul(2);
    }

    /// Notes that so many events were handled by threads: after a good while it is crowded no more.
    fn handled_by_threads(&mut self, events: u64) {
        if events > 5 * ALONE {
            self.alone_next = ALONE;
        }
    }
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

/// Handles the events of all shards within the limits.
pub(super) fn run<S: Service>(
    shards: &mut [Shard<S>],
    whole: Limits<'_>,
    manner: &mut Manner,
) -> Pause {
    let mut budget = whole.budget;
    loop {
        let limits = Limits { budget, ..whole };
        let before = events(shards);
        let halt = match manner.threads {
            true => at_once(shards, limits),
            false => in_turn(shards, limits, manner.alone),
        };
        let handled = events(shards) - before;
        budget = budget.saturating_sub(handled);
        if manner.threads {
            manner.handled_by_threads(handled);
        }
        manner.alone = manner.alone.saturating_sub(handled);
        match halt {
            Halt::Crowded => manner.be_alone(),
            Halt::Change => manner.threads = !manner.threads,
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

/// Runs the shards one after the other, on this thread, while there is little to do, and for
/// `alone` events at least.
fn in_turn<S: Service>(shards: &mut [Shard<S>], limits: Limits<'_>, alone: u64) -> Halt {
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
        let may_change = handled >= alone;
        // What is left of a busy window is left to threads: theirs begins where it ends.
        let most = if may_change { limits.busy } else { u64::MAX };
        for shard in &mut *shards {
            shard.run_window(until, limits.end, most);
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
        if may_change && events(shards) - before - handled_then >= limits.busy {
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
    /// Whether a thread has waited for too long.
    crowded: AtomicBool,
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
            crowded: AtomicBool::new(false),
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
        // How many more events could have been handled while this thread slept than were.
        let (mut slept, mut events_then) = (0_u64, before);
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
            if slept > CROWDED && limits.busy > 0 {
                notice.crowded.store(true, Ordering::Relaxed);
            }
            slept += self.barrier.wait() * EVENTS_SLEPT;
            slept = slept.saturating_sub(shard.events - events_then);
            events_then = shard.events;

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
            if notice.crowded.load(Ordering::Relaxed) {
                return Halt::Crowded;
            }
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

    /// Waits for the others; how often it slept meanwhile.
    ///
    /// # Panics
    /// When another thread has.
    fn wait(&self) -> u64 {
        let passed = self.passed.load(Ordering::Acquire);
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.threads {
            self.arrived.store(0, Ordering::Relaxed);
            self.passed.store(passed.wrapping_add(1), Ordering::Release);
            return 0;
        }
        let (mut spins, mut sleeps) = (0, 0);
        while self.passed.load(Ordering::Acquire) == passed {
            assert!(
                !self.broken.load(Ordering::Acquire),
                "another shard's thread has panicked"
            );
            if spins < SPINS {
                spins += 1;
                spin_loop();
            } else {
                sleeps += 1;
                thread::sleep(SLEEP);
            }
        }
        sleeps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thread_stays_alone_for_longer_each_time_it_is_crowded() {
        let mut manner = Manner::default();
        assert!(manner.threads);
        manner.be_alone();
        assert_eq!((manner.threads, manner.alone), (false, ALONE));
        manner.handled_by_threads(ALONE);
        manner.be_alone();
        assert_eq!(manner.alone, 2 * ALONE);
        manner.handled_by_threads(10 * ALONE);
        manner.be_alone();
        assert_eq!(manner.alone, ALONE);
    }
}
