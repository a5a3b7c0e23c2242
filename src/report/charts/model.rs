//! What a chart shows, whatever draws it: the page, a picture, the terminal.

use serde::{Serialize, Serializer};

/// A chart, or the sentence that stands in its place.
#[derive(Clone, Debug, Serialize)]
pub(in crate::report) struct Chart {
    /// Its name in addresses and files: `coverage`.
    pub id: &'static str,
    pub title: &'static str,
    /// How to read it, in a sentence.
    pub about: String,
    /// Its main figures in words, for who cannot see it; or why there is none.
    pub summary: String,
    /// Whether half the page's width is enough.
    pub half: bool,
    pub body: Body,
}

#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", content = "parts", rename_all = "lowercase")]
pub(in crate::report) enum Body {
    /// Not recorded: the summary says why.
    Missing,
    /// One is shown at a time.
    Views(Vec<View>),
    /// All are shown.
    Panels(Vec<View>),
    Heatmaps(Vec<Heatmap>),
    Networks(Vec<Network>),
    Table(Vec<TableRow>),
}

/// Series over one pair of axes.
#[derive(Clone, Debug, Default, Serialize)]
pub(in crate::report) struct View {
    pub name: String,
    /// What stands under the name, or nothing.
    pub note: String,
    pub x: Axis,
    pub y: Axis,
    /// Of bars: what each group of them is; otherwise empty.
    pub categories: Vec<String>,
    /// Whether bars of a group stand on one another.
    pub stacked: bool,
    /// Whether bars lie, since their names are long.
    pub lying: bool,
    pub series: Vec<Series>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(in crate::report) struct Axis {
    pub label: String,
    /// Empty for counts.
    pub unit: String,
    /// As a column of a table calls it: `age_ms`.
    pub column: String,
    /// Whether it begins logarithmic, where it may be so.
    pub log: Option<bool>,
    /// Where it ends, if that is more than where the data do.
    #[serde(serialize_with = "rounded_option")]
    pub max: Option<f64>,
    /// Whether it begins where the data do rather than at 0.
    pub fit: bool,
}

impl Axis {
    pub fn new(label: impl Into<String>, unit: &str, column: impl Into<String>) -> Self {
        Axis {
            label: label.into(),
            unit: unit.into(),
            column: column.into(),
            log: None,
            max: None,
            fit: false,
        }
    }

