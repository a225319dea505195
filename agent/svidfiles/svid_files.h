// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

namespace kith {

struct AgentStages;

// SvidFiles keeps the files that documents ask for (svid.x509.files and
// svid.jwt.files): for each user that has a live process of such an identity,
// below Config::svid_files. They are renewed with the SVID, and gone within a
// second of the last process, of the identity, or of the agent.
//
// A thread of its own: it looks at all processes, and the issuer may block.
class SvidFiles {
 public:
  // Create starts nothing yet. `stages` must outlive the result.
  static std::unique_ptr<SvidFiles> Create(AgentStages *stages);
  virtual ~SvidFiles() = default;  // stops

  virtual void Start() = 0;
  // Notify tells that SVIDs, bundles or documents have changed. Thread-safe.
  virtual void Notify() = 0;
  // Stop removes all files.
  virtual void Stop() = 0;
};

}  // namespace kith
