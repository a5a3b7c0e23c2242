//! `p2psim init`: a commented scenario to start from, or a commented script.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Failure, is_stdout, print};
use crate::services::scripts;

/// The scenario it writes.
const STARTER: &str = include_str!("starter.yaml");

/// Write a commented scenario to start from, or a service in Luau
#[derive(Args)]
#[command(
    after_help = "Example:\n  p2psim init my.yaml && p2psim run my.yaml\n  \
                  p2psim init --service my.luau && p2psim list services my.luau"
)]
pub(super) struct InitArgs {
    /// The file to write; `-` writes to the terminal
    #[arg(default_value = "scenario.yaml", conflicts_with = "service")]
    file: PathBuf,
    /// Write a script instead, a service to start from: a file that ends in .luau, or `-`
    #[arg(long, value_name = "FILE")]
    service: Option<PathBuf>,
}

pub(super) fn init(args: &InitArgs) -> Result<(), Failure> {
    let Some(script) = &args.service else {
        let shown = args.file.display();
        let next = format!("run it with: p2psim run {shown}");
        return write(&args.file, STARTER, &next, "p2psim init FILE");
    };
    let name = script.file_name().unwrap_or_default().to_string_lossy();
    if !is_stdout(script) && !name.ends_with(".luau") {
        return Err(Failure::Usage(format!(
            "{} does not end in .luau, by which a scenario knows scripts\n  name the file so: \
             p2psim init --service my.luau",
            script.display()
        )));
    }
    let text = scripts::TEMPLATE.replace("NAME", &name);
    let shown = script.display();
    let next = format!("see what it can be told with: p2psim list services {shown}");
    write(script, &text, &next, "p2psim init --service FILE")
}

/// Writes a new file, or to the terminal, and says what to do `next`.
fn write(path: &Path, text: &str, next: &str, cure: &str) -> Result<(), Failure> {
    if is_stdout(path) {
        return print(text);
    }
    let shown = path.display();
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Failure::Usage(format!(
                "{shown} exists already\n  name another file: {cure}"
            )),
            _ => Failure::Failed(format!("cannot write {shown}: {error}")),
        })?;
    file.write_all(text.as_bytes())
        .map_err(|error| Failure::Failed(format!("cannot write {shown}: {error}")))?;
    print(&format!("wrote {shown}; {next}\n"))
}
