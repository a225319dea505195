# SPDX-License-Identifier: Apache-2.0
"""Waiting with an end."""

import os
import time

# How many times slower this machine is than the ones that the deadlines are
# meant for: an emulated one needs more time.
SLOWNESS = float(os.environ.get("KITH_E2E_SLOWNESS", "1"))

# Between two looks at what cannot be awaited: each look is a program that runs.
_INTERVAL = min(0.02 * SLOWNESS, 0.2)


def allowed(seconds):
    """Returns the seconds that this machine is given for what may take that
    many elsewhere."""
    return seconds * SLOWNESS


def amount(count):
    """Returns how many (bytes, rows, connections) this machine moves while
    others move that many."""
    return int(count / SLOWNESS)


class Deadline:
    """A moment after which waiting is a failure."""

    def __init__(self, seconds):
        self._end = time.monotonic() + allowed(seconds)

    def left(self):
        """Returns the seconds that are left, never below zero."""
        return max(0.0, self._end - time.monotonic())

    def passed(self):
        return self.left() == 0.0


def await_true(condition, what, seconds=20):
    """Calls condition() until it returns something true, and returns that.

    For facts that cannot be awaited as an event (rows of `kith flows`, which
    follow the application's view by some microseconds): the interval is short
    against everything that is measured."""
    limit = Deadline(seconds)
    while True:
        value = condition()
        if value:
            return value
        if limit.passed():
            raise AssertionError(f"not within {allowed(seconds):g} s: {what}")
        time.sleep(_INTERVAL)
