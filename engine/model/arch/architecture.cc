// SPDX-License-Identifier: Apache-2.0
#include "engine/model/arch/architecture.h"

#include <array>

#include "engine/model/arch/names.h"

namespace edgemoe {
namespace {

Status OutsideVocabularyRange(std::string_view key, std::size_t found) {
  return InvalidArgumentError(std::string(key) + " (its length): found " + std::to_string(found) +
                              ", accepted are 1 to " + std::to_string(kVocabularySizeMax));
}

// As long as tokenizer.ggml.tokens; a file without a vocabulary says it by a key.
Status ReadVocabularySize(MetadataReader& metadata, std::uint32_t* out) {
  constexpr std::string_view kTokens = "tokenizer.ggml.tokens";
  if (metadata.file().Find(kTokens) == nullptr)
    return metadata.Count("vocab_size", 1, kVocabularySizeMax, out);
  EDGEMOE_ASSIGN_OR_RETURN(const GgufArray* tokens, metadata.file().GetStrings(kTokens));
  if (tokens->size() < 1 || tokens->size() > kVocabularySizeMax)
    return OutsideVocabularyRange(kTokens, tokens->size());
  *out = static_cast<std::uint32_t>(tokens->size());
  return OkStatus();
}

std::string Names() {
  std::string names;
  for (const Architecture& known : Architectures())
    names.append(names.empty() ? "\"" : ", \"").append(known.name).append("\"");
  return names;
}

Status ReadInto(const GgufFile& file, ModelConfig& config) {
  EDGEMOE_ASSIGN_OR_RETURN(const std::string_view name, file.GetString("general.architecture"));
  const Architecture* const architecture = FindArchitecture(name);
  if (architecture == nullptr)
    return UnimplementedError("general.architecture: found " + QuoteForMessage(name) +
                              ", accepted are " + Names());
  config.architecture = name;
  EDGEMOE_ASSIGN_OR_RETURN(config.name, file.GetStringOr("general.name", ""));
  MetadataReader metadata(file, name);
  EDGEMOE_RETURN_IF_ERROR(architecture->read(metadata, config));
  EDGEMOE_RETURN_IF_ERROR(ReadVocabularySize(metadata, &config.vocabulary_size));
  EDGEMOE_RETURN_IF_ERROR(metadata.RefuseOthers());
  std::uint32_t next = 0;
  for (LayerConfig& layer : config.layers)
    if (layer.experts) layer.experts->index = ExpertLayerIndex{next++};
  return OkStatus();
}

}  // namespace

std::span<const Architecture> Architectures() {
  static const std::array kAll = {arch::kGptOss, arch::kOlmoe, arch::kQwen3Moe};
  return kAll;
}

const Architecture* FindArchitecture(std::string_view name) {
  for (const Architecture& known : Architectures())
    if (known.name == name) return &known;
  return nullptr;
}

Result<ModelConfig> ReadModelConfig(const GgufFile& metadata) {
  ModelConfig config;
  EDGEMOE_FAIL_IF_ERROR(ReadInto(metadata, config));
  return config;
}

std::span<const TensorRule> WholeModelTensors() {
  static constexpr std::array<TensorRule, 3> kRules = {
      {{TensorRole::kEmbedding, "token_embd.weight"},
       {TensorRole::kOutputNorm, "output_norm.weight"},
       {TensorRole::kOutput, "output.weight"}}};
  return kRules;
}

}  // namespace edgemoe
