# SPDX-License-Identifier: Apache-2.0
"""curl and nginx, as Debian ships them."""

import hashlib
import os

from rig import deadline, documents
from rig.case import Case, on
from rig.network import DIRECT, OneNode, TwoNodes

_CURL = documents.spiffe_id("web/curl")
_NGINX = documents.spiffe_id("web/nginx")
_LARGE = deadline.amount(64 << 20)

_CONFIG = """
daemon off;
pid {directory}/nginx.pid;
error_log stderr;
worker_processes 2;
events {{ worker_connections 256; }}
http {{
  access_log {directory}/access.log;
  client_body_temp_path {directory}/body;
  client_max_body_size 100m;
  server {{
    listen {address}:8080;
    root {directory}/www;
    location /upload/ {{
      dav_methods PUT;
      create_full_put_path on;
    }}
    location = /who {{ return 200 "$remote_addr $server_addr\\n"; }}
  }}
}}
"""


@on(OneNode, TwoNodes)
class CurlNginx(Case):
    """Requests of all sizes, one connection for one or for many of them."""

    documents = [
        documents.identity("web/curl", {"process:name": "curl"},
                           outbound=[_NGINX]),
        documents.identity("web/nginx", {"process:name": "nginx"},
                           inbound=[_CURL]),
    ]

    @classmethod
    def start_workloads(cls):
        root = cls.directory / "www"
        (root / "upload").mkdir(parents=True)
        (root / "hello").write_text(cls.marker)
        # The marker everywhere, so that no part of the file may be readable.
        piece = cls.marker.encode() + os.urandom(65536 - len(cls.marker))
        (root / "large").write_bytes(piece * (_LARGE // len(piece)))
        # nginx's workers run as www-data.
        for path in (cls.directory, root, root / "upload"):
            path.chmod(0o777)
        config = cls.directory / "nginx.conf"
        config.write_text(_CONFIG.format(directory=cls.directory,
                                         address=cls.network.address))
        nginx = cls.server.spawn(["nginx", "-c", config], group="nginx")
        nginx.await_listening(8080)
        cls.url = f"http://{cls.network.address}:8080"

    def _curl(self, *arguments):
        return self.client.run(["curl", "-sS", "--fail", *arguments],
                               group="curl")

    def _assert_identities(self, count=1):
        if not DIRECT:
            self.network.client_agent.await_closed(count)
        return self.assert_mtls(_CURL, _NGINX)

    def test_get(self):
        with self.encrypted():
            self.assertEqual(self._curl(f"{self.url}/hello"), self.marker)
        outbound, inbound = self._assert_identities()
        if outbound:
            self.assertEqual(outbound["destination"],
                             f"{self.network.address}:8080")
            self.assertEqual(outbound["process"]["name"], "curl")
            self.assertEqual(inbound["process"]["name"], "nginx")
            self.assertEqual(outbound["tls"]["version"], "TLSv1.3")
            self.assertEqual(outbound["peer"]["svidSerial"],
                             inbound["local"]["svidSerial"])

    def test_nginx_sees_the_client(self):
        client = "127.0.0.1" if self.client is self.server else "10.83.0.1"
        self.assertEqual(self._curl(f"{self.url}/who").split(),
                         [client, self.network.address])

    def test_download(self):
        path = self.directory / "downloaded"
        with self.encrypted():
            self._curl("-o", path, f"{self.url}/large")
        self.assertEqual(_checksum(path), _checksum(self._large()))
        self._assert_identities()

    def test_upload(self):
        with self.encrypted():
            self._curl("-T", self._large(), f"{self.url}/upload/large")
        self.assertEqual(
            _checksum(self.directory / "www" / "upload" / "large"),
            _checksum(self._large()))
        self._assert_identities()

    def test_keep_alive(self):
        with self.encrypted() as outer:
            # --next would open another connection; URLs of one call share it.
            said = self._curl("-v", *[f"{self.url}/hello?{number}"
                                      for number in range(100)])
        self.assertEqual(said.count("< HTTP/1.1 200 OK"), 100)
        self.assertEqual(len(outer), 1)
        self._assert_identities()

    def _large(self):
        return self.directory / "www" / "large"


def _checksum(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
