// SPDX-License-Identifier: Apache-2.0
#include "tests/support/models/loaded_model.h"

#include <algorithm>
#include <cstring>

#include "engine/kernels/dispatch.h"
#include "engine/load/model_header.h"

namespace edgemoe {
namespace {

constexpr std::uint32_t kSequencesMax = 64;

}  // namespace

Result<std::vector<float>> RunTokens(Forward& forward, const ModelConfig& config,
                                     std::uint32_t chunk_max, SequenceState& sequence,
                                     std::uint32_t position, std::span<const TokenId> tokens) {
  std::vector<float> logits;
  std::vector<BatchRow> rows;
  std::vector<RowResult> results;
  for (std::size_t begin = 0; begin < tokens.size(); begin += rows.size()) {
    rows.clear();
    const std::size_t end = std::min(begin + chunk_max, tokens.size());
    EDGEMOE_FAIL_IF_ERROR(sequence.Prepare(position + static_cast<std::uint32_t>(begin),
                                           position + static_cast<std::uint32_t>(end)));
    for (std::size_t i = begin; i < end; ++i) {
      rows.push_back(
          {&sequence, position + static_cast<std::uint32_t>(i), tokens[i], true, nullptr});
    }
    results.assign(rows.size(), {});
    forward.Run(rows, results);
    for (const RowResult& result : results) {
      EDGEMOE_FAIL_IF_ERROR(result.status);
      logits.insert(logits.end(), result.logits, result.logits + config.vocabulary_size);
    }
  }
  return logits;
}

Result<std::unique_ptr<LoadedModel>> LoadedModel::Load(std::span<const std::byte> file,
                                                       const Options& options) {
  std::unique_ptr<LoadedModel> model(new LoadedModel());
  model->options_ = options;
  EDGEMOE_ASSIGN_OR_FAIL(ModelHeader header, ReadModelHeader(file));
  model->files_ = std::make_unique<GgufSet>(std::move(header.files));
  model->config_ = std::move(header.config);
  model->layout_ = std::move(header.layout);
  const auto read = [&](std::uint32_t, std::uint64_t offset, std::byte* destination,
                        std::uint64_t bytes) {
    std::memcpy(destination, file.data() + offset, bytes);
    return OkStatus();
  };
  EDGEMOE_ASSIGN_OR_FAIL(model->weights_, LoadWeights(model->config_, model->layout_, read, {}));
  model->pool_ = std::make_unique<ComputePool>(options.thread_count);
  model->experts_ = std::make_unique<MemoryExpertSource>(model->layout_.experts, file);
  EDGEMOE_ASSIGN_OR_FAIL(StatePool state,
                         StatePool::Create(StateShapeOf(model->config_),
                                           {.token_capacity = options.state_tokens,
                                            .sequences_max = kSequencesMax,
                                            .context_tokens = model->config_.context_length,
                                            .rows_max = options.rows_max}));
  model->state_ = std::make_unique<StatePool>(std::move(state));
  const KernelTable& kernels =
      options.kernels != nullptr ? *options.kernels : *AvailableKernels().front();
  EDGEMOE_ASSIGN_OR_FAIL(model->forward_, Forward::Create(model->config_,
                                                          {.weights = model->weights_,
                                                           .kernels = kernels,
                                                           .pool = *model->pool_,
                                                           .experts = *model->experts_},
                                                          {.rows_max = options.rows_max,
                                                           .logit_rows_max = options.logit_rows_max,
                                                           .observer = options.observer}));
  return model;
}

Result<std::vector<float>> LoadedModel::Run(SequenceState& sequence, std::uint32_t position,
                                            std::span<const TokenId> tokens) {
  return RunTokens(*forward_, config_, std::min(options_.rows_max, options_.logit_rows_max),
                   sequence, position, tokens);
}

}  // namespace edgemoe
