# SPDX-License-Identifier: Apache-2.0
"""spiffe-helper, by which programs that know nothing of SPIFFE have SVIDs."""

from rig import documents, foreign_bundle
from rig.case import needs_agent, on
from rig.clients import FOREIGN_DOMAIN
from rig.network import OneNode
from rig.spiffe_helper_rows import FEDERATED, HELPER, SpiffeHelperRows


def _document(identity):
    more = {"federatesWith": [FOREIGN_DOMAIN]} if identity.federates else {}
    return documents.identity(identity.workload_id,
                              {"process:gid": str(identity.gid)},
                              mode="DISABLE", **more)


@needs_agent
@on(OneNode)
class SpiffeHelperFiles(SpiffeHelperRows):
    """What it writes, and when."""

    documents = [_document(HELPER), _document(FEDERATED)]

    @classmethod
    def before_agents(cls):
        bundle = foreign_bundle.write(cls.directory, FOREIGN_DOMAIN)
        cls.settings = {
            "svid": {"ttl": "8s"},
            "federation": {"trustDomains": [{
                "name": FOREIGN_DOMAIN, "profile": "file",
                "bundle": str(bundle)}]}}

    def setUp(self):
        self.agent = self.network.client_agent
        self.path = self.agent.directory / "run" / "workload.sock"
