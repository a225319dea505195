# SPDX-License-Identifier: Apache-2.0
"""PERMISSIVE and DISABLE: what is in plaintext is allowed to be, and shown."""

from rig import documents, openssl
from rig.case import needs_agent, on
from rig.conversation import (CLIENT, SERVER, Connecting, Listening, PeerCase,
                              identities)
from rig.forge import Forge
from rig.network import OneNode, TwoNodes


@needs_agent
@on(OneNode, TwoNodes)
class Permissive(PeerCase):
    """Both peers are PERMISSIVE."""

    documents = identities(mode="PERMISSIVE")

    def _plain(self, client_steps, server_steps, managed=(False, True)):
        """Runs peers of which one is not managed."""
        server = Listening(self, server_steps, managed=managed[1])
        client = Connecting(self, server.port, client_steps,
                            managed=managed[0])
        done = client.facts("done"), server.facts("done")
        self.check_exact(*done)
        return done, f"{self.network.address}:{server.port}"

    def _assert_plaintext(self, agent, direction, local, destination):
        flow = agent.await_closed(1, direction=direction, mode="plaintext",
                                  destination=destination, reason="closed")[0]
        self.assertEqual(flow["local"]["spiffeId"], local)
        self.assertNotIn("spiffeId", flow.get("peer", {}))
        self.assertNotIn("tls", flow)
        return flow

    def test_plaintext_client_passes(self):
        (client, _), destination = self._plain(
            ["send:300000", "shutdown", "recv-all"],
            ["recv-all", "send:1000", "close"])
        flow = self._assert_plaintext(self.network.server_agent, "inbound",
                                      SERVER, destination)
        self.assertEqual(flow["bytesReceived"], client["sent"])

    def test_server_first_with_silent_client(self):
        _, destination = self._plain(["recv:500", "send:30", "recv-all"],
                                     ["send:500", "recv:30", "close"])
        self._assert_plaintext(self.network.server_agent, "inbound", SERVER,
                               destination)

    def test_client_that_never_speaks(self):
        _, destination = self._plain(["recv-all"], ["send:500", "close"])
        self._assert_plaintext(self.network.server_agent, "inbound", SERVER,
                               destination)

    def test_plaintext_server_is_reached(self):
        _, destination = self._plain(
            ["send:300000", "shutdown", "recv-all"],
            ["recv-all", "send:1000", "close"], managed=(True, False))
        self._assert_plaintext(self.network.client_agent, "outbound", CLIENT,
                               destination)

    def test_tls_client_gets_mutual_tls(self):
        forge = Forge(self.directory / "forge",
                      self.network.server_agent.ca_directory)
        server = Listening(self, ["recv:6", "send:1000", "close"])
        with self.encrypted():
            client = openssl.client(self, server.port, forge,
                                    forge.svid("foreign/openssl"), "-quiet")
            client.program.write("hello\n")
            client.program.check()
        self.network.server_agent.await_closed(
            1, direction="inbound", mode="mtls", reason="closed",
            peer__spiffeId=documents.spiffe_id("foreign/openssl"))

    def test_tls_client_without_certificate_is_refused(self):
        forge = Forge(self.directory / "forge2",
                      self.network.server_agent.ca_directory)
        server = Listening(self, ["recv:6", "close"])
        client = openssl.client(self, server.port, forge, None, "-quiet")
        self.assertEqual(client.await_alert(), openssl.CERTIFICATE_REQUIRED)


@needs_agent
@on(OneNode)
class PermissiveOnOneNode(PeerCase):
    """A workload of the same node is known to take mutual TLS."""

    documents = identities(mode="PERMISSIVE")

    def test_workloads_use_mutual_tls(self):
        self.exchange(["send:300000", "shutdown", "recv-all"],
                      ["recv-all", "send:1000", "close"])


@needs_agent
@on(TwoNodes)
class PermissiveService(PeerCase):
    """A Service document says that the destination is a workload."""

    documents = identities(
        mode="PERMISSIVE",
        egress=[{"selectors": [{"app": "server"}]}]) + [
            documents.service("server", "10.83.0.2", {"app": "server"},
                              workloadID="peer/server")]

    def test_service_uses_mutual_tls(self):
        self.exchange(["send:300000", "shutdown", "recv-all"],
                      ["recv-all", "send:1000", "close"])


@needs_agent
@on(OneNode)
class Disable(PeerCase):
    """DISABLE: untouched, although the processes have identities."""

    documents = identities(mode="DISABLE")

    def test_untouched(self):
        server = Listening(self, ["recv-all", "send:100", "close"])
        client = Connecting(self, server.port,
                            ["send:3000", "shutdown", "recv-all"])
        self.check_exact(client.facts("done"), server.facts("done"))
        for flow in self.network.client_agent.flows():
            self.assertNotEqual(flow["mode"], "mtls")
