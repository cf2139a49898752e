// SPDX-License-Identifier: Apache-2.0
//
// Holds what was expected of an engine against what it does, once for each load and each budget.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/options.h"
#include "engine/plan.h"
#include "engine/speed/speed_history.h"
#include "engine/speed/step_demand.h"

namespace edgemoe {

// Steps that did nothing but decode one request's next token, since the engine was opened.
struct DecodedAlone {
  std::uint64_t tokens = 0;
  std::uint64_t ns = 0;
  std::uint64_t expert_uses = 0;
  std::uint64_t expert_hits = 0;
};

// Confined to the engine's thread.
class SpeedRecorder {
 public:
  // A cache that fills is slower than what is expected: so many tokens are left out after a load or
  // a resize. So many more are measured.
  static constexpr std::uint64_t kTokensBefore = 64;
  static constexpr std::uint64_t kTokensMeasured = 128;

  // `options` outlives the recorder. Without a state directory it does nothing. `model`: see
  // SpeedModelOf.
  SpeedRecorder(const EngineOptions& options, std::string model, StepDemand demand);

  // To be called while no request runs. Measures nothing itself: where computing or storage was
  // never measured here, nobody has been told what to expect, and nothing is kept. Writes a file at
  // most once for each budget; a failure is logged.
  void Observe(const MemoryPlan& plan, const DecodedAlone& now);

 private:
  void Record(const MemoryPlan& plan, const DecodedAlone& measured) const;
  std::optional<double> ExpectedTokensPerSecond(const MemoryPlan& plan,
                                                const SpeedHistory& history) const;

  const EngineOptions& options_;
  const std::string model_;
  const StepDemand demand_;
  std::uint64_t expert_bytes_ = 0;     // of the plan that is observed
  std::uint64_t tokens_at_start_ = 0;  // when it came into force
  std::optional<DecodedAlone> begin_;  // once the cache has filled
  bool recorded_ = false;
};

}  // namespace edgemoe
