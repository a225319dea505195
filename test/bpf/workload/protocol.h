// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "kith/endpoint.h"

namespace kith {

// What a test asks its workload process, over a SOCK_SEQPACKET socket pair. One
// reply for each request, with the descriptor of the socket that was made.
enum class WorkloadOp : uint32_t {
  kConnect,  // blocking
  kListen,
  kClose,  // every socket it has
  kExec,   // the same program again
  kFork,   // the descriptor leads to the child
  kSetUid,
  kUnshare,  // into a new network namespace
};

struct WorkloadRequest {
  WorkloadOp op = WorkloadOp::kClose;
  uint32_t family = 0;  // of the socket; AF_INET6 with IPv4 addresses: mapped
  Endpoint address;
  uint32_t v6only = 0;
  uint32_t reuse_port = 0;
  uint32_t uid = 0;
};

struct WorkloadReply {
  int32_t error = 0;  // errno
  uint32_t pid = 0;
};

// The workload finds its end of the socket pair here, also after exec.
constexpr int kWorkloadFd = 3;

}  // namespace kith
