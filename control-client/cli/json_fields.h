// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "agent/admin/json_text.h"

namespace kith {

// The functions below read the agent's documents. The agent may have another
// version, so that an absent field, or one of another type, reads as empty and
// is no error. `path` is a JSON pointer (RFC 6901): "/process/pid".

// TextAt returns text unchanged, numbers in digits, booleans as yes and no.
std::string TextAt(const Json &json, const char *path);
uint64_t CountAt(const Json &json, const char *path);
bool BoolAt(const Json &json, const char *path);

// ListAt returns the array or object at `path`; an empty array if there is
// none.
const Json &ListAt(const Json &json, const char *path);

// JoinedAt returns the elements of a list of text: "a, b".
std::string JoinedAt(const Json &json, const char *path);

}  // namespace kith
