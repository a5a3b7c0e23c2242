//! Peers at random places, linked where they are near; as in networkx's `geometric`.

use super::classic::{pairs, power};
use super::draw::{Trials, chance, exponential};
use super::random::gnp;
use super::spec::{
    ArgumentKind, Arguments, Family, GeneratorSpec, Links, NumberRange, Parameter, Refusal, Size,
    number, probability, refuse, size, whole,
};
use crate::random::Stream;

const FAMILY: Family = Family::Geometric;
const N: Parameter = whole("n", 0);
const RADIUS: Parameter = number("radius", NumberRange::Above(0.0));
const THETA: Parameter = number("theta", NumberRange::Above(0.0));
const DIM: Parameter = whole("dim", 1).or(2.0);
/// Peers in more dimensions are all about equally far apart.
const DIM_MAX: f64 = 64.0;
const P: Parameter = number("p", NumberRange::From(1.0)).or(2.0);

pub(super) const SPECS: [GeneratorSpec; 6] = [
    GeneratorSpec::random(
        FAMILY,
        "random_geometric_graph",
        &[N, RADIUS, DIM, P],
        "n peers at random in the unit cube of dim dimensions, linked up to the distance radius \
         (by the p-norm; 2: as the crow flies)",
        |a| cube_size(a, 2, near(a.real(1), a.real(2), a.real(3))),
        |a, context| {
            let places = Positions::draw(a.whole(0), a.whole(2), context.stream);
            let mut links = Links::new();
            places.near(a.real(1), a.real(3), |a, b, _| links.push((a, b)));
            Ok(links)
        },
    ),
    GeneratorSpec::random(
        FAMILY,
        "soft_random_geometric_graph",
        &[N, RADIUS, DIM, P],
        "random_geometric_graph in which a pair at distance d within the radius is linked with \
         probability exp(-d) (Penrose 2016)",
        |a| {
            let reach = near(a.real(1), a.real(2), a.real(3));
            cube_size(a, 2, reach * libm::exp(-0.5 * a.real(1).min(1.0)))
        },
        |a, context| {
            let places = Positions::draw(a.whole(0), a.whole(2), context.stream);
            let mut links = Links::new();
            places.near(a.real(1), a.real(3), |a, b, distance| {
                if chance(libm::exp(-distance), context.stream) {
                    links.push((a, b));
                }
            });
            Ok(links)
        },
    ),
    GeneratorSpec::random(
        FAMILY,
        "thresholded_random_geometric_graph",
        &[N, RADIUS, THETA, DIM, P],
        "random_geometric_graph in which peers also have weights, exponential with mean 1: linked \
         are pairs within the radius whose weights add up to theta at least",
        |a| {
            let theta = a.real(2);
            let heavy = (1.0 + theta) * libm::exp(-theta);
            cube_size(a, 3, near(a.real(1), a.real(3), a.real(4)) * heavy)
        },
        |a, context| {
            let (n, theta) = (a.whole(0), a.real(2));
            let weights = weights(n, context.stream);
            let places = Positions::draw(n, a.whole(3), context.stream);
            let mut links = Links::new();
            places.near(a.real(1), a.real(4), |a, b, _| {
                if weights[a as usize] + weights[b as usize] >= theta {
                    links.push((a, b));
                }
            });
            Ok(links)
        },
    ),
    GeneratorSpec::random(
        FAMILY,
        "geographical_threshold_graph",
        &[N, THETA, DIM],
        "peers in the unit cube with weights, exponential with mean 1: linked where (w_i + w_j) / \
         distance^2 is theta at least (Masuda, Miwa, Konno 2005)",
        |a| {
            let half = a.real(2) / 2.0;
            let reach = libm::pow(std::f64::consts::PI / a.real(1), half) * (1.0 + half);
            cube_size(a, 2, reach.min(1.0))
        },
        |a, context| {
            let (n, theta) = (a.whole(0), a.real(1));
            let weights = weights(n, context.stream);
            let places = Positions::draw(n, a.whole(2), context.stream);
            let heaviest = weights.iter().copied().fold(0.0, f64::max);
            let mut links = Links::new();
            places.near((2.0 * heaviest / theta).sqrt(), 2.0, |a, b, distance| {
                if weights[a as usize] + weights[b as usize] >= theta * distance * distance {
                    links.push((a, b));
                }
            });
            Ok(links)
        },
    ),
    GeneratorSpec::random(
        FAMILY,
        "waxman_graph",
        &[
            N,
            probability("beta").or(0.4),
            number("alpha", NumberRange::Above(0.0)).or(0.1),
            number("L", NumberRange::Above(0.0)).optional(),
            Parameter::new("domain", ArgumentKind::Numbers(NumberRange::Any)).optional(),
        ],
        "peers in a rectangle (domain=[xmin, ymin, xmax, ymax], the unit square), linked with \
         probability beta exp(-distance / (alpha L)); L is the largest distance; where it is \
         given, distances are random up to it, as in networkx (Waxman 1988)",
        |a| {
            if a.numbers(4).is_empty() {
                return size(a.real(0), pairs(a.real(0)) * waxman_share(a, 1.0, 1.0));
            }
            match domain(a) {
                [low_x, low_y, high_x, high_y] if low_x < high_x && low_y < high_y => {
                    let share = waxman_share(a, high_x - low_x, high_y - low_y);
                    size(a.real(0), pairs(a.real(0)) * share)
                }
                _ => refuse(
                    4,
                    "`domain` must be [xmin, ymin, xmax, ymax], each min below its max",
                ),
            }
        },
        |a, context| {
            if a.optional(3).is_some() {
                let share = waxman_share(a, 1.0, 1.0);
                return Ok(gnp(a.whole(0), share, context.stream));
            }
            Ok(waxman(
                a.whole(0),
                a.real(1),
                a.real(2),
                domain(a),
                context.stream,
            ))
        },
    ),
    GeneratorSpec::random(
        FAMILY,
        "navigable_small_world_graph",
        &[
            whole("n", 1),
            whole("p", 1).or(1.0),
            whole("q", 0).or(1.0),
            number("r", NumberRange::From(0.0)).or(2.0),
            DIM,
        ],
        "n^dim peers on a grid, linked up to p steps away, each to q others as well, at distance \
         d with a probability as d^-r; directions and repeated links are left out (Kleinberg 2000)",
        |a| {
            let (n, p, dim) = (a.real(0), a.real(1), a.real(4));
            let peers = power(n, dim);
            // The ball of radius p has a dim!-th of the cube's volume.
            let ball = (1..=dim.min(20.0) as usize)
                .fold(power(2.0 * p.min(n) + 1.0, dim), |ball, d| ball / d as f64);
            let near = match dim {
                1.0 => 2.0 * p,
                2.0 => 2.0 * p * (p + 1.0),
                _ => ball.max(2.0 * dim),
            };
            if power(2.0 * n, dim) > 1e9 {
                return refuse(0, format!("a grid of {n}^{dim} peers is too large"));
            }
            size(
                peers,
                (peers * near / 2.0).min(pairs(peers)) + peers * a.real(2),
            )
        },
        |a, context| {
            let grid = Grid::new(a.whole(0), a.whole(4));
            Ok(grid.small_world(a.whole(1), a.whole(2), a.real(3), context.stream))
        },
    ),
];

