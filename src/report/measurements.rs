//! What services counted and observed: the tables `counts` and `observations`, and their figures.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::rows::ColumnKind::{Integer, Real, Text};
use super::rows::{Column, RowWriter};
use super::table::table_within;
use crate::record::{Figures, Measurements, NAMES_MAX, ObservedFigures};
use crate::simulation::Simulation;
use crate::units::{show_count, show_figure};

pub(super) const COLUMNS: [Column; 6] = [
    ("time_ms", Real),
    ("peer", Integer),
    ("type", Text),
    ("location", Text),
    ("name", Text),
    ("value", Real),
];

/// More names than this are in `summary.json` only.
const NAMES_SHOWN: usize = 20;

pub(super) fn write_observations(table: &mut RowWriter, simulation: &Simulation) -> io::Result<()> {
    let (names, world) = (simulation.names(), simulation.world());
    let observations = simulation.measurements().observations();
    for observation in observations.iter() {
        let location = world.locations[observation.peer.as_usize()];
        table.ms(observation.time);
        table.integer(names.id(observation.peer).0);
        table.text(names.type_name(observation.peer).as_bytes());
        table.text(simulation.locations()[location.as_usize()].as_bytes());
        table.text(observations.names()[observation.name].as_bytes());
        table.real(observation.value);
        table.end()?;
    }
    Ok(())
}

pub(super) fn write_counts<W: Write>(
    out: &mut csv::Writer<W>,
    simulation: &Simulation,
) -> csv::Result<()> {
    out.write_record(["name", "peer_type", "count"])?;
    let types = &simulation.names().type_names;
    for (name, peer_type, count) in simulation.measurements().counts() {
        out.serialize((name, &types[peer_type.as_usize()], count))?;
    }
    Ok(())
}

/// Null if nothing was counted or observed.
pub(super) fn measurements_json(measurements: &Measurements) -> Value {
    let counts: Map<String, Value> = measurements
        .totals()
        .map(|(name, total)| (name.to_owned(), total.into()))
        .collect();
    let observations = measurements.observations();
    if counts.is_empty() && observations.names().is_empty() {
        return Value::Null;
    }
    let names = observations.names().iter();
    let observed: Map<String, Value> = names
        .zip(observations.figures())
        .map(|(&name, figures)| (name.to_owned(), figures_json(&figures)))
        .collect();
    json!({
        "counts": counts,
        "observations": observed,
        "names_left_out": measurements.names_left_out(),
    })
}

fn figures_json(of: &ObservedFigures) -> Value {
    let figure = |figure: fn(&Figures) -> f64| of.kept.as_ref().map(figure);
    json!({
        "count": of.made,
        "not_kept": not_kept(of),
        "mean": figure(|of| of.mean),
        "sd": of.kept.and_then(|of| of.sd),
        "min": figure(|of| of.min),
        "median": figure(|of| of.median),
        "p95": figure(|of| of.p95),
        "max": figure(|of| of.max),
    })
}

fn not_kept(of: &ObservedFigures) -> u64 {
    of.made - of.kept.map_or(0, |kept| kept.count)
}

/// `-1,234`.
pub(super) fn show_signed(count: i64) -> String {
    let sign = if count < 0 { "-" } else { "" };
    format!("{sign}{}", show_count(count.unsigned_abs()))
}

/// Tables for the terminal, at most `width` characters wide, each after an empty line; nothing
/// if nothing was counted or observed.
pub(super) fn show_measurements(measurements: &Measurements, width: usize) -> String {
    let mut text = String::new();
    let totals: Vec<(&str, i64)> = measurements.totals().collect();
    let shown = totals.iter().take(NAMES_SHOWN);
    let rows: Vec<Vec<String>> = shown
        .map(|&(name, total)| vec![plain(name), show_signed(total)])
        .collect();
    if !rows.is_empty() {
        text.push('\n');
        text.push_str(&table_within(&["counted", "total"], 1, &rows, width));
        text.push_str(&more(totals.len()));
    }
    let observations = measurements.observations();
    let all = observations.figures();
    let names = observations.names().iter();
    let row = |(&name, of): (&&str, &ObservedFigures)| {
        let mut row = vec![plain(name), show_count(of.made)];
        let figures = of.kept.map(|of| {
            let sd = of.sd.unwrap_or(f64::NAN);
            [of.mean, sd, of.min, of.median, of.p95, of.max]
        });
        row.extend(figures.unwrap_or([f64::NAN; 6]).map(show_figure));
        row
    };
    let rows: Vec<Vec<String>> = names.zip(&all).take(NAMES_SHOWN).map(row).collect();
    if !rows.is_empty() {
        let header = [
            "observed", "count", "mean", "sd", "min", "median", "p95", "max",
        ];
        text.push('\n');
        text.push_str(&table_within(&header, 1, &rows, width));
        text.push_str(&more(all.len()));
    }
    let lost: u64 = all.iter().map(not_kept).sum();
    if lost > 0 {
        let made: u64 = all.iter().map(|of| of.made).sum();
        text.push_str(&format!(
            "warning: of {} observations the first {} are kept; figures are of those\n",
            show_count(made),
            show_count(made - lost)
        ));
    }
    if measurements.names_left_out() {
        text.push_str(&format!(
            "warning: services count or observe under more than {} names; the last ones in the \
             order of the alphabet are left out\n",
            show_count(NAMES_MAX as u64)
        ));
    }
    text
}

fn more(names: usize) -> String {
    match names.checked_sub(NAMES_SHOWN) {
        None | Some(0) => String::new(),
        Some(more) => format!("and {} more in summary.json\n", show_count(more as u64)),
    }
}

/// A name that moves nothing in a terminal, whatever a service calls it.
fn plain(name: &str) -> String {
    name.replace(char::is_control, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::{PeerIndex, TypeIndex};
    use crate::time::Time;

    #[test]
    fn what_is_left_out_is_said() {
        let mut measurements = Measurements::with_limits(2, 1);
        for (peer, name) in ["a", "b", "a", "a"].into_iter().enumerate() {
            measurements.observe(Time::ZERO, PeerIndex(peer as u32), name, peer as f64);
        }
        measurements.count("a", TypeIndex(0), -1234);
        measurements.settle();
        let text = show_measurements(&measurements, 100);
        assert!(text.contains("-1,234"), "{text}");
        // Peers 0 and 1 come first, and the name that the latter has is left out.
        assert!(
            text.contains("of 3 observations the first 1 are kept"),
            "{text}"
        );
        assert!(text.contains("left out"), "{text}");
        let json = measurements_json(&measurements);
        assert_eq!(json["observations"]["a"]["count"], 3);
        assert_eq!(json["observations"]["a"]["not_kept"], 2);
        assert_eq!(json["observations"]["a"]["sd"], Value::Null);
        assert_eq!(json["names_left_out"], true);
        assert_eq!(measurements_json(&Measurements::default()), Value::Null);
        assert_eq!(show_measurements(&Measurements::default(), 100), "");
    }

    #[test]
    fn many_names_are_not_all_shown_and_none_is_obeyed() {
        let mut measurements = Measurements::default();
        for number in 0..25 {
            measurements.count(&format!("\u{1b}[2J{number}"), TypeIndex(0), 1);
        }
        let text = show_measurements(&measurements, 100);
        assert!(text.ends_with("and 5 more in summary.json\n"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}
