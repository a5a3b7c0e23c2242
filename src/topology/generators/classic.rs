//! Rings, trees, stars and other graphs of one rule, as in networkx's `classic`.

use super::draw::{Adjacency, link_all};
use super::spec::{
    ArgumentKind, Family, GeneratorSpec, Links, Parameter, refuse, size, whole, wholes,
};

const FAMILY: Family = Family::Classic;
const N: Parameter = whole("n", 0);

pub(super) const SPECS: [GeneratorSpec; 20] = [
    GeneratorSpec::fixed(
        FAMILY,
        "balanced_tree",
        &[whole("r", 0), whole("h", 0)],
        "a tree of height h in which each inner peer has r children",
        |a| {
            let peers = tree_peers(a.real(0), a.real(1));
            size(peers, peers - 1.0)
        },
        |a, _| {
            let (r, h) = (a.real(0), a.real(1));
            Ok(tree(a.whole(0), tree_peers(r, h) as usize))
        },
    ),
    GeneratorSpec::fixed(
        FAMILY,
        "barbell_graph",
        &[whole("m1", 2), whole("m2", 0)],
        "two complete graphs of m1 peers, joined by a path of m2",
        |a| {
            let (m1, m2) = (a.real(0), a.real(1));
            size(2.0 * m1 + m2, 2.0 * pairs(m1) + m2 + 1.0)
        },
        |a, _| {
            let (m1, m2) = (a.whole(0) as u32, a.whole(1) as u32);
            let mut links = path(m1 - 1, m1 + m2 + 1);
            link_all(&mut links, 0, m1);
            link_all(&mut links, m1 + m2, 2 * m1 + m2);
            Ok(links)
        },
    ),
    GeneratorSpec::fixed(
        FAMILY,
        "binomial_tree",
        &[N],
        "the binomial tree of order n: 2^n peers",
        |a| {
            let peers = power(2.0, a.real(0));
            size(peers, peers - 1.0)
        },
        // A copy of the tree hangs from its own root: the parent is without the lowest bit.
        |a, _| {
            Ok((1..1_u32 << a.whole(0))
                .map(|peer| (peer & (peer - 1), peer))
                .collect())
        },
    ),
    GeneratorSpec::fixed(
        FAMILY,
        "circulant_graph",
        &[N, Parameter::new("offsets", ArgumentKind::Wholes(None))],
        "n peers in a ring, each linked to those at the offsets, e.g. circulant(10, [1, 3])",
        |a| size(a.real(0), a.real(0) * a.numbers(1).len() as f64),
        |a, _| {
            let n = a.whole(0) as i64;
            let offsets = a.numbers(1).iter().map(|&offset| offset as i64);
            Ok(offsets
                .flat_map(|offset| {
                    (0..n).map(move |peer| (peer as u32, (peer + offset).rem_euclid(n) as u32))
                })
                .collect())
        },
    ),
    GeneratorSpec::fixed(
        FAMILY,
        "circular_ladder_graph",
        &[N],
        "two rings of n peers, joined like a ladder's rungs",
        |a| size(2.0 * a.real(0), 3.0 * a.real(0)),
        |a, _| {
            let n = a.whole(0) as u32;
            let mut links = ladder(n);
            links.extend([(0, n - 1), (n, 2 * n - 1)]);
            Ok(links)
        },
    ),
    GeneratorSpec::fixed(
        FAMILY,
        "complete_graph",
        &[N],
        "every peer linked to every other",
        |a| size(a.real(0), pairs(a.real(0))),
        |a, _| {
            let mut links = Vec::with_capacity(pairs(a.real(0)) as usize);
            link_all(&mut links, 0, a.whole(0) as u32);
            Ok(links)
        },
    ),
    GeneratorSpec::fixed(
        FAMILY,
        "complete_multipartite_graph",
        &[wholes("sizes", 0)],
        "groups of the given sizes, each peer linked to all of the other groups",
        |a| {
            let peers: f64 = a.numbers(0).iter().sum();
            let inside: f64 = a.numbers(0).iter().map(|&size| pairs(size)).sum();
            size(peers, pairs(peers) - inside)
        },
        |a, _| Ok(multipartite(&a.wholes(0))),
    )
    .variadic(),
    GeneratorSpec::fixed(
        FAMILY,
        "cycle_graph",
        &[N],
        "a ring",
        |a| {
            size(
                a.real(0),
                if a.real(0) > 2.0 {
                    a.real(0)
                } else {
                    a.real(0) - 1.0
                },
            )
        },
        |a, _| Ok(ring(0, a.whole(0) as u32)),
    ),
    GeneratorSpec::fixed(
        FAMILY,
        "dorogovtsev_goltsev_mendes_graph",
        &[N],
        "begins with a link; n times each link gets a peer of its own, linked to both ends \
         (Dorogovtsev, Goltsev, Mendes 2002)",
        |a| {
            let links = power(3.0, a.real(0));
            size((links + 3.0) / 2.0, links)
        },
        |a, _| Ok(dorogovtsev_goltsev_mendes(a.whole(0))),
    ),
    GeneratorSpec::fixed(
        FAMILY,
        "empty_graph",
        &[N.or(0.0)],
        "n peers without links",
        |a| size(a.real(0), 0.0),
        |_, _| Ok(Links::new()),
    ),
    GeneratorSpec::fixed(
        FAMILY,
        "full_rary_tree",
        &[whole("r", 0), N],
        "n peers in a tree, each with r children as far as there are any left",
        |a| {
            size(
                a.real(1),
                if a.real(0) > 0.0 {
                    a.real(1) - 1.0
                } else {
                    0.0
                },
            )
        },
        |a, _| Ok(tree(a.whole(0), a.whole(1))),
    ),
    GeneratorSpec::fixed(
        FAMILY,
        "ladder_graph",
        &[N],
        "two paths of n peers, joined like a ladder's rungs",
        |a| size(2.0 * a.real(0), 3.0 * a.real(0) - 2.0),
        |a, _| Ok(ladder(a.whole(0) as u32)),
    ),
    GeneratorSpec::fixed(
        FAMILY,
        "lollipop_graph",
        &[whole("m", 2), N],
        "a complete graph of m peers with a path of n",
        |a| size(a.real(0) + a.real(1), pairs(a.real(0)) + a.real(1)),
        |a, _| {
            let (m, n) = (a.whole(0) as u32, a.whole(1) as u32);
            let mut links = path(m - 1, m + n);
            link_all(&mut links, 0, m);
            Ok(links)
        },
    ),
    GeneratorSpec::fixed(
        FAMILY,
        "path_graph",
        &[N],
        "a line",
        |a| size(a.real(0), a.real(0) - 1.0),
        |a, _| Ok(path(0, a.whole(0) as u32)),
    ),
    GeneratorSpec::fixed(
        FAMILY,
        "star_graph",
        &[N],
        "peer 0 linked to n others, as in networkx: n + 1 peers",
        |a| size(a.real(0) + 1.0, a.real(0)),
        |a, _| Ok((1..=a.whole(0) as u32).map(|peer| (0, peer)).collect()),
    ),
    GeneratorSpec::fixed(
        FAMILY,
        "tadpole_graph",
        &[whole("m", 2), N],
        "a ring of m peers with a path of n",
        |a| size(a.real(0) + a.real(1), a.real(0) + a.real(1)),
        |a, _| {
            let (m, n) = (a.whole(0) as u32, a.whole(1) as u32);
            let mut links = ring(0, m);
            links.extend(path(m - 1, m + n));
            Ok(links)
        },
    ),
    GeneratorSpec::fixed(
        FAMILY,
        "trivial_graph",
        &[],
        "one peer",
        |_| size(1.0, 0.0),
        |_, _| Ok(Links::new()),
    ),
    GeneratorSpec::fixed(
        FAMILY,
        "turan_graph",
        &[N, whole("r", 1)],
        "n peers in r groups of about equal size, each linked to all of the other groups",
        |a| {
            let (n, r) = (a.real(0), a.real(1));
            if r > n {
                return refuse(1, format!("`r` must be at most n = {n}"));
            }
            let inside = r * pairs((n / r).floor()) + (n % r) * (n / r).floor();
            size(n, pairs(n) - inside)
        },
        |a, _| {
            let (n, r) = (a.whole(0), a.whole(1));
            let larger = n % r;
            let groups: Vec<usize> = (0..r)
                .map(|group| n / r + usize::from(group >= r - larger))
                .collect();
            Ok(multipartite(&groups))
        },
    ),
    GeneratorSpec::fixed(
        FAMILY,
        "wheel_graph",
        &[N],
        "peer 0 linked to all of a ring of n - 1 others",
        |a| size(a.real(0), 2.0 * (a.real(0) - 1.0)),
        |a, _| {
            let n = a.whole(0) as u32;
            let mut links = ring(1, n);
            links.extend((1..n).map(|peer| (0, peer)));
            Ok(links)
        },
    ),
    GeneratorSpec::fixed(
        FAMILY,
        "mycielski_graph",
        &[whole("n", 1)],
        "the n-th Mycielski graph: without triangles, and n colours are needed (Mycielski 1955)",
        |a| {
            let n = a.real(0);
            if n < 3.0 {
                return size(n, n - 1.0);
            }
            // Every step more than triples the links.
            let (mut peers, mut links) = (2.0, 1.0);
            for _ in 0..(n - 2.0).min(2000.0) as usize {
                (peers, links) = (2.0 * peers + 1.0, 3.0 * links + peers);
            }
            size(peers, links)
        },
        |a, _| {
            let n = a.whole(0);
            let mut peers = 1_u32;
            let mut links = Links::new();
            if n > 1 {
                peers = 2;
                links.push((0, 1));
            }
            for _ in 2..n {
                let shadows: Links = links
                    .iter()
                    .flat_map(|&(u, v)| [(u, v + peers), (u + peers, v)])
                    .collect();
                links.extend(shadows);
                links.extend((peers..2 * peers).map(|shadow| (shadow, 2 * peers)));
                peers = 2 * peers + 1;
            }
            Ok(links)
        },
    ),
];

