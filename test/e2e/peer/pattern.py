# SPDX-License-Identifier: Apache-2.0
"""An endless stream of bytes in which every block is different, so that a
checksum notices bytes that were lost, doubled or swapped."""

import hashlib
import random

_BLOCK = 64 * 1024


class Pattern:
    """Each block begins with the marker that the sniffers look for."""

    def __init__(self, seed, marker):
        self._marker = marker
        self._base = random.Random(seed).randbytes(_BLOCK)
        self._position = 0
        self._sum = hashlib.sha256()

    @property
    def bytes(self):
        return self._position

    @property
    def checksum(self):
        return self._sum.hexdigest()

    def _block(self, number):
        head = self._marker + number.to_bytes(8, "big")
        return head + self._base[len(head):]

    def peek(self, most):
        """Returns the next bytes, at least one and at most `most`."""
        number, offset = divmod(self._position, _BLOCK)
        return self._block(number)[offset:offset + most]

    def advance(self, data):
        """Counts the bytes, which peek returned, as sent."""
        self._position += len(data)
        self._sum.update(data)
