# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Pinned files from the Debian archive, through apt's own downloader: it knows
# the machine's mirrors, proxies and credentials, and checks the sum.

readonly APT_HELPER=/usr/lib/apt/apt-helper

# fetch_pool POOL_PATH SHA256 OUT: downloads <mirror>/pool/POOL_PATH. OUT exists
# afterwards only if the sum is right.
fetch_pool() {
  local pool_path=$1 sum=$2 out=$3 mirror
  [[ -x $APT_HELPER ]] || die "no $APT_HELPER: this build needs Debian's apt"
  for mirror in $(apt_mirrors); do
    if "$APT_HELPER" download-file "${mirror%/}/pool/$pool_path" \
      "$out.partial" "SHA256:$sum" > "$out.log" 2>&1 &&
      sha256sum --quiet -c - <<< "$sum  $out.partial" >&2; then
      mv "$out.partial" "$out"
      return 0
    fi
    log_step "  ${pool_path##*/}: $(grep -m1 '^E:' "$out.log" || echo 'no file')"
  done
  return 1
}
