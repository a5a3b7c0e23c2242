//! The drawing of the topology, and how it changes: one arrangement, and a frame for each time.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::model::{Body, Chart, Frame, Grouping, Network, distances};
use super::neighbourhood::Neighbourhood;
use super::past_run::{PastRun, ReadError};
use super::words::{many, sentence};
use super::{About, chart};
use crate::report::graph::{
    Arrangement, Colour, ExportLink, ExportPeer, Exported, places, read_csv,
};
use crate::topology::Graph;

/// More peers or links than these make the page slow and large; then a part is drawn.
const PEERS_MAX: usize = 20_000;
const LINKS_MAX: usize = 150_000;
/// Frames between the first and the last, fewer where each takes long to read; and all changes
/// from frame to frame.
const FRAMES_MAX: usize = 40;
const LARGE_FRAMES_MAX: usize = 8;
const CHANGES_MAX: usize = 300_000;
/// Where the arrangement by forces begins.
const LAYOUT_SEED: u64 = 1;
/// Places are whole numbers up to this.
const SIDE: f64 = 4000.0;

/// A link by the ids of its ends.
type Link = (u64, u64);

/// The topology of each run, at first, at snapshots, in the end.
pub(super) fn topology_chart(runs: &[PastRun]) -> Result<Chart, ReadError> {
    let about = About {
        id: "topology",
        title: "Topology",
        about: "Peers and their connections, arranged by forces: linked peers attract each other. \
                Larger peers have more connections.",
        half: false,
    };
    let mut frames = Vec::new();
    for run in runs {
        frames.push(Frames::read(run)?);
    }
    let mut networks = Vec::new();
    let mut frames = frames.into_iter();
    let outline = chart(about, runs, |_, run| {
        let (frames, part) = frames.next().unwrap_or_default();
        let links = frames.last().len();
        if part.as_ref().is_some_and(|part| part.peers.is_empty()) {
            return Err(format!(
                "None of {} has a connection at the end.",
                many(run.topology.peers.len() as u64, "peer")
            ));
        }
        let network = network(run, frames, part);
        let part = match network.note {
            Some(_) => "in the part that is drawn: ",
            None => "",
        };
        let summary = sentence(&format!(
            "{part}{} and {} at the end{}",
            many(network.ids.len() as u64, "peer"),
            many(links as u64, "connection"),
            match network.frames.first() {
                Some(first) if network.frames.len() > 1 && first.name == "start" =>
                    format!(", {} at the start", many(first.links as u64, "connection")),
                _ => String::new(),
            }
        ));
        networks.push(network);
        Ok((Vec::new(), summary))
    });
    Ok(outline.with_body(|| Body::Networks(networks)))
}

/// The links at several times, ascending; the end is the last of them.
#[derive(Default)]
struct Frames(Vec<(String, Vec<Link>)>);

impl Frames {
    /// Reads them; of a network that is too large, those among a part of its peers.
    fn read(run: &PastRun) -> Result<(Self, Option<Neighbourhood>), ReadError> {
        let all = |links: &[ExportLink]| -> Vec<Link> {
            let ends = links.iter().map(|link| (link.source, link.target));
            let mut ends: Vec<Link> = ends.collect();
            ends.sort_unstable();
            ends
        };
        let last = all(&run.topology.links);
        let large = run.topology.peers.len() > PEERS_MAX || last.len() > LINKS_MAX;
        let part = large.then(|| {
            let ids: Vec<u64> = run.topology.peers.iter().map(|peer| peer.id).collect();
            let seed = run.summary["seed"].as_u64().unwrap_or(LAYOUT_SEED);
            Neighbourhood::of(&ids, &last, seed)
        });
        let among = |mut links: Vec<Link>| {
            if let Some(part) = &part {
                let inside = |id: &u64| part.peers.contains(id);
                links.retain(|(a, b)| inside(a) && inside(b));
            }
            links
        };
        let mut frames = Vec::new();
        if let Some(initial) = run.initial_topology() {
            frames.push(("start".to_owned(), among(all(&initial.links))));
        }
        let reached = run.figure("/reached_ms").unwrap_or(f64::MAX);
        let most = if large { LARGE_FRAMES_MAX } else { FRAMES_MAX };
        for (ms, path) in snapshots(&run.folder, most) {
            // The end itself is drawn from topology.csv.
            if (ms as f64) < reached {
                frames.push((format!("{ms} ms"), among(all(&read_csv(&path)?))));
            }
        }
        frames.push(("end".to_owned(), among(last)));
        Ok((Frames(frames).thinned(), part))
    }

