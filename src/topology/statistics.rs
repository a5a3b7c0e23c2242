//! Figures of a graph: degrees, components, clustering, assortativity, lengths of paths.

use petgraph::unionfind::UnionFind;

use super::Graph;
use crate::random::{Purpose, Stream};

/// Paths are measured from every peer of a component up to this size.
pub const EXACT_PEERS_MAX: usize = 10_000;
/// From so many peers, drawn at random, in larger ones.
pub const SOURCES_SAMPLED: usize = 256;
/// Searches deeper than this, as on a ring, share little of their way: a word of them goes at once.
const DEPTH_SHARED_MAX: usize = 128;

/// How many links peers have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Degrees {
    /// The fewest.
    pub min: u64,
    /// The most.
    pub max: u64,
    /// On average.
    pub mean: f64,
    /// The standard deviation over all peers.
    pub sd: f64,
    /// (links, peers with so many), ascending; only what occurs.
    pub histogram: Vec<(u64, u64)>,
}

/// Which peers can reach each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Components {
    /// How many groups there are.
    pub count: u64,
    /// The peers of the largest (of the one with the lowest id, where several are as large),
    /// ascending.
    pub largest: Vec<u32>,
}

/// How often neighbours of a peer are neighbours of each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clustering {
    /// Three peers that are all linked.
    pub triangles: u64,
    /// The mean, over all peers, of the share of pairs of its neighbours that are linked; 0 for
    /// peers with fewer than two (Watts and Strogatz 1998).
    pub average: f64,
    /// The share of connected triples that are triangles; 0 where there is none.
    pub transitivity: f64,
}

/// How long the shortest paths are within the largest component.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Paths {
    /// From how many peers they were measured.
    pub sources: u64,
    /// Whether those are all.
    pub exact: bool,
    /// Their mean length in links.
    pub mean: f64,
    /// The longest one found: the diameter, or at most the diameter where only a sample of the
    /// peers was a source.
    pub longest: u64,
}

/// What can be said of a large graph without building it.
#[derive(Clone, Debug)]
pub struct Outline {
    /// How many links peers have.
    pub degrees: Degrees,
    /// How many components there are.
    pub components: u64,
    /// How many peers the largest has.
    pub largest: u64,
    /// As [`assortativity`].
    pub assortativity: Option<f64>,
}

impl Outline {
    /// Of the peers 0 to `peers` - 1 and these links between them, each once, none from a peer to
    /// itself.
    ///
    /// # Panics
    /// When an end of a link is not below `peers`.
    pub fn of(peers: usize, links: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let mut degrees = vec![0_u32; peers];
        let mut sets = UnionFind::<u32>::new(peers);
        for (a, b) in links.clone() {
            degrees[a as usize] += 1;
            degrees[b as usize] += 1;
            sets.union(a, b);
        }
        let mut sizes = vec![0_u32; peers];
        for representative in sets.into_labeling() {
            sizes[representative as usize] += 1;
        }
        let degree = |peer: u32| u128::from(degrees[peer as usize]);
        let products = links.map(|(a, b)| 2 * degree(a) * degree(b)).sum();
        Outline {
            components: sizes.iter().filter(|&&size| size > 0).count() as u64,
            largest: sizes.iter().max().copied().unwrap_or(0).into(),
            assortativity: correlation(degrees.iter().copied(), products),
            degrees: Degrees::of(degrees),
        }
    }
}

/// The degrees of a graph's peers; all zero for a graph without peers.
pub fn degrees(graph: &Graph) -> Degrees {
    Degrees::of((0..graph.peers()).map(|peer| degree(graph, peer)).collect())
}

fn degree(graph: &Graph, peer: usize) -> u32 {
    graph.neighbours(peer).len() as u32
}

impl Degrees {
    fn of(mut degrees: Vec<u32>) -> Self {
        degrees.sort_unstable();
        let (Some(&min), Some(&max)) = (degrees.first(), degrees.last()) else {
            return Degrees::default();
        };
        let peers = degrees.len() as f64;
        let ends: u64 = degrees.iter().copied().map(u64::from).sum();
        let mean = ends as f64 / peers;
        let histogram: Vec<(u64, u64)> = degrees
            .chunk_by(|a, b| a == b)
            .map(|same| (same[0].into(), same.len() as u64))
            .collect();
        let squares = histogram
            .iter()
            .map(|&(degree, count)| count as f64 * (degree as f64 - mean) * (degree as f64 - mean));
        Degrees {
            min: min.into(),
            max: max.into(),
            mean,
            sd: (squares.sum::<f64>() / peers).sqrt(),
            histogram,
        }
    }
}

