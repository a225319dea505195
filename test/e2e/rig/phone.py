# SPDX-License-Identifier: Apache-2.0
"""Phones (test/e2e/peer/phone.py): processes that connect several times."""

import collections
import pathlib

from rig import documents

_PROGRAM = ["/usr/bin/python3",
            str(pathlib.Path(__file__).resolve().parents[1] / "peer" /
                "phone.py")]


def selector(name, **more):
    return {"process:cmdline": " ".join([*_PROGRAM, name]), **more}


def identity(name, **spec):
    """Returns the document of the phone of that name."""
    return documents.identity(f"phone/{name}", selector(name), **spec)


class Phone:
    """One process; every command waits for its answer."""

    def __init__(self, node, name, managed=True):
        self.program = node.spawn([*_PROGRAM, name], managed=managed,
                                  name=name, lingers=True)
        self._answers = collections.Counter()

    def _ask(self, answer, *command):
        self.program.write(" ".join(map(str, command)) + "\n")
        self._answers[answer] += 1
        return self.program.await_json("event", answer,
                                       count=self._answers[answer])

    def listen(self, address, port=0):
        """Returns the port."""
        return self._ask("listening", "listen", address, port)["port"]

    def call(self, address, port):
        """Returns the number of the call and its local address."""
        called = self._ask("called", "call", address, port)
        return called["number"], called["local"]

    def talk(self, number):
        """Returns None, or why nothing came back."""
        return self._ask("talked", "talk", number)["error"]

    def accepted(self, count):
        """Returns the address of the `count`th client, as accept() told it."""
        return self.program.await_json("event", "accepted", count=count)["peer"]
