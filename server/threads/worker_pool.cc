// SPDX-License-Identifier: Apache-2.0
#include "server/threads/worker_pool.h"

#include <boost/asio/post.hpp>
#include <utility>

namespace edgemoe {

WorkerPool::WorkerPool(std::size_t thread_count, std::size_t tasks_max)
    : pool_(thread_count), tasks_max_(tasks_max) {}

WorkerPool::~WorkerPool() { Join(); }

bool WorkerPool::TryPost(std::function<void()> task) {
  return TryPostTo(pool_.get_executor(), std::move(task));
}

bool WorkerPool::TryPostLarge(std::function<void()> task) {
  return TryPostTo(large_, std::move(task));
}

template <class Executor>
bool WorkerPool::TryPostTo(const Executor& executor, std::function<void()> task) {
  if (tasks_.fetch_add(1, std::memory_order_relaxed) >= tasks_max_) {
    tasks_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  boost::asio::post(executor, [this, task = std::move(task)] {
    task();
    tasks_.fetch_sub(1, std::memory_order_relaxed);
  });
  return true;
}

void WorkerPool::Join() { pool_.join(); }

}  // namespace edgemoe
