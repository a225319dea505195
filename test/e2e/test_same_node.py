# SPDX-License-Identifier: Apache-2.0
"""datapath.sameNode: sockmap: two workloads of one namespace, whose later
connections go past the agent once a handshake has shown that both allow it."""

import os
import pathlib
import time

from rig import deadline, documents
from rig.case import Case, needs_agent, on
from rig.conversation import (CLIENT, SERVER, Connecting, Listening, PeerCase,
                              identities, talk)
from rig.network import OneNode, endpoint

_LARGE = 3_000_000
_DUPLEX = f"duplex:{deadline.amount(50_000_000)}"
_BYTEWISE = f"bytewise:{deadline.amount(2000)}"
_DIRECT = ["--direct"]
# The most that may pass between the change and the end of the flow.
_SOON = deadline.allowed(1.0)
_PORT = 6399
# The history of flows holds both rows of each.
_REQUESTS = deadline.amount(4000)
_TICKS = os.sysconf("SC_CLK_TCK")


class _SameNode(PeerCase):
    settings = {"datapath": {"sameNode": "sockmap"}}
    address = None  # of the server; None: the network's own
    destination = None  # of the last pair

    def pair(self, client_steps, server_steps, options=()):
        """Returns client and server on their first connection past the agent."""
        server = Listening(self, [*_DIRECT, *options, *server_steps],
                           self.address)
        client = Connecting(self, server.port, client_steps, self.address,
                            [*_DIRECT, *options])
        self.destination = endpoint(
            (self.address or self.network.address, server.port))
        return client, server

    def converse(self, client_steps, server_steps, options=()):
        """Returns what both have to tell at their ends."""
        client, server = self.pair(client_steps, server_steps, options)
        done = client.facts("done"), server.facts("done")
        client.program.check()
        server.program.check()
        return done

    def rows(self, **facts):
        """Both rows of the closed direct flow, the client's first."""
        agent = self.network.client_agent
        return [agent.await_closed(1, direction=direction, path="sockmap",
                                   local__spiffeId=one, peer__spiffeId=other,
                                   mode="plaintext",
                                   destination=self.destination, **facts)[0]
                for direction, one, other in (("outbound", CLIENT, SERVER),
                                              ("inbound", SERVER, CLIENT))]

    def assert_flows(self, sent, received):
        """Both rows tell both identities and all bytes."""
        for row, counts in zip(self.rows(reason="closed"),
                               ((sent, received), (received, sent))):
            self.assertEqual((row["bytesSent"], row["bytesReceived"]), counts)
            for party in ("local", "peer"):
                self.assertIn("svidSerial", row[party])
            self.assertIn("name", row["process"])

    def exchange(self, client_steps, server_steps, options=()):
        client, server = self.converse(client_steps, server_steps, options)
        self.check_exact(client, server)
        self.assert_flows(client["sent"], server["sent"])

    def open_flow(self):
        """Returns client and server of a direct flow that stays open until one
        of them is told to go on."""
        client, server = self.pair(
            ["recv:10", "send:10", "go", "answer:10", "close"],
            ["send:10", "recv:10", "go", "ask:10", "recv-all"])
        client.facts("waiting")
        server.facts("waiting")
        self.await_rows()
        return client, server

    def await_rows(self):
        for direction in ("outbound", "inbound"):
            self.network.client_agent.await_open(
                path="sockmap", direction=direction, bytesSent=10,
                bytesReceived=10, destination=self.destination)

    def assert_ended(self, *peers):
        """Neither end believes that the other has ended in order."""
        for peer in peers:
            peer.program.write("go\n")
            self.assertIn(peer.facts("done")["error"],
                          ("ECONNRESET", "ECONNABORTED", "EPIPE"))

    def assert_goes_on(self, *peers):
        for peer in peers:
            peer.program.write("go\n")
        for peer in peers:
            self.assertIsNone(peer.facts("done")["error"])

    def counter(self, name):
        return self.network.client_agent.ask("status")["counters"][name]


