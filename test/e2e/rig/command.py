# SPDX-License-Identifier: Apache-2.0
"""Programs started in a node's namespace and one of its cgroups."""

import collections
import itertools
import json
import os
import signal
import subprocess
import threading

from rig import deadline

# Lines of output kept for the message of a failed test.
_MAX_LINES = 100_000
# enum of include/net/tcp_states.h, as /proc/net/tcp prints it.
_TCP_LISTEN = "0A"

# The namespace is entered first and the cgroup joined after it, so that no
# process of the managed cgroup is ever seen in the machine's own namespace.
_JOIN_AND_EXEC = 'echo 0 > "$0/cgroup.procs" && exec "$@"'


def command_line(netns, cgroup, argv, user=None, gid=None):
    """Returns argv wrapped so that it runs there, as that user, or as root with
    that group only."""
    line = ["nsenter", f"--net={netns.path}", "sh", "-c", _JOIN_AND_EXEC,
            str(cgroup)]
    if user:
        line += ["setpriv", f"--reuid={user}", f"--regid={user}",
                 "--init-groups"]
    if gid:
        line += ["setpriv", f"--regid={gid}", "--clear-groups"]
    return line + [str(argument) for argument in argv]


def _listens(table, port):
    with open(table, encoding="ascii") as rows:
        for row in list(rows)[1:]:
            _, local, _, state = row.split()[:4]
            if state == _TCP_LISTEN and int(local.split(":")[1], 16) == port:
                return True
    return False


class Program:
    """A running program; its output is read all the time, so that a full pipe
    never stops it, and kept for the message of a failed test."""

    def __init__(self, argv, name, env=None, cwd=None, stderr=None,
                 lingers=False):
        """One that `lingers` does not end before its input does."""
        self.name = name
        self._lingers = lingers
        self.lines = collections.deque(maxlen=_MAX_LINES)
        self._changed = threading.Condition()
        self._ended = False
        self._popen = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=stderr or subprocess.STDOUT, env={**os.environ, **(env or {})},
            cwd=cwd, start_new_session=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self):
        return self._popen.pid

    @property
    def returncode(self):
        return self._popen.poll()

    @property
    def output(self):
        with self._changed:
            return "\n".join(self.lines)

    def _read(self):
        for line in self._popen.stdout:
            with self._changed:
                self.lines.append(line.decode(errors="replace").rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def write(self, text):
        """Writes to the program's standard input."""
        self._popen.stdin.write(text.encode())
        self._popen.stdin.flush()

    def close_input(self):
        self._popen.stdin.close()

    def await_line(self, wanted, seconds=20, count=1):
        """Returns the first line for which wanted(line) is true, or the
        `count`th. `wanted` may be a string to be contained. Fails when the
        program ends without."""
        if isinstance(wanted, str):
            text, wanted = wanted, lambda line: text in line
        limit = deadline.Deadline(seconds)
        with self._changed:
            while True:
                found = filter(wanted, self.lines)
                line = next(itertools.islice(found, count - 1, None), None)
                if line is not None:
                    return line
                if self._ended or not self._changed.wait(limit.left()):
                    raise AssertionError(self._say("did not print the line"))

    def await_json(self, key, value, seconds=20, count=1):
        """Returns the first output line, or the `count`th, that is a JSON
        object with object[key] == value."""
        def matches(line):
            return line.startswith("{") and json.loads(line).get(key) == value
        return json.loads(self.await_line(matches, seconds, count))

    def await_listening(self, port, seconds=20):
        """Waits until somebody in the program's namespace listens there."""
        def listening():
            if self.returncode is not None:
                raise AssertionError(self._say("ended"))
            return any(_listens(f"/proc/{self.pid}/net/{table}", port)
                       for table in ("tcp", "tcp6"))
        deadline.await_true(listening, f"{self.name} listens on {port}",
                            seconds)

    def wait(self, seconds=60):
        """Waits for the end and for all output; returns the exit status."""
        if self._lingers:
            self.close_input()
        seconds = deadline.allowed(seconds)
        try:
            status = self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                self._say(f"still runs after {seconds:g} s")) from None
        self._reader.join(seconds)
        return status

    def check(self, seconds=60):
        """Waits for success; returns the output."""
        if self.wait(seconds) != 0:
            raise AssertionError(self._say("failed"))
        return self.output

    def send_signal(self, number):
        if self.returncode is None:
            os.kill(self.pid, number)

    def stop(self, number=signal.SIGTERM, seconds=20):
        """Asks the program to end; kills it if it does not."""
        seconds = deadline.allowed(seconds)
        self.send_signal(number)
        try:
            self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            self._popen.wait()
        self._reader.join(seconds)
        for pipe in (self._popen.stdin, self._popen.stdout):
            pipe.close()

    def _say(self, what):
        return (f"{self.name}: {what} (status {self.returncode}); output:\n" +
                "\n".join(self.lines))
