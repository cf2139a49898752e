// SPDX-License-Identifier: Apache-2.0
//
// Small models of any architecture with random weights, as real GGUF files. The same options give
// the same bytes on every machine: integers become weights by IEEE operations that round the same
// everywhere (+ - * / and square root, none of them fused), and the encoders of engine/quant are
// built likewise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/gguf/gguf_writer.h"
#include "engine/model/model_config.h"
#include "engine/model/tensor_role.h"
#include "engine/quant/tensor_type.h"
#include "tests/support/models/tiny_vocabulary.h"

namespace edgemoe {

// Weights are uniform in [centre - reach, centre + reach]. Those of types that are not encodable
// are blocks of random bits instead, with the same mean square.
struct WeightSpread {
  double centre = 0;
  double reach = 1;
};

// Spreads at which a model is far from both a uniform answer and a fixed one, every tensor matters
// to the answer and experts differ: the next token's entropy is about half of a uniform one's.
// `columns`: of the tensor's rows.
WeightSpread LivelySpread(TensorRole role, std::uint64_t columns);

struct RandomTensor {
  std::string name;
  TensorRole role = TensorRole::kEmbedding;
  TensorType type = TensorType::kF32;
  std::vector<std::uint64_t> dims;  // innermost first
};

struct RandomModelOptions {
  // Of an architecture that engine/model/arch knows. vocabulary_size is kTinyVocabularySize.
  ModelConfig config;
  std::uint64_t seed = 1;
  bool tied_output = false;
  // Tensors that files may lack, and this one has; the output apart.
  std::vector<TensorRole> optional_roles;
  bool fused_experts = false;  // gate and up of an expert are one matrix
  bool chat_template = true;
  // Of roles that IsRequantisable, where rows are whole blocks; all others are F32. Null: F32.
  std::function<TensorType(TensorRole)> type_of;
  // In place of type_of's, by the tensor's name.
  std::map<std::string, TensorType> tensor_types;
  std::function<WeightSpread(TensorRole, std::uint64_t columns)> spread = LivelySpread;
  // For large files, which take minutes then instead of hours: each tensor of a type with blocks
  // draws and encodes so many blocks, and its rows are made of these at random. 0: every weight is
  // drawn.
  std::uint32_t distinct_blocks = 0;
  // Rows that are not random: writes row `row` of the tensor, or is false and leaves it to chance.
  std::function<bool(const RandomTensor&, std::uint64_t row, std::span<std::byte> packed)>
      given_row;

  // For files that differ from others in one thing.
  // Key -> its value, also of a key that files usually lack; nothing where the key is left out.
  std::map<std::string, std::optional<GgufValue>> changed_keys;
  std::vector<RandomTensor> unused_tensors;  // behind all others; the model does not read them
  std::string altered_tensor;                // its weights come from another seed, all others stay
};

// The parts, for tests that break one of them. In the order of the file.
std::vector<RandomTensor> RandomModelTensors(const RandomModelOptions& options);
// Of a layer like `layer`, as block `index` has them.
std::vector<RandomTensor> RandomLayerTensors(const RandomModelOptions& options,
                                             const LayerConfig& layer, std::uint32_t index);
std::vector<GgufEntry> RandomModelKeys(const RandomModelOptions& options);

// The header of the file, and where its tensors lie: those of RandomModelTensors, then the unused.
GgufHeader RandomModelHeader(const RandomModelOptions& options);
// The file from its first byte to its last, in pieces of at most a row or the header, which are all
// that is in memory. An error of `sink` ends it.
using ByteSink = std::function<Status(std::span<const std::byte>)>;
Status MakeRandomModel(const RandomModelOptions& options, const ByteSink& sink);

// The whole file.
std::vector<std::byte> RandomModelBytes(const RandomModelOptions& options);

}  // namespace edgemoe
