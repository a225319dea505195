# SPDX-License-Identifier: Apache-2.0
"""One `kith agent` under test, and the operator's commands against it."""

import json
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess

from rig import datapath, deadline
from rig.command import Program, command_line
from rig.documents import TRUST_DOMAIN

_REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
BINARY = pathlib.Path(os.environ.get("KITH_BINARY",
                                     _REPOSITORY / "build" / "kith"))
_READY_SECONDS = 20


class Agent:
    """Runs in the node's namespace, outside the cgroup that it manages."""

    def __init__(self, node, directory, ca_directory, **settings):
        self.node = node
        self.directory = pathlib.Path(directory)
        self.resources = self.directory / "resources.d"
        self.resources.mkdir(parents=True)
        self.socket = self.directory / "run" / "admin.sock"
        self.ca_directory = pathlib.Path(ca_directory)
        self.config = {
            "trustDomain": TRUST_DOMAIN,
            "stateDir": str(self.directory / "state"),
            "runtimeDir": str(self.directory / "run"),
            "cgroup": str(node.managed),
            "resources": [str(self.resources)],
            "issuer": {"embedded": {"dir": str(ca_directory)}},
            "log": {"level": "debug", "format": "json"},
            **datapath.with_path(settings),
        }
        self.program = None
        self._killed = False
        self.manager = None  # what starts it, if not the test

    def put(self, name, documents):
        """Writes a resource file, as an editor does: whole, by rename."""
        text = documents if isinstance(documents, str) else "\n---\n".join(
            json.dumps(document, indent=1) for document in documents)
        scratch = self.directory / "scratch"
        scratch.write_text(text)
        scratch.rename(self.resources / name)

    def write_config(self):
        path = self.directory / "kith.yaml"
        path.write_text(json.dumps(self.config, indent=1))
        return path

    def launch(self, *prefix, env=None, options=()):
        """Starts the daemon without waiting for it; `prefix` runs it."""
        self._killed = False
        argv = [*prefix, BINARY, "agent", "--config", self.write_config(),
                *options]
        self.program = Program(
            command_line(self.node.netns, self.node.outside, argv),
            f"agent of {self.node.name}", env)
        return self.program

    def start(self, *options):
        """Starts the daemon and waits until it says that it is ready."""
        if self.manager:
            self.launch(*self.manager.launcher(), env=self.manager.env,
                        options=options)
            self.manager.await_ready(self.program, _READY_SECONDS)
            return
        path = self.directory / "notify"
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(str(path))
            self.launch(env={"NOTIFY_SOCKET": str(path)}, options=options)
            self._await_ready(notify)

    def _await_ready(self, notify):
        limit = deadline.Deadline(_READY_SECONDS)
        ended = os.pidfd_open(self.program.pid)
        try:
            while not limit.passed():
                ready, _, _ = select.select([notify, ended], [], [],
                                            limit.left())
                if notify in ready and b"READY=1" in notify.recv(4096):
                    return
                if ended in ready:
                    break
        finally:
            os.close(ended)
        raise AssertionError("the agent did not become ready:\n" +
                             self.program.output)

    def take_over(self):
        """Replaces the daemon by a new one; returns the old one, ended."""
        former = self.program
        self.start("--takeover")
        former.check()
        return former

    def stop(self):
        """Ends the daemon, which must not have crashed before, nor now."""
        if not self.program:
            return
        if self.program.returncode is None:
            self.program.stop()
            self.program.check()
        elif self.program.returncode < 0 and not self._killed:
            self.program.check()

    def kill(self):
        """kill -9."""
        self._killed = True
        self.program.stop(signal.SIGKILL)

    def close(self):
        try:
            self.stop()
        finally:
            if self.manager:
                self.manager.close()
            shutil.rmtree(self.directory, ignore_errors=True)

    def resident_kib(self):
        """Returns the resident memory of the daemon."""
        status = pathlib.Path(f"/proc/{self.program.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines()
                    if line.startswith("VmRSS:"))

    def command(self, *arguments):
        """Returns the argv of an operator's command with --json; what follows
        "--" is no option, whatever it begins with."""
        end = arguments.index("--") if "--" in arguments else len(arguments)
        return [str(BINARY), *arguments[:end], "--json", "--socket",
                str(self.socket), *arguments[end:]]

    def ask(self, *arguments):
        """Returns the JSON answer of an operator's command."""
        done = subprocess.run(self.command(*arguments), check=False,
                              capture_output=True, text=True,
                              timeout=deadline.allowed(30))
        if done.returncode:
            raise AssertionError(
                f"kith {' '.join(arguments)} failed: {done.stderr}")
        return json.loads(done.stdout)

    def flows(self):
        """Returns open and closed flows together, oldest first."""
        return sorted(self.open_flows() + self.closed_flows(),
                      key=lambda flow: int(flow["id"]))

    def open_flows(self):
        return self.ask("flows")["flows"]

    def closed_flows(self):
        return self.ask("flows", "--closed")["flows"]

    def told_flows(self):
        """Returns the last flows as text, for the message of a failed test."""
        try:
            return [json.dumps(flow) for flow in self.flows()[-10:]]
        except AssertionError as error:
            return [str(error)]

    def await_open(self, seconds=20, **facts):
        """Returns the first open flow with these facts, once there is one."""
        def found():
            return next((flow for flow in self.open_flows()
                         if all(fact(flow, name) == value
                                for name, value in facts.items())), None)
        return deadline.await_true(found, f"an open flow with {facts}",
                                   seconds)

    def await_closed(self, count, seconds=20, **facts):
        """Returns the closed flows with these facts (dotted names with __),
        once there are at least `count` of them."""
        def found():
            flows = [flow for flow in self.closed_flows()
                     if all(fact(flow, name) == value
                            for name, value in facts.items())]
            return flows if len(flows) >= count else None
        try:
            return deadline.await_true(found, "flows", seconds)
        except AssertionError:
            raise AssertionError(
                f"no {count} closed flows with {facts} but\n" +
                json.dumps(self.closed_flows()[:20], indent=1)) from None


def fact(flow, name):
    """Returns flow["local"]["spiffeId"] for the name local__spiffeId."""
    for key in name.split("__"):
        flow = flow.get(key, {})
    return flow
