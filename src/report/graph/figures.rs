//! A topology in figures: a table for people, JSON for programs.

use serde_json::{Map, Value, json};

use crate::report::table;
use crate::topology::Graph;
use crate::topology::statistics::{self, Clustering, Degrees, Paths};
use crate::units::show_count;

/// In a run's summary, paths are measured in networks up to this size.
const SUMMARY_PEERS_MAX: usize = 2_000;
/// And clustering in those with at most so many links.
const SUMMARY_LINKS_MAX: u64 = 1_000_000;
/// More rows of a histogram are put together.
const ROWS_MAX: usize = 16;
const BAR_CHARS: usize = 40;

/// How much work figures may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// All of them.
    Full,
    /// Those that a run can have beside its other work: paths up to 2,000 peers, clustering up to a
    /// million links.
    Summary,
}

/// A topology in figures.
#[derive(Clone, Debug)]
pub struct Figures {
    peers: u64,
    links: u64,
    degrees: Degrees,
    components: u64,
    largest: u64,
    assortativity: Option<f64>,
    clustering: Option<Clustering>,
    paths: Option<Paths>,
    /// Whether paths were looked for.
    paths_measured: bool,
}

impl Figures {
    /// The figures of a graph.
    pub fn of(graph: &Graph, effort: Effort) -> Self {
        let components = statistics::components(graph);
        let full = effort == Effort::Full;
        let paths_measured = full || graph.peers() <= SUMMARY_PEERS_MAX;
        let clustered = full || graph.links() <= SUMMARY_LINKS_MAX;
        let paths = || statistics::paths(graph, &components.largest);
        Figures {
            peers: graph.peers() as u64,
            links: graph.links(),
            degrees: statistics::degrees(graph),
            components: components.count,
            largest: components.largest.len() as u64,
            assortativity: statistics::assortativity(graph),
            clustering: clustered.then(|| statistics::clustering(graph)),
            paths: paths_measured.then(paths).flatten(),
            paths_measured,
        }
    }

    /// The figures of the peers 0 to `peers` - 1 and these links between them, each once, with
    /// the effort of a summary. A large graph is not built for it.
    pub fn summary(peers: u32, links: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let count = links.clone().count() as u64;
        if peers as usize <= SUMMARY_PEERS_MAX || count <= SUMMARY_LINKS_MAX {
            let graph = Graph::numbered_from(peers, links).0;
            return Figures::of(&graph, Effort::Summary);
        }
        let outline = statistics::Outline::of(peers as usize, links);
        Figures {
            peers: peers.into(),
            links: count,
            degrees: outline.degrees,
            components: outline.components,
            largest: outline.largest,
            assortativity: outline.assortativity,
            clustering: None,
            paths: None,
            paths_measured: false,
        }
    }

    /// How many links there are.
    pub fn links(&self) -> u64 {
        self.links
    }

    /// As JSON; `null` for what is not defined or was not measured.
    pub fn json(&self) -> Value {
        let histogram: Map<String, Value> = self
            .degrees
            .histogram
            .iter()
            .map(|&(degree, peers)| (degree.to_string(), peers.into()))
            .collect();
        let clustering = self.clustering.map(|clustering| {
            json!({
                "average": clustering.average,
                "transitivity": clustering.transitivity,
                "triangles": clustering.triangles,
            })
        });
        let paths = self.paths.map(|paths| {
            let longest = if paths.exact {
                "diameter"
            } else {
                "diameter_at_least"
            };
            json!({
                "exact": paths.exact,
                "sources": paths.sources,
                "mean_length": paths.mean,
                longest: paths.longest,
            })
        });
        json!({
            "peers": self.peers,
            "links": self.links,
            "degree": {
                "min": self.degrees.min,
                "mean": self.degrees.mean,
                "max": self.degrees.max,
                "sd": self.degrees.sd,
                "histogram": histogram,
            },
            "components": { "count": self.components, "largest": self.largest },
            "clustering": clustering,
            "degree_assortativity": self.assortativity,
            "paths": paths,
        })
    }

