// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace kith {

// ExitCode is what `kith` returns to the shell; documented in README.md.
enum ExitCode : int {
  kExitOk = 0,
  kExitNegative = 1,     // the answer is "no", or an error
  kExitUsage = 2,        // the command line is wrong
  kExitUnreachable = 3,  // no agent answers on the socket
};

}  // namespace kith
