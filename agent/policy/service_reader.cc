// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/service_reader.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace kith {
namespace {

absl::StatusOr<std::vector<SelectorTerm>> ReadLabels(const Field &field) {
  auto entries = field.Entries(kMaxServiceLabels);
  if (!entries.ok()) {
    return entries.status();
  }
  std::vector<SelectorTerm> labels;
  for (const auto &[key, value] : *entries) {
    auto text = value.AsText();
    if (!text.ok()) {
      return text.status();
    }
    labels.push_back({key, {*std::move(text)}});
  }
  return labels;
}

absl::Status ReadNetwork(const Field &field,
                         const DocumentScope &scope,
                         std::optional<Prefix> &network) {
  auto text = field.AsString();
  if (!text.ok()) {
    return text.status();
  }
  auto prefix = Prefix::Parse(*text);
  if (!prefix.ok()) {
    return scope.IgnoreRiptides(
        field,
        absl::StrCat(prefix.status().message(),
                     "; host names are not supported by this version"));
  }
  network = *prefix;
  return absl::OkStatus();
}

// Returns nothing for an address that a Riptides document may have.
absl::StatusOr<std::optional<ServiceAddress>> ReadAddress(
    const Field &field, const DocumentScope &scope) {
  std::optional<Prefix> network;
  uint32_t port = 0;
  const auto ignore = [&scope](const Field &f) {
    return scope.IgnoreRiptides(f, "is not supported by this version");
  };
  const std::vector<KeyReader> readers = {
      {"address",
       [&](const Field &f) { return ReadNetwork(f, scope, network); }},
      {"port",
       Into(port, [](const Field &f) { return f.AsInteger(1, UINT16_MAX); })},
      {"tags", ignore},
      {"aliases", ignore},
      {"networkNames", ignore},
      {"networkPrefixes", ignore}};
  if (auto status = ReadMap(field, readers); !status.ok()) {
    return status;
  }
  if (field.Find("address") == nullptr) {
    return field.Error("needs address");
  }
  if (!network.has_value()) {
    return std::nullopt;
  }
  return ServiceAddress{*network, static_cast<uint16_t>(port)};
}

absl::StatusOr<std::vector<ServiceAddress>> ReadAddresses(
    const Field &list, const DocumentScope &scope) {
  auto items = list.Items(kMaxServiceAddresses);
  if (!items.ok()) {
    return items.status();
  }
  std::vector<ServiceAddress> addresses;
  for (const Field &item : *items) {
    auto address = ReadAddress(item, scope);
    if (!address.ok()) {
      return address.status();
    }
    if (address->has_value()) {
      addresses.push_back(**address);
    }
  }
  return addresses;
}

}  // namespace

absl::StatusOr<Service> ReadService(const Field &spec,
                                    const DocumentScope &scope) {
  Service service;
  const std::vector<KeyReader> readers = {
      {"labels", Into(service.labels, ReadLabels)},
      {"addresses",
       Into(service.addresses,
            [&](const Field &f) { return ReadAddresses(f, scope); })},
      {"workloadID",
       Into(service.workload_id,
            [&](const Field &f) { return scope.ReadWorkloadId(f); })},
      {"alpn", Into(service.alpn, DocumentScope::ReadAlpn)},
      {"external",
       Into(service.external, [](const Field &f) { return f.AsBool(); })}};
  if (auto status = ReadMap(spec, readers); !status.ok()) {
    return status;
  }
  if (service.external && service.workload_id.has_value()) {
    return spec.Error("an external Service is no workload: remove workloadID");
  }
  if (service.addresses.empty()) {
    auto status = scope.IgnoreRiptides(
        spec, "has no address that can be used: it is no flow's destination");
    if (!status.ok()) {
      return status;
    }
  }
  return service;
}

}  // namespace kith
