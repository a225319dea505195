# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What a Debian suite carries today, for suites that drop old versions. No sum
# can be pinned for that: the archive's signature, which apt checks, vouches.

readonly DEBIAN_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# suite_orig SUITE SOURCE_PACKAGE SCRATCH: prints "POOL_PATH SHA256" of the
# package's upstream tarball. Uses lists of its own: the machine's apt is not
# touched, and no root is needed.
suite_orig() {
  local suite=$1 package=$2 state=$3/suite mirror
  mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
  local -a apt=(apt-get -q -o "Dir::Etc::SourceList=$state/sources.list"
    -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$state/lists"
    -o "Dir::Cache=$state/cache" -o APT::Sandbox::User=)
  for mirror in $(apt_mirrors); do
    printf 'deb-src [signed-by=%s] %s %s main\n' "$DEBIAN_KEYRING" "$mirror" \
      "$suite" > "$state/sources.list"
    "${apt[@]}" update >&2 || continue
    "${apt[@]}" --print-uris --download-only source "$package" |
      sed -nE "s|^'[^']*/pool/([^']*)/[^/']*' ([^ ]*\.orig\.tar\.[a-z0-9]+) [0-9]+ SHA256:([0-9a-f]{64})$|\1/\2 \3|p" |
      grep . && return 0
  done
  return 1
}
