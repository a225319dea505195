# SPDX-License-Identifier: Apache-2.0
"""The operator's commands tell the truth about what happened."""

import json
import subprocess

from rig.agent import BINARY, fact
from rig.case import needs_agent, on
from rig.command import Program
from rig.conversation import (CLIENT, SERVER, Connecting, Listening, PeerCase,
                              identities)
from rig.network import OneNode


@needs_agent
@on(OneNode)
class Commands(PeerCase):
    """Field names as architecture.md has them."""

    documents = identities()

    def setUp(self):
        self.agent = self.network.client_agent

    def _flow(self):
        server = Listening(self, ["recv-all", "send:300", "close"])
        client = Connecting(self, server.port,
                            ["send:700", "shutdown", "recv-all"])
        done = client.facts("done"), server.facts("done")
        self.check_exact(*done)
        return client, server

    def test_trace_shows_a_flows_timeline(self):
        trace = Program(self.agent.command("trace", "--identity", CLIENT),
                        "kith trace")
        self.addCleanup(trace.stop)
        self._await_subscription(trace)
        trace.lines.clear()
        client, _ = self._flow()

        def ends(line):
            # Of the flow that was dialled now: earlier ones may still end.
            event = json.loads(line)
            return event["step"] == "close" and fact(
                event["flow"], "process__pid") == client.program.pid
        trace.await_line(ends)
        events = [json.loads(line) for line in trace.lines]
        flow = next(event["flow"]["id"] for event in events if
                    fact(event["flow"], "process__pid") == client.program.pid)
        events = [event for event in events if event["flow"]["id"] == flow]
        steps = [event["step"] for event in events]
        wanted = ["connect", "attest", "dial", "svid", "handshake",
                  "authorise", "path", "close"]
        self.assertEqual([step for step in steps if step in wanted], wanted)
        times = [event["sinceStartMicros"] for event in events]
        self.assertEqual(times, sorted(times))
        self.assertEqual(events[-1]["flow"]["bytesSent"], 700)
        self.assertEqual(events[-1]["flow"]["bytesReceived"], 300)

    def _await_subscription(self, trace):
        """Lets flows pass until the trace shows one."""
        for _ in range(20):
            self._flow()
            if trace.lines:
                return
        self.fail("the trace shows nothing")

    def test_flow_record(self):
        client, server = self._flow()
        destination = f"127.0.0.1:{server.port}"
        flow = self.agent.await_closed(1, direction="outbound",
                                       destination=destination)[0]
        self.assertEqual(flow["state"], "closed")
        self.assertEqual(flow["path"], "userspace")
        self.assertEqual(flow["process"]["pid"], client.program.pid)
        self.assertTrue(flow["process"]["cgroup"].endswith("/client"))
        self.assertIn("peer.py connect", flow["process"]["cmdline"])
        self.assertEqual(flow["local"]["spiffeId"], CLIENT)
        self.assertEqual(flow["peer"]["spiffeId"], SERVER)
        for name in ("attest", "dial", "handshake", "total"):
            self.assertGreater(flow["timingMicros"][name], 0, name)
        self.assertLessEqual(
            flow["timingMicros"]["handshake"], flow["timingMicros"]["total"])
        for name in ("openedAt", "closedAt", "rule", "client"):
            self.assertTrue(flow[name], name)

    def test_open_flow(self):
        server = Listening(self, ["recv:10", "go", "close"])
        client = Connecting(self, server.port, ["send:10", "recv-all"])
        server.facts("waiting")
        flows = {flow["direction"]: flow for flow in self.agent.open_flows()}
        self.assertEqual({flow["state"] for flow in flows.values()}, {"open"})
        self.assertEqual(flows["outbound"]["bytesSent"], 10)
        self.assertEqual(flows["inbound"]["bytesReceived"], 10)
        server.program.write("go\n")
        client.facts("done")

    def test_status_and_identities(self):
        self._flow()
        status = self.agent.ask("status")
        self.assertEqual(status["pid"], self.agent.program.pid)
        self.assertEqual(status["cgroup"], str(self.client.managed))
        self.assertEqual(status["trustDomain"], "e2e.test")
        self.assertGreater(status["flows"]["closed"]["closed"], 0)
        rows = self.agent.ask("identities")["identities"]
        self.assertEqual({row["spiffeId"] for row in rows}, {CLIENT, SERVER})

    def test_explain(self):
        program = Connecting(self, 9, [], options=["--wait"]).program
        program.await_json("event", "waiting")
        explained = self.agent.ask("explain", str(program.pid))
        self.assertEqual(explained["identity"]["spiffeId"], CLIENT)
        verdicts = {row["spiffeId"]: row for row in explained["identities"]}
        self.assertTrue(verdicts[CLIENT]["matched"])
        self.assertFalse(verdicts[SERVER]["matched"])
        term = verdicts[SERVER]["maps"][0]["terms"][0]
        self.assertEqual(term["key"], "process:cmdline")
        self.assertIn("peer.py connect", term["observed"][0])
        self.assertEqual(term["verdict"], "mismatch")

    def test_explain_of_nobody(self):
        program = self.client.spawn(["sleep", "60"])
        explained = self.agent.ask("explain", str(program.pid))
        self.assertEqual(explained["outcome"], "none")
        self.assertEqual(explained["nearestMiss"]["missing"], 1)

    def test_doctor_and_version(self):
        self.assertTrue(self.agent.ask("doctor"))
        version = subprocess.run([BINARY, "version"], check=True,
                                 capture_output=True, text=True).stdout
        self.assertRegex(version, r"\d+\.\d+\.\d+")

    def test_agent_that_is_not_there(self):
        done = subprocess.run(
            [BINARY, "status", "--socket", "/nonexistent/admin.sock"],
            check=False, capture_output=True, text=True)
        self.assertGreater(done.returncode, 0)
        self.assertIn("/nonexistent/admin.sock", done.stderr)
