// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

#include "agent/config/field.h"
#include "kith/resource.h"

namespace kith {

// The trust domain of workloadIDs if the own one is not known. No peer can
// belong to it (RFC 6761 section 6.4).
inline constexpr char kUnknownDomain[] = "own.invalid";

// DocumentScope is the context for reading the fields of one document.
class DocumentScope {
 public:
  DocumentScope(std::string trust_domain,
                bool riptides,
                std::vector<std::string> *warnings)
      : trust_domain_(std::move(trust_domain)),
        riptides_(riptides),
        warnings_(warnings) {}

  // riptides tells whether the apiVersion is core.riptides.io/v1alpha1.
  bool riptides() const { return riptides_; }

  // Ignore records that the field has no effect in this version.
  absl::Status Ignore(const Field &field, std::string_view why) const;

  // IgnoreRiptides acts like Ignore for Riptides documents, which name things
  // that kith does not have; in kith's documents it returns an error.
  absl::Status IgnoreRiptides(const Field &field, std::string_view why) const;

  // ReadWorkloadId reads a path below the own trust domain ("demo/web") or a
  // whole SPIFFE ID.
  absl::StatusOr<SpiffeId> ReadWorkloadId(const Field &field) const;

  // ReadConnection reads `connection: {tls: {mode, alpn, intercept}}`.
  absl::Status ReadConnection(const Field &field, TlsChoice &tls) const;

  // ReadAlpn reads a list of ALPN names.
  static absl::StatusOr<AlpnNames> ReadAlpn(const Field &list);

  // trust_domain returns the own one; empty: not known.
  const std::string &trust_domain() const { return trust_domain_; }

 private:
  std::string trust_domain_;
  bool riptides_;
  std::vector<std::string> *warnings_;
};

}  // namespace kith
