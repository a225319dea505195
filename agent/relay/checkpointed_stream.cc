// SPDX-License-Identifier: Apache-2.0
#include "agent/relay/checkpointed_stream.h"

#include <sys/socket.h>

#include "absl/strings/str_cat.h"

namespace kith {

// TCP copies nothing here (tcp(7), MSG_TRUNC).
size_t Discard(int fd, size_t length) {
  size_t done = 0;
  while (done < length) {
    const ssize_t count =
        recv(fd, nullptr, length - done, MSG_DONTWAIT | MSG_TRUNC);
    if (count <= 0) {
      break;
    }
    done += static_cast<size_t>(count);
  }
  return done;
}

void CheckpointedStream::Enter(CheckpointEntry *entry,
                               CheckpointSecrets secrets) {
  Attach(entry, secrets);
  Commit();
}

void CheckpointedStream::Begin(size_t source, size_t target, bool key_update) {
  if (replaying_) {
    replaying_ = false;
    if (source != position_.source_chunk || target != position_.target_chunk) {
      replayed_ = absl::DataLossError(absl::StrCat("a chunk of ",
                                                   position_.source_chunk,
                                                   " bytes came out as one of ",
                                                   source));
    }
    return;
  }
  position_.source_chunk = static_cast<uint32_t>(source);
  position_.target_chunk = static_cast<uint32_t>(target);
  position_.key_update = key_update;
  Commit();
}

// Only this process knows the state after the chunk: the journal must have it
// before the bytes are taken from the source.
void CheckpointedStream::Complete() {
  const size_t length = position_.source_chunk;
  position_.target += position_.target_chunk;
  position_.source_chunk = position_.target_chunk = 0;
  position_.key_update = false;
  position_.discard = length;
  Commit();
  if (length > 0) {
    (void)Discard(source_, length);
  }
  position_.source += length;
  position_.discard = 0;  // in the journal with the next chunk
}

void CheckpointedStream::CompletePart(size_t source, size_t records) {
  (void)Discard(source_, source);
  position_.source += source;
  position_.sequence += records;
  position_.source_chunk = 0;
  Commit();
}

void CheckpointedStream::SetExact(bool exact) {
  position_.exact = exact;
  Commit();
}

void CheckpointedStream::End() {
  position_.phase = CheckpointPosition::Phase::kEnded;
  Commit();
}

void CheckpointedStream::Release(size_t source) {
  SetExact(false);
  (void)Discard(source_, source);
  position_.source_chunk = position_.target_chunk = 0;
  entry_ = nullptr;
}

void CheckpointedStream::StoreSecret(const TrafficKey &key) {
  if (entry_ != nullptr) {
    key.CopySecretTo(secrets_[key.generation() & 1]);
  }
}

}  // namespace kith
