#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Many connections that stay open.

  crowd.py connect NAME ADDRESS PORT COUNT
  crowd.py serve ADDRESS PORT

A client says when all of its connections have answered, and when each of them
ends (CLOCK_MONOTONIC, in nanoseconds). For every line that it reads it asks
again on those that are left, and says how many have answered. The server sends
back what it gets."""

import json
import resource
import selectors
import socket
import sys
import time


def _say(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


def _receive(connection):
    """Returns what is there; nothing at the end, in order or not."""
    try:
        return connection.recv(4096)
    except OSError:
        return b""


class _Client:
    def __init__(self, address, port, count):
        self.open = set()
        self.poll = selectors.DefaultSelector()
        for _ in range(count):
            connection = socket.create_connection((address, port))
            connection.sendall(b"?")
            self.open.add(connection)
            self.poll.register(connection, selectors.EVENT_READ)
        self.waiting = set(self.open)

    def ask(self):
        self.waiting = set(self.open)
        for connection in self.open:
            try:
                connection.sendall(b"?")
            except OSError:
                pass  # its end is on its way

    def step(self, connection, moment):
        if not _receive(connection):
            self.poll.unregister(connection)
            self.open.discard(connection)
            connection.close()
            _say("ended", at=moment)
        was_waiting = bool(self.waiting)
        self.waiting.discard(connection)
        if was_waiting and not self.waiting:
            _say("answered", count=len(self.open))

    def run(self):
        self.poll.register(sys.stdin, selectors.EVENT_READ)
        while True:
            ready = self.poll.select()
            moment = time.monotonic_ns()
            for key, _ in ready:
                if key.fileobj is not sys.stdin:
                    self.step(key.fileobj, moment)
                elif sys.stdin.readline():
                    self.ask()
                else:
                    return


def _serve(address, port):
    listener = socket.create_server((address, port), backlog=4096)
    _say("listening", port=listener.getsockname()[1])
    poll = selectors.DefaultSelector()
    poll.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in poll.select():
            if key.fileobj is listener:
                poll.register(listener.accept()[0], selectors.EVENT_READ)
            elif received := _receive(key.fileobj):
                key.fileobj.sendall(received)
            else:
                poll.unregister(key.fileobj)
                key.fileobj.close()


def main():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if sys.argv[1] == "serve":
        _serve(sys.argv[2], int(sys.argv[3]))
    else:
        _, _, _, address, port, count = sys.argv
        _Client(address, int(port), int(count)).run()


if __name__ == "__main__":
    main()
