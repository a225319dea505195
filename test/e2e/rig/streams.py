# SPDX-License-Identifier: Apache-2.0
"""TCP connections put together from captured segments."""

from rig import packets
from rig.tls_records import RecordWalk

_SEQUENCE = 2**32
# Segments that wait for a missing one: more than a receive window means that
# the capture lost packets.
_MAX_PENDING = 4096
# How much of a stream's beginning is kept for the message of a failed test.
_HEAD = 64


def _distance(from_sequence, to_sequence):
    """Returns how far ahead a sequence number is, negative for behind."""
    ahead = (to_sequence - from_sequence) % _SEQUENCE
    return ahead - _SEQUENCE if ahead >= _SEQUENCE // 2 else ahead


class Direction:
    """One direction of a connection: bytes in order, inspected and let go."""

    def __init__(self, markers):
        self.bytes = 0
        self.head = b""
        self.tls = RecordWalk()
        self.found = set()  # markers seen
        self.gap = None
        self.ended = None  # "fin" or "rst"
        self._markers = markers
        self._overlap = max((len(marker) for marker in markers), default=1) - 1
        self._tail = b""
        self._next = None
        self._pending = {}

    def begin(self, sequence):
        self._next = sequence % _SEQUENCE

    def add(self, sequence, payload):
        if self._next is None:
            self.gap = "the capture began after the connection"
            self._next = sequence
        if _distance(self._next, sequence) > 0:
            self._pending[sequence] = payload
            if len(self._pending) > _MAX_PENDING:
                self.gap = f"bytes missing at sequence {self._next}"
            return
        self._accept(sequence, payload)
        while self._pending:
            ready = next((s for s in self._pending
                          if _distance(self._next, s) <= 0), None)
            if ready is None:
                return
            self._accept(ready, self._pending.pop(ready))

    def missing(self):
        """Returns why the stream is not complete, or None."""
        if self._pending and not self.gap:
            return f"bytes missing at sequence {self._next}"
        return self.gap

    def _accept(self, sequence, payload):
        fresh = payload[-_distance(self._next, sequence):] \
            if sequence != self._next else payload
        if _distance(self._next, sequence) + len(payload) <= 0:
            return  # a retransmission of what was seen
        self._next = (self._next + len(fresh)) % _SEQUENCE
        self._inspect(fresh)

    def _inspect(self, data):
        self.bytes += len(data)
        if len(self.head) < _HEAD:
            self.head += data[:_HEAD - len(self.head)]
        self.tls.feed(data)
        window = self._tail + data
        for marker in self._markers:
            if marker not in self.found and marker in window:
                self.found.add(marker)
        self._tail = window[-self._overlap:] if self._overlap else b""


class Connection:
    """A captured connection; `client` sent the SYN."""

    def __init__(self, client, server, markers):
        self.client = client
        self.server = server
        self.established = False
        self.up = Direction(markers)    # client to server
        self.down = Direction(markers)  # server to client

    def __str__(self):
        return (f"{self.client[0]}:{self.client[1]} -> "
                f"{self.server[0]}:{self.server[1]} "
                f"({self.up.bytes} bytes up, {self.down.bytes} down)")

    @property
    def directions(self):
        return self.up, self.down


class Streams:
    """All connections of a capture, in order of their SYNs."""

    def __init__(self, markers):
        self.connections = []
        self._markers = markers
        self._open = {}

    def add(self, segment):
        key = (segment.source, segment.destination)
        if segment.flags & packets.SYN and not segment.flags & packets.ACK:
            self._begin(segment)
            return
        connection = self._open.get(key)
        if connection is None:
            connection = self._open.get(key[::-1])
            direction = connection and connection.down
        else:
            direction = connection.up
        if connection is None:
            connection = self._adopt(segment)
            direction = connection.up
        self._advance(connection, direction, segment)

    def _begin(self, segment):
        key = (segment.source, segment.destination)
        known = self._open.get(key)
        if known and not known.up.ended and not known.down.ended:
            return  # a retransmitted SYN
        connection = Connection(*key, self._markers)
        connection.up.begin(segment.sequence + 1)
        self._open[key] = connection
        self._open.pop(key[::-1], None)
        self.connections.append(connection)

    def _adopt(self, segment):
        # Never seen to begin: kept, so that it cannot hide anything.
        connection = Connection(segment.source, segment.destination,
                                self._markers)
        self._open[(segment.source, segment.destination)] = connection
        self.connections.append(connection)
        return connection

    @staticmethod
    def _advance(connection, direction, segment):
        if segment.flags & packets.SYN:
            direction.begin(segment.sequence + 1)
            connection.established = True
        if segment.payload:
            direction.add(segment.sequence, segment.payload)
        if segment.flags & packets.RST:
            direction.ended = "rst"
        elif segment.flags & packets.FIN and not direction.ended:
            direction.ended = "fin"
