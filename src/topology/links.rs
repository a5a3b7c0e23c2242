//! Link lists in files: `a b` a line (edge list) or CSV, with comments and any usual separator.

use super::{Dropped, Graph};

/// What is wrong with a link list, and where.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct LinksError {
    /// The line, from 1.
    pub line: u64,
    /// The problem, in one line.
    pub message: String,
}

/// Reads a graph from the bytes of a link list.
///
/// # Errors
/// The first few lines that are no link, or a file without any.
pub fn read(_bytes: &[u8]) -> Result<(Graph, Dropped), Vec<LinksError>> {
    todo!("helper B")
}
