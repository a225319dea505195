#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs programs one after the other under one process id, as a busy machine
does by chance: same_pid.py ADDRESS PORT PROGRAM..."""

import ctypes
import os
import struct
import sys

_SYS_CLONE3 = 435
_SIGCHLD = 17


def _fork(pid):
    """fork(2); the child has that pid (clone3's set_tid, Linux 5.5)."""
    wanted = ctypes.c_int(pid)
    # struct clone_args: flags, pidfd, child_tid, parent_tid, exit_signal,
    # stack, stack_size, tls, set_tid, set_tid_size, cgroup.
    arguments = struct.pack("11Q", 0, 0, 0, 0, _SIGCHLD, 0, 0, 0,
                            ctypes.addressof(wanted) if pid else 0,
                            1 if pid else 0, 0)
    child = ctypes.CDLL(None, use_errno=True).syscall(
        _SYS_CLONE3, arguments, len(arguments))
    if child < 0:
        raise OSError(ctypes.get_errno(), f"clone3 with pid {pid}")
    return child


def main():
    address, port, *programs = sys.argv[1:]
    pid = 0
    for program in programs:
        child = _fork(pid)
        if child == 0:
            os.execvp(program, [program, "-sS", "-m", "5",
                                f"http://{address}:{port}/{program}"])
        os.waitpid(child, 0)
        assert pid in (0, child)
        pid = child
        print(program, pid, flush=True)


if __name__ == "__main__":
    main()
