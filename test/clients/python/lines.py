# SPDX-License-Identifier: Apache-2.0
"""What the program says, and until when a command runs."""

import json
import os
import sys

# How long a command that has one answer waits for it.
PATIENCE = 20


def say(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


def fail(error, status=1):
    """Ends the program at once: threads of the libraries may still run."""
    say("error", error=str(error) or repr(error))
    os._exit(status)


def until_input_ends():
    sys.stdin.read()
