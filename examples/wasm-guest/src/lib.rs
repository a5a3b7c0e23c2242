//! Push gossip in WebAssembly: does what p2psim's own GossipService does.

#![no_std]

mod p2psim;

use p2psim::{Content, Rumour, State};

// What p2psim is told of the service: parameters and messages, which go by their places in it.
p2psim::declare!("p2psim.json");
const FANOUT: u32 = 0;
const REMEMBER: u32 = 1;
const GOSSIP_MESSAGE: u32 = 0;

/// What the scenario says, read once.
struct Settings {
    fanout: u32,
    remember: u64,
}

static SETTINGS: State<Settings> = State::new(Settings {
    fanout: 0,
    remember: 0,
});

/// The peer comes into being.
#[unsafe(no_mangle)]
pub extern "C" fn on_start() {
    SETTINGS.with(|settings| {
        settings.fanout = p2psim::integer(FANOUT) as u32;
        settings.remember = p2psim::integer(REMEMBER);
    });
}

/// A message has arrived.
#[unsafe(no_mangle)]
pub extern "C" fn on_message(from: u64, _kind: u32, content: u32, _bytes: u32) {
    if content != p2psim::RUMOUR {
        return;
    }
    let rumour = p2psim::read::<Rumour>();
    let (fanout, remember) = SETTINGS.with(|settings| (settings.fanout, settings.remember));
    let oldest = p2psim::now().saturating_sub(remember);
    if rumour.produced < oldest {
        return;
    }
    let is_new = p2psim::deliver(&rumour);
    if is_new {
        p2psim::forget(oldest);
    }
    if is_new && rumour.ttl > 0 {
        p2psim::gossip(GOSSIP_MESSAGE, Content::Rumour(&rumour), fanout, &[from]);
    }
}
