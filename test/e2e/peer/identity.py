#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An application that asks its socket who the peer is.

  identity.py connect ADDRESS PORT
  identity.py serve ADDRESS

Reports as JSON lines what it is told: the server at once after accept(), the
client after the server's first byte."""

import ctypes
import errno
import json
import socket
import sys

# include/abi/identity.h
_LEVEL, _OPTION, _SIZE = 7891, 1, 785


class _Shown(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("enabled", ctypes.c_bool),
                ("mtls_type", ctypes.c_char * 16),
                ("spiffe_id", ctypes.c_char * 256),
                ("peer_spiffe_id", ctypes.c_char * 256),
                ("alpn", ctypes.c_char * 256)]


def _say(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


def _ask(connection, level=_LEVEL, option=_OPTION, size=_SIZE):
    try:
        answer = connection.getsockopt(level, option, size)
    except OSError as error:
        return errno.errorcode[error.errno]
    shown = _Shown.from_buffer_copy(answer)
    return {"size": len(answer), "enabled": shown.enabled,
            **{name: getattr(shown, name).decode()
               for name, _ in _Shown._fields_[1:]}}


def _report(connection):
    with socket.socket() as unconnected, \
            socket.socket(type=socket.SOCK_DGRAM) as other_protocol:
        _say("told", shown=_ask(connection), larger=_ask(connection, size=1000),
             short=_ask(connection, size=_SIZE - 1),
             other=_ask(connection, option=2),
             level=_ask(connection, level=_LEVEL - 1),
             unconnected=_ask(unconnected), udp=_ask(other_protocol),
             type=connection.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE))


def _serve(address):
    with socket.create_server((address, 0)) as listener:
        _say("listening", port=listener.getsockname()[1])
        connection, _ = listener.accept()
        with connection:
            _report(connection)
            connection.sendall(b"x")
            connection.recv(1)


def _connect(address, port):
    with socket.create_connection((address, int(port))) as connection:
        connection.sendall(b"x")  # a PERMISSIVE server decides by that
        connection.recv(1)
        _report(connection)


if __name__ == "__main__":
    {"serve": _serve, "connect": _connect}[sys.argv[1]](*sys.argv[2:])
