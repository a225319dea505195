# SPDX-License-Identifier: Apache-2.0
"""OpenSSH: the server speaks first, and encrypts by itself inside."""

import hashlib
import os
import pathlib
import subprocess

from rig import deadline, documents
from rig.case import Case, on
from rig.network import OneNode, TwoNodes

_SSH = documents.spiffe_id("ops/ssh")
_SSHD = documents.spiffe_id("ops/sshd")
_PORT = 2222
_SIZE = deadline.amount(10_000_000)

# The version exchange (RFC 4253 section 4.2) is the readable part of the
# protocol: it must not be readable on the wire.
_BANNER = "SSH-2.0-OpenSSH"


def _keygen(path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path],
                   check=True)
    return path


@on(OneNode, TwoNodes)
class Ssh(Case):
    """Key authentication as root, commands, and bytes through a pipe."""

    documents = [
        documents.identity("ops/ssh", {"process:name": "ssh"},
                           outbound=[_SSHD]),
        documents.identity("ops/sshd", {"process:binary:path":
                                        "/usr/sbin/sshd"}, inbound=[_SSH]),
    ]

    @classmethod
    def start_workloads(cls):
        cls.key = _keygen(cls.directory / "client_key")
        host_key = _keygen(cls.directory / "host_key")
        # sshd's privilege separation directory, which its unit makes.
        pathlib.Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        options = {
            "Port": _PORT,
            "ListenAddress": cls.network.address,
            "HostKey": host_key,
            "AuthorizedKeysFile": f"{cls.key}.pub",
            "StrictModes": "no",  # the keys are below /tmp
            "PermitRootLogin": "prohibit-password",
            "PidFile": "none",
            "UsePAM": "no",
        }
        sshd = cls.server.spawn(["/usr/sbin/sshd", "-D", "-e", "-f",
                                 "/dev/null", *_options(options)],
                                group="sshd")
        sshd.await_listening(_PORT)

    def _ssh_argv(self, command):
        options = {
            "IdentityFile": self.key,
            "IdentitiesOnly": "yes",
            "ProxyCommand": "none",
            "StrictHostKeyChecking": "no",
            "UserKnownHostsFile": "/dev/null",
            "LogLevel": "ERROR",
            "BatchMode": "yes",
        }
        return ["ssh", "-F", "none", "-p", _PORT, *_options(options),
                f"root@{self.network.address}", command]

    def test_command(self):
        with self.encrypted(_BANNER):
            seen = self.client.run(self._ssh_argv("echo $SSH_CONNECTION"),
                                   group="ssh").split()
        client = "127.0.0.1" if self.client is self.server else "10.83.0.1"
        self.assertEqual([seen[0], *seen[2:]],
                         [client, self.network.address, str(_PORT)])
        self.assert_mtls(_SSH, _SSHD)

    def test_ten_megabytes(self):
        path = self.directory / "payload"
        path.write_bytes(os.urandom(_SIZE))
        back = self.directory / "back"
        with self.encrypted(_BANNER), open(back, "wb") as stderr:
            ssh = self.client.spawn(
                ["sh", "-c", 'file=$0; exec "$@" < "$file"', path,
                 *self._ssh_argv("tee /dev/stderr | sha256sum")],
                group="ssh", name="ssh", stderr=stderr)
            there = ssh.check().split()[0]
        for checksum in there, _checksum(back):
            self.assertEqual(checksum, _checksum(path))
        self.assert_mtls(_SSH, _SSHD)


def _checksum(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _options(options):
    return [word for key, value in options.items()
            for word in ("-o", f"{key}={value}")]
