# SPDX-License-Identifier: Apache-2.0
"""Flows that policy, the network or the issuer do not let happen."""

from rig import deadline, documents
from rig.case import Case, needs_agent, on
from rig.conversation import CLIENT, SERVER, Connecting, Listening, identities
from rig.forge import Forge
from rig.network import OneNode, TwoNodes, endpoint

# A program of the managed cgroup that no document describes. Prints what it
# receives, or the error.
_NOBODY = ["bash", "-c", 'exec 3<>"/dev/tcp/$0/$1" && echo "$2" >&3 && cat <&3']


@needs_agent
@on(OneNode, TwoNodes)
class Strangers(Case):
    """Whoever has no identity does not reach a MUTUAL port."""

    documents = identities()

    def _assert_refused(self, program, server):
        program.wait()
        self.assertNotIn("accepted", server.program.output)
        flow = self.network.server_agent.await_closed(
            1, direction="inbound", reason="plaintext_refused",
            destination=f"{self.network.address}:{server.port}")[0]
        self.assertEqual(flow["mode"], "denied")
        self.assertEqual(flow["local"]["spiffeId"], SERVER)
        self.assertIn(flow["client"], flow["detail"])

    def test_process_outside_the_cgroup(self):
        server = Listening(self, ["recv-all"])
        client = Connecting(self, server.port, ["send:1000", "recv-all"],
                            managed=False)
        self.assertEqual(client.facts("done")["ended"], "reset")
        self._assert_refused(client.program, server)

    def test_process_without_identity(self):
        server = Listening(self, ["recv-all"])
        nobody = self.client.spawn(
            [*_NOBODY, self.network.address, server.port, self.marker])
        self._assert_refused(nobody, server)

    def test_process_without_identity_is_otherwise_untouched(self):
        """Held once while it is unknown, then left alone."""
        server = Listening(self, ["recv:30", "send:30", "close"],
                           connections=2, managed=False)
        for _ in range(2):
            said = self.client.run([*_NOBODY, self.network.address,
                                    server.port, "x" * 29])
            self.assertIn(self.marker[:20], said)


@needs_agent
@on(OneNode)
class Dials(Case):
    """The destination does not answer: the application learns it at once."""

    documents = identities()

    def _dial(self, address, port):
        client = Connecting(self, port, ["recv-all"], address)
        self.assertEqual(client.facts("done")["ended"], "reset")
        flow = self.network.client_agent.await_closed(
            1, direction="outbound", reason="dial_failed",
            destination=endpoint((address, port)))[0]
        self.assertEqual(flow["mode"], "denied")
        self.assertEqual(flow["local"]["spiffeId"], CLIENT)
        return flow["detail"]

    def test_refused(self):
        for address in self.network.address, self.network.address6:
            with self.subTest(address):
                self.assertIn("Connection refused", self._dial(address, 9))

    def test_unreachable(self):
        self.client.netns.ip("route", "add", "unreachable", "192.0.2.0/24")
        self.assertIn("No route to host", self._dial("192.0.2.1", 80))

    def test_agents_own_listener(self):
        """Nobody gets anything by dialling the agent directly."""
        agent = self.network.client_agent
        Connecting(self, 9, [], options=["--wait"]).facts("waiting")
        rows = deadline.await_true(
            lambda: agent.ask("status")["namespaces"], "the agent listens")
        port = rows[0]["outboundPortV4"]
        client = Connecting(self, port, ["send:100", "recv-all"],
                            managed=False)
        self.assertEqual(client.facts("done")["ended"], "reset")
        agent.await_closed(1, reason="no_origin")


