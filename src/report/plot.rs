//! Charts of finished runs as pictures, and in the terminal.

use std::io;

use kuva::TerminalBackend;
use kuva::backend::svg::SvgBackend;
use kuva::plot::{BarPlot, Histogram, LegendPosition, LinePlot, LineStyle};
use kuva::render::figure::Figure;
use kuva::render::layout::Layout;
use kuva::render::plots::Plot as Drawn;
use kuva::render::render::{Scene, render_multiple};

use super::charts::{
    Body, Chart, PastRun, ReadError, Series, Shape, Subject, View, charts, tell_apart,
};
use super::graph::Drawing;
use super::sample::{PictureFormat, histogram, select};

/// The size of a chart, and of one of several panels, in pixels of an SVG.
const SIZE: (f64, f64) = (640.0, 400.0);
const PANEL_SIZE: (f64, f64) = (320.0, 240.0);
const PANEL_COLUMNS: usize = 4;
/// Pixels of a PNG for one of an SVG.
const PNG_SCALE: f32 = 2.0;
/// What a character of the terminal is in pixels of an SVG.
const CHARACTER: (f64, f64) = (8.0, 16.0);
/// A terminal's chart has so many lines for each column, within bounds.
const LINES_PER_COLUMN: f64 = 0.28;
const LINES: (usize, usize) = (14, 40);
/// The least columns that a chart can be read in.
const COLUMNS_MIN: usize = 40;
/// Draws of each pair of locations in the terminal.
const DRAWS: u64 = 2000;
/// Colours that differ in lightness too; lines also differ in their dashes.
const COLOURS: [&str; 8] = [
    "#0b62a8", "#d9600f", "#2a8f63", "#9c3f8f", "#c49a00", "#4fa9d6", "#6e4a2e", "#7d8691",
];
/// Charts in the terminal have colours that are seen on light and dark.
const TERMINAL_COLOURS: [&str; 8] = [
    "#4f9be0", "#e08040", "#3fb37f", "#c060b0", "#c8a832", "#6fc0e8", "#a8805c", "#8a939c",
];

/// A chart that is not there, since the run did not record it.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    /// A run cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// There is nothing to draw.
    #[error("there is nothing to plot\n  {0}")]
    Missing(String),
    /// A drawing of several topologies would be none of them.
    #[error(
        "a plot of the topology is of one run\n  name one folder; `p2psim report` shows several"
    )]
    SeveralTopologies,
}

/// One chart of one or several runs.
#[derive(Debug)]
pub struct Plot {
    runs: Vec<PastRun>,
    /// None of a topology, which has its own drawing.
    chart: Option<Chart>,
}

impl Plot {
    /// Reads what is drawn from the runs' folders.
    ///
    /// # Errors
    /// If a table cannot be read, or no run recorded what is to be drawn.
    pub fn of(mut runs: Vec<PastRun>, subject: Subject) -> Result<Self, PlotError> {
        tell_apart(&mut runs);
        let chart = if subject == Subject::Topology {
            if runs.len() > 1 {
                return Err(PlotError::SeveralTopologies);
            }
            None
        } else {
            let mut chart = charts(&runs, &[subject])?.pop();
            if let Some(chart) = &mut chart {
                if matches!(chart.body, Body::Missing) {
                    return Err(PlotError::Missing(chart.summary.clone()));
                }
                if subject == Subject::Observations {
                    one_view_a_name(chart, runs.len());
                }
            }
            chart
        };
        Ok(Plot { runs, chart })
    }

    /// As a picture.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn picture(&self, format: PictureFormat) -> io::Result<Vec<u8>> {
        let Some(chart) = &self.chart else {
            return self.runs[0].topology.draw(&Drawing::default(), format);
        };
        let scene = match &chart.body {
            Body::Panels(panels) => grid(chart, panels),
            Body::Views(views) => scene(chart, &views[0], SIZE, COLOURS, true),
            _ => return Err(io::Error::other("this chart is for the report alone")),
        };
        match format {
            PictureFormat::Svg => Ok(SvgBackend::default().render_scene(&scene).into_bytes()),
            PictureFormat::Png => kuva::PngBackend::new()
                .with_scale(PNG_SCALE)
                .render_scene(&scene)
                .map_err(io::Error::other),
        }
    }

    /// As text of at most so many columns, with or without colours.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn text(&self, columns: usize, colour: bool) -> io::Result<String> {
        let columns = columns.max(COLUMNS_MIN);
        let lines = (columns as f64 * LINES_PER_COLUMN) as usize;
        let lines = lines.clamp(LINES.0, LINES.1);
        let Some(chart) = &self.chart else {
            let scene = self.runs[0].topology.scene(&Drawing::default());
            // The scene is about a quarter wider than high, a character twice as high as wide.
            let lines = (columns as f64 * 0.5 * scene.height / scene.width) as usize;
            return Ok(shown(&scene, columns, lines, colour));
        };
        let text = match &chart.body {
            Body::Panels(_) if chart.id == "latencies" => self.latencies(columns)?,
            Body::Views(views) | Body::Panels(views) => {
                // Panels follow one another.
                let all = matches!(chart.body, Body::Panels(_));
                let views = views.iter().take(if all { views.len() } else { 1 });
                views
                    .map(|view| in_characters(chart, view, columns, lines, colour))
                    .collect()
            }
            _ => return Err(io::Error::other("this chart is for the report alone")),
        };
        Ok(format!("{text}{}\n", chart.summary))
    }

    /// The grid of histograms that `p2psim sample` shows.
    fn latencies(&self, columns: usize) -> io::Result<String> {
        let mut text = Vec::new();
        for run in &self.runs {
            let Some(plan) = &run.plan else { continue };
            let subject = select(plan, Some("latencies")).map_err(io::Error::other)?;
            histogram(&subject, DRAWS, columns, &mut text)?;
        }
        String::from_utf8(text).map_err(io::Error::other)
    }
}

