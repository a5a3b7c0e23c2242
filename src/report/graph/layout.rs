//! Where the peers of a drawing stand: by forces, on a circle, or by location.

use std::f64::consts::PI;

use crate::random::{Purpose, Stream};
use crate::topology::Graph;

/// How the peers of a drawing are arranged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arrangement {
    /// Linked peers attract, all repel each other: ForceAtlas2.
    #[default]
    Force,
    /// On a circle, in ascending order of their ids.
    Circular,
    /// Peers of one location together.
    Location,
}

/// How far a group of peers may be, in multiples of its size, to be taken for one (Barnes and
/// Hut 1986). Larger is faster and coarser; a drawing stands it.
const OPENNESS: f64 = 1.2;
/// ForceAtlas2's constants (Jacomy et al. 2014): repulsion, gravity, tolerated swinging.
const REPULSION: f64 = 4.0;
const GRAVITY: f64 = 1.0;
const TOLERANCE: f64 = 1.0;
/// Peers closer than this are pushed no harder.
const DISTANCE_MIN: f64 = 1e-3;
/// The tree of places is no deeper: peers in one spot stay in one cell.
const DEPTH_MAX: u32 = 24;

/// So many components are packed closely, in one of so many directions; the others in rows.
const PACKED_MAX: usize = 200;
const DIRECTIONS: u32 = 72;

/// A point of the plane.
pub(in crate::report) type Point = (f64, f64);

/// Places for the peers of a graph, in no unit; `groups` says which location each peer has.
pub(in crate::report) fn places(
    graph: &Graph,
    groups: &[usize],
    arrangement: Arrangement,
    seed: u64,
) -> Vec<Point> {
    match arrangement {
        Arrangement::Force => by_force(graph, seed),
        Arrangement::Circular => {
            let peers = graph.peers() as f64;
            let angle = |peer: usize| 2.0 * PI * peer as f64 / peers;
            let place = |peer| (libm::cos(angle(peer)), libm::sin(angle(peer)));
            (0..graph.peers()).map(place).collect()
        }
        Arrangement::Location => by_group(groups),
    }
}

/// Groups as discs on a ring, within each its peers as a sunflower has its seeds (Vogel 1979).
fn by_group(groups: &[usize]) -> Vec<Point> {
    let count = groups.iter().max().map_or(0, |&last| last + 1);
    let mut sizes = vec![0_usize; count];
    for &group in groups {
        sizes[group] += 1;
    }
    let radii: Vec<f64> = sizes.iter().map(|&size| (size as f64).sqrt()).collect();
    let total: f64 = radii.iter().sum();
    let present = sizes.iter().filter(|&&size| size > 0).count();
    let ring = match present {
        0 | 1 => 0.0,
        2 | 3 => 0.65 * total,
        _ => 0.40 * total,
    };
    let mut angle = 0.0;
    let centres: Vec<Point> = radii
        .iter()
        .map(|radius| {
            let share = 2.0 * PI * radius / total.max(1.0);
            let middle = angle + share / 2.0;
            angle += share;
            (ring * libm::cos(middle), ring * libm::sin(middle))
        })
        .collect();
    let golden_angle = PI * (3.0 - 5.0_f64.sqrt());
    let mut seen = vec![0_usize; count];
    groups
        .iter()
        .map(|&group| {
            let number = seen[group] as f64;
            seen[group] += 1;
            let radius = (number + 0.5).sqrt() * 0.9;
            let turn = number * golden_angle;
            let (x, y) = centres[group];
            (x + radius * libm::cos(turn), y + radius * libm::sin(turn))
        })
        .collect()
}

fn rounds(peers: usize) -> usize {
    match peers {
        0..=1_000 => 600,
        1_001..=10_000 => 250,
        10_001..=50_000 => 120,
        _ => 60,
    }
}

