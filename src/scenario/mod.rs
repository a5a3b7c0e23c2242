//! Scenario files: YAML in, a checked plan out; every problem with its place.

mod diagnostics;
mod node;
mod source;
mod words;
