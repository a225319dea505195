# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Abseil, static and compiled as C++20 so that absl::string_view is
# std::string_view.

build_abseil() {
  local tarball=$1 scratch=$2 out=$3 tree=$2/tree
  mkdir -p "$tree"
  tar -xf "$tarball" -C "$tree" --strip-components=1 || return 1
  cmake_configure "$tree" "$scratch/build" -DABSL_PROPAGATE_CXX_STD=ON \
    -DABSL_ENABLE_INSTALL=ON -DCMAKE_INSTALL_LIBDIR=lib \
    -DCMAKE_INSTALL_PREFIX="$out" || return 1
  cmake_build abseil "$scratch/build" install
}
