# SPDX-License-Identifier: Apache-2.0
"""ALPN between captured workloads and TLS peers that know nothing of kith."""

from rig import documents, openssl
from rig.case import needs_agent, on
from rig.conversation import (CLIENT, SERVER, Connecting, Listening, PeerCase,
                              identities)
from rig.forge import Forge
from rig.network import OneNode

_FRIEND = "foreign/openssl"
_PORT = 4433  # of s_server
# What s_client says of what was selected.
_SELECTED = "ALPN protocol: "


def _identities(**tls):
    """Returns the peers' documents; `tls` is added to connection.tls."""
    friend = [documents.spiffe_id(_FRIEND)]
    found = identities(inbound=friend, outbound=friend)
    for document in found:
        document["spec"]["connection"]["tls"].update(tls)
    return found


class _Alpn(PeerCase):
    @classmethod
    def start_workloads(cls):
        cls.agent = cls.network.client_agent
        cls.forge = Forge(cls.directory / "forge", cls.agent.ca_directory)
        cls.svid = cls.forge.svid(_FRIEND)

    def select(self, *offered):
        """Returns what kith selects for s_client, by what both sides say."""
        server = Listening(self, ["recv:6", "close"])
        client = openssl.client(self, server.port, self.forge, self.svid,
                                "-alpn", ",".join(offered))
        client.program.await_line("Verify return code: 0")
        client.program.write("hello\n")
        server.facts("done")
        flow = self.agent.await_closed(
            1, direction="inbound", local__spiffeId=SERVER,
            destination=f"{self.network.address}:{server.port}")[0]
        selected = [line.removeprefix(_SELECTED)
                    for line in client.program.output.splitlines()
                    if line.startswith(_SELECTED)]
        self.assertEqual(flow["tls"].get("alpn"), (selected or [None])[0])
        return flow["tls"].get("alpn")

    def offer(self, server):
        """A captured client talks to s_server; returns what was agreed."""
        closed = len(self.agent.closed_flows())
        client = Connecting(self, _PORT, ["send:1000", "close"])
        client.facts("done")
        client.program.check()
        flow = self.agent.await_closed(closed + 1, direction="outbound",
                                       local__spiffeId=CLIENT, mode="mtls")[0]
        self.assertIsNone(server.program.returncode)
        return flow["tls"].get("alpn")

    def serve(self, *options, count=1):
        """Starts s_server, which is there until the end of the test."""
        server, _ = openssl.server(self, self.forge, self.svid, "-quiet",
                                   *openssl.TELL, *options, count=count + 1)
        self.addCleanup(server.program.stop)
        return server


@needs_agent
@on(OneNode)
class AlpnSelected(_Alpn):
    """What clients get that offer names, without configuration."""

    documents = _identities()

    def test_by_what_is_offered(self):
        for offered, selected in ((["h2", "http/1.1", "kith/1"], "kith/1"),
                                  (["h2"], "h2"),
                                  (["grpc-exp", "h2"], "h2"),
                                  (["h2", "http/1.1"], "http/1.1"),
                                  (["postgresql"], None),
                                  (["h2", "postgresql"], None)):
            with self.subTest(offered):
                self.assertEqual(self.select(*offered), selected)


@needs_agent
@on(OneNode)
class AlpnOfDocument(_Alpn):
    """An identity's document says what is selected."""

    documents = _identities(alpn=["postgresql", "h2"])

    def test_the_list_is_all_there_is(self):
        for offered, selected in ((["h2", "postgresql"], "postgresql"),
                                  (["kith/1", "h2"], "h2"),
                                  (["kith/1", "http/1.1"], None)):
            with self.subTest(offered):
                self.assertEqual(self.select(*offered), selected)


@needs_agent
@on(OneNode)
class AlpnOffered(_Alpn):
    """What is offered to servers without a Service."""

    documents = _identities()

    def test_a_server_that_knows_our_name(self):
        self.assertEqual(self.offer(self.serve("-alpn", "kith/1")), "kith/1")

    def test_a_server_without_names(self):
        self.assertIsNone(self.offer(self.serve()))


@needs_agent
@on(OneNode)
class AlpnRefused(_Alpn):
    """A server that takes no client that offers other names than its own."""

    documents = _identities()

    def test_it_is_remembered(self):
        server = self.serve("-alpn", "postgresql", count=4)
        for hellos in (2, 3, 4):  # the first flow dials twice
            self.assertIsNone(self.offer(server))
            self.assertEqual(server.count_messages("<<<", "ClientHello"),
                             hellos)


@needs_agent
@on(OneNode)
class AlpnOfService(_Alpn):
    """A Service says what is spoken there."""

    documents = [*_identities(), documents.service(
        "grpc", None, {"app": "grpc"}, alpn=["h2"],
        addresses=[{"address": "127.0.0.1", "port": _PORT}])]

    def test_it_is_offered_beside_our_own(self):
        for known, selected in (("h2", "h2"), ("kith/1,h2", "kith/1")):
            with self.subTest(known):
                server = self.serve("-alpn", known)
                self.assertEqual(self.offer(server), selected)
                self.assertEqual(
                    server.count_messages("<<<", "ClientHello"), 1)
                server.program.stop()
