//! Random graphs in which all peers are alike: Erdos-Renyi, small worlds, regular graphs.

use super::classic::pairs;
use super::draw::{Adjacency, Trials, chance, distinct, link_all};
use super::spec::{
    ArgumentKind, Family, GeneratorSpec, Links, Parameter, Size, probability, refuse, size,
    size_with_tries, whole,
};
use super::{Arguments, Graph};
use crate::random::Stream;

const FAMILY: Family = Family::Random;
const N: Parameter = whole("n", 0);
const K: Parameter = whole("k", 0);
const P: Parameter = probability("p");

pub(super) const SPECS: [GeneratorSpec; 9] = [
    GeneratorSpec::random(
        FAMILY,
        "erdos_renyi_graph",
        &[N, P],
        "each pair of n peers linked with probability p (Gilbert 1959)",
        |a| size(a.real(0), pairs(a.real(0)) * a.real(1)),
        |a, context| Ok(gnp(a.whole(0), a.real(1), context.stream)),
    )
    .also(&[
        "gnp_random_graph",
        "binomial_graph",
        "fast_gnp_random_graph",
        "fast_gnp",
        "gnp",
    ]),
    GeneratorSpec::random(
        FAMILY,
        "gnm_random_graph",
        &[N, whole("m", 0)],
        "n peers and m links, every such graph equally likely (Erdos, Renyi 1959)",
        |a| {
            let (n, m) = (a.real(0), a.real(1));
            if m > pairs(n) {
                return refuse(
                    1,
                    format!("`m` must be at most n (n - 1) / 2 = {}", pairs(n)),
                );
            }
            size(n, m)
        },
        |a, context| Ok(gnm(a.whole(0), a.whole(1), context.stream)),
    )
    .also(&["dense_gnm_random_graph", "gnm", "dense_gnm"]),
    GeneratorSpec::random(
        FAMILY,
        "watts_strogatz_graph",
        &[N, K, P],
        "a ring of n peers, each linked to its k nearest (k - 1 if k is odd), every link moved \
         with probability p (Watts, Strogatz 1998)",
        ring_size,
        |a, context| {
            Ok(watts_strogatz(a.whole(0), a.whole(1), a.real(2), context.stream).into_links())
        },
    ),
    GeneratorSpec::random(
        FAMILY,
        "newman_watts_strogatz_graph",
        &[N, K, P],
        "a ring of n peers, each linked to its k nearest (k - 1 if k is odd), and for every link \
         another with probability p (Newman, Watts 1999)",
        |a| {
            let ring = ring_size(a)?;
            let full = a.real(0) == a.real(1);
            size(
                ring.peers,
                ring.links * if full { 1.0 } else { 1.0 + a.real(2) },
            )
        },
        |a, context| Ok(newman_watts_strogatz(a, context.stream)),
    ),
    GeneratorSpec::random(
        FAMILY,
        "connected_watts_strogatz_graph",
        &[N, K, P, whole("tries", 1).or(100.0)],
        "watts_strogatz_graph, drawn again up to `tries` times until it is connected",
        |a| {
            let ring = ring_size(a)?;
            size_with_tries(a, 3, "tries", ring.peers, ring.links)
        },
        |a, context| {
            for _ in 0..a.whole(3) {
                let graph = watts_strogatz(a.whole(0), a.whole(1), a.real(2), context.stream);
                let links = graph.into_links();
                if Graph::numbered(a.whole(0) as u32, &links).0.is_connected() {
                    return Ok(links);
                }
            }
            Err(format!(
                "not connected in {} tries; raise `tries`",
                a.whole(3)
            ))
        },
    ),
    GeneratorSpec::random(
        FAMILY,
        "random_regular_graph",
        &[whole("d", 0), N],
        "n peers with d links each (Steger, Wormald 1999)",
        |a| {
            let (d, n) = (a.real(0), a.real(1));
            if d >= n {
                return refuse(0, format!("`d` must be below n = {n}"));
            }
            if d % 2.0 == 1.0 && n % 2.0 == 1.0 {
                return refuse(0, "n * d must be even");
            }
            size(n, d * n / 2.0)
        },
        |a, context| Ok(random_regular(a.whole(0), a.whole(1), context.stream)),
    ),
    GeneratorSpec::random(
        FAMILY,
        "random_shell_graph",
        &[Parameter::new("constructor", ArgumentKind::Rows)],
        "shells, each [n, m, d]: n peers, and of its m links the share d inside, the others to \
         the next shell, e.g. random_shell([[10, 20, 0.8], [20, 40, 0.8]])",
        shells_size,
        |a, context| Ok(shells(a.rows(0), context.stream)),
    ),
    GeneratorSpec::random(
        FAMILY,
        "duplication_divergence_graph",
        &[whole("n", 2), probability("p")],
        "each new peer copies the links of an earlier one, every one with probability p \
         (Ispolatov, Krapivsky, Yuryev 2005)",
        |a| {
            if a.real(1) == 0.0 && a.real(0) > 2.0 {
                return refuse(1, "`p` must be above 0, or no peer gets a link");
            }
            // The mean degree of what is copied, and the condition of one link at least.
            size(a.real(0), a.real(0) * (1.0 + 2.0 * a.real(1)))
        },
        |a, context| duplication_divergence(a.whole(0), a.real(1), context.stream),
    ),
    GeneratorSpec::random(
        FAMILY,
        "partial_duplication_graph",
        &[
            whole("N", 1),
            whole("n", 1),
            probability("p"),
            probability("q"),
        ],
        "n peers linked all to all, then up to N: each copies the links of an earlier one, every \
         one with probability p, and links to it with probability q (Chung, Lu, Dewey, Galas 2003)",
        |a| {
            let (all, n) = (a.real(0), a.real(1));
            if n > all {
                return refuse(1, format!("`n` must be at most N = {all}"));
            }
            // The links L of k peers grow by p times the mean degree 2 L / k, and q: a linear
            // differential equation.
            let (growth, q) = (2.0 * a.real(2), a.real(3));
            let links = if growth == 1.0 {
                all * (pairs(n) / n + q * libm::log(all / n))
            } else {
                let steady = q / (1.0 - growth);
                steady * all + (pairs(n) - steady * n) * libm::pow(all / n, growth)
            };
            size(all, links)
        },
        |a, context| {
            let (all, n) = (a.whole(0), a.whole(1));
            let mut graph = Adjacency::new(all);
            for first in 0..n as u32 {
                (first + 1..n as u32).for_each(|second| graph.link(first, second));
            }
            for new in n as u32..all as u32 {
                let model = context.stream.below(u64::from(new)) as u32;
                for other in graph.of[model as usize].clone() {
                    if chance(a.real(2), context.stream) {
                        graph.link(new, other);
                    }
                }
                if chance(a.real(3), context.stream) {
                    graph.link(new, model);
                }
            }
            Ok(graph.into_links())
        },
    ),
];

