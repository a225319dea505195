// SPDX-License-Identifier: Apache-2.0
#include "agent/config/web_config_reader.h"

#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace kith {
namespace {

// Each has a thread and a bundle that handshakes search.
constexpr size_t kMaxTrustDomains = 64;

auto Path(std::string &out) {
  return Into(out, AbsolutePath);
}

template <typename Profile>
auto ProfileInto(Profile &out, std::vector<std::string_view> names) {
  return [&out, names](const Field &field) -> absl::Status {
    auto index = field.AsChoice(names);
    if (index.ok()) {
      out = static_cast<Profile>(*index);
    }
    return index.status();
  };
}

// "" is how a sample file says "none".
absl::Status ReadListen(const Field &field, std::optional<Endpoint> &listen) {
  if (field.IsScalar() && field.node().scalar.empty()) {
    return absl::OkStatus();
  }
  auto text = field.AsString();
  auto endpoint = text.ok() ? Endpoint::Parse(*text) : text.status();
  if (!endpoint.ok()) {
    return text.ok() ? field.Wrap(endpoint.status()) : text.status();
  }
  listen = *endpoint;
  return absl::OkStatus();
}

std::vector<KeyReader> EndpointReaders(WebEndpointConfig &out) {
  return {
      {"listen", [&out](const Field &f) { return ReadListen(f, out.listen); }},
      {"profile",
       ProfileInto(out.profile, {"https_spiffe", "https_web", "http"})},
      {"certificate", Path(out.certificate)},
      {"key", Path(out.key)}};
}

absl::Status CheckEndpoint(const Field &field, const WebEndpointConfig &read) {
  using Profile = WebEndpointConfig::Profile;
  const bool files = !read.certificate.empty() && !read.key.empty();
  const bool none = read.certificate.empty() && read.key.empty();
  if (read.profile == Profile::kHttpsWeb ? !files : !none) {
    return field.Error(
        "certificate and key go with profile https_web, both of them");
  }
  if (read.profile == Profile::kHttp && read.listen.has_value() &&
      !read.listen->IsLoopback()) {
    return field.Error(
        "profile http is for a loopback address, behind a proxy of this "
        "machine: use https_web or https_spiffe");
  }
  return absl::OkStatus();
}

absl::Status ReadUrl(const Field &field, FederatedDomainConfig &domain) {
  auto text = field.AsString();
  auto url = text.ok() ? ParseUrl(*text) : text.status();
  if (!url.ok()) {
    return text.ok() ? field.Wrap(url.status()) : text.status();
  }
  if (!url->tls) {
    return field.Error("a bundle is fetched with https only");
  }
  domain.url = *std::move(url);
  domain.source = *std::move(text);
  return absl::OkStatus();
}

absl::Status ReadName(const Field &field, std::string &name) {
  auto text = field.AsString();
  if (!text.ok()) {
    return text.status();
  }
  const std::string lower = absl::AsciiStrToLower(*text);
  name = absl::StripPrefix(lower, "spiffe://");
  const absl::Status valid = ValidateTrustDomain(name);
  return valid.ok() ? valid : field.Wrap(valid);
}

absl::Status ReadEndpointId(const Field &field, SpiffeId &id) {
  auto text = field.AsString();
  auto read = text.ok() ? SpiffeId::Parse(*text) : text.status();
  if (!read.ok()) {
    return text.ok() ? field.Wrap(read.status()) : text.status();
  }
  id = *std::move(read);
  return absl::OkStatus();
}

absl::Status CheckDomain(const Field &field, FederatedDomainConfig &read) {
  using Profile = FederatedDomainConfig::Profile;
  if (read.trust_domain.empty()) {
    return field.Error("needs name, the trust domain");
  }
  const bool file = read.profile == Profile::kFile;
  if (file ? read.bundle.empty() || !read.source.empty()
           : read.source.empty()) {
    return field.Error(
        "profile file needs bundle, a path; the others need url");
  }
  if (file) {
    read.source = read.bundle;
  }
  if (read.profile == Profile::kHttpsSpiffe) {
    if (read.bundle.empty() ||
        read.endpoint_id.trust_domain() != read.trust_domain) {
      return field.Error(
          "profile https_spiffe needs bundle, a file with the first bundle, "
          "and "
          "endpointSPIFFEID in the trust domain");
    }
  } else if (!read.endpoint_id.empty()) {
    return field.Error("endpointSPIFFEID goes with profile https_spiffe");
  }
  return absl::OkStatus();
}

absl::StatusOr<FederatedDomainConfig> ReadDomain(const Field &field) {
  FederatedDomainConfig domain;
  auto status = ReadMap(
      field,
      {{"name",
        [&](const Field &f) { return ReadName(f, domain.trust_domain); }},
       {"profile",
        ProfileInto(domain.profile, {"https_spiffe", "https_web", "file"})},
       {"url", [&](const Field &f) { return ReadUrl(f, domain); }},
       {"endpointSPIFFEID",
        [&](const Field &f) { return ReadEndpointId(f, domain.endpoint_id); }},
       {"bundle", Path(domain.bundle)},
       {"caFile", Path(domain.ca_file)}});
  if (status.ok()) {
    status = CheckDomain(field, domain);
  }
  return status.ok() ? absl::StatusOr<FederatedDomainConfig>(domain) : status;
}

absl::StatusOr<std::vector<FederatedDomainConfig>> ReadDomains(
    const Field &list) {
  auto items = list.Items(kMaxTrustDomains);
  if (!items.ok()) {
    return items.status();
  }
  std::vector<FederatedDomainConfig> domains;
  std::set<std::string> names;
  for (const Field &item : *items) {
    auto domain = ReadDomain(item);
    if (!domain.ok()) {
      return domain.status();
    }
    if (!names.insert(domain->trust_domain).second) {
      return item.Error("this trust domain is there twice");
    }
    domains.push_back(*std::move(domain));
  }
  return domains;
}

absl::Status ReadIssuerUrl(const Field &field, std::string &issuer) {
  auto text = field.AsString();
  auto url = text.ok() ? ParseUrl(*text) : text.status();
  if (!url.ok()) {
    return text.ok() ? field.Wrap(url.status()) : text.status();
  }
  // OpenID Connect Discovery 1.0 section 3: no query, and readers append
  // "/.well-known/openid-configuration".
  if (absl::StrContains(*text, '?') || absl::EndsWith(*text, "/")) {
    return field.Error("want no query and no slash at the end");
  }
  issuer = *std::move(text);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<FederationConfig> ReadFederation(const Field &field) {
  FederationConfig read;
  const auto serve = [&read](const Field &f) -> absl::Status {
    auto readers = EndpointReaders(read.serve);
    readers.push_back(
        {"refreshHint", Into(read.refresh_hint, [](const Field &hint) {
           return hint.AsDuration(FederationConfig::kMinRefresh,
                                  FederationConfig::kMaxRefresh);
         })});
    auto status = ReadMap(f, readers);
    return status.ok() ? CheckEndpoint(f, read.serve) : status;
  };
  auto status =
      ReadMap(field,
              {{"serve", serve},
               {"trustDomains", Into(read.trust_domains, ReadDomains)}});
  return status.ok() ? absl::StatusOr<FederationConfig>(read) : status;
}

absl::StatusOr<OidcConfig> ReadOidc(const Field &field) {
  OidcConfig read;
  auto readers = EndpointReaders(read.serve);
  readers.push_back({"issuer", [&read](const Field &f) {
                       return f.IsScalar() && f.node().scalar.empty()
                                  ? absl::OkStatus()
                                  : ReadIssuerUrl(f, read.issuer);
                     }});
  auto status = ReadMap(field, readers);
  if (status.ok()) {
    status = CheckEndpoint(field, read.serve);
  }
  if (status.ok() && read.serve.listen.has_value() && read.issuer.empty()) {
    status = field.Error("listen needs issuer, the URL that readers know");
  }
  return status.ok() ? absl::StatusOr<OidcConfig>(read) : status;
}

}  // namespace kith