    /// With fewer frames in between while there are too many changes or links in all.
    fn thinned(mut self) -> Self {
        while self.0.len() > 2 && (self.changes() > CHANGES_MAX || self.all().len() > LINKS_MAX) {
            let last = self.0.len() - 1;
            let mut place = 0;
            self.0.retain(|_| {
                place += 1;
                (place - 1) % 2 == 0 || place - 1 == last
            });
        }
        if self.0.len() == 2 && self.all().len() > LINKS_MAX {
            self.0.remove(0);
        }
        self
    }

    fn changes(&self) -> usize {
        let pairs = self.0.windows(2);
        pairs
            .map(|pair| {
                let (added, removed) = changes(&pair[0].1, &pair[1].1);
                added.len() + removed.len()
            })
            .sum()
    }

    /// All links that there ever are.
    fn all(&self) -> BTreeSet<Link> {
        self.0
            .iter()
            .flat_map(|(_, links)| links)
            .copied()
            .collect()
    }

    fn last(&self) -> &[Link] {
        self.0.last().map_or(&[], |(_, links)| links)
    }
}

/// What is in one list and not in the other; both ascending.
fn changes<T: Ord + Copy>(before: &[T], after: &[T]) -> (Vec<T>, Vec<T>) {
    let lacks = |list: &[T], item: &T| list.binary_search(item).is_err();
    let added = after.iter().filter(|item| lacks(before, item));
    let removed = before.iter().filter(|item| lacks(after, item));
    (added.copied().collect(), removed.copied().collect())
}

/// The snapshots of a run by time in ms, at most so many at equal distances.
fn snapshots(folder: &Path, most: usize) -> Vec<(u64, PathBuf)> {
    let entries = std::fs::read_dir(folder.join("topology"));
    let mut found: Vec<(u64, PathBuf)> = entries
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let is_csv = path.extension()? == "csv";
            let ms = path.file_stem()?.to_str()?.parse().ok()?;
            is_csv.then_some((ms, path))
        })
        .collect();
    found.sort_unstable();
    let step = found.len().div_ceil(most).max(1);
    found.into_iter().step_by(step).collect()
}

