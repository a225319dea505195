# SPDX-License-Identifier: Apache-2.0
"""Rules that are narrower than an identity: egress, ingress, bypass."""

from rig import documents
from rig.case import needs_agent, on
from rig.conversation import (CLIENT, SERVER, Connecting, Listening, PeerCase,
                              identities)
from rig.network import TwoNodes

_SERVICE = documents.service("server", "10.83.0.2", {"app": "server"})


def _egress(**rule):
    """Returns the peers' documents; the client has one egress rule."""
    client, server = identities()
    client["spec"]["egress"] = [{"selectors": [{"app": "server"}], **rule}]
    return [client, server, _SERVICE]


class _Rules(PeerCase):
    def assert_mode(self, mode, agent, direction, port):
        return agent.await_closed(
            1, direction=direction, mode=mode, reason="closed",
            destination=f"{self.network.address}:{port}")[0]

    def plain_exchange(self, managed):
        """A client and a server of which some are managed, in plaintext."""
        server = Listening(self, ["recv-all", "send:1000", "close"],
                           managed=managed[1])
        client = Connecting(self, server.port, ["send:2000", "shutdown",
                                                "recv-all"],
                            managed=managed[0])
        self.check_exact(client.facts("done"), server.facts("done"))
        return server.port


@needs_agent
@on(TwoNodes)
class EgressPeer(_Rules):
    """The one peer that is expected at a Service."""

    documents = _egress(workloadID="peer/server")

    def test_expected_peer(self):
        self.exchange(["send:2000", "shutdown", "recv-all"],
                      ["recv-all", "close"])
        flow = self.network.client_agent.closed_flows()[0]
        self.assertIn("server", flow["rule"])


@needs_agent
@on(TwoNodes)
class EgressOtherPeer(_Rules):
    """Somebody else is there: with a good SVID, but not the one expected."""

    documents = _egress(workloadID="peer/other")

    def test_other_peer_is_refused(self):
        server = Listening(self, ["recv-all"])
        client = Connecting(self, server.port, ["send:2000", "recv-all"])
        self.assertEqual(client.facts("done")["ended"], "reset")
        self.network.client_agent.await_closed(
            1, reason="peer_not_allowed", local__spiffeId=CLIENT,
            peer__spiffeId=SERVER)
        self.assertNotIn("accepted", server.program.output)


@needs_agent
@on(TwoNodes)
class EgressPlaintext(_Rules):
    """A MUTUAL identity may talk plaintext to one Service."""

    documents = _egress(connection={"tls": {"mode": "DISABLE"}})

    def test_plaintext_to_the_service(self):
        port = self.plain_exchange((True, False))
        self.assert_mode("plaintext", self.network.client_agent, "outbound",
                         port)


@needs_agent
@on(TwoNodes)
class Bypass(_Rules):
    """datapath.bypass: never captured, although the client is a workload."""

    documents = identities()
    settings = {"datapath": {"bypass": ["10.83.0.0/16"]}}

    def test_bypassed_destination(self):
        self.plain_exchange((True, False))
        self.assertEqual(self.network.client_agent.flows(), [])
        counters = self.network.client_agent.ask("status")["counters"]
        self.assertGreater(counters["connect_bypassed"], 0)


@needs_agent
@on(TwoNodes)
class Ingress(_Rules):
    """One port of a MUTUAL identity is PERMISSIVE, for health checks."""

    _PORT = 18080

    @classmethod
    def before_agents(cls):
        client, server = identities()
        server["spec"]["ingress"] = [{
            "selectors": [{"destination:port": cls._PORT}],
            "connection": {"tls": {"mode": "PERMISSIVE"}}}]
        cls.documents = [client, server]

    def test_permissive_port(self):
        server = Listening(self, ["recv-all", "close"], port=self._PORT)
        client = Connecting(self, server.port, ["send:2000", "shutdown",
                                                "recv-all"], managed=False)
        self.check_exact(client.facts("done"), server.facts("done"))
        self.assert_mode("plaintext", self.network.server_agent, "inbound",
                         self._PORT)

    def test_other_ports_stay_mutual(self):
        server = Listening(self, ["recv-all"])
        client = Connecting(self, server.port, ["send:2000", "recv-all"],
                            managed=False)
        self.assertEqual(client.facts("done")["ended"], "reset")
        self.network.server_agent.await_closed(1, reason="plaintext_refused")