/// The components of a graph.
pub fn components(graph: &Graph) -> Components {
    let mut seen = vec![false; graph.peers()];
    let mut found = Components {
        count: 0,
        largest: Vec::new(),
    };
    for start in 0..graph.peers() as u32 {
        if seen[start as usize] {
            continue;
        }
        seen[start as usize] = true;
        let mut component = vec![start];
        let mut next = 0;
        while let Some(&peer) = component.get(next) {
            next += 1;
            for &other in graph.neighbours(peer as usize) {
                if !std::mem::replace(&mut seen[other as usize], true) {
                    component.push(other);
                }
            }
        }
        found.count += 1;
        if component.len() > found.largest.len() {
            found.largest = component;
        }
    }
    found.largest.sort_unstable();
    found
}

/// Pearson's correlation of the degrees at both ends of a link (Newman 2002, doi:10.1103/
/// PhysRevLett.89.208701); none where all ends have the same degree.
pub fn assortativity(graph: &Graph) -> Option<f64> {
    let peers = 0..graph.peers();
    let products = peers.clone().map(|peer| {
        let others = graph.neighbours(peer).iter();
        let sum: u128 = others.map(|&o| u128::from(degree(graph, o as usize))).sum();
        u128::from(degree(graph, peer)) * sum
    });
    let products = products.sum();
    correlation(peers.map(|peer| degree(graph, peer)), products)
}

/// [`assortativity`] by the degrees of all peers and the sum, over both directions of all links,
/// of the products of the degrees at their ends.
fn correlation(degrees: impl Iterator<Item = u32>, products: u128) -> Option<f64> {
    // Whole numbers: exact, and so zero variance is zero.
    let (mut ends, mut sum, mut squares) = (0_u128, 0_u128, 0_u128);
    for degree in degrees.map(u128::from) {
        ends += degree;
        sum += degree * degree;
        squares += degree * degree * degree;
    }
    let variance = ends * squares - sum * sum;
    let covariance = (ends * products) as i128 - (sum * sum) as i128;
    (variance > 0).then(|| covariance as f64 / variance as f64)
}

/// The triangles of a graph, found from their end with the fewest links, so that the work is at
/// most links^1.5 (Chiba and Nishizeki 1985).
pub fn clustering(graph: &Graph) -> Clustering {
    let peers = graph.peers();
    let rank = |peer: u32| (graph.neighbours(peer as usize).len(), peer);
    // Links from lower to higher rank alone.
    let mut starts = Vec::with_capacity(peers + 1);
    let mut upward: Vec<u32> = Vec::with_capacity(graph.links() as usize);
    for peer in 0..peers as u32 {
        starts.push(upward.len());
        let neighbours = graph.neighbours(peer as usize).iter();
        upward.extend(neighbours.filter(|&&other| rank(other) > rank(peer)));
    }
    starts.push(upward.len());
    let of = |peer: u32| &upward[starts[peer as usize]..starts[peer as usize + 1]];
    let mut triangles_of = vec![0_u64; peers];
    let mut triangles = 0;
    let mut mark = vec![u32::MAX; peers];
    for a in 0..peers as u32 {
        for &b in of(a) {
            mark[b as usize] = a;
        }
        for &b in of(a) {
            for &c in of(b).iter().filter(|&&c| mark[c as usize] == a) {
                triangles += 1;
                for corner in [a, b, c] {
                    triangles_of[corner as usize] += 1;
                }
            }
        }
    }
    let mut triples = 0_u128;
    let mut local = 0.0;
    for (peer, &triangles) in triangles_of.iter().enumerate() {
        let degree = graph.neighbours(peer).len() as u128;
        let pairs = degree * degree.saturating_sub(1) / 2;
        triples += pairs;
        if pairs > 0 {
            local += triangles as f64 / pairs as f64;
        }
    }
    Clustering {
        triangles,
        average: if peers > 0 { local / peers as f64 } else { 0.0 },
        transitivity: if triples > 0 {
            3.0 * triangles as f64 / triples as f64
        } else {
            0.0
        },
    }
}

