# SPDX-License-Identifier: Apache-2.0
"""A sniffer on one interface of a network namespace."""

import select
import socket
import struct
import threading

from rig import packets
from rig.streams import Streams

_ETH_P_ALL = 0x0003
_SOL_PACKET = 263
_PACKET_STATISTICS = 6
_PACKET_IGNORE_OUTGOING = 23
# A burst of the 1 GiB test while the sniffer's thread does not run.
_RECEIVE_BUFFER = 256 << 20
# Loopback and veth carry unsegmented packets of up to 64 KiB.
_MAX_PACKET = 256 << 10


class Capture:
    """Captures from construction to stop(). Use as a context manager."""

    def __init__(self, netns, interface, markers):
        self.streams = Streams([bytes(marker) for marker in markers])
        self._socket = netns.socket(lambda: socket.socket(
            socket.AF_PACKET, socket.SOCK_DGRAM, 0))
        self._socket.setsockopt(socket.SOL_SOCKET, 33,  # SO_RCVBUFFORCE
                                _RECEIVE_BUFFER)
        if interface == "lo":
            # Loopback shows each packet twice, leaving and arriving.
            self._socket.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
        self._socket.setblocking(False)
        self._socket.bind((interface, _ETH_P_ALL))
        self._buffer = bytearray(_MAX_PACKET)
        self._wake, self._stop = socket.socketpair()
        self._lock = threading.Lock()
        self._error = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Ends the capture, after everything that has arrived was read."""
        if self._thread.is_alive():
            self._stop.send(b"x")
            self._thread.join()
            self._check_drops()
            for each in (self._socket, self._wake, self._stop):
                each.close()
        if self._error:
            raise AssertionError(f"the capture failed: {self._error!r}")

    def connections(self):
        """Returns the connections so far, everything up to now read."""
        with self._lock:
            if self._thread.is_alive():
                self._drain()
            return list(self.streams.connections)

    def _run(self):
        try:
            while True:
                ready, _, _ = select.select([self._socket, self._wake], [], [])
                with self._lock:
                    self._drain()
                if self._wake in ready:
                    return
        except Exception as error:  # reported by stop()
            self._error = error

    def _drain(self):
        view = memoryview(self._buffer)
        while True:
            try:
                size, address = self._socket.recvfrom_into(self._buffer)
            except BlockingIOError:
                return
            segment = packets.parse(address[1], view[:size])
            if segment:
                self.streams.add(segment)

    def _check_drops(self):
        _, drops = struct.unpack("II", self._socket.getsockopt(
            _SOL_PACKET, _PACKET_STATISTICS, 8))
        if drops:
            raise AssertionError(f"the capture lost {drops} packets")
