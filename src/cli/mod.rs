//! The command line: the only place that prints, reads flags, looks at the machine, or exits.

mod check;
mod documents;
mod import;
mod init;
mod list;
mod machine;
mod plot;
mod progress;
mod report;
mod run;
mod sample;
mod topology;

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::scenario::{self, LoadOptions, Override, Scenario};
use crate::services::Registry;

/// Everything went well.
const FINE: u8 = 0;
/// The run failed.
const FAILED: u8 = 1;
/// The command line or the scenario is wrong.
const USAGE: u8 = 2;
/// Ctrl-C.
const INTERRUPTED: u8 = 130;

/// Simulates peer-to-peer networks described by YAML scenario files.
#[derive(Parser)]
#[command(
    name = "p2psim",
    version,
    arg_required_else_help = true,
    after_help = "Examples:\n  p2psim init my.yaml        write a commented scenario to start from\n  \
                  p2psim check my.yaml       see what would run\n  \
                  p2psim run my.yaml         run it; results go to runs/my-1/"
)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(run::RunArgs),
    Check(check::CheckArgs),
    Sample(sample::SampleArgs),
    Topology(topology::TopologyArgs),
    Report(report::ReportArgs),
    Plot(plot::PlotArgs),
    Init(init::InitArgs),
    List(list::ListArgs),
    Import(import::ImportArgs),
    Schema(documents::SchemaArgs),
    Completions(documents::CompletionsArgs),
    Man(documents::ManArgs),
}

/// How a table is written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TextFormat {
    /// For people
    Table,
    /// For programs
    Json,
}

/// What may be changed in a scenario from the command line.
#[derive(Args)]
struct Overrides {
    /// Set a key of the scenario, e.g. network.min_delay=1ms (repeatable)
    #[arg(long = "set", value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Fix the random draws with this seed instead of the scenario's
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<String>,
}

/// Why a command did not succeed.
enum Failure {
    /// The command line or the scenario is wrong: text without the leading `error: `.
    Usage(String),
    /// The scenario is wrong: diagnostics as they are.
    Scenario(String),
    /// Something failed on the way.
    Failed(String),
    /// The reader of our output has gone: no error.
    ClosedPipe,
    /// Stopped by Ctrl-C; what there is to say has been said.
    Interrupted,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Failure::ClosedPipe
        } else {
            Failure::Failed(error.to_string())
        }
    }
}

/// Runs the program with the built-in services.
pub fn main() -> ExitCode {
    main_with(Registry::default())
}

