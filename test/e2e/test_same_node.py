# SPDX-License-Identifier: Apache-2.0
"""datapath.sameNode: sockmap: two workloads of one node, joined by the kernel
where it was shown to do that right, and encrypted as ever where it was not."""

import os
import pathlib

from rig import deadline, documents
from rig.case import needs_agent, on
from rig.conversation import (CLIENT, SERVER, Connecting, Listening, PeerCase,
                              identities, talk)
from rig.network import OneNode, endpoint

_LARGE = 3_000_000
_DUPLEX = f"duplex:{deadline.amount(50_000_000)}"
_BYTEWISE = f"bytewise:{deadline.amount(2000)}"
_NONBLOCKING = ["--nonblocking"]
_TICKS = os.sysconf("SC_CLK_TCK")


class _SameNode(PeerCase):
    settings = {"datapath": {"sameNode": "sockmap"}}

    def converse(self, client_steps, server_steps, **spawn):
        """As talk(), with non-blocking sockets."""
        server = Listening(self, [*_NONBLOCKING, *server_steps], **spawn)
        client = Connecting(self, server.port, client_steps,
                            options=_NONBLOCKING, **spawn)
        done = client.facts("done"), server.facts("done")
        client.program.check()
        server.program.check()
        return done

    def assert_flows(self, sent, received, reason="closed", **facts):
        """Both rows tell both identities and all bytes."""
        wanted = {"mode": "plaintext", **facts} if self.joins else \
            {"mode": "mtls"}
        agent = self.network.client_agent
        rows = []
        for direction, one, other, counts in (
                ("outbound", CLIENT, SERVER, (sent, received)),
                ("inbound", SERVER, CLIENT, (received, sent))):
            rows += agent.await_closed(
                1, direction=direction, reason=reason, local__spiffeId=one,
                peer__spiffeId=other, bytesSent=counts[0],
                bytesReceived=counts[1], **wanted)
        for row in rows:
            self.assertIn("svidSerial", row["local"])
            self.assertIn("svidSerial", row["peer"])

    def exchange(self, client_steps, server_steps, **options):
        client, server = self.converse(client_steps, server_steps, **options)
        self.check_exact(client, server)
        self.assert_flows(client["sent"], server["sent"])


