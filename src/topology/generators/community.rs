//! Groups with more links inside than between, as in networkx's `community`.

use super::classic::pairs;
use super::draw::{Adjacency, Trials, chance, link_all};
use super::random::gnp;
use super::spec::{
    ArgumentKind, Arguments, Family, GeneratorSpec, Links, NumberRange, Parameter, Refusal, Size,
    number, probability, refuse, size, whole, wholes,
};
use crate::random::{Stream, Ziggurat, standard_normal};

const FAMILY: Family = Family::Community;
const L: Parameter = whole("l", 1);
const K: Parameter = whole("k", 1);
const P_IN: Parameter = probability("p_in");
const P_OUT: Parameter = probability("p_out");
const SIZES: Parameter = wholes("sizes", 0);

pub(super) const SPECS: [GeneratorSpec; 9] = [
    GeneratorSpec::fixed(
        FAMILY,
        "caveman_graph",
        &[L, K],
        "l complete graphs of k peers each, not linked to each other (Watts 1999)",
        caves_size,
        |a, _| Ok(caves(a.whole(0), a.whole(1))),
    ),
    GeneratorSpec::fixed(
        FAMILY,
        "connected_caveman_graph",
        &[L, whole("k", 2)],
        "caves in a ring: in each, one link leads to the cave before instead (Watts 1999)",
        caves_size,
        |a, _| {
            let (l, k) = (a.whole(0) as u32, a.whole(1) as u32);
            let mut links = caves(a.whole(0), a.whole(1));
            links.retain(|&(first, second)| first % k != 0 || second != first + 1);
            links.extend((0..l).map(|cave| (cave * k, (cave * k + l * k - 1) % (l * k))));
            Ok(links)
        },
    ),
    GeneratorSpec::random(
        FAMILY,
        "relaxed_caveman_graph",
        &[L, K, probability("p")],
        "l complete graphs of k peers each, every link moved to a random peer with probability p \
         (Fortunato 2010)",
        caves_size,
        |a, context| {
            let (l, k, p) = (a.whole(0), a.whole(1), a.real(2));
            Ok(relaxed_caves(l, k, p, context.stream))
        },
    ),
    GeneratorSpec::random(
        FAMILY,
        "random_partition_graph",
        &[SIZES, P_IN, P_OUT],
        "groups of the given sizes; pairs in a group linked with probability p_in, others with \
         p_out (Fortunato 2010)",
        |a| {
            let peers: f64 = a.numbers(0).iter().sum();
            let inside: f64 = a.numbers(0).iter().map(|&size| pairs(size)).sum();
            partition_size(peers, inside, a.real(1), a.real(2))
        },
        |a, context| {
            Ok(partition(
                &a.wholes(0),
                a.real(1),
                a.real(2),
                context.stream,
            ))
        },
    ),
    GeneratorSpec::random(
        FAMILY,
        "planted_partition_graph",
        &[L, K, P_IN, P_OUT],
        "l groups of k peers; pairs in a group linked with probability p_in, others with p_out \
         (Condon, Karp 2001)",
        |a| {
            let (l, k) = (a.real(0), a.real(1));
            partition_size(l * k, l * pairs(k), a.real(2), a.real(3))
        },
        |a, context| {
            let sizes = vec![a.whole(1); a.whole(0)];
            Ok(partition(&sizes, a.real(2), a.real(3), context.stream))
        },
    ),
    GeneratorSpec::random(
        FAMILY,
        "gaussian_random_partition_graph",
        &[
            whole("n", 1),
            number("s", NumberRange::Above(0.0)),
            number("v", NumberRange::Above(0.0)),
            P_IN,
            P_OUT,
        ],
        "n peers in groups whose sizes are normal with mean s and deviation s / v + 1/2 (as \
         networkx has it); pairs in a group linked with probability p_in, others with p_out \
         (Brandes, Gaertler, Wagner 2003)",
        |a| {
            let (n, s, v) = (a.real(0), a.real(1), a.real(2));
            if s > n {
                return refuse(1, format!("`s` must be at most n = {n}"));
            }
            let spread = s / v + 0.5;
            // A peer's group has one and a half of the mean if sizes spread by half of it.
            let near = (s + spread * spread / s).min(n);
            partition_size(n, n * (near - 1.0).max(0.0) / 2.0, a.real(3), a.real(4))
        },
        |a, context| {
            let sizes = normal_sizes(a.whole(0), a.real(1), a.real(2), context.stream);
            Ok(partition(&sizes, a.real(3), a.real(4), context.stream))
        },
    ),
    GeneratorSpec::random(
        FAMILY,
        "stochastic_block_model",
        &[SIZES, Parameter::new("p", ArgumentKind::Rows)],
        "groups of the given sizes; peers of groups r and s linked with probability p[r][s], e.g. \
         sbm([50, 50], [[0.2, 0.01], [0.01, 0.2]]) (Holland, Laskey, Leinhardt 1983)",
        blocks_size,
        |a, context| Ok(blocks(&a.wholes(0), a.rows(1), context.stream)),
    )
    .also(&["sbm"]),
    GeneratorSpec::fixed(
        FAMILY,
        "ring_of_cliques",
        &[whole("num_cliques", 2), whole("clique_size", 2)],
        "complete graphs in a ring, each linked to the next",
        |a| {
            let (count, size_of) = (a.real(0), a.real(1));
            size(count * size_of, count * (pairs(size_of) + 1.0))
        },
        |a, _| {
            let (count, size_of) = (a.whole(0) as u32, a.whole(1) as u32);
            let mut links = caves(a.whole(0), a.whole(1));
            links.extend((0..count).map(|clique| {
                let next = (clique + 1) % count * size_of;
                (clique * size_of + 1, next)
            }));
            Ok(links)
        },
    ),
    GeneratorSpec::fixed(
        FAMILY,
        "windmill_graph",
        &[whole("n", 2), whole("k", 2)],
        "n complete graphs of k peers that share peer 0",
        |a| {
            let (n, k) = (a.real(0), a.real(1));
            size(n * (k - 1.0) + 1.0, n * pairs(k))
        },
        |a, _| {
            let (n, k) = (a.whole(0) as u32, a.whole(1) as u32);
            let mut links = Links::new();
            for sail in 0..n {
                let (first, end) = (1 + sail * (k - 1), 1 + (sail + 1) * (k - 1));
                link_all(&mut links, first, end);
                links.extend((first..end).map(|peer| (0, peer)));
            }
            Ok(links)
        },
    ),
];

