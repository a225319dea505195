# SPDX-License-Identifier: Apache-2.0
"""What another trust domain withdraws ends the flows that it vouched for, and no
other. The other domains are known by a file each; openssl comes from them."""

import base64
import datetime
import json
import subprocess

from rig import deadline, documents, openssl
from rig.case import needs_agent, on
from rig.conversation import Listening, PeerCase, identities
from rig.forge import Forge
from rig.network import OneNode

OTHER, THIRD = "other.test", "third.test"
# The most that may pass between a new bundle, or document, and the end.
_SOON = datetime.timedelta(seconds=deadline.allowed(1.0))
_NEWS = "new bundle of a foreign trust domain"


def _bundle(*forges):
    """Returns the SPIFFE bundle of the authorities."""
    keys = []
    for forge in forges:
        der = subprocess.run(
            ["openssl", "x509", "-in", forge.bundle, "-outform", "DER"],
            check=True, capture_output=True).stdout
        keys.append({"use": "x509-svid", "kty": "EC",
                     "x5c": [base64.b64encode(der).decode()]})
    return {"keys": keys}


def _moment(text):
    return datetime.datetime.fromisoformat(text)


@needs_agent
@on(OneNode)
class ForeignAuthority(PeerCase):
    """Each test opens a flow from OTHER, and one from THIRD that must live."""

    seconds = 120

    @classmethod
    def before_agents(cls):
        cls.forges = {
            name: Forge.with_own_authority(cls.directory / name, name)
            for name in (OTHER, THIRD)}
        cls.settings = {"federation": {"trustDomains": [
            {"name": name, "profile": "file", "bundle": str(cls._file(name))}
            for name in (OTHER, THIRD)]}}
        for name in (OTHER, THIRD):
            cls._put(name, cls.forges[name])
        cls.documents = cls._identities([OTHER, THIRD])

    @classmethod
    def _file(cls, name):
        return cls.directory / f"{name}.json"

    @classmethod
    def _put(cls, name, *forges):
        scratch = cls.directory / "scratch"
        scratch.write_text(json.dumps(_bundle(*forges)))
        scratch.rename(cls._file(name))

    @staticmethod
    def _identities(federates_with):
        return identities(federatesWith=federates_with, inbound=[
            f"spiffe://{name}/*" for name in (OTHER, THIRD)])

    @classmethod
    def start_workloads(cls):
        cls.own = Forge(cls.directory / "own",
                        cls.network.client_agent.ca_directory)

    def setUp(self):
        """The domains are as they were at first."""
        self.agent = self.network.client_agent
        self.agent.put("documents.yaml", self._identities([OTHER, THIRD]))
        self._put(OTHER, self.forges[OTHER])
        self.credential = self.forges[OTHER].svid("web/one", OTHER)
        self.listening, self.foreign = self._await_flow(self.credential)
        self.spared, self.bystander = self._await_flow(
            self.forges[THIRD].svid("web/two", THIRD))

    def _dial(self, credential, connections=1):
        server = Listening(self, ["recv:3", "recv-all"],
                           connections=connections)
        return server, openssl.client(self, server.port, self.own, credential,
                                      "-quiet")

    def _await_flow(self, credential):
        """Dials until the domain's bundle is in force."""
        def opened():
            server, client = self._dial(credential)
            client.program.write("hi\n")
            try:
                self.agent.await_open(5, destination=self._at(server),
                                      direction="inbound", bytesReceived=3)
            except AssertionError:
                client.program.stop()
                return None
            return server, client
        return deadline.await_true(opened, "a flow from another domain", 40)

    def _at(self, server):
        return f"{self.network.address}:{server.port}"

    def _end_of_flow(self, why):
        """Returns when the flow from OTHER was revoked; the other lives."""
        self.assertEqual(self.listening.facts("done")["ended"], "reset")
        flow = self.agent.await_closed(1, destination=self._at(self.listening))[0]
        self.assertEqual(flow["reason"], "revoked")
        self.assertIn(why, flow["detail"])
        self.bystander.program.write("ho\n")
        self.agent.await_open(destination=self._at(self.spared),
                              bytesReceived=6)
        self.bystander.program.stop()
        return _moment(flow["closedAt"])

    def _heard(self):
        """Returns when the agent had the newest bundle."""
        return _moment(json.loads(
            [line for line in self.agent.program.lines
             if _NEWS in line and OTHER in line][-1])["time"])

    def _assert_refused(self):
        server, client = self._dial(self.credential)
        self.assertEqual(client.await_alert(), openssl.UNKNOWN_CA)
        flow = self.agent.await_closed(1, destination=self._at(server))[0]
        self.assertEqual(flow["reason"], "handshake_failed")

    def test_authority_replaced(self):
        self._put(OTHER, Forge.with_own_authority(
            self.directory / f"next{self.listening.port}", OTHER))
        ended = self._end_of_flow("revoked authority")
        self.assertLess(ended - self._heard(), _SOON)
        self._assert_refused()

    def test_trust_domain_revoked(self):
        """A bundle without keys."""
        self._put(OTHER)
        ended = self._end_of_flow("revoked authority")
        self.assertLess(ended - self._heard(), _SOON)
        self._assert_refused()

    def test_another_authority_beside_it(self):
        """The bystander's domain; nothing ends."""
        self._put(OTHER, self.forges[OTHER], Forge.with_own_authority(
            self.directory / f"more{self.listening.port}", OTHER))
        deadline.await_true(
            lambda: [row["x509Authorities"]
                     for row in self.agent.ask("status")["federation"]
                     if row["trustDomain"] == OTHER] == [2],
            "the larger bundle", 20)
        self.foreign.program.write("ho\n")
        self.agent.await_open(destination=self._at(self.listening),
                              bytesReceived=6)

    def test_document_no_longer_federates(self):
        changed = datetime.datetime.now(datetime.UTC)
        self.agent.put("documents.yaml", self._identities([THIRD]))
        ended = self._end_of_flow(f"does not federate with {OTHER}")
        self.assertLess(ended - changed, _SOON)
