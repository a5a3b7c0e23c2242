//! Grids and tilings of the plane, as in networkx's `lattice`.

use std::collections::BTreeMap;

use super::classic::power;
use super::spec::{ArgumentKind, Family, GeneratorSpec, Links, Parameter, refuse, size, whole};

const FAMILY: Family = Family::Lattice;
const PERIODIC: Parameter = Parameter::new("periodic", ArgumentKind::Flag).or_flag(false);
const PERIODIC_EACH: Parameter = Parameter::new("periodic", ArgumentKind::Flags).or_flag(false);

pub(super) const SPECS: [GeneratorSpec; 5] = [
    GeneratorSpec::fixed(
        FAMILY,
        "grid_2d_graph",
        &[whole("m", 1), whole("n", 1), PERIODIC_EACH],
        "m rows of n peers, each linked to the next in its row and column; periodic: a torus",
        |a| {
            if a.flag_count(2).is_some_and(|count| count != 2) {
                return refuse(2, "`periodic` needs one value, or two");
            }
            let dimensions = [a.real(0), a.real(1)];
            size(
                dimensions.iter().product(),
                grid_links(&dimensions, |dimension| a.flags(2, dimension)),
            )
        },
        // The columns change first.
        |a, _| {
            Ok(grid(&[a.whole(1), a.whole(0)], |dimension| {
                a.flags(2, 1 - dimension)
            }))
        },
    ),
    GeneratorSpec::fixed(
        FAMILY,
        "grid_graph",
        &[
            Parameter::new("dim", ArgumentKind::Wholes(Some(1))),
            PERIODIC_EACH,
        ],
        "a grid of any number of dimensions, e.g. grid([10, 10, 10]); the first changes first",
        |a| {
            let dimensions = a.numbers(0);
            if dimensions.is_empty() {
                return refuse(0, "`dim` needs the length of a dimension at least");
            }
            if a.flag_count(1)
                .is_some_and(|count| count != dimensions.len())
            {
                return refuse(
                    1,
                    format!("`periodic` needs one value, or {}", dimensions.len()),
                );
            }
            size(
                dimensions.iter().product(),
                grid_links(dimensions, |dimension| a.flags(1, dimension)),
            )
        },
        |a, _| Ok(grid(&a.wholes(0), |dimension| a.flags(1, dimension))),
    ),
    GeneratorSpec::fixed(
        FAMILY,
        "hypercube_graph",
        &[whole("n", 1)],
        "2^n peers, linked where their numbers differ in one bit",
        |a| {
            let peers = power(2.0, a.real(0));
            size(peers, peers * a.real(0) / 2.0)
        },
        |a, _| Ok(grid(&vec![2; a.whole(0)], |_| false)),
    ),
    GeneratorSpec::fixed(
        FAMILY,
        "triangular_lattice_graph",
        &[whole("m", 1), whole("n", 1), PERIODIC],
        "m rows of n triangles; periodic: without edges (m at least 3, n at least 5)",
        |a| {
            let (m, n) = (a.real(0), a.real(1));
            let columns = ((n + 1.0) / 2.0).floor();
            if a.flag(2) {
                if m < 3.0 {
                    return refuse(0, "`m` must be at least 3 where it is periodic");
                }
                if n < 5.0 {
                    return refuse(1, "`n` must be at least 5 where it is periodic");
                }
                return size(columns * m, 3.0 * columns * m);
            }
            let mut peers = (columns + 1.0) * (m + 1.0);
            let mut links = (m + 1.0) * columns + m * (columns + 1.0) + m * columns;
            if n % 2.0 == 1.0 {
                let removed = ((m + 1.0) / 2.0).floor();
                peers -= removed;
                links -= 3.0 * removed - m % 2.0;
            }
            size(peers, links)
        },
        |a, _| Ok(triangular(a.whole(0), a.whole(1), a.flag(2))),
    )
    .also(&["triangular"]),
    GeneratorSpec::fixed(
        FAMILY,
        "hexagonal_lattice_graph",
        &[whole("m", 1), whole("n", 1), PERIODIC],
        "m rows of n hexagons; periodic: without edges (m and n at least 2, n even)",
        |a| {
            let (m, n) = (a.real(0), a.real(1));
            if a.flag(2) {
                if m < 2.0 {
                    return refuse(0, "`m` must be at least 2 where it is periodic");
                }
                if n % 2.0 == 1.0 {
                    return refuse(1, "`n` must be even where it is periodic");
                }
                return size(2.0 * m * n, 3.0 * m * n);
            }
            size(
                (n + 1.0) * (2.0 * m + 2.0) - 2.0,
                (n + 1.0) * (2.0 * m + 1.0) + n * (m + 1.0) - 2.0,
            )
        },
        |a, _| Ok(hexagonal(a.whole(0), a.whole(1), a.flag(2))),
    )
    .also(&["hexagonal"]),
];

