# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The guest's root: an ext4 image of Debian packages, unpacked and not installed,
# so that it is the same on every machine and nothing of the machine is in it.
# Needs lib/log.sh, apt.sh, suite.sh and cache.sh.

readonly VM_SUITE=bookworm
# What the end-to-end tests run, and for looking around with --run.
readonly VM_PACKAGES=(curl nginx-light openssl openssh-client openssh-server
  redis-server redis-tools postgresql-15 postgresql-client-15 perl-base
  iproute2 bpftool util-linux python3 libstdc++6 libelf1 zlib1g
  mount kmod mawk procps strace iperf3 busybox-static)
readonly VM_ROOT_MIB=2048
# What the packages' own scripts would add to passwd and group.
readonly VM_USERS=(sshd:105:65534 postgres:106:106 redis:107:107)

# vm_root_unpack DEB_DIRECTORY ROOT
vm_root_unpack() {
  local root=$2 deb directory
  for directory in bin lib lib64 sbin; do
    mkdir -p "$root/usr/$directory"
    ln -s "usr/$directory" "$root/$directory"
  done
  for deb in "$1"/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" |
      tar -x --keep-directory-symlink -C "$root" || return
  done
}

# vm_root_settle ROOT: what the packages' installation scripts would have done,
# as far as the tests need it.
vm_root_settle() {
  local root=$1 user name uid gid
  cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
  cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
  for user in "${VM_USERS[@]}"; do
    IFS=: read -r name uid gid <<< "$user"
    printf '%s:x:%s:%s::/var/empty:/bin/sh\n' "$name" "$uid" "$gid" \
      >> "$root/etc/passwd"
    [[ $uid != "$gid" ]] || printf '%s:x:%s:\n' "$name" "$gid" \
      >> "$root/etc/group"
  done
  sed 's/^\([^:]*\):.*/\1:*:19000:0:99999:7:::/' "$root/etc/passwd" \
    > "$root/etc/shadow"
  chmod 600 "$root/etc/shadow"
  printf '127.0.0.1 localhost\n::1 localhost\n' > "$root/etc/hosts"
  printf 'passwd: files\ngroup: files\nshadow: files\nhosts: files\n' \
    > "$root/etc/nsswitch.conf"
  ln -sf mawk "$root/usr/bin/awk"
  mkdir -p "$root/kith" "$root/lib/modules"
  ldconfig -r "$root"
  # Compiling at every boot would cost minutes under emulation.
  chroot "$root" /usr/bin/python3 -m compileall -q /usr/lib/python3*
}

# vm_root_fetch SCRATCH: downloads the packages and all that they depend on.
vm_root_fetch() {
  local state=$1/suite mirror
  for mirror in $(apt_mirrors); do
    suite_open "$state" deb "$VM_SUITE" "$mirror" || continue
    suite_apt "$state" apt-get -y --download-only --no-install-recommends \
      install '?essential' "${VM_PACKAGES[@]}" > "$1/log" 2>&1 && return 0
    tail -n 5 "$1/log" >&2
  done
  return 1
}

# vm_root_build OUT SCRATCH: fills OUT with root.ext4 and busybox.
vm_root_build() {
  local out=$1 scratch=$2 root=$2/root
  log_step 'making the root of the guests'
  mkdir "$root"
  vm_root_fetch "$scratch" &&
    vm_root_unpack "$scratch/suite/cache/archives" "$root" &&
    vm_root_settle "$root" &&
    cp "$root/bin/busybox" "$out/busybox" &&
    mke2fs -q -t ext4 -d "$root" "$out/root.ext4" "${VM_ROOT_MIB}M" >&2
}
