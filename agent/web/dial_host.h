// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/statusor.h"

#include "agent/runtime/file_descriptor.h"
#include "agent/types/url.h"
#include "agent/web/io_deadline.h"

namespace kith {

// DialHost returns a non-blocking socket that is connected to the host of
// `url`, by the first of its addresses that answers. Names are looked up in
// /etc/hosts and by DNS, which blocks for as long as resolv.conf(5) says.
// Unavailable says what failed.
absl::StatusOr<FileDescriptor> DialHost(const Url &url,
                                        const IoDeadline &deadline);

}  // namespace kith