/// Each pair with probability `p`: the pairs between two successes are skipped at once
/// (Batagelj, Brandes 2005).
pub(super) fn gnp(n: usize, p: f64, stream: &mut Stream) -> Links {
    let mut links = Links::new();
    if p >= 1.0 {
        link_all(&mut links, 0, n as u32);
        return links;
    }
    let mean = pairs(n as f64) * p;
    links.reserve((mean + 4.0 * mean.sqrt()) as usize);
    let trials = Trials::new(p);
    // Row by row of the lower triangle; in a row, all columns below it.
    let (mut row, mut column) = (1, trials.failures(stream));
    let n = n as u64;
    loop {
        while column >= row && row < n {
            column -= row;
            row += 1;
        }
        if row >= n {
            return links;
        }
        links.push((column as u32, row as u32));
        column = column
            .saturating_add(1)
            .saturating_add(trials.failures(stream));
    }
}

/// `m` different pairs.
pub(super) fn gnm(n: usize, m: usize, stream: &mut Stream) -> Links {
    let all = n as u64 * (n as u64).saturating_sub(1) / 2;
    let (mut row, mut first) = (1_u64, 0_u64);
    distinct(all, m, stream)
        .into_iter()
        .map(|pair| {
            while pair >= first + row {
                first += row;
                row += 1;
            }
            ((pair - first) as u32, row as u32)
        })
        .collect()
}

