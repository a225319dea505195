# SPDX-License-Identifier: Apache-2.0
"""The life of the embedded CA's authorities: prepared, active, old, tainted,
gone; saved and restored. Both agents of TwoNodes have the same CA."""

import os
import pathlib
import subprocess
import time

from rig import deadline
from rig.agent import BINARY
from rig.case import needs_agent, on
from rig.conversation import CLIENT, SERVER, Connecting, Listening, PeerCase
from rig.network import OneNode, TwoNodes

_SOON = deadline.allowed(1.0)


@needs_agent
@on(OneNode, TwoNodes)
class CertificateAuthority(PeerCase):
    """Orders are given to the client's agent; the other one follows."""

    @property
    def _agent(self):
        return self.network.client_agent

    def _states(self):
        return [row["state"] for row in
                self._agent.ask("ca", "show")["authorities"]]

    def _replace_active(self):
        """Returns the former authority's id."""
        rows = self._agent.ask("ca", "show")["authorities"]
        former = next(row["id"] for row in rows if row["state"] == "active")
        made = self._agent.ask("ca", "prepare")["id"]
        self.assertEqual(self._states()[-2:], ["active", "prepared"])
        self._agent.ask("ca", "activate", made, "--now")
        return former

    def _open(self):
        server = Listening(self, ["recv:100", "recv-all"])
        client = Connecting(self, server.port, ["send:100", "recv-all"])
        flow = self._agent.await_open(
            destination=f"{self.network.address}:{server.port}",
            direction="outbound", bytesSent=100)
        return server, client, flow

    def _works(self):
        server = Listening(self, ["recv:100", "close"])
        client = Connecting(self, server.port, ["send:100", "recv-all"])
        self.assertIsNone(client.facts("done")["error"])
        self.assertEqual(server.facts("done")["received"], 100)

    def _settle_svids(self, serials):
        """Both agents have renewed what those serials were."""
        for agent in self.network.agents:
            deadline.await_true(
                lambda a=agent: not serials & {
                    row["svid"]["serial"]
                    for row in a.ask("identities")["identities"]},
                "fresh SVIDs")

    def _serials(self):
        return {row["svid"]["serial"] for agent in self.network.agents
                for row in agent.ask("identities")["identities"]}

    def test_rotation(self):
        server, client, flow = self._open()
        serials = self._serials()
        former = self._replace_active()
        self.assertEqual(flow["local"]["svidAuthority"], former)
        self.assertEqual(self._agent.await_open(id=flow["id"])["state"],
                         "open")
        self._works()

        began = time.monotonic()
        self._agent.ask("ca", "taint", former)
        self.assertEqual(client.facts("done")["ended"], "reset")
        self.assertEqual(server.facts("done")["ended"], "reset")
        self.assertLess(time.monotonic() - began, _SOON)
        # Whichever agent is the first resets the other's.
        told = deadline.await_true(
            lambda: [each for agent in self.network.agents
                     for each in agent.closed_flows()
                     if each["destination"] == flow["destination"] and
                     each["reason"] == "revoked"], "a revoked flow")
        self.assertIn(f"tainted authority {former}", told[0]["detail"])
        self._settle_svids(serials)
        self._works()

        _, survivor, flow = self._open()
        self._agent.ask("ca", "revoke", former)
        self.assertNotIn("tainted", self._states())
        self._works()
        self.assertEqual(self._agent.await_open(id=flow["id"])["state"],
                         "open")
        survivor.program.stop()
        self._agent.program.await_line(
            lambda line: '"audit"' in line and f"{former}: revoke by" in line)

    def test_steps_out_of_order(self):
        active = next(
            row["id"] for row in self._agent.ask("ca", "show")["authorities"]
            if row["state"] == "active")
        for change in "taint", "revoke", "activate":
            done = subprocess.run(
                self._agent.command("ca", change, active), check=False,
                capture_output=True, text=True)
            self.assertEqual(done.returncode, 1)
            self.assertIn("is active", done.stderr)

    def _copy(self, *arguments, passphrase="correct horse"):
        secret = pathlib.Path(self.directory) / "passphrase"
        secret.write_text(passphrase + "\n")
        return subprocess.run(
            [BINARY, "ca", *map(str, arguments), "--passphrase-file", secret,
             "--config", self._agent.directory / "kith.yaml"], check=False,
            capture_output=True, text=True)

    def test_restore(self):
        """Of the CA as it was before its authority was replaced: running
        agents go back to it, and what was revoked since stays so."""
        backup = pathlib.Path(self.directory) / f"backup-{time.time_ns()}"
        done = self._copy("backup", backup)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(os.stat(backup).st_mode & 0o777, 0o600)
        self.assertNotIn("PRIVATE", backup.read_text())
        self.assertNotEqual(self._copy("backup", backup).returncode, 0)
        saved = self._agent.ask("ca", "show")["authorities"]

        revoked = self._agent.ask("svid", "revoke", CLIENT)["revoked"]
        self._replace_active()
        serials = self._serials()
        self.assertIn("--replace", self._copy("restore", backup).stderr)
        wrong = self._copy("restore", backup, "--replace", passphrase="no")
        self.assertIn("passphrase", wrong.stderr)
        damaged = backup.with_suffix(".damaged")
        text = backup.read_text()
        damaged.write_text(text[:-10] + ("A" if text[-10] != "A" else "B") +
                           text[-9:])
        self.assertIn("damaged",
                      self._copy("restore", damaged, "--replace").stderr)
        self.assertEqual(self._serials(), serials)

        _, client, _ = self._open()
        self._agent.ask("svid", "revoke", SERVER)
        self.assertEqual(client.facts("done")["ended"], "reset")
        restored = self._copy("restore", backup, "--replace", "--json")
        self.assertEqual(restored.returncode, 0, restored.stderr)
        self.assertEqual(
            [row["id"] for row in self._agent.ask("ca", "show")[
                "authorities"]], [row["id"] for row in saved])
        listed = (self._agent.ca_directory / "revoked").read_text()
        for row in revoked:
            self.assertIn(row["serial"], listed)
        self._works()
