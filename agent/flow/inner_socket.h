// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "kith/endpoint.h"

namespace kith {

// InnerSocket is what the hooks know a flow by that another process has opened.
struct InnerSocket {
  int fd;
  uint64_t netns_cookie = 0;
  Endpoint local;
  Endpoint remote;

  explicit InnerSocket(int socket);
};

}  // namespace kith
