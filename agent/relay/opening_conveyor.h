// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "agent/handshake/record_reader.h"
#include "agent/handshake/record_writer.h"
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

  // `unread` are records that came with the handshake. A KeyUpdate that the
  // peer asks for is handed to `writer`.
  OpeningConveyor(BufferPool &pool,
                  RecordReader &reader,
                  RecordWriter &writer,
                  std::span<const uint8_t> unread,
                  std::atomic<uint64_t> &bytes_read);

  LoadResult Load(int fd) override;
  void Rest() override;

 private:
  void OpenRecords();
  void Take(const OpenedRecord &opened);
  void MakeRoom();
  LoadResult Refuse(const OpenedRecord &opened) const;

  BufferPool &pool_;
  RecordReader &reader_;
  RecordWriter &writer_;
  std::atomic<uint64_t> &bytes_read_;
  Buffer buffer_;
  size_t begin_ = 0;  // of the bytes that are still encrypted
  size_t end_ = 0;
  std::array<iovec, kMaxPieces> pieces_{};
  size_t num_pieces_ = 0;
  std::optional<LoadResult> last_;  // after what is pending
};

}  // namespace kith
