# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Abseil, static and compiled as C++20 so that absl::string_view is
# std::string_view: lib/libabsl.a, and the names that stand for it in `targets`.

build_abseil() {
  local tarball=$1 scratch=$2 out=$3 tree=$2/tree
  mkdir -p "$tree" "$scratch/project" "$out/include" "$out/lib"
  tar -xf "$tarball" -C "$tree" --strip-components=1 || return 1
  cp "$DEPS_SCRIPTS/abseil.cmake" "$scratch/project/CMakeLists.txt"
  cmake_configure "$scratch/project" "$scratch/build" \
    -DABSEIL_TREE="$tree" -DABSL_PROPAGATE_CXX_STD=ON || return 1
  cmake_build abseil "$scratch/build" absl || return 1
  cp "$scratch/build/libabsl.a" "$out/lib/" &&
    cp "$scratch/build/targets" "$out/" || return 1
  (cd "$tree" && find absl \( -name '*.h' -o -name '*.inc' \) \
    -exec cp --parents -t "$out/include" {} +)
}
