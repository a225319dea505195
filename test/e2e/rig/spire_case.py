# SPDX-License-Identifier: Apache-2.0
"""Tests of the control group, which run one SPIRE server and agent."""

import types

from rig import foreign_bundle
from rig.clients import FOREIGN_DOMAIN


class SpireCase:
    """Mixed into a class on a SpireNode, whose `documents` are identities, and
    whose tests stop, kill and start `agent` as if it were kith."""

    @classmethod
    def before_agents(cls):
        cls.settings = {FOREIGN_DOMAIN: foreign_bundle.write(
            cls.directory, FOREIGN_DOMAIN)}

    @classmethod
    def start_workloads(cls):
        cls.spire = cls.network.spire
        cls.path = cls.spire.socket
        cls.agent = types.SimpleNamespace(
            stop=cls.spire.stop_agent, kill=cls.spire.kill_agent,
            start=cls.spire.start_agent)

    def describe(self):
        return self.spire.describe()