fn ring_size(a: &Arguments<'_>) -> Result<Size, super::spec::Refusal> {
    let (n, k) = (a.real(0), a.real(1));
    if k > n {
        return refuse(1, format!("`k` must be at most n = {n}"));
    }
    size(
        n,
        if n == k {
            pairs(n)
        } else {
            n * (k / 2.0).floor()
        },
    )
}

/// A ring of `n` peers, each linked to the `k / 2` next on either side, or the complete graph
/// where that is `n`.
fn wide_ring(n: usize, k: usize) -> Adjacency {
    let mut graph = Adjacency::new(n);
    if n == k {
        for a in 0..n as u32 {
            (a + 1..n as u32).for_each(|b| graph.link(a, b));
        }
        return graph;
    }
    for step in 1..=k / 2 {
        for peer in 0..n {
            graph.link(peer as u32, ((peer + step) % n) as u32);
        }
    }
    graph
}

/// Every link's far end is moved to a random other peer with probability `p`.
fn watts_strogatz(n: usize, k: usize, p: f64, stream: &mut Stream) -> Adjacency {
    let mut graph = wide_ring(n, k);
    if n == k {
        return graph;
    }
    for step in 1..=k / 2 {
        for peer in 0..n {
            // A peer that is linked to all others has nowhere to move a link.
            if !chance(p, stream) || graph.of[peer].len() + 1 >= n {
                continue;
            }
            let peer = peer as u32;
            let old = (peer + step as u32) % n as u32;
            let new = another(&graph, peer, stream);
            graph.unlink(peer, old);
            graph.link(peer, new);
        }
    }
    graph
}

/// A random peer that `peer` is not linked to. There must be one.
fn another(graph: &Adjacency, peer: u32, stream: &mut Stream) -> u32 {
    loop {
        let new = stream.below(graph.of.len() as u64) as u32;
        if new != peer && !graph.linked(peer, new) {
            return new;
        }
    }
}

/// Shortcuts begin at the lower end of a link, as in networkx.
fn newman_watts_strogatz(a: &Arguments<'_>, stream: &mut Stream) -> Links {
    let (n, k, p) = (a.whole(0), a.whole(1), a.real(2));
    let mut graph = wide_ring(n, k);
    if n == k {
        return graph.into_links();
    }
    for (peer, _) in graph.clone().into_links() {
        if chance(p, stream) && graph.degree(peer) + 1 < n {
            let new = another(&graph, peer, stream);
            graph.link(peer, new);
        }
    }
    graph.into_links()
}

/// Pairs the ends of links at random; ends that would make a loop or repeat a link are paired
/// again among themselves, and all from the start where that cannot succeed.
fn random_regular(d: usize, n: usize, stream: &mut Stream) -> Links {
    // A dense regular graph is the complement of a sparse one: pairing at random would hardly
    // ever succeed there.
    if 2 * d >= n {
        let absent = random_regular(n - 1 - d, n, stream);
        let (absent, _) = Graph::numbered(n as u32, &absent);
        let mut links = Vec::with_capacity(n * d / 2);
        for a in 0..n as u32 {
            let gaps = absent.neighbours(a as usize);
            links.extend(
                (a + 1..n as u32)
                    .filter(|b| gaps.binary_search(b).is_err())
                    .map(|b| (a, b)),
            );
        }
        return links;
    }
    loop {
        if let Some(links) = try_regular(d, n, stream) {
            return links;
        }
    }
}

/// A link as one number, so that many are sorted fast.
fn key(a: u32, b: u32) -> u64 {
    u64::from(a.min(b)) << 32 | u64::from(a.max(b))
}

fn ends_of(key: u64) -> (u32, u32) {
    ((key >> 32) as u32, key as u32)
}

