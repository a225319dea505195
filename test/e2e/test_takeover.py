# SPDX-License-Identifier: Apache-2.0
"""Another agent takes over while flows are open: none of them notices."""

import os

from rig.case import needs_agent, on
from rig.conversation import (CLIENT, MARATHON, SERVER, Connecting, Listening,
                              PeerCase, identities)
from rig.network import OneNode, TwoNodes

_FLOWS = int(os.environ.get("KITH_TAKEOVER_FLOWS", "40"))
_TIMES = 2


class _Takeovers(PeerCase):
    documents = identities()
    seconds = 180

    def _take_over(self):
        for agent in self.network.agents:
            agent.take_over()

    def _run(self, pause):
        server = self.server.spawn(
            [*MARATHON, "serve", self.network.address, 0], group="server")
        port = server.await_json("event", "listening")["port"]
        client = self.client.spawn(
            [*MARATHON, "connect", self.network.address, port, self.marker,
             _FLOWS, pause], group="client")
        client.await_json("event", "running", 60)
        return client, port

    def _end(self, client, port):
        """Ends the streams; none may be broken, and each is known."""
        flows = [flow for agent in self.network.agents
                 for flow in agent.open_flows()]
        client.write("end\n")
        done = client.await_json("event", "done", 60)
        print(f"{_FLOWS} flows, {done['bytes'] >> 20} MiB, agents replaced "
              f"{_TIMES} times: {done['broken']} broken, longest pause "
              f"{done['longest'] * 1000:.0f} ms")
        self.assertEqual((done["broken"], done["errors"]), (0, []))
        self.assertEqual(len(flows), 2 * _FLOWS)
        for agent, direction, local, peer in (
                (self.network.client_agent, "outbound", CLIENT, SERVER),
                (self.network.server_agent, "inbound", SERVER, CLIENT)):
            closed = agent.await_closed(
                _FLOWS, direction=direction, mode="mtls", reason="closed",
                local__spiffeId=local, peer__spiffeId=peer,
                destination=f"{self.network.address}:{port}")
            self.assertTrue(all(flow["bytesSent"] == flow["bytesReceived"]
                                for flow in closed))


@needs_agent
@on(OneNode, TwoNodes)
class Takeover(_Takeovers):
    def test_full_streams_go_on(self):
        """Every buffer is full."""
        client, port = self._run(0)
        for _ in range(_TIMES):
            self._take_over()
        self._end(client, port)

    def test_idle_and_half_closed(self):
        """What was sent before, and the ends, arrive after it."""
        server = Listening(self, ["recv-all", "go", "send:70000", "close"])
        client = Connecting(self, server.port,
                            ["send:3000", "shutdown", "recv-all"])
        server.facts("waiting")
        self._take_over()
        server.program.write("go\n")
        self.check_exact(client.facts("done"), server.facts("done"))

    def test_addresses_stay(self):
        """An application that asks again still sees its peer."""
        server = Listening(self, ["recv:10", "go", "recv-all"])
        client = Connecting(self, server.port, ["send:10", "go", "close"])
        client.facts("waiting")
        server.facts("waiting")
        seen = self._peers()
        self._take_over()
        self.assertEqual(self._peers(), seen)
        for each in client, server:
            each.program.write("go\n")
            self.assertIsNone(each.facts("done")["error"])

    def _peers(self):
        return {(flow["direction"], flow["client"], flow["destination"],
                 flow["id"])
                for agent in self.network.agents
                for flow in agent.open_flows()}

    def test_policy_of_the_new_agent(self):
        """It judges the flows that it takes over by the documents as they are
        then."""
        server = Listening(self, ["recv:100", "recv-all"])
        client = Connecting(self, server.port, ["send:100", "recv-all"])
        for agent in self.network.agents:
            agent.await_open(state="open")
        agent = self.network.client_agent
        (agent.resources / "documents.yaml").unlink()
        self._take_over()
        self.assertEqual(client.facts("done")["ended"], "reset")
        agent.put("documents.yaml", identities())
        self.assertEqual(server.facts("done")["ended"], "reset")


@needs_agent
@on(TwoNodes)
class TakeoverOnTheWire(_Takeovers):
    def test_streams_go_on(self):
        """What leaves is encrypted all the time, and new connections come as
        well."""
        with self.encrypted():
            client, port = self._run(0.05)
            for _ in range(_TIMES):
                self._take_over()
                later = Listening(self, ["recv-all"])
                Connecting(self, later.port, ["send:70000", "close"])
                self.assertEqual(later.facts("done")["received"], 70000)
            self._end(client, port)


@needs_agent
@on(OneNode)
class TakeoverRefused(PeerCase):
    """What goes wrong leaves the running agent as it was."""

    documents = identities()

    def _works(self):
        with self.encrypted():
            server = Listening(self, ["recv-all"])
            client = Connecting(self, server.port, ["send:70000", "close"])
            client.facts("done")
            self.assertEqual(server.facts("done")["received"], 70000)

    def _fail(self, agent, *options, **config):
        """Starts another agent that is expected to give up."""
        former, good = agent.program, agent.config
        agent.config = {**good, **config}
        failing = agent.launch(options=options)
        agent.program, agent.config = former, good
        agent.write_config()
        self.assertNotEqual(failing.wait(), 0)
        return failing.output

    def test_without_the_option(self):
        self.assertIn("another agent", self._fail(self.network.client_agent))
        self._works()

    def test_another_cgroup(self):
        agent = self.network.client_agent
        elsewhere = self.client.outside
        self.assertIn("refuses the takeover",
                      self._fail(agent, "--takeover", cgroup=str(elsewhere)))
        self._works()

    def test_issuer_that_cannot_be_read(self):
        agent = self.network.client_agent
        self._fail(agent, "--takeover",
                   issuer={"embedded": {"dir": "/proc/kith"}})
        self._works()

    def test_nobody_is_there(self):
        agent = self.network.client_agent
        agent.stop()
        agent.start("--takeover")
        self._works()
