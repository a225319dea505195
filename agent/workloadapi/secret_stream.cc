// SPDX-License-Identifier: Apache-2.0
#include "agent/workloadapi/secret_stream.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/workloadapi/discovery_requests.pb.h"
#include "agent/workloadapi/secret_messages.h"

namespace kith {
namespace {

// The wildcard in its explicit form.
constexpr char kEverything[] = "*";

// AsksForSecrets returns whether a request is about secrets, or that it must
// be.
absl::StatusOr<bool> AsksForSecrets(std::string_view type_url,
                                    SecretTypeUrl rule) {
  if (type_url == kSecretType ||
      (type_url.empty() && rule == SecretTypeUrl::kOptional)) {
    return true;
  }
  if (!type_url.empty() && rule == SecretTypeUrl::kRequired) {
    return false;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "resources here are of type ", kSecretType, ", not '", type_url, "'"));
}

}  // namespace

absl::Status WholeSecretStream::Take(std::string_view request) {
  envoy::service::discovery::v3::DiscoveryRequest parsed;
  if (!parsed.ParseFromArray(request.data(),
                             static_cast<int>(request.size()))) {
    return absl::InternalError("the request is no DiscoveryRequest");
  }
  const auto about_secrets = AsksForSecrets(parsed.type_url(), type_);
  if (!about_secrets.ok() || !*about_secrets) {
    return about_secrets.status();
  }
  // A nonce of a former stream is ignored before the first response.
  if (version_ > 0 && !parsed.response_nonce().empty() &&
      parsed.response_nonce() != absl::StrCat(version_)) {
    return absl::OkStatus();
  }
  wanted_.names = {parsed.resource_names().begin(),
                   parsed.resource_names().end()};
  has_named_ = has_named_ || !wanted_.names.empty();
  wanted_.all = wanted_.names.erase(kEverything) > 0 || !has_named_;
  // A removed resource is sent again if it is wanted again.
  std::erase_if(sent_, [this](const auto &sent) {
    return !wanted_.all && !wanted_.names.contains(sent.first);
  });
  return absl::OkStatus();
}

absl::StatusOr<SecretStream::Message> WholeSecretStream::Next(
    const SpiffeId &id, WorkloadApiSource &source) {
  auto secrets = CurrentSecrets(wanted_, id, source);
  if (!secrets.ok()) {
    return secrets.status();
  }
  std::map<std::string, std::string> versions;
  for (const SecretState &secret : *secrets) {
    versions[secret.name] = secret.version;
  }
  if (secrets->empty() || (version_ > 0 && versions == sent_)) {
    return nullptr;
  }
  auto response = SecretsResponse(*secrets, absl::StrCat(version_ + 1));
  if (response.ok()) {
    ++version_;
    sent_ = std::move(versions);
  }
  return response;
}

absl::Status ChangingSecretStream::Take(std::string_view request) {
  envoy::service::discovery::v3::DeltaDiscoveryRequest parsed;
  if (!parsed.ParseFromArray(request.data(),
                             static_cast<int>(request.size()))) {
    return absl::InternalError("the request is no DeltaDiscoveryRequest");
  }
  const auto about_secrets = AsksForSecrets(parsed.type_url(), type_);
  if (!about_secrets.ok() || !*about_secrets) {
    return about_secrets.status();
  }
  if (!std::exchange(asked_, true)) {
    wanted_.all = parsed.resource_names_subscribe().empty();
    sent_.insert(parsed.initial_resource_versions().begin(),
                 parsed.initial_resource_versions().end());
  } else {
    // A repeated subscription is answered again.
    for (const std::string &name : parsed.resource_names_subscribe()) {
      sent_.erase(name);
    }
  }
  for (const std::string &name : parsed.resource_names_subscribe()) {
    wanted_.names.insert(name);
  }
  for (const std::string &name : parsed.resource_names_unsubscribe()) {
    wanted_.names.erase(name);
    resolved_.erase(name);
    wanted_.all = wanted_.all && name != kEverything;
  }
  wanted_.all = wanted_.names.erase(kEverything) > 0 || wanted_.all;
  return absl::OkStatus();
}

absl::StatusOr<SecretNames> ChangingSecretStream::StillThere(
    const SpiffeId &id, WorkloadApiSource &source) const {
  const auto bundle = source.bundle(id);
  if (bundle == nullptr) {
    return absl::UnavailableError("the trust bundle is not there yet");
  }
  SecretNames there{.names = {}, .all = wanted_.all};
  for (const std::string &name : wanted_.names) {
    const auto found = FindSecrets({.names = {name}}, id, *bundle);
    if (found.ok()) {
      there.names.insert(name);
    } else if (!resolved_.contains(name)) {
      return found.status();
    }
  }
  return there;
}

absl::StatusOr<SecretStream::Message> ChangingSecretStream::Next(
    const SpiffeId &id, WorkloadApiSource &source) {
  auto there = StillThere(id, source);
  if (!there.ok()) {
    return there.status();
  }
  auto secrets = CurrentSecrets(*there, id, source);
  if (!secrets.ok()) {
    return secrets.status();
  }
  has_answered_ = true;
  resolved_.insert(there->names.begin(), there->names.end());
  std::map<std::string, std::string> before = std::exchange(sent_, {});
  std::vector<SecretState> changed;
  for (SecretState &secret : *secrets) {
    sent_[secret.name] = secret.version;
    const auto known = before.find(secret.name);
    const bool is_known =
        known != before.end() && known->second == secret.version;
    if (known != before.end()) {
      before.erase(known);
    }
    if (!is_known) {
      changed.push_back(std::move(secret));
    }
  }
  // Resources that the peer has and wants, and that no longer exist.
  std::vector<std::string> removed;
  for (const auto &[name, version] : before) {
    if (wanted_.all || wanted_.names.contains(name)) {
      removed.push_back(name);
    }
  }
  if (changed.empty() && removed.empty()) {
    return nullptr;
  }
  return SecretsChanges(changed, removed, absl::StrCat(++nonce_));
}

}  // namespace kith
