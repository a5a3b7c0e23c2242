//! The graph of the internet's autonomous systems after Elmokashfi, Kvalbein and Dovrolis, "On
//! the scalability of BGP: the role of topology growth" (2010).

use super::draw::{Adjacency, chance, choose};
use super::spec::{Family, GeneratorSpec, Links, Parameter, size, whole};
use crate::random::Stream;

/// Below this, rounding can make more peers than asked for.
const N: Parameter = whole("n", 7);
const REGIONS: usize = 5;

pub(super) const SPECS: [GeneratorSpec; 1] = [GeneratorSpec::random(
    Family::Random,
    "random_internet_as_graph",
    &[N],
    "autonomous systems of the internet: first 4 to 6 of the core, then 15 % that sell transit, \
     5 % content providers, and customers, in five regions (Elmokashfi, Kvalbein, Dovrolis 2010)",
    |a| {
        let n = a.real(0);
        let plan = Plan::new(n);
        let transit = plan.middles * plan.middle_degree
            + plan.contents * plan.content_degree
            + (n - plan.middles - plan.contents) * plan.customer_degree;
        let peering = plan.middles * plan.middle_peers
            + plan.contents * (plan.content_middle_peers + plan.content_peers);
        size(n, transit + peering)
    },
    |a, context| Ok(Internet::new(a.whole(0), context.stream).grow(context.stream)),
)
.also(&["internet_as_graph"])];

/// How many systems of each kind, and their mean numbers of links.
struct Plan {
    middles: f64,
    contents: f64,
    middle_degree: f64,
    content_degree: f64,
    customer_degree: f64,
    middle_peers: f64,
    content_middle_peers: f64,
    content_peers: f64,
}

impl Plan {
    fn new(n: f64) -> Self {
        Plan {
            middles: (0.15 * n).round_ties_even(),
            contents: (0.05 * n).round_ties_even(),
            middle_degree: 2.0 + 2.5 * n / 10_000.0,
            content_degree: 2.0 + 1.5 * n / 10_000.0,
            customer_degree: 1.0 + 5.0 * n / 100_000.0,
            middle_peers: 1.0 + 2.0 * n / 10_000.0,
            content_middle_peers: 0.2 + 2.0 * n / 10_000.0,
            content_peers: 0.05 + 2.0 * n / 100_000.0,
        }
    }
}

/// Who can be linked to from a region.
#[derive(Clone, Default)]
struct Region {
    middles: Vec<u32>,
    contents: Vec<u32>,
}

struct Internet {
    plan: Plan,
    n: u32,
    graph: Adjacency,
    /// The core: peers 0 to before this.
    core: u32,
    regions: Vec<Region>,
    /// The regions of each content provider, by its number among them.
    content_regions: Vec<Vec<usize>>,
    /// Whom each peer gets transit from, directly or not.
    providers: Vec<Vec<u32>>,
    /// The middle systems that each peer gives transit to.
    customers: Vec<Vec<u32>>,
    /// How many links without payment each peer has.
    peerings: Vec<u32>,
    /// Marks of what is no option, by the number of the search.
    excluded: Vec<u32>,
    search: u32,
}

impl Internet {
    fn new(n: usize, stream: &mut Stream) -> Self {
        let core = (stream.unit() * 2.0 + 4.0).round_ties_even() as u32;
        Internet {
            plan: Plan::new(n as f64),
            n: n as u32,
            graph: Adjacency::new(n),
            core,
            regions: vec![Region::default(); REGIONS],
            content_regions: Vec::new(),
            providers: vec![Vec::new(); n],
            customers: vec![Vec::new(); n],
            peerings: vec![0; n],
            excluded: vec![0; n],
            search: 0,
        }
    }

    fn grow(mut self, stream: &mut Stream) -> Links {
        for a in 0..self.core {
            (0..a).for_each(|b| self.graph.link(a, b));
        }
        let middles = self.core..self.core + self.plan.middles as u32;
        let contents = middles.end..middles.end + self.plan.contents as u32;
        for peer in middles.clone() {
            let regions = self.add(peer, 0.2, self.plan.middle_degree, 0.375, true, stream);
            for region in regions {
                self.regions[region].middles.push(peer);
            }
        }
        for peer in contents.clone() {
            let regions = self.add(peer, 0.05, self.plan.content_degree, 0.375, false, stream);
            for &region in &regions {
                self.regions[region].contents.push(peer);
            }
            self.content_regions.push(regions);
        }
        for peer in contents.end..self.n {
            self.add(peer, 0.0, self.plan.customer_degree, 0.125, false, stream);
        }
        for peer in middles.clone() {
            for _ in 0..whole_of_mean(0.0, self.plan.middle_peers, stream) {
                self.peer_middle(peer, middles.clone(), stream);
            }
        }
        for (mean, with_middles) in [
            (self.plan.content_middle_peers, true),
            (self.plan.content_peers, false),
        ] {
            for peer in contents.clone() {
                for _ in 0..whole_of_mean(0.0, mean, stream) {
                    let number = (peer - contents.start) as usize;
                    self.peer_content(peer, number, with_middles, stream);
                }
            }
        }
        self.graph.into_links()
    }

