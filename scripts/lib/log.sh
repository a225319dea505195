# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the scripts say on the terminal. Everything goes to stderr, so that a
# script's stdout stays free for its answer.

log_step() { printf '[kith] %s\n' "$*" >&2; }

die() {
  printf '[kith] error: %s\n' "$*" >&2
  exit 1
}
