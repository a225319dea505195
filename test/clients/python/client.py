# SPDX-License-Identifier: Apache-2.0
"""The commands of ../README.md by py-spiffe (the packages spiffe and
spiffe-tls)."""

import sys

import identity
import peers
import rpc
import tokens
from lines import fail

_COMMANDS = {
    "fetch": identity.fetch,
    "watch": identity.watch,
    "bundles": identity.bundles,
    "jwt": tokens.jwt,
    "validate": tokens.validate,
    "listen": peers.listen,
    "dial": peers.dial,
    "grpc-listen": rpc.listen,
    "grpc-dial": rpc.dial,
}


def main(arguments):
    command = _COMMANDS.get(arguments[0] if arguments else "")
    if not command:
        fail(f"no command; there are: {' '.join(_COMMANDS)}", 2)
    try:
        command(*arguments[1:])
    except Exception as error:  # pylint: disable=broad-exception-caught
        fail(error)


if __name__ == "__main__":
    main(sys.argv[1:])
