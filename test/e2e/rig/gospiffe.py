# SPDX-License-Identifier: Apache-2.0
"""The client made of go-spiffe (test/clients/go), beside an agent."""

import pathlib
import shutil

from rig import clients, deadline, documents
from rig.case import Case

_TESTS = pathlib.Path(__file__).resolve().parents[1]
ECHO_PROGRAM = ["/usr/bin/python3", _TESTS / "peer" / "echo.py"]

GO = documents.spiffe_id("go/client")
ECHO = documents.spiffe_id("echo/one")


def copy_to(directory):
    """Puts the program where every user may execute it; returns its path."""
    return shutil.copy(clients.program("go"), directory / "gospiffe")


class GoCase(Case):
    """Runs the client beside an agent."""

    settings = {"svid": {"ttl": "8s"}}

    @classmethod
    def before_agents(cls):
        cls.program = copy_to(cls.directory)
        cls.documents = cls.identities()

    @classmethod
    def identities(cls, *more):
        """go-spiffe does its own TLS, so that its flows are left alone."""
        return [
            documents.identity("go/client",
                               {"process:binary:path": str(cls.program)},
                               mode="DISABLE"),
            documents.identity("echo/one", {
                "process:cmdline": " ".join(map(str, ECHO_PROGRAM))}),
            *more,
        ]

    def setUp(self):
        self.agent = self.network.client_agent
        self.socket = self.agent.directory / "run" / "workload.sock"
        self.put(self.identities())

    def put(self, identities):
        """Replaces the documents and waits until they are in force."""
        self.agent.put("documents.yaml", identities)
        deadline.await_true(
            lambda: len(self.agent.ask("identities")["identities"]) ==
            len(identities), "the identities")

    def go(self, *arguments, **options):
        return self.client.spawn(
            [self.program, *arguments], name="gospiffe",
            env={"SPIFFE_ENDPOINT_SOCKET": f"unix://{self.socket}"}, **options)

    def serial(self, spiffe_id):
        rows = self.agent.ask("identities")["identities"]
        return next(row["svid"]["serial"] for row in rows
                    if row["spiffeId"] == spiffe_id)
