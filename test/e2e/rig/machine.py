# SPDX-License-Identifier: Apache-2.0
"""This test run's footprint on the machine, and its removal.

Everything that a run creates is below one cgroup, one temporary directory and
one mount namespace, and carries the run's name, so that a normal end, a signal
and (at the next run's start) a kill -9 all leave nothing behind.
"""

import atexit
import contextlib
import ctypes
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile

_CLONE_NEWNS = 0x00020000
_CLONE_NEWNET = 0x40000000
_MS_REC = 0x4000
_MS_PRIVATE = 1 << 18
_PREFIX = "kith-e2e-"

_libc = ctypes.CDLL(None, use_errno=True)
_cleanups = contextlib.ExitStack()
_counter = 0


def _check(result, what):
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")


def enter_netns(descriptor):
    """Moves the calling thread into the network namespace."""
    _check(_libc.setns(descriptor, _CLONE_NEWNET), "setns")


def cgroup_mount():
    """Returns where cgroup v2 is mounted."""
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        fields = line.split()
        if fields[2] == "cgroup2":
            return pathlib.Path(fields[1])
    raise RuntimeError("no cgroup2 file system in /proc/mounts")


def unique_name(what):
    """Returns a name that tells whose it is: kith-e2e-<pid>-<what><n>."""
    global _counter
    _counter += 1
    return f"{_PREFIX}{os.getpid()}-{what}{_counter}"


def at_end(action, *arguments):
    """Runs the action when the test run ends, however it ends."""
    _cleanups.callback(action, *arguments)


def _mount_namespace():
    # A bpffs and network namespace names that only this run sees: pinned
    # programs vanish with the last process of the run, even after kill -9.
    _check(_libc.unshare(_CLONE_NEWNS), "unshare(CLONE_NEWNS)")
    _check(_libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None),
           "mount(/, private)")
    _check(_libc.mount(b"bpf", b"/sys/fs/bpf", b"bpf", 0, None),
           "mount(bpf, /sys/fs/bpf)")


def _owner_is_gone(name):
    match = re.match(_PREFIX + r"(\d+)", name)
    return match and not os.path.exists(f"/proc/{match.group(1)}")


def remove_cgroup(path):
    """Kills every process below the cgroup and removes it."""
    if not path.exists():
        return
    (path / "cgroup.kill").write_text("1")
    for directory, _, _ in os.walk(path, topdown=False):
        _remove_empty_cgroup(pathlib.Path(directory))


def _remove_empty_cgroup(path):
    # cgroup.events is notified (POLLPRI) when the last process has gone.
    with open(path / "cgroup.events", encoding="ascii") as events:
        poll = select.poll()
        poll.register(events, select.POLLPRI)
        while "populated 1" in events.read():
            poll.poll(1000)
            events.seek(0)
    path.rmdir()


def _sweep():
    for path in cgroup_mount().glob(_PREFIX + "*"):
        if _owner_is_gone(path.name):
            remove_cgroup(path)
    for path in pathlib.Path("/run/netns").glob(_PREFIX + "*"):
        if _owner_is_gone(path.name):
            subprocess.run(["ip", "netns", "del", path.name], check=False,
                           stderr=subprocess.DEVNULL)
    for path in pathlib.Path(tempfile.gettempdir()).glob(_PREFIX + "*"):
        if _owner_is_gone(path.name):
            shutil.rmtree(path, ignore_errors=True)


def _on_signal(number, _frame):
    # Of all exceptions, unittest takes only this one for the end of the run.
    raise KeyboardInterrupt(number)


class Machine:
    """The run's own cgroup and temporary directory. One per process."""

    _instance = None

    def __init__(self):
        if os.geteuid() != 0:
            raise RuntimeError("the end-to-end tests need root")
        _sweep()
        _mount_namespace()
        atexit.register(_cleanups.close)
        signal.signal(signal.SIGTERM, _on_signal)
        signal.signal(signal.SIGINT, _on_signal)
        # Short, because socket paths below it have at most 108 characters;
        # mode 755, because some workloads run as another user.
        self.directory = pathlib.Path(
            tempfile.mkdtemp(prefix=unique_name("") + "-"))
        self.directory.chmod(0o755)
        at_end(shutil.rmtree, self.directory, True)
        self.cgroup = cgroup_mount() / unique_name("run")
        self.cgroup.mkdir()
        at_end(remove_cgroup, self.cgroup)

    @classmethod
    def get(cls):
        if cls._instance is None:
            cls._instance = cls()
        return cls._instance
