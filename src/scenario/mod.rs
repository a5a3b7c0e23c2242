//! Scenario files: YAML in, a checked plan out; every problem with its place.
