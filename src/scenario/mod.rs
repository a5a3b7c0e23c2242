//! Scenario files: YAML in, a checked [`Plan`] out; every problem with its place, all at once.
//!
//! First the file becomes a tree in which every value knows its place (`node.rs`); overrides of
//! the command line are put into it; then the tree is compiled, a file here for each part of a
//! scenario. Nothing past this module knows YAML.

mod attach;
mod column;
mod compiler;
mod degrees;
mod diagnostics;
mod fields;
mod graph_file;
mod import;
mod latencies;
mod laws;
mod measured;
mod memory;
mod network;
mod node;
mod output;
mod overrides;
mod peer_types;
mod resolved;
mod schema;
mod source;
mod topology;

use std::io::Read;
use std::path::Path;

pub use diagnostics::{Diagnostic, Severity};
pub use import::{Imported, import_p2psimpy};
pub use measured::read_measured;
pub use memory::{MessagesEstimate, PROGRAM_BYTES, estimate_bytes, estimate_scripts_bytes};
pub use overrides::Override;
pub use schema::schema;

use crate::expression::ExpressionError;
use crate::services::Registry;
use crate::simulation::Plan;
use source::{Place, Sources};

/// A checked scenario.
#[derive(Debug)]
pub struct Scenario {
    /// What it is called: its file's name without the ending.
    pub name: String,
    /// Everything that determines its run.
    pub plan: Plan,
    /// What may not be as meant.
    pub warnings: Vec<Diagnostic>,
    /// The scenario with all defaults and overrides filled in, as YAML. Files it names are
    /// expected in `inputs/` beside it.
    pub resolved: String,
    /// The files it names.
    pub inputs: Vec<InputFile>,
    sources: Sources,
}

/// A file that a scenario names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputFile {
    /// Its name in the folder `inputs/` of a run.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// What besides the file decides how a scenario is read.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// Keys set from outside, in order.
    pub overrides: Vec<Override>,
    /// A network that would take more memory than this many bytes is refused; one that would
    /// with the messages that its peers may hold is warned of.
    pub memory_limit_bytes: u64,
    /// The services it can name.
    pub registry: Registry,
}

impl Default for LoadOptions {
    /// No overrides, any memory, the built-in services.
    fn default() -> Self {
        LoadOptions {
            overrides: Vec::new(),
            memory_limit_bytes: u64::MAX,
            registry: Registry::default(),
        }
    }
}

/// All that is wrong with a scenario.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.render(false))]
pub struct ScenarioError(Box<Problems>);

#[derive(Debug)]
struct Problems {
    diagnostics: Vec<Diagnostic>,
    sources: Sources,
}

impl Problems {
    fn render(&self, colour: bool) -> String {
        diagnostics::render(&self.sources, &self.diagnostics, colour)
    }
}

impl ScenarioError {
    fn new(diagnostics: Vec<Diagnostic>, sources: Sources) -> Self {
        ScenarioError(Box::new(Problems {
            diagnostics,
            sources,
        }))
    }

    /// Everything that is wrong.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.0.diagnostics
    }

    /// Everything that is wrong, for programs: an object each, with `severity`, `message`,
    /// `expected`, and `file`, `line`, `column` where there is a place.
    pub fn json(&self) -> Vec<serde_json::Value> {
        diagnostics::json(&self.0.sources, &self.0.diagnostics)
    }

    /// As it is shown on a terminal: each problem with its place, underlined.
    pub fn render(&self, colour: bool) -> String {
        self.0.render(colour)
    }
}

impl Scenario {
    /// The warnings for programs, as [`ScenarioError::json`] has errors.
    pub fn warnings_json(&self) -> Vec<serde_json::Value> {
        diagnostics::json(&self.sources, &self.warnings)
    }

    /// The warnings as they are shown on a terminal; empty if there are none.
    pub fn render_warnings(&self, colour: bool) -> String {
        diagnostics::render(&self.sources, &self.warnings, colour)
    }
}

/// Reads and checks a scenario file.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn load(path: &Path, options: &LoadOptions) -> Result<Scenario, ScenarioError> {
    let failed = |message: String| {
        let diagnostic = Diagnostic {
            severity: Severity::Error,
            message,
            expected: String::new(),
            place: None,
        };
        ScenarioError::new(vec![diagnostic], Sources::default())
    };
    let shown = path.display();
    let bytes = read_file(path, node::FILE_BYTES_MAX)
        .map_err(|problem| failed(format!("cannot read {shown}: {problem}")))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| failed(format!("cannot read {shown}: it is not UTF-8 text")))?;
    let name = path.file_stem().map_or_else(
        || "scenario".into(),
        |stem| stem.to_string_lossy().into_owned(),
    );
    let folder = path.parent().unwrap_or(Path::new(""));
    compiler::compile(&shown.to_string(), &name, text, folder, options)
}

/// Checks the text of a scenario called `name`; files it names are looked for in `folder`.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn parse(
    text: &str,
    name: &str,
    folder: &Path,
    options: &LoadOptions,
) -> Result<Scenario, ScenarioError> {
    compiler::compile(
        &format!("{name}.yaml"),
        name,
        text.to_owned(),
        folder,
        options,
    )
}

/// What is wrong with the text of an expression that stands outside any scenario, to be shown
/// as a scenario's errors are.
pub fn expression_error(text: &str, errors: Vec<ExpressionError>) -> ScenarioError {
    let mut sources = Sources::default();
    let source = sources.add("expression", text);
    let diagnostics = errors.into_iter().map(|error| Diagnostic {
        severity: Severity::Error,
        message: error.message,
        expected: error.expected,
        place: Some(Place::new(source, error.span)),
    });
    ScenarioError::new(diagnostics.collect(), sources)
}

/// Reads a regular file of at most `bytes_max` bytes; never more, however large it is or becomes.
///
/// Pipes and devices are refused before they are opened: that alone can wait for ever.
fn read_file(path: &Path, bytes_max: usize) -> Result<Vec<u8>, String> {
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if metadata.is_dir() {
        return Err("it is a folder".into());
    }
    if !metadata.is_file() {
        return Err("it is a pipe or a device, not a file".into());
    }
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let too_large = || format!("it is larger than {} MiB", bytes_max >> 20);
    if metadata.len() > bytes_max as u64 {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    file.take(bytes_max as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    if bytes.len() > bytes_max {
        return Err(too_large());
    }
    Ok(bytes)
}
