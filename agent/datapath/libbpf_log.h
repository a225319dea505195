// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace kith {

// CaptureLibbpfLog stops libbpf from writing to standard error; warnings are
// kept for the thread that caused them. Idempotent.
void CaptureLibbpfLog();

// TakeLibbpfWarnings returns this thread's warnings since the last call, in one
// line, cut to a readable length.
std::string TakeLibbpfWarnings();

}  // namespace kith
