# SPDX-License-Identifier: Apache-2.0
"""What every SPIFFE client is asked to do, whatever agent it is beside."""

from rig import deadline
from rig.clients import (ANSWER_SECONDS, FEDERATED, FOREIGN_DOMAIN, OWN,
                         REFERENCE, STRANGER, ClientCase, updates)
from rig.documents import TRUST_DOMAIN

_ANYWHERE = "127.0.0.1:0"
# Libraries wait longer and longer between two attempts.
_NEXT_ATTEMPT_SECONDS = 60


class ClientRows(ClientCase):
    """Rows that hold beside every agent, which a class brings: stop_agent() as
    an operator does, kill_agent(), and start_agent() with what it had."""

    def row_fetch(self):
        facts = self.answer("x509", "fetch")
        self.assertEqual(facts["spiffeId"], self.own)
        self.assertRegex(facts["serial"], "^[1-9a-f][0-9a-f]*$")
        self.assertEqual((facts["svids"], facts["roots"]), (1, 1))

    def row_bundles(self):
        facts = self.answer("bundles", "bundles")
        for kind in ("x509", "jwt"):
            self.assertEqual(list(facts[kind]), [TRUST_DOMAIN])
            self.assertGreaterEqual(facts[kind][TRUST_DOMAIN], 1)

    def row_federated_bundles(self):
        facts = self.answer("bundles", "bundles", identity=FEDERATED)
        for kind in ("x509", "jwt"):
            self.assertEqual(sorted(facts[kind]),
                             [TRUST_DOMAIN, FOREIGN_DOMAIN])
            self.assertEqual(facts[kind][FOREIGN_DOMAIN], 1)

    def row_jwt(self):
        facts = self.answer("jwt", "jwt", "api")
        self.assertEqual(facts["spiffeId"], self.own)
        self.assertEqual(facts["token"].count("."), 2)

    def row_validate(self):
        token = self.answer("jwt", "jwt", "api", library=REFERENCE)["token"]
        facts = self.answer("valid", "validate", "api", token)
        self.assertEqual(facts["spiffeId"], self.reference)
        self.error("validate", "db", token)

    def row_denied(self):
        self.assert_denied(self.error("fetch", identity=STRANGER))

    def row_denied_jwt(self):
        self.assert_denied(self.error("jwt", "api", identity=STRANGER))

    def row_watch_two_renewals(self):
        watch = self.start("watch")
        deadline.await_true(
            lambda: len({each["serial"] for each in updates(watch)}) >= 3,
            "two renewals", ANSWER_SECONDS)
        watch.close_input()
        self.assertEqual(watch.wait(), 0)

    def row_watch_restart(self):
        self._watch_across(self.stop_agent, self.start_agent)

    def row_watch_kill(self):
        self._watch_across(self.kill_agent, self.start_agent)

    def row_watch_withdrawal(self):
        """What is withdrawn and granted again comes to the same watch."""
        own = OWN[self.library]
        self.addCleanup(self.await_granted)
        self._watch_across(lambda: self.withdraw(own), lambda: self.grant(own))

    def row_mtls_itself(self):
        self._mtls(self.library, self.library)

    def row_mtls_dials_reference(self):
        self._mtls(REFERENCE, self.library)

    def row_mtls_reference_dials(self):
        self._mtls(self.library, REFERENCE)

    def row_grpc_itself(self):
        self._grpc(self.library, self.library)

    def row_grpc_dials_reference(self):
        self._grpc(REFERENCE, self.library)

    def row_grpc_reference_dials(self):
        self._grpc(self.library, REFERENCE)

    def await_granted(self):
        """Other tests of the class need the identity, too."""
        self.answer("x509", "fetch")

    def _watch_across(self, end, begin):
        watch = self.start("watch")
        watch.await_json("event", "x509", ANSWER_SECONDS)
        end()
        seen = len(updates(watch))
        begin()
        watch.await_json("event", "x509", _NEXT_ATTEMPT_SECONDS,
                         count=seen + 1)
        watch.close_input()
        self.assertEqual(watch.wait(), 0)

    def _served(self, command, server, client, dial):
        """Has the server serve while dial(address, the server's ID) runs."""
        ids = {self.library: self.own, REFERENCE: self.reference}
        program, address = self.listening(command, _ANYWHERE, ids[client],
                                          library=server)
        dial(address, ids[server])
        program.close_input()
        self.assertEqual(program.wait(), 0)

    def _mtls(self, server, client):
        def dial(address, expected):
            for text in (self.marker, "once more"):
                self.assertEqual(
                    self.answer("echo", "dial", address, expected, text,
                                library=client)["text"], text)
        self._served("listen", server, client, dial)

    def _grpc(self, server, client):
        def dial(address, expected):
            self.assertEqual(
                self.answer("grpc", "grpc-dial", address, expected,
                            library=client)["status"], "SERVING")
        self._served("grpc-listen", server, client, dial)
