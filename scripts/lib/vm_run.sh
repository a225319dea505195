# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# One job in one guest: the tree and a command go in on a disk, the command's
# output comes out of a serial line. Needs lib/log.sh, tree.sh and vm_image.sh.

readonly VM_MEMORY=4G
# KVM is not used, so that every machine runs the same. QEMU 7.2 emulates
# cmpxchg16b wrongly where guests have several CPUs, which crashes programs at
# random; without it kernels since 6.18 have memory for BPF's local storage only
# from caches that are debugged (kmalloc_nolock of mm/slub.c).
readonly VM_CPU=max,-cx16
# On a busy machine a kernel that checks its timer finds it broken, and panics.
# Before 6.5 memory for secrets that outlive a process is not there by itself.
readonly VM_BOOT_OPTIONS=(console=ttyS0 panic=-1 oops=panic no_timer_check
  secretmem.enable=1)
# Statuses of vm_run, in which no command has ended: as timeout(1) says it, and
# the one beside it.
readonly VM_TIMEOUT=124
readonly VM_DIED=125

# vm_add ARCHIVE FILE NAME: the guest finds FILE as /NAME.
vm_add() {
  tar -rPhf "$1" --transform "s,.*,$3," "$2"
}

# vm_job ARCHIVE PROGRAM COMMAND [FILE=NAME...]: what the guest finds on its
# third disk: /kith, the tree with build/kith, the FILEs, and /kith-job.
vm_job() {
  local archive=$1 program=$2 file
  printf '%s\n' "$3" > "$archive.sh"
  shift 3
  (cd "$ROOT" && tree_files |
    tar -cf "$archive" --transform 's,^,kith/,' -T -) || return
  for file in "$program=kith/build/kith" "$archive.sh=kith-job" "$@"; do
    vm_add "$archive" "${file%=*}" "${file##*=}" || return
  done
}

# vm_cpus KERNEL: the processors of the tests' guests. One thread for both CPUs of
# 7.x: with two, one boot in ten died of an int3 that the other CPU was patching
# in the kernel's text.
vm_cpus() {
  local threads=multi
  [[ $1 != 7.* ]] || threads=single
  printf '%s\n' -accel "tcg,thread=$threads" -cpu "$VM_CPU" -smp 2
}

# vm_memory_options: how the tests' guests allocate memory, see VM_CPU.
vm_memory_options() {
  printf '%s\n' 'slab_debug=F,kmalloc-*'
}

# vm_boot KERNEL ARCHIVE CONSOLE SECONDS: becomes the guest, with the job's
# output on stdout; it ends with its parent. What it writes to disks is thrown
# away.
vm_boot() {
  local system kernel
  local -a cpus
  system=$(vm_root_directory)
  kernel=$(vm_kernel_directory "$1")
  mapfile -t cpus < <(vm_cpus "$1")
  exec setpriv --pdeathsig TERM timeout --foreground "$4" \
    qemu-system-x86_64 -nodefaults -no-user-config -no-reboot \
    -display none -nic none "${cpus[@]}" -m "$VM_MEMORY" \
    -kernel "$kernel/vmlinuz" -initrd "$kernel/initrd" \
    -append "${VM_BOOT_OPTIONS[*]} $(vm_memory_options)" \
    -drive "if=virtio,format=raw,snapshot=on,file=$system/root.ext4" \
    -drive "if=virtio,format=raw,snapshot=on,file=$kernel/modules.ext4" \
    -drive "if=virtio,format=raw,snapshot=on,file=$2" \
    -serial "file:$3" -serial stdio < /dev/null
}

# vm_explain STATUS KERNEL SECONDS CONSOLE: why there is no answer of the job.
vm_explain() {
  if [[ $1 -eq $VM_TIMEOUT ]]; then
    echo "kernel $2: stopped, because it still ran after $3 s"
  else
    echo "kernel $2: the guest died"
  fi
  echo 'the last lines of its console:'
  tail -n 40 "$4"
}

# vm_crashes CONSOLE: prints what the kernel tells of a kith that has crashed;
# fails if there is none.
vm_crashes() {
  grep -E '(segfault at|traps:) .* in kith\[' "$1"
}

# vm_run KERNEL SECONDS PROGRAM COMMAND [FILE=NAME...]: runs the command in a guest,
# with its output on stdout. Returns its status, VM_TIMEOUT, or VM_DIED, also for a
# kith that has crashed where the command did not notice.
vm_run() {
  local scratch status=0 answer
  scratch=$(mktemp -d)
  vm_job "$scratch/job" "$3" "$4" "${@:5}" || die 'the job cannot be packed'
  vm_boot "$1" "$scratch/job" "$scratch/console" "$2" |
    tee "$scratch/output" | sed -u '/^kith-vm: exit [0-9]*$/d' ||
    status=${PIPESTATUS[0]}
  answer=$(sed -nE "\$s/^kith-vm: exit ([0-9]+)\$/\1/p" "$scratch/output")
  if [[ ! $answer ]]; then
    answer=$VM_DIED
    [[ $status -ne $VM_TIMEOUT ]] || answer=$VM_TIMEOUT
    vm_explain "$answer" "$1" "$2" "$scratch/console"
  elif vm_crashes "$scratch/console"; then
    answer=$VM_DIED
  fi
  rm -rf "$scratch"
  return "$answer"
}
