# SPDX-License-Identifier: Apache-2.0
"""Flows that outlive an agent which is killed (datapath.flowStore)."""

import os

from rig import deadline
from rig.conversation import Connecting, Listening
from rig.manager import Manager
from rig.marathon import MarathonCase

_FLOWS = int(os.environ.get("KITH_TAKEOVER_FLOWS",
                           max(4, deadline.amount(40))))
_TIMES = int(os.environ.get("KITH_FLOW_STORE_TIMES", "3"))


class StoreCase(MarathonCase):
    """Agents that a service manager starts, and that are killed."""

    seconds = 240
    settings = {"datapath": {"pin": True, "flowStore": "systemd"}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.restart_agents()

    @classmethod
    def restart_agents(cls, **options):
        """Has them started by managers with these options."""
        for agent in cls.network.agents:
            agent.stop()
            if agent.manager:
                agent.manager.close()
            agent.manager = Manager(agent.directory, **options)
            agent.start()

    def die(self):
        """kill -9; what is stored waits for the next agent."""
        for agent in self.network.agents:
            agent.kill()

    def come_back(self):
        for agent in self.network.agents:
            agent.start()

    def _per_agent(self, flows):
        return flows * 2 // len(self.network.agents)

    def await_kept(self, flows):
        for agent in self.network.agents:
            agent.manager.await_flows(self._per_agent(flows), 40)

    def _run_streams(self, pause):
        client, port = self.run_marathon(_FLOWS, pause)
        self.await_kept(_FLOWS)
        return client, port

    def _await_progress(self):
        """The streams run again: the next death finds bytes on their way."""
        def moved():
            return min((flow["bytesReceived"] for agent in self.network.agents
                        for flow in agent.open_flows()), default=0)
        before = moved()
        deadline.await_true(lambda: moved() > before, "bytes on their way")

    def _end_streams(self, client, port):
        self.end_marathon(client, port, _FLOWS, f"killed {_TIMES} times")
        self.await_kept(0)

    def stream_through_deaths(self, pause):
        """Streams run while the agents die, again and again."""
        client, port = self._run_streams(pause)
        for _ in range(_TIMES):
            self.die()
            self.come_back()
            self._await_progress()
        self._end_streams(client, port)

    def pair(self):
        """A flow that has said something both ways and is kept."""
        server = Listening(self, ["recv:10", "send:10", "go", "recv-all",
                                  "close"])
        client = Connecting(self, server.port,
                            ["send:10", "recv:10", "go", "send:70000",
                             "close"])
        client.facts("waiting")
        server.facts("waiting")
        self.await_kept(1)
        return client, server

    def talking(self):
        """A flow that need not be kept."""
        server = Listening(self, ["recv:10", "send:10", "go", "recv-all"])
        client = Connecting(self, server.port,
                            ["send:10", "recv:10", "go", "recv-all"])
        client.facts("waiting")
        server.facts("waiting")
        return client, server

    def go_on(self, client, server):
        for each in client, server:
            each.program.write("go\n")
        self.check_exact(client.facts("done"), server.facts("done"))

    def assert_reset(self, client, server):
        for each in client, server:
            each.program.write("go\n")
            self.assertEqual(each.facts("done")["ended"], "reset")
