// SPDX-License-Identifier: Apache-2.0
#include "agent/relay/copying_conveyor.h"

namespace kith {

LoadResult CopyingConveyor::Load(int fd) {
  return ReadPlain(fd);
}

}  // namespace kith
