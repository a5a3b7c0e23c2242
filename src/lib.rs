//! A simulator of peer-to-peer networks: a YAML scenario in, logs, counts and a topology out.
//!
//! The modules are the layers; each uses only those below it (`tests/architecture.rs`):
//!
//! - [`cli`]: the command line, the only place that prints, reads flags, or exits;
//! - [`scenario`]: YAML to a checked [`simulation::Plan`]; [`report`]: what a run leaves behind;
//! - [`simulation`]: a plan becomes a network, runs, and is asked for its figures;
//! - [`services`]: the protocols that peers run;
//! - [`engine`]: time, the order of events, the queue, connections, and the
//!   [`engine::Service`] interface;
//! - [`network`], [`topology`], [`record`]: latency and links; graphs; logs and counts;
//! - [`distribution`]: scipy's laws; [`random`], [`expression`]: streams; the language of calls;
//! - [`message`], [`time`], [`peer`], [`units`]: the words all others use; `memory`: reading ahead.
//!
//! ```
//! use std::path::Path;
//! use std::sync::atomic::AtomicBool;
//! use p2psim::scenario::{LoadOptions, parse};
//! use p2psim::simulation::Simulation;
//!
//! let text = "
//! horizon: 5 s
//! latencies: {Here: {Here: 'norm(12, 2)'}}
//! peer_types:
//!   peer: {location: Here, bandwidth_ul: 10 Mbit, bandwidth_dl: 10 Mbit, services: [BaseConnectionManager]}
//! topology: {graph: 'cycle_graph(10)'}
//! ";
//! let scenario = parse(text, "ring", Path::new("."), &LoadOptions::default()).unwrap();
//! let mut simulation = Simulation::new(&scenario.plan, None).unwrap();
//! let outcome = simulation.run(&AtomicBool::new(false), |_progress| {}).unwrap();
//! assert_eq!(simulation.links(false).count(), 10);
//! assert_eq!(outcome.total().dropped(), 0);
//! ```

pub mod cli;
pub mod distribution;
pub mod engine;
pub mod expression;
mod memory;
pub mod message;
pub mod network;
pub mod peer;
pub mod random;
pub mod record;
pub mod report;
pub mod scenario;
pub mod services;
pub mod simulation;
pub mod time;
pub mod topology;
pub mod units;

/// What a service of one's own needs; see `examples/heartbeat.rs`.
pub mod prelude {
    pub use crate::engine::{Context, Service};
    pub use crate::message::{HEADER_BYTES, Message, MessageType, Payload};
    pub use crate::peer::PeerIndex;
    pub use crate::record::LogLevel;
    pub use crate::services::{
        MessageSpec, ParameterKind, ParameterSpec, Registry, ServiceSpec, ServiceState,
    };
    pub use crate::time::Time;
}
