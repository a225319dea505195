# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The guests' images in the cache, each made once: one root, and what belongs to
# each kernel. Removing them brings newer packages.
# Needs lib/log.sh, cache.sh, vm_root.sh and vm_kernel.sh.

# vm_directory NAME RECIPE...: where the images are that these files make.
vm_directory() {
  printf '%s/vm-%s-%s\n' "$KITH_CACHE" "$1" "$(cache_key "${@:2}" < /dev/null)"
}

vm_root_directory() {
  vm_directory root "$SCRIPTS/lib/vm_root.sh"
}

vm_kernel_directory() {
  vm_directory "kernel-$1" "$SCRIPTS/lib/vm_kernel.sh" "$ROOT/test/vm/init"
}

# vm_make DIRECTORY BUILD ARGUMENT...: runs BUILD with a directory to fill, a
# scratch directory and the arguments, unless that has been done.
vm_make() {
  local directory=$1 build=$2 scratch
  shift 2
  [[ ! -d $directory ]] || return 0
  # A subshell, so that the lock ends with it.
  (
    cache_lock
    [[ ! -d $directory ]] || exit 0
    scratch=$(cache_scratch)
    trap 'rm -rf "$scratch"' EXIT
    mkdir "$scratch/out"
    "$build" "$scratch/out" "$scratch" "$@" && mv "$scratch/out" "$directory"
  )
}

# vm_images KERNEL...
vm_images() {
  local kernel
  vm_make "$(vm_root_directory)" vm_root_build ||
    die "the guests' packages cannot be had from $VM_SUITE"
  for kernel in "$@"; do
    vm_make "$(vm_kernel_directory "$kernel")" vm_kernel_build "$kernel" \
      "$(vm_root_directory)/busybox" ||
      die "kernel $kernel cannot be had from: ${VM_KERNEL_SUITES[*]}"
  done
}
