# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The client made of py-spiffe (test/clients/python), for Debian's Python:
# another one that comes first in PATH may be out of other users' reach.

# shellcheck disable=SC2034  # scripts/clients.sh reads it
INPUTS=("$ROOT"/test/clients/python/*)

# build_client DIR: --no-deps, so that nothing comes which is not pinned.
build_client() {
  local dir=$1
  apt_install python3 python3-pip
  PIP_DISABLE_PIP_VERSION_CHECK=1 /usr/bin/python3 -m pip install --quiet \
    --root-user-action=ignore --no-deps --only-binary :all: --no-cache-dir \
    --requirement "$ROOT/test/clients/python/requirements.txt" \
    --target "$dir/lib"
  install -m 644 "$ROOT"/test/clients/python/*.py "$dir"
  install "$ROOT/test/clients/python/run.sh" "$dir/client"
}