/// The size of a graph in the unit cube that links this share of pairs.
fn cube_size(a: &Arguments<'_>, dim_at: usize, share: f64) -> Result<Size, Refusal> {
    let dim = a.real(dim_at);
    if dim > DIM_MAX {
        return refuse(dim_at, format!("`dim` must be from 1 to {DIM_MAX}"));
    }
    size(a.real(0), pairs(a.real(0)) * share)
}

/// The share of all pairs in the unit cube that are within `radius` by the `p`-norm, about.
fn near(radius: f64, dim: f64, p: f64) -> f64 {
    let r = radius.min(1.0);
    if dim == 2.0 && p == 2.0 {
        // Exact: a disc, less what lies outside the square.
        return (std::f64::consts::PI - (8.0 / 3.0) * r + 0.5 * r * r) * r * r;
    }
    if radius >= 1.0 {
        return 1.0;
    }
    // The volume of a ball, of which along each dimension the mean gap lies outside.
    let (p, gamma) = (p.min(1e6), libm::tgamma);
    let ball = power(2.0 * r * gamma(1.0 + 1.0 / p), dim) / gamma(1.0 + dim / p);
    let gap =
        r * gamma(2.0 / p) / gamma(1.0 / p) * gamma(1.0 + dim / p) / gamma(1.0 + (dim + 1.0) / p);
    ball * power(1.0 - gap, dim)
}

