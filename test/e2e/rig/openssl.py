# SPDX-License-Identifier: Apache-2.0
"""openssl s_client and s_server as peers that kith does not manage."""

import re

_PORT = 4433
# Makes openssl tell of every TLS message, apart from the application's bytes.
TELL = ("-msg", "-msgfile", "/proc/self/fd/2")
# What openssl prints among the application's bytes.
_CHATTER = re.compile(rb"[Rr]ead (R )?BLOCK\n|SSL_do_handshake -> 1\n")


def _message(direction, name):
    return lambda line: line.startswith(direction) and line.endswith(name)


class Peer:
    """A running s_client or s_server."""

    def __init__(self, node, argv, output=None):
        line = ["openssl", *map(str, argv)]
        if output:  # the application's bytes, apart from the messages
            line = ["sh", "-c", 'exec "$@" > "$0"', str(output), *line]
        self._output = output
        self._updates = 0
        self.program = node.spawn(line, managed=False, name=argv[0])

    def await_message(self, direction, name, count=1):
        """Waits for the `count`th TLS message of that name that was sent (">>>")
        or received ("<<<"). Needs TELL."""
        self.program.await_line(_message(direction, name), count=count)

    def count_messages(self, direction, name):
        """Returns how many there have been."""
        wanted = _message(direction, name)
        return sum(map(wanted, self.program.output.splitlines()))

    def update_key(self, request):
        """Sends a KeyUpdate, which may request one of the other side. Needs TELL;
        what was written before must have been read."""
        self._updates += 1
        self.program.write("K\n" if request else "k\n")
        self.await_message(">>>", "KeyUpdate", self._updates)

    def received(self, marker):
        """Returns the application's bytes in `output`, which begin with the
        marker, and whatever openssl printed after them."""
        return b"".join(_CHATTER.sub(b"", self._output.read_bytes()).partition(
            marker.encode())[1:])

    def await_alert(self):
        """Returns the number of the alert that the other side sent."""
        line = self.program.await_line("SSL alert number")
        return int(re.search(r"SSL alert number (\d+)", line).group(1))


def client(case, port, forge, credential, *options, output=None, address=None):
    """Starts s_client towards a captured server; credential may be None."""
    address = address or case.network.address
    return Peer(case.client, [
        "s_client", "-connect",
        f"[{address}]:{port}" if ":" in address else f"{address}:{port}",
        "-CAfile", forge.bundle, "-verify_return_error",
        *(credential.options if credential else []), *options], output)


ASKS = ("-Verify", 1, "-verify_return_error")


def server(case, forge, credential, *options, output=None, asks=ASKS, count=1):
    """Starts s_server for `count` connections, which wants a certificate unless
    `asks` is empty; returns it and its port."""
    peer = Peer(case.server, [
        "s_server", "-accept", f"{case.network.address}:{_PORT}",
        "-naccept", count, "-CAfile", forge.bundle, *asks,
        *credential.options, *options], output)
    peer.program.await_listening(_PORT)
    return peer, _PORT


# AlertDescription of RFC 8446 section 6.2.
BAD_CERTIFICATE = 42
CERTIFICATE_EXPIRED = 45
UNKNOWN_CA = 48
ACCESS_DENIED = 49
PROTOCOL_VERSION = 70
INTERNAL_ERROR = 80
CERTIFICATE_REQUIRED = 116
