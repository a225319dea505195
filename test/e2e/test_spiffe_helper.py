# SPDX-License-Identifier: Apache-2.0
"""spiffe-helper, by which programs that know nothing of SPIFFE have SVIDs."""

from rig import clients, deadline, documents, foreign_bundle
from rig.case import Case, needs_agent, on
from rig.clients import Identity
from rig.network import OneNode
from rig.spiffe_helper import SpiffeHelper

_FOREIGN = "foreign.test"
_HELPER = Identity("helper/one", 7301)
_FEDERATED = Identity("helper/federated", 7302, True)
_NOBODY = Identity("helper/nobody", 7309)


def _document(identity):
    more = {"federatesWith": [_FOREIGN]} if identity.federates else {}
    return documents.identity(identity.workload_id,
                              {"process:gid": str(identity.gid)},
                              mode="DISABLE", **more)


@needs_agent
@on(OneNode)
class SpiffeHelperFiles(Case):
    """What it writes, and when."""

    seconds = 120
    documents = [_document(_HELPER), _document(_FEDERATED)]

    @classmethod
    def before_agents(cls):
        bundle = foreign_bundle.write(cls.directory, _FOREIGN)
        cls.settings = {
            "svid": {"ttl": "8s"},
            "federation": {"trustDomains": [{
                "name": _FOREIGN, "profile": "file", "bundle": str(bundle)}]}}

    def setUp(self):
        self.agent = self.network.client_agent
        self.path = self.agent.directory / "run" / "workload.sock"

    def start(self, identity=_HELPER, **options):
        return SpiffeHelper(self, identity.gid, self.path, **options)

    def test_files(self):
        helper = self.start(audience="api")
        helper.program.await_line("JWT SVID updated")
        helper.program.await_line("JWT bundle updated")
        helper.await_files()
        self.assertTrue(helper.serial())
        self.assertEqual(helper.authorities(), 1)
        self.assertEqual(list(helper.jwt_bundles()), [documents.TRUST_DOMAIN])
        # Another client of the Workload API asks whether the token is good.
        answer = self.client.spawn(
            [clients.program("go"), "validate", "api",
             helper.file("svid.jwt").read_text()], gid=_HELPER.gid,
            env={"SPIFFE_ENDPOINT_SOCKET": f"unix://{self.path}"})
        self.assertEqual(answer.await_json("event", "valid")["spiffeId"],
                         documents.spiffe_id(_HELPER.workload_id))

    def test_two_renewals(self):
        helper = self.start()
        helper.await_files()
        serials = set()

        def renewed_twice():
            serials.add(helper.serial())
            return len(serials) >= 3
        deadline.await_true(renewed_twice, "two renewals", 40)

    def test_federated_authorities(self):
        helper = self.start(_FEDERATED, federated=True)
        helper.program.await_line("JWT bundle updated")
        helper.await_files()
        self.assertTrue(helper.serial())
        self.assertEqual(helper.authorities(), 2)
        self.assertEqual(set(helper.jwt_bundles()),
                         {documents.TRUST_DOMAIN, _FOREIGN})

    def _follows_across(self, end):
        helper = self.start()
        helper.await_files()
        end()
        serial = helper.serial()
        self.agent.start()
        deadline.await_true(lambda: helper.serial() != serial,
                            "another certificate", 40)

    def test_restart(self):
        self._follows_across(self.agent.stop)

    def test_kill(self):
        self._follows_across(self.agent.kill)

    def test_denied(self):
        helper = self.start(_NOBODY)
        helper.program.await_line("PermissionDenied")
        self.assertFalse(helper.file("svid.pem").exists())
