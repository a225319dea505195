# SPDX-License-Identifier: Apache-2.0
"""The keys that sign JWT-SVIDs, and `kith jwt doctor` against their issuer."""

import base64
import json
import subprocess
import time

from rig import deadline
from rig.agent import BINARY
from rig.case import needs_agent, on
from rig.gospiffe import GO, GoCase
from rig.network import OneNode

_ISSUER = "http://127.0.0.1:8085"
_NOBODY = "http://127.0.0.1:8086"


def _kid(token):
    header = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(header + "=="))["kid"]


class _JwtCase(GoCase):

    settings = {"oidc": {"issuer": _ISSUER, "profile": "http",
                         "listen": _ISSUER.removeprefix("http://")}}

    def fetch(self):
        return self.go("jwt", "api").await_json("event", "jwt")["token"]


@needs_agent
@on(OneNode)
class JwtKeys(_JwtCase):
    """Rotated and revoked by an operator."""

    def _keys(self):
        return {row["id"]: row["state"]
                for row in self.agent.ask("jwt", "keys")["keys"]}

    def _served(self):
        """Returns the ids that the issuer serves to the world."""
        text = self.server.run(["curl", "-sS", "--fail", f"{_ISSUER}/keys"],
                               managed=False)
        return {key["kid"] for key in json.loads(text)["keys"]}

    def test_rotate(self):
        former = self.fetch()
        made = self.agent.ask("jwt", "rotate", "--now")["id"]
        # Not in the same second as the former key.
        deadline.await_true(lambda: self._keys()[made] == "active",
                            "another key", 3)
        self.assertEqual(self._keys()[_kid(former)], "old")
        self.assertEqual(self._served(), set(self._keys()))
        self.assertEqual(_kid(self.fetch()), made)
        self.go("validate", "api", former).await_json("event", "valid")
        following = self.agent.ask("jwt", "rotate")["id"]
        self.assertEqual(self._keys()[following], "prepared")
        self.assertEqual(_kid(self.fetch()), made)

    def test_revoke(self):
        token = self.fetch()
        self.go("validate", "api", token).await_json("event", "valid")
        self.agent.ask("jwt", "revoke", "--", _kid(token))
        error = self.go("validate", "api", token).await_json("event", "error")
        self.assertIn("InvalidArgument", error["error"])
        self.assertNotIn(_kid(token), self._served())
        fresh = self.fetch()
        self.assertEqual(self._keys()[_kid(fresh)], "active")
        self.go("validate", "api", fresh).await_json("event", "valid")
        self.agent.program.await_line(
            lambda line: '"audit"' in line and
            f"JWT key {_kid(token)}: revoke" in line)

    def test_wrong_orders(self):
        for arguments, words in (
                (("revoke", "nothing"), "no key of JWT-SVIDs has the id"),
                (("revoke",), "key is required"),
                (("turn",), "subcommand")):
            done = subprocess.run(self.agent.command("jwt", *arguments),
                                  check=False, capture_output=True, text=True)
            self.assertNotEqual(done.returncode, 0, arguments)
            self.assertIn(words, done.stderr)


@needs_agent
@on(OneNode)
class JwtDoctor(_JwtCase):
    """Says why a verifier refuses a token."""

    def _examine(self, token, *options):
        """Returns the exit status and the answer."""
        path = self.directory / "token"
        path.write_text(token)
        program = self.client.spawn(
            [BINARY, "jwt", "doctor", path, "--json", *options],
            managed=False, stderr=subprocess.DEVNULL)
        status = program.wait()
        return status, json.loads(program.output)

    def _kinds(self, token, *options):
        status, answer = self._examine(token, *options)
        self.assertEqual((status, answer["ok"]), (1, False), answer)
        for finding in answer["findings"]:
            self.assertTrue(finding["message"] and finding["wayOut"])
        return [finding["kind"] for finding in answer["findings"]]

    def test_each_fault_by_its_name(self):
        token = self.fetch()
        expected = ("--audience", "api", "--issuer", _ISSUER)
        status, answer = self._examine(token, *expected)
        self.assertEqual(
            (status, answer["ok"], answer["signatureChecked"]),
            (0, True, True), answer)
        self.assertEqual(answer["token"]["sub"], GO)
        self.assertEqual(
            self._kinds(token, "--audience", "db", "--issuer", _ISSUER),
            ["audience_mismatch"])
        self.assertIn("issuer_unreachable",
                      self._kinds(token, "--issuer", _NOBODY))
        now = int(time.time())
        self.assertEqual(
            self._kinds(token, *expected, "--time", str(now + 3600)),
            ["expired"])
        self.assertIn("clock_skew", self._kinds(
            token, *expected, "--time", str(now - 3600)))
        head, payload, signature = token.split(".")
        forged = base64.urlsafe_b64encode(
            base64.urlsafe_b64decode(payload + "==").replace(
                b"go/client", b"go/master")).decode().rstrip("=")
        self.assertEqual(
            self._kinds(f"{head}.{forged}.{signature}", *expected),
            ["wrong_signature"])
        self.agent.ask("jwt", "revoke", "--", _kid(token))
        deadline.await_true(
            lambda: self._kinds(token, *expected) == ["unknown_key"],
            "the key is gone")

    def test_wrong_ways(self):
        self.assertEqual(self._kinds("not a token"), ["malformed"])
        path = self.directory / "token"  # from above
        for arguments, words in (
                (["/nonexistent"], "/nonexistent"),
                ([path, "--time", "yesterday"], "--time"),
                ([path, "--leeway", "-1"], "--leeway")):
            program = self.client.spawn([BINARY, "jwt", "doctor", *arguments],
                                        managed=False)
            self.assertNotEqual(program.wait(), 0, arguments)
            self.assertIn(words, program.output)
