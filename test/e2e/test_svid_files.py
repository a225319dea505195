# SPDX-License-Identifier: Apache-2.0
"""SVIDs as files, for applications that read files."""

import base64
import json
import pathlib
import pwd
import shutil
import stat
import subprocess
import tempfile

from rig import deadline, documents
from rig.case import Case, needs_agent, on
from rig.network import OneNode

_ID = documents.spiffe_id("reads/files")
_USER = pwd.getpwnam("www-data")
_ARGV = ["/bin/sleep", "1000"]
_SVID = {"x509": {"files": {"directory": "reader"}},
         "jwt": {"files": {"directory": "reader", "tokens": [
             {"file": "vault.jwt", "audience": ["vault", "backup"]}]}}}


def _identities(svid=None):
    return [documents.identity(
        "reads/files", {"process:cmdline": " ".join(_ARGV)},
        svid=_SVID if svid is None else svid)]


def _openssl(*arguments):
    done = subprocess.run(["openssl", *arguments], check=False, text=True,
                          capture_output=True)
    if done.returncode:
        raise AssertionError(f"openssl {arguments}: {done.stderr}")
    return done.stdout


class _FilesCase(Case):

    documents = _identities()

    def setUp(self):
        self.agent = self.network.client_agent
        self.place = self.root / str(_USER.pw_uid) / "reader"
        self.agent.put("documents.yaml", _identities())

    def spawn(self):
        return self.client.spawn(_ARGV, user=_USER.pw_name, group="reader")

    def await_files(self):
        for name in ("svid.pem", "key.pem", "bundle.pem", "vault.jwt"):
            deadline.await_true((self.place / name).exists, name)

    def await_gone(self):
        deadline.await_true(lambda: not self.place.parent.exists(),
                            "no files", 10)


@needs_agent
@on(OneNode)
class SvidFiles(_FilesCase):
    """Below a directory of a tmpfs that every Linux has (shm_overview(7))."""

    @classmethod
    def before_agents(cls):
        cls.scratch = pathlib.Path(tempfile.mkdtemp(dir="/dev/shm"))
        cls.addClassCleanup(shutil.rmtree, cls.scratch, True)
        cls.scratch.chmod(0o755)
        cls.root = cls.scratch / "svids"
        cls.settings = {"svid": {"ttl": "8s", "files": str(cls.root)}}

    def _serial(self):
        text = _openssl("x509", "-in", self.place / "svid.pem", "-noout",
                        "-serial")
        return text.strip().split("=")[1].lower()

    def _check_x509(self):
        self.assertEqual(
            _openssl("x509", "-in", self.place / "svid.pem", "-noout",
                     "-pubkey"),
            _openssl("pkey", "-in", self.place / "key.pem", "-pubout"))
        _openssl("verify", "-CAfile", self.place / "bundle.pem",
                 "-untrusted", self.place / "svid.pem",
                 self.place / "svid.pem")
        self.assertIn(f"URI:{_ID}", _openssl(
            "x509", "-in", self.place / "svid.pem", "-noout", "-ext",
            "subjectAltName"))

    def _claims(self):
        payload = (self.place / "vault.jwt").read_text().split(".")[1]
        return json.loads(base64.urlsafe_b64decode(payload + "=="))

    def test_the_workloads_user_reads_them_and_nobody_else(self):
        program = self.spawn()
        self.await_files()
        self._check_x509()
        claims = self._claims()
        self.assertEqual((claims["sub"], claims["aud"]),
                         (_ID, ["vault", "backup"]))
        for path in self.place.iterdir():
            found = path.stat()
            self.assertEqual((stat.S_IMODE(found.st_mode), found.st_uid),
                             (0o400, _USER.pw_uid), path)
        key = str(self.place / "key.pem")
        self.client.run(["cat", key], user=_USER.pw_name, managed=False)
        stranger = self.client.spawn(["cat", key], user="nobody",
                                     managed=False)
        self.assertNotEqual(stranger.wait(), 0)
        program.stop()
        self.await_gone()

    def test_renewed_with_the_svid(self):
        program = self.spawn()
        self.await_files()
        serials = {self._serial()}
        for _ in range(2):
            deadline.await_true(lambda: self._serial() not in serials,
                                "a renewal", 30)
            serials.add(self._serial())
        rows = self.agent.ask("identities")["identities"]
        deadline.await_true(
            lambda: self._serial() == next(
                row["svid"]["serial"]
                for row in self.agent.ask("identities")["identities"]),
            "the SVID in force")
        self.assertEqual(len(rows), 1)
        program.stop()
        self.await_gone()

    def _kid(self):
        header = (self.place / "vault.jwt").read_text().split(".")[0]
        return json.loads(base64.urlsafe_b64decode(header + "=="))["kid"]

    def test_the_token_of_a_revoked_key_is_replaced(self):
        program = self.spawn()
        self.await_files()
        kid = self._kid()
        self.agent.ask("jwt", "revoke", kid)
        deadline.await_true(lambda: self._kid() != kid, "another token", 5)
        program.stop()
        self.await_gone()

    def test_removed_with_the_identity(self):
        program = self.spawn()
        self.await_files()
        self.agent.put("documents.yaml", [documents.identity(
            "reads/files", {"process:cmdline": "/bin/nobody"}, svid=_SVID)])
        self.await_gone()
        self.agent.put("documents.yaml", _identities())
        self.await_files()
        self.agent.put("documents.yaml", _identities(
            {"x509": {"files": {"directory": "reader"}}}))
        deadline.await_true(
            lambda: not (self.place / "vault.jwt").exists() and
            (self.place / "key.pem").exists(), "no token")
        program.stop()
        self.await_gone()

    def test_removed_with_the_agent(self):
        program = self.spawn()
        self.await_files()
        self.agent.stop()
        self.assertFalse(self.place.parent.exists())
        self.agent.start()
        self.await_files()
        self.agent.kill()
        self.assertTrue((self.place / "key.pem").exists())
        program.stop()  # while nobody looks
        self.agent.start()
        self.await_gone()


@needs_agent
@on(OneNode)
class SvidFilesOnDisk(_FilesCase):
    """Where keys would be written to a disk, there are none."""

    @classmethod
    def before_agents(cls):
        # No tmpfs, and no disk that a test could dirty.
        cls.root = pathlib.Path("/proc/kith-svids")
        cls.settings = {"svid": {"files": str(cls.root)}}

    def test_the_path_is_named(self):
        program = self.spawn()
        self.agent.program.await_line(
            f"{self.root} is not on tmpfs or ramfs: no SVIDs are written")
        program.stop()
