# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Catch2 3 with its main().

build_catch2() {
  local tarball=$1 scratch=$2 out=$3 tree=$2/tree
  mkdir -p "$tree"
  tar -xf "$tarball" -C "$tree" --strip-components=1 || return 1
  cmake_configure "$tree" "$scratch/build" -DCATCH_INSTALL_DOCS=OFF \
    -DCATCH_INSTALL_EXTRAS=OFF -DCMAKE_INSTALL_LIBDIR=lib \
    -DCMAKE_INSTALL_PREFIX="$out" || return 1
  cmake_build catch2 "$scratch/build" install
}
