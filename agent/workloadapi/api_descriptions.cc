// SPDX-License-Identifier: Apache-2.0
#include "agent/workloadapi/api_descriptions.h"

#include <algorithm>

#include "absl/base/no_destructor.h"
#include "absl/strings/str_cat.h"

#include "agent/workloadapi/descriptor_set.h"
#include "agent/workloadapi/descriptors.pb.h"

namespace kith {
namespace {

// A scope whose names are entered as symbols of one file.
struct Scope {
  std::map<std::string, std::string, std::less<>> &symbols;
  const std::string &file;
  std::string prefix;  // "package.Message.", or empty

  Scope Enter(const std::string &name) const {
    symbols[prefix + name] = file;
    return {symbols, file, absl::StrCat(prefix, name, ".")};
  }
};

void EnterMessage(const descriptors::Message &message, const Scope &scope) {
  const Scope inside = scope.Enter(message.name());
  for (const auto &field : message.field()) {
    (void)inside.Enter(field.name());
  }
  for (const auto &each : message.enum_type()) {
    (void)inside.Enter(each.name());
  }
  for (const auto &nested : message.nested_type()) {
    EnterMessage(nested, inside);
  }
}

void EnterFile(const descriptors::File &file, const Scope &scope) {
  for (const auto &message : file.message_type()) {
    EnterMessage(message, scope);
  }
  for (const auto &each : file.enum_type()) {
    (void)scope.Enter(each.name());
  }
  for (const auto &service : file.service()) {
    const Scope inside = scope.Enter(service.name());
    for (const auto &method : service.method()) {
      (void)inside.Enter(method.name());
    }
  }
}

}  // namespace

const ApiDescriptions &ApiDescriptions::Get() {
  static const absl::NoDestructor<ApiDescriptions> descriptions(
      ApiDescriptions{kDescriptorSet});
  return *descriptions;
}

ApiDescriptions::ApiDescriptions(std::string_view descriptor_set) {
  descriptors::FileSet set;
  (void)set.ParseFromArray(descriptor_set.data(),
                           static_cast<int>(descriptor_set.size()));
  for (const std::string &bytes : set.file()) {
    descriptors::File file;
    (void)file.ParseFromString(bytes);
    files_[file.name()] = {
        bytes, {file.dependency().begin(), file.dependency().end()}};
    const std::string prefix =
        file.package().empty() ? "" : absl::StrCat(file.package(), ".");
    EnterFile(file, {symbols_, file.name(), prefix});
  }
}

void ApiDescriptions::Collect(const std::string &name,
                              std::vector<std::string> &names) const {
  const auto found = files_.find(name);
  if (found == files_.end() || std::ranges::count(names, name) > 0) {
    return;
  }
  names.push_back(name);
  for (const std::string &import : found->second.imports) {
    Collect(import, names);
  }
}

absl::StatusOr<ApiDescriptions::Files> ApiDescriptions::OfFile(
    const std::string &name) const {
  std::vector<std::string> names;
  Collect(name, names);
  if (names.empty()) {
    return absl::NotFoundError(absl::StrCat("file not found: ", name));
  }
  Files files;
  for (const std::string &each : names) {
    files.push_back(files_.at(each).bytes);
  }
  return files;
}

absl::StatusOr<ApiDescriptions::Files> ApiDescriptions::OfSymbol(
    std::string_view symbol) const {
  const auto found = symbols_.find(symbol);
  if (found == symbols_.end()) {
    return absl::NotFoundError(absl::StrCat("symbol not found: ", symbol));
  }
  return OfFile(found->second);
}

}  // namespace kith
