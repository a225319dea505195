// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace kith {

// kDescriptorSet describes the services of the Workload API's socket: a
// google.protobuf.FileDescriptorSet, serialized, with all that is imported.
extern const std::string_view kDescriptorSet;

}  // namespace kith
