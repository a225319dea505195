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

// YamlBuilder makes trees from the parser's events. The library's own Node is
// not used: it hides duplicate keys and shares aliased nodes, so that a file of
// a few lines takes for ever to walk ("billion laughs"). Here an alias is a
// copy that counts against the bound.
//
// Faults are thrown as YAML::ParserException, the one way out of the library's
// parser; ParseYaml turns them into a Status.
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
  // One collection whose end has not come yet.
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
