//! Preferential attachment: who has many links gets more.

use super::classic::pairs;
use super::draw::{Adjacency, chance, choose, distinct_weighted};
use super::spec::{
    ArgumentKind, Family, GeneratorSpec, Links, NumberRange, Parameter, number, probability,
    refuse, size, whole,
};
use crate::random::Stream;

const FAMILY: Family = Family::Random;
const N: Parameter = whole("n", 1);
const M: Parameter = whole("m", 1);

pub(super) const SPECS: [GeneratorSpec; 6] = [
    GeneratorSpec::random(
        FAMILY,
        "barabasi_albert_graph",
        &[N, M],
        "preferential attachment: each of n peers links to m earlier ones (Barabasi, Albert 1999)",
        |a| {
            let (n, m) = (a.real(0), a.real(1));
            if m >= n {
                return refuse(1, format!("`m` must be from 1 to n - 1 = {}", n - 1.0));
            }
            // A star of m links, then m for each further peer.
            size(n, m + (n - m - 1.0) * m)
        },
        |a, context| {
            let (n, m) = (a.whole(0), a.whole(1));
            Ok(barabasi_albert(n, m, |_| m, context.stream))
        },
    ),
    GeneratorSpec::random(
        FAMILY,
        "dual_barabasi_albert_graph",
        &[N, whole("m1", 1), whole("m2", 1), probability("p")],
        "preferential attachment with m1 links a peer, by probability p, or m2 (Moshiri 2018)",
        |a| {
            let (n, m1, m2, p) = (a.real(0), a.real(1), a.real(2), a.real(3));
            for (place, m) in [(1, m1), (2, m2)] {
                if m >= n {
                    let name = ["m1", "m2"][place - 1];
                    return refuse(
                        place,
                        format!("`{name}` must be from 1 to n - 1 = {}", n - 1.0),
                    );
                }
            }
            let star = first_star(m1, m2, p);
            size(n, star + (n - star - 1.0) * (p * m1 + (1.0 - p) * m2))
        },
        |a, context| {
            let (n, m1, m2, p) = (a.whole(0), a.whole(1), a.whole(2), a.real(3));
            let star = first_star(m1 as f64, m2 as f64, p) as usize;
            let links_of = |stream: &mut Stream| if chance(p, stream) { m1 } else { m2 };
            Ok(barabasi_albert(n, star, links_of, context.stream))
        },
    ),
    GeneratorSpec::random(
        FAMILY,
        "extended_barabasi_albert_graph",
        &[N, M, probability("p"), probability("q")],
        "preferential attachment; instead of a new peer, by probability p m new links, by q m \
         links moved (Albert, Barabasi 2000)",
        |a| {
            let (n, m, p, q) = (a.real(0), a.real(1), a.real(2), a.real(3));
            if m >= n {
                return refuse(1, format!("`m` must be from 1 to n - 1 = {}", n - 1.0));
            }
            if p + q >= 1.0 {
                return refuse(3, format!("p + q must be below 1, not {}", p + q));
            }
            // For each new peer p / (1 - p - q) times new links.
            let links = (n - m) * m * (1.0 + p / (1.0 - p - q));
            size(n, links.min(pairs(n)))
        },
        |a, context| {
            let growth = Growth::new(a.whole(0), a.whole(1));
            Ok(growth.grow(a.real(2), a.real(3), context.stream))
        },
    ),
    GeneratorSpec::random(
        FAMILY,
        "powerlaw_cluster_graph",
        &[N, M, probability("p")],
        "preferential attachment in which a link is followed by one to a neighbour of its end \
         with probability p (Holme, Kim 2002)",
        |a| {
            let (n, m) = (a.real(0), a.real(1));
            if m > n {
                return refuse(1, format!("`m` must be from 1 to n = {n}"));
            }
            size(n, (n - m) * m)
        },
        |a, context| {
            Ok(powerlaw_cluster(
                a.whole(0),
                a.whole(1),
                a.real(2),
                context.stream,
            ))
        },
    ),
    GeneratorSpec::random(
        FAMILY,
        "random_k_out_graph",
        &[
            N,
            whole("k", 0),
            number("alpha", NumberRange::Above(0.0)),
            Parameter::new("self_loops", ArgumentKind::Flag).or_flag(true),
        ],
        "every peer links to k, each chosen by alpha plus the links it got already; loops and \
         repeated links are left out (Fraiman, Fraiman, Svarc 2018)",
        |a| {
            let (n, k) = (a.real(0), a.real(1));
            if !a.flag(3) && n < 2.0 {
                return refuse(0, "`n` must be at least 2 without self_loops");
            }
            size(n, n * k)
        },
        |a, context| {
            let (n, k, alpha) = (a.whole(0), a.whole(1), a.real(2));
            Ok(random_k_out(n, k, alpha, a.flag(3), context.stream))
        },
    ),
    GeneratorSpec::random(
        FAMILY,
        "scale_free_graph",
        &[
            N,
            number("alpha", NumberRange::Above(0.0)).or(0.41),
            number("beta", NumberRange::Above(0.0)).or(0.54),
            number("gamma", NumberRange::Above(0.0)).or(0.05),
            number("delta_in", NumberRange::From(0.0)).or(0.2),
            number("delta_out", NumberRange::From(0.0)).or(0.0),
        ],
        "a link at a time: by probability alpha from a new peer, by beta between old ones, by \
         gamma to a new one; directions, loops and repeated links are left out (Bollobas, Borgs, \
         Chayes, Riordan 2003)",
        |a| {
            let sum = a.real(1) + a.real(2) + a.real(3);
            if (sum - 1.0).abs() >= 1e-9 {
                return refuse(1, format!("alpha + beta + gamma must be 1, not {sum}"));
            }
            let n = a.real(0).max(3.0);
            size(n, 3.0 + (n - 3.0) / (1.0 - a.real(2)))
        },
        |a, context| {
            let shares = [1, 2, 3].map(|place| a.real(place));
            let deltas = [a.real(4), a.real(5)];
            Ok(scale_free(a.whole(0), shares, deltas, context.stream))
        },
    ),
];