fn try_regular(d: usize, n: usize, stream: &mut Stream) -> Option<Links> {
    // Ascending.
    let mut linked: Vec<u64> = Vec::new();
    let mut ends: Vec<u32> = (0..n as u32)
        .flat_map(|peer| std::iter::repeat_n(peer, d))
        .collect();
    while !ends.is_empty() {
        stream.shuffle(&mut ends);
        let mut pairs: Vec<u64> = ends.chunks_exact(2).map(|e| key(e[0], e[1])).collect();
        pairs.sort_unstable();
        ends.clear();
        let mut before = None;
        pairs.retain(|&pair| {
            let (a, b) = ends_of(pair);
            let fits = a != b && before != Some(pair) && linked.binary_search(&pair).is_err();
            if !fits {
                ends.extend([a, b]);
            }
            before = Some(pair);
            fits
        });
        if linked.is_empty() {
            linked = pairs;
        } else {
            // Two ascending runs are merged.
            linked.extend(pairs);
            linked.sort();
        }
        ends.sort_unstable();
        let mut different = ends.clone();
        different.dedup();
        let can_succeed = ends.is_empty()
            || different.iter().enumerate().any(|(place, &a)| {
                let mut others = different[..place].iter();
                others.any(|&b| linked.binary_search(&key(a, b)).is_err())
            });
        if !can_succeed {
            return None;
        }
    }
    Some(linked.into_iter().map(ends_of).collect())
}

fn shells_size(a: &Arguments<'_>) -> Result<Size, super::spec::Refusal> {
    let rows = a.rows(0);
    let (mut peers, mut links) = (0.0, 0.0);
    for (place, row) in rows.iter().enumerate() {
        let [n, m, d] = row[..] else {
            return refuse(
                0,
                "a shell is [n, m, d]: peers, links, and the share inside",
            );
        };
        if n < 1.0 || n.fract() != 0.0 || m < 0.0 || m.fract() != 0.0 || n > 1e9 || m > 1e15 {
            return refuse(0, format!("[{n}, {m}, {d}]: n and m must be whole numbers"));
        }
        if !(0.0..=1.0).contains(&d) {
            return refuse(0, format!("[{n}, {m}, {d}]: d must be between 0 and 1"));
        }
        let inside = (m * d).floor();
        peers += n;
        links += inside.min(pairs(n));
        if let Some(next) = rows.get(place + 1).and_then(|row| row.first()) {
            if m - inside > n * next {
                return refuse(
                    0,
                    format!(
                        "{} links do not fit between shells of {n} and {next}",
                        m - inside
                    ),
                );
            }
            links += m - inside;
        }
    }
    size(peers, links)
}

fn shells(rows: &[Vec<f64>], stream: &mut Stream) -> Links {
    let mut links = Links::new();
    let mut first = 0_u32;
    for (place, row) in rows.iter().enumerate() {
        let (n, m, d) = (row[0] as usize, row[1], row[2]);
        let inside = (m * d).floor();
        let count = inside.min(pairs(row[0])) as usize;
        let shell = gnm(n, count, stream);
        links.extend(shell.into_iter().map(|(a, b)| (a + first, b + first)));
        if let Some(next) = rows.get(place + 1) {
            let width = next[0] as u64;
            for pair in distinct(n as u64 * width, (m - inside) as usize, stream) {
                let (a, b) = ((pair / width) as u32, (pair % width) as u32);
                links.push((first + a, first + n as u32 + b));
            }
        }
        first += n as u32;
    }
    links
}

/// How often a peer that got no link is drawn again.
const DIVERGENCE_TRIES: usize = 10_000;

fn duplication_divergence(n: usize, p: f64, stream: &mut Stream) -> Result<Links, String> {
    let mut graph = Adjacency::new(n);
    graph.link(0, 1);
    for new in 2..n as u32 {
        let mut tries = 0;
        while graph.degree(new) == 0 {
            if tries == DIVERGENCE_TRIES {
                return Err(format!(
                    "peer {new} got no link in {DIVERGENCE_TRIES} tries; raise `p`"
                ));
            }
            tries += 1;
            let model = stream.below(u64::from(new)) as u32;
            for other in graph.of[model as usize].clone() {
                if chance(p, stream) {
                    graph.link(new, other);
                }
            }
        }
    }
    Ok(graph.into_links())
}
