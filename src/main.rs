//! The `p2psim` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    p2psim::cli::main()
}
