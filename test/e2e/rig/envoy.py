# SPDX-License-Identifier: Apache-2.0
"""A real Envoy (scripts/clients/envoy.sh), a workload that does its own TLS with
secrets of the Workload API."""

import http.client
import itertools
import json
import socket

from rig import clients, deadline

_EXTENSIONS = "type.googleapis.com/envoy.extensions."
_TLS = _EXTENSIONS + "transport_sockets.tls.v3."
_CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
_FILTERS = _EXTENSIONS + "filters."

# How secrets may be asked for: by the service of secrets or the aggregated one,
# each in its state-of-the-world form and in its incremental one.
SDS, SDS_DELTA = ("sds", "GRPC"), ("sds", "DELTA_GRPC")
ADS, ADS_DELTA = ("ads", "GRPC"), ("ads", "DELTA_GRPC")

# Whoever is refused may be gone before a test could write to it.
_SAY_HI = '(echo hi; cat) | "$0" "$@"'

_ports = itertools.count(20001)


def free_port():
    """Returns one that nobody else of this run was given."""
    return next(_ports)


class Secrets:
    """Where an Envoy has its secrets from, and in which way. Envoy sends the
    `cluster`'s name as :authority."""

    def __init__(self, path, api=SDS, cluster="kith"):
        self._path = path
        self._service, form = api
        self.cluster = cluster
        self._source = {
            "api_type": form, "transport_api_version": "V3",
            "grpc_services": [{"envoy_grpc": {"cluster_name": cluster}}]}

    def dynamic_resources(self):
        """Returns what the service needs in the bootstrap configuration."""
        return {"ads_config": self._source} if self._service == "ads" else {}

    def endpoint(self):
        """Returns the cluster of the socket."""
        return cluster(self.cluster, {"pipe": {"path": str(self._path)}},
                       http2=True)

    def named(self, name):
        """Returns the reference to a secret."""
        source = {"ads": {}} if self._service == "ads" else \
            {"api_config_source": self._source}
        return {"name": name,
                "sds_config": {**source, "resource_api_version": "V3"}}


def _common_tls(secrets, certificate, context, peer, parameters):
    names = [{"san_type": "URI", "matcher": {"exact": peer}}] if peer else []
    return {
        "tls_params": parameters,
        "tls_certificate_sds_secret_configs": [secrets.named(certificate)],
        "combined_validation_context": {
            "default_validation_context": {
                "match_typed_subject_alt_names": names},
            "validation_context_sds_secret_config": secrets.named(context)}}


def _transport_socket(kind, config):
    return {"name": "tls", "typed_config": {"@type": _TLS + kind, **config}}


def downstream_tls(secrets, certificate="default", context="ROOTCA",
                   peer=None):
    """Returns the socket of a listener: mutual TLS with `peer`, or with all whom
    the context vouches for."""
    return _transport_socket("DownstreamTlsContext", {
        "require_client_certificate": True,
        "common_tls_context": _common_tls(secrets, certificate, context, peer,
                                          {})})


def upstream_tls(secrets, certificate="default", context="ROOTCA", peer=None,
                 newest="TLSv1_3"):
    """Returns the socket of a cluster. Envoy as a client offers no TLS 1.3
    where nothing is said of the `newest` version."""
    parameters = {"tls_maximum_protocol_version": newest} if newest else {}
    return _transport_socket("UpstreamTlsContext", {
        "common_tls_context": _common_tls(secrets, certificate, context, peer,
                                          parameters)})


def at(port, host="127.0.0.1"):
    """Returns the address of a socket."""
    return {"socket_address": {"address": host, "port_value": port}}


