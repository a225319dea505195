# SPDX-License-Identifier: Apache-2.0
"""What Envoy is asked to do, whatever agent its secrets are of."""

from rig import deadline, documents, envoy
from rig.case import Case
from rig.clients import FOREIGN_DOMAIN, Identity
from rig.conversation import PEER

ONE = Identity("envoy/one", 7201, True)
TWO = Identity("envoy/two", 7202)
LONG = Identity("envoy/long", 7203)  # an SVID that lasts
NOBODY = Identity("envoy/nobody", 7209)


def spiffe_id(identity):
    return documents.spiffe_id(identity.workload_id)


class EnvoyCase(Case):
    """A class brings the `path` of the socket, `bundle`, which is the file of
    the domain's authority, and `foreign`, the forge of FOREIGN_DOMAIN."""

    seconds = 120
    api = envoy.SDS
    path = None
    bundle = None
    foreign = None

    def secrets(self, **options):
        return envoy.Secrets(self.path, self.api, **options)

    def launch(self, identity, secrets, *parts, **options):
        return envoy.Envoy(self, identity.gid, secrets, *parts, **options)

    def pair(self):
        """Returns two Envoys that talk by mutual TLS, and the port of the
        first's plain listener: what is sent there comes back."""
        front, back = envoy.free_port(), envoy.free_port()
        secrets = self.secrets()
        server = self.launch(TWO, secrets, envoy.echo(
            back, envoy.downstream_tls(secrets, peer=spiffe_id(ONE))))
        client = self.launch(
            ONE, secrets, envoy.forward(front, "two"),
            envoy.cluster("two", envoy.at(back), envoy.upstream_tls(
                secrets, spiffe_id(ONE), "ALL", peer=spiffe_id(TWO))))
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
        return envoy.takes(self, port, self.bundle, credential)


class EnvoySecrets(EnvoyCase):
    """Holds beside every agent. A class brings own_svid(), which returns some
    SVID of the agent's authority, and `agent`, which the tests stop, kill and
    start."""

    agent = None

    def test_every_name(self):
        """And whom Envoy takes with each context. A domain's authority speaks
        for that domain only."""
        own = f"spiffe://{documents.TRUST_DOMAIN}"
        names = (("default", "ROOTCA", "own"), (spiffe_id(ONE), own, "own"),
                 ("default", "ALL", "own foreign"),
                 ("default", f"spiffe://{FOREIGN_DOMAIN}", "foreign"))
        secrets = self.secrets()
        ports = [envoy.free_port() for _ in names]
        self.launch(ONE, secrets, *(
            envoy.echo(port, envoy.downstream_tls(secrets, name, context))
            for port, (name, context, _) in zip(ports, names))
        ).await_ready()
        credentials = {
            "own": self.own_svid(),
            "foreign": self.foreign.svid("peer/one", FOREIGN_DOMAIN),
            "impostor": self.foreign.svid("peer/one")}
        for port, (_, context, wanted) in zip(ports, names):
            taken = [name for name, credential in credentials.items()
                     if self.takes(port, credential)]
            self.assertEqual(taken, wanted.split(), context)

    def test_renewals_without_a_failed_request(self):
        client, server, front = self.pair()
        shown = {ONE: set(), TWO: set()}
        limit = deadline.Deadline(60)
        while min(map(len, shown.values())) < 3:
            self.assertFalse(limit.passed(), f"no two renewals but {shown}")
            self.request(front)
            shown[ONE] |= client.serials(spiffe_id(ONE))
            shown[TWO] |= server.serials(spiffe_id(TWO))
        for proxy in (client, server):
            self.assertEqual(proxy.counts("update_rejected"), [0, 0])

    def _serves_across(self, end):
        client, server, front = self.pair()
        self.request(front)
        end()
        before = client.serials(spiffe_id(ONE)), server.serials(spiffe_id(TWO))
        self.request(front)
        self.agent.start()
        # Envoy waits longer and longer between two attempts.
        deadline.await_true(
            lambda: client.serials(spiffe_id(ONE)) != before[0] and
            server.serials(spiffe_id(TWO)) != before[1], "new certificates", 45)
        self.request(front)

    def test_restart(self):
        self._serves_across(self.agent.stop)

    def test_kill(self):
        self._serves_across(self.agent.kill)

    def refused(self, status):
        """Returns an Envoy of nobody's, once it said that its stream ended with
        that status of gRPC."""
        port, secrets = envoy.free_port(), self.secrets()
        stranger = self.launch(NOBODY, secrets, envoy.echo(
            port, envoy.downstream_tls(secrets)))
        stranger.program.await_line(f"closed: {status}, ")
        self.assertEqual(stranger.serials(spiffe_id(ONE)), set())
        return stranger

    def test_denied(self):
        """PERMISSION_DENIED, and no secret."""
        self.assertEqual(self.refused(7).counts("update_success"), [0, 0])
