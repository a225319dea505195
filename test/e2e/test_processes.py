# SPDX-License-Identifier: Apache-2.0
"""Who a process is, through fork, exec, setuid and the reuse of its pid."""

import os
import pathlib
import shutil

from rig import documents
from rig.case import Case, needs_agent, on
from rig.conversation import SERVER, Connecting, Listening, identities, request
from rig.network import OneNode

_PEER = pathlib.Path(__file__).resolve().parent / "peer"
_ONE = documents.spiffe_id("process/one")
_TWO = documents.spiffe_id("process/two")
_NOBODY = 65534

# Says something and stays until the server has closed.
_DIAL = 'exec 3<>"/dev/tcp/$0/$1"; echo "$2" >&3; cat <&3; exec 3>&-; '

# Connects as root, then as the user nobody: one process, one program.
_SETUID = """
import os, socket, sys
for uid in (0, 65534):
    os.setresuid(uid, uid, uid)
    with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as peer:
        peer.sendall(sys.argv[3].encode() + b"\\n")
        peer.recv(1)  # stays until the server has closed
"""


class _Processes(Case):
    """A server that takes several connections, one after the other."""

    def serve(self, connections):
        return Listening(self, ["recv:49", "close"], connections=connections)

    def run_client(self, server, argv, **options):
        program = self.client.spawn([*argv, self.network.address, server.port,
                                     self.marker], **options)
        program.check()
        server.program.check()
        return program

    def outbound(self, server, count):
        """Returns the outbound flows to the server, in order."""
        destination = f"{self.network.address}:{server.port}"
        self.network.client_agent.await_closed(
            count, direction="outbound", destination=destination)
        return [flow for flow in self.network.client_agent.flows()
                if flow["direction"] == "outbound" and
                flow["destination"] == destination]


@needs_agent
@on(OneNode)
class ForkAndExec(_Processes):
    """bash is one workload, curl another."""

    documents = identities() + [
        documents.identity("process/one", {"process:name": "bash"}),
        documents.identity("process/two",
                           {"process:binary:path": "/usr/bin/curl"}),
    ]

    def test_fork(self):
        server = self.serve(3)
        with self.encrypted():
            program = self.run_client(
                server, ["bash", "-c", f"{_DIAL} ({_DIAL} :); ({_DIAL} :)"])
        flows = self.outbound(server, 3)
        self.assertEqual([flow["local"]["spiffeId"] for flow in flows],
                         3 * [_ONE])
        pids = [flow["process"]["pid"] for flow in flows]
        self.assertEqual(pids[0], program.pid)
        self.assertEqual(len(set(pids)), 3)

    def test_exec(self):
        server = self.serve(2)
        with self.encrypted():
            program = self.client.spawn(
                ["bash", "-c", f'{_DIAL} exec curl -m 5 -sS "$0:$1"',
                 self.network.address, server.port, self.marker])
            program.wait()
            server.program.check()
        flows = self.outbound(server, 2)
        self.assertEqual([flow["local"]["spiffeId"] for flow in flows],
                         [_ONE, _TWO])
        self.assertEqual([flow["process"]["pid"] for flow in flows],
                         2 * [program.pid])

    def test_exec_into_a_program_without_identity(self):
        server = Listening(self, ["recv-all"])
        program = self.client.spawn(
            ["bash", "-c", "exec perl -MIO::Socket::INET -e '"
             'my $s = IO::Socket::INET->new("$ARGV[0]:$ARGV[1]");'
             'print $s $ARGV[2]; print <$s>\' "$0" "$1" "$2"',
             self.network.address, server.port, self.marker])
        program.wait()
        self.network.server_agent.await_closed(
            1, direction="inbound", reason="plaintext_refused",
            local__spiffeId=SERVER)
        self.assertNotIn("accepted", server.program.output)


@needs_agent
@on(OneNode)
class SetUid(_Processes):
    """The same process is another workload as another user."""

    documents = identities() + [
        documents.identity(f"process/{name}", {
            "process:cmdline": "/usr/bin/python3 -c", "process:uid": uid})
        for name, uid in (("one", "0"), ("two", str(_NOBODY)))
    ]

    def test_setuid(self):
        server = self.serve(2)
        with self.encrypted():
            self.run_client(server, ["/usr/bin/python3", "-c", _SETUID])
        flows = self.outbound(server, 2)
        self.assertEqual([flow["local"]["spiffeId"] for flow in flows],
                         [_ONE, _TWO])
        self.assertEqual(len({flow["process"]["pid"] for flow in flows}), 1)


@needs_agent
@on(OneNode)
class RecycledPid(_Processes):
    """Two programs under one pid: two copies of curl."""

    documents = identities() + [
        documents.identity(f"process/{name}", {"process:name": name})
        for name in ("one", "two")
    ]

    def test_recycled_pid(self):
        programs = [self.directory / name
                    for name in ("one", "two", "three", "one")]
        for program in programs:
            shutil.copy("/usr/bin/curl", program)
        server = self.serve(3)
        argv = ["/usr/bin/python3", _PEER / "same_pid.py",
                self.network.address, server.port, *programs]
        said = self.client.run(argv, env={"PATH": os.environ["PATH"]})
        server.program.check()
        pids = {line.split()[1] for line in said.splitlines()
                if line.startswith(str(self.directory))}
        self.assertEqual(len(pids), 1)
        flows = [flow for flow in self.outbound(server, 3)
                 if flow["mode"] == "mtls"]
        self.assertEqual([flow["local"]["spiffeId"] for flow in flows],
                         [_ONE, _TWO, _ONE])
        self.assertEqual({str(flow["process"]["pid"]) for flow in flows}, pids)


@needs_agent
@on(OneNode)
class BeforeTheAgent(_Processes):
    """Processes and listeners that the agent finds when it starts."""

    documents = identities()

    @classmethod
    def start_workloads(cls):
        # Case starts the agent before the workloads.
        cls.network.client_agent.stop()

    def test_existing_processes_are_picked_up(self):
        server = Listening(self, ["recv-all", "close"])
        client = Connecting(self, server.port, request(70000),
                            options=["--wait"])
        client.facts("waiting")
        self.network.client_agent.start()
        self.addCleanup(self.network.client_agent.stop)
        with self.encrypted():
            client.program.write("go\n")
            done = server.facts("done")
        self.assertEqual(done["received"], 70000)
        flows = self.network.client_agent.flows()
        self.assertEqual({flow["mode"] for flow in flows}, {"mtls"})
        self.assertEqual(len(flows), 2)

    def test_existing_connections_are_left_alone(self):
        server = Listening(self, ["recv:1000", "send:1000", "recv-all"])
        client = Connecting(self, server.port, ["send:1000", "go", "recv:1000",
                                                "send:5000", "close"])
        client.facts("waiting")
        self.network.client_agent.start()
        self.addCleanup(self.network.client_agent.stop)
        client.program.write("go\n")
        self.assertEqual(server.facts("done")["received"], 6000)
        self.assertIsNone(client.facts("done")["error"])
        self.assertEqual(self.network.client_agent.flows(), [])
