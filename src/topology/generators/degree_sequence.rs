//! Graphs whose peers have given numbers of links.

use super::classic::path;
use super::draw::{Adjacency, chance, choose, exponential};
use super::spec::{
    ArgumentKind, Family, GeneratorSpec, Links, NumberRange, Parameter, Refusal, refuse, size,
    size_with_tries, whole, wholes,
};
use crate::random::Stream;

const FAMILY: Family = Family::DegreeSequence;
const DEGREES: Parameter = wholes("deg_sequence", 0);

pub(super) const SPECS: [GeneratorSpec; 5] = [
    GeneratorSpec::random(
        FAMILY,
        "configuration_model",
        &[DEGREES],
        "ends of links, as many as each peer's degree says, paired at random; loops and repeated \
         links are left out, so that large degrees fall short (Newman 2003)",
        |a| {
            let sum: f64 = a.numbers(0).iter().sum();
            if sum % 2.0 != 0.0 {
                return refuse(0, format!("the degrees add up to {sum}, which is odd"));
            }
            size(a.numbers(0).len() as f64, sum / 2.0)
        },
        |a, context| Ok(pair_ends(&degrees(a.numbers(0)), context.stream)),
    ),
    GeneratorSpec::random(
        FAMILY,
        "expected_degree_graph",
        &[Parameter::new(
            "w",
            ArgumentKind::Numbers(NumberRange::From(0.0)),
        )],
        "peers i and j linked with probability w_i w_j / sum(w), at most 1; without links of a \
         peer to itself (Chung, Lu 2002)",
        |a| {
            let weights = a.numbers(0);
            size(weights.len() as f64, weights.iter().sum::<f64>() / 2.0)
        },
        |a, context| Ok(expected_degree(a.numbers(0), context.stream)),
    ),
    GeneratorSpec::fixed(
        FAMILY,
        "havel_hakimi_graph",
        &[DEGREES],
        "exactly these degrees, large ones linked to large ones (Havel 1955, Hakimi 1962)",
        |a| {
            let degrees = degrees(a.numbers(0));
            check_graphical(&degrees)?;
            size(degrees.len() as f64, half_sum(&degrees))
        },
        |a, _| Ok(havel_hakimi(&degrees(a.numbers(0)))),
    ),
    GeneratorSpec::fixed(
        FAMILY,
        "degree_sequence_tree",
        &[DEGREES],
        "a tree with these degrees: a path with leaves",
        |a| {
            let degrees = a.numbers(0);
            let peers = degrees.len() as f64;
            let sum: f64 = degrees.iter().sum();
            if 2.0 * peers - sum != 2.0 {
                return refuse(0, "a tree's degrees add up to 2 n - 2");
            }
            if degrees.contains(&0.0) && peers > 1.0 {
                return refuse(0, "in a tree no degree is 0");
            }
            size(peers, peers - 1.0)
        },
        |a, _| Ok(tree_of_degrees(a.wholes(0))),
    ),
    GeneratorSpec::random(
        FAMILY,
        "random_degree_sequence_graph",
        &[wholes("sequence", 0), whole("tries", 1).or(10.0)],
        "exactly these degrees, each such graph about equally likely (Bayati, Kim, Saberi 2010)",
        |a| {
            let degrees = degrees(a.numbers(0));
            check_graphical(&degrees)?;
            size_with_tries(a, 1, "tries", degrees.len() as f64, half_sum(&degrees))
        },
        |a, context| {
            let degrees = degrees(a.numbers(0));
            for _ in 0..a.whole(1) {
                if let Some(links) = Sequence::new(&degrees).draw(context.stream) {
                    return Ok(links);
                }
            }
            Err(format!(
                "no graph with these degrees in {} tries; raise `tries`",
                a.whole(1)
            ))
        },
    ),
];

/// Degrees as they are used; what does not fit is refused as too many links.
fn degrees(numbers: &[f64]) -> Vec<u32> {
    numbers.iter().map(|&number| number as u32).collect()
}

pub(super) fn half_sum(degrees: &[u32]) -> f64 {
    degrees.iter().map(|&degree| f64::from(degree)).sum::<f64>() / 2.0
}

