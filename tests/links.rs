//! Every relative link in the documentation leads to a file that is there, and to a heading of it.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

/// A page's lines outside of code blocks.
fn prose(text: &str) -> Vec<&str> {
    let mut is_code = false;
    text.lines()
        .filter(|line| {
            let is_fence = line.trim_start().starts_with("```");
            is_code ^= is_fence;
            !is_code && !is_fence
        })
        .collect()
}

/// The targets of a page's links and pictures: `target` in `[text](target)`.
fn targets(text: &str) -> Vec<String> {
    let joined = prose(text).join("\n");
    joined
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.to_owned())
        .collect()
}

/// What GitHub calls a heading in links: small letters, `-` for blanks, no punctuation.
fn anchor(heading: &str) -> String {
    heading
        .trim_start_matches('#')
        .trim()
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

fn anchors(text: &str) -> Vec<String> {
    prose(text)
        .into_iter()
        .filter(|line| line.starts_with('#'))
        .map(anchor)
        .collect()
}

fn pages(root: &Path) -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = fs::read_dir(root.join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .collect();
    pages.push(root.join("README.md"));
    pages.push(root.join("benches/compare/README.md"));
    pages.sort();
    pages
}

#[test]
fn links_between_pages_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut broken = Vec::new();
    let mut checked = 0;
    for page in pages(root) {
        let text = fs::read_to_string(&page).unwrap();
        for target in targets(&text) {
            if target.contains("://") {
                continue;
            }
            checked += 1;
            let (file, heading) = target.split_once('#').unwrap_or((target.as_str(), ""));
            let path = if file.is_empty() {
                page.clone()
            } else {
                page.parent().unwrap().join(file)
            };
            let is_there = path.exists()
                && (heading.is_empty()
                    || anchors(&fs::read_to_string(&path).unwrap())
                        .iter()
                        .any(|known| known == heading));
            if !is_there {
                broken.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(
        checked > 40,
        "only {checked} links were found: is this test still reading them?"
    );
    assert!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
}

#[test]
fn links_and_headings_are_read_as_github_reads_them() {
    assert_eq!(anchor("## One's own"), "ones-own");
    assert_eq!(anchor("### Peer-to-peer"), "peer-to-peer");
    assert_eq!(anchor("## messages.csv"), "messagescsv");
    assert_eq!(
        targets("a [b](c.md#d) ![e](f.png)\n```\n[x](y)\n```\n[g\nh](i)"),
        ["c.md#d", "f.png", "i"]
    );
    assert_eq!(anchors("# A b\n```\n# no\n```\n## C"), ["a-b", "c"]);
}
