# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# cpp-httplib: one header.

build_httplib() {
  local tarball=$1 out=$3
  mkdir -p "$out/include"
  tar -xf "$tarball" -C "$out/include" --strip-components=1 --wildcards \
    '*/httplib.h' --no-wildcards-match-slash && [[ -f $out/include/httplib.h ]]
}
