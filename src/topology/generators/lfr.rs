//! The benchmark of Lancichinetti, Fortunato and Radicchi (2008): communities whose sizes, and
//! peers whose degrees, follow power laws.

use super::draw::Adjacency;
use super::spec::{
    Arguments, Family, GeneratorSpec, Links, NumberRange, Refusal, Size, number, probability,
    refuse, size_with_tries, whole,
};
use crate::random::Stream;

/// How often degrees and sizes that do not go together are drawn again.
const DRAWS_MAX: usize = 50;
const ABOVE_ONE: NumberRange = NumberRange::Above(1.0);

pub(super) const SPECS: [GeneratorSpec; 1] = [GeneratorSpec::random(
    Family::Community,
    "LFR_benchmark_graph",
    &[
        whole("n", 1),
        number("tau1", ABOVE_ONE),
        number("tau2", ABOVE_ONE),
        probability("mu"),
        number("average_degree", NumberRange::Above(0.0)).optional(),
        whole("min_degree", 1).optional(),
        whole("max_degree", 1).optional(),
        whole("min_community", 1).optional(),
        whole("max_community", 1).optional(),
        number("tol", NumberRange::Above(0.0)).or(1e-7),
        whole("max_iters", 1).or(500.0),
    ],
    "degrees by a power law with exponent tau1, from min_degree (or with the mean average_degree) \
     to max_degree; groups with sizes by one with tau2, from min_community to max_community; of \
     each peer's links the share mu leads out of its group (Lancichinetti, Fortunato, Radicchi \
     2008)",
    measure,
    |a, context| {
        let mut tries = 1..=DRAWS_MAX;
        loop {
            let drawn = lfr(a, context.stream);
            // The last try says why it failed.
            if drawn.is_ok() || tries.next().is_none() {
                return drawn;
            }
        }
    },
)];

/// The sum of x^-s for x from `first` to `last`; `last` may be infinite where s is above 1.
/// Beyond the first terms Euler and Maclaurin's formula.
fn power_sum(s: f64, first: f64, last: f64) -> f64 {
    const DIRECT: f64 = 32.0;
    let term = |x: f64| libm::pow(x, -s);
    let mut sum = 0.0;
    let mut x = first;
    while x <= last && x < first + DIRECT {
        sum += term(x);
        x += 1.0;
    }
    if x > last {
        return sum;
    }
    // Antiderivative, value and derivatives at both ends.
    let at = |x: f64, sign: f64| {
        if x.is_infinite() {
            return 0.0;
        }
        let value = term(x);
        let integral = match s {
            1.0 => libm::log(x),
            _ => x * value / (1.0 - s),
        };
        let first = -s * value / x;
        let third = first * (s + 1.0) * (s + 2.0) / (x * x);
        sign * (integral + first / 12.0 - third / 720.0) + value / 2.0
    };
    sum + at(last, 1.0) + at(x, -1.0)
}

/// The whole minimum for which degrees have this mean, by bisection as networkx does it.
fn min_degree(a: &Arguments<'_>, average: f64, high: f64) -> Result<f64, Refusal> {
    let (tau, tolerance) = (a.real(1), a.real(9));
    let (mut bottom, mut top) = (1.0, high);
    let mut middle: f64 = (top - bottom) / 2.0 + bottom;
    let mut mean = 0.0_f64;
    let mut rounds = 0.0;
    while (mean - average).abs() > tolerance {
        // After so many halvings nothing is left to halve.
        if rounds > a.real(10).min(200.0) {
            return refuse(
                4,
                format!("no min_degree gives the mean {average} with tau1 and max_degree {high}"),
            );
        }
        mean = power_sum(tau - 1.0, middle.floor(), high) / power_sum(tau, middle, f64::INFINITY);
        if mean > average {
            top = middle;
        } else {
            bottom = middle;
        }
        middle = (top - bottom) / 2.0 + bottom;
        rounds += 1.0;
    }
    Ok(middle.round_ties_even())
}

