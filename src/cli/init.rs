//! `p2psim init`: a commented scenario to start from.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use super::{Failure, is_stdout, print};

/// The scenario it writes.
const STARTER: &str = include_str!("starter.yaml");

/// Write a commented scenario to start from
#[derive(Args)]
#[command(after_help = "Example:\n  p2psim init my.yaml && p2psim run my.yaml")]
pub(super) struct InitArgs {
    /// The file to write; `-` writes to the terminal
    #[arg(default_value = "scenario.yaml")]
    file: PathBuf,
}

pub(super) fn init(args: &InitArgs) -> Result<(), Failure> {
    if is_stdout(&args.file) {
        return print(STARTER);
    }
    let shown = args.file.display();
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&args.file)
        .map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Failure::Usage(format!(
                "{shown} exists already\n  name another file: p2psim init FILE"
            )),
            _ => Failure::Failed(format!("cannot write {shown}: {error}")),
        })?;
    file.write_all(STARTER.as_bytes())
        .map_err(|error| Failure::Failed(format!("cannot write {shown}: {error}")))?;
    print(&format!("wrote {shown}; run it with: p2psim run {shown}\n"))
}
