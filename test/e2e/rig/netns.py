# SPDX-License-Identifier: Apache-2.0
"""Network namespaces, and the cable between two of them."""

import contextlib
import os
import pathlib
import subprocess

from rig import machine

# FIN_WAIT1, LAST_ACK and CLOSING (include/net/tcp_states.h).
_FIN_SENT = ("04", "09", "0B")


def _ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, stdout=subprocess.DEVNULL)


class Netns:
    """A network namespace with its loopback up. Close removes it."""

    def __init__(self):
        machine.Machine.get()
        self.name = machine.unique_name("ns")
        self.path = f"/run/netns/{self.name}"
        _ip("netns", "add", self.name)
        machine.at_end(self.close)
        self.ip("link", "set", "lo", "up")

    def close(self):
        if os.path.exists(self.path):
            _ip("netns", "del", self.name)

    def ip(self, *arguments):
        _ip("-n", self.name, *arguments)

    @contextlib.contextmanager
    def entered(self):
        """The calling thread is in the namespace inside the block."""
        with open("/proc/thread-self/ns/net", "rb") as home, \
                open(self.path, "rb") as target:
            machine.enter_netns(target.fileno())
            try:
                yield
            finally:
                machine.enter_netns(home.fileno())

    def is_quiet(self):
        """Returns whether every connection that has ended is also done with
        on the wire: a FIN that is not acknowledged may come once more."""
        with self.entered():
            return not any(
                line.split()[3] in _FIN_SENT
                for table in ("tcp", "tcp6")
                for line in pathlib.Path(f"/proc/thread-self/net/{table}"
                                         ).read_text().splitlines()[1:])

    def socket(self, make):
        """Returns make() as called inside the namespace: a socket stays."""
        with self.entered():
            return make()


def join(left, right, left_addresses, right_addresses):
    """Connects two namespaces with a veth pair named eth0 on both sides."""
    _ip("link", "add", "eth0", "netns", left.name, "type", "veth",
        "peer", "name", "eth0", "netns", right.name)
    # Both ends are up before they get addresses: otherwise the first neighbour
    # solicitation is lost, and the first IPv6 connection waits for a second.
    for netns in (left, right):
        netns.ip("link", "set", "eth0", "up")
    for netns, addresses in ((left, left_addresses), (right, right_addresses)):
        for address in addresses:
            # nodad: an IPv6 address is usable at once.
            flags = ["nodad"] if ":" in address else []
            netns.ip("address", "add", address, "dev", "eth0", *flags)
