# SPDX-License-Identifier: Apache-2.0
"""What the load goes through: nothing, kith, or a pair of well-known proxies
with mutual TLS between them.

All of them: TLS 1.3, TLS_AES_128_GCM_SHA256, ECDSA P-256 certificates that both
sides verify, a full handshake for each connection, one worker per proxy."""

import abc
import os
import pathlib

from rig import documents
from rig.network import OneNode

ADDRESS = "127.0.0.1"
SERVER_PORT = 7000
CIPHER = "TLS_AES_128_GCM_SHA256"
# A name that all proxies' certificates have: nginx verifies one.
NAME = "pair.bench"


class Stack(abc.ABC):
    """`port` is where the client dials; `pids` are the processes in between."""

    name = ""
    address = ADDRESS
    port = SERVER_PORT
    managed = False  # whether client and server are captured
    direct = False  # whether flows go past the agent, after a first one
    node = None  # where both run, if it is not the bench's own

    def start(self):
        """Starts the processes in between and waits until they listen."""

    def stop(self):
        pass

    @property
    def pids(self):
        return []


class Direct(Stack):
    """Client and server on one connection."""

    name = "direct"


class Kith(Stack):
    """One agent, which is both ends: two processes' worth of work."""

    name = "kith"
    port = 7001  # of a server that is a workload
    managed = True
    settings = {}

    def __init__(self, network, load):
        self._network = network
        self._load = load

    def start(self):
        self.node = self._network.client
        self._network.start_agents([
            documents.identity("bench/server", {
                "process:cmdline": f"{self._load} serve"}),
            documents.identity("bench/client", *(
                {"process:cmdline": f"{self._load} {kind}"}
                for kind in ("bulk", "latency", "connections", "idle"))),
        ], log={"level": "info"}, **self.settings)

    def stop(self):
        for agent in self._network.agents:
            agent.stop()

    @property
    def agent(self):
        return self._network.agents[0]

    @property
    def pids(self):
        return [self.agent.program.pid]


class KithDirect(Kith):
    """The same, where only the first connection of a process goes through the
    agent."""

    name = "kith-direct"
    direct = True
    settings = {"datapath": {"sameNode": "direct"}}


class Pair(Stack):
    """Two proxies: plain -> TLS -> plain."""

    between = 0  # the port between the two

    def __init__(self, network, credential, authority):
        self._node = network.client
        self._directory = network.directory / self.name
        self._directory.mkdir()
        self._programs = []
        self._facts = {
            "address": ADDRESS, "port": self.port, "between": self.between,
            "server": SERVER_PORT, "cipher": CIPHER, "name": NAME,
            "certificate": credential.certificate, "key": credential.key,
            "authority": authority, "directory": self._directory,
        }

    def configure(self, name, text):
        path = self._directory / name
        path.write_text(text.format(**self._facts))
        return path

    def run(self, argv, port):
        program = self._node.spawn(argv, managed=False, name=self.name)
        program.await_listening(port)
        self._programs.append(program)

    def stop(self):
        for program in self._programs:
            program.stop()

    @property
    def pids(self):
        return [pid for program in self._programs
                for pid in _with_children(program.pid)]


def _with_children(pid):
    yield pid
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    for child in children.split():
        yield from _with_children(int(child))


def network():
    """Returns a namespace in which 64,000 ports can be used at once."""
    made = OneNode()
    with made.client.netns.entered():
        for name, value in (("ip_local_port_range", "1024 65000"),
                            ("tcp_tw_reuse", "1")):
            pathlib.Path(f"/proc/sys/net/ipv4/{name}").write_text(value)
    return made


def load_program():
    repository = pathlib.Path(__file__).resolve().parents[2]
    return os.environ.get(
        "KITH_LOAD", str(repository / "build" / "test" / "bench" / "kith_load"))