@needs_agent
@on(OneNode)
class DirectSemantics(_SameNode):
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
class DirectFlow(_SameNode):
    """What the operator and the applications see of it."""

    def test_the_agent_is_out_of_the_way(self):
        before = self._agent_seconds()
        client, server = self.converse(["ask:20000", "close"],
                                       ["answer:20000", "recv-all"])
        self.check_exact(client, server)
        spent = self._agent_seconds() - before
        self.assert_flows(client["sent"], server["sent"])
        # 40,000 messages; each would cost it ten microseconds at least.
        self.assertLess(spent, deadline.allowed(0.2))

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
        server = Listening(self, [*_DIRECT, "recv-all"], connections=2)
        before = self.counter("direct_connect")
        for count in (1, 2):
            client = Connecting(self, server.port, ["close"], options=_DIRECT)
            client.facts("done")
            self.network.client_agent.await_closed(
                count, direction="outbound", mode="mtls", reason="closed")
        server.program.check()
        self.assertGreaterEqual(self.counter("direct_connect") - before, 2)




@needs_agent
@on(OneNode)
class DirectRefused(_SameNode):
    """Whom a pass does not lead to."""

    def _again(self, while_connected):
        """Returns what a client sees that has had a direct connection, and
        connects again after `while_connected(server)`."""
        server = Listening(self, [*_DIRECT, "recv-all"], connections=2)
        client = Connecting(self, server.port, ["close", "go", "again"],
                            options=_DIRECT)
        client.facts("waiting")
        before = self.counter("direct_connect")
        other = while_connected(server)
        client.program.write("go\n")
        again = client.facts("again")
        self.assertEqual(self.counter("direct_connect"), before)
        return again, other

    def _listen(self, port, managed):
        listening = self.server.spawn(
            ["/usr/bin/python3", "-c", _ACCEPT, self.network.address, port],
            managed=managed, group="other")
        listening.await_line("listening")
        return listening

    def test_another_process_at_the_address(self):
        """It gets a ClientHello, as everybody who has not been asked."""
        for managed in (True, False):
            with self.subTest(managed=managed):
                def replace(server, managed=managed):
                    server.program.stop()
                    return self._listen(server.port, managed)
                again, other = self._again(replace)
                self.assertEqual(again["ended"], "reset")
                self.assertNotIn(self.marker, other.output)

    def test_nobody_at_the_address(self):
        again, _ = self._again(lambda server: server.program.stop())
        self.assertEqual(again["ended"], "reset")

    def test_another_policy(self):
        """The next connection is by another handshake."""
        agent = self.network.client_agent

        def change(_):
            agent.put("documents.yaml",
                      identities(outbound=[documents.spiffe_id("other")]))
            agent.program.await_line("resources in force", count=2)
        try:
            again, _ = self._again(change)
            self.assertEqual(again["ended"], "reset")
            agent.await_closed(1, direction="outbound",
                               reason="peer_not_allowed")
        finally:
            agent.put("documents.yaml", identities())


@needs_agent
@on(OneNode)
class DirectRevocation(_SameNode):
    """A direct flow ends as soon as policy, or an SVID, forbids it."""

    def _revoke(self, action, why):
        client, server = self.open_flow()
        began = time.monotonic()
        action()
        outbound, inbound = self.rows(reason="revoked")
        self.assertLess(time.monotonic() - began, _SOON)
        self.assert_ended(client, server)
        for row in (outbound, inbound):
            self.assertIn(why, row["detail"])
            self.assertEqual((row["bytesSent"], row["bytesReceived"]),
                             (10, 10))

    def test_peer_taken_off_the_list(self):
        agent = self.network.client_agent
        try:
            self._revoke(lambda: agent.put(
                "documents.yaml",
                identities(inbound=[documents.spiffe_id("other")])),
                         CLIENT)
        finally:
            agent.put("documents.yaml", identities())

    def test_identity_deleted(self):
        agent = self.network.client_agent
        try:
            self._revoke(lambda: agent.put("documents.yaml",
                                           identities()[:1]), SERVER)
        finally:
            agent.put("documents.yaml", identities())

    def test_svid_revoked(self):
        agent = self.network.client_agent
        self._revoke(lambda: agent.ask("svid", "revoke", CLIENT), CLIENT)

    def test_other_flows_live(self):
        peers = self.open_flow()
        agent = self.network.client_agent
        agent.put("documents.yaml", [*identities(), documents.identity(
            "bystander", {"process:name": "bystander"})])
        agent.program.await_line('"identities":3')
        self.assert_goes_on(*peers)


