// SPDX-License-Identifier: Apache-2.0
//
// Threads beside gRPC's own few, for what takes long (tokenising a book, reading the headers of a
// directory of models) and for writing streams: gRPC's threads must stay free to answer health
// checks, and the engine's thread to compute.
#pragma once

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <functional>
#include <memory>

namespace edgemoe {

// Thread-safe. At most tasks_max tasks wait or run.
class WorkerPool {
 public:
  WorkerPool(std::size_t thread_count, std::size_t tasks_max);
  ~WorkerPool();  // as Join

  // False, and nothing done, when there are too many.
  bool TryPost(std::function<void()> task);

  // Runs what was posted, then ends the threads. Nothing may be posted any more.
  void Join();

 private:
  boost::asio::thread_pool pool_;
  const std::size_t tasks_max_;
  std::atomic<std::size_t> tasks_{0};
};

// One thread that runs the writes of all streams, and their timers. A stream has at most one task
// here at a time, so that the number of streams bounds the tasks. Thread-safe.
class StreamThread {
 public:
  StreamThread() : pool_(1) {}
  ~StreamThread();  // as Join

  void Post(std::function<void()> task);

  // Runs `task` on the thread after the time, unless the timer is destroyed before. The timer must
  // be made and destroyed on the thread.
  using Timer = std::unique_ptr<boost::asio::steady_timer>;
  Timer After(std::uint32_t delay_ms, std::function<void()> task);

  // Drops timers that have not run, runs what was posted, then ends the thread.
  void Join();

 private:
  boost::asio::thread_pool pool_;
};

}  // namespace edgemoe
