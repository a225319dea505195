#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that a name is defined once among the headers: all of them are in one
namespace, and two definitions that differ are undefined behaviour (the one
definition rule, [basic.def.odr])."""
import collections
import re
import sys

from includes import files_of

_DEFINITION = re.compile(
    r"^(?:template <[^\n]*>\n)?"
    r"(?:struct|class|enum class|enum) (?:alignas\([^)]*\) )?(\w+)[^;\n]*\{"
    r"|^using (\w+) ="
    r"|^inline constexpr [\w:<>, *]+?[ *](\w+)(?:\[\w*\])?(?: =|\{)"
    r"|^inline [\w:<>, *&]+?[ *&](\w+)\(",
    re.MULTILINE)
# Overloads are functions of one name.
_OVERLOADS = re.compile(r"^inline [\w:<>, *&]+?[ *&](\w+)\(", re.MULTILINE)


def definitions(path):
    """Returns the names that a header defines at the level of the namespace."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    names = set()
    for match in _DEFINITION.finditer(text):
        names.add(next(group for group in match.groups() if group))
    return names - set(_OVERLOADS.findall(text))


def main():
    where = collections.defaultdict(list)
    for path in files_of(("agent", "control-client", "include")):
        if path.endswith(".h"):
            for name in definitions(path):
                where[name].append(path)
    twice = {name: paths for name, paths in where.items() if len(paths) > 1}
    for name, paths in sorted(twice.items()):
        print(f"lint: {name} is defined in {' and in '.join(paths)}",
              file=sys.stderr)
    return 1 if twice else 0


if __name__ == "__main__":
    sys.exit(main())
