"""One workload of the comparison in SimPy alone: prints its counts as JSON.

    python simpy_run.py ping|flood PEERS SEED

Peers are objects, a message is a timeout with a callback. A process and a Store for each peer
would read more like SimPy's own examples and take several times as long.
"""

import json
import math
import random
import sys

import simpy


class Peer:
    __slots__ = ("env", "neighbours", "received", "seen")

    def __init__(self, env):
        self.env = env
        self.neighbours = []
        self.received = 0
        self.seen = set()

    def send(self, other, handler, message):
        """Hands `(sender, message)` to the other's handler after half of a round trip, in ms."""
        arrival = self.env.timeout(random.gauss(12, 2) / 2, (self, message))
        arrival.callbacks.append(handler)

    def ping_each_second(self):
        while True:
            yield self.env.timeout(1000)
            for other in self.neighbours:
                self.send(other, other.on_ping, None)

    def on_ping(self, arrival):
        self.received += 1
        sender, _ = arrival.value
        self.send(sender, sender.on_pong, None)

    def on_pong(self, _arrival):
        self.received += 1

    def produce(self):
        yield self.env.timeout(1000)
        for rumour in range(100):
            self.seen.add(rumour)
            for other in self.neighbours:
                self.send(other, other.on_rumour, rumour)
            yield self.env.timeout(10)

    def on_rumour(self, arrival):
        self.received += 1
        sender, rumour = arrival.value
        if rumour not in self.seen:
            self.seen.add(rumour)
            for other in self.neighbours:
                if other is not sender:
                    self.send(other, other.on_rumour, rumour)


def random_network(env, count):
    """Links with probability 10 / count each: skips what has none (Batagelj and Brandes 2005)."""
    peers = [Peer(env) for _ in range(count)]
    none = math.log1p(-min(10 / count, 0.999))
    one, other = 1, -1
    while one < count:
        other += 1 + int(math.log(1 - random.random()) / none)
        while other >= one and one < count:
            other -= one
            one += 1
        if one < count:
            peers[one].neighbours.append(peers[other])
            peers[other].neighbours.append(peers[one])
    return peers


def ping(env, peers):
    for peer in peers:
        env.process(peer.ping_each_second())
    env.run(until=10_000)


def flood(env, peers):
    producer = Peer(env)
    for peer in random.sample(peers, min(10, len(peers))):
        producer.neighbours.append(peer)
        peer.neighbours.append(producer)
    peers.append(producer)
    env.process(producer.produce())
    env.run(until=3_000)


workload, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
random.seed(seed)
env = simpy.Environment()
peers = random_network(env, count)
{"ping": ping, "flood": flood}[workload](env, peers)
links = sum(len(peer.neighbours) for peer in peers) // 2
print(json.dumps({"links": links, "delivered": sum(peer.received for peer in peers)}))
