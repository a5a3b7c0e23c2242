//! Scenarios and files made to exhaust the reader: each is refused by a limit, not by patience.

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::path::Path;

use p2psim::scenario::{LoadOptions, load, parse};

const GOOD: &str = include_str!("../scenarios/erdos-renyi.yaml");
const LATENCIES: &str = "  LocA: {LocA: \"norm(2, 0.5)\", LocB: \"norm(12, 2)\"}\n  \
                         LocB: {LocB: \"gamma(1, 1, 1)\"}\n";

/// What is wrong with the good scenario after one part of it is replaced.
fn refused(folder: &Path, old: &str, new: &str) -> String {
    assert!(GOOD.contains(old), "{old}");
    let shown = parse(
        &GOOD.replace(old, new),
        "bad",
        folder,
        &LoadOptions::default(),
    )
    .unwrap_err()
    .render(false);
    assert!(shown.len() < 20_000, "{} bytes are shown", shown.len());
    shown
}

fn assert_refused(old: &str, new: &str, message: &str) {
    let shown = refused(Path::new("."), old, new);
    assert!(shown.contains(message), "{message}:\n{shown}");
}

/// The good scenario with the matrix `csv` for its latencies.
fn matrix_refused(csv: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("matrix.csv"), csv).unwrap();
    let old = format!("latencies:                        # round trip in ms\n{LATENCIES}");
    refused(folder.path(), &old, "latencies: matrix.csv\n")
}

#[test]
fn locations_are_bounded_wherever_they_are_named() {
    let names: Vec<String> = (0..100_000).map(|number| format!("L{number}")).collect();
    assert_refused(
        "[LocA, LocB]",
        &format!("[{}]", names.join(", ")),
        "there are 100000 locations",
    );
    let rows: String = names
        .iter()
        .map(|name| format!("  {name}: {{}}\n"))
        .collect();
    let listed = "locations: [LocA, LocB]\n";
    let text = GOOD.replace(listed, "").replace(LATENCIES, &rows);
    let error = parse(&text, "bad", Path::new("."), &LoadOptions::default()).unwrap_err();
    assert!(
        error
            .render(false)
            .contains("there are more than 1024 locations"),
        "{error}"
    );
}

#[test]
fn expressions_are_bounded() {
    let arguments = "1, ".repeat(1_000_000);
    assert_refused(
        "(12, 2)",
        &format!("({arguments})"),
        "this expression is too long",
    );
    assert_refused(
        "(10, 0.5)",
        &format!("({arguments})"),
        "this expression is too long",
    );
}

#[test]
fn a_matrix_of_bad_rows_is_given_up_early() {
    let shown = matrix_refused(&format!(",LocA,LocB\n{}", "x\n".repeat(500_000)));
    assert!(shown.contains("this row has 1 cells"), "{shown}");
    assert_eq!(shown.matches("error:").count(), 5, "{shown}");
    let mut rows = String::from(",LocA,LocB\n");
    for number in 0..100_000 {
        writeln!(rows, "r{number},1,1").unwrap();
    }
    let shown = matrix_refused(&rows);
    assert!(shown.contains("has no row `LocA`"), "{shown}");
}

#[test]
fn a_matrix_that_is_none_says_where() {
    for (csv, message) in [
        ("", "this matrix is empty"),
        (",LocA,LocB\n", "this matrix is empty"),
        (",LocA,LocB\nLocA,1\nLocB,1,1\n", "this row has 2 cells"),
        (
            ",LocA,LocB\nLocA,1,1\nLocA,1,1\n",
            "row `LocA` is there twice",
        ),
        (
            ",LocA,LocA\nLocA,1,1\nLocB,1,1\n",
            "column `LocA` is there twice",
        ),
        (
            ",LocA,LocB\nLocA,1,x\nLocB,1,1\n",
            "`x` between `LocA` and `LocB` is no latency",
        ),
        (
            ",LocA,LocB\nLocA,1,-1\nLocB,1,1\n",
            "`-1` between `LocA` and `LocB` is no latency",
        ),
        (",LocA,LocB\nLocA,1,inf\nLocB,1,1\n", "`inf` between"),
        (
            ",LocA,LocB\nLocA,1,\nLocB,,1\n",
            "latencies that are missing: LocA-LocB",
        ),
    ] {
        let shown = matrix_refused(csv);
        assert!(shown.contains(message), "{message}:\n{shown}");
    }
    // An empty line counts.
    let shown = matrix_refused(",LocA,LocB\r\n\r\nLocA,1,x\r\nLocB,1,1\r\n");
    assert!(shown.contains("matrix.csv:3:1"), "{shown}");
}

#[test]
fn a_long_line_is_cut_but_its_column_is_not() {
    let services = format!("[{}Nope]", " ".repeat(3_000));
    let shown = refused(Path::new("."), "[BaseConnectionManager]", &services);
    assert!(shown.contains("bad.yaml:15:3016"), "{shown}");
}

#[cfg(unix)]
#[test]
fn a_pipe_that_nobody_writes_to_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    if !made.is_ok_and(|status| status.success()) {
        return;
    }
    let message = "it is a pipe or a device, not a file";
    let error = load(&pipe, &LoadOptions::default()).unwrap_err();
    assert!(error.render(false).contains(message), "{error}");
    assert!(refused(folder.path(), "erdos_renyi_graph(10, 0.5)", "pipe").contains(message));
}
