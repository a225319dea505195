// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/attestor/workload_attestor.h"

namespace kith {

// AttestFixture is a WorkloadAttestor whose surroundings a test controls.
struct AttestFixture {
  using Expect = WorkloadAttestor::Expect;
  using Result = absl::StatusOr<std::shared_ptr<const AttestedProcess>>;

  // The newest exec that the "hooks" saw; 0: none since the facts were taken.
  std::atomic<uint64_t> newest_exec_id{0};
  std::atomic<bool> wants_hash{false};
  std::atomic<int> hashed{0};
  // What happens while a binary is hashed: the middle of an attestation.
  std::function<void()> while_hashing = [] {};
  std::unique_ptr<WorkloadAttestor> attestor;

  explicit AttestFixture(const std::string &proc = "/proc") {
    attestor = WorkloadAttestor::Create(
        {.exec_id_of =
             [this](const ProcessFacts &facts) {
               const uint64_t newest = newest_exec_id;
               return newest == 0 ? facts.exec_id : newest;
             },
         .sha256_of = [this](int fd) { return Hash(fd); },
         .wants_binary_hash = [this] { return wants_hash.load(); },
         .proc = proc});
  }

  // A stand-in for SHA-256 that depends on every byte.
  absl::StatusOr<std::string> Hash(int fd);

  static std::vector<std::string> ValuesOf(const AttestedProcess &process,
                                           std::string_view key);
  static bool Has(const AttestedProcess &process,
                  std::string_view key,
                  std::string_view value);
  // The failure of the attestor that answers for `key`; OK if there is none.
  static absl::Status FailureOf(const AttestedProcess &process,
                                const std::string &key);
};

// TextHash is what Hash returns for a file with these bytes.
std::string TextHash(const std::string &bytes);

}  // namespace kith
