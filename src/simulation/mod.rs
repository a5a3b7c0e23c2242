//! A run: a plan in, a finished network and its figures out.

mod plan;

pub use plan::{
    GraphSource, PeerType, Plan, Population, ServicePlan, TypeAssignment,
};
