//! A report: runs on one page that needs nothing but a browser.

mod summary;

use std::path::Path;

use serde_json::json;

use super::charts::{Body, Chart, PastRun, ReadError, Subject, charts, tell_apart};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
const ECHARTS: &str = include_str!("vendor/echarts.min.js");
/// What only services of one's own make is not missed where there is none.
const OPTIONAL: [&str; 2] = ["observations", "counts"];
/// By this a file is known to be a report.
const MARK: &str = "<meta name=\"generator\" content=\"p2psim\">";
/// How far into a file the mark is.
const MARK_WITHIN: usize = 1000;

/// A page about one or several runs.
#[derive(Debug)]
pub struct Report {
    runs: Vec<PastRun>,
    charts: Vec<Chart>,
}

impl Report {
    /// Reads everything that is shown from the runs' folders.
    ///
    /// # Errors
    /// If a table in one of them cannot be read.
    pub fn of(mut runs: Vec<PastRun>) -> Result<Self, ReadError> {
        tell_apart(&mut runs);
        let mut charts = charts(&runs, &Subject::ALL)?;
        charts
            .retain(|chart| !(matches!(chart.body, Body::Missing) && OPTIONAL.contains(&chart.id)));
        Ok(Report { runs, charts })
    }

    /// The page.
    pub fn html(&self) -> String {
        let cards: Vec<_> = self.runs.iter().map(summary::run_card).collect();
        let data = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "runs": cards,
            "summary": summary::rows(&self.runs),
            "charts": self.charts,
        });
        let title = match &self.runs[..] {
            [run] => run.label.clone(),
            runs => {
                let labels: Vec<&str> = runs.iter().map(|run| run.label.as_str()).collect();
                labels.join(", ")
            }
        };
        let parts = [
            ("title", escaped(&title)),
            ("style", STYLE.to_owned()),
            ("data", in_script(&data.to_string())),
            ("echarts", ECHARTS.to_owned()),
            ("script", SCRIPT.to_owned()),
        ];
        filled(PAGE, &parts)
    }

    /// Whether a file is a report, which a new one may replace.
    pub fn is_at(path: &Path) -> bool {
        std::fs::read(path).is_ok_and(|bytes| {
            let start = &bytes[..bytes.len().min(MARK_WITHIN)];
            String::from_utf8_lossy(start).contains(MARK)
        })
    }
}

/// The template with each `{{name}}` replaced; what is put in is not looked at again.
fn filled(template: &str, parts: &[(&str, String)]) -> String {
    let mut page = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        page.push_str(before);
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        if let Some((_, part)) = parts.iter().find(|(known, _)| *known == name) {
            page.push_str(part);
        }
        rest = after;
    }
    page.push_str(rest);
    page
}

/// JSON that nothing in it can end the script that holds it.
fn in_script(json: &str) -> String {
    json.replace('<', "\\u003c")
}

/// Text as HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_filled_once() {
        let parts = [("a", "{{b}}".to_owned()), ("b", "x".to_owned())];
        assert_eq!(filled("<{{a}}-{{b}}>", &parts), "<{{b}}-x>");
        for name in ["title", "style", "data", "echarts", "script"] {
            assert_eq!(
                PAGE.matches(&format!("{{{{{name}}}}}")).count(),
                1,
                "{name}"
            );
        }
        assert!(PAGE.find(MARK).is_some_and(|place| place < MARK_WITHIN / 2));
    }

    #[test]
    fn no_name_ends_the_script() {
        let text = serde_json::to_string("</script><!-- a & b").expect("a text");
        let held = in_script(&text);
        assert!(!held.contains('<'));
        let read: String = serde_json::from_str(&held).expect("the same text");
        assert_eq!(read, "</script><!-- a & b");
        assert_eq!(escaped("<a & \"b\">"), "&lt;a &amp; &quot;b&quot;&gt;");
    }

    #[test]
    fn scripts_hold_nothing_that_ends_them() {
        for script in [ECHARTS, SCRIPT] {
            assert!(!script.contains("</script") && !script.contains("<!--"));
        }
    }
}
