// SPDX-License-Identifier: Apache-2.0
#include "agent/types/spelling.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "absl/strings/str_cat.h"

namespace kith {
namespace {

// Words are keys that people typed; longer ones are no misspelling, and the
// distance costs the product of both lengths.
constexpr size_t kMaxWord = 64;

// EditDistance counts insertions, deletions and replacements (Levenshtein).
size_t EditDistance(std::string_view from, std::string_view to) {
  std::vector<size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 0; i < from.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < to.size(); ++j) {
      const size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string DidYouMean(std::string_view word,
                       std::span<const std::string_view> known) {
  if (word.empty() || word.size() > kMaxWord) {
    return "";
  }
  std::string_view nearest;
  size_t nearest_distance = word.size();
  for (std::string_view candidate : known) {
    const size_t distance = EditDistance(word, candidate);
    if (distance < nearest_distance) {
      nearest = candidate;
      nearest_distance = distance;
    }
  }
  const size_t tolerated = std::max<size_t>(1, word.size() / 3);
  if (nearest.empty() || nearest_distance > tolerated) {
    return "";
  }
  return absl::StrCat("; did you mean '", nearest, "'?");
}

}  // namespace kith
