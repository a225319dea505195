# SPDX-License-Identifier: Apache-2.0
"""`kith svid revoke` ends the flows of a serial or of an identity, on both of
their ends, and no other; openssl reads the same from the CRL."""

import subprocess
import time

from rig import deadline, documents, openssl
from rig.case import needs_agent, on
from rig.conversation import (CLIENT, SERVER, Connecting, Listening, PeerCase,
                              identities,
                              request)
from rig.forge import Forge
from rig.network import OneNode

# The most that may pass between the command and the end of the flow.
_SOON = deadline.allowed(1.0)
_FRIEND = documents.spiffe_id("foreign/friend")
_CERTIFICATE_REVOKED = 44


def _serial(certificate):
    """Returns the serial number as openssl spells it."""
    text = subprocess.run(
        ["openssl", "x509", "-noout", "-serial", "-in", certificate],
        check=True, capture_output=True, text=True).stdout
    return text.strip().removeprefix("serial=")


@needs_agent
@on(OneNode)
class SvidRevocation(PeerCase):
    """The documents never change."""

    documents = identities(inbound=[CLIENT, _FRIEND])

    @classmethod
    def start_workloads(cls):
        cls.forge = Forge(cls.directory / "forge",
                          cls.network.client_agent.ca_directory)

    @property
    def _agent(self):
        return self.network.client_agent

    def _svid(self, spiffe_id):
        return next(row["svid"] for row in self._agent.ask("identities")[
            "identities"] if row["spiffeId"] == spiffe_id)

    def _await_fresh(self, spiffe_id, serial):
        deadline.await_true(
            lambda: self._svid(spiffe_id)["serial"] != serial, "a fresh SVID")

    def _foreign(self, credential):
        """Returns an open flow of openssl, which kith does not manage."""
        server = Listening(self, ["recv:3", "recv-all"])
        foreign = openssl.client(self, server.port, self.forge, credential,
                                 "-quiet")
        foreign.program.write("hi\n")
        self._agent.await_open(
            destination=f"{self.network.address}:{server.port}",
            direction="inbound", bytesReceived=3)
        return server, foreign

    def _verify(self, certificate):
        """Returns whether openssl takes the certificate, given the CRL."""
        directory = self._agent.ca_directory
        return subprocess.run(
            ["openssl", "verify", "-crl_check", "-CAfile",
             directory / "ca.crt", "-CRLfile", directory / "ca.crl",
             certificate], check=False, capture_output=True).returncode == 0

    def test_an_identity(self):
        """The flow between two workloads ends on both sides; the client gets
        another SVID; a flow of openssl to the same server goes on."""
        bystander, foreign = self._foreign(self.forge.svid("foreign/friend"))
        server = Listening(self, ["recv:100", "recv-all"], connections=2)
        client = Connecting(self, server.port, ["send:100", "recv-all"])
        destination = f"{self.network.address}:{server.port}"
        self._agent.await_open(destination=destination, direction="inbound",
                               bytesReceived=100)
        serial = self._svid(CLIENT)["serial"]
        servers = self._svid(SERVER)["serial"]
        began = time.monotonic()
        answer = self._agent.ask("svid", "revoke", CLIENT)
        self.assertEqual(client.facts("done")["ended"], "reset")
        self.assertLess(time.monotonic() - began, _SOON)
        self.assertIn(serial, [row["serial"] for row in answer["revoked"]])
        self.assertEqual(answer["flows"], 2)
        told = self._agent.await_closed(2, destination=destination)
        revoked = [flow for flow in told if flow["reason"] == "revoked"]
        self.assertIn(serial, revoked[0]["detail"])
        self._agent.program.await_line(
            lambda line: '"audit"' in line and serial in line)

        self._await_fresh(CLIENT, serial)
        self.assertEqual(self._svid(SERVER)["serial"], servers)
        again = Connecting(self, server.port, request(100))
        self.assertIsNone(again.facts("done")["error"])
        foreign.program.write("ho\n")
        self._agent.await_open(
            destination=f"{self.network.address}:{bystander.port}",
            bytesReceived=6)
        foreign.program.stop()

    def test_a_serial(self):
        """Of a peer from elsewhere: it does not get in again with it."""
        credential = self.forge.svid("foreign/friend")
        other = self.forge.svid("foreign/friend")
        serial = _serial(credential.certificate)
        server, _ = self._foreign(credential)
        spared, foreign = self._foreign(other)
        self.assertTrue(self._verify(credential.certificate))
        began = time.monotonic()
        self._agent.ask("svid", "revoke", serial)
        self.assertEqual(server.facts("done")["ended"], "reset")
        self.assertLess(time.monotonic() - began, _SOON)
        self.assertFalse(self._verify(credential.certificate))
        self.assertTrue(self._verify(other.certificate))

        listening = Listening(self, ["recv-all"])
        refused = openssl.client(self, listening.port, self.forge, credential,
                                 "-quiet")
        self.assertEqual(refused.await_alert(), _CERTIFICATE_REVOKED)
        flow = self._agent.await_closed(
            1, destination=f"{self.network.address}:{listening.port}")[0]
        self.assertEqual(flow["reason"], "handshake_failed")
        self.assertIn(f"serial {serial.lower()} is revoked", flow["detail"])
        foreign.program.write("ho\n")
        self._agent.await_open(
            destination=f"{self.network.address}:{spared.port}",
            bytesReceived=6)
        foreign.program.stop()

    def test_crl_is_one(self):
        """openssl prints it."""
        text = subprocess.run(
            ["openssl", "crl", "-noout", "-text", "-in",
             self._agent.ca_directory / "ca.crl"], check=True,
            capture_output=True, text=True).stdout
        for wanted in ("Version 2", "Next Update", "CRL Number",
                       "Authority Key Identifier"):
            self.assertIn(wanted, text)

    def test_nothing_of_that_name(self):
        for name in ("abcd", documents.spiffe_id("peer/nobody"), "no-serial"):
            done = subprocess.run(
                self._agent.command("svid", "revoke", name), check=False,
                capture_output=True, text=True)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(name, done.stderr)
