//! Graphs of fixed size that have a name, as in networkx's `small` and `social`.

use super::classic::ring;
use super::draw::link_all;
use super::lattice::Tiling;
use super::named_links::*;
use super::spec::{ArgumentKind, Family, GeneratorSpec, Links, Parameter, refuse, size, whole};

const FAMILY: Family = Family::Named;

/// A graph whose links are listed.
macro_rules! table {
    ($name:literal, $links:ident, $peers:literal, $about:literal) => {
        GeneratorSpec::fixed(
            FAMILY,
            $name,
            &[],
            $about,
            |_| size($peers, $links.len() as f64 / 2.0),
            |_, _| {
                let ends = $links.chunks_exact(2);
                Ok(ends.map(|ends| (ends[0].into(), ends[1].into())).collect())
            },
        )
    };
}

/// A ring with chords.
macro_rules! shifted {
    ($name:literal, $peers:literal, $shifts:expr, $repeats:literal, $links:literal, $about:literal) => {
        GeneratorSpec::fixed(
            FAMILY,
            $name,
            &[],
            $about,
            |_| size($peers.into(), $links),
            |_, _| Ok(lcf($peers, $shifts, $repeats)),
        )
    };
}

pub(super) const SPECS: [GeneratorSpec; 28] = [
    GeneratorSpec::fixed(
        FAMILY,
        "LCF_graph",
        &[
            whole("n", 1),
            Parameter::new("shift_list", ArgumentKind::Wholes(None)),
            whole("repeats", 0),
        ],
        "a ring of n peers; from peer i a chord leads on by the i-th shift (Lederberg, Coxeter, \
         Frucht)",
        |a| {
            let chords = a.real(2) * a.numbers(1).len() as f64;
            size(a.real(0), a.real(0) + chords.min(1e9))
        },
        |a, _| {
            let shifts: Vec<i64> = a.numbers(1).iter().map(|&shift| shift as i64).collect();
            Ok(lcf(a.whole(0) as i64, &shifts, a.whole(2)))
        },
    ),
    GeneratorSpec::fixed(
        FAMILY,
        "generalized_petersen_graph",
        &[whole("n", 3), whole("k", 1)],
        "a ring of n peers, each linked to one of n others, which are linked k apart (Watkins \
         1969)",
        |a| {
            let (n, k) = (a.real(0), a.real(1));
            if k > n / 2.0 {
                return refuse(1, format!("`k` must be at most n / 2 = {}", n / 2.0));
            }
            size(2.0 * n, 3.0 * n)
        },
        |a, _| {
            let (n, k) = (a.whole(0) as u32, a.whole(1) as u32);
            let mut links = ring(0, n);
            links
                .extend((0..n).flat_map(|peer| [(peer, n + peer), (n + peer, n + (peer + k) % n)]));
            Ok(links)
        },
    ),
    GeneratorSpec::fixed(
        FAMILY,
        "hoffman_singleton_graph",
        &[],
        "7-regular, diameter 2, no cycle of fewer than five (Hoffman, Singleton 1960)",
        |_| size(50.0, 175.0),
        |_, _| {
            let mut graph = Tiling::default();
            for i in 0..5 {
                for j in 0..5 {
                    let (pentagon, pentagram) = ((i, j), (5 + i, j));
                    graph.link(pentagon, (i, (j + 4) % 5));
                    graph.link(pentagon, (i, (j + 1) % 5));
                    graph.link(pentagram, (5 + i, (j + 3) % 5));
                    graph.link(pentagram, (5 + i, (j + 2) % 5));
                    for k in 0..5 {
                        graph.link(pentagon, (5 + k, (i * k + j) % 5));
                    }
                }
            }
            Ok(graph.finish())
        },
    ),
    GeneratorSpec::fixed(
        FAMILY,
        "tetrahedral_graph",
        &[],
        "the corners of a tetrahedron",
        |_| size(4.0, 6.0),
        |_, _| {
            let mut links = Links::new();
            link_all(&mut links, 0, 4);
            Ok(links)
        },
    ),
    table!("bull_graph", BULL, 5.0, "a triangle with two horns"),
    table!(
        "chvatal_graph",
        CHVATAL,
        12.0,
        "without triangles, 4-regular, 4 colours needed (Chvatal 1970)"
    ),
    table!("cubical_graph", CUBICAL, 8.0, "the corners of a cube"),
    table!(
        "davis_southern_women_graph",
        DAVIS_SOUTHERN_WOMEN,
        32.0,
        "18 women of the American South (peers 0 to 17) and the 14 events they went to (Davis, Gardner, Gardner 1941)"
    ),
    shifted!(
        "desargues_graph",
        20,
        &[5, -5, 9, -9],
        5,
        30.0,
        "3-regular, distance-transitive"
    ),
    table!(
        "diamond_graph",
        DIAMOND,
        4.0,
        "a ring of four with one diagonal"
    ),
    shifted!(
        "dodecahedral_graph",
        20,
        &[10, 7, 4, -4, -7, 10, -4, 7, -7, 4],
        2,
        30.0,
        "the corners of a dodecahedron"
    ),
    table!(
        "florentine_families_graph",
        FLORENTINE_FAMILIES,
        15.0,
        "marriages of 15 families of Florence (Padgett, Ansell 1993)"
    ),
    table!(
        "frucht_graph",
        FRUCHT,
        12.0,
        "3-regular, without symmetry (Frucht 1939)"
    ),
    shifted!(
        "heawood_graph",
        14,
        &[5, -5],
        7,
        21.0,
        "3-regular, no cycle of fewer than six (Heawood 1890)"
    ),
    table!("house_graph", HOUSE, 5.0, "a ring of four with a roof"),
    table!("house_x_graph", HOUSE_X, 5.0, "a house with both diagonals"),
    table!(
        "icosahedral_graph",
        ICOSAHEDRAL,
        12.0,
        "the corners of an icosahedron"
    ),
    table!(
        "karate_club_graph",
        KARATE_CLUB,
        34.0,
        "friendships of the 34 members of a karate club (Zachary 1977)"
    ),
    table!(
        "krackhardt_kite_graph",
        KRACKHARDT_KITE,
        10.0,
        "ten people; degree, betweenness and closeness each name another centre (Krackhardt 1990)"
    ),
    table!(
        "les_miserables_graph",
        LES_MISERABLES,
        77.0,
        "who meets whom in Victor Hugo's novel (Knuth 1993)"
    ),
    shifted!(
        "moebius_kantor_graph",
        16,
        &[5, -5],
        8,
        24.0,
        "3-regular, symmetric (Moebius, Kantor)"
    ),
    table!(
        "octahedral_graph",
        OCTAHEDRAL,
        6.0,
        "the corners of an octahedron"
    ),
    shifted!(
        "pappus_graph",
        18,
        &[5, 7, -7, 7, -7, -5],
        3,
        27.0,
        "3-regular, of Pappus' theorem"
    ),
    table!(
        "petersen_graph",
        PETERSEN,
        10.0,
        "3-regular, diameter 2, no cycle of fewer than five (Petersen 1898)"
    ),
    table!(
        "sedgewick_maze_graph",
        SEDGEWICK_MAZE,
        8.0,
        "a small maze with a cycle (Sedgewick)"
    ),
    table!(
        "truncated_cube_graph",
        TRUNCATED_CUBE,
        24.0,
        "the corners of a truncated cube"
    ),
    table!(
        "truncated_tetrahedron_graph",
        TRUNCATED_TETRAHEDRON,
        12.0,
        "the corners of a truncated tetrahedron"
    ),
    table!(
        "tutte_graph",
        TUTTE,
        46.0,
        "3-regular, without a cycle through all peers (Tutte 1946)"
    ),
];

/// Chords beyond the first of each peer and shift repeat others.
fn lcf(n: i64, shifts: &[i64], repeats: usize) -> Links {
    let mut links = ring(0, n as u32);
    let all = shifts.len().saturating_mul(repeats);
    let different = shifts.len().saturating_mul(n as usize);
    links.extend((0..all.min(different)).map(|place| {
        let from = place as i64 % n;
        let to = (from + shifts[place % shifts.len()]).rem_euclid(n);
        (from as u32, to as u32)
    }));
    links
}