/// The smallest and the largest degree.
fn degree_range(a: &Arguments<'_>) -> Result<(f64, f64), Refusal> {
    let n = a.real(0);
    let high = a.optional(6).unwrap_or(n);
    if high > n {
        return refuse(6, format!("`max_degree` must be from 1 to n = {n}"));
    }
    let low = match (a.optional(4), a.optional(5)) {
        (Some(average), None) => min_degree(a, average, high)?,
        (None, Some(low)) => low,
        _ => {
            return refuse(
                4,
                "exactly one of average_degree and min_degree must be given",
            );
        }
    };
    if low > high {
        return refuse(
            5,
            format!("the least degree, {low}, is above the largest, {high}"),
        );
    }
    Ok((low, high))
}

fn measure(a: &Arguments<'_>) -> Result<Size, Refusal> {
    let (low, high) = degree_range(a)?;
    let n = a.real(0);
    if let (Some(low), Some(high)) = (a.optional(7), a.optional(8))
        && low > high
    {
        return refuse(
            7,
            format!("`min_community` is above max_community = {high}"),
        );
    }
    if a.optional(7).is_some_and(|low| low > n) {
        return refuse(7, format!("`min_community` must be at most n = {n}"));
    }
    let tau = a.real(1);
    let mean = power_sum(tau - 1.0, low, high) / power_sum(tau, low, high);
    // Of two peers that have all their links already each may get some more: a quarter, about.
    size_with_tries(a, 10, "max_iters", n, 1.25 * n * mean / 2.0)
}

/// A power law from `low` on, by rejection (Devroye 1986), drawn again above `high`.
fn zipf(tau: f64, low: f64, high: f64, stream: &mut Stream) -> u64 {
    let exponent = tau - 1.0;
    let b = libm::pow(2.0, exponent);
    loop {
        let u = 1.0 - stream.unit();
        let v = stream.unit();
        let x = (low * libm::pow(u, -1.0 / exponent)).floor();
        let t = libm::pow(1.0 + 1.0 / x, exponent);
        if v * x * (t - 1.0) / (b - 1.0) <= t / b && x <= high {
            return x as u64;
        }
    }
}

fn lfr(a: &Arguments<'_>, stream: &mut Stream) -> Result<Links, String> {
    let n = a.whole(0);
    let mu = a.real(3);
    let tries = a.whole(10);
    let (low, high) = degree_range(a).map_err(|(_, why)| why)?;
    let degrees = (0..tries)
        .map(|_| -> Vec<u64> { (0..n).map(|_| zipf(a.real(1), low, high, stream)).collect() })
        .find(|degrees| degrees.iter().sum::<u64>() % 2 == 0)
        .ok_or("no degrees with an even sum; raise `max_iters`")?;
    let least = degrees.iter().copied().min().unwrap_or(1) as f64;
    let most = degrees.iter().copied().max().unwrap_or(1) as f64;
    let (low, high) = (
        a.optional(7).unwrap_or(least),
        a.optional(8).unwrap_or(most),
    );
    if low > high {
        return Err(format!(
            "the smallest group, {low}, is above the largest, {high}; set both"
        ));
    }
    let sizes = (0..tries)
        .map(|_| {
            let mut sizes = Vec::new();
            let mut sum = 0;
            while sum < n as u64 {
                let size = zipf(a.real(2), low, high, stream);
                sum += size;
                sizes.push(size);
            }
            (sizes, sum)
        })
        .find(|&(_, sum)| sum == n as u64)
        .map(|(sizes, _)| sizes)
        .ok_or_else(|| format!("no group sizes add up to n = {n}; raise `max_iters`"))?;
    let inside: Vec<u64> = degrees
        .iter()
        .map(|&degree| (degree as f64 * (1.0 - mu)).round_ties_even() as u64)
        .collect();
    let rounds = tries.saturating_mul(10 * n);
    let groups = groups(&inside, &sizes, rounds, stream)?;
    link(&degrees, &inside, &groups, stream)
}