def cluster(name, address, tls=None, http2=False):
    """Returns a cluster of one endpoint."""
    made = {"name": name, "type": "STATIC", "connect_timeout": "5s",
            "load_assignment": {"cluster_name": name, "endpoints": [
                {"lb_endpoints": [{"endpoint": {"address": address}}]}]}}
    if tls:
        made["transport_socket"] = tls
    if http2:
        made["typed_extension_protocol_options"] = {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": _EXTENSIONS + "upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": {}}}}
    return made


def _listener(port, network_filter, tls):
    chain = {"filters": [network_filter]}
    if tls:
        chain["transport_socket"] = tls
    return {"name": f"listener-{port}", "stat_prefix": f"listener-{port}",
            "address": at(port), "filter_chains": [chain]}


def forward(port, to_cluster, tls=None):
    """Returns a listener that passes on every connection."""
    return _listener(port, {"name": "tcp_proxy", "typed_config": {
        "@type": _FILTERS + "network.tcp_proxy.v3.TcpProxy",
        "stat_prefix": f"forward-{port}", "cluster": to_cluster}}, tls)


def forward_http2(port, to_cluster, tls=None):
    """Returns a listener that passes on every request of HTTP/2."""
    return _listener(port, {"name": "http", "typed_config": {
        "@type": _FILTERS + "network.http_connection_manager.v3."
                            "HttpConnectionManager",
        "stat_prefix": f"http-{port}", "codec_type": "HTTP2",
        "http_filters": [{"name": "router", "typed_config": {
            "@type": _FILTERS + "http.router.v3.Router"}}],
        "route_config": {"validate_clusters": False, "virtual_hosts": [{
            "name": "all", "domains": ["*"], "routes": [{
                "match": {"prefix": "/"},
                "route": {"cluster": to_cluster}}]}]}}}, tls)


def echo(port, tls=None):
    """Returns a listener that sends back what it gets."""
    return _listener(port, {"name": "echo", "typed_config": {
        "@type": _FILTERS + "network.echo.v3.Echo"}}, tls)


def takes(case, port, bundle, credential):
    """Returns whether the echo of a listener, whose certificate is of an
    authority in the file `bundle`, takes an openssl client."""
    program = case.client.spawn(
        ["sh", "-c", _SAY_HI, "openssl", "s_client", "-quiet", "-no_ign_eof",
         "-connect", f"127.0.0.1:{port}", "-CAfile", bundle,
         "-verify_return_error", *credential.options],
        managed=False, name="s_client")
    line = program.await_line(
        lambda line: line == "hi" or "SSL alert number" in line)
    program.close_input()
    program.wait()
    return line == "hi"


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("envoy", timeout=deadline.allowed(10))
        self._path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Envoy:
    """A running proxy. Identities are told by `gid`: all are one program."""

    def __init__(self, case, gid, secrets, *parts, metadata=None):
        """`parts` are listeners and clusters."""
        listeners = [part for part in parts if "filter_chains" in part]
        directory = case.directory / f"envoy-{free_port()}"
        directory.mkdir()
        self._admin = directory / "admin.sock"
        # Envoy crashes where a static cluster has secrets of ADS, which is not
        # there before them: these come from a file.
        followed = directory / "clusters.json"
        followed.write_text(json.dumps({"resources": [
            {"@type": _CLUSTER, **part} for part in parts
            if part not in listeners]}))
        config = directory / "envoy.json"
        config.write_text(json.dumps({
            "node": {"id": "test", "cluster": "e2e",
                     "metadata": metadata or {}},
            "admin": {"address": {"pipe": {"path": str(self._admin)}}},
            "static_resources": {
                "listeners": listeners,
                "clusters": [secrets.endpoint()]},
            "dynamic_resources": {
                "cds_config": {"path_config_source": {"path": str(followed)},
                               "resource_api_version": "V3"},
                **secrets.dynamic_resources()}}))
        self.program = case.client.spawn(
            [clients.program("envoy"), "--config-path", config,
             "--concurrency", "1", "--disable-hot-restart", "--log-level",
             "warning"], gid=gid, name="envoy")
        case.addCleanup(self.program.stop)

    def ask(self, path):
        """Returns the JSON answer of the admin interface."""
        connection = _UnixConnection(self._admin)
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def await_ready(self, seconds=30):
        """Waits until its listeners take connections."""
        def ready():
            if self.program.returncode is not None:
                raise AssertionError(f"Envoy ended:\n{self.program.output}")
            try:
                return self.ask("/server_info")["state"] == "LIVE"
            except OSError:  # its socket is not there yet
                return False
        deadline.await_true(ready, "a live Envoy", seconds)
        return self

    def counts(self, name):
        """Returns the values of that counter of all its secrets."""
        rows = self.ask(f"/stats?format=json&filter={name}")["stats"]
        return [row["value"] for row in rows
                if row.get("name", "").startswith("sds.")]

    def serials(self, spiffe_id):
        """Returns the serial numbers of the certificates that it shows for
        that ID, in hex without leading zeros."""
        return {row["serial_number"].lstrip("0")
                for each in self.ask("/certs").get("certificates", [])
                for row in each.get("cert_chain", [])
                if {"uri": spiffe_id} in row.get("subject_alt_names", [])}
