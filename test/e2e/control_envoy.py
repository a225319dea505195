# SPDX-License-Identifier: Apache-2.0
"""Envoy beside SPIRE: what does not work here is no fault of kith. run.py has
these tests with KITH_E2E_CONTROL=1."""

from rig import deadline, envoy
from rig.case import needs_agent, on
from rig.clients import FOREIGN_DOMAIN
from rig.envoy_rows import LONG, ONE, TWO, EnvoySecrets, spiffe_id
from rig.forge import Forge
from rig.spiffe_helper import SpiffeHelper
from rig.spire import SpireNode
from rig.spire_case import SpireCase

_LONG_SECONDS = 3600


@needs_agent
@on(SpireNode)
class EnvoyBesideSpire(SpireCase, EnvoySecrets):
    """StreamSecrets, the one way that SPIRE serves."""

    documents = [ONE, TWO]

    @classmethod
    def before_agents(cls):
        super().before_agents()
        foreign = cls.directory / FOREIGN_DOMAIN
        cls.foreign = Forge(foreign, foreign / "authority")

    @classmethod
    def start_workloads(cls):
        super().start_workloads()
        cls.spire.add_entry(LONG, _LONG_SECONDS)

    def own_svid(self):
        """SPIRE keeps its authority's key for itself."""
        helper = SpiffeHelper(self, LONG.gid, self.path)
        helper.await_files()
        self.bundle = helper.file("bundle.pem")
        return helper.take()

    def test_denied(self):
        """INVALID_ARGUMENT, for the certificate only: SPIRE tells everybody its
        authority."""
        stranger = self.refused(3)
        deadline.await_true(
            lambda: stranger.counts("ROOTCA.update_success") == [1],
            "the authority")
        self.assertEqual(stranger.counts("default.update_success"), [0])

    def test_only_one_way(self):
        """What kith serves beyond it: the status is UNIMPLEMENTED, 12."""
        for api in (envoy.SDS_DELTA, envoy.ADS, envoy.ADS_DELTA):
            with self.subTest(api=api):
                port, secrets = envoy.free_port(), envoy.Secrets(self.path, api)
                proxy = self.launch(ONE, secrets, envoy.echo(
                    port, envoy.downstream_tls(secrets)))
                proxy.program.await_line("closed: 12, ")
                self.assertEqual(proxy.serials(spiffe_id(ONE)), set())
                self.assertEqual(proxy.counts("update_success"), [0, 0])
