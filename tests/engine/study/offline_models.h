// SPDX-License-Identifier: Apache-2.0
//
// Small models for tests of what runs text through a model.
#pragma once

#include <cstring>
#include <span>
#include <vector>

#include "engine/base/random.h"
#include "engine/gguf/requantize.h"
#include "engine/study/offline_model.h"
#include "tests/support/models/loaded_model.h"
#include "tests/support/models/tiny_model.h"

namespace edgemoe {

// All weights are floats.
inline std::vector<std::byte> FloatModelBytes() {
  TinyModelOptions options;
  options.layer_count = 3;
  options.expert_count = 16;
  options.expert_used_count = 4;
  options.dense_type = options.gate_type = options.up_type = options.down_type = TensorType::kF32;
  options.tied_output = false;
  return TinyModelBytes(options);
}

// The same file with its matrices in `type`.
inline std::vector<std::byte> Requantized(std::span<const std::byte> file, TensorType type) {
  const GgufFile source = *ParseGguf(file, file.size());
  const RequantizePlan plan = *PlanRequantize(source, type);
  std::vector<std::byte> out(plan.header.file_bytes);
  std::memcpy(out.data(), plan.header.bytes.data(), plan.header.bytes.size());
  for (std::size_t i = 0; i < plan.sources.size(); ++i) {
    const GgufTensor& from = plan.sources[i];
    const GgufTensor& to = plan.header.tensors[i];
    std::vector<float> scratch(from.columns());
    RequantizeRows(from.type, to.type, from.columns(), from.rows(), file.data() + from.offset,
                   scratch.data(), out.data() + to.offset);
  }
  return out;
}

inline std::vector<TokenId> RandomTokens(std::size_t count) {
  Random random(3);
  std::vector<TokenId> tokens(count);
  for (TokenId& token : tokens)
    token.value = static_cast<std::int32_t>(random.NextBelow(kTinyVocabularySize));
  return tokens;
}

// [tokens, vocabulary], of the model in memory.
inline std::vector<float> LogitsInMemory(std::span<const std::byte> file,
                                         std::span<const TokenId> tokens) {
  const auto model = *LoadedModel::Load(file, {});
  SequenceState sequence(model->state());
  return *model->Run(sequence, 0, tokens);
}

// Those of positions from `first` on.
inline Result<std::vector<float>> LogitsOf(OfflineModel& model, std::span<const TokenId> tokens,
                                           std::size_t first = 0) {
  std::vector<float> logits;
  EDGEMOE_FAIL_IF_ERROR(
      model.RunWindow(tokens, first, [&](std::size_t position, std::span<const float> row) {
        EDGEMOE_CHECK(logits.size() == (position - first) * row.size(), "out of order");
        logits.insert(logits.end(), row.begin(), row.end());
      }));
  return logits;
}

}  // namespace edgemoe
