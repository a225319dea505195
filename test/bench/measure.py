# SPDX-License-Identifier: Apache-2.0
"""One measurement of one stack."""

import json
import os
import pathlib

import stacks

_TICKS = os.sysconf("SC_CLK_TCK")
_IDLE_FLOWS = 500
_CONNECTS = 20_000


def cpu_seconds(pids):
    """Returns user and system time of the processes."""
    total = 0
    for pid in pids:
        # After the name, which may hold anything, field 3 is the first.
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text()
        fields = fields.rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS


def machine_cpu_seconds():
    """Returns the time in which any CPU was not idle."""
    fields = pathlib.Path("/proc/stat").read_text().splitlines()[0].split()
    user, nice, system, _, _, irq, softirq = map(int, fields[1:8])
    return (user + nice + system + irq + softirq) / _TICKS


def megabytes(pids, kind):
    """Returns the sum of a line ("Pss" or "Rss") of smaps_rollup."""
    total = 0
    for pid in pids:
        rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        total += next(int(line.split()[1]) for line in rollup.splitlines()
                      if line.startswith(f"{kind}:"))
    return total / 1024


class Loads:
    """Runs kith_load through a stack on the node."""

    def __init__(self, node, program, seconds):
        self._node = node
        self._program = program
        self._seconds = seconds

    def _spawn(self, stack, kind, amount, managed):
        return (stack.node or self._node).spawn(
            [self._program, kind, stack.address, stack.port, amount,
             *(["direct"] if stack.direct else [])],
            managed=managed, group="client" if managed else "")

    def _run(self, stack, kind):
        program = self._spawn(stack, kind, self._seconds, stack.managed)
        return json.loads(program.check(self._seconds + 60))

    def bulk(self, stack):
        pids = stack.pids
        before = cpu_seconds(pids), machine_cpu_seconds()
        done = self._run(stack, "bulk")
        after = cpu_seconds(pids), machine_cpu_seconds()
        gigabytes = done["bytes"] / 1e9
        return {
            "gigabytesPerSecond": gigabytes / done["seconds"],
            "cpuSecondsPerGigabyte": (after[0] - before[0]) / gigabytes,
            "machineCpuSecondsPerGigabyte": (after[1] - before[1]) / gigabytes,
        }

    def latency(self, stack):
        return self._run(stack, "latency")

    def connections(self, stack):
        return self._run(stack, "connections")

    def memory(self, stack):
        """Memory of the processes in between while they hold idle flows."""
        program = self._spawn(stack, "idle", _IDLE_FLOWS, stack.managed)
        program.await_line('"held"', 60)
        held = megabytes(stack.pids, "Pss")
        program.close_input()
        program.check()
        return {"megabytesAtFlows": held}

    def connect_cost(self, managed):
        """connect(2) of a process that is no workload."""
        program = self._spawn(stacks.Direct(), "connect-cost", _CONNECTS,
                              managed)
        return json.loads(program.check(120))
