// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace kith {

// Printable returns `text` with control characters and broken UTF-8 written as
// \xNN. A process chooses its own name and arguments: without this, they could
// send escape sequences to the operator's terminal.
std::string Printable(std::string_view text);

// DisplayWidth returns the columns of printable text: one for each code point,
// which is correct for the names shown here.
size_t DisplayWidth(std::string_view text);

}  // namespace kith
