# SPDX-License-Identifier: Apache-2.0
"""The graph of #include lines of a tree: who includes whom, by file and by
folder. Nothing is compiled: includes are written from the root, or from
include/."""
import functools
import os
import re
import sys

_INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)
_SOURCES = (".h", ".cc", ".c")
ROOTS = ("agent", "control-client", "include", "test")


def files_of(roots):
    """Yields the C++ files below these folders."""
    for root in roots:
        for folder, _, names in os.walk(root):
            for name in sorted(names):
                if name.endswith(_SOURCES):
                    yield os.path.join(folder, name)


def folder_of(path):
    return os.path.dirname(path)


class Includes:
    """Includes has the edges of a tree, from its top directory."""

    def __init__(self, roots=ROOTS):
        self.files = sorted(files_of(roots))
        self._known = set(self.files)
        self.of = {path: self._read(path) for path in self.files}

    def _read(self, path):
        with open(path, encoding="utf-8") as file:
            named = _INCLUDE.findall(file.read())
        found = []
        for name in named:
            for candidate in (name, os.path.join("include", name)):
                if candidate in self._known:
                    found.append(candidate)
                    break
        return found

    def pairs(self, roots):
        """Returns {(folder, folder it includes): one example}."""
        pairs = {}
        for path in self.files:
            if not path.startswith(tuple(root + "/" for root in roots)):
                continue
            for target in self.of[path]:
                pair = (folder_of(path), folder_of(target))
                if pair[0] != pair[1]:
                    pairs.setdefault(pair, f"{path} includes {target}")
        return pairs

    def reach(self, header):
        """Returns the translation units (.cc) that see the header."""
        @functools.cache
        def sees(path):
            if path == header:
                return True
            return any(sees(target) for target in self.of[path])

        sys.setrecursionlimit(10000)
        return [path for path in self.files
                if path.endswith(".cc") and sees(path)]


def layers_of(pairs):
    """Returns {folder: how many layers lie below it, itself included}; raises
    ValueError with the folders of a cycle."""
    below = {}
    for one, other in pairs:
        below.setdefault(one, set()).add(other)
        below.setdefault(other, set())
    layers = {}

    def layer(folder, way):
        if folder in way:
            raise ValueError(" -> ".join(way[way.index(folder):] + [folder]))
        if folder not in layers:
            layers[folder] = 1 + max(
                (layer(next_, way + [folder]) for next_ in below[folder]),
                default=0)
        return layers[folder]

    for folder in sorted(below):
        layer(folder, [])
    return layers
