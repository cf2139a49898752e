// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <boost/asio/strand.hpp>
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
  // For what takes much memory or time: one such task at a time, in the order of posting.
  bool TryPostLarge(std::function<void()> task);

  // Runs what was posted, then ends the threads. Nothing may be posted any more.
  void Join();

 private:
  template <class Executor>
  bool TryPostTo(const Executor& executor, std::function<void()> task);

  boost::asio::thread_pool pool_;
  boost::asio::strand<boost::asio::thread_pool::executor_type> large_{pool_.get_executor()};
  const std::size_t tasks_max_;
  std::atomic<std::size_t> tasks_{0};
};

}  // namespace edgemoe
