// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "agent/handshake/record_reader.h"
#include "agent/handshake/record_writer.h"
#include "agent/runtime/loopback_pair.h"

namespace kith {

// KernelTlsProver has a connection with the kernel's TLS on one end, armed().
// The other end, plain(), is a plain socket whose records the agent makes and
// opens.
class KernelTlsProver {
 public:
  // Create connects over 127.0.0.1, in the calling thread's network namespace.
  static absl::StatusOr<KernelTlsProver> Create(uint16_t suite);

  // The steps of a proof, in this order; the last two exclude each other.
  absl::Status ProveSending();
  absl::Status ProveReceiving();
  absl::Status ProveEnd();
  absl::Status ProveRekey();

 private:
  KernelTlsProver(LoopbackPair pair,
                  RecordWriter armed_writer,
                  RecordReader armed_reader,
                  RecordWriter writer,
                  RecordReader reader)
      : pair_(std::move(pair)),
        armed_writer_(std::move(armed_writer)),
        armed_reader_(std::move(armed_reader)),
        writer_(std::move(writer)),
        reader_(std::move(reader)) {}

  int armed() const { return pair_.client.get(); }
  int plain() const { return pair_.server.get(); }
  absl::Status SendMarker();
  absl::Status ExpectMarker();
  absl::Status ReadMore();
  OpenedRecord NextRecord();
  absl::Status SendRecord(const std::function<size_t(uint8_t *)> &seal);
  absl::Status ExpectControl(uint8_t type);

  LoopbackPair pair_;
  RecordWriter armed_writer_;
  RecordReader armed_reader_;
  RecordWriter writer_;
  RecordReader reader_;
  std::vector<uint8_t> left_;    // read from the plain end, not yet opened
  std::vector<uint8_t> record_;  // the last opened record
};

}  // namespace kith
