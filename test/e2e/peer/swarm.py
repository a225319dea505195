#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Many short connections.

  swarm.py connect ADDRESS PORT MARKER TOTAL PARALLEL
  swarm.py serve ADDRESS PORT

A client sends its number and the marker and shuts its side down; the server
answers with the same bytes, reversed, and closes."""

import concurrent.futures
import json
import socket
import socketserver
import sys


class _Echo(socketserver.BaseRequestHandler):
    def handle(self):
        received = bytearray()
        while data := self.request.recv(4096):
            received += data
        self.request.sendall(received[::-1])


class _Server(socketserver.ThreadingTCPServer):
    request_queue_size = 1024
    daemon_threads = True

    def __init__(self, address):
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Echo)


def _ask(address, port, text):
    with socket.create_connection((address, port)) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        received = bytearray()
        while data := connection.recv(4096):
            received += data
    return received == text[::-1]


def _connect(address, port, marker, total, parallel):
    texts = [f"{number} {marker}".encode() for number in range(int(total))]
    failures = []
    right = 0
    with concurrent.futures.ThreadPoolExecutor(int(parallel)) as pool:
        jobs = [pool.submit(_ask, address, int(port), text) for text in texts]
        for job in jobs:
            try:
                right += job.result()
            except OSError as error:
                failures.append(str(error))
    print(json.dumps({"event": "done", "right": right,
                      "failures": failures[:5]}))


def main():
    if sys.argv[1] == "connect":
        _connect(*sys.argv[2:])
        return
    server = _Server((sys.argv[2], int(sys.argv[3])))
    print(json.dumps({"event": "listening",
                      "port": server.server_address[1]}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
