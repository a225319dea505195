# SPDX-License-Identifier: Apache-2.0
"""Between two captured peers TCP behaves as if nothing were in between."""

from rig import deadline
from rig.case import on
from rig.conversation import (CLIENT, SERVER, Connecting, Listening, PeerCase,
                              talk, request)
from rig.network import DIRECT, OneNode, TwoNodes, endpoint

_LARGE = 3_000_000
_DUPLEX = f"duplex:{deadline.amount(50_000_000)}"
_BYTEWISE = f"bytewise:{deadline.amount(2000)}"


@on(OneNode, TwoNodes)
class TcpSemantics(PeerCase):
    """Ends in order, ends in disorder, pieces of all sizes."""

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

    def test_nothing_is_sent(self):
        client, server = talk(self, ["shutdown", "recv-all"],
                              ["recv-all", "close"])
        self.assertEqual((client["ended"], server["ended"]), ("eof", "eof"))
        self.assert_mtls(CLIENT, SERVER, 0, 0)

    def test_server_speaks_first(self):
        self.exchange(["recv:500", "send:70000", "recv-all"],
                      ["send:500", "recv:70000", "send:10", "close"])

    def test_one_byte_at_a_time(self):
        self.exchange([_BYTEWISE, "shutdown", "recv-all"],
                      ["recv-all", _BYTEWISE, "close"])

    def test_sendfile(self):
        self.exchange([f"sendfile:{_LARGE + 3}", "shutdown", "recv-all"],
                      ["recv-all", f"sendfile:{_LARGE + 4}", "close"])

    def test_nonblocking_connect_with_epoll(self):
        self.exchange(["send:100000", "shutdown", "recv-all"],
                      ["recv-all", "send:100000", "close"],
                      options=["--epoll"])

    def test_ipv6(self):
        self.exchange([f"send:{_LARGE + 5}", "shutdown", "recv-all"],
                      ["recv-all", "send:100000", "close"],
                      address=self.network.address6)

    def test_client_resets(self):
        # Before the server has accepted, there would be nothing to reset.
        client, server = talk(self, ["recv:1", "send:1000000", "reset"],
                              ["send:1", "recv-all"])
        self.assertIsNone(client["error"])
        self.assertEqual(server["ended"], "reset")
        self._assert_ends("reset_by_application", "reset_by_peer")

    def test_server_resets(self):
        client, server = talk(self, ["send:100000000"],
                              ["recv:100000", "reset"])
        self.assertIsNone(server["error"])
        self.assertEqual(client["ended"], "reset")
        self._assert_ends("reset_by_peer", "reset_by_application")

    def _assert_ends(self, outbound, inbound):
        if not DIRECT:
            self.network.client_agent.await_closed(
                1, direction="outbound", reason=outbound)
            self.network.server_agent.await_closed(
                1, direction="inbound", reason=inbound)


@on(OneNode, TwoNodes)
class Addresses(PeerCase):
    """Applications see each other, not the agents."""

    def _check(self, address):
        with self.encrypted() as outer:
            server = Listening(self, ["recv-all"], address)
            client = Connecting(self, server.port, request(99),
                                address)
            accepted = server.facts("accepted")
            connected = client.facts("connected")
            server.program.check()
        self.assertEqual(connected["peer"], endpoint((address, server.port)))
        self.assertEqual(accepted["local"], endpoint((address, server.port)))
        self.assertEqual(accepted["peer"], accepted["peername"])
        # The client that the server sees is the one on the wire.
        self.assertEqual([accepted["peer"]],
                         [endpoint(each.client) for each in outer])

    def test_ipv4(self):
        self._check(self.network.address)

    def test_ipv6(self):
        self._check(self.network.address6)


@on(OneNode, TwoNodes)
class BackPressure(PeerCase):
    """A server that does not read stops its client, not the agent."""

    # Every kernel buffer on the way (three connections, receive buffers of up
    # to 32 MiB on each side) and not more.
    _MOST = 256 << 20
    # What the relay may keep for a flow, and the allocator's roundings.
    _AGENT_KIB = 2048

    def test_slow_reader(self):
        with self.encrypted():
            server = Listening(self, ["recv:1", "go", "recv-all", "close"])
            client = Connecting(self, server.port, [
                "send:1", f"fill:{2 * self._MOST}", "shutdown", "recv-all"])
            server.facts("waiting")
            before = self._resident()
            sent = client.facts("full")["sent"]
            self.assertLess(sent, self._MOST)
            for grown in map(lambda now, then: now - then,
                             self._resident(), before):
                self.assertLess(grown, self._AGENT_KIB)
            server.program.write("go\n")
            done = client.facts("done"), server.facts("done")
        self.check_exact(*done)

    def _resident(self):
        return [] if DIRECT else [agent.resident_kib()
                                  for agent in self.network.agents]
