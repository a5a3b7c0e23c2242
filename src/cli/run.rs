//! `p2psim run`: runs a scenario and writes its folder.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use clap::Args;
use signal_hook::flag::{register, register_conditional_shutdown};

use super::progress::{Display, RunProgress};
use super::{
    Failure, INTERRUPTED, Overrides, TextFormat, complain, is_stdout, load, machine, print,
};
use crate::record::LogSelection;
use crate::report::{
    FolderError, RunFolder, RunName, Snapshots, Timing, show_summary, write_outputs,
};
use crate::scenario::Override;
use crate::services::Registry;
use crate::simulation::{Ending, SetupError, Simulation, worthwhile_shards};

/// From so many peers on large pages are of use (docs/performance.md).
const LARGE_PAGES_PEERS: u64 = 10_000;

/// Run a scenario: logs, peers, messages, topology and a summary go to a new folder
#[derive(Args)]
#[command(
    after_help = "Example:\n  p2psim run scenarios/erdos-renyi.yaml --seed 7 --until 10s --out runs/try"
)]
pub(super) struct RunArgs {
    /// The scenario file
    scenario: PathBuf,
    /// End the run at this simulated time (ms, or with a unit: 10s) instead of the horizon
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    until: Option<String>,
    #[command(flatten)]
    overrides: Overrides,
    /// Write to this folder [default: runs/<scenario>-<seed>]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace the folder of an earlier run
    #[arg(long)]
    force: bool,
    /// Whose logs to keep: all, none, or ids and types, e.g. 1,2,client
    #[arg(long, value_name = "WHOSE", allow_negative_numbers = true)]
    logs: Option<String>,
    /// Write the topology each time so much time has been simulated (ms, or with a unit: 1s)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    snapshots: Option<String>,
    /// Use at most so many threads [default: all cores]; the results are the same, and a network
    /// too small to gain has one
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Write wall-clock figures to this file, as JSON; `-` is the terminal
    #[arg(long, value_name = "FILE")]
    timing: Option<PathBuf>,
    /// How to print the summary; json is that of summary.json
    #[arg(long, value_enum)]
    format: Option<TextFormat>,
    /// Print neither progress nor, unless --format asks for it, the summary
    #[arg(long, short)]
    quiet: bool,
    /// Tell progress as JSON, one object a line on stderr each second and at the end
    #[arg(long)]
    json_progress: bool,
}

