# SPDX-License-Identifier: Apache-2.0
"""The graph of #include lines of a tree: who includes whom, by file and by
folder. Nothing is compiled: includes are written from the root, or from
include/."""
import os
import re

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]',
                      re.MULTILINE)
_SOURCES = (".h", ".cc", ".c", ".proto")
# Written with quotation marks too, as is usual there.
_FOREIGN = ("absl/", "catch2/", "yaml-cpp/")
_SKELETON = ".skel.h"
_GENERATED = "control-client/cli/build_facts.h"  # by CMake
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
        self.unknown = []  # sentences
        self.of = {path: self._read(path) for path in self.files}

    def _read(self, path):
        with open(path, encoding="utf-8") as file:
            named = _INCLUDE.findall(file.read())
        found = []
        for quote, name in named:
            target = self._resolve(path, name)
            if target is not None:
                found.append(target)
            elif quote == '"' and not (name.startswith(_FOREIGN)
                                       or name.endswith(_SKELETON)
                                       or name == _GENERATED):
                self.unknown.append(f"{path} includes {name}, which is nowhere")
        return found

    def _resolve(self, path, name):
        """Returns the file of the tree that an #include means, or None. What
        protoc makes of a .proto file stands for that file."""
        name = name.replace(".pb.h", ".proto")
        for candidate in (name, os.path.join("include", name),
                          os.path.normpath(os.path.join(folder_of(path), name))):
            if candidate in self._known:
                return candidate
        return None

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
        includers = {}
        for path, targets in self.of.items():
            for target in targets:
                includers.setdefault(target, set()).add(path)
        seen, left = {header}, [header]
        while left:
            new = includers.get(left.pop(), set()) - seen
            seen |= new
            left += new
        return sorted(path for path in seen if path.endswith(".cc"))


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
