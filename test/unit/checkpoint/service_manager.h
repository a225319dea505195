// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "agent/runtime/file_descriptor.h"
#include "agent/runtime/stored_descriptors.h"

namespace kith {

// ServiceManager is what sd_notify(3) talks to while it lives. It reads when it
// is told to.
class ServiceManager {
 public:
  struct Message {
    std::string text;
    std::vector<FileDescriptor> descriptors;
  };

  ServiceManager();
  ~ServiceManager();
  ServiceManager(const ServiceManager &) = delete;
  ServiceManager &operator=(const ServiceManager &) = delete;

  // Read waits for the next message.
  Message Read();

  // StoredUntil reads messages until one that stores descriptors under a name
  // that begins so, and returns all that were stored.
  std::vector<NamedDescriptor> StoredUntil(const std::string &name);

 private:
  const std::string path_;
  FileDescriptor socket_;
};

}  // namespace kith