/// How many links the star has with which a dual graph begins.
fn first_star(m1: f64, m2: f64, p: f64) -> f64 {
    match p {
        1.0 => m1,
        0.0 => m2,
        _ => m1.max(m2),
    }
}

/// Begins with a star of `star` links; each further peer links to as many different ones as
/// `links_of` says, a peer being the more likely the more links it has.
fn barabasi_albert(
    n: usize,
    star: usize,
    mut links_of: impl FnMut(&mut Stream) -> usize,
    stream: &mut Stream,
) -> Links {
    // Link by link.
    let mut ends: Vec<u32> = Vec::with_capacity(2 * n * star);
    ends.extend((1..=star as u32).flat_map(|leaf| [0, leaf]));
    let mut chosen = Vec::new();
    for new in star as u32 + 1..n as u32 {
        let count = links_of(stream);
        distinct_weighted(&ends, count, &mut chosen, stream);
        ends.extend(chosen.iter().flat_map(|&other| [other, new]));
    }
    ends.chunks_exact(2)
        .map(|ends| (ends[0], ends[1]))
        .collect()
}

/// A growing graph whose links can be moved.
struct Growth {
    n: u32,
    m: usize,
    /// The links, by number.
    links: Links,
    /// The numbers of each peer's links.
    of: Vec<Vec<u32>>,
    /// Peers so far.
    peers: u32,
}

impl Growth {
    fn new(n: usize, m: usize) -> Self {
        Growth {
            n: n as u32,
            m,
            links: Links::new(),
            of: vec![Vec::new(); n],
            peers: m as u32,
        }
    }

    fn linked(&self, a: u32, b: u32) -> bool {
        let (few, other) = match self.of[a as usize].len() <= self.of[b as usize].len() {
            true => (a, b),
            false => (b, a),
        };
        let mut links = self.of[few as usize].iter();
        links.any(|&link| self.other_end(link, few) == other)
    }

    fn other_end(&self, link: u32, peer: u32) -> u32 {
        let (a, b) = self.links[link as usize];
        if a == peer { b } else { a }
    }

    fn link(&mut self, a: u32, b: u32) {
        for end in [a, b] {
            self.of[end as usize].push(self.links.len() as u32);
        }
        self.links.push((a, b));
    }

    /// A peer by one plus the number of its links.
    fn preferred(&self, stream: &mut Stream) -> u32 {
        let peers = u64::from(self.peers);
        let place = stream.below(peers + 2 * self.links.len() as u64);
        if place < peers {
            return place as u32;
        }
        let (a, b) = self.links[((place - peers) / 2) as usize];
        if (place - peers).is_multiple_of(2) {
            a
        } else {
            b
        }
    }

    /// A preferred peer that `peer` is not linked to.
    fn preferred_stranger(&self, peer: u32, stream: &mut Stream) -> u32 {
        loop {
            let other = self.preferred(stream);
            if other != peer && !self.linked(peer, other) {
                return other;
            }
        }
    }

    /// A random peer with from `low` links to fewer than all others.
    fn eligible(&self, low: usize, stream: &mut Stream) -> u32 {
        loop {
            let peer = stream.below(u64::from(self.peers)) as u32;
            let degree = self.of[peer as usize].len();
            if (low..self.peers as usize - 1).contains(&degree) {
                return peer;
            }
        }
    }

