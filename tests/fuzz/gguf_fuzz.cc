// SPDX-License-Identifier: Apache-2.0
//
// Any bytes: the reader refuses them or gives a description that keeps its promises (G2 to G4),
// merges as a set, is a pack or none, survives being written and read again, and is a model or
// none.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/gguf/gguf_reader.h"
#include "engine/gguf/gguf_set.h"
#include "engine/gguf/gguf_writer.h"
#include "engine/gguf/pack_keys.h"
#include "engine/gguf/requantize.h"
#include "engine/model/arch/architecture.h"
#include "engine/model/weights.h"

namespace edgemoe {
namespace {

void CheckTensors(const GgufFile& file, std::uint64_t file_bytes) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> extents;
  for (const GgufTensor& tensor : file.tensors()) {
    EDGEMOE_CHECK(file.FindTensor(tensor.name) == &tensor, "tensor names are unique");
    EDGEMOE_CHECK(tensor.bytes > 0 && tensor.offset % file.alignment() == 0, "placed");
    EDGEMOE_CHECK(tensor.bytes == GgufTensorBytes(tensor.type, tensor.dims), "whole rows");
    extents.emplace_back(tensor.offset, tensor.offset + tensor.bytes);
  }
  std::sort(extents.begin(), extents.end());
  std::uint64_t end = 0;
  for (const auto& [from, to] : extents) {
    EDGEMOE_CHECK(from >= end && to <= file_bytes, "inside the file and apart");
    end = to;
  }
}

void CheckGetters(const GgufFile& file) {
  for (const GgufEntry& entry : file.metadata()) {
    EDGEMOE_CHECK(file.Find(entry.key) == &entry.value, "keys are unique");
    (void)file.GetU32(entry.key);
    (void)file.GetF32(entry.key);
    (void)file.GetString(entry.key);
    (void)file.GetInt32Array(entry.key);
    (void)file.GetF32Array(entry.key);
    (void)DescribeGgufValue(entry.value);
    if (const auto strings = file.GetStrings(entry.key))
      for (std::size_t i = 0; i < (*strings)->size(); ++i) (void)(*strings)->StringAt(i);
  }
}

void CheckRewrite(const GgufFile& file) {
  GgufWriter writer(file.alignment());
  std::size_t entry_count = file.alignment() != kGgufDefaultAlignment ? 1 : 0;
  for (const GgufEntry& entry : file.metadata()) {
    if (entry.key == "general.alignment") continue;
    EDGEMOE_CHECK(writer.Set(entry.key, entry.value).ok(), "what was read can be written");
    ++entry_count;
  }
  for (const GgufTensor& tensor : file.tensors()) {
    const std::span<const std::uint64_t> dims(tensor.dims.data(), tensor.dimension_count);
    EDGEMOE_CHECK(writer.AddTensor(tensor.name, tensor.type, dims).ok(), "tensors too");
  }
  const GgufHeader header = writer.Build();
  const auto again =
      ParseGguf(std::as_bytes(std::span<const char>(header.bytes)), header.file_bytes);
  EDGEMOE_CHECK(again.has_value(), "what was written can be read");
  EDGEMOE_CHECK(again->metadata().size() == entry_count, "no key is lost");
  EDGEMOE_CHECK(again->tensors().size() == file.tensors().size(), "no tensor is lost");
}

void CheckPack(const GgufFile& file, std::span<const std::byte> bytes) {
  const Status status =
      file.data_offset() <= bytes.size() ? CheckPackHeader(bytes, file) : CheckPackVersion(file);
  EDGEMOE_CHECK(!status.ok() || !IsPack(file) || file.alignment() == kPackAlignment, "a pack's");
  for (const std::string_view key : {kPackExpertChecksumsKey, kPackDenseChecksumsKey})
    (void)ReadPackChecksums(file, key, 2);
}

// A config that is accepted has weights that lie within the file, or a tensor that is named.
void CheckModel(const GgufSet& files, std::uint64_t file_bytes) {
  const Result<ModelConfig> config = ReadModelConfig(files.metadata());
  if (!config) return;
  const Result<WeightsLayout> layout = LayOutWeights(*config, files);
  if (!layout) return;
  for (const WeightsLayout::DenseTensor& tensor : layout->dense)
    EDGEMOE_CHECK(tensor.file_offset + tensor.file_bytes <= file_bytes, "dense weights");
  for (const ExpertExtents& expert : layout->experts.extents)
    for (const ExpertExtent& matrix : expert)
      EDGEMOE_CHECK(matrix.bytes > 0 && matrix.offset + matrix.bytes <= file_bytes, "experts");
}

void ParseOnce(std::span<const std::byte> bytes, std::uint64_t file_bytes) {
  Result<GgufFile> file = ParseGguf(bytes, file_bytes);
  if (!file) {
    EDGEMOE_CHECK(file.error().code() != StatusCode::kOutOfRange || bytes.size() < file_bytes,
                  "a whole file never needs more");
    return;
  }
  CheckTensors(*file, file_bytes);
  CheckPack(*file, bytes);
  CheckGetters(*file);
  CheckRewrite(*file);
  (void)PlanRequantize(*file, TensorType::kQ4_K);
  std::vector<GgufFile> parts;
  parts.push_back(*std::move(file));
  const Result<GgufSet> files = GgufSet::Merge(std::move(parts));
  if (files) CheckModel(*files, file_bytes);
}

}  // namespace
}  // namespace edgemoe

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  edgemoe::ParseOnce(bytes, size);
  // As a prefix of a longer file, so that the tensors of small models fit.
  edgemoe::ParseOnce(bytes, size + (std::uint64_t{2} << 20));
  (void)edgemoe::GgufPartPaths({reinterpret_cast<const char*>(data), size});
  return 0;
}
