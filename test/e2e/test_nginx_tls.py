# SPDX-License-Identifier: Apache-2.0
"""nginx that speaks TLS by itself, as kith's peer: it verifies by chain, knows no
SPIFFE and no ALPN name of ours, and sends session tickets."""

import hashlib
import os

from rig import datapath, deadline, documents
from rig.case import Case, needs_agent, on
from rig.forge import Forge
from rig.network import TwoNodes

_CURL = documents.spiffe_id("web/curl")
_WEB = documents.spiffe_id("web/plain")
_STRANGER = documents.spiffe_id("foreign/nginx")
_WEB_NAME = "web.e2e.test"  # in the SVID, for verifiers of names
_LARGE = deadline.amount(32 << 20)
_PLAIN, _TLS, _PROXY = 8080, 8443, 8081

_COMMON = """
daemon off;
pid {directory}/{name}.pid;
error_log stderr info;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {directory}/{name}-body;
  proxy_temp_path {directory}/{name}-proxy;
  server {{ {server} }}
}}
"""
_TLS_SERVER = """
  listen {address}:{port} ssl;
  root {directory}/www;
  ssl_protocols TLSv1.3;
  ssl_certificate {certificate};
  ssl_certificate_key {key};
  ssl_client_certificate {bundle};
  ssl_verify_client on;
  location = /who {{
    return 200 "$ssl_protocol $ssl_client_verify $remote_addr\\n";
  }}
"""
_TLS_CLIENT = """
  listen {address}:{port};
  location / {{
    proxy_pass https://{upstream};
    proxy_ssl_protocols TLSv1.3;
    proxy_ssl_certificate {certificate};
    proxy_ssl_certificate_key {key};
    proxy_ssl_trusted_certificate {bundle};
    proxy_ssl_name {upstream_name};
    proxy_ssl_verify on;
  }}
"""
_PLAIN_SERVER = """
  listen {address}:{port};
  root {directory}/www;
"""


def _checksum(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@needs_agent
@on(TwoNodes)
class NginxTls(Case):
    """curl behind kith asks nginx with TLS; nginx with TLS asks another one
    behind kith."""

    documents = [
        documents.identity("web/curl", {"process:name": "curl"},
                           outbound=[_STRANGER]),
        documents.identity("web/plain", {"process:name": "nginx"},
                           inbound=[_STRANGER],
                           svid={"x509": {"dnsNames": [_WEB_NAME]}}),
    ]

    @classmethod
    def start_workloads(cls):
        forge = Forge(cls.directory / "forge",
                      cls.network.client_agent.ca_directory)
        svid = forge.svid("foreign/nginx")
        cls.facts = {"directory": cls.directory, "bundle": forge.bundle,
                     "certificate": svid.certificate, "key": svid.key}
        root = cls.directory / "www"
        root.mkdir()
        cls.large = root / "large"
        piece = cls.marker.encode() + os.urandom(65536 - len(cls.marker))
        cls.large.write_bytes(piece * (_LARGE // len(piece)))
        for path in (cls.directory, root):  # workers run as www-data
            path.chmod(0o777)

    def _nginx(self, node, name, server, port, **facts):
        """Starts one that listens on that port of the server's address."""
        config = self.directory / f"{name}.conf"
        facts = {**self.facts, **facts, "name": name, "port": port}
        config.write_text(_COMMON.format(server=server.format(**facts),
                                         **facts))
        nginx = node.spawn(["nginx", "-c", config], group="nginx",
                           managed=server is _PLAIN_SERVER, name=name)
        nginx.await_listening(port)
        self.addCleanup(nginx.stop)
        return nginx

    def _ended(self, agent, reason, count=1, **facts):
        """Returns the last of that many flows with nginx that ended so."""
        flow = agent.await_closed(
            count, peer__spiffeId=_STRANGER, mode="mtls", reason=reason,
            **facts, **datapath.wanted())[0]
        self.assertEqual(flow["tls"]["version"], "TLSv1.3")
        self.assertNotIn("alpn", flow["tls"])
        return flow

    def _curl(self, url, *options, managed=True):
        path = self.directory / "downloaded"
        self.client.run(["curl", "-sS", "--fail", "-o", path, *options, url],
                        group="curl", managed=managed)
        return path

    def test_server(self):
        address = self.network.address
        self._nginx(self.server, "tls-server", _TLS_SERVER, _TLS,
                    address=address)
        url = f"http://{address}:{_TLS}"
        agent = self.network.client_agent
        facts = {"direction": "outbound", "local__spiffeId": _CURL}
        with self.encrypted():  # nginx ends the connection
            whole = self._curl(f"{url}/large", "-H", "Connection: close")
        self.assertEqual(_checksum(whole), _checksum(self.large))
        self._ended(agent, "closed", **facts)
        with self.encrypted():  # curl ends it, which nginx does not answer
            who = self._curl(f"{url}/who").read_text().split()
            self.assertEqual(who, ["TLSv1.3", "SUCCESS", "10.83.0.1"])
            whole = self._curl(f"{url}/large")
        self.assertEqual(_checksum(whole), _checksum(self.large))
        flow = self._ended(agent, "truncated", count=2, **facts)
        self.assertIn("after the application had ended", flow["detail"])

    def test_client(self):
        there, here = self.network.address, "10.83.0.1"
        self._nginx(self.server, "plain", _PLAIN_SERVER, _PLAIN, address=there)
        self._nginx(self.client, "tls-client", _TLS_CLIENT, _PROXY,
                    address=here, upstream=f"{there}:{_PLAIN}",
                    upstream_name=_WEB_NAME)
        with self.encrypted():
            whole = self._curl(f"http://{here}:{_PROXY}/large", managed=False)
        self.assertEqual(_checksum(whole), _checksum(self.large))
        flow = self._ended(self.network.server_agent, "truncated",
                           direction="inbound", local__spiffeId=_WEB)
        self.assertIn("after the application had ended", flow["detail"])
