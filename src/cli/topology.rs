//! `p2psim topology`: the graph a scenario starts with, or the one a run ended with.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Failure, Overrides, load, output};
use crate::report::{Exported, GraphFormat};
use crate::services::Registry;
use crate::simulation::Setup;

/// Export the initial graph of a scenario, or the final one of a run
#[derive(Args)]
#[command(
    after_help = "Example:\n  p2psim topology runs/erdos-renyi-1 --format dot | dot -Tsvg > final.svg"
)]
pub(super) struct TopologyArgs {
    /// A scenario file, or the folder of a run
    #[arg(value_name = "SCENARIO|RUN_FOLDER")]
    source: PathBuf,
    /// What to write
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
    /// Write to this file instead of the terminal
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    overrides: Overrides,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// One link a row: source, target, bandwidth_bit_per_s, since_ms
    Csv,
    /// Graphviz, with type, location and online state of each peer
    Dot,
}

pub(super) fn topology(args: &TopologyArgs, registry: Registry) -> Result<(), Failure> {
    let overrides = args.overrides.all()?;
    let exported = if args.source.is_dir() {
        if !overrides.is_empty() {
            return Err(Failure::Usage(
                "--set and --seed change a scenario; the folder of a run is as it is\n  \
                 run the scenario again with them"
                    .into(),
            ));
        }
        Exported::read(&args.source).map_err(|error| Failure::Usage(error.to_string()))?
    } else {
        let scenario = load(&args.source, overrides, registry)?;
        Exported::initial(&Setup::new(&scenario.plan)?, &scenario.plan.locations)
    };
    let format = match args.format {
        Format::Csv => GraphFormat::Csv,
        Format::Dot => GraphFormat::Dot,
    };
    let mut out = output(args.output.as_ref())?;
    exported.write(format, &mut out)?;
    out.flush()?;
    Ok(())
}
