"""Experiments as p2psimpy 0.1.0 saves them, for tests/import.rs.

    pip install p2psimpy==0.1.0        # Python 3.10; it brings networkx 2.8
    python make.py

LimitedMessageProducer takes no `times` there, whatever its source says.

graph/ has a networkx graph as topology, services as a map and as a tuple; emergent/ a dict without
links. networkx has no write_yaml since 2.6, which save_experiment calls: it is put back here as it
was in 2.5 (networkx/readwrite/nx_yaml.py).
"""

import random

import networkx as nx
import yaml
from p2psimpy.config import Config, Dist, DistAttr, PeerType
from p2psimpy.consts import MBit
from p2psimpy.services.connection_manager import BaseConnectionManager, P2PConnectionManager
from p2psimpy.services.disruption import RandomDowntime
from p2psimpy.services.gossip import GossipService
from p2psimpy.services.message_producer import LimitedMessageProducer
from p2psimpy.simulation import Simulation
from p2psimpy.utils import prepare_topology


def write_yaml(graph, path):
    with open(path, "w") as file:
        yaml.dump(graph, file)


nx.write_yaml = write_yaml


class Locations(Config):
    locations = ["LocationA", "LocationB"]
    latencies = {
        "LocationB": {"LocationB": Dist("gamma", (1, 1, 1))},
        "LocationA": {"LocationB": Dist("norm", (12, 2)), "LocationA": Dist("norm", (2, 0.5))},
    }


class PeerConfig(Config):
    location = Dist("sample", ["LocationA", "LocationB"])
    bandwidth_ul = Dist("norm", (50 * MBit, 10 * MBit))
    bandwidth_dl = Dist("norm", (50 * MBit, 10 * MBit))


class ClientConfig(Config):
    location = Dist("sample", {"values": ["LocationA", "LocationB"], "weights": [0.9, 0.1]})
    bandwidth_ul = 5 * MBit
    bandwidth_dl = 5 * MBit


class ConnectionConfig(Config):
    ping_interval = 500
    max_silence = 3000


class GossipConfig(Config):
    fanout = 4
    exclude_types = {"client"}


class ProducerConfig(Config):
    msg_rate = 2
    init_ttl = 3


class DowntimeConfig(Config):
    start_time = Dist("norm", (1500, 100))
    disruption_time = DistAttr("gamma", (2, 100, 50))


class ManagerConfig(Config):
    min_peers = 3
    max_peers = 6


random.seed(7)
graph = prepare_topology(num_peers=8, num_clients=2, client_deg=3)
types = {
    "peer": PeerType(
        PeerConfig,
        {
            BaseConnectionManager: ConnectionConfig,
            GossipService: GossipConfig,
            RandomDowntime: DowntimeConfig,
        },
    ),
    "client": PeerType(
        ClientConfig,
        {BaseConnectionManager: None, GossipService: None, LimitedMessageProducer: ProducerConfig},
    ),
}
Simulation(Locations, graph, types).save_experiment("graph", include_module_classes=True)

peers = {k: {"type": "peer" if k % 3 else "relay"} for k in range(1, 13)}
types = {
    "peer": PeerType(PeerConfig, {P2PConnectionManager: ManagerConfig}),
    "relay": PeerType(PeerConfig, (P2PConnectionManager,)),
}
Simulation(Locations, peers, types).save_experiment("emergent")
