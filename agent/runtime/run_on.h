// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/post.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>

#include "agent/runtime/event_loop.h"

namespace kith {

// RunOn runs the blocking `work` on `pool` and resumes the caller on its own
// loop with the result.
template <typename Result, typename Work>
Task<Result> RunOn(asio::thread_pool &pool, Work work) {
  auto initiate = [&pool, work = std::move(work)](auto handler) mutable {
    asio::post(
        pool, [handler = std::move(handler), work = std::move(work)]() mutable {
          auto result = std::make_shared<Result>(work());
          auto executor = asio::get_associated_executor(handler);
          asio::post(executor,
                     [handler = std::move(handler), result]() mutable {
                       std::move(handler)(std::move(result));
                     });
        });
  };
  auto result =
      co_await asio::async_initiate<const asio::use_awaitable_t<Executor>,
                                    void(std::shared_ptr<Result>)>(
          std::move(initiate), asio::use_awaitable_t<Executor>{});
  co_return std::move(*result);
}

}  // namespace kith
