// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "kith/endpoint.h"
#include "kith/flow_origin.h"
#include "kith/process.h"

namespace kith {

// Capture reads what the hooks recorded about captured connections, and tells
// the hooks what not to capture any more. Thread-safe.
class Capture {
 public:
  virtual ~Capture() = default;

  // FindOrigin returns the origin of an accepted inner connection: `listener`
  // and `application` are its getsockname() and getpeername(). NotFound: no
  // hook saw the connection, because a client dialled the listener directly.
  virtual absl::StatusOr<FlowOrigin> FindOrigin(
      uint64_t netns_cookie,
      const Endpoint &listener,
      const Endpoint &application) = 0;

  // ForgetOrigin removes the record of an outbound flow that has ended.
  virtual void ForgetOrigin(uint64_t netns_cookie,
                            const Endpoint &listener,
                            const Endpoint &application) = 0;

  // FindListener returns the listener at `local` (exact address, then the
  // wildcards, as the kernel chooses). NotFound: no process of the managed
  // cgroup listens there.
  virtual absl::StatusOr<Listener> FindListener(uint64_t netns_cookie,
                                                const Endpoint &local) = 0;

  // ResolveListener searches again for the live process that holds the
  // listening socket at `local` (its owner may have exited and left the socket
  // to a child), updates the table and returns the new entry. NotFound: no
  // process holds the socket; the entry is removed.
  virtual absl::StatusOr<Listener> ResolveListener(uint64_t netns_cookie,
                                                   const Endpoint &local) = 0;

  // SetProcessVerdict and SetListenerVerdict set verdicts for `generation`.
  virtual absl::Status SetProcessVerdict(const ProcessFacts &process,
                                         ProcessVerdict verdict,
                                         uint64_t generation) = 0;
  virtual absl::Status SetListenerVerdict(uint64_t netns_cookie,
                                          const Endpoint &local,
                                          ProcessVerdict verdict,
                                          uint64_t generation) = 0;

  // LeaveDestinationAlone ends the capture of a process's flows to one
  // destination; the process's other flows are captured.
  virtual absl::Status LeaveDestinationAlone(const ProcessFacts &process,
                                             uint64_t netns_cookie,
                                             const Endpoint &destination,
                                             uint64_t generation) = 0;

  // SetPolicyGeneration voids every verdict of another generation.
  virtual void SetPolicyGeneration(uint64_t generation) = 0;
};

}  // namespace kith
