// SPDX-License-Identifier: Apache-2.0
#include "control-client/cli/table.h"

#include <algorithm>

#include "absl/log/check.h"

#include "control-client/cli/printable.h"

namespace kith {
namespace {

constexpr char kAbsent[] = "-";
constexpr char kGap[] = "  ";

std::string Padding(const std::string &text, size_t width) {
  return std::string(width - std::min(width, DisplayWidth(text)), ' ');
}

}  // namespace

void Table::AddRow(std::vector<Cell> cells) {
  CHECK_EQ(cells.size(), columns_.size());
  for (Cell &cell : cells) {
    cell.text = Printable(cell.text);
  }
  rows_.push_back(std::move(cells));
}

// A column of width 0 is not shown.
std::vector<size_t> Table::Widths() const {
  std::vector<size_t> widths(columns_.size(), 0);
  for (size_t i = 0; i < columns_.size(); ++i) {
    for (const std::vector<Cell> &row : rows_) {
      widths[i] = std::max(widths[i], DisplayWidth(row[i].text));
    }
    if (widths[i] != 0) {
      widths[i] = std::max(widths[i], DisplayWidth(columns_[i].heading));
    }
  }
  return widths;
}

void Table::Print(std::ostream &out, bool colour) const {
  const std::vector<size_t> widths = Widths();
  const auto print_line = [&](const auto &cell_at) {
    std::string line;
    std::string gap;  // no spaces after the last column
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (widths[i] == 0) {
        continue;
      }
      Cell cell = cell_at(i);
      if (cell.text.empty()) {
        cell = {kAbsent, Style::kFaint};
      }
      const std::string padding = Padding(cell.text, widths[i]);
      const std::string text = Styled(cell.text, cell.style, colour);
      line += gap;
      line += columns_[i].align == Align::kRight ? padding + text : text;
      gap = columns_[i].align == Align::kRight ? kGap : padding + kGap;
    }
    out << line << '\n';
  };
  print_line(
      [&](size_t i) { return Cell(columns_[i].heading, Style::kHeading); });
  for (const std::vector<Cell> &row : rows_) {
    print_line([&](size_t i) { return row[i]; });
  }
}

}  // namespace kith
