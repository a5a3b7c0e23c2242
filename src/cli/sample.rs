//! `p2psim sample`: draws from a scenario's laws, to see what they give.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Failure, Overrides, load, output};
use crate::report::{Sample, SampleFormat};
use crate::services::Registry;

/// Draw latencies between the locations and peers of each type
#[derive(Args)]
#[command(after_help = "Example:\n  p2psim sample scenarios/aws.yaml --count 1000 --format csv")]
pub(super) struct SampleArgs {
    /// The scenario file
    scenario: PathBuf,
    /// How many times to draw
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,
    #[command(flatten)]
    overrides: Overrides,
    /// How to write the draws
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// One value a row: draw, kind, name, attribute, value
    Csv,
    /// A list of draws
    Json,
}

pub(super) fn sample(args: &SampleArgs, registry: Registry) -> Result<(), Failure> {
    let scenario = load(&args.scenario, args.overrides.all()?, registry)?;
    let format = match args.format {
        Format::Table => SampleFormat::Table,
        Format::Csv => SampleFormat::Csv,
        Format::Json => SampleFormat::Json,
    };
    let mut out = output(None)?;
    Sample::write(&scenario.plan, args.count, format, &mut out)?;
    out.flush()?;
    Ok(())
}
