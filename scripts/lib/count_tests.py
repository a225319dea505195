#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Prints `PASSED FAILED` for a JUnit file of CTest: test cases, not programs.

A program that did not say how many cases it ran (a crash, a time-out, a test
that was not run) is one failure. Skipped cases count as failed."""

import re
import sys
import xml.etree.ElementTree

# The last line of a Catch2 run that is all well; of another one.
_ALL_PASSED = re.compile(
    r"All tests passed \(.* in (\d+) test cases?\)")
_TOTALS = re.compile(r"^test cases:\s+(\d+) \|(.*)$", re.MULTILINE)


def _count(case):
    output = case.findtext("system-out") or ""
    if case.get("status") == "run" and case.find("failure") is None:
        found = _ALL_PASSED.search(output)
        if found:
            return int(found.group(1)), 0
    found = _TOTALS.search(output)
    if found:
        passed = re.search(r"(\d+) passed", found.group(2))
        passed = int(passed.group(1)) if passed else 0
        return passed, int(found.group(1)) - passed
    return 0, 1


def main():
    cases = xml.etree.ElementTree.parse(sys.argv[1]).iter("testcase")
    counts = [_count(case) for case in cases] or [(0, 1)]
    print(*map(sum, zip(*counts)))


if __name__ == "__main__":
    main()
