# SPDX-License-Identifier: Apache-2.0
"""Whom a pass does not lead to (datapath.sameNode: direct), and what ends a
flow that has had one."""

import time

from rig import deadline, documents
from rig.case import needs_agent, on
from rig.conversation import CLIENT, SERVER, Connecting, Listening, identities
from rig.network import OneNode
from rig.same_node import DIRECT, SameNodeCase

# The most that may pass between the change and the end of the flow.
_SOON = deadline.allowed(1.0)
_ACCEPT = """
import socket, sys
listener = socket.create_server((sys.argv[1], int(sys.argv[2])))
print("listening", flush=True)
while True:
    connection, _ = listener.accept()
    print("accepted", connection.recv(10000), flush=True)
    connection.close()
"""


@needs_agent
@on(OneNode)
class DirectRefused(SameNodeCase):
    """Whom a pass does not lead to."""

    def _again(self, while_connected):
        """Returns what a client sees that has had a direct connection, and
        connects again after `while_connected(server)`."""
        server = Listening(self, [*DIRECT, "recv-all"], connections=2)
        client = Connecting(self, server.port, ["close", "go", "again"],
                            options=DIRECT)
        client.facts("waiting")
        before = self.counter("direct_connect")
        other = while_connected(server)
        client.program.write("go\n")
        again = client.facts("again")
        self.assertEqual(self.counter("direct_connect"), before)
        return again, other

    def _listen(self, port, managed):
        listening = self.server.spawn(
            ["/usr/bin/python3", "-c", _ACCEPT, self.network.address, port],
            managed=managed, group="other")
        listening.await_line("listening")
        return listening

    def test_another_process_at_the_address(self):
        """It gets a ClientHello, as everybody who has not been asked."""
        for managed in (True, False):
            with self.subTest(managed=managed):
                def replace(server, managed=managed):
                    server.program.stop()
                    return self._listen(server.port, managed)
                again, other = self._again(replace)
                self.assertEqual(again["ended"], "reset")
                self.assertNotIn(self.marker, other.output)

    def test_nobody_at_the_address(self):
        again, _ = self._again(lambda server: server.program.stop())
        self.assertEqual(again["ended"], "reset")

    def test_another_policy(self):
        """The next connection is by another handshake."""
        agent = self.network.client_agent

        def change(_):
            agent.put("documents.yaml",
                      identities(outbound=[documents.spiffe_id("other")]))
            agent.program.await_line("resources in force", count=2)
        try:
            again, _ = self._again(change)
            self.assertEqual(again["ended"], "reset")
            agent.await_closed(1, direction="outbound",
                               reason="peer_not_allowed")
        finally:
            agent.put("documents.yaml", identities())


@needs_agent
@on(OneNode)
class DirectRevocation(SameNodeCase):
    """A direct flow ends as soon as policy, or an SVID, forbids it."""

    def _revoke(self, action, why):
        client, server = self.open_flow()
        began = time.monotonic()
        action()
        outbound, inbound = self.rows(reason="revoked")
        self.assertLess(time.monotonic() - began, _SOON)
        self.assert_ended(client, server)
        for row in (outbound, inbound):
            self.assertIn(why, row["detail"])
            self.assertEqual((row["bytesSent"], row["bytesReceived"]),
                             (10, 10))

    def test_peer_taken_off_the_list(self):
        agent = self.network.client_agent
        try:
            self._revoke(lambda: agent.put(
                "documents.yaml",
                identities(inbound=[documents.spiffe_id("other")])),
                         CLIENT)
        finally:
            agent.put("documents.yaml", identities())

    def test_identity_deleted(self):
        agent = self.network.client_agent
        try:
            self._revoke(lambda: agent.put("documents.yaml",
                                           identities()[:1]), SERVER)
        finally:
            agent.put("documents.yaml", identities())

    def test_svid_revoked(self):
        agent = self.network.client_agent
        self._revoke(lambda: agent.ask("svid", "revoke", CLIENT), CLIENT)

    def test_other_flows_live(self):
        peers = self.open_flow()
        agent = self.network.client_agent
        agent.put("documents.yaml", [*identities(), documents.identity(
            "bystander", {"process:name": "bystander"})])
        agent.program.await_line('"identities":3')
        self.assert_goes_on(*peers)


