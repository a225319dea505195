# SPDX-License-Identifier: Apache-2.0
"""What an agent has attached, as bpftool sees it."""

import json
import os
import subprocess


def _bpftool(*arguments):
    done = subprocess.run(["bpftool", "-j", *map(str, arguments)], check=True,
                          capture_output=True, text=True)
    # For an empty cgroup it prints an empty line.
    return json.loads(done.stdout.strip() or "[]")


def programs(node):
    """Returns the programs and links at the node's cgroup and namespace."""
    cgroup = os.stat(node.managed).st_ino
    netns = os.stat(node.netns.path).st_ino
    links = [link for link in _bpftool("link", "show")
             if cgroup in (link.get("cgroup_id"), link.get("id_cgroup")) or
             link.get("netns_ino") == netns]
    return _bpftool("cgroup", "show", node.managed) + links
