# SPDX-License-Identifier: Apache-2.0
"""The foreign SPIFFE clients (test/clients), one for each library, beside an
agent that gives them identities. client_rows.py has what they are asked to do."""

import collections
import functools
import json
import pathlib
import signal
import subprocess
import sys
import unittest

from rig import documents
from rig.case import Case, needs_agent

_BUILD = pathlib.Path(__file__).resolve().parents[3] / "scripts" / "clients.sh"

LIBRARIES = ("go", "python", "java", "rust", "node")
REFERENCE = "go"  # whom each library meets, too

FOREIGN_DOMAIN = "foreign.test"

# What a program may need to say something: one that compiles itself at its start
# takes long where others need the processors, too.
ANSWER_SECONDS = 60

# As libraries spell the status PERMISSION_DENIED, without case and signs.
_DENIED = "permissiondenied"

# A client is told by its group: those of one language share an interpreter.
# One that `federates` is given the bundle of FOREIGN_DOMAIN.
Identity = collections.namedtuple(
    "Identity", "workload_id gid federates", defaults=(False,))

OWN = {name: Identity(f"client/{name}", 7001 + number)
       for number, name in enumerate(LIBRARIES)}
FEDERATED = Identity("client/federated", 7051, True)
STRANGER = Identity("client/nobody", 7052)  # nobody is given this one


@functools.cache
def program(name):
    """Returns the path of what a recipe of scripts/clients builds."""
    done = subprocess.run([_BUILD, "--print-path", name], check=False,
                          capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(f"{_BUILD.name} {name}: {done.stderr}")
    directory = pathlib.Path(done.stdout.strip())
    if not directory.is_dir():
        raise AssertionError(f"{name} is not built: {_BUILD.name} {name}")
    return directory / "client"


def define(module, base, network_class):
    """Makes a class for each library, GoBesideKith and so on, with a test for
    each method row_NAME of the base."""
    rows = {name[4:]: getattr(base, name) for name in dir(base)
            if name.startswith("row_")}
    for library in LIBRARIES:
        name = library.title() + base.__name__
        cls = type(name, (base, unittest.TestCase), {
            "__module__": module, "__doc__": base.__doc__,
            "library": library, "network_class": network_class,
            **{f"test_{row}": method
               for row, method in rows.items()
               # That is the same as the row for itself.
               if library != REFERENCE or "reference" not in row}})
        setattr(sys.modules[module], name, needs_agent(cls))


def updates(watch):
    """Returns the SVIDs that a client's watch was told of."""
    return [json.loads(line) for line in watch.output.splitlines()
            if line.startswith("{") and '"x509"' in line]


class ClientCase(Case):
    """Mixed into the class of a library. `socket` is where the Workload API
    is, grant() and withdraw() change who has an identity."""

    library = None
    socket = None
    seconds = 240

    @classmethod
    def identities(cls):
        """Those that a class begins with."""
        return list({OWN[cls.library], OWN[REFERENCE], FEDERATED})

    @property
    def own(self):
        return documents.spiffe_id(OWN[self.library].workload_id)

    @property
    def reference(self):
        return documents.spiffe_id(OWN[REFERENCE].workload_id)

    def start(self, *arguments, library=None, identity=None, **options):
        """Starts a client, the library's own as itself by default."""
        library = library or self.library
        identity = identity or OWN[library]
        client = self.client.spawn(
            [program(library), *arguments], name=f"{library} {arguments[0]}",
            gid=identity.gid,
            env={"SPIFFE_ENDPOINT_SOCKET": f"unix://{self.socket}"}, **options)
        self.addCleanup(client.stop, signal.SIGKILL)
        return client

    def answer(self, event, *arguments, **options):
        """Returns what a client says that ends after it."""
        client = self.start(*arguments, **options)
        facts = client.await_json("event", event, ANSWER_SECONDS)
        client.check()
        return facts

    def listening(self, *arguments, **options):
        """Starts a client that serves; returns it and where it does."""
        client = self.start(*arguments, **options)
        facts = client.await_json("event", "listening", ANSWER_SECONDS)
        return client, facts["address"]

    def error(self, *arguments, **options):
        """Returns what a client says that fails."""
        client = self.start(*arguments, **options)
        text = client.await_json("event", "error", ANSWER_SECONDS)["error"]
        self.assertEqual(client.wait(), 1)
        return text

    def assert_denied(self, text):
        letters = "".join(filter(str.isalpha, text)).lower()
        self.assertIn(_DENIED, letters)
