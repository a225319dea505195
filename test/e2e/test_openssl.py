# SPDX-License-Identifier: Apache-2.0
"""A TLS 1.3 peer that knows nothing of kith and has a trusted SVID.
(test_plain_peers.py has what may come after the handshake.)"""

import hashlib

from rig import documents, openssl
from rig.case import needs_agent, on
from rig.conversation import (CLIENT, SERVER, Connecting, Listening, PeerCase,
                              identities)
from rig.forge import Forge
from rig.network import OneNode, TwoNodes

_STRANGER = documents.spiffe_id("foreign/openssl")


def _checksum(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@needs_agent
@on(OneNode, TwoNodes)
class OpenSsl(PeerCase):
    """openssl in both roles, against a captured peer in the other."""

    documents = identities(inbound=[_STRANGER], outbound=[_STRANGER])

    @classmethod
    def start_workloads(cls):
        agent = cls.network.client_agent
        cls.forge = Forge(cls.directory / "forge", agent.ca_directory)
        cls.svid = cls.forge.svid("foreign/openssl")

    def _assert_flow(self, agent, direction, local):
        flow = agent.await_closed(
            1, direction=direction, local__spiffeId=local,
            peer__spiffeId=_STRANGER, mode="mtls", reason="closed")[0]
        self.assertEqual(flow["tls"]["version"], "TLSv1.3")
        return flow

    def _from_openssl(self, *options, address=None):
        """s_client receives from a captured server, byte-exact."""
        output = self.directory / "received"
        server = Listening(self, ["recv:6", "send:300000", "close"], address)
        with self.encrypted():
            client = openssl.client(self, server.port, self.forge, self.svid,
                                    "-quiet", *options, output=output,
                                    address=address)
            client.program.write("hello\n")
            done = server.facts("done")
            client.program.check()
        self.assertIsNone(done["error"])
        self.assertEqual(_checksum(output), done["sentChecksum"])
        return self._assert_flow(self.network.server_agent, "inbound", SERVER)

    def test_s_client(self):
        self._from_openssl()

    def test_s_client_over_ipv6(self):
        self._from_openssl(address=self.network.address6)

    def test_ciphers(self):
        for cipher in ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                       "TLS_CHACHA20_POLY1305_SHA256"):
            with self.subTest(cipher):
                flow = self._from_openssl("-ciphersuites", cipher)
                self.assertEqual(flow["tls"]["cipher"], cipher)

    def test_groups(self):
        for group in ("X25519", "P-256"):
            with self.subTest(group):
                flow = self._from_openssl("-groups", group)
                self.assertEqual(flow["tls"]["group"], group)

    def test_s_server(self):
        output = self.directory / "received"
        server, port = openssl.server(self, self.forge, self.svid, "-tls1_3",
                                      "-quiet", output=output)
        with self.encrypted():
            client = Connecting(self, port, ["recv:6", "send:300000",
                                             "shutdown", "recv-all"])
            server.program.write("hello\n")
            done = client.facts("done")
            server.program.wait()
        self.assertEqual((done["error"], done["ended"]), (None, "eof"))
        self.assertEqual(_checksum(output), done["sentChecksum"])
        self._assert_flow(self.network.client_agent, "outbound", CLIENT)
