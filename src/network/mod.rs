//! The network between peers: latency by location, link queues by bandwidth, and what happens to
//! messages on their way: loss, duplication, partitions.

mod conditions;
mod latency;
mod link;
mod link_latency;
mod loss;
mod partition;

pub use conditions::{Conditions, Replica, SenderConditions};
pub use latency::{LatencyMeaning, LatencyTable};
pub use link::{Link, LinkMode};
pub use link_latency::LinkLatencies;
pub use loss::{GilbertElliott, Loss, LossState, LossTable};
pub use partition::{Partition, Partitions, UNGROUPED};
