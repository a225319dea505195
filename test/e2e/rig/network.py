# SPDX-License-Identifier: Apache-2.0
"""The two networks that tests run in, and which of the connections seen on
their wires leave the agents (outer) or stay between agent and application."""

import contextlib
import os

from rig import deadline, machine, netns
from rig.agent import Agent
from rig.capture import Capture
from rig.node import Node

# The harness's own check: the same tests on a plain network, where every
# program must work and every sniffer must see plaintext.
DIRECT = os.environ.get("KITH_E2E_DIRECT") == "1"


def endpoint(address):
    """Returns (address, port) as the CLI writes it."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Network:
    """Where clients and servers of a test run. `agents` has one or two."""

    occupied = True  # by a process, before the test begins

    def __init__(self, client, server, address, address6, interface):
        self.client = client
        self.server = server
        self.address = address
        self.address6 = address6
        self.agents = []
        self._interface = interface
        self.directory = machine.Machine.get().directory / \
            machine.unique_name("net")
        self.directory.mkdir()

    @property
    def nodes(self):
        return [self.client] if self.client is self.server else \
            [self.client, self.server]

    @property
    def client_agent(self):
        return self.agents[0]

    @property
    def server_agent(self):
        return self.agents[-1]

    @property
    def managed_nodes(self):
        """Nodes that have an agent of their own."""
        return self.nodes

    def start_agents(self, documents, **settings):
        """Starts one agent per node; they share a CA directory."""
        for node in self.managed_nodes:
            agent = self.add_agent(node, **settings)
            agent.put("documents.yaml", documents)
            if not DIRECT:
                agent.start()
        if self.occupied:
            self.occupy()

    def occupy(self):
        """Puts a process into each namespace and waits until the agents are
        there, so that tests do not depend on how fast that is."""
        for node in self.nodes:
            node.spawn(["sleep", "infinity"], group="anchor")
        if DIRECT:
            return
        for node, agent in ((self.client, self.client_agent),
                            (self.server, self.server_agent)):
            name = f"net:[{os.stat(node.netns.path).st_ino}]"
            deadline.await_true(
                lambda a=agent, n=name: n in [
                    row["name"] for row in a.ask("status")["namespaces"]],
                f"an agent in {node.name}")

    def add_agent(self, node, **settings):
        agent = Agent(node, self.directory / node.name,
                      self.directory / "ca", **settings)
        self.agents.append(agent)
        return agent

    def close(self):
        with contextlib.ExitStack() as after:
            for node in self.nodes:
                after.callback(node.close)
            for agent in self.agents:
                after.callback(agent.close)

    def await_quiet(self):
        for node in self.nodes:
            deadline.await_true(node.netns.is_quiet,
                                f"no ending connection in {node.name}")

    def capture(self, *markers):
        """Starts a sniffer on the wire between client and server, when
        nothing is on it any more of the tests before."""
        self.await_quiet()
        return Capture(self.client.netns, self._interface, markers)


class OneNode(Network):
    """Client and server on one node, one agent: everything is on lo."""

    def __init__(self):
        node = Node("node")
        super().__init__(node, node, "127.0.0.1", "::1", "lo")

    def outer(self, connections):
        if DIRECT:
            return connections
        flows = [flow for flow in self.server_agent.flows()
                 if flow["direction"] == "inbound"]
        clients = {flow["client"] for flow in flows}
        destinations = {flow["destination"] for flow in flows}
        listeners = self._listener_ports()
        to_server = [each for each in connections
                     if each.server[1] not in listeners]
        inner = [each for each in to_server
                 if endpoint(each.server) in destinations and
                 endpoint(each.client) not in clients]
        # One inner connection for each flow that was let in; one more would be
        # a client that went past the agent.
        if len(inner) > len(flows):
            raise AssertionError(f"{len(flows)} inbound flows, but " +
                                 "; ".join(map(str, inner)))
        known = set(map(id, inner))
        return [each for each in to_server if id(each) not in known]

    def _listener_ports(self):
        rows = self.client_agent.ask("status")["namespaces"]
        return {row.get(key) for row in rows
                for key in ("outboundPortV4", "outboundPortV6")}


class TwoNodes(Network):
    """Two nodes on one cable, an agent each: the wire is what leaves them."""

    def __init__(self):
        client, server = Node("west"), Node("east")
        netns.join(client.netns, server.netns,
                   ["10.83.0.1/24", "fd83::1/64"],
                   ["10.83.0.2/24", "fd83::2/64"])
        super().__init__(client, server, "10.83.0.2", "fd83::2", "eth0")

    def outer(self, connections):
        return connections


class TwoContainers(Network):
    """Two namespaces of one node with one agent, on one cable."""

    occupied = False  # the tests are about that

    def __init__(self):
        self.host = Node("host")
        client = Node("west", self.host)
        server = Node("east", self.host)
        netns.join(client.netns, server.netns,
                   ["10.84.0.1/24", "fd84::1/64"],
                   ["10.84.0.2/24", "fd84::2/64"])
        super().__init__(client, server, "10.84.0.2", "fd84::2", "eth0")

    @property
    def managed_nodes(self):
        return [self.host]

    def close(self):
        super().close()
        self.host.close()

    def outer(self, connections):
        return connections
