//! Everything written down during a run, with bounded memory: peers' logs and message counts.

mod logs;
mod options;

pub use options::{LogLevel, LogOptions, LogSelection};
