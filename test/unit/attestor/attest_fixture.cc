// SPDX-License-Identifier: Apache-2.0
#include "test/unit/attestor/attest_fixture.h"

#include <unistd.h>

#include <array>
#include <functional>

namespace kith {

std::string TextHash(const std::string &bytes) {
  return std::to_string(std::hash<std::string>{}(bytes));
}

absl::StatusOr<std::string> AttestFixture::Hash(int fd) {
  ++hashed;
  while_hashing();
  std::string bytes;
  std::array<char, 65536> chunk{};
  ssize_t count = 0;
  while ((count = read(fd, chunk.data(), chunk.size())) > 0) {
    bytes.append(chunk.data(), static_cast<size_t>(count));
  }
  return TextHash(bytes);
}

std::vector<std::string> AttestFixture::ValuesOf(const AttestedProcess &process,
                                                 std::string_view key) {
  std::vector<std::string> values;
  for (const Selector &selector : process.attestation.selectors) {
    if (selector.key == key) {
      values.push_back(selector.value);
    }
  }
  return values;
}

bool AttestFixture::Has(const AttestedProcess &process,
                        std::string_view key,
                        std::string_view value) {
  const auto values = ValuesOf(process, key);
  return std::find(values.begin(), values.end(), value) != values.end();
}

absl::Status AttestFixture::FailureOf(const AttestedProcess &process,
                                      const std::string &key) {
  for (const AttestorFailure &failure : process.attestation.failures) {
    if (std::find(failure.keys.begin(), failure.keys.end(), key) !=
        failure.keys.end()) {
      return failure.status;
    }
  }
  return absl::OkStatus();
}

}  // namespace kith
