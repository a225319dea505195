#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How long a revocation takes: test/bench/revocation.py [TRIES [FLOWS]]

FLOWS (1000) flows of ten identities are open to one server, all on one node. A
try revokes the SVIDs of one identity, measures from the start of the command
until the application sees the end of each of its flows, and opens them again.
At the end the other identities' flows must all still answer."""

import pathlib
import sys
import time

_REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(_REPOSITORY / "test" / "e2e"))

# pylint: disable=wrong-import-position
from rig import deadline, documents
from rig.network import OneNode

_CROWD = ["/usr/bin/python3", _REPOSITORY / "test/e2e/peer/crowd.py"]
_IDENTITIES = 10
_REVOKED = 5  # of them, one after the other; the rest are bystanders


def _identity(name, *arguments):
    words = " ".join(map(str, [*_CROWD, *arguments]))
    return documents.identity(name, {"process:cmdline": words})


def _connect(network, number, port, count):
    crowd = network.client.spawn(
        [*_CROWD, "connect", f"c{number}", network.address, port, count],
        group=f"c{number}", name=f"crowd {number}")
    crowd.await_json("event", "answered", 120)
    return crowd


def _ends(crowd, count):
    """Returns the moments at which the flows ended, once all have."""
    def told():
        lines = [line for line in list(crowd.lines) if '"ended"' in line]
        return lines if len(lines) == count else None
    lines = deadline.await_true(told, "the end of the flows", 30)
    return [int(line.split('"at": ')[1].rstrip("}")) for line in lines]


def _try(network, agent, crowd, number, count):
    """Returns the latencies in milliseconds."""
    began = time.monotonic_ns()
    answer = agent.ask("svid", "revoke", documents.spiffe_id(f"c{number}"))
    ends = _ends(crowd, count)
    assert answer["flows"] == 2 * count, answer  # both ends are on this node
    return [(end - began) / 1e6 for end in ends]


def _measure(network, tries, flows):
    agent = network.client_agent
    server = network.server.spawn([*_CROWD, "serve", network.address, 0],
                                  group="server", name="server")
    port = server.await_json("event", "listening")["port"]
    count = flows // _IDENTITIES
    crowds = [_connect(network, number, port, count)
              for number in range(_IDENTITIES)]
    latencies = []
    for each in range(tries):
        number = each % _REVOKED
        latencies += _try(network, agent, crowds[number], number, count)
        crowds[number].stop()
        crowds[number] = _connect(network, number, port, count)
    spared = 0
    for crowd in crowds[_REVOKED:]:
        crowd.lines.clear()
        crowd.write("?\n")
        spared += crowd.await_json("event", "answered")["count"]
    wanted = count * (_IDENTITIES - _REVOKED)
    assert spared == wanted, f"{spared} of {wanted} bystanders are left"
    return sorted(latencies), spared


def main():
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    flows = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    network = OneNode()
    try:
        network.start_agents(
            [_identity("server", "serve"),
             *(_identity(f"c{number}", "connect", f"c{number}")
               for number in range(_IDENTITIES))],
            log={"level": "error", "format": "json"})
        latencies, spared = _measure(network, tries, flows)
    finally:
        network.close()
    p50, p99 = (latencies[int(len(latencies) * part)] for part in (0.5, 0.99))
    print(f"{flows} open flows, {tries} revocations, {len(latencies)} flows "
          f"ended: p50 {p50:.1f} ms, p99 {p99:.1f} ms, longest "
          f"{latencies[-1]:.1f} ms; {spared} bystanders answer")


if __name__ == "__main__":
    main()
