//! Draws for people: one draw as a table, many as statistics and a grid of histograms.

use std::io::{self, Write};

use super::{Latencies, Peers, Series, Subject};
use crate::report::histogram::{FIGURES, Statistics};
use crate::report::table;
use crate::units::{Unit, show_bandwidth, show_count};

/// The narrowest panel of a grid, in columns.
const PANEL_WIDTH_MIN: usize = 31;
/// The widest one.
const PANEL_WIDTH_MAX: usize = 56;
/// Columns between two panels.
const GAP: usize = 3;
/// The height of the bars, in lines.
const BARS_HEIGHT: usize = 5;
/// A single panel is larger.
const SINGLE_WIDTH_MAX: usize = 80;
const SINGLE_BARS_HEIGHT: usize = 10;
/// More locations than this are not shown as histograms: 36 are what one looks through.
pub(super) const PANEL_LOCATIONS_MAX: usize = 6;
/// Each type of peers has two panels.
pub(super) const PANEL_TYPES_MAX: usize = 18;
/// Nor are more than this, of either direction, shown as statistics.
const TABLE_LOCATIONS_MAX: usize = 20;
const TABLE_TYPES_MAX: usize = 200;
/// More shares of locations than this are not shown.
const SHARES_MAX: usize = 10;

/// One draw as a table, several as their statistics; one law alone as a panel of `width`
/// columns.
///
/// # Errors
/// When `out` refuses, or a bandwidth is hardly ever positive.
pub fn statistics(
    subject: &Subject,
    count: u64,
    width: usize,
    out: &mut impl Write,
) -> io::Result<()> {
    match subject {
        Subject::Law(series) if count == 1 => {
            let unit = match series.measures.as_str() {
                "" => "",
                _ => series.dimension.unit_for(0.0).name,
            };
            let value = series.clone().first()?;
            writeln!(out, "{}", format!("{value} {unit}").trim_end())
        }
        Subject::Law(series) => single(series, count, width, out),
        Subject::Latencies(latencies) if count == 1 => matrix(latencies, out),
        Subject::Latencies(latencies) => latency_statistics(latencies, count, out),
        Subject::Peers(peers) if count == 1 => one_of_each(*peers, out),
        Subject::Peers(peers) => peer_statistics(*peers, count, out),
        Subject::Both(latencies, peers) => {
            if count == 1 {
                matrix(latencies, out)?;
                writeln!(out)?;
                one_of_each(*peers, out)
            } else {
                latency_statistics(latencies, count, out)?;
                writeln!(out)?;
                peer_statistics(*peers, count, out)
            }
        }
    }
}

/// Histograms with their statistics, in `width` columns: a grid of the latencies from each
/// location (or of each type's bandwidths, where only peers are asked for).
///
/// # Errors
/// When `out` refuses, or a bandwidth is hardly ever positive.
pub fn histogram(
    subject: &Subject,
    count: u64,
    width: usize,
    out: &mut impl Write,
) -> io::Result<()> {
    match subject {
        Subject::Law(series) => single(series, count, width, out),
        Subject::Latencies(latencies) | Subject::Both(latencies, _) => {
            let (measures, _) = latencies.meaning();
            headline(out, &format!("{measures} in ms"), count, subject.seed())?;
            let shown = latencies.at_most(PANEL_LOCATIONS_MAX);
            for &from in &shown.from {
                let row = shown.to.iter().filter_map(|&to| shown.series(from, to));
                panels(&row.collect::<Vec<Series>>(), count, width, out)?;
            }
            left_out(latencies, &shown, out)
        }
        Subject::Peers(peers) => {
            headline(out, "bandwidth", count, subject.seed())?;
            for draws in peers.types().take(PANEL_TYPES_MAX) {
                panels(&[draws.upload, draws.download], count, width, out)?;
            }
            shares(*peers, PANEL_TYPES_MAX, count, out)
        }
    }
}

