"""Reference figures for p2psim's graph generators, made with networkx.

    python3 -m venv /tmp/nx && /tmp/nx/bin/pip install networkx==3.6.1 numpy scipy
    /tmp/nx/bin/python tests/data/networkx_generators.py > tests/data/networkx_generators.jsonl

Takes about ten minutes on two cores. The first line names the version. A line with `links_hash` is a graph
without chance: peers, links, and a hash of its sorted links. A line with `samples` is a random one: of that
many graphs the mean and covariance of some vectors of figures:

- size: peers and links;
- degrees: how many peers have at most so many links, by the upper `edges` of bins (the last bin has none);
- clustering: the mean clustering coefficient, and the number of triangles;
- blocks: links by the quarters of the peers' numbers that their ends are in (00, 01, 02, 03, 11, ...);
- components: how many there are.

Graphs are read as p2psim reads them: undirected, without loops and repeated links. Peers are numbered as
networkx names them where its names are 0 to n - 1, and else in the order of its nodes.
"""

import itertools
import json
import math
import random
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor

import networkx as nx
import numpy as np

warnings.simplefilter("ignore")

SAMPLES = 2000
BINS = 8


def navigable_small_world(n, p=1, q=1, r=2, dim=2, seed=None):
    """networkx's, but for the place in its list of the node that it draws: networkx leaves out
    the node itself when it adds up probabilities, and not when it looks the drawn one up, so that
    those before it are off by one (of the long links in a grid of 8 x 8 12 % are loops then)."""
    rng = random.Random(seed)
    g = nx.DiGraph()
    nodes = list(itertools.product(range(n), repeat=dim))
    for a in nodes:
        others = [b for b in nodes if b != a]
        steps = [sum(abs(y - x) for x, y in zip(a, b)) for b in others]
        g.add_node(a)
        g.add_edges_from((a, b) for b, d in zip(others, steps) if d <= p)
        for b in rng.choices(others, [d ** -r for d in steps], k=q):
            g.add_edge(a, b)
    h = nx.DiGraph()
    h.add_nodes_from(nodes)
    h.add_edges_from(g.edges())
    return h


def powerlaw_cluster(n, m, p, seed=None):
    """networkx's, but for the order in which a new peer takes up the others that it has drawn:
    networkx takes it from a Python set, which gives up small numbers by their last bits."""
    rng = random.Random(seed)
    g = nx.empty_graph(m)
    weighted = list(g)
    for new in range(m, n):
        targets = []
        while len(targets) < m:
            other = rng.choice(weighted)
            if other not in targets:
                targets.append(other)
        target = targets.pop()
        g.add_edge(new, target)
        weighted.append(target)
        for _ in range(m - 1):
            near = []
            if rng.random() < p:
                near = [o for o in g.neighbors(target) if o != new and not g.has_edge(new, o)]
            if near:
                other = rng.choice(near)
            else:
                target = other = targets.pop()
            g.add_edge(new, other)
            weighted.append(other)
        weighted.extend([new] * m)
    return g


def outbound(n, k, seed=None):
    rng = random.Random(seed)
    g = nx.empty_graph(n)
    for peer in range(n):
        g.add_edges_from((peer, o) for o in rng.sample([o for o in range(n) if o != peer], k))
    return g


def hybrid(*graphs):
    g = nx.Graph()
    for graph in graphs:
        g.add_nodes_from(graph)
        g.add_edges_from(graph.edges())
    return g


def again(make):
    """Until it succeeds: networkx gives up sooner."""
    def made(*args, seed):
        for shift in itertools.count():
            try:
                g = make(*args, seed=seed + 1_000_003 * shift)
            except nx.NetworkXException:
                continue
            if len(g) > 0:
                return g
    return made


def degrees_of(text):
    return [int(d) for d in text.split()]