/// How many pairs there are among n.
pub(super) fn pairs(n: f64) -> f64 {
    n * (n - 1.0) / 2.0
}

/// A whole power; of whole numbers exact as far as it fits.
pub(super) fn power(base: f64, exponent: f64) -> f64 {
    (0..exponent.min(1100.0) as usize).fold(1.0, |product, _| product * base)
}

fn tree_peers(r: f64, h: f64) -> f64 {
    if r == 1.0 {
        return h + 1.0;
    }
    (1.0 - power(r, h + 1.0)) / (1.0 - r)
}

fn tree(r: usize, n: usize) -> Links {
    if r == 0 {
        return Links::new();
    }
    (1..n)
        .map(|peer| (((peer - 1) / r) as u32, peer as u32))
        .collect()
}

/// A path of the peers from `first` to before `end`.
pub(super) fn path(first: u32, end: u32) -> Links {
    (first + 1..end).map(|peer| (peer - 1, peer)).collect()
}

/// A ring of the peers from `first` to before `end`.
pub(super) fn ring(first: u32, end: u32) -> Links {
    let mut links = path(first, end);
    if end > first + 1 {
        links.push((first, end - 1));
    }
    links
}

fn ladder(n: u32) -> Links {
    let mut links = path(0, n);
    links.extend(path(n, 2 * n));
    links.extend((0..n).map(|peer| (peer, peer + n)));
    links
}

fn multipartite(groups: &[usize]) -> Links {
    let all: usize = groups.iter().sum();
    let mut links = Links::new();
    let mut first = 0;
    for group in groups {
        let end = first + group;
        for a in first..end {
            links.extend((end..all).map(|b| (a as u32, b as u32)));
        }
        first = end;
    }
    links
}

/// New peers are numbered in the order of networkx's edges: by their lower end, and for each of
/// those by age.
fn dorogovtsev_goltsev_mendes(n: usize) -> Links {
    let mut graph = Adjacency::new(2);
    graph.link(0, 1);
    for _ in 0..n {
        let links = graph.clone().into_links();
        for (a, b) in links {
            let new = graph.of.len() as u32;
            graph.of.push(Vec::new());
            graph.link(a, new);
            graph.link(b, new);
        }
    }
    graph.into_links()
}
