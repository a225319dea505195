# SPDX-License-Identifier: Apache-2.0
"""gRPC over mutual TLS with SVIDs. spiffe-tls has nothing for it: as a server,
gRPC does the TLS by itself, with what the package spiffe has fetched."""

from concurrent import futures

import grpc
from cryptography.hazmat.primitives.serialization import (
    Encoding, NoEncryption, PrivateFormat)
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from spiffe import SpiffeId

from identity import new_source
from lines import PATIENCE, say, until_input_ends
from tunnel import Tunnel

_PLAIN = "plain"
_PEER_NAMES = "x509_subject_alternative_name"


def _pem(certificates):
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)


def _credentials(source, peer):
    """Returns the key, the chain, and the authorities of the peer's domain."""
    context = source.get_x509_context()
    svid = context.default_svid
    bundle = context.x509_bundle_set.get_bundle_for_trust_domain(
        SpiffeId(peer).trust_domain)
    key = svid.private_key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return key, _pem(svid.cert_chain), _pem(bundle.x509_authorities)


class _OnlyFor(grpc.ServerInterceptor):
    """gRPC checks the chain of a client; who it is, is for the server."""

    def __init__(self, peer):
        self._peer = peer.encode()
        self._refuse = grpc.unary_unary_rpc_method_handler(
            lambda _request, context: context.abort(
                grpc.StatusCode.PERMISSION_DENIED, "another peer"))

    def intercept_service(self, continuation, handler_call_details):
        handler = continuation(handler_call_details)
        if handler is None or handler.unary_unary is None:
            return handler

        def call(request, context):
            if self._peer not in context.auth_context().get(_PEER_NAMES, []):
                return self._refuse.unary_unary(request, context)
            return handler.unary_unary(request, context)
        return grpc.unary_unary_rpc_method_handler(
            call, handler.request_deserializer, handler.response_serializer)


def _bind(server, address, peer):
    if peer == _PLAIN:
        return server.add_insecure_port(address)
    source = new_source()

    def configuration():
        key, chain, roots = _credentials(source, peer)
        return grpc.ssl_server_certificate_configuration(
            [(key, chain)], root_certificates=roots)
    return server.add_secure_port(address, grpc.dynamic_ssl_server_credentials(
        configuration(), configuration, require_client_authentication=True))


def _check(channel):
    answer = health_pb2_grpc.HealthStub(channel).Check(
        health_pb2.HealthCheckRequest(), timeout=PATIENCE)
    say("grpc", status=health_pb2.HealthCheckResponse.ServingStatus.Name(
        answer.status))


def listen(address, peer):
    server = grpc.server(
        futures.ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)],
        interceptors=[] if peer == _PLAIN else [_OnlyFor(peer)])
    health_pb2_grpc.add_HealthServicer_to_server(
        health.HealthServicer(), server)
    port = _bind(server, address, peer)
    server.start()
    say("listening", address=f"{address.rpartition(':')[0]}:{port}")
    until_input_ends()
    server.stop(None).wait()


def _dial_plain(address):
    with grpc.insecure_channel(address) as channel:
        _check(channel)


def dial(address, peer):
    """As a client, gRPC insists on a DNS name or an IP address in the server's
    certificate, which SVIDs have not: spiffe-tls does the TLS."""
    if peer == _PLAIN:
        _dial_plain(address)
    else:
        with Tunnel(address, peer, "h2") as tunnel:
            _dial_plain(tunnel.target)
