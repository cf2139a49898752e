// SPDX-License-Identifier: Apache-2.0
#include "tests/support/models/changed_model.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>

#include "engine/base/check.h"
#include "engine/load/model_header.h"
#include "engine/load/model_parts.h"
#include "engine/model/arch/architecture.h"
#include "tests/support/models/loaded_model.h"

namespace edgemoe {
namespace {

GgufHeader HeaderOf(const ModelParts& parts) {
  GgufWriter writer;
  for (const GgufEntry& entry : parts.keys)
    EDGEMOE_CHECK(writer.Set(entry.key, entry.value).ok(), "keys that can be written");
  for (const RandomTensor& tensor : parts.tensors)
    EDGEMOE_CHECK(writer.AddTensor(tensor.name, tensor.type, tensor.dims).ok(), "whole blocks");
  return writer.Build();
}

}  // namespace

std::vector<std::string> ArchitectureNames() {
  std::vector<std::string> names;
  for (const Architecture& architecture : Architectures()) names.emplace_back(architecture.name);
  return names;
}

std::string TestNameOf(std::string_view architecture) {
  std::string name(architecture);
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return name;
}

ModelParts::ModelParts(const RandomModelOptions& model)
    : keys(RandomModelKeys(model)), tensors(RandomModelTensors(model)) {
  tensors.insert(tensors.end(), model.unused_tensors.begin(), model.unused_tensors.end());
}

void ModelParts::SetKey(std::string_view key, GgufValue value) {
  const auto found = std::ranges::find(keys, key, &GgufEntry::key);
  if (found == keys.end()) {
    keys.push_back({std::string(key), std::move(value)});
  } else {
    found->value = std::move(value);
  }
}

void ModelParts::RemoveKey(std::string_view key) {
  std::erase_if(keys, [&](const GgufEntry& entry) { return entry.key == key; });
}

const GgufValue* ModelParts::FindKey(std::string_view key) const {
  const auto found = std::ranges::find(keys, key, &GgufEntry::key);
  return found == keys.end() ? nullptr : &found->value;
}

std::vector<std::byte> FileOf(const ModelParts& parts) {
  const GgufHeader header = HeaderOf(parts);
  std::vector<std::byte> file(header.file_bytes);
  std::memcpy(file.data(), header.bytes.data(), header.bytes.size());
  return file;
}

std::vector<std::byte> FileOf(const ModelParts& parts, const std::vector<std::byte>& original) {
  const GgufFile from = *ParseGguf(original, original.size());
  const GgufHeader header = HeaderOf(parts);
  std::vector<std::byte> file(header.file_bytes);
  std::memcpy(file.data(), header.bytes.data(), header.bytes.size());
  for (const GgufTensor& tensor : header.tensors) {
    const GgufTensor* const same = from.FindTensor(tensor.name);
    if (same != nullptr && same->bytes == tensor.bytes)
      std::memcpy(&file[tensor.offset], &original[same->offset], tensor.bytes);
  }
  return file;
}

Status Understand(const std::vector<std::byte>& file) {
  const Result<ModelHeader> header = ReadModelHeader(file);
  if (!header) return header.error();
  const auto tokenizer = OpenTokenizer(header->files.metadata());
  return tokenizer ? OkStatus() : tokenizer.error();
}

Result<std::vector<float>> Answer(const std::vector<std::byte>& file, std::size_t token_count) {
  EDGEMOE_ASSIGN_OR_FAIL(const std::unique_ptr<LoadedModel> model, LoadedModel::Load(file, {}));
  SequenceState sequence(model->state());
  std::vector<TokenId> tokens;
  for (std::size_t i = 0; i < std::min<std::size_t>(token_count, model->config().context_length);
       ++i)
    tokens.push_back(TokenId{static_cast<std::int32_t>('a' + i % 26)});
  EDGEMOE_ASSIGN_OR_FAIL(std::vector<float> logits, model->Run(sequence, 0, tokens));
  if (std::ranges::all_of(logits, [](float logit) { return std::isfinite(logit); })) return logits;
  return Failure(InternalError("logits that are no numbers"));
}

}  // namespace edgemoe
