# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Asio: headers, out of Debian's binary package (its source tarballs come and go
# on the mirrors).

build_asio() {
  local package=$1 scratch=$2 out=$3
  mkdir -p "$out/include"
  if [[ $package == apt:* ]]; then
    cp -r /usr/include/asio /usr/include/asio.hpp "$out/include/"
  else
    dpkg-deb -x "$package" "$scratch/tree" &&
      cp -r "$scratch"/tree/usr/include/asio* "$out/include/"
  fi
}
