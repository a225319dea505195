# SPDX-License-Identifier: Apache-2.0
"""What must be true of the connections that leave a node."""


def check_encrypted(connections):
    """Every payload byte belongs to a TLS record, no marker is readable."""
    if not any(each.up.bytes for each in connections):
        raise AssertionError("the capture saw no connection with payload")
    problems = [f"{each}: {problem}" for each in connections
                for problem in _problems(each)]
    if problems:
        raise AssertionError("on the wire:\n" + "\n".join(problems[:20]))


def check_plain(connections, markers):
    """The opposite, for the sniffer's own test: every marker was read, and the
    stream was seen not to be TLS."""
    found = set().union(*(direction.found for each in connections
                          for direction in each.directions))
    missing = set(map(bytes, markers)) - found
    if missing:
        raise AssertionError(f"the sniffer did not see {missing}")
    if not any(direction.tls.violation for each in connections
               for direction in each.directions):
        raise AssertionError("the sniffer takes plaintext for TLS")


def _problems(connection):
    for name, direction in (("client's bytes", connection.up),
                            ("server's bytes", connection.down)):
        if direction.missing():
            yield f"{name}: not captured whole: {direction.missing()}"
        if direction.found:
            yield f"{name}: plaintext marker {direction.found}"
        if direction.tls.violation:
            yield (f"{name}: {direction.tls.violation}; begins with "
                   f"{direction.head[:32]!r}")
        if direction.ended == "fin" and not direction.tls.at_boundary:
            yield f"{name}: FIN inside a TLS record"
