# SPDX-License-Identifier: Apache-2.0
"""kill -9: with pinned links captured processes fail closed until an agent is
back; without, everything works as if kith had never been there."""

import signal

from rig import attached, deadline
from rig.case import needs_agent, on
from rig.conversation import (Connecting, Listening, PeerCase, identities,
                              request)
from rig.network import OneNode, TwoNodes


class _Deaths(PeerCase):
    documents = identities()

    def assert_works(self, mode):
        with self.encrypted():
            server = Listening(self, ["recv-all"])
            client = Connecting(self, server.port, request(70000))
            client.facts("done")
            self.assertEqual(server.facts("done")["received"], 70000)
        for agent in self.network.agents:
            self.assertIn(mode, [f["mode"] for f in agent.closed_flows()])

    def kill_all(self):
        for agent in self.network.agents:
            agent.kill()

    def start_all(self):
        for agent in self.network.agents:
            agent.start()


@needs_agent
@on(OneNode, TwoNodes)
class PinnedDeath(_Deaths):
    """datapath.pin: true."""

    settings = {"datapath": {"pin": True}}

    def _assert_refused(self, client, server):
        self.assertIn(client.facts("failed")["error"],
                      ("ECONNREFUSED", "EPERM"))
        self.assertNotIn("accepted", server.program.output)

    def test_fails_closed_until_an_agent_is_back(self):
        self.assert_works("mtls")
        server = Listening(self, ["recv-all"])
        waiting = Connecting(self, server.port, ["send:1000"],
                             options=["--wait"])
        waiting.facts("waiting")
        flowing_server = Listening(self, ["recv-all"])
        flowing = Connecting(self, flowing_server.port,
                             ["send:1000", "recv-all"])
        flowing_server.facts("accepted")

        self.kill_all()

        with self.network.capture(self.marker.encode()) as capture:
            with self.subTest("a flow that was open is reset"):
                self.assertEqual(flowing.facts("done")["ended"], "reset")
                self.assertEqual(flowing_server.facts("done")["ended"],
                                 "reset")
            with self.subTest("a process that was captured"):
                waiting.program.write("go\n")
                self._assert_refused(waiting, server)
            with self.subTest("a process that nobody has attested"):
                client = Connecting(self, server.port, ["send:1000"])
                self._assert_refused(client, server)
            with self.subTest("a stranger's plaintext"):
                # Its SYN is dropped: it would connect once an agent is back.
                client = Connecting(self, server.port, ["send:1000"],
                                    managed=False, options=["--wait"])
                client.facts("waiting")
                client.program.write("go\n")
                deadline.await_true(
                    lambda: len([each for each in capture.connections()
                                 if each.server[1] == server.port]) > 0,
                    "the stranger's SYN")
                self.assertNotIn("accepted", server.program.output)
                client.program.stop(signal.SIGKILL)
        for connection in capture.connections():
            for direction in connection.directions:
                self.assertFalse(direction.found, str(connection))

        self.start_all()
        self.assert_works("mtls")

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        for agent in cls.network.agents:
            agent.stop()


@needs_agent
@on(OneNode, TwoNodes)
class UnpinnedDeath(_Deaths):
    """The default: the kernel removes the links with their owner."""

    def test_works_as_without_kith(self):
        self.assert_works("mtls")
        self.kill_all()
        for node in self.network.nodes:
            self.assertEqual(attached.programs(node), [])
        server = Listening(self, ["recv-all", "send:500", "close"])
        client = Connecting(self, server.port,
                            ["send:70000", "shutdown", "recv-all"])
        self.check_exact(client.facts("done"), server.facts("done"))
        self.start_all()
        self.assert_works("mtls")
