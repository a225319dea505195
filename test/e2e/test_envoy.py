# SPDX-License-Identifier: Apache-2.0
"""A real Envoy, whose certificates and authorities are of the Workload API."""

from rig import clients, deadline, documents, envoy, foreign_bundle
from rig.case import Case, needs_agent, on
from rig.clients import Identity
from rig.conversation import PEER
from rig.forge import Forge
from rig.gospiffe import ECHO_PROGRAM
from rig.network import OneNode
from rig.spiffe_helper import SpiffeHelper

_FOREIGN = "foreign.test"

# Three that do their own TLS, two that are captured, and nobody.
_ONE = Identity("envoy/one", 7201, True)
_TWO = Identity("envoy/two", 7202)
_LONG = Identity("envoy/long", 7203)
_ECHO = Identity("captured/echo", 7204)
_GRPC = Identity("captured/grpc", 7205)
_NOBODY = Identity("envoy/nobody", 7209)


def _id(identity):
    return documents.spiffe_id(identity.workload_id)


def _document(identity, **spec):
    return documents.identity(identity.workload_id,
                              {"process:gid": str(identity.gid)}, **spec)


class _EnvoyCase(Case):
    """One agent, which knows the authority of another trust domain, too."""

    seconds = 120
    api = envoy.SDS
    documents = [
        _document(_ONE, mode="DISABLE", federatesWith=[_FOREIGN]),
        _document(_TWO, mode="DISABLE"),
        _document(_LONG, mode="DISABLE", ttl="1h"),
        _document(_ECHO), _document(_GRPC)]

    @classmethod
    def before_agents(cls):
        bundle = foreign_bundle.write(cls.directory, _FOREIGN)
        foreign = cls.directory / _FOREIGN
        cls.foreign = Forge(foreign, foreign / "authority")
        cls.settings = {
            "svid": {"ttl": "8s"},
            "federation": {"trustDomains": [{
                "name": _FOREIGN, "profile": "file", "bundle": str(bundle)}]}}

    @classmethod
    def start_workloads(cls):
        cls.agent = cls.network.client_agent
        cls.own = Forge(cls.directory / "own", cls.agent.ca_directory)
        cls.path = cls.agent.directory / "run" / "workload.sock"

    def secrets(self, **options):
        return envoy.Secrets(self.path, self.api, **options)

    def launch(self, identity, secrets, *parts, **options):
        return envoy.Envoy(self, identity.gid, secrets, *parts, **options)

    def pair(self):
        """Returns two Envoys that talk by mutual TLS, and the port of the
        first's plain listener: what is sent there comes back."""
        front, back = envoy.free_port(), envoy.free_port()
        secrets = self.secrets()
        server = self.launch(_TWO, secrets, envoy.echo(
            back, envoy.downstream_tls(secrets, peer=_id(_ONE))))
        client = self.launch(
            _ONE, secrets, envoy.forward(front, "two"),
            envoy.cluster("two", envoy.at(back), envoy.upstream_tls(
                secrets, _id(_ONE), "ALL", peer=_id(_TWO))))
        return client.await_ready(), server.await_ready(), front

    def converse(self, port, **options):
        """Returns what became of a client that waits for an echo. It does not
        end its side before: Envoy's echo is dropped then."""
        client = self.client.spawn(
            [*PEER, "connect", "127.0.0.1", port, self.marker, "send:100",
             "recv:100"], name="peer", lingers=True,
            **options or {"managed": False})
        done = client.await_json("event", "done")
        client.check()
        return done

    def request(self, port, **options):
        """Sends something to an echo, which must come back."""
        done = self.converse(port, **options)
        self.assertEqual((done["received"], done["error"]), (100, None))

    def takes(self, port, credential):
        return envoy.takes(self, port, self.own, credential)


