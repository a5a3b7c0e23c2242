//! A script's text: compiled, and quoted where it fails.

use mlua::chunk::Compiler;

use super::super::ScriptError;

/// What the prelude is called in messages of the VM.
pub(super) const PRELUDE_NAME: &str = "p2psim";

/// What a script has as locals of its own, on its first line.
const LOCALS: &str = "local self, ctx, parameter, message, about = ...; ";

/// Functions that the program replaces: calls of these must reach the replacement.
const REPLACED: [&str; 18] = [
    "getmetatable",
    "rawset",
    "setmetatable",
    "tostring",
    "math.acos",
    "math.asin",
    "math.atan",
    "math.atan2",
    "math.cos",
    "math.cosh",
    "math.exp",
    "math.log",
    "math.log10",
    "math.pow",
    "math.sin",
    "math.sinh",
    "math.tan",
    "math.tanh",
];

/// A script as it was written and compiled.
pub(super) struct Source {
    pub(super) name: String,
    text: String,
    pub(super) bytecode: Vec<u8>,
}

impl Source {
    pub(super) fn compile(name: &str, bytes: &[u8]) -> Result<Self, ScriptError> {
        let text = std::str::from_utf8(bytes).map_err(|error| ScriptError {
            line: None,
            message: format!("{name} is no text: {error}"),
            expected: "a Luau script in UTF-8".into(),
        })?;
        let mut source = Source {
            name: name.to_owned(),
            text: text.to_owned(),
            bytecode: Vec::new(),
        };
        let compiler = Compiler::new()
            .set_optimization_level(2)
            .set_debug_level(1)
            .set_disabled_builtins(REPLACED);
        match compiler.compile(format!("{LOCALS}{text}")) {
            Ok(bytecode) => source.bytecode = bytecode,
            Err(error) => return Err(source.script_error(source.describe(&error))),
        }
        Ok(source)
    }

    pub(super) fn script_error(&self, problem: Problem) -> ScriptError {
        let Problem { line, text } = problem;
        let (message, expected) = match text.split_once("; ") {
            Some((message, cure)) => (message.to_owned(), cure.to_owned()),
            None => (text, String::new()),
        };
        ScriptError {
            line,
            message: format!("{}: {message}", self.name),
            expected,
        }
    }

    /// What an error of the VM says, and of which line.
    pub(super) fn describe(&self, error: &mlua::Error) -> Problem {
        let text = plain(error);
        let (head, trace) = match text.split_once("\nstack traceback:") {
            Some((head, trace)) => (head, trace),
            None => (text.as_str(), ""),
        };
        // "script.luau:12: what is wrong"; of a call into the library, whose own line is none of
        // the user's business, the line of the script that the trace names first.
        let mut line = None;
        let mut message = head.trim();
        for name in [self.name.as_str(), PRELUDE_NAME] {
            if let Some((number, rest)) = numbered(message, name) {
                line = (name != PRELUDE_NAME).then_some(number);
                message = rest;
                break;
            }
        }
        // The compiler does not know the script's name: ":12: what is wrong".
        if let mlua::Error::SyntaxError { .. } = error
            && let Some((number, rest)) =
                numbered(&format!(":{}", message.trim_start_matches(':')), "")
        {
            return Problem {
                line: Some(number),
                text: rest.replace('\n', " "),
            };
        }
        if line.is_none() {
            let mut named = trace.lines().filter_map(|l| numbered(l.trim(), &self.name));
            line = named.next().map(|(number, _)| number);
        }
        Problem {
            line,
            text: message.replace('\n', " "),
        }
    }

    /// The problem with its place, and the line that it is about.
    pub(super) fn quote(&self, problem: &Problem, handler: &str) -> String {
        let Problem { line, text } = problem;
        let Some(number) = *line else {
            return format!("{}: {text}\n  in {handler}", self.name);
        };
        let quoted = self.text.lines().nth(number.saturating_sub(1) as usize);
        let quoted = quoted.unwrap_or_default().trim();
        format!(
            "{}:{number}: {text}\n  {number} | {quoted}\n  in {handler}",
            self.name
        )
    }
}

/// `name:12: rest` or `name:12 rest`.
fn numbered<'a>(text: &'a str, name: &str) -> Option<(u32, &'a str)> {
    let rest = text.strip_prefix(name)?.strip_prefix(':')?;
    let digits = rest.chars().take_while(char::is_ascii_digit).count();
    let number = rest[..digits].parse().ok()?;
    Some((number, rest[digits..].trim_start_matches(':').trim_start()))
}

/// An error of the VM in its own words.
pub(super) fn plain(error: &mlua::Error) -> String {
    match error {
        mlua::Error::RuntimeError(text) => text.clone(),
        mlua::Error::SyntaxError { message, .. } => message.clone(),
        mlua::Error::MemoryError(_) => "the script holds more memory than it may; `memory` bounds \
                                        it"
        .into(),
        mlua::Error::CallbackError { traceback, cause } => {
            format!("{}\nstack traceback:\n{traceback}", plain(cause))
        }
        mlua::Error::WithContext { cause, .. } => plain(cause),
        other => other.to_string(),
    }
}

/// What is wrong with a script, in one line, and which line of it is to blame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) line: Option<u32>,
    pub(super) text: String,
}
