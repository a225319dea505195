// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "yaml-cpp/eventhandler.h"
#include "yaml-cpp/exceptions.h"
#include "yaml-cpp/mark.h"

#include "agent/config/yaml_tree.h"

namespace kith {

// YamlBuilder builds trees from the parser's events. It does not use the
// library's own Node, which hides duplicate keys and shares aliased nodes, so
// that walking a file of a few lines may take for ever ("billion laughs"). Here
// an alias is a copy that counts against the bound.
//
// It throws faults as YAML::ParserException, the only way out of the library's
// parser; ParseYaml converts them to a Status.
class YamlBuilder : public YAML::EventHandler {
 public:
  std::vector<YamlNode> TakeDocuments() { return std::move(documents_); }

  void OnDocumentStart(const YAML::Mark &mark) override;
  void OnDocumentEnd() override;
  void OnNull(const YAML::Mark &mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark &mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark &mark,
                const std::string &tag,
                YAML::anchor_t anchor,
                const std::string &value) override;
  void OnSequenceStart(const YAML::Mark &mark,
                       const std::string &tag,
                       YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override;
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark &mark,
                  const std::string &tag,
                  YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override;
  void OnMapEnd() override { Close(); }

 private:
  // Open is one collection whose end has not come yet.
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor = YAML::NullAnchor;
    YAML::Mark mark;
    bool has_key = false;  // a map's entry has its key but no value yet
  };

  void OpenCollection(Open open);
  void Close();
  void Add(YamlNode node, const YAML::Mark &mark, YAML::anchor_t anchor);
  void AddToMap(Open &map, YamlNode node, const YAML::Mark &mark);
  void Count(size_t nodes, const YAML::Mark &mark);

  std::vector<Open> open_;
  std::unordered_map<YAML::anchor_t, YamlNode> anchors_;
  YamlNode root_;
  std::vector<YamlNode> documents_;
  size_t nodes_ = 0;
};

}  // namespace kith