/// The shortest paths within a component (ascending places): from all of its peers up to
/// [`EXACT_PEERS_MAX`], else from [`SOURCES_SAMPLED`] of them; none where it has no path.
///
/// Many searches go on at once, a bit each (Then et al. 2014, doi:10.14778/2735496.2735507); sources
/// close to each other share most of their way.
pub fn paths(graph: &Graph, component: &[u32]) -> Option<Paths> {
    if component.len() < 2 {
        return None;
    }
    let exact = component.len() <= EXACT_PEERS_MAX;
    let mut chosen = component.to_vec();
    if !exact {
        // Of the graph alone, so that its figures are always the same.
        let mut stream = Stream::global(0, Purpose::Sample);
        stream.choose_front(&mut chosen, SOURCES_SAMPLED);
        chosen.truncate(SOURCES_SAMPLED);
        chosen.sort_unstable();
    }
    let (sources, depth) = in_order_of_search(graph, component[0], &chosen);
    let (sum, longest) = if depth > DEPTH_SHARED_MAX {
        top_down(graph, component, &sources)
    } else if exact {
        bottom_up::<8>(graph, component, &sources)
    } else {
        // As wide as the sample.
        bottom_up::<4>(graph, component, &sources)
    };
    let pairs = sources.len() as f64 * (component.len() - 1) as f64;
    Some(Paths {
        sources: sources.len() as u64,
        exact,
        mean: sum as f64 / pairs,
        longest,
    })
}

/// The `chosen` (ascending) in the order in which a breadth-first search from `start` comes to
/// them; and how deep it goes.
fn in_order_of_search(graph: &Graph, start: u32, chosen: &[u32]) -> (Vec<u32>, usize) {
    let mut seen = vec![false; graph.peers()];
    seen[start as usize] = true;
    let mut queue = vec![start];
    let (mut next, mut depth, mut level_end) = (0, 0, 1);
    while let Some(&peer) = queue.get(next) {
        if next == level_end {
            depth += 1;
            level_end = queue.len();
        }
        next += 1;
        for &other in graph.neighbours(peer as usize) {
            if !std::mem::replace(&mut seen[other as usize], true) {
                queue.push(other);
            }
        }
    }
    queue.retain(|peer| chosen.binary_search(peer).is_ok());
    (queue, depth)
}

/// The sum of the distances from `sources` to the other peers of their component, and the
/// largest: as many searches at once as `WORDS` have bits. At each step all peers ask their
/// neighbours which searches have just come to them (bottom-up, Beamer et al. 2012,
/// doi:10.1109/SC.2012.50), which is quickest where all are reached in a few.
fn bottom_up<const WORDS: usize>(graph: &Graph, component: &[u32], sources: &[u32]) -> (u128, u64) {
    let none = vec![Bits::<WORDS>::default(); graph.peers()];
    // Which searches have been at a peer, came to it last, and come to it now; whether any did.
    let (mut seen, mut new, mut coming) = (none.clone(), none.clone(), none);
    let (mut has_new, mut has_coming) = (vec![false; graph.peers()], vec![false; graph.peers()]);
    let mut missing = vec![0; graph.peers()];
    let (mut sum, mut longest) = (0_u128, 0);
    for batch in sources.chunks(WORDS * u64::BITS as usize) {
        seen.fill(Bits::default());
        has_new.fill(false);
        missing.fill(batch.len() as u32);
        for (search, place) in batch.iter().map(|&source| source as usize).enumerate() {
            let own = Bits::of(search);
            (seen[place], new[place], has_new[place]) = (own, own, true);
            missing[place] -= 1;
        }
        let mut missing_of_all = batch.len() as u64 * (component.len() - 1) as u64;
        let mut depth = 0;
        while missing_of_all > 0 {
            depth += 1;
            let mut arrived = 0;
            for place in component.iter().map(|&peer| peer as usize) {
                has_coming[place] = false;
                if missing[place] == 0 {
                    continue;
                }
                let mut bits = Bits::default();
                for &other in graph.neighbours(place) {
                    if has_new[other as usize] {
                        bits.add(&new[other as usize]);
                    }
                }
                if bits.is_empty() {
                    continue;
                }
                let count = bits.leave_new(&mut seen[place]);
                coming[place] = bits;
                has_coming[place] = count > 0;
                missing[place] -= count;
                arrived += u64::from(count);
            }
            std::mem::swap(&mut new, &mut coming);
            std::mem::swap(&mut has_new, &mut has_coming);
            sum += u128::from(depth * arrived);
            missing_of_all -= arrived;
        }
        longest = longest.max(depth);
    }
    (sum, longest)
}

