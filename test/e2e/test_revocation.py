# SPDX-License-Identifier: Apache-2.0
"""A change of policy ends the open flows that it forbids, and no other."""

import time

from rig import deadline, documents
from rig.case import needs_agent, on
from rig.conversation import (PEER, Connecting, Listening, PeerCase,
                              identities)
from rig.network import OneNode

# The most that may pass between the change and the end of the flow.
_SOON = deadline.allowed(1.0)
# The same program as another one: its flow is a bystander.
_SPARED = [PEER[0], "-B", *PEER[1:]]
_SPARED_IDENTITIES = [
    documents.identity(f"spared/{role}", {
        "process:cmdline": " ".join(map(str, [*_SPARED, role]))})
    for role in ("connect", "serve")]


def _changed(number, **spec):
    """Returns the peers' documents, one of them (0: the client's) changed."""
    changed = identities()
    changed[number]["spec"].update(spec)
    return changed


@needs_agent
@on(OneNode)
class Revocation(PeerCase):
    """Two flows are open when the documents change."""

    documents = identities() + _SPARED_IDENTITIES

    @property
    def _agent(self):
        return self.network.client_agent

    def _put(self, peers):
        self._agent.put("documents.yaml", peers + _SPARED_IDENTITIES)

    def _spared(self, node, role, port, *steps):
        return node.spawn(
            [*_SPARED, role, self.network.address, port, self.marker, *steps],
            group="client" if role == "connect" else "server",
            name=f"spared-{role}")

    def _revoke(self, peers, why):
        """Opens both flows, puts the documents in force, and expects the end
        of the first flow and the life of the other."""
        server = Listening(self, ["recv:100", "recv-all"])
        client = Connecting(self, server.port, ["send:100", "recv-all"])
        spared_server = self._spared(self.server, "serve", 0, "recv:100", "go",
                                     "send:100", "recv-all")
        port = spared_server.await_json("event", "listening")["port"]
        spared = self._spared(self.client, "connect", port, "send:100",
                              "recv:100", "close")
        spared_server.await_json("event", "waiting")
        deadline.await_true(lambda: len(self._agent.open_flows()) == 4,
                            "four flows")

        began = time.monotonic()
        self._put(peers)
        self.assertEqual(client.facts("done")["ended"], "reset")
        self.assertLess(time.monotonic() - began, _SOON)
        self.assertEqual(server.facts("done")["ended"], "reset")
        told = self._agent.await_closed(
            2, destination=f"{self.network.address}:{server.port}")
        revoked = [flow for flow in told if flow["reason"] == "revoked"]
        self.assertIn(why, revoked[0]["detail"])

        spared_server.write("go\n")
        for program in spared, spared_server:
            done = program.await_json("event", "done")
            self.assertEqual((done["error"], done["received"]), (None, 100))
        self._put(identities())
        deadline.await_true(
            lambda: self._agent.ask("status")["identities"] == 4,
            "the first documents")

    def test_identity_deleted(self):
        self._revoke(identities()[1:], "no longer the identity")

    def test_selectors_changed(self):
        self._revoke(_changed(0, selectors=[{"process:name": "another"}]),
                     "no longer the identity")

    def test_another_identity(self):
        self._revoke(_changed(0, workloadID="peer/renamed"),
                     "has the identity")

    def test_peer_off_the_inbound_list(self):
        self._revoke(_changed(1, allowedSPIFFEIDs={
            "inbound": [documents.spiffe_id("peer/other")]}), "peer/client")

    def test_peer_off_the_outbound_list(self):
        self._revoke(_changed(0, allowedSPIFFEIDs={
            "outbound": [documents.spiffe_id("peer/other")]}), "peer/server")
