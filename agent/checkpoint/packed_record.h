// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "absl/status/statusor.h"

#include "agent/attestor/workload_attestor.h"
#include "agent/checkpoint/takeover.pb.h"
#include "agent/flowtable/flow_record.h"

namespace kith {

// The functions below convert the record of a flow and of its process to and
// from a message. Input of another process is checked: InvalidArgument.
void PackRecord(const FlowRecord &record, takeover::Record &out);
absl::StatusOr<FlowRecord> UnpackRecord(const takeover::Record &in);

void PackProcess(const AttestedProcess &process, takeover::Process &out);
absl::StatusOr<std::shared_ptr<const AttestedProcess>> UnpackProcess(
    const takeover::Process &in);

}  // namespace kith