/// As [`bottom_up`], a word of searches at once. At each step those peers tell their neighbours
/// that searches have just come to: quickest where few are reached at each of many.
fn top_down(graph: &Graph, component: &[u32], sources: &[u32]) -> (u128, u64) {
    let none = vec![0_u64; graph.peers()];
    // Which searches have been at a peer, came to it last, and come to it now, some perhaps again.
    let (mut seen, mut new, mut coming) = (none.clone(), none.clone(), none);
    let (mut front, mut next) = (Vec::new(), Vec::new());
    let (mut sum, mut longest) = (0_u128, 0);
    for batch in sources.chunks(u64::BITS as usize) {
        seen.fill(0);
        for (search, &source) in batch.iter().enumerate() {
            seen[source as usize] = 1 << search;
            new[source as usize] = 1 << search;
        }
        front.clear();
        front.extend_from_slice(batch);
        let mut missing = batch.len() as u64 * (component.len() - 1) as u64;
        let mut depth = 0;
        while missing > 0 {
            depth += 1;
            for &peer in &front {
                for &other in graph.neighbours(peer as usize) {
                    let coming = &mut coming[other as usize];
                    if *coming == 0 {
                        next.push(other);
                    }
                    *coming |= new[peer as usize];
                }
            }
            front.clear();
            let mut arrived = 0;
            for peer in next.drain(..) {
                let place = peer as usize;
                new[place] = std::mem::take(&mut coming[place]) & !seen[place];
                seen[place] |= new[place];
                if new[place] != 0 {
                    front.push(peer);
                    arrived += u64::from(new[place].count_ones());
                }
            }
            sum += u128::from(depth * arrived);
            missing -= arrived;
        }
        longest = longest.max(depth);
    }
    (sum, longest)
}

/// Searches, a bit each.
#[derive(Clone, Copy)]
#[repr(align(32))]
struct Bits<const WORDS: usize>([u64; WORDS]);

impl<const WORDS: usize> Default for Bits<WORDS> {
    fn default() -> Self {
        Bits([0; WORDS])
    }
}

impl<const WORDS: usize> Bits<WORDS> {
    /// One of them.
    fn of(search: usize) -> Self {
        let mut bits = Bits::default();
        bits.0[search / u64::BITS as usize] = 1 << (search % u64::BITS as usize);
        bits
    }

