// SPDX-License-Identifier: Apache-2.0
#include "agent/relay/copying_conveyor.h"

namespace kith {

LoadResult CopyingConveyor::Load(int fd) {
  return ReadPlain(fd);
}

void CopyingConveyor::Rest() {
  SingleBufferConveyor::Rest();
  if (on_idle_ && !has_pending()) {
    on_idle_(bytes_read());
  }
}

}  // namespace kith
