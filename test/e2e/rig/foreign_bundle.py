# SPDX-License-Identifier: Apache-2.0
"""The bundle of a trust domain that nobody serves, as a file."""

import base64
import json
import subprocess

from rig.forge import Forge

# Of an uncompressed point of P-256, the last bytes of a public key's DER.
_COORDINATE = 32


def _openssl(*arguments, text=None):
    return subprocess.run(["openssl", *map(str, arguments)], check=True,
                          input=text, capture_output=True).stdout


def _base64url(octets):
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def write(directory, trust_domain):
    """Returns the file: one authority for X509-SVIDs, and one for JWT-SVIDs."""
    forge = Forge.with_own_authority(directory / trust_domain, trust_domain)
    der = _openssl("x509", "-in", forge.bundle, "-outform", "DER")
    public = _openssl("pkey", "-pubin", "-outform", "DER", text=_openssl(
        "x509", "-in", forge.bundle, "-noout", "-pubkey"))
    key = {"kty": "EC", "crv": "P-256",
           "x": _base64url(public[-2 * _COORDINATE:-_COORDINATE]),
           "y": _base64url(public[-_COORDINATE:])}
    path = directory / f"{trust_domain}.json"
    path.write_text(json.dumps({
        "spiffe_sequence": 1, "spiffe_refresh_hint": 300, "keys": [
            {**key, "use": "x509-svid", "x5c": [base64.b64encode(der).decode()]},
            {**key, "use": "jwt-svid", "kid": "elsewhere"}]}))
    return path
