# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the agent while flows are open, with datapath.flowStore: the next
agent goes on with them."""

import os

from rig import deadline
from rig.case import needs_agent, on
from rig.conversation import (CLIENT, MARATHON, SERVER, Connecting, Listening,
                              PeerCase, identities)
from rig.manager import Manager
from rig.network import OneNode, TwoNodes

_FLOWS = int(os.environ.get("KITH_TAKEOVER_FLOWS",
                           max(4, deadline.amount(40))))
_TIMES = int(os.environ.get("KITH_FLOW_STORE_TIMES", "3"))


class _Stores(PeerCase):
    documents = identities()
    seconds = 240
    settings = {"datapath": {"pin": True, "flowStore": "systemd"}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for agent in cls.network.agents:
            agent.stop()
            agent.manager = Manager(agent.directory)
            agent.start()

    def _die(self):
        """kill -9; what is stored waits for the next agent."""
        for agent in self.network.agents:
            agent.kill()

    def _return(self):
        for agent in self.network.agents:
            agent.start()

    def _per_agent(self, flows):
        return flows * 2 // len(self.network.agents)

    def _await_kept(self, flows):
        for agent in self.network.agents:
            agent.manager.await_flows(self._per_agent(flows), 40)

    def _run(self, pause):
        server = self.server.spawn(
            [*MARATHON, "serve", self.network.address, 0], group="server")
        port = server.await_json("event", "listening")["port"]
        client = self.client.spawn(
            [*MARATHON, "connect", self.network.address, port, self.marker,
             _FLOWS, pause], group="client")
        client.await_json("event", "running", 60)
        self._await_kept(_FLOWS)
        return client, port

    def _await_progress(self):
        """The streams run again: the next death finds bytes on their way."""
        def moved():
            return min((flow["bytesReceived"] for agent in self.network.agents
                        for flow in agent.open_flows()), default=0)
        before = moved()
        deadline.await_true(lambda: moved() > before, "bytes on their way")

    def _end(self, client, port):
        destination = f"{self.network.address}:{port}"
        client.write("end\n")
        done = client.await_json("event", "done", 60)
        print(f"{_FLOWS} flows, {done['bytes'] >> 20} MiB, agents killed "
              f"{_TIMES} times: {done['broken']} broken, longest pause "
              f"{done['longest'] * 1000:.0f} ms")
        self.assertEqual((done["broken"], done["errors"]), (0, []))
        for agent, direction, local, peer in (
                (self.network.client_agent, "outbound", CLIENT, SERVER),
                (self.network.server_agent, "inbound", SERVER, CLIENT)):
            closed = agent.await_closed(
                _FLOWS, direction=direction, mode="mtls", reason="closed",
                local__spiffeId=local, peer__spiffeId=peer,
                destination=destination)
            self.assertTrue(all(flow["bytesSent"] == flow["bytesReceived"]
                                for flow in closed))
        self._await_kept(0)

    def _pair(self):
        """A flow that has said something both ways and is kept."""
        server = Listening(self, ["recv:10", "send:10", "go", "recv-all",
                                  "close"])
        client = Connecting(self, server.port,
                            ["send:10", "recv:10", "go", "send:70000",
                             "close"])
        client.facts("waiting")
        server.facts("waiting")
        self._await_kept(1)
        return client, server

    def _go_on(self, client, server):
        for each in client, server:
            each.program.write("go\n")
        self.check_exact(client.facts("done"), server.facts("done"))

    def _assert_reset(self, client, server):
        for each in client, server:
            each.program.write("go\n")
            self.assertEqual(each.facts("done")["ended"], "reset")


@needs_agent
@on(OneNode, TwoNodes)
class FlowStore(_Stores):
    def test_full_streams_go_on(self):
        """Every buffer is full."""
        client, port = self._run(0)
        for _ in range(_TIMES):
            self._die()
            self._return()
            self._await_progress()
        self._end(client, port)

    def test_half_closed(self):
        server = Listening(self, ["recv-all", "go", "send:70000", "close"])
        client = Connecting(self, server.port,
                            ["send:3000", "shutdown", "recv-all"])
        server.facts("waiting")
        self._await_kept(1)
        self._die()
        self._return()
        server.program.write("go\n")
        self.check_exact(client.facts("done"), server.facts("done"))

    def test_facts_stay(self):
        client, server = self._pair()
        seen = self._facts()
        self._die()
        self._return()
        self.assertEqual(self._facts(), seen)
        self._go_on(client, server)

    def _facts(self):
        return {(flow["direction"], flow["client"], flow["destination"],
                 flow["id"], flow["bytesSent"], flow["bytesReceived"])
                for agent in self.network.agents
                for flow in agent.open_flows()}

    def test_written_while_no_agent_runs(self):
        """Bytes and ends wait in the sockets."""
        client, server = self._pair()
        self._die()
        for each in client, server:
            each.program.write("go\n")
        self._return()
        self.check_exact(client.facts("done"), server.facts("done"))

    def test_policy_of_the_next_agent(self):
        client, server = self._pair()
        agent = self.network.client_agent
        self._die()
        (agent.resources / "documents.yaml").unlink()
        self._return()
        self._assert_reset(client, server)
        agent.put("documents.yaml", identities())

    def test_stop_ends_them(self):
        client, server = self._pair()
        for agent in self.network.agents:
            agent.stop()
            self.assertEqual(agent.manager.names(), [])
        self._return()
        self._assert_reset(client, server)


@needs_agent
@on(TwoNodes)
class FlowStoreOnTheWire(_Stores):
    def test_streams_go_on(self):
        """What leaves is encrypted all the time."""
        with self.encrypted():
            client, port = self._run(0.05)
            for _ in range(_TIMES):
                self._die()
                self._return()
                self._await_progress()
            self._end(client, port)


@needs_agent
@on(OneNode)
class FlowStoreLimits(_Stores):
    def _works(self):
        client, server = self._pair()
        self._die()
        self._return()
        self._go_on(client, server)

    def test_young_flows_end(self):
        server = Listening(self, ["recv:10", "recv-all"])
        client = Connecting(self, server.port, ["send:10", "recv-all"])
        server.facts("accepted")
        self._die()
        self._return()
        self.assertEqual(client.facts("done")["ended"], "reset")
        self.assertEqual(server.facts("done")["ended"], "reset")
        self._works()

    def _with_journal(self, change,
                      line="a kept flow cannot be gone on with"):
        client, server = self._pair()
        self._die()
        change(self.network.client_agent.manager)
        self._return()
        self._assert_reset(client, server)
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
        agent = self.network.client_agent
        agent.stop()
        agent.manager.close()
        agent.manager = Manager(agent.directory, most=2)
        agent.start()
        client, server = self._talking()
        self._die()
        self._return()
        self._assert_reset(client, server)
        agent.stop()
        agent.manager.close()
        agent.manager = Manager(agent.directory)
        agent.start()
        self._works()

    def _talking(self):
        server = Listening(self, ["recv:10", "send:10", "go", "recv-all"])
        client = Connecting(self, server.port,
                            ["send:10", "recv:10", "go", "recv-all"])
        client.facts("waiting")
        server.facts("waiting")
        return client, server

    def test_takeover_between(self):
        """The next agent keeps the flows that it takes over."""
        client, server = self._pair()
        agent = self.network.client_agent
        agent.take_over()
        self._await_kept(1)
        self._die()
        self._return()
        self._go_on(client, server)
