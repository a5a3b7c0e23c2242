//! Sparse graphs in which no part is cut off easily, as in networkx's `expanders`.

use super::lattice::Tiling;
use super::spec::{Family, GeneratorSpec, Links, refuse, size, size_with_tries, whole};
use crate::peer::PeerIndex;
use crate::random::Stream;

const FAMILY: Family = Family::Expander;

pub(super) const SPECS: [GeneratorSpec; 4] = [
    GeneratorSpec::fixed(
        FAMILY,
        "margulis_gabber_galil_graph",
        &[whole("n", 1)],
        "n^2 peers (x, y), linked to (x + 2y, y), (x + 2y + 1, y), (x, y + 2x), (x, y + 2x + 1) \
         mod n, numbered as links first name them; loops and repeated links are left out (Gabber, Galil 1981)",
        |a| size(a.real(0) * a.real(0), 4.0 * a.real(0) * a.real(0)),
        |a, _| {
            let n = a.whole(0);
            let mut graph = Tiling::default();
            for x in 0..n {
                for y in 0..n {
                    graph.link((x, y), ((x + 2 * y) % n, y));
                    graph.link((x, y), ((x + 2 * y + 1) % n, y));
                    graph.link((x, y), (x, (y + 2 * x) % n));
                    graph.link((x, y), (x, (y + 2 * x + 1) % n));
                }
            }
            Ok(graph.finish())
        },
    ),
    GeneratorSpec::fixed(
        FAMILY,
        "chordal_cycle_graph",
        &[whole("p", 2)],
        "a ring of p peers, p a prime, each linked to its inverse mod p; loops and repeated links \
         are left out (Lubotzky 1994)",
        |a| {
            let p = a.real(0);
            if is_composite(p) {
                return refuse(0, format!("`p` must be a prime number; {p} is none"));
            }
            size(p, 1.5 * p)
        },
        |a, _| {
            let p = a.whole(0) as u64;
            Ok((0..p)
                .flat_map(|x| {
                    let inverse = if x == 0 { 0 } else { power_modulo(x, p - 2, p) };
                    [(x as u32, ((x + 1) % p) as u32), (x as u32, inverse as u32)]
                })
                .collect())
        },
    ),
    GeneratorSpec::fixed(
        FAMILY,
        "paley_graph",
        &[whole("p", 2)],
        "p peers, p a prime with p mod 4 = 1, linked where their difference is a square mod p \
         (Paley 1933)",
        |a| {
            let p = a.real(0);
            if is_composite(p) || p % 4.0 != 1.0 {
                return refuse(
                    0,
                    format!("`p` must be a prime number with p mod 4 = 1, not {p}"),
                );
            }
            size(p, p * (p - 1.0) / 4.0)
        },
        |a, _| {
            let p = a.whole(0) as u64;
            let mut squares: Vec<u64> = (1..=p / 2).map(|x| x * x % p).collect();
            squares.sort_unstable();
            squares.dedup();
            Ok((0..p)
                .flat_map(|x| squares.iter().map(move |square| (x, (x + square) % p)))
                .filter(|(a, b)| a < b)
                .map(|(a, b)| (a as u32, b as u32))
                .collect())
        },
    ),
    GeneratorSpec::random(
        FAMILY,
        "maybe_regular_expander_graph",
        &[
            whole("n", 1),
            whole("d", 2),
            whole("max_tries", 1).or(100.0),
        ],
        "d / 2 random rings through all n peers without a link in common; nearly always an \
         expander (Joshi 2011, Friedman 2003)",
        |a| {
            let (n, d) = (a.real(0), a.real(1));
            if d % 2.0 != 0.0 {
                return refuse(1, format!("`d` must be even, not {d}"));
            }
            if d > n - 1.0 {
                return refuse(1, format!("`d` must be at most n - 1 = {}", n - 1.0));
            }
            size_with_tries(a, 2, "max_tries", n, n * d / 2.0)
        },
        |a, context| rings(a.whole(0), a.whole(1) / 2, a.whole(2), context.stream),
    ),
];

/// Whether a number of at least 2 is no prime; not found out for more than there can be peers.
fn is_composite(number: f64) -> bool {
    let n = number as u64;
    n <= PeerIndex::LIMIT
        && (2..)
            .take_while(|d| d * d <= n)
            .any(|d| n.is_multiple_of(d))
}

fn power_modulo(mut base: u64, mut exponent: u64, modulus: u64) -> u64 {
    let mut power = 1 % modulus;
    while exponent > 0 {
        if exponent % 2 == 1 {
            power = power * base % modulus;
        }
        base = base * base % modulus;
        exponent /= 2;
    }
    power
}

fn rings(n: usize, count: usize, tries: usize, stream: &mut Stream) -> Result<Links, String> {
    // Of each peer, the neighbours in the rings so far.
    let mut neighbours: Vec<Vec<u32>> = vec![Vec::with_capacity(2 * count); n];
    let mut links = Links::with_capacity(n * count);
    let mut ring: Vec<u32> = (0..n as u32).collect();
    for _ in 0..count {
        let mut left = tries;
        loop {
            if left == 0 {
                return Err(format!(
                    "no further ring without a link in common in {tries} tries; raise `max_tries`"
                ));
            }
            left -= 1;
            stream.shuffle(&mut ring);
            let next = |place: usize| ring[(place + 1) % n];
            if (0..n).all(|place| !neighbours[ring[place] as usize].contains(&next(place))) {
                break;
            }
        }
        for place in 0..n {
            let (a, b) = (ring[place], ring[(place + 1) % n]);
            neighbours[a as usize].push(b);
            neighbours[b as usize].push(a);
            links.push((a, b));
        }
    }
    Ok(links)
}
