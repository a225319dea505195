# SPDX-License-Identifier: Apache-2.0
"""Kept flows (datapath.flowStore) over other people's TLS, and through sockets
that hold next to nothing."""

from rig import datapath, deadline, documents
from rig.case import needs_agent, on
from rig.command import Program
from rig.conversation import identities
from rig.flow_store import StoreCase
from rig.forge import Forge
from rig.network import TwoNodes
from rig.plain_pair import TURN, PlainPair

_STRANGER = documents.spiffe_id("foreign/openssl")


@needs_agent
@on(TwoNodes)
class FlowStorePlainPeers(StoreCase):
    """openssl changes keys around the deaths of an agent."""

    documents = identities(inbound=[_STRANGER], outbound=[_STRANGER])

    @classmethod
    def start_workloads(cls):
        cls.forge = Forge(cls.directory / "forge",
                          cls.network.client_agent.ca_directory)
        cls.svid = cls.forge.svid("foreign/openssl")

    def _updates(self):
        """Whether openssl requests a key of kith's, too, for each of its own."""
        path = self.network.client_agent.ask("status")["path"]
        return [datapath.can_rekey(path)] * 3 + [False]

    def _while_dead(self, pair, act=lambda: None, *arguments):
        pair.agent.manager.await_flows(1)
        self.die()
        act(*arguments)
        self.come_back()

    def _key_updates(self, role):
        """One before each death, and one that no agent sees arrive."""
        updates = self._updates()
        pair = PlainPair(self, role, [*TURN * (len(updates) + 1), "close"])
        flow = pair.turn(1)
        for number, request in enumerate(updates, start=2):
            if number % 2:
                self._while_dead(pair, pair.openssl.update_key, request)
                pair.proceed()
                pair.turn(number)
            else:
                pair.openssl.update_key(request)
                pair.proceed()
                pair.turn(number)
                self._while_dead(pair)
        pair.proceed()
        pair.openssl.await_message("<<<", "close_notify")
        pair.check_whole(flow, updates, deaths=len(updates))

    def test_key_updates(self):
        for role in ("s_client", "s_server"):
            with self.subTest(role), self.encrypted():
                self._key_updates(role)


class _Buffers(StoreCase):
    """Sockets have this minimum, default and maximum."""

    buffers = None

    @classmethod
    def start_workloads(cls):
        for node in cls.network.nodes:
            for name in "tcp_rmem", "tcp_wmem":
                node.run(["sh", "-c", 'echo "$1" > /proc/sys/net/ipv4/$0',
                          name, cls.buffers], managed=False)


@needs_agent
@on(TwoNodes)
class FlowStoreSmallBuffers(_Buffers):
    """As little as may be."""

    buffers = "4096 16384 2097152"

    def test_full_streams_go_on(self):
        self.stream_through_deaths(0)


@needs_agent
@on(TwoNodes)
class FlowStoreTinyBuffers(_Buffers):
    """The tail of one segment may be charged for all that there is, so that the
    rest of a record that begins there has no room."""

    buffers = "4096 16384 2097150"

    def test_flows_are_not_kept(self):
        """They are as without a store, and log and trace tell why."""
        trace = Program(self.network.client_agent.command("trace"),
                        "kith trace")
        self.addCleanup(trace.stop)

        def is_traced():  # once it follows
            self.exchange(["send:300000", "shutdown", "recv-all"],
                          ["recv-all", "send:300000", "close"])
            return any('"not_kept"' in line for line in list(trace.lines))
        deadline.await_true(is_traced, "a step of the trace")
        for agent in self.network.agents:
            agent.program.await_line("net.ipv4.tcp_rmem")
            self.assertEqual(agent.manager.flows(), set())
