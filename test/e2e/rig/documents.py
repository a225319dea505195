# SPDX-License-Identifier: Apache-2.0
"""Resource documents for the agent (JSON, which is also YAML)."""

TRUST_DOMAIN = "e2e.test"
_API_VERSION = "kith.dev/v1alpha1"


def spiffe_id(workload_id, trust_domain=TRUST_DOMAIN):
    return f"spiffe://{trust_domain}/{workload_id}"


def identity(workload_id, *selectors, mode="MUTUAL", inbound=None,
             outbound=None, ttl=None, **spec):
    """Returns a WorkloadIdentity. `selectors` are maps, any of which matches;
    `inbound` and `outbound` are the allowed peers (None: not restricted)."""
    allowed = {key: value for key, value in
               (("inbound", inbound), ("outbound", outbound))
               if value is not None}
    document = {
        "workloadID": workload_id,
        "selectors": list(selectors),
        "connection": {"tls": {"mode": mode}},
        **spec,
    }
    if allowed:
        document["allowedSPIFFEIDs"] = allowed
    if ttl:
        document["svid"] = {"x509": {"ttl": ttl}}
    return _document("WorkloadIdentity", workload_id.replace("/", "-"),
                     document)


def service(name, address, labels, **spec):
    """Returns a Service that has every port of one address."""
    return _document("Service", name, {
        "labels": labels,
        "addresses": [{"address": address}],
        **spec,
    })


def _document(kind, name, spec):
    return {"apiVersion": _API_VERSION, "kind": kind,
            "metadata": {"name": name}, "spec": spec}