fn caves_size(a: &Arguments<'_>) -> Result<Size, Refusal> {
    let (l, k) = (a.real(0), a.real(1));
    size(l * k, l * pairs(k))
}

fn caves(l: usize, k: usize) -> Links {
    let mut links = Links::new();
    for cave in 0..l {
        link_all(&mut links, (cave * k) as u32, ((cave + 1) * k) as u32);
    }
    links
}

/// A link that would come to its own beginning is lost, as in networkx, where it is a loop.
fn relaxed_caves(l: usize, k: usize, p: f64, stream: &mut Stream) -> Links {
    let n = l * k;
    let mut graph = Adjacency::new(n);
    let mut is_loop = vec![false; n];
    let caves = caves(l, k);
    for &(a, b) in &caves {
        graph.link(a, b);
    }
    for (a, b) in caves {
        if !chance(p, stream) {
            continue;
        }
        let new = stream.below(n as u64) as u32;
        if new == a {
            if !is_loop[a as usize] {
                is_loop[a as usize] = true;
                graph.unlink(a, b);
            }
        } else if !graph.linked(a, new) {
            graph.unlink(a, b);
            graph.link(a, new);
        }
    }
    graph.into_links()
}

fn partition_size(peers: f64, inside: f64, p_in: f64, p_out: f64) -> Result<Size, Refusal> {
    size(peers, inside * p_in + (pairs(peers) - inside) * p_out)
}

/// All pairs by `p_out`, of which those in a group are left out and drawn by `p_in` instead: so
/// that the number of groups does not matter.
fn partition(sizes: &[usize], p_in: f64, p_out: f64, stream: &mut Stream) -> Links {
    let n: usize = sizes.iter().sum();
    let mut group = Vec::with_capacity(n);
    for (place, &size) in sizes.iter().enumerate() {
        group.extend(std::iter::repeat_n(place as u32, size));
    }
    let mut links = gnp(n, p_out, stream);
    links.retain(|&(a, b)| group[a as usize] != group[b as usize]);
    let mut first = 0;
    for &size in sizes {
        let inside = gnp(size, p_in, stream);
        links.extend(inside.into_iter().map(|(a, b)| (a + first, b + first)));
        first += size as u32;
    }
    links
}

fn normal_sizes(n: usize, s: f64, v: f64, stream: &mut Stream) -> Vec<usize> {
    let mut sizes = Vec::new();
    let mut left = n;
    loop {
        let normal = standard_normal(Ziggurat::normal(), stream);
        let size = s + (s / v + 0.5) * normal;
        if size < 1.0 {
            continue;
        }
        let size = size as usize;
        if size >= left {
            sizes.push(left);
            return sizes;
        }
        left -= size;
        sizes.push(size);
    }
}

fn blocks_size(a: &Arguments<'_>) -> Result<Size, Refusal> {
    let (sizes, p) = (a.numbers(0), a.rows(1));
    let count = sizes.len();
    if p.len() != count || p.iter().any(|row| row.len() != count) {
        return refuse(
            1,
            format!("`p` must have {count} rows of {count} probabilities, as `sizes` has {count}"),
        );
    }
    let mut links = 0.0;
    for (r, row) in p.iter().enumerate() {
        for (s, &probability) in row.iter().enumerate() {
            if !(0.0..=1.0).contains(&probability) {
                return refuse(1, format!("p[{r}][{s}] = {probability} is no probability"));
            }
            if (probability - p[s][r]).abs() > 1e-8 {
                return refuse(
                    1,
                    format!(
                        "p[{r}][{s}] = {probability} must equal p[{s}][{r}] = {}",
                        p[s][r]
                    ),
                );
            }
            if r < s {
                links += sizes[r] * sizes[s] * probability;
            } else if r == s {
                links += pairs(sizes[r]) * probability;
            }
        }
    }
    size(sizes.iter().sum(), links)
}

fn blocks(sizes: &[usize], p: &[Vec<f64>], stream: &mut Stream) -> Links {
    let mut links = Links::new();
    let mut first = 0_u32;
    for (r, &height) in sizes.iter().enumerate() {
        let inside = gnp(height, p[r][r], stream);
        links.extend(inside.into_iter().map(|(a, b)| (a + first, b + first)));
        let mut other = first + height as u32;
        for (s, &width) in sizes.iter().enumerate().skip(r + 1) {
            let all = height as u64 * width as u64;
            Trials::new(p[r][s]).successes(all, stream, |pair, _| {
                let (a, b) = ((pair / width as u64) as u32, (pair % width as u64) as u32);
                links.push((first + a, other + b));
            });
            other += width as u32;
        }
        first += height as u32;
    }
    links
}
