//! The `p2psim` program.

use std::process::ExitCode;

/// Asks for large pages, among which the processor finds a large network's memory at once.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    p2psim::cli::main()
}
