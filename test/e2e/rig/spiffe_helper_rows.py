# SPDX-License-Identifier: Apache-2.0
"""What spiffe-helper is asked to do, whatever agent it is beside."""

from rig import clients, deadline, documents
from rig.case import Case
from rig.clients import FOREIGN_DOMAIN, Identity
from rig.spiffe_helper import SpiffeHelper

HELPER = Identity("helper/one", 7301)
FEDERATED = Identity("helper/federated", 7302, True)
NOBODY = Identity("helper/nobody", 7309)


class SpiffeHelperRows(Case):
    """What it writes, and when. A class brings the `agent` and the `path` of
    its socket."""

    seconds = 120
    agent = None
    path = None

    def start(self, identity=HELPER, **options):
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
             helper.file("svid.jwt").read_text()], gid=HELPER.gid,
            env={"SPIFFE_ENDPOINT_SOCKET": f"unix://{self.path}"})
        self.assertEqual(answer.await_json("event", "valid")["spiffeId"],
                         documents.spiffe_id(HELPER.workload_id))

    def test_two_renewals(self):
        helper = self.start()
        helper.await_files()
        serials = set()

        def renewed_twice():
            serials.add(helper.serial())
            return len(serials) >= 3
        deadline.await_true(renewed_twice, "two renewals", 40)

    def test_federated_authorities(self):
        helper = self.start(FEDERATED, federated=True)
        helper.program.await_line("JWT bundle updated")
        helper.await_files()
        self.assertTrue(helper.serial())
        self.assertEqual(helper.authorities(), 2)
        self.assertEqual(set(helper.jwt_bundles()),
                         {documents.TRUST_DOMAIN, FOREIGN_DOMAIN})

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
        helper = self.start(NOBODY)
        helper.program.await_line("PermissionDenied")
        self.assertFalse(helper.file("svid.pem").exists())
