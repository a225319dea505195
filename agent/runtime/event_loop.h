// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include <asio/awaitable.hpp>
#include <asio/basic_stream_socket.hpp>
#include <asio/basic_waitable_timer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

namespace kith {

// The agent runs one io_context per core with one thread each; a flow lives on
// one of them from accept to close, so that its state needs no lock.
using Executor = asio::io_context::executor_type;

template <typename T>
using Task = asio::awaitable<T, Executor>;

using TcpSocket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using Timer =
    asio::basic_waitable_timer<std::chrono::steady_clock,
                               asio::wait_traits<std::chrono::steady_clock>,
                               Executor>;

// EventLoops owns the loops and their threads.
class EventLoops {
 public:
  explicit EventLoops(size_t count);
  ~EventLoops();

  void Start();
  // Stop ends the threads: a running handler finishes, nothing new starts. Not
  // from a loop.
  void Stop();
  // Drain returns when each running loop has done everything that was posted
  // before the call. Not from a loop.
  void Drain();

  // Next returns the loops in turn (thread-safe).
  asio::io_context &Next();
  asio::io_context &at(size_t index) { return *loops_[index]; }
  size_t size() const { return loops_.size(); }

 private:
  std::vector<std::unique_ptr<asio::io_context>> loops_;
  std::vector<std::thread> threads_;
  std::atomic<size_t> next_{0};
};

}  // namespace kith
