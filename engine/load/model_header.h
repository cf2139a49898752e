// SPDX-License-Identifier: Apache-2.0
//
// A model's header, read and understood: all that can be known before weights are loaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/cache/slot_classes.h"
#include "engine/gguf/gguf_set.h"
#include "engine/io/storage_file.h"
#include "engine/model/model_config.h"
#include "engine/model/weights.h"
#include "engine/tokenizer/vocabulary_description.h"

namespace edgemoe {

// A file of a model, as it was when its header was read.
struct ModelPart {
  std::string path{};
  FileIdentity identity{};
  std::uint64_t header_bytes = 0;  // before the tensors
  std::string header_digest{};     // XXH3-128 of these
};

struct ModelHeader {
  std::vector<ModelPart> parts;  // by file index
  std::uint64_t file_bytes = 0;  // of all parts
  GgufSet files;
  ModelConfig config;
  WeightsLayout layout;
  SlotClasses slot_classes;
};

// Maps each part for as long as it takes to parse it. Errors name file, key or tensor: NOT_FOUND
// and PERMISSION_DENIED for files, INVALID_ARGUMENT, FAILED_PRECONDITION or UNIMPLEMENTED for what
// is in them.
Result<ModelHeader> ReadModelHeader(const std::string& path);
// The same of one file whose bytes are in memory: it has neither path nor identity. Errors name key
// or tensor.
Result<ModelHeader> ReadModelHeader(std::span<const std::byte> file);

// The file's "tokenizer.ggml." keys. INVALID_ARGUMENT names the key.
Result<VocabularyDescription> ReadVocabulary(const GgufFile& metadata);

}  // namespace edgemoe
