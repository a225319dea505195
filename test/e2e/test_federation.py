# SPDX-License-Identifier: Apache-2.0
"""curl in one trust domain and nginx in another one."""

import json

from rig import deadline, documents, gospiffe
from rig.case import Case, needs_agent, on
from rig.domains import EAST, OIDC, WEST, TwoDomains

_CURL = documents.spiffe_id("web/curl", WEST)
_NGINX = documents.spiffe_id("web/nginx", EAST)

_CONFIG = """
daemon off;
pid {directory}/nginx.pid;
error_log stderr;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {directory}/body;
  server {{
    listen {address}:8080;
    location / {{ return 200 "{marker}"; }}
  }}
}}
"""


@needs_agent
@on(TwoDomains)
class Federation(Case):
    """What the two domains trust of each other, and what they do not."""

    documents = {
        WEST: [
            documents.identity("web/curl", {"process:name": "curl"},
                               outbound=[_NGINX], federatesWith=[EAST]),
            documents.identity("web/wget", {"process:name": "wget"},
                               outbound=[_NGINX]),
        ],
        EAST: [
            documents.identity("web/nginx", {"process:name": "nginx"},
                               inbound=[f"spiffe://{WEST}/*"],
                               federatesWith=[WEST]),
        ],
    }

    @classmethod
    def before_agents(cls):
        cls.program = gospiffe.copy_to(cls.directory)

    @classmethod
    def start_workloads(cls):
        config = cls.directory / "nginx.conf"
        config.write_text(_CONFIG.format(
            directory=cls.directory, address=cls.network.address,
            marker=cls.marker))
        cls.server.spawn(["nginx", "-c", config],
                         group="nginx").await_listening(8080)
        cls.url = f"http://{cls.network.address}:8080/"

    def _followed(self, agent):
        return agent.ask("status")["federation"][0]

    def test_a_flow_between_two_trust_domains(self):
        with self.encrypted():
            said = self.client.run(["curl", "-sS", "--fail", self.url],
                                   group="curl")
        self.assertEqual(said.strip(), self.marker)
        self.assert_mtls(_CURL, _NGINX)

    def test_an_identity_that_does_not_federate_is_refused(self):
        wget = self.client.spawn(["wget", "-q", "-t", "1", "-O", "-", self.url],
                                 group="wget")
        self.assertNotEqual(wget.wait(), 0)
        flow = self.network.client_agent.await_closed(
            1, reason="peer_not_allowed", direction="outbound",
            peer__spiffeId=_NGINX)[0]
        self.assertIn(f"does not federate with {EAST}", flow["detail"])

    def test_bundles_are_fresh_and_numbered(self):
        for agent, domain in zip(self.network.agents, (EAST, WEST)):
            followed = self._followed(agent)
            served = self.network.fetch(agent.node, domain)
            self.assertEqual(followed["trustDomain"], domain)
            self.assertEqual(followed["sequence"], served["spiffe_sequence"])
            self.assertFalse(followed["stale"])
            self.assertNotIn("error", followed)
            self.assertEqual(served["spiffe_refresh_hint"], 5)
            self.assertEqual({key["use"] for key in served["keys"]},
                             {"x509-svid", "jwt-svid"})

    def _follow(self, domain, *how):
        """Starts go-spiffe, which follows the domain's bundle."""
        return self.client.spawn(
            [self.program, "follow", domain, self.network.url(domain), *how],
            managed=False, name="gospiffe")

    def _check_followed(self, program, domain):
        bundle = program.await_json("event", "bundle")
        served = self.network.fetch(self.server, domain)
        uses = [key["use"] for key in served["keys"]]
        self.assertEqual(
            (bundle["x509"], bundle["jwt"], bundle["sequence"],
             bundle["refreshHint"]),
            (uses.count("x509-svid"), uses.count("jwt-svid"),
             served["spiffe_sequence"], 5))
        self.assertNotIn("follow-error", program.output)

    def test_go_spiffe_follows_by_the_web_pki(self):
        program = self._follow(WEST, "web", self.network.certificate)
        self._check_followed(program, WEST)
        # Another key: another bundle.
        self.network.client_agent.ask("jwt", "rotate", "--now")
        program.await_json("jwt", 2)
        program.close_input()
        self.assertEqual(program.wait(), 0)

    def test_go_spiffe_follows_by_svid(self):
        endpoint = documents.spiffe_id("kith/bundle-endpoint", EAST)
        first = self.network.first_bundle
        program = self._follow(EAST, "spiffe", endpoint, first)
        self._check_followed(program, EAST)
        stranger = self._follow(
            EAST, "spiffe", documents.spiffe_id("somebody/else", EAST), first)
        error = stranger.await_json("event", "follow-error")
        self.assertIn("unexpected ID", error["error"])

    def test_openid_connect_discovery(self):
        def get(url):
            return json.loads(self.server.run(["curl", "-sS", "--fail", url],
                                              managed=False))
        found = get(f"{OIDC}/.well-known/openid-configuration")
        self.assertEqual(found["issuer"], OIDC)
        keys = get(found["jwks_uri"])["keys"]
        bundle = self.network.fetch(self.server, EAST)
        self.assertEqual({key["kid"] for key in keys},
                         {key["kid"] for key in bundle["keys"]
                          if key["use"] == "jwt-svid"})


@needs_agent
@on(TwoDomains)
class LostDomain(Case):
    """The server of the other domain's bundle goes away for good."""

    seconds = 120

    documents = {WEST: Federation.documents[WEST],
                 EAST: Federation.documents[EAST]}

    @classmethod
    def check_watch(cls):
        """One of the agents is gone."""

    def test_the_last_good_bundle_is_kept_and_stale(self):
        west, east = self.network.agents
        east.stop()
        followed = deadline.await_true(
            lambda: next((row for row in west.ask("status")["federation"]
                          if row["stale"]), None), "a stale bundle", 40)
        self.assertIn("cannot reach", followed["error"])
        self.assertEqual(followed["x509Authorities"], 1)
        west.stop()
        west.start()
        followed = west.ask("status")["federation"][0]
        self.assertEqual(followed["x509Authorities"], 1)
        self.assertNotIn("fetchedAt", followed)
