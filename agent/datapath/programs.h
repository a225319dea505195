// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "absl/status/statusor.h"

#include "agent/datapath/bpf_maps.h"
#include "agent/datapath/cgroup_claim.h"
#include "agent/datapath/pin_directory.h"

struct kith_bpf;

namespace kith {

// Programs owns the loaded hooks and attaches none. Immutable after Load.
class Programs {
 public:
  ~Programs();
  Programs(const Programs &) = delete;
  Programs &operator=(const Programs &) = delete;

  // Settings are constants by which the verifier prunes (bpf/settings.bpf.h).
  struct Settings {
    bool has_bypass_rules = false;
    bool gives_grants = false;
  };

  // Load verifies the programs. Maps that a former agent left pinned in `pins`
  // are reused if they have the same shape. FailedPrecondition says what the
  // kernel refused.
  static absl::StatusOr<std::unique_ptr<Programs>> Load(
      const ManagedCgroup &cgroup,
      const Settings &settings,
      const PinDirectory &pins);

  const kith_bpf &skeleton() const { return *skeleton_; }
  const bpf_object *object() const;
  const std::shared_ptr<BpfMaps> &maps() const { return maps_; }

  const Settings &settings() const { return settings_; }

  // inherited_maps tells whether the maps come from a former agent.
  bool inherited_maps() const { return inherited_maps_; }

 private:
  Programs() = default;

  kith_bpf *skeleton_ = nullptr;
  Settings settings_;
  std::shared_ptr<BpfMaps> maps_;
  bool inherited_maps_ = false;
};

}  // namespace kith
