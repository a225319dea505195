# SPDX-License-Identifier: Apache-2.0
"""Long streams, many at once, while something happens to the agents."""

from rig.conversation import CLIENT, MARATHON, SERVER, PeerCase, identities


class MarathonCase(PeerCase):
    """Each stream comes back whole, and is known to its agents."""

    documents = identities()

    def run_marathon(self, flows, pause):
        """Returns the client of that many streams, which run, and their port."""
        server = self.server.spawn(
            [*MARATHON, "serve", self.network.address, 0], group="server")
        port = server.await_json("event", "listening")["port"]
        client = self.client.spawn(
            [*MARATHON, "connect", self.network.address, port, self.marker,
             flows, pause], group="client")
        client.await_json("event", "running", 60)
        return client, port

    def end_marathon(self, client, port, flows, what):
        """Ends the streams; none may be broken, and each is known. `what` has
        happened to the agents."""
        destination = f"{self.network.address}:{port}"
        client.write("end\n")
        done = client.await_json("event", "done", 60)
        print(f"{flows} flows, {done['bytes'] >> 20} MiB, agents {what}: "
              f"{done['broken']} broken, longest pause "
              f"{done['longest'] * 1000:.0f} ms")
        self.assertEqual((done["broken"], done["errors"]), (0, []))
        for agent, direction, local, peer in (
                (self.network.client_agent, "outbound", CLIENT, SERVER),
                (self.network.server_agent, "inbound", SERVER, CLIENT)):
            closed = agent.await_closed(
                flows, direction=direction, mode="mtls", reason="closed",
                local__spiffeId=local, peer__spiffeId=peer,
                destination=destination)
            self.assertTrue(all(flow["bytesSent"] == flow["bytesReceived"]
                                for flow in closed))
