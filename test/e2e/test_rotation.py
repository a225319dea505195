# SPDX-License-Identifier: Apache-2.0
"""SVIDs are renewed, and documents reloaded, under running flows."""

import collections
import datetime
import json
import os

from rig import deadline, documents
from rig.case import needs_agent, on
from rig.conversation import (CLIENT, MARATHON, SERVER, Connecting, Listening,
                              PeerCase, identities, request)
from rig.network import OneNode, TwoNodes


@needs_agent
@on(OneNode)
class Rotation(PeerCase):
    """SVIDs that live for ten seconds, longer where everything takes longer."""

    documents = identities()
    settings = {"svid": {"ttl": f"{int(deadline.allowed(10))}s"}}

    def _serials(self):
        """Returns the serial numbers in force, by SPIFFE ID."""
        rows = self.network.client_agent.ask("identities")["identities"]
        return {row["spiffeId"]: row["svid"]["serial"] for row in rows}

    def _dial_and_report(self):
        server = Listening(self, ["recv-all"])
        Connecting(self, server.port, request(100)).facts("done")
        server.facts("done")
        return self.network.client_agent.await_closed(
            1, direction="outbound", reason="closed",
            destination=f"{self.network.address}:{server.port}")[0]

    def test_renewal_does_not_disturb_a_flow(self):
        server = Listening(self, ["recv:1000", "send:1000", "go",
                                  "send:500000", "recv-all"])
        client = Connecting(self, server.port, [
            "send:1000", "recv:1000", "go", "recv:500000", "send:500000",
            "close"])
        client.facts("waiting")
        before = self._serials()
        flow = next(flow for flow in self.network.client_agent.open_flows()
                    if flow["direction"] == "outbound")
        self.assertEqual(flow["local"]["svidSerial"], before[CLIENT])

        def renewed():
            now = self._serials()
            return now[CLIENT] != before[CLIENT]
        # Half of ten seconds, and some jitter.
        deadline.await_true(renewed, "a renewal", 10)

        fresh = self._dial_and_report()
        self.assertNotEqual(fresh["local"]["svidSerial"], before[CLIENT])
        for peer in client, server:
            peer.program.write("go\n")
        self.check_exact(client.facts("done"), server.facts("done"))
        # The flow ends as it began: with the SVID of its handshake.
        ended = self.network.client_agent.await_closed(1, id=flow["id"])[0]
        self.assertEqual((ended["reason"], ended["local"]["svidSerial"]),
                         ("closed", before[CLIENT]))


@needs_agent
@on(TwoNodes)
class Reload(PeerCase):
    """Documents change while the agents run."""

    documents = identities()

    def _put(self, text_or_documents):
        for agent in self.network.agents:
            agent.put("documents.yaml", text_or_documents)

    def _await_status(self, condition, what):
        for agent in self.network.agents:
            deadline.await_true(lambda a=agent: condition(a.ask("status")),
                                what)

    def _dial(self):
        server = Listening(self, ["recv-all"])
        client = Connecting(self, server.port, ["send:1000", "shutdown",
                                                "recv-all"])
        return client.facts("done")["ended"]

    def test_reload(self):
        self.assertEqual(self._dial(), "eof")

        with self.subTest("a bad file keeps the last good documents"):
            self._put("apiVersion: kith.dev/v1alpha1\nkind: WorkloadIdentity\n"
                      "metadata: {name: bad}\nspec: {selector: []}\n")
            self._await_status(lambda status: "resourcesError" in status,
                               "the error is shown")
            error = self.network.client_agent.ask("status")["resourcesError"]
            self.assertRegex(error, r"documents\.yaml:4.*selector")
            self.assertEqual(self._dial(), "eof")

        with self.subTest("a good file replaces them"):
            self._put(identities(inbound=[]))
            self._await_status(lambda status: "resourcesError" not in status,
                               "the error is gone")
            self.assertEqual(self._dial(), "reset")
            self.network.server_agent.await_closed(
                1, direction="inbound", reason="peer_not_allowed",
                peer__spiffeId=CLIENT, local__spiffeId=SERVER)

        with self.subTest("an identity is added"):
            self._put(identities() + [
                documents.identity("late/one", {"process:name": "late"})])
            self._await_status(lambda status: status["identities"] == 3,
                               "three identities")
            self.assertEqual(self._dial(), "eof")


@needs_agent
@on(TwoNodes)
class RotationUnderLoad(PeerCase):
    """Many streams stay open across renewals on both of their ends. The two
    variables of the environment make it longer and larger."""

    _SECONDS = int(os.environ.get("KITH_ROTATION_SECONDS", "12"))
    _FLOWS = int(os.environ.get("KITH_ROTATION_FLOWS", "40"))
    _TTL = int(deadline.allowed(10))
    # Renewed at half of its life or up to a tenth of that earlier; what is left
    # is for the issuer, and for ends of lives that are whole seconds.
    _LEFT = _TTL / 2 - deadline.allowed(1.5)

    seconds = 60 + _SECONDS
    documents = identities()
    settings = {"svid": {"ttl": f"{_TTL}s"}}

    def settle(self):
        """The streams go on."""

    def _stream(self):
        server = self.server.spawn(
            [*MARATHON, "serve", self.network.address, 0], group="server")
        port = server.await_json("event", "listening")["port"]
        client = self.client.spawn(
            [*MARATHON, "connect", self.network.address, port, self.marker,
             self._FLOWS, 0.02], group="client", name="streams")
        client.await_json("event", "running", 30)
        return client

    def _dial(self):
        """Returns what both agents say of a new flow."""
        server = Listening(self, ["recv-all"])
        Connecting(self, server.port, ["send:100", "close"])
        server.facts("done")
        return [agent.await_closed(
            1, reason="closed",
            destination=f"{self.network.address}:{server.port}")[0]
            for agent in self.network.agents]

    def _life_left(self, flow):
        expires, opened = (datetime.datetime.fromisoformat(text) for text in
                           (flow["peer"]["svidExpires"], flow["openedAt"]))
        return (expires - opened).total_seconds()

    def _renewals(self):
        """Returns the seconds between the renewals of each SVID."""
        moments = collections.defaultdict(list)
        for number, agent in enumerate(self.network.agents):
            for line in agent.program.lines:
                if '"new SVID"' in line:
                    told = json.loads(line)
                    moments[number, told["identity"]].append(
                        datetime.datetime.fromisoformat(told["time"]))
        return [(after - before).total_seconds()
                for each in moments.values()
                for before, after in zip(each, each[1:])]

    def test_no_stream_is_disturbed(self):
        streams = self._stream()
        handshakes = []
        limit = deadline.Deadline(self._SECONDS)
        while not limit.passed():
            handshakes += self._dial()
        streams.write("\n")
        done = streams.await_json("event", "done", 30)
        left = [self._life_left(flow) for flow in handshakes]
        renewals = self._renewals()
        print(f"{done['flows']} flows, {done['bytes'] >> 20} MiB: "
              f"{done['broken']} broken, longest pause "
              f"{done['longest'] * 1000:.0f} ms; {len(renewals)} renewals "
              f"every {min(renewals):.2f} to {max(renewals):.2f} s; "
              f"{len(handshakes) // 2} handshakes, SVIDs of "
              f"{min(left):.1f} s left or more (of {self._TTL})", flush=True)
        self.assertEqual(done["broken"], 0, done["errors"])
        self.assertGreater(min(left), self._LEFT)
        self.assertGreaterEqual(len(renewals), 4)
        self.assertGreater(max(renewals) - min(renewals), 0.01)
        self.assertLess(max(renewals), self._TTL / 2 + deadline.allowed(1))
