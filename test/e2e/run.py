#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the end-to-end tests: test/e2e/run.py [-v] [NAME...]

A NAME selects the tests whose full name contains it, !NAME leaves such tests
out. The last line of the output is `N passed, N failed`; a skipped test counts
as failed, unless the harness checks itself (KITH_E2E_DIRECT=1). With
KITH_E2E_CONTROL=1 the control group is among them: files control_*.py, in which
another agent has the place of kith."""

import os
import pathlib
import sys
import time
import unittest

_HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(_HERE))

from rig.network import DIRECT  # pylint: disable=wrong-import-position


class Result(unittest.TestResult):
    """One line per test as it ends, and at once what failed."""

    def __init__(self):
        super().__init__()
        self.passed = 0
        self._began = 0.0

    def startTest(self, test):
        super().startTest(test)
        self._began = time.monotonic()

    def addSuccess(self, test):
        self.passed += 1
        self._line("ok", test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._failed(test, self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        self._failed(test, self.errors[-1][1])

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            more = self.failures if issubclass(err[0], test.failureException) \
                else self.errors
            self._failed(subtest, more[-1][1])

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._line("skip", test, f": {reason}")

    def _failed(self, test, traceback):
        self._line("FAIL", test)
        print(traceback)
        if hasattr(test, "describe"):
            print(test.describe(), flush=True)

    def _line(self, word, test, more=""):
        took = time.monotonic() - self._began if self._began else 0.0
        print(f"{word:4} {test.id()} ({took:.2f} s){more}", flush=True)

    @property
    def failed(self):
        skipped = 0 if DIRECT else len(self.skipped)
        return len(self.failures) + len(self.errors) + skipped


def _tests(suite):
    for each in suite:
        if isinstance(each, unittest.TestSuite):
            yield from _tests(each)
        else:
            yield each


def main(arguments):
    patterns = ["test_*.py"]
    if os.environ.get("KITH_E2E_CONTROL") == "1":
        patterns.append("control_*.py")
    tests = [test for pattern in patterns for test in _tests(
        unittest.TestLoader().discover(str(_HERE), pattern=pattern))]
    unwanted = [name[1:] for name in arguments if name.startswith("!")]
    wanted = [name for name in arguments if not name.startswith("!")] or [""]
    tests = [test for test in tests
             if any(name in test.id() for name in wanted) and
             not any(name in test.id() for name in unwanted)]
    if not tests:
        sys.exit(f"no test's name contains any of {arguments}")
    result = Result()
    began = time.monotonic()
    try:
        unittest.TestSuite(tests).run(result)
    except KeyboardInterrupt as signal:
        sys.exit(f"interrupted by signal {signal}")
    print(f"e2e: {time.monotonic() - began:.0f} s")
    print(f"{result.passed} passed, {result.failed} failed")
    sys.exit(1 if result.failed else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
