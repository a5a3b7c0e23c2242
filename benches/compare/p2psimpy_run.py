"""One workload of the comparison in p2psimpy, with its own services: prints its counts as JSON.

    python p2psimpy_run.py ping|flood|emergent PEERS SEED
"""

import json
import random
import sys
from collections import Counter

import networkx as nx
import numpy as np
from p2psimpy import defaults
from p2psimpy.config import Config, Dist, PeerType
from p2psimpy.consts import MBit
from p2psimpy.services.connection_manager import BaseConnectionManager, P2PConnectionManager
from p2psimpy.services.gossip import GossipService
from p2psimpy.services.message_producer import LimitedMessageProducer
from p2psimpy.simulation import Simulation

received = Counter()


def counted(service):
    """The service, with a count of what it handles: what p2psimpy itself counts has no types."""

    class Counted(service):
        def handle_message(self, msg):
            received[type(msg).__name__] += 1
            super().handle_message(msg)

    return Counted


Manager = counted(BaseConnectionManager)
EmergentManager = counted(P2PConnectionManager)
CountedGossip = counted(GossipService)
defaults.P2PConnectionManager = EmergentManager  # that of bootstrap peers


class FloodGossip(CountedGossip):
    """p2psimpy relays at every receipt, which never ends: here the first one only."""

    def handle_message(self, msg):
        if msg.id in self.peer.storage["msg_data"]:
            received["GossipMessage"] += 1
        else:
            super().handle_message(msg)


class Producer(LimitedMessageProducer):
    """It takes `times` from a configuration only through a subclass."""

    def __init__(self, peer, times, **kwargs):
        super().__init__(peer, **kwargs)
        self.times = times


class Locations(Config):
    locations = ["Everywhere"]
    latencies = {"Everywhere": {"Everywhere": Dist("norm", (12, 2))}}


class Peer(Config):
    location = "Everywhere"
    bandwidth_ul = 50 * MBit
    bandwidth_dl = 50 * MBit


class EachSecond(Config):
    ping_interval = 500


class Never(Config):
    ping_interval = 100_000


class ToAll(Config):
    fanout = 1000


class Rumours(Config):
    times = 100
    msg_rate = 100
    init_timeout = 1000
    init_fanout = 1000
    init_ttl = 1000


class FourToEight(Config):
    min_peers = 4
    max_peers = 8


def random_graph(peers, seed):
    """Ids from 1 on, and no lonely peers: p2psimpy has no use for 0, and crashes on them."""
    graph = nx.fast_gnp_random_graph(peers, min(10 / peers, 1), seed=seed)
    graph.remove_nodes_from(list(nx.isolates(graph)))
    graph = nx.relabel_nodes(graph, {peer: peer + 1 for peer in graph})
    nx.set_node_attributes(graph, "peer", "type")
    return graph


def ping(peers, seed):
    graph = random_graph(peers, seed)
    Simulation(Locations, graph, {"peer": PeerType(Peer, {Manager: EachSecond})}).run(10_000)
    return graph.number_of_edges(), received["Ping"] + received["Pong"]


def flood(peers, seed):
    graph = random_graph(peers, seed)
    producer = peers + 1
    neighbours = random.sample(list(graph), min(10, peers))
    graph.add_node(producer, type="producer")
    graph.add_edges_from((producer, neighbour) for neighbour in neighbours)
    services = {Manager: Never, FloodGossip: ToAll}
    types = {
        "peer": PeerType(Peer, services),
        "producer": PeerType(Peer, {**services, Producer: Rumours}),
    }
    Simulation(Locations, graph, types).run(3_000)
    return graph.number_of_edges(), received["GossipMessage"]


def emergent(peers, _seed):
    everyone = {peer: {"type": "peer"} for peer in range(1, peers + 1)}
    types = {"peer": PeerType(Peer, {EmergentManager: FourToEight})}
    bootstraps = max(peers // 1000, 1)
    simulation = Simulation(Locations, everyone, types, num_bootstrap=bootstraps)
    simulation.run(30_000)
    return simulation.current_topology().number_of_edges(), sum(received.values())


workload, peers, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
random.seed(seed)
np.random.seed(seed)
links, delivered = {"ping": ping, "flood": flood, "emergent": emergent}[workload](peers, seed)
print(json.dumps({"links": links, "delivered": delivered, "received": received}))