fn headline(out: &mut impl Write, what: &str, count: u64, seed: u64) -> io::Result<()> {
    let draws = if count == 1 { "draw" } else { "draws" };
    writeln!(
        out,
        "{what}, {} {draws} from seed {seed}",
        show_count(count)
    )
}

/// A law alone.
fn single(series: &Series, count: u64, width: usize, out: &mut impl Write) -> io::Result<()> {
    let statistics = series.clone().statistics(count)?;
    let unit = series.unit(&statistics);
    let what = format!("{} in {}", series.title, unit.name);
    let what = what.trim_end().trim_end_matches(" in");
    headline(out, what, count, series.seed)?;
    writeln!(out)?;
    let width = width.min(SINGLE_WIDTH_MAX);
    for line in statistics.panel(unit, width, SINGLE_BARS_HEIGHT) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// A panel for each law.
fn panels(row: &[Series], count: u64, width: usize, out: &mut impl Write) -> io::Result<()> {
    let mut shown = Vec::with_capacity(row.len());
    for series in row {
        let statistics = series.clone().statistics(count)?;
        let unit = series.unit(&statistics);
        shown.push((series.title.clone(), statistics, unit));
    }
    side_by_side(&shown, width, out)
}

/// Panels side by side, folded into as many equal lines as the width asks for.
pub(in crate::report) fn side_by_side(
    row: &[(String, Statistics, Unit)],
    width: usize,
    out: &mut impl Write,
) -> io::Result<()> {
    if row.is_empty() {
        return Ok(());
    }
    let fitting = ((width + GAP) / (PANEL_WIDTH_MIN + GAP)).max(1);
    let lines = row.len().div_ceil(fitting);
    let across = row.len().div_ceil(lines);
    let panel_width = ((width + GAP) / across - GAP).min(PANEL_WIDTH_MAX);
    for part in row.chunks(across) {
        writeln!(out)?;
        let mut cells = Vec::with_capacity(part.len());
        for (title, statistics, unit) in part {
            let mut lines = vec![cut(title, panel_width)];
            lines.extend(statistics.panel(*unit, panel_width, BARS_HEIGHT));
            cells.push(lines);
        }
        for line in 0..cells.iter().map(Vec::len).max().unwrap_or(0) {
            let mut text = String::new();
            for (place, cell) in cells.iter().enumerate() {
                let shown = cell.get(line).map_or("", String::as_str);
                let start = place * (panel_width + GAP);
                let missing = start.saturating_sub(text.chars().count());
                text.push_str(&" ".repeat(missing));
                text.push_str(shown);
            }
            writeln!(out, "{}", text.trim_end())?;
        }
    }
    Ok(())
}

/// Text of at most `width` characters.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    kept + "…"
}

/// Says which locations are not shown, and how to see them.
fn left_out(all: &Latencies, shown: &Latencies, out: &mut impl Write) -> io::Result<()> {
    let (many, few) = (all.to.len(), shown.to.len());
    if many == few {
        return Ok(());
    }
    let names = &all.plan.locations;
    let example = if all.from.len() > 1 {
        format!("--what latencies.{} shows one row", names[many - 1])
    } else {
        format!(
            "--what latencies.{}.{} shows one",
            names[all.from[0]],
            names[many - 1]
        )
    };
    writeln!(
        out,
        "\nthe first {few} of {many} locations; {example}, --format csv has all"
    )
}