# p2psim's call, and what makes it here from a seed.
FIXED = {
    "balanced_tree(2, 4)": lambda: nx.balanced_tree(2, 4),
    "balanced_tree(1, 5)": lambda: nx.balanced_tree(1, 5),
    "balanced_tree(0, 3)": lambda: nx.balanced_tree(0, 3),
    "barbell(4, 3)": lambda: nx.barbell_graph(4, 3),
    "barbell(3, 0)": lambda: nx.barbell_graph(3, 0),
    "barbell(3, 1)": lambda: nx.barbell_graph(3, 1),
    "binomial_tree(5)": lambda: nx.binomial_tree(5),
    "binomial_tree(0)": lambda: nx.binomial_tree(0),
    "circulant(11, [1, 3])": lambda: nx.circulant_graph(11, [1, 3]),
    "circulant(10, [-2, 5, 12])": lambda: nx.circulant_graph(10, [-2, 5, 12]),
    "circular_ladder(7)": lambda: nx.circular_ladder_graph(7),
    "circular_ladder(1)": lambda: nx.circular_ladder_graph(1),
    "complete(7)": lambda: nx.complete_graph(7),
    "complete_multipartite(2, 3, 4)": lambda: nx.complete_multipartite_graph(2, 3, 4),
    "cycle(9)": lambda: nx.cycle_graph(9),
    "cycle(2)": lambda: nx.cycle_graph(2),
    "cycle(1)": lambda: nx.cycle_graph(1),
    "dorogovtsev_goltsev_mendes(0)": lambda: nx.dorogovtsev_goltsev_mendes_graph(0),
    "dorogovtsev_goltsev_mendes(5)": lambda: nx.dorogovtsev_goltsev_mendes_graph(5),
    "empty(4)": lambda: nx.empty_graph(4),
    "full_rary_tree(3, 20)": lambda: nx.full_rary_tree(3, 20),
    "full_rary_tree(0, 3)": lambda: nx.full_rary_tree(0, 3),
    "ladder(6)": lambda: nx.ladder_graph(6),
    "ladder(1)": lambda: nx.ladder_graph(1),
    "lollipop(4, 5)": lambda: nx.lollipop_graph(4, 5),
    "lollipop(3, 0)": lambda: nx.lollipop_graph(3, 0),
    "mycielski(1)": lambda: nx.mycielski_graph(1),
    "mycielski(2)": lambda: nx.mycielski_graph(2),
    "mycielski(5)": lambda: nx.mycielski_graph(5),
    "path(8)": lambda: nx.path_graph(8),
    "star(6)": lambda: nx.star_graph(6),
    "tadpole(5, 4)": lambda: nx.tadpole_graph(5, 4),
    "tadpole(2, 0)": lambda: nx.tadpole_graph(2, 0),
    "trivial()": lambda: nx.trivial_graph(),
    "turan(13, 4)": lambda: nx.turan_graph(13, 4),
    "turan(5, 5)": lambda: nx.turan_graph(5, 5),
    "wheel(8)": lambda: nx.wheel_graph(8),
    "wheel(1)": lambda: nx.wheel_graph(1),
    "wheel(3)": lambda: nx.wheel_graph(3),
    "grid_2d(4, 5)": lambda: nx.grid_2d_graph(4, 5),
    "grid_2d(4, 5, periodic=true)": lambda: nx.grid_2d_graph(4, 5, periodic=True),
    "grid_2d(4, 5, [false, true])": lambda: nx.grid_2d_graph(4, 5, periodic=(False, True)),
    "grid_2d(2, 3, true)": lambda: nx.grid_2d_graph(2, 3, periodic=True),
    "grid([3, 4, 5])": lambda: nx.grid_graph([3, 4, 5]),
    "grid([3, 4, 2], periodic=true)": lambda: nx.grid_graph([3, 4, 2], periodic=True),
    "grid([3, 4], [true, false])": lambda: nx.grid_graph([3, 4], periodic=(True, False)),
    "grid([6])": lambda: nx.grid_graph([6]),
    "hypercube(5)": lambda: nx.hypercube_graph(5),
    "hypercube(1)": lambda: nx.hypercube_graph(1),
    **{
        f"triangular_lattice({m}, {n}, {str(p).lower()})": lambda m=m, n=n, p=p: nx.triangular_lattice_graph(m, n, p)
        for m, n, p in [(1, 1, 0), (3, 4, 0), (4, 5, 0), (5, 7, 0), (3, 5, 1), (4, 6, 1), (5, 9, 1)]
        for p in [bool(p)]
    },
    **{
        f"hexagonal_lattice({m}, {n}, {str(p).lower()})": lambda m=m, n=n, p=p: nx.hexagonal_lattice_graph(m, n, p)
        for m, n, p in [(1, 1, 0), (1, 2, 0), (3, 4, 0), (4, 5, 0), (2, 2, 1), (3, 4, 1), (5, 6, 1)]
        for p in [bool(p)]
    },
    "havel_hakimi([5, 4, 4, 3, 3, 3, 2, 2, 1, 1])": lambda: nx.havel_hakimi_graph([5, 4, 4, 3, 3, 3, 2, 2, 1, 1]),
    "havel_hakimi([3, 3, 3, 3])": lambda: nx.havel_hakimi_graph([3, 3, 3, 3]),
    "degree_sequence_tree([1, 3, 1, 4, 2, 1, 1, 1, 2, 2])": lambda: nx.degree_sequence_tree(
        [1, 3, 1, 4, 2, 1, 1, 1, 2, 2]
    ),
    "degree_sequence_tree([0])": lambda: nx.degree_sequence_tree([0]),
    "caveman(4, 5)": lambda: nx.caveman_graph(4, 5),
    "caveman(3, 1)": lambda: nx.caveman_graph(3, 1),
    "connected_caveman(4, 5)": lambda: nx.connected_caveman_graph(4, 5),
    "connected_caveman(1, 4)": lambda: nx.connected_caveman_graph(1, 4),
    "connected_caveman(3, 2)": lambda: nx.connected_caveman_graph(3, 2),
    "ring_of_cliques(4, 5)": lambda: nx.ring_of_cliques(4, 5),
    "ring_of_cliques(2, 2)": lambda: nx.ring_of_cliques(2, 2),
    "windmill(4, 5)": lambda: nx.windmill_graph(4, 5),
    "windmill(2, 2)": lambda: nx.windmill_graph(2, 2),
    "margulis_gabber_galil(5)": lambda: nx.margulis_gabber_galil_graph(5),
    "margulis_gabber_galil(1)": lambda: nx.margulis_gabber_galil_graph(1),
    "chordal_cycle(13)": lambda: nx.chordal_cycle_graph(13),
    "chordal_cycle(2)": lambda: nx.chordal_cycle_graph(2),
    "paley(13)": lambda: nx.paley_graph(13),
    "paley(17)": lambda: nx.paley_graph(17),
    "LCF(14, [5, -5], 7)": lambda: nx.LCF_graph(14, [5, -5], 7),
    "LCF(9, [3, 4, -2], 2)": lambda: nx.LCF_graph(9, [3, 4, -2], 2),
    "generalized_petersen(7, 2)": lambda: nx.generalized_petersen_graph(7, 2),
    "generalized_petersen(6, 3)": lambda: nx.generalized_petersen_graph(6, 3),
    **{
        f"{name}()": lambda name=name: getattr(nx, name + "_graph")()
        for name in (
            "bull chvatal cubical desargues diamond dodecahedral frucht heawood hoffman_singleton house house_x "
            "icosahedral krackhardt_kite moebius_kantor octahedral pappus petersen sedgewick_maze tetrahedral "
            "truncated_cube truncated_tetrahedron tutte karate_club davis_southern_women florentine_families "
            "les_miserables"
        ).split()
    },
}

