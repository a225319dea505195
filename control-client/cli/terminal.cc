// SPDX-License-Identifier: Apache-2.0
#include "control-client/cli/terminal.h"

#include <stdlib.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

namespace kith {
namespace {

const char *Sequence(Style style) {
  switch (style) {
    case Style::kPlain:
      return "";
    case Style::kGood:
      return "\x1b[32m";
    case Style::kBad:
      return "\x1b[31m";
    case Style::kWarning:
      return "\x1b[33m";
    case Style::kFaint:
      return "\x1b[2m";
    case Style::kHeading:
      return "\x1b[1m";
  }
  return "";
}

}  // namespace

bool TerminalShowsColour() {
  const char *no_color = getenv("NO_COLOR");
  const char *term = getenv("TERM");
  return (no_color == nullptr || *no_color == '\0') && term != nullptr &&
         std::string_view(term) != "dumb" && isatty(STDOUT_FILENO) == 1;
}

std::string Styled(std::string_view text, Style style, bool colour) {
  if (!colour || style == Style::kPlain || text.empty()) {
    return std::string(text);
  }
  return absl::StrCat(Sequence(style), text, "\x1b[0m");
}

}  // namespace kith
