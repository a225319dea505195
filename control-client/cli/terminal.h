// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace kith {

enum class Style { kPlain, kGood, kBad, kWarning, kFaint, kHeading };

// TerminalShowsColour returns whether standard output is a terminal and the
// user did not turn colours off (NO_COLOR, https://no-color.org; TERM=dumb).
bool TerminalShowsColour();

// Styled wraps `text` in the escape sequences of `style` (ECMA-48 section
// 8.3.117), or returns it unchanged if `colour` is false.
std::string Styled(std::string_view text, Style style, bool colour);

}  // namespace kith
