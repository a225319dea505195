// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "agent/checkpoint/journal.h"
#include "agent/checkpoint/secret_memfd.h"
#include "agent/checkpoint/store_messages.h"
#include "agent/checkpoint/stored_flow.h"
#include "agent/runtime/stored_descriptors.h"

namespace kith {

// FlowStore keeps open flows where they outlive this process: the service
// manager holds their sockets, the journal of their positions, and their
// secrets, and passes them to the next process (sd_notify(3), FDSTORE).
// Thread-safe.
class FlowStore {
 public:
  // Kept is a flow's slot. Destruction frees the slot; afterwards only the
  // owner of the sockets holds them.
  class Kept {
   public:
    Kept(FlowStore &store, size_t slot, bool stored)
        : store_(store), slot_(slot), stored_(stored) {}
    ~Kept() { store_.Drop(slot_, stored_); }
    Kept(const Kept &) = delete;
    Kept &operator=(const Kept &) = delete;

    CheckpointPlace place() const;
    // Fill writes the description of the flow, whose positions are entered, and
    // gives the flow to the service manager.
    void Fill(const std::string &description, const RelayOutline &outline);
    size_t slot() const { return slot_; }

   private:
    FlowStore &store_;
    const size_t slot_;
    bool stored_;  // with the service manager
  };

  // Found is a flow of the former agent.
  struct Found {
    StreamCheckpoint flow;
    std::shared_ptr<Kept> kept;
  };

  // Create takes what the service manager passed. FailedPrecondition: there is
  // no service manager, or no memory for secrets that outlives the process.
  // `parent`: see StoreMessages.
  static absl::StatusOr<std::unique_ptr<FlowStore>> Create(
      std::vector<NamedDescriptor> passed, FileDescriptor parent);
  // Discard makes the service manager drop what it passed; the sockets are
  // reset. Returns the number of dropped flows.
  static size_t Discard(std::vector<NamedDescriptor> passed);
  ~FlowStore();
  FlowStore(const FlowStore &) = delete;
  FlowStore &operator=(const FlowStore &) = delete;

  // TakeFound returns the flows of the former agent. Destroying one resets its
  // sockets.
  std::vector<Found> TakeFound() { return std::move(found_); }
  const std::vector<Found> &found() const { return found_; }

  // Leave keeps everything as it was found, for another process. No flow may
  // have been resumed.
  void Leave();

  // Reserve returns a free slot; ResourceExhausted at Journal::kSlots.
  absl::StatusOr<std::shared_ptr<Kept>> Reserve();
  size_t kept() const;

 private:
  explicit FlowStore(FileDescriptor parent)
      : messages_(std::move(parent)), taken_(Journal::kSlots) {}
  absl::Status OpenMemory(std::vector<NamedDescriptor> &passed);
  void Find(std::vector<NamedDescriptor> &passed);
  void FindOne(const std::string &name, std::vector<FileDescriptor> sockets);
  void Drop(size_t slot, bool stored);

  StoreMessages messages_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<SecretMemfd> secrets_;
  mutable std::mutex mutex_;
  std::vector<bool> taken_;
  size_t next_ = 0;  // where a free slot may be
  size_t count_ = 0;
  bool left_ = false;
  std::vector<Found> found_;
};

}  // namespace kith
