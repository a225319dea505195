// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "control-client/cli/terminal.h"

namespace kith {

// Cell is one field of a row; its text is made printable by the table.
struct Cell {
  std::string text;
  Style style = Style::kPlain;

  Cell(std::string content) : text(std::move(content)) {}  // NOLINT
  Cell(const char *content) : text(content) {}             // NOLINT
  Cell(std::string content, Style look)
      : text(std::move(content)), style(look) {}
};

// Table prints rows under headings, each column as wide as its content. An
// empty cell shows "-"; a column that is empty in every row is omitted.
class Table {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string heading;
    Align align = Align::kLeft;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // AddRow takes as many cells as the table has columns.
  void AddRow(std::vector<Cell> cells);
  void Print(std::ostream &out, bool colour) const;
  bool empty() const { return rows_.empty(); }

 private:
  std::vector<size_t> Widths() const;

  const std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace kith
