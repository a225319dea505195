# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The client made of grpc-js and the public proto (test/clients/node).

# shellcheck disable=SC2034  # scripts/clients.sh reads it
INPUTS=("$ROOT"/test/clients/node/*)

build_client() {
  local dir=$1
  command -v npm > /dev/null || apt_install nodejs npm
  cp "${INPUTS[@]}" "$dir"
  (cd "$dir" && npm ci --ignore-scripts --omit=dev --no-audit --no-fund)
  chmod +x "$dir/client.js"
  ln -s client.js "$dir/client"
}
