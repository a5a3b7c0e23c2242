//! What the documentation shows is what happens: each console session in it is run, and its
//! output compared. `P2PSIM_UPDATE_DOCS=1 cargo test --test docs` writes the new output instead.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::Command;

/// A line of only this stands for any number of lines.
const ANY_LINES: &str = "...";
/// This stands for any text within a line.
const ANY_TEXT: &str = "[..]";

/// Runs a command line as a reader would, in `folder`, and returns what it prints.
fn printed(command: &str, folder: &Path) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_p2psim"));
    let path = std::env::join_paths(
        std::iter::once(program.parent().unwrap().to_owned())
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let output = Command::new("sh")
        .args(["-c", command])
        .current_dir(folder)
        .env("PATH", path.unwrap())
        .env("COLUMNS", "100")
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let mut text = String::from_utf8(output.stdout).unwrap();
    // On a busy machine a run may take more than 10 s, and says how far it is.
    let errors = String::from_utf8(output.stderr).unwrap();
    let lines = errors.split_inclusive('\n');
    text.extend(
        lines.filter(|line| !(line.contains(" events/s, ") && line.contains(" in flight"))),
    );
    text
}

fn line_matches(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split(ANY_TEXT);
    let first = parts.next().unwrap();
    let Some(mut rest) = line.strip_prefix(first) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
        last = Some(part);
    }
    rest.is_empty() || last == Some("")
}

fn lines_match(patterns: &[&str], lines: &[&str]) -> bool {
    match patterns {
        [] => lines.is_empty(),
        [ANY_LINES, rest @ ..] => (0..=lines.len()).any(|skip| lines_match(rest, &lines[skip..])),
        [first, rest @ ..] => lines
            .split_first()
            .is_some_and(|(line, lines)| line_matches(first, line) && lines_match(rest, lines)),
    }
}

/// Puts new lines in the place of old ones, keeping a pattern where it still holds.
fn renewed(patterns: &[&str], lines: &[&str]) -> Vec<String> {
    if let Some(at) = patterns.iter().position(|&pattern| pattern == ANY_LINES) {
        // What is shown before the gap, and after it as many lines as were.
        let tail = patterns.len() - at - 1;
        let head = &lines[..at.min(lines.len())];
        let after = &lines[lines.len().saturating_sub(tail)..];
        let shown = renewed(&patterns[..at], head).into_iter();
        return shown
            .chain([ANY_LINES.to_owned()])
            .chain(renewed(&patterns[at + 1..], after))
            .collect();
    }
    let old = patterns
        .iter()
        .copied()
        .map(Some)
        .chain(std::iter::repeat(None));
    lines
        .iter()
        .zip(old)
        .map(|(line, old)| match old {
            Some(pattern) if line_matches(pattern, line) => pattern.to_owned(),
            _ => (*line).to_owned(),
        })
        .collect()
}

/// A folder that holds the shipped scenarios, and an experiment of p2psimpy.
fn readers_folder() -> tempfile::TempDir {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    for place in ["scenarios", "scenarios/scripts"] {
        fs::create_dir(folder.path().join(place)).unwrap();
        for entry in fs::read_dir(root.join(place)).unwrap() {
            let from = entry.unwrap().path();
            if from.is_file() {
                let to = folder.path().join(place).join(from.file_name().unwrap());
                fs::copy(&from, to).unwrap();
            }
        }
    }
    // An experiment that p2psimpy has saved.
    fs::create_dir(folder.path().join("expr")).unwrap();
    for file in ["locations.yaml", "services.yaml", "topology.yaml"] {
        let from = root.join("tests/data/p2psimpy-experiment/graph").join(file);
        fs::copy(from, folder.path().join("expr").join(file)).unwrap();
    }
    folder
}

/// Runs all console sessions of a page, one after the other in one folder.
fn check(page: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = readers_folder();
    let path = root.join(page);
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let mut new: Vec<String> = Vec::new();
    let mut problems = Vec::new();
    let mut sessions = 0;
    let mut place = 0;
    while place < lines.len() {
        new.push(lines[place].to_owned());
        place += 1;
        if lines[place - 1] != "```console" {
            continue;
        }
        sessions += 1;
        while lines[place] != "```" {
            let first = place;
            assert!(
                lines[first].starts_with("$ "),
                "{page}:{}: {}",
                first + 1,
                lines[first]
            );
            // A command goes on after a line that ends with a backslash.
            while lines[place].ends_with('\\') {
                place += 1;
            }
            place += 1;
            let start = place;
            let command = lines[first..start].join("\n");
            new.extend(lines[first..start].iter().map(|&line| line.to_owned()));
            while lines[place] != "```" && !lines[place].starts_with("$ ") {
                place += 1;
            }
            // An empty line before the next command is for the eye.
            let blank = lines[place] != "```" && place > start && lines[place - 1].is_empty();
            let expected = &lines[start..place - usize::from(blank)];
            let printed = printed(&command[2..], folder.path());
            let printed: Vec<&str> = printed.lines().map(str::trim_end).collect();
            if !lines_match(expected, &printed) {
                let shown = printed.join("\n");
                problems.push(format!("{page}:{start}: {command}\n{shown}\n"));
            }
            new.extend(renewed(expected, &printed));
            if blank {
                new.push(String::new());
            }
        }
    }
    assert!(sessions > 0, "{page} shows no session");
    let update = std::env::var_os("P2PSIM_UPDATE_DOCS").is_some();
    // Pictures that a session draws, if the page has them.
    for entry in fs::read_dir(root.join("docs/pictures")).unwrap() {
        let shown = entry.unwrap().path();
        let drawn = folder.path().join(shown.file_name().unwrap());
        if update && drawn.is_file() {
            fs::copy(&drawn, &shown).unwrap();
        } else if drawn.is_file() && fs::read(&drawn).unwrap() != fs::read(&shown).unwrap() {
            problems.push(format!("{}: another picture is drawn", shown.display()));
        }
    }
    if update {
        fs::write(&path, new.join("\n") + "\n").unwrap();
        return;
    }
    assert!(
        problems.is_empty(),
        "what is shown is not what happens:\n{}",
        problems.join("\n")
    );
}

