// SPDX-License-Identifier: Apache-2.0
#include "agent/flowtable/flow_record.h"

namespace kith {

std::string_view PathName(FlowPath path) {
  switch (path) {
    case FlowPath::kNone:
      return "none";
    case FlowPath::kKtls:
      return "ktls";
    case FlowPath::kUserspace:
      return "userspace";
    case FlowPath::kDirect:
      return "direct";
  }
  return "";
}

}  // namespace kith
