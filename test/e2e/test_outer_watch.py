# SPDX-License-Identifier: Apache-2.0
"""Plaintext on an outer socket: nobody's fault here but the test's, which
takes the agent's own socket and writes to it."""

import ctypes
import json
import os
import socket

from rig.agent import fact
from rig.case import needs_agent, on
from rig.conversation import SERVER, Connecting, Listening, PeerCase
from rig.network import TwoNodes, endpoint

_SYS_PIDFD_GETFD = 438

_libc = ctypes.CDLL(None, use_errno=True)


def _take(pidfd, number):
    """Returns a copy of another process's descriptor as a socket."""
    taken = _libc.syscall(_SYS_PIDFD_GETFD, pidfd, number, 0)
    if taken < 0:
        raise OSError(ctypes.get_errno(), f"pidfd_getfd of {number}")
    return socket.socket(fileno=taken)


def _is_connected_to(taken, address):
    try:
        return taken.getpeername()[:2] == address
    except OSError:
        return False


def _connected_socket(pid, address):
    """Returns a copy of the process's socket that is connected there."""
    pidfd = os.pidfd_open(pid)
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            link = os.readlink(f"/proc/{pid}/fd/{name}")
            if not link.startswith("socket:"):
                continue
            taken = _take(pidfd, int(name))
            if _is_connected_to(taken, address):
                return taken
            taken.close()
    finally:
        os.close(pidfd)
    raise AssertionError(f"no socket of {pid} is connected to {address}")


@needs_agent
@on(TwoNodes)
class PlaintextOnAnOuterSocket(PeerCase):
    """It does not leave the host, the flow ends, and an alarm is raised."""

    alarms = 1  # see Case.check_watch

    def test_is_stopped(self):
        agent = self.network.client_agent
        with self.encrypted():
            server = Listening(self, ["recv:10", "go", "close"])
            client = Connecting(self, server.port, ["send:10", "recv-all"])
            server.facts("waiting")
            address = (self.network.address, server.port)
            with _connected_socket(agent.program.pid, address) as taken:
                taken.send(self.marker.encode())
                flow = agent.await_closed(1, reason="not_tls_segment")[0]
            client.facts("done")
        self.assertEqual(flow["destination"], endpoint(address))
        alarm = agent.program.await_json("event", "alarm")
        self._check_alarm(alarm, flow)

    def _check_alarm(self, alarm, flow):
        self.assertEqual(alarm["level"], "error")
        self.assertEqual(alarm["alarm"], "not_tls_segment")
        self.assertEqual(alarm["flow"], int(flow["id"]))
        self.assertEqual(alarm["peer"], SERVER)
        self.assertEqual(alarm["destination"], flow["destination"])
        self.assertNotIn(self.marker, json.dumps(alarm))
        self.assertEqual(fact(flow, "peer__spiffeId"), SERVER)
