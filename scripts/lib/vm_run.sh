# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# One job in one guest: the tree and a command go in on a disk, the command's
# output comes out of a serial line. Needs lib/log.sh, tree.sh and vm_image.sh.

readonly VM_MEMORY=4G
readonly VM_CPUS=2

# vm_job ARCHIVE PROGRAM COMMAND [FILE...]: what the guest finds on its third
# disk: /kith, the tree with build/kith and the FILEs, and /kith-job.
vm_job() {
  local archive=$1 program=$2 script=$1.job
  printf '%s\n' "$3" > "$script"
  (
    cd "$ROOT"
    { tree_files && printf '%s\n' "${@:4}"; } |
      tar -cf "$archive" --transform 's,^,kith/,' -T -
  ) &&
    tar -rPf "$archive" --transform 's,.*,kith/build/kith,' "$program" &&
    tar -rPf "$archive" --transform 's,.*,kith-job,' "$script"
}

# vm_boot KERNEL ARCHIVE CONSOLE SECONDS: the job's output is on stdout. All
# disks are thrown away afterwards. KVM is not used, so that every machine runs
# the same; QEMU 7.2 emulates cmpxchg16b wrongly, and programs crash with it.
vm_boot() {
  local system kernel
  system=$(vm_root_directory)
  kernel=$(vm_kernel_directory "$1")
  timeout "$4" qemu-system-x86_64 -nodefaults -no-user-config -no-reboot \
    -display none -nic none -accel tcg,thread=multi -cpu max,-cx16 \
    -smp "$VM_CPUS" -m "$VM_MEMORY" \
    -kernel "$kernel/vmlinuz" -initrd "$kernel/initrd" \
    -append 'console=ttyS0 panic=-1 oops=panic' \
    -drive "if=virtio,format=raw,snapshot=on,file=$system/root.ext4" \
    -drive "if=virtio,format=raw,snapshot=on,file=$kernel/modules.ext4" \
    -drive "if=virtio,format=raw,snapshot=on,file=$2" \
    -serial "file:$3" -serial stdio < /dev/null
}

# vm_run KERNEL SECONDS PROGRAM COMMAND [FILE...]: runs the command in a guest,
# with its output on stdout, and returns its status; 124 when the guest took
# longer, 125 when it died.
vm_run() {
  local kernel=$1 seconds=$2 scratch status
  scratch=$(mktemp -d)
  vm_job "$scratch/job" "$3" "$4" "${@:5}" || die 'the job cannot be packed'
  status=0
  vm_boot "$kernel" "$scratch/job" "$scratch/console" "$seconds" |
    tee "$scratch/output" | sed -u '/^kith-vm: exit [0-9]*$/d' ||
    status=${PIPESTATUS[0]}
  if [[ $status -eq 124 ]]; then
    echo "kernel $kernel: the guest was stopped after $seconds s"
  elif ! status=$(sed -nE "\$s/^kith-vm: exit ([0-9]+)\$/\1/p" \
    "$scratch/output" | grep .); then
    status=125
    echo "kernel $kernel: the guest died; its last words:"
    tail -n 40 "$scratch/console"
  fi
  rm -rf "$scratch"
  return "$status"
}
