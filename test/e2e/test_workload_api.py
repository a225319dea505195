# SPDX-License-Identifier: Apache-2.0
"""The Workload API, as go-spiffe sees it, and go-spiffe as a TLS peer."""

import pwd
import stat

from rig import deadline, documents, memory
from rig.case import needs_agent, on
from rig.gospiffe import ECHO, ECHO_PROGRAM, GO, GoCase
from rig.network import OneNode

_USER = "www-data"


def _updates(program):
    return [line for line in program.lines if '"x509"' in line]


@needs_agent
@on(OneNode)
class WorkloadApi(GoCase):
    """What applications are told."""

    def test_everybody_may_connect(self):
        mode = self.socket.stat().st_mode
        self.assertTrue(stat.S_ISSOCK(mode))
        self.assertEqual(stat.S_IMODE(mode), 0o666)

    def test_watch_across_two_rotations(self):
        program = self.go("watch")
        deadline.await_true(lambda: len(_updates(program)) >= 3,
                            "two rotations", 30)
        latest = self.serial(GO).lstrip("0")  # as Go spells numbers
        program.await_line(f'"serial":"{latest}"')
        self.assertIn('"roots":1', _updates(program)[0])
        self.assertIn(f'"spiffeId":"{GO}"', _updates(program)[0])
        self.assertEqual(len(set(_updates(program))), len(_updates(program)))
        self.assertNotIn("watch-error", program.output)
        program.close_input()
        self.assertEqual(program.wait(), 0)

    def test_jwt_svid(self):
        facts = self.go("jwt", "api").await_json("event", "jwt")
        self.assertEqual(facts["spiffeId"], GO)
        self.assertEqual(facts["audiences"], ["api"])
        self.assertTrue(290 <= facts["lifetime"] <= 300, facts["lifetime"])
        # Whoever else may call takes it; nobody takes it for another audience.
        token = facts["token"]
        self.go("validate", "api", token).await_json("event", "valid")
        error = self.go("validate", "db", token).await_json("event", "error")
        self.assertIn("InvalidArgument", error["error"])
        self.assertIn("another audience", error["error"])

    def test_strangers_are_refused(self):
        for options in ({"managed": False}, {}):
            if not options:
                self.put(self.identities()[1:])
            error = self.go("validate", "api", "a.b.c", **options).await_json(
                "event", "error")
            self.assertIn("PermissionDenied", error["error"])

    def test_a_document_is_removed_and_comes_back(self):
        program = self.go("watch")
        program.await_json("event", "x509")
        self.put(self.identities()[1:])
        error = program.await_json("event", "watch-error")
        self.assertIn("PermissionDenied", error["error"])
        seen = len(_updates(program))
        self.put(self.identities())
        deadline.await_true(lambda: len(_updates(program)) > seen,
                            "the watch goes on")

    def test_another_user_is_another_caller(self):
        self.put(self.identities(documents.identity(
            "go/www", {"process:binary:path": str(self.program),
                       "process:uid": str(pwd.getpwnam(_USER).pw_uid)},
            mode="DISABLE")))
        facts = self.go("watch", user=_USER).await_json("event", "x509")
        self.assertEqual(facts["spiffeId"], documents.spiffe_id("go/www"))


@needs_agent
@on(OneNode)
class ForeignPeer(GoCase):
    """go-spiffe does its own TLS with SVIDs of the Workload API."""

    def test_dials_a_captured_workload(self):
        server = self.server.spawn([*ECHO_PROGRAM, "serve", "127.0.0.1"],
                                   group="server")
        port = server.await_json("event", "listening")["port"]
        client = self.go("dial", f"127.0.0.1:{port}", ECHO, self.marker)
        self.assertEqual(client.await_json("event", "echo")["text"],
                         self.marker)
        flow = self.agent.await_closed(1, direction="inbound", mode="mtls",
                                       local__spiffeId=ECHO)[0]
        self.assertEqual(flow["peer"]["spiffeId"], GO)

    def test_is_dialled_by_a_captured_workload(self):
        server = self.go("listen", "127.0.0.1:0", ECHO)
        port = server.await_json("event", "listening")["address"].split(":")[1]
        client = self.client.spawn(
            [*ECHO_PROGRAM, "connect", "127.0.0.1", port, self.marker],
            group="client")
        self.assertEqual(client.await_json("event", "echo")["text"],
                         self.marker)
        flow = self.agent.await_closed(1, direction="outbound", mode="mtls",
                                       local__spiffeId=ECHO)[0]
        self.assertEqual(flow["peer"]["spiffeId"], GO)


@needs_agent
@on(OneNode)
class Keys(GoCase):
    """Keys that are not renewed while one looks for them."""

    seconds = 180  # gdb takes its time

    settings = {"svid": {"ttl": "1h"}}

    def _svid_key(self):
        program = self.go("key")
        return bytes.fromhex(program.await_json("event", "key")["scalar"])

    def _signing_keys(self):
        """Returns the keys of the CA and of its tokens, as their files have
        them."""
        files = [path for path in self.agent.ca_directory.rglob("*")
                 if path.is_file() and
                 b"PRIVATE KEY" in path.read_bytes()]
        self.assertGreaterEqual(len(files), 2)
        return [memory.scalar_of(path) for path in files]

    def test_keys_stay_in_locked_memory(self):
        svid_key = self._svid_key()
        for scalar in (svid_key, *self._signing_keys()):
            # As it was sent, and as the crypto library keeps it.
            protected, others = memory.places_of(
                self.agent.program.pid, scalar, scalar[::-1])
            self.assertEqual(others, [])
            if scalar == svid_key:  # others are there only while one signs
                self.assertTrue(protected)

    def test_no_key_is_in_a_core_dump(self):
        keys = [self._svid_key(), *self._signing_keys()]
        core = memory.core_of(self.agent.program.pid, self.directory)
        # A dump in which nothing can be found would prove nothing.
        self.assertIn(GO.encode(), core)
        for scalar in keys:
            self.assertNotIn(scalar, core)
            self.assertNotIn(scalar[::-1], core)