/// Runs the program with the services of `registry`: a library user's own among them.
pub fn main_with(registry: Registry) -> ExitCode {
    let command = match CommandLine::try_parse() {
        Ok(line) => line.command,
        Err(error) => {
            let code = if error.use_stderr() { USAGE } else { FINE };
            // Nothing is left to do where even this cannot be written.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let done = match command {
        Command::Run(args) => run::run(&args, registry),
        Command::Check(args) => check::check(&args, &registry),
        Command::Sample(args) => sample::sample(&args, registry),
        Command::Topology(args) => topology::topology(&args, registry),
        Command::Report(args) => report::report(&args, &registry),
        Command::Plot(args) => plot::plot(&args, &registry),
        Command::Init(args) => init::init(&args),
        Command::List(args) => list::list(&args, &registry),
        Command::Import(args) => import::import(&args, &registry),
        Command::Schema(args) => documents::schema(&args, &registry),
        Command::Completions(args) => documents::completions(&args),
        Command::Man(args) => documents::man(&args),
    };
    ExitCode::from(match done {
        Ok(()) | Err(Failure::ClosedPipe) => FINE,
        Err(Failure::Usage(text)) => {
            complain(&format!("error: {text}\n"));
            USAGE
        }
        Err(Failure::Scenario(text)) => {
            complain(&text);
            USAGE
        }
        Err(Failure::Failed(text)) => {
            complain(&format!("error: {text}\n"));
            FAILED
        }
        Err(Failure::Interrupted) => INTERRUPTED,
    })
}

/// Writes to stderr; where that is closed there is nobody to tell.
fn complain(text: &str) {
    let mut error = io::stderr().lock();
    let text = match error.is_terminal() {
        true => folded(text, machine::error_columns()),
        false => text.to_owned(),
    };
    let _ = error.write_all(text.as_bytes());
}

/// Writes to stdout.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let text = match out.is_terminal() {
        true => folded(text, machine::columns()),
        false => text.to_owned(),
    };
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// The text with lines of words broken where they are longer than a terminal has columns. What
/// is laid out in columns, or coloured, stays as it is.
fn folded(text: &str, columns: usize) -> String {
    const MARGIN: &str = "  ";
    let mut folded = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let words = line.trim_start_matches(' ');
        let laid_out = [MARGIN, "|", "\u{1b}"]
            .iter()
            .any(|part| words.contains(part));
        let indent = &line[..line.len() - words.len()];
        let mut width = indent.len();
        folded.push_str(indent);
        for word in words.split_inclusive(' ') {
            let length = word.trim_end().chars().count();
            if !laid_out && width > indent.len() && width + length > columns {
                folded.truncate(folded.trim_end_matches(' ').len());
                folded.push('\n');
                folded.push_str(indent);
                folded.push_str(MARGIN);
                width = indent.len() + MARGIN.len();
            }
            folded.push_str(word);
            width += word.chars().count();
        }
    }
    folded
}

/// Whether diagnostics are coloured: on a terminal, unless NO_COLOR or CLICOLOR=0 forbid it; else
/// if CLICOLOR_FORCE demands it. The help decides the same way.
fn colour() -> bool {
    anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
}

impl Overrides {
    fn all(&self) -> Result<Vec<Override>, Failure> {
        let mut all = Vec::new();
        for text in &self.set {
            all.push(Override::parse(text).map_err(Failure::Usage)?);
        }
        if let Some(seed) = &self.seed {
            all.push(Override::flag("--seed", "seed", seed));
        }
        Ok(all)
    }
}

/// What a scenario is loaded with.
fn load_options(overrides: Vec<Override>, registry: Registry) -> LoadOptions {
    LoadOptions {
        overrides,
        memory_limit_bytes: machine::memory_limit_bytes(),
        registry,
    }
}

/// Loads a scenario and shows its warnings.
fn load(path: &Path, overrides: Vec<Override>, registry: Registry) -> Result<Scenario, Failure> {
    let scenario = scenario::load(path, &load_options(overrides, registry))
        .map_err(|error| Failure::Scenario(error.render(colour())))?;
    let warnings = scenario.render_warnings(colour());
    if !warnings.is_empty() {
        complain(&warnings);
    }
    Ok(scenario)
}

/// Whether a path stands for stdout: `-`.
fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Where a command writes: a file, or stdout if there is none or it is `-`.
fn output(path: Option<&PathBuf>) -> Result<Box<dyn Write>, Failure> {
    match path.filter(|path| !is_stdout(path)) {
        None => Ok(Box::new(io::BufWriter::new(io::stdout().lock()))),
        Some(path) => match std::fs::File::create(path) {
            Ok(file) => Ok(Box::new(io::BufWriter::new(file))),
            Err(error) => Err(Failure::Failed(format!(
                "cannot write {}: {error}",
                path.display()
            ))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::folded;

    #[test]
    fn long_lines_of_words_are_folded() {
        let text = "one two three four\n  five six seven\na    table   of columns\n";
        let expected = "one two\n  three\n  four\n  five six\n    seven\na    table   of columns\n";
        assert_eq!(folded(text, 10), expected);
        assert_eq!(folded(text, 80), text);
        assert_eq!(folded("unbreakably long", 3), "unbreakably\n  long");
        assert_eq!(folded("", 80), "");
    }
}
