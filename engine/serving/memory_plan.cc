// SPDX-License-Identifier: Apache-2.0
#include "engine/serving/memory_plan.h"

#include <algorithm>
#include <string>

#include "engine/base/byte_size.h"
#include "engine/base/check.h"
#include "engine/base/system/aligned_buffer.h"
#include "engine/base/system/page_size.h"
#include "engine/cache/slot_classes.h"
#include "engine/model/forward.h"
#include "engine/model/state/state_pool.h"
#include "engine/serving/modes.h"
#include "engine/serving/option_check.h"

namespace edgemoe {
namespace {

// What a prompt's chunk is chosen from; see EngineOptions::prefill_chunk_tokens.
constexpr std::uint32_t kChunkTokensMin = PromptPace::kSharedTokensMin;
constexpr std::uint32_t kChunkTokens[] = {512, 384, 256, 192, 128, 96};  // those above the least
constexpr std::uint64_t kChunkShare = 14;

// Of a context: what a session beyond the first adds to the memory for sequences.
constexpr std::uint64_t kFurtherSessionsShare = 4;

// Rows of logits for scores beyond what decoding needs: more would cost memory for little speed.
constexpr std::uint32_t kScoreRows = 16;

// A running session's sampler: scratch for each token of the vocabulary.
constexpr std::uint64_t kSamplerBytesPerToken = 16;

std::string InBytes(std::uint64_t bytes) {
  return FormatByteSize(bytes) + " (" + std::to_string(bytes) + " bytes)";
}

// Rounded up, so that who follows the advice is not refused again.
std::string LeastInBytes(std::uint64_t bytes) {
  return FormatLeastByteSize(bytes) + " (" + std::to_string(bytes) + " bytes)";
}

std::string Parts(const MemoryPlan& plan, std::uint64_t expert_bytes) {
  return FormatByteSize(plan.dense_bytes) + " dense weights, " + FormatByteSize(plan.state_bytes) +
         " sequence state, " + FormatByteSize(plan.workspace_bytes) + " workspace, " +
         FormatByteSize(expert_bytes) + " experts";
}

Status BeyondUsable(const std::string& budget_field, const MemoryPlan& plan) {
  const Status status(StatusCode::kResourceExhausted, budget_field,
                      "found " + InBytes(plan.budget_bytes) + "; only " +
                          InBytes(plan.usable_bytes) +
                          " can be used here; the least that works with these options is " +
                          LeastInBytes(plan.budget_floor_bytes));
  return status.WithReason(Reason::kBudgetTooLarge);
}

std::uint64_t DefaultBudget(const MemoryPlan& plan, std::uint64_t usable_bytes) {
  if (usable_bytes == 0) return plan.budget_resident_bytes;
  return std::min(plan.budget_resident_bytes, usable_bytes / 4 * 3);
}

// `budget_field`: what people call the budget.
Status ShortageOf(const EngineOptions& options, const ExpertMemory& experts,
                  const std::string& budget_field, const MemoryPlan& plan) {
  const auto too_small = [](const std::string& field, const std::string& problem) {
    return Status(StatusCode::kResourceExhausted, field, problem)
        .WithReason(Reason::kBudgetTooSmall);
  };
  const std::uint64_t needed = std::min(plan.budget_bytes, plan.budget_resident_bytes);
  if (plan.budget_bytes < plan.budget_floor_bytes)
    return too_small(budget_field, "found " + InBytes(plan.budget_bytes) +
                                       "; the least that works with these options is " +
                                       LeastInBytes(plan.budget_floor_bytes) + ": " +
                                       Parts(plan, plan.expert_floor_bytes) +
                                       "; fewer sessions or a shorter context need less");
  if (options.expert_budget_bytes != 0 && options.expert_budget_bytes < plan.expert_floor_bytes)
    return too_small("expert_budget_bytes", "found " + InBytes(options.expert_budget_bytes) +
                                                "; the least that works is " + experts.least_is +
                                                ", " + LeastInBytes(plan.expert_floor_bytes));
  if (plan.usable_bytes != 0 && needed > plan.usable_bytes) return BeyondUsable(budget_field, plan);
  return OkStatus();
}

void Judge(const EngineOptions& options, const ExpertMemory& experts,
           const std::string& budget_field, MemoryPlan& plan) {
  plan.shortage = ShortageOf(options, experts, budget_field, plan);
  plan.fits = plan.shortage.ok();
  plan.explanation = plan.shortage.message();
  if (!plan.fits) return;
  const std::uint64_t percent =
      plan.expert_total_bytes == 0 ? 100 : plan.expert_bytes * 100 / plan.expert_total_bytes;
  plan.explanation =
      InBytes(plan.budget_bytes) + ": " + Parts(plan, plan.expert_bytes) + ", " +
      (experts.note.empty() ? std::to_string(percent) + " % of all experts" : experts.note);
}

// What follows from the budget once the other sizes are known.
void ShareOut(const EngineOptions& options, const ExpertMemory& experts,
              const std::string& budget_field, MemoryPlan& plan) {
  const std::uint64_t fixed = plan.dense_bytes + plan.state_bytes + plan.workspace_bytes;
  plan.expert_bytes =
      std::min(plan.budget_bytes - std::min(plan.budget_bytes, fixed), experts.most_bytes);
  if (options.expert_budget_bytes != 0)
    plan.expert_bytes = std::min(plan.expert_bytes, options.expert_budget_bytes);
  Judge(options, experts, budget_field, plan);
}

// Every chunk of a prompt reads what is not in memory: as large a one as costs the experts at most
// 1 / kChunkShare of their memory.
std::uint32_t ChooseChunk(const ModelHeader& header, RunLimits limits, const EngineOptions& options,
                          std::uint64_t usable_bytes) {
  // Baselines stay as their authors describe them.
  const Result<EngineMode> mode = ParseEngineMode(options.mode);
  if (!mode || *mode != EngineMode::kEdgeMoe) return kChunkTokensMin;
  const MemoryPlan least = MakePlan(header, limits, options, usable_bytes);
  if (!least.fits || least.expert_bytes >= least.expert_total_bytes) return kChunkTokensMin;
  for (const std::uint32_t chunk : kChunkTokens) {
    limits.steps.prefill_chunk_tokens = chunk;
    const MemoryPlan plan = MakePlan(header, limits, options, usable_bytes);
    if (plan.fits && least.expert_bytes - plan.expert_bytes <= least.expert_bytes / kChunkShare)
      return chunk;
  }
  return kChunkTokensMin;
}

}  // namespace

// One sequence may always fill its context. The others share what is a quarter of theirs: most
// stay short, and when they do not the last one waits; see StepLoop.
StateLimits StateLimitsOf(const RunLimits& limits) {
  const std::uint64_t context =
      AlignUp(std::uint64_t{limits.config.context_length}, kStateBlockTokens);
  const std::uint64_t share = AlignUp(context / kFurtherSessionsShare, kStateBlockTokens);
  return {.token_capacity = context + (limits.steps.sessions_max - 1) * share,
          .sequences_max = limits.steps.sessions_max,
          .context_tokens = limits.config.context_length,
          .rows_max = limits.steps.prefill_chunk_tokens};
}

RunLimits LimitsFor(const ModelHeader& header, const EngineOptions& options,
                    std::uint64_t usable_bytes) {
  RunLimits limits;
  limits.config = header.config;
  limits.config.context_length = std::min(options.context_tokens, header.config.context_length);
  limits.thread_count = ThreadCount(options);
  limits.steps = {.sessions_max = options.sessions_max,
                  .prefill_chunk_tokens = options.prefill_chunk_tokens == 0
                                              ? kChunkTokensMin
                                              : options.prefill_chunk_tokens,
                  .logit_rows_max = std::max(options.sessions_max, kScoreRows),
                  .context_tokens = limits.config.context_length,
                  .stall_timeout_ns = std::uint64_t{options.stall_timeout_ms} * 1'000'000};
  if (options.prefill_chunk_tokens == 0)
    limits.steps.prefill_chunk_tokens = ChooseChunk(header, limits, options, usable_bytes);
  return limits;
}

MemoryPlan MakePlan(const ModelHeader& header, const RunLimits& limits,
                    const EngineOptions& options, std::uint64_t usable_bytes) {
  MemoryPlan plan;
  plan.model_file_bytes = header.file_bytes;
  plan.usable_bytes = usable_bytes;
  plan.dense_bytes = AlignUp(header.layout.dense_bytes, PageBytes());
  plan.state_bytes =
      AlignUp(StatePool::Bytes(StateShapeOf(limits.config), StateLimitsOf(limits)), PageBytes());
  plan.workspace_bytes =
      Forward::WorkspaceBytes(limits.config, limits.steps.rows_max(), limits.steps.logit_rows_max,
                              limits.thread_count) +
      kSamplerBytesPerToken * limits.config.vocabulary_size * limits.steps.sessions_max;
  plan.expert_total_bytes = SlabBytesMax(header.slot_classes);
  const Result<EngineMode> mode = ParseEngineMode(options.mode);
  EDGEMOE_CHECK(mode, "options were validated");
  const ExpertMemory experts =
      ExpertMemoryFor(*mode, header.layout.experts,
                      SlotClassesFor(*mode, header.config.expert_used_count, header.slot_classes));
  plan.expert_floor_bytes = experts.least_bytes;

  const std::uint64_t fixed = plan.dense_bytes + plan.state_bytes + plan.workspace_bytes;
  plan.budget_floor_bytes = fixed + plan.expert_floor_bytes;
  plan.budget_resident_bytes = fixed + experts.most_bytes;
  plan.budget_bytes = options.memory_budget_bytes;
  if (plan.budget_bytes == 0) plan.budget_bytes = DefaultBudget(plan, usable_bytes);
  ShareOut(options, experts, "memory_budget_bytes", plan);
  return plan;
}

MemoryPlan WithBudget(const MemoryPlan& plan, const EngineOptions& options,
                      std::uint64_t budget_bytes, std::uint64_t usable_bytes) {
  MemoryPlan other = plan;
  other.budget_bytes = budget_bytes == 0 ? DefaultBudget(plan, usable_bytes) : budget_bytes;
  other.usable_bytes = usable_bytes;
  other.fits = false;
  // Only an engine in mode "edgemoe" has another budget later.
  const ExpertMemory experts = {.least_bytes = plan.expert_floor_bytes,
                                .most_bytes = plan.expert_total_bytes,
                                .least_is = "one token's demand",
                                .note = ""};
  ShareOut(options, experts, "budget_bytes", other);
  if (other.fits && usable_bytes != 0 && other.budget_bytes > usable_bytes) {
    other.fits = false;
    other.shortage = BeyondUsable("budget_bytes", other);
    other.explanation = other.shortage.message();
  }
  return other;
}

}  // namespace edgemoe
