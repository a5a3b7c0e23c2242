//! What finished runs show: each chart's figures, read from their folders.

mod counts;
mod degrees;
mod heatmap;
mod latencies;
mod load;
mod measurements;
mod model;
mod network;
mod over_time;
mod past_run;
mod spread;
mod table_file;
mod words;

pub(super) use model::{Body, Chart, Series, Shape, View};
pub(super) use past_run::tell_apart;
pub use past_run::{PastRun, ReadError};
pub(super) use words::{ms, per_cent};

/// A chart of one or several runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Coverage over age.
    Coverage,
    /// Delays of first receipts.
    Delays,
    /// Delays by message and peer.
    Heatmap,
    /// Copies of a message that a peer receives.
    Copies,
    /// Load over time.
    Load,
    /// Peers online over time.
    Online,
    /// Connections over time.
    Connections,
    /// Connections of peers.
    Degrees,
    /// Latency laws, pair by pair.
    Latencies,
    /// Messages that did not arrive.
    Drops,
    /// What became of connections.
    Events,
    /// The topology.
    Topology,
    /// What services of one's own observed.
    Observations,
    /// What they counted.
    Counts,
}

impl Subject {
    /// All, in the order of the report.
    pub const ALL: [Subject; 14] = [
        Subject::Coverage,
        Subject::Delays,
        Subject::Heatmap,
        Subject::Copies,
        Subject::Observations,
        Subject::Counts,
        Subject::Degrees,
        Subject::Topology,
        Subject::Load,
        Subject::Online,
        Subject::Connections,
        Subject::Drops,
        Subject::Events,
        Subject::Latencies,
    ];
}

/// The charts of these subjects.
///
/// # Errors
/// If a table of a run cannot be read.
pub(super) fn charts(runs: &[PastRun], subjects: &[Subject]) -> Result<Vec<Chart>, ReadError> {
    use Subject::*;
    let any = |of: &[Subject]| subjects.iter().any(|subject| of.contains(subject));
    let (mut coverages, mut deliveries, mut loads) = (Vec::new(), Vec::new(), Vec::new());
    let (mut observed, mut counted) = (Vec::new(), Vec::new());
    for run in runs {
        if any(&[Coverage, Delays, Heatmap, Copies]) {
            let coverage = spread::Coverage::read(run)?;
            deliveries.push(match any(&[Delays, Heatmap, Copies]) {
                true => spread::Deliveries::read(run, coverage.as_ref())?,
                false => None,
            });
            coverages.push(coverage);
        }
        if any(&[Load, Online, Connections, Observations]) {
            loads.push(load::Load::read(run)?);
        }
        if any(&[Observations]) {
            let load = loads.last().and_then(Option::as_ref);
            observed.push(measurements::Observed::read(run, load)?);
        }
        if any(&[Counts]) {
            counted.push(measurements::Counted::read(run)?);
        }
    }
    subjects
        .iter()
        .map(|subject| {
            Ok(match subject {
                Coverage => spread::coverage_chart(runs, &coverages),
                Delays => spread::delay_chart(runs, &coverages, &deliveries),
                Heatmap => spread::heatmap_chart(runs, &deliveries),
                Copies => spread::copies_chart(runs, &deliveries),
                Load => over_time::load_chart(runs, &loads),
                Online => over_time::online_chart(runs, &loads),
                Connections => over_time::connections_chart(runs, &loads),
                Degrees => degrees::degree_chart(runs),
                Latencies => latencies::latency_chart(runs),
                Drops => counts::drops_chart(runs),
                Events => counts::events_chart(runs),
                Topology => network::topology_chart(runs)?,
                Observations => measurements::observations_chart(runs, &observed),
                Counts => measurements::counts_table(runs, &counted),
            })
        })
        .collect()
}

/// What a chart is called and says.
struct About {
    id: &'static str,
    title: &'static str,
    about: &'static str,
    half: bool,
}

/// A chart that lacks its axes.
struct Outline {
    about: About,
    series: Vec<Series>,
    summary: String,
    /// Whether there is something of at least one run.
    drawn: bool,
}

/// Collects what each run has to show: its series and a sentence; or the sentence that says why
/// it has nothing.
fn chart(
    about: About,
    runs: &[PastRun],
    mut of_run: impl FnMut(usize, &PastRun) -> Result<(Vec<Series>, String), String>,
) -> Outline {
    let mut outline = Outline {
        about,
        series: Vec::new(),
        summary: String::new(),
        drawn: false,
    };
    let mut sentences = Vec::new();
    for (number, run) in runs.iter().enumerate() {
        let sentence = match of_run(number, run) {
            Ok((series, sentence)) => {
                outline.drawn = true;
                outline.series.extend(series);
                sentence
            }
            Err(reason) => reason,
        };
        sentences.push((&run.label, sentence));
    }
    let same = sentences
        .iter()
        .all(|(_, sentence)| *sentence == sentences[0].1);
    outline.summary = match sentences.first() {
        Some((_, sentence)) if same => sentence.clone(),
        _ => {
            let sentences = sentences.iter();
            let named = sentences.map(|(label, sentence)| format!("{label}: {sentence}"));
            named.collect::<Vec<_>>().join("\n")
        }
    };
    outline
}

impl Outline {
    /// With views that are made of the series, of which one is shown at a time.
    fn with_views(mut self, views: impl FnOnce(Vec<Series>) -> Vec<View>) -> Chart {
        let series = std::mem::take(&mut self.series);
        self.with_body(|| Body::Views(views(series)))
    }

    fn with_body(self, body: impl FnOnce() -> Body) -> Chart {
        Chart {
            id: self.about.id,
            title: self.about.title,
            about: self.about.about.to_owned(),
            summary: self.summary,
            half: self.about.half,
            body: if self.drawn { body() } else { Body::Missing },
        }
    }
}
