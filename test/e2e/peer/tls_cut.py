#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A TLS 1.3 client that breaks off inside a record.

tls_cut.py ADDRESS PORT BUNDLE CERTIFICATE KEY COUNT: sends COUNT bytes, awaits an
answer and a line on standard input, and then sends half a record and a FIN."""

import socket
import ssl
import sys

_READ = 65536


def _context(bundle, certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # an SVID has no host's name
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(bundle)
    context.load_cert_chain(certificate, key)
    return context


class Records:
    """TLS on memory, so that its records are in our hands."""

    def __init__(self, connection, context):
        self._connection = connection
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing)

    def until_done(self, step):
        """Returns what step() does, which may need more of the peer."""
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self.flush()
                self._incoming.write(self._connection.recv(_READ))

    def handshake(self):
        self.until_done(self._tls.do_handshake)
        self.flush()

    def flush(self):
        self._connection.sendall(self._outgoing.read())

    def seal(self, data):
        """Returns the records of the data."""
        self._tls.write(data)
        return self._outgoing.read()

    def receive(self):
        return self.until_done(lambda: self._tls.read(_READ))


def main():
    address, port, bundle, certificate, key, count = sys.argv[1:]
    with socket.create_connection((address, int(port))) as connection:
        records = Records(connection, _context(bundle, certificate, key))
        records.handshake()
        connection.sendall(records.seal(bytes(int(count))))
        records.receive()
        sys.stdin.readline()
        record = records.seal(bytes(1000))
        connection.sendall(record[:len(record) // 2])
        connection.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    main()
