# SPDX-License-Identifier: Apache-2.0
"""Applications ask their sockets who the peer is."""

import pathlib

from rig import documents
from rig.case import Case, needs_agent, on
from rig.network import OneNode, TwoNodes

_PROGRAM = ["/usr/bin/python3",
            pathlib.Path(__file__).resolve().parent / "peer" / "identity.py"]
_CLIENT = documents.spiffe_id("asks/client")
_SERVER = documents.spiffe_id("asks/server")
# EOPNOTSUPP by another name.
_KERNELS_OWN = ("ENOTSUP", "EOPNOTSUPP", "ENOPROTOOPT")


def _identities(**spec):
    return [documents.identity(f"asks/{side}", {
        "process:cmdline": f"{_PROGRAM[0]} {_PROGRAM[1]} {role}"}, **spec)
            for side, role in (("client", "connect"), ("server", "serve"))]


class _Asking(Case):

    def ask(self, client_is_managed=True):
        """Returns what client and server were told."""
        server = self.server.spawn([*_PROGRAM, "serve", self.network.address],
                                   group="server", name="server")
        port = server.await_json("event", "listening")["port"]
        client = self.client.spawn(
            [*_PROGRAM, "connect", self.network.address, port],
            managed=client_is_managed, group="client", name="client")
        return [each.await_json("event", "told") for each in (client, server)]

    def check_wrong_ways(self, told):
        self.assertEqual(told["short"], "EINVAL")
        for way in ("other", "level", "unconnected", "udp"):
            self.assertIn(told[way], _KERNELS_OWN, way)
        self.assertEqual(told["type"], 1)

    def check(self, told, **facts):
        self.assertEqual(told["shown"], {"size": 785, **facts})
        self.assertEqual(told["larger"], told["shown"])
        self.check_wrong_ways(told)


@needs_agent
@on(OneNode, TwoNodes)
class PeerIdentity(_Asking):
    """Both ends of a flow over mutual TLS."""

    documents = _identities()

    def test_both_are_told(self):
        for told, own, peer in zip(self.ask(), (_CLIENT, _SERVER),
                                   (_SERVER, _CLIENT)):
            self.check(told, enabled=True, spiffe_id=own, peer_spiffe_id=peer,
                       mtls_type="MUTUAL", alpn="kith/1")


@needs_agent
@on(OneNode)
class PlainPeer(_Asking):
    """A client without an identity, at a PERMISSIVE server."""

    documents = _identities(mode="PERMISSIVE")

    def test_nobody_is_vouched_for(self):
        client, server = self.ask(client_is_managed=False)
        self.check(server, enabled=False, mtls_type="", spiffe_id=_SERVER,
                   peer_spiffe_id="", alpn="")
        for way in ("shown", "short", "other"):
            self.assertIn(client[way], _KERNELS_OWN, way)
