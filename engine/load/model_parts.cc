// SPDX-License-Identifier: Apache-2.0
#include "engine/load/model_parts.h"

#include <algorithm>
#include <utility>

#include "engine/base/checksum.h"
#include "engine/io/read_fully.h"

namespace edgemoe {
namespace {

constexpr std::uint64_t kHeaderPieceBytes = std::uint64_t{256} << 10;

Status Changed(const std::string& path, const std::string& what) {
  return FailedPreconditionError(path + ": " + what);
}

Status CheckHeader(const StorageFile& file, const ModelPart& part) {
  if (file.bytes() != part.identity.bytes)
    return Changed(file.path(), "has " + std::to_string(file.bytes()) +
                                    " bytes, the file that was loaded had " +
                                    std::to_string(part.identity.bytes));
  std::vector<std::byte> piece(
      static_cast<std::size_t>(std::min(kHeaderPieceBytes, part.header_bytes)));
  Digest128 digest;
  for (std::uint64_t offset = 0; offset < part.header_bytes; offset += piece.size()) {
    const auto bytes =
        static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), part.header_bytes - offset));
    EDGEMOE_RETURN_IF_ERROR(ReadFully(file, offset, std::span(piece).first(bytes)));
    digest.Update(std::span(piece).first(bytes));
  }
  if (digest.text() == part.header_digest) return OkStatus();
  return Changed(file.path(), "its header is another than that of the file that was loaded");
}

}  // namespace

Result<std::vector<StorageFile>> OpenModelFiles(const ModelHeader& header) {
  std::vector<StorageFile> files;
  for (const ModelPart& part : header.parts) {
    EDGEMOE_ASSIGN_OR_FAIL(StorageFile file, StorageFile::Open(part.path));
    if (file.identity() != part.identity)
      return Failure(UnavailableError(part.path + ": changed while it was opened; try again"));
    files.push_back(std::move(file));
  }
  return files;
}

Result<std::vector<StorageFile>> ReopenModelFiles(std::span<const ModelPart> parts) {
  std::vector<StorageFile> files;
  for (const ModelPart& part : parts) {
    EDGEMOE_ASSIGN_OR_FAIL(StorageFile file, StorageFile::Open(part.path));
    EDGEMOE_FAIL_IF_ERROR(CheckHeader(file, part));
    files.push_back(std::move(file));
  }
  return files;
}

Status CheckUnchanged(std::span<const StorageFile> files) {
  for (const StorageFile& file : files)
    if (file.CurrentIdentity() != file.identity())
      return Changed(file.path(), "has changed since it was opened");
  return OkStatus();
}

Result<std::unique_ptr<Tokenizer>> OpenTokenizer(const GgufFile& metadata) {
  EDGEMOE_ASSIGN_OR_FAIL(const VocabularyDescription vocabulary, ReadVocabulary(metadata));
  return Tokenizer::Create(vocabulary);
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
