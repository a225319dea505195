#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An application that connects and listens when it is told to, as one process.

  phone.py NAME     NAME is for selectors on the command line

Commands, one a line of standard input, each answered by a line of JSON:

  listen ADDRESS PORT   echoes what comes; says who was accepted
  call ADDRESS PORT     connects, and stays connected
  talk NUMBER           sends on the NUMBERth call (from 1), awaits the echo"""

import errno
import json
import socket
import sys
import threading

_PATIENCE = 20
_WORDS = b"in plaintext" * 100

_saying = threading.Lock()
_calls = []


def _say(event, **facts):
    with _saying:
        print(json.dumps({"event": event, **facts}), flush=True)


def _echo(connection):
    try:
        with connection:
            while data := connection.recv(65536):
                connection.sendall(data)
    except OSError:  # reset: the caller tells of it
        pass


def _accept(listener):
    while True:
        connection, peer = listener.accept()
        _say("accepted", peer="%s:%d" % peer)
        threading.Thread(target=_echo, args=[connection], daemon=True).start()


def _listen(address, port):
    listener = socket.create_server((address, int(port)))
    threading.Thread(target=_accept, args=[listener], daemon=True).start()
    _say("listening", port=listener.getsockname()[1])


def _call(address, port):
    connection = socket.create_connection((address, int(port)), _PATIENCE)
    _calls.append(connection)
    _say("called", number=len(_calls),
         local="%s:%d" % connection.getsockname())


def _talk(number):
    connection = _calls[int(number) - 1]
    left = len(_WORDS)
    error = None
    try:
        connection.sendall(_WORDS)
        while left:
            data = connection.recv(left)
            if not data:
                error = "end of file"
                break
            left -= len(data)
    except OSError as failed:
        error = errno.errorcode.get(failed.errno, str(failed))
    _say("talked", error=error)


def main():
    commands = {"listen": _listen, "call": _call, "talk": _talk}
    for line in sys.stdin:
        command, *arguments = line.split()
        commands[command](*arguments)


if __name__ == "__main__":
    main()
