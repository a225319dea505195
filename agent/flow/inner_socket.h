// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "kith/endpoint.h"

namespace kith {

// InnerSocket identifies to the hooks a flow that another process opened.
struct InnerSocket {
  int fd;
  uint64_t netns_cookie = 0;
  Endpoint local;
  Endpoint remote;

  explicit InnerSocket(int socket);
};

}  // namespace kith
