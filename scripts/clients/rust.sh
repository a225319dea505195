# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The client made of the crates spiffe and spiffe-rustls (test/clients/rust).

RUST_SOURCE=$ROOT/test/clients/rust
# shellcheck disable=SC2034  # scripts/clients.sh reads it
INPUTS=("$RUST_SOURCE"/Cargo.{toml,lock} "$RUST_SOURCE"/src/*.rs)

build_client() {
  local dir=$1
  command -v cargo > /dev/null || die 'the client rust needs cargo 1.88 or newer'
  CARGO_TARGET_DIR=$dir/target cargo build --release --locked \
    --manifest-path "$RUST_SOURCE/Cargo.toml"
  mv "$dir/target/release/client" "$dir/client"
  rm -rf "$dir/target"
}
