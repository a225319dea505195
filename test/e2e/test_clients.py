# SPDX-License-Identifier: Apache-2.0
"""SPIFFE clients made of other libraries, and the workloads that kith captures.
control_clients.py has the same beside SPIRE."""

from rig import deadline, documents, foreign_bundle
from rig.client_rows import ClientRows
from rig.clients import FOREIGN_DOMAIN, Identity, define
from rig.gospiffe import ECHO_PROGRAM
from rig.network import OneNode

# Captured: they know nothing of SPIFFE.
_ECHO = Identity("captured/echo", 7061)
_GRPC = Identity("captured/grpc", 7062)
# Where the libraries' own gRPC servers are that captured workloads dial. Servers
# of gRPC insist on ALPN, which the Service tells the agent.
_HTTP2_ADDRESS = "127.0.0.2"
_HTTP2 = documents.service("grpc", _HTTP2_ADDRESS, {"app": "grpc"},
                           alpn=["h2"])


def _captured(identity):
    return documents.identity(identity.workload_id,
                              {"process:gid": str(identity.gid)})


def _uncaptured(identity):
    """A library does its own TLS, so that its flows are left alone."""
    more = {"federatesWith": [FOREIGN_DOMAIN]} if identity.federates else {}
    return documents.identity(identity.workload_id,
                              {"process:gid": str(identity.gid)},
                              mode="DISABLE", **more)


class BesideKith(ClientRows):
    """One agent for all tests of a library."""

    @classmethod
    def before_agents(cls):
        bundle = foreign_bundle.write(cls.directory, FOREIGN_DOMAIN)
        cls.settings = {
            "svid": {"ttl": "8s"},
            "federation": {"trustDomains": [{
                "name": FOREIGN_DOMAIN, "profile": "file",
                "bundle": str(bundle)}]}}
        cls.granted = set(cls.identities())
        cls.documents = [*cls._identities(), _HTTP2]

    @classmethod
    def start_workloads(cls):
        cls.agent = cls.network.client_agent
        cls.socket = cls.agent.directory / "run" / "workload.sock"

    @classmethod
    def _identities(cls):
        return [*map(_uncaptured, sorted(cls.granted)),
                *map(_captured, (_ECHO, _GRPC))]

    def grant(self, identity):
        self.granted.add(identity)
        self._put()

    def withdraw(self, identity):
        self.granted.discard(identity)
        self._put()

    def _put(self):
        wanted = self._identities()
        self.agent.put("documents.yaml", [*wanted, _HTTP2])
        deadline.await_true(
            lambda: len(self.agent.ask("identities")["identities"]) ==
            len(wanted), "the identities")

    def stop_agent(self):
        self.agent.stop()

    def kill_agent(self):
        self.agent.kill()

    def start_agent(self):
        self.agent.start()

    def row_dials_captured(self):
        server = self.server.spawn([*ECHO_PROGRAM, "serve", "127.0.0.1"],
                                   gid=_ECHO.gid)
        port = server.await_json("event", "listening")["port"]
        facts = self.answer("echo", "dial", f"127.0.0.1:{port}",
                            documents.spiffe_id(_ECHO.workload_id),
                            self.marker)
        self.assertEqual(facts["text"], self.marker)
        self._assert_flow("inbound", _ECHO)

    def row_captured_dials(self):
        _, address = self.listening("listen", "127.0.0.1:0",
                                    documents.spiffe_id(_ECHO.workload_id))
        client = self.client.spawn(
            [*ECHO_PROGRAM, "connect", *address.split(":"), self.marker],
            gid=_ECHO.gid)
        self.assertEqual(client.await_json("event", "echo")["text"],
                         self.marker)
        self._assert_flow("outbound", _ECHO)

    def row_grpc_dials_captured(self):
        _, address = self.listening("grpc-listen", "127.0.0.1:0", "plain",
                                    identity=_GRPC)
        facts = self.answer("grpc", "grpc-dial", address,
                            documents.spiffe_id(_GRPC.workload_id))
        self.assertEqual(facts["status"], "SERVING")
        self._assert_flow("inbound", _GRPC)

    def row_grpc_captured_dials(self):
        _, address = self.listening("grpc-listen", f"{_HTTP2_ADDRESS}:0",
                                    documents.spiffe_id(_GRPC.workload_id))
        facts = self.answer("grpc", "grpc-dial", address, "plain",
                            identity=_GRPC)
        self.assertEqual(facts["status"], "SERVING")
        self._assert_flow("outbound", _GRPC)

    def _assert_flow(self, direction, captured):
        self.agent.await_closed(
            1, direction=direction, mode="mtls", peer__spiffeId=self.own,
            local__spiffeId=documents.spiffe_id(captured.workload_id))


define(__name__, BesideKith, OneNode)
