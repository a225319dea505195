# SPDX-License-Identifier: Apache-2.0
"""Peers that must not get through: each is told the right alert, and the
operator the right reason."""

from rig import documents, openssl
from rig.case import needs_agent, on
from rig.conversation import (SERVER, Connecting, Listening, PeerCase,
                              identities)
from rig.forge import Forge
from rig.network import OneNode

_FRIEND = documents.spiffe_id("foreign/friend")


class _RefusedPeers(PeerCase):
    """`foreign/friend` is allowed both ways, nobody else."""

    documents = identities(inbound=[_FRIEND], outbound=[_FRIEND])

    @classmethod
    def start_workloads(cls):
        authority = cls.network.client_agent.ca_directory
        cls.forge = Forge(cls.directory / "forge", authority)
        cls.elsewhere = Forge.with_own_authority(
            cls.directory / "elsewhere", "elsewhere.test")

    def credentials(self):
        """Yields (name, credential, alert, reason) of those to refuse."""
        failed = "handshake_failed"
        friend = "foreign/friend"
        yield ("wrong identity", self.forge.svid("foreign/stranger"),
               openssl.ACCESS_DENIED, "peer_not_allowed")
        yield ("expired", self.forge.expired_svid(friend),
               openssl.CERTIFICATE_EXPIRED, failed)
        yield ("other trust domain",
               self.elsewhere.svid(friend, "elsewhere.test"),
               openssl.UNKNOWN_CA, failed)
        yield ("our trust domain, another authority",
               self.elsewhere.svid(friend), openssl.UNKNOWN_CA, failed)
        yield ("other trust domain, our authority",
               self.forge.svid(friend, "elsewhere.test"),
               openssl.UNKNOWN_CA, failed)
        yield ("two URI names", self.forge.two_names(friend, "foreign/other"),
               openssl.BAD_CERTIFICATE, failed)
        yield ("authority as leaf", self.forge.authority_as_leaf(friend),
               openssl.BAD_CERTIFICATE, failed)

    def assert_refused(self, agent, direction, reason, destination):
        flow = agent.await_closed(1, direction=direction, reason=reason,
                                  destination=destination)[0]
        self.assertEqual(flow["mode"], "denied")
        return flow


@needs_agent
@on(OneNode)
class RefusedClients(_RefusedPeers):
    """openssl s_client dials a captured server, which hears nothing of it."""

    def _dial(self, credential, alert, reason, *options):
        server = Listening(self, ["recv-all"])
        client = openssl.client(self, server.port, self.forge, credential,
                                "-quiet", *options)
        self.assertEqual(client.await_alert(), alert)
        flow = self.assert_refused(
            self.network.server_agent, "inbound", reason,
            f"{self.network.address}:{server.port}")
        self.assertEqual(flow["local"]["spiffeId"], SERVER)
        self.assertNotIn("accepted", server.program.output)
        return flow

    def test_credentials(self):
        for name, credential, alert, reason in self.credentials():
            with self.subTest(name):
                self._dial(credential, alert, reason)

    def test_wrong_identity_is_named(self):
        flow = self._dial(self.forge.svid("foreign/stranger"),
                          openssl.ACCESS_DENIED, "peer_not_allowed")
        self.assertEqual(flow["peer"]["spiffeId"],
                         documents.spiffe_id("foreign/stranger"))

    def test_no_certificate(self):
        self._dial(None, openssl.CERTIFICATE_REQUIRED, "handshake_failed")

    def test_tls_1_2_only(self):
        flow = self._dial(self.forge.svid("foreign/friend"),
                          openssl.PROTOCOL_VERSION, "handshake_failed",
                          "-tls1_2")
        self.assertIn("peer offered at most TLS 1.2", flow["detail"])


@needs_agent
@on(OneNode)
class RefusedServers(_RefusedPeers):
    """A captured client dials openssl s_server, and is reset."""

    def _dial(self, credential, reason, *options):
        server, port = openssl.server(self, self.forge, credential, "-quiet",
                                      *options)
        client = Connecting(self, port, [f"send:{1 << 20}", "recv-all"])
        self.assertEqual(client.facts("done")["ended"], "reset")
        self.assert_refused(self.network.client_agent, "outbound", reason,
                            f"{self.network.address}:{port}")
        return server

    def test_credentials(self):
        for name, credential, alert, reason in self.credentials():
            with self.subTest(name):
                server = self._dial(credential, reason)
                self.assertEqual(server.await_alert(), alert)
                server.program.wait()
                self.assertNotIn(self.marker, server.program.output)

    def test_tls_1_2_only(self):
        server = self._dial(self.forge.svid("foreign/friend"),
                            "handshake_failed", "-tls1_2")
        # s_server refuses our ClientHello by itself: it has no version for us.
        server.program.wait()
        flow = self.network.client_agent.closed_flows()[0]
        self.assertIn("peer offered at most TLS 1.2", flow["detail"])

    def test_server_that_asks_for_no_certificate(self):
        server, port = openssl.server(self, self.forge,
                                      self.forge.svid("foreign/friend"),
                                      "-quiet", asks=())
        client = Connecting(self, port, [f"send:{1 << 20}", "recv-all"])
        self.assertEqual(client.facts("done")["ended"], "reset")
        flow = self.assert_refused(
            self.network.client_agent, "outbound", "peer_not_mutual",
            f"{self.network.address}:{port}")
        # Who it was is told; that it was mutual is not.
        self.assertEqual(flow["peer"]["spiffeId"],
                         documents.spiffe_id("foreign/friend"))
        self.assertEqual(flow["mode"], "denied")
        server.program.wait()
        self.assertNotIn(self.marker, server.program.output)

    def test_plaintext_server(self):
        server = self.server.spawn(
            ["/usr/bin/python3", "-c",
             "import socket; s = socket.create_server(('127.0.0.1', 4434));"
             "c, _ = s.accept(); c.sendall(b'220 hello\\r\\n');"
             "print(c.recv(65536))"], managed=False, name="plaintext server")
        server.await_listening(4434)
        client = Connecting(self, 4434, ["send:1000", "recv-all"])
        done = client.facts("done")
        self.assertEqual((done["received"], done["ended"]), (0, "reset"))
        self.assert_refused(self.network.client_agent, "outbound",
                            "handshake_failed", "127.0.0.1:4434")
        self.assertNotIn(self.marker, server.check())
