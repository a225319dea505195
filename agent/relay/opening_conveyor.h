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
  // of small ones.
  static constexpr size_t kMaxPieces = 16;

  // A KeyUpdate that the peer asks for is handed to the stream's writer. Where
  // the stream is the kernel's, this one opens what came with the handshake, up
  // to the end of a record, and gives way to a KernelReceivingConveyor.
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
  std::optional<LoadResult> last_;  // after what is pending
  size_t least_ = 1;                // of SO_RCVLOWAT, while peeking
  size_t seen_ = 0;                 // of a record that was not whole
  size_t room_ = 0;                 // that was made in the socket
};

}  // namespace kith
