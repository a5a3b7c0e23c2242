//! The small language of calls in scenario files: `norm(12, 2)`, `sample([a, b], weights=[1, 3])`,
//! `erdos_renyi_graph(10, p=0.5)`; text in, a tree with places out.

use std::ops::Range;

use crate::units::Dimension;

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
/// ```
/// use p2psim::expression::parse;
/// assert!(parse("norm(50 Mibit, scale=10 Mibit)").is_ok());
/// assert_eq!(parse("norm(12, 2").unwrap_err().message, "this `(` is not closed");
/// ```
///
/// # Errors
/// The first place where the text is no expression. Never panics, whatever the text.
pub fn parse(text: &str) -> Result<Expression, ExpressionError> {
    let mut parser = Parser { text, at: 0 };
    let expression = parser.expression(0)?;
    parser.skip_blanks();
    if parser.at < text.len() {
        let rest = parser.at..text.len();
        return Err(ExpressionError::new(
            rest,
            "the expression should end here",
            "nothing more",
        ));
    }
    Ok(expression)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// The place of the next character, or an empty one at the end.
    fn here(&self) -> Range<usize> {
        self.at..self.at + self.peek().map_or(0, char::len_utf8)
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn expression(&mut self, depth: usize) -> Result<Expression, ExpressionError> {
        self.skip_blanks();
        let start = self.at;
        if depth > DEPTH_LIMIT {
            let message = format!("brackets nest deeper than {DEPTH_LIMIT}");
            return Err(ExpressionError::new(self.here(), message, "fewer brackets"));
        }
        let kind = match self.peek() {
            Some(open @ ('[' | '(')) => self.list(open, depth)?,
            Some(quote @ ('"' | '\'')) => self.quoted(quote)?,
            Some(c) if c.is_ascii_digit() || matches!(c, '-' | '+' | '.') => self.number()?,
            Some(c) if is_name_start(c) => return self.name_or_call(depth),
            Some(c) => {
                let message = format!("`{}` cannot stand here", c.escape_debug());
                let expected = "a number, a name, a call like norm(12, 2), or a list";
                return Err(ExpressionError::new(self.here(), message, expected));
            }
            None => {
                return Err(ExpressionError::new(
                    self.here(),
                    "something is missing here",
                    "a number, a name, a call like norm(12, 2), or a list",
                ));
            }
        };
        Ok(Expression {
            kind,
            span: start..self.at,
        })
    }

    fn number(&mut self) -> Result<ExpressionKind, ExpressionError> {
        let start = self.at;
        if !self.take('-') {
            self.take('+');
        }
        self.take_while(|c| c.is_ascii_digit());
        if self.take('.') {
            self.take_while(|c| c.is_ascii_digit());
        }
        self.take_exponent();
        let span = start..self.at;
        let written = &self.text[span.clone()];
        let bad = |message: String| {
            Err(ExpressionError::new(
                span.clone(),
                message,
                "a finite number",
            ))
        };
        let value: f64 = match written.parse() {
            Ok(value) => value,
            Err(_) => return bad(format!("`{written}` is no number")),
        };
        if !value.is_finite() {
            return bad(format!("`{written}` overflows"));
        }
        let before_unit = self.at;
        self.skip_blanks();
        let unit_start = self.at;
        let name = self.take_while(|c| c.is_alphabetic() || c == '_' || c == '/' || c == '%');
        let unit = (!name.is_empty()).then(|| (name.to_owned(), unit_start..self.at));
        if unit.is_none() {
            self.at = before_unit;
        }
        Ok(ExpressionKind::Number { value, unit })
    }

    /// `e3`, `E-3`; but not the `e` of a unit.
    fn take_exponent(&mut self) {
        let rest = self.rest().as_bytes();
        if !matches!(rest.first(), Some(b'e' | b'E')) {
            return;
        }
        let sign = usize::from(matches!(rest.get(1), Some(b'+' | b'-')));
        if rest.get(1 + sign).is_some_and(u8::is_ascii_digit) {
            self.at += 1 + sign;
            self.take_while(|c| c.is_ascii_digit());
        }
    }

    fn quoted(&mut self, quote: char) -> Result<ExpressionKind, ExpressionError> {
        let start = self.at;
        self.take(quote);
        let text = self.take_while(|c| c != quote);
        if !self.take(quote) {
            return Err(ExpressionError::new(
                start..self.at,
                "this text is not closed",
                format!("a {quote} at its end"),
            ));
        }
        Ok(ExpressionKind::Text(text.to_owned()))
    }

    fn name_or_call(&mut self, depth: usize) -> Result<Expression, ExpressionError> {
        let start = self.at;
        let name = self.take_while(is_name_part);
        let name_span = start..self.at;
        self.skip_blanks();
        if self.peek() != Some('(') {
            self.at = name_span.end;
            return Ok(Expression {
                kind: ExpressionKind::Name(name.to_owned()),
                span: name_span,
            });
        }
        let open = self.here();
        self.take('(');
        let mut arguments: Vec<Argument> = Vec::new();
        loop {
            self.skip_blanks();
            if self.take(')') {
                break;
            }
            let argument = self.argument(depth)?;
            if argument.keyword.is_none() && arguments.iter().any(|a| a.keyword.is_some()) {
                return Err(ExpressionError::new(
                    argument.value.span,
                    "an argument without a keyword follows one with",
                    "a keyword",
                ));
            }
            arguments.push(argument);
            self.separator(')', &open)?;
        }
        Ok(Expression {
            kind: ExpressionKind::Call {
                name: name.to_owned(),
                name_span,
                arguments,
            },
            span: start..self.at,
        })
    }

    fn argument(&mut self, depth: usize) -> Result<Argument, ExpressionError> {
        let start = self.at;
        if self.peek().is_some_and(is_name_start) {
            let name = self.take_while(is_name_part);
            let span = start..self.at;
            self.skip_blanks();
            if self.take('=') {
                return Ok(Argument {
                    keyword: Some((name.to_owned(), span)),
                    value: self.expression(depth + 1)?,
                });
            }
            self.at = start;
        }
        Ok(Argument {
            keyword: None,
            value: self.expression(depth + 1)?,
        })
    }

    fn list(&mut self, open: char, depth: usize) -> Result<ExpressionKind, ExpressionError> {
        let close = if open == '[' { ']' } else { ')' };
        let opening = self.here();
        self.take(open);
        let mut items = Vec::new();
        loop {
            self.skip_blanks();
            if self.take(close) {
                return Ok(ExpressionKind::List(items));
            }
            items.push(self.expression(depth + 1)?);
            self.separator(close, &opening)?;
        }
    }

    /// After an item: a comma, or the closing bracket, which is left to be taken.
    fn separator(&mut self, close: char, opening: &Range<usize>) -> Result<(), ExpressionError> {
        self.skip_blanks();
        match self.peek() {
            Some(',') => {
                self.take(',');
                Ok(())
            }
            Some(c) if c == close => Ok(()),
            Some(_) => Err(ExpressionError::new(
                self.here(),
                format!("a comma or `{close}` is missing"),
                format!("`,` or `{close}`"),
            )),
            None => Err(ExpressionError::new(
                opening.clone(),
                format!("this `{}` is not closed", &self.text[opening.clone()]),
                format!("a `{close}` at its end"),
            )),
        }
    }
}

/// Gives each of a call's parameters its argument, by position or keyword; the first `required`
/// of them must have one. What is wrong is added to `errors`.
pub fn bind<'a>(
    call: &str,
    span: &Range<usize>,
    parameters: &[&str],
    required: usize,
    arguments: &'a [Argument],
    errors: &mut Vec<ExpressionError>,
) -> Vec<Option<&'a Expression>> {
    let mut bound: Vec<Option<&Expression>> = vec![None; parameters.len()];
    let takes = || format!("{call}({})", parameters.join(", "));
    for (place, argument) in arguments.iter().enumerate() {
        let value = &argument.value;
        let (place, span) = match &argument.keyword {
            None => (place, &value.span),
            Some((keyword, span)) => {
                let Some(place) = parameters.iter().position(|known| known == keyword) else {
                    let message = format!("`{call}` has no parameter `{keyword}`");
                    errors.push(ExpressionError::new(span.clone(), message, takes()));
                    continue;
                };
                (place, span)
            }
        };
        match bound.get_mut(place) {
            None => {
                let message = format!("`{call}` takes at most {}", parameters.len());
                errors.push(ExpressionError::new(span.clone(), message, takes()));
                break;
            }
            Some(Some(_)) => {
                let message = format!("`{}` is given twice", parameters[place]);
                errors.push(ExpressionError::new(span.clone(), message, takes()));
            }
            Some(free) => *free = Some(value),
        }
    }
    for (name, value) in parameters.iter().zip(&bound).take(required) {
        if value.is_none() {
            let message = format!("`{call}` needs `{name}`");
            errors.push(ExpressionError::new(span.clone(), message, takes()));
        }
    }
    bound
}

