//! `p2psim report`: finished runs as one page.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Failure, is_stdout, output, print};
use crate::report::{PastRun, ReadError, Report};
use crate::scenario::{self, LoadOptions};
use crate::services::Registry;
use crate::units::show_bytes;

/// Where a report goes unless the user says.
const DEFAULT: &str = "report.html";

/// Show finished runs as one HTML page with charts: of several, overlaid and with their differences
///
/// The page holds everything it needs: it opens in a browser without a network.
#[derive(Args)]
#[command(after_help = "Example:\n  p2psim report runs/gossip-1\n  \
                  p2psim report runs/gossip-1 runs/gossip-2 -o two.html")]
pub(super) struct ReportArgs {
    /// The folders of runs
    #[arg(value_name = "RUN_FOLDER", required = true)]
    folders: Vec<PathBuf>,
    /// Write to this file; `-` stands for the terminal [default: report.html]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn report(args: &ReportArgs, registry: &Registry) -> Result<(), Failure> {
    let path = args.output.clone().unwrap_or_else(|| DEFAULT.into());
    // Only what the user names is replaced whatever it is.
    if args.output.is_none() && path.exists() && !Report::is_at(&path) {
        return Err(Failure::Usage(format!(
            "{DEFAULT} exists and is no report of p2psim\n  name another file with -o"
        )));
    }
    let page = Report::of(past_runs(&args.folders, registry)?)?.html();
    let mut out = output(Some(&path))?;
    out.write_all(page.as_bytes())?;
    out.flush()?;
    if is_stdout(&path) {
        return Ok(());
    }
    let size = show_bytes(page.len() as u64);
    print(&format!("wrote {} ({size})\n", path.display()))
}

/// Reads the runs' folders, and the scenarios in them as far as they can be read.
pub(super) fn past_runs(folders: &[PathBuf], registry: &Registry) -> Result<Vec<PastRun>, Failure> {
    let mut runs = Vec::with_capacity(folders.len());
    for folder in folders {
        let plan = plan(folder, registry);
        runs.push(PastRun::read(folder, plan)?);
    }
    Ok(runs)
}

/// What the scenario in a run's folder means. One that cannot be read is no failure: what needs
/// it says so.
fn plan(folder: &Path, registry: &Registry) -> Option<crate::simulation::Plan> {
    let options = LoadOptions {
        registry: registry.clone(),
        ..LoadOptions::default()
    };
    let scenario = scenario::load(&folder.join("scenario.yaml"), &options);
    scenario.ok().map(|scenario| scenario.plan)
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Failure::Usage(error.to_string())
    }
}
