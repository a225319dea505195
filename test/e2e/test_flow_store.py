# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the agent while flows are open, with datapath.flowStore: the next
agent goes on with them."""

import os
import pathlib

from rig import deadline
from rig.case import needs_agent, on
from rig.conversation import Connecting, Listening, identities
from rig.flow_store import StoreCase
from rig.network import OneNode, TwoNodes

_WITHOUT = (pathlib.Path(__file__).resolve().parent /
            "rig/without_syscall.py")
_MEMFD_SECRET = 447  # asm/unistd_64.h

@needs_agent
@on(OneNode, TwoNodes)
class FlowStore(StoreCase):
    def test_full_streams_go_on(self):
        """Every buffer is full."""
        self.stream_through_deaths(0)

    def test_half_closed(self):
        server = Listening(self, ["recv-all", "go", "send:70000", "close"])
        client = Connecting(self, server.port,
                            ["send:3000", "shutdown", "recv-all"])
        server.facts("waiting")
        self.await_kept(1)
        self.die()
        self.come_back()
        server.program.write("go\n")
        self.check_exact(client.facts("done"), server.facts("done"))

    def test_facts_stay(self):
        client, server = self.pair()
        seen = self._facts()
        self.die()
        self.come_back()
        self.assertEqual(self._facts(), seen)
        self.go_on(client, server)

    def _facts(self):
        return {(flow["direction"], flow["client"], flow["destination"],
                 flow["id"], flow["bytesSent"], flow["bytesReceived"])
                for agent in self.network.agents
                for flow in agent.open_flows()}

    def test_written_while_no_agent_runs(self):
        """Bytes and ends wait in the sockets."""
        client, server = self.pair()
        self.die()
        for each in client, server:
            each.program.write("go\n")
        self.come_back()
        self.check_exact(client.facts("done"), server.facts("done"))

    def test_policy_of_the_next_agent(self):
        client, server = self.pair()
        agent = self.network.client_agent
        self.die()
        (agent.resources / "documents.yaml").unlink()
        self.come_back()
        # An application that is quicker than that may end in order. On one node
        # the other end of the flow may be revoked, and gone, before it.
        agent.await_closed(1, direction="outbound")
        self.assert_reset(client, server)
        agent.put("documents.yaml", identities())

    def test_stop_ends_them(self):
        client, server = self.pair()
        for agent in self.network.agents:
            agent.stop()
            deadline.await_true(lambda a=agent: not a.manager.names(),
                                "an empty store")
        self.come_back()
        self.assert_reset(client, server)


@needs_agent
@on(TwoNodes)
class FlowStoreOnTheWire(StoreCase):
    def test_streams_go_on(self):
        """What leaves is encrypted all the time."""
        with self.encrypted():
            self.stream_through_deaths(0.05)


@needs_agent
@on(OneNode)
class FlowStoreLimits(StoreCase):
    def _works(self):
        client, server = self.pair()
        self.die()
        self.come_back()
        self.go_on(client, server)

    def test_young_flows_end(self):
        server = Listening(self, ["recv:10", "recv-all"])
        client = Connecting(self, server.port, ["send:10", "recv-all"])
        server.facts("accepted")
        self.die()
        self.come_back()
        self.assertEqual(client.facts("done")["ended"], "reset")
        self.assertEqual(server.facts("done")["ended"], "reset")
        self._works()

    def _with_journal(self, change,
                      line="a kept flow cannot be gone on with"):
        client, server = self.pair()
        self.die()
        change(self.network.client_agent.manager)
        self.come_back()
        self.assert_reset(client, server)
        self.network.client_agent.program.await_line(line)
        self._works()

    def test_other_memory_for_a_journal(self):
        def other(manager):
            memory = os.memfd_create("other")
            os.ftruncate(memory, 1 << 20)
            manager.replace("kith-journal", memory)
        self._with_journal(other, "the kept flows cannot be gone on with")

    def test_nonsense_in_the_journal(self):
        def nonsense(manager):
            journal = manager.descriptor("kith-journal")
            for slot in range(64):
                os.pwrite(journal, os.urandom(8000), 8192 * (slot + 1) + 4)
        self._with_journal(nonsense)

    def test_sockets_of_another(self):
        def other(manager):
            for name in manager.flows():
                memory = os.memfd_create("other")
                manager.replace(name, memory)
        self._with_journal(other)

    def test_full_store(self):
        self._flows_die_with("systemd", most=2)

    def _flows_die_with(self, state, **options):
        """Returns what the agent says of its flow store then."""
        self.restart_agents(**options)
        try:
            client, server = self.talking()
            self.die()
            self.come_back()
            self.assert_reset(client, server)
            told = self.network.client_agent.ask("status")
            self.assertEqual(told["flowStore"], state)
        finally:
            self.restart_agents()
        self._works()
        return told

    def test_no_memory_for_secrets(self):
        """A kernel without memfd_secret(2): flows are as without a store, and
        the operator is told."""
        told = self._flows_die_with(
            "refused", wrapper=["/usr/bin/python3", _WITHOUT, _MEMFD_SECRET])
        self.assertIn("memfd_secret", told["flowStoreError"])

    def test_takeover_between(self):
        """The next agent keeps the flows that it takes over."""
        client, server = self.pair()
        agent = self.network.client_agent
        agent.take_over()
        self.await_kept(1)
        self.die()
        self.come_back()
        self.go_on(client, server)