DEGREES = "8 7 6 6 5 5 5 4 4 4 4 3 3 3 3 3 3 2 2 2 2 2 2 2 2 2 1 1 1 1 1 1 1 1 1 1 1 1 1 1"
WEIGHTS = [round(12.0 / (1 + i) ** 0.5 + 0.5, 3) for i in range(50)]

RANDOM = {
    "gnp(60, 0.1)": lambda s: nx.gnp_random_graph(60, 0.1, seed=s),
    "gnp(40, 0.7)": lambda s: nx.fast_gnp_random_graph(40, 0.7, seed=s),
    "gnm(60, 150)": lambda s: nx.gnm_random_graph(60, 150, seed=s),
    "dense_gnm(20, 140)": lambda s: nx.dense_gnm_random_graph(20, 140, seed=s),
    "watts_strogatz(60, 6, 0.2)": lambda s: nx.watts_strogatz_graph(60, 6, 0.2, seed=s),
    "watts_strogatz(30, 5, 0.9)": lambda s: nx.watts_strogatz_graph(30, 5, 0.9, seed=s),
    "watts_strogatz(8, 6, 0.7)": lambda s: nx.watts_strogatz_graph(8, 6, 0.7, seed=s),
    "connected_watts_strogatz(40, 2, 0.1)": lambda s: nx.connected_watts_strogatz_graph(40, 2, 0.1, tries=10**6, seed=s),
    "newman_watts_strogatz(60, 4, 0.3)": lambda s: nx.newman_watts_strogatz_graph(60, 4, 0.3, seed=s),
    "newman_watts_strogatz(9, 6, 0.9)": lambda s: nx.newman_watts_strogatz_graph(9, 6, 0.9, seed=s),
    "random_regular(4, 50)": lambda s: nx.random_regular_graph(4, 50, seed=s),
    "random_regular(3, 8)": lambda s: nx.random_regular_graph(3, 8, seed=s),
    "barabasi_albert(60, 3)": lambda s: nx.barabasi_albert_graph(60, 3, seed=s),
    "barabasi_albert(200, 1)": lambda s: nx.barabasi_albert_graph(200, 1, seed=s),
    "dual_barabasi_albert(60, 1, 4, 0.6)": lambda s: nx.dual_barabasi_albert_graph(60, 1, 4, 0.6, seed=s),
    "dual_barabasi_albert(40, 2, 4, 1)": lambda s: nx.dual_barabasi_albert_graph(40, 2, 4, 1, seed=s),
    "extended_barabasi_albert(60, 2, 0.3, 0.3)": lambda s: nx.extended_barabasi_albert_graph(60, 2, 0.3, 0.3, seed=s),
    "extended_barabasi_albert(40, 1, 0.6, 0.1)": lambda s: nx.extended_barabasi_albert_graph(40, 1, 0.6, 0.1, seed=s),
    "powerlaw_cluster(60, 3, 0.6)": lambda s: powerlaw_cluster(60, 3, 0.6, seed=s),
    "random_lobster(20, 0.5, 0.4)": lambda s: again(nx.random_lobster_graph)(20, 0.5, 0.4, seed=s),
    "random_tree(50)": lambda s: nx.random_labeled_tree(50, seed=s),
    "random_powerlaw_tree(30)": lambda s: again(nx.random_powerlaw_tree)(30, seed=s),
    "random_powerlaw_tree(20, 2.5, 1000)": lambda s: again(lambda n, g, t, seed: nx.random_powerlaw_tree(n, g, seed, t))(
        20, 2.5, 1000, seed=s
    ),
    "random_shell([[10, 20, 0.8], [20, 40, 0.7], [30, 40, 0.5]])": lambda s: nx.random_shell_graph(
        [(10, 20, 0.8), (20, 40, 0.7), (30, 40, 0.5)], seed=s
    ),
    "random_k_out(50, 3, 0.7)": lambda s: nx.random_k_out_graph(50, 3, 0.7, seed=s),
    "random_k_out(30, 2, 5, false)": lambda s: nx.random_k_out_graph(30, 2, 5, self_loops=False, seed=s),
    "scale_free(60)": lambda s: nx.scale_free_graph(60, seed=s),
    "scale_free(60, 0.2, 0.5, 0.3, 0.1, 0.4)": lambda s: nx.scale_free_graph(60, 0.2, 0.5, 0.3, 0.1, 0.4, seed=s),
    "duplication_divergence(50, 0.4)": lambda s: nx.duplication_divergence_graph(50, 0.4, seed=s),
    "partial_duplication(50, 5, 0.4, 0.3)": lambda s: nx.partial_duplication_graph(50, 5, 0.4, 0.3, seed=s),
    f"configuration_model([{', '.join(DEGREES.split())}])": lambda s: nx.configuration_model(degrees_of(DEGREES), seed=s),
    f"expected_degree({WEIGHTS})": lambda s: nx.expected_degree_graph(WEIGHTS, seed=s, selfloops=False),
    f"random_degree_sequence([{', '.join(DEGREES.split())}], 100)": lambda s: nx.random_degree_sequence_graph(
        degrees_of(DEGREES), seed=s, tries=100
    ),
    f"random_degree_sequence({[3] * 50}, 100)": lambda s: nx.random_degree_sequence_graph([3] * 50, seed=s, tries=100),
    "random_geometric(60, 0.2)": lambda s: nx.random_geometric_graph(60, 0.2, seed=s),
    "random_geometric(60, 0.3, 3, 1)": lambda s: nx.random_geometric_graph(60, 0.3, dim=3, p=1, seed=s),
    "random_geometric(40, 0.5, dim=5, p=3)": lambda s: nx.random_geometric_graph(40, 0.5, dim=5, p=3, seed=s),
    "random_geometric(60, 0.05, 1)": lambda s: nx.random_geometric_graph(60, 0.05, dim=1, seed=s),
    "soft_random_geometric(60, 0.3)": lambda s: nx.soft_random_geometric_graph(60, 0.3, seed=s),
    "thresholded_random_geometric(60, 0.3, 1.5)": lambda s: nx.thresholded_random_geometric_graph(60, 0.3, 1.5, seed=s),
    "geographical_threshold(60, 50)": lambda s: nx.geographical_threshold_graph(60, 50, seed=s),
    "geographical_threshold(40, 20, 1)": lambda s: nx.geographical_threshold_graph(40, 20, dim=1, seed=s),
    "waxman(60)": lambda s: nx.waxman_graph(60, seed=s),
    "waxman(80, 0.9, 0.2, domain=[0, 0, 3, 1])": lambda s: nx.waxman_graph(80, 0.9, 0.2, domain=(0, 0, 3, 1), seed=s),
    "waxman(60, 0.5, 0.3, L=2)": lambda s: nx.waxman_graph(60, 0.5, 0.3, L=2, seed=s),
    "navigable_small_world(8)": lambda s: navigable_small_world(8, seed=s),
    "navigable_small_world(6, 2, 2, 1.5)": lambda s: navigable_small_world(6, 2, 2, 1.5, seed=s),
    "navigable_small_world(4, 1, 1, 0, 3)": lambda s: navigable_small_world(4, 1, 1, 0, 3, seed=s),
    "relaxed_caveman(8, 6, 0.2)": lambda s: nx.relaxed_caveman_graph(8, 6, 0.2, seed=s),
    "random_partition([10, 20, 30], 0.3, 0.03)": lambda s: nx.random_partition_graph([10, 20, 30], 0.3, 0.03, seed=s),
    "planted_partition(4, 15, 0.4, 0.05)": lambda s: nx.planted_partition_graph(4, 15, 0.4, 0.05, seed=s),
    "gaussian_random_partition(60, 12, 4, 0.4, 0.05)": lambda s: nx.gaussian_random_partition_graph(
        60, 12, 4, 0.4, 0.05, seed=s
    ),
    "stochastic_block_model([15, 20, 25], [[0.4, 0.05, 0], [0.05, 0.3, 0.1], [0, 0.1, 1]])": lambda s: nx.stochastic_block_model(
        [15, 20, 25], [[0.4, 0.05, 0], [0.05, 0.3, 0.1], [0, 0.1, 1]], seed=s
    ),
    "LFR_benchmark(100, 2.5, 1.5, 0.2, 6, max_degree=20, min_community=20, max_community=40)": lambda s: again(
        nx.LFR_benchmark_graph
    )(100, 2.5, 1.5, 0.2, 6, None, 20, 20, 40, seed=s),
    "LFR_benchmark(80, 2.5, 1.5, 0.3, min_degree=3, max_degree=15, min_community=16, max_community=30)": lambda s: again(
        nx.LFR_benchmark_graph
    )(80, 2.5, 1.5, 0.3, None, 3, 15, 16, 30, seed=s),
    "random_internet_as(100)": lambda s: nx.random_internet_as_graph(100, seed=s),
    "random_internet_as(400)": lambda s: nx.random_internet_as_graph(400, seed=s),
    "maybe_regular_expander(40, 4)": lambda s: nx.maybe_regular_expander_graph(40, 4, seed=s),
    "outbound(60, 3)": lambda s: outbound(60, 3, seed=s),
    "outbound(12, 10)": lambda s: outbound(12, 10, seed=s),
    "hybrid(cycle(50), gnp(50, 0.05), complete(6))": lambda s: hybrid(
        nx.cycle_graph(50), nx.gnp_random_graph(50, 0.05, seed=s), nx.complete_graph(6)
    ),
}


