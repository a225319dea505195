// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <httplib.h>

#include <cstddef>
#include <type_traits>

namespace kith {

// NewHttpThreads returns the threads of one server; connections beyond
// `waiting` are closed. It is a template, so that only the constructor of this
// library version is compiled. All threads start at once: a pool that grows on
// demand makes a burst of connections wait behind long answers.
template <typename Pool = httplib::ThreadPool>
httplib::TaskQueue *NewHttpThreads(size_t threads, size_t waiting) {
  if constexpr (std::is_constructible_v<Pool, size_t, size_t, size_t>) {
    return new Pool(threads, threads, waiting);
  } else if constexpr (std::is_constructible_v<Pool, size_t, size_t>) {
    return new Pool(threads, waiting);
  } else {
    return new Pool(threads);
  }
}

}  // namespace kith
