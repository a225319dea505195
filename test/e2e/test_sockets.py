# SPDX-License-Identifier: Apache-2.0
"""Ways to listen and to connect that programs in the field use."""

from rig import documents
from rig.case import Case, on
from rig.conversation import (CLIENT, SERVER, Connecting, Listening, PeerCase,
                              request)
from rig.network import DIRECT, OneNode, TwoNodes, endpoint

_UDP_SERVER = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("ADDRESS", 0))
print("port", s.getsockname()[1], flush=True)
data, peer = s.recvfrom(100)
s.sendto(data[::-1], peer)
"""

_UDP_CLIENT = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("ADDRESS", int(sys.argv[1])))
s.send(b"question")
print(s.recv(100).decode(), s.getpeername()[1])
"""


@on(OneNode, TwoNodes)
class Sockets(PeerCase):
    """Each is mutual TLS on the wire, and itself to the application."""

    def _exchange(self, listen, dial, sent=3000, options=(), **spawn):
        """Returns what the server and the client said of addresses."""
        with self.encrypted():
            server = Listening(self, ["recv-all", "send:1000", "close"],
                               listen, **spawn)
            client = Connecting(self, server.port,
                                [f"send:{sent}", "shutdown", "recv-all"],
                                dial, options)
            done = client.facts("done"), server.facts("done")
        self.assertEqual((done[0]["error"], done[1]["error"]), (None, None))
        self.assertEqual(done[0]["receivedChecksum"], done[1]["sentChecksum"])
        self.assert_mtls(CLIENT, SERVER)
        return server.facts("accepted"), client.facts("connected"), server.port

    def test_wildcard_listener(self):
        for listen, dial in (("0.0.0.0", self.network.address),
                             ("::", self.network.address6)):
            with self.subTest(listen):
                accepted, connected, port = self._exchange(listen, dial)
                self.assertEqual(connected["peer"], endpoint((dial, port)))
                self.assertEqual(accepted["local"], endpoint((dial, port)))

    def test_server_restarts_at_once(self):
        """Its connections are in TIME_WAIT, and those that were steered to the
        agent, too; another one is open still."""
        first = Listening(self, ["recv:1", "recv-all"], connections=2)
        lasting = Connecting(self, first.port, ["send:1", "recv-all"])
        first.facts("accepted")
        for _ in range(3):
            server = Listening(self, ["recv:1", "close"])
            client = Connecting(self, server.port, ["send:1", "recv-all"])
            client.facts("done")
            server.program.check()
            Listening(self, ["recv-all"], port=server.port).program.stop()
        first.program.stop()
        Listening(self, ["recv-all"], port=first.port).program.stop()
        lasting.facts("done")

    def test_ipv4_on_a_dual_stack_listener(self):
        accepted, _, port = self._exchange("::", self.network.address)
        mapped = f"::ffff:{self.network.address}"
        self.assertEqual(accepted["local"], endpoint((mapped, port)))
        self.assertTrue(accepted["peer"].startswith("[::ffff:"))

    def test_ipv4_from_an_ipv6_socket(self):
        mapped = f"::ffff:{self.network.address}"
        accepted, connected, port = self._exchange(self.network.address,
                                                   mapped)
        self.assertEqual(connected["peer"], endpoint((mapped, port)))
        self.assertEqual(accepted["local"],
                         endpoint((self.network.address, port)))

    def test_bound_source(self):
        source = self.client_address
        accepted, connected, _ = self._exchange(
            self.network.address, self.network.address,
            options=["--from", source])
        for seen in accepted["peer"], connected["local"]:
            self.assertEqual(seen.split(":")[0], source)

    @property
    def client_address(self):
        return self.network.address if self.client is self.server \
            else "10.83.0.1"

    def test_fast_open(self):
        """The connection begins with a write instead of a connect()."""
        with self.encrypted():
            server = Listening(self, ["recv:4", "recv-all", "close"])
            client = Connecting(self, server.port, request(3000),
                                options=["--fast-open"])
            self.assertIsNone(client.facts("done")["error"])
            self.assertEqual(server.facts("done")["received"], 3004)
        self.assert_mtls(CLIENT, SERVER, 3004, 0)


@on(OneNode, TwoNodes)
class OtherProtocols(Case):
    """UDP also calls connect(), and is not ours."""

    documents = [documents.identity(
        "udp/both", {"process:cmdline": "/usr/bin/python3 -c"})]

    def test_connected_udp(self):
        address = self.network.address
        server = self.server.spawn(
            ["/usr/bin/python3", "-c", _UDP_SERVER.replace("ADDRESS",
                                                           address)])
        port = server.await_line("port").split()[1]
        said = self.client.run(
            ["/usr/bin/python3", "-c",
             _UDP_CLIENT.replace("ADDRESS", address), port])
        self.assertEqual(said, f"noitseuq {port}")
        if not DIRECT:
            self.assertEqual(self.network.client_agent.flows(), [])