/// Each component by forces of its own, so that none is squeezed by what it is not linked to;
/// then all are packed around the largest, those without links below.
fn by_force(graph: &Graph, seed: u64) -> Vec<Point> {
    let mut stream = Stream::global(seed, Purpose::Layout);
    let mut places = vec![(0.0, 0.0); graph.peers()];
    let parts = components(graph);
    let mut radii = Vec::with_capacity(parts.len());
    let mut place_in_part = vec![0_u32; graph.peers()];
    for part in &parts {
        for (place, &peer) in part.iter().enumerate() {
            place_in_part[peer as usize] = place as u32;
        }
        let mut links = Vec::new();
        for (place, &peer) in part.iter().enumerate() {
            let others = graph.neighbours(peer as usize).iter();
            let others = others.map(|&other| place_in_part[other as usize]);
            links.extend(
                others
                    .map(|other| (place as u32, other))
                    .filter(|(a, b)| a < b),
            );
        }
        let (alone, _) = Graph::numbered(part.len() as u32, &links);
        let mut own = by_force_alone(&alone, &mut stream);
        radii.push(centre(&mut own));
        for (&peer, place) in part.iter().zip(own) {
            places[peer as usize] = place;
        }
    }
    // As far from each other as peers of the largest component are.
    let gap = match (parts.first(), radii.first()) {
        (Some(part), Some(&radius)) if radius > 0.0 => radius * (PI / part.len() as f64).sqrt(),
        _ => 1.0,
    };
    let mut discs = Vec::with_capacity(parts.len());
    for (part, radius) in parts.iter().zip(radii) {
        // A pair would stand closer together than peers among many do.
        let usual = gap * (part.len() as f64 / PI).sqrt();
        let scale = if radius > 0.0 {
            (usual / radius).max(1.0)
        } else {
            1.0
        };
        for &peer in part {
            let (x, y) = places[peer as usize];
            places[peer as usize] = (scale * x, scale * y);
        }
        discs.push(scale * radius + gap / 2.0);
    }
    let linked = parts.iter().take_while(|part| part.len() > 1).count();
    let core = parts.first().filter(|_| linked > 0).into_iter().flatten();
    let core: Vec<Point> = core.map(|&peer| places[peer as usize]).collect();
    let middles = pack(&core, &discs, linked.min(PACKED_MAX), gap);
    for (part, (x, y)) in parts.iter().zip(middles) {
        for &peer in part {
            let place = &mut places[peer as usize];
            *place = (place.0 + x, place.1 + y);
        }
    }
    places
}

/// The peers of each component, the largest first.
fn components(graph: &Graph) -> Vec<Vec<u32>> {
    let mut seen = vec![false; graph.peers()];
    let mut parts = Vec::new();
    for first in 0..graph.peers() {
        if std::mem::replace(&mut seen[first], true) {
            continue;
        }
        let mut part = vec![first as u32];
        let mut next = 0;
        while let Some(&peer) = part.get(next) {
            next += 1;
            for &other in graph.neighbours(peer as usize) {
                if !std::mem::replace(&mut seen[other as usize], true) {
                    part.push(other);
                }
            }
        }
        part.sort_unstable();
        parts.push(part);
    }
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    parts
}

/// Moves places so that their middle is at zero; how far the farthest is from there.
fn centre(places: &mut [Point]) -> f64 {
    let (low, high) = bounds(places.iter().copied());
    let middle = ((low.0 + high.0) / 2.0, (low.1 + high.1) / 2.0);
    let mut radius = 0.0_f64;
    for place in places {
        *place = (place.0 - middle.0, place.1 - middle.1);
        radius = radius.max((place.0 * place.0 + place.1 * place.1).sqrt());
    }
    radius
}

/// The least and the greatest coordinates.
fn bounds(places: impl IntoIterator<Item = Point>) -> (Point, Point) {
    let (mut low, mut high) = ((f64::MAX, f64::MAX), (f64::MIN, f64::MIN));
    for (x, y) in places {
        low = (low.0.min(x), low.1.min(y));
        high = (high.0.max(x), high.1.max(y));
    }
    (low, high)
}

