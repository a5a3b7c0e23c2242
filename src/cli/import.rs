//! `p2psim import`: scenarios from what other simulators have saved.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Failure, colour, complain, is_stdout, print};
use crate::scenario::import_p2psimpy;
use crate::services::Registry;

/// Make a scenario of an experiment that p2psimpy has saved
///
/// Reads locations.yaml, topology.yaml and services.yaml, as p2psimpy's save_experiment writes
/// them. Python objects in them are read as data; nothing is run.
#[derive(Args)]
#[command(after_help = "Example:\n  p2psim import p2psimpy expr -o my.yaml && p2psim run my.yaml")]
pub(super) struct ImportArgs {
    /// What has saved it
    #[arg(value_enum)]
    from: From,
    /// The folder it was saved to
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Write to this new file instead of the terminal, which `-` stands for
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// When runs end, as a scenario's horizon: p2psimpy does not save it
    #[arg(
        long,
        value_name = "TIME",
        default_value = "10 s",
        allow_hyphen_values = true
    )]
    horizon: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum From {
    /// p2psimpy 0.1
    P2psimpy,
}

pub(super) fn import(args: &ImportArgs, registry: &Registry) -> Result<(), Failure> {
    let From::P2psimpy = args.from;
    let imported = import_p2psimpy(&args.folder, &args.horizon, registry)
        .map_err(|error| Failure::Scenario(error.render(colour())))?;
    let file = args.output.as_deref().filter(|path| !is_stdout(path));
    let Some(path) = file else {
        print(&imported.scenario)?;
        return Ok(());
    };
    let shown = path.display();
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Failure::Usage(format!(
                "{shown} exists already\n  name another file with -o"
            )),
            _ => Failure::Failed(format!("cannot write {shown}: {error}")),
        })?;
    file.write_all(imported.scenario.as_bytes())
        .map_err(|error| Failure::Failed(format!("cannot write {shown}: {error}")))?;
    for note in &imported.notes {
        complain(&format!("note: {note}\n"));
    }
    print(&format!("wrote {shown}; run it with: p2psim run {shown}\n"))
}
