# SPDX-License-Identifier: Apache-2.0
"""Envoy's secret discovery service on the Workload API's socket."""

import json
import pathlib

from rig import deadline, documents
from rig.case import Case, needs_agent, on
from rig.network import OneNode

_PROGRAM = ["/usr/bin/python3",
            pathlib.Path(__file__).resolve().parent / "peer" / "sds.py"]
_ID = documents.spiffe_id("envoy/web")
_IDENTITIES = [documents.identity(
    "envoy/web", {"process:cmdline": " ".join(map(str, _PROGRAM))},
    mode="DISABLE")]


@needs_agent
@on(OneNode)
class EnvoySds(Case):
    """A client of gRPC's own library."""

    documents = _IDENTITIES
    settings = {"svid": {"ttl": "8s"}}

    def setUp(self):
        self.agent = self.network.client_agent
        self.agent.put("documents.yaml", _IDENTITIES)

    def ask(self, *names, **options):
        return self.client.spawn(
            [*_PROGRAM, self.agent.directory / "run" / "workload.sock",
             *names], name="sds", **options)

    def _responses(self, program):
        return [json.loads(line) for line in program.lines
                if '"secrets"' in line]

    def test_all_names(self):
        facts = self.ask("default", _ID, "ROOTCA", "spiffe://e2e.test"
                         ).await_json("event", "secrets")
        for name in ("default", _ID):
            self.assertTrue(facts[name]["keyMatches"], name)
        for name in ("ROOTCA", "spiffe://e2e.test"):
            self.assertEqual(facts[name], {"e2e.test": 1}, name)

    def test_renewals_are_pushed(self):
        program = self.ask("default")
        deadline.await_true(lambda: len(self._responses(program)) >= 3,
                            "two rotations", 30)
        serials = [each["default"]["serial"]
                   for each in self._responses(program)]
        self.assertEqual(len(set(serials)), len(serials))
        self.assertTrue(all(each["default"]["keyMatches"]
                            for each in self._responses(program)))

    def test_authorities_are_not_pushed_again_with_each_svid(self):
        program = self.ask("ROOTCA")
        watcher = self.ask("default")
        deadline.await_true(lambda: len(self._responses(watcher)) >= 2,
                            "a rotation", 30)
        self.assertEqual(len(self._responses(program)), 1)

    def test_strangers_and_other_names_are_refused(self):
        for names, options, code in (
                (["default"], {"managed": False}, "PERMISSION_DENIED"),
                ([documents.spiffe_id("other")], {}, "PERMISSION_DENIED"),
                (["nonsense"], {}, "INVALID_ARGUMENT")):
            error = self.ask(*names, **options).await_json("event", "error")
            self.assertEqual(error["code"], code, error)

    def test_the_stream_ends_with_the_identity(self):
        program = self.ask("default")
        program.await_json("event", "secrets")
        self.agent.put("documents.yaml", [documents.identity(
            "envoy/web", {"process:cmdline": "/bin/nobody"})])
        error = program.await_json("event", "error")
        self.assertEqual(error["code"], "PERMISSION_DENIED")