    fn grow(mut self, p: f64, q: f64, stream: &mut Stream) -> Links {
        while self.peers < self.n {
            let what = stream.unit();
            let links = self.links.len() as f64;
            let full = pairs(self.peers.into());
            if what < p && links <= full - self.m as f64 {
                for _ in 0..self.m {
                    let from = self.eligible(0, stream);
                    let to = self.preferred_stranger(from, stream);
                    self.link(from, to);
                }
            } else if (p..p + q).contains(&what) && (self.m as f64..full).contains(&links) {
                for _ in 0..self.m {
                    self.move_link(stream);
                }
            } else {
                let new = self.peers;
                let mut chosen: Vec<u32> = Vec::with_capacity(self.m);
                while chosen.len() < self.m {
                    let other = self.preferred(stream);
                    if !chosen.contains(&other) {
                        chosen.push(other);
                    }
                }
                self.peers += 1;
                chosen.iter().for_each(|&other| self.link(new, other));
            }
        }
        self.links
    }

    fn move_link(&mut self, stream: &mut Stream) {
        let peer = self.eligible(1, stream);
        let link = choose(&self.of[peer as usize], stream);
        let old = self.other_end(link, peer);
        let new = self.preferred_stranger(peer, stream);
        self.links[link as usize] = (peer, new);
        self.of[old as usize].retain(|&other| other != link);
        self.of[new as usize].push(link);
    }
}

fn powerlaw_cluster(n: usize, m: usize, p: f64, stream: &mut Stream) -> Links {
    let mut graph = Adjacency::new(n);
    let mut weighted: Vec<u32> = (0..m as u32).collect();
    let mut targets = Vec::new();
    let mut near = Vec::new();
    for new in m as u32..n as u32 {
        distinct_weighted(&weighted, m, &mut targets, stream);
        let mut target = new;
        for count in 0..m {
            if count > 0 && chance(p, stream) {
                near.clear();
                let others = graph.of[target as usize].iter().copied();
                near.extend(others.filter(|&other| other != new && !graph.linked(new, other)));
                if !near.is_empty() {
                    let other = choose(&near, stream);
                    graph.link(new, other);
                    weighted.push(other);
                    continue;
                }
            }
            // A triangle may have linked to it already.
            target = targets.pop().unwrap_or(target);
            if !graph.linked(new, target) {
                graph.link(new, target);
            }
            weighted.push(target);
        }
        weighted.extend(std::iter::repeat_n(new, m));
    }
    graph.into_links()
}

fn random_k_out(n: usize, k: usize, alpha: f64, self_loops: bool, stream: &mut Stream) -> Links {
    let mut links = Vec::with_capacity(n * k);
    let mut left: Vec<(u32, usize)> = (0..n as u32).map(|peer| (peer, k)).collect();
    if k == 0 {
        return links;
    }
    while !left.is_empty() {
        let place = stream.below(left.len() as u64) as usize;
        let from = left[place].0;
        let to = loop {
            let base = n as f64 * alpha;
            let to = match chance(base / (base + links.len() as f64), stream) {
                true => stream.below(n as u64) as u32,
                false => {
                    let (_, to): (u32, u32) = choose(&links, stream);
                    to
                }
            };
            if self_loops || to != from {
                break to;
            }
        };
        links.push((from, to));
        left[place].1 -= 1;
        if left[place].1 == 0 {
            left.swap_remove(place);
        }
    }
    links
}

fn scale_free(n: usize, shares: [f64; 3], deltas: [f64; 2], stream: &mut Stream) -> Links {
    let mut links = vec![(0, 1), (1, 2), (2, 0)];
    let mut peers = 3_u32;
    // By links that lead to it (or from it), or with `delta` any peer.
    let old = |to: bool, delta: f64, peers: u32, links: &Links, stream: &mut Stream| {
        let bias = f64::from(peers) * delta;
        if delta > 0.0 && chance(bias / (bias + links.len() as f64), stream) {
            return stream.below(peers.into()) as u32;
        }
        let link = choose(links, stream);
        if to { link.1 } else { link.0 }
    };
    while (peers as usize) < n {
        let what = stream.unit();
        // A new peer can be chosen as its own other end.
        let link = if what < shares[0] {
            peers += 1;
            (peers - 1, old(true, deltas[0], peers, &links, stream))
        } else if what < shares[0] + shares[1] {
            let from = old(false, deltas[1], peers, &links, stream);
            (from, old(true, deltas[0], peers, &links, stream))
        } else {
            let from = old(false, deltas[1], peers, &links, stream);
            peers += 1;
            (from, peers - 1)
        };
        links.push(link);
    }
    links
}
