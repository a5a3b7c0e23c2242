//! A simulator of peer-to-peer networks.

pub mod cli;
pub mod distribution;
pub mod engine;
pub mod expression;
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
