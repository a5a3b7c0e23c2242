//! Graph generators under networkx's names and argument order.

use std::fmt;

use super::Graph;
use crate::expression::{Expression, ExpressionError};

/// A generator with checked arguments: can be made into a graph for any seed.
#[derive(Clone, Debug)]
pub struct Generator {}

/// Why a generator made no graph.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct GenerateError(pub String);

impl Generator {
    /// Checks a call such as `erdos_renyi_graph(10, 0.5)`.
    ///
    /// # Errors
    /// An unknown generator, missing or superfluous arguments, a probability outside 0..1, a
    /// graph that cannot exist, more peers than [`crate::peer::PeerIndex::LIMIT`].
    pub fn from_expression(_expression: &Expression) -> Result<Self, Vec<ExpressionError>> {
        todo!("helper B")
    }

    /// How many peers the graph will have.
    pub fn peers(&self) -> u64 {
        todo!("helper B")
    }

    /// How many links the graph has on average (exact where it is fixed).
    pub fn expected_links(&self) -> f64 {
        todo!("helper B")
    }

    /// Makes the graph; the same seed gives the same graph.
    ///
    /// # Errors
    /// Where a random construction did not succeed within its bounded tries.
    pub fn generate(&self, _seed: u64) -> Result<Graph, GenerateError> {
        todo!("helper B")
    }
}

/// The canonical call.
impl fmt::Display for Generator {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!("helper B")
    }
}
