//! Services written in Luau.
