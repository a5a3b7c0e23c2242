//! What services of one's own observed, as charts, and counted, as a table.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::load::Load;
use super::model::{Axis, Body, Chart, Series, Shape, TableRow, View};
use super::over_time::TimeScale;
use super::past_run::{PastRun, ReadError};
use super::spread::{distribution, tailed};
use super::table_file::TableFile;
use super::words::{many, quantile};
use super::{About, chart};
use crate::report::histogram::{Bars, KEPT_MAX, Statistics};
use crate::report::measurements::show_signed;
use crate::report::rows::ColumnKind::{Real, Text};
use crate::time::Time;
use crate::units::{show_count, show_figure};

/// More names than this have no chart.
const NAMES_MAX: usize = 16;
/// So many names have their figures in the sentence.
const NAMES_SAID: usize = 4;
const BARS: usize = 40;
/// So many intervals, or a few more, where the run recorded none.
const INTERVALS: u64 = 50;

/// What the services of a run observed.
pub(super) struct Observed {
    /// When each interval begins, and the last one ends.
    edges_ms: Vec<f64>,
    names: BTreeMap<String, Values>,
}

/// The values of a name.
struct Values {
    /// Ascending.
    values: Vec<f64>,
    /// The mean of each interval, and how many it is of.
    means: Vec<(f64, u64)>,
}

impl Observed {
    /// The observations of a run by the intervals of its load, if it has any.
    pub fn read(run: &PastRun, load: Option<&Load>) -> Result<Option<Self>, ReadError> {
        let Some(table) = TableFile::find(&run.folder, "observations")? else {
            return Ok(None);
        };
        let edges_ms = load.map_or_else(|| equal_edges(run), |load| load.edges_ms.clone());
        let intervals = edges_ms.len() - 1;
        let mut names: BTreeMap<String, Values> = BTreeMap::new();
        let columns = [("time_ms", Real), ("name", Text), ("value", Real)];
        table.read(&columns, |block| {
            for row in 0..block.rows {
                let (time, name, value) =
                    (block.reals(0)[row], block.text(1, row), block.reals(2)[row]);
                if !names.contains_key(name) {
                    let none = Values {
                        values: Vec::new(),
                        means: vec![(0.0, 0); intervals],
                    };
                    names.insert(name.to_owned(), none);
                }
                let Some(of) = names.get_mut(name) else {
                    continue;
                };
                of.values.push(value);
                let after = edges_ms.partition_point(|&edge| edge <= time);
                let (mean, count) = &mut of.means[after.clamp(1, intervals) - 1];
                *count += 1;
                let share = 1.0 / *count as f64;
                // Not by their difference, which may be larger than any number.
                *mean = *mean * (1.0 - share) + value * share;
            }
        })?;
        for of in names.values_mut() {
            of.values.sort_unstable_by(f64::total_cmp);
        }
        Ok((!names.is_empty()).then_some(Observed { edges_ms, names }))
    }

    fn words(&self) -> String {
        let count: usize = self.names.values().map(|of| of.values.len()).sum();
        let mut text = match self.names.len() {
            1 => String::new(),
            names => format!("{} of {names} names. ", many(count as u64, "observation")),
        };
        for (name, of) in self.names.iter().take(NAMES_SAID) {
            text.push_str(&format!(
                "{name}: {}, median {}, 95 % up to {}. ",
                many(of.values.len() as u64, "observation"),
                show_figure(quantile(&of.values, 0.5)),
                show_figure(quantile(&of.values, 0.95))
            ));
        }
        text.trim_end().to_owned()
    }
}

/// Equal intervals up to where the run went.
fn equal_edges(run: &PastRun) -> Vec<f64> {
    let reached = run.figure("/reached_ms").unwrap_or_default();
    let reached = Time::from_ms_clamped(reached).max(Time::from_ns(1));
    let step = Time::from_ns(reached.as_ns().div_ceil(INTERVALS)).round_up_to_step();
    let count = reached.as_ns().div_ceil(step.as_ns());
    let edge = |place| (step.as_ns() * place) as f64 / 1e6;
    let inner = (0..count).map(edge);
    inner.chain([reached.as_ms()]).collect()
}

/// How the values of each name are spread, and their mean over time.
pub(super) fn observations_chart(runs: &[PastRun], observed: &[Option<Observed>]) -> Chart {
    let about = About {
        id: "observations",
        title: "Observations",
        about: "What services of one's own observed: the share of values up to each (the \
                cumulative distribution function), their histogram, and their mean in each \
                interval of time.",
        half: false,
    };
    let known: BTreeSet<&String> = observed
        .iter()
        .flatten()
        .flat_map(|of| of.names.keys())
        .collect();
    let mut outline = chart(about, runs, |number, _| match &observed[number] {
        None => Err("No service observed anything.".into()),
        Some(of) => Ok((Vec::new(), of.words())),
    });
    if known.len() > NAMES_MAX {
        outline.summary.push_str(&format!(
            "\nThe first {NAMES_MAX} of {} names are drawn; the others are in the run's table.",
            known.len()
        ));
    }
    let ends = observed.iter().flatten().flat_map(|of| of.edges_ms.last());
    let scale = TimeScale::up_to(ends.fold(0.0, |last: f64, &end| last.max(end)));
    outline.with_body(|| {
        let views = known.iter().take(NAMES_MAX).flat_map(|name| {
            let shown = observed.iter().enumerate().filter_map(|(number, of)| {
                let of = of.as_ref()?;
                let line = Series {
                    name: runs[number].label.clone(),
                    colour: number,
                    dash: number,
                    ..Series::default()
                };
                Some((line, of, of.names.get(*name)?))
            });
            let shown: Vec<_> = shown.collect();
            [
                distribution_view(name, &shown),
                histogram_view(name, &shown),
                time_view(name, &shown, scale),
            ]
        });
        Body::Views(views.collect())
    })
}

