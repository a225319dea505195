// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/svid_files_reader.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace kith {
namespace {

// Each token is signed anew every few minutes; a file for each of many
// audiences is not the intended use.
constexpr size_t kMaxTokens = 16;
constexpr size_t kMaxAudiences = 16;

constexpr size_t kMaxName = 64;

constexpr std::string_view kX509Names[] = {"svid.pem", "key.pem", "bundle.pem"};

// The agent chooses the directory, the document a name in it: no path, and no
// name that is hidden or means a directory.
absl::StatusOr<std::string> ReadName(const Field &field) {
  auto name = field.AsString();
  if (!name.ok()) {
    return name;
  }
  const bool plain = std::ranges::all_of(*name, [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
  });
  if (!plain || name->front() == '.' || name->size() > kMaxName) {
    return field.Error(absl::StrCat(
        "want a name of up to ",
        kMaxName,
        " letters, digits, '.', '_' and '-', without a '.' at its front; the "
        "directory of all of them is svid.files of kith.yaml"));
  }
  return name;
}

absl::StatusOr<std::string> ReadFileName(const Field &field) {
  auto name = ReadName(field);
  if (name.ok() &&
      std::ranges::find(kX509Names, *name) != std::end(kX509Names)) {
    return field.Error("is the name of a file of the X509-SVID");
  }
  return name;
}

absl::StatusOr<std::vector<std::string>> ReadAudience(const Field &field) {
  auto audience = field.Strings(kMaxAudiences);
  if (audience.ok() && audience->empty()) {
    return field.Error("a JWT-SVID has an audience");
  }
  return audience;
}

absl::StatusOr<TokenFile> ReadToken(const Field &field) {
  TokenFile file;
  if (auto read = ReadMap(field,
                          {{"file", Into(file.name, ReadFileName)},
                           {"audience", Into(file.audience, ReadAudience)}});
      !read.ok()) {
    return read;
  }
  if (file.name.empty() || file.audience.empty()) {
    return field.Error("needs file and audience");
  }
  return file;
}

absl::StatusOr<std::vector<TokenFile>> ReadTokens(const Field &field) {
  auto items = field.Items(kMaxTokens);
  if (!items.ok()) {
    return items.status();
  }
  std::vector<TokenFile> tokens;
  for (const Field &item : *items) {
    auto token = ReadToken(item);
    if (!token.ok()) {
      return token.status();
    }
    if (std::ranges::find(tokens, token->name, &TokenFile::name) !=
        tokens.end()) {
      return item.Error(absl::StrCat("a second file ", token->name));
    }
    tokens.push_back(*std::move(token));
  }
  return tokens;
}

absl::Status ReadJwtFiles(const Field &field, WorkloadIdentity &identity) {
  auto read = ReadMap(field,
                      {{"directory", Into(identity.jwt_files, ReadName)},
                       {"tokens", Into(identity.tokens, ReadTokens)}});
  if (read.ok() && (identity.jwt_files.empty() || identity.tokens.empty())) {
    return field.Error("needs directory and tokens");
  }
  return read;
}

}  // namespace

absl::Status ReadX509Files(const Field &field, WorkloadIdentity &identity) {
  auto read =
      ReadMap(field, {{"directory", Into(identity.x509_files, ReadName)}});
  if (read.ok() && identity.x509_files.empty()) {
    return field.Error("needs directory");
  }
  return read;
}

absl::Status ReadJwt(const Field &field, WorkloadIdentity &identity) {
  return ReadMap(
      field,
      {{"files", [&](const Field &f) { return ReadJwtFiles(f, identity); }}});
}

}  // namespace kith
