// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <boost/asio/thread_pool.hpp>
#include <cstddef>
#include <functional>

namespace edgemoe {

// Threads beside the front ends' own few, for what takes long (tokenising a book, reading the
// headers of a directory of models): the front ends' threads must stay free to answer health
// checks, and the engine's thread to compute. Thread-safe. At most tasks_max tasks wait or run.
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

}  // namespace edgemoe
