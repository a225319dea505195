# SPDX-License-Identifier: Apache-2.0
"""DISABLE is untouched: after the verdict the kernel lets go."""

from rig import deadline, documents, phone
from rig.case import Case, needs_agent, on
from rig.command import Program
from rig.network import OneNode
from rig.phone import Phone

_HERE = "127.0.0.1"
_ELSEWHERE = "127.0.0.2"
_PORT = 18081
_SERVER = documents.spiffe_id("phone/server")
_BUT_MUTUAL = {"connection": {"tls": {"mode": "MUTUAL"}}}
_BUT_DISABLE = {"connection": {"tls": {"mode": "DISABLE"}}}


class _LetGo(Case):
    """Phones of one node, of which some are not managed."""

    def phone(self, name, managed=True):
        made = Phone(self.network.client, name, managed)
        self.addCleanup(made.program.stop)
        return made

    @property
    def agent(self):
        return self.network.client_agent

    def flows(self, port, address=_HERE):
        return [flow for flow in self.agent.flows()
                if flow["destination"] == f"{address}:{port}"]

    def untouched(self, one):
        return self.agent.ask("explain", str(one.program.pid))["untouched"]

    def restart(self):
        """Ends the agent, and starts another one when the test has ended."""
        self.agent.stop()
        self.addCleanup(self.agent.start)

    def assert_let_go(self, caller, callee, address, port):
        """The first call is relayed, and the next ones have their own source
        ports, and are no flows of kith."""
        first, _ = caller.call(address, port)
        self.assertIsNone(caller.talk(first))
        relayed = self.flows(port, address)
        self.assertEqual([flow["mode"] for flow in relayed], ["plaintext"])
        for count in 2, 3:
            number, local = caller.call(address, port)
            self.assertIsNone(caller.talk(number))
            self.assertEqual(callee.accepted(count), local)
        self.assertEqual(len(self.flows(port, address)), 1)
        return first, number

    def authenticated(self, port):
        """Returns the flows whose server has shown who it is: over TLS, or by a
        pass."""
        return [flow for flow in self.flows(port)
                if flow["direction"] == "outbound" and
                flow.get("peer", {}).get("spiffeId") == _SERVER]

    def assert_wrapped(self, caller, port, count=1):
        """Each call is such a flow."""
        before = len(self.authenticated(port))
        for _ in range(count):
            number, _ = caller.call(_HERE, port)
            self.assertIsNone(caller.talk(number))
        deadline.await_true(
            lambda: len(self.authenticated(port)) == before + count,
            "flows with the server's identity")


@needs_agent
@on(OneNode)
class DisabledClient(_LetGo):
    """All flows of the identity are untouched."""

    documents = [phone.identity("client", mode="DISABLE")]

    def test_next_connections_are_the_kernels_own(self):
        client, server = self.phone("client"), self.phone("x", managed=False)
        port = server.listen(_HERE)
        relayed, let_go = self.assert_let_go(client, server, _HERE, port)
        self.assertEqual(self.untouched(client),
                         {"outbound": True, "inbound": True})
        other = server.listen(_ELSEWHERE)  # the verdict is about the process
        number, local = client.call(_ELSEWHERE, other)
        self.assertEqual(server.accepted(4), local)
        self.restart()
        self.assertIsNotNone(client.talk(relayed))
        self.assertIsNone(client.talk(let_go))
        self.assertIsNone(client.talk(number))

    def test_the_trace_tells(self):
        server = self.phone("x", managed=False)
        port = server.listen(_HERE)
        trace = Program(self.agent.command("trace"), "kith trace")
        self.addCleanup(trace.stop)

        def is_traced():  # once it follows
            client = self.phone("client")
            client.talk(client.call(_HERE, port)[0])
            return any('"let_go"' in line for line in list(trace.lines))
        deadline.await_true(is_traced, "the step")

    def test_a_process_from_before_the_agent(self):
        self.agent.stop()
        client, server = self.phone("client"), self.phone("x", managed=False)
        port = server.listen(_HERE)
        self.agent.start()
        number, local = client.call(_HERE, port)
        self.assertIsNone(client.talk(number))
        self.assertEqual(server.accepted(1), local)
        self.assertEqual(self.flows(port), [])


