# SPDX-License-Identifier: Apache-2.0
"""A service manager as far as an agent needs one: it hears that the agent is
ready, and keeps descriptors for the next one (sd_notify(3), FDSTORE)."""

import array
import os
import pathlib
import socket
import threading

from rig import deadline

_LAUNCHER = pathlib.Path(__file__).resolve().with_name("listen_fds.py")
_MAX_DESCRIPTORS = 16
_BATCH = 200  # SCM_MAX_FD is 253


class Manager:
    """Keeps what it is given under its name, whatever becomes of it (FDPOLL=0),
    and at most `most` descriptors (FileDescriptorStoreMax=). `wrapper` is an argv
    in front of all that it starts."""

    def __init__(self, directory, most=9000, wrapper=()):
        self._path = directory / "manager"
        self._wrapper = list(wrapper)
        self._most = most
        self._stored = []  # (name, descriptor)
        self._changed = threading.Condition()
        self._ready = False
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._path.unlink(missing_ok=True)
        self._socket.bind(str(self._path))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def env(self):
        return {"NOTIFY_SOCKET": str(self._path)}

    def launcher(self):
        """Returns the argv in front of the agent's, which gives it what is
        stored."""
        with self._changed:
            self._ready = False
        path = self._path.with_name("passing")
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
        listener.listen(1)
        threading.Thread(target=self._pass_on, args=(listener,),
                         daemon=True).start()
        return [*self._wrapper, "/usr/bin/python3", str(_LAUNCHER), str(path)]

    def _pass_on(self, listener):
        connection, _ = listener.accept()
        with listener, connection, self._changed:
            stored = list(self._stored)
            text = ":".join(name for name, _ in stored).encode()
            connection.sendall(f"{len(stored):8}{len(text):8}".encode() + text)
            connection.recv(1)
            for begin in range(0, len(stored), _BATCH):
                socket.send_fds(connection, [b"x"], [
                    fd for _, fd in stored[begin:begin + _BATCH]])
                connection.recv(1)

    def _serve(self):
        while True:
            room = socket.CMSG_SPACE(_MAX_DESCRIPTORS * 4)
            data, control, _, _ = self._socket.recvmsg(4096, room)
            if not data:
                return  # close()
            descriptors = array.array("i")
            for _, _, part in control:
                descriptors.frombytes(part[:len(part) // 4 * 4])
            lines = dict(line.split("=", 1)
                         for line in data.decode().split("\n") if "=" in line)
            self._take(lines, list(descriptors))

    def _take(self, lines, descriptors):
        with self._changed:
            name = lines.get("FDNAME", "stored")
            if lines.get("FDSTORE") == "1":
                for descriptor in descriptors:
                    if len(self._stored) < self._most:
                        self._stored.append((name, descriptor))
                    else:
                        os.close(descriptor)
                descriptors = []
            if lines.get("FDSTOREREMOVE") == "1":
                self._remove(name)
            if lines.get("READY") == "1":
                self._ready = True
            for descriptor in descriptors:
                os.close(descriptor)
            self._changed.notify_all()

    def _remove(self, name):
        for each, descriptor in self._stored:
            if each == name:
                os.close(descriptor)
        self._stored = [row for row in self._stored if row[0] != name]

    def names(self):
        with self._changed:
            return [name for name, _ in self._stored]

    def flows(self):
        """Returns the names of the stored flows."""
        return {name for name in self.names() if name.startswith("kith-flow-")}

    def replace(self, name, descriptor):
        """Stores another descriptor under the name."""
        with self._changed:
            self._remove(name)
            self._stored.append((name, descriptor))

    def descriptor(self, name):
        with self._changed:
            return next(fd for each, fd in self._stored if each == name)

    def await_flows(self, count, seconds=20):
        deadline.await_true(lambda: len(self.flows()) == count,
                            f"{count} stored flows", seconds)

    def await_ready(self, program, seconds):
        def ready():
            if program.returncode is not None:
                raise AssertionError("the agent ended:\n" + program.output)
            return self._ready
        deadline.await_true(ready, "the agent is ready", seconds)

    def close(self):
        # The thread must not wait on a number that is another socket's by then.
        self._socket.shutdown(socket.SHUT_RD)
        self._thread.join()
        self._socket.close()
        with self._changed:
            for _, descriptor in self._stored:
                os.close(descriptor)
            self._stored = []
