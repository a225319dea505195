# SPDX-License-Identifier: Apache-2.0
"""One agent looks after workloads in network namespaces that are not its own,
and that come and go."""

import os
import socket

from rig import deadline
from rig.case import needs_agent, on
from rig.conversation import CLIENT, SERVER, Connecting, Listening, PeerCase
from rig.network import TwoContainers
from rig.node import Node


@on(TwoContainers)
class Namespaces(PeerCase):
    """The agent is in a third namespace; there is no workload yet when it
    starts."""

    def test_ipv4(self):
        self.exchange(["send:300000", "shutdown", "recv-all"],
                      ["recv-all", "send:1000", "close"])

    def test_ipv6(self):
        self.exchange(["send:300000", "shutdown", "recv-all"],
                      ["recv-all", "send:1000", "close"],
                      address=self.network.address6)

    @needs_agent
    def test_loopback_of_a_namespace_is_its_own(self):
        """127.0.0.1 is another place in each of them."""
        server = Listening(self, ["recv-all"], "127.0.0.1")
        client = Connecting(self, server.port, ["recv-all"], "127.0.0.1")
        self.assertEqual(client.facts("done")["ended"], "reset")
        self.network.client_agent.await_closed(
            1, direction="outbound", reason="dial_failed",
            destination=f"127.0.0.1:{server.port}")

    @needs_agent
    def test_first_process_connects_at_once(self):
        """A small program may connect before the agent has its listeners in the
        namespace: it is refused then, which is counted, and never let pass."""
        connect = 'exec 3<>"/dev/tcp/127.0.0.1/$0"'
        refused = 0
        for _ in range(5):
            node = Node("new", self.network.host)
            self.addCleanup(node.netns.close)
            listener = node.netns.socket(
                lambda: socket.create_server(("127.0.0.1", 0)))
            self.addCleanup(listener.close)
            port = listener.getsockname()[1]
            # The shell is the namespace's first process and stays in it.
            told = node.run(["bash", "-c", f"({connect}) && echo passed; "
                             f"until ({connect}); do :; done", port])
            refused += "passed" not in told
        counters = self.network.client_agent.ask("status")["counters"]
        self.assertEqual(counters["connect_captured"], 10 - refused)
        self.assertGreaterEqual(counters["netns_not_ready"], refused)

    @needs_agent
    def test_namespace_that_is_new(self):
        """The first connection of a namespace's first workload."""
        for _ in range(5):
            node = Node("new", self.network.host)
            peer = self._both_in(node)
            self.addCleanup(node.netns.close)
            done = peer.facts("done")
            self.assertEqual((done["error"], done["ended"]), (None, "eof"))
            self.network.client_agent.await_closed(
                1, direction="outbound", local__spiffeId=CLIENT,
                peer__spiffeId=SERVER, mode="mtls",
                process__pid=peer.program.pid)

    def _both_in(self, node):
        """Runs a server and then a client in the node."""
        class Here:  # pylint: disable=too-few-public-methods
            network, marker = self.network, self.marker
            client = server = node
        server = Listening(Here, ["recv-all", "close"], "127.0.0.1")
        return Connecting(Here, server.port,
                          ["send:1000", "shutdown", "recv-all"], "127.0.0.1")

    @needs_agent
    def test_namespace_that_goes(self):
        agent = self.network.client_agent
        node = Node("gone", self.network.host)
        name = f"net:[{os.stat(node.netns.path).st_ino}]"

        def is_there():
            return name in [row["name"]
                            for row in agent.ask("status")["namespaces"]]
        sleeper = node.spawn(["sleep", "infinity"])
        deadline.await_true(is_there, "the agent is in the namespace")
        sleeper.stop()
        deadline.await_true(lambda: not is_there(), "the agent has left it")
        node.netns.close()
