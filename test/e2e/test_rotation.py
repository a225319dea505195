# SPDX-License-Identifier: Apache-2.0
"""SVIDs are renewed, and documents reloaded, under running flows."""

from rig import deadline, documents
from rig.case import needs_agent, on
from rig.conversation import (CLIENT, SERVER, Connecting, Listening, PeerCase,
                              identities, request)
from rig.network import OneNode, TwoNodes


@needs_agent
@on(OneNode)
class Rotation(PeerCase):
    """SVIDs that live for ten seconds, longer where everything takes longer."""

    documents = identities()
    settings = {"svid": {"ttl": f"{int(deadline.allowed(10))}s"}}

    def _serials(self):
        """Returns the serial numbers in force, by SPIFFE ID."""
        rows = self.network.client_agent.ask("identities")["identities"]
        return {row["spiffeId"]: row["svid"]["serial"] for row in rows}

    def _dial_and_report(self):
        server = Listening(self, ["recv-all"])
        Connecting(self, server.port, request(100)).facts("done")
        server.facts("done")
        return self.network.client_agent.await_closed(
            1, direction="outbound", reason="closed",
            destination=f"{self.network.address}:{server.port}")[0]

    def test_renewal_does_not_disturb_a_flow(self):
        server = Listening(self, ["recv:1000", "send:1000", "go",
                                  "send:500000", "recv-all"])
        client = Connecting(self, server.port, [
            "send:1000", "recv:1000", "go", "recv:500000", "send:500000",
            "close"])
        client.facts("waiting")
        before = self._serials()
        flow = next(flow for flow in self.network.client_agent.open_flows()
                    if flow["direction"] == "outbound")
        self.assertEqual(flow["local"]["svidSerial"], before[CLIENT])

        def renewed():
            now = self._serials()
            return now[CLIENT] != before[CLIENT]
        # Half of ten seconds, and some jitter.
        deadline.await_true(renewed, "a renewal", 10)

        fresh = self._dial_and_report()
        self.assertNotEqual(fresh["local"]["svidSerial"], before[CLIENT])
        for peer in client, server:
            peer.program.write("go\n")
        self.check_exact(client.facts("done"), server.facts("done"))
        # The flow ends as it began: with the SVID of its handshake.
        ended = next(each for each in self.network.client_agent.closed_flows()
                     if each["id"] == flow["id"])
        self.assertEqual((ended["reason"], ended["local"]["svidSerial"]),
                         ("closed", before[CLIENT]))


@needs_agent
@on(TwoNodes)
class Reload(PeerCase):
    """Documents change while the agents run."""

    documents = identities()

    def _put(self, text_or_documents):
        for agent in self.network.agents:
            agent.put("documents.yaml", text_or_documents)

    def _await_status(self, condition, what):
        for agent in self.network.agents:
            deadline.await_true(lambda a=agent: condition(a.ask("status")),
                                what)

    def _dial(self):
        server = Listening(self, ["recv-all"])
        client = Connecting(self, server.port, ["send:1000", "shutdown",
                                                "recv-all"])
        return client.facts("done")["ended"]

    def test_reload(self):
        self.assertEqual(self._dial(), "eof")

        with self.subTest("a bad file keeps the last good documents"):
            self._put("apiVersion: kith.dev/v1alpha1\nkind: WorkloadIdentity\n"
                      "metadata: {name: bad}\nspec: {selector: []}\n")
            self._await_status(lambda status: "resourcesError" in status,
                               "the error is shown")
            error = self.network.client_agent.ask("status")["resourcesError"]
            self.assertRegex(error, r"documents\.yaml:4.*selector")
            self.assertEqual(self._dial(), "eof")

        with self.subTest("a good file replaces them"):
            self._put(identities(inbound=[]))
            self._await_status(lambda status: "resourcesError" not in status,
                               "the error is gone")
            self.assertEqual(self._dial(), "reset")
            self.network.server_agent.await_closed(
                1, direction="inbound", reason="peer_not_allowed",
                peer__spiffeId=CLIENT, local__spiffeId=SERVER)

        with self.subTest("an identity is added"):
            self._put(identities() + [
                documents.identity("late/one", {"process:name": "late"})])
            self._await_status(lambda status: status["identities"] == 3,
                               "three identities")
            self.assertEqual(self._dial(), "eof")
