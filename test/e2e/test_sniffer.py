# SPDX-License-Identifier: Apache-2.0
"""The sniffers can fail: they see plaintext where there is plaintext. Runs
without an agent."""

import socket
import threading
import unittest

from rig import wire
from rig.capture import Capture
from rig.case import time_limit
from rig.netns import Netns
from rig.tls_records import RecordWalk

_MARKER = b"kith-marker-of-the-sniffer"
# Two records (application data of 5 bytes), as RFC 8446 section 5.1 has them.
_RECORD = bytes.fromhex("1703030005") + b"abcde"


class Sniffer(unittest.TestCase):
    """Plain sockets on a loopback of their own."""

    def setUp(self):
        self.netns = Netns()
        self.addCleanup(self.netns.close)

    def run(self, result=None):
        with time_limit(30):
            return super().run(result)

    def _exchange(self, family, address, chunks):
        """Captures a connection that carries the chunks; returns them all."""
        with Capture(self.netns, "lo", [_MARKER]) as capture:
            listener = self.netns.socket(lambda: socket.create_server(
                (address, 0), family=family))
            client = self.netns.socket(lambda: socket.create_connection(
                listener.getsockname()[:2]))
            server, _ = listener.accept()
            reader = threading.Thread(target=lambda: [
                None for _ in iter(lambda: server.recv(1 << 16), b"")])
            reader.start()
            for chunk in chunks:
                client.sendall(chunk)
            client.close()
            reader.join()
            for each in (server, listener):
                each.close()
        return capture.connections()

    def test_marker_is_seen(self):
        for family, address in ((socket.AF_INET, "127.0.0.1"),
                                (socket.AF_INET6, "::1")):
            with self.subTest(address):
                seen = self._exchange(family, address,
                                      [b"x" * 100 + _MARKER + b"y"])
                wire.check_plain(seen, [_MARKER])
                with self.assertRaisesRegex(AssertionError, "marker"):
                    wire.check_encrypted(seen)

    def test_marker_across_segments_is_seen(self):
        seen = self._exchange(socket.AF_INET, "127.0.0.1",
                              [bytes([byte]) for byte in _MARKER])
        self.assertEqual(seen[0].up.found, {_MARKER})

    def test_marker_inside_records_is_seen(self):
        record = b"\x17\x03\x03" + len(_MARKER).to_bytes(2) + _MARKER
        seen = self._exchange(socket.AF_INET, "127.0.0.1", [_RECORD, record])
        with self.assertRaisesRegex(AssertionError, "marker"):
            wire.check_encrypted(seen)

    def test_plaintext_after_records_is_seen(self):
        seen = self._exchange(socket.AF_INET, "127.0.0.1",
                              [_RECORD, b"GET / HTTP/1.1\r\n"])
        with self.assertRaisesRegex(AssertionError, "no TLS record header"):
            wire.check_encrypted(seen)

    def test_records_pass(self):
        # Large, so that records and segments do not end together.
        seen = self._exchange(socket.AF_INET, "127.0.0.1", [
            b"\x17\x03\x03\x40\x00" + bytes(2**14) for _ in range(500)])
        wire.check_encrypted(seen)
        self.assertEqual(seen[0].up.bytes, 500 * (2**14 + 5))
        self.assertEqual(seen[0].up.tls.records, 500)

    def test_truncated_record_is_seen(self):
        seen = self._exchange(socket.AF_INET, "127.0.0.1", [_RECORD[:-1]])
        with self.assertRaisesRegex(AssertionError, "FIN inside"):
            wire.check_encrypted(seen)

    def test_empty_wire_is_not_accepted(self):
        with self.assertRaisesRegex(AssertionError, "no connection"):
            wire.check_encrypted([])


class Records(unittest.TestCase):
    """The record walk, byte by byte."""

    def test_headers_split_anywhere(self):
        for split in range(1, 2 * len(_RECORD)):
            walk = RecordWalk()
            data = _RECORD * 2
            walk.feed(data[:split])
            walk.feed(data[split:])
            self.assertIsNone(walk.violation)
            self.assertEqual((walk.records, walk.at_boundary), (2, True))

    def test_wrong_headers(self):
        for header in ("1603020005", "1803030005", "1703030000", "1703034101"):
            walk = RecordWalk()
            walk.feed(bytes.fromhex(header))
            self.assertIsNotNone(walk.violation, header)
