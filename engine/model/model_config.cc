// SPDX-License-Identifier: Apache-2.0
#include "engine/model/model_config.h"

#include <cmath>
#include <limits>
#include <string_view>

namespace edgemoe {
namespace {

constexpr std::string_view kArchitecture = "qwen3moe";

std::string KeyOf(std::string_view name) {
  return std::string(kArchitecture).append(".").append(name);
}

Status OutsideRange(const std::string& key, std::uint64_t value, std::uint64_t least,
                    std::uint64_t most) {
  return InvalidArgumentError(key + ": found " + std::to_string(value) + ", accepted are " +
                              std::to_string(least) + " to " + std::to_string(most));
}

// A required key, in [least, most].
Status ReadCount(const GgufFile& file, std::string_view name, std::uint32_t least,
                 std::uint32_t most, std::uint32_t* out) {
  const std::string key = KeyOf(name);
  EDGEMOE_ASSIGN_OR_RETURN(*out, file.GetU32(key));
  return *out < least || *out > most ? OutsideRange(key, *out, least, most) : OkStatus();
}

// The same for a key that may be missing.
Status ReadCountOr(const GgufFile& file, std::string_view name, std::uint32_t least,
                   std::uint32_t most, std::uint32_t fallback, std::uint32_t* out) {
  if (file.Find(KeyOf(name)) != nullptr) return ReadCount(file, name, least, most, out);
  *out = fallback;
  return OkStatus();
}

Status ReadVocabularySize(const GgufFile& file, std::uint32_t* out) {
  constexpr std::string_view kTokens = "tokenizer.ggml.tokens";
  if (file.Find(kTokens) == nullptr) {
    return ReadCount(file, "vocab_size", 1, kVocabularySizeMax, out);
  }
  EDGEMOE_ASSIGN_OR_RETURN(const GgufArray* tokens, file.GetStrings(kTokens));
  if (tokens->size() < 1 || tokens->size() > kVocabularySizeMax) {
    return OutsideRange(std::string(kTokens) + " (its length)", tokens->size(), 1,
                        kVocabularySizeMax);
  }
  *out = static_cast<std::uint32_t>(tokens->size());
  return OkStatus();
}

Status ReadAttention(const GgufFile& file, ModelConfig* config) {
  EDGEMOE_RETURN_IF_ERROR(ReadCount(file, "attention.head_count", 1, 1024, &config->head_count));
  EDGEMOE_RETURN_IF_ERROR(ReadCountOr(file, "attention.head_count_kv", 1, config->head_count,
                                      config->head_count, &config->kv_head_count));
  if (config->head_count % config->kv_head_count != 0) {
    return InvalidArgumentError(
        KeyOf("attention.head_count_kv") + ": found " + std::to_string(config->kv_head_count) +
        ", accepted are divisors of the head count " + std::to_string(config->head_count));
  }
  const std::uint32_t by_width = config->width / config->head_count;
  EDGEMOE_RETURN_IF_ERROR(
      ReadCountOr(file, "attention.key_length", 2, 1024, by_width, &config->head_size));
  if (config->head_size % 2 != 0 || config->head_size == 0) {
    return InvalidArgumentError(KeyOf("attention.key_length") + ": found " +
                                std::to_string(config->head_size) +
                                ", accepted are even numbers from 2 to 1024");
  }
  std::uint32_t value_size = 0;
  EDGEMOE_RETURN_IF_ERROR(ReadCountOr(file, "attention.value_length", config->head_size,
                                      config->head_size, config->head_size, &value_size));
  return ReadCountOr(file, "attention.sliding_window", 0, 0, 0, &value_size)
      .WithContext("attention over a window is not supported");
}

Status ReadRope(const GgufFile& file, ModelConfig* config) {
  EDGEMOE_ASSIGN_OR_RETURN(config->rope_base, file.GetF32Or(KeyOf("rope.freq_base"), 10000.0F));
  if (!std::isfinite(config->rope_base) || config->rope_base < 1.0F) {
    return InvalidArgumentError(KeyOf("rope.freq_base") + ": found " +
                                std::to_string(config->rope_base) +
                                ", accepted are finite numbers from 1");
  }
  std::uint32_t dimension_count = 0;
  EDGEMOE_RETURN_IF_ERROR(ReadCountOr(file, "rope.dimension_count", config->head_size,
                                      config->head_size, config->head_size, &dimension_count));

  const std::string type_key = KeyOf("rope.scaling.type");
  EDGEMOE_ASSIGN_OR_RETURN(const std::string_view type, file.GetStringOr(type_key, "none"));
  if (type == "none") return OkStatus();
  if (type != "linear") {
    return UnimplementedError(type_key + ": found \"" + std::string(type) +
                              "\", accepted are \"none\" and \"linear\" with factor 1");
  }
  const std::string factor_key = KeyOf("rope.scaling.factor");
  EDGEMOE_ASSIGN_OR_RETURN(const float factor, file.GetF32Or(factor_key, 1.0F));
  if (factor != 1.0F && factor != 0.0F) {
    return UnimplementedError(factor_key + ": found " + std::to_string(factor) +
                              ", accepted is 1: scaled positions are not supported");
  }
  return OkStatus();
}

Status ReadExperts(const GgufFile& file, ModelConfig* config) {
  EDGEMOE_RETURN_IF_ERROR(
      ReadCount(file, "expert_count", 1, kExpertCountMax, &config->expert_count));
  EDGEMOE_RETURN_IF_ERROR(ReadCount(file, "expert_used_count", 1,
                                    std::min(config->expert_count, kExpertUsedCountMax),
                                    &config->expert_used_count));
  EDGEMOE_RETURN_IF_ERROR(
      ReadCount(file, "expert_feed_forward_length", 1, kWidthMax, &config->expert_width));

  // What qwen3moe does not have, but a file of its relatives may say.
  std::uint32_t unused = 0;
  EDGEMOE_RETURN_IF_ERROR(ReadCountOr(file, "expert_shared_count", 0, 0, 0, &unused));
  EDGEMOE_RETURN_IF_ERROR(ReadCountOr(file, "leading_dense_block_count", 0, 0, 0, &unused));
  EDGEMOE_RETURN_IF_ERROR(ReadCountOr(file, "expert_gating_func", 1, 1, 1, &unused));
  const std::string scale_key = KeyOf("expert_weights_scale");
  EDGEMOE_ASSIGN_OR_RETURN(const float scale, file.GetF32Or(scale_key, 1.0F));
  if (scale != 1.0F && scale != 0.0F) {
    return UnimplementedError(scale_key + ": found " + std::to_string(scale) + ", accepted is 1");
  }
  return OkStatus();
}

Status ReadInto(const GgufFile& file, ModelConfig* config) {
  EDGEMOE_ASSIGN_OR_RETURN(const std::string_view architecture,
                           file.GetString("general.architecture"));
  if (architecture != kArchitecture) {
    return UnimplementedError("general.architecture: found \"" + std::string(architecture) +
                              "\", accepted is \"" + std::string(kArchitecture) + "\"");
  }
  config->architecture = architecture;
  EDGEMOE_ASSIGN_OR_RETURN(config->name, file.GetStringOr("general.name", ""));
  EDGEMOE_RETURN_IF_ERROR(ReadCount(file, "block_count", 1, kLayerCountMax, &config->layer_count));
  EDGEMOE_RETURN_IF_ERROR(ReadCount(file, "embedding_length", 1, kWidthMax, &config->width));
  EDGEMOE_RETURN_IF_ERROR(
      ReadCount(file, "context_length", 1, kContextLengthMax, &config->context_length));
  EDGEMOE_RETURN_IF_ERROR(ReadAttention(file, config));
  EDGEMOE_RETURN_IF_ERROR(ReadRope(file, config));
  EDGEMOE_RETURN_IF_ERROR(ReadExperts(file, config));
  EDGEMOE_RETURN_IF_ERROR(ReadVocabularySize(file, &config->vocabulary_size));

  const std::string epsilon_key = KeyOf("attention.layer_norm_rms_epsilon");
  EDGEMOE_ASSIGN_OR_RETURN(config->rms_epsilon, file.GetF32(epsilon_key));
  if (!(config->rms_epsilon >= 0.0F && config->rms_epsilon < 1.0F)) {
    return InvalidArgumentError(epsilon_key + ": found " + std::to_string(config->rms_epsilon) +
                                ", accepted are numbers from 0 to below 1");
  }
  return OkStatus();
}

}  // namespace

Result<ModelConfig> ReadModelConfig(const GgufFile& metadata) {
  ModelConfig config;
  EDGEMOE_FAIL_IF_ERROR(ReadInto(metadata, &config));
  return config;
}

}  // namespace edgemoe
