# SPDX-License-Identifier: Apache-2.0
"""Flows that go past the agent (datapath.sameNode: direct)."""

from rig.conversation import (CLIENT, SERVER, Connecting, Listening, PeerCase)
from rig.network import endpoint

DIRECT = ["--direct"]


class SameNodeCase(PeerCase):
    settings = {"datapath": {"sameNode": "direct"}}
    address = None  # of the server; None: the network's own
    destination = None  # of the last pair

    def pair(self, client_steps, server_steps, options=()):
        """Returns client and server on their first connection past the agent."""
        server = Listening(self, [*DIRECT, *options, *server_steps],
                           self.address)
        client = Connecting(self, server.port, client_steps, self.address,
                            [*DIRECT, *options])
        self.destination = endpoint(
            (self.address or self.network.address, server.port))
        return client, server

    def converse(self, client_steps, server_steps, options=()):
        """Returns what both have to tell at their ends."""
        client, server = self.pair(client_steps, server_steps, options)
        done = client.facts("done"), server.facts("done")
        client.program.check()
        server.program.check()
        return done

    def rows(self, **facts):
        """Both rows of the closed direct flow, the client's first."""
        agent = self.network.client_agent
        return [agent.await_closed(1, direction=direction, path="direct",
                                   local__spiffeId=one, peer__spiffeId=other,
                                   mode="plaintext",
                                   destination=self.destination, **facts)[0]
                for direction, one, other in (("outbound", CLIENT, SERVER),
                                              ("inbound", SERVER, CLIENT))]

    def assert_flows(self, sent, received):
        """Both rows tell both identities and all bytes."""
        for row, counts in zip(self.rows(reason="closed"),
                               ((sent, received), (received, sent))):
            self.assertEqual((row["bytesSent"], row["bytesReceived"]), counts)
            for party in ("local", "peer"):
                self.assertIn("svidSerial", row[party])
            self.assertIn("name", row["process"])

    def exchange(self, client_steps, server_steps, options=()):
        client, server = self.converse(client_steps, server_steps, options)
        self.check_exact(client, server)
        self.assert_flows(client["sent"], server["sent"])

    def open_flow(self):
        """Returns client and server of a direct flow that stays open until one
        of them is told to go on."""
        client, server = self.pair(
            ["recv:10", "send:10", "go", "answer:10", "close"],
            ["send:10", "recv:10", "go", "ask:10", "recv-all"])
        client.facts("waiting")
        server.facts("waiting")
        self.await_rows()
        return client, server

    def await_rows(self):
        for direction in ("outbound", "inbound"):
            self.network.client_agent.await_open(
                path="direct", direction=direction, bytesSent=10,
                bytesReceived=10, destination=self.destination)

    def assert_ended(self, *peers):
        """Neither end believes that the other has ended in order."""
        for peer in peers:
            peer.program.write("go\n")
            self.assertIn(peer.facts("done")["error"],
                          ("ECONNRESET", "ECONNABORTED", "EPIPE"))

    def assert_goes_on(self, *peers):
        for peer in peers:
            peer.program.write("go\n")
        for peer in peers:
            self.assertIsNone(peer.facts("done")["error"])

    def counter(self, name):
        return self.network.client_agent.ask("status")["counters"][name]
