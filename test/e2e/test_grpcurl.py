# SPDX-License-Identifier: Apache-2.0
"""grpcurl, which knows no service before it asks the server what it has."""

import json

from rig import clients, documents
from rig.case import Case, needs_agent, on
from rig.clients import Identity
from rig.network import OneNode

_CALLER = Identity("grpcurl/caller", 7401)
_STRANGER = 7409
_SPIFFE = ("-H", "workload.spiffe.io: true")
_SERVICES = [
    "SpiffeWorkloadAPI",
    "envoy.service.discovery.v3.AggregatedDiscoveryService",
    "envoy.service.secret.v3.SecretDiscoveryService",
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
]
_SECRETS = "envoy.service.secret.v3.SecretDiscoveryService"


@needs_agent
@on(OneNode)
class Grpcurl(Case):
    """What the Workload API's socket says of itself."""

    documents = [documents.identity(
        _CALLER.workload_id, {"process:gid": str(_CALLER.gid)},
        mode="DISABLE")]

    def ask(self, *arguments, options=(), gid=_STRANGER):
        """Returns status and output; bounded, for it is about what hangs."""
        path = self.network.client_agent.directory / "run" / "workload.sock"
        program = self.client.spawn(
            [clients.program("grpcurl"), "-plaintext", "-max-time", "20",
             *options, f"unix://{path}", *arguments], gid=gid)
        return program.wait(), program.output

    def answer(self, *arguments, **options):
        status, output = self.ask(*arguments, **options)
        self.assertEqual(status, 0, output)
        return output

    def test_everybody_may_ask_what_is_there(self):
        self.assertEqual(self.answer("list").splitlines(), _SERVICES)
        for service in _SERVICES:
            self.assertIn("rpc ", self.answer("describe", service))
        self.assertIn("bytes x509_svid_key = 3",
                      self.answer("describe", "X509SVID"))

    def test_health(self):
        self.assertEqual(json.loads(self.answer("grpc.health.v1.Health/Check")),
                         {"status": "SERVING"})

    def test_calls_by_description(self):
        answer = json.loads(self.answer(
            "SpiffeWorkloadAPI/FetchJWTSVID", gid=_CALLER.gid,
            options=[*_SPIFFE, "-d", '{"audience": ["api"]}']))
        self.assertEqual(answer["svids"][0]["spiffeId"],
                         documents.spiffe_id(_CALLER.workload_id))
        for method in ("StreamSecrets", "FetchSecrets"):
            answer = json.loads(self.answer(
                f"{_SECRETS}/{method}", gid=_CALLER.gid,
                options=["-d", '{"resource_names": ["ROOTCA"]}']))
            context = answer["resources"][0]["validationContext"]
            self.assertEqual(context["customValidatorConfig"]["name"],
                             "envoy.tls.cert_validator.spiffe")

    def test_changes_by_description(self):
        answer = json.loads(self.answer(
            f"{_SECRETS}/DeltaSecrets", gid=_CALLER.gid,
            options=["-d", '{"resource_names_subscribe": ["default"]}']))
        self.assertEqual(answer["resources"][0]["name"], "default")

    def test_refusals_come_at_once(self):
        for method, options, code in (
                ("SpiffeWorkloadAPI/NoSuch", (), "does not include a method"),
                ("SpiffeWorkloadAPI/FetchX509SVID", (), "InvalidArgument"),
                ("SpiffeWorkloadAPI/FetchX509SVID", _SPIFFE,
                 "PermissionDenied"),
                (f"{_SECRETS}/DeltaSecrets", ("-d", "{}"),
                 "PermissionDenied")):
            with self.subTest(method):
                status, output = self.ask(method, options=options)
                self.assertNotEqual(status, 0)
                self.assertIn(code, output)
