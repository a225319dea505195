# SPDX-License-Identifier: Apache-2.0
"""A machine, as far as a test needs one: a namespace and two cgroups."""

from rig import machine
from rig.command import Program, command_line
from rig.netns import Netns


class Node:
    """`managed` is the cgroup that an agent manages; `outside` is another.

    A node of which another is the `host` is a further namespace of that one,
    with the same cgroups: a container."""

    def __init__(self, name, host=None):
        run = machine.Machine.get()
        self.name = name
        self.netns = Netns()
        self.top = host.top if host else \
            run.cgroup / machine.unique_name(name)
        self.managed = self.top / "managed"
        self.outside = self.top / "outside"
        for path in (self.top, self.managed, self.outside):
            path.mkdir(exist_ok=True)
        machine.at_end(self.close)
        self._programs = []

    def close(self):
        for program in reversed(self._programs):
            program.stop(seconds=5)
        self._programs.clear()
        machine.remove_cgroup(self.top)
        self.netns.close()

    def spawn(self, argv, managed=True, group="", user=None, gid=None,
              name=None, **options):
        """Starts a program; by default as a process that the agent manages, in
        the child cgroup `group`. It ends at the latest with the node."""
        cgroup = (self.managed if managed else self.outside) / group
        cgroup.mkdir(exist_ok=True)
        program = Program(command_line(self.netns, cgroup, argv, user, gid),
                          name or str(argv[0]), **options)
        self._programs.append(program)
        return program

    def run(self, argv, seconds=60, **options):
        """Runs a program that must succeed; returns its output."""
        return self.spawn(argv, **options).check(seconds)
