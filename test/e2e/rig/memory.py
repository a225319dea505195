# SPDX-License-Identifier: Apache-2.0
"""What is in the memory of a running program."""

import pathlib
import re
import subprocess

# smaps of proc(5): locked, and not in a core dump.
_PROTECTED = {"lo", "dd"}
_CHUNK = 1 << 20


def _mappings(pid):
    """Yields (start, end, name, flags) of each mapping that has pages."""
    head, resident = None, False
    with open(f"/proc/{pid}/smaps", encoding="ascii",
              errors="replace") as smaps:
        for line in smaps:
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \S+ *(.*)",
                             line)
            if match:
                head = (int(match[1], 16), int(match[2], 16), match[3])
            elif line.startswith("Rss:"):
                resident = line.split()[1] != "0"
            elif line.startswith("VmFlags:") and resident:
                yield (*head, set(line.split()[1:]))


def _contains(memory, start, end, needles):
    overlap = max(map(len, needles)) - 1
    tail = b""
    for at in range(start, end, _CHUNK):
        try:
            memory.seek(at)
            text = tail + memory.read(min(_CHUNK, end - at))
        except (OSError, OverflowError):  # a hole, or the vsyscall page
            tail = b""
            continue
        if any(needle in text for needle in needles):
            return True
        tail = text[-overlap:]
    return False


def places_of(pid, *needles):
    """Returns two lists of mappings in which one of the byte strings is:
    those that are locked and not dumped, and all others."""
    protected, others = [], []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end, name, flags in _mappings(pid):
            if _contains(memory, start, end, needles):
                kind = protected if _PROTECTED <= flags else others
                kind.append(f"{start:x}-{end:x} {name} {sorted(flags)}")
    return protected, others


def core_of(pid, directory):
    """Returns a core dump of the process, which goes on. Like the kernel, gdb
    leaves out what must not be dumped."""
    subprocess.run(["gcore", "-o", directory / "core", str(pid)], check=True,
                   capture_output=True)
    path = pathlib.Path(f"{directory}/core.{pid}")
    try:
        return path.read_bytes()
    finally:
        path.unlink()


def scalar_of(path):
    """Returns the private scalar of a P-256 key in PEM (RFC 5915: version 1,
    then an octet string of 32 bytes)."""
    der = subprocess.run(["openssl", "pkey", "-in", path, "-outform", "DER"],
                         check=True, capture_output=True).stdout
    at = der.index(b"\x02\x01\x01\x04\x20") + 5
    return der[at:at + 32]
