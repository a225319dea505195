# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Debian's cloud kernels, unpacked: the image, an initial RAM disk that finds the
# root, and an image with all modules. Needs lib/log.sh, apt.sh and suite.sh.

# Where kernels are looked for, in this order. A suite that the mirror does not
# have is passed over.
readonly VM_KERNEL_SUITES=(bookworm-security bookworm bookworm-backports trixie
  trixie-backports sid bullseye)
# What the initial RAM disk loads; the rest is loaded from the root when the
# kernel asks for it.
readonly VM_BOOT_MODULES=(virtio_pci virtio_blk)
readonly VM_MODULES_MIB=512

# vm_kernel_versions STATE KERNEL: versions of the opened suite's signed cloud
# kernels, newest first. KERNEL is 6.1 or, for any minor, 7.x.
vm_kernel_versions() {
  local kernel=${2%.x}
  suite_apt "$1" apt-cache search --names-only \
    "^linux-image-${kernel//./\\.}[.-].*cloud-amd64\$" |
    sed -nE 's/^linux-image-([^ ]*-cloud-amd64) .*/\1/p' | sort -rV
}

# vm_kernel_packages STATE VERSION: the image, and what it depends on of the same
# version: since 7.0 binary and modules are packages of their own.
vm_kernel_packages() {
  printf 'linux-image-%s\n' "$2"
  suite_apt "$1" apt-cache depends "linux-image-$2" |
    awk -v version="-$2" '$1 == "Depends:" && index($2, version) { print $2 }'
}

# vm_kernel_fetch KERNEL SCRATCH: downloads the packages into SCRATCH/debs. An
# index may list a file that the mirror does not have: then the next older one.
vm_kernel_fetch() {
  local kernel=$1 state=$2/suite suite mirror version
  local -a packages
  for suite in "${VM_KERNEL_SUITES[@]}"; do
    for mirror in $(apt_mirrors); do
      suite_open "$state" deb "$suite" "$mirror" 2> "$2/log" || continue
      for version in $(vm_kernel_versions "$state" "$kernel"); do
        mapfile -t packages < <(vm_kernel_packages "$state" "$version")
        log_step "kernel $kernel: $version of $suite"
        rm -rf "$2/debs" && mkdir "$2/debs"
        (cd "$2/debs" && suite_apt "$state" apt-get download \
          "${packages[@]}") > "$2/log" 2>&1 && return 0
        log_step "  $(grep -m1 '^E:' "$2/log" || echo 'not downloaded')"
      done
    done
  done
  return 1
}

# vm_initrd RELEASE MODULES BUSYBOX OUT SCRATCH: MODULES is the parent of
# lib/modules.
vm_initrd() {
  local release=$1 modules=$2 files=$5/initrd name module
  mkdir -p "$files/modules" "$files/bin"
  cp "$3" "$files/bin/busybox"
  install -m 755 "$ROOT/test/vm/init" "$files/init"
  for name in "${VM_BOOT_MODULES[@]}"; do
    modprobe -d "$modules" -S "$release" --show-depends "$name" || return
  done > "$5/order"
  sed -n 's/^insmod \([^ ]*\).*/\1/p' "$5/order" | awk '!seen[$0]++' |
    while IFS= read -r module; do
      # busybox loads what it reads, and not every kernel unpacks it.
      name=$(basename "$module" .xz)
      case $module in
        *.xz) xz -dc "$module" > "$files/modules/$name" ;;
        *) cp "$module" "$files/modules/" ;;
      esac
      printf '%s\n' "$name" >> "$files/modules/order"
    done
  (cd "$files" && find . | cpio --quiet -o -H newc) > "$4"
}

# vm_kernel_build OUT SCRATCH KERNEL BUSYBOX: fills OUT with vmlinuz, initrd,
# modules.ext4 and release.
vm_kernel_build() {
  local out=$1 scratch=$2 files=$2/kernel deb release
  vm_kernel_fetch "$3" "$scratch" || return
  for deb in "$scratch"/debs/*.deb; do
    dpkg-deb -x "$deb" "$files" || return
  done
  # Newer packages have /usr/lib/modules, and the image there, too.
  [[ -e $files/lib ]] || ln -s usr/lib "$files/lib"
  release=$(basename "$files/lib/modules/"*)
  [[ -e $files/boot/vmlinuz-$release ]] || {
    mkdir -p "$files/boot"
    mv "$files/lib/modules/$release/vmlinuz" "$files/boot/vmlinuz-$release"
  }
  printf '%s\n' "$release" > "$out/release"
  mv "$files/boot/vmlinuz-$release" "$out/vmlinuz" &&
    depmod -b "$files" "$release" &&
    vm_initrd "$release" "$files" "$4" "$out/initrd" "$scratch" &&
    mke2fs -q -t ext4 -d "$files/lib/modules/" "$out/modules.ext4" \
      "${VM_MODULES_MIB}M" >&2
}