/// The values of a name in a run, and a line that has nothing but its look.
type Shown<'a> = (Series, &'a Observed, &'a Values);

/// An axis of values, which may be far from 0.
fn value_axis(name: &str, values: impl Iterator<Item = f64>) -> Axis {
    let (least, most) = values.fold((f64::MAX, f64::MIN), |(least, most), value| {
        (least.min(value), most.max(value))
    });
    Axis {
        fit: least < 0.0 || least > most / 2.0,
        ..Axis::new(name, "", "x")
    }
}

fn ends(series: &[Series]) -> impl Iterator<Item = f64> {
    let ends = series.iter().flat_map(|of| [of.x.first(), of.x.last()]);
    ends.flatten().copied()
}

fn distribution_view(name: &str, shown: &[Shown<'_>]) -> View {
    let line = |(line, _, of): &Shown<'_>| {
        let (x, y) = distribution(&of.values);
        Series {
            shape: Shape::Step,
            x,
            y,
            ..line.clone()
        }
    };
    let series: Vec<Series> = shown.iter().map(line).collect();
    let axis = value_axis(name, ends(&series));
    let positive = ends(&series).all(|value| value > 0.0);
    View {
        name: format!("{name}, distribution"),
        x: Axis {
            log: positive.then(|| tailed(&series)),
            ..axis
        },
        y: Axis {
            max: Some(100.0),
            ..Axis::new("observations up to it", "%", "observations_percent")
        },
        series,
        ..View::default()
    }
}

fn histogram_view(name: &str, shown: &[Shown<'_>]) -> View {
    let mut left_out = 0;
    let cells = |(line, _, of): &Shown<'_>| {
        let values = &of.values;
        // As many as are kept, evenly from all.
        let statistics = Statistics::of(&match values.len().div_ceil(KEPT_MAX) {
            0 | 1 => values.clone(),
            step => values.iter().step_by(step).copied().collect(),
        });
        let bars = match statistics.min == statistics.max {
            true => Bars::lone(statistics.min, statistics.count),
            false => Bars::of(&statistics, BARS),
        };
        left_out += bars.below + bars.above;
        let cells = bars.counts.len() as f64;
        let edge = |place: usize| {
            let share = place as f64 / cells;
            bars.low * (1.0 - share) + bars.high * share
        };
        let share = |&count: &u64| 100.0 * count as f64 / statistics.count as f64;
        Series {
            shape: Shape::Cells,
            x: (0..=bars.counts.len()).map(edge).collect(),
            y: bars.counts.iter().map(share).collect(),
            ..line.clone()
        }
    };
    let series: Vec<Series> = shown.iter().map(cells).collect();
    View {
        name: format!("{name}, histogram"),
        note: match left_out {
            0 => String::new(),
            _ => "without the far ends, 1 % of all at most".into(),
        },
        x: value_axis(name, ends(&series)),
        y: Axis::new("observations", "%", "bar_percent"),
        series,
        ..View::default()
    }
}

/// Intervals without any observation leave a gap.
fn time_view(name: &str, shown: &[Shown<'_>], scale: TimeScale) -> View {
    let steps = |(line, run, of): &Shown<'_>| {
        let mean = |&(mean, count): &(f64, u64)| if count > 0 { mean } else { f64::NAN };
        let mut y: Vec<f64> = of.means.iter().map(mean).collect();
        y.extend(y.last().copied());
        Series {
            shape: Shape::Step,
            x: run.edges_ms.iter().map(|edge| edge / scale.ms).collect(),
            y,
            ..line.clone()
        }
    };
    let series: Vec<Series> = shown.iter().map(steps).collect();
    let values = series.iter().flat_map(|of| of.y.iter().copied());
    let y = value_axis(name, values.filter(|value| !value.is_nan()));
    View {
        name: format!("{name}, mean over time"),
        x: Axis {
            column: "x".into(),
            ..scale.axis()
        },
        y: Axis {
            label: format!("mean of {name}"),
            column: format!("mean_by_time_{}", scale.unit),
            ..y
        },
        series,
        ..View::default()
    }
}

/// What services of each run counted, by name and peer type.
pub(super) struct Counted(BTreeMap<String, Vec<(String, i64)>>);