/// Puts each peer in a random group that is large enough; of a full group one has to leave.
fn groups(
    inside: &[u64],
    sizes: &[u64],
    rounds: usize,
    stream: &mut Stream,
) -> Result<Vec<Vec<u32>>, String> {
    let most_inside = inside.iter().max();
    if most_inside >= sizes.iter().max() {
        return Err(
            "some peer wants more links inside its group than any has peers; lower \
                    `max_degree`, or raise `min_community`"
                .into(),
        );
    }
    let mut groups: Vec<Vec<u32>> = vec![Vec::new(); sizes.len()];
    let mut free: Vec<u32> = (0..inside.len() as u32).collect();
    for _ in 0..rounds {
        let Some(&peer) = free.last() else {
            return Ok(groups);
        };
        let group = stream.below(sizes.len() as u64) as usize;
        if inside[peer as usize] >= sizes[group] {
            continue;
        }
        free.pop();
        groups[group].push(peer);
        if groups[group].len() as u64 > sizes[group] {
            let place = stream.below(groups[group].len() as u64) as usize;
            free.push(groups[group].swap_remove(place));
        }
    }
    if free.is_empty() {
        return Ok(groups);
    }
    Err("peers could not be put in groups; raise `min_community`".into())
}

/// Links each peer inside its group, then outside. A link to itself counts twice, and is left out
/// in the end, as networkx would have it.
fn link(
    degrees: &[u64],
    inside: &[u64],
    groups: &[Vec<u32>],
    stream: &mut Stream,
) -> Result<Links, String> {
    let n = degrees.len();
    let mut group_of = vec![0_u32; n];
    for (number, group) in groups.iter().enumerate() {
        for &peer in group {
            group_of[peer as usize] = number as u32;
        }
    }
    let mut graph = Adjacency::new(n);
    let mut has_loop = vec![false; n];
    for group in groups {
        let mut members = group.clone();
        members.sort_unstable();
        for &peer in &members {
            let at = peer as usize;
            let degree = |graph: &Adjacency, has_loop: &[bool]| {
                graph.of[at].len() as u64 + 2 * u64::from(has_loop[at])
            };
            while degree(&graph, &has_loop) < inside[at] {
                let other = members[stream.below(members.len() as u64) as usize];
                if other == peer {
                    has_loop[at] = true;
                } else if !graph.linked(peer, other) {
                    graph.link(peer, other);
                }
            }
            while degree(&graph, &has_loop) < degrees[at] {
                let other = stream.below(n as u64) as u32;
                if group_of[other as usize] != group_of[at] && !graph.linked(peer, other) {
                    graph.link(peer, other);
                    continue;
                }
                // Rare, so that it may take long to find out.
                if members.len() + graph.of[at].len() >= n && is_full(&graph, &group_of, peer) {
                    return Err(format!(
                        "peer {peer} wants more links out of its group than there are peers; \
                         lower `mu`, `max_degree` or `max_community`"
                    ));
                }
            }
        }
    }
    Ok(graph.into_links())
}

/// Whether a peer is linked to all peers of other groups.
fn is_full(graph: &Adjacency, group_of: &[u32], peer: u32) -> bool {
    let own = group_of[peer as usize];
    let others = group_of.iter().filter(|&&group| group != own).count();
    let linked = graph.of[peer as usize].iter();
    linked
        .filter(|&&other| group_of[other as usize] != own)
        .count()
        == others
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_sums_are_sums() {
        for (s, first, last) in [
            (1.0, 1.0, 500.0),
            (0.5, 3.0, 900.0),
            (2.0, 1.5, 30.5),
            (2.5, 1.0, 2000.0),
        ] {
            let direct: f64 = (0..=((last - first) as u32))
                .map(|step| libm::pow(first + f64::from(step), -s))
                .sum();
            let found = power_sum(s, first, last);
            assert!(
                (found - direct).abs() < 1e-9 * direct,
                "{s}: {found} {direct}"
            );
        }
        // Basel.
        let basel = power_sum(2.0, 1.0, f64::INFINITY);
        assert!((basel - std::f64::consts::PI.powi(2) / 6.0).abs() < 1e-12);
    }
}
