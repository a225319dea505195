# SPDX-License-Identifier: Apache-2.0
"""Much, and many: one long stream, and thousands of short connections."""

import json

from rig import deadline
from rig.case import on
from rig.conversation import CLIENT, SERVER, SWARM, PeerCase, talk
from rig.network import DIRECT, OneNode, TwoNodes

_STREAM = deadline.amount(1 << 30)
_CONNECTIONS = deadline.amount(2000)
# Their handshakes have ten seconds each, however slow the machine is.
_PARALLEL = max(4, deadline.amount(64))


@on(OneNode, TwoNodes)
class Load(PeerCase):
    """Nothing is lost; what is captured is not readable."""

    seconds = 180

    def test_one_long_stream(self):
        # Without a capture, which cannot keep pace with so many packets: the
        # wire of long streams is watched in test_curl_nginx.
        client, server = talk(self,
                              [f"send:{_STREAM}", "shutdown", "recv-all"],
                              ["recv-all", "send:1000", "close"], seconds=120)
        self.check_exact(client, server)
        self.assert_mtls(CLIENT, SERVER, client["sent"], server["sent"])

    def test_short_connections(self):
        server = self.server.spawn(
            [*SWARM, "serve", self.network.address, 0], group="server")
        port = server.await_json("event", "listening")["port"]
        with self.encrypted() as outer:
            client = self.client.spawn(
                [*SWARM, "connect", self.network.address, port, self.marker,
                 _CONNECTIONS, _PARALLEL], group="client")
            done = json.loads(client.check(120))
        self.assertEqual((done["right"], done["failures"]),
                         (_CONNECTIONS, []))
        self.assertEqual(len(outer), _CONNECTIONS)
        if not DIRECT:
            for agent, direction, local in (
                    (self.network.client_agent, "outbound", CLIENT),
                    (self.network.server_agent, "inbound", SERVER)):
                agent.await_closed(
                    _CONNECTIONS, direction=direction, mode="mtls",
                    local__spiffeId=local, reason="closed",
                    destination=f"{self.network.address}:{port}")
