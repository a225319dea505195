// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/attestor/attestor.h"

namespace kith {

// linuxos:* of this host, read once: linuxos:name (ID and NAME of
// os-release(5): "debian", "Debian GNU/Linux"), linuxos:version (VERSION_ID,
// VERSION and PRETTY_NAME), linuxos:kernel:release and linuxos:kernel:version
// (uname(2)). `os_release` are the files to try.
std::unique_ptr<Attestor> CreateOsAttestor(
    const std::vector<std::string> &os_release = {"/etc/os-release",
                                                  "/usr/lib/os-release"});

}  // namespace kith
