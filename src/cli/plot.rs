//! `p2psim plot`: one chart of finished runs, as a picture or in the terminal.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::report::past_runs;
use super::{Failure, is_stdout, machine, output, print};
use crate::report::sample::PictureFormat;
use crate::report::{Plot, PlotError, Subject};
use crate::services::Registry;

/// Draw one chart of finished runs, for a paper or in the terminal
#[derive(Args)]
#[command(
    after_help = "Example:\n  p2psim plot runs/gossip-1 --what coverage\n  \
                  p2psim plot runs/gossip-1 runs/gossip-2 --what delays -o delays.svg"
)]
pub(super) struct PlotArgs {
    /// The folders of runs
    #[arg(value_name = "RUN_FOLDER", required = true)]
    folders: Vec<PathBuf>,
    /// What to draw
    #[arg(long, value_enum)]
    what: What,
    /// Draw into this .svg or .png file instead of the terminal, which `-` stands for
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// The share of peers that have a message as it ages
    Coverage,
    /// The distribution of delays until first receipt
    Delays,
    /// How many copies of a message peers get
    Copies,
    /// How many peers have how many connections
    Degrees,
    /// What peers send over time, by type and location
    Load,
    /// Peers online over time
    Online,
    /// Connections over time
    Connections,
    /// Latencies by pair of locations, and their laws
    Latencies,
    /// Messages that did not arrive, by cause
    Drops,
    /// What became of connections
    Events,
    /// Peers and their connections at the end
    Topology,
    /// What services of one's own observed, by name
    Observations,
}

impl What {
    fn subject(self) -> Subject {
        match self {
            What::Coverage => Subject::Coverage,
            What::Delays => Subject::Delays,
            What::Copies => Subject::Copies,
            What::Degrees => Subject::Degrees,
            What::Load => Subject::Load,
            What::Online => Subject::Online,
            What::Connections => Subject::Connections,
            What::Latencies => Subject::Latencies,
            What::Drops => Subject::Drops,
            What::Events => Subject::Events,
            What::Topology => Subject::Topology,
            What::Observations => Subject::Observations,
        }
    }
}

pub(super) fn plot(args: &PlotArgs, registry: &Registry) -> Result<(), Failure> {
    let file = args.output.as_deref().filter(|path| !is_stdout(path));
    let format = file.map(picture_format).transpose()?;
    let runs = past_runs(&args.folders, registry)?;
    let plot = Plot::of(runs, args.what.subject())?;
    match (file, format) {
        (Some(path), Some(format)) => {
            let bytes = plot.picture(format)?;
            let mut out = output(args.output.as_ref())?;
            out.write_all(&bytes)?;
            out.flush()?;
            print(&format!("wrote {}\n", path.display()))
        }
        _ => print(&plot.text(machine::columns(), colour())?),
    }
}

/// Whether charts are coloured: on a terminal, unless NO_COLOR says otherwise.
fn colour() -> bool {
    let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::stdout().is_terminal() && !forbidden
}

fn picture_format(path: &Path) -> Result<PictureFormat, Failure> {
    let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
    match ending.to_str() {
        Some("svg") => Ok(PictureFormat::Svg),
        Some("png") => Ok(PictureFormat::Png),
        _ => Err(Failure::Usage(format!(
            "-o {}: pictures are SVG or PNG\n  give the file the ending .svg or .png",
            path.display()
        ))),
    }
}

impl From<PlotError> for Failure {
    fn from(error: PlotError) -> Self {
        Failure::Usage(error.to_string())
    }
}
