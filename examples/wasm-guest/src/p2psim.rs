//! What a guest can do: p2psim's functions with Rust's types. Copy this file into a guest of yours.
//!
//! The handlers that a guest may export, all of them optional:
//!
//! ```text
//! on_start()                        the peer comes into being
//! on_message(from: u64, kind: u32, content: u32, bytes: u32)
//! on_timer(tag: u32)                a timer has run out
//! on_connect(peer: u64, offered: u32)
//! on_disconnect(peer: u64)
//! on_offline()                      all connections are gone
//! on_online(afresh: u32)            it is back; afresh: this is a new instance
//! on_hello(from: u64) -> u32        0 refuses the connection that `from` offers
//! ```

#![allow(dead_code, unused_imports)]

use core::cell::{Cell, UnsafeCell};
use core::mem::{MaybeUninit, size_of, size_of_val};
use core::panic::PanicInfo;

mod host {
    use super::{Rumour, RumourId};

    #[link(wasm_import_module = "p2psim")]
    unsafe extern "C" {
        pub safe fn now() -> u64;
        pub safe fn id() -> u64;
        pub safe fn peers() -> u64;
        pub safe fn peer_type(id: u64) -> i32;
        pub safe fn is_bootstrap(id: u64) -> u32;
        pub safe fn is_connected(id: u64) -> u32;
        pub safe fn connect(id: u64) -> u32;
        pub safe fn disconnect(id: u64) -> u32;
        pub safe fn timer(tag: u32, after_ns: u64);
        pub safe fn random() -> f64;
        pub safe fn random_bits() -> u64;
        pub safe fn random_below(bound: u64) -> u64;
        pub safe fn integer(index: u32) -> u64;
        pub safe fn number(index: u32) -> f64;
        pub safe fn sample(index: u32) -> f64;
        pub safe fn forget(before: u64);
        pub fn type_name(id: u64, out: *mut u8, most: usize) -> i32;
        pub fn location_name(out: *mut u8, most: usize) -> i32;
        pub fn neighbours(out: *mut u64, most: usize) -> usize;
        pub fn send(
            to: u64,
            kind: u32,
            content: u32,
            at: *const u8,
            bytes: usize,
            size: i32,
        ) -> u32;
        pub fn broadcast(kind: u32, content: u32, at: *const u8, bytes: usize, size: i32) -> u32;
        pub fn gossip(
            kind: u32,
            content: u32,
            at: *const u8,
            bytes: usize,
            size: i32,
            fanout: u32,
            except: *const u64,
            excepted: usize,
        ) -> u32;
        pub fn read(out: *mut u8, offset: usize, most: usize) -> usize;
        pub fn list(index: u32, out: *mut u64, most: usize) -> usize;
        pub fn publish(bytes: u32, ttl: u32, out: *mut Rumour);
        pub fn deliver(rumour: *const Rumour) -> u32;
        pub fn holds(rumour: *const Rumour) -> u32;
        pub fn held(out: *mut Rumour, most: usize) -> usize;
        pub fn reject(rumour: *const Rumour);
        pub fn log(level: u32, text: *const u8, bytes: usize);
        pub fn count(name: *const u8, bytes: usize, n: i64);
        pub fn observe(name: *const u8, bytes: usize, value: f64) -> u32;
        pub fn fail(text: *const u8, bytes: usize) -> !;
    }

    // The layouts that p2psim writes and reads.
    const _: () = assert!(size_of::<Rumour>() == 32 && size_of::<RumourId>() == 16);
}

pub use host::{
    disconnect, forget, id, integer, now, number, peer_type, peers, random, random_below,
    random_bits, sample, timer,
};

/// What a message carries, as the number that `on_message` is given.
pub const BYTES: u32 = 0;
pub const RUMOUR: u32 = 1;
pub const RUMOURS: u32 = 2;
pub const PEERS: u32 = 3;
pub const RUMOUR_IDS: u32 = 4;

/// A message that is meant for everyone, as one copy carries it.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Rumour {
    /// The peer it comes from.
    pub origin: u64,
    /// When it was produced, in nanoseconds.
    pub produced: u64,
    /// Which of its origin's; the first is 1.
    pub counter: u32,
    /// Bytes of its payload.
    pub bytes: u32,
    /// Who has altered its payload: 0 for nobody.
    pub variant: u32,
    /// How often it may still be relayed.
    pub ttl: u16,
    /// How many links it has crossed.
    pub hops: u16,
}

