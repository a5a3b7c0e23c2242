"""How p2psimpy 0.1.0 counts Sync messages when a SyncPing carries the ids held when it is sent.

p2psimpy puts a live view of its sender's dictionary into a SyncPing (`keys()`), so that the ids
change while the message travels. p2psim sends a snapshot. This runs p2psimpy's pull and push-pull
scenarios of the reference with the one line changed (`snapshot`) or as it is (`live`), and prints
the mean counts over 40 graphs (those with a peer without links left out, as p2psimpy crashes on
them). p2psimpy_snapshot.json holds the figures of `snapshot`, made with Python 3.11, simpy 4.1.

    pip install simpy networkx numpy scipy pyyaml
    pip install --no-deps --ignore-requires-python p2psimpy==0.1.0
    python p2psimpy_snapshot.py snapshot pull 40
"""

import random
import statistics
import sys

import networkx as nx
import numpy as np
from p2psimpy.config import Config, Dist, PeerType
from p2psimpy.consts import MBit
from p2psimpy.services.connection_manager import BaseConnectionManager
from p2psimpy.services.gossip import PullGossipService, PushPullGossipService
from p2psimpy.services.message_producer import LimitedMessageProducer
from p2psimpy.simulation import Simulation

mode, which, seeds = sys.argv[1], sys.argv[2], int(sys.argv[3])
if mode == "snapshot":
    PullGossipService._get_sync_indexes = lambda self: list(
        self.peer.storage["msg_data"].keys()
    )

counts = {}


def counted(service):
    class Counted(service):
        def handle_message(self, msg):
            name = type(msg).__name__
            counts[name] = counts.get(name, 0) + 1
            return super().handle_message(msg)

    return Counted


Gossip = counted(PullGossipService if which == "pull" else PushPullGossipService)


class Producer(LimitedMessageProducer):
    def __init__(self, peer, times=10):
        super().__init__(peer)
        self.times = times


class ProducerConfig(Config):
    times = 10


class Locations(Config):
    locations = ["LocA", "LocB"]
    latencies = {
        "LocB": {"LocB": Dist("gamma", (1, 1, 1))},
        "LocA": {"LocB": Dist("norm", (12, 2)), "LocA": Dist("norm", (2, 0.5))},
    }


class Peer(Config):
    location = Dist("sample", ["LocA", "LocB"])
    bandwidth_ul = Dist("norm", (50 * MBit, 10 * MBit))
    bandwidth_dl = Dist("norm", (50 * MBit, 10 * MBit))


types = {
    "basic": PeerType(Peer, (BaseConnectionManager, Gossip)),
    "producer": PeerType(
        Peer, {BaseConnectionManager: None, Gossip: None, Producer: ProducerConfig}
    ),
}
runs = []
for seed in range(1, seeds + 1):
    random.seed(seed)
    np.random.seed(seed)
    counts.clear()
    graph = nx.erdos_renyi_graph(100, 0.1, seed=seed)
    if min(degree for _, degree in graph.degree()) == 0:
        continue
    roles = {peer: "producer" if peer == 1 else "basic" for peer in graph}
    nx.set_node_attributes(graph, roles, "type")
    Simulation(Locations, graph, types).run(12000 if which == "pull" else 8000)
    runs.append(dict(counts))
for name in sorted({name for run in runs for name in run}):
    values = [run.get(name, 0) for run in runs]
    mean, sd = statistics.mean(values), statistics.pstdev(values)
    print(which, mode, name, round(mean, 2), "sd", round(sd, 2), "n", len(values))
