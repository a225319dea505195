# SPDX-License-Identifier: Apache-2.0
"""What a peer does with its connection, one function per step."""

import errno
import hashlib
import json
import os
import select
import socket
import struct
import sys
import tempfile

from pattern import Pattern

_READ = 256 * 1024
_MESSAGE = 100
# A socket that stays unwritable for so long is full: back-pressure arrived.
_FULL_MILLISECONDS = 1000


def say(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


def name(address):
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Conversation:
    """Runs steps on a connection and keeps account of its bytes."""

    def __init__(self, connection, seed, marker):
        self._socket = connection
        try:
            self._peer = connection.getpeername()
        except OSError:  # reset by the peer before we could ask
            self._peer = None
        self._pattern = Pattern(seed, marker)
        self._received = 0
        self._sum = hashlib.sha256()
        self._ended = None  # how the other side ended: "eof" or "reset"
        self._error = None

    def run(self, steps):
        for step in steps:
            word, _, argument = step.partition(":")
            action = getattr(self, "_" + word.replace("-", "_"))
            try:
                action(*([int(argument)] if argument else []))
            except OSError as error:
                self._error = errno.errorcode.get(error.errno, str(error))
                if error.errno in (errno.ECONNRESET, errno.EPIPE):
                    self._ended = "reset"
                break
        self._socket.close()
        say("done", sent=self._pattern.bytes,
            sentChecksum=self._pattern.checksum, received=self._received,
            receivedChecksum=self._sum.hexdigest(), ended=self._ended,
            error=self._error)

    def _send(self, count):
        while count:
            data = self._pattern.peek(count)
            self._socket.sendall(data)
            self._pattern.advance(data)
            count -= len(data)

    def _bytewise(self, count):
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(count):
            self._send(1)

    def _sendfile(self, count):
        with tempfile.TemporaryFile() as file:
            size = 0
            while size < count:
                data = self._pattern.peek(count - size)
                file.write(data)
                self._pattern.advance(data)
                size += len(data)
            file.flush()
            offset = 0
            while offset < count:
                try:
                    offset += os.sendfile(self._socket.fileno(), file.fileno(),
                                          offset, count - offset)
                except BlockingIOError:
                    select.select([], [self._socket], [])

    def _fill(self, most):
        """Sends until nobody takes any more, or `most` bytes are away."""
        timeout = self._socket.gettimeout()
        self._socket.setblocking(False)
        poll = select.poll()
        poll.register(self._socket, select.POLLOUT)
        end = self._pattern.bytes + most
        while (self._pattern.bytes < end and
               poll.poll(_FULL_MILLISECONDS)):
            try:
                data = self._pattern.peek(_READ)
                data = data[:self._socket.send(data)]
                self._pattern.advance(data)
            except BlockingIOError:
                pass
        self._socket.settimeout(timeout)
        say("full", sent=self._pattern.bytes)

    def _take(self, most):
        data = self._socket.recv(min(most, _READ))
        self._received += len(data)
        self._sum.update(data)
        if not data:
            self._ended = "eof"
        return len(data)

    def _recv(self, count):
        while count:
            taken = self._take(count)
            if not taken:
                raise OSError(f"end of file, {count} bytes too early")
            count -= taken

    def _recv_all(self):
        while self._take(_READ):
            pass

    def _duplex(self, count):
        """Sends and receives `count` bytes, whichever is possible: a relay
        that serves one direction at a time stops when its buffers are full."""
        timeout = self._socket.gettimeout()
        self._socket.setblocking(False)
        poll = select.poll()
        poll.register(self._socket, select.POLLIN | select.POLLOUT)
        to_send = to_receive = count
        while to_send or to_receive:
            ready = poll.poll()[0][1]
            if ready & select.POLLIN and to_receive:
                to_receive -= self._take(to_receive)
            if ready & select.POLLOUT and to_send:
                data = self._pattern.peek(to_send)
                data = data[:self._socket.send(data)]
                self._pattern.advance(data)
                to_send -= len(data)
            if not to_send:
                poll.modify(self._socket, select.POLLIN)
        self._socket.settimeout(timeout)

    def _ask(self, count):
        """Sends a small message and awaits one of that size, in turn."""
        for _ in range(count):
            self._send(_MESSAGE)
            self._recv(_MESSAGE)

    def _answer(self, count):
        for _ in range(count):
            self._recv(_MESSAGE)
            self._send(_MESSAGE)

    def _shutdown(self):
        self._socket.shutdown(socket.SHUT_WR)

    def _close(self):
        self._socket.close()

    def _reset(self):
        # RFC 1122 section 4.2.2.13: an abortive close.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                struct.pack("ii", 1, 0))
        self._socket.close()

    def _again(self):
        """Connects once more, sends the pattern and awaits the end."""
        ended = error = None
        try:
            with socket.create_connection(self._peer[:2]) as connection:
                connection.sendall(self._pattern.peek(_READ))
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(_READ):
                    pass
                ended = "eof"
        except OSError as failed:
            error = errno.errorcode.get(failed.errno, str(failed))
            # ENOTCONN: of shutdown(2), when the reset has come before.
            if failed.errno in (errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN):
                ended = "reset"
        say("again", ended=ended, error=error)

    @staticmethod
    def _go():
        """Waits for a line from the test."""
        say("waiting")
        sys.stdin.readline()