fn network(run: &PastRun, frames: Frames, part: Option<Neighbourhood>) -> Network {
    let all: Vec<Link> = frames.all().into_iter().collect();
    // Those that are drawn at the end, and bootstrap peers that had connections only before.
    let linked: BTreeSet<u64> = all.iter().flat_map(|&(a, b)| [a, b]).collect();
    let mut shown: Exported = run.topology.clone();
    if let Some(part) = &part {
        shown.peers.retain(|peer| part.peers.contains(&peer.id));
    }
    let known: BTreeSet<u64> = shown.peers.iter().map(|peer| peer.id).collect();
    if let Some(initial) = run.initial_topology() {
        let missing = |peer: &&ExportPeer| linked.contains(&peer.id) && !known.contains(&peer.id);
        shown
            .peers
            .extend(initial.peers.iter().filter(missing).cloned());
        shown.peers.sort_by_key(|peer| peer.id);
    }
    let ids: Vec<u64> = shown.peers.iter().map(|peer| peer.id).collect();
    let place = |id: u64| ids.binary_search(&id).ok().map(|place| place as u32);
    let drawable = |&(a, b): &Link| place(a).zip(place(b));
    let links: Vec<(u32, u32)> = all.iter().filter_map(drawable).collect();
    let graph = Graph::numbered(ids.len() as u32, &links).0;
    let points = places(&graph, &[], Arrangement::Force, LAYOUT_SEED);
    let (x, y) = whole_numbers(&points);
    let mut before: Vec<u32> = Vec::new();
    let frames = frames.0.into_iter().map(|(name, frame)| {
        let of_frame = frame.iter().filter_map(&drawable);
        let now: Vec<u32> = of_frame
            .filter_map(|link| links.binary_search(&link).ok())
            .map(|number| number as u32)
            .collect();
        let (added, removed) = changes(&before, &now);
        before = now;
        Frame {
            name,
            links: before.len(),
            added: distances(added),
            removed: distances(removed),
        }
    });
    let frames = frames.collect();
    let offline = shown
        .peers
        .iter()
        .enumerate()
        .filter(|(_, peer)| !peer.online);
    let note = part.as_ref();
    Network {
        name: run.label.clone(),
        note: note.map(|part| part.note(&run.folder.display().to_string())),
        degrees: part.map_or(Vec::new(), |part| part.degrees),
        groupings: groupings(&shown),
        offline: distances(offline.map(|(place, _)| place as u32)),
        ids,
        x,
        y,
        source: distances(links.iter().map(|&(source, _)| source)),
        target: links.iter().map(|&(_, target)| target).collect(),
        frames,
    }
}

/// By type, and by location where there are several.
fn groupings(shown: &Exported) -> Vec<Grouping> {
    let grouping = |by, colour| {
        let (groups, of) = shown.groups(colour);
        Grouping {
            by,
            names: groups.iter().map(|group| group.name.clone()).collect(),
            peers: groups.iter().map(|group| group.peers).collect(),
            of,
        }
    };
    let by_type = grouping("type", Colour::Type);
    let by_location = grouping("location", Colour::Location);
    let mut groupings = vec![by_type, by_location];
    if groupings[1].names.len() < 2 {
        groupings.pop();
    } else if groupings[0].names.len() < 2 {
        groupings.remove(0);
    }
    groupings
}

/// Places as whole numbers, as wide or high as [`SIDE`].
fn whole_numbers(points: &[(f64, f64)]) -> (Vec<u16>, Vec<u16>) {
    let (mut low, mut high) = ((f64::MAX, f64::MAX), (f64::MIN, f64::MIN));
    for &(x, y) in points {
        low = (low.0.min(x), low.1.min(y));
        high = (high.0.max(x), high.1.max(y));
    }
    let span = (high.0 - low.0).max(high.1 - low.1).max(1e-9);
    let whole = |at: f64, low: f64| ((at - low) / span * SIDE).round() as u16;
    points
        .iter()
        .map(|&(x, y)| (whole(x, low.0), whole(y, low.1)))
        .unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_thinned_from_the_middle() {
        let frame = |number: u64| {
            let links = (0..40_000).map(|link| (number, link + 100));
            (number.to_string(), links.collect::<Vec<Link>>())
        };
        let thinned = Frames((0..9).map(frame).collect()).thinned();
        let names: Vec<&str> = thinned.0.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["0", "4", "8"]);
        assert!(thinned.all().len() <= LINKS_MAX);
        let few = Frames(vec![("a".into(), vec![(0, 1)]), ("b".into(), vec![])]);
        assert_eq!(few.changes(), 1);
        assert_eq!(few.thinned().0.len(), 2);
    }

    #[test]
    fn changes_are_what_only_one_has() {
        assert_eq!(changes(&[1, 2, 4], &[2, 3, 4]), (vec![3], vec![1]));
    }

    #[test]
    fn places_fill_the_square() {
        let (x, y) = whole_numbers(&[(-1.0, 0.0), (1.0, 1.0), (0.0, 0.5)]);
        assert_eq!((x, y), (vec![0, 4000, 2000], vec![0, 2000, 1000]));
        assert_eq!(whole_numbers(&[(3.0, 3.0)]), (vec![0], vec![0]));
    }
}
