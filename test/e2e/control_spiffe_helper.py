# SPDX-License-Identifier: Apache-2.0
"""spiffe-helper beside SPIRE: what does not work here is no fault of kith.
run.py has these tests with KITH_E2E_CONTROL=1."""

from rig.case import needs_agent, on
from rig.spiffe_helper_rows import FEDERATED, HELPER, SpiffeHelperRows
from rig.spire import SpireNode
from rig.spire_case import SpireCase


@needs_agent
@on(SpireNode)
class SpiffeHelperBesideSpire(SpireCase, SpiffeHelperRows):
    """What it writes, and when."""

    documents = [HELPER, FEDERATED]
