#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Becomes a program that has inherited descriptors (sd_listen_fds(3)):
listen_fds.py SOCKET PROGRAM ARGUMENT..."""

import fcntl
import os
import socket
import sys

_FIRST = 3
_BATCH = 200


def main():
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(sys.argv[1])
        head = connection.recv(16, socket.MSG_WAITALL).decode()
        count, length = int(head[:8]), int(head[8:])
        names = connection.recv(length, socket.MSG_WAITALL) if length else b""
        connection.sendall(b"y")
        descriptors = []
        while len(descriptors) < count:
            descriptors += socket.recv_fds(connection, 1, _BATCH)[1]
            connection.sendall(b"y")
    # None of them may stand where another one goes.
    free = _FIRST + count
    received = descriptors
    descriptors = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, free)
                   for fd in received]
    for descriptor in received:
        os.close(descriptor)
    for index, descriptor in enumerate(descriptors):
        os.dup2(descriptor, _FIRST + index, inheritable=True)
        os.close(descriptor)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(count),
                      LISTEN_FDNAMES=names.decode())
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
