# SPDX-License-Identifier: Apache-2.0
"""Peers (test/e2e/peer) that talk to each other across the network."""

import pathlib

from rig import documents
from rig.case import Case

_PEER = pathlib.Path(__file__).resolve().parents[1] / "peer"
_PYTHON = "/usr/bin/python3"
PEER = [_PYTHON, _PEER / "peer.py"]
SWARM = [_PYTHON, _PEER / "swarm.py"]
MARATHON = [_PYTHON, _PEER / "marathon.py"]

CLIENT = documents.spiffe_id("peer/client")
SERVER = documents.spiffe_id("peer/server")


def identities(**spec):
    """Returns the documents that give the two peers their identities."""
    return [
        documents.identity(
            f"peer/{side}",
            *({"process:cmdline": f"{_PYTHON} {program} {role}"}
              for program in (_PEER / "peer.py", _PEER / "swarm.py",
                              _PEER / "marathon.py")),
            **spec)
        for side, role in (("client", "connect"), ("server", "serve"))
    ]


def request(count):
    """Returns the steps of a client that sends, and stays until the other side
    has ended: a process that is gone cannot be attested."""
    return [f"send:{count}", "shutdown", "recv-all"]


class Listening:
    """A peer that serves; `steps` for each of its connections."""

    def __init__(self, case, steps, address=None, connections=1, port=0,
                 **options):
        self.program = case.server.spawn(
            [*PEER, "serve", address or case.network.address, port,
             case.marker, f"--connections={connections}", *steps],
            group="server", name="server", **options)
        self.port = self.program.await_json("event", "listening")["port"]

    def facts(self, event, seconds=60, count=1):
        return self.program.await_json("event", event, seconds, count)


class Connecting(Listening):
    """A peer that connects to a Listening one."""

    def __init__(self, case, port, steps, address=None, options=(), **spawn):
        # pylint: disable=super-init-not-called
        self.program = case.client.spawn(
            [*PEER, "connect", address or case.network.address, port,
             case.marker, *options, *steps], group="client", name="client",
            lingers=True, **spawn)


def talk(case, client_steps, server_steps, address=None, options=(),
         seconds=60):
    """Runs both peers to their ends; returns what each of them says of it."""
    server = Listening(case, server_steps, address)
    client = Connecting(case, server.port, client_steps, address, options)
    done = client.facts("done", seconds), server.facts("done", seconds)
    client.program.check(seconds)
    server.program.check(seconds)
    return done


class PeerCase(Case):
    """Runs pairs of step lists; see peer/steps.py."""

    documents = identities()

    def check_exact(self, client, server):
        """Both directions arrived whole."""
        self.assertEqual((client["error"], server["error"]), (None, None))
        for sender, receiver in ((client, server), (server, client)):
            self.assertEqual(
                (receiver["received"], receiver["receivedChecksum"]),
                (sender["sent"], sender["sentChecksum"]))

    def exchange(self, client_steps, server_steps, **options):
        with self.encrypted():
            client, server = talk(self, client_steps, server_steps, **options)
        self.check_exact(client, server)
        self.assert_mtls(CLIENT, SERVER, client["sent"], server["sent"])
