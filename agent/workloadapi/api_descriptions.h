// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace kith {

// ApiDescriptions finds the descriptions of the services here, for programs
// such as grpcurl. Immutable.
class ApiDescriptions {
 public:
  using Files = std::vector<std::string>;  // FileDescriptorProtos, serialized

  // Get returns this program's descriptions, read at the first call.
  static const ApiDescriptions &Get();

  // OfFile and OfSymbol (a service, method, message, field or enum, by its full
  // name) return the file, followed by all files that it imports. NotFound: no
  // such file or symbol.
  absl::StatusOr<Files> OfFile(const std::string &name) const;
  absl::StatusOr<Files> OfSymbol(std::string_view symbol) const;

 private:
  struct File {
    std::string bytes;
    std::vector<std::string> imports;
  };

  explicit ApiDescriptions(std::string_view descriptor_set);
  void Collect(const std::string &name, std::vector<std::string> &names) const;

  std::map<std::string, File> files_;                        // by name
  std::map<std::string, std::string, std::less<>> symbols_;  // -> file's name
};

}  // namespace kith
