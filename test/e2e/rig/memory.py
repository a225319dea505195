# SPDX-License-Identifier: Apache-2.0
"""What is in the memory of a running program."""

import re

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
