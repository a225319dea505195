# SPDX-License-Identifier: Apache-2.0
"""A real Envoy, whose certificates and authorities are of the Workload API."""

from rig import clients, deadline, documents, envoy, foreign_bundle
from rig.case import needs_agent, on
from rig.clients import FOREIGN_DOMAIN, Identity
from rig.envoy_rows import (LONG, ONE, TWO, EnvoyCase, EnvoySecrets,
                            spiffe_id)
from rig.forge import Forge
from rig.gospiffe import ECHO_PROGRAM
from rig.network import OneNode
from rig.spiffe_helper import SpiffeHelper

# Two that are captured.
_ECHO = Identity("captured/echo", 7204)
_GRPC = Identity("captured/grpc", 7205)


def _document(identity, **spec):
    return documents.identity(identity.workload_id,
                              {"process:gid": str(identity.gid)}, **spec)


class _BesideKith(EnvoyCase):
    """One agent, which knows the authority of another trust domain, too."""

    documents = [
        _document(ONE, mode="DISABLE", federatesWith=[FOREIGN_DOMAIN]),
        _document(TWO, mode="DISABLE"),
        _document(LONG, mode="DISABLE", ttl="1h"),
        _document(_ECHO), _document(_GRPC)]

    @classmethod
    def before_agents(cls):
        bundle = foreign_bundle.write(cls.directory, FOREIGN_DOMAIN)
        foreign = cls.directory / FOREIGN_DOMAIN
        cls.foreign = Forge(foreign, foreign / "authority")
        cls.settings = {
            "svid": {"ttl": "8s"},
            "federation": {"trustDomains": [{
                "name": FOREIGN_DOMAIN, "profile": "file",
                "bundle": str(bundle)}]}}

    @classmethod
    def start_workloads(cls):
        cls.agent = cls.network.client_agent
        cls.own = Forge(cls.directory / "own", cls.agent.ca_directory)
        cls.path = cls.agent.directory / "run" / "workload.sock"
        cls.bundle = cls.own.bundle

    def own_svid(self):
        """Returns an SVID of the agent's authority."""
        return self.own.svid("peer/one")


class _EnvoySecrets(_BesideKith, EnvoySecrets):
    """By each of the services, in each of their forms."""


@needs_agent
@on(OneNode)
class EnvoySdsStream(_EnvoySecrets):
    """StreamSecrets."""


@needs_agent
@on(OneNode)
class EnvoySdsDelta(_EnvoySecrets):
    """DeltaSecrets."""

    api = envoy.SDS_DELTA


@needs_agent
@on(OneNode)
class EnvoyAdsStream(_EnvoySecrets):
    """StreamAggregatedResources."""

    api = envoy.ADS


@needs_agent
@on(OneNode)
class EnvoyAdsDelta(_EnvoySecrets):
    """DeltaAggregatedResources."""

    api = envoy.ADS_DELTA


@needs_agent
@on(OneNode)
class EnvoyPeers(_BesideKith):
    """Envoy and workloads that kith captures."""

    def captured_echo(self):
        """Returns the port of a captured server that knows nothing of TLS."""
        server = self.server.spawn([*ECHO_PROGRAM, "serve", "127.0.0.1"],
                                   gid=_ECHO.gid)
        return server.await_json("event", "listening")["port"]

    def towards(self, port, **tls):
        """Returns the port of a plain listener of an Envoy that passes on to
        the captured server, by TLS."""
        front, secrets = envoy.free_port(), self.secrets()
        self.launch(ONE, secrets, envoy.forward(front, "echo"), envoy.cluster(
            "echo", envoy.at(port), envoy.upstream_tls(
                secrets, peer=spiffe_id(_ECHO), **tls))).await_ready()
        return front

    def assert_flow(self, direction, captured):
        self.agent.await_closed(
            1, direction=direction, mode="mtls", reason="closed",
            local__spiffeId=spiffe_id(captured), peer__spiffeId=spiffe_id(ONE))

    def test_dials_captured(self):
        self.request(self.towards(self.captured_echo()))
        self.assert_flow("inbound", _ECHO)

    def test_captured_dials(self):
        port, secrets = envoy.free_port(), self.secrets()
        self.launch(ONE, secrets, envoy.echo(port, envoy.downstream_tls(
            secrets, peer=spiffe_id(_ECHO)))).await_ready()
        self.request(port, gid=_ECHO.gid)
        self.assert_flow("outbound", _ECHO)

    def test_grpc_between_captured(self):
        """HTTP/2 through Envoy, captured on both sides of it."""
        program = clients.program("go")
        server = self.server.spawn(
            [program, "grpc-listen", "127.0.0.1:0", "plain"], gid=_GRPC.gid)
        address = server.await_json("event", "listening")["address"]
        port, secrets = envoy.free_port(), self.secrets()
        self.launch(
            ONE, secrets,
            envoy.forward_http2(port, "grpc", envoy.downstream_tls(
                secrets, peer=spiffe_id(_GRPC))),
            envoy.cluster("grpc", envoy.at(int(address.split(":")[1])),
                          envoy.upstream_tls(secrets, peer=spiffe_id(_GRPC)),
                          http2=True)).await_ready()
        client = self.client.spawn(
            [program, "grpc-dial", f"127.0.0.1:{port}", "plain"],
            gid=_GRPC.gid)
        self.assertEqual(client.await_json("event", "grpc")["status"],
                         "SERVING")
        self.assert_flow("outbound", _GRPC)

    def test_envoys_own_default_of_tls_versions(self):
        """As a client, it stops at 1.2, and the flow's record says so."""
        port = self.captured_echo()
        done = self.converse(self.towards(port, newest=None))
        self.assertEqual(done["received"], 0)
        flow = self.agent.await_closed(
            1, direction="inbound", destination=f"127.0.0.1:{port}")[0]
        self.assertIn("peer offered at most TLS 1.2",
                      flow["reason"] + flow.get("detail", ""))

    def test_revoked_svid(self):
        """Somebody has the key of an SVID that does not end by itself."""
        helper = SpiffeHelper(self, LONG.gid, self.path)
        helper.await_files()
        revoked, spared = helper.take(), self.own_svid()
        secrets = self.secrets()
        ports = {context: envoy.free_port() for context in ("ROOTCA", "ALL")}
        self.launch(ONE, secrets, *(
            envoy.echo(port, envoy.downstream_tls(secrets, context=context))
            for context, port in ports.items())).await_ready()
        for port in ports.values():
            self.assertTrue(self.takes(port, revoked))
        self.agent.ask("svid", "revoke", spiffe_id(LONG))
        for context, port in ports.items():
            deadline.await_true(
                lambda p=port: not self.takes(p, revoked),
                f"a refusal with {context}", 10)
            self.assertTrue(self.takes(port, spared), context)

    def test_cluster_with_a_bar_in_its_name(self):
        """It is the :authority of Envoy's calls, as of Istio's clusters."""
        self._answers(self.secrets(cluster="outbound|8081||kith.local"))

    def test_large_metadata(self):
        """Of the node, which is in the first request: a mesh puts much there."""
        self._answers(self.secrets(), metadata={"labels": "x" * 61 * 1024})

    def _answers(self, secrets, **options):
        port = envoy.free_port()
        proxy = self.launch(ONE, secrets, envoy.echo(
            port, envoy.downstream_tls(secrets)), **options).await_ready()
        self.assertEqual(len(proxy.serials(spiffe_id(ONE))), 1)
        self.assertTrue(self.takes(port, self.own_svid()))
