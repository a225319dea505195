// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "agent/attestor/attestor.h"

namespace kith {

// process:name: comm, and the base name of the executable.
std::unique_ptr<Attestor> CreateNameAttestor();

// process:cmdline: the arguments joined by spaces.
std::unique_ptr<Attestor> CreateCmdlineAttestor();

// process:binary:path: the path in the process's own mount namespace.
std::unique_ptr<Attestor> CreateBinaryPathAttestor();

// process:uid, process:gid and their :effective, as the kernel told the hook,
// in the initial user namespace.
std::unique_ptr<Attestor> CreateEffectiveUserAttestor();

// process:uid:real, process:gid:real, process:gid:additional. Aborted if the
// process changed its user since the hook saw it.
std::unique_ptr<Attestor> CreateRealUserAttestor();

}  // namespace kith
