#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the #include lines against scripts/layers: a folder may include those
of its line only, each of them is needed, and there is no cycle.

  scripts/lib/lint_layers.py            the check
  scripts/lib/lint_layers.py --numbers  what the structure is today
"""
import os
import sys

from includes import Includes, layers_of

_TABLE = "scripts/layers"
_ROOTS = ("agent", "control-client", "include")
_HEADERS = ("include/abi/process.h", "include/abi/flow.h")
_WIRING = "agent/assembly/agent_stages.h"


def read_table():
    """Returns {(folder, allowed folder)} of `folder: allowed allowed ...`."""
    allowed = set()
    with open(_TABLE, encoding="utf-8") as file:
        for line in file:
            folder, colon, targets = line.partition("#")[0].partition(":")
            if colon:
                allowed |= {(folder.strip(), target)
                            for target in targets.split()}
    return allowed


def faults(includes):
    """Yields a sentence for each thing that is wrong."""
    yield from includes.unknown
    pairs = includes.pairs(_ROOTS)
    allowed = read_table()
    for pair in sorted(pairs.keys() - allowed):
        yield (f"{pair[0]} may not include {pair[1]} ({_TABLE}): "
               f"{pairs[pair]}")
    for one, other in sorted(allowed - pairs.keys()):
        yield f"{_TABLE}: {one} does not include {other}: remove it"
    files = {(path, target)
             for path, targets in includes.of.items() for target in targets}
    for kind, edges in (("folders", pairs), ("files", files)):
        try:
            layers_of(edges)
        except ValueError as cycle:
            yield f"{kind} include each other: {cycle}"


def print_numbers(includes):
    pairs = includes.pairs(_ROOTS)
    layers = layers_of(pairs)
    units = [path for path in includes.files if path.endswith(".cc")]
    print(f"translation units: {len(units)}")
    for header in _HEADERS:
        print(f"{header} reaches: {len(includes.reach(header))}")
    print(f"layers from the CLI to the types: {max(layers.values())}")
    print(f"files and folders directly under agent/: "
          f"{len(os.listdir('agent'))}")
    know = {path for path in includes.files if _WIRING in includes.of[path]}
    print(f"files that include {_WIRING}: {len(know)}")
    print("folder cycles: 0, includes that the table does not allow: "
          f"{len(pairs.keys() - read_table())}")


def main():
    includes = Includes()
    if "--numbers" in sys.argv[1:]:
        print_numbers(includes)
        return 0
    found = list(faults(includes))
    for fault in found:
        print(f"lint: {fault}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
