#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Becomes a program for which the kernel lacks a system call (x86-64):
without_syscall.py NUMBER PROGRAM ARGUMENT..."""

import ctypes
import errno
import os
import struct
import sys

_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
# Of classic BPF (linux/bpf_common.h): load a word, jump if equal, return.
_LD_W_ABS, _JEQ_K, _RET_K = 0x20, 0x15, 0x06
_NUMBER_OFFSET = 0  # of struct seccomp_data


def _install(number):
    filters = b"".join(struct.pack("HBBI", *line) for line in (
        (_LD_W_ABS, 0, 0, _NUMBER_OFFSET),
        (_JEQ_K, 0, 1, number),
        (_RET_K, 0, 0, _ERRNO | errno.ENOSYS),
        (_RET_K, 0, 0, _ALLOW),
    ))
    text = ctypes.create_string_buffer(filters, len(filters))
    program = struct.pack("HxxxxxxP", len(filters) // 8, ctypes.addressof(text))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, program, 0, 0):
        raise OSError(ctypes.get_errno(), "PR_SET_SECCOMP")


if __name__ == "__main__":
    _install(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