fn weights(n: usize, stream: &mut Stream) -> Vec<f64> {
    (0..n).map(|_| exponential(stream)).collect()
}

/// Random points of the unit cube.
struct Positions {
    dim: usize,
    /// Point by point.
    at: Vec<f64>,
}

impl Positions {
    fn draw(n: usize, dim: usize, stream: &mut Stream) -> Self {
        Positions {
            dim,
            at: (0..n * dim).map(|_| stream.unit()).collect(),
        }
    }

    fn of(&self, peer: usize) -> &[f64] {
        &self.at[peer * self.dim..(peer + 1) * self.dim]
    }

    fn distance(&self, a: usize, b: usize, p: f64) -> f64 {
        let gaps = self
            .of(a)
            .iter()
            .zip(self.of(b))
            .map(|(x, y)| (x - y).abs());
        if p == 2.0 {
            gaps.map(|gap| gap * gap).sum::<f64>().sqrt()
        } else if p == 1.0 {
            gaps.sum()
        } else {
            libm::pow(gaps.map(|gap| libm::pow(gap, p)).sum(), 1.0 / p)
        }
    }

    /// Cells on each side of the cube, none narrower than `radius`, not more than peers in all.
    fn cells(&self, radius: f64) -> usize {
        // In more dimensions the neighbouring cells are most of all.
        if self.dim > 3 || radius >= 0.5 {
            return 1;
        }
        let peers = self.at.len() / self.dim;
        let mut side = 1_usize;
        while (side + 1) as f64 * radius <= 1.0 && (side + 1).pow(self.dim as u32) <= peers {
            side += 1;
        }
        side
    }

    /// Calls `found` with each pair up to `radius` apart by the `p`-norm, and their distance.
    fn near(&self, radius: f64, p: f64, mut found: impl FnMut(u32, u32, f64)) {
        let peers = self.at.len() / self.dim;
        let side = self.cells(radius);
        let column = |x: f64| ((x * side as f64) as usize).min(side - 1);
        let cell = |peer: usize| {
            let columns = self.of(peer).iter().map(|&x| column(x));
            match side {
                1 => 0,
                _ => columns.fold(0, |cell, column| cell * side + column),
            }
        };
        // Peers by cell, those of cell c at starts[c]..starts[c + 1].
        let cells = match side {
            1 => 1,
            _ => side.pow(self.dim as u32),
        };
        let mut starts = vec![0_usize; cells + 1];
        for peer in 0..peers {
            starts[cell(peer) + 1] += 1;
        }
        for cell in 0..cells {
            starts[cell + 1] += starts[cell];
        }
        let mut free = starts.clone();
        let mut sorted = vec![0_usize; peers];
        for peer in 0..peers {
            let place = &mut free[cell(peer)];
            sorted[*place] = peer;
            *place += 1;
        }
        let mut around = Vec::new();
        let mut wider = Vec::new();
        // In the order of cells, so that neighbours are near in memory.
        for &peer in &sorted {
            around.clear();
            around.push(0);
            if side > 1 {
                for &x in self.of(peer) {
                    let at = column(x);
                    wider.clear();
                    for cell in &around {
                        let span = at.saturating_sub(1)..=(at + 1).min(side - 1);
                        wider.extend(span.map(|column| cell * side + column));
                    }
                    std::mem::swap(&mut around, &mut wider);
                }
            }
            for &cell in &around {
                for &other in &sorted[starts[cell]..starts[cell + 1]] {
                    if other > peer {
                        let distance = self.distance(peer, other, p);
                        if distance <= radius {
                            found(peer as u32, other as u32, distance);
                        }
                    }
                }
            }
        }
    }
}

