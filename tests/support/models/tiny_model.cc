// SPDX-License-Identifier: Apache-2.0
#include "tests/support/models/tiny_model.h"

#include <cmath>

#include "tests/support/models/random_model_file.h"

namespace edgemoe {
namespace {

// Rows of about unit length, so that activations neither vanish nor grow; norms near 1.
WeightSpread EvenSpread(TensorRole role, std::uint64_t columns) {
  if (IsFloatVector(role)) return {1, 0.1};
  if (role == TensorRole::kEmbedding) return {0, 1};
  return {0, (role == TensorRole::kRouter ? 4.0 : 1.7) / std::sqrt(static_cast<double>(columns))};
}

ModelConfig TinyConfig(const TinyModelOptions& o) {
  ModelConfig config;
  config.architecture = "qwen3moe";
  config.name = "tiny";
  config.width = o.width;
  config.vocabulary_size = kTinyVocabularySize + o.further_tokens;
  config.context_length = o.context_length;
  config.rms_epsilon = 1e-6F;
  config.expert_count = o.expert_count;
  config.expert_used_count = o.expert_used_count;
  config.expert_width = o.expert_width;
  LayerConfig layer;
  layer.attention().head_count = o.head_count;
  layer.attention().kv_head_count = o.kv_head_count;
  layer.attention().head_size = o.head_size;
  layer.attention().qk_norm = QkNorm::kHead;
  layer.attention().rope.dimension_count = o.head_size;
  layer.experts = ExpertsConfig{.normalise = true};
  config.layers.assign(o.layer_count, layer);
  return config;
}

RandomModelOptions RandomOptions(const TinyModelOptions& o) {
  RandomModelOptions options;
  options.config = TinyConfig(o);
  options.seed = o.seed;
  options.tied_output = o.tied_output;
  options.chat_template = o.chat_template;
  if (!o.template_text.empty()) options.changed_keys["tokenizer.chat_template"] = o.template_text;
  options.spread = EvenSpread;
  options.type_of = [o](TensorRole role) {
    switch (role) {
      case TensorRole::kGate: return o.gate_type;
      case TensorRole::kUp: return o.up_type;
      case TensorRole::kDown: return o.down_type;
      default: return o.dense_type;
    }
  };
  return options;
}

}  // namespace

std::vector<TinyTensor> TinyModelTensors(const TinyModelOptions& options) {
  return RandomModelTensors(RandomOptions(options));
}

Status SetTinyModelMetadata(const TinyModelOptions& options, GgufWriter* writer) {
  for (GgufEntry& entry : RandomModelKeys(RandomOptions(options)))
    EDGEMOE_RETURN_IF_ERROR(writer->Set(entry.key, std::move(entry.value)));
  return OkStatus();
}

std::vector<std::byte> TinyModelBytes(const TinyModelOptions& options) {
  return RandomModelBytes(RandomOptions(options));
}

Status WriteTinyModel(const std::string& path, const TinyModelOptions& options) {
  return WriteRandomModel(path, RandomOptions(options));
}

}  // namespace edgemoe
