# SPDX-License-Identifier: Apache-2.0
"""spiffe-helper (scripts/clients/spiffe-helper.sh) as a daemon that keeps SVIDs
in files, and what openssl says of them."""

import base64
import json
import subprocess

from rig import clients, deadline
from rig.forge import Credential

_CONFIG = """
agent_address = "{socket}"
daemon_mode = true
cert_dir = "{directory}"
svid_file_name = "svid.pem"
svid_key_file_name = "key.pem"
svid_bundle_file_name = "bundle.pem"
jwt_bundle_file_name = "bundles.json"
{more}
"""
_TOKEN = 'jwt_svids = [{{jwt_audience="{}", jwt_svid_file_name="svid.jwt"}}]\n'
_FEDERATED = "include_federated_domains = true\n"


def _openssl(text, *arguments):
    """Returns what openssl says of the text; nothing where it refuses it."""
    done = subprocess.run(["openssl", *map(str, arguments)], check=False,
                          input=text, capture_output=True, text=True)
    return "" if done.returncode else done.stdout.strip()


class SpiffeHelper:
    """A running daemon; its files are there once it has said so."""

    def __init__(self, case, gid, path, audience=None, federated=False):
        self.directory = case.directory / f"helper-{case.id().split('.')[-1]}"
        self.directory.mkdir()
        config = self.directory / "helper.conf"
        config.write_text(_CONFIG.format(
            socket=path, directory=self.directory,
            more=(_TOKEN.format(audience) if audience else "") +
                 (_FEDERATED if federated else "")))
        self.program = case.client.spawn(
            [clients.program("spiffe-helper"), "-config", config], gid=gid,
            name="spiffe-helper")
        case.addCleanup(self.program.stop)

    def await_files(self):
        self.program.await_line("X.509 certificates updated")

    def file(self, name):
        return self.directory / name

    def serial(self):
        """Returns that of the certificate, once it is of the key and of an
        authority in the bundle: the files are not replaced at once."""
        return deadline.await_true(self._serial, "files that fit together")

    def _serial(self):
        svid, key = (self.file(name).read_text()
                     for name in ("svid.pem", "key.pem"))
        public = _openssl(svid, "x509", "-noout", "-pubkey")
        if not public or public != _openssl(key, "pkey", "-pubout") or \
                not _openssl(svid, "verify", "-CAfile",
                             self.file("bundle.pem")):
            return None
        return _openssl(svid, "x509", "-noout", "-serial")

    def take(self):
        """Ends the daemon; returns what it had, for openssl's tools."""
        self.program.stop()
        taken = Credential(self.directory, "taken")
        self.file("svid.pem").rename(taken.certificate)
        self.file("key.pem").rename(taken.key)
        return taken

    def authorities(self):
        return self.file("bundle.pem").read_text().count("BEGIN CERTIFICATE")

    def jwt_bundles(self):
        """Returns the numbers of keys by trust domain."""
        bundles = json.loads(self.file("bundles.json").read_text())
        return {domain: len(json.loads(base64.b64decode(text))["keys"])
                for domain, text in bundles.items()}
