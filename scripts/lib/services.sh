# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Programs that only tests run: installed without leaving a service behind.
# Needs lib/log.sh and lib/apt.sh.

readonly POLICY_RC=/usr/sbin/policy-rc.d
readonly POLICY_RC_SAVED=$POLICY_RC.before-kith

# invoke-rc.d and deb-systemd-invoke ask this program before they start anything;
# 101 is "action forbidden".
services_forbid() {
  # What a killed run left behind is the machine's own policy.
  [[ ! -e $POLICY_RC_SAVED ]] || services_restore
  if [[ -e $POLICY_RC ]]; then
    as_root mv "$POLICY_RC" "$POLICY_RC_SAVED"
  fi
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY_RC" > /dev/null
  as_root chmod 755 "$POLICY_RC"
}

services_restore() {
  as_root rm -f "$POLICY_RC"
  if [[ -e $POLICY_RC_SAVED ]]; then
    as_root mv "$POLICY_RC_SAVED" "$POLICY_RC"
  fi
}

# Units of the named packages, as systemctl wants them.
services_of() {
  dpkg-query -L "$@" 2> /dev/null |
    sed -n 's,^.*/systemd/system/\([^/@]*\.service\)$,\1,p' | sort -u
}

# apt_install_without_services PACKAGE... : like apt_install, but nothing that
# is new on this machine is started, now or at the next boot.
apt_install_without_services() {
  local missing units
  mapfile -t missing < <(apt_missing "$@")
  [[ ${#missing[@]} -gt 0 ]] || return 0
  (
    trap services_restore EXIT
    services_forbid
    apt_install "${missing[@]}"
  )
  mapfile -t units < <(services_of "${missing[@]}")
  if [[ ${#units[@]} -gt 0 && -d /run/systemd/system ]]; then
    as_root systemctl --quiet disable "${units[@]}" >&2 || true
  fi
}
