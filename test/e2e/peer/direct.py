# SPDX-License-Identifier: Apache-2.0
"""Connections past the agent (datapath.sameNode: direct): a process gets its
pass by a first connection through the agent."""

import socket
import time

# include/abi/identity.h
_LEVEL, _OPTION, _SIZE = 7891, 1, 785
_PATIENCE = 30


def is_direct(connection):
    """Whether the peer is vouched for, and nothing is encrypted."""
    try:
        shown = connection.getsockopt(_LEVEL, _OPTION, _SIZE)
    except OSError:  # not authorised yet, so through the agent
        return False
    return shown[0] == 0 and shown[17 + 256] != 0


def connect(make):
    """Returns the first direct connection of those that make() returns."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        connection = make()
        if is_direct(connection):
            return connection
        with connection:
            connection.sendall(b"x")
            if connection.recv(1) != b"x":
                raise OSError("the first connection was not answered")
    raise OSError(f"no direct connection within {_PATIENCE} s")


def accept(listener):
    """Returns the first direct connection and its client's address."""
    while True:
        connection, address = listener.accept()
        if is_direct(connection):
            return connection, address
        with connection:
            while data := connection.recv(100):
                connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
