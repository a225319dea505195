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


def facts(direction):
    """Returns what an encrypted flow of this run must say of its path, so that
    none goes another way in silence. Only for the client's side: a client that
    is done at once may have ended the connection before the server's side could
    be armed. (And which flows are joined by a sockmap depends on where their
    ends are.)"""
    if direction == "outbound" and _PATH in ("ktls", "userspace"):
        return {"path": _PATH}
    return {}