pub(super) fn run(args: &RunArgs, registry: Registry) -> Result<(), Failure> {
    let small_pages = machine::SmallPages::ask();
    let mut overrides = args.overrides.all()?;
    if let Some(until) = &args.until {
        overrides.push(Override::flag("--until", "horizon", until));
    }
    if let Some(every) = &args.snapshots {
        overrides.push(Override::flag("--snapshots", "output.snapshots", every));
    }
    if let Some(logs) = &args.logs {
        let value = match logs.as_str() {
            "all" | "none" => logs.clone(),
            list => format!("[{list}]"),
        };
        overrides.push(Override::flag("--logs", "output.logs", &value));
    }
    let scenario = load(&args.scenario, overrides, registry)?;
    let plan = &scenario.plan;
    if plan.population.size().0 >= LARGE_PAGES_PEERS {
        drop(small_pages);
    }
    let place = args
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from("runs").join(format!("{}-{}", scenario.name, plan.seed)));
    // Before the folder is there, so that no interruption leaves it behind.
    let stop = watch_interrupts()?;
    let folder = RunFolder::create(&place, args.force)?;

    folder.write("scenario.yaml", scenario.resolved.as_bytes())?;
    for input in &scenario.inputs {
        folder.write(&format!("inputs/{}", input.name), &input.bytes)?;
    }
    let log_folder = folder.path().join("logs");
    if plan.logs.selection != LogSelection::None {
        std::fs::create_dir(&log_folder)
            .map_err(|error| Failure::Failed(format!("cannot create the logs' folder: {error}")))?;
    }
    let began = Instant::now();
    let threads = args.threads.map_or_else(machine::cores, usize::from);
    let shards = worthwhile_shards(plan, threads);
    let mut simulation = Simulation::with_shards(plan, Some(&log_folder), shards)?;
    let setup = began.elapsed();
    let display = Display::of(args.quiet, args.json_progress);
    let mut progress = RunProgress::new(display, plan.horizon);
    let began = Instant::now();
    let bootstrap = plan.export_bootstrap;
    let outcome = match plan.snapshots {
        None => simulation.run(&stop, |now| progress.show(now)),
        Some(every) => {
            let mut snapshots = Snapshots::new(folder.path(), every, plan.horizon, bootstrap)?;
            let outcome = simulation.run_with_snapshots(
                every,
                &stop,
                |now| progress.show(now),
                |simulation, _| snapshots.take(simulation),
            );
            snapshots.finish(&simulation)?;
            outcome
        }
    };
    let timing = Timing {
        setup,
        run: began.elapsed(),
    };
    progress.finish(&simulation, outcome.as_ref().ok());
    let outcome = outcome?;
    let name = RunName {
        scenario: scenario.name.clone(),
        seed: plan.seed,
    };
    let format = plan.measures.format;
    let links = write_outputs(&folder, &simulation, &outcome, &name, bootstrap, format)?;
    if let Some(path) = &args.timing {
        let json = timing.json(&outcome);
        if is_stdout(path) {
            print(&json)?;
        } else {
            std::fs::write(path, json).map_err(|error| {
                Failure::Failed(format!("cannot write {}: {error}", path.display()))
            })?;
        }
    }
    let written = match outcome.ending {
        Ending::Horizon => folder.complete()?,
        Ending::Interrupted | Ending::Failed => folder.interrupt()?,
    };
    if args.format == Some(TextFormat::Json) {
        print(&std::fs::read_to_string(written.join("summary.json"))?)?;
    } else if !args.quiet || args.format.is_some() {
        let summary = show_summary(
            &simulation,
            &outcome,
            &name,
            &timing,
            links,
            machine::columns(),
        );
        print(&format!("{summary}written to {}\n", written.display()))?;
    }
    if let Some(failure) = &outcome.failure {
        return Err(Failure::Failed(format!(
            "{}\n  {} at {} ms of simulated time; what there is is in {}",
            failure.problem,
            simulation.names().name(failure.peer),
            failure.time,
            written.display()
        )));
    }
    if outcome.ending == Ending::Interrupted {
        complain(&format!(
            "interrupted at {} ms of simulated time; what there is is in {}\n",
            outcome.reached,
            written.display()
        ));
        return Err(Failure::Interrupted);
    }
    // The program is about to end, and the system takes back all memory at once.
    std::mem::forget(simulation);
    Ok(())
}

/// A flag that Ctrl-C sets, or what else asks the program to end; the second time it ends at once.
fn watch_interrupts() -> Result<Arc<AtomicBool>, Failure> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    #[cfg(unix)]
    let signals = [SIGINT, SIGTERM, signal_hook::consts::SIGHUP];
    #[cfg(not(unix))]
    let signals = [SIGINT, SIGTERM];
    let stop = Arc::new(AtomicBool::new(false));
    for signal in signals {
        // In this order: the first time, the flag is not set yet.
        register_conditional_shutdown(signal, INTERRUPTED.into(), stop.clone())
            .and_then(|_| register(signal, stop.clone()))
            .map_err(|error| Failure::Failed(format!("cannot watch for Ctrl-C: {error}")))?;
    }
    Ok(stop)
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        match error {
            FolderError::Io { .. } => Failure::Failed(error.to_string()),
            _ => Failure::Usage(error.to_string()),
        }
    }
}

impl From<SetupError> for Failure {
    fn from(error: SetupError) -> Self {
        Failure::Usage(error.to_string())
    }
}