    /// Adds a system that buys transit from the core or from middle systems of its regions, by
    /// preferential attachment. Its regions.
    fn add(
        &mut self,
        peer: u32,
        second_region: f64,
        mean_degree: f64,
        core_share: f64,
        is_middle: bool,
        stream: &mut Stream,
    ) -> Vec<usize> {
        let count = if chance(second_region, stream) { 2 } else { 1 };
        let mut all: Vec<usize> = (0..REGIONS).collect();
        let regions = stream.choose_front(&mut all, count).to_vec();
        let mut core: Vec<u32> = (0..self.core).collect();
        let mut middles: Vec<u32> = regions
            .iter()
            .flat_map(|&region| self.regions[region].middles.iter().copied())
            .collect();
        middles.sort_unstable();
        middles.dedup();
        for _ in 0..whole_of_mean(1.0, mean_degree, stream) {
            let options = if core.is_empty() && middles.is_empty() {
                break;
            } else if middles.is_empty() || (!core.is_empty() && chance(core_share, stream)) {
                &mut core
            } else {
                &mut middles
            };
            let graph = &self.graph;
            let place = preferred(options, |other| graph.degree(other) as u64, stream);
            let provider = options.swap_remove(place);
            self.graph.link(peer, provider);
            let mut over = self.providers[provider as usize].clone();
            over.push(provider);
            if is_middle {
                for &above in &over {
                    self.customers[above as usize].push(peer);
                }
            }
            self.providers[peer as usize].extend(over);
        }
        regions
    }

    /// Marks those that `peer` cannot be linked to, and says how they are marked.
    fn exclude(&mut self, peer: u32, customers: bool) -> u32 {
        self.search += 1;
        let at = peer as usize;
        let served: &[u32] = if customers { &self.customers[at] } else { &[] };
        let others = self.providers[at].iter().chain(&self.graph.of[at]);
        for &other in others.chain(served).chain([&peer]) {
            self.excluded[other as usize] = self.search;
        }
        self.search
    }

    fn peer_middle(&mut self, peer: u32, middles: std::ops::Range<u32>, stream: &mut Stream) {
        let mark = self.exclude(peer, true);
        let options: Vec<u32> = middles
            .filter(|&other| self.excluded[other as usize] != mark)
            .collect();
        if options.is_empty() {
            return;
        }
        let peerings = &self.peerings;
        let place = preferred(&options, |other| peerings[other as usize].into(), stream);
        self.peer(peer, options[place]);
    }

    fn peer_content(&mut self, peer: u32, number: usize, middles: bool, stream: &mut Stream) {
        let mark = self.exclude(peer, false);
        let mut options: Vec<u32> = Vec::new();
        for &region in &self.content_regions[number] {
            let region = &self.regions[region];
            let others = if middles {
                &region.middles
            } else {
                &region.contents
            };
            options.extend(others);
        }
        options.retain(|&other| self.excluded[other as usize] != mark);
        options.sort_unstable();
        options.dedup();
        if !options.is_empty() {
            let other = choose(&options, stream);
            self.peer(peer, other);
        }
    }

    fn peer(&mut self, a: u32, b: u32) {
        self.graph.link(a, b);
        self.peerings[a as usize] += 1;
        self.peerings[b as usize] += 1;
    }
}

/// The place of an option, drawn by weight; any, where all weights are 0.
fn preferred(options: &[u32], weight: impl Fn(u32) -> u64, stream: &mut Stream) -> usize {
    let total: u64 = options.iter().map(|&option| weight(option)).sum();
    if total == 0 {
        return stream.below(options.len() as u64) as usize;
    }
    let mut left = stream.below(total);
    for (place, &option) in options.iter().enumerate() {
        let own = weight(option);
        if left < own {
            return place;
        }
        left -= own;
    }
    options.len() - 1
}

/// A whole number from `least` on with about this mean, as networkx draws it.
fn whole_of_mean(least: f64, mean: f64, stream: &mut Stream) -> u32 {
    let top = 2.0 * mean - least;
    let more = (top - top.floor()) / 2.0;
    let base = (stream.unit() * (top.floor() - least) + least).round_ties_even() as u32;
    base + u32::from(chance(more, stream))
}
