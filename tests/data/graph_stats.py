"""Figures of a graph as networkx has them, for tests/graphs.rs.

    python tests/data/graph_stats.py ../shared/data/goerli_topology.edgelist > tests/data/goerli_stats.json

Made with networkx 3.6.1. The graph's edge list itself is other people's data and stays where it is.
"""

import json
import sys

import networkx as nx

graph = nx.Graph(nx.read_edgelist(sys.argv[1], nodetype=int))
graph.remove_edges_from(nx.selfloop_edges(graph))
degrees = [degree for _, degree in graph.degree()]
components = sorted((sorted(part) for part in nx.connected_components(graph)), key=len)
largest = graph.subgraph(components[-1])
mean = sum(degrees) / len(degrees)
print(
    json.dumps(
        {
            "networkx": nx.__version__,
            "peers": graph.number_of_nodes(),
            "links": graph.number_of_edges(),
            "degree": {
                "min": min(degrees),
                "mean": mean,
                "max": max(degrees),
                "sd": (sum((degree - mean) ** 2 for degree in degrees) / len(degrees)) ** 0.5,
                "histogram": {
                    str(degree): count
                    for degree, count in enumerate(nx.degree_histogram(graph))
                    if count
                },
            },
            "components": {"count": len(components), "largest": len(largest)},
            "clustering": {
                "average": nx.average_clustering(graph),
                "transitivity": nx.transitivity(graph),
                "triangles": sum(nx.triangles(graph).values()) // 3,
            },
            "degree_assortativity": nx.degree_assortativity_coefficient(graph),
            "paths": {
                "mean_length": nx.average_shortest_path_length(largest),
                "diameter": nx.diameter(largest),
            },
        },
        indent=1,
    )
)