@needs_agent
@on(OneNode)
class JoinedSemantics(_SameNode):
    """TCP behaves as if nothing were in between; first some small exchanges,
    with which the flow earns its join."""

    _FIRST = 20

    def exchange(self, client_steps, server_steps, **options):
        super().exchange([f"ask:{self._FIRST}", *client_steps],
                         [f"answer:{self._FIRST}", *server_steps], **options)

    def test_client_half_closes_first(self):
        self.exchange([f"send:{_LARGE}", "shutdown", "recv-all"],
                      ["recv-all", "send:200001", "close"])

    def test_server_half_closes_first(self):
        self.exchange(["recv-all", f"send:{_LARGE}", "close"],
                      ["send:200002", "shutdown", "recv-all"])

    def test_both_directions_at_once(self):
        self.exchange([_DUPLEX, "shutdown", "recv-all"],
                      [_DUPLEX, "shutdown", "recv-all"])

    def test_client_closes_at_once_after_write(self):
        self.exchange([f"send:{_LARGE + 1}", "close"], ["recv-all"])

    def test_server_closes_at_once_after_write(self):
        self.exchange(["recv-all"], [f"send:{_LARGE + 2}", "close"])

    def test_one_byte_at_a_time(self):
        self.exchange([_BYTEWISE, "shutdown", "recv-all"],
                      ["recv-all", _BYTEWISE, "close"])

    def test_sendfile(self):
        self.exchange([f"sendfile:{_LARGE + 3}", "shutdown", "recv-all"],
                      ["recv-all", f"sendfile:{_LARGE + 4}", "close"])

    def test_slow_reader(self):
        """Stops its client; what is queued is bounded."""
        most = 512 << 20
        server = Listening(self, [*_NONBLOCKING, f"answer:{self._FIRST}",
                                  "recv:1", "go", "recv-all", "close"])
        client = Connecting(self, server.port, [
            f"ask:{self._FIRST}", "send:1", f"fill:{most}", "shutdown",
            "recv-all"], options=_NONBLOCKING)
        self.assertLess(client.facts("full")["sent"], most // 2)
        server.program.write("go\n")
        self.check_exact(client.facts("done"), server.facts("done"))

    def test_client_resets(self):
        client, server = self.converse(
            [f"ask:{self._FIRST}", "send:1000000", "reset"],
            [f"answer:{self._FIRST}", "recv-all"])
        self.assertIsNone(client["error"])
        self.assertEqual(server["ended"], "reset")

    def test_server_resets(self):
        client, server = self.converse(
            [f"ask:{self._FIRST}", "send:100000000"],
            [f"answer:{self._FIRST}", "recv:100000", "reset"])
        self.assertIsNone(server["error"])
        self.assertEqual(client["ended"], "reset")


@needs_agent
@on(OneNode)
class JoinedFlow(_SameNode):
    """What the operator and the applications see of it."""

    def test_the_agent_is_out_of_the_way(self):
        before = self._agent_seconds()
        client, server = self.converse(["ask:20000", "close"],
                                       ["answer:20000", "recv-all"])
        self.check_exact(client, server)
        spent = self._agent_seconds() - before
        self.assert_flows(client["sent"], server["sent"], path="sockmap")
        if self.joins:
            # 40,000 messages; each would cost it ten microseconds at least.
            self.assertLess(spent, deadline.allowed(0.2))

    def _agent_seconds(self):
        pid = self.network.client_agent.program.pid
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def test_sockets_that_block_stay_with_the_agent(self):
        client, server = talk(self, ["ask:100", f"send:{_LARGE}", "close"],
                              ["answer:100", "recv-all"])
        self.check_exact(client, server)
        self.assert_flows(client["sent"], server["sent"], path="userspace")

    def test_doctor_says_what_the_agent_found(self):
        rows = {row["name"]: row for row in
                self.network.client_agent.ask("doctor")["features"]}
        row = rows["same-node join"]
        self.assertEqual(row["found"], self.joins, row["detail"])
        self.assertTrue(row["detail"])

    def test_applications_see_each_other(self):
        server = Listening(self, [*_NONBLOCKING, "answer:10", "recv-all"])
        client = Connecting(self, server.port, ["ask:10", "close"],
                            options=_NONBLOCKING)
        connected = client.facts("connected")
        accepted = server.facts("accepted")
        address = endpoint((self.network.address, server.port))
        server.program.check()
        self.assertEqual(connected["peer"], address)
        self.assertEqual(accepted["local"], address)
        self.assertEqual(accepted["peer"], accepted["peername"])
        if self.joins:
            self.assertEqual(accepted["peer"], connected["local"])

    def test_killed_agent_resets_both(self):
        steps = ["answer:50", "recv-all"]
        server = Listening(self, [*_NONBLOCKING, *steps])
        client = Connecting(self, server.port, ["ask:50", "recv-all"],
                            options=_NONBLOCKING)
        agent = self.network.client_agent
        self.network.client_agent.await_open(direction="outbound",
                                             bytesReceived=5000)
        agent.kill()
        try:
            self.assertEqual(client.facts("done")["ended"], "reset")
            self.assertEqual(server.facts("done")["ended"], "reset")
        finally:
            agent.start()


@needs_agent
@on(OneNode)
class RefusedByClient(_SameNode):
    """The client's identity does not allow the server's."""

    documents = identities(outbound=[documents.spiffe_id("other")])

    refused_by = "outbound"

    def test_refused(self):
        server = Listening(self, [*_NONBLOCKING, "recv-all"])
        client = Connecting(self, server.port, ["send:1000", "recv-all"],
                            options=_NONBLOCKING)
        self.assertEqual(client.facts("done")["ended"], "reset")
        self.assertNotIn("accepted", server.program.output)
        flow = self.network.client_agent.await_closed(
            1, direction=self.refused_by, reason="peer_not_allowed")[0]
        self.assertEqual(flow["mode"], "denied")
        self.assertEqual({flow["local"]["spiffeId"],
                          flow["peer"]["spiffeId"]}, {CLIENT, SERVER})


@needs_agent
@on(OneNode)
class RefusedByServer(RefusedByClient):
    """The server's identity does not allow the client's."""

    documents = identities(inbound=[documents.spiffe_id("other")])

    refused_by = "inbound"
