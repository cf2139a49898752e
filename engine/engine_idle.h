// SPDX-License-Identifier: Apache-2.0
//
// What the engine does while nobody asks it for anything.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/engine_resize.h"
#include "engine/engine_warm.h"
#include "engine/scheduler/step_loop.h"

namespace edgemoe {

// In this order: reads back the experts that the last run found worth keeping; after a while keeps
// those of this run; after idle_shrink_after_s gives the slab's memory back, until a request comes.
//
// Confined to the engine's thread, but for the constructor.
class EngineIdle final : public IdleWork {
 public:
  struct Parts {
    const Clock* clock = nullptr;
    const ExpertLayout* layout = nullptr;
    ExpertCache* cache = nullptr;
    ExpertPipeline* pipeline = nullptr;
    LiveMemory* memory = nullptr;
    std::function<void()> publish;  // called after the cache has changed
    LogSink log;
  };
  // All outlive this object. Reads what the last run has left; what cannot be used is logged.
  EngineIdle(Parts parts, StateFile warm_file, std::uint32_t idle_shrink_after_s);

  std::optional<std::uint64_t> OnIdle(std::uint64_t idle_since_ns) override;
  void OnBusy() override;

  // Keeps the best experts of this run, if it has read any since that was last done. A failure is
  // logged.
  void Keep();

  static constexpr std::uint64_t kKeepAfterNs = 120'000'000'000;  // of quiet

 private:
  void ReadWarm();
  // False when nothing is left to be read.
  bool Warm();
  void Shrink();
  void Log(LogLevel level, const std::string& line) const;

  const Parts parts_;
  const StateFile warm_file_;
  const std::uint64_t shrink_after_ns_;   // 0: never
  std::vector<ExpertKey> warm_keys_;      // of the last run, best first
  std::span<const ExpertKey> warm_left_;  // of these, still to be read
  std::uint64_t kept_insertions_ = 0;     // the cache's when its best were last kept
};

}  // namespace edgemoe
