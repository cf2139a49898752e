// SPDX-License-Identifier: Apache-2.0
#include "server/calls/request_table.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <utility>

#include "engine/base/accepted.h"

namespace edgemoe {

RequestTable::Entry::~Entry() {
  if (table_ == nullptr) return;
  const MutexLock lock(table_->mutex_);
  table_->rows_.erase(id_);
}

RequestTable::Entry RequestTable::Add(std::weak_ptr<LiveRequest> request, const Caller& caller) {
  const MutexLock lock(mutex_);
  while (true) {
    char id[17];
    std::snprintf(id, sizeof(id), "%016" PRIx64, random_());
    if (rows_.contains(id)) continue;
    rows_[id] = {.number = ++last_number_, .owner = caller.owner, .request = std::move(request)};
    return {this, id};
  }
}

std::vector<RequestSummary> RequestTable::List(const Caller& caller) const {
  std::vector<std::pair<std::uint64_t, std::shared_ptr<LiveRequest>>> found;
  {
    const MutexLock lock(mutex_);
    for (const auto& [id, row] : rows_) {
      if (!Reaches(caller, row)) continue;
      if (auto request = row.request.lock()) found.emplace_back(row.number, std::move(request));
    }
  }
  std::ranges::sort(found, {}, &decltype(found)::value_type::first);
  std::vector<RequestSummary> summaries;
  summaries.reserve(found.size());
  for (const auto& [number, request] : found) summaries.push_back(request->Summary());
  return summaries;
}

Status RequestTable::Abort(const std::string& id, const Caller& caller) const {
  std::shared_ptr<LiveRequest> request;
  {
    const MutexLock lock(mutex_);
    const auto found = rows_.find(id);
    if (found != rows_.end() && Reaches(caller, found->second))
      request = found->second.request.lock();
  }
  if (request != nullptr) return request->Abort();
  return {StatusCode::kNotFound, "request_id",
          FoundAndAccepted(ShowValue(id), "a request of yours that waits or runs")};
}

}  // namespace edgemoe