    /// `delay in ms`.
    pub fn title(&self) -> String {
        match self.unit.as_str() {
            "" => self.label.clone(),
            "%" => format!("{} (%)", self.label),
            unit => format!("{} in {unit}", self.label),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::report) enum Shape {
    /// Straight from point to point.
    #[default]
    Line,
    /// As high from one point to the next, for counts and shares that jump.
    Step,
    /// Cells of a histogram: `x` has their edges, one more than `y`.
    Cells,
    /// A group of bars has one of each series.
    Bars,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(in crate::report) struct Series {
    pub name: String,
    pub shape: Shape,
    /// Which colour and marker, and which dashes: what they tell apart is the chart's business.
    pub colour: usize,
    pub dash: usize,
    #[serde(serialize_with = "rounded")]
    pub x: Vec<f64>,
    #[serde(serialize_with = "rounded")]
    pub y: Vec<f64>,
    /// A band around the line, or empty.
    #[serde(serialize_with = "rounded")]
    pub low: Vec<f64>,
    #[serde(serialize_with = "rounded")]
    pub high: Vec<f64>,
}

/// A row of a table that has a column a run.
#[derive(Clone, Debug, Serialize)]
pub(in crate::report) struct TableRow {
    /// What it is about: name and peer type.
    pub names: [String; 2],
    /// As people read it.
    pub shown: Vec<String>,
    /// Beside the first run: by how much it differs.
    pub differences: Vec<String>,
    pub values: Vec<Option<String>>,
}

/// Mean delays by message and peer, several of each in a cell where there are many.
#[derive(Clone, Debug, Serialize)]
pub(in crate::report) struct Heatmap {
    pub name: String,
    /// The names of the messages, or of the first and last in each row.
    pub rows: Vec<String>,
    /// The ids of the peers, or of the first and last in each column.
    pub columns: Vec<String>,
    /// Row by row, in ms; none where no peer of the cell got any of its messages.
    #[serde(serialize_with = "rounded_options")]
    pub delays_ms: Vec<Option<f64>>,
    /// Row by row, the share that was received in per cent.
    pub received: Vec<u8>,
    /// Whether peers of one location stand together, rather than all in ascending order.
    pub by_location: bool,
    /// Whether equal steps of colour are equal ratios, since delays are of many sizes.
    pub log: bool,
    /// Below and above these, colours are the same: a few late ones must not pale the others.
    #[serde(serialize_with = "rounded_one")]
    pub scale_low_ms: f64,
    #[serde(serialize_with = "rounded_one")]
    pub scale_ms: f64,
}

/// A topology over time, drawn in one arrangement.
#[derive(Clone, Debug, Serialize)]
pub(in crate::report) struct Network {
    pub name: String,
    /// What colours can mean.
    pub groupings: Vec<Grouping>,
    /// Of each peer its id, and where it stands.
    pub ids: Vec<u64>,
    pub x: Vec<u16>,
    pub y: Vec<u16>,
    /// Places of peers that are offline at the end, each as its distance from the one before.
    pub offline: Vec<u32>,
    /// All links that there ever are, in ascending order of source and target: the places of
    /// their ends in `ids`, the source's as its distance from the one before.
    pub source: Vec<u32>,
    pub target: Vec<u32>,
    pub frames: Vec<Frame>,
}

/// Peers that have something in common.
#[derive(Clone, Debug, Serialize)]
pub(in crate::report) struct Grouping {
    /// What that is: `type`.
    pub by: &'static str,
    pub names: Vec<String>,
    pub peers: Vec<u64>,
    /// The group of each peer.
    pub of: Vec<usize>,
}

/// What a frame changes in the one before, the first in nothing: places of links, each as its
/// distance from the one before.
#[derive(Clone, Debug, Serialize)]
pub(in crate::report) struct Frame {
    pub name: String,
    pub links: usize,
    pub added: Vec<u32>,
    pub removed: Vec<u32>,
}

/// Ascending numbers as their distances.
pub(in crate::report) fn distances(ascending: impl IntoIterator<Item = u32>) -> Vec<u32> {
    let mut before = 0;
    let distance = |value| {
        let distance = value - before;
        before = value;
        distance
    };
    ascending.into_iter().map(distance).collect()
}

/// More digits than this nobody sees in a chart.
const DIGITS: usize = 6;

/// The nearest number of few digits.
pub(in crate::report) fn round(value: f64) -> f64 {
    let rounded = format!("{value:.*e}", DIGITS - 1);
    rounded.parse().unwrap_or(value)
}

/// As JSON, whole numbers without a point.
struct Rounded(f64);

impl Serialize for Rounded {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = round(self.0);
        if !value.is_finite() {
            serializer.serialize_none()
        } else if value.fract() == 0.0 && value.abs() < 1e15 {
            serializer.serialize_i64(value as i64)
        } else {
            serializer.serialize_f64(value)
        }
    }
}

fn rounded<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(|&value| Rounded(value)))
}

fn rounded_options<S: Serializer>(
    values: &[Option<f64>],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(|value| value.map(Rounded)))
}

fn rounded_option<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    value.map(Rounded).serialize(serializer)
}

fn rounded_one<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    Rounded(*value).serialize(serializer)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let series = Series {
            x: vec![0.1 + 0.2, 1234.56789, -3.0, f64::NAN, 1e300],
            ..Series::default()
        };
        let text = serde_json::to_string(&series).unwrap();
        assert!(
            text.contains("\"x\":[0.3,1234.57,-3,null,1e+300]"),
            "{text}"
        );
    }

    #[test]
    fn ascending_numbers_become_distances() {
        assert_eq!(distances([2, 2, 5]), [2, 0, 3]);
        assert!(distances([]).is_empty());
    }
}
