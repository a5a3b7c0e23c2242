//! The layers of the crate: each room may use only what stands to its right.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

/// From the top to the bottom; rooms of one layer do not use each other.
const LAYERS: [&[&str]; 10] = [
    &["cli"],
    &["report", "scenario"],
    &["simulation"],
    &["services"],
    &["engine"],
    &["network", "topology", "record"],
    &["distribution"],
    &["random", "expression"],
    &["message"],
    &["time", "peer", "units", "memory"],
];

fn layer(room: &str) -> usize {
    LAYERS
        .iter()
        .position(|rooms| rooms.contains(&room))
        .unwrap_or_else(|| panic!("`{room}` stands in no layer of tests/architecture.rs"))
}

fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
            let name = path
                .strip_prefix(&root)
                .unwrap()
                .to_string_lossy()
                .replace('\\', "/");
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

fn all_sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut found,
    );
    found.sort();
    found
}

#[test]
fn each_room_uses_only_the_layers_below_it() {
    let mut wrong = Vec::new();
    let mut checked = 0;
    for (file, text) in all_sources() {
        let room = file.split('/').next().unwrap().trim_end_matches(".rs");
        if room == "lib" || room == "main" {
            continue;
        }
        for line in text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
        {
            for used in line.split("crate::").skip(1) {
                let used: String = used
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                checked += 1;
                if used != room && layer(&used) <= layer(room) {
                    wrong.push(format!("src/{file} uses crate::{used}: {}", line.trim()));
                }
            }
        }
    }
    assert!(
        checked > 100,
        "only {checked} uses were found: is this test still reading them?"
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_file_says_what_it_is_for() {
    for (file, text) in all_sources() {
        assert!(
            text.starts_with("//! "),
            "src/{file} does not open with its responsibility"
        );
    }
}

#[test]
fn results_come_from_no_hash_map_clock_or_global_generator() {
    let forbidden = [
        "HashMap",
        "HashSet",
        "SystemTime",
        "thread_rng",
        "rand::rng()",
    ];
    for (file, text) in all_sources() {
        for word in forbidden {
            assert!(!text.contains(word), "src/{file} uses {word}");
        }
        let clock = text.contains("Instant::now");
        assert!(
            !clock || file.starts_with("cli/"),
            "src/{file} reads the clock"
        );
        let prints = ["println!", "eprintln!", "print!(", "process::exit"];
        let prints = prints.iter().any(|word| text.contains(word));
        assert!(
            !prints || file.starts_with("cli/"),
            "src/{file} prints or exits"
        );
    }
}
