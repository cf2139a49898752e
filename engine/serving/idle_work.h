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
#include "engine/predict/path_predictor.h"
#include "engine/scheduler/step_loop.h"
#include "engine/serving/live_memory.h"
#include "engine/serving/warm_state.h"

namespace edgemoe {

// In this order: reads back the experts that the last run found worth keeping; after kLearnAfterNs
// learns the checksums of experts that were not read yet; after a while keeps what this run has
// learnt; after idle_shrink_after_s gives the slab's memory back, until a request comes.
//
// Confined to the engine's thread, but for the constructor.
class EngineIdle final : public IdleWork {
 public:
  struct Parts {
    const Clock* clock = nullptr;
    const ExpertLayout* layout = nullptr;
    ExpertCache* cache = nullptr;
    ExpertVerifier* verifier = nullptr;
    ExpertPipeline* pipeline = nullptr;
    LiveMemory* memory = nullptr;
    PathPredictor* predictor = nullptr;  // null: none learns
    std::function<void()> publish;       // called after the cache has changed
    std::function<void()> observe;       // called first whenever nothing runs
    LogSink log;
  };
  // All outlive this object. Reads what the last run has left; what cannot be used is logged.
  EngineIdle(Parts parts, const std::string& state_directory, std::uint64_t model_digest,
             std::uint32_t idle_shrink_after_s);

  std::optional<std::uint64_t> OnIdle(std::uint64_t idle_since_ns) override;
  void OnBusy() override;

  // Keeps what this run has learnt: its best experts and the predictor's counts, if anything has
  // run since that was last done. A failure is logged.
  void Keep();

  static constexpr std::uint64_t kLearnAfterNs = 1'000'000'000;   // of quiet
  static constexpr std::uint64_t kKeepAfterNs = 120'000'000'000;  // of quiet

 private:
  void ReadWarm();
  void ReadPaths();
  // Hits and insertions of the cache: changes when something runs.
  std::uint64_t Activity() const;
  // Logs a file that cannot be used.
  std::optional<std::vector<std::byte>> Read(const StateFile& file) const;
  // False when nothing is left to be read.
  bool Warm();
  // The next expert's checksum; false when nothing is left to be learnt.
  bool Learn();
  void Shrink();
  void Log(LogLevel level, const std::string& line) const;

  const Parts parts_;
  const StateFile warm_file_;             // the best experts
  const StateFile path_file_;             // the predictor's counts
  const std::uint64_t shrink_after_ns_;   // 0: never
  std::vector<ExpertKey> warm_keys_;      // of the last run, best first
  bool warming_ = false;                  // there are some to be read, or in flight
  std::span<const ExpertKey> warm_left_;  // of these, still to be read
  bool learning_ = false;                 // some checksums are unknown
  std::uint64_t kept_activity_ = 0;       // when it was last kept
};

}  // namespace edgemoe