/// Of each name the histogram; of several runs, which would hide one another, the distribution.
fn one_view_a_name(chart: &mut Chart, runs: usize) {
    let Body::Views(views) = &mut chart.body else {
        return;
    };
    let is_histogram = |view: &View| view.series.iter().all(|of| of.shape == Shape::Cells);
    // A distribution goes up to all.
    let is_distribution = |view: &View| view.y.max.is_some();
    let mut views = std::mem::take(views);
    views.retain(|view| match runs {
        1 => is_histogram(view),
        _ => is_distribution(view),
    });
    chart.body = match views.len() {
        1 => Body::Views(views),
        _ => Body::Panels(views),
    };
}

fn in_characters(chart: &Chart, view: &View, columns: usize, lines: usize, colour: bool) -> String {
    let size = (columns as f64 * CHARACTER.0, lines as f64 * CHARACTER.1);
    let mut view = view.clone();
    // In characters a band hides its line, and a label along the axis takes room.
    for series in &mut view.series {
        (series.low, series.high) = (Vec::new(), Vec::new());
    }
    let label = match view.lying {
        true => String::new(),
        false => format!("{}\n", view.y.title()),
    };
    if !view.lying {
        view.y.label.clear();
        view.y.unit.clear();
    }
    let scene = scene(chart, &view, size, TERMINAL_COLOURS, false);
    format!("{label}{}", shown(&scene, columns, lines, colour))
}

/// A scene in characters, without the colours of the terminal unless they are wanted.
fn shown(scene: &Scene, columns: usize, lines: usize, colour: bool) -> String {
    let drawn = TerminalBackend::new(columns, lines).render_scene(scene);
    let mut text = String::with_capacity(drawn.len());
    for line in drawn.lines() {
        if colour {
            text.push_str(line.trim_end());
        } else {
            text.push_str(without_colours(line).trim_end());
        }
        text.push('\n');
    }
    // The last line has only the end of a colour.
    text.truncate(text.trim_end_matches(['\n', '\u{1b}', '[', '0', 'm']).len());
    if colour {
        text.push_str("\u{1b}[0m");
    }
    text.push('\n');
    text
}

/// The text without `ESC [ ... m`.
fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut parts = text.split('\u{1b}');
    plain.push_str(parts.next().unwrap_or_default());
    for part in parts {
        plain.push_str(part.split_once('m').map_or("", |(_, rest)| rest));
    }
    plain
}

/// Panels in rows, each with its own axes.
fn grid(chart: &Chart, panels: &[View]) -> Scene {
    let columns = panels.len().clamp(1, PANEL_COLUMNS);
    let (mut plots, mut layouts) = (Vec::new(), Vec::new());
    // Runs over one another, rather than draws and their law.
    let named = chart.id == "observations" && panels.iter().any(|view| view.series.len() > 1);
    for view in panels {
        let drawn = drawn(view, COLOURS, named);
        let x_min = view
            .series
            .iter()
            .flat_map(|series| series.x.first().copied());
        let layout = layout(view, &drawn).with_x_axis_min(x_min.fold(f64::INFINITY, f64::min));
        layouts.push(
            layout
                .with_title(plain(&view.name))
                .with_subtitle(plain(&view.note)),
        );
        plots.push(drawn);
    }
    let figure = Figure::new(panels.len().div_ceil(columns), columns)
        .with_plots(plots)
        .with_layouts(layouts)
        .with_cell_size(PANEL_SIZE.0, PANEL_SIZE.1)
        .with_title_size(14)
        .with_title(chart.title);
    match named {
        true => figure.with_shared_legend_bottom().render(),
        false => figure.render(),
    }
}

