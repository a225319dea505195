# SPDX-License-Identifier: Apache-2.0
"""A start that fails says why in one sentence and leaves nothing behind; an
ordinary stop leaves nothing behind either."""

import os
import shutil
import signal
import subprocess
import time

from rig import attached, documents
from rig.agent import BINARY
from rig.case import needs_agent, on
from rig.conversation import (Connecting, Listening, PeerCase, identities,
                              request)
from rig.network import Network, OneNode


class _Starts(PeerCase):
    """The class's own agent does not run; each test makes another."""

    def setUp(self):
        self.agent = self._new_agent(self.client)

    def _new_agent(self, node, **settings):
        network = Network(node, node, "127.0.0.1", "::1", "lo")
        self.addCleanup(shutil.rmtree, network.directory)
        agent = network.add_agent(node, **settings)
        agent.put("documents.yaml", identities())
        self.addCleanup(agent.close)
        return agent

    def assert_fails(self, agent, pattern, *prefix):
        """The daemon ends with a status other than 0, and its last line is a
        sentence that matches."""
        program = agent.launch(*prefix)
        self.assertGreater(program.wait(20), 0)
        self.assertRegex(program.output.splitlines()[-1], pattern)
        return program

    def assert_untouched(self):
        """Nothing is attached, and applications talk in plaintext."""
        self.assertEqual(attached.programs(self.client), [])
        server = Listening(self, ["recv-all"])
        client = Connecting(self, server.port, ["send:1000", "close"])
        self.assertIsNone(client.facts("done")["error"])
        self.assertEqual(server.facts("done")["received"], 1000)


@needs_agent
@on(OneNode)
class FailedStart(_Starts):
    """What an operator can get wrong."""

    @classmethod
    def start_workloads(cls):
        cls.network.client_agent.stop()

    def tearDown(self):
        self.assert_untouched()

    def test_unknown_key(self):
        self.agent.config["datapath"] = {"bypas": []}
        self.assert_fails(self.agent, r"kith\.yaml.*datapath\.bypas")

    def test_wrong_value(self):
        self.agent.config["svid"] = {"ttl": "soon"}
        self.assert_fails(self.agent, r"kith\.yaml.*svid\.ttl")

    def test_no_configuration(self):
        program = self.client.spawn(
            [BINARY, "agent", "--config", "/nonexistent/kith.yaml"],
            managed=False)
        self.assertGreater(program.wait(), 0)
        self.assertIn("/nonexistent/kith.yaml", program.output)

    def test_check_config(self):
        path = self.agent.write_config()
        argv = [BINARY, "agent", "--check-config", "--config", path]
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
        path.write_text("cgroups: auto\n")
        checked = subprocess.run(argv, check=False, capture_output=True,
                                 text=True)
        self.assertGreater(checked.returncode, 0)
        self.assertRegex(checked.stderr, r"kith\.yaml:1.*cgroups")

    def test_bad_document(self):
        self.agent.put("documents.yaml", "kind: [\n")
        self.assert_fails(self.agent, r"documents\.yaml:[0-9]+")

    def test_readable_key(self):
        self.agent.start()
        self.agent.stop()
        key = self.agent.ca_directory / "ca.key"
        key.chmod(0o644)
        self.assert_fails(self.agent, r"ca\.key.*0644")

    def test_cgroup_that_is_none(self):
        for path in ("/nonexistent", str(self.directory)):
            with self.subTest(path):
                self.agent.config["cgroup"] = path
                self.assert_fails(self.agent, path)

    def test_missing_capability(self):
        for name, option in (("CAP_BPF", "-bpf,-sys_admin"),
                             ("CAP_NET_ADMIN", "-net_admin,-sys_admin")):
            with self.subTest(name):
                self.assert_fails(self.agent, name, "setpriv",
                                  f"--bounding-set={option}",
                                  f"--inh-caps={option}")


@needs_agent
@on(OneNode)
class SecondAgent(_Starts):
    """The class's agent runs; another wants what it has."""

    def _assert_first_still_works(self):
        first = self.network.client_agent
        server = Listening(self, ["recv-all"])
        client = Connecting(self, server.port, request(10))
        client.facts("done")
        server.facts("done")
        first.await_closed(1, direction="outbound", mode="mtls",
                           destination=f"127.0.0.1:{server.port}")

    documents = identities()

    def test_same_cgroup(self):
        self.assert_fails(self.agent, str(self.client.managed))
        self._assert_first_still_works()

    def test_cgroup_below(self):
        below = self.client.managed / "below"
        below.mkdir()
        self.agent.config["cgroup"] = str(below)
        self.assert_fails(self.agent, str(self.client.managed))
        self._assert_first_still_works()

    def test_busy_admin_socket(self):
        other = self.client.top / "other"
        other.mkdir(exist_ok=True)
        self.agent.config["cgroup"] = str(other)
        self.agent.config["runtimeDir"] = \
            self.network.client_agent.config["runtimeDir"]
        self.assert_fails(self.agent, r"admin\.sock")
        self._assert_first_still_works()


@needs_agent
@on(OneNode)
class Stop(_Starts):
    """SIGTERM and SIGINT end the agent in order."""

    @classmethod
    def start_workloads(cls):
        cls.network.client_agent.stop()

    def test_stop(self):
        for number in signal.SIGTERM, signal.SIGINT:
            with self.subTest(number.name):
                self.agent.start()
                self.assertTrue(attached.programs(self.client))
                server = Listening(self, ["recv-all"])
                client = Connecting(self, server.port, ["send:10", "recv-all"])
                server.facts("accepted")
                self.agent.program.send_signal(number)
                self.assertEqual(self.agent.program.wait(20), 0)
                # The flow had no orderly end: neither side may think so.
                self.assertEqual(client.facts("done")["ended"], "reset")
                self.assertEqual(server.facts("done")["ended"], "reset")
                self.assertFalse(os.path.exists(self.agent.socket))
                self.assert_untouched()

    def test_documents_that_change_at_the_end(self):
        """They are read a tenth of a second after they were written: before the
        agent stops, while it does, or never."""
        for milliseconds in range(80, 120, 4):
            self.agent.start()
            self.agent.put("documents.yaml", identities(
                inbound=[documents.spiffe_id(f"at/{milliseconds}")]))
            time.sleep(milliseconds / 1000)
            self.agent.stop()
