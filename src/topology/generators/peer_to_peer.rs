//! What networkx has not, and peer-to-peer networks need.

use super::Places;
use super::degree_sequence::{check_graphical, exact_degrees, half_sum};
use super::draw::distinct;
use super::spec::{
    ArgumentKind, Family, GeneratorSpec, Links, NumberRange, Parameter, number, refuse, size, whole,
};
use crate::random::Stream;

const FAMILY: Family = Family::PeerToPeer;
/// The generator that depends on where the peers are.
pub(super) const LOCATIONS_AWARE: &str = "locations_aware";

pub(super) const SPECS: [GeneratorSpec; 4] = [
    GeneratorSpec::random(
        FAMILY,
        "degree_sequence",
        &[Parameter::new("file", ArgumentKind::Degrees)],
        "exactly the degrees of a file: one a line, or the column `degree` of a CSV file; peer i \
         has the i-th. Ends are paired at random, and loops and repetitions undone by exchanging \
         ends with random links",
        |a| {
            let degrees = a.degrees(0);
            check_graphical(degrees)?;
            size(degrees.len() as f64, half_sum(degrees))
        },
        |a, context| Ok(exact_degrees(a.degrees(0), context.stream)),
    ),
    GeneratorSpec::random(
        FAMILY,
        "hybrid",
        &[Parameter::new("graphs", ArgumentKind::Graph)],
        "the links of several generators over the same peers, e.g. \
         hybrid(watts_strogatz(100, 4, 0.1), outbound(100, 2)); where they differ in size, the \
         smaller ones link the first peers",
        |a| {
            let graphs = a.graphs(0);
            size(
                graphs.iter().map(|g| g.size.peers).fold(0.0, f64::max),
                graphs.iter().map(|g| g.size.links).sum(),
            )
        },
        |a, context| {
            // A stream for each, so that one does not change what the next draws.
            let graphs = a.graphs(0);
            let seeds: Vec<u64> = graphs.iter().map(|_| context.stream.next_u64()).collect();
            let mut links = Links::new();
            for (graph, seed) in graphs.iter().zip(seeds) {
                let mut stream = Stream::global(seed, crate::random::Purpose::Graph);
                let mut part = super::Context {
                    stream: &mut stream,
                    places: context.places,
                };
                links.extend(graph.links(&mut part).map_err(|error| error.0)?);
            }
            Ok(links)
        },
    )
    .variadic(),
    GeneratorSpec::random(
        FAMILY,
        LOCATIONS_AWARE,
        &[
            whole("n", 1),
            whole("k", 0),
            number("alpha", NumberRange::From(0.0)).or(1.0),
        ],
        "every peer dials k others, each with a weight of the mean latency to it to the power of \
         -alpha: with alpha 0 all are alike (outbound), the larger it is the nearer they are",
        |a| dials_size(a.real(0), a.real(1)),
        |a, context| {
            let places = context
                .places
                .ok_or("it is not known where the peers are")?;
            nearby(a.whole(0), a.whole(1), a.real(2), places, context.stream)
        },
    ),
    GeneratorSpec::random(
        FAMILY,
        "outbound",
        &[whole("n", 1), whole("k", 0)],
        "every peer dials k random others, each link serving both: outbound(10000, 8) is Bitcoin's \
         default of 8 outbound connections, with 8 inbound ones on average",
        |a| dials_size(a.real(0), a.real(1)),
        |a, context| {
            let (n, k) = (a.whole(0), a.whole(1));
            let mut links = Links::with_capacity(n * k);
            for peer in 0..n as u32 {
                for other in distinct(n as u64 - 1, k, context.stream) {
                    let other = other as u32;
                    links.push((peer, other + u32::from(other >= peer)));
                }
            }
            Ok(links)
        },
    ),
];

/// Two peers that dial each other share one link.
fn dials_size(n: f64, k: f64) -> Result<super::Size, super::spec::Refusal> {
    if k > n - 1.0 {
        return refuse(1, format!("`k` must be at most n - 1 = {}", n - 1.0));
    }
    size(
        n,
        n * k
            - if n > 1.0 {
                n * k * k / (n - 1.0) / 2.0
            } else {
                0.0
            },
    )
}

/// After so many draws of peers that are linked already, those that are not are counted.
const DRAWS_MAX: usize = 16;

/// Peers by location, and how much a location prefers another.
struct Nearby<'a> {
    places: &'a Places,
    members: Vec<Vec<u32>>,
    alpha: f64,
}

impl Nearby<'_> {
    fn latency(&self, from: usize, to: usize) -> f64 {
        self.places.latency_ms[from * self.members.len() + to]
    }

    /// The locations' weights added up, where so many peers are left in each; latencies are
    /// relative to the least of them, so that some weight is above zero.
    fn cumulative(&self, from: usize, left: impl Fn(usize) -> usize) -> Vec<f64> {
        let least = (0..self.members.len())
            .filter(|&to| left(to) > 0)
            .map(|to| self.latency(from, to))
            .fold(f64::INFINITY, f64::min);
        let mut sum = 0.0;
        (0..self.members.len())
            .map(|to| {
                if left(to) > 0 {
                    let weight = libm::pow(self.latency(from, to) / least, -self.alpha);
                    sum += left(to) as f64 * weight;
                }
                sum
            })
            .collect()
    }

    /// Whether the latencies can be used.
    fn check(&self) -> Result<(), String> {
        let used = |at: &usize| !self.members[*at].is_empty();
        let all = 0..self.members.len();
        for from in all.clone().filter(used) {
            for to in all.clone().filter(used) {
                let latency = self.latency(from, to);
                if !latency.is_finite() || latency <= 0.0 {
                    let name = |at: usize| self.places.names.get(at).map_or("?", |name| name);
                    return Err(format!(
                        "the latency from {} to {} has the mean {latency}; a positive, finite \
                         one is needed",
                        name(from),
                        name(to)
                    ));
                }
            }
        }
        Ok(())
    }
}

