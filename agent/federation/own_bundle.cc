// SPDX-License-Identifier: Apache-2.0
#include "agent/federation/own_bundle.h"

#include <algorithm>

#include "agent/federation/bundle_file.h"
#include "agent/runtime/text_file.h"

namespace kith {

namespace {

// The published part of a bundle: no CRLs, which change all the time.
Authorities Published(const Authorities &own) {
  return {own.trust_domain, own.certificates, own.jwt_keys};
}

}  // namespace

absl::StatusOr<std::string> OwnBundle::Document(const Authorities &own) {
  const Authorities authorities = Published(own);
  const absl::MutexLock lock(&mutex_);
  if (!last_.sequence.has_value()) {
    auto kept = ReadTextFile(file_);
    auto read = kept.ok() ? ParseBundleDocument(*kept, authorities.trust_domain)
                          : kept.status();
    last_ = read.ok() ? *std::move(read) : BundleDocument{};
  }
  const int64_t last = last_.sequence.value_or(0);
  const bool changed = last == 0 || last_.authorities != authorities;
  BundleDocument now{authorities, last, refresh_hint_};
  if (changed) {
    now.sequence = std::max<int64_t>(last + 1,
                                     std::chrono::floor<std::chrono::seconds>(
                                         clock_.Now().time_since_epoch())
                                         .count());
  }
  auto text = EncodeBundleDocument(now);
  if (!text.ok()) {
    return text;
  }
  if (changed) {
    if (absl::Status kept = WriteBundleFile(file_, *text); !kept.ok()) {
      return kept;
    }
    last_ = std::move(now);
  }
  return text;
}

}  // namespace kith
