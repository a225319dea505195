// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/libbpf_log.h"

#include <bpf/libbpf.h>

#include <cstdarg>
#include <cstdio>
#include <utility>

#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace kith {
namespace {

// A verifier's log has thousands of lines; its cause is in the last ones.
constexpr size_t kMaxKept = 2048;

thread_local std::string warnings;

int Keep(libbpf_print_level level, const char *format, va_list arguments) {
  if (level != LIBBPF_WARN) {
    return 0;
  }
  char line[1024];
  if (vsnprintf(line, sizeof(line), format, arguments) < 0) {
    return 0;
  }
  warnings += line;
  if (warnings.size() > kMaxKept) {
    warnings.erase(0, warnings.size() - kMaxKept);
  }
  return 0;
}

}  // namespace

void CaptureLibbpfLog() {
  (void)libbpf_set_print(Keep);
}

std::string TakeLibbpfWarnings() {
  std::string taken = std::exchange(warnings, {});
  absl::StrReplaceAll({{"\n", "; "}}, &taken);
  return std::string(absl::StripSuffix(taken, "; "));
}

}  // namespace kith
