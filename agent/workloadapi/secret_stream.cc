// SPDX-License-Identifier: Apache-2.0
#include "agent/workloadapi/secret_stream.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/workloadapi/secret_discovery.pb.h"
#include "agent/workloadapi/secret_messages.h"

namespace kith {

absl::Status SecretStream::Take(std::string_view request) {
  sds::DiscoveryRequest parsed;
  if (!parsed.ParseFromArray(request.data(),
                             static_cast<int>(request.size()))) {
    return absl::InternalError("the request is no DiscoveryRequest");
  }
  if (!parsed.type_url().empty() && parsed.type_url() != kSecretType) {
    return absl::InvalidArgumentError(
        absl::StrCat("resources here are of type ", kSecretType));
  }
  if (parsed.response_nonce().empty() ||
      parsed.response_nonce() == absl::StrCat(version_)) {
    names_ = {parsed.resource_names().begin(), parsed.resource_names().end()};
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const GrpcMessage>> SecretStream::Next(
    const SpiffeId &id, WorkloadApiSource &source) {
  const auto bundle = source.bundle(id);
  if (bundle == nullptr) {
    return absl::UnavailableError("the trust bundle is not there yet");
  }
  auto resources = FindSecrets(names_, id, *bundle);
  if (!resources.ok()) {
    return resources.status();
  }
  const auto is_certificate = [](const SecretResource &resource) {
    return resource.kind == SecretResource::Kind::kCertificate;
  };
  Contents contents{id, names_, nullptr, nullptr};
  if (std::ranges::any_of(*resources, is_certificate)) {
    auto svid = source.GetX509Svid(id);
    if (!svid.ok()) {
      return svid.status();
    }
    contents.svid = *std::move(svid);
  }
  if (!std::ranges::all_of(*resources, is_certificate)) {
    contents.bundle = bundle;
  }
  if (has_sent() && contents == sent_) {
    return nullptr;
  }
  auto response = SecretsResponse(
      *resources, absl::StrCat(version_ + 1), contents.svid.get(), *bundle);
  if (response.ok()) {
    ++version_;
    sent_ = std::move(contents);
  }
  return response;
}

}  // namespace kith
