//! What is wrong with a scenario: where, what, and what would be right.

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

use serde_json::{Value, json};

use super::source::{Place, Sources};

/// More diagnostics than this are counted, not shown.
const SHOWN_MAX: usize = 20;
/// Lines longer than this are cut around the place before they are shown.
const LINE_MAX: usize = 400;

/// How serious a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The scenario cannot be run.
    Error,
    /// It can, but perhaps not as meant.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// How serious it is.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub message: String,
    /// What was expected, in one line; may be empty.
    pub expected: String,
    pub(super) place: Option<Place>,
}

/// Shows diagnostics, each with its place, the errors first.
pub(super) fn render(sources: &Sources, diagnostics: &[Diagnostic], colour: bool) -> String {
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut text = String::new();
    for diagnostic in diagnostics.iter().take(SHOWN_MAX) {
        text.push_str(&render_one(sources, diagnostic, &renderer));
        text.push_str("\n\n");
    }
    if diagnostics.len() > SHOWN_MAX {
        text.push_str(&format!("and {} more\n\n", diagnostics.len() - SHOWN_MAX));
    }
    text.pop();
    text
}

/// Diagnostics for programs, in the order of the file: `severity`, `message`, `expected`, and
/// `file`, `line` and `column` (from 1, in characters) where there is a place.
pub(super) fn json(sources: &Sources, diagnostics: &[Diagnostic]) -> Vec<Value> {
    let one = |diagnostic: &Diagnostic| {
        let severity = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let mut value = json!({
            "severity": severity,
            "message": diagnostic.message,
            "expected": diagnostic.expected,
        });
        if let Some(place) = diagnostic.place {
            let file = sources.get(place.source());
            let at = floor_char(&file.text, place.span().start.min(file.text.len()));
            let before = &file.text[..at];
            let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
            value["file"] = json!(file.name);
            value["line"] = json!(before.matches('\n').count() + 1);
            value["column"] = json!(before[line_start..].chars().count() + 1);
        }
        value
    };
    diagnostics.iter().map(one).collect()
}

fn render_one(sources: &Sources, diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(&diagnostic.message);
    let Some(place) = diagnostic.place else {
        let group = annotate_snippets::Group::with_title(title);
        let shown = if diagnostic.expected.is_empty() {
            group
        } else {
            group.element(Level::HELP.message(&diagnostic.expected))
        };
        return renderer.render(&[shown]);
    };
    let file = sources.get(place.source());
    let excerpt = excerpt(&file.text, place);
    let mut annotation = AnnotationKind::Primary.span(excerpt.span);
    if !diagnostic.expected.is_empty() {
        annotation = annotation.label(&diagnostic.expected);
    }
    let snippet = Snippet::source(excerpt.line)
        .line_start(excerpt.number)
        .annotation(annotation);
    let group = match excerpt.column {
        // The renderer would count from where the line was cut.
        Some(column) => {
            let origin = Origin::path(&file.name)
                .line(excerpt.number)
                .char_column(column);
            title.element(origin).element(snippet)
        }
        None => title.element(snippet.path(&file.name)),
    };
    renderer.render(&[group])
}

/// The first line of a place; a long one is cut.
struct Excerpt<'a> {
    line: &'a str,
    /// The line's number.
    number: usize,
    /// The place's column, if the line was cut before it.
    column: Option<usize>,
    /// The place within the line.
    span: std::ops::Range<usize>,
}

fn excerpt(text: &str, place: Place) -> Excerpt<'_> {
    let span = place.span();
    let start = floor_char(text, span.start.min(text.len()));
    let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = text[start..]
        .find('\n')
        .map_or(text.len(), |newline| start + newline);
    let number = text[..line_start].matches('\n').count() + 1;
    // The place of a block begins with it; show its first line only.
    let end = floor_char(text, span.end.clamp(start, line_end)).max(start);
    if line_end - line_start <= LINE_MAX {
        let line = text[line_start..line_end].trim_end_matches('\r');
        let within = |at: usize| (at - line_start).min(line.len());
        return Excerpt {
            line,
            number,
            column: None,
            span: within(start)..within(end),
        };
    }
    let from = floor_char(text, start.saturating_sub(LINE_MAX / 4).max(line_start));
    let to = floor_char(text, (from + LINE_MAX).min(line_end));
    Excerpt {
        line: &text[from..to],
        number,
        column: (from > line_start).then(|| text[line_start..start].chars().count() + 1),
        span: start - from..end.min(to) - from,
    }
}

fn floor_char(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