impl Expression {
    /// The number this is, in the base unit of `dimension`.
    ///
    /// # Errors
    /// When it is no number, or its unit is not one of the dimension's.
    pub fn number(&self, dimension: Dimension) -> Result<f64, ExpressionError> {
        let ExpressionKind::Number { value, unit } = &self.kind else {
            let message = format!("{} is expected here", dimension.described());
            let expected = match dimension {
                Dimension::Plain => "a number".to_owned(),
                _ => format!(
                    "a number, with a unit if you like: {}",
                    dimension.unit_names()
                ),
            };
            return Err(ExpressionError::new(self.span.clone(), message, expected));
        };
        let Some((unit, unit_span)) = unit else {
            return Ok(*value);
        };
        match dimension.factor(unit) {
            Some(factor) if (value * factor).is_finite() => Ok(value * factor),
            Some(_) => Err(ExpressionError::new(
                self.span.clone(),
                format!("{value} {unit} overflows"),
                "a finite quantity",
            )),
            None => {
                let message = format!("`{unit}` is no unit of {}", dimension.described());
                let expected = match dimension {
                    Dimension::Plain => "a number without a unit".to_owned(),
                    _ => format!("one of {}", dimension.unit_names()),
                };
                Err(ExpressionError::new(unit_span.clone(), message, expected))
            }
        }
    }
}

fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn is_name_part(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// Whether `name` is read back as one bare word.
pub fn is_bare_name(name: &str) -> bool {
    name.starts_with(is_name_start) && name.chars().all(is_name_part)
}

/// `name` as it must be written to be read back: bare, or in quotes.
pub fn quote_name(name: &str) -> String {
    if is_bare_name(name) {
        name.to_owned()
    } else {
        quote_text(name)
    }
}

/// Text in quotes, as the language reads it back.
pub fn quote_text(text: &str) -> String {
    let quote = if text.contains('"') { '\'' } else { '"' };
    format!("{quote}{text}{quote}")
}

/// ``did you mean `x`?`` for the known name nearest to `name`, if one is near enough.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    known
        .into_iter()
        .map(|other| {
            (
                strsim::jaro_winkler(&name.to_lowercase(), &other.to_lowercase()),
                other,
            )
        })
        .filter(|&(likeness, _)| likeness > 0.8)
        // Of equally near names the first: `max_by` would take the last.
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, other)| format!("did you mean `{other}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(value: f64) -> ExpressionKind {
        ExpressionKind::Number { value, unit: None }
    }

    #[test]
    fn reads_calls_with_units_and_keywords() {
        let text = "norm(50 Mibit, scale = 10 KiB/s)";
        let Ok(Expression { kind, span }) = parse(text) else {
            panic!("{text} does not parse");
        };
        assert_eq!(span, 0..text.len());
        let ExpressionKind::Call {
            name, arguments, ..
        } = kind
        else {
            panic!("not a call");
        };
        assert_eq!(name, "norm");
        let unit = Some(("Mibit".to_owned(), 8..13));
        let value = 50.0;
        assert_eq!(
            arguments[0].value.kind,
            ExpressionKind::Number { value, unit }
        );
        assert_eq!(arguments[1].keyword, Some(("scale".to_owned(), 15..20)));
    }

    #[test]
    fn reads_numbers_names_and_lists() {
        let kinds = |text: &str| parse(text).map(|e| e.kind);
        assert_eq!(kinds(" -2.5e-3 "), Ok(number(-2.5e-3)));
        assert_eq!(
            kinds("us-east-1"),
            Ok(ExpressionKind::Name("us-east-1".into()))
        );
        assert_eq!(
            kinds("'São Paulo'"),
            Ok(ExpressionKind::Text("São Paulo".into()))
        );
        let Ok(ExpressionKind::List(items)) = kinds("[1, (2, 3), ]") else {
            panic!("not a list");
        };
        assert_eq!(items.len(), 2);
        let unit = Some(("s".to_owned(), 1..2));
        assert_eq!(kinds("5s"), Ok(ExpressionKind::Number { value: 5.0, unit }));
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        for (text, span, message) in [
            ("", 0..0, "something is missing here"),
            ("norm(1", 4..5, "this `(` is not closed"),
            ("norm(1 2)", 7..8, "a comma or `)` is missing"),
            (
                "norm(loc=1, 2)",
                12..13,
                "an argument without a keyword follows one with",
            ),
            ("1e400", 0..5, "`1e400` overflows"),
            ("1 ms 2", 5..6, "the expression should end here"),
            ("'a", 0..2, "this text is not closed"),
            ("%", 0..1, "`%` cannot stand here"),
            ("-", 0..1, "`-` is no number"),
        ] {
            let error = parse(text).expect_err(text);
            assert_eq!(
                (error.span, error.message.as_str()),
                (span, message),
                "{text}"
            );
        }
        let deep = "(".repeat(10_000);
        let error = parse(&deep).expect_err("deep");
        assert_eq!(error.message, "brackets nest deeper than 64");
    }
}