impl Counted {
    pub fn read(run: &PastRun) -> Result<Option<Self>, ReadError> {
        let Some(table) = TableFile::find(&run.folder, "counts")? else {
            return Ok(None);
        };
        let mut names: BTreeMap<String, Vec<(String, i64)>> = BTreeMap::new();
        let mut damage = None;
        // Counts may be negative, and are kept whole.
        let columns = [("name", Text), ("peer_type", Text), ("count", Text)];
        table.read(&columns, |block| {
            for row in 0..block.rows {
                let [name, peer_type, count] = [0, 1, 2].map(|column| block.text(column, row));
                match count.trim().parse() {
                    Ok(count) => {
                        let of_name = names.entry(name.to_owned()).or_default();
                        of_name.push((peer_type.to_owned(), count));
                    }
                    Err(_) => damage = Some(format!("column count: `{count}` is no whole number")),
                }
            }
        })?;
        match damage {
            Some(problem) => Err(ReadError::Damaged {
                path: run.folder.join("counts.csv"),
                problem,
            }),
            None => Ok((!names.is_empty()).then_some(Counted(names))),
        }
    }

    fn of(&self, name: &str, peer_type: &str) -> Option<i64> {
        let of_name = self.0.get(name)?.iter();
        let found = of_name.clone().find(|(known, _)| known == peer_type)?;
        Some(found.1)
    }
}

/// The counts of each name and peer type, run by run.
pub(super) fn counts_table(runs: &[PastRun], counted: &[Option<Counted>]) -> Chart {
    let about = About {
        id: "counts",
        title: "Counts",
        about: "What services of one's own counted, by name and peer type.",
        half: false,
    };
    let outline = chart(about, runs, |number, _| match &counted[number] {
        None => Err("No service counted anything.".into()),
        Some(Counted(names)) => Ok((Vec::new(), format!("{}.", many(names.len() as u64, "name")))),
    });
    outline.with_body(|| {
        let mut rows: BTreeMap<&String, Vec<&String>> = BTreeMap::new();
        for (name, types) in counted.iter().flatten().flat_map(|of| &of.0) {
            let known = rows.entry(name).or_default();
            for (peer_type, _) in types {
                if !known.contains(&peer_type) {
                    known.push(peer_type);
                }
            }
        }
        let rows = rows.into_iter().flat_map(|(name, types)| {
            types.into_iter().map(move |peer_type| {
                let counts: Vec<Option<i64>> = counted
                    .iter()
                    .map(|of| of.as_ref()?.of(name, peer_type))
                    .collect();
                TableRow {
                    names: [name.clone(), peer_type.clone()],
                    shown: counts.iter().map(|&count| shown(count)).collect(),
                    differences: counts[1..]
                        .iter()
                        .map(|&count| difference(counts[0], count))
                        .collect(),
                    // As text, since a page's numbers are not so exact.
                    values: counts
                        .iter()
                        .map(|count| count.map(|count| count.to_string()))
                        .collect(),
                }
            })
        });
        Body::Table(rows.collect())
    })
}

fn shown(count: Option<i64>) -> String {
    count.map_or_else(|| "\u{2013}".into(), show_signed)
}

fn difference(first: Option<i64>, count: Option<i64>) -> String {
    let (Some(first), Some(count)) = (first, count) else {
        return shown(None);
    };
    let apart = first.abs_diff(count);
    match count.cmp(&first) {
        Ordering::Equal => "same".into(),
        Ordering::Less => format!("\u{2212}{}", show_count(apart)),
        Ordering::Greater => format!("+{}", show_count(apart)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_have_signs() {
        assert_eq!(difference(Some(-1000), Some(1000)), "+2,000");
        assert_eq!(difference(Some(5), Some(3)), "\u{2212}2");
        assert_eq!(difference(Some(5), Some(5)), "same");
        assert_eq!(difference(Some(5), None), "\u{2013}");
    }

    #[test]
    fn axes_begin_at_zero_unless_that_wastes_them() {
        let fit = |values: [f64; 2]| value_axis("x", values.into_iter()).fit;
        assert!(!fit([0.0, 10.0]) && !fit([4.0, 10.0]));
        assert!(fit([-1.0, 10.0]) && fit([990.0, 1000.0]));
    }

    #[test]
    fn a_gap_is_left_where_nothing_was_observed_and_tails_are_said() {
        let mut values: Vec<f64> = (0..1000).map(f64::from).collect();
        values.push(1e9);
        let of = Values {
            values,
            means: vec![(2.0, 1), (0.0, 0), (4.0, 3)],
        };
        let run = Observed {
            edges_ms: vec![0.0, 1000.0, 2000.0, 3000.0],
            names: BTreeMap::new(),
        };
        let shown = [(Series::default(), &run, &of)];
        let view = time_view("x", &shown, TimeScale::up_to(3000.0));
        let y = &view.series[0].y;
        assert_eq!((y[0], y[2], y[3]), (2.0, 4.0, 4.0));
        assert!(y[1].is_nan());
        let view = histogram_view("x", &shown);
        assert!(!view.note.is_empty());
        let sum: f64 = view.series[0].y.iter().sum();
        assert!(sum < 100.0 && sum > 99.0, "{sum}");
    }
}
