# SPDX-License-Identifier: Apache-2.0
"""Certificates of strangers, made with the openssl program: what kith accepts
and refuses is decided by another implementation than its own."""

import datetime
import pathlib
import subprocess

from rig.documents import TRUST_DOMAIN, spiffe_id

_CONFIG = """
[ca]
default_ca = authority
[authority]
database = {directory}/index
new_certs_dir = {directory}
rand_serial = yes
default_md = sha256
policy = anything
unique_subject = no
[anything]
organizationName = optional
[req]
distinguished_name = subject
[subject]
"""

# formats.md E6: what an X509-SVID must have.
_LEAF = """
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
"""
_AUTHORITY = """
basicConstraints = critical, CA:true
keyUsage = critical, digitalSignature, keyCertSign
"""


def _openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], check=False,
                          capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(f"openssl {arguments[0]}: {done.stderr}")


def _asn1_time(days):
    moment = datetime.datetime.now(datetime.UTC)
    return (moment + datetime.timedelta(days=days)).strftime("%Y%m%d%H%M%SZ")


class Credential:
    """A certificate and its key, as files, and options of openssl's tools."""

    def __init__(self, directory, name):
        self.certificate = directory / f"{name}.crt"
        self.key = directory / f"{name}.key"

    @property
    def paths(self):
        return [self.certificate, self.key]

    @property
    def options(self):
        return ["-cert", self.certificate, "-key", self.key]


class Forge:
    """Signs whatever it is asked to, with the authority of a directory."""

    def __init__(self, directory, authority):
        """`authority` is the CA directory of an agent: ca.crt and ca.key."""
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.authority = pathlib.Path(authority)
        self._made = 0
        (self.directory / "index").touch()
        self._config = self.directory / "openssl.cnf"
        self._config.write_text(_CONFIG.format(directory=self.directory))

    @property
    def bundle(self):
        return self.authority / "ca.crt"

    @classmethod
    def with_own_authority(cls, directory, trust_domain, first=-1, last=10):
        """Returns the forge of another trust domain, whose authority is valid
        from the first to the last day, counted from now."""
        directory = pathlib.Path(directory)
        forge = cls(directory, directory / "authority")
        forge.authority.mkdir(mode=0o700)
        key = forge.authority / "ca.key"
        request = forge._request(key, "elsewhere")
        forge._certify(request, forge.bundle, _AUTHORITY,
                       [f"URI:spiffe://{trust_domain}"], first, last,
                       "-selfsign", "-keyfile", key)
        return forge

    def svid(self, workload_id, trust_domain=TRUST_DOMAIN, dns_name=None):
        return self._sign([spiffe_id(workload_id, trust_domain)], _LEAF,
                          dns_name=dns_name)

    def expired_svid(self, workload_id):
        return self._sign([spiffe_id(workload_id)], _LEAF, first=-2, last=-1)

    def two_names(self, *workload_ids):
        return self._sign(list(map(spiffe_id, workload_ids)), _LEAF)

    def authority_as_leaf(self, workload_id):
        return self._sign([spiffe_id(workload_id)], _AUTHORITY)

    def _sign(self, uris, extensions, first=-1, last=1, dns_name=None):
        self._made += 1
        made = Credential(self.directory, f"leaf{self._made}")
        request = self._request(made.key, "forged")
        names = [f"URI:{uri}" for uri in uris]
        if dns_name:
            names.append(f"DNS:{dns_name}")
        self._certify(request, made.certificate, extensions, names, first,
                      last, "-cert", self.bundle,
                      "-keyfile", self.authority / "ca.key")
        return made

    def _request(self, key, organization):
        request = self.directory / "request"
        _openssl("req", "-new", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:P-256", "-nodes",
                 "-subj", f"/O={organization}", "-config", self._config,
                 "-keyout", key, "-out", request)
        return request

    def _certify(self, request, out, extensions, names, first, last, *signer):
        wanted = self.directory / "extensions"
        wanted.write_text(f"{extensions}subjectAltName = {','.join(names)}\n")
        _openssl("ca", "-batch", "-notext", "-config", self._config, *signer,
                 "-startdate", _asn1_time(first), "-enddate", _asn1_time(last),
                 "-extfile", wanted, "-in", request, "-out", out)
