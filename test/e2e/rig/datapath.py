# SPDX-License-Identifier: Apache-2.0
"""Which way the agents carry the bytes: KITH_E2E_PATH."""

import os
import re

_SETTINGS = {
    "auto": {},
    "ktls": {"path": "ktls"},
    "userspace": {"path": "userspace"},
    "direct": {"sameNode": "direct"},
}

_PATH = os.environ.get("KITH_E2E_PATH", "auto")
if _PATH not in _SETTINGS:
    raise SystemExit(f"KITH_E2E_PATH={_PATH} is none of {list(_SETTINGS)}")


def with_path(settings):
    """Returns the keys of kith.yaml with those of the wanted path."""
    wanted = {**_SETTINGS[_PATH], **settings.get("datapath", {})}
    return {**settings, "datapath": wanted} if wanted else settings


def wanted():
    """Returns what an open flow that is encrypted must say of its path, so that
    none goes another way in silence. (Which flows are direct depends on where
    their ends are.)"""
    return {"path": _PATH} if _PATH in ("ktls", "userspace") else {}


def facts(direction):
    """Returns the same for a closed flow. Only for the client's side: a client
    that is done at once may have ended the connection before the server's side
    could be armed."""
    return wanted() if direction == "outbound" else {}


def kernel():
    """Returns the running kernel's version, (major, minor)."""
    return tuple(map(int, re.match(r"(\d+)\.(\d+)", os.uname().release).groups()))


def can_rekey(path):
    """Returns whether a flow on that path survives that its peer asks for a new
    key: the kernel can change one since 6.14."""
    return path != "ktls" or kernel() >= (6, 14)
