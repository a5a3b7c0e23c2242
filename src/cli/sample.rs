//! `p2psim sample`: draws from a scenario's laws, or from one written on the command line.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::{Failure, Overrides, colour, load, machine, output};
use crate::distribution::Distribution;
use crate::report::sample::{
    PictureFormat, RowFormat, Subject, histogram, picture, select, statistics, write_rows,
};
use crate::scenario::{expression_error, read_measured};
use crate::services::Registry;
use crate::units::Dimension;

/// How many draws a figure is made of unless the user says.
const FIGURE_COUNT: u64 = 1000;
/// The seed of an expression's draws unless the user says.
const EXPRESSION_SEED: u64 = 1;

/// Draw from a scenario's distributions, or from one: numbers, statistics, histograms
///
/// One draw is shown as it is; more are shown as their statistics, an expression's with a
/// histogram.
#[derive(Args)]
#[command(
    after_help = "Example:\n  p2psim sample scenarios/aws.yaml --histogram\n  \
                  p2psim sample scenarios/aws.yaml --what latencies --count 1000 --format csv\n  \
                  p2psim sample \"gamma(1, 1, 1)\" --count 10000"
)]
pub(super) struct SampleArgs {
    /// A scenario file; or a distribution, in ms: "norm(12, 2)"
    #[arg(value_name = "SCENARIO|EXPRESSION", allow_negative_numbers = true)]
    source: PathBuf,
    /// How many times to draw [default: 1; for a figure 1000]
    #[arg(long, value_name = "N", allow_negative_numbers = true,
        value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// What to draw: latencies, peers, or a key of the scenario, e.g. latencies.LocA.LocB,
    /// peer_types.basic.bandwidth_ul, topology.join [default: latencies and peers]
    #[arg(long, value_name = "PATH")]
    what: Option<String>,
    /// Show histograms: of latencies, a row of panels from each location
    #[arg(long)]
    histogram: bool,
    /// Draw the histograms as a picture into this .svg or .png file
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    #[command(flatten)]
    overrides: Overrides,
    /// How to write the draws
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// A row a draw; see docs/outputs.md for the columns
    Csv,
    /// A list of draws
    Json,
}

pub(super) fn sample(args: &SampleArgs, registry: Registry) -> Result<(), Failure> {
    let figure = args.histogram || args.plot.is_some();
    let rows = match args.format {
        Format::Table => None,
        Format::Csv => Some(RowFormat::Csv),
        Format::Json => Some(RowFormat::Json),
    };
    if figure && rows.is_some() {
        return Err(Failure::Usage(
            "--histogram and --plot show draws, --format csv and json list them\n  \
             ask for one at a time"
                .into(),
        ));
    }
    let picture_format = args.plot.as_deref().map(picture_format).transpose()?;
    let count = args.count.unwrap_or(if figure { FIGURE_COUNT } else { 1 });
    let scenario;
    let subject = match expression(args)? {
        Some(subject) => subject,
        None => {
            scenario = load(&args.source, args.overrides.all()?, registry).map_err(hint(args))?;
            select(&scenario.plan, args.what.as_deref())
                .map_err(|error| Failure::Usage(error.to_string()))?
        }
    };
    let mut out = output(None)?;
    match rows {
        Some(format) => write_rows(&subject, count, format, &mut out)?,
        None if args.histogram => histogram(&subject, count, machine::columns(), &mut out)?,
        None => statistics(&subject, count, machine::columns(), &mut out)?,
    }
    if let (Some(path), Some(format)) = (&args.plot, picture_format) {
        let bytes = picture(&subject, count, format)?;
        output(Some(path))?.write_all(&bytes)?;
        writeln!(out, "\nwrote {}", path.display())?;
    }
    out.flush()?;
    Ok(())
}

/// The law, where the argument is one: there is no such file, and it looks like an expression.
fn expression(args: &SampleArgs) -> Result<Option<Subject<'static>>, Failure> {
    let Some(text) = args.source.to_str() else {
        return Ok(None);
    };
    let begins_like_number = text
        .trim_start_matches(['-', '+', '.', ' '])
        .starts_with(|c: char| c.is_ascii_digit());
    let number = begins_like_number && crate::expression::parse(text).is_ok();
    if args.source.exists() || !(text.contains('(') || number) {
        return Ok(None);
    }
    if args.what.is_some() || !args.overrides.set.is_empty() {
        return Err(Failure::Usage(
            "--what and --set need a scenario; this is an expression\n  \
             leave them out, or name a scenario file"
                .into(),
        ));
    }
    let seed = match &args.overrides.seed {
        None => EXPRESSION_SEED,
        Some(seed) => seed.parse().map_err(|_| {
            Failure::Usage(format!(
                "--seed {seed} cannot be used\n  it is a whole number from 0 to 2^64 - 1"
            ))
        })?,
    };
    let mut read = |path: &str, column: Option<&str>| read_measured(Path::new(path), column);
    let law = crate::expression::parse(text)
        .map_err(|error| vec![error])
        .and_then(|parsed| Distribution::from_expression(&parsed, Dimension::Time, &mut read));
    match law {
        Ok(law) => Ok(Some(Subject::expression(law, seed))),
        Err(errors) => {
            let shown = expression_error(text, errors).render(colour());
            Err(Failure::Scenario(shown))
        }
    }
}

/// Adds to the complaint about a missing file what else would do.
fn hint(args: &SampleArgs) -> impl Fn(Failure) -> Failure {
    let missing = !args.source.exists();
    move |failure| match failure {
        Failure::Scenario(text) if missing => Failure::Scenario(format!(
            "{text}  a distribution also works: p2psim sample \"norm(12, 2)\"\n"
        )),
        other => other,
    }
}

fn picture_format(path: &Path) -> Result<PictureFormat, Failure> {
    let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
    match ending.to_str() {
        Some("svg") => Ok(PictureFormat::Svg),
        Some("png") => Ok(PictureFormat::Png),
        _ => Err(Failure::Usage(format!(
            "--plot {}: pictures are SVG or PNG\n  give the file the ending .svg or .png",
            path.display()
        ))),
    }
}
