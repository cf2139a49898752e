// SPDX-License-Identifier: Apache-2.0
#include "server/memory/memory_watcher.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <fstream>
#include <iterator>
#include <utility>

#include "engine/base/byte_size.h"
#include "engine/base/system/usable_memory.h"

namespace edgemoe {
namespace {

// Less is not worth a pause of the engine.
constexpr std::uint64_t kStepBytesMin = 4 * kMiB;

double ReadPressure(const std::string& path) {
  std::ifstream file(path);
  return ParsePressure(std::string(std::istreambuf_iterator<char>(file), {}));
}

// Of v2, "0::/path"; empty where there is none.
std::string OwnGroup(const std::string& proc_root) {
  std::ifstream groups(proc_root + "/self/cgroup");
  for (std::string line; std::getline(groups, line);)
    if (line.starts_with("0::")) return line.substr(3);
  return "";
}

std::string Percent(double value) { return std::to_string(static_cast<int>(value)) + " %"; }

}  // namespace

double ParsePressure(std::string_view text) {
  constexpr std::string_view kStart = "some avg10=";
  const std::size_t at = text.find(kStart);
  if (at == std::string_view::npos) return 0;
  text.remove_prefix(at + kStart.size());
  double percent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent);
  return error == std::errc() && percent >= 0 && percent <= 100 ? percent : 0;
}

MemorySample ReadMemorySample(const Clock& clock, const std::string& proc_root,
                              const std::string& cgroup_root) {
  MemorySample sample;
  sample.at_ms = clock.NowNs() / 1'000'000;
  sample.usable_bytes = UsableMemoryBytes(proc_root, cgroup_root);
  sample.pressure_percent = ReadPressure(proc_root + "/pressure/memory");
  if (const std::string group = OwnGroup(proc_root); !group.empty())
    sample.pressure_percent =
        std::max(sample.pressure_percent, ReadPressure(cgroup_root + group + "/memory.pressure"));
  return sample;
}

MemoryAdapter::MemoryAdapter(std::uint64_t wanted_bytes, std::uint64_t floor_bytes,
                             std::uint64_t usable_bytes)
    : wanted_bytes_(wanted_bytes),
      floor_bytes_(floor_bytes),
      seen_bytes_(wanted_bytes),
      asked_bytes_(wanted_bytes) {
  if (usable_bytes > 0)
    share_max_ = std::clamp(static_cast<double>(wanted_bytes) / static_cast<double>(usable_bytes),
                            share_max_, 1.0);
}

std::optional<MemoryAdapter::Decision> MemoryAdapter::Decide(const MemorySample& sample,
                                                             std::uint64_t budget_bytes) {
  if (budget_bytes != seen_bytes_ && budget_bytes != asked_bytes_) wanted_bytes_ = budget_bytes;
  seen_bytes_ = budget_bytes;
  asked_bytes_ = budget_bytes;
  high_samples_ = sample.pressure_percent >= kPressureHigh ? high_samples_ + 1 : 0;
  if (sample.pressure_percent > kPressureLow)
    calm_since_ms_.reset();
  else if (!calm_since_ms_)
    calm_since_ms_ = sample.at_ms;

  const std::uint64_t ceiling = std::max(floor_bytes_, Ceiling(sample.usable_bytes));
  if (budget_bytes > ceiling)
    return Ask(ceiling, "only " + FormatByteSize(sample.usable_bytes) + " of memory can be used");
  if (std::optional<Decision> decision = ByPressure(sample, budget_bytes)) return decision;
  return ByCalm(sample, budget_bytes);
}

std::uint64_t MemoryAdapter::Ceiling(std::uint64_t usable_bytes) const {
  if (usable_bytes == 0) return wanted_bytes_;
  return static_cast<std::uint64_t>(share_max_ * static_cast<double>(usable_bytes));
}

