//! The small language of calls in scenario files: `norm(12, 2)`, `sample([a, b], weights=[1, 3])`,
//! `erdos_renyi_graph(10, p=0.5)`; text in, a tree with places out.

use std::ops::Range;

/// Deepest nesting of brackets; deeper text is refused, so that no input can exhaust the stack.
pub const DEPTH_LIMIT: usize = 64;

/// A parsed expression and where it stands in its text (byte offsets).
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    /// What it is.
    pub kind: ExpressionKind,
    /// Its bytes in the text.
    pub span: Range<usize>,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub enum ExpressionKind {
    /// A finite number, with the unit written after it, if any: `50 Mibit`, `-2`, `1e3`.
    Number {
        /// Its value, in the unit.
        value: f64,
        /// The unit as written and its place.
        unit: Option<(String, Range<usize>)>,
    },
    /// A bare word: `LocA`.
    Name(String),
    /// Text in single or double quotes, without them.
    Text(String),
    /// `[a, b, c]`, or `(a, b, c)` without a name before it.
    List(Vec<Expression>),
    /// `name(arguments)`.
    Call {
        /// The word before the bracket.
        name: String,
        /// Its place.
        name_span: Range<usize>,
        /// What stands between the brackets.
        arguments: Vec<Argument>,
    },
}

/// One argument of a call: `12` or `scale=12`.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// The keyword and its place, if there is one.
    pub keyword: Option<(String, Range<usize>)>,
    /// What it is set to.
    pub value: Expression,
}

/// What is wrong with an expression, where, and what would be right.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ExpressionError {
    /// The offending bytes of the text.
    pub span: Range<usize>,
    /// The problem, in one line: ``unknown location `LocC` ``.
    pub message: String,
    /// What was expected there: `known locations: LocA, LocB`. May be empty.
    pub expected: String,
}

impl ExpressionError {
    /// An error at `span`.
    pub fn new(
        span: Range<usize>,
        message: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        ExpressionError {
            span,
            message: message.into(),
            expected: expected.into(),
        }
    }
}

/// Parses one expression; blanks around it are allowed, anything else after it is an error.
///
/// # Errors
/// The first place where the text is no expression. Never panics, whatever the text.
pub fn parse(_text: &str) -> Result<Expression, ExpressionError> {
    todo!("helper A")
}
