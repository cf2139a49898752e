// SPDX-License-Identifier: Apache-2.0
//
// Small qwen3moe models with random weights, as real GGUF files: for tests that need a whole model
// in milliseconds. The same options give the same bytes. The next token is all but uniform: for
// what a model answers see tests/support/models/random_model.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/gguf/gguf_writer.h"
#include "engine/quant/tensor_type.h"
#include "tests/support/models/random_model.h"

namespace edgemoe {

// Widths must be whole numbers of blocks of the types: multiples of 32 for Q8_0 and Q4_0, of 256
// for K-quants. An expert takes 3 * width * expert_width weights.
struct TinyModelOptions {
  std::uint32_t layer_count = 2;
  std::uint32_t width = 64;
  std::uint32_t head_count = 4;
  std::uint32_t kv_head_count = 2;
  std::uint32_t head_size = 16;
  std::uint32_t expert_count = 8;
  std::uint32_t expert_used_count = 2;
  std::uint32_t expert_width = 64;
  std::uint32_t context_length = 256;
  TensorType dense_type = TensorType::kQ8_0;
  TensorType gate_type = TensorType::kQ8_0;
  TensorType up_type = TensorType::kQ8_0;
  TensorType down_type = TensorType::kQ8_0;
  bool tied_output = true;
  bool chat_template = true;
  std::string template_text{};       // in place of ChatML
  std::uint32_t further_tokens = 0;  // beyond kTinyVocabularySize
  std::uint64_t seed = 1;
};

using TinyTensor = RandomTensor;

// The parts, for tests that break one of them.
std::vector<TinyTensor> TinyModelTensors(const TinyModelOptions& options);
Status SetTinyModelMetadata(const TinyModelOptions& options, GgufWriter* writer);

// The whole file.
std::vector<std::byte> TinyModelBytes(const TinyModelOptions& options);
// By WriteRandomModel.
Status WriteTinyModel(const std::string& path, const TinyModelOptions& options);

}  // namespace edgemoe
