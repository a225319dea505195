// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace kith {

// Keys with a special meaning.
inline constexpr std::string_view kProcessCmdline = "process:cmdline";
inline constexpr std::string_view kDestinationPort = "destination:port";

// SelectorForm says where a document has the value of a selector.
enum class SelectorForm {
  kKeyAndValue,  // unix:uid: 1000
  kTrue,         // unix:uid:1000: true
  kWhole,        // "unix:uid:1000", an item of a list
};

// SelectorKey is a key of a document, rewritten to kith's spelling.
struct SelectorKey {
  std::string key;
  // The value that was written inside the key, else "".
  std::string value;
};

// ParseSelectorKey knows three kinds of key:
//  - those that the attestors of this version yield (process: cgroup: systemd:
//    linuxos:), and destination:port;
//  - SPIRE's spellings of them (unix:uid, unix:gid, unix:supplementary_gid,
//    unix:path, unix:sha256, k8s:ns, k8s:sa, ...), which are rewritten;
//  - those of attestors that are still to come (k8s: docker: node: ...), which
//    load and are never satisfied.
// Every other key is InvalidArgument with the nearest known one, because a
// misspelt selector would leave a workload without its identity.
absl::StatusOr<SelectorKey> ParseSelectorKey(std::string_view text,
                                             SelectorForm form);

// IsFutureKey returns whether no attestor of this version yields `key`.
bool IsFutureKey(std::string_view key);

// CheckSelectorValue returns the value in the form that attestors use, or why
// no process can ever have it (a port 70000, a hash of 10 digits).
absl::StatusOr<std::string> CheckSelectorValue(std::string_view key,
                                               std::string_view value);

}  // namespace kith
