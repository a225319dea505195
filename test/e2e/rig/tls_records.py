# SPDX-License-Identifier: Apache-2.0
"""Is a byte stream a sequence of TLS records?"""

# RFC 8446 section 5.1: change_cipher_spec, alert, handshake, application_data.
_CONTENT_TYPES = {20: "ccs", 21: "alert", 22: "handshake", 23: "data"}
# The initial ClientHello may say 0x0301, every other record 0x0303.
_VERSIONS = (0x0301, 0x0303)
# RFC 8446 section 5.2: 2^14 bytes, one of content type, 255 of expansion.
_MAX_LENGTH = 2**14 + 256


class RecordWalk:
    """Walks the record headers of one direction of a connection."""

    def __init__(self):
        self.violation = None  # what is wrong, with the offset
        self.records = 0
        self.types = set()
        self._offset = 0
        self._header = b""
        self._body = 0

    @property
    def at_boundary(self):
        return not self._body and not self._header

    def feed(self, data):
        position = 0
        while position < len(data) and not self.violation:
            if self._body:
                taken = min(self._body, len(data) - position)
                self._body -= taken
            else:
                taken = min(5 - len(self._header), len(data) - position)
                self._header += data[position:position + taken]
                self._check_header()
            position += taken
        self._offset += position

    def _check_header(self):
        if len(self._header) < 5:
            return
        kind, version = self._header[0], int.from_bytes(self._header[1:3])
        length = int.from_bytes(self._header[3:5])
        if (kind not in _CONTENT_TYPES or version not in _VERSIONS or
                not 0 < length <= _MAX_LENGTH):
            self.violation = (f"no TLS record header near byte {self._offset}:"
                              f" {self._header.hex(' ')}")
            return
        self.records += 1
        self.types.add(_CONTENT_TYPES[kind])
        self._header = b""
        self._body = length