@needs_agent
@on(OneNode)
class DisabledServer(_LetGo):
    """Its listeners are untouched."""

    documents = [phone.identity("server", mode="DISABLE")]

    def _call(self, client, server, port, count):
        number, local = client.call(_HERE, port)
        self.assertIsNone(client.talk(number))
        self.assertEqual(server.accepted(count), local)
        return number

    def assert_known(self, server, client):
        """Nothing else of the process comes to the agent any more."""
        _, local = server.call(_HERE, client.listen(_HERE))
        self.assertEqual(client.accepted(1), local)
        port = server.listen(_ELSEWHERE)
        client.call(_ELSEWHERE, port)
        self.assertEqual(self.flows(port, _ELSEWHERE), [])

    def test_the_second_connection_to_a_new_listener(self):
        server, client = self.phone("server"), self.phone("x", managed=False)
        port = server.listen(_HERE)
        relayed = self._call(client, server, port, 1)
        self.assertEqual(len(self.flows(port)), 1)
        let_go = self._call(client, server, port, 2)
        self.assertEqual(len(self.flows(port)), 1)
        self.assert_known(server, client)
        self.restart()
        self.assertIsNotNone(client.talk(relayed))
        self.assertIsNone(client.talk(let_go))

    def test_the_first_connection_to_a_process_that_is_known(self):
        server, client = self.phone("server"), self.phone("x", managed=False)
        before = server.listen(_HERE)
        number, _ = server.call(_HERE, client.listen(_HERE))
        self.assertIsNone(server.talk(number))
        after = server.listen(_HERE)
        for count, port in enumerate((before, after), 1):
            let_go = self._call(client, server, port, count)
            self.assertEqual(self.flows(port), [])
        self.restart()
        self.assertIsNone(client.talk(let_go))

    def test_the_second_connection_to_a_listener_from_before_the_agent(self):
        """No hook follows such a socket, so that it is looked at once."""
        self.agent.stop()
        server, client = self.phone("server"), self.phone("x", managed=False)
        port = server.listen(_HERE)
        self.agent.start()
        self._call(client, server, port, 1)
        self.assertEqual(len(self.flows(port)), 1)
        self._call(client, server, port, 2)
        self.assertEqual(len(self.flows(port)), 1)


class _SomeDestinations(_LetGo):
    """The client is left alone at one place, and wrapped at another."""

    def test_each_destination(self):
        client, server = self.phone("client"), self.phone("server")
        other = self.phone("x", managed=False)
        wrapped = server.listen(_HERE, _PORT)
        left = other.listen(_ELSEWHERE)
        self.assert_wrapped(client, wrapped)
        _, let_go = self.assert_let_go(client, other, _ELSEWHERE, left)
        self.assert_wrapped(client, wrapped, 2)
        self.assertFalse(self.untouched(client)["outbound"])
        counters = self.agent.ask("status")["counters"]
        self.assertEqual(counters["connect_left_alone"], 2)
        self.restart()
        self.assertIsNone(client.talk(let_go))


def _egress(mode, address, rule):
    """Returns the documents of two phones, and of an egress of the client."""
    return [phone.identity("client", mode=mode,
                           egress=[{"selectors": [{"app": "a"}], **rule}]),
            phone.identity("server"),
            documents.service("a", address, {"app": "a"})]


@needs_agent
@on(OneNode)
class DisabledButForOneService(_SomeDestinations):
    """DISABLE, with an egress entry that is MUTUAL."""

    documents = _egress("DISABLE", _HERE, _BUT_MUTUAL)


@needs_agent
@on(OneNode)
class DisabledForOneService(_SomeDestinations):
    """MUTUAL, with an egress entry that is DISABLE."""

    documents = _egress("MUTUAL", _ELSEWHERE, _BUT_DISABLE)


@needs_agent
@on(OneNode)
class IdentityForOnePort(_SomeDestinations):
    """The client has an identity for one destination port only."""

    documents = [
        documents.identity("phone/client",
                           phone.selector("client",
                                          **{"destination:port": _PORT})),
        phone.identity("server")]


@needs_agent
@on(OneNode)
class DisableComesAndGoes(_LetGo):
    """A change of the documents is in force for the next connection."""

    documents = [phone.identity("client", mode="DISABLE"),
                 phone.identity("server", mode="PERMISSIVE")]

    def _put(self, mode):
        self._loads += 1
        self.agent.put("documents.yaml", [
            phone.identity("client", mode=mode), self.documents[1]])
        self.agent.program.await_line("resources in force", count=self._loads)

    def test_change_of_mode(self):
        self._loads = 1
        client, server = self.phone("client"), self.phone("server")
        port = server.listen(_HERE)
        other = self.phone("x", managed=False)
        plain = other.listen(_HERE)
        _, let_go = self.assert_let_go(client, other, _HERE, plain)
        self._put("MUTUAL")
        self.assert_wrapped(client, port, 2)
        self.assertIsNone(client.talk(let_go))  # nobody has it in hand
        self._put("DISABLE")
        relayed, _ = client.call(_HERE, plain)
        self.assertIsNone(client.talk(relayed))
        self.assertEqual(len(self.flows(plain)), 2)
        _, local = client.call(_HERE, plain)
        self.assertEqual(other.accepted(5), local)
        self.assertEqual(len(self.flows(plain)), 2)


@needs_agent
@on(OneNode)
class DisabledOutboundMutualInbound(_LetGo):
    """The verdict about what a process connects to says nothing of who may
    connect to it."""

    documents = [phone.identity("both", mode="DISABLE", ingress=[{
        "selectors": [{"destination:port": _PORT}], **_BUT_MUTUAL}])]

    def test_plaintext_is_refused(self):
        both, other = self.phone("both"), self.phone("x", managed=False)
        self.assert_let_go(both, other, _HERE, other.listen(_HERE))
        self.assertEqual(self.untouched(both),
                         {"outbound": True, "inbound": False})
        both.listen(_HERE, _PORT)
        for count in 1, 2:
            number, _ = other.call(_HERE, _PORT)
            self.assertIsNotNone(other.talk(number))
            self.agent.await_closed(count, direction="inbound",
                                    reason="plaintext_refused",
                                    destination=f"{_HERE}:{_PORT}")
        self.assertNotIn('"accepted"', both.program.output)
