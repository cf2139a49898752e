// SPDX-License-Identifier: Apache-2.0
//
// The requests that wait or run, under the names that clients know them by.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/mutex.h"
#include "engine/base/status.h"
#include "server/calls/caller.h"

namespace edgemoe {

// What is known of one.
struct RequestSummary {
  std::string id;
  std::string method;  // "Complete"
  std::string peer;
  std::string model;
  bool runs = false;  // else it waits
  std::uint64_t submitted_ns = 0;
  std::uint32_t prompt_tokens = 0;
  std::uint32_t completion_tokens = 0;
};

// One that a table lists. Thread-safe; the table calls it without its lock.
class LiveRequest {
 public:
  virtual ~LiveRequest() = default;
  virtual RequestSummary Summary() const = 0;
  // NOT_FOUND when it has ended.
  virtual Status Abort() = 0;
};

// Thread-safe. As large as the engine's queue and its running sessions, and what workers submit.
class RequestTable {
 public:
  // `random` gives 64 bits that nobody can guess.
  explicit RequestTable(std::function<std::uint64_t()> random) : random_(std::move(random)) {}

  // In the table as long as it lives.
  class Entry {
   public:
    Entry(Entry&& other) noexcept : table_(other.table_), id_(std::move(other.id_)) {
      other.table_ = nullptr;
    }
    Entry& operator=(Entry&&) = delete;
    ~Entry();
    const std::string& id() const { return id_; }

   private:
    friend class RequestTable;
    Entry(RequestTable* table, std::string id) : table_(table), id_(std::move(id)) {}
    RequestTable* table_ = nullptr;
    std::string id_;
  };

  // Names a request: 16 hexadecimal digits. The table outlives the entry.
  Entry Add(std::weak_ptr<LiveRequest> request, const Caller& caller);

  // What the caller reaches, oldest first.
  std::vector<RequestSummary> List(const Caller& caller) const;
  // NOT_FOUND also for what the caller does not reach.
  Status Abort(const std::string& id, const Caller& caller) const;

 private:
  struct Row {
    std::uint64_t number = 0;  // in order of age
    std::string owner;
    std::weak_ptr<LiveRequest> request;
  };
  static bool Reaches(const Caller& caller, const Row& row) {
    return caller.is_administrator || caller.owner == row.owner;
  }

  const std::function<std::uint64_t()> random_;
  mutable Mutex mutex_;
  std::uint64_t last_number_ GUARDED_BY(mutex_) = 0;
  std::map<std::string, Row> rows_ GUARDED_BY(mutex_);
};

}  // namespace edgemoe
