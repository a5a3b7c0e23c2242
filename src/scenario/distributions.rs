//! Distributions and choices in their three spellings (calls, mappings, and what p2psimpy saves),
//! all made into expressions whose places lead back into the file.

use std::ops::Range;

use super::context::Context;
use super::diagnostics::Diagnostic;
use super::node::{Node, NodeKind};
use super::source::Place;
use super::words::quoted;
use crate::distribution::{Choice, Distribution};
use crate::expression::{self, Argument, Expression, ExpressionError, ExpressionKind};
use crate::units::Dimension;

/// Leads from the places in an expression back to the file.
///
/// An expression may be put together from several scalars: then each has its own range of
/// offsets, one after the other.
pub(super) struct Origin {
    whole: Place,
    pieces: Vec<Piece>,
}

struct Piece {
    offsets: Range<usize>,
    place: Place,
    /// Whether the place's bytes are the piece's text, without escapes or folded lines.
    exact: bool,
}

impl Origin {
    /// Where bytes of the expression stand in the file.
    pub fn place(&self, span: Range<usize>) -> Place {
        let piece = self
            .pieces
            .iter()
            .find(|piece| piece.offsets.start <= span.start && span.end <= piece.offsets.end);
        match piece {
            Some(piece) if piece.exact => {
                let start = piece.offsets.start;
                piece.place.part(span.start - start..span.end - start)
            }
            Some(piece) => piece.place,
            None => self.whole,
        }
    }

    fn next(&self) -> usize {
        // A gap, so that no range touches two pieces.
        self.pieces.last().map_or(0, |piece| piece.offsets.end + 1)
    }

    /// Makes room for a scalar's text and returns its first offset.
    fn add(&mut self, ctx: &Context, text: &str, place: Place) -> usize {
        let start = self.next();
        let spelt = ctx.sources.text(place);
        let (place, exact) = if spelt == text {
            (place, true)
        } else if spelt.len() == text.len() + 2 && spelt.get(1..=text.len()) == Some(text) {
            (place.part(1..text.len() + 1), true)
        } else {
            (place, false)
        };
        self.pieces.push(Piece {
            offsets: start..start + text.len(),
            place,
            exact,
        });
        start
    }
}

/// The expression that a value spells.
pub(super) fn read(ctx: &mut Context, node: &Node, expected: &str) -> Option<(Expression, Origin)> {
    let mut origin = Origin {
        whole: node.place,
        pieces: Vec::new(),
    };
    let expression = match &node.kind {
        NodeKind::Scalar(_) => parse_scalar(ctx, node, &mut origin)?,
        NodeKind::Map(_) => read_mapping(ctx, node, &mut origin, expected)?,
        _ => {
            ctx.expected(node, expected);
            return None;
        }
    };
    Some((expression, origin))
}

fn parse_scalar(ctx: &mut Context, node: &Node, origin: &mut Origin) -> Option<Expression> {
    let text = node.as_scalar()?;
    let start = origin.add(ctx, text, node.place);
    match expression::parse(text) {
        Ok(mut expression) => {
            shift(&mut expression, start);
            Some(expression)
        }
        Err(mut error) => {
            error.span = error.span.start + start..error.span.end + start;
            report(ctx, vec![error], origin);
            None
        }
    }
}

/// `{dist: norm, params: [12, 2]}`, or `{Dist: {name: norm, params: "(12, 2)"}}`.
fn read_mapping(
    ctx: &mut Context,
    node: &Node,
    origin: &mut Origin,
    expected: &str,
) -> Option<Expression> {
    let saved = match &node.kind {
        NodeKind::Map(entries) => match entries.as_slice() {
            [(key, inner)] if &*key.text == "Dist" => Some(inner),
            _ => None,
        },
        _ => None,
    };
    let (node, name_key) = match saved {
        Some(inner) => (inner, "name"),
        None => (node, "dist"),
    };
    let [name, params] = ctx.fields(node, expected, [name_key, "params"])?;
    let Some(name) = name else {
        ctx.error(node.place, format!("missing key `{name_key}`"), "");
        return None;
    };
    let Some(name_text) = name.as_scalar() else {
        ctx.expected(name, "the name of a distribution");
        return None;
    };
    let start = origin.add(ctx, name_text, name.place);
    let name_span = start..start + name_text.len();
    let arguments = match params {
        Some(params) => read_params(ctx, params, origin)?,
        None => Vec::new(),
    };
    Some(Expression {
        kind: ExpressionKind::Call {
            name: name_text.to_owned(),
            name_span: name_span.clone(),
            arguments,
        },
        // The name stands for the whole call, which has no place of its own in the file.
        span: name_span,
    })
}