class _EnvoySecrets(_EnvoyCase):
    """By each of the services, in each of their forms."""

    def test_every_name(self):
        """And whom Envoy takes with each context. A domain's authority speaks
        for that domain only."""
        own = f"spiffe://{documents.TRUST_DOMAIN}"
        names = (("default", "ROOTCA", "own"), (_id(_ONE), own, "own"),
                 ("default", "ALL", "own foreign"),
                 ("default", f"spiffe://{_FOREIGN}", "foreign"))
        secrets = self.secrets()
        ports = [envoy.free_port() for _ in names]
        self.launch(_ONE, secrets, *(
            envoy.echo(port, envoy.downstream_tls(secrets, name, context))
            for port, (name, context, _) in zip(ports, names))
        ).await_ready()
        credentials = {
            "own": self.own.svid("peer/one"),
            "foreign": self.foreign.svid("peer/one", _FOREIGN),
            "impostor": self.foreign.svid("peer/one")}
        for port, (_, context, wanted) in zip(ports, names):
            taken = [name for name, credential in credentials.items()
                     if self.takes(port, credential)]
            self.assertEqual(taken, wanted.split(), context)

    def test_renewals_without_a_failed_request(self):
        client, server, front = self.pair()
        shown = {_ONE: set(), _TWO: set()}
        limit = deadline.Deadline(60)
        while min(map(len, shown.values())) < 3:
            self.assertFalse(limit.passed(), f"no two renewals but {shown}")
            self.request(front)
            shown[_ONE] |= client.serials(_id(_ONE))
            shown[_TWO] |= server.serials(_id(_TWO))
        for proxy in (client, server):
            self.assertEqual(proxy.counts("update_rejected"), [0, 0])

    def _serves_across(self, end):
        client, server, front = self.pair()
        self.request(front)
        end()
        before = client.serials(_id(_ONE)), server.serials(_id(_TWO))
        self.request(front)
        self.agent.start()
        # Envoy waits longer and longer between two attempts.
        deadline.await_true(
            lambda: client.serials(_id(_ONE)) != before[0] and
            server.serials(_id(_TWO)) != before[1], "new certificates", 45)
        self.request(front)

    def test_restart(self):
        self._serves_across(self.agent.stop)

    def test_kill(self):
        self._serves_across(self.agent.kill)

    def test_denied(self):
        """Envoy says the status of the stream: PERMISSION_DENIED is 7."""
        port, secrets = envoy.free_port(), self.secrets()
        stranger = self.launch(_NOBODY, secrets, envoy.echo(
            port, envoy.downstream_tls(secrets)))
        stranger.program.await_line("closed: 7, ")
        self.assertEqual(stranger.serials(_id(_ONE)), set())
        self.assertEqual(stranger.counts("update_success"), [0, 0])


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
class EnvoyPeers(_EnvoyCase):
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
        self.launch(_ONE, secrets, envoy.forward(front, "echo"), envoy.cluster(
            "echo", envoy.at(port), envoy.upstream_tls(
                secrets, peer=_id(_ECHO), **tls))).await_ready()
        return front

    def assert_flow(self, direction, captured):
        self.agent.await_closed(
            1, direction=direction, mode="mtls", reason="closed",
            local__spiffeId=_id(captured), peer__spiffeId=_id(_ONE))

    def test_dials_captured(self):
        self.request(self.towards(self.captured_echo()))
        self.assert_flow("inbound", _ECHO)

    def test_captured_dials(self):
        port, secrets = envoy.free_port(), self.secrets()
        self.launch(_ONE, secrets, envoy.echo(port, envoy.downstream_tls(
            secrets, peer=_id(_ECHO)))).await_ready()
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
            _ONE, secrets,
            envoy.forward_http2(port, "grpc", envoy.downstream_tls(
                secrets, peer=_id(_GRPC))),
            envoy.cluster("grpc", envoy.at(int(address.split(":")[1])),
                          envoy.upstream_tls(secrets, peer=_id(_GRPC)),
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
        helper = SpiffeHelper(self, _LONG.gid, self.path)
        helper.await_files()
        revoked, spared = helper.take(), self.own.svid("peer/one")
        secrets = self.secrets()
        ports = {context: envoy.free_port() for context in ("ROOTCA", "ALL")}
        self.launch(_ONE, secrets, *(
            envoy.echo(port, envoy.downstream_tls(secrets, context=context))
            for context, port in ports.items())).await_ready()
        for port in ports.values():
            self.assertTrue(self.takes(port, revoked))
        self.agent.ask("svid", "revoke", _id(_LONG))
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
        proxy = self.launch(_ONE, secrets, envoy.echo(
            port, envoy.downstream_tls(secrets)), **options).await_ready()
        self.assertEqual(len(proxy.serials(_id(_ONE))), 1)
        self.assertTrue(self.takes(port, self.own.svid("peer/one")))
