// SPDX-License-Identifier: Apache-2.0
//
// The parts of a model that its header leads to: files, vocabulary, dense weights. Whoever opens a
// model, to serve, to study or to pack it, does it with these.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/io/storage_file.h"
#include "engine/load/model_header.h"
#include "engine/model/weights.h"
#include "engine/tokenizer/tokenizer.h"

namespace edgemoe {

// By file index. NOT_FOUND and PERMISSION_DENIED name the file; UNAVAILABLE: it has changed since
// its header was read.
Result<std::vector<StorageFile>> OpenModelFiles(const ModelHeader& header);

// Opens the files of a loaded model again, changed or not. FAILED_PRECONDITION names the file that
// is another model's by its size or its header, which both are read; of the weights themselves
// nothing is. Other errors as of opening and reading.
Result<std::vector<StorageFile>> ReopenModelFiles(std::span<const ModelPart> parts);

// FAILED_PRECONDITION names the first file that has changed since it was opened.
Status CheckUnchanged(std::span<const StorageFile> files);

// INVALID_ARGUMENT and UNIMPLEMENTED name the key of the vocabulary.
Result<std::unique_ptr<Tokenizer>> OpenTokenizer(const GgufFile& metadata);

// Reads the dense weights; `progress`, unless empty, is told bytes loaded so far. Errors as
// LoadWeights, and those of reading, with the file's path. `config`: the layout's, perhaps with
// another context.
Result<Weights> LoadDenseWeights(const ModelConfig& config, const WeightsLayout& layout,
                                 std::span<const StorageFile> files, const LoadProgress& progress);

// Bytes that LoadDenseWeights reads.
std::uint64_t DenseFileBytes(const WeightsLayout& layout);

}  // namespace edgemoe
