# SPDX-License-Identifier: Apache-2.0
"""The foreign SPIFFE clients beside SPIRE: what does not work here is no fault
of kith. run.py has these tests with KITH_E2E_CONTROL=1."""

from rig import deadline
from rig.client_rows import ClientRows
from rig.clients import REFERENCE, define
from rig.spire import SpireNode
from rig.spire_case import SpireCase


class BesideSpire(SpireCase, ClientRows):
    """One SPIRE server and agent for all tests of a library."""

    @classmethod
    def before_agents(cls):
        super().before_agents()
        cls.documents = cls.identities()

    @classmethod
    def start_workloads(cls):
        super().start_workloads()
        cls.socket = cls.path

    def setUp(self):
        """The agent hears of new entries a second later."""
        for identity in self.identities():
            self._await_fetch(0, identity)

    def grant(self, identity):
        self.spire.add_entry(identity)

    def withdraw(self, identity):
        self.spire.delete_entry(identity)
        self._await_fetch(1, identity)

    def _await_fetch(self, status, identity):
        deadline.await_true(
            lambda: self.start("fetch", library=REFERENCE,
                               identity=identity).wait() == status,
            f"an answer for {identity.workload_id}")

    def stop_agent(self):
        self.agent.stop()

    def kill_agent(self):
        self.agent.kill()

    def start_agent(self):
        self.agent.start()


define(__name__, BesideSpire, SpireNode)
