#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the ways in which kith carries bytes against each other.

  paths.py [--seconds N] [--rounds N] [--only NAME,NAME...]

Meant for a guest whose clock counts instructions (scripts/vm-bench.sh). Each
path has namespaces and agents of its own, all of them run from the beginning to
the end, and they are loaded in turn, round after round."""

import argparse
import pathlib
import statistics
import sys

_HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parent / "e2e")]

# pylint: disable=wrong-import-position
import measure
import stacks
from rig import documents
from rig.manager import Manager
from rig.network import OneNode, TwoNodes

_COLUMNS = (
    ("gigabytesPerSecond", "GB/s", 3),
    ("machineCpuSecondsPerGigabyte", "CPU s/GB", 2),
    ("cpuSecondsPerGigabyte", "of agents", 2),
    ("requestsPerSecond", "req/s", 0),
    ("p50Micros", "p50 us", 0),
)
_WIDTH = 11


class Between(stacks.Stack):
    """Client and server on two nodes, with an agent each or none."""

    settings = None  # of `datapath`; None: no agents
    path = None  # that the flows must say

    def __init__(self, program):
        self._program = program
        self._network = self.make_network()

    make_network = TwoNodes

    def start(self):
        if self.settings is not None:
            self.managed = True
            self._network.start_agents([
                documents.identity("bench/server", {
                    "process:cmdline": f"{self._program} serve"}),
                documents.identity("bench/client", *(
                    {"process:cmdline": f"{self._program} {kind}"}
                    for kind in ("bulk", "latency"))),
            ], log={"level": "info"}, datapath=self.settings)
        server = self._network.server.spawn(
            [self._program, "serve", self.address, self.port],
            managed=self.managed, group="server" if self.managed else "")
        server.await_listening(self.port)

    @property
    def address(self):
        return self._network.address

    @property
    def node(self):
        return self._network.client

    @property
    def pids(self):
        return [agent.program.pid for agent in self._network.agents]

    def check_path(self):
        """Fails unless all flows went the way that is measured."""
        if self.path is None:
            return
        taken = {flow["path"] for flow in self._network.client_agent.flows()}
        if self.direct:
            taken -= {"userspace", "ktls"}  # of first connections
        if taken != {self.path}:
            raise AssertionError(f"{self.name}: flows took {taken}")


class Direct(Between):
    """Two namespaces, no kith."""

    name = "direct"


class Userspace(Between):
    """The agents make the records."""

    name = path = "userspace"
    settings = {"path": "userspace"}


class Ktls(Between):
    """The kernel makes the records."""

    name = path = "ktls"
    settings = {"path": "ktls"}


class Kept(Between):
    """Userspace, with flows that would outlive a killed agent."""

    name = "kept"
    path = "userspace"
    settings = {"path": "userspace", "pin": True, "flowStore": "systemd"}

    def start(self):
        super().start()
        for agent in self._network.agents:
            agent.stop()
            agent.manager = Manager(agent.directory)
            agent.start()


class Loopback(Between):
    """One namespace, no kith."""

    name = "loopback"
    make_network = OneNode


class Joined(Between):
    """One namespace, past the agent after a first connection."""

    name = "joined"
    path = "direct"
    direct = True
    settings = {"sameNode": "direct"}
    make_network = OneNode


_STACKS = (Direct, Userspace, Ktls, Kept, Loopback, Joined)
_RATIOS = (("userspace", "direct"), ("ktls", "direct"), ("ktls", "userspace"),
           ("kept", "userspace"), ("joined", "loopback"))


def _run(running, loads, rounds):
    """Returns stack -> key -> figures."""
    figures = {stack.name: {} for stack in running}
    for number in range(rounds):
        shift = number % len(running)
        for stack in running[shift:] + running[:shift]:
            print(f"round {number + 1}: {stack.name}", file=sys.stderr,
                  flush=True)
            for load in (loads.bulk, loads.latency):
                for key, figure in load(stack).items():
                    figures[stack.name].setdefault(key, []).append(figure)
            stack.check_path()
    return figures


def _row(title, cells):
    return f"{title:20}" + "".join(f"{cell:>{_WIDTH}}" for cell in cells)


def _render(medians):
    yield _row("", [heading for _, heading, _ in _COLUMNS])
    for name, row in medians.items():
        yield _row(name, [f"{row[key]:.{decimals}f}"
                          for key, _, decimals in _COLUMNS])
    for ours, other in _RATIOS:
        if ours in medians and other in medians:
            yield _row(f"{ours} / {other}", [
                f"{medians[ours][key] / medians[other][key]:.2f}x"
                if medians[other][key] else "" for key, _, _ in _COLUMNS])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(s.name for s in _STACKS),
                        type=lambda text: text.split(","))
    options = parser.parse_args()
    program = stacks.load_program()
    running = [stack(program) for stack in _STACKS
               if stack.name in options.only]
    for stack in running:
        stack.start()
    loads = measure.Loads(None, program, options.seconds)
    figures = _run(running, loads, options.rounds)
    print("\n".join(_render({
        name: {key: statistics.median(values) for key, values in row.items()}
        for name, row in figures.items()})))


if __name__ == "__main__":
    main()