/// Middles of discs that do not overlap, from the largest radius to the smallest: the first,
/// which has the peers `core`, at zero; those up to `close` where they come nearest to it;
/// all others in rows below.
fn pack(core: &[Point], radii: &[f64], close: usize, gap: f64) -> Vec<Point> {
    let mut taken: Vec<(Point, f64)> = core.iter().map(|&place| (place, gap / 2.0)).collect();
    let mut middles = Vec::with_capacity(radii.len());
    for (number, &radius) in radii.iter().enumerate().take(close) {
        if number == 0 {
            middles.push((0.0, 0.0));
            continue;
        }
        let mut best = (0.0, 0.0);
        let mut nearest = f64::MAX;
        for turn in 0..DIRECTIONS {
            let angle = 2.0 * PI * f64::from(turn) / f64::from(DIRECTIONS);
            let (dx, dy) = (libm::cos(angle), libm::sin(angle));
            // Beyond the last disc that is in the way.
            let mut far = 0.0_f64;
            for &((x, y), other) in &taken {
                let (along, aside) = (x * dx + y * dy, x * dy - y * dx);
                let reach = (radius + other) * (radius + other) - aside * aside;
                if reach > 0.0 {
                    far = far.max(along + reach.sqrt());
                }
            }
            if far < nearest {
                (nearest, best) = (far, (far * dx, far * dy));
            }
        }
        middles.push(best);
        taken.push((best, radius));
    }
    let corners = taken
        .iter()
        .flat_map(|&((x, y), r)| [(x - r, y - r), (x + r, y + r)]);
    let (low, high) = match taken.is_empty() {
        true => ((0.0, 0.0), (0.0, 0.0)),
        false => bounds(corners),
    };
    let (width, height) = (high.0 - low.0, high.1 - low.1);
    let rest = &radii[middles.len()..];
    let area = width * height + rest.iter().map(|radius| 4.0 * radius * radius).sum::<f64>();
    let width = width.max(1.3 * area.sqrt());
    let mut top = high.1;
    while middles.len() < radii.len() {
        let rest = &radii[middles.len()..];
        let mut filled = 0.0;
        let fits = |radius: &&f64| {
            filled += 2.0 * **radius;
            filled <= width
        };
        let row = &rest[..rest.iter().take_while(fits).count().max(1)];
        let mut left = (low.0 + high.0) / 2.0 - row.iter().sum::<f64>();
        for &radius in row {
            middles.push((left + radius, top + row[0]));
            left += 2.0 * radius;
        }
        top += 2.0 * row[0];
    }
    middles
}

/// ForceAtlas2 (Jacomy, Venturini, Heymann, Bastian 2014, doi:10.1371/journal.pone.0098679) with
/// repulsion by degree, from random places.
fn by_force_alone(graph: &Graph, stream: &mut Stream) -> Vec<Point> {
    let peers = graph.peers();
    if peers == 1 {
        return vec![(0.0, 0.0)];
    }
    let width = (peers as f64).sqrt() * 10.0;
    let mut places: Vec<Point> = (0..peers)
        .map(|_| ((stream.unit() - 0.5) * width, (stream.unit() - 0.5) * width))
        .collect();
    let masses: Vec<f64> = (0..peers)
        .map(|peer| graph.neighbours(peer).len() as f64 + 1.0)
        .collect();
    let mut before = vec![(0.0, 0.0); peers];
    let mut forces = vec![(0.0, 0.0); peers];
    let mut speed = 1.0;
    let mut tree = Tree::default();
    for _ in 0..rounds(peers) {
        tree.build(&places, &masses);
        for peer in 0..peers {
            let (x, y) = places[peer];
            let mass = masses[peer];
            let (mut fx, mut fy) = tree.push(places[peer]);
            fx *= REPULSION * mass;
            fy *= REPULSION * mass;
            let distance = (x * x + y * y).sqrt().max(DISTANCE_MIN);
            fx -= GRAVITY * mass * x / distance;
            fy -= GRAVITY * mass * y / distance;
            for &other in graph.neighbours(peer) {
                let (ox, oy) = places[other as usize];
                fx += ox - x;
                fy += oy - y;
            }
            forces[peer] = (fx, fy);
        }
        speed = step(&mut places, &masses, &forces, &before, speed);
        std::mem::swap(&mut forces, &mut before);
    }
    places
}

/// Moves every peer: far where the forces on it go on as before, little where they swing.
fn step(
    places: &mut [Point],
    masses: &[f64],
    forces: &[Point],
    before: &[Point],
    speed: f64,
) -> f64 {
    let length = |(x, y): Point| (x * x + y * y).sqrt();
    let swing = |peer: usize| {
        let ((x, y), (bx, by)) = (forces[peer], before[peer]);
        length((x - bx, y - by))
    };
    let (mut swinging, mut traction) = (0.0, 0.0);
    for peer in 0..places.len() {
        let ((x, y), (bx, by)) = (forces[peer], before[peer]);
        swinging += masses[peer] * swing(peer);
        traction += masses[peer] * length((x + bx, y + by)) / 2.0;
    }
    let wanted = if swinging > 0.0 {
        TOLERANCE * traction / swinging
    } else {
        speed
    };
    // It rises slowly and falls at once.
    let speed = wanted.min(1.5 * speed);
    for (peer, place) in places.iter_mut().enumerate() {
        let force = length(forces[peer]);
        let own = speed / (1.0 + speed * (masses[peer] * swing(peer)).sqrt());
        // No peer is thrown across the picture.
        let own = own.min(10.0 / force.max(DISTANCE_MIN));
        place.0 += forces[peer].0 * own;
        place.1 += forces[peer].1 * own;
    }
    speed
}

