// SPDX-License-Identifier: Apache-2.0
#include "engine/engine_idle.h"

#include <algorithm>
#include <set>
#include <utility>

#include "engine/base/byte_size.h"

namespace edgemoe {
namespace {

constexpr std::uint64_t kNsPerSecond = 1'000'000'000;

}  // namespace

EngineIdle::EngineIdle(Parts parts, StateFile warm_file, std::uint32_t idle_shrink_after_s)
    : parts_(std::move(parts)),
      warm_file_(std::move(warm_file)),
      shrink_after_ns_(idle_shrink_after_s * kNsPerSecond) {
  ReadWarm();
}

void EngineIdle::ReadWarm() {
  if (!warm_file_.enabled()) return;
  Result<std::vector<std::byte>> payload = warm_file_.Read();
  if (!payload) {
    if (payload.error().code() != StatusCode::kNotFound)
      Log(LogLevel::kWarning, "no warm start: " + payload.error().message());
    return;
  }
  Result<std::vector<ExpertKey>> keys = DecodeKeys(*payload, *parts_.layout);
  if (!keys) {
    Log(LogLevel::kWarning, "no warm start: " + warm_file_.path() + ": " + keys.error().message());
    return;
  }
  warm_keys_ = *std::move(keys);
  warm_left_ = warm_keys_;
  Log(LogLevel::kInfo, "warm start: " + std::to_string(warm_keys_.size()) +
                           " experts of the last run are read while nothing else is to be done");
}

std::optional<std::uint64_t> EngineIdle::OnIdle(std::uint64_t idle_since_ns) {
  // One expert at a time, so that a request that comes need not wait for more.
  if (Warm()) return parts_.clock->NowNs();
  const std::uint64_t now_ns = parts_.clock->NowNs();
  std::optional<std::uint64_t> next_ns;
  const auto after = [&](std::uint64_t wait_ns, auto&& work) {
    const std::uint64_t due_ns = idle_since_ns + wait_ns;
    if (now_ns >= due_ns) return work();
    next_ns = std::min(next_ns.value_or(due_ns), due_ns);
  };
  if (warm_file_.enabled() && parts_.cache->counters().insertions != kept_insertions_)
    after(kKeepAfterNs, [this] { Keep(); });
  if (shrink_after_ns_ > 0 && !parts_.memory->at_floor())
    after(shrink_after_ns_, [this] { Shrink(); });
  return next_ns;
}

bool EngineIdle::Warm() {
  if (warm_left_.empty() || parts_.memory->at_floor()) return false;
  const bool more = parts_.pipeline->Warm(warm_left_);
  parts_.publish();
  if (more) return true;
  warm_left_ = {};
  Log(LogLevel::kInfo, "warm start: " + std::to_string(parts_.cache->counters().resident_count) +
                           " experts are in memory");
  return false;
}

void EngineIdle::Shrink() {
  Keep();
  const std::uint64_t before_bytes = parts_.memory->state().slab_bytes;
  const Status status = parts_.memory->GoToFloor();
  parts_.publish();
  if (!status.ok()) {
    Log(LogLevel::kWarning, "idle: the slab does not shrink: " + status.message());
    return;
  }
  Log(LogLevel::kInfo, "idle: experts shrink from " + FormatByteSize(before_bytes) + " to " +
                           FormatByteSize(parts_.memory->state().slab_bytes) +
                           " until the next request");
}

void EngineIdle::OnBusy() {
  if (!parts_.memory->at_floor()) return;
  const Status status = parts_.memory->ComeBack();
  parts_.publish();
  if (status.ok()) {
    Log(LogLevel::kInfo,
        "busy again: experts have " + FormatByteSize(parts_.memory->state().slab_bytes));
  } else {
    Log(LogLevel::kWarning, "busy again, but the slab does not grow: " + status.message());
  }
}

void EngineIdle::Keep() {
  // At its floor the cache has forgotten what was worth keeping.
  if (!warm_file_.enabled() || parts_.memory->at_floor()) return;
  const std::uint64_t insertions = parts_.cache->counters().insertions;
  if (insertions == kept_insertions_) return;
  std::vector<ExpertKey> keys;
  parts_.cache->AppendBest(keys);
  const std::set<ExpertKey> best(keys.begin(), keys.end());
  for (const ExpertKey& key : warm_left_)
    if (!best.contains(key)) keys.push_back(key);
  if (const Status status = warm_file_.Write(EncodeKeys(keys)); !status.ok()) {
    Log(LogLevel::kWarning, "the next start will not be warm: " + status.message());
    return;
  }
  kept_insertions_ = insertions;
}

void EngineIdle::Log(LogLevel level, const std::string& line) const {
  if (parts_.log) parts_.log(level, line);
}

}  // namespace edgemoe
