#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Measures kith against a direct connection and against haproxy, nginx and
# stunnel as pairs with mutual TLS, and prints one table with the ratios.
#
#   scripts/bench.sh [--seconds N] [--rounds N] [--json] [--only NAME,NAME...]
#
# Takes about five minutes; nothing else should run on the machine.
set -euo pipefail

SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$SCRIPTS")
for part in log apt services; do
  # shellcheck disable=SC1090  # each is checked by itself
  . "$SCRIPTS/lib/$part.sh"
done

readonly PACKAGES=(haproxy nginx-light libnginx-mod-stream stunnel4 openssl
  iproute2 util-linux python3)

[[ $(id -u) -eq 0 ]] || die 'the bench makes a network namespace: run it as root'
apt_install_without_services "${PACKAGES[@]}"
"$SCRIPTS/build.sh" kith kith_load
exec "$ROOT/test/bench/bench.py" "$@"
