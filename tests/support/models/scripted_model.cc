// SPDX-License-Identifier: Apache-2.0
#include "tests/support/models/scripted_model.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string_view>
#include <utility>

#include "engine/base/random.h"

namespace edgemoe {
namespace {

constexpr std::uint32_t kWidth = 256;
constexpr std::size_t kPieceBytes = 6;  // of a text, and what its last character has beyond
constexpr std::uint32_t kContextTokens = 4096;

// Tokens by id, and what each is followed by.
struct ScriptedVocabulary {
  std::vector<std::string> tokens;  // as files name them
  std::vector<std::int32_t> types;
  std::map<std::uint32_t, std::vector<std::uint32_t>> before;  // token -> those that it follows
};

ScriptedVocabulary TestsVocabulary() {
  ScriptedVocabulary made;
  for (const GgufEntry& entry : TinyVocabularyKeys("qwen2")) {
    if (entry.key == "tokenizer.ggml.tokens") {
      const auto& tokens = std::get<GgufArray>(entry.value);
      for (std::size_t i = 0; i < tokens.size(); ++i) made.tokens.emplace_back(tokens.StringAt(i));
    }
    if (entry.key == "tokenizer.ggml.token_type") {
      const auto& types = std::get<GgufArray>(entry.value);
      made.types.resize(types.size());
      std::memcpy(made.types.data(), types.packed().data(), types.packed().size());
    }
  }
  return made;
}

bool BeginsCharacter(std::string_view text, std::size_t at) {
  return at == text.size() || (static_cast<unsigned char>(text[at]) & 0xc0) != 0x80;
}

void AddScript(const Script& script, ScriptedVocabulary& into) {
  const auto add = [&into](std::string token, std::int32_t type) {
    into.tokens.push_back(std::move(token));
    into.types.push_back(type);
    return static_cast<std::uint32_t>(into.tokens.size() - 1);
  };
  std::vector<std::uint32_t> before = {add("<|script:" + script.name + "|>", 3)};
  if (script.after_line) before.push_back('\n');
  // Gives the token that the text begins with.
  const auto write = [&](std::string_view rest) {
    const auto first = static_cast<std::uint32_t>(into.tokens.size());
    while (!rest.empty()) {
      std::size_t length = std::min(kPieceBytes, rest.size());
      while (!BeginsCharacter(rest, length)) ++length;
      std::string token;
      for (const char byte : rest.substr(0, length))
        token += into.tokens[static_cast<unsigned char>(byte)];
      const std::uint32_t next = add(std::move(token), 1);
      into.before[next] = before;
      before = {next};
      rest.remove_prefix(length);
    }
    return first;
  };
  write(script.text);
  const std::uint32_t first =
      script.repeated.empty() ? std::uint32_t{kTinyImEnd} : write(script.repeated);
  std::vector<std::uint32_t>& ends = into.before[first];
  ends.insert(ends.end(), before.begin(), before.end());
}

ModelConfig ScriptedConfig(std::uint32_t vocabulary_size) {
  ModelConfig config;
  config.architecture = "qwen3moe";
  config.name = "scripted";
  config.width = kWidth;
  config.vocabulary_size = vocabulary_size;
  config.context_length = kContextTokens;
  config.rms_epsilon = 1e-6F;
  config.expert_count = 4;
  config.expert_used_count = 2;
  config.expert_width = 32;
  LayerConfig layer;
  layer.attention().head_count = 2;
  layer.attention().kv_head_count = 1;
  layer.attention().head_size = 16;
  layer.attention().qk_norm = QkNorm::kHead;
  layer.attention().rope.dimension_count = 16;
  layer.experts = ExpertsConfig{.normalise = true};
  config.layers.assign(1, layer);
  return config;
}

// Of 1 and -1, so that two tokens' embeddings have a small product beside that of one with itself.
void AddEmbedding(std::uint64_t token, std::span<float> row) {
  Random random(token);
  for (float& x : row) x += random.NextBelow(2) == 0 ? 1.0F : -1.0F;
}

}  // namespace

RandomModelOptions ScriptedModel(const std::string& template_text,
                                 const std::vector<Script>& scripts) {
  ScriptedVocabulary vocabulary = TestsVocabulary();
  for (const Script& script : scripts) AddScript(script, vocabulary);
  RandomModelOptions options;
  options.config = ScriptedConfig(static_cast<std::uint32_t>(vocabulary.tokens.size()));
  options.changed_keys = {
      {"tokenizer.ggml.tokens", GgufArray::OfStrings(vocabulary.tokens)},
      {"tokenizer.ggml.token_type", GgufArray::OfInt32(vocabulary.types)},
      {"tokenizer.chat_template", template_text},
  };
  options.given_row = [before = std::move(vocabulary.before)](const RandomTensor& tensor,
                                                              std::uint64_t row,
                                                              std::span<std::byte> packed) {
    std::vector<float> values(packed.size() / sizeof(float), 0.0F);
    switch (tensor.role) {
      case TensorRole::kEmbedding: AddEmbedding(row, values); break;
      case TensorRole::kOutput: {
        const auto those = before.find(static_cast<std::uint32_t>(row));
        if (those == before.end()) break;
        for (const std::uint32_t token : those->second) AddEmbedding(token, values);
        break;
      }
      case TensorRole::kAttentionOutput:
      case TensorRole::kDown: break;
      default: return false;
    }
    std::memcpy(packed.data(), values.data(), packed.size());
    return true;
  };
  return options;
}

}  // namespace edgemoe
