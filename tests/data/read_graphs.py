"""Reads the graph files of a folder with networkx (and scipy, if it is there) and prints what it
found, for tests/graphs.rs. Exits with 3 where networkx 3 is not installed."""

import json
import sys
from pathlib import Path

try:
    import networkx as nx
except ImportError:
    sys.exit(3)
if int(nx.__version__.split(".")[0]) < 3:
    sys.exit(3)


def shown(graph):
    """Peers with their types and bandwidths, links with their latencies, sorted."""
    nodes = [
        [int(node), data["type"], float(data["bandwidth_ul"]), bool(int(data["online"]))]
        for node, data in graph.nodes(data=True)
    ]
    edges = [
        sorted([int(a), int(b)]) + [data.get("latency")] for a, b, data in graph.edges(data=True)
    ]
    return {"nodes": sorted(nodes), "edges": sorted(edges, key=lambda edge: edge[:2])}


folder = Path(sys.argv[1])
found = {
    "graphml": shown(nx.read_graphml(folder / "x.graphml")),
    "gml": shown(nx.read_gml(folder / "x.gml")),
    "gexf": shown(nx.read_gexf(folder / "x.gexf")),
    "json": shown(nx.node_link_graph(json.loads((folder / "x.json").read_text()), edges="edges")),
}
timeline = nx.read_gexf(folder / "timeline.gexf")
found["timeline"] = {
    "nodes": timeline.number_of_nodes(),
    "spells": sorted(
        [*sorted([int(a), int(b)]), data["spells"]] for a, b, data in timeline.edges(data=True)
    ),
}
try:
    from scipy.io import mmread

    matrix = mmread(folder / "x.mtx").tocoo()
    found["mtx"] = sorted([int(a), int(b)] for a, b in zip(matrix.row, matrix.col) if a < b)
except ImportError:
    pass
# What networkx writes itself, for p2psim to read.
graph = nx.karate_club_graph()
nx.write_graphml(graph, folder / "karate.graphml")
nx.write_gml(graph, folder / "karate.gml")
nx.write_gexf(graph, folder / "karate.gexf")
nx.write_edgelist(graph, folder / "karate.edgelist.gz")
(folder / "karate.json").write_text(json.dumps(nx.node_link_data(graph, edges="edges")))
print(json.dumps(found))