/// Whether there is a graph with these degrees (Erdos, Gallai 1960).
///
/// # Errors
/// Why there is none.
pub(super) fn check_graphical(degrees: &[u32]) -> Result<(), Refusal> {
    let mut sorted: Vec<u64> = degrees.iter().map(|&degree| degree.into()).collect();
    sorted.sort_unstable_by_key(|&degree| std::cmp::Reverse(degree));
    let sum: u64 = sorted.iter().sum();
    if sum % 2 == 1 {
        return refuse(0, format!("the degrees add up to {sum}, which is odd"));
    }
    let before: Vec<u64> = std::iter::once(0)
        .chain(sorted.iter().scan(0, |sum, &degree| {
            *sum += degree;
            Some(*sum)
        }))
        .collect();
    // The k largest take from each other, and from each of the rest k at most.
    for k in 1..=sorted.len() {
        let high = sorted.partition_point(|&degree| degree > k as u64).max(k);
        let from_rest = (k * (high - k)) as u64 + sum - before[high];
        if before[k] > (k * (k - 1)) as u64 + from_rest {
            return refuse(
                0,
                format!(
                    "the {k} largest degrees are too large for {} peers",
                    sorted.len()
                ),
            );
        }
    }
    Ok(())
}

/// The ends of links in random order, each linked to the one half of them further on.
fn pair_ends(degrees: &[u32], stream: &mut Stream) -> Links {
    let mut ends: Vec<u32> = Vec::new();
    for (peer, &degree) in degrees.iter().enumerate() {
        ends.extend(std::iter::repeat_n(peer as u32, degree as usize));
    }
    stream.shuffle(&mut ends);
    let (a, b) = ends.split_at(ends.len() / 2);
    a.iter().copied().zip(b.iter().copied()).collect()
}

/// How many random links a loop or repetition is exchanged with before a graph is made otherwise.
const EXCHANGE_TRIES: usize = 1000;

/// A random graph with exactly these degrees, which must be graphical: ends are paired at random
/// as in the configuration model; then each loop or repetition exchanges ends with a random link,
/// so that both become fit. Where that does not succeed, the links of Havel and Hakimi exchange
/// ends, ten times each (Milo, Kashtan, Itzkovitz, Newman, Alon 2003).
pub(super) fn exact_degrees(degrees: &[u32], stream: &mut Stream) -> Links {
    let mut graph = Exchange::new(degrees.len());
    let mut unfit = Vec::new();
    for (a, b) in pair_ends(degrees, stream) {
        if !graph.add(a, b) {
            unfit.push((a, b));
        }
    }
    for (a, b) in unfit {
        if !(0..EXCHANGE_TRIES).any(|_| graph.insert(a, b, stream)) {
            let mut graph = Exchange::new(degrees.len());
            for (a, b) in havel_hakimi(degrees) {
                graph.add(a, b);
            }
            for _ in 0..10 * graph.links.len() {
                graph.exchange(stream);
            }
            return graph.links;
        }
    }
    graph.links
}

/// Links that exchange ends; every peer keeps its degree.
struct Exchange {
    links: Links,
    graph: Adjacency,
}

impl Exchange {
    fn new(peers: usize) -> Self {
        Exchange {
            links: Links::new(),
            graph: Adjacency::new(peers),
        }
    }

    fn fits(&self, a: u32, b: u32) -> bool {
        a != b && !self.graph.linked(a, b)
    }

    fn add(&mut self, a: u32, b: u32) -> bool {
        let fits = self.fits(a, b);
        if fits {
            self.graph.link(a, b);
            self.links.push((a, b));
        }
        fits
    }

    /// A random link, its place, and its ends in random order.
    fn random(&self, stream: &mut Stream) -> Option<(usize, u32, u32)> {
        if self.links.is_empty() {
            return None;
        }
        let place = stream.below(2 * self.links.len() as u64) as usize;
        let (a, b) = self.links[place / 2];
        Some(if place.is_multiple_of(2) {
            (place / 2, a, b)
        } else {
            (place / 2, b, a)
        })
    }

    /// Puts in a link that would not fit: `a` gets one end of a random link, `b` the other.
    fn insert(&mut self, a: u32, b: u32, stream: &mut Stream) -> bool {
        let Some((place, x, y)) = self.random(stream) else {
            return false;
        };
        if !self.fits(a, x) || !self.fits(b, y) {
            return false;
        }
        self.graph.unlink(x, y);
        self.graph.link(a, x);
        self.links[place] = (a, x);
        self.graph.link(b, y);
        self.links.push((b, y));
        true
    }

    fn exchange(&mut self, stream: &mut Stream) {
        let (Some((first, a, b)), Some((second, x, y))) =
            (self.random(stream), self.random(stream))
        else {
            return;
        };
        if first == second || !self.fits(a, y) || !self.fits(x, b) {
            return;
        }
        self.graph.unlink(a, b);
        self.graph.unlink(x, y);
        self.graph.link(a, y);
        self.graph.link(x, b);
        self.links[first] = (a, y);
        self.links[second] = (x, b);
    }
}

