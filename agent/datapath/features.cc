// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/features.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

#include "agent/datapath/bpffs.h"
#include "agent/datapath/cgroup_claim.h"
#include "agent/datapath/libbpf_log.h"

namespace kith {
namespace {

constexpr char kBtf[] = "/sys/kernel/btf/vmlinux";
constexpr char kRequired[] = "required";

struct NeededCapability {
  const char *name;
  int bit;
  const char *why;
};

constexpr NeededCapability kCapabilities[] = {
    {"CAP_BPF", CAP_BPF, "loads the BPF programs"},
    {"CAP_PERFMON", CAP_PERFMON, "lets them read the facts of a process"},
    {"CAP_NET_ADMIN", CAP_NET_ADMIN, "attaches them to cgroups and namespaces"},
    {"CAP_SYS_ADMIN", CAP_SYS_ADMIN, "enters network namespaces (setns)"},
    {"CAP_SYS_PTRACE", CAP_SYS_PTRACE, "reads /proc/<pid>/ns of others"},
};

bool HasCapability(int bit) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3]{};
  if (syscall(SYS_capget, &header, sets) != 0) {
    return false;
  }
  return (sets[CAP_TO_INDEX(bit)].effective & CAP_TO_MASK(bit)) != 0;
}

Feature BtfRow() {
  const bool found = access(kBtf, R_OK) == 0;
  return {.name = "BTF",
          .needed = kRequired,
          .found = found,
          .detail = found ? kBtf
                          : absl::StrCat("no ",
                                         kBtf,
                                         ": a kernel with "
                                         "CONFIG_DEBUG_INFO_BTF is needed")};
}

Feature KernelRow() {
  utsname name{};
  (void)uname(&name);
  int major = 0;
  int minor = 0;
  const bool parsed = std::sscanf(name.release, "%d.%d", &major, &minor) == 2;
  return {.name = "kernel",
          .needed = kRequired,
          .found = parsed && (major > 5 || (major == 5 && minor >= 15)),
          .detail = absl::StrCat(name.release, ", 5.15 is needed")};
}

Feature CapabilityRow(const NeededCapability &capability) {
  const bool found = HasCapability(capability.bit);
  return {.name = capability.name,
          .needed = kRequired,
          .found = found,
          .detail = absl::StrCat(capability.why,
                                 found ? ""
                                       : "; run the agent as root or give "
                                         "it the capability")};
}

Feature CgroupRow(const std::string &path) {
  Feature row{.name = "cgroup v2", .needed = kRequired};
  absl::StatusOr<std::string> directory = path;
  if (path.empty() || path == "auto") {
    directory = FindCgroupRoot();
  }
  if (!directory.ok()) {
    row.detail = std::string(directory.status().message());
    return row;
  }
  auto cgroup = OpenManagedCgroup(*directory);
  row.found = cgroup.ok();
  row.detail =
      cgroup.ok() ? *directory : std::string(cgroup.status().message());
  return row;
}

// The probes create objects: without CAP_BPF they show nothing.
Feature ProbeRow(const char *name, const char *needed, int result) {
  const char *detail = result > 0    ? "supported"
                       : result == 0 ? "not supported by this kernel"
                                     : "could not be found out without CAP_BPF";
  return {
      .name = name, .needed = needed, .found = result > 0, .detail = detail};
}

Feature ReturnValueRow() {
  const int result = libbpf_probe_bpf_helper(
      BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_FUNC_set_retval, nullptr);
  return ProbeRow("bpf_set_retval",
                  "refused connect(): EPERM instead of ECONNREFUSED",
                  result);
}

Feature PinRow() {
  auto bpffs = FindBpffs();
  return {.name = "bpffs",
          .needed = "datapath.pin",
          .found = bpffs.has_value(),
          .detail = bpffs.value_or(
              "not mounted; the agent mounts it where pinning is configured")};
}

}  // namespace

absl::Status CheckRequirements() {
  std::vector<Feature> rows = {BtfRow()};
  for (const NeededCapability &capability : kCapabilities) {
    rows.push_back(CapabilityRow(capability));
  }
  for (const Feature &row : rows) {
    if (!row.found) {
      return absl::FailedPreconditionError(
          absl::StrCat(row.name, " is missing: ", row.detail));
    }
  }
  return absl::OkStatus();
}

std::vector<Feature> ProbeFeatures(const std::string &cgroup) {
  CaptureLibbpfLog();
  std::vector<Feature> rows = {KernelRow(), BtfRow(), CgroupRow(cgroup)};
  for (const NeededCapability &capability : kCapabilities) {
    rows.push_back(CapabilityRow(capability));
  }
  rows.push_back(
      ProbeRow("sk_lookup",
               kRequired,
               libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_SK_LOOKUP, nullptr)));
  rows.push_back(
      ProbeRow("sockops",
               kRequired,
               libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_SOCK_OPS, nullptr)));
  rows.push_back(
      ProbeRow("sockhash",
               kRequired,
               libbpf_probe_bpf_map_type(BPF_MAP_TYPE_SOCKHASH, nullptr)));
  rows.push_back(
      ProbeRow("ring buffer",
               kRequired,
               libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, nullptr)));
  rows.push_back(ReturnValueRow());
  rows.push_back(PinRow());
  (void)TakeLibbpfWarnings();
  return rows;
}

}  // namespace kith
