#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A proxy that gets its secrets by Envoy's secret discovery service, through
gRPC's own library. Accepts every response, and reports it as a JSON line.

  sds.py SOCKET NAME..."""

import json
import queue
import subprocess
import sys

import grpc

_METHOD = "/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets"
_TYPE = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"


def _say(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


# The protobuf encoding, as far as it is needed: length-delimited fields.
def _varint(value):
    out = b""
    while value > 0x7f:
        out += bytes([value & 0x7f | 0x80])
        value >>= 7
    return out + bytes([value])


def _field(number, value):
    value = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _take_varint(text, at):
    value = shift = 0
    while True:
        value |= (text[at] & 0x7f) << shift
        shift += 7
        at += 1
        if text[at - 1] < 0x80:
            return value, at


def _parse(text):
    fields, at = {}, 0
    while at < len(text):
        tag, at = _take_varint(text, at)
        assert tag & 7 == 2, "a field of another kind"
        length, at = _take_varint(text, at)
        fields.setdefault(tag >> 3, []).append(text[at:at + length])
        at += length
    return fields


def _inline_bytes(source):
    return _parse(source)[2][0].decode()


def _openssl(text, *arguments):
    return subprocess.run(["openssl", *arguments], input=text, check=True,
                          capture_output=True, text=True).stdout


def _describe(secret):
    fields = _parse(secret)
    name = fields[1][0].decode()
    if 4 in fields:
        # The typed configuration of Envoy's SPIFFE validator, and nothing else.
        config = _parse(_parse(_parse(fields[4][0])[12][0])[2][0])[2][0]
        domains = map(_parse, _parse(config)[1])
        return name, {domain[1][0].decode():
                      _inline_bytes(domain[2][0]).count("BEGIN CERTIFICATE")
                      for domain in domains}
    tls = _parse(fields[2][0])
    chain, key = _inline_bytes(tls[1][0]), _inline_bytes(tls[2][0])
    return name, {
        "serial": _openssl(chain, "x509", "-noout", "-serial").strip()
                  .split("=")[1].lower(),
        "keyMatches": _openssl(chain, "x509", "-noout", "-pubkey") ==
                      _openssl(key, "pkey", "-pubout")}


def _request(names, version=b"", nonce=b""):
    return b"".join(_field(3, name) for name in names) + \
        _field(4, _TYPE) + _field(1, version) + _field(5, nonce)


def main(path, names):
    requests = queue.SimpleQueue()
    requests.put(_request(names))
    with grpc.insecure_channel(f"unix:{path}") as channel:
        call = channel.stream_stream(_METHOD)(iter(requests.get, None))
        try:
            for response in call:
                fields = _parse(response)
                secrets = [_parse(resource)[2][0]
                           for resource in fields[2]]
                _say("secrets", **dict(map(_describe, secrets)))
                requests.put(_request(names, fields[1][0], fields[5][0]))
        except grpc.RpcError as error:
            _say("error", code=error.code().name, details=error.details())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
