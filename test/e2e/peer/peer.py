#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An application with chosen manners, for the tests of the relay.

  peer.py connect ADDRESS PORT MARKER [--epoll] [--wait] [--from ADDRESS]
                  [--fast-open] [--direct] STEP...
  peer.py serve ADDRESS PORT MARKER [--connections N] [--direct] STEP...

Steps: see steps.py. Reports what it saw as JSON lines. Whoever connects stays
until its standard input ends: a process that is gone cannot be attested, and all
that a test sends may fit into the buffers of a loopback before it is."""

import argparse
import errno
import pathlib
import select
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import direct  # pylint: disable=C0413
from steps import Conversation, name, say  # pylint: disable=C0413


_PATIENCE = 60


def _family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _peername(connection):
    try:
        return name(connection.getpeername())
    except OSError as error:  # reset by the peer before we could ask
        return errno.errorcode[error.errno]


def _set_mode(connection, options):
    if options.nonblocking:
        # With a timeout Python sets O_NONBLOCK, and waits by poll(2).
        connection.settimeout(_PATIENCE)


def _connect_with_epoll(connection, address):
    connection.setblocking(False)
    error = connection.connect_ex(address)
    if error == errno.EINPROGRESS:
        epoll = select.epoll()
        epoll.register(connection, select.EPOLLOUT)
        epoll.poll()
        error = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error:
        raise OSError(error, "connect")
    connection.setblocking(True)


def _new_connection(options):
    connection = socket.socket(_family(options.address))
    try:
        if options.source:
            connection.bind((options.source, 0))
        if options.epoll:
            _connect_with_epoll(connection, (options.address, options.port))
        elif options.fast_open:
            # RFC 7413: the first data may travel in the SYN.
            connection.sendto(b"fast", socket.MSG_FASTOPEN,
                              (options.address, options.port))
        else:
            connection.connect((options.address, options.port))
    except OSError:
        connection.close()
        raise
    return connection


def _connect(options):
    if options.wait:
        say("waiting")
        sys.stdin.readline()
    try:
        connection = direct.connect(lambda: _new_connection(options)) \
            if options.direct else _new_connection(options)
    except OSError as error:
        say("failed", error=errno.errorcode.get(error.errno, str(error)))
        return
    _set_mode(connection, options)
    say("connected", peer=_peername(connection),
        local=name(connection.getsockname()))
    Conversation(connection, "client", options.marker.encode()).run(
        options.steps)
    sys.stdin.read()


def _serve(options):
    listener = socket.create_server(
        (options.address, options.port), family=_family(options.address),
        dualstack_ipv6=options.address == "::")
    say("listening", port=listener.getsockname()[1])
    for _ in range(options.connections):
        connection, address = \
            direct.accept(listener) if options.direct else listener.accept()
        _set_mode(connection, options)
        say("accepted", peer=name(address), peername=_peername(connection),
            local=name(connection.getsockname()))
        Conversation(connection, "server", options.marker.encode()).run(
            options.steps)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=("connect", "serve"))
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("marker")
    parser.add_argument("--epoll", action="store_true")
    parser.add_argument("--wait", action="store_true",
                        help="connect after a line on standard input")
    parser.add_argument("--from", dest="source")
    parser.add_argument("--fast-open", action="store_true")
    parser.add_argument("--nonblocking", action="store_true",
                        help="O_NONBLOCK, as of programs with an event loop")
    parser.add_argument("--direct", action="store_true",
                        help="the first connection that goes past the agent")
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("steps", nargs="*")
    options = parser.parse_intermixed_args()
    (_connect if options.role == "connect" else _serve)(options)


if __name__ == "__main__":
    main()
