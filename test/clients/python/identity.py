# SPDX-License-Identifier: Apache-2.0
"""SVIDs and bundles of the Workload API, by the package spiffe."""

from cryptography import x509
from spiffe import WorkloadApiClient, X509Source

from lines import PATIENCE, say, until_input_ends


def api():
    return WorkloadApiClient(default_timeout=PATIENCE)


def new_source():
    return X509Source(timeout_in_seconds=PATIENCE)


def names(certificate):
    """Returns the URIs of a certificate (of the package cryptography)."""
    try:
        extension = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return extension.value.get_values_for_type(
        x509.UniformResourceIdentifier)


def _facts(context):
    svid = context.default_svid
    bundle = context.x509_bundle_set.get_bundle_for_trust_domain(
        svid.spiffe_id.trust_domain)
    return {"spiffeId": str(svid.spiffe_id),
            "serial": f"{svid.leaf.serial_number:x}",
            "svids": len(context.x509_svids),
            "roots": len(bundle.x509_authorities)}


def fetch():
    with api() as client:
        say("x509", **_facts(client.fetch_x509_context()))


def watch():
    """The library tries again by itself, and tells of no failure but its last,
    such as CANCELLED, after which no update comes any more."""
    api().stream_x509_contexts(
        lambda context: say("x509", **_facts(context)),
        lambda error: say("watch-error", error=str(error)))
    until_input_ends()


def bundles():
    with api() as client:
        x509s = client.fetch_x509_bundles().bundles
        jwts = client.fetch_jwt_bundles().bundles
        say("bundles",
            x509={str(each.trust_domain): len(each.x509_authorities)
                  for each in x509s},
            jwt={str(each.trust_domain): len(each.jwt_authorities)
                 for each in jwts})
