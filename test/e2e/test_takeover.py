# SPDX-License-Identifier: Apache-2.0
"""Another agent takes over while flows are open: none of them notices."""

import os
import socket
import struct

from rig import deadline
from rig.case import needs_agent, on
from rig.conversation import Connecting, Listening, PeerCase, identities
from rig.marathon import MarathonCase
from rig.network import OneNode, TwoNodes

_FLOWS = int(os.environ.get("KITH_TAKEOVER_FLOWS", "40"))
_TIMES = 2
# It stays until it is answered: a process that is gone cannot be attested.
_REQUEST = ["send:70000", "shutdown", "recv-all"]


class _Takeovers(MarathonCase):
    seconds = 180

    def _take_over(self):
        for agent in self.network.agents:
            agent.take_over()

    def _run(self, pause):
        return self.run_marathon(_FLOWS, pause)

    def _end(self, client, port):
        destination = f"{self.network.address}:{port}"
        flows = [flow for agent in self.network.agents
                 for flow in agent.open_flows()
                 if flow["destination"] == destination]
        self.end_marathon(client, port, _FLOWS, f"replaced {_TIMES} times")
        self.assertEqual(len(flows), 2 * _FLOWS)


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
                later = Listening(self, ["recv-all", "close"])
                Connecting(self, later.port, _REQUEST)
                self.assertEqual(later.facts("done")["received"], 70000)
            self._end(client, port)


@needs_agent
@on(OneNode)
class TakeoverRefused(PeerCase):
    """What goes wrong leaves the running agent as it was."""

    documents = identities()

    def _talk(self):
        server = Listening(self, ["recv-all", "close"])
        client = Connecting(self, server.port, _REQUEST)
        client.facts("done")
        self.assertEqual(server.facts("done")["received"], 70000)

    def _works(self):
        with self.encrypted():
            self._talk()

    def _fail(self, agent, *options, **config):
        """Starts another agent that is expected to give up."""
        former, good = agent.program, agent.config
        agent.config = {**good, **config}
        failing = agent.launch(options=options)
        agent.program, agent.config = former, good
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


class _Successor:
    """The other end of the takeover socket, up to where it gives up
    (agent/hotrestart/message_channel.cc, takeover.proto)."""

    HELLO, SWAPPING, STEERING = 1, 3, 4
    _MAGIC = 0x6874696b

    def __init__(self, agent):
        self._agent = agent
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(deadline.allowed(20))
        self._socket.connect(str(agent.directory / "run" / "takeover.sock"))

    def send(self, kind, body=b""):
        self._socket.sendall(struct.pack("=IIII", self._MAGIC, kind,
                                         len(body), 0) + body)

    def send_bytes(self, data):
        self._socket.sendall(data)

    def hello(self, version=1):
        cgroup = str(self._agent.config["cgroup"]).encode()
        self.send(self.HELLO, bytes([0x08, version, 0x12, len(cgroup) & 0x7f |
                                     0x80, len(cgroup) >> 7]) + cgroup)
        self.receive()

    def receive(self):
        """Takes one message with its descriptors, which are closed."""
        header, descriptors, _, _ = socket.recv_fds(self._socket, 16, 64)
        for descriptor in descriptors:
            os.close(descriptor)
        _, kind, body, secrets = struct.unpack("=IIII", header)
        left = body + secrets
        while left:
            left -= len(self._socket.recv(left))
        return kind, len(descriptors)

    def die(self):
        self._socket.close()


@needs_agent
@on(OneNode)
class TakeoverFailed(PeerCase):
    """The next agent dies on the way: the running one carries on."""

    documents = identities()

    def _carries_on(self, *messages):
        agent = self.network.client_agent
        server = Listening(self, ["recv:100", "recv-all"])
        client = Connecting(self, server.port, ["send:100", "go", "send:1000",
                                                "close"])
        client.facts("waiting")
        successor = _Successor(agent)
        successor.hello()
        for message in messages:
            successor.send(message)
        successor.die()
        agent.program.await_line("this agent carries on")
        later = Listening(self, ["recv-all", "close"])
        Connecting(self, later.port, _REQUEST)
        self.assertEqual(later.facts("done")["received"], 70000)
        client.program.write("go\n")
        self.check_exact(client.facts("done"), server.facts("done"))
        self.settle()  # the capture shall not begin with their last segments
        with self.encrypted():
            again = Listening(self, ["recv-all", "close"])
            Connecting(self, again.port, _REQUEST)
            self.assertEqual(again.facts("done")["received"], 70000)
        agent.take_over()

    def test_before_the_swap(self):
        self._carries_on()

    def test_after_the_swap(self):
        self._carries_on(_Successor.SWAPPING)

    def test_with_a_flow(self):
        """A flow that was received is lost with its receiver; the agent goes
        on with new ones."""
        agent = self.network.client_agent
        server = Listening(self, ["recv:100", "recv-all"])
        client = Connecting(self, server.port, ["send:100", "recv-all"])
        agent.await_open(direction="inbound", state="open")
        successor = _Successor(agent)
        successor.hello()
        successor.send(_Successor.SWAPPING)
        successor.send(_Successor.STEERING)
        self.assertEqual(successor.receive(), (5, 2))
        successor.die()
        self.assertEqual(client.facts("done")["ended"], "reset")
        self.assertEqual(server.facts("done")["ended"], "reset")
        agent.program.await_line("this agent carries on")
        later = Listening(self, ["recv-all", "close"])
        Connecting(self, later.port, _REQUEST)
        self.assertEqual(later.facts("done")["received"], 70000)
        agent.take_over()

    def test_nonsense(self):
        agent = self.network.client_agent
        for bytes_ in (b"", b"GET / HTTP/1.1\r\n\r\n", b"kith" * 4,
                       struct.pack("=IIII", 0x6874696b, 1, 1 << 30, 0)):
            successor = _Successor(agent)
            successor.send_bytes(bytes_)
            successor.die()
        another = _Successor(agent)
        another.hello(version=99)
        another.die()
        agent.program.await_line("takeover protocol 99")
        agent.take_over()
