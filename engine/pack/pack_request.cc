// SPDX-License-Identifier: Apache-2.0
#include "engine/pack/pack_request.h"

namespace edgemoe {

const char* PackMethodName(PackMethod method) {
  switch (method) {
    case PackMethod::kCopy: return "copy";
    case PackMethod::kSensitivity: return "sensitivity";
    case PackMethod::kUniform: return "uniform";
    case PackMethod::kEdgemoe: return "edgemoe";
  }
  return "";
}

std::vector<PackProgress::Phase> PackPhases(const PackOptions& options) {
  using Phase = PackProgress::Phase;
  if (options.method == PackMethod::kCopy) return {Phase::kCopying, Phase::kFinishing};
  std::vector<Phase> phases = {Phase::kCalibrating};
  if (options.method == PackMethod::kSensitivity) phases.push_back(Phase::kMeasuring);
  if (options.method != PackMethod::kUniform) phases.push_back(Phase::kProbing);
  const PackTarget& target = options.target;
  if (target.kl_max || target.perplexity_increase_max) phases.push_back(Phase::kTrying);
  if (!options.plan_only)
    phases.insert(phases.end(), {Phase::kCopying, Phase::kVerifying, Phase::kFinishing});
  return phases;
}

}  // namespace edgemoe
