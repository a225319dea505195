// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "absl/status/status.h"

namespace kith {

// These tell the service manager about the state of the agent, by the datagram
// protocol of sd_notify(3). Without NOTIFY_SOCKET in the environment they do
// nothing and return OK. `status` is one line for `systemctl status`.
absl::Status NotifyReady(std::string_view status);
absl::Status NotifyStopping(std::string_view status);
// NotifyReloading is followed by NotifyReady when the reload has ended.
absl::Status NotifyReloading();
absl::Status NotifyStatus(std::string_view status);

// HasServiceManager returns whether NOTIFY_SOCKET is set.
bool HasServiceManager();
// StoreDescriptors has the service manager keep duplicates of the descriptors
// under `name` (no colon or newline) until RemoveStored; an end of theirs does
// not remove them. Both block while the manager is busy.
absl::Status StoreDescriptors(std::string_view name,
                              std::span<const int> descriptors);
absl::Status RemoveStored(std::string_view name);

}  // namespace kith
