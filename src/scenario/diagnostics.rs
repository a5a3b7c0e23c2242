//! Problems of a scenario: collected while it is compiled, shown all at once with their places.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::source::{Place, SourceFile, Sources};

/// Most problems that are shown at once; the others are counted.
const SHOWN_MAX: usize = 20;

/// Longest part of a line that is shown, in bytes: a file may be one line of megabytes.
const LINE_BYTES_MAX: usize = 400;

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The scenario cannot be run.
    Error,
    /// It can, but perhaps not as meant.
    Warning,
}

/// A problem of a scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub message: String,
    /// Where; some problems, such as a file that cannot be read, have no place.
    pub place: Option<Place>,
    /// What stands under the marked text: what was expected there. May be empty.
    pub label: String,
    /// How to mend it. May be empty.
    pub help: String,
}

impl Diagnostic {
    /// An error at a place.
    pub(super) fn error(place: Option<Place>, message: impl Into<String>) -> Self {
        Diagnostic {
            severity: Severity::Error,
            message: message.into(),
            place,
            label: String::new(),
            help: String::new(),
        }
    }

    /// A warning about a place.
    pub(super) fn warning(place: Option<Place>, message: impl Into<String>) -> Self {
        Diagnostic {
            severity: Severity::Warning,
            ..Diagnostic::error(place, message)
        }
    }

    /// Says what was expected.
    pub(super) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Says how to mend it.
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }
}

/// The problems found so far.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// One problem more.
    pub(super) fn add(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Whether there is an error among them.
    pub fn has_errors(&self) -> bool {
        self.0
            .iter()
            .any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// All of them: errors first, then in the order of their places, those without a place first.
    pub fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.0.sort_by_key(|diagnostic| {
            (
                diagnostic.severity == Severity::Warning,
                diagnostic.place,
            )
        });
        self.0.dedup();
        self.0
    }
}

/// Shows problems for a terminal or, without colours, for a file; the first 20 of them.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, colour: bool) -> String {
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut shown: Vec<String> = diagnostics
        .iter()
        .take(SHOWN_MAX)
        .map(|diagnostic| render_one(diagnostic, sources, &renderer))
        .collect();
    let rest = diagnostics.get(SHOWN_MAX..).unwrap_or_default();
    for (severity, one) in [(Severity::Error, "error"), (Severity::Warning, "warning")] {
        let count = rest.iter().filter(|more| more.severity == severity).count();
        if count > 0 {
            let plural = if count == 1 { "" } else { "s" };
            shown.push(format!("and {count} more {one}{plural}"));
        }
    }
    shown.join("\n\n") + "\n"
}

fn render_one(diagnostic: &Diagnostic, sources: &Sources, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    // A message is one line, whatever text found its way into it.
    let message = diagnostic.message.replace(['\n', '\r'], " ");
    let mut group = Group::with_title(level.primary_title(message));
    let window = diagnostic
        .place
        .and_then(|place| Some(Window::around(place, sources.get(place.source)?)));
    if let Some(window) = &window {
        let label = (!diagnostic.label.is_empty()).then_some(diagnostic.label.as_str());
        let snippet = Snippet::source(window.text.as_str())
            .line_start(window.line)
            .annotation(
                AnnotationKind::Primary
                    .span(window.mark.clone())
                    .label(label),
            );
        group = match window.column {
            // The renderer would count columns from where the line was cut.
            Some(column) => group
                .element(
                    Origin::path(window.name)
                        .line(window.line)
                        .char_column(column),
                )
                .element(snippet),
            None => group.element(snippet.path(window.name)),
        };
    }
    if !diagnostic.help.is_empty() {
        group = group.element(Level::HELP.message(diagnostic.help.as_str()));
    }
    renderer.render(&[group])
}

/// The line of a place, cut where it is long.
struct Window<'a> {
    name: &'a str,
    /// From 1.
    line: usize,
    /// From 1; only where the line was cut at its start.
    column: Option<usize>,
    text: String,
    mark: std::ops::Range<usize>,
}

impl<'a> Window<'a> {
    fn around(place: Place, source: &'a SourceFile) -> Self {
        let text = source.text.as_str();
        let start = floor_char(text, place.span().start);
        let end = floor_char(text, place.span().end).max(start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        // A place of several lines is marked in its first.
        let end = end.min(line_end);

        let cut_start = match start.checked_sub(LINE_BYTES_MAX / 4) {
            Some(cut) if line_end - line_start > LINE_BYTES_MAX && cut > line_start => {
                floor_char(text, cut)
            }
            _ => line_start,
        };
        let cut_end = floor_char(text, line_end.min(cut_start + LINE_BYTES_MAX));
        let shown = text[cut_start..cut_end].trim_end_matches('\r');
        let mark = (start - cut_start).min(shown.len())..(end.min(cut_end) - cut_start).min(shown.len());
        Window {
            name: &source.name,
            line: text[..line_start].matches('\n').count() + 1,
            column: (cut_start > line_start).then(|| text[line_start..start].chars().count() + 1),
            text: shown.to_owned(),
            mark,
        }
    }
}

/// The last boundary between characters that is not after `at`.
fn floor_char(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str, span: std::ops::Range<u32>) -> String {
        let mut sources = Sources::default();
        let source = sources.add("bad.yaml", text);
        let place = Place {
            source,
            start: span.start,
            end: span.end,
        };
        let diagnostic = Diagnostic::error(Some(place), "unknown location `LocC`")
            .label("known locations: LocA, LocB");
        render(&[diagnostic], &sources, false)
    }

    #[test]
    fn shows_the_line_with_the_mark_under_it() {
        assert_eq!(
            show("a: 1\n    location: sample(LocA, LocC)\nb: 1\n", 32..36),
            "\
error: unknown location `LocC`
 --> bad.yaml:2:28
  |
2 |     location: sample(LocA, LocC)
  |                            ^^^^ known locations: LocA, LocB
"
        );
    }

    #[test]
    fn cuts_long_lines() {
        let text = format!("{}é{}", "x".repeat(1_000_000), "y".repeat(1_000_000));
        let shown = show(&text, 1_000_000..1_000_002);
        assert!(shown.contains("bad.yaml:1:1000001"), "{shown}");
        assert!(shown.len() < 2_000, "{}", shown.len());
    }

    #[test]
    fn marks_at_ends_and_across_lines_are_fine() {
        for (text, span) in [("", 0..0), ("a", 1..1), ("a\n", 2..2), ("a\r\nb", 0..4), ("é", 1..1)] {
            assert!(show(text, span).contains("bad.yaml:"), "{text:?}");
        }
        assert!(show("a", 70..90).contains("bad.yaml:1:2"));
    }

    #[test]
    fn shows_a_bounded_number() {
        let diagnostics = vec![Diagnostic::error(None, "no"); 22];
        let shown = render(&diagnostics, &Sources::default(), false);
        assert!(shown.ends_with("error: no\n\nand 2 more errors\n"), "{shown}");
    }
}
