//! Services of the user's own: files that a scenario names in place of a service.

#[cfg(any(feature = "luau", feature = "wasm"))]
mod actions;
#[cfg(any(feature = "luau", feature = "wasm"))]
mod declaration;
#[cfg(feature = "luau")]
mod luau;
#[cfg(feature = "wasm")]
mod wasm;

use super::ServiceSpec;

/// The endings of the files that can be services, with what can be built to run them.
const LANGUAGES: [(&str, Load); 2] = [(".luau", load_luau), (".wasm", load_wasm)];

/// The largest script, in bytes.
pub const SCRIPT_BYTES_MAX: usize = 16 << 20;

/// A commented script to start from; NAME stands for its file's name.
pub const TEMPLATE: &str = include_str!("luau/template.luau");

/// What scripts see, as definitions of types for editors.
pub const DEFINITIONS: &str = include_str!("luau/p2psim.d.luau");

type Load = fn(&str, &[u8]) -> Result<ServiceSpec, ScriptError>;

/// What is wrong with a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    /// The line, counted from 1, where one is to blame.
    pub line: Option<u32>,
    /// The problem, in one line.
    pub message: String,
    /// What would be right.
    pub expected: String,
}

/// Whether a service of this name is a script: a file of a language that services are written in.
pub fn is_script(name: &str) -> bool {
    LANGUAGES.iter().any(|(ending, _)| name.ends_with(ending))
}

/// What there is to know of the service that is written in a file: its `name`, as the scenario
/// gives it, says the language.
///
/// # Errors
/// When the file is no script, or its declarations are wrong.
pub fn load(name: &str, bytes: &[u8]) -> Result<ServiceSpec, ScriptError> {
    match LANGUAGES.iter().find(|(ending, _)| name.ends_with(ending)) {
        Some((_, load)) => load(name, bytes),
        None => Err(ScriptError {
            line: None,
            message: format!("`{name}` is no script"),
            expected: "a file that ends in .luau or .wasm".into(),
        }),
    }
}

#[cfg(feature = "luau")]
fn load_luau(name: &str, bytes: &[u8]) -> Result<ServiceSpec, ScriptError> {
    luau::load(name, bytes)
}

#[cfg(not(feature = "luau"))]
fn load_luau(name: &str, _: &[u8]) -> Result<ServiceSpec, ScriptError> {
    Err(not_built(name, "luau"))
}

#[cfg(feature = "wasm")]
fn load_wasm(name: &str, bytes: &[u8]) -> Result<ServiceSpec, ScriptError> {
    wasm::load(name, bytes)
}

#[cfg(not(feature = "wasm"))]
fn load_wasm(name: &str, _: &[u8]) -> Result<ServiceSpec, ScriptError> {
    Err(not_built(name, "wasm"))
}

/// This program cannot run scripts of that kind.
#[cfg(not(all(feature = "luau", feature = "wasm")))]
fn not_built(name: &str, feature: &str) -> ScriptError {
    ScriptError {
        line: None,
        message: format!(
            "`{name}` needs the feature `{feature}`, which this p2psim is built without"
        ),
        expected: format!("a program built by: cargo install --path . --features {feature}"),
    }
}
