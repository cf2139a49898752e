// SPDX-License-Identifier: Apache-2.0
#include "engine/load/model_header.h"

#include <algorithm>
#include <utility>

#include "engine/base/accepted.h"
#include "engine/base/checksum.h"
#include "engine/gguf/pack_keys.h"
#include "engine/io/mapped_file.h"
#include "engine/model/arch/architecture.h"
#include "engine/stream/pipeline/slots.h"
#include "engine/tokenizer/vocabulary_kind.h"

namespace edgemoe {
namespace {

// What the parts of a file say, before it is put together.
struct Parts {
  std::vector<ModelPart> files{};
  std::uint64_t file_bytes = 0;
  std::vector<GgufFile> headers{};
};

Status AddPart(ModelPart part, std::span<const std::byte> bytes, Parts& parts) {
  EDGEMOE_ASSIGN_OR_RETURN(GgufFile parsed, ParseGguf(bytes, bytes.size()));
  EDGEMOE_RETURN_IF_ERROR(CheckPackHeader(bytes, parsed));
  part.header_bytes = std::min<std::uint64_t>(parsed.data_offset(), bytes.size());
  part.header_digest = Digest128Of(bytes.first(static_cast<std::size_t>(part.header_bytes)));
  parts.files.push_back(std::move(part));
  parts.file_bytes += bytes.size();
  parts.headers.push_back(std::move(parsed));
  return OkStatus();
}

Result<ModelHeader> Understand(Parts parts) {
  EDGEMOE_ASSIGN_OR_FAIL(GgufSet files, GgufSet::Merge(std::move(parts.headers)));
  EDGEMOE_ASSIGN_OR_FAIL(ModelConfig config, ReadModelConfig(files.metadata()));
  EDGEMOE_ASSIGN_OR_FAIL(WeightsLayout layout, LayOutWeights(config, files));
  EDGEMOE_ASSIGN_OR_FAIL(SlotClasses classes,
                         SlotClassesOf(layout.experts, config.expert_used_count));
  return ModelHeader{std::move(parts.files), parts.file_bytes,  std::move(files),
                     std::move(config),      std::move(layout), std::move(classes)};
}

// An array of bytes, signed or not; empty where there is none.
Result<std::vector<std::uint8_t>> ReadBytes(const GgufFile& metadata, const std::string& key) {
  std::vector<std::uint8_t> bytes;
  if (metadata.Find(key) == nullptr) return bytes;
  EDGEMOE_ASSIGN_OR_FAIL(const std::vector<std::int32_t> numbers, metadata.GetInt32Array(key));
  bytes.reserve(numbers.size());
  for (const std::int32_t number : numbers) {
    if (number < -128 || number > 255)
      return Failure(
          InvalidArgumentError(key + ": " + FoundAndAccepted(ShowValue(number), "bytes")));
    bytes.push_back(static_cast<std::uint8_t>(number & 0xFF));
  }
  return bytes;
}

}  // namespace

Result<ModelHeader> ReadModelHeader(const std::string& path) {
  Parts parts;
  EDGEMOE_ASSIGN_OR_FAIL(const std::vector<std::string> paths, GgufPartPaths(path));
  for (const std::string& part : paths) {
    EDGEMOE_ASSIGN_OR_FAIL(const MappedFile mapped, MappedFile::Open(part));
    EDGEMOE_FAIL_IF_ERROR(
        AddPart({.path = part, .identity = mapped.identity()}, mapped.bytes(), parts)
            .WithContext(part));
  }
  Result<ModelHeader> header = Understand(std::move(parts));
  if (!header) return Failure(header.error().WithContext(path));
  return header;
}

Result<ModelHeader> ReadModelHeader(std::span<const std::byte> file) {
  Parts parts;
  EDGEMOE_FAIL_IF_ERROR(AddPart({}, file, parts));
  return Understand(std::move(parts));
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
  const auto flag = [&](std::string_view name, std::optional<bool>& out) -> Status {
    if (metadata.Find(key(name)) == nullptr) return OkStatus();
    EDGEMOE_ASSIGN_OR_RETURN(out, metadata.GetBool(key(name)));
    return OkStatus();
  };
  EDGEMOE_ASSIGN_OR_FAIL(vocabulary.model, metadata.GetString(key("model")));
  EDGEMOE_ASSIGN_OR_FAIL(vocabulary.pre, metadata.GetStringOr(key("pre"), ""));
  EDGEMOE_FAIL_IF_ERROR(strings("tokens", vocabulary.tokens));
  // A kind that is not known is refused by its name, whatever else the file has.
  if (const auto kind = FindVocabularyKind(vocabulary.model)) {
    if ((*kind)->method == VocabularyKind::Method::kListedMerges) {
      EDGEMOE_FAIL_IF_ERROR(strings("merges", vocabulary.merges));
    } else {
      EDGEMOE_ASSIGN_OR_FAIL(vocabulary.scores, metadata.GetF32Array(key("scores")));
    }
  }
  EDGEMOE_ASSIGN_OR_FAIL(vocabulary.precompiled_charsmap,
                         ReadBytes(metadata, key("precompiled_charsmap")));
  if (metadata.Find(key("token_type")) != nullptr) {
    EDGEMOE_ASSIGN_OR_FAIL(vocabulary.token_type, metadata.GetInt32Array(key("token_type")));
  }
  EDGEMOE_FAIL_IF_ERROR(token_id("bos_token_id", vocabulary.bos_token_id));
  EDGEMOE_FAIL_IF_ERROR(token_id("eos_token_id", vocabulary.eos_token_id));
  EDGEMOE_FAIL_IF_ERROR(token_id("eot_token_id", vocabulary.eot_token_id));
  EDGEMOE_FAIL_IF_ERROR(token_id("unknown_token_id", vocabulary.unknown_token_id));
  EDGEMOE_FAIL_IF_ERROR(token_id("padding_token_id", vocabulary.padding_token_id));
  EDGEMOE_FAIL_IF_ERROR(flag("add_bos_token", vocabulary.add_bos_token));
  EDGEMOE_FAIL_IF_ERROR(flag("add_eos_token", vocabulary.add_eos_token));
  EDGEMOE_FAIL_IF_ERROR(flag("add_space_prefix", vocabulary.add_space_prefix));
  EDGEMOE_FAIL_IF_ERROR(flag("remove_extra_whitespaces", vocabulary.remove_extra_whitespaces));
  return vocabulary;
}

}  // namespace edgemoe
