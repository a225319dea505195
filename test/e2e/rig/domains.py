# SPDX-License-Identifier: Apache-2.0
"""Two nodes on one cable, each a trust domain of its own, that follow each
other's bundle: one by the Web PKI, the other by its SVID."""

import json
import subprocess

from rig import deadline
from rig.agent import Agent
from rig.network import TwoNodes

WEST, EAST = "west.test", "east.test"
_ADDRESSES = {WEST: "10.83.0.1", EAST: "10.83.0.2"}
_PORT = 8443
OIDC = "http://127.0.0.1:8085"


class TwoDomains(TwoNodes):
    """West serves with https_web, East with https_spiffe and, to its own
    machine, OpenID Connect Discovery. `documents` are by trust domain."""

    def start_agents(self, documents, **settings):
        web = self._certificate()
        self.certificate = web["certificate"]
        self.first_bundle = self.directory / "east.json"
        self._add(WEST, self.client, {"profile": "https_web", **web}, {
            "name": EAST, "profile": "https_spiffe",
            "url": self.url(EAST),
            "endpointSPIFFEID": f"spiffe://{EAST}/kith/bundle-endpoint",
            "bundle": str(self.first_bundle)}, **settings)
        self._add(EAST, self.server, {"profile": "https_spiffe"}, {
            "name": WEST, "profile": "https_web",
            "url": self.url(WEST),
            "caFile": web["certificate"]},
            oidc={"issuer": OIDC, "profile": "http",
                  "listen": OIDC.removeprefix("http://")}, **settings)
        for agent in self.agents:
            agent.put("documents.yaml", documents[agent.config["trustDomain"]])
            agent.start()
        # As an operator brings the first bundle over.
        first = self.fetch(self.server, EAST)
        self.first_bundle.write_text(json.dumps(first))
        for agent in self.agents:
            deadline.await_true(
                lambda a=agent: a.ask("status")["federation"][0].get(
                    "fetchedAt"), "the other domain's bundle", 30)
        self.occupy()

    @staticmethod
    def url(domain):
        """Returns where the domain serves its bundle."""
        return f"https://{_ADDRESSES[domain]}:{_PORT}/"

    def fetch(self, node, domain):
        """Returns the bundle that a domain serves, as any client sees it."""
        return json.loads(node.run(
            ["curl", "-sSk", "--fail", self.url(domain)], managed=False))

    def outer(self, connections):
        return [each for each in connections if each.server[1] != _PORT]

    def _add(self, domain, node, serve, other, **settings):
        self.agents.append(Agent(
            node, self.directory / node.name, self.directory / f"ca-{node.name}",
            trustDomain=domain,
            federation={
                "serve": {"listen": f"{_ADDRESSES[domain]}:{_PORT}",
                          "refreshHint": "5s", **serve},
                "trustDomains": [other]},
            **settings))

    def _certificate(self):
        files = {name: str(self.directory / f"web.{name}")
                 for name in ("certificate", "key")}
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=west",
             "-addext", f"subjectAltName=IP:{_ADDRESSES[WEST]}",
             "-keyout", files["key"], "-out", files["certificate"]],
            check=True, capture_output=True)
        return files
