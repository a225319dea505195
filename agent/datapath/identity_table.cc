// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/identity_table.h"

#include <cstring>
#include <string_view>

namespace kith {
namespace {

class EnteredIdentity final : public ShownIdentity {
 public:
  EnteredIdentity(std::shared_ptr<BpfMaps> maps, uint64_t socket_cookie)
      : maps_(std::move(maps)), socket_cookie_(socket_cookie) {}
  EnteredIdentity(const EnteredIdentity &) = delete;
  EnteredIdentity &operator=(const EnteredIdentity &) = delete;
  ~EnteredIdentity() override {
    if (!left_) {
      (void)maps_->identities.Delete(socket_cookie_);
    }
  }
  void LeaveToChild() override { left_ = true; }

 private:
  std::shared_ptr<BpfMaps> maps_;
  uint64_t socket_cookie_;
  bool left_ = false;
};

// A truncated SPIFFE ID is another SPIFFE ID: all of it is entered, or none.
template <size_t size>
absl::Status Write(std::string_view text, char (&out)[size]) {
  if (text.size() >= size) {
    return absl::InvalidArgumentError(absl::StrCat(
        "getsockopt() has room for ", size - 1, " bytes, not for ", text));
  }
  std::memcpy(out, text.data(), text.size());
  return absl::OkStatus();
}

absl::StatusOr<socket_identity> EntryOf(const IdentityFacts &facts) {
  socket_identity identity{};
  shown_identity &shown = identity.shown;
  shown.enabled = facts.mutual_tls ? 1 : 0;
  for (absl::Status written :
       {Write(facts.mutual_tls ? "MUTUAL" : "", shown.mtls_type),
        Write(facts.spiffe_id, shown.spiffe_id),
        Write(facts.peer_spiffe_id, shown.peer_spiffe_id),
        Write(facts.alpn, shown.alpn)}) {
    if (!written.ok()) {
      return written;
    }
  }
  return identity;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ShownIdentity>> Show(
    std::shared_ptr<BpfMaps> maps,
    uint64_t socket_cookie,
    const IdentityFacts &facts) {
  auto identity = EntryOf(facts);
  if (!identity.ok()) {
    return identity.status();
  }
  if (absl::Status entered =
          maps->identities.Update(socket_cookie, *identity, BPF_ANY);
      !entered.ok()) {
    return entered;
  }
  return std::make_unique<EnteredIdentity>(std::move(maps), socket_cookie);
}

}  // namespace kith
