#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An application that knows nothing of TLS.

echo.py serve ADDRESS            echoes one connection after another
echo.py connect ADDRESS PORT TEXT   prints what comes back, as JSON"""

import json
import socket
import sys


def serve(address):
    with socket.create_server((address, 0)) as listener:
        port = listener.getsockname()[1]
        print(json.dumps({"event": "listening", "port": port}), flush=True)
        while True:
            connection, _ = listener.accept()
            with connection:
                while data := connection.recv(65536):
                    connection.sendall(data)


def connect(address, port, text):
    back = b""
    with socket.create_connection((address, int(port))) as connection:
        connection.sendall(text.encode())
        connection.shutdown(socket.SHUT_WR)
        while data := connection.recv(65536):
            back += data
    print(json.dumps({"event": "echo", "text": back.decode()}), flush=True)


if __name__ == "__main__":
    {"serve": serve, "connect": connect}[sys.argv[1]](*sys.argv[2:])
