# SPDX-License-Identifier: Apache-2.0
"""A local socket whose other end is a connection of spiffe-tls."""

import select
import socket
import tempfile
import threading

from cryptography import x509
from OpenSSL import SSL
from spiffetls import SpiffeSSLContext

from identity import names, new_source

_RECORD = 16384


class Tunnel:
    """Mutual TLS with a peer that is `spiffe_id`, for one who can speak to a
    Unix socket: what connects to `target` first is connected to the peer."""

    def __init__(self, address, spiffe_id, alpn):
        host, port = address.rsplit(":", 1)
        self._source = new_source()
        context = SpiffeSSLContext(self._source)
        context.set_alpn_protocols([alpn])
        self._socket = socket.create_connection((host, int(port)))
        wrapped = context.wrap_socket(self._socket)
        self._tls = wrapped.connection
        peer = names(x509.load_der_x509_certificate(
            wrapped.getpeercert(binary_form=True)))
        if peer != [spiffe_id]:
            raise ValueError(f"the peer is {peer}")
        self._directory = tempfile.TemporaryDirectory()
        path = f"{self._directory.name}/socket"
        self.target = f"unix:{path}"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen()
        threading.Thread(target=self._run, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()
        self._directory.cleanup()
        self._source.close()

    def _run(self):
        plain, _ = self._listener.accept()
        self._socket.setblocking(False)
        try:
            with plain, self._socket:
                while self._pump(plain):
                    pass
        except (SSL.Error, OSError):
            pass  # whoever is left sees the end of its connection

    def _pump(self, plain):
        """Passes on what is there; returns whether there may be more. One
        thread does both: an SSL connection cannot be used by two."""
        try:
            while True:
                plain.sendall(self._tls.recv(_RECORD))
        except SSL.WantReadError:
            pass
        ready, _, _ = select.select([plain, self._socket], [], [])
        if plain not in ready:
            return True
        data = plain.recv(_RECORD)
        rest = data
        while rest:
            try:
                rest = rest[self._tls.send(rest):]
            except SSL.WantWriteError:
                select.select([], [self._socket], [])
        return bool(data)