std::optional<MemoryAdapter::Decision> MemoryAdapter::ByPressure(const MemorySample& sample,
                                                                 std::uint64_t budget_bytes) {
  if (high_samples_ < kHighSamples || budget_bytes <= floor_bytes_) return std::nullopt;
  if (shrunk_ms_ && sample.at_ms < *shrunk_ms_ + kShrinkPauseMs) return std::nullopt;
  if (shrunk_ms_) calm_ms_ = std::min(2 * calm_ms_, kCalmMsMax);
  shrunk_ms_ = sample.at_ms;
  high_samples_ = 0;
  const std::uint64_t above_bytes = budget_bytes - floor_bytes_;
  const std::uint64_t step = std::min(above_bytes, std::max(above_bytes / 4, kStepBytesMin));
  return Ask(budget_bytes - step, "memory is short: something waited for it " +
                                      Percent(sample.pressure_percent) +
                                      " of the last ten seconds");
}

std::optional<MemoryAdapter::Decision> MemoryAdapter::ByCalm(const MemorySample& sample,
                                                             std::uint64_t budget_bytes) {
  if (!calm_since_ms_ || sample.at_ms < *calm_since_ms_ + calm_ms_) return std::nullopt;
  const std::uint64_t goal =
      std::max(floor_bytes_, std::min(wanted_bytes_, Ceiling(sample.usable_bytes)));
  if (budget_bytes >= goal) {
    if (budget_bytes >= wanted_bytes_) {
      calm_ms_ = kCalmMs;
      shrunk_ms_.reset();
    }
    return std::nullopt;
  }
  calm_since_ms_ = sample.at_ms;
  const std::uint64_t step =
      std::max((wanted_bytes_ - std::min(wanted_bytes_, floor_bytes_)) / 8, kStepBytesMin);
  return Ask(std::min(goal, budget_bytes + step), "there is memory again");
}

MemoryAdapter::Decision MemoryAdapter::Ask(std::uint64_t budget_bytes, std::string why) {
  asked_bytes_ = budget_bytes;
  return {budget_bytes, std::move(why)};
}

MemoryWatcher::MemoryWatcher(const Parts& parts, const MemoryPlan& plan, LogSink log)
    : timer_(parts.context),
      workers_(parts.workers),
      budget_(parts.budget),
      clock_(parts.clock),
      log_(std::move(log)),
      adapter_(plan.budget_bytes, plan.budget_floor_bytes, plan.usable_bytes) {}

void MemoryWatcher::Start() {
  timer_.expires_after(std::chrono::milliseconds(kIntervalMs));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    // A resize waits for the step that runs: the next look may be due before.
    if (!looking_.exchange(true) && !workers_.TryPost([this] {
          Look();
          looking_ = false;
        }))
      looking_ = false;
    Start();
  });
}

void MemoryWatcher::Look() {
  const Result<SharedBudget::EngineShare> share = budget_.engine_share();
  if (!share) return;
  const std::uint64_t before_bytes = share->budget_bytes;
  adapter_.SetFloor(share->floor_bytes);
  const std::optional<MemoryAdapter::Decision> decision =
      adapter_.Decide(ReadMemorySample(clock_), before_bytes);
  if (!decision) return;
  const Status adapted = budget_.Adapt(decision->budget_bytes);
  if (adapted.ok()) {
    complaint_.clear();
    return Log(LogLevel::kInfo, "memory budget from " + FormatByteSize(before_bytes) + " to " +
                                    FormatByteSize(decision->budget_bytes) + ": " + decision->why);
  }
  if (complaint_ == adapted.message()) return;
  complaint_ = adapted.message();
  Log(LogLevel::kWarning, "memory budget stays " + FormatByteSize(before_bytes) + " although " +
                              decision->why + ": " + complaint_);
}

void MemoryWatcher::Log(LogLevel level, const std::string& line) const {
  if (log_) log_(level, line);
}

}  // namespace edgemoe
