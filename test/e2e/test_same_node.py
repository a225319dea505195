# SPDX-License-Identifier: Apache-2.0
"""datapath.sameNode: direct: two workloads of one namespace, whose later
connections go past the agent once a handshake has shown that both allow it."""

import os
import pathlib
import time

from rig import deadline, documents
from rig.case import Case, needs_agent, on
from rig.conversation import CLIENT, SERVER, Connecting, Listening, talk
from rig.network import OneNode, endpoint
from rig.same_node import DIRECT, SameNodeCase

_LARGE = 3_000_000
_DUPLEX = f"duplex:{deadline.amount(50_000_000)}"
_BYTEWISE = f"bytewise:{deadline.amount(2000)}"
_TICKS = os.sysconf("SC_CLK_TCK")
_PORT = 6399
# The history of flows holds both rows of each.
_REQUESTS = deadline.amount(4000)


@needs_agent
@on(OneNode)
class DirectSemantics(SameNodeCase):
    """TCP is the kernel's own; the rows tell what happened."""

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

    def test_nothing_is_sent(self):
        self.exchange(["close"], ["recv-all"])

    def test_nonblocking(self):
        self.exchange([_DUPLEX, "shutdown", "recv-all"],
                      [_DUPLEX, "shutdown", "recv-all"], ["--nonblocking"])

    def test_slow_reader(self):
        """Stops its client; what is queued is bounded."""
        most = 512 << 20
        client, server = self.pair(
            ["send:1", f"fill:{most}", "shutdown", "recv-all"],
            ["recv:1", "go", "recv-all", "close"])
        self.assertLess(client.facts("full")["sent"], most // 2)
        server.program.write("go\n")
        self.check_exact(client.facts("done"), server.facts("done"))

    def test_client_resets(self):
        client, server = self.converse(["send:1000000", "reset"], ["recv-all"])
        self.assertIsNone(client["error"])
        self.assertEqual(server["ended"], "reset")
        outbound, inbound = self.rows()
        self.assertEqual(outbound["reason"], "reset_by_application")
        self.assertEqual(inbound["reason"], "reset_by_peer")

    def test_server_resets(self):
        client, server = self.converse(["send:100000000"],
                                       ["recv:100000", "reset"])
        self.assertIsNone(server["error"])
        self.assertEqual(client["ended"], "reset")
        outbound, inbound = self.rows()
        self.assertEqual(outbound["reason"], "reset_by_peer")
        self.assertEqual(inbound["reason"], "reset_by_application")


@needs_agent
@on(OneNode)
class DirectSemantics6(DirectSemantics):
    """The same over IPv6."""

    @property
    def address(self):
        return self.network.address6


@needs_agent
@on(OneNode)
class DirectFlow(SameNodeCase):
    """What the operator and the applications see of it."""

    def test_the_agent_is_out_of_the_way(self):
        began, before = time.monotonic(), self._agent_seconds()
        client, server = self.converse(["ask:20000", "close"],
                                       ["answer:20000", "recv-all"])
        self.check_exact(client, server)
        spent = self._agent_seconds() - before
        took = time.monotonic() - began
        self.assert_flows(client["sent"], server["sent"])
        # 40,000 messages, each of which would wake it twice: it had as much to
        # do as the applications.
        self.assertLess(spent, took / 10)

    def _agent_seconds(self):
        pid = self.network.client_agent.program.pid
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def test_the_first_flow_is_encrypted(self):
        with self.encrypted():
            client, server = talk(self, ["send:1000", "shutdown", "recv-all"],
                                  ["recv-all", "send:1000", "close"])
        self.check_exact(client, server)
        self.assert_mtls(CLIENT, SERVER, 1000, 1000)

    def test_doctor_says_what_the_agent_found(self):
        rows = {row["name"]: row for row in
                self.network.client_agent.ask("doctor")["features"]}
        row = rows["same-node join"]
        self.assertTrue(row["found"], row["detail"])
        self.assertTrue(row["detail"])

    def test_applications_see_each_other(self):
        client, server = self.pair(["close"], ["recv-all"])
        connected = client.facts("connected")
        accepted = server.facts("accepted")
        address = endpoint((self.network.address, server.port))
        server.program.check()
        self.assertEqual(connected["peer"], address)
        self.assertEqual(accepted["local"], address)
        self.assertEqual(accepted["peer"], accepted["peername"])
        self.assertEqual(accepted["peer"], connected["local"])

    def test_open_flows_are_counted(self):
        self.assert_goes_on(*self.open_flow())

    def test_another_process_has_no_pass(self):
        """Even of the same program: its first connection is through the agent,
        with a handshake."""
        server = Listening(self, [*DIRECT, "recv-all"], connections=2)
        before = self.counter("direct_connect")
        for count in (1, 2):
            client = Connecting(self, server.port, ["close"], options=DIRECT)
            client.facts("done")
            self.network.client_agent.await_closed(
                count, direction="outbound", mode="mtls", reason="closed")
        server.program.check()
        self.assertGreaterEqual(self.counter("direct_connect") - before, 2)


@needs_agent
@on(OneNode)
class DirectPrograms(Case):
    """Programs that connect again and again."""

    settings = {"datapath": {"sameNode": "direct"}}
    documents = [
        documents.identity("cache/client",
                           {"process:binary:path": "/usr/bin/redis-benchmark"}),
        documents.identity("cache/redis", {"process:name": "redis-server"}),
    ]

    def test_redis_benchmark(self):
        """A connection for each request; each is accounted for."""
        redis = self.server.spawn(
            ["redis-server", "--port", _PORT, "--bind", self.network.address,
             "--protected-mode", "no", "--save", "", "--appendonly", "no",
             "--dir", self.directory], group="redis")
        redis.await_listening(_PORT)
        said = self.client.run(
            ["redis-benchmark", "-h", self.network.address, "-p", _PORT, "-c",
             10, "-n", _REQUESTS, "-k", 0, "-t", "set", "-q"],
            group="benchmark")
        self.assertIn("SET:", said)
        agent = self.network.client_agent
        counters = agent.ask("status")["counters"]
        self.assertGreater(counters["direct_connect"], _REQUESTS // 2)
        self.assertEqual(counters["direct_connect"],
                         counters["direct_assigned"])
        direct = agent.await_closed(2 * counters["direct_connect"],
                                    path="direct")
        self.assertEqual(len(direct), 2 * counters["direct_connect"])
        self.assertEqual({flow["reason"] for flow in direct}, {"closed"})
