// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kith {

// WireField returns a length-delimited field (wire type 2 of the protobuf
// encoding): a string, bytes or a message.
std::string WireField(uint32_t number, std::string_view value);

// OpenWireField returns the beginning of such a field: `rest` bytes of its
// value follow.
std::string OpenWireField(uint32_t number, std::string_view begin, size_t rest);

}  // namespace kith
