//! Random trees.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::classic::path;
use super::degree_sequence::tree_of_degrees;
use super::draw::chance;
use super::spec::{
    Family, GeneratorSpec, Links, NumberRange, number, size, size_with_tries, whole,
};
use crate::random::Stream;

const FAMILY: Family = Family::Random;
const BELOW_ONE: NumberRange = NumberRange::FromBelow(0.0, 1.0);
/// How often a sequence of degrees that no swaps make a tree's is drawn again.
const SEQUENCE_TRIES: usize = 1000;
/// How many swaps there are at most over all sequences.
const SWAPS_MAX: usize = 10_000_000;

pub(super) const SPECS: [GeneratorSpec; 3] = [
    GeneratorSpec::random(
        FAMILY,
        "random_tree",
        &[whole("n", 1)],
        "a tree of n peers, every one equally likely (Pruefer 1918)",
        |a| size(a.real(0), a.real(0) - 1.0),
        |a, context| Ok(from_pruefer(a.whole(0), context.stream)),
    )
    .also(&["random_labeled_tree"]),
    GeneratorSpec::random(
        FAMILY,
        "random_powerlaw_tree",
        &[
            whole("n", 2),
            number("gamma", NumberRange::Above(1.0)).or(3.0),
            whole("tries", 1).or(100.0),
        ],
        "a tree of n peers whose degrees follow a power law with exponent gamma; half of `tries` \
         degrees at most are drawn anew until a tree has them",
        |a| size_with_tries(a, 2, "tries", a.real(0), a.real(0) - 1.0),
        |a, context| {
            let (n, gamma, tries) = (a.whole(0), a.real(1), a.whole(2));
            let sequences = (SWAPS_MAX / tries).clamp(1, SEQUENCE_TRIES);
            for _ in 0..sequences {
                if let Some(degrees) = tree_degrees(n, gamma, tries, context.stream) {
                    return Ok(tree_of_degrees(degrees));
                }
            }
            Err(format!(
                "no tree has the degrees drawn in {sequences} times {tries} tries; raise \
                 `tries`, or choose another `gamma`"
            ))
        },
    ),
    GeneratorSpec::random(
        FAMILY,
        "random_lobster_graph",
        &[
            whole("n", 1),
            number("p1", BELOW_ONE),
            number("p2", BELOW_ONE),
        ],
        "a path of from 0 to 2 n peers (n on average); again and again with probability p1 each \
         gets a leaf, and each leaf again and again with p2 one of its own",
        |a| {
            let leaves = a.real(1) / (1.0 - a.real(1));
            let twigs = a.real(2) / (1.0 - a.real(2));
            let peers = a.real(0) * (1.0 + leaves * (1.0 + twigs));
            size(peers, peers - 1.0)
        },
        |a, context| Ok(lobster(a.real(0), a.real(1), a.real(2), context.stream)),
    )
    .of_random_size(),
];

/// The tree of a random Pruefer sequence: each number in it is the neighbour of the lowest leaf
/// that is left.
fn from_pruefer(n: usize, stream: &mut Stream) -> Links {
    if n < 2 {
        return Links::new();
    }
    let sequence: Vec<u32> = (2..n).map(|_| stream.below(n as u64) as u32).collect();
    let mut degrees = vec![1_u32; n];
    for &peer in &sequence {
        degrees[peer as usize] += 1;
    }
    let mut leaves: BinaryHeap<Reverse<u32>> = (0..n as u32)
        .filter(|&peer| degrees[peer as usize] == 1)
        .map(Reverse)
        .collect();
    let mut links = Vec::with_capacity(n - 1);
    for &peer in &sequence {
        if let Some(Reverse(leaf)) = leaves.pop() {
            links.push((leaf, peer));
        }
        degrees[peer as usize] -= 1;
        if degrees[peer as usize] == 1 {
            leaves.push(Reverse(peer));
        }
    }
    if let (Some(Reverse(a)), Some(Reverse(b))) = (leaves.pop(), leaves.pop()) {
        links.push((a, b));
    }
    links
}

/// Degrees by a power law, of which random ones are drawn anew until they are a tree's.
fn tree_degrees(n: usize, gamma: f64, tries: usize, stream: &mut Stream) -> Option<Vec<usize>> {
    // Pareto's law, rounded.
    let exponent = -1.0 / (gamma - 1.0);
    let degree = |stream: &mut Stream| {
        let value = libm::pow(1.0 - stream.unit(), exponent);
        value.round_ties_even().min(n as f64) as usize
    };
    let mut degrees: Vec<usize> = (0..n).map(|_| degree(stream)).collect();
    let mut sum: usize = degrees.iter().sum();
    // networkx takes a drawn degree from the list that it walks through: half are used.
    for _ in 0..tries.div_ceil(2) {
        if sum + 2 == 2 * n {
            return Some(degrees);
        }
        let place = stream.below(n as u64) as usize;
        sum -= degrees[place];
        degrees[place] = degree(stream);
        sum += degrees[place];
    }
    None
}

fn lobster(n: f64, p1: f64, p2: f64, stream: &mut Stream) -> Links {
    // networkx makes no peers at all where the path is drawn empty; here it is drawn again.
    let length = std::iter::repeat_with(|| (2.0 * stream.unit() * n + 0.5) as u32)
        .find(|&length| length > 0)
        .unwrap_or(1);
    let mut links = path(0, length);
    let mut last = length - 1;
    for peer in 0..length {
        while chance(p1, stream) {
            last += 1;
            links.push((peer, last));
            let leaf = last;
            while chance(p2, stream) {
                last += 1;
                links.push((leaf, last));
            }
        }
    }
    links
}
