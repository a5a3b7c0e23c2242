//! Push gossip in WebAssembly: does what p2psim's own GossipService does.

#![no_std]

mod p2psim;

use p2psim::{Content, Rumour};

// What p2psim is told of the service: parameters and messages, which go by their places in it.
p2psim::declare!("p2psim.json");
const FANOUT: u32 = 0;
const REMEMBER: u32 = 1;
const GOSSIP_MESSAGE: u32 = 0;

/// A message has arrived.
#[unsafe(no_mangle)]
pub extern "C" fn on_message(from: u64, _kind: u32, content: u32, _bytes: u32) {
    if content != p2psim::RUMOUR {
        return;
    }
    let rumour = p2psim::read::<Rumour>();
    let oldest = p2psim::now().saturating_sub(p2psim::integer(REMEMBER));
    if rumour.produced < oldest {
        return;
    }
    let is_new = p2psim::deliver(&rumour);
    if is_new {
        p2psim::forget(oldest);
    }
    if is_new && rumour.ttl > 0 {
        let fanout = p2psim::integer(FANOUT) as u32;
        p2psim::gossip(GOSSIP_MESSAGE, Content::Rumour(&rumour), fanout, &[from]);
    }
}
