//! The network between peers: latency by location, and link queues by bandwidth.

mod latency;
mod link;

pub use latency::{LatencyMeaning, LatencyTable};
pub use link::{Link, LinkMode};
