#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that a name is defined once: everything is in one namespace, and two
definitions that differ are undefined behaviour (the one definition rule,
[basic.def.odr]). What is in an anonymous namespace is a file's own.

  scripts/lib/lint_names.py             the check
  scripts/lib/lint_names.py --selftest  that the check can fail
"""
import collections
import re
import sys

from includes import files_of

_TYPE = re.compile(
    r"^(?:struct|class|enum class|enum)\s+(?:alignas\([^)]*\)\s+)?(\w+)"
    r"(?!\w|::)[^;{}()]*\{", re.MULTILINE)
_ALIAS = re.compile(r"^using\s+(\w+)\s*=", re.MULTILINE)
_CONSTANT = re.compile(
    r"^(?:inline )?constexpr\s+[\w:<>, *]+?[\s*](\w+)\s*(?:\[\w*\])?\s*[={;]",
    re.MULTILINE)
# Overloads have the same name: the parameters tell them apart.
_FUNCTION = re.compile(
    r"^inline\s+(?!constexpr)[\w:<>, *&]+?[\s*&](\w+\([^)]*\))", re.MULTILINE)
_ANONYMOUS = re.compile(r"^namespace \{$.*?^\}  // namespace$",
                        re.MULTILINE | re.DOTALL)


def definitions(path, text):
    """Returns what a file defines at the level of the namespace. Aliases and
    constants of a source file are its own."""
    text = _ANONYMOUS.sub("", text)
    names = set()
    shared = (_ALIAS, _CONSTANT) if path.endswith(".h") else ()
    for pattern in (_TYPE, _FUNCTION, *shared):
        names |= {re.sub(r"\s+", " ", name) for name in pattern.findall(text)}
    return names


def defined_twice(texts):
    """Returns {name: paths} of {path: text}."""
    where = collections.defaultdict(list)
    for path, text in texts.items():
        for name in definitions(path, text):
            where[name].append(path)
    return {name: paths for name, paths in where.items() if len(paths) > 1}


def selftest():
    one = ("inline constexpr int kOne = 1;\nstruct Two\n    : Base {\n};\n"
           "inline bool IsThree(int x) {\n}\nusing Four = int;\n"
           "constexpr Five kFive;\n")
    twice = defined_twice({"a.h": one, "b.h": one})
    assert set(twice) == {"kOne", "Two", "IsThree(int x)", "Four", "kFive"}, twice
    assert not defined_twice({"a.h": one, "b.h": "struct Two;\n"})
    assert not defined_twice(
        {"a.h": one, "b.cc": "namespace {\n" + one + "}  // namespace\n"})
    assert not defined_twice(
        {"a.h": one, "b.h": "inline bool IsThree(long x) {\n}\n"})


def main():
    selftest()
    if "--selftest" in sys.argv[1:]:
        return 0
    texts = {}
    for path in files_of(("agent", "control-client", "include")):
        with open(path, encoding="utf-8") as file:
            texts[path] = file.read()
    twice = defined_twice(texts)
    for name, paths in sorted(twice.items()):
        print(f"lint: {name} is defined in {' and in '.join(paths)}",
              file=sys.stderr)
    return 1 if twice else 0


if __name__ == "__main__":
    sys.exit(main())
