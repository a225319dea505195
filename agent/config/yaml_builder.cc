// SPDX-License-Identifier: Apache-2.0
#include "agent/config/yaml_builder.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace kith {
namespace {

[[noreturn]] void Fail(const YAML::Mark &mark, const std::string &message) {
  throw YAML::ParserException(mark, message);
}

// Long text counts as several values, so that copies of it are bounded too.
size_t CountText(std::string_view text) {
  constexpr size_t kTextOfOneNode = 64;
  return 1 + text.size() / kTextOfOneNode;
}

size_t CountNodes(const YamlNode &node) {
  size_t count = CountText(node.scalar);
  for (const YamlNode &item : node.items) {
    count += CountNodes(item);
  }
  for (const YamlEntry &entry : node.entries) {
    count += CountText(entry.key) + CountNodes(entry.value);
  }
  return count;
}

int DepthOf(const YamlNode &node) {
  int depth = 0;
  for (const YamlNode &item : node.items) {
    depth = std::max(depth, DepthOf(item));
  }
  for (const YamlEntry &entry : node.entries) {
    depth = std::max(depth, DepthOf(entry.value));
  }
  return depth + 1;
}

// "?" and "!" are the parser's own marks for plain and quoted scalars.
void RefuseTag(const std::string &tag, const YAML::Mark &mark) {
  if (!tag.empty() && tag != "?" && tag != "!") {
    Fail(mark, absl::StrCat("the tag '", tag, "' is not supported; remove it"));
  }
}

}  // namespace

void YamlBuilder::OnDocumentStart(const YAML::Mark &mark) {
  root_ = YamlNode{.line = mark.line + 1};
  anchors_.clear();
  if (documents_.size() >= kMaxYamlDocuments) {
    Fail(mark, absl::StrCat("more than ", kMaxYamlDocuments, " documents"));
  }
}

void YamlBuilder::OnDocumentEnd() {
  if (root_.kind != YamlNode::Kind::kNull) {
    documents_.push_back(std::move(root_));
  }
}

void YamlBuilder::OnNull(const YAML::Mark &mark, YAML::anchor_t anchor) {
  Count(1, mark);
  Add(YamlNode{.line = mark.line + 1}, mark, anchor);
}

void YamlBuilder::OnAlias(const YAML::Mark &mark, YAML::anchor_t anchor) {
  const auto it = anchors_.find(anchor);
  if (it == anchors_.end()) {
    Fail(mark, "an alias inside the value that it names");
  }
  Count(CountNodes(it->second), mark);
  if (static_cast<int>(open_.size()) + DepthOf(it->second) > kMaxYamlDepth) {
    Fail(mark, absl::StrCat("nested deeper than ", kMaxYamlDepth, " levels"));
  }
  Add(it->second, mark, YAML::NullAnchor);
}

void YamlBuilder::OnScalar(const YAML::Mark &mark,
                           const std::string &tag,
                           YAML::anchor_t anchor,
                           const std::string &value) {
  RefuseTag(tag, mark);
  Count(CountText(value), mark);
  YamlNode node{.kind = YamlNode::Kind::kScalar,
                .line = mark.line + 1,
                .scalar = value,
                .quoted = tag == "!"};
  Add(std::move(node), mark, anchor);
}

void YamlBuilder::OnSequenceStart(const YAML::Mark &mark,
                                  const std::string &tag,
                                  YAML::anchor_t anchor,
                                  YAML::EmitterStyle::value /*style*/) {
  RefuseTag(tag, mark);
  Open open{.anchor = anchor, .mark = mark};
  open.node = {.kind = YamlNode::Kind::kList, .line = mark.line + 1};
  OpenCollection(std::move(open));
}

void YamlBuilder::OnMapStart(const YAML::Mark &mark,
                             const std::string &tag,
                             YAML::anchor_t anchor,
                             YAML::EmitterStyle::value /*style*/) {
  RefuseTag(tag, mark);
  Open open{.anchor = anchor, .mark = mark};
  open.node = {.kind = YamlNode::Kind::kMap, .line = mark.line + 1};
  OpenCollection(std::move(open));
}

void YamlBuilder::OpenCollection(Open open) {
  Count(1, open.mark);
  if (static_cast<int>(open_.size()) >= kMaxYamlDepth) {
    Fail(open.mark,
         absl::StrCat("nested deeper than ", kMaxYamlDepth, " levels"));
  }
  open_.push_back(std::move(open));
}

void YamlBuilder::Close() {
  Open done = std::move(open_.back());
  open_.pop_back();
  Add(std::move(done.node), done.mark, done.anchor);
}

void YamlBuilder::Add(YamlNode node,
                      const YAML::Mark &mark,
                      YAML::anchor_t anchor) {
  if (anchor != YAML::NullAnchor) {
    // The copy kept for aliases counts against the bound as well.
    Count(CountNodes(node), mark);
    anchors_[anchor] = node;
  }
  if (open_.empty()) {
    root_ = std::move(node);
  } else if (open_.back().node.kind == YamlNode::Kind::kList) {
    open_.back().node.items.push_back(std::move(node));
  } else {
    AddToMap(open_.back(), std::move(node), mark);
  }
}

void YamlBuilder::AddToMap(Open &map, YamlNode node, const YAML::Mark &mark) {
  auto &entries = map.node.entries;
  if (std::exchange(map.has_key, !map.has_key)) {
    entries.back().value = std::move(node);
    return;
  }
  if (node.kind != YamlNode::Kind::kScalar) {
    Fail(mark, "a key that is not a plain word or quoted string");
  }
  entries.push_back({.key = std::move(node.scalar), .line = node.line});
}

void YamlBuilder::Count(size_t nodes, const YAML::Mark &mark) {
  nodes_ += nodes;
  if (nodes_ > kMaxYamlNodes) {
    Fail(mark,
         absl::StrCat("more than ", kMaxYamlNodes, " values (aliases count)"));
  }
}

}  // namespace kith
