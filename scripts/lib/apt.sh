# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Debian packages: what is missing is installed, what is there costs one
# dpkg-query.

as_root() {
  if [[ $(id -u) -eq 0 ]]; then
    "$@"
  elif command -v sudo > /dev/null; then
    sudo "$@"
  else
    die "cannot run '$*': not root and sudo is not installed; run as root"
  fi
}

# apt_missing PACKAGE...: prints those that are not installed.
apt_missing() {
  comm -23 <(printf '%s\n' "$@" | sort -u) <(
    dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2> /dev/null |
      sed -n 's/ installed$//p' | sort -u
  )
}

# Another package operation may be running (a first boot, another checkout):
# wait for its lock instead of failing.
apt_run() {
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -y -o DPkg::Lock::Timeout=600 "$@" >&2
}

apt_install() {
  local missing
  mapfile -t missing < <(apt_missing "$@")
  [[ ${#missing[@]} -gt 0 ]] || return 0
  log_step "installing packages: ${missing[*]}"
  apt_run install --no-install-recommends "${missing[@]}" && return 0
  log_step "package lists may be old: updating them and trying again"
  apt_run update
  apt_run install --no-install-recommends "${missing[@]}"
}

# True if apt could install the package.
apt_has() {
  [[ -n $(apt-cache --no-all-versions show "$1" 2> /dev/null) ]]
}

# Base addresses of the Debian archives that this machine's apt is configured
# with, best first: the release's own archive, then whatever else is there. The
# security archive keeps no other suites, so it comes last.
apt_mirrors() {
  # shellcheck disable=SC2016  # apt expands these, not the shell
  apt-get indextargets --format '$(CODENAME) $(REPO_URI)' \
    'Created-By: Packages' 'Component: main' |
    awk '$1 ~ /security/ { late = late $2 "\n"; next } { print $2 }
         END { printf "%s", late }' |
    awk '!seen[$0]++'
}