fn figures_table(
    first: &str,
    rows: impl Iterator<Item = io::Result<(String, Statistics, Unit)>>,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut shown = Vec::new();
    let mut notes: Vec<String> = Vec::new();
    for row in rows {
        let (name, statistics, unit) = row?;
        let mut cells = vec![name];
        cells.extend(statistics.figures(unit));
        shown.push(cells);
        for note in statistics.notes() {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    let mut header = vec![first];
    header.extend(FIGURES);
    write!(out, "{}", table(&header, 1, &shown))?;
    notes.iter().try_for_each(|note| writeln!(out, "{note}"))
}

fn latency_statistics(latencies: &Latencies, count: u64, out: &mut impl Write) -> io::Result<()> {
    let (measures, _) = latencies.meaning();
    headline(
        out,
        &format!("{measures} in ms"),
        count,
        latencies.plan.seed,
    )?;
    writeln!(out)?;
    let shown = latencies.at_most(TABLE_LOCATIONS_MAX);
    let rows = shown.pairs().map(|(_, _, series)| {
        let title = series.title.clone();
        let statistics = series.clone().statistics(count)?;
        let unit = series.unit(&statistics);
        Ok((title, statistics, unit))
    });
    figures_table("from, to", rows, out)?;
    left_out(latencies, &shown, out)
}

fn peer_statistics(peers: Peers, count: u64, out: &mut impl Write) -> io::Result<()> {
    headline(out, "peers", count, peers.plan.seed)?;
    writeln!(out)?;
    let series = peers
        .types()
        .take(TABLE_TYPES_MAX)
        .flat_map(|draws| [draws.upload, draws.download]);
    let rows = series.map(|series| {
        let statistics = series.clone().statistics(count)?;
        let unit = series.unit(&statistics);
        Ok((
            format!("{} in {}", series.title, unit.name),
            statistics,
            unit,
        ))
    });
    figures_table("bandwidth", rows, out)?;
    shares(peers, TABLE_TYPES_MAX, count, out)
}

/// Where the peers of the first `types_max` types are, and which types are not shown.
fn shares(peers: Peers, types_max: usize, count: u64, out: &mut impl Write) -> io::Result<()> {
    writeln!(out)?;
    for mut draws in peers.types().take(types_max) {
        let mut counts = vec![0_u64; peers.plan.locations.len()];
        for _ in 0..count {
            counts[draws.next_place()] += 1;
        }
        let possible = draws.peer_type.location.possible();
        let mut shares: Vec<String> = possible
            .iter()
            .take(SHARES_MAX)
            .map(|&place| {
                let share = counts[place] as f64 / count as f64 * 100.0;
                format!("{} {share:.1} %", peers.plan.locations[place])
            })
            .collect();
        if possible.len() > SHARES_MAX {
            shares.push(format!("{} more", possible.len() - SHARES_MAX));
        }
        writeln!(
            out,
            "{} location: {}",
            draws.peer_type.name,
            shares.join(", ")
        )?;
    }
    let types = &peers.plan.types;
    match types.get(types_max) {
        None => Ok(()),
        Some(next) => writeln!(
            out,
            "\nthe first {types_max} of {} peer types; --what peer_types.{}.bandwidth_ul shows one, \
             --format csv has all",
            types.len(),
            next.name
        ),
    }
}

/// One draw of every latency.
fn matrix(latencies: &Latencies, out: &mut impl Write) -> io::Result<()> {
    let names = &latencies.plan.locations;
    let (measures, _) = latencies.meaning();
    let corner = format!("{measures} in ms");
    let mut header = vec![corner.as_str()];
    header.extend(latencies.to.iter().map(|&to| names[to].as_str()));
    let mut rows = Vec::with_capacity(latencies.from.len());
    for &from in &latencies.from {
        let mut cells = vec![names[from].clone()];
        for &to in &latencies.to {
            cells.push(match latencies.series(from, to) {
                Some(series) => format!("{:.3}", series.first()?),
                None => "-".into(),
            });
        }
        rows.push(cells);
    }
    write!(out, "{}", table(&header, 1, &rows))
}

/// One peer of each type.
fn one_of_each(peers: Peers, out: &mut impl Write) -> io::Result<()> {
    let mut rows = Vec::new();
    for mut draws in peers.types() {
        rows.push(vec![
            draws.peer_type.name.clone(),
            draws.next_location().to_owned(),
            show_bandwidth(draws.upload.first()?),
            show_bandwidth(draws.download.first()?),
        ]);
    }
    let header = ["peer type", "location", "upload", "download"];
    write!(out, "{}", table(&header, 2, &rows))
}