/// The name of a rumour.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct RumourId {
    pub origin: u64,
    pub counter: u32,
    pub unused: u32,
}

/// What is sent.
pub enum Content<'a> {
    /// Any bytes.
    Bytes(&'a [u8]),
    /// A copy of a rumour; its hops and, if it was received, its ttl are counted on the way.
    Rumour(&'a Rumour),
    /// Several, in a message whose payload is declared as `rumours`.
    Rumours(&'a [Rumour]),
    /// Peers, in a message whose payload is declared as `peers`.
    Peers(&'a [u64]),
    /// Names of rumours, in a message whose payload is declared as `ids`.
    RumourIds(&'a [RumourId]),
}

impl Content<'_> {
    fn parts(&self) -> (u32, *const u8, usize) {
        match self {
            Content::Bytes(all) => (BYTES, all.as_ptr(), all.len()),
            Content::Rumour(one) => (RUMOUR, (&raw const **one).cast(), size_of::<Rumour>()),
            Content::Rumours(all) => (RUMOURS, all.as_ptr().cast(), size_of_val(*all)),
            Content::Peers(all) => (PEERS, all.as_ptr().cast(), size_of_val(*all)),
            Content::RumourIds(all) => (RUMOUR_IDS, all.as_ptr().cast(), size_of_val(*all)),
        }
    }
}

/// A message is as large as its content says: 24 B and the content, or 250 B and the payload.
pub const OF_CONTENT: i32 = -1;

/// Sends to a neighbour; false if it is none.
pub fn send(to: u64, kind: u32, content: Content) -> bool {
    send_sized(to, kind, content, OF_CONTENT)
}

/// As [`send`], with a size in bytes in all.
pub fn send_sized(to: u64, kind: u32, content: Content, size: i32) -> bool {
    let (content, at, bytes) = content.parts();
    // Safety: this and all calls below name memory that lives until they return.
    unsafe { host::send(to, kind, content, at, bytes, size) != 0 }
}

/// Sends to all neighbours; to how many.
pub fn broadcast(kind: u32, content: Content) -> u32 {
    let (content, at, bytes) = content.parts();
    unsafe { host::broadcast(kind, content, at, bytes, OF_CONTENT) }
}

/// Sends to up to `fanout` random neighbours other than `except` and bootstrap peers; to how many.
pub fn gossip(kind: u32, content: Content, fanout: u32, except: &[u64]) -> u32 {
    let (content, at, bytes) = content.parts();
    let (first, count) = (except.as_ptr(), except.len());
    unsafe { host::gossip(kind, content, at, bytes, OF_CONTENT, fanout, first, count) }
}

/// Types that any bytes are a value of, and whose values p2psim writes.
pub trait Record: Copy {}

impl Record for Rumour {}
impl Record for RumourId {}
impl Record for u64 {}
impl Record for u8 {}

/// The first record of what the message carries: of [`Rumour`]s, of peers (`u64`), of bytes.
pub fn read<T: Record>() -> T {
    let mut record = MaybeUninit::<T>::zeroed();
    unsafe {
        host::read(record.as_mut_ptr().cast(), 0, size_of::<T>());
        record.assume_init()
    }
}

/// The records of what the message carries from `first` on, as many as fit into `out`; how many.
pub fn read_all<T: Record>(first: usize, out: &mut [T]) -> usize {
    let (at, offset) = (out.as_mut_ptr().cast(), first * size_of::<T>());
    unsafe { host::read(at, offset, size_of_val(out)) / size_of::<T>() }
}

/// The ids of this peer's neighbours, as many as fit into `out`; how many there are.
pub fn neighbours(out: &mut [u64]) -> usize {
    unsafe { host::neighbours(out.as_mut_ptr(), out.len()) }
}

/// The name of a peer's type in `out`, cut to what fits; `None` if there is no such peer.
pub fn type_name(id: u64, out: &mut [u8]) -> Option<&[u8]> {
    let bytes = unsafe { host::type_name(id, out.as_mut_ptr(), out.len()) };
    let shown = usize::try_from(bytes).ok()?.min(out.len());
    Some(&out[..shown])
}

/// The name of this peer's location in `out`, cut to what fits.
pub fn location_name(out: &mut [u8]) -> &[u8] {
    let bytes = unsafe { host::location_name(out.as_mut_ptr(), out.len()) };
    let shown = (bytes as usize).min(out.len());
    &out[..shown]
}

/// Offers a peer a connection; false if there is no such peer.
pub fn connect(peer: u64) -> bool {
    host::connect(peer) != 0
}

pub fn is_connected(peer: u64) -> bool {
    host::is_connected(peer) != 0
}

pub fn is_bootstrap(peer: u64) -> bool {
    host::is_bootstrap(peer) != 0
}

/// The ids of a parameter of type `peers`, or the types of one of type `types`, as many as fit
/// into `out`; how many there are.
pub fn list(index: u32, out: &mut [u64]) -> usize {
    unsafe { host::list(index, out.as_mut_ptr(), out.len()) }
}

/// Makes a rumour of this peer's own, which it then holds.
pub fn publish(bytes: u32, ttl: u16) -> Rumour {
    let mut rumour = MaybeUninit::<Rumour>::zeroed();
    unsafe {
        host::publish(bytes, ttl.into(), rumour.as_mut_ptr());
        rumour.assume_init()
    }
}

/// Takes in a copy of a rumour: it counts in coverage and deliveries. True at the first receipt.
pub fn deliver(rumour: &Rumour) -> bool {
    unsafe { host::deliver(rumour) != 0 }
}

pub fn holds(rumour: &Rumour) -> bool {
    unsafe { host::holds(rumour) != 0 }
}

/// The rumours that this peer holds, as many as fit into `out`; how many there are.
pub fn held(out: &mut [Rumour]) -> usize {
    unsafe { host::held(out.as_mut_ptr(), out.len()) }
}

/// Counts a copy that is not taken in, since its payload was altered.
pub fn reject(rumour: &Rumour) {
    unsafe { host::reject(rumour) }
}

/// How much a line of the log matters.
#[derive(Clone, Copy)]
pub enum Level {
    Info = 0,
    Warning = 1,
    Error = 2,
}

/// Writes a line into this peer's log.
pub fn log(level: Level, text: &str) {
    unsafe { host::log(level as u32, text.as_ptr(), text.len()) }
}

/// Counts `n` more of something, for `counts.csv`.
pub fn count(name: &str, n: i64) {
    unsafe { host::count(name.as_ptr(), name.len(), n) }
}

/// Writes down a measurement, for `observations.csv`.
pub fn observe(name: &str, value: f64) -> bool {
    unsafe { host::observe(name.as_ptr(), name.len(), value) != 0 }
}

/// Ends the run: there is no way to go on.
pub fn fail(text: &str) -> ! {
    unsafe { host::fail(text.as_ptr(), text.len()) }
}

/// A peer's state: `static STATE: State<u32> = State::new(0);`. Each peer has its own.
pub struct State<T> {
    is_lent: Cell<bool>,
    value: UnsafeCell<T>,
}

// Safety: a guest has one thread.
unsafe impl<T> Sync for State<T> {}

impl<T> State<T> {
    pub const fn new(value: T) -> Self {
        State {
            is_lent: Cell::new(false),
            value: UnsafeCell::new(value),
        }
    }

    /// Lets `change` read and change the state; the run ends if it does so again within.
    pub fn with<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        if self.is_lent.replace(true) {
            fail("a state is used within its own `with`");
        }
        // Safety: nobody else has it until it is given back; a panic does not come back here.
        let result = unsafe { change(&mut *self.value.get()) };
        self.is_lent.set(false);
        result
    }
}

/// Puts a JSON file into the section in which p2psim looks for parameters and messages.
macro_rules! declare {
    ($path:literal) => {
        #[used]
        #[unsafe(link_section = "p2psim")]
        static DECLARATION: [u8; include_bytes!($path).len()] = *include_bytes!($path);
    };
}
pub(crate) use declare;

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    match info.location() {
        Some(place) => {
            // `src/lib.rs:30`, without core::fmt, which is larger than most guests.
            let mut text = [0; 64];
            let file = place.file().as_bytes();
            let shown = file.len().min(50);
            text[..shown].copy_from_slice(&file[file.len() - shown..]);
            text[shown] = b':';
            let mut end = shown + 1;
            let mut unit = 10_u32.pow(place.line().max(1).ilog10());
            while unit > 0 {
                text[end] = b'0' + (place.line() / unit % 10) as u8;
                end += 1;
                unit /= 10;
            }
            unsafe { host::fail(text.as_ptr(), end) }
        }
        None => fail("a panic"),
    }
}