/// [xmin, ymin, xmax, ymax]; all 0 where there are not four numbers.
fn domain(a: &Arguments<'_>) -> [f64; 4] {
    match a.numbers(4) {
        [] => [0.0, 0.0, 1.0, 1.0],
        numbers => numbers.try_into().unwrap_or_default(),
    }
}

/// The share of pairs that a Waxman graph links in a rectangle: exact where `L` is given.
fn waxman_share(a: &Arguments<'_>, width: f64, height: f64) -> f64 {
    let (beta, alpha) = (a.real(1), a.real(2));
    if a.optional(3).is_some() {
        // The mean of exp(-u / alpha) for u up to 1.
        return beta * alpha * -libm::expm1(-1.0 / alpha);
    }
    const STEPS: usize = 32;
    let scale = alpha * libm::hypot(width, height);
    let middle = |step: usize| (step as f64 + 0.5) / STEPS as f64;
    let mut sum = 0.0;
    for x in (0..STEPS).map(middle) {
        for y in (0..STEPS).map(middle) {
            // Gaps have a triangular density.
            let density = 4.0 * (1.0 - x) * (1.0 - y);
            sum += density * libm::exp(-libm::hypot(x * width, y * height) / scale);
        }
    }
    beta * sum / (STEPS * STEPS) as f64
}

type Point = [f64; 2];

fn apart(a: Point, b: Point) -> f64 {
    let (x, y) = (a[0] - b[0], a[1] - b[1]);
    (x * x + y * y).sqrt()
}

