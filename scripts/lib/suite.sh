# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What a Debian suite carries today, for suites that this machine's apt is not
# configured with. The archive's signature, which apt checks, vouches for what
# comes from there. The lists are our own: the machine's apt is not touched, and
# no root is needed.

readonly DEBIAN_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# suite_apt STATE COMMAND...: apt-get or apt-cache that knows nothing but the
# suite that suite_open put into the directory STATE.
suite_apt() {
  local state=$1 command=$2
  shift 2
  "$command" -q -o "Dir::Etc::SourceList=$state/sources.list" \
    -o Dir::Etc::SourceParts=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
    -o "Dir::State::Lists=$state/lists" -o "Dir::State::Status=$state/status" \
    -o "Dir::Cache=$state/cache" -o Debug::NoLocking=true \
    -o APT::Sandbox::User= "$@"
}

# suite_open STATE deb|deb-src SUITE MIRROR: fetches the suite's lists.
suite_open() {
  local state=$1
  mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
  : > "$state/status"
  printf '%s [signed-by=%s] %s %s main\n' "$2" "$DEBIAN_KEYRING" "$4" "$3" \
    > "$state/sources.list"
  suite_apt "$state" apt-get update >&2
}

# suite_orig SUITE SOURCE_PACKAGE SCRATCH: prints "POOL_PATH SHA256" of the
# package's upstream tarball.
suite_orig() {
  local suite=$1 package=$2 state=$3/suite mirror
  for mirror in $(apt_mirrors); do
    suite_open "$state" deb-src "$suite" "$mirror" || continue
    suite_apt "$state" apt-get --print-uris --download-only source "$package" |
      sed -nE "s|^'[^']*/pool/([^']*)/[^/']*' ([^ ]*\.orig\.tar\.[a-z0-9]+) [0-9]+ SHA256:([0-9a-f]{64})$|\1/\2 \3|p" |
      grep . && return 0
  done
  return 1
}
