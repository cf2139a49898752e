// SPDX-License-Identifier: Apache-2.0
#include "engine/load/model_parts.h"

#include <utility>

#include "engine/io/read_fully.h"

namespace edgemoe {

Result<std::vector<StorageFile>> OpenModelFiles(const ModelHeader& header) {
  std::vector<StorageFile> files;
  for (const std::string& path : header.paths) {
    EDGEMOE_ASSIGN_OR_FAIL(StorageFile file, StorageFile::Open(path));
    files.push_back(std::move(file));
  }
  return files;
}

Result<std::unique_ptr<Tokenizer>> OpenTokenizer(const GgufFile& metadata) {
  EDGEMOE_ASSIGN_OR_FAIL(VocabularyDescription vocabulary, ReadVocabulary(metadata));
  return Tokenizer::Create(std::move(vocabulary));
}

Result<Weights> LoadDenseWeights(const ModelConfig& config, const WeightsLayout& layout,
                                 std::span<const StorageFile> files, const LoadProgress& progress) {
  const DenseRead read = [files](std::uint32_t file_index, std::uint64_t offset,
                                 std::byte* destination, std::uint64_t bytes) {
    return ReadFully(files[file_index], offset, {destination, bytes});
  };
  return LoadWeights(config, layout, read, progress);
}

std::uint64_t DenseFileBytes(const WeightsLayout& layout) {
  std::uint64_t bytes = 0;
  for (const WeightsLayout::DenseTensor& tensor : layout.dense) bytes += tensor.file_bytes;
  return bytes;
}

}  // namespace edgemoe