@needs_agent
@on(OneNode, TwoNodes)
class AllowedPeers(Case):
    """allowedSPIFFEIDs.outbound of the client, .inbound of the server."""

    documents = identities(outbound=[documents.spiffe_id("peer/other")])

    def test_outbound_not_allowed(self):
        server = Listening(self, ["recv-all"])
        with self.encrypted():
            client = Connecting(self, server.port, ["send:9999", "recv-all"])
            self.assertEqual(client.facts("done")["ended"], "reset")
        self.assertNotIn("accepted", server.program.output)
        outbound = self.network.client_agent.await_closed(
            1, direction="outbound", reason="peer_not_allowed",
            local__spiffeId=CLIENT, peer__spiffeId=SERVER)[0]
        self.assertIn("access_denied", outbound["detail"])
        inbound = self.network.server_agent.await_closed(
            1, direction="inbound", reason="handshake_failed",
            local__spiffeId=SERVER)[0]
        self.assertIn("access_denied", inbound["detail"])


@needs_agent
@on(OneNode)
class NotAllowedIn(Case):
    """The server's own list decides, whatever the client's says."""

    documents = identities(inbound=[])

    def test_inbound_not_allowed(self):
        server = Listening(self, ["recv-all"])
        client = Connecting(self, server.port, ["send:9999", "recv-all"])
        self.assertEqual(client.facts("done")["ended"], "reset")
        self.assertNotIn("accepted", server.program.output)
        self.network.server_agent.await_closed(
            1, direction="inbound", reason="peer_not_allowed",
            local__spiffeId=SERVER, peer__spiffeId=CLIENT)


@needs_agent
@on(OneNode)
class IdentityConflict(Case):
    """Two identities that fit equally well are an error, not a choice."""

    documents = identities() + [
        documents.identity("tie/one", {"process:name": "bash"}),
        documents.identity("tie/two", {"process:name": "bash"}),
    ]

    def test_tie(self):
        server = Listening(self, ["recv-all"])
        program = self.client.spawn(
            ["bash", "-c", f'echo here; read; {_NOBODY[2]}',
             self.network.address, server.port, self.marker])
        program.await_line("here")
        explained = self.network.client_agent.ask("explain", str(program.pid))
        self.assertEqual(explained["outcome"], "tie")
        self.assertEqual(sorted(explained["tied"]), ["tie-one", "tie-two"])
        program.write("go\n")
        program.wait()
        flow = self.network.client_agent.await_closed(
            1, direction="outbound", reason="identity_conflict")[0]
        for name in explained["tied"]:
            self.assertIn(name, flow["detail"])
        self.assertNotIn("accepted", server.program.output)


@needs_agent
@on(OneNode)
class NoSvid(Case):
    """The issuer gives nothing: its authority expires while the agent runs."""

    documents = identities()
    _DAYS = 5 / 86400

    @classmethod
    def before_agents(cls):
        forge = Forge.with_own_authority(
            cls.directory / "forge", documents.TRUST_DOMAIN, -1, cls._DAYS)
        forge.authority.rename(cls.directory / "ca")

    @classmethod
    def start_workloads(cls):
        def rows():
            return cls.network.client_agent.ask("identities")["identities"]
        deadline.await_true(
            lambda: all("expired" in row.get("svidError", "")
                        for row in rows()), "no identity has an SVID")

    def test_no_svid(self):
        server = Listening(self, ["recv-all"])
        client = Connecting(self, server.port, ["send:9", "recv-all"])
        self.assertEqual(client.facts("done")["ended"], "reset")
        flow = self.network.client_agent.await_closed(
            1, direction="outbound", reason="no_svid")[0]
        self.assertIn("expired", flow["detail"])
        self.assertNotIn("accepted", server.program.output)
        row = self.network.client_agent.ask("identities")["identities"][0]
        self.assertIn("expired", row["svidError"])
        self.assertIn("nextAttempt", row)

    def test_processes_without_identity_do_not_need_one(self):
        server = Listening(self, ["recv:2", "send:30", "close"],
                           managed=False)
        said = self.client.run([*_NOBODY, self.network.address, server.port,
                                "x"])
        self.assertIn(self.marker[:20], said)
