# SPDX-License-Identifier: Apache-2.0
"""Mutual TLS, by the package spiffe-tls."""

import os
import sys
import threading

import spiffetls
from OpenSSL import SSL

from identity import names, new_source
from lines import say, until_input_ends


def _authorize(spiffe_id):
    return lambda certificate: \
        names(certificate.to_cryptography()) == [spiffe_id]


def _echo(connection):
    """Ends one connection, whatever becomes of it; others go on."""
    try:
        while data := connection.recv(65536):
            connection.sendall(data)
    except SSL.ZeroReturnError:
        connection.shutdown()
    except (SSL.Error, OSError) as error:
        print(repr(error), file=sys.stderr, flush=True)
    finally:
        connection.close()


def _accept(listener):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_echo, args=(connection,), daemon=True).start()


def listen(address, spiffe_id):
    source = new_source()
    listener = spiffetls.listen(address, source, spiffetls.ListenOptions(
        authorize_fn=_authorize(spiffe_id)))
    threading.Thread(target=_accept, args=(listener,), daemon=True).start()
    host, port = listener.getsockname()
    say("listening", address=f"{host}:{port}")
    until_input_ends()
    os._exit(0)  # others wait in accept(2)


def dial(address, spiffe_id, text):
    with new_source() as source:
        connection = spiffetls.dial(address, source,
                                    authorize_fn=_authorize(spiffe_id))
        wanted, back = text.encode(), b""
        connection.sendall(wanted)
        while len(back) < len(wanted):
            back += connection.recv(65536)
        say("echo", text=back.decode())
        connection.shutdown()
        connection.close()