fn scene(chart: &Chart, view: &View, size: (f64, f64), colours: [&str; 8], picture: bool) -> Scene {
    let drawn = drawn(view, colours, view.series.len() > 1);
    let mut layout = layout(view, &drawn).with_width(size.0).with_height(size.1);
    if picture {
        layout = layout.with_title(plain(chart.title)).with_title_size(15);
    } else {
        layout = layout.with_term_rows((size.1 / CHARACTER.1) as u32);
    }
    if view.series.len() > 1 {
        let place = match picture {
            true => LegendPosition::OutsideRightTop,
            false => LegendPosition::OutsideBottomColumns,
        };
        layout = layout.with_legend_position(place).with_legend_box(false);
    }
    render_multiple(drawn, layout)
}

fn layout(view: &View, drawn: &[Drawn]) -> Layout {
    let mut layout = Layout::auto_from_plots(drawn)
        .with_ticks(5)
        .with_show_grid(false);
    if view.lying {
        layout = layout.with_x_label(plain(&view.y.title()));
    } else {
        layout = layout
            .with_x_label(plain(&view.x.title()))
            .with_y_label(plain(&view.y.title()))
            .with_y_axis_min(0.0);
    }
    let x = || {
        view.series
            .iter()
            .flat_map(|series| series.x.iter().copied())
    };
    if view.categories.is_empty() && x().next().is_some() {
        let log = view.x.log == Some(true);
        let first = x().filter(|&x| x > 0.0).fold(f64::INFINITY, f64::min);
        if log {
            layout = layout.with_log_x();
        }
        layout = layout
            .with_x_axis_min(match (log, view.x.fit) {
                (true, _) => first,
                (false, true) => x().fold(f64::INFINITY, f64::min),
                (false, false) => 0.0,
            })
            .with_x_axis_max(x().fold(f64::NEG_INFINITY, f64::max));
        // Round numbers on the axis rather than the bars' edges.
        layout.x_bin_width = None;
    }
    if let Some(max) = view.y.max {
        layout = layout.with_y_axis_max(max);
    }
    layout
}

fn drawn(view: &View, colours: [&str; 8], named: bool) -> Vec<Drawn> {
    if !view.categories.is_empty() {
        return vec![Drawn::Bar(bars(view, colours))];
    }
    view.series
        .iter()
        .map(|series| {
            let colour = colours[series.colour % colours.len()];
            match series.shape {
                Shape::Cells => {
                    let cells = Histogram::from_bins(series.x.clone(), series.y.clone());
                    Drawn::Histogram(cells.with_color(colour))
                }
                _ => Drawn::Line(line(series, colour, named, view.x.log == Some(true))),
            }
        })
        .collect()
}

fn line(series: &Series, colour: &str, named: bool, log: bool) -> LinePlot {
    // Nothing that is not positive has a place on a logarithmic axis.
    let first = match log {
        true => series.x.partition_point(|&x| x <= 0.0),
        false => 0,
    };
    let from = |values: &[f64]| values.get(first..).unwrap_or_default().to_vec();
    let points = from(&series.x).into_iter().zip(from(&series.y));
    let style = match series.dash % 4 {
        0 => LineStyle::Solid,
        1 => LineStyle::Dashed,
        2 => LineStyle::Dotted,
        _ => LineStyle::DashDot,
    };
    let mut line = LinePlot::new()
        .with_data(points)
        .with_color(colour)
        .with_line_style(style);
    if series.shape == Shape::Step {
        line = line.with_step();
    }
    if !series.low.is_empty() {
        line = line.with_band(from(&series.low), from(&series.high));
    }
    if named {
        line = line.with_legend(plain(&series.name));
    }
    line
}

fn bars(view: &View, colours: [&str; 8]) -> BarPlot {
    let mut bars = BarPlot::new();
    for (place, category) in view.categories.iter().enumerate() {
        let values = view.series.iter().map(|series| {
            let colour = colours[series.colour % colours.len()];
            (series.y[place], colour)
        });
        bars = bars.with_group(plain(category), values.collect::<Vec<(f64, &str)>>());
    }
    if view.series.len() > 1 {
        let names: Vec<String> = view
            .series
            .iter()
            .map(|series| plain(&series.name))
            .collect();
        bars = bars.with_legend(names.iter().map(String::as_str).collect());
    }
    if view.stacked {
        bars = bars.with_stacked();
    }
    bars.with_horizontal(view.lying)
        .with_width(if view.lying { 0.6 } else { 0.86 })
}

/// Text that is not taken for mathematics.
fn plain(text: &str) -> String {
    text.replace('$', "\\$")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_can_be_taken_away() {
        let text = "\u{1b}[38;2;1;2;3mab\u{1b}[0m c\u{1b}[0m";
        assert_eq!(without_colours(text), "ab c");
        assert_eq!(without_colours("plain m"), "plain m");
    }
}