    /// As a table, with the histogram of degrees.
    pub fn show(&self) -> String {
        let mut rows: Vec<Vec<String>> = Vec::new();
        let mut row = |name: &str, value: String| rows.push(vec![name.to_owned(), value]);
        row("peers", show_count(self.peers));
        row("links", show_count(self.links));
        row(
            "degree",
            format!(
                "{} to {}, mean {:.3}, sd {:.3}",
                show_count(self.degrees.min),
                show_count(self.degrees.max),
                self.degrees.mean,
                self.degrees.sd
            ),
        );
        row(
            "components",
            format!(
                "{}, the largest of {} peers",
                show_count(self.components),
                show_count(self.largest)
            ),
        );
        if let Some(clustering) = self.clustering {
            row("average clustering", format!("{:.5}", clustering.average));
            row("transitivity", format!("{:.5}", clustering.transitivity));
            row("triangles", show_count(clustering.triangles));
        }
        let undefined = || "undefined: all ends of links have the same degree".to_owned();
        let assortativity = self.assortativity;
        row(
            "degree assortativity",
            assortativity.map_or_else(undefined, |value| format!("{value:.5}")),
        );
        match self.paths {
            Some(paths) => {
                row("mean path length", format!("{:.5}", paths.mean));
                let longest = show_count(paths.longest);
                let (diameter, sources) = if paths.exact {
                    (longest, "all pairs of the largest component".to_owned())
                } else {
                    let sources = show_count(paths.sources);
                    (
                        format!("at least {longest}"),
                        format!("from a sample of {sources} peers of the largest component"),
                    )
                };
                row("diameter", diameter);
                row("paths measured", sources);
            }
            None if self.paths_measured => row("paths", "none: no peer has a link".into()),
            None => {}
        }
        let mut text = table(&["figure", "value"], 2, &rows);
        text.push('\n');
        text.push_str(&self.histogram());
        text
    }

    fn histogram(&self) -> String {
        let bins = bins(&self.degrees);
        let most = bins.iter().map(|bin| bin.2).max().unwrap_or(0).max(1);
        let bars: Vec<String> = bins
            .iter()
            .map(|&(_, _, peers)| {
                let length = (peers as f64 / most as f64 * BAR_CHARS as f64).ceil() as usize;
                "█".repeat(length)
            })
            .collect();
        let rows: Vec<Vec<String>> = bins
            .into_iter()
            .map(|(low, high, peers)| {
                let degrees = if low == high {
                    show_count(low)
                } else {
                    format!("{} to {}", show_count(low), show_count(high))
                };
                vec![degrees, show_count(peers)]
            })
            .collect();
        // Under the table's header and rule come the rows.
        let text = table(&["links", "peers"], 0, &rows);
        let bars = [String::new(), String::new()].into_iter().chain(bars);
        text.lines()
            .zip(bars)
            .map(|(line, bar)| format!("{}\n", format!("{line}  {bar}").trim_end()))
            .collect()
    }
}

/// (from, to, peers): single degrees where they are few, else ranges, which double where degrees
/// have a long tail.
fn bins(degrees: &Degrees) -> Vec<(u64, u64, u64)> {
    let span = (degrees.max - degrees.min) as usize + 1;
    let ranges: Vec<(u64, u64)> = if span <= ROWS_MAX {
        (degrees.min..=degrees.max)
            .map(|degree| (degree, degree))
            .collect()
    } else if degrees.max as f64 > 8.0 * degrees.mean.max(1.0) {
        let doubled = std::iter::successors(Some((0, 0)), |&(_, high)| {
            let low: u64 = high + 1;
            Some((low, low.saturating_mul(2) - 1))
        });
        let last = |&(low, _): &(u64, u64)| low <= degrees.max;
        let first = |&(_, high): &(u64, u64)| high < degrees.min;
        doubled.take_while(last).skip_while(first).collect()
    } else {
        let width = span.div_ceil(ROWS_MAX) as u64;
        let starts = (degrees.min..=degrees.max).step_by(width as usize);
        starts.map(|low| (low, low + width - 1)).collect()
    };
    ranges
        .into_iter()
        .map(|(low, high)| {
            let within = |&&(degree, _): &&(u64, u64)| (low..=high).contains(&degree);
            let peers = degrees
                .histogram
                .iter()
                .filter(within)
                .map(|&(_, peers)| peers);
            (low, high.min(degrees.max), peers.sum())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(histogram: &[(u64, u64)]) -> Degrees {
        let peers: u64 = histogram.iter().map(|&(_, peers)| peers).sum();
        let links: u64 = histogram
            .iter()
            .map(|&(degree, peers)| degree * peers)
            .sum();
        Degrees {
            min: histogram[0].0,
            max: histogram[histogram.len() - 1].0,
            mean: links as f64 / peers as f64,
            sd: 0.0,
            histogram: histogram.to_vec(),
        }
    }

    #[test]
    fn every_peer_is_in_one_bin() {
        assert_eq!(
            bins(&of(&[(2, 5), (4, 1)])),
            [(2, 2, 5), (3, 3, 0), (4, 4, 1)]
        );
        let wide = bins(&of(&[(10, 1), (20, 5), (60, 1)]));
        assert_eq!((wide[0], wide.len()), ((10, 13, 1), 13));
        let tail = bins(&of(&[(1, 100), (3, 20), (500, 1)]));
        assert_eq!(tail[0], (1, 1, 100));
        assert_eq!(tail[8], (256, 500, 1));
        for bins in [wide, tail] {
            assert!(bins.iter().map(|bin| bin.2).sum::<u64>() > 6);
        }
        assert_eq!(bins(&Degrees::default()), [(0, 0, 0)]);
    }
}
