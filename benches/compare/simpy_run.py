"""One workload of the comparison in SimPy alone: prints its counts as JSON.

    python simpy_run.py ping|flood|emergent PEERS SEED

Peers are objects, a message is a timeout with a callback. A process and a Store for each peer
would read more like SimPy's own examples and took four times as long in the ping network.
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
        delay = max(random.gauss(12, 2) / 2, 0.05)
        arrival = self.env.timeout(delay, (self, message))
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


class Connection:
    __slots__ = ("connected", "since", "last_heard")

    def __init__(self, now, connected):
        self.connected = connected
        self.since = now
        self.last_heard = now


class EmergentPeer(Peer):
    """What p2psimpy's P2PConnectionManager does, as p2psim has it (docs/services.md)."""

    __slots__ = ("connections", "known", "dropped", "max_peers")

    def __init__(self, env, max_peers=8):
        super().__init__(env)
        self.connections = {}
        self.known = {}
        self.dropped = set()
        self.max_peers = max_peers

    def dial(self, other):
        self.connections[other] = Connection(self.env.now, connected=False)
        self.send(other, other.on_message, "Hello")

    def part(self, other):
        del self.connections[other]
        self.dropped.add(other)
        self.send(other, other.on_message, "Goodbye")

    def connected(self):
        return [peer for peer, connection in self.connections.items() if connection.connected]

    def live(self):
        while True:
            self.tick()
            yield self.env.timeout(1000)

    def tick(self):
        now = self.env.now
        lacking = 4 - len(self.connections)
        if lacking > 0:
            out_of_reach = self.connections.keys() | self.dropped
            candidates = [peer for peer in self.known if peer not in out_of_reach]
            if len(candidates) < lacking:
                connected = self.connected()
                for other in random.sample(connected, min(5, len(connected))):
                    self.send(other, other.on_message, "RequestPeers")
            for other in random.sample(candidates, min(lacking, len(candidates))):
                self.dial(other)
        connected = self.connected()
        if len(connected) > self.max_peers:
            held = [peer for peer in connected if now - self.connections[peer].since >= 5000]
            for other in held[: len(connected) - self.max_peers]:
                self.part(other)
        silent = []
        for other, connection in self.connections.items():
            if connection.connected and now - connection.last_heard > 1000:
                self.send(other, other.on_message, "Ping")
            if now - connection.last_heard > 5000:
                silent.append(other)
        for other in silent:
            self.part(other)

    def on_message(self, arrival):
        sender, message = arrival.value
        connection = self.connections.get(sender)
        if connection is None:
            if message != "Hello":
                return
            if len(self.connected()) > self.max_peers:
                self.send(sender, sender.on_message, "Goodbye")
            else:
                self.connections[sender] = Connection(self.env.now, connected=True)
                self.send(sender, sender.on_message, "Hello")
                self.send(sender, sender.on_message, "RequestPeers")
        else:
            # Whatever comes may overtake the Hello that went before it.
            connection.connected = True
            connection.last_heard = self.env.now
            if message == "Ping":
                self.send(sender, sender.on_message, "Pong")
            elif message == "RequestPeers":
                self.send(sender, sender.on_message, random.choice(self.connected()))
            elif message == "Goodbye":
                del self.connections[sender]
                self.dropped.add(sender)
            elif isinstance(message, EmergentPeer) and message is not self:
                self.known[message] = None
        self.received += 1


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


def ping(env, count):
    peers = random_network(env, count)
    for peer in peers:
        env.process(peer.ping_each_second())
    env.run(until=10_000)
    return peers


def flood(env, count):
    peers = random_network(env, count)
    producer = Peer(env)
    for peer in random.sample(peers, min(10, len(peers))):
        producer.neighbours.append(peer)
        peer.neighbours.append(producer)
    peers.append(producer)
    env.process(producer.produce())
    env.run(until=3_000)
    return peers


def emergent(env, count):
    peers = [EmergentPeer(env) for _ in range(count)]
    bootstraps = [EmergentPeer(env, max_peers=100_000) for _ in range(max(count // 1000, 1))]
    for index, peer in enumerate(peers):
        peer.dial(bootstraps[index % len(bootstraps)])
    for peer in peers + bootstraps:
        env.process(peer.live())
    env.run(until=30_000)
    of_no_interest = set(bootstraps)
    for peer in peers:
        peer.neighbours = [other for other in peer.connected() if other not in of_no_interest]
    return peers + bootstraps


workload, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
random.seed(seed)
run = {"ping": ping, "flood": flood, "emergent": emergent}[workload]
peers = run(simpy.Environment(), count)
links = sum(len(peer.neighbours) for peer in peers) // 2
print(json.dumps({"links": links, "delivered": sum(peer.received for peer in peers)}))
