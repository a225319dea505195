// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"

#include "agent/identity/svid_store.h"
#include "agent/policy/identify.h"
#include "agent/svidfiles/live_identities.h"
#include "agent/svidfiles/memory_directory.h"
#include "agent/svidfiles/svid_file_writer.h"

namespace kith {

// SvidFiles maintains the files that documents ask for (svid.x509.files and
// svid.jwt.files): for each user with a live process of such an identity, below
// Config::svid_files. It renews them with the SVID, and removes them within a
// second of the end of the last process, of the identity, or of the agent.
//
// It has a thread of its own: it reads all processes, and the issuer may block.
class SvidFiles {
 public:
  // Parts outlive the object, which writes files from Start on.
  struct Parts {
    std::string root;  // Config::svid_files
    SvidStore &svids;
    HostFacts &host;
    WorkloadAttestor &attestor;
    CurrentResources resources;
  };

  explicit SvidFiles(Parts parts);
  ~SvidFiles() { Stop(); }
  SvidFiles(const SvidFiles &) = delete;
  SvidFiles &operator=(const SvidFiles &) = delete;

  void Start();
  // Notify reports changed SVIDs, bundles or documents. Thread-safe.
  void Notify();
  // Stop removes all files.
  void Stop();

 private:
  using Identity = std::shared_ptr<const WorkloadIdentity>;

  void Run();
  bool WaitForNews();
  void Refresh();
  bool OpenRoot();
  std::map<FilePlace, Identity> Wanted();
  void Update(const FilePlace &place, const Identity &identity);
  void Drop(const FilePlace &place);
  static void Report(std::string &last, const absl::Status &status);

  const Parts parts_;
  std::optional<MemoryDirectory> root_;
  std::string root_error_;
  std::string bound_error_;
  LiveIdentities identities_;
  std::map<FilePlace, WrittenFiles> written_;

  absl::Mutex mutex_;
  bool changed_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace kith