/// A square of the plane, its mass and centre of mass.
#[derive(Clone, Copy, Default)]
struct Cell {
    mass: f64,
    /// The sum of places by mass while the tree is built, then the centre.
    x: f64,
    y: f64,
    width: f64,
    /// The first of four children, which stand together; 0 for none.
    children: u32,
    /// The only peer of a cell without children, if there is one: its place plus one.
    peer: u32,
}

/// A quadtree over places.
#[derive(Default)]
struct Tree {
    cells: Vec<Cell>,
    middles: Vec<Point>,
}

impl Tree {
    fn build(&mut self, places: &[Point], masses: &[f64]) {
        let (low, high) = bounds(places.iter().copied());
        let width = (high.0 - low.0).max(high.1 - low.1).max(DISTANCE_MIN);
        self.cells.clear();
        self.middles.clear();
        self.cells.push(Cell {
            width,
            ..Cell::default()
        });
        self.middles
            .push(((low.0 + high.0) / 2.0, (low.1 + high.1) / 2.0));
        for peer in 0..places.len() {
            self.insert(peer, places, masses);
        }
        for cell in self.cells.iter_mut().filter(|cell| cell.mass > 0.0) {
            cell.x /= cell.mass;
            cell.y /= cell.mass;
        }
    }

    fn insert(&mut self, peer: usize, places: &[Point], masses: &[f64]) {
        let (x, y) = places[peer];
        let mut at = 0;
        let mut depth = 0;
        loop {
            let cell = &mut self.cells[at];
            let empty = cell.mass == 0.0;
            cell.mass += masses[peer];
            cell.x += x * masses[peer];
            cell.y += y * masses[peer];
            if cell.children == 0 {
                if empty {
                    cell.peer = peer as u32 + 1;
                    return;
                }
                if depth >= DEPTH_MAX {
                    cell.peer = 0;
                    return;
                }
                let other = cell.peer as usize - 1;
                self.split(at);
                // The one that was here goes down one step; its mass is in this cell already.
                let below = self.child(at, places[other]);
                let mass = masses[other];
                let cell = &mut self.cells[below];
                cell.mass = mass;
                cell.x = places[other].0 * mass;
                cell.y = places[other].1 * mass;
                cell.peer = other as u32 + 1;
            }
            at = self.child(at, (x, y));
            depth += 1;
        }
    }

    fn split(&mut self, at: usize) {
        let first = self.cells.len();
        let width = self.cells[at].width / 2.0;
        let (x, y) = self.middles[at];
        self.cells[at].children = first as u32;
        self.cells[at].peer = 0;
        for (right, up) in [(-0.5, -0.5), (0.5, -0.5), (-0.5, 0.5), (0.5, 0.5)] {
            self.cells.push(Cell {
                width,
                ..Cell::default()
            });
            self.middles.push((x + right * width, y + up * width));
        }
    }

    fn child(&self, at: usize, (x, y): Point) -> usize {
        let (mx, my) = self.middles[at];
        self.cells[at].children as usize + usize::from(x > mx) + 2 * usize::from(y > my)
    }