/// Links with probability w_i w_j / sum(w): of the peers in descending order of weight, those are
/// skipped that a bound on the probability passes over (Miller, Hagberg 2011).
fn expected_degree(weights: &[f64], stream: &mut Stream) -> Links {
    let mut links = Links::new();
    let total: f64 = weights.iter().sum();
    let mut order: Vec<u32> = (0..weights.len() as u32).collect();
    order.sort_by(|&a, &b| weights[b as usize].total_cmp(&weights[a as usize]));
    let weight = |place: usize| weights[order[place] as usize];
    for first in 0..order.len() {
        let factor = weight(first) / total;
        let mut second = first + 1;
        if second == order.len() || factor.is_nan() {
            break;
        }
        let mut bound = (weight(second) * factor).min(1.0);
        while second < order.len() && bound > 0.0 {
            if bound < 1.0 {
                let skipped = exponential(stream) / -libm::log1p(-bound);
                second = second.saturating_add(skipped as usize);
            }
            if second < order.len() {
                let p = (weight(second) * factor).min(1.0);
                if chance(p / bound, stream) {
                    links.push((order[first], order[second]));
                }
                second += 1;
                bound = p;
            }
        }
    }
    links
}

/// The peer with the most links left is linked to those with the next most, as networkx does it:
/// of equal ones the last put down is the first taken up.
fn havel_hakimi(degrees: &[u32]) -> Links {
    let mut most = degrees.iter().copied().max().unwrap_or(0) as usize;
    let mut by_degree: Vec<Vec<u32>> = vec![Vec::new(); most + 1];
    for (peer, &degree) in degrees.iter().enumerate() {
        by_degree[degree as usize].push(peer as u32);
    }
    let mut links = Links::new();
    let mut put_back = Vec::new();
    while most > 0 {
        let Some(source) = by_degree[most].pop() else {
            most -= 1;
            continue;
        };
        let mut level = most;
        for _ in 0..most {
            while level > 0 && by_degree[level].is_empty() {
                level -= 1;
            }
            // Graphical degrees have as many peers left; those without a link left do not count.
            let Some(target) = by_degree[level].pop().filter(|_| level > 0) else {
                return links;
            };
            links.push((source, target));
            put_back.push((level - 1, target));
        }
        for (level, peer) in put_back.drain(..) {
            by_degree[level].push(peer);
        }
    }
    links
}

/// The caterpillar of these degrees: along its path they ascend, then come the leaves.
pub(super) fn tree_of_degrees(mut degrees: Vec<usize>) -> Links {
    if degrees.len() < 2 {
        return Links::new();
    }
    degrees.retain(|&degree| degree > 1);
    degrees.sort_unstable();
    let ends = degrees.len() as u32 + 2;
    let mut links = path(0, ends);
    let mut next = ends;
    for (place, degree) in degrees.iter().enumerate() {
        for _ in 2..*degree {
            links.push((place as u32 + 1, next));
            next += 1;
        }
    }
    links
}

/// A graph that is drawn link by link, each with a probability that makes up for the graphs that
/// its degrees favour.
struct Sequence<'a> {
    degrees: &'a [u32],
    left: Vec<u32>,
    /// Peers with links left, and the place of each.
    open: Vec<u32>,
    places: Vec<usize>,
    graph: Adjacency,
    /// Four times the number of links.
    scale: f64,
}

impl<'a> Sequence<'a> {
    fn new(degrees: &'a [u32]) -> Self {
        let open: Vec<u32> = (0..degrees.len() as u32)
            .filter(|&peer| degrees[peer as usize] > 0)
            .collect();
        let mut places = vec![usize::MAX; degrees.len()];
        for (place, &peer) in open.iter().enumerate() {
            places[peer as usize] = place;
        }
        Sequence {
            degrees,
            left: degrees.to_vec(),
            open,
            places,
            graph: Adjacency::new(degrees.len()),
            scale: 4.0 * half_sum(degrees),
        }
    }

    fn draw(mut self, stream: &mut Stream) -> Option<Links> {
        let most = self.degrees.iter().copied().max().unwrap_or(0) as usize;
        self.many_left(2 * most * most, stream);
        self.some_left(2 * most, stream);
        self.few_left(stream)?;
        Some(self.graph.into_links())
    }

    fn accepts(&self, a: u32, b: u32, stream: &mut Stream) -> bool {
        let product = f64::from(self.degrees[a as usize]) * f64::from(self.degrees[b as usize]);
        chance(1.0 - product / self.scale, stream)
    }

    /// Whether a pair is taken by how many links its ends have left.
    fn weighed(&self, a: u32, b: u32, most_left: u32, stream: &mut Stream) -> bool {
        let product = f64::from(self.left[a as usize]) * f64::from(self.left[b as usize]);
        chance(product / f64::from(most_left).powi(2), stream)
    }