#[test]
fn the_tutorial_shows_what_happens() {
    check("docs/tutorial.md");
}

#[test]
fn the_page_on_reports_shows_what_happens() {
    check("docs/report.md");
}

#[test]
fn the_page_on_services_shows_what_happens() {
    check("docs/services.md");
}

#[test]
fn the_page_on_shells_shows_what_happens() {
    check("docs/shells.md");
}

#[cfg(feature = "luau")]
#[test]
fn the_page_on_scripts_shows_what_happens() {
    check("docs/scripts.md");
}

/// The service on the page on Rust is the example, which is compiled.
#[test]
fn the_page_on_rust_has_the_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/extending.md")).unwrap();
    let example = fs::read_to_string(root.join("examples/heartbeat.rs")).unwrap();
    assert!(page.contains(&format!("```rust\n{example}```\n")));
    // Its protocol: the state and what it does.
    let start = example.find("struct Heartbeat").unwrap();
    let end = example.find("const DURATION").unwrap();
    assert!(example[start..end].lines().count() < 40);
}

#[test]
fn the_readme_shows_what_happens() {
    check("README.md");
}

/// Commands that stand alone, indented by four blanks: they succeed, for one who has run the
/// scenarios of erdos-renyi and gossip and has a scenario of his own.
#[test]
fn commands_on_all_pages_work() {
    let folder = readers_folder();
    let scenarios = folder.path().join("scenarios");
    fs::copy(
        scenarios.join("gossip.yaml"),
        folder.path().join("scenario.yaml"),
    )
    .unwrap();
    for scenario in ["erdos-renyi", "gossip"] {
        printed(
            &format!("p2psim run scenarios/{scenario}.yaml -q"),
            folder.path(),
        );
    }
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let mut commands = 0;
    for entry in fs::read_dir(docs).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "md") {
            continue;
        }
        for line in fs::read_to_string(&path).unwrap().lines() {
            let Some(command) = line.strip_prefix("    p2psim ") else {
                continue;
            };
            let shown = printed(&format!("p2psim {command}\necho status $?"), folder.path());
            assert!(
                shown.contains("status 0"),
                "{}: {command}\n{shown}",
                path.display()
            );
            commands += 1;
        }
    }
    assert!(commands > 5, "the pages show {commands} commands");
}

/// The Python of the page on analysis, in one go, where there is a Python (`P2PSIM_PYTHON`) that
/// has what it imports.
#[test]
fn python_on_the_page_on_analysis_runs() {
    let Some(python) = std::env::var_os("P2PSIM_PYTHON") else {
        return println!("skipped: P2PSIM_PYTHON names no Python");
    };
    let run = |program: &str, folder: &Path| {
        let mut command = Command::new(&python);
        command.args(["-c", program]).current_dir(folder);
        command.output().unwrap()
    };
    let folder = readers_folder();
    let needs = "import networkx, pandas, polars";
    if !run(needs, folder.path()).status.success() {
        return println!("skipped: this Python has no networkx, pandas or polars");
    }
    run_gossip_under_three_seeds(folder.path());
    let program = snippets("python");
    assert!(program.len() > 4, "the page has {} snippets", program.len());
    let output = run(&program.join("\n"), folder.path());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && !output.stdout.is_empty(),
        "{errors}"
    );
}

/// Its R, where there is an `Rscript`.
#[test]
fn r_on_the_page_on_analysis_runs() {
    let folder = readers_folder();
    let run = |program: &str| {
        let mut command = Command::new("Rscript");
        command.args(["--vanilla", "-e", program]);
        command.current_dir(folder.path()).output()
    };
    if run("1").is_err() {
        return println!("skipped: there is no Rscript");
    }
    run_gossip_under_three_seeds(folder.path());
    let program = snippets("r");
    assert!(!program.is_empty(), "the page has no R");
    let output = run(&program.join("\n")).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains("gossip-3"), "{printed}");
    let picture = fs::metadata(folder.path().join("delays.svg")).unwrap();
    assert!(picture.len() > 1000);
}

fn run_gossip_under_three_seeds(folder: &Path) {
    for seed in 1..=3 {
        let command = format!("p2psim run scenarios/gossip.yaml --seed {seed} --quiet");
        printed(&command, folder);
    }
}

/// The snippets in this language on the page on analysis.
fn snippets(language: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/analysis.md");
    let text = fs::read_to_string(path).unwrap();
    let fence = format!("```{language}\n");
    let blocks = text.split(&fence).skip(1);
    let inside = |block: &str| Some(block.split_once("```")?.0.to_owned());
    blocks.filter_map(inside).collect()
}

#[test]
fn patterns_stand_for_lines_and_text() {
    assert!(line_matches("wall [..] s", "wall 0.01 s") && !line_matches("wall [..] s", "wal"));
    assert!(line_matches("a[..]", "abc") && !line_matches("a", "abc"));
    assert!(lines_match(&["a", "...", "d"], &["a", "b", "c", "d"]));
    assert!(!lines_match(&["a", "...", "d"], &["a", "b"]));
    let new = renewed(&["a[..]", "...", "old"], &["abc", "x", "y", "z"]);
    assert_eq!(new, ["a[..]", "...", "z"]);
}