fn pick(cumulative: &[f64], stream: &mut Stream) -> usize {
    let mass = stream.unit() * cumulative.last().copied().unwrap_or_default();
    let place = cumulative.partition_point(|&before| before <= mass);
    place.min(cumulative.len() - 1)
}

fn nearby(
    n: usize,
    k: usize,
    alpha: f64,
    places: &Places,
    stream: &mut Stream,
) -> Result<Links, String> {
    let count = libm::sqrt(places.latency_ms.len() as f64) as usize;
    let mut members = vec![Vec::new(); count];
    for (peer, location) in places.locations.iter().take(n).enumerate() {
        members[location.as_usize()].push(peer as u32);
    }
    let near = Nearby {
        places,
        members,
        alpha,
    };
    near.check()?;
    let by_location: Vec<Vec<f64>> = (0..count)
        .map(|from| match near.members[from].is_empty() {
            true => Vec::new(),
            false => near.cumulative(from, |to| near.members[to].len()),
        })
        .collect();
    let mut links = Links::with_capacity(n * k);
    let mut chosen: Vec<u32> = Vec::with_capacity(k);
    for peer in 0..n as u32 {
        let here = places.locations[peer as usize].as_usize();
        chosen.clear();
        while chosen.len() < k {
            let is_free = |other: u32| other != peer && !chosen.contains(&other);
            let quick = (0..DRAWS_MAX)
                .map(|_| {
                    let there = &near.members[pick(&by_location[here], stream)];
                    there[stream.below(there.len() as u64) as usize]
                })
                .find(|&other| is_free(other));
            let other = match quick {
                Some(other) => other,
                None => {
                    let left: Vec<Vec<u32>> = near
                        .members
                        .iter()
                        .map(|there| there.iter().copied().filter(|&o| is_free(o)).collect())
                        .collect();
                    let there = &left[pick(&near.cumulative(here, |to| left[to].len()), stream)];
                    there[stream.below(there.len() as u64) as usize]
                }
            };
            chosen.push(other);
        }
        links.extend(chosen.iter().map(|&other| (peer, other)));
    }
    Ok(links)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::LocationIndex;
    use crate::topology::generators::Generator;

    /// Two locations of 50 peers: 10 ms inside, 40 ms between.
    fn places() -> Places {
        Places {
            locations: (0..100).map(|peer| LocationIndex(peer % 2)).collect(),
            latency_ms: vec![10.0, 40.0, 40.0, 10.0],
            names: vec!["A".into(), "B".into()],
        }
    }

    #[test]
    fn near_peers_are_preferred_as_said() {
        let places = places();
        for (alpha, share) in [(0.0, 49.0 / 99.0), (1.0, 49.0 * 4.0 / (49.0 * 4.0 + 50.0))] {
            let call = format!("locations_aware(100, 1, {alpha})");
            let generator = Generator::parse(&call).expect("a generator");
            let (mut near, mut all) = (0_u32, 0_u32);
            for seed in 0..300 {
                let graph = generator.generate(seed, Some(&places)).expect("a graph");
                near += graph.iter_links().filter(|(a, b)| a % 2 == b % 2).count() as u32;
                all += graph.links() as u32;
            }
            let found = f64::from(near) / f64::from(all);
            // 30,000 dials; a mutual one, which is near more often, counts once.
            assert!((found - share).abs() < 0.015, "{alpha}: {found} {share}");
        }
    }

    #[test]
    fn a_peer_that_wants_all_others_gets_them() {
        for alpha in [0.0, 3.0, 1000.0] {
            let call = format!("locations_aware(100, 99, {alpha})");
            let generator = Generator::parse(&call).expect("a generator");
            let graph = generator.generate(1, Some(&places())).expect("a graph");
            assert_eq!(graph.links(), 4950);
        }
        let mut far = places();
        far.latency_ms[1] = f64::INFINITY;
        let generator = Generator::parse("locations_aware(100, 2)").expect("a generator");
        let error = generator.generate(1, Some(&far)).expect_err("no mean");
        assert!(error.0.contains("from A to B has the mean inf"), "{error}");
        assert!(generator.generate(1, None).is_err());
    }

    #[test]
    fn parts_of_a_hybrid_do_not_change_each_other() {
        let graph = |call: &str| {
            let generator = Generator::parse(call).expect(call);
            generator.generate(5, None).expect(call)
        };
        let both = graph("hybrid(outbound(50, 2), gnp(20, 0.5))");
        let other = graph("hybrid(outbound(50, 2), gnp(20, 0))");
        assert_eq!(both.peers(), 50);
        let (both, other): (Vec<_>, Vec<_>) =
            (both.iter_links().collect(), other.iter_links().collect());
        assert!(other.iter().all(|link| both.contains(link)) && both.len() > other.len());
    }
}
