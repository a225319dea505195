// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace kith {

// DidYouMean returns "; did you mean 'x'?" for the word of `known` that is
// nearest to `word` (at most a third of its letters wrong), else "".
std::string DidYouMean(std::string_view word,
                       std::span<const std::string_view> known);

}  // namespace kith
