//! The network between peers: latency by location, and link queues by bandwidth.

mod latency;
mod link;
mod link_latency;

pub use latency::{LatencyMeaning, LatencyTable};
pub use link::{Link, LinkMode};
pub use link_latency::LinkLatencies;
