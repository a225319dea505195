# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Catch2 3: its source. The tree's own build compiles it, and only for tests.

build_catch2() {
  local tarball=$1 out=$3 config=$3/src/catch2/catch_user_config.hpp
  tar -xf "$tarball" -C "$out" --strip-components=1 --wildcards '*/src/*' \
    '*/extras/catch_amalgamated.*' || return 1
  sed -e '/^#cmakedefine/d' -e 's/@CATCH_CONFIG_DEFAULT_REPORTER@/console/' \
    -e 's/@CATCH_CONFIG_CONSOLE_WIDTH@/80/' "$config.in" > "$config"
}
