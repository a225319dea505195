// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "absl/status/status.h"

namespace kith {

// The functions below report the state of the agent to the service manager, by
// the datagram protocol of sd_notify(3). Without NOTIFY_SOCKET in the
// environment they do nothing and return OK. `status` is one line for
// `systemctl status`.
absl::Status NotifyReady(std::string_view status);
absl::Status NotifyStopping(std::string_view status);
// NotifyReloading must be followed by NotifyReady when the reload has ended.
absl::Status NotifyReloading();
absl::Status NotifyStatus(std::string_view status);

// HasServiceManager returns whether NOTIFY_SOCKET is set.
bool HasServiceManager();
// StoreDescriptors makes the service manager keep duplicates of the descriptors
// under `name` (no colon or newline) until RemoveStored, even if their other
// end closes. Both functions block while the manager is busy.
absl::Status StoreDescriptors(std::string_view name,
                              std::span<const int> descriptors);
absl::Status RemoveStored(std::string_view name);

}  // namespace kith
