//! Draws as a picture: the grid of histograms as SVG or PNG.

use std::io;

use kuva::backend::svg::SvgBackend;
use kuva::plot::Histogram;
use kuva::render::figure::Figure;
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;

use super::people::{PANEL_LOCATIONS_MAX, PANEL_TYPES_MAX};
use super::{Series, Subject};
use crate::report::histogram::Bars;
use crate::units::show_count;

/// How a picture is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureFormat {
    /// Vectors, with text as text.
    Svg,
    /// Pixels.
    Png,
}

/// The size of a panel, in pixels of an SVG.
const PANEL_WIDTH: f64 = 420.0;
const PANEL_HEIGHT: f64 = 320.0;
/// Pixels of a PNG for one of an SVG.
const PNG_SCALE: f32 = 2.0;
/// More bars than this are too thin to look at.
const BARS_MAX: usize = 60;
const COLOUR: &str = "#4c78a8";

/// The picture of the histograms that [`super::histogram`] shows, with the same draws.
///
/// # Errors
/// When a bandwidth is hardly ever positive, or the picture cannot be made.
pub fn picture(subject: &Subject, count: u64, format: PictureFormat) -> io::Result<Vec<u8>> {
    let seed = subject.seed();
    let title = format!("{} draws from seed {seed}", show_count(count));
    let scene = figure(grid(subject), count)?.with_title(title).render();
    match format {
        PictureFormat::Svg => Ok(SvgBackend::default().render_scene(&scene).into_bytes()),
        PictureFormat::Png => kuva::PngBackend::new()
            .with_scale(PNG_SCALE)
            .render_scene(&scene)
            .map_err(io::Error::other),
    }
}

/// Rows of panels; `None` where a pair has no latency.
fn grid(subject: &Subject) -> Vec<Vec<Option<Series>>> {
    match subject {
        Subject::Law(series) => vec![vec![Some(series.clone())]],
        Subject::Latencies(latencies) | Subject::Both(latencies, _) => {
            let shown = latencies.at_most(PANEL_LOCATIONS_MAX);
            let row = |&from: &usize| -> Vec<Option<Series>> {
                shown.to.iter().map(|&to| shown.series(from, to)).collect()
            };
            match &shown.from[..] {
                [from] => row(from)
                    .chunks(PANEL_LOCATIONS_MAX)
                    .map(<[_]>::to_vec)
                    .collect(),
                all => all.iter().map(row).collect(),
            }
        }
        Subject::Peers(peers) => peers
            .types()
            .take(PANEL_TYPES_MAX)
            .map(|draws| vec![Some(draws.upload), Some(draws.download)])
            .collect(),
    }
}

fn figure(grid: Vec<Vec<Option<Series>>>, count: u64) -> io::Result<Figure> {
    let columns = grid.iter().map(Vec::len).max().unwrap_or(1);
    let rows = grid.len();
    let (mut plots, mut layouts, mut structure) = (Vec::new(), Vec::new(), Vec::new());
    for (row, cells) in grid.into_iter().enumerate() {
        for (column, series) in cells.into_iter().enumerate() {
            if let Some(series) = series {
                let (plot, layout) = panel(series, count)?;
                plots.push(vec![plot]);
                layouts.push(layout);
                structure.push(vec![row * columns + column]);
            }
        }
    }
    Ok(Figure::new(rows, columns)
        .with_structure(structure)
        .with_plots(plots)
        .with_layouts(layouts)
        .with_cell_size(PANEL_WIDTH, PANEL_HEIGHT)
        .with_title_size(14))
}

fn panel(series: Series, count: u64) -> io::Result<(Plot, Layout)> {
    let statistics = series.clone().statistics(count)?;
    let unit = series.unit(&statistics);
    let bars = if statistics.min < statistics.max {
        Bars::of(&statistics, statistics.bars_wanted().min(BARS_MAX))
    } else {
        Bars::lone(statistics.min, statistics.count)
    };
    let cells = bars.counts.len();
    let (low, high) = (bars.low / unit.size, bars.high / unit.size);
    let edges = (0..=cells)
        .map(|edge| low + (high - low) * (edge as f64 / cells as f64))
        .collect();
    let counts = bars.counts.iter().map(|&count| count as f64).collect();
    let plot = Plot::Histogram(Histogram::from_bins(edges, counts).with_color(COLOUR));
    let label = series.label(unit);
    let [mean, sd, ..] = statistics.figures(unit);
    let mut layout = Layout::auto_from_plots(std::slice::from_ref(&plot))
        .with_title(plain(&series.title))
        .with_subtitle(format!("mean {mean}   sd {sd}"))
        .with_x_label(plain(&label))
        .with_x_axis_min(low)
        .with_x_axis_max(high)
        .with_ticks(5)
        .with_show_grid(false);
    // Round numbers on the axis rather than the bars' edges.
    layout.x_bin_width = None;
    Ok((plot, layout))
}

/// Text that is not taken for mathematics.
fn plain(text: &str) -> String {
    text.replace('$', "\\$")
}