fn grid_links(dimensions: &[f64], is_periodic: impl Fn(usize) -> bool) -> f64 {
    let peers: f64 = dimensions.iter().product();
    let along = |(dimension, &length): (usize, &f64)| {
        let closed = is_periodic(dimension) && length > 2.0;
        peers / length * if closed { length } else { length - 1.0 }
    };
    dimensions.iter().enumerate().map(along).sum()
}

/// A grid in which the first dimension changes first.
fn grid(dimensions: &[usize], is_periodic: impl Fn(usize) -> bool) -> Links {
    let peers: usize = dimensions.iter().product();
    let mut links = Links::new();
    let mut step = 1;
    for (dimension, &length) in dimensions.iter().enumerate() {
        let closes = is_periodic(dimension);
        for peer in 0..peers {
            let at = peer / step % length;
            if at + 1 < length {
                links.push((peer as u32, (peer + step) as u32));
            } else if closes && length > 2 {
                links.push(((peer - at * step) as u32, peer as u32));
            }
        }
        step *= length;
    }
    links
}

pub(super) type Cell = (usize, usize);

/// A graph of the cells of a plane, numbered in the order in which links first name them.
#[derive(Default)]
pub(super) struct Tiling {
    numbers: BTreeMap<Cell, u32>,
    links: Links,
    /// Cells that are one with another, which is named second.
    merged: BTreeMap<Cell, Cell>,
    removed: Vec<Cell>,
}

impl Tiling {
    pub(super) fn link(&mut self, a: Cell, b: Cell) {
        let [a, b] = [a, b].map(|cell| {
            let next = self.numbers.len() as u32;
            *self.numbers.entry(cell).or_insert(next)
        });
        self.links.push((a, b));
    }

    /// The links, with the numbers of what is left closed up.
    pub(super) fn finish(self) -> Links {
        const GONE: u32 = u32::MAX;
        let mut new = vec![0; self.numbers.len()];
        for cell in self.removed.iter().chain(self.merged.keys()) {
            new[self.numbers[cell] as usize] = GONE;
        }
        let left = new.iter_mut().filter(|number| **number != GONE);
        for (next, number) in left.enumerate() {
            *number = next as u32;
        }
        for cell in self.merged.keys() {
            let mut now = cell;
            while let Some(with) = self.merged.get(now) {
                now = with;
            }
            new[self.numbers[cell] as usize] = new[self.numbers[now] as usize];
        }
        self.links
            .into_iter()
            .map(|(a, b)| (new[a as usize], new[b as usize]))
            .filter(|&(a, b)| a != GONE && b != GONE)
            .collect()
    }
}

fn triangular(m: usize, n: usize, periodic: bool) -> Links {
    let columns = n.div_ceil(2);
    let mut tiling = Tiling::default();
    for j in 0..=m {
        for i in 0..columns {
            tiling.link((i, j), (i + 1, j));
        }
    }
    for j in 0..m {
        for i in 0..=columns {
            tiling.link((i, j), (i, j + 1));
        }
    }
    for j in (1..m).step_by(2) {
        for i in 0..columns {
            tiling.link((i, j), (i + 1, j + 1));
        }
    }
    for j in (0..m).step_by(2) {
        for i in 0..columns {
            tiling.link((i + 1, j), (i, j + 1));
        }
    }
    if periodic {
        for i in 0..=columns {
            tiling.merged.insert((i, m), (i, 0));
        }
        for j in 0..m {
            tiling.merged.insert((columns, j), (0, j));
        }
    } else if n % 2 == 1 {
        tiling.removed = (1..=m).step_by(2).map(|j| (columns, j)).collect();
    }
    tiling.finish()
}

fn hexagonal(m: usize, n: usize, periodic: bool) -> Links {
    let high = 2 * m;
    let mut tiling = Tiling::default();
    for i in 0..=n {
        for j in 0..=high {
            tiling.link((i, j), (i, j + 1));
        }
    }
    for i in 0..n {
        for j in (i % 2..high + 2).step_by(2) {
            tiling.link((i, j), (i + 1, j));
        }
    }
    tiling.removed = vec![(0, high + 1), (n, (high + 1) * (n % 2))];
    if periodic {
        for i in 0..n {
            tiling.merged.insert((i, high), (i, 0));
        }
        for i in 1..=n {
            tiling.merged.insert((i, high + 1), (i, 1));
        }
        for j in 1..high {
            tiling.merged.insert((n, j), (0, j));
        }
        tiling.removed.push((n, high));
    }
    tiling.finish()
}