@needs_agent
@on(OneNode)
class DirectAndAgents(_SameNode):
    """What becomes of direct flows when the agent goes."""

    settings = {"datapath": {"sameNode": "sockmap", "pin": True}}

    def test_takeover(self):
        peers = self.open_flow()
        self.network.client_agent.take_over()
        self.await_rows()
        self.assert_goes_on(*peers)
        for row in self.rows(reason="closed"):
            self.assertEqual(row["bytesSent"], row["bytesReceived"])

    def test_stopped_agent_resets(self):
        peers = self.open_flow()
        agent = self.network.client_agent
        agent.stop()
        self.assert_ended(*peers)
        agent.start()

    def test_killed_agent(self):
        """The kernel carries the flow on; the next agent judges it."""
        peers = self.open_flow()
        agent = self.network.client_agent
        agent.kill()
        agent.start()
        self.await_rows()
        self.assert_goes_on(*peers)
        self.rows(reason="closed")

    def test_killed_agent_and_another_policy(self):
        peers = self.open_flow()
        agent = self.network.client_agent
        agent.kill()
        agent.put("documents.yaml",
                  identities(outbound=[documents.spiffe_id("other")]))
        agent.start()
        try:
            agent.await_closed(1, path="sockmap", reason="revoked")
            self.assert_ended(*peers)
        finally:
            agent.put("documents.yaml", identities())

    def test_dead_agent_gives_no_pass(self):
        """Not even to those who have one."""
        server = Listening(self, [*_DIRECT, "recv-all"])
        client = Connecting(self, server.port, ["close", "go", "again"],
                            options=_DIRECT)
        client.facts("waiting")
        agent = self.network.client_agent
        agent.kill()
        client.program.write("go\n")
        self.assertIn(client.facts("again")["error"], ("ECONNREFUSED", "EPERM"))
        agent.start()


@needs_agent
@on(OneNode)
class DirectPrograms(Case):
    """Programs that connect again and again."""

    settings = {"datapath": {"sameNode": "sockmap"}}
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
        deadline.await_true(lambda: not agent.open_flows(), "all flows closed")
        counters = agent.ask("status")["counters"]
        self.assertGreater(counters["direct_connect"], _REQUESTS // 2)
        self.assertEqual(counters["direct_connect"],
                         counters["direct_assigned"])
        flows = agent.closed_flows()
        direct = [flow for flow in flows if flow["path"] == "sockmap"]
        self.assertEqual(len(direct), 2 * counters["direct_connect"])
        self.assertEqual({flow["reason"] for flow in direct}, {"closed"})


_ACCEPT = """
import socket, sys
listener = socket.create_server((sys.argv[1], int(sys.argv[2])))
print("listening", flush=True)
while True:
    connection, _ = listener.accept()
    print("accepted", connection.recv(10000), flush=True)
    connection.close()
"""


@needs_agent
@on(OneNode)
class RefusedByClient(_SameNode):
    """The client's identity does not allow the server's."""

    documents = identities(outbound=[documents.spiffe_id("other")])

    refused_by = "outbound"

    def test_refused(self):
        server = Listening(self, [*_DIRECT, "recv-all"])
        client = Connecting(self, server.port, ["send:1000", "recv-all"],
                            options=_DIRECT)
        self.assertEqual(client.facts("failed")["error"], "ECONNRESET")
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
