# SPDX-License-Identifier: Apache-2.0
"""Plaintext on an outer socket: nobody's fault here but the test's, which
takes the agent's own socket and writes to it."""

import ctypes
import json
import os
import socket

from rig import datapath
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
    """It does not leave the host."""

    def _stray(self, server):
        """Opens a flow and writes the marker to the agent's outer socket.
        Returns the client, and the flow as it was before."""
        agent = self.network.client_agent
        client = Connecting(self, server.port, ["send:10", "recv-all"])
        server.facts("waiting")
        flow = agent.await_open(state="open", **datapath.wanted())
        address = (self.network.address, server.port)
        self.assertEqual(flow["destination"], endpoint(address))
        with _connected_socket(agent.program.pid, address) as taken:
            taken.send(self.marker.encode())
        return client, flow

    def test_is_stopped(self):
        """The flow ends, and an alarm is raised; where the kernel has the keys,
        it makes a record even of that."""
        with self.encrypted():
            server = Listening(self, ["recv:10", "go", "recv-all", "close"])
            client, flow = self._stray(server)
            if flow["path"] == "ktls":
                self._check_sealed(server, client)
            else:
                self._check_stopped(client)

    def _check_sealed(self, server, client):
        client.program.stop()
        server.program.write("go\n")
        self.assertEqual(server.facts("done")["received"],
                         10 + len(self.marker))

    def _check_stopped(self, client):
        type(self).alarms = 1  # see Case.check_watch
        agent = self.network.client_agent
        flow = agent.await_closed(1, reason="not_tls_segment")[0]
        client.facts("done")
        alarm = agent.program.await_json("event", "alarm")
        self.assertEqual(alarm["level"], "error")
        self.assertEqual(alarm["alarm"], "not_tls_segment")
        self.assertEqual(alarm["flow"], int(flow["id"]))
        self.assertEqual(alarm["peer"], SERVER)
        self.assertEqual(alarm["destination"], flow["destination"])
        self.assertNotIn(self.marker, json.dumps(alarm))
        self.assertEqual(fact(flow, "peer__spiffeId"), SERVER)