    #[inline]
    fn add(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word |= other;
        }
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(|&word| word == 0)
    }

    /// Leaves those that are not among `seen`, and adds them there; how many they are.
    #[inline]
    fn leave_new(&mut self, seen: &mut Self) -> u32 {
        let mut count = 0;
        for (word, seen) in self.0.iter_mut().zip(&mut seen.0) {
            *word &= !*seen;
            *seen |= *word;
            count += word.count_ones();
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(peers: u32, links: &[(u32, u32)]) -> Graph {
        Graph::numbered(peers, links).0
    }

    #[test]
    fn figures_of_a_triangle_with_a_tail() {
        let graph = graph(6, &[(0, 1), (1, 2), (2, 0), (2, 3), (3, 4)]);
        let degrees = degrees(&graph);
        assert_eq!((degrees.min, degrees.max), (0, 3));
        assert_eq!(degrees.histogram, [(0, 1), (1, 1), (2, 3), (3, 1)]);
        assert!((degrees.mean - 10.0 / 6.0).abs() < 1e-12);
        let components = components(&graph);
        assert_eq!(
            (components.count, &components.largest[..]),
            (2, &[0, 1, 2, 3, 4][..])
        );
        let clustering = clustering(&graph);
        // Peers 0 and 1: 1 of 1; peer 2: 1 of 3; triples: 1 + 1 + 3 + 1.
        assert_eq!(clustering.triangles, 1);
        assert!((clustering.average - (2.0 + 1.0 / 3.0) / 6.0).abs() < 1e-12);
        assert!((clustering.transitivity - 0.5).abs() < 1e-12);
        let paths = paths(&graph, &components.largest).expect("paths");
        // Distances: 0-1 1, 0-2 1, 0-3 2, 0-4 3, 1-2 1, 1-3 2, 1-4 3, 2-3 1, 2-4 2, 3-4 1.
        assert_eq!((paths.mean, paths.longest, paths.exact), (1.7, 3, true));
    }

    #[test]
    fn an_outline_is_what_the_graph_says() {
        let mut stream = Stream::global(1, Purpose::Sample);
        for (peers, count) in [(0, 0), (5, 0), (200, 60), (200, 150), (200, 2_000)] {
            let mut links: Vec<(u32, u32)> = Vec::new();
            for _ in 0..count {
                let [a, b] = [(); 2].map(|()| stream.below(peers.into()) as u32);
                links.push((a.min(b), a.max(b)));
            }
            links.sort_unstable();
            links.dedup();
            links.retain(|(a, b)| a != b);
            let graph = graph(peers, &links);
            let outline = Outline::of(peers as usize, links.iter().copied());
            let components = components(&graph);
            assert_eq!(outline.degrees, degrees(&graph));
            assert_eq!(outline.components, components.count);
            assert_eq!(outline.largest, components.largest.len() as u64);
            assert_eq!(outline.assortativity, assortativity(&graph));
        }
    }

    #[test]
    fn assortativity_is_a_correlation() {
        let star = graph(4, &[(0, 1), (0, 2), (0, 3)]);
        assert_eq!(assortativity(&star), Some(-1.0));
        let cycle = graph(3, &[(0, 1), (1, 2), (2, 0)]);
        assert_eq!(assortativity(&cycle), None);
        assert_eq!(assortativity(&graph(3, &[])), None);
    }

    #[test]
    fn more_sources_than_one_batch_and_empty_graphs() {
        // A cycle of n peers: n odd, all distances 1 ... (n - 1) / 2 twice.
        let peers = 201_u32;
        let links: Vec<(u32, u32)> = (0..peers).map(|peer| (peer, (peer + 1) % peers)).collect();
        let cycle = graph(peers, &links);
        let found = paths(&cycle, &components(&cycle).largest).expect("paths");
        assert_eq!((found.mean, found.longest), (50.5, 100));
        let empty = Graph::default();
        assert_eq!(degrees(&empty), Degrees::default());
        assert_eq!(components(&empty).count, 0);
        assert_eq!(clustering(&empty).average, 0.0);
        assert_eq!(paths(&empty, &[]), None);
    }

    #[test]
    fn searches_come_to_the_same_however_many_go_at_once() {
        let mut stream = Stream::global(2, Purpose::Sample);
        let links: Vec<(u32, u32)> = (1..700)
            .map(|peer| (peer, stream.below(peer.into()) as u32))
            .collect();
        let tree = graph(700, &links);
        let all = components(&tree).largest;
        assert_eq!(all.len(), 700);
        let one = top_down(&tree, &all, &all);
        assert_eq!(one, bottom_up::<4>(&tree, &all, &all));
        assert_eq!(one, bottom_up::<8>(&tree, &all, &all));
        // Half of its way round is deeper than searches go together.
        let ring: Vec<(u32, u32)> = (0..1001).map(|peer| (peer, (peer + 1) % 1001)).collect();
        let ring = graph(1001, &ring);
        let found = paths(&ring, &components(&ring).largest).expect("paths");
        assert_eq!((found.mean, found.longest), (250.5, 500));
    }

    #[test]
    fn a_sample_of_a_large_graph_is_near_the_truth() {
        let peers = EXACT_PEERS_MAX as u32 + 1;
        let links: Vec<(u32, u32)> = (1..peers).map(|peer| (0, peer)).collect();
        let star = graph(peers, &links);
        let found = paths(&star, &components(&star).largest).expect("paths");
        assert_eq!((found.sources, found.exact, found.longest), (256, false, 2));
        assert!((found.mean - 2.0).abs() < 0.001);
    }
}
