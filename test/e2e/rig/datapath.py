# SPDX-License-Identifier: Apache-2.0
"""Which way the agents carry the bytes: KITH_E2E_PATH."""

import os

_SETTINGS = {
    "auto": {},
    "ktls": {"path": "ktls"},
    "userspace": {"path": "userspace"},
    "sockmap": {"sameNode": "sockmap"},
}

_PATH = os.environ.get("KITH_E2E_PATH", "auto")
if _PATH not in _SETTINGS:
    raise SystemExit(f"KITH_E2E_PATH={_PATH} is none of {list(_SETTINGS)}")


def with_path(settings):
    """Returns the keys of kith.yaml with those of the wanted path."""
    wanted = {**_SETTINGS[_PATH], **settings.get("datapath", {})}
    return {**settings, "datapath": wanted} if wanted else settings


def facts():
    """Returns what every encrypted flow of this run must say of its path: that
    none went another way in silence. (Which flows are joined by a sockmap
    depends on where their ends are.)"""
    return {"path": _PATH} if _PATH in ("ktls", "userspace") else {}