@needs_agent
@on(OneNode)
class DirectAndAgents(SameNodeCase):
    """What becomes of direct flows when the agent goes."""

    settings = {"datapath": {"sameNode": "direct", "pin": True}}

    def test_takeover(self):
        peers = self.open_flow()
        self.network.client_agent.take_over()
        self.await_rows()
        self.assert_goes_on(*peers)
        for row in self.rows(reason="closed"):
            self.assertEqual(row["bytesSent"], row["bytesReceived"])

    def test_stopped_agent_resets(self):
        peers = self.open_flow()
        agent = self.network.client_agent
        agent.stop()
        self.assert_ended(*peers)
        agent.start()

    def test_killed_agent(self):
        """The kernel carries the flow on; the next agent judges it."""
        peers = self.open_flow()
        agent = self.network.client_agent
        agent.kill()
        agent.start()
        self.await_rows()
        self.assert_goes_on(*peers)
        self.rows(reason="closed")

    def test_flow_that_ends_without_an_agent(self):
        """It has ended in order, whoever it was."""
        client, server = self.open_flow()
        agent = self.network.client_agent
        agent.kill()
        self.assert_goes_on(client, server)
        server.program.check()
        agent.start()
        row = agent.await_closed(1, path="direct", reason="closed",
                                 direction="outbound",
                                 destination=self.destination)[0]
        self.assertEqual((row["bytesSent"], row["bytesReceived"]),
                         (1010, 1010))

    def test_killed_agent_and_another_policy(self):
        peers = self.open_flow()
        agent = self.network.client_agent
        agent.kill()
        agent.put("documents.yaml",
                  identities(outbound=[documents.spiffe_id("other")]))
        agent.start()
        try:
            agent.await_closed(1, path="direct", reason="revoked")
            self.assert_ended(*peers)
        finally:
            agent.put("documents.yaml", identities())

    def test_killed_agent_and_no_passes(self):
        """An agent that joins nothing ends what another has joined."""
        peers = self.open_flow()
        agent = self.network.client_agent
        agent.kill()
        agent.config["datapath"]["sameNode"] = "tls"
        agent.start()
        try:
            row = agent.await_closed(1, path="direct", reason="revoked",
                                     destination=self.destination)[0]
            self.assertEqual((row["bytesSent"], row["bytesReceived"]),
                             (10, 10))
            self.assertIn("encrypted", row["detail"])
            self.assert_ended(*peers)
        finally:
            agent.stop()
            agent.config["datapath"]["sameNode"] = "direct"
            agent.start()

    def test_dead_agent_gives_no_pass(self):
        """Not even to those who have one."""
        server = Listening(self, [*DIRECT, "recv-all"])
        client = Connecting(self, server.port, ["close", "go", "again"],
                            options=DIRECT)
        client.facts("waiting")
        agent = self.network.client_agent
        agent.kill()
        client.program.write("go\n")
        self.assertIn(client.facts("again")["error"], ("ECONNREFUSED", "EPERM"))
        agent.start()


@needs_agent
@on(OneNode)
class RefusedByClient(SameNodeCase):
    """The client's identity does not allow the server's."""

    documents = identities(outbound=[documents.spiffe_id("other")])

    refused_by = "outbound"

    def test_refused(self):
        server = Listening(self, [*DIRECT, "recv-all"])
        client = Connecting(self, server.port, ["send:1000", "recv-all"],
                            options=DIRECT)
        self.assertEqual(client.facts("failed")["error"], "ECONNRESET")
        self.assertNotIn("accepted", server.program.output)
        flow = self.network.client_agent.await_closed(
            1, direction=self.refused_by, reason="peer_not_allowed")[0]
        self.assertEqual(flow["mode"], "denied")
        self.assertEqual({flow["local"]["spiffeId"],
                          flow["peer"]["spiffeId"]}, {CLIENT, SERVER})


@needs_agent
@on(OneNode)
class RefusedByServer(RefusedByClient):
    """The server's identity does not allow the client's."""

    documents = identities(inbound=[documents.spiffe_id("other")])

    refused_by = "inbound"
