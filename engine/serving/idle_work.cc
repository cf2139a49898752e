// SPDX-License-Identifier: Apache-2.0
#include "engine/serving/idle_work.h"

#include <algorithm>
#include <set>
#include <utility>

#include "engine/base/byte_size.h"

namespace edgemoe {

EngineIdle::EngineIdle(Parts parts, const std::string& state_directory, std::uint64_t model_digest,
                       std::uint32_t idle_shrink_after_s)
    : parts_(std::move(parts)),
      warm_file_(state_directory, "warm", model_digest),
      path_file_(state_directory, "path", model_digest),
      shrink_after_ns_(idle_shrink_after_s * kNsPerSecond),
      learning_(parts_.verifier->unknown_count() > 0) {
  ReadWarm();
  ReadPaths();
}

std::optional<std::vector<std::byte>> EngineIdle::Read(const StateFile& file) const {
  if (!file.enabled()) return std::nullopt;
  Result<std::vector<std::byte>> payload = file.Read();
  if (payload) return *std::move(payload);
  if (payload.error().code() != StatusCode::kNotFound)
    Log(LogLevel::kWarning, "no warm start: " + payload.error().message());
  return std::nullopt;
}

void EngineIdle::ReadWarm() {
  const std::optional<std::vector<std::byte>> payload = Read(warm_file_);
  if (!payload) return;
  Result<std::vector<ExpertKey>> keys = DecodeKeys(*payload, *parts_.layout);
  if (!keys) {
    Log(LogLevel::kWarning, "no warm start: " + warm_file_.path() + ": " + keys.error().message());
    return;
  }
  warm_keys_ = *std::move(keys);
  warm_left_ = warm_keys_;
  warming_ = true;
  Log(LogLevel::kInfo, "warm start: " + std::to_string(warm_keys_.size()) +
                           " experts of the last run are read while nothing else is to be done");
}

void EngineIdle::ReadPaths() {
  if (parts_.predictor == nullptr) return;
  const std::optional<std::vector<std::byte>> payload = Read(path_file_);
  if (!payload) return;
  if (const Status status = parts_.predictor->Restore(*payload); !status.ok())
    Log(LogLevel::kWarning, "no warm start: " + path_file_.path() + ": " + status.message());
}

std::optional<std::uint64_t> EngineIdle::OnIdle(std::uint64_t idle_since_ns) {
  parts_.observe();
  // One expert at a time, so that a request that comes need not wait for more.
  if (Warm()) return parts_.clock->NowNs();
  const std::uint64_t now_ns = parts_.clock->NowNs();
  if (learning_ && now_ns >= idle_since_ns + kLearnAfterNs && Learn()) return now_ns;
  std::optional<std::uint64_t> next_ns;
  if (learning_) next_ns = idle_since_ns + kLearnAfterNs;
  const auto after = [&](std::uint64_t wait_ns, auto&& work) {
    const std::uint64_t due_ns = idle_since_ns + wait_ns;
    if (now_ns >= due_ns) return work();
    next_ns = std::min(next_ns.value_or(due_ns), due_ns);
  };
  if (warm_file_.enabled() && Activity() != kept_activity_) after(kKeepAfterNs, [this] { Keep(); });
  if (shrink_after_ns_ > 0 && !parts_.memory->at_floor())
    after(shrink_after_ns_, [this] { Shrink(); });
  return next_ns;
}

bool EngineIdle::Warm() {
  if (!warming_ || parts_.memory->at_floor()) return false;
  warming_ = parts_.pipeline->Warm(warm_left_);
  parts_.publish();
  if (warming_) return true;
  Log(LogLevel::kInfo, "warm start: " + std::to_string(parts_.cache->counters().resident_count) +
                           " experts are in memory");
  return false;
}

bool EngineIdle::Learn() {
  learning_ = parts_.verifier->LearnNext();
  if (learning_) return true;
  if (parts_.verifier->unknown_count() == 0)
    Log(LogLevel::kInfo,
        "every expert has been read once: the file may be touched or copied anew, "
        "and is told from another by its checksums");
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

std::uint64_t EngineIdle::Activity() const {
  const CacheCounters& counters = parts_.cache->counters();
  return counters.hits + counters.insertions;
}

void EngineIdle::Keep() {
  // At its floor the cache has forgotten what was worth keeping.
  if (!warm_file_.enabled() || parts_.memory->at_floor()) return;
  const std::uint64_t activity = Activity();
  if (activity == kept_activity_) return;
  kept_activity_ = activity;
  std::vector<ExpertKey> keys;
  parts_.cache->AppendBest(keys);
  const std::set<ExpertKey> best(keys.begin(), keys.end());
  for (const ExpertKey& key : warm_left_)
    if (!best.contains(key)) keys.push_back(key);
  Status status = warm_file_.Write(EncodeKeys(keys));
  if (status.ok() && parts_.predictor != nullptr)
    status = path_file_.Write(parts_.predictor->counts().Serialize());
  if (!status.ok()) Log(LogLevel::kWarning, "the next start will not be warm: " + status.message());
}

void EngineIdle::Log(LogLevel level, const std::string& line) const {
  if (parts_.log) parts_.log(level, line);
}

}  // namespace edgemoe
