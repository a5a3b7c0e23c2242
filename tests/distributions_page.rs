//! `docs/distributions.md` has every law with its parameters and their ranges, as the code has them.
//!
//! Its table is written anew with `P2PSIM_REGENERATE=1 cargo test --test distributions_page`.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use p2psim::distribution::{MODIFIERS, laws};

const BEGIN: &str = "<!-- from the code -->\n";

fn tables() -> String {
    let mut text = String::from(
        "| distribution | ranges of the shapes | support | what it is |\n|---|---|---|---|\n",
    );
    for spec in laws() {
        let names: Vec<&str> = spec.shapes.iter().map(|&(name, _)| name).collect();
        let ranges: Vec<String> = spec
            .shapes
            .iter()
            .map(|(name, range)| format!("`{name}` {}", range.described()))
            .collect();
        text.push_str(&format!(
            "| `{}({})` | {} | {} | {} |\n",
            spec.name,
            names.join(", "),
            ranges.join("; "),
            spec.support.replace('|', "\\|"),
            spec.about.replace('|', "\\|")
        ));
    }
    text.push_str("\n## Modifiers\n\n| written | what it is |\n|---|---|\n");
    for spec in &MODIFIERS {
        text.push_str(&format!("| `{}` | {} |\n", spec.call, spec.about));
    }
    text
}

#[test]
fn the_page_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/distributions.md");
    let page = fs::read_to_string(&path).unwrap();
    let (head, rest) = page.split_once(BEGIN).unwrap();
    if std::env::var_os("P2PSIM_REGENERATE").is_some() {
        fs::write(&path, format!("{head}{BEGIN}{}", tables())).unwrap();
        return;
    }
    assert_eq!(rest, tables());
}
