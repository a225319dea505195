// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace kith {

enum class LogFormat { kJson, kText };
enum class LogLevel { kDebug, kInfo, kWarning, kError };

}  // namespace kith