def simple(graph):
    """As p2psim reads it: peers from 0, undirected, no loops."""
    g = nx.Graph()
    if set(graph) == set(range(len(graph))):
        g.add_nodes_from(range(len(graph)))
        g.add_edges_from(graph.edges())
    else:
        place = {node: i for i, node in enumerate(graph)}
        g.add_nodes_from(range(len(place)))
        g.add_edges_from((place[a], place[b]) for a, b in graph.edges())
    g.remove_edges_from([(a, a) for a in list(g)])
    return g


def links_hash(g):
    """FNV-1a of the sorted links, a line each."""
    value = 0xCBF29CE484222325
    for a, b in sorted(tuple(sorted(link)) for link in g.edges()):
        for byte in f"{a} {b}\n".encode():
            value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def figures(g):
    n = len(g)
    blocks = {pair: 0 for pair in itertools.combinations_with_replacement(range(4), 2)}
    for a, b in g.edges():
        blocks[tuple(sorted((4 * a // n, 4 * b // n)))] += 1
    return {
        "size": [n, g.number_of_edges()],
        "clustering": [nx.average_clustering(g), sum(nx.triangles(g).values()) / 3],
        "blocks": list(blocks.values()),
        "components": [nx.number_connected_components(g)],
    }, [d for _, d in g.degree()]


def random_line(call):
    make = RANDOM[call]
    samples = SAMPLES // 4 if "400" in call else SAMPLES
    all_figures, all_degrees = [], []
    for seed in range(samples):
        found, degrees = figures(simple(make(seed)))
        all_figures.append(found)
        all_degrees.append(degrees)
    # Bins of about equal shares, and no fewer than one peer in two graphs in each.
    counts = np.bincount(np.concatenate(all_degrees).astype(int))
    edges, sum_so_far = [], 0
    for degree, count in enumerate(counts):
        sum_so_far += count
        left = counts[degree + 1 :].sum()
        if sum_so_far >= counts.sum() / BINS and left >= samples / 2 and sum_so_far >= samples / 2:
            edges.append(degree)
            sum_so_far = 0
    line = {"call": call, "samples": samples, "edges": edges}
    vectors = {name: [f[name] for f in all_figures] for name in all_figures[0]}
    vectors["degrees"] = [
        np.bincount(np.searchsorted(edges, degrees), minlength=len(edges) + 1).tolist() for degrees in all_degrees
    ]
    for name, values in vectors.items():
        values = np.array(values, dtype=float)
        mean = values.mean(axis=0)
        covariance = np.atleast_2d(np.cov(values, rowvar=False))
        short = lambda x: float(f"{x:.9g}")
        line[name] = {
            "mean": [short(x) for x in mean],
            "covariance": [[short(x) for x in row] for row in covariance],
        }
    return json.dumps(line)


def main():
    print(json.dumps({"networkx": nx.__version__}))
    for call, make in FIXED.items():
        g = simple(make())
        print(json.dumps({"call": call, "peers": len(g), "links": g.number_of_edges(), "links_hash": links_hash(g)}))
    wanted = sys.argv[1:] or list(RANDOM)
    with ProcessPoolExecutor(2) as pool:
        for call, line in zip(wanted, pool.map(random_line, wanted)):
            print(call, file=sys.stderr, flush=True)
            print(line, flush=True)


if __name__ == "__main__":
    main()
