// SPDX-License-Identifier: Apache-2.0
#include "agent/federation/federation.h"

#include <errno.h>
#include <sys/eventfd.h>

#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/identity/bundle_document.h"
#include "agent/identity/joined_bundle.h"
#include "agent/runtime/text_file.h"
#include "agent/web/web_fetch.h"

namespace kith {
namespace {

// Reading a file is cheap.
constexpr std::chrono::seconds kFileRefresh{5};

absl::StatusOr<std::string> Fetch(const FederatedDomainConfig &domain,
                                  const Federation::Bundle &last,
                                  int stop_fd) {
  if (domain.profile == FederatedDomainConfig::Profile::kFile) {
    return ReadTextFile(domain.bundle);
  }
  WebRequest request;
  request.url = domain.url;
  request.ca_file = domain.ca_file;
  request.max_bytes = kMaxBundleBytes;
  request.stop_fd = stop_fd;
  if (domain.profile == FederatedDomainConfig::Profile::kHttpsSpiffe) {
    request.server = SpiffeServer{domain.endpoint_id, last};
  }
  return FetchWeb(request);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Federation>> Federation::Create(
    Options options) {
  FileDescriptor stop(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop.valid()) {
    return absl::ErrnoToStatus(errno, "eventfd");
  }
  auto federation =
      std::unique_ptr<Federation>(new Federation(std::move(stop)));
  for (FederatedDomainConfig &domain : options.trust_domains) {
    BundleFollower::Options follower;
    follower.trust_domain = domain.trust_domain;
    follower.source = domain.source;
    follower.fetch = [domain,
                      fd = federation->stop_.get()](const Bundle &last) {
      return Fetch(domain, last, fd);
    };
    follower.min_refresh = FederationConfig::kMinRefresh;
    follower.max_refresh = FederationConfig::kMaxRefresh;
    follower.on_attempt = options.on_attempt;
    if (domain.profile == FederatedDomainConfig::Profile::kFile) {
      follower.refresh = follower.max_refresh = kFileRefresh;
    } else {
      follower.first_bundle = domain.bundle;
      follower.kept_bundle = absl::StrCat(
          options.state_dir, "/federation/", domain.trust_domain, ".json");
    }
    federation->followers_[domain.trust_domain] =
        std::make_unique<BundleFollower>(std::move(follower));
  }
  return federation;
}

Federation::~Federation() {
  Stop();
}

void Federation::Stop() {
  (void)eventfd_write(stop_.get(), 1);
  for (const auto &[name, follower] : followers_) {
    follower->Stop();
  }
}

std::vector<FollowedBundle> Federation::List() const {
  std::vector<FollowedBundle> list;
  for (const auto &[name, follower] : followers_) {
    list.push_back(follower->state());
  }
  return list;
}

Federation::Bundle Federation::JoinAll(const Bundle &own) const {
  std::vector<std::string> names;
  for (const auto &[name, follower] : followers_) {
    names.push_back(name);
  }
  return JoinThese(own, std::move(names));
}

Federation::Bundle Federation::Join(
    const Bundle &own, const std::vector<std::string> &federates_with) const {
  std::vector<std::string> names;
  for (const std::string &name : federates_with) {
    if (followers_.contains(name)) {
      names.push_back(name);
    }
  }
  return JoinThese(own, std::move(names));
}

Federation::Bundle Federation::JoinThese(const Bundle &own,
                                         std::vector<std::string> names) const {
  std::vector<Bundle> foreign;
  for (const std::string &name : names) {
    if (Bundle known = followers_.at(name)->bundle(); known != nullptr) {
      foreign.push_back(std::move(known));
    }
  }
  if (own == nullptr || foreign.empty()) {
    return own;
  }
  const absl::MutexLock lock(&mutex_);
  if (joined_.size() >= kMaxJoined) {
    joined_.clear();
  }
  Joined &joined = joined_[std::move(names)];
  if (joined.result == nullptr || joined.own != own ||
      joined.foreign != foreign) {
    Bundle result = own;
    for (const Bundle &each : foreign) {
      result = JoinBundles(std::move(result), each);
    }
    joined = {own, std::move(foreign), std::move(result)};
  }
  return joined.result;
}

}  // namespace kith
