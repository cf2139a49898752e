// SPDX-License-Identifier: Apache-2.0
#include "engine/model/arch/architecture.h"

#include <algorithm>
#include <array>

#include "engine/base/accepted.h"
#include "engine/model/arch/names.h"

namespace edgemoe {
namespace {

constexpr std::string_view kTokens = "tokenizer.ggml.tokens";
constexpr std::string_view kVocabularySize = "vocab_size";

Status ReadVocabularySize(MetadataReader& metadata, std::uint32_t* out) {
  if (metadata.file().Find(kTokens) == nullptr) {
    if (metadata.Has(kVocabularySize))
      return metadata.Count(kVocabularySize, 1, kVocabularySizeMax, out);
    return NotFoundError(std::string(kTokens) + ": missing, and so is " +
                         metadata.KeyOf(kVocabularySize) +
                         "; one of them must say how many tokens there are");
  }
  EDGEMOE_ASSIGN_OR_RETURN(const GgufArray* tokens, metadata.file().GetStrings(kTokens));
  EDGEMOE_RETURN_IF_ERROR(
      CheckRange(kTokens, tokens->size(), std::size_t{1}, std::size_t{kVocabularySizeMax}));
  *out = static_cast<std::uint32_t>(tokens->size());
  return OkStatus();
}

std::string Names() {
  std::vector<std::string_view> names;
  for (const Architecture& known : Architectures()) names.push_back(known.name);
  return AcceptedNames(names);
}

Status ReadInto(const GgufFile& file, ModelConfig& config) {
  EDGEMOE_ASSIGN_OR_RETURN(const std::string_view name, file.GetString("general.architecture"));
  const Architecture* const architecture = FindArchitecture(name);
  if (architecture == nullptr)
    return UnimplementedError("general.architecture: " +
                              FoundAndAccepted(ShowValue(name), Names()));
  config.architecture = name;
  EDGEMOE_ASSIGN_OR_RETURN(config.name, file.GetStringOr("general.name", ""));
  MetadataReader metadata(file, name);
  EDGEMOE_RETURN_IF_ERROR(architecture->read(metadata, config));
  EDGEMOE_RETURN_IF_ERROR(ReadVocabularySize(metadata, &config.vocabulary_size));
  for (const TokenId token : config.suppressed_tokens)
    EDGEMOE_RETURN_IF_ERROR(CheckRange("tokenizer.ggml.suppress_tokens", token.value, 0,
                                       static_cast<std::int32_t>(config.vocabulary_size) - 1));
  EDGEMOE_RETURN_IF_ERROR(metadata.RefuseOthers());
  std::uint32_t next = 0;
  for (LayerConfig& layer : config.layers)
    if (layer.experts) layer.experts->index = ExpertLayerIndex{next++};
  return OkStatus();
}

}  // namespace

std::span<const Architecture> Architectures() {
  static const std::array kAll = {
      arch::kDeepSeek2,     arch::kGemma3,     arch::kGemma4,   arch::kGptOss,  arch::kGranite,
      arch::kGraniteHybrid, arch::kGraniteMoe, arch::kLfm2,     arch::kLfm2Moe, arch::kLlama,
      arch::kMiniCpm,       arch::kOlmoe,      arch::kQwen2Moe, arch::kQwen3,   arch::kQwen35,
      arch::kQwen35Moe,     arch::kQwen3Moe,   arch::kQwen3Next};
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

std::string VocabularySizeKey(const GgufFile& metadata, std::string_view architecture) {
  if (metadata.Find(kTokens) != nullptr) return std::string(kTokens);
  return MetadataReader(metadata, architecture).KeyOf(kVocabularySize);
}

std::vector<TensorRule> WholeModelTensors(const Architecture& architecture,
                                          const ModelConfig& config) {
  std::vector<TensorRule> rules = {{TensorRole::kEmbedding, "token_embd.weight"},
                                   {TensorRole::kOutputNorm, architecture.output_norm},
                                   {TensorRole::kOutput, "output.weight", true}};
  if (config.rope_factor_count() == 0) return rules;
  const bool of_long = std::ranges::any_of(config.layers, [](const LayerConfig& layer) {
    const auto* const attention = layer.mixer_as<AttentionConfig>();
    return attention != nullptr && attention->rope.scaling == RopeScaling::kLongRope;
  });
  if (of_long) {
    rules.insert(rules.end(), {{TensorRole::kRopeShortFactors, "rope_factors_short.weight"},
                               {TensorRole::kRopeLongFactors, "rope_factors_long.weight"}});
  } else {
    rules.push_back({TensorRole::kRopeFactors, "rope_freqs.weight", true});
  }
  return rules;
}

}  // namespace edgemoe
