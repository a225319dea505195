# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# One CMake build of a third-party tree, quiet but for a line per fifth.

# cmake_configure SOURCE BUILD [ARGS...]: static, with the flavour's flags; these
# come last, too, because BoringSSL adds a -ggdb of its own.
cmake_configure() {
  local source=$1 build=$2
  shift 2
  cmake -S "$source" -B "$build" -G Ninja \
    -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DBUILD_TESTING=OFF \
    -DCMAKE_C_COMPILER="$DEPS_CC" -DCMAKE_CXX_COMPILER="$DEPS_CXX" \
    -DCMAKE_C_FLAGS="$DEPS_FLAGS" -DCMAKE_CXX_FLAGS="$DEPS_FLAGS" \
    -DCMAKE_C_FLAGS_RELEASE="-DNDEBUG $DEPS_FLAGS" \
    -DCMAKE_CXX_FLAGS_RELEASE="-DNDEBUG $DEPS_FLAGS" \
    -DCMAKE_CXX_STANDARD=20 \
    -DCMAKE_POSITION_INDEPENDENT_CODE=OFF "$@" 2>&1
}

# cmake_build NAME BUILD TARGET...
cmake_build() {
  local name=$1 build=$2 line percent shown=-20
  shift 2
  NINJA_STATUS='%p ' ninja -C "$build" "$@" 2>&1 | while IFS= read -r line; do
    printf '%s\n' "$line"
    [[ $line =~ ^\ *([0-9]+)% ]] || continue
    percent=${BASH_REMATCH[1]}
    if ((percent >= shown + 20)); then
      shown=$((percent / 20 * 20))
      log_step "  $name: $percent%"
    fi
  done
}
