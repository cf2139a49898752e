// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/result.h"
#include "engine/gguf/gguf_reader.h"
#include "engine/model/kv_cache.h"

namespace edgemoe {

// Bounds of what a file may say.
constexpr std::uint32_t kLayerCountMax = 1024;
constexpr std::uint32_t kWidthMax = 1u << 17;  // of the model and of an expert
constexpr std::uint32_t kExpertCountMax = 1024;
constexpr std::uint32_t kExpertUsedCountMax = 64;
constexpr std::uint32_t kVocabularySizeMax = 1u << 22;
constexpr std::uint32_t kContextLengthMax = 1u << 24;

// The shape of a qwen3moe model, read from a file's metadata and checked: every field is in a sane
// range, so that sizes derived from them cannot overflow.
struct ModelConfig {
  std::string architecture;  // "qwen3moe"
  std::string name;          // general.name, or empty
  std::uint32_t layer_count = 0;
  std::uint32_t width = 0;  // embedding length
  std::uint32_t head_count = 0;
  std::uint32_t kv_head_count = 0;      // divides head_count
  std::uint32_t head_size = 0;          // even
  std::uint32_t expert_count = 0;       // in a layer
  std::uint32_t expert_used_count = 0;  // top-k, at most expert_count
  std::uint32_t expert_width = 0;       // expert feed-forward length
  std::uint32_t vocabulary_size = 0;
  std::uint32_t context_length = 0;  // tokens it was trained for
  float rms_epsilon = 0;
  float rope_base = 0;

  KvShape kv_shape() const { return {layer_count, kv_head_count, head_size}; }
};

// NOT_FOUND names a missing key. UNIMPLEMENTED (another architecture, scaled RoPE and the like) and
// INVALID_ARGUMENT name the key, the value found and what is accepted: nothing that would change
// the result is passed over. The vocabulary is as long as tokenizer.ggml.tokens.
Result<ModelConfig> ReadModelConfig(const GgufFile& metadata);

}  // namespace edgemoe