fn read_params(ctx: &mut Context, params: &Node, origin: &mut Origin) -> Option<Vec<Argument>> {
    let positional = |value| Argument {
        keyword: None,
        value,
    };
    match &params.kind {
        NodeKind::Null => Some(Vec::new()),
        NodeKind::Scalar(_) => {
            let value = parse_scalar(ctx, params, origin)?;
            Some(match value.kind {
                ExpressionKind::List(items) => items.into_iter().map(positional).collect(),
                _ => vec![positional(value)],
            })
        }
        NodeKind::Seq(items) => items
            .iter()
            .map(|item| Some(positional(read_param(ctx, item, origin)?)))
            .collect(),
        NodeKind::Map(_) => {
            let mut arguments = Vec::new();
            for (key, value) in ctx.entries(params, "parameters")? {
                let start = origin.add(ctx, &key.text, key.place);
                let value = read_param(ctx, value, origin)?;
                let keyword = (key.text.to_string(), start..start + key.text.len());
                // p2psimpy's name for what `sample` takes without a keyword.
                if &*key.text == "values" {
                    arguments.insert(0, positional(value));
                } else {
                    arguments.push(Argument {
                        keyword: Some(keyword),
                        value,
                    });
                }
            }
            Some(arguments)
        }
        NodeKind::Bool(_) => {
            ctx.expected(params, "a list of parameters");
            None
        }
    }
}

/// A number, a name, a text, or a list of those.
fn read_param(ctx: &mut Context, node: &Node, origin: &mut Origin) -> Option<Expression> {
    match &node.kind {
        NodeKind::Scalar(_) => parse_scalar(ctx, node, origin),
        NodeKind::Seq(items) => {
            let start = origin.add(ctx, "", node.place);
            let items: Option<Vec<Expression>> = items
                .iter()
                .map(|item| read_param(ctx, item, origin))
                .collect();
            Some(Expression {
                kind: ExpressionKind::List(items?),
                span: start..start,
            })
        }
        _ => {
            ctx.expected(node, "a parameter");
            None
        }
    }
}

fn shift(expression: &mut Expression, by: usize) {
    let move_span = |span: &mut Range<usize>| *span = span.start + by..span.end + by;
    move_span(&mut expression.span);
    match &mut expression.kind {
        ExpressionKind::Number { unit, .. } => {
            if let Some((_, span)) = unit {
                move_span(span);
            }
        }
        ExpressionKind::Name(_) | ExpressionKind::Text(_) => {}
        ExpressionKind::List(items) => items.iter_mut().for_each(|item| shift(item, by)),
        ExpressionKind::Call {
            name_span,
            arguments,
            ..
        } => {
            move_span(name_span);
            for argument in arguments {
                if let Some((_, span)) = &mut argument.keyword {
                    move_span(span);
                }
                shift(&mut argument.value, by);
            }
        }
    }
}

/// Reports what is wrong with an expression.
pub(super) fn report(ctx: &mut Context, errors: Vec<ExpressionError>, origin: &Origin) {
    for error in errors {
        let place = origin.place(error.span);
        ctx.add(Diagnostic::error(Some(place), error.message).label(error.expected));
    }
}

/// A distribution, or a constant.
pub(super) fn law(ctx: &mut Context, node: &Node, dimension: Dimension) -> Option<Distribution> {
    let (expression, origin) = read(ctx, node, "a distribution")?;
    match Distribution::from_expression(&expression, dimension) {
        Ok(law) => Some(law),
        Err(errors) => {
            report(ctx, errors, &origin);
            None
        }
    }
}

/// A choice among names.
pub(super) fn choice(
    ctx: &mut Context,
    node: &Node,
    what: &str,
    known: &[String],
) -> Option<Choice> {
    let text = node.as_scalar();
    // A name with blanks or brackets is no expression, but still a name.
    let (expression, origin) = match text.filter(|text| known.iter().any(|name| name == text)) {
        Some(text) => {
            let mut origin = Origin {
                whole: node.place,
                pieces: Vec::new(),
            };
            let start = origin.add(ctx, text, node.place);
            let expression = Expression {
                kind: ExpressionKind::Text(text.to_owned()),
                span: start..start + text.len(),
            };
            (expression, origin)
        }
        None => read(ctx, node, &format!("a {what} or a choice of them"))?,
    };
    match Choice::from_expression(&expression, what, known) {
        Ok(choice) => Some(choice),
        Err(errors) => {
            report(ctx, errors, &origin);
            None
        }
    }
}

/// Checks that a name can stand in outputs.
pub(super) fn checked_name(ctx: &mut Context, name: &str, place: Place, what: &str) -> bool {
    let problem = if name.is_empty() {
        "is empty"
    } else if name.chars().nth(100).is_some() {
        "is longer than 100 characters"
    } else if name.chars().any(char::is_control) {
        "has a control character in it"
    } else {
        return true;
    };
    ctx.error(place, format!("the name {} {problem}", quoted(name)), format!("a {what}"));
    false
}
