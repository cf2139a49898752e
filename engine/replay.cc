// SPDX-License-Identifier: Apache-2.0
#include "engine/replay.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "engine/base/accepted.h"
#include "engine/base/system/errno_status.h"
#include "engine/cache/edgemoe_policy.h"
#include "engine/cache/policy_factory.h"
#include "engine/predict/path_predictor.h"
#include "engine/predict/previous_token_predictor.h"
#include "engine/trace/belady_policy.h"
#include "engine/trace/replay.h"
#include "engine/trace/trace_reader.h"

namespace edgemoe {
namespace {

constexpr std::size_t kReplayChoicesMax = 64;  // of policies, predictors and budgets
constexpr std::array<std::string_view, 3> kReplayPredictorNames = {"none", "path",
                                                                   "previous-token"};

Result<RoutingTrace> OpenTrace(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    // The standard library promises no errno.
    return Failure(ErrnoStatus(errno == 0 ? ENOENT : errno, "trace: " + path));
  }
  return ReadTrace(file, path);
}

// Policies that know the trace, or only replay needs, and the cache's own.
Result<EvictionPolicyFactory> FindReplayPolicy(std::string_view name, const RoutingTrace& trace) {
  if (name == "belady") {
    return EvictionPolicyFactory([&trace](const PolicyShape& shape) {
      return std::make_unique<BeladyPolicy>(trace, shape);
    });
  }
  if (name == "edgemoe-printed") {
    return EvictionPolicyFactory([](const PolicyShape& shape) {
      return std::make_unique<EdgemoePolicy>(shape, EdgemoeFormula::kPrinted);
    });
  }
  Result<EvictionPolicyFactory> factory = FindEvictionPolicy(name);
  if (!factory) {
    std::vector<std::string_view> names(kEvictionPolicyNames.begin(), kEvictionPolicyNames.end());
    names.push_back("belady");
    names.push_back("edgemoe-printed");
    return Failure(InvalidField("policies", ShowValue(name), AcceptedNames(names)));
  }
  return factory;
}

using PredictorFactory = std::function<std::unique_ptr<Predictor>()>;

Result<PredictorFactory> FindReplayPredictor(std::string_view name, const RoutingTrace& trace) {
  const PredictorShape shape{.layer_count = trace.layer_count(),
                             .experts_per_layer = trace.description.experts_per_layer,
                             .experts_used = trace.description.experts_used,
                             .sessions_max = trace.sessions_max};
  if (name == "none") return PredictorFactory([] { return nullptr; });
  if (name == "path") {
    return PredictorFactory([shape] { return std::make_unique<PathPredictor>(shape); });
  }
  if (name == "previous-token") {
    return PredictorFactory([shape] { return std::make_unique<PreviousTokenPredictor>(shape); });
  }
  return Failure(InvalidField("predictors", ShowValue(name), AcceptedNames(kReplayPredictorNames)));
}

Status CheckChoices(std::string_view field, std::size_t count) {
  return CheckRange(field, count, 1, kReplayChoicesMax);
}

ReplayResult MakeRow(const ReplayCounts& counts, std::uint64_t decode_tokens) {
  ReplayResult row;
  row.prefill_uses = counts.prefill_uses;
  row.prefill_hits = counts.prefill_hits;
  row.decode_tokens = decode_tokens;
  row.decode_uses = counts.decode_uses;
  row.decode_hits = counts.decode_hits;
  row.decode_prefetch_hits = counts.decode_prefetch_hits;
  row.decode_demand_bytes = counts.decode_demand_bytes;
  row.prefetch_bytes = counts.prefetch_bytes;
  row.prefetch_wasted_bytes = counts.prefetch_wasted_bytes;
  row.guess_uses = counts.guess_uses;
  row.guessed_at_k = counts.guessed_at_k;
  row.guessed_at_2k = counts.guessed_at_2k;
  return row;
}

}  // namespace

Result<std::vector<ReplayResult>> ReplayTrace(const ReplayOptions& options) {
  std::vector<std::string> predictors = options.predictors;
  if (predictors.empty()) predictors.emplace_back("none");
  EDGEMOE_FAIL_IF_ERROR(CheckChoices("policies", options.policies.size()));
  EDGEMOE_FAIL_IF_ERROR(CheckChoices("predictors", predictors.size()));
  EDGEMOE_FAIL_IF_ERROR(CheckChoices("budgets", options.budgets_bytes.size()));
  EDGEMOE_ASSIGN_OR_FAIL(const RoutingTrace trace, OpenTrace(options.trace_path));

  std::vector<EvictionPolicyFactory> make_policy;
  for (const std::string& name : options.policies) {
    EDGEMOE_ASSIGN_OR_FAIL(make_policy.emplace_back(), FindReplayPolicy(name, trace));
  }
  std::vector<PredictorFactory> make_predictor;
  for (const std::string& name : predictors) {
    EDGEMOE_ASSIGN_OR_FAIL(make_predictor.emplace_back(), FindReplayPredictor(name, trace));
  }
  std::vector<ReplayResult> rows;
  for (std::size_t i = 0; i < make_policy.size(); ++i) {
    for (std::size_t j = 0; j < make_predictor.size(); ++j) {
      for (const std::uint64_t budget_bytes : options.budgets_bytes) {
        const std::unique_ptr<EvictionPolicy> policy = make_policy[i](PolicyShapeOf(trace));
        const std::unique_ptr<Predictor> predictor = make_predictor[j]();
        const ReplayCounts counts = Replay(trace, *policy, predictor.get(), budget_bytes);
        rows.push_back(MakeRow(counts, trace.decode_tokens));
        rows.back().policy = options.policies[i];
        rows.back().predictor = predictors[j];
        rows.back().budget_bytes = budget_bytes;
      }
    }
  }
  return rows;
}

}  // namespace edgemoe