    fn link(&mut self, a: u32, b: u32) {
        self.graph.link(a, b);
        for peer in [a, b] {
            self.left[peer as usize] -= 1;
            if self.left[peer as usize] == 0 {
                let place = self.places[peer as usize];
                self.open.swap_remove(place);
                if let Some(&moved) = self.open.get(place) {
                    self.places[moved as usize] = place;
                }
            }
        }
    }

    /// While many links are left, ends are drawn by how many each peer has left.
    fn many_left(&mut self, enough: usize, stream: &mut Stream) {
        let mut ends: Vec<u32> = Vec::new();
        for (peer, &degree) in self.left.iter().enumerate() {
            ends.extend(std::iter::repeat_n(peer as u32, degree as usize));
        }
        while ends.len() >= enough.max(2) {
            let count = ends.len() as u64;
            let (first, second) = (stream.below(count) as usize, stream.below(count) as usize);
            let (a, b) = (ends[first], ends[second]);
            if a == b || self.graph.linked(a, b) || !self.accepts(a, b, stream) {
                continue;
            }
            self.link(a, b);
            ends.swap_remove(first.max(second));
            ends.swap_remove(first.min(second));
        }
    }

    fn most_left(&self) -> u32 {
        let left = self.open.iter().map(|&peer| self.left[peer as usize]);
        left.max().unwrap_or(0)
    }

    /// While many peers have links left, pairs of them are drawn.
    fn some_left(&mut self, enough: usize, stream: &mut Stream) {
        let mut most_left = self.most_left();
        while self.open.len() >= enough.max(2) {
            let (a, b) = (choose(&self.open, stream), choose(&self.open, stream));
            if a == b || self.graph.linked(a, b) || !self.weighed(a, b, most_left, stream) {
                continue;
            }
            if self.accepts(a, b, stream) {
                self.link(a, b);
                most_left = self.most_left();
            }
        }
    }

    /// Of what is left, all pairs that could still be linked.
    fn few_left(&mut self, stream: &mut Stream) -> Option<()> {
        let open = self.open.clone();
        let mut pairs = Links::new();
        for (place, &a) in open.iter().enumerate() {
            let free = open[..place].iter().filter(|&&b| !self.graph.linked(a, b));
            pairs.extend(free.map(|&b| (a, b)));
        }
        while !self.open.is_empty() {
            let most_left = self.most_left();
            loop {
                if pairs.is_empty() {
                    return None;
                }
                let place = stream.below(pairs.len() as u64) as usize;
                let (a, b) = pairs[place];
                if self.left[a as usize] == 0 || self.left[b as usize] == 0 {
                    pairs.swap_remove(place);
                    continue;
                }
                if !self.weighed(a, b, most_left, stream) {
                    continue;
                }
                if self.accepts(a, b, stream) {
                    self.link(a, b);
                    pairs.swap_remove(place);
                }
                break;
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    #[test]
    fn exact_degrees_are_exact() {
        let mut stream = Stream::global(1, Purpose::Graph);
        let hub: Vec<u32> = std::iter::once(9)
            .chain(std::iter::repeat_n(1, 9))
            .collect();
        for degrees in [
            vec![3; 10],
            vec![9; 10],
            hub,
            vec![5, 4, 3, 2, 2, 1, 1, 0],
            vec![0; 3],
            vec![8, 8, 2, 2, 2, 2, 2, 2, 2],
        ] {
            if let Err((_, why)) = check_graphical(&degrees) {
                panic!("{degrees:?}: {why}");
            }
            for _ in 0..50 {
                let links = exact_degrees(&degrees, &mut stream);
                let (graph, dropped) = super::super::Graph::numbered(degrees.len() as u32, &links);
                assert_eq!(dropped, Default::default());
                for (peer, &degree) in degrees.iter().enumerate() {
                    assert_eq!(graph.neighbours(peer).len(), degree as usize, "{degrees:?}");
                }
            }
        }
    }

    #[test]
    fn degrees_that_no_graph_has_are_found() {
        for degrees in [
            vec![1, 1, 1],
            vec![4, 1, 1, 1],
            vec![3, 3, 1, 1],
            vec![2, 2, 0],
            vec![5, 5, 4, 4, 2, 2],
        ] {
            // As networkx.is_graphical says.
            assert!(check_graphical(&degrees).is_err(), "{degrees:?}");
        }
        assert!(check_graphical(&[]).is_ok() && check_graphical(&[0, 1, 1]).is_ok());
    }
}