    /// The sum over all other peers of mass / distance, away from them.
    fn push(&self, (x, y): Point) -> Point {
        let (mut fx, mut fy) = (0.0, 0.0);
        let mut open = [0_u32; 4 * DEPTH_MAX as usize + 8];
        let mut count = 1;
        while count > 0 {
            count -= 1;
            let cell = &self.cells[open[count] as usize];
            if cell.mass == 0.0 {
                continue;
            }
            let (dx, dy) = (x - cell.x, y - cell.y);
            let square = dx * dx + dy * dy;
            if cell.children == 0 || cell.width * cell.width < OPENNESS * OPENNESS * square {
                // Oneself is at distance zero, which pushes nowhere.
                let scale = cell.mass / square.max(DISTANCE_MIN * DISTANCE_MIN);
                fx += dx * scale;
                fy += dy * scale;
            } else {
                for child in 0..4 {
                    open[count] = cell.children + child;
                    count += 1;
                }
            }
        }
        (fx, fy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distance((ax, ay): Point, (bx, by): Point) -> f64 {
        ((ax - bx) * (ax - bx) + (ay - by) * (ay - by)).sqrt()
    }

    #[test]
    fn the_tree_pushes_as_every_single_peer_would() {
        let mut stream = Stream::global(1, Purpose::Layout);
        let places: Vec<Point> = (0..500).map(|_| (stream.unit(), stream.unit())).collect();
        let masses = vec![1.0; places.len()];
        let mut tree = Tree::default();
        tree.build(&places, &masses);
        let (mut error, mut size) = (0.0, 0.0);
        for &(x, y) in &places {
            let (mut ex, mut ey) = (0.0, 0.0);
            for &(ox, oy) in &places {
                let (dx, dy) = (x - ox, y - oy);
                let square = (dx * dx + dy * dy).max(DISTANCE_MIN * DISTANCE_MIN);
                ex += dx / square;
                ey += dy / square;
            }
            error += distance(tree.push((x, y)), (ex, ey));
            size += distance((0.0, 0.0), (ex, ey));
        }
        assert!(error < 0.1 * size, "{error} of {size}");
    }

    #[test]
    fn peers_in_one_spot_are_no_trouble() {
        let mut tree = Tree::default();
        tree.build(&[(1.0, 1.0); 10], &[1.0; 10]);
        assert_eq!(tree.push((1.0, 1.0)), (0.0, 0.0));
        let graph = Graph::numbered(3, &[]).0;
        assert!(
            by_force(&graph, 1)
                .iter()
                .all(|(x, y)| x.is_finite() && y.is_finite())
        );
        assert!(by_force(&Graph::default(), 1).is_empty());
    }

    #[test]
    fn linked_peers_stand_together_and_the_seed_decides() {
        // Two cliques of ten with one link between them.
        let mut links = vec![(0, 10)];
        for side in [0, 10] {
            for a in side..side + 10 {
                links.extend((a + 1..side + 10).map(|b| (a, b)));
            }
        }
        let graph = Graph::numbered(20, &links).0;
        let places = by_force(&graph, 1);
        assert_eq!(places, by_force(&graph, 1));
        assert_ne!(places, by_force(&graph, 2));
        let mean = |pairs: Vec<(usize, usize)>| {
            let count = pairs.len() as f64;
            pairs
                .iter()
                .map(|&(a, b)| distance(places[a], places[b]))
                .sum::<f64>()
                / count
        };
        let within = mean((1..10).map(|peer| (0, peer)).collect());
        let between = mean((1..10).map(|peer| (peer, peer + 10)).collect());
        assert!(between > 2.0 * within, "{between} and {within}");
    }

    #[test]
    fn components_stand_apart_at_the_distance_of_neighbours() {
        // A ring of six, a pair, and four with no link, in between.
        let links = [(0, 2), (2, 4), (4, 6), (6, 8), (8, 9), (9, 0), (1, 3)];
        let graph = Graph::numbered(12, &links).0;
        let parts = components(&graph);
        assert_eq!(parts[..2], [vec![0, 2, 4, 6, 8, 9], vec![1, 3]]);
        assert_eq!(parts[2..], [[5], [7], [10], [11]]);
        let places = by_force(&graph, 1);
        let link = distance(places[0], places[2]);
        let mut farthest = 0.0_f64;
        for a in 0..12 {
            for b in 0..a {
                let apart = distance(places[a], places[b]);
                farthest = farthest.max(apart);
                assert!(apart > 0.5 * link, "{a} and {b}: {apart} and {link}");
            }
        }
        assert!(farthest < 6.0 * link, "{farthest} and {link}");
        // Many peers without links, and many pairs, are no trouble either.
        let pairs: Vec<(u32, u32)> = (0..300).map(|pair| (2 * pair, 2 * pair + 1)).collect();
        let places = by_force(&Graph::numbered(900, &pairs).0, 1);
        let mut nearest = f64::MAX;
        for a in 0..900 {
            for b in 0..a {
                nearest = nearest.min(distance(places[a], places[b]));
            }
        }
        let link = distance(places[0], places[1]);
        assert!(nearest > 0.5 * link, "{nearest} and {link}");
    }

    #[test]
    fn groups_stand_apart() {
        let groups: Vec<usize> = (0..300).map(|peer| peer % 5).collect();
        let places = by_group(&groups);
        for (place, group) in places.iter().zip(&groups) {
            let nearest = (0..places.len())
                .filter(|&other| places[other] != *place)
                .min_by(|&a, &b| {
                    distance(places[a], *place).total_cmp(&distance(places[b], *place))
                });
            assert_eq!(groups[nearest.expect("others")], *group);
        }
    }
}
