// SPDX-License-Identifier: Apache-2.0
#include "engine/model/model_header.h"

#include <utility>

#include "engine/gguf/pack_keys.h"
#include "engine/io/mapped_file.h"
#include "engine/model/arch/architecture.h"
#include "engine/stream/expert_slots.h"

namespace edgemoe {

Result<ModelHeader> ReadModelHeader(const std::string& path) {
  EDGEMOE_ASSIGN_OR_FAIL(std::vector<std::string> paths, GgufPartPaths(path));
  std::uint64_t file_bytes = 0;
  std::vector<GgufFile> parts;
  for (const std::string& part : paths) {
    EDGEMOE_ASSIGN_OR_FAIL(const MappedFile mapped, MappedFile::Open(part));
    Result<GgufFile> parsed = ParseGguf(mapped.bytes(), mapped.bytes().size());
    if (!parsed) return Failure(parsed.error().WithContext(part));
    if (Status status = CheckPackHeader(mapped.bytes(), *parsed); !status.ok())
      return Failure(status.WithContext(part));
    parts.push_back(*std::move(parsed));
    file_bytes += mapped.bytes().size();
  }
  Result<GgufSet> files = GgufSet::Merge(std::move(parts));
  if (!files) return Failure(files.error().WithContext(path));
  Result<ModelConfig> config = ReadModelConfig(files->metadata());
  if (!config) return Failure(config.error().WithContext(path));
  Result<WeightsLayout> layout = LayOutWeights(*config, *files);
  if (!layout) return Failure(layout.error().WithContext(path));
  Result<SlotClasses> classes = SlotClassesOf(layout->experts, config->expert_used_count);
  if (!classes) return Failure(classes.error().WithContext(path));
  return ModelHeader{std::move(paths),   file_bytes,         *std::move(files),
                     *std::move(config), *std::move(layout), *std::move(classes)};
}

Result<VocabularyDescription> ReadVocabulary(const GgufFile& metadata) {
  VocabularyDescription vocabulary;
  const auto key = [](std::string_view name) { return "tokenizer.ggml." + std::string(name); };
  const auto strings = [&](std::string_view name, std::vector<std::string>& out) -> Status {
    EDGEMOE_ASSIGN_OR_RETURN(const GgufArray* array, metadata.GetStrings(key(name)));
    out.reserve(array->size());
    for (std::size_t i = 0; i < array->size(); ++i) out.emplace_back(array->StringAt(i));
    return OkStatus();
  };
  const auto token_id = [&](std::string_view name, std::optional<std::uint32_t>& out) -> Status {
    if (metadata.Find(key(name)) == nullptr) return OkStatus();
    EDGEMOE_ASSIGN_OR_RETURN(out, metadata.GetU32(key(name)));
    return OkStatus();
  };
  EDGEMOE_ASSIGN_OR_FAIL(vocabulary.model, metadata.GetString(key("model")));
  EDGEMOE_ASSIGN_OR_FAIL(vocabulary.pre, metadata.GetStringOr(key("pre"), ""));
  EDGEMOE_FAIL_IF_ERROR(strings("tokens", vocabulary.tokens));
  EDGEMOE_FAIL_IF_ERROR(strings("merges", vocabulary.merges));
  if (metadata.Find(key("token_type")) != nullptr) {
    EDGEMOE_ASSIGN_OR_FAIL(vocabulary.token_type, metadata.GetInt32Array(key("token_type")));
  }
  EDGEMOE_FAIL_IF_ERROR(token_id("bos_token_id", vocabulary.bos_token_id));
  EDGEMOE_FAIL_IF_ERROR(token_id("eos_token_id", vocabulary.eos_token_id));
  EDGEMOE_FAIL_IF_ERROR(token_id("eot_token_id", vocabulary.eot_token_id));
  EDGEMOE_FAIL_IF_ERROR(token_id("unknown_token_id", vocabulary.unknown_token_id));
  EDGEMOE_FAIL_IF_ERROR(token_id("padding_token_id", vocabulary.padding_token_id));
  EDGEMOE_ASSIGN_OR_FAIL(vocabulary.add_bos_token, metadata.GetBoolOr(key("add_bos_token"), false));
  EDGEMOE_ASSIGN_OR_FAIL(vocabulary.add_eos_token, metadata.GetBoolOr(key("add_eos_token"), false));
  return vocabulary;
}

}  // namespace edgemoe