/// The largest distance of two points: of two corners of their convex hull (Andrew 1979).
fn diameter(points: &[Point]) -> f64 {
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    let turn = |a: Point, b: Point, c: Point| {
        (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    };
    let mut hull: Vec<Point> = Vec::new();
    for pass in 0..2 {
        let base = hull.len();
        for &point in &sorted {
            while hull.len() >= base + 2
                && turn(hull[hull.len() - 2], hull[hull.len() - 1], point) <= 0.0
            {
                hull.pop();
            }
            hull.push(point);
        }
        if pass == 0 {
            sorted.reverse();
        }
    }
    let mut largest = 0.0_f64;
    for (place, &a) in hull.iter().enumerate() {
        for &b in &hull[..place] {
            largest = largest.max(apart(a, b));
        }
    }
    largest
}

/// Peers are sorted into cells; between two cells, pairs are tried with the probability of the
/// least distance there, and kept by that of their own.
fn waxman(n: usize, beta: f64, alpha: f64, domain: [f64; 4], stream: &mut Stream) -> Links {
    let [low_x, low_y, high_x, high_y] = domain;
    let (width, height) = (high_x - low_x, high_y - low_y);
    let points: Vec<Point> = (0..n)
        .map(|_| {
            [
                low_x + width * stream.unit(),
                low_y + height * stream.unit(),
            ]
        })
        .collect();
    let scale = alpha * diameter(&points);
    let side = ((n as f64).sqrt() as usize / 4).clamp(1, 32);
    let mut cells: Vec<Vec<u32>> = vec![Vec::new(); side * side];
    for (peer, point) in points.iter().enumerate() {
        let column = |x: f64, low: f64, width: f64| {
            (((x - low) / width * side as f64) as usize).min(side - 1)
        };
        let cell = column(point[0], low_x, width) * side + column(point[1], low_y, height);
        cells[cell].push(peer as u32);
    }
    let mut links = Links::new();
    for first in 0..cells.len() {
        for second in first..cells.len() {
            let gap = |a: usize, b: usize, width: f64| {
                a.abs_diff(b).saturating_sub(1) as f64 * width / side as f64
            };
            let least = libm::hypot(
                gap(first / side, second / side, width),
                gap(first % side, second % side, height),
            );
            // A hair more than the exact bound, for its rounding.
            let bound = (beta * libm::exp(-least / scale) * (1.0 + 1e-9)).min(1.0);
            let (here, there) = (&cells[first], &cells[second]);
            let count = (here.len() * there.len()) as u64;
            if bound <= 0.0 || bound.is_nan() {
                continue;
            }
            Trials::new(bound).successes(count, stream, |pair, stream| {
                let a = here[pair as usize / there.len()];
                let b = there[pair as usize % there.len()];
                // In a cell of its own, each pair comes twice.
                if first == second && a >= b {
                    return;
                }
                let distance = apart(points[a as usize], points[b as usize]);
                if chance(beta * libm::exp(-distance / scale) / bound, stream) {
                    links.push((a, b));
                }
            });
        }
    }
    links
}

/// A grid of `n` peers along each of `dim` dimensions; the last one changes first.
struct Grid {
    n: usize,
    dim: usize,
}

impl Grid {
    fn new(n: usize, dim: usize) -> Self {
        Grid { n, dim }
    }

    fn peers(&self) -> usize {
        self.n.pow(self.dim as u32)
    }

    /// How many moves there are from any peer to any, some of them out of the grid.
    fn moves(&self) -> usize {
        (2 * self.n - 1).pow(self.dim as u32)
    }

    /// The steps of a move along each dimension, added up.
    fn steps(&self, mut number: usize) -> usize {
        let mut sum = 0;
        for _ in 0..self.dim {
            sum += (number % (2 * self.n - 1)).abs_diff(self.n - 1);
            number /= 2 * self.n - 1;
        }
        sum
    }

    /// Where a move leads, unless it leaves the grid.
    fn target(&self, mut peer: usize, mut number: usize) -> Option<u32> {
        let (mut target, mut scale) = (0, 1);
        for _ in 0..self.dim {
            let at = (peer % self.n + number % (2 * self.n - 1)).checked_sub(self.n - 1)?;
            if at >= self.n {
                return None;
            }
            target += at * scale;
            scale *= self.n;
            peer /= self.n;
            number /= 2 * self.n - 1;
        }
        Some(target as u32)
    }

    fn small_world(&self, p: usize, q: usize, r: f64, stream: &mut Stream) -> Links {
        let mut links = Links::new();
        if self.peers() == 1 {
            return links;
        }
        // Moves are symmetrical: the first half of them are the others backwards.
        let half = self.moves() / 2;
        let near: Vec<usize> = (half + 1..self.moves())
            .filter(|&number| self.steps(number) <= p)
            .collect();
        let mut sum = 0.0;
        let cumulative: Vec<f64> = (0..self.moves())
            .map(|number| {
                if number != half {
                    sum += libm::pow(self.steps(number) as f64, -r);
                }
                sum
            })
            .collect();
        for peer in 0..self.peers() {
            let targets = near.iter().filter_map(|&number| self.target(peer, number));
            links.extend(targets.map(|target| (peer as u32, target)));
            for _ in 0..q {
                let target = loop {
                    let mass = stream.unit() * sum;
                    let number = cumulative.partition_point(|&before| before <= mass);
                    if let Some(target) = self.target(peer, number.min(self.moves() - 1)) {
                        break target;
                    }
                };
                links.push((peer as u32, target));
            }
        }
        links
    }
}
