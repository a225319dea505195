// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "agent/handshake/tls_stream.h"
#include "agent/relay/buffer_pool.h"
#include "agent/relay/conveyor.h"

namespace kith {

// OpeningConveyor carries the peer's TLS records to the application: many
// records are read at once, decrypted in place and written from there.
class OpeningConveyor final : public Conveyor {
 public:
  // Pieces of plaintext per write: a full buffer of full records, and enough
  // for small records.
  static constexpr size_t kMaxPieces = 16;

  // A KeyUpdate that the peer asks for goes to the stream's writer. If the
  // kernel receives, this conveyor opens the bytes that came with the
  // handshake, up to the end of a record, and a KernelReceivingConveyor
  // replaces it.
  OpeningConveyor(BufferPool &pool,
                  TlsStream &stream,
                  std::atomic<uint64_t> &bytes_read);

  LoadResult Load(int fd) override;
  void Rest() override;
  std::unique_ptr<Conveyor> Successor(int fd) override;
  ConveyorState Export() override;
  absl::Status Import(const ConveyorState &state) override;
  bool CanEnter() const override;
  void Describe(CheckpointPosition &position) const override;

 private:
  LoadResult Peek(int fd);
  LoadResult AwaitRest(int fd);
  void EnlargeBuffer(int fd);
  void SetLeast(int fd, size_t bytes);
  bool Holds() const { return begin_ < end_; }
  void OpenRecords();
  void Take(const OpenedRecord &opened);
  void MakeRoom();
  std::span<uint8_t> Room() const;

  BufferPool &pool_;
  TlsStream &stream_;
  std::atomic<uint64_t> &bytes_read_;
  Buffer buffer_;
  size_t begin_ = 0;  // of the bytes that are still encrypted
  size_t end_ = 0;
  std::array<iovec, kMaxPieces> pieces_{};
  size_t num_pieces_ = 0;
  std::optional<LoadResult> last_;  // the result after the pending bytes
  size_t least_ = 1;                // of SO_RCVLOWAT, while peeking
  size_t seen_ = 0;                 // bytes of an incomplete record
  size_t room_ = 0;                 // made in the socket's buffer
};

}  // namespace kith
