# SPDX-License-Identifier: Apache-2.0
"""The base of every end-to-end test class."""

import contextlib
import math
import shutil
import signal
import sys
import unittest
import uuid

from rig import datapath, deadline, wire
from rig.network import DIRECT


def on(*network_classes):
    """Class decorator: the tests run in each of the networks."""
    def decorate(cls):
        module = sys.modules[cls.__module__]
        for network_class in network_classes:
            name = f"{cls.__name__}{network_class.__name__}"
            setattr(module, name, type(name, (cls, unittest.TestCase), {
                "__module__": cls.__module__,
                "__doc__": cls.__doc__,
                "network_class": network_class,
            }))
        return cls
    return decorate


# A test that needs the agent cannot run in the harness's own check.
needs_agent = unittest.skipIf(DIRECT, "needs the agent")


@contextlib.contextmanager
def time_limit(seconds):
    """A test that hangs fails, with the place where it hung."""
    def on_alarm(_number, _frame):
        raise AssertionError(f"the test took longer than {seconds} s")
    seconds = math.ceil(deadline.allowed(seconds))
    previous = signal.signal(signal.SIGALRM, on_alarm)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


def _counts(sent, received):
    return {} if sent is None else {"bytesSent": sent,
                                    "bytesReceived": received}


class Case:
    """Mixed into unittest.TestCase by @on. One network, and one set of agents,
    per class; `documents` says who is who, `settings` are keys of kith.yaml."""

    network_class = None
    documents = ()
    settings = {}
    seconds = 60
    alarms = 0  # flows that shall be stopped by the watch on outer sockets

    @classmethod
    def setUpClass(cls):
        # Bytes that programs of the class send, and that no wire may show.
        cls.marker = f"kith-marker-{uuid.uuid4()}"
        with time_limit(cls.seconds):
            cls.network = cls.network_class()
            cls.addClassCleanup(cls.network.close)
            cls.directory = cls.network.directory
            cls.addClassCleanup(shutil.rmtree, cls.directory, True)
            cls.client, cls.server = cls.network.client, cls.network.server
            cls.before_agents()
            cls.network.start_agents(cls.documents, **cls.settings)
            cls.addClassCleanup(cls.check_watch)
            cls.start_workloads()

    @classmethod
    def check_watch(cls):
        """Nothing but TLS records was sent on outer sockets, and none was sent
        unseen, in all tests of the class."""
        agents = [agent for agent in cls.network.agents
                  if agent.program and agent.program.returncode is None]
        seen = 0
        for agent in agents:
            status = agent.ask("status")
            assert status["outerWatch"], status["outerWatchError"]
            assert status["counters"]["outer_unchecked"] == 0
            seen += status["counters"]["outer_not_tls"]
        assert seen == cls.alarms, f"{seen} alarms"

    @classmethod
    def before_agents(cls):
        """What the agents shall find when they start."""

    @classmethod
    def start_workloads(cls):
        """Servers that all tests of the class use are started here."""

    def run(self, result=None):
        with time_limit(self.seconds):
            return super().run(result)

    @contextlib.contextmanager
    def encrypted(self, *markers):
        """The wire shows only TLS while the block runs. (In the harness's own
        check: it shows the markers.) Yields a list, in which the connections
        on the wire are found after the block."""
        markers = [marker.encode() for marker in markers or [self.marker]]
        outer = []
        with self.network.capture(*markers) as capture:
            yield outer
            if not DIRECT:
                self.settle()
            self.network.await_quiet()
        outer += self.network.outer(capture.connections())
        if DIRECT:
            wire.check_plain(outer, markers)
        else:
            wire.check_encrypted(outer)

    def settle(self):
        """Waits until no flow is open: everything is on the wire then. Tests
        with long-lived flows override it."""
        for agent in self.network.agents:
            deadline.await_true(lambda a=agent: not a.open_flows(),
                                "all flows closed")

    def assert_mtls(self, local, peer, sent=None, received=None):
        """Both agents saw the flow between these two identities, over TLS if it
        left one, end in order,
        with that many bytes of the client and of the server; returns
        (outbound, inbound)."""
        if DIRECT:
            return None, None
        return tuple(
            agent.await_closed(1, reason="closed",
                               mode="mtls",
                               direction=direction, local__spiffeId=one,
                               peer__spiffeId=other,
                               **datapath.facts(direction),
                               **_counts(*counts))[0]
            for agent, direction, one, other, counts in (
                (self.network.client_agent, "outbound", local, peer,
                 (sent, received)),
                (self.network.server_agent, "inbound", peer, local,
                 (received, sent))))

    def describe(self):
        """Returns what helps to understand a failure."""
        return "\n".join(
            f"--- log of {agent.program.name} "
            f"(status {agent.program.returncode})\n" +
            "\n".join(list(agent.program.lines)[-40:] + agent.told_flows())
            for agent in self.network.agents if agent.program)
