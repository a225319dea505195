#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes Markdown of what run.py said of the foreign clients: a table for each
agent, a row for each thing asked, a column for each library.

test/e2e/run.py Beside | tee OUTPUT; test/e2e/matrix.py < OUTPUT"""

import collections
import re
import sys

_LINE = re.compile(r"(ok|FAIL) +\w+_clients\.([A-Z][a-z]+)Beside([A-Z][a-z]+)"
                   r"\.test_(\w+) \(([\d.]+) s\)")


def main():
    tables = collections.defaultdict(lambda: collections.defaultdict(dict))
    for line in sys.stdin:
        if match := _LINE.match(line):
            word, library, agent, row, seconds = match.groups()
            tables[agent][row][library] = f"{word} {seconds}"
    for agent, rows in tables.items():
        libraries = list(dict.fromkeys(
            library for cells in rows.values() for library in cells))
        print(f"| beside {agent} | {' | '.join(libraries)} |")
        print("|---" * (len(libraries) + 1) + "|")
        for row, cells in rows.items():
            told = [cells.get(library, "") for library in libraries]
            print(f"| {row.replace('_', ' ')} | {' | '.join(told)} |")
        print()


if __name__ == "__main__":
    main()
